"""A program's operations as loops over numbers in memory: elements of elements, and reductions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import numba_pools, numba_tensors, numba_views, numba_windows
from .numba_scalars import SUPPORTED, Formula, elementwise
from .numba_steps import Check, Here, Host, Lowered, View, contiguous, is_array, is_good, is_known, root_view, size_of
from .program import Op, Program, Var, cast, check, filled, vars_in

__all__ = ["lower"]

FEW = 1024  # elements: a function that compiled code has one at a time is faster in NumPy from there on


def lower(program: Program) -> Lowered:
    """The loops of a program. Inputs that it writes are overwritten by loops that are ``final``."""
    lowered = Lowered()
    for entry in program.inputs:
        if is_array(entry.var):
            lowered.views[entry.var] = root_view(entry.var)
    for op in program.ops:
        translate = TRANSLATORS.get(op.function) or (_ufunc if isinstance(op.function, np.ufunc) else None)
        method = getattr(op.function, "__self__", None)
        if translate is None and isinstance(method, np.ufunc) and op.function.__name__ == "reduce":
            translate = _ufunc_reduce
        mark = len(lowered.steps)
        known = (op.function is check or all(map(is_array, op.outs))) and all(map(is_known, op.reads))
        try:
            done = known and translate is not None and translate(Here(lowered, op), *op.args, **op.kwargs)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # arguments that there is no loop for
            done = False
        if not done:
            del lowered.steps[mark:]
            _host(lowered, op)
    lowered.finish(program)
    return lowered


def _host(lowered: Lowered, op: Op) -> None:
    lowered.steps.append(Host(op))
    for out in op.outs:
        if is_array(out):
            lowered.views[out] = root_view(out)


# Elementwise


def _ufunc(here: Here, *args: Any, **kwargs: Any) -> bool:
    if kwargs or not is_good(*args):
        return False
    formula = elementwise(here.op.function, args)
    if formula is None or formula.dtypes[-1] != here.op.out.dtype:
        return False
    if "math." in formula.text and here.op.out.size > FEW:
        return False
    shape = here.op.out.shape
    here.loop(here.result(), shape, formula, tuple(here.operand(a, shape) for a in args))
    return True


def _cast(here: Here, x: Any, dtype: Any) -> bool:
    if not is_good(x) or np.dtype(dtype) not in SUPPORTED:
        return False
    out = here.result()
    here.copy(here.operand(x, out.shape), out)
    return True


def _copy(here: Here, x: Any, **kwargs: Any) -> bool:
    return not set(kwargs) - {"order"} and _cast(here, x, here.op.out.dtype)


def _filled(here: Here, shape: Any, value: Any, dtype: Any) -> bool:
    return _cast(here, value, dtype)


def _where(here: Here, *args: Any) -> bool:
    if len(args) != 3 or not is_good(*args):
        return False
    out = here.result()
    formula = Formula("{1} if {0} else {2}", (np.dtype(bool), out.root.dtype, out.root.dtype, out.root.dtype))
    here.loop(out, out.shape, formula, tuple(here.operand(a, out.shape) for a in args))
    return True


def _clip(here: Here, x: Any, low: Any = None, high: Any = None, **kwargs: Any) -> bool:
    if kwargs or not is_good(*(a for a in (x, low, high) if a is not None)):
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


def _ufunc_reduce(here: Here, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
                  **kwargs: Any) -> bool:
    kind = REDUCTIONS.get(here.op.function.__self__)  # type: ignore[attr-defined]
    return not kwargs and out is None and kind is not None and _reduce(here, kind, x, axis, dtype)


def _reduction(kind: str) -> Callable:
    def translate(here: Here, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
                  **kwargs: Any) -> bool:
        return not kwargs and out is None and _reduce(here, kind, x, axis, dtype)
    return translate


def _reduce(here: Here, kind: str, x: Any, axis: Any, dtype: Any) -> bool:
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
    count = size_of([x.shape[d] for d in axes])
    if count == 0 and kind in ("max", "min"):
        return False
    result = here.result()
    total = here.new(out.shape, out.dtype) if kind == "mean" else result
    flat = View(total.root, kept, contiguous(kept))
    formula = Formula("{0}", (to, to))
    if kind in ("any", "all"):
        formula = Formula("{0} != 0", (x.dtype, to))
    view = here.view(x)
    if x.ndim - 1 in axes:  # then all that is summed comes last, so that a sum is a register
        order = [*(d for d in range(x.ndim) if d not in axes), *axes]
        view = View(view.root, tuple(x.shape[d] for d in order), tuple(view.strides[d] for d in order), view.offset)
        axes = tuple(range(x.ndim - len(axes), x.ndim))
    here.loop(flat, view.shape, formula, (view,), "sum" if kind == "mean" else kind, axes)
    if kind == "mean":
        divide = Formula("{0} / {1}", (to, to, to))
        here.loop(result, result.shape, divide, (total, count))
    return True


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted(operator.index(a) % ndim for a in (axis if isinstance(axis, tuple) else (axis,))))


# Checks


def _check(here: Here, condition: Any, error: Any, *values: Any) -> bool:
    if not isinstance(condition, Var) or condition.python is not None:
        return False
    view = here.view(condition)
    if condition.size != 1 or condition.dtype != bool:
        view = here.every(Formula("{0} != 0", (condition.dtype, np.dtype(bool))), (view,), view.shape)
    arrays = [here.view(v) for v in vars_in(values) if v in here.lowered.views]
    here.lowered.steps.append(Check(view, arrays, error, values))
    return True


TRANSLATORS: dict[Any, Callable[..., bool]] = {
    **numba_views.TRANSLATORS, **numba_tensors.TRANSLATORS, **numba_windows.TRANSLATORS,
    **numba_pools.TRANSLATORS,
    cast: _cast, filled: _filled, check: _check, np.copy: _copy, np.where: _where, np.clip: _clip,
    np.sum: _reduction("sum"), np.mean: _reduction("mean"), np.prod: _reduction("prod"), np.max: _reduction("max"),
    np.min: _reduction("min"), np.amax: _reduction("max"), np.amin: _reduction("min"), np.any: _reduction("any"),
    np.all: _reduction("all"),
}
