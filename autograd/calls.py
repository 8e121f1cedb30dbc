"""Calls of NumPy functions and what they give, brought into the form that a node records, or refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .registry import REFUSED, RULES, name_of

__all__ = ["as_one", "by_name", "check_rule", "floating", "is_floating", "positional", "without_out"]


def without_out(op: Callable, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords less an ``out`` that is not used; one that is used is an error."""
    out = kwargs["out"]
    if not (out is None or (isinstance(out, tuple) and all(x is None for x in out))):
        name = name_of(op)
        raise TypeError(f"{name}(..., out=...) cannot record into an array: write y = {name}(...); for an operator "
                        "on an array, such as a += v, write a = a + v")
    return {k: v for k, v in kwargs.items() if k != "out"}


def positional(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any],
               holds_value: Callable[[Any], bool]) -> tuple[tuple, dict]:
    """The same call with every Value among the keywords passed by position, where the reverse pass finds it."""
    if op is np.clip:  # whose min and max are other names of a_min and a_max
        kwargs = {f"a_{k}" if k in ("min", "max") else k: v for k, v in kwargs.items()}
        kwargs = {k: None for k in ("a_min", "a_max")[max(len(args) - 1, 0):]} | kwargs
    try:
        bound = inspect.signature(op).bind(*args, **kwargs)
    except (TypeError, ValueError) as error:
        names = ", ".join(k for k, v in kwargs.items() if holds_value(v))
        raise TypeError(f"{name_of(op)}: pass the Value {names} by position, not by name") from error
    bound.apply_defaults()
    parameters = list(bound.signature.parameters.values())
    last = max(i for i, p in enumerate(parameters) if holds_value(bound.arguments[p.name])
               or (p.kind is p.VAR_KEYWORD and any(map(holds_value, bound.arguments[p.name].values()))))
    moved: list[Any] = []
    for p in parameters[: last + 1]:
        value = bound.arguments[p.name]
        if p.kind is p.VAR_KEYWORD or (p.kind is p.KEYWORD_ONLY and holds_value(value)):
            raise _constant_only(op, p.name)
        moved.extend(value if p.kind is p.VAR_POSITIONAL else [value])
    named = {p.name for p in parameters[: last + 1]}
    return tuple(moved), {k: v for k, v in kwargs.items() if k not in named}


def _constant_only(op: Callable, name: str) -> TypeError:
    return TypeError(f"{name_of(op)} has no derivative with respect to its keyword {name}: pass .data for a constant")


def as_one(function: Callable, args: Sequence[Any], kwargs: Mapping[str, Any], error: Exception) -> Any:
    """A call that a trace could not follow inside, as one operation of the trace; ``error`` where there is no trace."""
    for x in args:
        for item in x if isinstance(x, (list, tuple)) else (x,):
            if hasattr(item, "checked"):
                return item.as_one(function, args, kwargs, error)
    try:
        raise error
    finally:
        del error  # whose traceback holds this frame


def by_name(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any], most: Any,
            holds_value: Callable[[Any], bool]) -> tuple[Sequence, Mapping]:
    """The same call with the arguments from the position ``most`` on passed by name, and without an ``out`` of None."""
    try:
        names = list(inspect.signature(op).parameters)[most : len(args)]
    except (TypeError, ValueError):
        return args, kwargs
    moved = dict(zip(names, args[most:], strict=False))
    for name, value in moved.items():
        if name != "out" and holds_value(value):
            raise _constant_only(op, name)
    return args[:most], without_out(op, {"out": None, **moved, **kwargs})


def check_rule(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any],
               holds_value: Callable[[Any], bool]) -> None:
    """Raise ``TypeError`` unless ``op`` has a rule that covers this call."""
    rule = RULES.get(op)
    if rule is None:
        name = name_of(op)
        if op in REFUSED:
            raise TypeError(f"{name} does not take Values: {REFUSED[op]}")
        if name.endswith(" (vectorized)"):
            raise TypeError(f"{name}, made by np.frompyfunc, computes with objects, not with Values: apply the Python "
                            "function itself, if it consists of NumPy's, or write np.stack([f(x) for x in v])")
        raise TypeError(f"{name} has no derivative rule. Add one with "
                        f"autograd.defvjp({name}, lambda y, x: lambda g: g * ...), "
                        "or pass v.data where no gradient is wanted")
    unknown = [f"{k}=" for k in rule.unknown(kwargs)] if kwargs else []
    if unknown or len(args) > rule.most:
        raise TypeError(f"the derivative rule of {name_of(op)} does not cover "
                        f"{', '.join(unknown) or f'{len(args)} arguments'}; pass v.data where no gradient is wanted")
    if rule.check is not None:
        rule.check(*args, **kwargs)
    if len(args) <= rule.complete:
        return
    for i, a in enumerate(args):
        if holds_value(a) and not rule.reaches(i):
            raise TypeError(f"{name_of(op)} has no derivative rule with respect to argument {i}. Add one with "
                            f"autograd.defvjp({name_of(op)}, ..., argnums=...), or pass .data for a constant")


def is_floating(data: Any, op: Any) -> bool:
    """Whether a result holds real or complex floats, and so is a Value; integers and booleans are plain.

    Raises ``TypeError`` for what is no number: a Value made of it would be wrong, and dropping it would lose gradients.
    """
    if isinstance(data, (float, complex)):
        return True
    if hasattr(data, "parents"):
        raise TypeError(f"{name_of(op)} computed with a Value that is not among its arguments: pass it as one, so that "
                        "its gradient has a rule")
    kind = getattr(getattr(data, "dtype", None), "kind", None)
    if kind in ("f", "c") and (type(data) is np.ndarray or not isinstance(data, np.ndarray)):
        return True
    if kind in ("b", "i", "u") or isinstance(data, (bool, int)):
        return False
    what = f"{type(data).__name__} of dtype {data.dtype}" if kind else type(data).__name__
    raise TypeError(f"{name_of(op)} gave a {what}, which is no array of floats: convert the arguments to plain arrays "
                    "of floats, by .astype(float) or np.asarray")


def floating(data: Any, op: Any) -> Any:
    """What a primitive returned, with integers as floats."""
    if type(data) is float:
        return data
    if not is_floating(data, op):
        return float(data) if isinstance(data, (int, np.bool_, np.integer)) else data.astype(float)
    return data[()] if type(data) is np.ndarray and not data.ndim else data
