"""Calls of NumPy functions, brought into the form that a node records, or refused with the remedy."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .registry import RULES, name_of

__all__ = ["check_rule", "positional", "without_out"]


def without_out(op: Callable, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords less an ``out`` that is not used; one that is used is an error."""
    out = kwargs["out"]
    if not (out is None or (isinstance(out, tuple) and all(x is None for x in out))):
        name = name_of(op)
        raise TypeError(f"{name}(..., out=...) cannot record into an array: write y = {name}(...), "
                        "and a = a + v for a += v")
    return {k: v for k, v in kwargs.items() if k != "out"}


def positional(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any],
               holds_value: Callable[[Any], bool]) -> tuple[tuple, dict]:
    """The same call with every Value among the keywords passed by position, where the reverse pass finds it."""
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
        if p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD):
            raise TypeError(f"{name_of(op)} has no derivative with respect to its keyword {p.name}: "
                            "pass .data for a constant")
        value = bound.arguments[p.name]
        moved.extend(value if p.kind is p.VAR_POSITIONAL else [value])
    named = {p.name for p in parameters[: last + 1]}
    return tuple(moved), {k: v for k, v in kwargs.items() if k not in named}


def check_rule(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any],
               holds_value: Callable[[Any], bool]) -> None:
    """Raise ``TypeError`` unless ``op`` has a rule that covers this call."""
    rule = RULES.get(op)
    if rule is None:
        name = name_of(op)
        raise TypeError(f"{name} has no derivative rule. Add one with "
                        f"autograd.defvjp({name}, lambda y, x: lambda g: g * ...), "
                        "or pass v.data where no gradient is wanted")
    unknown = [f"{k}=" for k in rule.unknown(kwargs)] if kwargs else []
    if unknown or len(args) > rule.most:
        raise TypeError(f"the derivative rule of {name_of(op)} does not cover "
                        f"{', '.join(unknown) or f'{len(args)} arguments'}; pass v.data where no gradient is wanted")
    if len(args) <= rule.complete:
        return
    for i, a in enumerate(args):
        if holds_value(a) and not rule.reaches(i):
            raise TypeError(f"{name_of(op)} has no derivative rule with respect to argument {i}. Add one with "
                            f"autograd.defvjp({name_of(op)}, ..., argnums=...), or pass .data for a constant")
