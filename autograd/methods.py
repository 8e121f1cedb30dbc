"""The methods that Values share with ``ndarray``: each is NumPy's function of that name."""

from __future__ import annotations

from typing import Any

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

    def copy(self: Any) -> Any:
        return +self

    def sum(self: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.mean(self, axis=axis, keepdims=keepdims)

    def max(self: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.min(self, axis=axis, keepdims=keepdims)

    def prod(self: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.prod(self, axis=axis, keepdims=keepdims)

    def var(self: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def all(self: Any, axis: Any = None) -> Any:
        return np.all(self, axis=axis)

    def any(self: Any, axis: Any = None) -> Any:
        return np.any(self, axis=axis)

    def argmax(self: Any, axis: Any = None) -> Any:
        return np.argmax(self, axis=axis)

    def argmin(self: Any, axis: Any = None) -> Any:
        return np.argmin(self, axis=axis)

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
