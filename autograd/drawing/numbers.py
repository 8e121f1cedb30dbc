"""What the text views say of numbers: one, or the range of an array's; and where the gradients of a graph come from."""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backward import reverse_pass
from ..linearize import ones
from ..value import Value

__all__ = ["RED", "checked", "gradients", "in_red", "is_array", "numbers", "printable"]

RED = "#CC0000"


def checked(function: str, value: Any) -> Value:
    """The Value that a view is asked for; ``TypeError`` for anything else."""
    if not isinstance(value, Value):
        raise TypeError(f"{function}: expected a Value, such as a cost computed from Values, got "
                        f"{type(value).__name__} {value!r:.60}")
    return value


def is_array(x: Any) -> bool:
    """Whether ``x`` is an array of numbers with at least one axis."""
    return isinstance(getattr(x, "shape", None), tuple) and x.shape != () and x.dtype.kind in "biufc"


def numbers(x: Any) -> str:
    """A number in four digits, or the range of an array's; NaN and infinities have an exclamation mark.

    >>> numbers(0.25), numbers(np.array([3.0, np.nan, -1.0])), numbers(float("inf"))
    ('0.25', '-1 … 3, 1 nan!', 'inf!')
    """
    if not getattr(x, "shape", ()):
        return f"{x:.4g}" if np.isfinite(x) else f"{x:.4g}!"
    if not x.size:
        return "empty"
    kind, x = ("|z| ", np.abs(x)) if np.iscomplexobj(x) else ("", x)
    kept = x[np.isfinite(x)]
    least, most = (kept.min(), kept.max()) if kept.size else (0, 0)
    parts = [kind + (f"{least:.4g}" if least == most else f"{least:.4g} … {most:.4g}")] if kept.size else []
    nans = int(np.isnan(x).sum())
    odd = {"nan!": nans, "inf!": x.size - kept.size - nans}
    return ", ".join([*parts, *(f"{n:,} {what}" for what, n in odd.items() if n)])


def in_red(text: str) -> str:
    """Text as HTML, with NaN and infinities in red."""
    return re.sub(r"(?:\d[\d,]* |[-−])?\b(?:nan|inf)!", rf'<b style="color:{RED}">\g<0></b>', html.escape(text))


def printable(text: str) -> str:
    """Text on one line, whatever characters are in it.

    >>> printable("σ\\n\\t")
    'σ\\\\n\\\\t'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def gradients(value: Value, nodes: list[Value]) -> Iterator[tuple[Value, Any]]:
    """Each node that the reverse pass reaches, with its gradient; no ``.grad`` is changed.

    Of an array it is that of the sum of its elements.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from reverse_pass(nodes, {value: ones(value)})
