"""A program's operations as loops over numbers in memory: views become strides, the rest elements and reductions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..registry import name_of
from .numba_scalars import SUPPORTED, Formula, elementwise, is_number
from .program import Op, Program, Var, added_at, cast, check, filled, updated

__all__ = ["Check", "Host", "Loop", "Lowered", "View", "contiguous", "lower"]


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of a C-contiguous array."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


class View:
    """Where the numbers of an array lie: element ``i`` at ``offset + Σ strides[d] i[d]`` of the variable ``root``."""

    __slots__ = ("offset", "root", "shape", "strides")

    def __init__(self, root: Var, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> None:
        self.root, self.shape, self.strides, self.offset = root, shape, strides, offset

    @property
    def whole(self) -> bool:
        """Whether it is all of its root, element by element."""
        dense = contiguous(self.shape)
        return self.offset == 0 and self.root.size == _size(self.shape) and all(
            n == 1 or s == d for n, s, d in zip(self.shape, self.strides, dense, strict=True))

    def to(self, shape: tuple[int, ...]) -> View:
        """Broadcast to a shape, as NumPy does."""
        pad = len(shape) - len(self.shape)
        strides = tuple(0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True))
        return View(self.root, shape, (0,) * pad + strides, self.offset)


class Loop:
    """``target[kept indices] = reduce over the others (formula(operands[all indices]))`` over a domain.

    Operands are views broadcast to the domain, constants, and numbers of the host. ``target`` has a stride of 0 along
    the axes that are reduced.
    """

    def __init__(self, target: View, domain: tuple[int, ...], formula: Formula, operands: tuple,
                 reduction: str = "", axes: tuple[int, ...] = (), comment: str = "") -> None:
        self.target, self.domain, self.formula, self.operands = target, domain, formula, operands
        self.reduction, self.axes, self.comment = reduction, axes, comment
        self.final = False  # whether it overwrites an input

    @property
    def reads(self) -> list[Var]:
        """The arrays that it reads."""
        return [o.root for o in self.operands if isinstance(o, View)]

    @property
    def product(self) -> bool:
        """Whether it is a product of two matrices of floats: its domain is rows, columns, and the sum's index."""
        return (self.reduction == "sum" and self.axes == (2,) and len(self.operands) == 2
                and self.formula.dtypes[-1].kind == "f" and self.formula.text == "{0} * {1}"
                and len(self.domain) == 3 and self.operands[0].strides[1] == self.operands[1].strides[0] == 0)


class Check:
    """Stop unless a number in memory is true."""

    def __init__(self, condition: View, error: Any, op: Op) -> None:
        self.condition, self.error, self.op = condition, error, op
        self.reads = [condition.root]


class Host:
    """An operation that stays a call from Python."""

    def __init__(self, op: Op) -> None:
        self.op = op


class Lowered:
    """What a program became: loops and calls in order, and where each array lies."""

    def __init__(self) -> None:
        self.steps: list[Loop | Check | Host] = []
        self.views: dict[Var, View] = {}
        self.viewed: dict[Var, Op] = {}  # the operation whose result is a view
        self.fresh: dict[Var, Var] = {}  # an array that the caller gets -> the variable that holds its memory

    def finish(self, program: Program) -> None:
        """Give fresh outputs memory of their own, then overwrite inputs: the last steps."""
        computed = {s.target.root for s in self.steps if isinstance(s, Loop)}
        for out in {o.var: o for o in program.outputs if o.fresh and o.var.shape and _array(o.var)}.values():
            view = self.views[out.var]
            own = view.whole and view.shape == view.root.shape and view.root in computed
            if not own or view.root in self.fresh.values():
                view = _Here(self, Op(np.copy, (), {}, (out.var,))).kept(view)
            self.fresh[out.var] = view.root
        written = [e for e in program.inputs if e.written not in (None, e.var) and _array(e.var)]
        overwritten = {e.var for e in written}
        finals = []
        for entry in written:
            here = _Here(self, Op(updated, (), {}, (entry.var,)))
            view = self.views[entry.written] if entry.written is not None and _array(entry.written) else None
            if view is not None and view.root in overwritten:  # it may be overwritten before it is read
                view = here.kept(view)
            finals.append((here, view if view is not None else entry.written, entry.var))
        for here, source, var in finals:
            here.copy(source, _root(var)).final = True


def lower(program: Program) -> Lowered:
    """The loops of a program. Inputs that it writes are overwritten by loops that are ``final``."""
    lowered = Lowered()
    for entry in program.inputs:
        if _array(entry.var):
            lowered.views[entry.var] = _root(entry.var)
    for op in program.ops:
        translate = TRANSLATORS.get(op.function) or (_ufunc if isinstance(op.function, np.ufunc) else None)
        method = getattr(op.function, "__self__", None)
        if translate is None and isinstance(method, np.ufunc) and op.function.__name__ == "reduce":
            translate = _ufunc_reduce
        mark = len(lowered.steps)
        known = (op.function is check or all(map(_array, op.outs))) and all(map(_known, op.reads))
        if not (known and translate is not None and translate(_Here(lowered, op), *op.args, **op.kwargs)):
            del lowered.steps[mark:]
            _host(lowered, op)
    lowered.finish(program)
    return lowered


def _host(lowered: Lowered, op: Op) -> None:
    lowered.steps.append(Host(op))
    for out in op.outs:
        if _array(out):
            lowered.views[out] = _root(out)


def _root(var: Var) -> View:
    return View(var, var.shape, contiguous(var.shape))


def _array(var: Var) -> bool:
    """Whether a variable is an array or a NumPy scalar that compiled code can hold."""
    return var.python is None and var.dtype in SUPPORTED


def _known(var: Var) -> bool:
    return _array(var) or var.python in (bool, int, float)


def _size(shape: Sequence[int]) -> int:
    n = 1
    for k in shape:
        n *= k
    return n


class _Here:
    """The operation that is being translated, and the few ways to say what it does."""

    def __init__(self, lowered: Lowered, op: Op) -> None:
        self.lowered, self.op = lowered, op

    def view(self, x: Var) -> View:
        return self.lowered.views[x]

    def operand(self, x: Any, shape: tuple[int, ...]) -> Any:
        """An argument, broadcast to a shape."""
        if isinstance(x, Var):
            return self.view(x).to(shape) if x.python is None else x
        return _constant(self.lowered, x).to(shape) if isinstance(x, np.ndarray) and x.ndim else _number(x)

    def loop(self, target: View, domain: tuple[int, ...], formula: Formula, operands: tuple, reduction: str = "",
             axes: tuple[int, ...] = ()) -> Loop:
        if axes:
            left = iter(target.strides)
            strides = tuple(0 if d in axes else next(left) for d in range(len(domain)))
            target = View(target.root, domain, strides, target.offset)
        step = Loop(target, domain, formula, operands, reduction, axes, self.comment)
        self.lowered.steps.append(step)
        return step

    @property
    def comment(self) -> str:
        return name_of(self.op.function)

    def new(self, shape: tuple[int, ...], dtype: np.dtype) -> View:
        return _root(Var(shape, dtype))

    def result(self, var: Var | None = None) -> View:
        var = var or self.op.out
        view = self.lowered.views[var] = _root(var)
        return view

    def see(self, view: View) -> bool:
        """The result is a view."""
        self.lowered.views[self.op.out] = view
        self.lowered.viewed[self.op.out] = self.op
        return True

    def copy(self, source: Any, target: View, dtype: np.dtype | None = None) -> Loop:
        """Write the numbers of ``source``, turned into the target's dtype, to a target."""
        dtype = dtype or target.root.dtype
        if isinstance(source, View):
            source = source.to(target.shape)
        return self.loop(target, target.shape, Formula("{0}", (dtype, dtype)), (source,))

    def kept(self, view: View) -> View:
        """A copy of a view."""
        copy = self.new(view.shape, view.root.dtype)
        self.copy(view, copy)
        return copy

    def dense(self, x: Var) -> View:
        """An argument's view, or that of a copy in C order."""
        view = self.view(x)
        return view if view.strides == contiguous(view.shape) or view.whole else self.kept(view)


def _number(x: Any) -> Any:
    return x[()] if isinstance(x, np.ndarray) else x


def _constant(lowered: Lowered, x: np.ndarray) -> View:
    """A constant array is one more variable, whose contents are known."""
    for var, view in lowered.views.items():
        if getattr(var, "value", None) is x:
            return view
    var = Constant(x)
    view = lowered.views[var] = _root(var)
    return view


class Constant(Var):
    """A variable that is a constant array."""

    __slots__ = ("value",)

    def __init__(self, value: np.ndarray) -> None:
        super().__init__(value.shape, value.dtype)
        self.value = value


def _good(*args: Any) -> bool:
    """Whether each argument is a number or an array that loops can read."""
    return all(_known(a) if isinstance(a, Var) else
               a.dtype in SUPPORTED if isinstance(a, np.ndarray) else is_number(a) for a in args)


# Elementwise


def _ufunc(here: _Here, *args: Any, **kwargs: Any) -> bool:
    if kwargs or not _good(*args):
        return False
    formula = elementwise(here.op.function, args)
    if formula is None or formula.dtypes[-1] != here.op.out.dtype:
        return False
    shape = here.op.out.shape
    here.loop(here.result(), shape, formula, tuple(here.operand(a, shape) for a in args))
    return True


def _cast(here: _Here, x: Any, dtype: Any) -> bool:
    if not _good(x) or np.dtype(dtype) not in SUPPORTED:
        return False
    out = here.result()
    here.copy(here.operand(x, out.shape), out)
    return True


def _copy(here: _Here, x: Any, **kwargs: Any) -> bool:
    return not set(kwargs) - {"order"} and _cast(here, x, here.op.out.dtype)


def _filled(here: _Here, shape: Any, value: Any, dtype: Any) -> bool:
    return _cast(here, value, dtype)


def _where(here: _Here, *args: Any) -> bool:
    if len(args) != 3 or not _good(*args):
        return False
    out = here.result()
    formula = Formula("{1} if {0} else {2}", (np.dtype(bool), out.root.dtype, out.root.dtype, out.root.dtype))
    here.loop(out, out.shape, formula, tuple(here.operand(a, out.shape) for a in args))
    return True


def _clip(here: _Here, x: Any, low: Any = None, high: Any = None, **kwargs: Any) -> bool:
    if kwargs or not _good(*(a for a in (x, low, high) if a is not None)):
        return False
    dtype, text, args = here.op.out.dtype, "{0}", [x]
    for bound, name in (low, "maximum" if dtype.kind == "f" else "max"), (high,
                                                                        "minimum" if dtype.kind == "f" else "min"):
        if bound is not None:
            text = f"{name}({text}, {{{len(args)}}})"
            args.append(bound)
    if dtype.kind not in "iuf" or any(type(a) is int and dtype.kind in "iu" and a not in range(
            np.iinfo(dtype).min, np.iinfo(dtype).max + 1) for a in args):
        return False
    shape = here.op.out.shape
    here.loop(here.result(), shape, Formula(text, (dtype,) * (len(args) + 1)),
              tuple(here.operand(a, shape) for a in args))
    return True


# Reductions


REDUCTIONS = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min", np.logical_or: "any",
              np.logical_and: "all"}


def _ufunc_reduce(here: _Here, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
                  **kwargs: Any) -> bool:
    kind = REDUCTIONS.get(here.op.function.__self__)  # type: ignore[attr-defined]
    return not kwargs and out is None and kind is not None and _reduce(here, kind, x, axis, dtype)


def _reduction(kind: str) -> Callable:
    def translate(here: _Here, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
                  **kwargs: Any) -> bool:
        return not kwargs and out is None and _reduce(here, kind, x, axis, dtype)
    return translate


def _reduce(here: _Here, kind: str, x: Any, axis: Any, dtype: Any) -> bool:
    if not isinstance(x, Var) or x.python is not None:
        return False
    out = here.op.out
    to = np.dtype(dtype) if dtype is not None else out.dtype
    if to not in SUPPORTED or to != out.dtype or (kind in ("max", "min") and x.dtype != out.dtype):
        return False
    if kind in ("any", "all"):
        if out.dtype != bool:
            return False
    elif kind in ("sum", "prod", "mean") and to.kind == "b":
        return False
    axes = _axes(axis, x.ndim)
    if not axes:
        return False
    kept = tuple(n for d, n in enumerate(x.shape) if d not in axes)
    count = _size([x.shape[d] for d in axes])
    if count == 0 and kind in ("max", "min"):
        return False
    result = here.result()
    total = here.new(out.shape, out.dtype) if kind == "mean" else result
    flat = View(total.root, kept, contiguous(kept))
    formula = Formula("{0}", (to, to))
    if kind in ("any", "all"):
        formula = Formula("{0} != 0", (x.dtype, to))
    here.loop(flat, x.shape, formula, (here.view(x),), "sum" if kind == "mean" else kind, axes)
    if kind == "mean":
        divide = Formula("{0} / {1}", (to, to, to))
        here.loop(result, result.shape, divide, (total, count))
    return True


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted(operator.index(a) % ndim for a in (axis if isinstance(axis, tuple) else (axis,))))


# Views


def _transpose(here: _Here, x: Any, axes: Any = None) -> bool:
    if not isinstance(x, Var):
        return False
    view = here.view(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(operator.index(a) % x.ndim for a in axes)
    return here.see(View(view.root, tuple(view.shape[a] for a in order), tuple(view.strides[a] for a in order),
                         view.offset))


def _swapaxes(here: _Here, x: Any, a: Any, b: Any) -> bool:
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return _transpose(here, x, order)


def _moveaxis(here: _Here, x: Any, source: Any, destination: Any) -> bool:
    return _transpose(here, x, np.moveaxis(np.empty((1,) * x.ndim), source, destination).ndim and tuple(
        np.moveaxis(np.empty(tuple(range(x.ndim)), bool), source, destination).shape))


def _reshape(here: _Here, x: Any, *args: Any, **kwargs: Any) -> bool:
    if not isinstance(x, Var) or kwargs.get("order", "C") != "C" or "order" in args:
        return False
    shape = here.op.out.shape
    view = here.view(x)
    if [n for n in view.shape if n != 1] == [n for n in shape if n != 1]:  # axes of length 1 come and go
        steps = iter([s for n, s in zip(view.shape, view.strides, strict=True) if n != 1])
        return here.see(View(view.root, shape, tuple(0 if n == 1 else next(steps) for n in shape), view.offset))
    view = here.dense(x)
    return here.see(View(view.root, shape, contiguous(shape), view.offset))


def _broadcast_to(here: _Here, x: Any, shape: Any, **kwargs: Any) -> bool:
    return not kwargs and isinstance(x, Var) and here.see(here.view(x).to(here.op.out.shape))


def _getitem(here: _Here, x: Any, index: Any) -> bool:
    if not isinstance(x, Var):
        return False
    view = _sliced(here.view(x), index)
    return view is not None and view.shape == here.op.out.shape and here.see(view)


def _sliced(view: View, index: Any) -> View | None:
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


def _concatenate(here: _Here, arrays: Any, axis: Any = 0, **kwargs: Any) -> bool:
    if kwargs or axis is None or not all(isinstance(a, Var) and a.python is None for a in arrays):
        return False
    out, start = here.result(), 0
    for a in arrays:
        length = a.shape[axis]
        index = [slice(None)] * len(out.shape)
        index[axis] = slice(start, start + length)
        start += length
        part = _sliced(out, tuple(index))
        assert part is not None
        here.copy(here.view(a), part)
    return True


def _stack(here: _Here, arrays: Any, axis: Any = 0, **kwargs: Any) -> bool:
    if kwargs or not all(isinstance(a, Var) and a.python is None for a in arrays):
        return False
    out = here.result()
    for k, a in enumerate(arrays):
        index: list = [slice(None)] * len(out.shape)
        index[axis] = k
        part = _sliced(out, tuple(index))
        assert part is not None
        here.copy(here.view(a), part)
    return True


def _updated(here: _Here, x: Any, index: Any, values: Any) -> bool:
    return _changed(here, x, index, values, None)


def _added_at(here: _Here, x: Any, index: Any, values: Any, ufunc: Any = np.add) -> bool:
    return _changed(here, x, index, values, ufunc)


def _changed(here: _Here, x: Any, index: Any, values: Any, ufunc: Any) -> bool:
    if not (isinstance(x, Var) and _good(values)):
        return False
    out = View(here.op.out, x.shape, contiguous(x.shape))
    part = _sliced(out, index)
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


# Products


def _matmul(here: _Here, a: Any, b: Any, **kwargs: Any) -> bool:
    if kwargs or not (_good(a, b) and all(isinstance(v, (Var, np.ndarray)) for v in (a, b))):
        return False
    if any(isinstance(v, Var) and v.python is not None for v in (a, b)):
        return False
    out = here.op.out
    left, right = here.operand(a, a.shape), here.operand(b, b.shape)
    if out.dtype.kind == "b":
        return False
    target = here.result()
    m, k = (left.shape[-2] if left.shape[1:] else 1), left.shape[-1]
    n = right.shape[-1] if right.shape[1:] else 1
    if not left.shape[1:]:
        left = View(left.root, (1, k), (0, *left.strides), left.offset)
    if not right.shape[1:]:
        right = View(right.root, (k, 1), (*right.strides, 0), right.offset)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left, right = left.to((*batch, m, k)), right.to((*batch, k, n))
    target = View(target.root, (*batch, m, n), contiguous((*batch, m, n)))
    formula = Formula("{0} * {1}", (out.dtype,) * 3)
    d = len(batch)
    domain = (*batch, m, n, k)
    operands = (View(left.root, domain, (*left.strides[:d], left.strides[d], 0, left.strides[d + 1]), left.offset),
                View(right.root, domain, (*right.strides[:d], 0, right.strides[d + 1], right.strides[d]), right.offset))
    here.loop(target, domain, formula, operands, "sum", (d + 2,))
    return True


def _dot(here: _Here, a: Any, b: Any, **kwargs: Any) -> bool:
    ndims = [v.ndim if isinstance(v, (Var, np.ndarray)) else 0 for v in (a, b)]
    return min(ndims) > 0 and max(ndims) <= 2 and _matmul(here, a, b, **kwargs)


def _einsum(here: _Here, subscripts: Any, *operands: Any, **kwargs: Any) -> bool:
    """One or two operands, letters only: a loop over all letters, those that the result lacks summed."""
    kwargs.pop("optimize", None)
    if kwargs or not isinstance(subscripts, str) or "." in subscripts or len(operands) not in (1, 2):
        return False
    if not all(isinstance(v, Var) and v.python is None for v in operands) or here.op.out.dtype.kind == "b":
        return False
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if not arrow:
        output = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    summed = sorted(set(inputs) - {","} - set(output))
    letters = [*output, *summed]
    sizes = {c: n for term, v in zip(terms, operands, strict=True) for c, n in zip(term, v.shape, strict=True)
             if n != 1}
    domain = tuple(sizes.get(c, 1) for c in letters)
    views = []
    for term, v in zip(terms, operands, strict=True):
        view = here.view(v).to(v.shape)
        strides = tuple(sum(s for t, s in zip(term, view.strides, strict=True) if t == c) for c in letters)
        views.append(View(view.root, domain, strides, view.offset))
    if len(views) == 2 and len(letters) == 3 and views[0].strides[1]:
        views.reverse()  # rows on the left, columns on the right: a product of matrices
    dtype = here.op.out.dtype
    formula = Formula("{0} * {1}" if len(views) == 2 else "{0}", (dtype,) * (len(views) + 1))
    axes = tuple(range(len(output), len(letters)))
    here.loop(here.result(), domain, formula, tuple(views), "sum" if axes else "", axes)
    return True


# Checks


def _check(here: _Here, condition: Any, error: Any) -> bool:
    if not isinstance(condition, Var) or condition.python is not None or condition.size != 1:
        return False
    here.lowered.steps.append(Check(here.view(condition), error, here.op))
    return True


TRANSLATORS: dict[Any, Callable[..., bool]] = {
    cast: _cast, filled: _filled, updated: _updated, added_at: _added_at, check: _check,
    np.copy: _copy, np.where: _where, np.clip: _clip,
    np.sum: _reduction("sum"), np.mean: _reduction("mean"), np.prod: _reduction("prod"), np.max: _reduction("max"),
    np.min: _reduction("min"), np.amax: _reduction("max"), np.amin: _reduction("min"), np.any: _reduction("any"),
    np.all: _reduction("all"),
    np.transpose: _transpose, np.swapaxes: _swapaxes, np.moveaxis: _moveaxis, np.reshape: _reshape,
    np.ravel: _reshape, np.expand_dims: _reshape, np.squeeze: _reshape, np.broadcast_to: _broadcast_to,
    operator.getitem: _getitem, np.concatenate: _concatenate, np.stack: _stack,
    np.matmul: _matmul, operator.matmul: _matmul, np.dot: _dot, np.einsum: _einsum,
}
