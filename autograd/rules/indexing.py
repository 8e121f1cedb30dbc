"""Rules of indexing: an element that is taken twice adds up twice."""

import operator

import numpy as np

from ..record import primitive
from ..registry import linear_rule


def _is_basic(index):
    """Whether an index takes each element at most once by its very form: integers, slices, None, ..., or a mask."""
    if isinstance(index, (int, slice)) or (isinstance(index, np.ndarray) and index.dtype == bool):
        return True
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, np.integer, slice)) for i in parts)


@primitive
def scatter(g, index, shape):
    """Zeros of a shape with ``g`` added at ``index``: the transpose of ``x[index]`` for an ``x`` of that shape."""
    total = np.zeros_like(g, shape=shape)
    if _is_basic(index):
        total[index] = g
    else:
        np.add.at(total, index, g)
    return total


def _at(g, index):
    return (g if hasattr(g, "shape") else np.asarray(g))[index]


linear_rule(operator.getitem, lambda g, y, x, index: scatter(g, index, np.shape(x)))
linear_rule(scatter, lambda g, y, x, index, shape: _at(g, index))
