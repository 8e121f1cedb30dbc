"""The methods that Values share with ``ndarray``: each is NumPy's function of that name."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

__all__ = ["ArrayMethods"]


class ArrayMethods:
    """What ``Value`` inherits; see ``numpy.ndarray`` for each method."""

    __slots__ = ()

    @property
    def T(self: Any) -> Any:
        return np.transpose(self)

    @property
    def mT(self: Any) -> Any:
        return np.swapaxes(self, -1, -2)

    @property
    def real(self: Any) -> Any:
        return np.real(self)

    @property
    def imag(self: Any) -> Any:
        return np.imag(self)

    def conj(self: Any) -> Any:
        return np.conj(self)

    conjugate = conj

    def copy(self: Any, order: Any = "C") -> Any:
        return +self

    @property
    def flat(self: Any) -> Any:
        return np.ravel(self)

    def sum(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.sum(self, axis=axis, **options)

    def mean(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.mean(self, axis=axis, **options)

    def max(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.max(self, axis=axis, **options)

    def min(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.min(self, axis=axis, **options)

    def prod(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.prod(self, axis=axis, **options)

    def var(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.var(self, axis=axis, **options)

    def std(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.std(self, axis=axis, **options)

    def all(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.all(self, axis=axis, **options)

    def any(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.any(self, axis=axis, **options)

    def argmax(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.argmax(self, axis=axis, **options)

    def argmin(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.argmin(self, axis=axis, **options)

    def argsort(self: Any, axis: Any = -1, **options: Any) -> Any:
        return np.argsort(self, axis=axis, **options)

    def argpartition(self: Any, kth: Any, axis: Any = -1, **options: Any) -> Any:
        return np.argpartition(self, kth, axis=axis, **options)

    def searchsorted(self: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
        return np.searchsorted(self, v, side=side, sorter=sorter)

    def nonzero(self: Any) -> Any:
        return np.nonzero(self)

    def round(self: Any, decimals: int = 0) -> Any:
        return np.round(self, decimals)

    def cumsum(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.cumsum(self, axis=axis, **options)

    def cumprod(self: Any, axis: Any = None, **options: Any) -> Any:
        return np.cumprod(self, axis=axis, **options)

    def trace(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **options: Any) -> Any:
        return np.trace(self, offset, axis1, axis2, **options)

    def diagonal(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return np.diagonal(self, offset, axis1, axis2)

    def take(self: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
        return np.take(self, indices, axis=axis, **options)

    def compress(self: Any, condition: Any, axis: Any = None) -> Any:
        return np.compress(condition, self, axis=axis)

    def repeat(self: Any, repeats: Any, axis: Any = None) -> Any:
        return np.repeat(self, repeats, axis=axis)

    def reshape(self: Any, *shape: Any, order: Any = "C") -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)

    def ravel(self: Any, order: Any = "C") -> Any:
        return np.ravel(self, order=order)

    flatten = ravel

    def transpose(self: Any, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self: Any, axis1: int, axis2: int) -> Any:
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self: Any, axis: Any = None) -> Any:
        return np.squeeze(self, axis=axis)

    def clip(self: Any, min: Any = None, max: Any = None) -> Any:
        return np.clip(self, min, max)

    def dot(self: Any, other: Any) -> Any:
        return np.dot(self, other)

    def sort(self: Any, *_: Any, **__: Any) -> NoReturn:
        raise _in_place("sort", "np.sort(v)")

    def partition(self: Any, *_: Any, **__: Any) -> NoReturn:
        raise _in_place("partition", "np.partition(v, kth)")

    def fill(self: Any, *_: Any) -> NoReturn:
        raise _in_place("fill", "np.full(v.shape, x)")

    def put(self: Any, *_: Any, **__: Any) -> NoReturn:
        raise _in_place("put", "np.where(mask, new, v)")

    def resize(self: Any, *_: Any, **__: Any) -> NoReturn:
        raise _in_place("resize", "np.resize(v, shape)")

    def tolist(self: Any) -> Any:
        return self.data.tolist() if hasattr(self.data, "tolist") else self.data

    def __mod__(self: Any, other: Any) -> Any:
        return np.remainder(self, other)

    def __rmod__(self: Any, other: Any) -> Any:
        return np.remainder(other, self)

    def __floordiv__(self: Any, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self: Any, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __divmod__(self: Any, other: Any) -> Any:
        return np.divmod(self, other)

    def __rdivmod__(self: Any, other: Any) -> Any:
        return np.divmod(other, self)


def _in_place(name: str, instead: str) -> TypeError:
    return TypeError(f"v.{name} changes an array in place, which a Value never is, because recorded operations hold "
                     f"its numbers: write {instead} for a new Value")
