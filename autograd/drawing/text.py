"""``draw_text``: a computation graph as a tree of lines, for terminals."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..graph import reverse_topological
from ..record import output
from ..registry import name_of
from ..value import UNRECORDED, Value, holds_value
from .names import names
from .notation import index_text
from .numbers import checked, in_red, is_array, numbers, printable

__all__ = ["TextDrawing", "draw_text"]

_MOST = 60  # operations that are opened
_DEEP = 12  # levels
_WIDE = 10  # arguments of one operation
_LEFT = 60  # characters before the numbers


@dataclass(frozen=True, repr=False, eq=False)
class TextDrawing:
    """What ``draw_text`` gives: it prints as a tree, and shows itself as one in a notebook."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{in_red(self.text)}</pre>"


def draw_text(value: Any) -> TextDrawing:
    """The graph of ``value`` as a tree of lines: below each result what it was computed from. It needs no Graphviz.

    A line says the name (see ``draw``), the operation, the number (of an array: its shape and range) and ``.grad``, "—"
    where none has been computed. What is used several times is drawn once, and then referred to by ``↑``. NaN and
    infinities have an exclamation mark. Of a large graph what is next to the value is drawn; "…" is after what is not
    opened.

    Raises ``TypeError`` for anything but a Value.

    >>> w, x = Value(2.0, name="w"), Value(3.0, name="x")
    >>> y = w * x + w
    >>> y.backward()
    >>> draw_text(y)
    add           8   grad 1
    ├─ multiply   6   grad 1
    │  ├─ w       2   grad 4
    │  └─ x       3   grad 2
    └─ ↑ w
    """
    return TextDrawing("\n".join(_Tree(checked("draw_text", value)).lines()))


class _Tree:
    """The lines of a drawing."""

    def __init__(self, value: Value) -> None:
        self.value, self.nodes = value, reverse_topological(value)
        self.names = names(self.nodes)
        self.opened = self._opened()
        self.drawn: set[Value] = set()
        self.marks = self._marks()

    def _opened(self) -> set[Value]:
        """The operations whose arguments are drawn: those next to the value."""
        opened: dict[Value, int] = {self.value: 0}
        waiting = deque([self.value])
        while waiting:
            node = waiting.popleft()
            for x in _shown(_arguments(node)):
                if isinstance(x, Value) and x not in opened and len(opened) < _MOST and opened[node] < _DEEP:
                    opened[x] = opened[node] + 1
                    waiting.append(x)
        return set(opened)

    def _marks(self) -> dict[Value, str]:
        """What tells a node from others that are called alike, where it is referred to."""
        uses = Counter(x for node in self.opened for x in _shown(_arguments(node)) if isinstance(x, Value))
        alike = Counter(self.names.values())
        marks: dict[Value, str] = {}
        for node in self.nodes[::-1]:
            if uses[node] > 1 and alike[self.names.get(node, "")] != 1:
                marks[node] = f"#{len(marks) + 1}"
        return marks

    def lines(self) -> list[str]:
        rows = list(self._rows(self.value, "", ""))
        width = min(max(len(left) for left, _ in rows), _LEFT)
        text = [f"{left:<{width}}   {right}" if right else left for left, right in rows]
        if self.value.op is None:
            text.append("It was detached or computed under no_grad: nothing leads to what it was computed from."
                        if self.value.kwargs is UNRECORDED else "It was not computed from anything.")
        left = sum(node not in self.drawn for node in self.nodes if type(node.data) is not tuple)
        return [*text, *([f"… {left:,} more; draw(value) folds them"] if left else [])]

    def _rows(self, x: Any, before: str, below: str) -> Iterator[tuple[str, str]]:
        """What is left of the numbers, and these, for an argument and all below it."""
        if not isinstance(x, Value):
            yield before + (x.text if isinstance(x, _More) else _constant(x)), ""
            return
        name, mark = printable(self.names.get(x, "")), self.marks.get(x, "")
        if x in self.drawn:
            yield f"{before}↑ {' '.join(filter(None, [name, mark]))}", ""
            return
        self.drawn.add(x)
        operation = _operation(x)
        said = " = ".join(filter(None, [name, operation])) or "input"
        arguments = _shown(_arguments(x)) if x in self.opened else []
        folded = " …" if x.op is not None and not arguments else ""
        yield f"{before}{said}{mark and f' {mark}'}{folded}", _held(x)
        for i, argument in enumerate(arguments):
            last = i == len(arguments) - 1
            yield from self._rows(argument, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))


@dataclass(frozen=True)
class _More:
    text: str


def _arguments(node: Value) -> list[Any]:
    """Those of the operation, with what is in lists, but without what is not given."""
    if node.op is output:
        node = node.args[0]
    if name_of(node.op) == "indexing":
        x, index = node.args
        return [x, _More(index_text(index))]
    return [x for arg in node.args for x in _flat(arg) if x is not None]


def _flat(x: Any) -> list[Any]:
    return [item for part in x for item in _flat(part)] if isinstance(x, (list, tuple)) and holds_value(x) else [x]


def _shown(arguments: list[Any]) -> list[Any]:
    n = len(arguments)
    if n <= _WIDE:
        return arguments
    return [*arguments[: _WIDE - 2], _More(f"… {n - _WIDE + 1:,} more"), arguments[-1]]


def _operation(node: Value) -> str:
    """NumPy's name with the settings; of one of several results also its number."""
    if node.op is None:
        return ""
    if node.op is output:
        return f"{_operation(node.args[0])}[{node.args[1]}]"
    settings = [f"{k}={v}" for k, v in node.kwargs.items()
                if v is not None and v is not False and (k, v) != ("order", "C")]
    name = name_of(node.op).rpartition(".")[2]
    return f"{name}({', '.join(settings)})" if settings else name


def _held(node: Value) -> str:
    shape = f"{node.shape} " if node.shape else ""
    dtype = "" if node.dtype == float else f"{node.dtype} "
    gradient = "—" if node.grad is None else numbers(node.grad)
    return f"{shape}{dtype}{numbers(node.data)}   grad {gradient}"


def _constant(x: Any) -> str:
    if is_array(x):
        return f"constant {x.shape} {'' if x.dtype == float else f'{x.dtype} '}" + numbers(x)
    if isinstance(x, float):
        return numbers(x)
    text = printable(getattr(x, "__name__", None) or str(x))
    return text if len(text) <= 40 else text[:39] + "…"
