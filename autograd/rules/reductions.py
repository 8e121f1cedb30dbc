"""Rules of reductions: sums, extremes, moments and products along axes.

Ties in ``max`` and ``min`` share the gradient equally; ``std`` of equal numbers has gradient 0; ``prod`` is right
where elements are zero.
"""

import math

import numpy as np

from ..registry import linear_rule, rule


def _axes(x, axis):
    """The reduced axes as non-negative numbers."""
    ndim = np.ndim(x)
    if axis is None or not ndim:
        return tuple(range(ndim))
    return tuple(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,)))


def expand(g, x, axis, keepdims):
    """``g`` with the reduced axes back, as axes of length 1, so that it broadcasts against ``x``."""
    if keepdims or axis is None:  # a number broadcasts as it is
        return g
    axes = _axes(x, axis)
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(np.shape(x))))


def _count(x, axis):
    return math.prod(np.shape(x)[i] for i in _axes(x, axis))


def _spread(g, x, axis, keepdims):
    return expand(g, x, axis, keepdims) + np.zeros_like(x)  # several times as fast as np.broadcast_to


linear_rule(np.sum, lambda g, y, a, axis=None, dtype=None, *, keepdims=False: _spread(g, a, axis, keepdims))
linear_rule(np.mean, lambda g, y, a, axis=None, dtype=None, *, keepdims=False:
            _spread(g / _count(a, axis), a, axis, keepdims))


def _extreme(g, y, a, axis=None, *, keepdims=False):
    chosen = (a == expand(y, a, axis, keepdims)) | np.isnan(a)
    share = expand(g, a, axis, keepdims) / np.sum(chosen, axis=axis, keepdims=True)
    return np.where(chosen, share, 0)


def _extreme_forward(g, y, a, axis=None, *, keepdims=False):
    chosen = (a == expand(y, a, axis, keepdims)) | np.isnan(a)
    return np.sum(np.where(chosen, g, 0), axis=axis, keepdims=keepdims) / np.sum(chosen, axis=axis, keepdims=keepdims)


for _function in (np.max, np.amax, np.min, np.amin):
    rule(_function, _extreme, jvps=[_extreme_forward])


def _var(g, y, a, axis=None, dtype=None, *, ddof=0, keepdims=False, correction=None):
    deviation = np.conj(a - np.mean(a, axis=axis, keepdims=True))
    freedom = _count(a, axis) - (ddof if correction is None else correction)
    return expand(g, a, axis, keepdims) * (np.divide(2, freedom) * deviation)


def _std(g, y, a, axis=None, dtype=None, *, ddof=0, keepdims=False, correction=None):
    # Where y is 0 the deviations are too, and so is the gradient.
    return _var(g / (2 * np.where(y == 0, 1, y)), y, a, axis, ddof=ddof, keepdims=keepdims, correction=correction)


def _var_forward(g, y, a, axis=None, dtype=None, *, ddof=0, keepdims=False, correction=None):
    deviation = np.conj(a - np.mean(a, axis=axis, keepdims=True))
    freedom = _count(a, axis) - (ddof if correction is None else correction)
    return np.sum(np.real(deviation * g), axis=axis, keepdims=keepdims) * np.divide(2, freedom)


def _std_forward(g, y, a, axis=None, dtype=None, *, ddof=0, keepdims=False, correction=None):
    moved = _var_forward(g, y, a, axis, ddof=ddof, keepdims=keepdims, correction=correction)
    return moved / (2 * np.where(y == 0, 1, y))


rule(np.var, _var, jvps=[_var_forward])
rule(np.std, _std, jvps=[_std_forward])


def _products_of_others(x):
    """For each element along the last axis the product of all the others, without a division, in O(n)."""
    n = np.shape(x)[-1]
    if n == 1:
        return np.ones_like(x)
    if n % 2:
        x = np.concatenate([x, np.ones_like(x[..., :1])], axis=-1)
    a, b = x[..., 0::2], x[..., 1::2]
    others = _products_of_others(a * b)
    both = np.stack([others * b, others * a], axis=-1)
    return np.reshape(both, np.shape(x))[..., :n]


def _others(a, axis):
    """For each element the product of all others along the axes."""
    shape, axes = np.shape(a), _axes(a, axis)
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    order = kept + axes
    count = _count(a, axis)
    if not count or not np.size(a):
        return np.zeros_like(a)
    rows = np.reshape(np.transpose(a, order), (*(shape[i] for i in kept), count))
    others = np.reshape(_products_of_others(rows), tuple(shape[i] for i in order))
    back = tuple(order.index(i) for i in range(len(shape)))
    return np.transpose(others, back)


rule(np.prod, lambda g, y, a, axis=None, dtype=None, *, keepdims=False: expand(g, a, axis, keepdims) * _others(a, axis),
     jvps=[lambda g, y, a, axis=None, dtype=None, *, keepdims=False:
           np.sum(g * _others(a, axis), axis=axis, keepdims=keepdims)])
