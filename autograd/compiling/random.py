"""Random draws in a trace: a generator that writes down its draws, and errors for those that nobody could repeat."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from .program import Draw
from .tracer import TracingError, concrete

__all__ = ["MAKE", "Generated", "Stream", "TracedGenerator", "no_generator"]

MAKE = np.random.default_rng  # which another function stands for while one is traced

_REMEDY = ("Make it outside of the jitted function, rng = np.random.default_rng(0), and use it inside: its draws are "
           "then new at each call.")


class TracedGenerator(np.random.Generator):
    """A copy of a generator: its draws are those of the original, which stays where it is, and are written down."""

    def __init__(self, trace: Any, original: np.random.Generator, source: Any) -> None:
        super().__init__(copy.deepcopy(original.bit_generator))
        self.plain = np.random.Generator(self.bit_generator)  # whose methods call each other, not those of this class
        self.trace = trace
        self.var = trace.input(original, source).variable

    def __reduce__(self) -> Any:
        raise TracingError("a generator is copied or pickled", "Use the generator itself, so that it moves on.")

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__reduce__()


def _method(name: str) -> Callable:
    original = getattr(np.random.Generator, name)

    def method(self: TracedGenerator, *args: Any, **kwargs: Any) -> Any:
        if kwargs.pop("out", None) is not None:
            raise TracingError(f"rng.{name}(out=...)", f"Write x = rng.{name}(...).")
        drawn = original(self.plain, *concrete(args), **{k: concrete(x) for k, x in kwargs.items()})
        return self.trace.effect(Draw(name), (Generated(self.var), *args), kwargs, drawn)

    method.__name__ = name
    return method


class Generated:
    """A generator as an argument of a draw: the trace takes its variable."""

    __slots__ = ("var",)

    def __init__(self, var: Any) -> None:
        self.var = var


def _refused(name: str, remedy: str) -> Callable:
    def method(self: TracedGenerator, *_: Any, **__: Any) -> Any:
        raise TracingError(f"rng.{name} of a traced generator", remedy)

    return method


for _name in dir(np.random.Generator):
    if not _name.startswith("_") and _name not in ("bit_generator", "spawn", "shuffle"):
        setattr(TracedGenerator, _name, _method(_name))
TracedGenerator.shuffle = _refused("shuffle", "Write x = rng.permutation(x).")  # type: ignore[method-assign]
TracedGenerator.spawn = _refused("spawn", _REMEDY)  # type: ignore[method-assign]


def no_generator(*_: Any, **__: Any) -> Any:
    """What stands for ``np.random.default_rng`` while a function is traced."""
    raise TracingError("a generator is made inside, so that its draws would be the same at every call", _REMEDY)


class Stream:
    """A generator of another kind, whose draws no trace sees, and where it stands."""

    __slots__ = ("source", "state")

    def __init__(self, source: Any) -> None:
        self.source = source
        self.state = self._read()

    def _read(self) -> Any:
        if hasattr(self.source, "getstate"):  # of Python's random
            return self.source.getstate()
        return self.source.get_state(legacy=False)

    def rewound(self) -> bool:
        """Whether it was drawn from, which is undone."""
        if _listed(self._read()) == _listed(self.state):
            return False
        (self.source.setstate if hasattr(self.source, "setstate") else self.source.set_state)(self.state)
        return True


def _listed(x: Any) -> Any:
    return {k: _listed(item) for k, item in x.items()} if isinstance(x, dict) else x.tolist() if hasattr(
        x, "tolist") else x
