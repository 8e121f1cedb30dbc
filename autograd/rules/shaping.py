"""Rules of functions that move elements without changing them."""

from typing import Any

import numpy as np

from ..record import unstack
from ..registry import joining_rule, linear_rule, rule
from ..value import Value
from .indexing import scatter


def _like_argument(parts, arrays):
    """The gradient of the arrays that were joined: a list as they came, or one array if they were one."""
    return parts if isinstance(arrays, (list, tuple)) else np.stack(parts)


def _is_fortran(a):
    return np.isfortran(a.data if isinstance(a, Value) else a)


def _back(g, a, order: Any):
    if order == "K":
        raise TypeError("order='K' follows how the elements lie in memory, and has no derivative rule; use 'C' or 'F'")
    return np.reshape(g, np.shape(a), order=("F" if _is_fortran(a) else "C") if order == "A" else order)


linear_rule(np.reshape, lambda g, y, a, shape, order="C", *, copy=None: _back(g, a, order))
linear_rule(np.ravel, lambda g, y, a, order="C": _back(g, a, order))
linear_rule(np.squeeze, lambda g, y, a, axis=None: np.reshape(g, np.shape(a)))
linear_rule(np.expand_dims, lambda g, y, a, axis: np.reshape(g, np.shape(a)))
linear_rule(np.broadcast_to, lambda g, y, array, shape, subok=False: g)  # the pass sums it
linear_rule(np.swapaxes, lambda g, y, a, axis1, axis2: np.swapaxes(g, axis1, axis2))
linear_rule(np.moveaxis, lambda g, y, a, source, destination: np.moveaxis(g, destination, source))
linear_rule(np.flip, lambda g, y, m, axis=None: np.flip(g, axis))
linear_rule(unstack, lambda g, y, x: np.stack(g))


def _transpose(g, y, a, axes=None):
    if axes is None:
        return np.transpose(g)
    axes = axes if np.ndim(axes) else (axes,)
    return np.transpose(g, tuple(int(i) for i in np.argsort([i % len(axes) for i in axes])))


linear_rule(np.transpose, _transpose)


def _concatenate(g, y, arrays, axis=0, *, dtype=None, casting="same_kind"):
    sizes = [np.size(a) if axis is None else np.shape(a)[axis] for a in arrays]
    parts = np.split(g, [int(end) for end in np.cumsum(sizes)[:-1]], axis=axis or 0)
    if axis is None:
        parts = [np.reshape(part, np.shape(a)) for part, a in zip(parts, arrays, strict=True)]
    return _like_argument(list(parts), arrays)


joining_rule(np.concatenate, _concatenate)
joining_rule(np.stack, lambda g, y, arrays, axis=0, *, dtype=None, casting="same_kind":
            _like_argument(list(unstack(np.moveaxis(g, axis, 0))), arrays))
linear_rule(np.split, lambda g, y, ary, indices_or_sections, axis=0: np.concatenate(g, axis=axis))
linear_rule(np.array_split, lambda g, y, ary, indices_or_sections, axis=0: np.concatenate(g, axis=axis))


def _pad(g, y, array, pad_width, mode="constant", **kwargs):
    shape = np.shape(array)
    if mode == "constant":
        widths = np.broadcast_to(pad_width, (len(shape), 2)) if not isinstance(pad_width, dict) else [
            pad_width.get(i, pad_width.get(i - len(shape), 0)) for i in range(len(shape))]
        widths = [(w, w) if np.ndim(w) == 0 else w for w in widths]
        return g[tuple(slice(int(before), int(before) + n) for (before, _), n in zip(widths, shape, strict=True))]
    if mode not in ("edge", "reflect", "symmetric", "wrap") or kwargs.get("reflect_type", "even") != "even":
        raise TypeError(f"np.pad with mode={mode!r} {kwargs or ''} has no derivative rule; use constant, edge, "
                        "reflect, symmetric or wrap")
    # These modes copy elements: padding the positions tells which.
    positions = np.pad(np.reshape(np.arange(np.size(array)), shape), pad_width, mode)
    return np.reshape(scatter(np.ravel(g), np.ravel(positions), (np.size(array),)), shape)


def _pad_forward(g, y, array, pad_width, mode="constant", **kwargs):
    kwargs = {k: v for k, v in kwargs.items() if k != "constant_values"}  # which are added, and do not move
    return np.pad(g, pad_width, mode, **kwargs)


rule(np.pad, _pad, jvps=[_pad_forward])
