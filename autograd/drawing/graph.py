"""``draw``: a computation graph as a Graphviz picture, folded until a person can follow it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..record import output
from ..trees import leaves
from ..value import Value
from . import labels
from .calls import Call, chain
from .derivatives import with_derivatives
from .folding import Cell, Folded, Graph, constants, fold
from .names import names
from .program import draw_program

if TYPE_CHECKING:
    from graphviz import Digraph

__all__ = ["draw"]

FONT = {"fontname": "Helvetica"}
LOOKS = {
    "parameter": {"style": "rounded,filled", "fillcolor": "#cfe3f5", "color": "#0072b2"},
    "leaf": {"style": "rounded,filled", "fillcolor": "#fff4d6", "color": "#b38600"},
    "value": {"style": "rounded", "color": "#5f6368"},
    "part": {"style": "filled", "fillcolor": "#eeeeee", "color": "#5f6368", "peripheries": "2"},
    "run": {"style": "filled", "fillcolor": "#f5f5f5", "color": "#9aa0a6"},
    "many": {"style": "filled,dashed", "fillcolor": "#f5f5f5", "color": "#9aa0a6"},
}


def draw(value: Any, *, depth: int | None = None, expand: str | Collection[str] | Callable[[Value], bool] = (),
         derivatives: int = 0) -> Digraph:
    """The graph of one or several Values, from left to right, with at most 150 shapes.

    A box is a Value: its name, shape and dtype, number or range, and gradient. Parameters are blue, other leaves
    yellow; operations are ellipses, constants grey text, and where an operation has several arguments they are
    numbered. What a layer computes is framed. NaN and infinities are red. The same graph gives the same text.

    A graph that has more is folded, as little as that takes: elementwise operations in a row become one box with their
    formula, layers and steps that are alike one "× N", with a dashed arrow from one to the next, and layers a box.

    Args:
        value: a Value, a list, tuple or dict of Values, or a function of ``jit``, whose last program is drawn (of
            ``step.plan(x)`` that plan's).
        depth: layers inside of so many others are folded in any case; 0 leaves one box of a network.
        expand: what is not folded: the path of a layer, the name of a Value, several of them, or a function that says
            so of a Value.
        derivatives: 1 shows the backward pass beside the graph, from the Value (of several their sum) to all leaves,
            and 2 also the backward pass of that, from the sum of these gradients: second derivatives.

    The result shows itself in a notebook; ``draw(v).render("graph", format="svg")`` writes a file, for which Graphviz's
    ``dot`` program is needed; ``.source`` is the text.

    Raises ``TypeError`` for anything else, ``ValueError`` for another depth or order and a name that nothing has, and
    ``RuntimeError`` where ``dot`` is needed and missing, with how to install it.

    >>> x = Value(3.0, name="x")
    >>> print(draw(x * x).source.count("->"))
    3
    """
    program = getattr(value, "program", None)
    if hasattr(program, "ops"):
        return draw_program(program)
    values = leaves(value)
    for v in values or [value]:
        if not isinstance(v, Value):
            where = "" if v is value else f" that holds {type(v).__name__}"
            raise TypeError("draw: expected a Value, a list, tuple or dict of Values, or a function of jit, got "
                            f"{type(value).__name__}{where}{_remedy(value)}")
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise ValueError(f"draw: depth must be a number of layers from 0 on, got {depth!r}")
    if derivatives not in (0, 1, 2):
        raise ValueError(f"draw: derivatives must be 0, 1 or 2, got {derivatives!r}")
    graph = Graph(values)
    named = names(graph.nodes, {n: graph.paths[id(n)] for n in graph.nodes if id(n) in graph.paths})
    if derivatives:
        ends, called = with_derivatives(values, derivatives, named)
        graph = Graph(ends)
        named |= called
    opened, apart = _picked(graph, named, expand)
    return _Picture(fold(graph, depth, opened, apart), named).dot


def _remedy(value: Any) -> str:
    if hasattr(value, "parameters") and callable(value):
        return "; draw what it computes: draw(model(x))"
    return "; write draw(f(Value(x)))" if callable(value) else ""


def _picked(graph: Graph, named: dict[Value, str], expand: Any) -> tuple[list[Value], list[int]]:
    """The nodes and the calls that are not folded."""
    if callable(expand):
        return [node for node in graph.nodes if expand(node)], []
    wanted = [expand] if isinstance(expand, str) else list(expand)
    nodes, calls = [], []
    for name in wanted:
        found = [n for n in graph.nodes if named.get(n) == name]
        inside = [c.since for c in graph.calls.all if graph.paths.get(id(c.owner)) == name]
        if not found and not inside:
            paths = sorted({graph.paths.get(id(c.owner), "") for c in graph.calls.all} - {""})
            known = f"; the layers are {', '.join(paths[:20])}{', …' if len(paths) > 20 else ''}" if paths else ""
            raise ValueError(f"draw: expand={name!r} is the path of no layer and the name of no Value here{known}")
        nodes += found
        calls += inside
    return nodes, calls


class _Picture:
    """A folded graph as Graphviz's text."""

    def __init__(self, folded: Folded, named: dict[Value, str]) -> None:
        from .dot import Drawing
        self.folded, self.named, self.framed = folded, named, 0
        self.number = {id(cell): i for i, cell in enumerate(folded.cells)}
        self.dot: Any = Drawing("graph", graph_attr={"rankdir": "LR", **FONT}, node_attr={**FONT, "fontsize": "12"},
                                edge_attr={**FONT, "fontsize": "9", "color": "#3c4043"})
        shown = len(folded.cells)
        if shown < len(folded.graph.nodes):
            text = f"{len(folded.graph.nodes):,} values in {shown:,} boxes; expand= opens one"
            self.dot.attr(label=labels.lines([labels.small(text)]), labelloc="b")
        self.users: dict[int, list[Cell]] = {}
        for edge in folded.edges:
            self.users.setdefault(id(edge.tail), []).append(edge.head)
        within: dict[Any, list] = {}
        for cell in folded.cells:
            within.setdefault(self.frame(cell), []).append(cell)
        calls = {folded.cluster(c): c for c in reversed(folded.graph.calls.all)}
        self.frames(self.dot, (), within, calls)
        for edge in folded.edges:
            self.edge(edge)

    def frame(self, cell: Cell) -> tuple:
        """The frames around a cell, outermost first; a parameter is in those of all that use it."""
        def path(call: Call | None) -> tuple:
            return tuple(self.folded.cluster(c) for c in chain(call))[::-1]
        node = cell.first
        if cell.fold or node.op is not None:
            return path(cell.call)
        users = self.users.get(id(cell), [])
        if id(node) not in self.folded.graph.paths or not users:
            return ()
        common = path(users[0].call)
        for user in users[1:]:
            other = path(user.call)
            common = common[: next((i for i, (a, b) in enumerate(zip(common, other, strict=False)) if a != b),
                                   min(len(common), len(other)))]
        return common

    def frames(self, dot: Any, path: tuple, within: dict[Any, list], calls: dict[Any, Call]) -> None:
        for cell in within.get(path, ()):
            self.cell(dot, cell)
        depth = len(path)
        inner = {p[depth] for p in within if len(p) > depth and p[:depth] == path}
        for key in sorted(inner, key=lambda key: calls[key].since):
            call = calls[key]
            owners = [c.owner for c in self.folded.graph.calls.all if self.folded.cluster(c) == key]
            name = labels.shared_name(self.folded.graph.paths.get(id(o), "") for o in owners)
            self.framed += 1
            with dot.subgraph(name=f"cluster_{self.framed}") as sub:
                sub.attr(label=labels.cluster(call.owner, name, len(owners)), style="rounded", color="#9aa0a6",
                         labeljust="l", labelloc="t",
                         fontsize="11")
                self.frames(sub, (*path, key), within, calls)

    def cell(self, dot: Any, cell: Cell) -> None:
        i, node = self.number[id(cell)], cell.first
        if cell.fold:
            dot.node(f"v{i}", labels.box(cell, self.folded, self.named), shape="box", **LOOKS[cell.fold])
            return
        if type(node.data) is not tuple:  # the results of an operation with several have boxes of their own
            kind = "value" if node.op else "leaf" if type(node) is Value else "parameter"
            ends = {"penwidth": "2"} if any(n in self.folded.graph.ends for n in cell.nodes[-1:]) else {}
            dot.node(f"v{i}", labels.box(cell, self.folded, self.named), shape="box", **LOOKS[kind], **ends)
        if node.op is None or node.op is output:
            return
        dot.node(f"v{i}_op", labels.operation(cell), shape="ellipse", color="#5f6368", margin="0.05,0.02")
        if type(node.data) is not tuple:
            dot.edge(f"v{i}_op", f"v{i}")
        for k, (place, x) in enumerate(constants(node)):
            alike = all(_same(x, _nth(n, k)) for n in cell.nodes[1:])
            text = labels.constant(x) if alike else f"{len(cell.nodes):,} constants"
            dot.node(f"v{i}_{k}", labels.lines([labels.safe(text)]), shape="plaintext", fontcolor=labels.GREY,
                     margin="0.05,0.02")
            dot.edge(f"v{i}_{k}", f"v{i}_op", **_numbered(place))

    def edge(self, edge: Any) -> None:
        tail, head = edge.tail, edge.head
        several = type(tail.first.data) is tuple and not tail.fold
        start = f"v{self.number[id(tail)]}{'_op' if several else ''}"
        node, end = head.first, f"v{self.number[id(head)]}"
        if not head.fold and node.op is not output:
            end += "_op"
        look = _numbered(str(node.args[1]) if node.op is output and not head.fold else edge.argument)
        if edge.back:
            look |= {"style": "dashed", "constraint": "false"}
        self.dot.edge(start, end, **look)


def _numbered(place: str) -> dict[str, str]:
    return {"label": place.replace("\\", "\\\\")} if place else {}


def _nth(node: Value, k: int) -> Any:
    found: Sequence = list(constants(node))
    return found[k][1] if k < len(found) else None


def _same(x: Any, y: Any) -> bool:
    if getattr(x, "shape", ()) or getattr(y, "shape", ()):
        return getattr(x, "shape", ()) == getattr(y, "shape", ()) and getattr(x, "dtype", 0) == getattr(y, "dtype", 0)
    try:
        return bool(x == y)
    except Exception:
        return x is y
