"""How reports say things: what an array holds, which of its elements, which operation, and tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .record import output
from .registry import name_of
from .value import Value

__all__ = ["Range", "Report", "count", "elements", "html_table", "indices", "number", "operation", "range_of", "table"]


class Report:
    """What prints as its text, also at a prompt, and shows as the same in a notebook."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True)
class Range:
    """What an array holds: its shape and dtype, its smallest and largest finite number, and how many special ones.

    Of complex numbers, the absolute values count. ``low`` and ``high`` are ``None`` where no number is finite.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float | None
    high: float | None
    zeros: int
    nans: int
    infinities: int

    def __str__(self) -> str:
        if not self.shape:
            single = "nan" if self.nans else "inf" if self.infinities else number(self.low)
            return single if self.dtype in ("float64", "int64", "bool") else f"{single} {self.dtype}"
        kind = f"{self.shape} {self.dtype}"
        if 0 in self.shape:
            return f"{kind}, empty"
        finite = [] if self.low is None else [f"{number(self.low)} … {number(self.high)}"]
        special = [count(self.zeros, "zero")] * (self.zeros > 0) + [
            f"{n} {what}" for n, what in ((self.nans, "nan"), (self.infinities, "inf")) if n]
        return ", ".join([kind, *finite, *special])


def range_of(x: Any) -> Range:
    """What ``x``, a number, an array or a Value, holds.

    >>> print(range_of(np.array([0.0, 2.5, np.nan])))
    (3,) float64, 0 … 2.5, 1 zero, 1 nan
    """
    x = np.asarray(x.data if isinstance(x, Value) else x)
    finite = np.isfinite(x)
    kept = np.abs(x[finite]) if x.dtype.kind == "c" else x[finite]
    low, high = (float(kept.min()), float(kept.max())) if kept.size else (None, None)
    nans = int(np.isnan(x).sum())
    return Range(x.shape, str(x.dtype), low, high, int((x == 0).sum()), nans, int((~finite).sum()) - nans)


def number(x: Any) -> str:
    """A number in a few digits.

    >>> number(0.25), number(1e-300), number(None)
    ('0.25', '1e-300', '-')
    """
    return "-" if x is None else f"{x:.4g}"


def count(n: int, what: str) -> str:
    """``n`` of something, in the singular or the plural.

    >>> count(1, "element"), count(2, "element")
    ('1 element', '2 elements')
    """
    return f"{n} {what}{'' if n == 1 else 's'}"


def indices(mask: Any) -> list[tuple[int, ...]]:
    """Where a mask holds, as indices; the empty one for a number."""
    mask = np.asarray(mask)
    return [tuple(map(int, i)) for i in np.argwhere(mask)] if mask.ndim else [()] * bool(mask)


def elements(mask: Any, most: int = 3) -> str:
    """Which elements of an array a mask chooses, the first few by index; nothing of a number.

    >>> elements(np.array([True, False, True])), elements(np.ones(9, bool), most=2), elements(True)
    ('[0], [2] (2 of 3 elements)', '[0], [1], … (9 of 9 elements)', '')
    """
    mask = np.asarray(mask)
    if not mask.ndim:
        return ""
    chosen = int(mask.sum())
    first = [f"[{', '.join(map(str, np.unravel_index(i, mask.shape)))}]" for i in np.flatnonzero(mask)[:most]]
    return f"{', '.join(first)}{', …' * (chosen > most)} ({chosen} of {count(mask.size, 'element')})"


def operation(node: Value) -> str:
    """The function that made a node, for one of several results that which gave all; of a leaf, what it is called.

    >>> x = Value(0.0, name="x")
    >>> operation(np.exp(x)), operation(x)
    ('np.exp', 'x')
    """
    if node.op is output:
        node = node.args[0]
    return name_of(node.op) if node.op is not None else node.name or "an unnamed Value"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows in aligned columns, the first column and all others with words to the left and numbers to the right.

    >>> print(table(["operation", "size"], [["np.exp", "1.5"], ["np.log", "12"]]))
    operation  size
    np.exp      1.5
    np.log       12
    """
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [i > 0 and all(cell[:1] in "0123456789-+." or cell in ("nan", "inf") for cell in column[1:])
             for i, column in enumerate(columns)]
    return "\n".join("  ".join(cell.rjust(w) if to_right else cell.ljust(w) for cell, w, to_right in zip(
        row, widths, right, strict=True)).rstrip() for row in lines)


def html_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The same for a notebook."""
    cells = [f"<tr>{''.join(f'<{tag}>{html.escape(str(c))}</{tag}>' for c in row)}</tr>"
             for tag, row in [("th", header), *(("td", row) for row in rows)]]
    return f"<table>{''.join(cells)}</table>"
