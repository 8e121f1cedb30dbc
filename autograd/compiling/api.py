"""``jit``: run a function once on Tracers, and from then on the program that this gave."""

from __future__ import annotations

import ctypes
import functools
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..trees import leaves
from ..value import Value
from . import numba_backend, numpy_backend
from .capture import Captured, capture, one_at_a_time
from .glue import MISS, glue
from .levels import vectorised
from .passes import simplified
from .program import Program
from .trace import tracing

__all__ = ["Jitted", "Plan", "jit"]

_MANY = 8  # traces of one function, after which it is said once
_MOST = 64  # plans that are kept
_BACKENDS = {"numba": numba_backend.compile_program, "numpy": numpy_backend.compile_program}


class Plan:
    """What runs for one signature: the program, and the functions made of it.

    Attributes:
        program: the operations, inputs and outputs.
        source: the program as it was generated, a text.
    """

    def __init__(self, captured: Captured, program: Program, backend: str) -> None:
        captured.program = self.program = program
        compiled = _BACKENDS[backend](program)
        self.backend, self.source, self.run = backend, compiled.source, compiled.run
        self.call, self.fits, self.entry = glue(captured, compiled.run)
        self.integers = captured.state.integers


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would walk the growing program again and again, and find nothing.

    It walks what is new once at the end, since a trace holds itself, and with it all arrays that it has computed.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
            gc.collect(0)
            _give_back()


def _give_back() -> None:
    """What a trace has freed goes back to the system: C's library would keep it for arrays that steps never make.

    A plan has memory of its own, so that a process would hold the arrays of an eager step besides, where the library is
    GNU's. Others have no such function.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class Source(str):
    """A text that shows itself as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Jitted:
    """A function that runs as a program; see ``jit``."""

    def __init__(self, f: Callable, backend: str) -> None:
        functools.update_wrapper(self, f)
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__wrapped_function__ = f
        self.backend = backend
        self._plans: list[Plan] = []  # the one that ran last comes first
        self._moving: set = set()  # integers of the state that change from call to call
        self._fixed: set = set()  # those that it must know
        self._gradients = False
        self._traces = 0
        self._lock = threading.RLock()  # because a plan computes into arrays of its own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.get() is not None:  # inside of another: part of its program
            return self.__wrapped_function__(*args, **kwargs)
        with self._lock:
            plans = self._plans
            if plans:
                result = plans[0].call(args, kwargs)
                if result is not MISS:
                    return result
                for plan in plans[1:]:
                    result = plan.call(args, kwargs)
                    if result is not MISS:
                        plans.remove(plan)
                        plans.insert(0, plan)
                        return result
            if any(isinstance(x, Value) for x in leaves((args, kwargs))):  # to be differentiated: recorded
                return self.__wrapped_function__(*args, **kwargs)
            with one_at_a_time:  # also the first run, since the trace of another thread changes what both reach
                with _uncollected():
                    plan = self._planned(args, kwargs)
                result = plan.call(args, kwargs)
                return self.__wrapped_function__(*args, **kwargs) if result is MISS else result

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The generated program for these arguments, as text; nothing is run but the trace, where there is none yet.

        >>> print(jit(lambda x: x * x + 1, backend="numpy").source(2.0))  # doctest: +ELLIPSIS
        # x0: args[0], float
        def run(x0):
            ...
            t1 = x0 * x0
            t2 = t1 + 1
            return [t2]
        <BLANKLINE>
        """
        return Source(self.plan(*args, **kwargs).source)

    @property
    def program(self) -> Program:
        """The program that ran last; ``ValueError`` before the first call."""
        if not self._plans:
            raise ValueError(f"{self!r} has no program before its first call; write .plan(...) with its arguments")
        return self._plans[0].program

    def plan(self, *args: Any, **kwargs: Any) -> Plan:
        """The plan for these arguments; it is made, but not run, where there is none yet."""
        with self._lock:
            for plan in self._plans:
                if plan.fits(args, kwargs) is not MISS:
                    return plan
            return self._planned(args, kwargs)

    def _planned(self, args: tuple, kwargs: dict) -> Plan:
        captured = self._captured(args, kwargs)
        program = simplified(captured.program)
        if captured.fakes & {i.var for i in program.inputs}:  # what was in .grad before does matter
            self._gradients = True
            captured = self._captured(args, kwargs)
            program = simplified(captured.program)
        plan = Plan(captured, vectorised(program), self.backend)
        self._plans.insert(0, plan)
        del self._plans[_MOST:]
        self._traces += 1
        if self._traces == _MANY + 1:
            warnings.warn(f"jit: {self.__name__} has been traced {self._traces} times, because shapes, dtypes or "
                          "Python constants of its arguments, or of the state that it reaches, keep changing: pad "
                          "arrays to one shape, and pass numbers as floats or NumPy scalars", RuntimeWarning,
                          stacklevel=3)
        return plan

    def _captured(self, args: tuple, kwargs: dict) -> Captured:
        """A trace, in which integers of the state that have changed since the last are numbers that may change."""
        changed = {slot.identity for plan in self._plans for slot, n in plan.integers if slot.get() != n} - self._fixed
        self._moving |= changed
        try:
            return capture(self.__wrapped_function__, args, kwargs, self._moving, self._gradients)
        except Exception:
            if not changed:
                raise
        self._moving -= changed  # the function needs to know them
        self._fixed |= changed
        return capture(self.__wrapped_function__, args, kwargs, self._moving, self._gradients)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return Jitted, (self.__wrapped_function__, self.backend)

    def __repr__(self) -> str:
        return f"jit({self.__wrapped_function__!r})"


def jit(f: Callable, *, backend: str | None = None) -> Jitted:
    """``f``, at the speed of its arithmetic: traced once for each signature, and then run as a program.

    The first call with arguments of new shapes, dtypes or Python constants runs ``f`` on Tracers, which write down
    every NumPy call: forward pass, backward pass, update. Later calls run only these, compiled by Numba where it is
    installed (``backend="numba"``), else as calls of NumPy (``backend="numpy"``).

    >>> import numpy as np
    >>> from autograd import grad, jit
    >>> slope = jit(grad(lambda x: np.sum(np.sin(x) ** 2)))
    >>> slope(np.array([0.0, np.pi / 4])).round(6)
    array([0., 1.])
    """
    if not callable(f):
        raise TypeError(f"f: expected a function, got {f!r:.60}")
    if backend not in (None, *_BACKENDS):
        raise ValueError(f"backend: expected one of {', '.join(map(repr, _BACKENDS))}, got {backend!r}")
    if backend == "numba" and numba_backend.available() is not None:
        raise ModuleNotFoundError(f"backend: {numba_backend.available()}: pip install 'nudgegrad[jit]'")
    return Jitted(f, backend or _usual())


@functools.cache
def _usual() -> str:
    """The backend where none is asked for; where it is not Numba, that is said once."""
    reason = numba_backend.available()
    if reason is not None:
        warnings.warn(f"jit: {reason}, so that programs run as calls of NumPy, which is slower for small arrays: "
                      "pip install 'nudgegrad[jit]'", RuntimeWarning, stacklevel=3)
    return "numpy" if reason else "numba"


