"""Definitions of the norms of np.linalg: the gradient of a norm is 0 at 0, and ties share it equally."""

from typing import Any

import numpy as np

from ..record import primitive
from ..registry import definition, rule


@primitive
def length(x, axis):
    """The Euclidean norm along any axes, which stay as axes of length 1."""
    return np.linalg.vector_norm(x, axis=axis, keepdims=True)


def _over(g, y):
    return np.where(y == 0, 0, g / np.where(y == 0, 1, y))


rule(length, lambda g, y, x, axis: _over(g, y) * np.conj(x),
     jvps=[lambda g, y, x, axis: _over(np.sum(np.real(np.conj(x) * g), axis=axis, keepdims=True), y)])


def _vector_norm(x, /, *, axis: Any = None, keepdims=False, ord: Any = 2):
    if not np.size(x) or ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if ord is None or ord == 2:
        y = length(x, axis)
    elif ord == np.inf:
        y = np.max(np.abs(x), axis=axis, keepdims=True)
    elif ord == -np.inf:
        y = np.min(np.abs(x), axis=axis, keepdims=True)
    elif ord == 0:
        y = np.sum(x != 0, axis=axis, keepdims=True)
    else:  # at 0, where a power has no slope or an infinite one, the gradient is 0
        zero = x == 0
        powers = np.where(zero, 0 if ord > 0 else np.inf, np.abs(np.where(zero, 1, x)) ** ord)
        total = np.sum(powers, axis=axis, keepdims=True)
        defined = (total != 0) & (total != np.inf)
        y = np.where(defined, np.where(defined, total, 1) ** (1 / ord), 0)
    return y if keepdims else np.squeeze(y, axis)


def _matrix_norm(x, /, *, axis=(-2, -1), keepdims=False, ord: Any = "fro"):
    if not np.size(x):
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if ord in (None, "fro", "f"):
        return _vector_norm(x, axis=axis, keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        s = np.abs(np.linalg.svd(np.moveaxis(x, axis, (-2, -1)), compute_uv=False))  # |s|'(0) = 0
        y = (np.sum if ord == "nuc" else np.max if ord > 0 else np.min)(s, axis=-1)
        return np.expand_dims(y, axis) if keepdims else y
    summed, chosen = axis if abs(ord) == 1 else axis[::-1]
    sums = np.sum(np.abs(x), axis=summed, keepdims=True)
    y = (np.max if ord > 0 else np.min)(sums, axis=chosen, keepdims=True)
    return y if keepdims else np.squeeze(y, axis)


def _norm(x, ord=None, axis: Any = None, keepdims=False):
    if axis is None and ord is not None:
        axis = tuple(range(np.ndim(x)))
    if isinstance(axis, tuple) and len(axis) == 2:
        return _matrix_norm(x, axis=axis, keepdims=keepdims, ord=ord)
    return _vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _cond(x, p=None):
    if p in (None, 2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        largest, smallest = np.max(s, axis=-1), np.min(s, axis=-1)  # where they are equal, the gradient is 0
        return smallest / largest if p == -2 else largest / smallest
    return _matrix_norm(x, ord=p) * _matrix_norm(np.linalg.inv(x), ord=p)


definition(np.linalg.norm, _norm)
definition(np.linalg.vector_norm, _vector_norm)
definition(np.linalg.matrix_norm, lambda x, /, *, keepdims=False, ord="fro": _matrix_norm(
    x, keepdims=keepdims, ord=ord))
definition(np.linalg.cond, _cond)
