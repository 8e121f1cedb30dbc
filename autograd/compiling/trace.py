"""``Trace``: the list of calls that a run on Tracers leaves."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..lines import users_frame, users_line
from ..numerics import divide, power
from ..registry import name_of
from .program import Draw, Input, Op, Part, Var, added_at, cast, constant, filled, updated
from .random import Generated
from .tracer import Number, Tracer, TracingError, concrete

__all__ = ["Trace", "tracing"]

_PYTHON = (float, int, bool, complex)
_SAFE = {operator.truediv: divide, operator.pow: power}  # of Python numbers, with inf or nan where Python raises
_INDEXING = {operator.getitem, updated, added_at}
# What gives as many numbers whatever its integers are; of all others an integer may be a size, an axis or a count.
_ANY_NUMBERS = {*(f for f in vars(operator).values() if callable(f)), cast, filled, constant, float, np.where, np.clip,
                np.take, np.roll, np.searchsorted}
tracing: ContextVar[Trace | None] = ContextVar("tracing", default=None)


class Trace:
    """What a run on Tracers has read, called and asked for.

    ``inputs`` are the variables it began with, ``ops`` the calls in their order; ``asked`` are the Python numbers whose
    value decided what was called, with what asked for them, and where.
    """

    def __init__(self) -> None:
        self.inputs: dict[Var, Input] = {}
        self.ops: list[Op] = []
        self.made: dict[Var, Op] = {}
        self.asked: dict[Var, tuple[str, Any]] = {}
        self.closed = False
        self._inside: Exception | None = None
        self._constants: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def input(self, value: Any, source: Any) -> Tracer:
        """A Tracer of an array or a number that is read anew at each call."""
        if isinstance(value, np.random.Generator):
            var = Var((), np.dtype(object))
            self.inputs[var] = Input(var, source)
            return Tracer(self, value, var)
        array = isinstance(value, np.ndarray)
        if isinstance(value, (np.ma.MaskedArray, np.matrix)):
            raise TracingError(f"{source!r} is a {type(value).__name__}, which has arithmetic of its own",
                               "Pass a plain array: np.where(mask, 0, a), np.asarray(a).")
        if array and not value.ndim:
            value = value[()]
        var = self._var(value)
        self.inputs[var] = Input(var, source)
        return (Number if var.python else Tracer)(self, value, var, array)

    def record(self, function: Callable, args: Any, kwargs: Mapping[str, Any]) -> Any:
        """Compute ``function(*args, **kwargs)`` and write it down; the results as Tracers."""
        if self.closed:
            raise TracingError("a traced value is used after its trace has ended", "Return what is needed later from "
                               "the jitted function; what it stores in lists or attributes is lost.", 4)
        if function in _INDEXING:
            args = (args[0], _sliced(args[1]), *args[2:])
        elif function not in _ANY_NUMBERS and not isinstance(function, np.ufunc):
            args, kwargs = [_sized(a) for a in args], {k: _sized(x) for k, x in kwargs.items()}
        values = [concrete(a) for a in args]
        named = {k: concrete(x) for k, x in kwargs.items()} if kwargs else {}
        y = _SAFE.get(function, function)(*values, **named)
        first: Any = next(iter(args), None)
        if isinstance(first, Tracer) and y is first.value and first.shape:
            return first  # np.atleast_1d(x) is x, and changes with it
        if isinstance(y, (tuple, list)):
            parts = [self._wrapped(x, function) for x in y]
            self._append(function, args, kwargs, tuple(p.variable for p in parts), several=True)
            for i, part in enumerate(parts):
                self._watch(part, Part(function, i), args, kwargs)
            return type(y)(*parts) if hasattr(y, "_fields") else type(y)(parts)
        result = self._wrapped(y, function)
        self._append(function, args, kwargs, (result._var,))
        self._watch(result, function, args, kwargs)
        return result

    def _watch(self, result: Tracer, function: Callable, args: Any, kwargs: Mapping[str, Any]) -> None:
        """Note where a result is a view of the first argument."""
        first, y = next(iter(args), None), result._value
        if isinstance(first, Tracer) and isinstance(y, np.ndarray) and y.base is not None and (
                np.may_share_memory(y, first.value)):
            result._view, result._watched = (function, tuple(args), dict(kwargs)), first.version

    def like(self, function: Callable, value: Any, args: tuple, kwargs: dict) -> Any:
        """``np.zeros_like`` and its kin, which need the shape and the dtype alone."""
        if value is None:
            model, value = args if len(args) > 1 else (*args, kwargs["fill_value"])
            if isinstance(value, Tracer):
                named = {k: x for k, x in kwargs.items() if k != "fill_value"}
                y = np.full_like(concrete(model), value.value, **named)
                shaped = self.record(np.broadcast_to, (value, y.shape), {})
                return shaped.astype(y.dtype).copy()
        y: Any = function(*concrete(args), **kwargs)
        result = self.record(filled, (np.shape(y), value, y.dtype), {})
        result.mutable = True
        return result

    def effect(self, function: Callable, args: Any, kwargs: Mapping[str, Any] | None = None, value: Any = None) -> Any:
        """Write down a call that does more than compute, and whose result in this run is ``value``."""
        if self._inside is not None:
            raise self._inside
        if isinstance(function, Draw):
            args, kwargs = [_sized(a) for a in args], {k: _sized(x) for k, x in (kwargs or {}).items()}
        result = None if value is None else self._wrapped(value, function)
        self._append(function, args, kwargs or {}, () if result is None else (result._var,))
        return result

    def _append(self, function: Callable, args: Any, kwargs: Mapping[str, Any], outs: tuple[Var, ...],
                several: bool = False) -> None:
        frame: Any = users_frame(sys._getframe(2))
        line = None if frame is None else (frame.f_code, frame.f_lasti)
        frozen = {k: self._frozen(x) for k, x in kwargs.items()}
        op = Op(function, tuple([self._frozen(a) for a in args]), frozen, outs, line, several)
        self.ops.append(op)
        for var in outs:
            self.made[var] = op

    def _frozen(self, x: Any) -> Any:
        """An argument as the program keeps it: a variable, or a constant that nobody can change any more."""
        if isinstance(x, Tracer):
            if x._trace is not self:
                raise TracingError("a value of another trace is used", "Pass it as an argument.", 5)
            return x.variable
        if isinstance(x, Generated):
            return x.var
        if isinstance(x, np.ndarray):
            known = self._constants.setdefault(id(x), [])
            for original, copy in known:
                if original is x and x.dtype == copy.dtype and x.shape == copy.shape and (
                        x.tobytes() == copy.tobytes()):
                    return copy
            copy = x.copy()
            copy.flags.writeable = False
            known.append((x, copy))
            return copy
        if type(x) in (tuple, list):
            return type(x)([self._frozen(item) for item in x])
        if isinstance(x, slice):
            return slice(self._frozen(x.start), self._frozen(x.stop), self._frozen(x.step))
        return x

    def _wrapped(self, value: Any, function: Callable) -> Tracer:
        if isinstance(value, np.ndarray) and not value.ndim:
            value = value[()]
        try:
            var = self._var(value)
            return (Number if var.python else Tracer)(self, value, var)
        except TypeError:
            raise TracingError(f"{name_of(function)} gave a {type(value).__name__}, which is no array",
                               "Call it outside of the jitted function.", 4) from None

    @staticmethod
    def _var(value: Any) -> Var:
        if type(value) in _PYTHON:
            return Var((), np.dtype(type(value)), type(value))
        if not isinstance(value, (np.ndarray, np.generic)):
            raise TypeError
        return Var(value.shape, value.dtype)

    @contextmanager
    def opaque(self, error: Exception) -> Iterator[None]:
        """Inside, effects raise ``error``: what is written down as one operation must do no more than compute."""
        self._inside, before = error, self._inside
        try:
            yield
        finally:
            self._inside = before

    def sources(self, *variables: Var) -> set[Var]:
        """The inputs that the variables were computed from."""
        seen, stack = set(variables), list(variables)
        while stack:
            op = self.made.get(stack.pop())
            if op is not None:
                fresh = [v for v in op.reads if v not in seen]
                seen.update(fresh)
                stack.extend(fresh)
        return {v for v in seen if v in self.inputs}

    def depends_on_numbers(self, var: Var, what: str) -> bool:
        """Whether a number follows from Python numbers of the state alone: the plan then holds for these numbers."""
        sources = self.sources(var)
        for v in sources:
            if v.python is None or not self.inputs[v].source.guardable:
                return False
        drawn = [var]
        while drawn:
            op = self.made.get(drawn.pop())
            if op is not None:
                if op.effect:
                    return False
                drawn.extend(op.reads)
        for v in sources:
            self.asked.setdefault(v, (what, users_line(sys._getframe(3))))
        return True


def _sized(x: Any) -> Any:
    """An argument with Python integers for traced ones: the plan then holds for these, or it is an error."""
    if isinstance(x, Tracer):
        return x if x.shape or x.dtype.kind not in "iu" else operator.index(x)
    if type(x) in (tuple, list):
        return type(x)([_sized(item) for item in x])
    return _sliced(x)


def _sliced(x: Any) -> Any:
    if isinstance(x, slice):
        return slice(*(operator.index(i) if isinstance(i, Tracer) else i for i in (x.start, x.stop, x.step)))
    return tuple([_sliced(part) for part in x]) if type(x) is tuple else x
