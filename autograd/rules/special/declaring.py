"""How the rules of special functions are declared beyond what NumPy's need: several results, and hidden ufuncs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...registry import rule

__all__ = ["called_by", "real_only", "several_rule"]


class _Probe:
    """Given to a Python function, finds out which ufunc that calls."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> np.ufunc:
        return ufunc


def called_by(function: Callable, *others: Any) -> Callable:
    """The ufunc that ``function`` calls: the one that a node records, where SciPy wraps it in a Python function."""
    return function(_Probe(), *others)


def several_rule(function: Callable, *slopes: Callable | None) -> None:
    """Declare an elementwise function with several results: ``slopes[i](y, *args)`` are those with respect to
    argument ``i``, one for each result."""
    rule(function, *[s and partial(_pulled, s) for s in slopes], jvps=[s and partial(_pushed, s) for s in slopes])


def _pulled(slopes: Callable, g: Any, y: Any, *args: Any) -> Any:
    return sum(part * slope for part, slope in zip(g, slopes(y, *args), strict=True))


def _pushed(slopes: Callable, g: Any, y: Any, *args: Any) -> tuple:
    return tuple(g * slope for slope in slopes(y, *args))


def real_only(name: str, z: Any) -> None:
    """Refuse complex numbers where a function is not analytic."""
    if np.iscomplexobj(z):
        raise TypeError(f"scipy.special.{name} of complex numbers has no derivative rule, because it is not analytic; "
                        "write it by the function without the scaling")
