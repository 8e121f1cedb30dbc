"""Folding: a graph with some of its nodes counted as one, so that a graph of any size can be drawn.

Each node gets a key, and nodes of one key make a ``Cell``. Ways to choose keys are tried one after the other, from
"each node for itself" to "all that is next to one another", until few enough shapes are left.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any

import numpy as np

from ..graph import reverse_topological
from ..record import output
from ..registry import RULES
from ..value import Value
from .calls import Call, Calls, chain, paths_from

__all__ = ["MOST", "Cell", "Edge", "Folded", "Graph", "fold"]

MOST = 150  # shapes that a person can still follow
EASY = 80  # and of which none need to be folded


class Graph:
    """The nodes behind some Values, in topological order, and where each belongs.

    ``home`` is the call that computed a node, ``users`` are the operations on a leaf, with the place of the argument.
    """

    def __init__(self, values: Sequence[Value]) -> None:
        self.ends = dict.fromkeys(values)
        self.nodes = reverse_topological(*values)[::-1]
        self.calls = Calls(self.nodes)
        self.home = self.calls.home
        self.paths = paths_from(self.calls)
        self.index = {node: i for call in self.calls.all for i, node in enumerate(call.nodes)}
        self.users: dict[Value, list[tuple[Value, str]]] = {}
        for node in self.nodes:
            for i, parent in arguments(node):
                if parent.op is None:
                    self.users.setdefault(parent, []).append((node, i))


def arguments(node: Value) -> Iterator[tuple[str, Value]]:
    """The Values that a node was computed from, each with the number of the argument that it is, or is in."""
    return ((place, x) for place, x in inputs(node) if isinstance(x, Value))


def constants(node: Value) -> Iterator[tuple[str, Any]]:
    """What an operation was called with that is no Value."""
    return ((place, x) for place, x in inputs(node) if not isinstance(x, Value) and x is not None)


def inputs(node: Value) -> Iterator[tuple[str, Any]]:
    """All arguments, with their numbers: "" of a single one, and ``1[0]`` of the first in a list that is the second."""
    args = node.args
    for i, arg in enumerate(args):
        place = str(i) if len(args) > 1 else ""
        if isinstance(arg, (list, tuple, dict)) and any(True for _ in values_in(arg)):
            items = arg.items() if isinstance(arg, dict) else enumerate(arg)
            yield from ((f"{place}[{k}]{rest}", x) for k, item in items for rest, x in _within(item))
        else:
            yield place, arg


def _within(x: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(x, (list, tuple)) and any(True for _ in values_in(x)):
        yield from ((f"[{k}]{rest}", y) for k, item in enumerate(x) for rest, y in _within(item))
    else:
        yield "", x


def values_in(x: Any) -> Iterator[Value]:
    """The Values in lists, tuples and dicts, in order."""
    if isinstance(x, Value):
        yield x
    elif isinstance(x, (list, tuple, dict)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from values_in(item)


class Cell:
    """Nodes that are drawn as one: alike, so that one picture serves for all, or those of a fold.

    A ``fold`` is ``"part"``, what calls of one kind compute; ``"run"``, elementwise operations in a row; or ``"many"``,
    whatever is next to one another.
    """

    __slots__ = ("call", "calls", "fold", "nodes", "times")

    def __init__(self, fold: str, call: Call | None, times: int = 1) -> None:
        self.fold, self.call, self.times = fold, call, times  # where it is drawn; how many runs it stands for
        self.nodes: list[Value] = []
        self.calls: set[int] = set()

    @property
    def first(self) -> Value:
        return self.nodes[0]

    @property
    def count(self) -> int:
        """For how many things of one kind it stands."""
        return len(self.calls) if self.fold == "part" else self.times if self.fold else len(self.nodes)

    @property
    def shapes(self) -> int:
        """How many shapes draw it: a box, and those of its operation and constants."""
        node = self.first
        if self.fold or node.op is None or node.op is output:
            return 1
        return 1 + (type(node.data) is not tuple) + sum(1 for _ in constants(node))


class Edge:
    """From a cell to one that uses it, as which argument ("" of a fold); ``back`` if that one comes earlier."""

    __slots__ = ("argument", "back", "head", "tail")

    def __init__(self, tail: Cell, head: Cell, argument: str, back: bool) -> None:
        self.tail, self.head, self.argument, self.back = tail, head, argument, back


class Folded:
    """A graph as cells, in order, and the edges between them, each once."""

    def __init__(self, graph: Graph, keys: dict[Value, Hashable], calls: dict[Hashable, list[Call]],
                 alike: bool) -> None:
        self.graph, self.alike = graph, alike  # whether calls of one kind are drawn as one
        cells: dict[Hashable, Cell] = {}
        self.cell: dict[Value, Cell] = {}
        for node in graph.nodes:
            key: Any = keys[node]
            cell = cells.get(key)
            if cell is None:
                why = key[0] if key[0] in ("part", "run", "many") else ""
                call = calls[key][0].outer if why == "part" else graph.home.get(node)
                cell = cells[key] = Cell(why, call, key[2] if why == "run" else 1)
                cell.calls.update(c.since for c in calls.get(key, ()))
            cell.nodes.append(node)
            self.cell[node] = cell
        self.cells = sorted(cells.values(), key=_begins)
        place = {id(cell): i for i, cell in enumerate(self.cells)}
        found: dict[tuple[int, int, str], None] = {}
        for node in graph.nodes:
            here = self.cell[node]
            for i, parent in arguments(node):
                there = self.cell[parent]
                if there is not here or not here.fold:
                    found[place[id(there)], place[id(here)], "" if here.fold else i] = None
        self.edges = [Edge(self.cells[a], self.cells[b], i, a >= b) for a, b, i in found]
        self.shapes = sum(cell.shapes for cell in self.cells)

    def cluster(self, call: Call) -> Hashable:
        """The same for calls that are drawn in one place."""
        return call.kind if self.alike else call.since


def _begins(cell: Cell) -> int:
    """When the first operation was made; the parameters of a layer were there long before."""
    return next((node._order for node in cell.nodes if node.op is not None), cell.first._order)


def fold(graph: Graph, depth: int | None = None, opened: Collection[Value] = (),
         apart: Collection[int] = ()) -> Folded:
    """The first way of folding that leaves few enough shapes, with calls deeper than ``depth`` folded in any case.

    Nodes that are ``opened`` stay on their own, and so do the calls around them, and those that began at ``apart``.
    """
    apart = set(apart)
    for node in opened:
        home = graph.home.get(node)
        apart.update(c.since for c in chain(home))
    for call in graph.calls.all:
        if call.since in apart:
            apart.update(c.since for c in chain(call))
    graph.calls.sort(apart)
    folded = None
    for way in _ways(graph, depth):
        folded = _folded(graph, set(opened), apart, *way)
        if folded is not None and folded.shapes <= (MOST if way[1] else EASY):
            return folded
    assert folded is not None
    return _folded_runs(folded, _many(folded, set(opened)))


def _ways(graph: Graph, depth: int | None) -> Iterator[tuple[int | None, bool, bool, int]]:
    """(depth, whether calls that are alike are one, whether runs are, by which lines) from clear to coarse."""
    if len(graph.nodes) <= 10 * MOST:
        yield depth, False, False, 0
        yield depth, False, True, 0
    yield depth, True, False, 0
    yield depth, True, True, 0
    yield depth, True, True, 1
    deepest = max((call.depth for call in graph.calls.all), default=-1)
    for d in range(deepest if depth is None else min(depth - 1, deepest), -1, -1):
        yield d, True, True, 1
    yield depth if depth is not None and depth < 0 else 0 if deepest >= 0 else None, True, True, 2


def _folded(graph: Graph, opened: set[Value], apart: set[int], depth: int | None, alike: bool, runs: bool,
            lines: int) -> Folded | None:
    keys, calls = _keys(graph, opened, apart, depth, alike, lines)
    if len(set(keys.values())) > 20 * MOST:
        return None
    folded = Folded(graph, keys, calls, alike)
    if runs and folded.shapes > MOST:
        folded = _folded_runs(folded, _runs(folded, opened))
    return folded


def _folded_runs(folded: Folded, new: dict[int, Hashable]) -> Folded:
    """Folded once more: cells with a new key are one with others of that key."""
    keys: dict[Value, Hashable] = {}
    calls: dict[Hashable, list[Call]] = {}
    by_since = {call.since: call for call in folded.graph.calls.all}
    for i, cell in enumerate(folded.cells):
        key = new.get(id(cell), (cell.fold or "cell", i, cell.times))
        keys.update(dict.fromkeys(cell.nodes, key))
        if cell.calls and id(cell) not in new:
            calls[key] = [by_since[s] for s in sorted(cell.calls)]
    return Folded(folded.graph, keys, calls, folded.alike)


def _keys(graph: Graph, opened: set[Value], apart: set[int], depth: int | None, alike: bool,
          lines: int) -> tuple[dict[Value, Hashable], dict[Hashable, list[Call]]]:
    """A key for each node, and which calls the keys of folded parts stand for."""
    keys: dict[Value, Hashable] = {}
    calls: dict[Hashable, list[Call]] = {}
    places: dict[int | None, Any] = {None: None}
    for call in graph.calls.all:
        folded = next((c for c in [*chain(call)][::-1] if depth is not None and c.depth >= depth
                       and c.since not in apart), None)
        if folded is not None:
            places[call.since] = key = ("part", folded.kind if alike else folded.since)
            if folded is call:
                calls.setdefault(key, []).append(call)
    for node in graph.nodes:
        if node.op is None:
            continue
        home = graph.home[node]
        key = places.get(home.since if home else None)
        if node in opened:
            key = ("node", node._order)
        elif key is None:
            kind = home.kind if home else None
            if home is not None and alike and graph.calls.counts[home.kind] > 1:
                key = ("in", kind, graph.index[node])
            elif home is not None and home.since in apart:
                key = ("node", node._order)
            elif lines:
                code, instruction = getattr(node, "_code", None), getattr(node, "_instruction", None)
                key = ("line", kind, code, instruction, node.op, node.shape) if lines == 1 else ("of", kind, node.op)
            else:
                key = ("node", node._order)
        keys[node] = key
    for node in graph.nodes:
        if node.op is not None:
            continue
        users = graph.users.get(node, [])
        first: Any = keys[users[0][0]] if users else ("node", node._order)
        if node in opened or first[0] == "node":
            keys[node] = ("node", node._order)
        elif id(node) in graph.paths and first[0] == "part" and all(keys[user] == first for user, _ in users):
            keys[node] = first
        elif first[0] == "part":
            keys[node] = ("node", node._order) if not alike else ("leaf", first, node.shape, id(node) in graph.paths)
        else:
            keys[node] = ("leaf", first, users[0][1], node.shape)
    return keys, calls


def _runs(folded: Folded, opened: set[Value]) -> dict[int, Hashable]:
    """New keys for elementwise operations of which one only serves the next."""
    ends = {id(folded.cell[v]) for v in folded.graph.ends}
    users: dict[int, set[int]] = {}
    for edge in folded.edges:
        users.setdefault(id(edge.tail), set()).add(-1 if edge.back else id(edge.head))
    by_id = {id(cell): cell for cell in folded.cells}

    def fits(cell: Cell) -> bool:
        return not cell.fold and is_elementwise(cell.first) and cell.first not in opened

    last: dict[int, int] = {}  # the cell at the end of the run that a cell is in
    for cell in reversed(folded.cells):
        mine = users.get(id(cell), set())
        if id(cell) in ends or len(mine) != 1 or not fits(cell):
            continue
        head = by_id.get(next(iter(mine)))
        if head is not None and fits(head) and head.count == cell.count and head.call is cell.call:
            last[id(cell)] = last.setdefault(id(head), id(head))
    return {cell: ("run", end, by_id[end].count) for cell, end in last.items()}


def is_elementwise(node: Value) -> bool:
    if isinstance(node.op, np.ufunc):
        return node.op.signature is None
    rule = RULES.get(node.op) if node.op else None
    return rule is not None and rule.kind == "elementwise"


def _many(folded: Folded, opened: set[Value]) -> dict[int, Hashable]:
    """New keys for cells that are next to one another, as many as it takes."""
    ends = {id(folded.cell[v]) for v in folded.graph.ends}
    free = [cell for cell in folded.cells if id(cell) not in ends and not any(n in opened for n in cell.nodes)]
    each = -(-len(free) // (MOST // 2))
    return {id(cell): ("many", i // each) for i, cell in enumerate(free)}
