"""Nested containers of arrays as one vector, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..trees import tree_map

__all__ = ["flatten", "flatten_func"]


def flatten(value: Any) -> tuple[Any, Callable]:
    """A vector of all the numbers in nested lists, tuples and dicts of arrays, and the function that undoes it.

    Dicts go in the order of their sorted keys. Both ways are differentiable. Several dtypes become a common one.

    >>> vector, unflatten = flatten({"w": np.array([[1.0, 2.0]]), "b": 3.0})
    >>> vector
    array([3., 1., 2.])
    >>> unflatten(10 * vector)
    {'w': array([[10., 20.]]), 'b': np.float64(30.0)}
    """
    parts = list(_leaves(value))
    ends = [0, *np.cumsum([np.size(x) for x in parts]).tolist()]
    order = iter(range(len(parts)))
    numbered = _numbered(value, order)
    vector = np.concatenate([np.ravel(x) for x in parts]) if parts else np.array([])

    def unflatten(vector: Any) -> Any:
        if np.shape(vector) != (ends[-1],):
            raise ValueError(f"expected a vector of {ends[-1]} numbers, got the shape {np.shape(vector)}")

        def part(i: int) -> Any:
            shape = np.shape(parts[i])
            x = vector[ends[i]:ends[i + 1]] if shape else vector[ends[i]]
            return np.reshape(x, shape) if len(shape) != 1 and shape else x

        return tree_map(part, numbered)

    return vector, unflatten


def _leaves(value: Any) -> Iterator:
    if isinstance(value, dict):
        for k in sorted(value):
            yield from _leaves(value[k])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _numbered(value: Any, numbers: Iterator[int]) -> Any:
    """The same containers, of the places of the leaves."""
    if isinstance(value, dict):
        places = {k: _numbered(value[k], numbers) for k in sorted(value)}
        return {k: places[k] for k in value}
    if isinstance(value, (list, tuple)):
        items = [_numbered(item, numbers) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return next(numbers)


def flatten_func(func: Callable, example: Any) -> tuple[Callable, Callable, Any]:
    """``func`` from vector to vector, the function from vectors to what it takes, and the vector of ``example``.

    >>> flat, unflatten, vector = flatten_func(lambda p: {"x": 2 * p["x"]}, {"x": np.array([1.0, 2.0])})
    >>> flat(vector)
    array([2., 4.])
    """
    vector, unflatten = flatten(example)

    def flat(x: Any, *args: Any) -> Any:
        return flatten(func(unflatten(x), *args))[0]

    return flat, unflatten, vector
