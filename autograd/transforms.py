"""Functions of functions: ``grad`` and ``value_and_grad``."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .backward import owned, reverse_pass, reverse_topological
from .record import apply, recording
from .trees import leaves, tree_map
from .value import Value

__all__ = ["grad", "value_and_grad"]


def grad(f: Callable, argnum: int | tuple[int, ...] = 0) -> Callable:
    """The function that computes the gradient of ``f`` with respect to one argument, or a tuple of several.

    ``f`` returns a scalar; its arguments may be numbers, arrays, or nested dicts, lists and tuples of them, and the
    gradient has the same structure, shapes and dtypes. It is made of plain arrays, unless ``f`` was applied to, or
    refers to, Values: then the gradient is made of Values, and can be differentiated again. So ``grad(grad(f))``
    is the second derivative.

    Raises ``TypeError`` where ``argnum`` names no argument, an argument is not numeric, or ``f`` does not return a
    real scalar.

    >>> import numpy as np
    >>> f = lambda x: x**3
    >>> grad(f)(2.0), grad(grad(f))(2.0)
    (12.0, 12.0)
    >>> grad(lambda w, x: np.sum(w * x), argnum=(0, 1))(np.ones(2), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 1.]))
    """
    argnums = _checked(f, argnum)

    @functools.wraps(f, assigned=("__doc__",), updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _select(argnum, _evaluate(f, argnums, args, kwargs)[1])

    gradient.__name__ = f"grad_{getattr(f, '__name__', 'f')}"
    return gradient


def value_and_grad(f: Callable, argnum: int | tuple[int, ...] = 0) -> Callable:
    """The function that computes ``f`` and its gradient at once; see ``grad``.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    argnums = _checked(f, argnum)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, gradients = _evaluate(f, argnums, args, kwargs)
        return value, _select(argnum, gradients)

    return value_and_gradient


def _checked(f: Callable, argnum: int | tuple[int, ...]) -> tuple[int, ...]:
    """``argnum`` as a tuple."""
    if not callable(f):
        raise TypeError(f"f: expected a function, got {f!r}; write grad(f)(x), not grad(f(x))")
    argnums = tuple(argnum) if isinstance(argnum, (tuple, list)) else (argnum,)
    if not argnums or not all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in argnums):
        raise TypeError(f"argnum: expected an integer or a tuple of integers, got {argnum!r}")
    return argnums


def _evaluate(f: Callable, argnums: tuple[int, ...], args: tuple, kwargs: dict) -> tuple[Any, list]:
    """The value of ``f`` and its gradients with respect to the arguments ``argnums``."""
    inputs = list(args)
    for i in argnums:
        if not -len(args) <= i < len(args):
            raise TypeError(f"argnum: there is no argument {i}: the function was called with {len(args)} "
                            "positional arguments")
    with recording(True) as outside:
        nested = any(isinstance(x, Value) for i in argnums for x in leaves(args[i]))
        start = Value(0.0)  # what is older than this comes from outside
        for i in argnums:
            inputs[i] = tree_map(functools.partial(_fresh, i), args[i])
        targets = {x for i in argnums for x in leaves(inputs[i])}
        y = f(*inputs, **kwargs)
        _check_scalar(f, y)
        if not isinstance(y, Value):
            which = ", ".join(map(str, argnums))
            warnings.warn(f"the output of {_name(f)} does not depend on its argument {which} through recorded "
                          "operations: its gradient is 0", stacklevel=3)
            return y, [tree_map(_zero, inputs[i]) for i in argnums]
        nodes = reverse_topological(y)
        record = outside and (nested or nodes[-1]._order < start._order)
        one = 1.0 if type(y.data) is float else np.ones_like(y.data)[()]
        found = {node: g for node, g in reverse_pass(nodes, one, targets, record) if node in targets}

        def gradient_of(x: Value) -> Any:
            g = found.get(x)
            if record:
                return g if isinstance(g, Value) else Value(_zero(x) if g is None else g)
            return _zero(x) if g is None else owned(g)

        gradients = [tree_map(gradient_of, inputs[i]) for i in argnums]
    return (y if record else y.data), gradients


def _fresh(i: int, x: Any) -> Value:
    """A node of its own for an input, so that a Value that comes in twice, or also from outside, is told apart."""
    if isinstance(x, Value):
        return apply(np.positive, (x,))
    try:
        return Value(x)
    except TypeError as error:
        raise TypeError(f"argument {i}: cannot differentiate with respect to {type(x).__name__} {x!r:.60}: expected "
                        "numbers, arrays, or dicts, lists and tuples of them") from error


def _zero(x: Value) -> Any:
    return 0.0 if type(x.data) is float else np.zeros_like(x.data)[()]


def _select(argnum: int | tuple[int, ...], gradients: list) -> Any:
    return tuple(gradients) if isinstance(argnum, (tuple, list)) else gradients[0]


def _check_scalar(f: Callable, y: Any) -> None:
    if isinstance(y, (list, tuple, dict)) or getattr(y, "size", 1) != 1 or not hasattr(y, "__float__"):
        shape = getattr(y, "shape", None)
        got = f"{type(y).__name__} {y!r:.60}" if shape is None else f"shape {shape}"
        raise TypeError(f"grad needs a function that returns a scalar: {_name(f)} returned {got}; "
                        "sum it, or take the gradient of one element")
    if isinstance(y, complex) or getattr(getattr(y, "dtype", None), "kind", "f") == "c":
        raise TypeError(f"grad needs a function that returns a real number: {_name(f)} returned a complex one; "
                        "take np.real(...), np.imag(...) or np.abs(...) of it")


def _name(f: Callable) -> str:
    return getattr(f, "__name__", None) or repr(f)
