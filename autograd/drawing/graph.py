"""``draw``: a computation graph as a Graphviz picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import reverse_topological
from ..registry import name_of
from ..value import Value
from .program import draw_program

if TYPE_CHECKING:
    from graphviz import Digraph

__all__ = ["draw"]

_MOST = 500  # boxes that a person can still follow


def draw(value: Any) -> Digraph:
    """The graph of ``value``: Values as boxes, operations as ellipses, constants as plain text, from left to right.

    A box shows the name, the number (of an array: its shape and range), and the gradient, or that none has been
    computed. Arguments are numbered where an operation has several. The same graph gives the same text. The result
    shows itself in a notebook; ``draw(v).render("graph", format="svg")`` writes a file (this needs Graphviz's
    ``dot`` program).

    Of a jitted function (see ``jit``) it draws the program that ran last, and of ``step.plan(x)`` that plan's.

    Raises ``TypeError`` for anything but these, and ``ValueError`` for a graph of more than 500 nodes.

    >>> x = Value(3.0, name="x")
    >>> print(draw(x * x).source.count("->"))
    3
    """
    import graphviz  # only drawing needs it

    program = getattr(value, "program", None)
    if hasattr(program, "ops"):
        return draw_program(program, _MOST)
    if not isinstance(value, Value):
        raise TypeError(f"draw: expected a Value, got {type(value).__name__}")
    nodes = reverse_topological(value)[::-1]
    if len(nodes) > _MOST:
        raise ValueError(f"draw: the graph has {len(nodes)} nodes, more than the {_MOST} that can be read; "
                         "draw a smaller one, such as that of a single example or neuron")
    ids = {node: f"v{i}" for i, node in enumerate(nodes)}
    dot = graphviz.Digraph("graph", graph_attr={"rankdir": "LR"}, node_attr={"fontname": "Helvetica"})
    for node in nodes:
        me = ids[node]
        if type(node.data) is not tuple:  # the results of an operation with several have boxes of their own
            colour = {} if node.op else {"style": "filled", "fillcolor": "#e8f0fe"}
            dot.node(me, _label(node), shape="box", **colour)
        if node.op is None:
            continue
        operation = f"{me}_op"
        symbol = name_of(node.op).rpartition(".")[2]
        settings = [f"{k}={v}" for k, v in node.kwargs.items() if v is not None and v is not False]
        dot.node(operation, graphviz.escape("\n".join([symbol, *settings])), shape="ellipse")
        if type(node.data) is not tuple:
            dot.edge(operation, me)
        several = len(node.args) > 1
        for i, arg in enumerate(node.args):
            label = {"label": str(i), "fontsize": "9"} if several else {}
            for j, item in enumerate(arg if _is_list(arg) else [arg]):
                if isinstance(item, Value):
                    source = f"{ids[item]}_op" if type(item.data) is tuple else ids[item]
                elif item is None:
                    continue
                else:
                    source = f"{operation}_{i}_{j}"
                    dot.node(source, graphviz.escape(_constant(item)), shape="plaintext", fontcolor="#666666")
                dot.edge(source, operation, **label)
    return dot


def _is_list(arg: Any) -> bool:
    return type(arg) in (list, tuple) and any(isinstance(a, Value) for a in arg)


def _label(node: Value) -> str:
    gradient = "not computed" if node.grad is None else _numbers(node.grad)
    lines = [node.name] if node.name else []
    shape = f"{node.shape} {node.dtype}" if node.shape else ""
    return _escaped([*lines, *([shape] if shape else []), f"data {_numbers(node.data)}", f"grad {gradient}"])


def _escaped(lines: list[str]) -> str:
    return "\\n".join(line.replace("\\", "\\\\") for line in lines)


def _constant(x: Any) -> str:
    return f"{np.shape(x)} {x.dtype}" if getattr(x, "shape", ()) else f"{x}"


def _numbers(data: Any) -> str:
    if not getattr(data, "shape", ()):
        return f"{data:.4g}"
    if not data.size:
        return "empty"
    if np.iscomplexobj(data):
        return f"|z| {np.abs(data).min():.3g} … {np.abs(data).max():.3g}"
    return f"{data.min():.3g} … {data.max():.3g}"
