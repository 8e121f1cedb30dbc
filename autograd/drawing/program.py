"""The program of a jitted function as a Graphviz picture."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ..registry import name_of

if TYPE_CHECKING:
    from graphviz import Digraph

__all__ = ["draw_program"]

_SYMBOLS = {operator.add: "+", operator.sub: "-", operator.mul: "×", operator.truediv: "/", operator.pow: "**",
            operator.neg: "-", operator.getitem: "[ ]"}


def draw_program(program: Any, most: int) -> Digraph:
    """Operations as ellipses, from left to right; what is read and what is given as boxes, with shape and dtype.

    A dashed line leads to an input that is overwritten in place at the end.
    """
    import graphviz

    if len(program.ops) > most:
        raise ValueError(f"draw: the program has {len(program.ops)} operations, more than the {most} that can be read")
    dot = graphviz.Digraph("program", graph_attr={"rankdir": "LR"}, node_attr={"fontname": "Helvetica"})
    ids: dict[Any, str] = {}
    for n, i in enumerate(program.inputs):
        ids[i.var] = f"x{n}"
        dot.node(f"x{n}", graphviz.escape(f"{i.source!r}\n{i.var!r}"), shape="box", style="filled",
                 fillcolor="#e8f0fe")
    for n, op in enumerate(program.ops):
        me = f"op{n}"
        settings = [f"{k}={x}" for k, x in op.kwargs.items() if x is not None and x is not False and x not in ids]
        constants = [str(x) for x in op.args if isinstance(x, (int, float, str))]
        text = [_SYMBOLS.get(op.function) or name_of(op.function).rpartition(".")[2], *constants, *settings]
        shape = [", ".join(map(repr, op.outs))] if op.outs else []
        dot.node(me, graphviz.escape("\n".join([*text, *shape])), shape="ellipse")
        for v in op.reads:
            dot.edge(ids[v], me)
        ids.update(dict.fromkeys(op.outs, me))
    for n, o in enumerate(program.outputs):
        dot.node(f"y{n}", graphviz.escape(str(o.target)), shape="box")
        dot.edge(ids[o.var], f"y{n}")
    for i in program.inputs:
        if i.written is not None:
            dot.edge(ids[i.written], ids[i.var], style="dashed", constraint="false")
    return dot
