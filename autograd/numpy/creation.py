"""NumPy's functions that make arrays of lists and numbers, for lists and numbers that hold Values.

NumPy hands only calls on arrays to ``Value``; these look for Values themselves, and are NumPy's own without any.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..record import primitive
from ..registry import joining_rule
from ..value import Value, holds_value

__all__ = ["amax", "amin", "append", "array", "array_from_args", "asanyarray", "asarray", "asarray_chkfinite",
           "ascontiguousarray", "asfortranarray", "c_", "full", "full_like", "make_diagonal", "max", "mean", "min",
           "prod", "r_", "std", "sum", "var"]


@primitive
def _joined(items: Any) -> Any:
    return np.array(items)


joining_rule(_joined, lambda g, y, items: list(g))


def _array(A: Any) -> Any:
    """A Value of ``A``, which is one or holds some."""
    if isinstance(A, (list, tuple)) and holds_value(A):
        return _joined([_array(item) for item in A])
    return A


def array(A: Any, dtype: Any = None, *args: Any, ndmin: int = 0, **kwargs: Any) -> Any:
    """``numpy.array``, also of Values and of nested lists that hold some.

    >>> from autograd import grad
    >>> grad(lambda x: np.sum(array([x, x**2, 1.0])))(3.0)
    7.0
    """
    if not holds_value(A):
        return np.array(A, dtype, *args, ndmin=ndmin, **kwargs)
    A = _array(A)
    if dtype is not None:
        A = A.astype(dtype)
    return np.reshape(A, (1,) * (ndmin - A.ndim) + A.shape) if ndmin > np.ndim(A) else A


def _passing(function: Callable) -> Callable:
    """``function``, which gives back arrays as they are, and so Values."""

    def wrapper(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if holds_value(a):
            return array(a, dtype)
        return function(a, dtype, *args, **kwargs)

    wrapper.__name__ = wrapper.__qualname__ = function.__name__
    wrapper.__doc__ = f"``numpy.{function.__name__}``, also of Values and of nested lists that hold some."
    return wrapper


asarray = _passing(np.asarray)
asanyarray = _passing(np.asanyarray)
asarray_chkfinite = _passing(np.asarray_chkfinite)
ascontiguousarray = _passing(np.ascontiguousarray)
asfortranarray = _passing(np.asfortranarray)


def array_from_args(array_args: tuple, array_kwargs: dict, *args: Any) -> Any:
    """``array`` of a list of ``args``.

    >>> array_from_args((), {}, 1.0, 2.0)
    array([1., 2.])
    """
    return array(list(args), *array_args, **array_kwargs)


def full(shape: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.full``, also with a Value, or a list that holds some.

    >>> from autograd import grad
    >>> grad(lambda x: np.sum(full(3, x)))(2.0)
    3.0
    """
    if not holds_value(fill_value):
        return np.full(shape, fill_value, dtype, **kwargs)
    return np.broadcast_to(array(fill_value, dtype), shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *args: Any, shape: Any = None, **kwargs: Any) -> Any:
    """``numpy.full_like``, also with a Value, or a list that holds some.

    >>> from autograd import grad
    >>> grad(lambda x: np.sum(full_like(np.ones((2, 3)), x)))(2.0)
    6.0
    """
    if holds_value(fill_value):
        return full(np.shape(a) if shape is None else shape, fill_value, np.result_type(a) if dtype is None else dtype)
    return np.full_like(a.data if isinstance(a, Value) else a, fill_value, dtype, *args, shape=shape, **kwargs)


def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """``numpy.append``, also of lists that hold Values.

    >>> append([1.0], [2.0, 3.0])
    array([1., 2., 3.])
    """
    arr, values = _array(arr), _array(values)
    if axis is None:
        arr, values, axis = np.ravel(arr), np.ravel(values), 0
    return np.concatenate([arr, values], axis=axis)


def make_diagonal(D: Any, offset: int = 0, axis1: int = -1, axis2: int = -2) -> Any:
    """Matrices with the last axis of ``D`` on their diagonals: the transpose of ``numpy.diagonal``.

    >>> make_diagonal(np.array([1.0, 2.0]))
    array([[1., 0.],
           [0., 2.]])
    """
    if (offset, axis1, axis2) != (0, -1, -2):
        raise TypeError("make_diagonal is for offset=0, axis1=-1, axis2=-2")
    return np.expand_dims(D, -1) * np.eye(np.shape(D)[-1])


def of_lists(function: Callable) -> Callable[..., Any]:
    """``function`` of NumPy's, with a list that holds Values for its array as well.

    >>> from autograd import grad
    >>> grad(lambda x: of_lists(np.sum)([x, 2 * x]))(1.0)
    3.0
    """

    @functools.wraps(function)
    def wrapper(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(_array(a) if isinstance(a, (list, tuple)) else a, *args, **kwargs)

    return wrapper


sum = of_lists(np.sum)
prod = of_lists(np.prod)
mean = of_lists(np.mean)
std = of_lists(np.std)
var = of_lists(np.var)
max = of_lists(np.max)
amax = of_lists(np.amax)
min = of_lists(np.min)
amin = of_lists(np.amin)


class _Joiner:
    """``np.r_`` and ``np.c_``, also of Values."""

    def __init__(self, joiner: Any, axis: int, column: bool) -> None:
        self._joiner, self._axis, self._column = joiner, axis, column

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not holds_value(parts):
            return self._joiner[key]
        if isinstance(parts[0], str):
            raise TypeError(f"np.r_[{parts[0]!r}, ...] of Values: write np.concatenate or np.stack with its axis")
        arrays = [_array(part) if holds_value(part) else np.r_[part] for part in parts]
        if self._column:
            arrays = [np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for a in arrays]
        return np.concatenate([np.reshape(a, (1,)) if not np.ndim(a) else a for a in arrays], axis=self._axis)


r_ = _Joiner(np.r_, 0, False)
c_ = _Joiner(np.c_, -1, True)
