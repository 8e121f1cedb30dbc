"""Definitions of medians and quantiles: between two neighbours in sorted order, where equal elements share.

With respect to ``q`` there is a derivative where the method is continuous; at an element it is the one to the right.
"""

import math
from functools import partial

import numpy as np

from ..record import primitive
from ..registry import definition, linear_rule
from ..value import holds_value
from .reductions import axes_of
from .statistics import weights_along


def _hyndman_fan(alpha, beta, n, q):
    return n * q + (alpha + q * (1 - alpha - beta)) - 1


def _closest_observation(n, q):
    place = np.floor(n * q - 1.5)
    return place + 1 - ((place == n * q - 1.5) & (place % 2 == 1)), 0


# Where among n sorted elements, counted from 0, the quantile lies
CONTINUOUS = {
    "linear": lambda n, q: (n - 1) * q,
    "interpolated_inverted_cdf": partial(_hyndman_fan, 0, 1),
    "hazen": partial(_hyndman_fan, 0.5, 0.5),
    "weibull": partial(_hyndman_fan, 0, 0),
    "median_unbiased": partial(_hyndman_fan, 1 / 3, 1 / 3),
    "normal_unbiased": partial(_hyndman_fan, 3 / 8, 3 / 8),
}
# Which element it is, and how much of the next is mixed in
STEPS = {
    "lower": lambda n, q: (np.floor((n - 1) * q), 0),
    "higher": lambda n, q: (np.ceil((n - 1) * q), 0),
    "nearest": lambda n, q: (np.round((n - 1) * q), 0),
    "midpoint": lambda n, q: (np.floor((n - 1) * q), np.where((n - 1) * q % 1 == 0, 0, 0.5)),
    "inverted_cdf": lambda n, q: (np.ceil(n * q - 1), 0),
    "averaged_inverted_cdf": lambda n, q: (np.floor(n * q - 1), np.where((n * q - 1) % 1 == 0, 0.5, 1)),
    "closest_observation": _closest_observation,
}


@primitive
def _shared(x, counts):
    """``x``, of which runs of ``counts`` elements are replaced by their mean: what shares gradients."""
    sums = np.add.reduceat(np.ravel(x), np.cumsum(counts) - counts)
    return np.reshape(np.repeat(sums / counts, counts), np.shape(x))


linear_rule(_shared, lambda g, y, x, counts: _shared(g, counts))


def _quantile(skips, a, q, axis=None, *, method="linear", keepdims=False, weights=None, overwrite_input=False):
    axes = axes_of(a, axis)
    kept = tuple(i for i in range(np.ndim(a)) if i not in axes)
    shape = tuple((1 if i in axes else n) for i, n in enumerate(np.shape(a)) if keepdims or i in kept)
    if not np.size(a):
        return np.full(shape if skips else np.shape(q) + shape, np.nan)
    m, n = math.prod(np.shape(a)[i] for i in kept), math.prod(np.shape(a)[i] for i in axes)
    x, q_row, row = np.reshape(np.transpose(a, kept + axes), (m, n)), np.reshape(q, -1), np.arange(m)[:, None]
    if skips:
        n = np.sum(~np.isnan(x), axis=1, keepdims=True)
        x = np.where(n > 0, x, 0)
    order = np.argsort(x, axis=1)
    x = x[row, order]
    new = np.ones(np.shape(x), bool)
    new[:, 1:] = x[:, 1:] != x[:, :-1]
    x = _shared(x, np.diff(np.flatnonzero(new), append=np.size(x)))
    if weights is not None:
        weights = np.broadcast_to(weights_along(weights, a, axis), np.shape(a))
        weights = np.reshape(np.transpose(weights, kept + axes), np.shape(order))[row, order]
        total = np.cumsum(np.where(np.isnan(x), 0, weights), axis=1, dtype=float)[:, :, None]
        below = total / np.where(total[:, -1:] == 0, 1, total[:, -1:])
        place, share = np.sum((below < q_row) | (below == 0), axis=1), 0
    elif method in STEPS:
        place, share = STEPS[method](n, q_row)
    else:
        exact = CONTINUOUS[method](n, q_row)
        place = np.floor(exact)
        share = exact - place
    low, high = (np.clip(k, 0, np.maximum(n - 1, 0)).astype(int) for k in (place, place + 1))
    y = (1 - share) * x[row, low] + share * x[row, high]
    if skips:
        y = np.where(n > 0, y, np.nan)
    return np.reshape(np.transpose(y), np.shape(q) + shape)


def _median(skips, a, axis=None, *, overwrite_input=False, keepdims=False):
    return _quantile(skips, a, 0.5, axis, keepdims=keepdims)


def _percentile(skips, a, q, axis=None, **options):
    return _quantile(skips, a, np.true_divide(q, 100), axis, **options)


def _needs_slope(name, a, q, *_, method="linear", **__):
    if holds_value(q) and method in STEPS:
        raise TypeError(f"{name} with method={method!r} steps from element to element, and has no derivative with "
                        f"respect to q: pass q.data for a constant, or take a continuous method: "
                        f"{', '.join(CONTINUOUS)}")


for _prefix, _skips in (("", False), ("nan", True)):
    definition(getattr(np, f"{_prefix}median"), partial(_median, _skips))
    for _name, _formula in (("quantile", _quantile), ("percentile", _percentile)):
        definition(getattr(np, _prefix + _name), partial(_formula, _skips),
                   check=partial(_needs_slope, f"np.{_prefix}{_name}"))
