"""The program of a jitted function as a Graphviz picture."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..registry import name_of
from .labels import GREY, bold, lines, safe, short, small

if TYPE_CHECKING:
    from graphviz import Digraph

__all__ = ["draw_program"]

_SYMBOLS = {operator.add: "+", operator.sub: "-", operator.mul: "×", operator.truediv: "/", operator.pow: "**",
            operator.neg: "-", operator.getitem: "[ ]"}
_OPERATIONS, _INPUTS, _OUTPUTS = 100, 25, 25  # shapes of each at most


def draw_program(program: Any) -> Digraph:
    """Operations as ellipses, from left to right; what is read and what is given as boxes, with shape and dtype.

    A dashed line leads to an input that is overwritten in place at the end. Of a long program, operations that follow
    one another are one box, so that at most 150 shapes are left.
    """
    from .dot import Drawing

    font = {"fontname": "Helvetica"}
    dot = Drawing("program", graph_attr={"rankdir": "LR", **font}, node_attr={**font, "fontsize": "12"},
                  edge_attr={**font, "fontsize": "9", "color": "#3c4043"})
    ids: dict[Any, str] = {}
    edges: dict[tuple[str, str], None] = {}
    for n, some in enumerate(_pieces(program.inputs, _INPUTS)):
        ids.update((i.var, f"x{n}") for i in some)
        dot.node(f"x{n}", _several([bold(i.source) for i in some], [f"{i.var!r}" for i in some]), shape="box",
                 style="rounded,filled", fillcolor="#fff4d6", color="#b38600")
    for n, some in enumerate(_pieces(program.ops, _OPERATIONS)):
        me = f"op{n}"
        if len(some) == 1:
            dot.node(me, _operation(some[0], ids), shape="ellipse", color=GREY)
        else:
            counts = Counter(_name(op) for op in some).most_common(3)
            what = ", ".join(f"{name} × {count}" if count > 1 else name for name, count in counts)
            dot.node(me, lines([bold(f"… {len(some)} operations"), small(safe(what))]), shape="box",
                     style="filled,dashed", fillcolor="#f5f5f5", color="#9aa0a6")
        edges.update(((ids[v], me), None) for op in some for v in op.reads if v in ids)
        ids.update((v, me) for op in some for v in op.outs)
    for n, some in enumerate(_pieces(program.outputs, _OUTPUTS)):
        dot.node(f"y{n}", _several([bold(o.target) for o in some], []), shape="box", style="rounded", penwidth="2",
                 color=GREY)
        edges.update(((ids[o.var], f"y{n}"), None) for o in some)
    for tail, head in edges:
        if tail != head:
            dot.edge(tail, head)
    back = {(ids[i.written], ids[i.var]): None for i in program.inputs if i.written is not None}
    for tail, head in back:
        dot.edge(tail, head, style="dashed", constraint="false")
    return dot


def _pieces(items: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """At most so many pieces, of as many items each."""
    each = max(1, -(-len(items) // most))
    return [items[i : i + each] for i in range(0, len(items), each)]


def _several(names: Sequence[str], more: Sequence[str]) -> str:
    if len(names) == 1:
        return lines([*names, *(small(safe(short(text))) for text in more)])
    return lines([names[0], bold("…"), names[-1], small(f"{len(names)} of them")])


def _name(op: Any) -> str:
    return _SYMBOLS.get(op.function) or name_of(op.function).rpartition(".")[2]


def _operation(op: Any, known: dict[Any, str]) -> str:
    settings = [f"{k}={x}" for k, x in op.kwargs.items() if x is not None and x is not False and x not in known]
    constants = [str(x) for x in op.args if isinstance(x, (int, float, str))]
    shape = [", ".join(map(repr, op.outs))] if op.outs else []
    return lines([safe(_name(op)), *(small(safe(short(text))) for text in (*constants, *settings, *shape))])
