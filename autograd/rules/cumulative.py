"""Rules of functions that run along an axis: cumulative sums and products, and a user's function of each row.

``cumprod`` is right where elements are zero, and in O(n).
"""

import math

import numpy as np

from ..record import primitive
from ..registry import definition, linear_rule, rule


def _cumsum(g, y, a, axis=None, dtype=None):
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis), np.shape(a))


linear_rule(np.cumsum, _cumsum)


@primitive
def recurrence(a, b):
    """The ``s`` with ``s[i] = a[i] * s[i - 1] + b[i]`` along the last axis, starting from 0, in O(n).

    Two steps are one step of a recurrence of half the length; nothing is divided by.
    """
    if np.shape(b)[-1] < 2:
        return b
    s = np.empty_like(b, dtype=np.result_type(a, b))
    first, second = np.s_[..., 0:np.shape(b)[-1] - 1:2], np.s_[..., 1::2]
    s[second] = recurrence(a[second] * a[first], a[second] * b[first] + b[second])
    s[..., 0], later = b[..., 0], np.s_[..., 2::2]
    s[later] = a[later] * s[..., 1:-1:2] + b[later]
    return s


def _shifted(x, start_like=np.zeros_like):
    """Each element's predecessor along the last axis."""
    return np.concatenate([start_like(x[..., :1]), x[..., :-1]], axis=-1)


def _backwards(g, a):
    """The transpose of the recurrence as a function of ``b``: the recurrence from the other end."""
    return np.flip(recurrence(_shifted(np.flip(a, -1)), np.flip(g, -1)), -1)


rule(recurrence, lambda g, y, a, b: _backwards(g, a) * _shifted(y), lambda g, y, a, b: _backwards(g, a),
     jvps=[lambda g, y, a, b: recurrence(a, g * _shifted(y)), lambda g, y, a, b: recurrence(a, g)])


def _rows(x, axis):
    return np.ravel(x) if axis is None or not np.ndim(x) else np.moveaxis(x, axis, -1)


def _unrows(rows, axis, shape):
    return np.reshape(np.moveaxis(rows, -1, -1 if axis is None else axis), shape)


def _cumprod(g, y, a, axis=None, dtype=None):
    back = _backwards(_rows(g, axis), _rows(a, axis)) * _shifted(_rows(y, axis), np.ones_like)
    return _unrows(back, axis, np.shape(a))


def _cumprod_forward(g, y, a, axis=None, dtype=None):
    moved = recurrence(_rows(a, axis), _rows(g, axis) * _shifted(_rows(y, axis), np.ones_like))
    return _unrows(moved, axis, np.shape(y))


rule(np.cumprod, _cumprod, jvps=[_cumprod_forward])
definition(np.nancumsum, lambda a, axis=None, dtype=None: np.cumsum(np.where(np.isnan(a), 0, a), axis, dtype))
definition(np.nancumprod, lambda a, axis=None, dtype=None: np.cumprod(np.where(np.isnan(a), 1, a), axis, dtype))


def _with_initial(cumulate, start):
    def formula(x, /, *, axis=None, dtype=None, include_initial=False):
        y = cumulate(x, axis, dtype)
        if not include_initial:
            return y
        axis = 0 if axis is None else axis
        first = np.full([1 if i == axis % np.ndim(y) else n for i, n in enumerate(np.shape(y))], start)
        return np.concatenate([first.astype(np.result_type(y)), y], axis=axis)

    return formula


definition(np.cumulative_sum, _with_initial(np.cumsum, 0))
definition(np.cumulative_prod, _with_initial(np.cumprod, 1))


def _apply_along_axis(func1d, axis, arr, *args, **kwargs):
    rows = np.moveaxis(arr, axis, -1)
    *outer, n = np.shape(rows)
    if not math.prod(outer):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = np.stack([func1d(row, *args, **kwargs) for row in np.reshape(rows, (math.prod(outer), n))])
    inner = np.shape(results)[1:]
    places = range(axis % np.ndim(arr), axis % np.ndim(arr) + len(inner))
    return np.moveaxis(np.reshape(results, (*outer, *inner)), range(len(outer), len(outer) + len(inner)), places)


def _apply_over_axes(func, a, axes):
    for axis in np.ravel(axes).tolist():
        axis %= np.ndim(a)
        y = func(a, axis)
        a = y if np.ndim(y) == np.ndim(a) else np.expand_dims(y, axis)
    return a


definition(np.apply_along_axis, _apply_along_axis, expands=True)
definition(np.apply_over_axes, _apply_over_axes, expands=True)
