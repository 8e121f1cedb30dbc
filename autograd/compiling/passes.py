"""Passes: a program with the same results and fewer operations."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .program import Op, Program, Var, cast, constant, filled, map_vars

__all__ = ["simplified"]

_SAME = {np.positive, operator.pos, np.copy, np.real, np.conjugate}  # of real numbers
_TIMES = {np.multiply, operator.mul}
_DIVIDED = {np.divide, operator.truediv, np.power, operator.pow}  # a number of which 1 changes nothing
_LESS = {np.subtract, operator.sub}
_EXACT = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), np.dtype, type)


def simplified(program: Program) -> Program:
    """Without copies and repeated computations, with constants folded, and without what nobody reads."""
    renamed: dict[Var, Any] = {}
    known: dict[Any, Op] = {}
    ops: list[Op] = []
    for op in program.ops:
        args = tuple(_renamed(a, renamed) for a in op.args)
        kwargs = {k: _renamed(x, renamed) for k, x in op.kwargs.items()}
        op = Op(op.function, args, kwargs, op.outs, op.line, op.several)
        if not op.effect:
            same = _same(op)
            if same is not None:
                renamed[op.out] = same
                continue
            if _constant(op):
                constants = _folded(op)
                if constants is not None:
                    renamed.update(constants)
                    continue
            key = _key(op)
            first = known.get(key) if key is not None else None
            if first is not None:
                renamed.update(zip(op.outs, first.outs, strict=True))
                continue
            if key is not None:
                known[key] = op
        ops.append(op)
    outputs, inputs = program.outputs, program.inputs
    for o in outputs:
        o.var = _kept(o.var, renamed, ops)
    for i in inputs:
        if i.written is not None:
            i.written = _kept(i.written, renamed, ops)
            if i.written is i.var:
                i.written = None
    return _alive(Program(inputs, ops, outputs))


def _renamed(x: Any, renamed: dict[Var, Any]) -> Any:
    return map_vars(lambda v: renamed.get(v, v), x)


def _kept(var: Var, renamed: dict[Var, Any], ops: list[Op]) -> Var:
    """The variable that a result has become; one that has become a constant is made of it."""
    new = renamed.get(var, var)
    if isinstance(new, Var):
        return new
    ops.append(Op(constant, (new,), {}, (var,)))
    return var


def _same(op: Op) -> Any:
    """The argument that the operation gives unchanged, to the last bit; ``None`` where it does not."""
    f, args = op.function, op.args
    if not args or op.kwargs or len(op.outs) != 1:
        return None
    x = args[0]
    if f is cast:
        return x if isinstance(x, Var) and x.dtype == args[1] and x.python is op.out.python else None
    if not isinstance(x, Var) and len(args) < 2:
        return None
    if f in _SAME and isinstance(x, Var) and x.dtype.kind != "c" and _like(x, op.out):
        return x
    if f in (np.broadcast_to, np.reshape) and isinstance(x, Var) and x.shape == op.out.shape and _like(x, op.out):
        return x
    if len(args) != 2:
        return None
    for a, b, right in ((args[0], args[1], True), (args[1], args[0], False)):
        if isinstance(a, Var) and _like(a, op.out) and _is_number(b):
            if b == 1 and (f in _TIMES or (right and f in _DIVIDED)):
                return a
            if b == 0 and right and f in _LESS and not np.signbit(b):
                return a
    return None


def _like(a: Var, b: Var) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.python is b.python


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, (bool, np.bool_))


def _constant(op: Op) -> bool:
    return not op.reads and op.function is not constant and not (op.function is filled and op.out.shape)


def _folded(op: Op) -> dict[Var, Any] | None:
    """What an operation of constants gives; ``None`` where that is an array that is better made anew."""
    with np.errstate(all="ignore"):
        try:
            y = op.function(*op.args, **op.kwargs)
        except Exception:
            return None
    parts = y if len(op.outs) > 1 or isinstance(y, (tuple, list)) else (y,)
    for x in parts:
        if isinstance(x, np.ndarray):
            x.flags.writeable = False
    return dict(zip(op.outs, parts, strict=True))


def _key(op: Op) -> Any:
    """Equal for operations that compute the same; ``None`` where that cannot be told."""
    try:
        parts = tuple(map(_identity, op.args)), tuple((k, _identity(x)) for k, x in sorted(op.kwargs.items()))
        key = (op.function, *parts)
        hash(key)
        return key
    except TypeError:
        return None


def _identity(x: Any) -> Any:
    if isinstance(x, Var):
        return x
    if isinstance(x, float):
        return type(x), x.hex() if x == x else "nan"
    if isinstance(x, np.generic):
        return x.dtype, x.tobytes()
    if isinstance(x, _EXACT):
        return type(x), x
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.strides, x.tobytes()
    if isinstance(x, (tuple, list)):
        return type(x), tuple(map(_identity, x))
    if isinstance(x, slice):
        return slice, tuple(map(_identity, (x.start, x.stop, x.step)))
    if callable(x):
        return id(x)
    raise TypeError


def _alive(program: Program) -> Program:
    """Without the operations that no result, draw or check needs, and with what may change something at the end."""
    needed = set(program.results)
    ops: list[Op] = []
    for op in reversed(program.ops):
        if op.effect or not needed.isdisjoint(op.outs):
            ops.append(op)
            needed.update(op.reads)
    inputs = [i for i in program.inputs if i.var in needed or i.written is not None]
    return Program(inputs, ops[::-1], program.outputs)
