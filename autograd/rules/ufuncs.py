"""How ufuncs reach a Value: by plain calls, with ``where=`` or ``dtype=``, and by methods such as ``np.add.reduce``.

The methods of any ufunc of two arguments that has a rule have one as well, declared when a call first needs it.
Ties in ``maximum`` and ``minimum`` share the gradient equally, also when they accumulate.
"""

import functools
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..record import apply, astype
from ..registry import NONDIFFERENTIABLE, RULES, definition, linear_rule, name_of, nondifferentiable, rule
from ..updates import at_add, at_max, at_min, at_multiply, at_set
from ..value import NO_KWARGS, Value, holds_value, unwrap

# Where it does not matter how neighbours are paired
_ASSOCIATIVE = {np.multiply, np.logaddexp, np.logaddexp2, np.hypot}
# What leaves a number as it is, where NumPy names none
_NEUTRAL: dict[np.ufunc, float] = {
    np.maximum: -np.inf, np.fmax: -np.inf, np.minimum: np.inf, np.fmin: np.inf, np.subtract: 0, np.divide: 1,
    np.power: 1, np.float_power: 1}
# What reduces by a rule of its own, and what changes elements by such a one
_CORES: dict[np.ufunc, Callable] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_UPDATES: dict[np.ufunc, Callable] = {
    np.add: at_add, np.multiply: at_multiply, np.maximum: at_max, np.minimum: at_min}
_WITH_NAN: dict[np.ufunc, np.ufunc] = {np.fmax: np.maximum, np.fmin: np.minimum}


def _neutral(ufunc: np.ufunc) -> Any:
    return _NEUTRAL.get(ufunc, ufunc.identity)


def _prepared(ufunc, x, dtype):
    """The ufunc and the array that give the same: nan in place of what ``fmax`` passes over is no number to win."""
    x = x if dtype is None else astype(x, dtype)
    if ufunc in _WITH_NAN:
        return _WITH_NAN[ufunc], np.where(np.isnan(x), _NEUTRAL[ufunc], x)
    return ufunc, x


def _folded(ufunc, rows):
    """The rows combined one after the other, or in pairs where that gives the same."""
    if ufunc not in _ASSOCIATIVE:
        return functools.reduce(ufunc, rows)
    while len(rows) > 1:
        pairs = ufunc(rows[:-1:2], rows[1::2])
        rows = np.concatenate([pairs, rows[-1:]]) if len(rows) % 2 else pairs
    return rows[0]


def _reduce(ufunc, array, axis=0, dtype=None, keepdims=False, initial=None, where=True):
    if not np.size(array):  # there is nothing that could have a gradient
        return ufunc.reduce(np.zeros(np.shape(array)), axis=axis, keepdims=keepdims, initial=0.0)
    ufunc, x = _prepared(ufunc, array, dtype)
    if where is not True:
        x = np.where(where, x, _neutral(ufunc))
    if ufunc in _CORES:
        y = _CORES[ufunc](x, axis=axis, keepdims=keepdims)
        return y if initial is None else ufunc(initial, y)
    axes = tuple(range(np.ndim(x))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rows = np.moveaxis(x, axes, range(len(axes)))
    rows = np.reshape(rows, (-1, *np.shape(rows)[len(axes):]))
    if initial is None and len(rows) == 1:  # so that hypot of one number is its size
        initial = ufunc.identity
    if initial is not None:
        rows = np.concatenate([np.zeros_like(rows[:1]) + initial, rows])
    y = _folded(ufunc, rows)
    return np.expand_dims(y, axes) if keepdims else y


def _accumulate(ufunc, array, axis=0, dtype=None):
    ufunc, x = _prepared(ufunc, array, dtype)
    if not np.size(x):
        return x
    if ufunc is not np.multiply and ufunc in _CORES:
        return ufunc.accumulate(x, axis)
    rows, step = np.moveaxis(x, axis, 0), 1
    if ufunc not in _ASSOCIATIVE:
        rows = np.stack(list(itertools.accumulate(rows, ufunc)))
    else:
        while step < len(rows):  # every row becomes that of the last 2, 4, 8, ... rows
            rows = np.concatenate([rows[:step], ufunc(rows[:-step], rows[step:])])
            step *= 2
    return np.moveaxis(rows, 0, axis)


def _reduceat(ufunc, array, indices, axis=0, dtype=None):
    ufunc, x = _prepared(ufunc, array, dtype)
    x, starts = np.moveaxis(x, axis, 0), np.asarray(indices)
    lengths = np.maximum(np.append(starts[1:], len(x)) - starts, 1)
    first = np.cumsum(lengths) - lengths
    rows = x[np.repeat(starts - first, lengths) + np.arange(np.sum(lengths))]  # the segments, one after the other
    if ufunc in _UPDATES:
        others = np.delete(np.arange(len(rows)), first)
        rows = _UPDATES[ufunc](rows[first], np.repeat(np.arange(len(starts)), lengths)[others], rows[others])
    elif np.size(rows):
        rows = np.stack([_folded(ufunc, part) for part in np.split(rows, first[1:])])
    return np.moveaxis(rows, 0, axis)


def _outer(ufunc, A, B, *, dtype=None, casting="same_kind"):
    return ufunc(np.reshape(A, np.shape(A) + (1,) * np.ndim(B)), B, dtype=dtype, casting=casting)


_METHODS = {"reduce": _reduce, "accumulate": _accumulate, "reduceat": _reduceat, "outer": _outer}

linear_rule(np.add.accumulate, lambda g, y, array, axis=0, dtype=None:
            np.flip(np.add.accumulate(np.flip(g, axis), axis), axis))


def _run_sums(rows, run):
    """At each row the sum of those up to it that are in the same run; ``run`` numbers the runs of each column."""
    step = 1
    while step < len(rows):
        more = np.where(run[step:] == run[:-step], rows[:-step], 0)
        rows = np.concatenate([rows[:step], rows[step:] + more])
        step *= 2
    return rows


def _winners(y, array, axis):
    """Which elements are the largest so far, in which runs of equal results, and how many share each result."""
    x, y = np.moveaxis(array, axis, 0), np.moveaxis(y, axis, 0)
    changes = (y[1:] != y[:-1]) & ~(np.isnan(y[1:]) & np.isnan(y[:-1]))
    run = np.cumsum(np.insert(changes, 0, False, axis=0), axis=0)
    chosen = (x == y) | np.isnan(x)
    return chosen, run, _run_sums(np.where(chosen, 1.0, 0.0), run)


def _extreme(g, y, array, axis=0, dtype=None):
    if not np.size(array):
        return g
    chosen, run, count = _winners(y, array, axis)
    back = np.flip(_run_sums(np.flip(np.moveaxis(g, axis, 0) / count, 0), np.flip(run, 0)), 0)
    return np.moveaxis(np.where(chosen, back, 0), 0, axis)


def _extreme_forward(g, y, array, axis=0, dtype=None):
    if not np.size(array):
        return g
    chosen, run, count = _winners(y, array, axis)
    return np.moveaxis(_run_sums(np.where(chosen, np.moveaxis(g, axis, 0), 0), run) / count, 0, axis)


for _ufunc in (np.maximum, np.minimum):
    rule(_ufunc.accumulate, _extreme, jvps=[_extreme_forward])


def _declare(ufunc: np.ufunc, op: Callable) -> None:
    """Give the method ``op`` of a ufunc its rule, if the ufunc itself has one."""
    if ufunc in NONDIFFERENTIABLE:
        nondifferentiable(op)
    elif ufunc in RULES and (ufunc.nin, ufunc.nout, ufunc.signature) == (2, 1, None):
        definition(op, partial(_METHODS[op.__name__], ufunc))


def _array_ufunc(self: Value, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if method == "__call__" and (not kwargs or ufunc.signature is not None):
        return apply(ufunc, inputs, kwargs)
    op = ufunc if method == "__call__" else getattr(ufunc, method)
    for name, x in kwargs.items():
        if name != "out" and holds_value(x):
            raise TypeError(f"{name_of(op)} has no derivative with respect to its keyword {name}: pass .data for a "
                            "constant")
    if method == "__call__":
        return _call(ufunc, inputs, **kwargs)
    if method == "at":
        _refuse_at(ufunc, inputs[0])
    if method == "reduce" and kwargs.get("where", True) is not True and _neutral(ufunc) is None:
        raise TypeError(f"{name_of(op)} has no derivative rule with where=: choose the elements first, as in v[mask]")
    if op not in RULES and op not in NONDIFFERENTIABLE:
        _declare(ufunc, op)
    return apply(op, inputs, kwargs)


def _refuse_at(ufunc: np.ufunc, a: Any) -> None:
    name, v = ("v", "v") if isinstance(a, Value) else ("a", "Value(a)")
    arguments = f"{name}[i], x" if ufunc.nin > 1 else f"{name}[i]"
    update = {np.subtract: "add(-x)", np.divide: "multiply(1 / x)"}.get(ufunc) or (
        f"{_UPDATES[ufunc].__name__[3:]}(x)" if ufunc in _UPDATES else f"set({name_of(ufunc)}({arguments}))")
    raise TypeError(f"{name_of(ufunc)}.at changes its argument in place, and cannot be recorded: write "
                    f"{name} = {v}.at[i].{update}")


def _call(ufunc: np.ufunc, inputs: tuple, *, where: Any = True, out: Any = None, dtype: Any = None,
          **kwargs: Any) -> Any:
    """A call with keywords: these say how NumPy computes the numbers, and change nothing about the derivative."""
    if where is not True:
        return _call_where(ufunc, inputs, where, out, dtype=dtype, **kwargs)
    if out is not None:
        apply(ufunc, inputs, {"out": out})
    kwargs["dtype"] = dtype
    if ufunc in NONDIFFERENTIABLE or (dtype is not None and np.dtype(dtype).kind not in "fc"):
        return ufunc(*unwrap(inputs, []), **kwargs)
    return apply(ufunc, inputs, NO_KWARGS, partial(ufunc, **kwargs))


def _call_where(ufunc: np.ufunc, inputs: tuple, where: Any, out: Any, **kwargs: Any) -> Any:
    """A call at some elements, in an array that has the others: only the chosen ones are computed and differentiated.

    ``out`` is changed as NumPy does, but what can be differentiated is the result.
    """
    name = name_of(ufunc)
    if out is None or len(out) > 1:
        raise TypeError(f"{name}(..., where=mask) leaves the other elements undefined: write "
                        f"np.where(mask, {name}(...), 0), or give them by one out=, as in "
                        f"{name}(..., out=np.zeros_like(a), where=mask)")
    array, = out
    if isinstance(array, Value):
        raise TypeError(f"{name}(..., out=v, where=mask) would change a Value in place: write "
                        f"v = v.at[mask].set({name}(...)[mask])")
    numbers = unwrap(inputs, [])
    if ufunc in NONDIFFERENTIABLE or array.dtype.kind not in "fc":
        return ufunc(*numbers, out=out, where=where, **kwargs)
    mask = np.broadcast_to(np.asarray(where, bool), array.shape)
    some = mask.any()
    chosen = [x if some and not np.ndim(x) else np.broadcast_to(x, array.shape)[mask] for x in inputs]
    y = at_set(np.atleast_1d(array), np.atleast_1d(mask), ufunc(*chosen, **kwargs))
    ufunc(*numbers, out=out, where=where, **kwargs)
    return y if array.ndim else y[0]


_array_ufunc.__name__ = "__array_ufunc__"
Value.__array_ufunc__ = _array_ufunc
