"""Rules of sorting: elements that are equal share the gradient equally."""

from typing import Any

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


def _inverse(places, axis):
    """The permutations along an axis that undo others; faster than sorting these."""
    inverse = np.empty_like(places)
    ranks = np.arange(np.size(places) if axis is None else np.shape(places)[axis])
    np.put_along_axis(inverse, places, ranks if axis is None else np.expand_dims(
        ranks, [i for i in range(np.ndim(places)) if i != axis % np.ndim(places)]), axis)
    return inverse


def _sort(g, y, a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        return np.reshape(_sort(g, y, np.ravel(a), 0), np.shape(a))
    places = np.argsort(a, axis=axis)
    return np.take_along_axis(_shared(g, y, axis), _inverse(places, axis), axis)


def _sort_forward(g, y, a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        return _sort_forward(np.ravel(g), y, np.ravel(a), 0)
    return _shared(np.take_along_axis(g, np.argsort(a, axis=axis), axis), y, axis)


def _partition(a, kth, axis=-1, kind: Any = "introselect", order=None):
    found = np.argsort(np.partition(a, kth, axis, kind), axis=axis)
    return np.take_along_axis(np.sort(a, axis), _inverse(found, axis), axis)


rule(np.sort, _sort, jvps=[_sort_forward])
definition(np.partition, _partition)
definition(np.sort_complex, lambda a: np.sort(a) if np.iscomplexobj(a) else astype(np.sort(a), complex))


def _means(found, ar, axis: Any = None, equal_nan=False):
    """What ``np.unique`` found, with each value as the mean of the elements that are equal to it."""
    values, *others = found if isinstance(found, tuple) else (found,)
    _, runs, counts = np.unique(ar, return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan)
    rows = np.ravel(ar) if axis is None else np.moveaxis(ar, axis, 0)
    sums = scatter(rows, np.ravel(runs), (len(counts), *np.shape(rows)[1:]))
    means = sums / np.reshape(counts.astype(np.result_type(ar)), (-1, *[1] * (np.ndim(rows) - 1)))
    if axis is not None:
        means = np.moveaxis(means, 0, axis)
    if np.ndim(values) == 1:  # which need not be sorted
        means = means[np.argsort(np.argsort(values))]
    return (means, *others) if others else means


def _unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, **options):
    found = np.unique(ar, return_index, return_inverse, return_counts, axis, equal_nan=equal_nan, **options)
    return _means(found, ar, axis, equal_nan)


definition(np.unique, _unique)
definition(np.unique_values, lambda x: _means(np.unique_values(x), x))
definition(np.unique_counts, lambda x: _means(np.unique_counts(x), x))
definition(np.unique_inverse, lambda x: _means(np.unique_inverse(x), x))
definition(np.unique_all, lambda x: _means(np.unique_all(x), x))


def _of_two_sets(function):
    def formula(ar1, ar2, *args, **options):
        found = function(ar1, ar2, *args, **options)
        values, *others = found if isinstance(found, tuple) else (found,)
        either = np.unique(np.concatenate((ar1, ar2), axis=None))
        chosen = either[np.searchsorted(either, values)]
        return (chosen, *others) if others else chosen

    definition(function, formula)


for _function in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d):
    _of_two_sets(_function)
