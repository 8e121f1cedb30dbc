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
    kind = type(tree)
    if not isinstance(tree, (list, tuple, dict)) and not _is_dataclass(tree):
        return f(tree, *others)
    if not others:  # written out, because all parameters pass here several times
        if kind is list:
            return [tree_map(f, item) for item in tree]
        if kind is tuple:
            return tuple([tree_map(f, item) for item in tree])
        if kind is dict:
            return {key: tree_map(f, tree[key]) for key in tree}
    found = dict(_items(tree))
    for other in others:
        if type(other) is not kind or ([k for k, _ in _items(other)] != list(found) and set(
                k for k, _ in _items(other)) != set(found)):
            raise TypeError(f"the structures differ: expected {_described(tree)}, got {_described(other)}")
    rest = [dict(_items(other)) for other in others]
    new = {k: tree_map(f, v, *(r[k] for r in rest)) for k, v in found.items()}
    if isinstance(tree, dict):
        made = copy(tree)  # an OrderedDict stays one
        made.update(new)
        return made
    if isinstance(tree, (list, tuple)):
        return kind(*new.values()) if hasattr(tree, "_fields") else kind(new.values())
    made = copy(tree)
    for k, v in new.items():
        object.__setattr__(made, k, v)  # also where the dataclass is frozen
    return made


def leaves(tree: Any) -> list:
    """The leaves in order.

    >>> leaves({"w": [1, 2], "b": (3,)})
    [1, 2, 3]
    """
    found: list = []
    _collect(tree, found)
    return found


def _collect(tree: Any, found: list) -> None:
    if isinstance(tree, (list, tuple)):
        parts: Any = tree
    elif isinstance(tree, dict):
        parts = tree.values()
    elif _is_dataclass(tree):
        parts = [part for _, part in _items(tree)]
    else:
        found.append(tree)
        return
    for part in parts:
        _collect(part, found)


def _is_dataclass(tree: Any) -> bool:
    return hasattr(type(tree), "__dataclass_fields__")


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
