"""Rules of functions that move elements without changing them, or repeat them."""

from typing import Any

import numpy as np

from ..record import unstack
from ..registry import definition, linear_rule, rule
from ..value import Value
from .indexing import along, picked, picking_rule, put_back, scatter

# The same elements in another shape


def _order(a, order) -> Any:
    """``order`` as NumPy reads it: "A" is what ``a`` is."""
    order = (order or "C").upper()
    if order == "A":
        return "F" if np.ndim(a) and np.isfortran(a.data if isinstance(a, Value) else a) else "C"
    return order


def _as_in_memory(a):
    """Where in C order each element of ``np.ravel(a, "K")`` is."""
    places = np.empty_like(a, dtype=int)  # laid out as ``a`` is
    places[...] = np.reshape(np.arange(np.size(a)), np.shape(a))
    return np.ravel(places, "K")


def _ravel(g, y, a, order="C"):
    order = _order(a, order)
    if order == "K":
        g, order = scatter(g, _as_in_memory(a), (np.size(a),)), "C"
    return np.reshape(g, np.shape(a), order=order)


def _ravel_forward(g, y, a, order="C"):
    order = _order(a, order)
    return np.ravel(g)[_as_in_memory(a)] if order == "K" else np.ravel(g, order)


rule(np.ravel, _ravel, jvps=[_ravel_forward])
rule(np.reshape, lambda g, y, a, shape, order="C", *, copy=None: np.reshape(g, np.shape(a), order=_order(a, order)),
     jvps=[lambda g, y, a, shape, order="C", *, copy=None: np.reshape(g, shape, order=_order(a, order))])
linear_rule(np.squeeze, lambda g, y, a, axis=None: np.reshape(g, np.shape(a)))
linear_rule(np.expand_dims, lambda g, y, a, axis: np.reshape(g, np.shape(a)))


def _at_least(function):
    def formula(*arys):
        shaped = tuple(np.reshape(a, np.shape(function(np.empty(np.shape(a), bool)))) for a in arys)
        return shaped if len(shaped) != 1 else shaped[0]

    definition(function, formula)


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    _at_least(_function)

# The same elements in another order

linear_rule(np.swapaxes, lambda g, y, a, axis1, axis2: np.swapaxes(g, axis1, axis2))
linear_rule(np.matrix_transpose, lambda g, y, x: np.swapaxes(g, -1, -2))
linear_rule(np.moveaxis, lambda g, y, a, source, destination: np.moveaxis(g, destination, source))
linear_rule(np.flip, lambda g, y, m, axis=None: np.flip(g, axis))
linear_rule(np.fliplr, lambda g, y, m: np.fliplr(g))
linear_rule(np.flipud, lambda g, y, m: np.flipud(g))
linear_rule(np.rot90, lambda g, y, m, k=1, axes=(0, 1): np.rot90(g, -k, axes))
linear_rule(np.roll, lambda g, y, a, shift, axis=None: np.roll(g, np.negative(shift), axis))


def _transpose(g, y, a, axes=None):
    if axes is None:
        return np.transpose(g)
    axes = axes if np.ndim(axes) else (axes,)
    return np.transpose(g, tuple(int(i) for i in np.argsort([i % len(axes) for i in axes])))


def _rollaxis(g, y, a, axis, start=0):
    axis, start = axis % np.ndim(a), start + np.ndim(a) * (start < 0)
    return np.moveaxis(g, start - (axis < start), axis)


linear_rule(np.transpose, _transpose)
linear_rule(np.rollaxis, _rollaxis)

# Some of the elements, or some of them several times

for _function in (np.diag, np.diagflat, np.diagonal, np.resize, np.lib.stride_tricks.sliding_window_view):
    picking_rule(_function)
linear_rule(np.tril, lambda g, y, m, k=0: np.tril(g, k))
linear_rule(np.triu, lambda g, y, m, k=0: np.triu(g, k))
definition(np.trace, lambda a, offset=0, axis1=0, axis2=1, dtype=None:
           np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype))
linear_rule(np.broadcast_to, lambda g, y, array, shape, subok=False: g)  # the pass sums it
definition(np.broadcast_arrays, lambda *args, subok=False: tuple(
    np.broadcast_to(a, np.broadcast_shapes(*map(np.shape, args))) for a in args))
definition(np.meshgrid, lambda *xi, **kwargs: tuple(
    np.ravel(x)[places] for x, places in zip(xi, np.meshgrid(*(np.arange(np.size(x)) for x in xi), **kwargs),
                                             strict=True)))


def _tile(g, y, A, reps):
    reps = [int(n) for n in np.ravel(reps)]
    ndim = max(np.ndim(A), len(reps))
    reps, shape = [1] * (ndim - len(reps)) + reps, [1] * (ndim - np.ndim(A)) + list(np.shape(A))
    copies = np.reshape(g, [n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(np.sum(copies, axis=tuple(range(0, 2 * ndim, 2))), np.shape(A))


def _repeat(g, y, a, repeats, axis=None):
    if np.size(repeats) != 1:
        return put_back(np.repeat, 0, g, y, a, repeats, axis)
    shape = np.shape(a) if axis is not None else (np.size(a),)
    axis = 0 if axis is None else axis % len(shape)
    copies = np.reshape(g, (*shape[:axis + 1], int(np.ravel(repeats)[0]), *shape[axis + 1:]))
    return np.reshape(np.sum(copies, axis=axis + 1), np.shape(a))


linear_rule(np.tile, _tile)
linear_rule(np.repeat, _repeat)


def _trim_zeros(filt, trim: Any = "fb", **axis):
    filled = filt != 0
    sizes = np.shape(np.trim_zeros(filled, trim, **axis))
    fronts = np.shape(np.trim_zeros(filled, "f", **axis)) if "f" in trim.lower() else np.shape(filt)
    starts = [n - front for n, front in zip(np.shape(filt), fronts, strict=True)]
    return filt[tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))]


definition(np.trim_zeros, _trim_zeros)

# Several parts


def _joined(g, ary, indices_or_sections, axis):
    """The transpose of splitting, where parts may also overlap, or leave elements out."""
    joined = np.concatenate(g, axis=axis)
    if np.ndim(indices_or_sections) == 0:
        return joined
    axis %= np.ndim(ary)
    places = np.arange(np.shape(ary)[axis])
    taken = np.concatenate(np.array_split(places, indices_or_sections))
    return joined if np.array_equal(taken, places) else scatter(joined, along(axis, taken), np.shape(ary))


for _function in (np.split, np.array_split):
    linear_rule(_function, lambda g, y, ary, indices_or_sections, axis=0: _joined(g, ary, indices_or_sections, axis))
linear_rule(np.hsplit, lambda g, y, ary, indices_or_sections:
            _joined(g, ary, indices_or_sections, min(np.ndim(ary) - 1, 1)))
linear_rule(np.vsplit, lambda g, y, ary, indices_or_sections: _joined(g, ary, indices_or_sections, 0))
linear_rule(np.dsplit, lambda g, y, ary, indices_or_sections: _joined(g, ary, indices_or_sections, 2))
linear_rule(unstack, lambda g, y, x: np.stack(g))
if hasattr(np, "unstack"):  # new in NumPy 2.1
    linear_rule(np.unstack, lambda g, y, x, *, axis=0: np.stack(g, axis=axis))

# Padding


def _median(a, axis, keepdims):
    n = np.shape(a)[axis]
    middle = np.sort(a, axis)[along(axis, slice((n - 1) // 2, n // 2 + 1))]
    return np.mean(middle, axis=axis, keepdims=keepdims)


_STATISTICS = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": _median}


def _pairs(given, ndim):
    """What is given for each end of each axis, or for some of them at once."""
    if isinstance(given, dict):
        given = [given.get(i, given.get(i - ndim, 0)) for i in range(ndim)]
        given = [(n, n) if np.ndim(n) == 0 else n for n in given]
    return np.broadcast_to(np.asarray(given), (ndim, 2)).tolist()


def _pad(array, pad_width, mode: Any = "constant", **kwargs):
    """``np.pad`` less the constants that it adds, whose derivative is 0."""
    shape = np.shape(array)
    widths = _pairs(pad_width, len(shape))
    if mode in ("constant", "empty"):
        inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))
        return scatter(array, inside, tuple(sum(ends) + n for ends, n in zip(widths, shape, strict=True)))
    if mode in _STATISTICS:
        lengths = _pairs(kwargs.get("stat_length"), len(shape))
        for axis, ((before, after), (first, last)) in enumerate(zip(widths, lengths, strict=True)):
            if not before + after:  # as it is, also where there are no elements to take the maximum of
                continue
            start = 0 if last is None else max(shape[axis] - last, 0)
            ends = [(slice(first), before), (slice(start, None), after)]
            low, high = (np.repeat(_STATISTICS[mode](array[along(axis, part)], axis=axis, keepdims=True), width, axis)
                         for part, width in ends)
            array = np.concatenate([low, array, high], axis=axis)
        return array
    if mode == "linear_ramp" or kwargs.get("reflect_type") == "odd":
        kwargs.pop("end_values", None)
        for axis, width in enumerate(widths):  # along each axis a matrix, of which the columns are padded unit vectors
            if any(width):
                matrix = np.pad(np.eye(shape[axis], dtype=np.result_type(array)), (width, (0, 0)), mode, **kwargs)
                array = np.moveaxis(np.moveaxis(array, axis, -1) @ np.transpose(matrix), -1, axis)
        return array
    return picked(lambda places: np.pad(places, pad_width, mode), array)


def _pad_check(array, pad_width, mode="constant", **kwargs):
    if callable(mode):
        raise TypeError("np.pad has no derivative rule for a mode that is a function, which fills in numbers of its "
                        "own; name a mode, or write np.concatenate([before, v, after])")


definition(np.pad, _pad, check=_pad_check)
