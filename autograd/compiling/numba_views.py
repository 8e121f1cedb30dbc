"""Views, parts and unions of arrays as strides over memory: indexing, reshaping, concatenation, changes in part."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .numba_scalars import Formula, elementwise
from .numba_steps import Here, Pick, View, contiguous, is_good
from .program import Var, added_at, updated, vars_in

__all__ = ["TRANSLATORS"]


# Views


def _transpose(here: Here, x: Any, axes: Any = None) -> bool:
    if not isinstance(x, Var):
        return False
    view = here.view(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(operator.index(a) % x.ndim for a in axes)
    return here.see(View(view.root, tuple(view.shape[a] for a in order), tuple(view.strides[a] for a in order),
                         view.offset))


def _swapaxes(here: Here, x: Any, a: Any, b: Any) -> bool:
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return _transpose(here, x, order)


def _moveaxis(here: Here, x: Any, source: Any, destination: Any) -> bool:
    numbered = np.empty(tuple(range(x.ndim)))  # each axis as long as its number
    return _transpose(here, x, np.moveaxis(numbered, source, destination).shape)


def _reshape(here: Here, x: Any, *args: Any, **kwargs: Any) -> bool:
    if not isinstance(x, Var) or kwargs.get("order", "C") != "C" or "order" in args:
        return False
    shape = here.op.out.shape
    view = here.view(x)
    if [n for n in view.shape if n != 1] == [n for n in shape if n != 1]:  # axes of length 1 come and go
        steps = iter([s for n, s in zip(view.shape, view.strides, strict=True) if n != 1])
        return here.see(View(view.root, shape, tuple(0 if n == 1 else next(steps) for n in shape), view.offset))
    view = here.dense(x)
    return here.see(View(view.root, shape, contiguous(shape), view.offset))


def _broadcast_to(here: Here, x: Any, shape: Any, **kwargs: Any) -> bool:
    return not kwargs and isinstance(x, Var) and here.see(here.view(x).to(here.op.out.shape))


def _getitem(here: Here, x: Any, index: Any) -> bool:
    if not isinstance(x, Var):
        return False
    view = _indexed(here, here.view(x), index)
    if view is None or view.shape != here.op.out.shape:
        return False
    if not view.picks:
        return here.see(view)
    here.copy(view, here.result())
    return True


def _take(here: Here, x: Any, indices: Any, axis: Any = None, **kwargs: Any) -> bool:
    if kwargs or not isinstance(x, Var) or axis is None:
        return False
    return _getitem(here, x, (slice(None),) * (operator.index(axis) % x.ndim) + (indices,))


def _plain(i: Any) -> bool:
    """Whether an index picks by itself: a whole number, a slice of such, ``None`` or ``...``."""
    if isinstance(i, slice):
        return not any(isinstance(p, Var) for p in (i.start, i.stop, i.step))
    return i is None or i is Ellipsis or (isinstance(i, (int, np.integer)) and not isinstance(i, bool))


def _integers(i: Any) -> bool:
    """Whether an index is an array of integers, or the host's integer."""
    if isinstance(i, Var) and i.python is not None:
        return i.python is int
    return isinstance(i, (Var, np.ndarray)) and i.dtype.kind in "iu" and i.dtype != np.uint64


def sliced(view: View, index: Any) -> View:
    """The view that plain indices give."""
    part = _indexed(None, view, index)
    assert part is not None
    return part


def _indexed(here: Here | None, view: View, index: Any) -> View | None:
    """The elements that NumPy's indices give; ``None`` for masks, and others that stay calls of NumPy.

    Arrays of integers are broadcast together. Their axes are where the first of them is, or come first of all when a
    slice stands between two.
    """
    index = index if isinstance(index, tuple) else (index,)
    index = tuple(np.asarray(i) if isinstance(i, list) and i and not any(vars_in(i)) else i for i in index)
    if not all(_plain(i) or (here is not None and _integers(i)) for i in index):
        return None
    used = sum(i is not None and i is not Ellipsis for i in index)
    if Ellipsis not in [i for i in index if _plain(i)]:
        index = (*index, Ellipsis)
    arrays = any(not _plain(i) for i in index)
    axes: list[tuple[int, int] | None] = []  # (length, stride), or None where an array's axes could be
    picked: list[tuple[Any, int, int]] = []
    offset, d = view.offset, 0
    for i in index:
        if i is None:
            axes.append((1, 0))
        elif i is Ellipsis:
            rest = len(view.shape) - used
            axes += zip(view.shape[d:d + rest], view.strides[d:d + rest], strict=True)
            d += rest
        else:
            n, step = view.shape[d], view.strides[d]
            d += 1
            if isinstance(i, slice):
                numbers = range(n)[i]
                axes.append((len(numbers), step * numbers.step))
                offset += step * numbers.start if len(numbers) else 0
            elif _plain(i):
                offset += step * (int(i) % n)
                axes += [None] if arrays else []
            else:
                picked.append((i, step, n))
                axes.append(None)
    if not arrays:
        axes_ = [a for a in axes if a is not None]
        return View(view.root, tuple(n for n, _ in axes_), tuple(s for _, s in axes_), offset)
    assert here is not None
    return _picked(here, view, axes, picked, offset)


def _picked(here: Here, view: View, axes: list, picked: list, offset: int) -> View | None:
    """The elements that arrays of integers give, after a check that they are within bounds."""
    marks = [k for k, a in enumerate(axes) if a is None]
    together = marks == list(range(marks[0], marks[-1] + 1))
    before = [a for a in axes[:marks[0]] if a is not None] if together else []
    after = [a for a in axes[len(before):] if a is not None]
    shape = np.broadcast_shapes(*(i.shape for i, _, _ in picked))
    whole = (*(n for n, _ in before), *shape, *(n for n, _ in after))
    picks = []
    for i, step, n in picked:
        if isinstance(i, np.ndarray) and i.size and not (-n <= i.min() and i.max() < n):
            return None
        operand = here.operand(i, i.shape)
        if isinstance(i, Var):
            here.within(operand, n)
        if isinstance(operand, np.generic):
            operand = here.operand(np.asarray(operand).reshape(1), (1,))
        if isinstance(operand, View):
            operand = operand.to(shape)
            strides = (0,) * len(before) + operand.strides + (0,) * len(after)
            operand = View(operand.root, whole, strides, operand.offset)
        picks.append(Pick(operand, step, n))
    strides = (*(s for _, s in before), *(0,) * len(shape), *(s for _, s in after))
    return View(view.root, whole, strides, offset, tuple(picks))


# Arrays put together, and changed in part


def _concatenate(here: Here, arrays: Any, axis: Any = 0, **kwargs: Any) -> bool:
    if kwargs or axis is None or not all(isinstance(a, Var) and a.python is None for a in arrays):
        return False
    out, start = here.result(), 0
    for a in arrays:
        length = a.shape[axis]
        index = [slice(None)] * len(out.shape)
        index[axis] = slice(start, start + length)
        start += length
        here.copy(here.view(a), sliced(out, tuple(index)))
    return True


def _stack(here: Here, arrays: Any, axis: Any = 0, **kwargs: Any) -> bool:
    if kwargs or not all(isinstance(a, Var) and a.python is None for a in arrays):
        return False
    out = here.result()
    for k, a in enumerate(arrays):
        index: list = [slice(None)] * len(out.shape)
        index[axis] = k
        here.copy(here.view(a), sliced(out, tuple(index)))
    return True


def _updated(here: Here, x: Any, index: Any, values: Any) -> bool:
    return _changed(here, x, index, values, None)


def _added_at(here: Here, x: Any, index: Any, values: Any, ufunc: Any = np.add) -> bool:
    return _changed(here, x, index, values, ufunc)


def _changed(here: Here, x: Any, index: Any, values: Any, ufunc: Any) -> bool:
    if not (isinstance(x, Var) and is_good(values)):
        return False
    out = View(here.op.out, x.shape, contiguous(x.shape))
    part = _indexed(here, out, index)
    if part is None or (part.picks and isinstance(values, Var) and here.view(values).root is x):
        return False
    dtype = x.dtype
    kind = values.dtype if isinstance(values, (Var, np.ndarray, np.generic)) else dtype
    formula = elementwise(ufunc, (x, values)) if ufunc is not None else Formula("{0}", (dtype, dtype))
    if formula is None or formula.dtypes[-1] != dtype or not np.can_cast(kind, dtype, "same_kind"):
        return False
    if isinstance(values, (Var, np.ndarray)):
        drop = len(values.shape) - len(part.shape)  # NumPy lets leading axes of length 1 go
        if drop > 0:
            return False
    here.lowered.views[here.op.out] = out
    here.copy(here.view(x), out)
    operands = (here.operand(values, part.shape),) if ufunc is None else (part, here.operand(values, part.shape))
    here.loop(part, part.shape, formula, operands)
    return True


TRANSLATORS: dict[Any, Callable[..., bool]] = {
    np.transpose: _transpose, np.swapaxes: _swapaxes, np.moveaxis: _moveaxis, np.reshape: _reshape,
    np.ravel: _reshape, np.expand_dims: _reshape, np.squeeze: _reshape, np.broadcast_to: _broadcast_to,
    operator.getitem: _getitem, np.take: _take, np.concatenate: _concatenate, np.stack: _stack, updated: _updated,
    added_at: _added_at,
}
