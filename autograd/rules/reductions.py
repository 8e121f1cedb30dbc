"""Rules of reductions: sums, extremes, moments and products along axes, with masks, and of those that skip nan.

Ties in ``max`` and ``min`` share the gradient equally, with ``initial`` too; ``std`` of equal numbers has gradient 0;
``prod`` is right where elements are zero. What a mask leaves out has gradient 0, whatever it is, and so has nan where
it is skipped.
"""

import functools
import math

import numpy as np

from ..registry import definition, nondifferentiable, rule


def axes_of(x, axis):
    """The reduced axes as non-negative numbers."""
    ndim = np.ndim(x)
    if axis is None or not ndim:
        return tuple(range(ndim))
    return tuple(i % ndim for i in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def expand(g, x, axis, keepdims):
    """``g`` with the reduced axes back, as axes of length 1, so that it broadcasts against ``x``."""
    if keepdims or axis is None:  # a number broadcasts as it is
        return g
    axes = axes_of(x, axis)
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(np.shape(x))))


def _count(x, axis):
    return math.prod(np.shape(x)[i] for i in axes_of(x, axis))


def _taken(x, axis, where, keepdims=True):
    """How many elements become one, for each where a mask says so; at least 1, because it is divided by."""
    if where is True:
        return max(_count(x, axis), 1)
    return np.maximum(np.sum(np.broadcast_to(where, np.shape(x)), axis=axis, keepdims=keepdims), 1)


def _spread(g, x, where):
    if where is True and type(x) is np.ndarray and (
            type(g) is float or (isinstance(g, (np.ndarray, np.floating)) and g.dtype is x.dtype)):
        return np.full_like(x, g)  # the usual case, in one pass over the memory
    zeros = np.zeros_like(x)
    return g + zeros if where is True else np.where(where, g, zeros)  # several times as fast as np.broadcast_to


def _masked(x, where):
    return x if where is True else np.where(where, x, 0)


# Sums


def _sum(g, y, a, axis=None, dtype=None, *, keepdims=False, initial=0, where=True):
    return _spread(expand(g, a, axis, keepdims), a, where)


def _sum_forward(g, y, a, axis=None, dtype=None, *, keepdims=False, initial=0, where=True):
    return np.sum(g, axis, dtype, keepdims=keepdims, where=where)


def _mean(g, y, a, axis=None, dtype=None, *, keepdims=False, where=True):
    return _spread(expand(g, a, axis, keepdims) / _taken(a, axis, where), a, where)


def _mean_forward(g, y, a, axis=None, dtype=None, *, keepdims=False, where=True):
    return np.sum(g, axis, dtype, keepdims=keepdims, where=where) / _taken(a, axis, where, keepdims)


# Extremes


def _chosen(y, a, axis, keepdims, initial, where):
    """Which elements are the extreme (any nan is), and how many, ``initial`` included if it is one too."""
    y = expand(y, a, axis, keepdims)
    chosen = (a == y) | np.isnan(a)
    if where is not True:
        chosen = chosen & where
    count = np.count_nonzero(chosen) if axis is None else np.sum(chosen, axis=axis, keepdims=True)
    if where is not True or initial is not None:
        count = np.maximum(count if initial is None else count + (y == initial), 1)
    return chosen, count


def _extreme(g, y, a, axis=None, *, keepdims=False, initial=None, where=True):
    chosen, count = _chosen(y, a, axis, keepdims, initial, where)
    return np.where(chosen, expand(g, a, axis, keepdims) / count, 0)


def _extreme_forward(g, y, a, axis=None, *, keepdims=False, initial=None, where=True):
    chosen, count = _chosen(y, a, axis, keepdims, initial, where)
    moved = np.sum(np.where(chosen, g, 0), axis=axis, keepdims=True) / count
    return np.reshape(moved, np.shape(y))


# Moments


def _slope(a, axis, dtype, where, ddof=0, mean=None, correction=None):
    """What the variance changes by with each element."""
    taken = _taken(a, axis, where)
    if mean is None:
        mean = np.sum(a, axis, dtype, keepdims=True, where=where) / taken
    deviation = np.conj(a - mean) if np.iscomplexobj(a) else a - mean
    freedom = taken - (ddof if correction is None else correction)
    if where is True:
        return deviation * float(np.divide(2, max(freedom, 0)))
    return _masked(deviation, where) * (2 / np.where(freedom > 0, freedom, np.inf))


def _var(g, y, a, axis=None, dtype=None, *, keepdims=False, where=True, **options):
    return _masked(expand(g, a, axis, keepdims) * _slope(a, axis, dtype, where, **options), where)


def _var_forward(g, y, a, axis=None, dtype=None, *, keepdims=False, where=True, **options):
    return np.sum(np.real(_slope(a, axis, dtype, where, **options) * g), axis=axis, keepdims=keepdims, where=where)


def _std(g, y, a, axis=None, dtype=None, **options):
    # Where y is 0 the deviations are too, and so is the gradient.
    return _var(g / (2 * np.where(y > 0, y, 1)), y, a, axis, dtype, **options)


def _std_forward(g, y, a, axis=None, dtype=None, **options):
    return _var_forward(g, y, a, axis, dtype, **options) / (2 * np.where(y > 0, y, 1))


# Products


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


def _others(a, axis, initial):
    """For each element the product of all others along the axes."""
    shape, axes = np.shape(a), axes_of(a, axis)
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    order = kept + axes
    count = _count(a, axis)
    if not count or not np.size(a):
        return np.zeros_like(a)
    rows = np.reshape(np.transpose(a, order), (*(shape[i] for i in kept), count))
    others = np.reshape(_products_of_others(rows), tuple(shape[i] for i in order))
    back = tuple(order.index(i) for i in range(len(shape)))
    return np.transpose(others, back) if initial is None else np.transpose(others, back) * initial


def _prod(g, y, a, axis=None, dtype=None, *, keepdims=False, initial=None, where=True):
    others = _others(a if where is True else np.where(where, a, 1), axis, initial)
    return _masked(expand(g, a, axis, keepdims) * others, where)


def _prod_forward(g, y, a, axis=None, dtype=None, *, keepdims=False, initial=None, where=True):
    others = _others(a if where is True else np.where(where, a, 1), axis, initial)
    return np.sum(g * others, axis=axis, keepdims=keepdims, where=where)


def _skipping(formula):
    """The same rule for a function that leaves out nan, as a mask does."""

    @functools.wraps(formula)
    def skipping(g, y, a, *args, where=True, **kwargs):
        return formula(g, y, a, *args, where=np.logical_and(where, ~np.isnan(a)), **kwargs)

    return skipping


for _function, _nan_function, _vjp, _jvp in [
    (np.sum, np.nansum, _sum, _sum_forward),
    (np.mean, np.nanmean, _mean, _mean_forward),
    (np.max, np.nanmax, _extreme, _extreme_forward),
    (np.min, np.nanmin, _extreme, _extreme_forward),
    (np.var, np.nanvar, _var, _var_forward),
    (np.std, np.nanstd, _std, _std_forward),
    (np.prod, np.nanprod, _prod, _prod_forward),
]:
    rule(_function, _vjp, jvps=[_jvp])
    rule(_nan_function, _skipping(_vjp), jvps=[_skipping(_jvp)])
for _function in (np.amax, np.amin):
    rule(_function, _extreme, jvps=[_extreme_forward])
definition(np.ptp, lambda a, axis=None, *, keepdims=False:
           np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims))
nondifferentiable(np.nanargmax, np.nanargmin)
