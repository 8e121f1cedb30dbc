"""The program that a trace gives: calls of NumPy functions on variables that are assigned once, and what it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..check import check
from ..registry import name_of

__all__ = ["Changed", "Draw", "Input", "Op", "Output", "Part", "Program", "Var", "added_at", "cast", "check",
           "constant", "filled", "map_vars", "masked", "updated", "vars_in"]


class Var:
    """A variable of a program: an array of fixed shape and dtype, or a Python number.

    ``python`` is the type of a Python number (``float``, ``int``, ``bool``, ``complex``), else ``None``. NumPy's
    scalars are variables of shape () with ``python`` ``None``: they take part in dtype promotion, Python's do not.
    """

    __slots__ = ("dtype", "python", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, python: type | None = None) -> None:
        self.shape, self.dtype, self.python = shape, dtype, python

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        n = 1
        for k in self.shape:
            n *= k
        return n

    def __repr__(self) -> str:
        kind = self.python.__name__ if self.python else str(self.dtype)
        return f"{kind}{list(self.shape)}" if self.shape else kind


class Op:
    """``outs = function(*args, **kwargs)``. Arguments are variables, constants, and lists and tuples of both.

    One result is one variable in ``outs``; of a function that gives a tuple or list (``np.linalg.eigh``), which is then
    ``several``, each of its results is one. ``line`` is the user's line.
    """

    __slots__ = ("args", "function", "kwargs", "line", "outs", "several")

    def __init__(self, function: Callable, args: tuple, kwargs: Mapping[str, Any], outs: tuple[Var, ...],
                 line: Any = None, several: bool = False) -> None:
        self.function, self.args, self.kwargs, self.outs, self.line = function, args, kwargs, outs, line
        self.several = several

    @property
    def out(self) -> Var:
        return self.outs[0]

    @property
    def reads(self) -> list[Var]:
        """The variables among the arguments, in order, with repeats."""
        return [*vars_in(self.args), *vars_in(tuple(self.kwargs.values()))]

    @property
    def effect(self) -> bool:
        """Whether it does more than compute: it draws random numbers, or checks and may raise."""
        return isinstance(self.function, Draw) or self.function is check

    def __repr__(self) -> str:
        return f"{self.outs} = {name_of(self.function)}{self.args}"


class Input:
    """Where a variable comes from at each call, and which variable, if any, holds its contents afterwards.

    ``source`` says so to whoever calls the program. An array that is ``written`` is overwritten in place by that
    variable's numbers, at the end, when nothing can fail any more.
    """

    __slots__ = ("source", "var", "written")

    def __init__(self, var: Var, source: Any, written: Var | None = None) -> None:
        self.var, self.source, self.written = var, source, written


class Output:
    """A variable that the caller gets: as a ``fresh`` array, or in one that the next call may overwrite."""

    __slots__ = ("fresh", "target", "var")

    def __init__(self, var: Var, target: Any = None, fresh: bool = True) -> None:
        self.var, self.target, self.fresh = var, target, fresh


class Program:
    """Inputs, operations in an order that works, and outputs: a function of arrays, written out.

    A compiled program is called as ``run(*inputs)`` with an array or a number for each input, in order; it overwrites
    those that are written, and returns the list of outputs. Each effect happens in the order of ``ops``.
    """

    __slots__ = ("inputs", "ops", "outputs")

    def __init__(self, inputs: list[Input], ops: list[Op], outputs: list[Output]) -> None:
        self.inputs, self.ops, self.outputs = inputs, ops, outputs

    @property
    def results(self) -> list[Var]:
        """The variables that must be there at the end."""
        return [*(o.var for o in self.outputs), *(i.written for i in self.inputs if i.written is not None)]


def vars_in(x: Any) -> Iterator[Var]:
    """The variables that ``x`` is or holds."""
    if isinstance(x, Var):
        yield x
    elif isinstance(x, (tuple, list)):
        for item in x:
            yield from vars_in(item)
    elif isinstance(x, slice):
        yield from vars_in((x.start, x.stop, x.step))


def map_vars(function: Callable, x: Any) -> Any:
    """``x`` with ``function(variable)`` in the place of each variable that it is or holds."""
    if isinstance(x, Var):
        return function(x)
    if type(x) in (tuple, list):
        return type(x)(map_vars(function, item) for item in x)
    if isinstance(x, slice) and any(vars_in(x)):
        return slice(*(map_vars(function, part) for part in (x.start, x.stop, x.step)))
    return x


# Operations that NumPy has as methods or statements, as functions


def cast(x: Any, dtype: np.dtype) -> Any:
    """``x`` in another dtype: ``x.astype(dtype)``."""
    return np.asarray(x).astype(dtype)[()] if np.ndim(x) == 0 else x.astype(dtype)


def filled(shape: tuple[int, ...], value: Any, dtype: np.dtype) -> np.ndarray:
    """An array of one number: what ``np.zeros_like`` and its kin give."""
    return np.full(shape, value, dtype)


def constant(x: Any) -> Any:
    """A constant as a result of the program."""
    return x


def updated(x: Any, index: Any, values: Any) -> Any:
    """A copy of ``x`` after ``x[index] = values``."""
    x = np.array(x)
    x[index] = values
    return x if x.shape else x[()]


def added_at(x: Any, index: Any, values: Any, ufunc: np.ufunc = np.add) -> Any:
    """A copy of ``x`` after ``ufunc.at(x, index, values)``: an element that is named twice is changed twice."""
    x = np.array(x)
    ufunc.at(x, index, values)
    return x if x.shape else x[()]


def masked(x: Any, where: Any, ufunc: np.ufunc, *args: Any, **kwargs: Any) -> Any:
    """A copy of ``x`` after ``ufunc(*args, out=x, where=where)``."""
    x = np.array(x)
    ufunc(*args, out=x, where=where, **kwargs)
    return x if x.shape else x[()]


class Changed:
    """A function that changes its first argument in place, as one that gives a changed copy: ``np.copyto``, …"""

    __slots__ = ("function",)

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        x = x.copy()
        self.function(x, *args, **kwargs)
        return x

    @property
    def __name__(self) -> str:
        return self.function.__name__


class Part:
    """One of the results of a function that has several."""

    __slots__ = ("function", "i")

    def __init__(self, function: Callable, i: int) -> None:
        self.function, self.i = function, i

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)[self.i]

    @property
    def __name__(self) -> str:
        return f"{name_of(self.function)}[{self.i}]"


class Draw:
    """Random numbers: a call of a method of a generator, which is the operation's first argument, a variable."""

    __slots__ = ("method",)

    def __init__(self, method: str) -> None:
        self.method = method

    def __call__(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(generator, self.method)(*args, **kwargs)

    @property
    def __name__(self) -> str:
        return self.method
