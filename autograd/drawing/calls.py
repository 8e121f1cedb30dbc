"""The calls of layers and other parts in a graph, as a tree, and the paths by which their parameters are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ..parts import parts
from ..value import Value

__all__ = ["Call", "Calls", "chain", "paths_from"]


class Call:
    """One call of a part: which object was called, inside of which call, and what was computed in it directly."""

    __slots__ = ("end", "inner", "kind", "nodes", "outer", "owner", "since")

    def __init__(self, owner: Any, since: int) -> None:
        self.owner, self.since, self.end = owner, since, since
        self.outer: Call | None = None
        self.inner: list[Call] = []
        self.nodes: list[Value] = []
        self.kind = 0  # the same number for calls that computed the same way; see Calls

    @property
    def depth(self) -> int:
        """How many calls it is inside of."""
        return 0 if self.outer is None else self.outer.depth + 1


class Calls:
    """The calls in a graph: ``home`` says in which one each operation was computed; ``None`` means in none.

    Calls of one ``kind`` are of the same type inside the same (kind of) call, with the same operations on the same
    shapes in the same order: the steps of a recurrence, or layers of one size.
    """

    def __init__(self, nodes: Sequence[Value]) -> None:
        found: dict[int, Call] = {}
        for node in nodes:
            for p in parts(node):
                call = found.setdefault(p.since, Call(p.owner, p.since))
                call.end = max(call.end, node._order)
        self.all = sorted(found.values(), key=lambda c: c.since)
        self.home: dict[Value, Call | None] = {}
        self.top: list[Call] = []
        waiting, stack = self.all[::-1], []
        for node in nodes:
            while waiting and waiting[-1].since < node._order:
                self._leave(stack, waiting[-1].since)
                call = waiting.pop()
                call.outer = stack[-1] if stack else None
                (stack[-1].inner if stack else self.top).append(call)
                stack.append(call)
            self._leave(stack, node._order)
            if node.op is not None:
                self.home[node] = stack[-1] if stack else None
                if stack:
                    stack[-1].nodes.append(node)
        self._same: dict[Any, int] = {}
        self._shapes: dict[int, int] = {}
        for call in self.top:
            self._shape_of(call)
        self.sort(())

    @staticmethod
    def _leave(stack: list[Call], order: int) -> None:
        while stack and stack[-1].end < order:
            stack.pop()

    def _number_of(self, key: Any) -> int:
        return self._same.setdefault(key, len(self._same) + 1)

    def _shape_of(self, call: Call) -> int:
        """A number that is the same for calls with the same operations."""
        items: list[tuple[int, Any]] = [(n._order, (n.op, *map(_form, (n, *n.args)))) for n in call.nodes]
        items += [(c.since, self._shape_of(c)) for c in call.inner]
        items.sort(key=lambda item: item[0])
        self._shapes[call.since] = shape = self._number_of((type(call.owner), tuple(what for _, what in items)))
        return shape

    def sort(self, apart: Collection[int]) -> None:
        """Find which calls are of one kind; those that began at one of ``apart`` are of no other's."""
        waiting = [(call, 0) for call in self.top]
        for call, outer in waiting:
            alone = call.since if call.since in apart else None
            call.kind = self._number_of((outer, self._shapes[call.since], alone))
            waiting += [(inner, call.kind) for inner in call.inner]
        self.counts = Counter(call.kind for call in self.all)


def _form(x: Any) -> Any:
    """Shape and dtype of what an operation gives or takes, and how many things are in a list."""
    data = x.data if isinstance(x, Value) else x
    return tuple(map(_form, data)) if isinstance(data, (list, tuple)) else (
        getattr(data, "shape", ()), getattr(getattr(data, "dtype", None), "char", ""))


def chain(call: Call | None) -> Iterator[Call]:
    """A call and those that it is inside of."""
    while call is not None:
        yield call
        call = call.outer


def paths_from(calls: Calls) -> dict[int, str]:
    """Paths such as ``layers.0.weight`` of the objects and Values in the outermost objects called, by identity.

    Attributes are walked, also those in lists and dicts, and those of objects that have ``parameters``.
    """
    roots = list({id(c.owner): c.owner for c in calls.top}.values())
    models = [root for root in roots if not hasattr(root, "label")]
    found: dict[int, str] = {}
    for root in roots:
        start = type(root).__name__ if len(models) > 1 and root in models else ""
        waiting: list[tuple[str, Any]] = [(start, root)]
        while waiting:
            path, x = waiting.pop()
            if id(x) in found and x is not root:
                continue
            if isinstance(x, Value):
                found[id(x)] = path
            elif isinstance(x, (list, tuple)):
                waiting += reversed([(_joined(path, str(i)), item) for i, item in enumerate(x)])
            elif isinstance(x, dict):
                waiting += reversed([(_joined(path, str(key)), item) for key, item in x.items()])
            elif callable(getattr(x, "parameters", None)) and hasattr(x, "__dict__"):
                found[id(x)] = path
                waiting += reversed([(_joined(path, name), item) for name, item in vars(x).items()])
            elif x is root:
                found[id(x)] = path
    return found


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
