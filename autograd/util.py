"""Small helpers of HIPS autograd: tuples with some items replaced, and the order in which a reverse pass goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

__all__ = ["func", "subval", "subvals", "toposort"]


def subvals(x: Iterable, ivs: Iterable[tuple[int, Any]]) -> tuple:
    """``x`` as a tuple, with some items replaced.

    >>> subvals((1, 2, 3), [(0, "a")])
    ('a', 2, 3)
    """
    items = list(x)
    for i, v in ivs:
        items[i] = v
    return tuple(items)


def subval(x: Iterable, i: int, v: Any) -> tuple:
    """``x`` as a tuple, with one item replaced."""
    return subvals(x, [(i, v)])


def func(f: Any) -> Any:
    """``f``: what once made a function of a method."""
    return f


def toposort(end_node: Any, parents: Callable = attrgetter("parents")) -> Iterator:
    """The node, and all that it leads to by ``parents``, every node before its parents.

    >>> list(toposort(6, lambda n: [n - 2, n - 3] if n > 2 else []))
    [6, 3, 0, 4, 1, 2]
    """
    children: dict[Any, int] = {}
    stack = [end_node]
    while stack:
        node = stack.pop()
        if node in children:
            children[node] += 1
        else:
            children[node] = 1
            stack.extend(parents(node))
    ready = [end_node]
    while ready:
        node = ready.pop()
        yield node
        for parent in parents(node):
            children[parent] -= 1
            if not children[parent]:
                ready.append(parent)
