"""Rules of functions that join arrays."""

import numpy as np

from ..record import unstack
from ..registry import definition, joining_rule
from .indexing import picked


def _like_argument(parts, arrays):
    """The gradient of the arrays that were joined: a list as they came, or one array if they were one."""
    return parts if isinstance(arrays, (list, tuple)) else np.stack(parts)


def _parted(g, arrays, axis, ndim=1):
    """The parts of ``g`` that came from each of the arrays: those of fewer than ``ndim`` axes had length 1."""
    lengths = [np.size(a) if axis is None else np.shape(a)[axis] if np.ndim(a) >= ndim else 1 for a in arrays]
    parts = np.split(g, [int(end) for end in np.cumsum(lengths)[:-1]], axis=axis or 0)
    return _like_argument([np.reshape(part, np.shape(a)) for part, a in zip(parts, arrays, strict=True)], arrays)


joining_rule(np.concatenate, lambda g, y, arrays, axis=0, *, dtype=None, casting="same_kind": _parted(g, arrays, axis))
joining_rule(np.stack, lambda g, y, arrays, axis=0, *, dtype=None, casting="same_kind":
             _like_argument(list(unstack(np.moveaxis(g, axis, 0))), arrays))
joining_rule(np.vstack, lambda g, y, tup, *, dtype=None, casting="same_kind": _parted(g, tup, 0, 2))
joining_rule(np.hstack, lambda g, y, tup, *, dtype=None, casting="same_kind":
             _parted(g, tup, 1 if np.ndim(g) > 1 else None))
joining_rule(np.dstack, lambda g, y, tup: _parted(g, tup, 2, 3))
joining_rule(np.column_stack, lambda g, y, tup: _parted(g, tup, 1, 2))

definition(np.append, lambda arr, values, axis=None: np.concatenate((arr, values), axis=axis))


def _blocks(arrays, change):
    """Nested lists with ``change`` applied to each array."""
    return [_blocks(item, change) for item in arrays] if isinstance(arrays, list) else change(arrays)


def _block(arrays):
    leaves = []
    _blocks(arrays, leaves.append)

    def join(*places):
        left = iter(places)
        return np.block(_blocks(arrays, lambda _: next(left)))

    return picked(join, *leaves)


definition(np.block, _block, joins=True)
