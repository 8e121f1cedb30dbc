"""Functions recorded once, and run again from their graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..graph import leading_to
from ..linearize import Linearization
from ..trees import leaves, tree_map
from ..value import Value

__all__ = ["const_graph"]


def const_graph(fun: Callable, *args: Any, **kwargs: Any) -> Callable:
    """``fun`` of the arguments after ``args``, recorded in the first call: later ones run its recorded calls alone.

    Decisions, and all that does not come from its arguments by differentiable calls, stay those of the first call.

    >>> double = const_graph(lambda factor, x: factor * x, 2.0)
    >>> float(double(3.0)), float(double(4.0))
    (6.0, 8.0)
    """
    recorded: list[Linearization] = []

    @wraps(fun)
    def cached(*inputs: Any) -> Any:
        if not recorded:
            recorded.append(Linearization(lambda xs: fun(*args, *xs, **kwargs), (0,), (inputs,), {}))
            return tree_map(_data, recorded[0].y)
        at = recorded[0]
        found = dict(zip(at.sources, leaves(inputs), strict=True))

        def now(x: Any) -> Any:
            if isinstance(x, Value):
                return found.get(x, x.data)
            return type(x)(map(now, x)) if isinstance(x, (list, tuple)) else x

        useful = leading_to(at.sources, at.nodes)
        for node in reversed(at.nodes):
            if node in useful:
                op: Any = node.op
                found[node] = op(*map(now, node.args), **node.kwargs)
        return tree_map(now, at.y)

    return cached


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x
