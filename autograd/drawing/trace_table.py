"""``trace_table``: the nodes of a graph in the order in which they were computed, as a table."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..describe import table
from ..graph import reverse_topological
from ..lines import line_of
from ..record import output
from ..registry import name_of
from ..value import Value
from .names import names
from .notation import index_text
from .numbers import checked, in_red, is_array, numbers, printable

__all__ = ["TraceRow", "TraceTable", "trace_table"]

_MOST, _FIRST, _LAST = 60, 30, 20  # rows that are all shown; of more, the first and the last
_HEADER = ("row", "name", "operation", "shape", "dtype", "value", "gradient", "line")


class TraceRow(NamedTuple):
    """A node: its place, its name or nothing, the operation with its arguments, and what it holds, as text.

    ``gradient`` is that of ``.grad``, and "—" where none was computed.
    """

    row: int
    name: str
    operation: str
    shape: str
    dtype: str
    value: str
    gradient: str
    line: str
    node: Value


class _Rows(Sequence[TraceRow]):
    """The rows of all nodes, each made when it is asked for, because a graph may have many."""

    def __init__(self, value: Value) -> None:
        nodes = reverse_topological(value)[::-1]
        self.nodes = [node for node in nodes if type(node.data) is not tuple]
        self.places = {node: i for i, node in enumerate(self.nodes, 1)}
        self.names = names(nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, i: Any) -> Any:
        return [self._row(node) for node in self.nodes[i]] if isinstance(i, slice) else self._row(self.nodes[i])

    def _row(self, node: Value) -> TraceRow:
        line = line_of(node)
        return TraceRow(self.places[node], self.names.get(node, ""), self._operation(node), str(node.shape),
                        str(node.dtype), numbers(node.data), "—" if node.grad is None else numbers(node.grad),
                        "" if line is None else str(line), node)

    def _operation(self, node: Value) -> str:
        if node.op is None:
            return "input"
        if node.op is output:
            whole, i = node.args
            return f"{self._operation(whole)}[{i}]"
        if name_of(node.op) == "indexing":
            return f"{self._argument(node.args[0])}[{index_text(node.args[1])}]"
        settings = [f"{k}={v}" for k, v in node.kwargs.items() if v is not None and v is not False]
        return f"{name_of(node.op)}({', '.join([*map(self._argument, node.args), *settings])})"

    def _argument(self, x: Any) -> str:
        """A node by its name, where no other has that, and else by its row."""
        if isinstance(x, Value):
            name = self.names.get(x)
            return f"#{self.places[x]}" if name is None else f"{name} #{self.places[x]}"
        if isinstance(x, (list, tuple)):
            return f"[{', '.join(map(self._argument, x))}]" if isinstance(x, list) else (
                f"({', '.join(map(self._argument, x))}{',' * (len(x) == 1)})")
        if is_array(x):
            return f"{x.dtype}{list(x.shape)}"
        text = getattr(x, "__name__", None) or (f"{x:.4g}" if isinstance(x, (float, np.floating)) else str(x))
        return text if len(text) <= 30 else text[:29] + "…"


@dataclass(frozen=True, repr=False, eq=False)
class TraceTable:
    """What ``trace_table`` gives: it prints as a table, and shows itself as one in a notebook.

    Attributes:
        rows: a sequence of ``TraceRow``, one for each node.
    """

    rows: Sequence[TraceRow]

    def _shown(self) -> tuple[list[TraceRow], str]:
        """The rows that are shown, and what there is to say after the first of them."""
        n = len(self.rows)
        if n <= _MOST:
            return list(self.rows), ""
        return [*self.rows[:_FIRST], *self.rows[n - _LAST:]], f"… {n - _FIRST - _LAST:,} more"

    def __str__(self) -> str:
        rows, more = self._shown()
        lines = table(_HEADER, [(f"#{row.row}", *map(printable, row[1:-1])) for row in rows]).split("\n")
        return "\n".join([*lines[: _FIRST + 1], more, *lines[_FIRST + 1:]] if more else lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows, more = self._shown()
        lines = ["".join(f"<th>{name}</th>" for name in _HEADER)]
        for i, row in enumerate(rows):
            if more and i == _FIRST:
                lines.append(f'<td colspan="{len(_HEADER)}">{more}</td>')
            cells = [f"#{row.row}", *map(printable, row[1:-1])]
            lines.append("".join(f"<td>{in_red(cell) if name in ('value', 'gradient') else html.escape(cell)}</td>"
                                 for name, cell in zip(_HEADER, cells, strict=True)))
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def trace_table(value: Any) -> TraceTable:
    """The nodes of a graph, in the order in which they were computed, as a table.

    A row says the name (see ``draw``), the operation with its arguments, each by its name and row, what the node holds,
    its ``.grad`` ("—" where none has been computed), and the user's line. NaN and infinities have an exclamation mark.
    Of a long graph the first and last rows are shown; ``.rows`` has all.

    Raises ``TypeError`` for anything but a Value.

    >>> x = Value(3.0, name="x")
    >>> y = np.exp(x) * 2
    >>> for row in trace_table(y).rows:
    ...     print(row.row, row.operation, row.value, row.gradient)
    1 input 3 —
    2 np.exp(x #1) 20.09 —
    3 np.multiply(#2, 2) 40.17 —
    """
    return TraceTable(_Rows(checked("trace_table", value)))
