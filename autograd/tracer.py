"""HIPS autograd's tracing of a function with nodes of one's own, read off the recorded graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

from .graph import leading_to, raw
from .linearize import Linearization
from .record import primitive
from .registry import nondifferentiable
from .trees import tree_map
from .value import Value
from .value import Value as Box

__all__ = ["Box", "Node", "getval", "isbox", "notrace_primitive", "primitive", "register_notrace", "trace"]


def isbox(x: Any) -> bool:
    """Whether ``x`` is differentiable."""
    return isinstance(x, Value)


def getval(x: Any) -> Any:
    """The number or array that a Value holds; in a container, those of all.

    >>> getval([Value(1.0), 2.0])
    [1.0, 2.0]
    """
    return x.data if isinstance(x, Value) else tree_map(lambda leaf: leaf.data if isinstance(leaf, Value) else leaf, x)


def notrace_primitive(function: Callable) -> Callable:
    """``function`` of plain arrays, whose results are constants.

    >>> @notrace_primitive
    ... def count_positive(x):
    ...     return int((x > 0).sum())
    >>> count_positive(Value([1.0, -2.0]))
    1
    """

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*map(getval, args), **{k: getval(v) for k, v in kwargs.items()})

    return wrapper


def register_notrace(trace_type: type, function: Callable) -> None:
    """Declare the results of a primitive constants, in reverse and forward mode alike."""
    nondifferentiable(function)


class Node:
    """What a tracer makes of each call. A subclass defines both methods; see ``trace``."""

    __slots__ = ()

    def __init__(self, value: Any, fun: Callable, args: tuple, kwargs: dict, parent_argnums: tuple,
                 parents: tuple) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define __init__(self, value, fun, args, kwargs, "
                                  "parent_argnums, parents)")

    def initialize_root(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define initialize_root")

    @classmethod
    def new_root(cls, *args: Any, **kwargs: Any) -> Node:
        root = cls.__new__(cls)
        root.initialize_root(*args, **kwargs)
        return root


def trace(start_node: Node, fun: Callable, x: Any) -> tuple[Any, Node | None]:
    """``fun(x)``, and a node for it: one is made of every call on the way, in order, by the class of ``start_node``.

    A node is made as ``Node(value, function, args, kwargs, parent_argnums, parents)``, where ``parents`` are the nodes
    of the arguments at ``parent_argnums``. Where the result does not depend on ``x``, there is none, and a warning.

    >>> class Depth(Node):
    ...     def initialize_root(self):
    ...         self.depth = 0
    ...     def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
    ...         self.depth = 1 + max(parent.depth for parent in parents)
    >>> value, node = trace(Depth.new_root(), lambda x: (x + 1) * x, 3.0)
    >>> value, node.depth
    (12.0, 2)
    """
    at = Linearization(fun, (0,), (x,), {})
    useful = leading_to(at.sources, at.nodes)
    if at.y not in useful:
        warnings.warn("Output seems independent of input.", stacklevel=2)
        return at.value, None
    nodes: dict[Value, Node] = dict.fromkeys(at.sources, start_node)
    for value in reversed(at.nodes):
        if value not in useful:
            continue
        found = [(i, nodes[a]) for i, arg in enumerate(value.args)
                 for a in (arg if isinstance(arg, (list, tuple)) else [arg]) if isinstance(a, Value) and a in nodes]
        argnums, parents = zip(*found, strict=True)
        op: Any = value.op
        args = tuple(map(raw, value.args))
        nodes[value] = type(start_node)(value.data, op, args, dict(value.kwargs), argnums, parents)
    return at.value, nodes[at.y]
