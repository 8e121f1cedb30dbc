"""Rules of sorting: elements that are equal share the gradient equally."""

import numpy as np

from ..record import astype
from ..registry import definition, rule
from .indexing import scatter


def _shared(g, y, axis):
    """Each element of ``g`` as the mean of those along the axis where the sorted ``y`` is the same."""
    y = np.moveaxis(y, axis, -1)
    equal = y[..., 1:] == y[..., :-1]
    if not np.any(equal):
        return g
    runs = np.cumsum(np.concatenate([np.ones_like(y[..., :1], bool), ~equal], axis=-1)) - 1
    g = np.moveaxis(g, axis, -1)
    sums = scatter(np.ravel(g), runs, (runs[-1] + 1,))
    means = sums / np.bincount(runs).astype(np.result_type(g))
    return np.moveaxis(np.reshape(means[runs], np.shape(g)), -1, axis)


def _sort(g, y, a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        return np.reshape(_sort(g, y, np.ravel(a), 0), np.shape(a))
    places = np.argsort(a, axis=axis, kind="stable")
    return np.take_along_axis(_shared(g, y, axis), np.argsort(places, axis=axis), axis)


def _sort_forward(g, y, a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        return _sort_forward(np.ravel(g), y, np.ravel(a), 0)
    return _shared(np.take_along_axis(g, np.argsort(a, axis=axis, kind="stable"), axis), y, axis)


def _partition(a, kth, axis=-1, kind="introselect", order=None):
    found = np.argsort(np.partition(a, kth, axis, kind), axis=axis)
    return np.take_along_axis(np.sort(a, axis), np.argsort(found, axis=axis), axis)


rule(np.sort, _sort, jvps=[_sort_forward])
definition(np.partition, _partition)
definition(np.sort_complex, lambda a: np.sort(a) if np.iscomplexobj(a) else astype(np.sort(a), complex))


def _means(found, ar, axis=None, equal_nan=False):
    """What ``np.unique`` found, with each value as the mean of the elements that are equal to it."""
    values, *others = found if isinstance(found, tuple) else (found,)
    _, runs, counts = np.unique(ar, return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan)
    rows = np.ravel(ar) if axis is None else np.moveaxis(ar, axis, 0)
    sums = scatter(rows, np.ravel(runs), (len(counts), *np.shape(rows)[1:]))
    means = sums / np.reshape(counts.astype(np.result_type(ar)), (-1, *[1] * (np.ndim(rows) - 1)))
    # NumPy need not give them in order.
    means = means[np.argsort(np.argsort(values))] if np.ndim(values) == 1 else np.moveaxis(means, 0, axis)
    return (means, *others) if others else means


def _unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, **options):
    found = np.unique(ar, return_index, return_inverse, return_counts, axis, equal_nan=equal_nan, **options)
    return _means(found, ar, axis, equal_nan)


definition(np.unique, _unique)
definition(np.unique_values, lambda x: _means(np.unique_values(x), x))
definition(np.unique_counts, lambda x: _means(np.unique_counts(x), x))
definition(np.unique_inverse, lambda x: _means(np.unique_inverse(x), x))
definition(np.unique_all, lambda x: _means(np.unique_all(x), x))
