"""Nested containers of parameters: dicts, lists, tuples, named tuples and dataclasses, with numbers and arrays for
leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

__all__ = ["leaves", "tree_map"]


def tree_map(f: Callable, tree: Any, *others: Any) -> Any:
    """The same containers with ``f`` of every leaf, and of the leaves of ``others`` in the same places.

    Raises ``TypeError`` where one of the others is not made of the same containers.

    >>> tree_map(lambda x: -x, {"w": [1, 2], "b": (3,)})
    {'w': [-1, -2], 'b': (-3,)}
    >>> tree_map(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if type(tree) not in _CONTAINERS and not isinstance(tree, (dict, list, tuple)) and not _is_dataclass(tree):
        return f(tree, *others)
    found = dict(_items(tree))
    for other in others:
        if type(other) is not type(tree) or ([k for k, _ in _items(other)] != list(found) and set(
                k for k, _ in _items(other)) != set(found)):
            raise TypeError(f"the structures differ: expected {_described(tree)}, got {_described(other)}")
    rest = [dict(_items(other)) for other in others]
    new = {k: tree_map(f, v, *(r[k] for r in rest)) for k, v in found.items()}
    if isinstance(tree, dict):
        made = copy(tree)  # an OrderedDict stays one
        made.update(new)
        return made
    if isinstance(tree, (list, tuple)):
        return type(tree)(*new.values()) if hasattr(tree, "_fields") else type(tree)(new.values())
    made = copy(tree)
    for k, v in new.items():
        object.__setattr__(made, k, v)  # also where the dataclass is frozen
    return made


def leaves(tree: Any) -> list:
    """The leaves in order.

    >>> leaves({"w": [1, 2], "b": (3,)})
    [1, 2, 3]
    """
    if type(tree) not in _CONTAINERS and not isinstance(tree, (dict, list, tuple)) and not _is_dataclass(tree):
        return [tree]
    return [leaf for _, part in _items(tree) for leaf in leaves(part)]


_CONTAINERS = frozenset([dict, list, tuple])


def _is_dataclass(tree: Any) -> bool:
    return dataclasses.is_dataclass(tree) and not isinstance(tree, type)


def _items(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict):
        yield from tree.items()
    elif isinstance(tree, (list, tuple)):
        yield from enumerate(tree)
    else:
        for field in dataclasses.fields(tree):
            yield field.name, getattr(tree, field.name)


def _described(tree: Any) -> str:
    """A structure in a few words."""
    if isinstance(tree, dict) or _is_dataclass(tree):
        return f"{type(tree).__name__} with {', '.join(str(k) for k, _ in _items(tree)) or 'nothing'}"
    if isinstance(tree, (list, tuple)):
        return f"{type(tree).__name__} of {len(tree)}"
    return f"{type(tree).__name__}"
