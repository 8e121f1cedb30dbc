"""Nested containers of parameters: dicts, lists, tuples and named tuples, with numbers and arrays for leaves."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

__all__ = ["leaves", "tree_map"]


def tree_map(f: Callable, tree: Any) -> Any:
    """The same containers with ``f`` of every leaf.

    >>> tree_map(lambda x: -x, {"w": [1, 2], "b": (3,)})
    {'w': [-1, -2], 'b': (-3,)}
    """
    if isinstance(tree, dict):
        new = copy(tree)  # an OrderedDict stays one
        new.update((k, tree_map(f, v)) for k, v in tree.items())
        return new
    if isinstance(tree, (list, tuple)):
        items = [tree_map(f, v) for v in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return f(tree)


def leaves(tree: Any) -> list:
    """The leaves in order.

    >>> leaves({"w": [1, 2], "b": (3,)})
    [1, 2, 3]
    """
    found: list = []
    tree_map(found.append, tree)
    return found
