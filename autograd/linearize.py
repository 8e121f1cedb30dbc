"""A function recorded at a point: its linear approximation there, to be applied in either direction."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .backward import owned, reverse_pass
from .forward import forward_pass
from .graph import in_dtype_of, leading_to, reverse_topological
from .numerics import is_numeric, like_number
from .record import recording
from .trees import leaves, tree_map
from .value import Value, creation, holds_value, leaf

__all__ = ["Linearization", "check_numeric", "checked_argnums", "described", "name_of_user", "ones",
           "warn"]


class Linearization:
    """``f`` at ``args``, recorded, as a function of the arguments ``argnums``.

    ``pull`` applies the transpose of the Jacobian (reverse mode), ``push`` the Jacobian (forward mode). Both
    can be called many times. Gradients and tangents are plain arrays, unless ``f`` was applied to, or refers to, Values
    from outside: then they are Values as well, with a graph of their own. No two nested linearizations mix up their
    perturbations, because each keeps its own by node. One that is ``kept`` has copies of its arguments, because they
    may change before it is applied.
    """

    def __init__(self, f: Callable, argnums: tuple[int, ...], args: tuple, kwargs: dict, kept: bool = True) -> None:
        for i in argnums:
            if not -len(args) <= i < len(args):
                raise TypeError(f"argnum: there is no argument {i}: {name_of_user(f)} was called with {len(args)} "
                                "positional arguments")
        self.argnums = argnums
        inputs = list(args)
        with recording(True) as outside:
            for i in argnums:
                inputs[i] = tree_map(partial(_fresh, i, kept), args[i])
            self.since = next(creation)  # what is older, and no input, comes from outside
            self.inputs = [inputs[i] for i in argnums]
            self.sources = dict.fromkeys(leaves(self.inputs))
            self.y = f(*inputs, **kwargs)
        self.outputs = [self.y] if isinstance(self.y, Value) else [y for y in leaves(self.y) if isinstance(y, Value)]
        # Without the inputs: a pass leaves their gradients where they are.
        self.nodes = [node for node in reverse_topological(*self.outputs, since=self.since) if node not in self.sources]
        # All of them depend on the inputs, but for other leaves, and what comes from outside.
        others = [node for node in self.nodes if node.op is None or node._order < self.since]
        self.useful = leading_to(self.sources, self.nodes) if others else None
        self.record = outside and (any(x.op is not None for x in self.sources) or any(
            node._order < self.since for node in others))

    @property
    def value(self) -> Any:
        """What ``f`` returned; of Values only where gradients are, and else in arrays that may be changed."""
        return self.y if self.record else tree_map(lambda y: owned(y.data) if isinstance(y, Value) else y, self.y)

    def pull(self, gradients: Any = None) -> list:
        """The gradients of the inputs, one for each of ``argnums``, given those of the outputs, or of their sum."""
        with recording(True) as outside:
            found: dict[Value, Any] = {}
            record = outside and self.record

            def add(y: Any, g: Any) -> None:
                if isinstance(y, Value) and g is not None and (self.useful is None or y in self.useful):
                    g = _fitting("gradient", g, y)
                    found[y] = g if y not in found else found[y] + g

            if gradients is None:
                for y in self.outputs:
                    if self.useful is None or y in self.useful:
                        found[y] = ones(y) if y not in found else found[y] + ones(y)
            else:
                gradients = gradients if outside else tree_map(_data, gradients)
                record = record or (outside and holds_value(leaves(gradients)))
                tree_map(add, self.y, gradients)
            for _ in reverse_pass(self.nodes, found, self.useful, outside and self.record):
                pass

            def gradient_of(x: Value) -> Any:
                g = found.get(x)
                if record:
                    return g if isinstance(g, Value) else Value(_zero(x) if g is None else g)
                return _zero(x) if g is None else owned(g)

            return [tree_map(gradient_of, tree) for tree in self.inputs]

    def push(self, tangents: list) -> Any:
        """The tangents of the outputs, given those of the inputs, one for each of ``argnums``."""
        with recording(True) as outside:
            tangents = tangents if outside else tree_map(_data, tangents)
            record = outside and (self.record or holds_value(leaves(tangents)))
            moved: dict[Value, Any] = {}

            def start(x: Value, t: Any) -> None:
                moved[x] = _fitting("tangent", t, x)

            for tree, tangent in zip(self.inputs, tangents, strict=True):
                tree_map(start, tree, tangent)
            forward_pass(reversed(self.nodes), moved, outside and self.record)

            def tangent_of(y: Any) -> Any:
                t = moved.get(y) if isinstance(y, Value) else None
                if record:
                    return t if isinstance(t, Value) else Value(_zero(y) if t is None else t)
                return _zero(y) if t is None else owned(t)

            return tree_map(tangent_of, self.y)


def checked_argnums(f: Callable, argnum: int | tuple[int, ...]) -> tuple[int, ...]:
    """``argnum`` as a tuple; raises ``TypeError`` where it names no arguments, and where ``f`` is no function."""
    if not callable(f):
        raise TypeError(f"f: expected a function, got {f!r:.60}; write grad(f)(x), not grad(f(x))")
    argnums = tuple(argnum) if isinstance(argnum, (tuple, list)) else (argnum,)
    if not argnums or not all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in argnums):
        raise TypeError(f"argnum: expected an integer or a tuple of integers, got {argnum!r}")
    return argnums


def check_numeric(name: str, f: Callable, y: Any) -> None:
    """Raise ``TypeError`` unless ``y``, which ``f`` returned, is made of numbers: a forgotten ``return`` gives none."""
    for part in leaves(y):
        if not is_numeric(part):
            raise TypeError(f"{name} needs a function that returns numbers or arrays: {name_of_user(f)} returned "
                            f"{type(part).__name__} {part!r:.60}")


def described(y: Any) -> str:
    """What a function returned, in a few words."""
    shape = getattr(y, "shape", None)
    return f"{type(y).__name__} {y!r:.60}" if shape is None else f"shape {shape}"


def warn(text: str) -> None:
    """Warn at the line of the user, which may be several of our own calls away."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def name_of_user(f: Callable) -> str:
    return getattr(f, "__name__", None) or repr(f)


def _fresh(i: int, kept: bool, x: Any) -> Value:
    """A node of its own for an input, so that a Value that comes in twice, or also from outside, is told apart."""
    if isinstance(x, Value):
        return +x  # np.positive, recorded
    if type(x) is float or (not kept and type(x) is np.ndarray and x.ndim and x.dtype.kind == "f"):
        return leaf(x)
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if isinstance(x, (int, np.integer, np.bool_)) or (kind is not None and kind in "biu"):
        what = f"an array of dtype {np.result_type(x)}" if np.ndim(x) else f"{type(x).__name__} {x!r}"
        better = "x.astype(float)" if kind else f"{float(x)}"
        raise TypeError(f"argument {i}: expected floats, got {what}: only of real or complex numbers there is a "
                        f"derivative; write {better}")
    try:
        return Value(x)
    except TypeError as error:
        raise TypeError(f"argument {i}: cannot differentiate with respect to {type(x).__name__} {x!r:.60}: expected "
                        "numbers, arrays, or dicts, lists, tuples and dataclasses of them") from error


def _fitting(what: str, g: Any, like: Value) -> Any:
    """``g`` in the dtype of the Value it belongs to."""
    g = np.asarray(g) if isinstance(g, (list, tuple)) else g
    if not is_numeric(g):
        raise TypeError(f"{what}: expected numbers, got {type(g).__name__} {g!r:.60}")
    if getattr(g, "shape", ()) != like.shape:
        raise ValueError(f"{what}: expected the shape {like.shape} of the value it belongs to, got {np.shape(g)}; "
                         "write np.full_like(y, g) to repeat a number")
    if np.iscomplexobj(g) and like.dtype.kind != "c":
        raise TypeError(f"{what}: expected real numbers for a real value, got complex ones")
    return in_dtype_of(g, like.dtype)


def _data(y: Any) -> Any:
    return y.data if isinstance(y, Value) else y


def ones(y: Any) -> Any:
    """The gradient of an output when they are added up."""
    data = _data(y)
    if isinstance(data, float):
        return 1.0
    one = type(data)(1) if isinstance(data, np.inexact) else np.ones_like(data)[()]
    return like_number(one, data)


def _zero(y: Any) -> Any:
    data = _data(y)
    if type(data) in (float, int, bool):
        return 0.0
    zero = np.zeros_like(data, dtype=None if np.result_type(data).kind in "fc" else float)[()]
    return like_number(zero, data)
