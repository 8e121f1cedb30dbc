"""Views, parts and unions of arrays as strides over memory: indexing, reshaping, concatenation, changes in part."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .numba_scalars import Formula, elementwise
from .numba_steps import Here, View, contiguous, is_good
from .program import Var, added_at, updated

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
    return _transpose(here, x, np.moveaxis(np.empty((1,) * x.ndim), source, destination).ndim and tuple(
        np.moveaxis(np.empty(tuple(range(x.ndim)), bool), source, destination).shape))


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
    view = sliced(here.view(x), index)
    return view is not None and view.shape == here.op.out.shape and here.see(view)


def sliced(view: View, index: Any) -> View | None:
    """The view that basic indexing gives; ``None`` for other indices."""
    index = index if isinstance(index, tuple) else (index,)
    if not all(i is None or i is Ellipsis or isinstance(i, slice) or (isinstance(i, (int, np.integer))
                                                                     and not isinstance(i, bool)) for i in index):
        return None
    if any(isinstance(p, Var) for i in index if isinstance(i, slice) for p in (i.start, i.stop, i.step)):
        return None
    used = sum(i is not None and i is not Ellipsis for i in index)
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    shape, strides, offset, d = [], [], view.offset, 0
    for i in index:
        if i is None:
            shape.append(1)
            strides.append(0)
        elif i is Ellipsis:
            rest = len(view.shape) - used
            shape += view.shape[d:d + rest]
            strides += view.strides[d:d + rest]
            d += rest
        else:
            n, step = view.shape[d], view.strides[d]
            d += 1
            if isinstance(i, slice):
                numbers = range(n)[i]
                shape.append(len(numbers))
                strides.append(step * numbers.step)
                offset += step * numbers.start if len(numbers) else 0
            else:
                offset += step * (int(i) % n)
    return View(view.root, tuple(shape), tuple(strides), offset)


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
        part = sliced(out, tuple(index))
        assert part is not None
        here.copy(here.view(a), part)
    return True


def _stack(here: Here, arrays: Any, axis: Any = 0, **kwargs: Any) -> bool:
    if kwargs or not all(isinstance(a, Var) and a.python is None for a in arrays):
        return False
    out = here.result()
    for k, a in enumerate(arrays):
        index: list = [slice(None)] * len(out.shape)
        index[axis] = k
        part = sliced(out, tuple(index))
        assert part is not None
        here.copy(here.view(a), part)
    return True


def _updated(here: Here, x: Any, index: Any, values: Any) -> bool:
    return _changed(here, x, index, values, None)


def _added_at(here: Here, x: Any, index: Any, values: Any, ufunc: Any = np.add) -> bool:
    return _changed(here, x, index, values, ufunc)


def _changed(here: Here, x: Any, index: Any, values: Any, ufunc: Any) -> bool:
    if not (isinstance(x, Var) and is_good(values)):
        return False
    out = View(here.op.out, x.shape, contiguous(x.shape))
    part = sliced(out, index)
    if part is None:
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
    operator.getitem: _getitem, np.concatenate: _concatenate, np.stack: _stack, updated: _updated, added_at: _added_at,
}
