"""The numbers a Value holds: how data is brought into its form, shown, and divided as NumPy divides."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_data", "divide", "is_numeric", "like_number", "power", "show"]


def as_data(data: Any) -> Any:
    """A copy of ``data`` as a Value holds it: a Python float, a NumPy scalar of another dtype, or an array of floats.

    >>> as_data(3), as_data([1, 2])
    (3.0, array([1., 2.]))
    """
    if type(data) is float:
        return data
    if isinstance(data, (bool, int, np.bool_, np.integer, np.float64)):
        return float(data)
    if isinstance(data, (np.floating, np.complexfloating)):
        return data
    if isinstance(data, complex):
        return np.complex128(data)
    if isinstance(data, (list, tuple)):
        data = np.array(data)
    if np.ma.isMaskedArray(data):
        raise TypeError("data is a masked array: write np.where(mask, 0, a) and mask the cost instead")
    kind = getattr(getattr(data, "dtype", None), "kind", None)
    if kind is None or kind not in "biufc" or not hasattr(data, "__array_function__"):
        got = f"an array of dtype {data.dtype}" if kind else f"{type(data).__name__} {data!r:.60}"
        raise TypeError(f"data: expected a number or a numeric array, got {got}")
    if not isinstance(data, np.ndarray):
        return data.astype(float) if kind in "biu" else data.copy()
    data = np.array(data, dtype=float if kind in "biu" else data.dtype)
    if data.ndim:
        return data
    return data.item() if data.dtype == float else data[()]


def is_numeric(x: Any) -> bool:
    """Whether ``x`` is a number, or an array or a Value of numbers."""
    return isinstance(x, (int, float, complex)) or getattr(getattr(x, "dtype", None), "kind", "O") in "biufc"


def like_number(g: Any, like: Any) -> Any:
    """``g``; as a Python number where ``like`` is one that is traced, and so has no type of Python's."""
    return like.like_number(g) if hasattr(like, "like_number") else g


def divide(a: Any, b: Any) -> Any:
    """``a / b``, also where Python's floats would raise: there inf or nan, with NumPy's warning."""
    try:
        return a / b
    except ZeroDivisionError:
        return float(np.divide(a, b))


def power(a: Any, b: Any) -> Any:
    """``a**b``, also where Python's floats would raise or turn complex: there inf or nan, with NumPy's warning."""
    try:
        y = a**b
    except (ZeroDivisionError, OverflowError):
        return float(np.power(float(a), float(b)))
    if type(y) is complex and complex not in (type(a), type(b)):
        return float(np.power(a, b))
    return y


def show(data: Any, prefix: str) -> str:
    """``data`` as ``repr`` shows it, with later lines of an array indented by the length of ``prefix``."""
    if isinstance(data, np.ndarray):
        return np.array2string(data, separator=", ", prefix=prefix)
    return str(data) if isinstance(data, np.generic) else repr(data)
