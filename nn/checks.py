"""Checks of numbers that a user passes, each with the text of its error; and of states that are to be loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Value, check

__all__ = ["above_zero", "array", "at_least_zero", "below_one", "check_same", "floating_dtype", "floats", "is_traced",
           "number", "plain", "positive_integer", "settings"]


def positive_integer(who: str, name: str, n: int) -> int:
    """``n`` as an int, where it is an integer of at least 1; ``who`` and ``name`` say in an error whose and which."""
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 1:
        raise ValueError(f"{who}: {name} must be a positive integer, got {n!r}")
    return int(n)


def array(x: Any) -> Any:
    """``x``, where it has a shape, else the array that it stands for."""
    return x if hasattr(x, "shape") else np.asarray(x)


def floats(who: str, x: Any) -> Any:
    """``x`` as an array of floats, also where it is a list or holds integers, of which the unsigned wrap around."""
    x = array(x)
    if x.dtype.kind in "fc":
        return x
    if x.dtype.kind not in "biu":
        raise TypeError(f"{who}: expected an array of numbers, got one of dtype {x.dtype}")
    return x.astype(float)


def plain(x: Any) -> Any:
    """The array in a Value, also where its data is a Value of another transform; or ``x``."""
    while isinstance(x, Value):
        x = x.data
    return x


def at_least_zero(who: str, name: str, x: float) -> float:
    """``x``, where it is a finite number of at least 0."""
    def error(x: Any) -> ValueError:
        return ValueError(f"{who}: {name} must be a finite number of at least 0, got {x!r}")

    if is_traced(x):
        check((x >= 0) & (x < math.inf), error, x)
    elif not isinstance(x, (int, float, np.floating, np.integer)) or not 0 <= x < math.inf:
        raise error(x)
    return x


def is_traced(x: Any) -> bool:
    """Whether ``x`` stands, while a jitted function is traced, for what it will be at each call."""
    return hasattr(x, "checked")


def number(x: Any) -> Any:
    """``x`` as a Python float, also where it is traced."""
    return x.astype(float).of_numbers(()) if is_traced(x) else float(x)


def above_zero(who: str, name: str, x: float) -> float:
    """``x``, where it is a finite number above 0."""
    if not at_least_zero(who, name, x):
        raise ValueError(f"{who}: {name} must be above 0, got {x!r}")
    return x


def below_one(who: str, name: str, x: float) -> float:
    """``x``, where it is a number of at least 0 and less than 1."""
    if not isinstance(x, (int, float, np.floating, np.integer)) or not 0 <= x < 1:
        raise ValueError(f"{who}: {name} must be at least 0 and less than 1, got {x!r}")
    return x


def floating_dtype(who: str, dtype: Any) -> np.dtype:
    """``dtype`` as NumPy's, where it is one of floats: rounded to integers, initial weights would all be 0."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "fc":
        raise TypeError(f"{who}: dtype must be one of floats, such as float32, got {dtype}")
    return dtype


def settings(x: Any, *others: str) -> dict[str, Any]:
    """The numbers that an optimizer or schedule was made with: its public attributes, less ``others``."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(x).items()
            if k not in others and not k.startswith("_")}


def check_same(x: Any, state: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` unless ``state`` is that of a ``type(x)`` made with the settings ``mine``."""
    name = type(x).__name__
    if state.get("kind") != name:
        raise ValueError(f"{name}: the state is that of {state.get('kind')!r}")
    theirs = state.get("settings", {})
    differing = [k for k in mine if theirs.get(k) != mine[k]]
    if differing:
        raise ValueError(f"{name}: the state was made with "
                         + ", ".join(f"{k}={theirs.get(k)}, not {mine[k]}" for k in differing))
