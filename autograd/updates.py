"""Arrays with some elements changed: ``v.at[i].set(x)`` and its like give a new Value where NumPy would assign."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numerics import is_numeric
from .record import plain_index, primitive, stacked
from .registry import definition, rule
from .value import Value

__all__ = ["at_add", "at_max", "at_min", "at_multiply", "at_set"]


@primitive
def at_set(a: Any, index: Any, x: Any) -> Any:
    """A copy of the array ``a`` after ``a[index] = x``; of what is written to one place, the last stays."""
    y = a.copy()
    y[index] = x
    return y


@primitive
def at_add(a: Any, index: Any, x: Any) -> Any:
    """A copy of the array ``a`` after ``np.add.at(a, index, x)``: all that comes to one place adds up."""
    return _changed(np.add, a, index, x)


@primitive
def at_multiply(a: Any, index: Any, x: Any) -> Any:
    """A copy of the array ``a`` after ``np.multiply.at(a, index, x)``."""
    return _changed(np.multiply, a, index, x)


@primitive
def at_max(a: Any, index: Any, x: Any) -> Any:
    """A copy of the array ``a`` after ``np.maximum.at(a, index, x)``; equal ones share the gradient equally."""
    return _changed(np.maximum, a, index, x)


@primitive
def at_min(a: Any, index: Any, x: Any) -> Any:
    """A copy of the array ``a`` after ``np.minimum.at(a, index, x)``; equal ones share the gradient equally."""
    return _changed(np.minimum, a, index, x)


def _changed(ufunc: np.ufunc, a: Any, index: Any, x: Any) -> Any:
    y = a.copy()
    part = y[index]
    if getattr(part, "base", None) is y:  # a view holds no element twice, and is the faster way
        ufunc(part, x, out=part, casting="same_kind")
    else:
        with np.errstate(invalid="ignore" if ufunc in (np.maximum, np.minimum) else None):  # of nan only their at warns
            ufunc.at(y, index, x)
    return y


def _set_x(g: Any, y: Any, a: Any, index: Any, x: Any) -> Any:
    places = np.empty_like(a, dtype=int)
    written = places[index]
    if getattr(written, "base", None) is places:  # a view: each element is written once
        return g[index]
    order = np.reshape(np.arange(np.size(written)), np.shape(written))
    places[index] = order
    return np.where(places[index] == order, g[index], 0)


rule(at_set, lambda g, y, a, index, x: at_set(g, index, 0), None, _set_x,
     jvps=[lambda g, y, a, index, x: at_set(g, index, 0), None,
           lambda g, y, a, index, x: at_set(np.zeros_like(a), index, g)])
rule(at_add, lambda g, y, a, index, x: g, None, lambda g, y, a, index, x: g[index],
     jvps=[lambda g, y, a, index, x: g, None, lambda g, y, a, index, x: at_add(np.zeros_like(a), index, g)])


def _multiplied(a: Any, index: Any, x: Any) -> Any:
    """``at_multiply`` by ``at_set``: the factors that come to one place are multiplied first, in pairs."""
    places = np.reshape(np.arange(np.size(a)), np.shape(a))[index]
    x = np.ravel(np.broadcast_to(x, np.shape(places)))
    order = np.argsort(places, axis=None, kind="stable")
    x, places = x[order], np.ravel(places)[order]
    while True:
        first = np.flatnonzero(np.diff(places, prepend=-1))
        if len(first) == len(places):
            break
        odd = (np.arange(len(places)) - np.repeat(first, np.diff(first, append=len(places)))) % 2 == 1
        second = np.flatnonzero(odd)
        x = at_set(x, second - 1, x[second - 1] * x[second])[~odd]
        places = places[~odd]
    flat = np.ravel(a)
    return np.reshape(at_set(flat, places, flat[places] * x), np.shape(a))


definition(at_multiply, _multiplied)


def _chosen(y: Any, a: Any, index: Any, x: Any) -> tuple[Any, Any, Any]:
    """Which elements of ``a`` and of ``x`` an extreme is equal to, and how many that are at each place."""
    kept, came = (a == y) | np.isnan(a), (x == y[index]) | np.isnan(x)
    return kept, came, at_add(np.where(kept, 1.0, 0.0), index, np.where(came, 1.0, 0.0))


def _extreme_a(g: Any, y: Any, a: Any, index: Any, x: Any) -> Any:
    kept, _, count = _chosen(y, a, index, x)
    return np.where(kept, g / count, 0)


def _extreme_x(g: Any, y: Any, a: Any, index: Any, x: Any) -> Any:
    _, came, count = _chosen(y, a, index, x)
    return np.where(came, (g / count)[index], 0)


def _extreme_x_forward(g: Any, y: Any, a: Any, index: Any, x: Any) -> Any:
    _, came, count = _chosen(y, a, index, x)
    return at_add(np.zeros_like(y), index, np.where(came, g, 0)) / count


for _extreme in (at_max, at_min):
    rule(_extreme, _extreme_a, None, _extreme_x, jvps=[_extreme_a, None, _extreme_x_forward])


class At:
    """What ``v.at`` gives: ``v.at[index]`` names the elements to change.

    The methods of ``v.at[index]`` return a new Value after ``v[index] = x`` (``set``), ``v[index] += x`` (``add``) or
    ``v[index] *= x`` (``multiply``), or with the larger (``max``) or smaller (``min``) of the two. They take any index
    of NumPy's, and for ``x`` a Value, an array or a number that broadcasts to the shape of ``v[index]``. Where an
    index repeats, the last ``set`` wins, and all others are done one after the other. For an array ``a`` and a Value
    ``x``, write ``Value(a).at[index].set(x)``.

    Raises ``TypeError`` for a scalar Value, for an ``x`` that is not numeric and for a complex one in a real Value,
    ``ValueError`` for an ``x`` of a shape that does not fit, and ``IndexError`` as NumPy does.

    >>> v = Value([1.0, 2.0, 3.0])
    >>> v.at[0].set(5.0), v.at[[1, 1]].add(v[:2])
    (Value(data=[5., 2., 3.], grad=None), Value(data=[1., 5., 3.], grad=None))
    """

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        if not value.shape:
            raise TypeError("a scalar Value has no elements to change with .at: compute a new one, such as v + x")
        self.value = value

    def __getitem__(self, index: Any) -> Elements:
        return Elements(self.value, plain_index(index))


class Elements:
    """Elements of a Value, to be changed in a copy; see ``At``."""

    __slots__ = ("index", "value")

    def __init__(self, value: Value, index: Any) -> None:
        self.value, self.index = value, index

    def set(self, x: Any) -> Value:
        return at_set(self.value, self.index, self._fitting(x))

    def add(self, x: Any) -> Value:
        return at_add(self.value, self.index, self._fitting(x))

    def multiply(self, x: Any) -> Value:
        return at_multiply(self.value, self.index, self._fitting(x))

    def max(self, x: Any) -> Value:
        return at_max(self.value, self.index, self._fitting(x))

    def min(self, x: Any) -> Value:
        return at_min(self.value, self.index, self._fitting(x))

    def _fitting(self, x: Any) -> Any:
        """``x`` as a number, or an array of the dtype of the Value, which broadcasts to the elements."""
        x = stacked(x)
        x = np.asarray(x) if isinstance(x, (list, tuple)) else x
        if not is_numeric(x) or np.ma.isMaskedArray(x):
            raise TypeError(f"at[...]: expected numbers, got {type(x).__name__} {x!r:.60}")
        dtype = self.value.dtype
        if np.iscomplexobj(x) and dtype.kind != "c":
            raise TypeError(f"at[...]: complex numbers do not fit into a Value of {dtype}: write "
                            "v.astype(complex).at[...]")
        shape = np.broadcast_to(False, self.value.shape)[self.index].shape
        try:
            np.broadcast_to(np.broadcast_to(False, np.shape(x)), shape)
        except ValueError:
            raise ValueError(f"at[...]: expected numbers that broadcast to the shape {shape} of the elements, got the "
                             f"shape {np.shape(x)}") from None
        return x.astype(dtype) if getattr(x, "dtype", dtype) != dtype else x


Value.at = property(At)
