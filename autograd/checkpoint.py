"""``checkpoint``: what a function computes inside is not kept, but computed again when a derivative needs it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .numerics import is_numeric
from .record import primitive
from .registry import definition
from .trees import leaves, tree_map
from .value import Value

__all__ = ["checkpoint", "recomputed"]

F = TypeVar("F", bound=Callable)
_HOLE = object()


@primitive
def recomputed(arrays: list, call: Callable) -> Any:
    """``call(arrays)``, as one node that keeps nothing but the arrays."""
    return call(arrays)


definition(recomputed, lambda arrays, call: call(arrays), joins=True)


def checkpoint(f: F) -> F:
    """``f`` as one node of the graph, whose inside is recorded only while a derivative passes through it.

    That trades time for memory: of a long computation cut into such pieces, only their arguments and results are kept,
    and each piece is computed once more per pass. ``f`` must be a function of its arguments alone: it must not draw
    random numbers, nor refer to Values that are not among its arguments (a ``TypeError`` says so).

    >>> from autograd import grad
    >>> grad(checkpoint(lambda x: x**3))(2.0)
    12.0
    """

    if not callable(f):
        raise TypeError(f"f: expected a function, got {f!r:.60}; write checkpoint(f)(x), not checkpoint(f(x))")

    @functools.wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        values = [x for x in leaves((args, kwargs)) if isinstance(x, Value)]
        if not values:
            return f(*args, **kwargs)
        skeleton: Any = _HOLE  # what comes out, with all but the numbers

        def call(arrays: list) -> Any:
            nonlocal skeleton
            replaced = iter(arrays)
            args_now, kwargs_now = tree_map(lambda x: next(replaced) if isinstance(x, Value) else x, (args, kwargs))
            y = f(*args_now, **kwargs_now)
            if is_numeric(y):
                return y
            skeleton = tree_map(lambda part: _HOLE if is_numeric(part) else part, y)
            return tuple(filter(is_numeric, leaves(y)))

        y = recomputed(values, call)
        if skeleton is _HOLE:
            return y
        parts = iter(y)
        return tree_map(lambda part: next(parts) if part is _HOLE else part, skeleton)

    return cast(F, checkpointed)
