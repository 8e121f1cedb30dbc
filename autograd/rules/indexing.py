"""Rules of indexing, and of all that picks elements by position: an element that is taken twice adds up twice."""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..record import primitive
from ..registry import definition, linear_rule, rule
from ..value import holds_value


def _is_basic(index):
    """Whether an index takes each element at most once by its very form: integers, slices, None, ..., or a mask."""
    if isinstance(index, (int, slice)) or getattr(getattr(index, "dtype", None), "kind", None) == "b":
        return True
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, np.integer, slice)) for i in parts)


@primitive
def scatter(g, index, shape):
    """Zeros of a shape with ``g`` added at ``index``: the transpose of ``x[index]`` for an ``x`` of that shape."""
    if isinstance(index, tuple) and len(index) == 1:
        (index,) = index
    if isinstance(index, list):
        index = np.asarray(index, None if index else int)
    basic = _is_basic(index)
    traced = any(hasattr(i, "checked") for i in (index if isinstance(index, tuple) else (index,)))
    if not basic and len(shape) > 1 and not traced:  # NumPy adds number by number several times as fast as row by row
        total = np.zeros_like(g, shape=math.prod(shape))
        np.add.at(total, _places(index, shape), np.ravel(g))
        return np.reshape(total, shape)
    total = np.zeros(shape, g.dtype) if type(g) is np.ndarray else np.zeros_like(g, shape=shape)  # the usual case first
    if basic:
        total[index] = g
    else:
        np.add.at(total, index, g)
    return total


def _places(index, shape):
    """The positions in C order, all in a row, of the elements that ``index`` takes."""
    if isinstance(index, np.ndarray):  # rows, of which there may be many more than are taken
        row = math.prod(shape[1:])
        return np.ravel(np.add.outer(np.arange(shape[0])[index] * row, np.arange(row)))
    return np.ravel(np.reshape(np.arange(math.prod(shape)), shape)[index])


def _at(g, index):
    return (g if hasattr(g, "shape") else np.asarray(g))[index]


rule(operator.getitem, lambda g, y, x, index: scatter(g, index, getattr(x, "shape", ())),
     jvps=[lambda g, y, x, index: _at(g, index)])
linear_rule(scatter, lambda g, y, x, index, shape: _at(g, index))


# Functions that pick elements: what they do to positions tells where each element came from


def numbered(*arrays: Any, start: int = 0) -> list:
    """For each array the positions of its elements in one row of all, in its shape."""
    ends = np.cumsum([start, *map(np.size, arrays)])
    return [np.reshape(np.arange(*ends[i:i + 2]), np.shape(a)) for i, a in enumerate(arrays)]


def put_back(function: Callable, place: int, g: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    """The transpose of a function whose results are elements of the argument at ``place``, or zeros."""
    a = args[place]
    (places,) = numbered(a, start=1)  # so that 0 is none of them
    taken = function(*args[:place], places, *args[place + 1:], **kwargs)
    return np.reshape(scatter(np.ravel(g), np.ravel(taken), (np.size(a) + 1,))[1:], np.shape(a))


def picking_rule(function: Callable, place: int = 0) -> None:
    """Declare that the results of ``function`` are elements of its argument at ``place``, or zeros."""
    linear_rule(function, *[None] * place, lambda *given, **kwargs: put_back(function, place, *given, **kwargs))


def picked(function: Callable, *arrays: Any) -> Any:
    """``function(*arrays)``, for a function whose results are elements of the arrays."""
    given = [_array(a) for a in arrays]
    return np.concatenate(given, axis=None)[function(*numbered(*given))]


def _array(a):
    if isinstance(a, (list, tuple)):
        return np.stack([_array(item) for item in a]) if holds_value(a) else np.asarray(a)
    return a


for _function in (np.take_along_axis, np.delete):
    picking_rule(_function)
for _function in (np.compress, np.extract):
    picking_rule(_function, 1)


def along(axis, places):
    """The index of places along an axis."""
    return (*[slice(None)] * axis, places)


def _take(g, y, a, indices, axis=None, *, mode: Any = "raise"):
    shape = np.shape(a) if axis is not None else (np.size(a),)
    axis = 0 if axis is None else axis % len(shape)
    places = np.take(np.arange(shape[axis]), indices, mode=mode)
    return np.reshape(scatter(g, along(axis, places), shape), np.shape(a))


linear_rule(np.take, _take)

definition(np.insert, lambda arr, obj, values, axis=None: picked(
    lambda a, v: np.insert(a, obj, v, axis), arr, values))
definition(np.choose, lambda a, choices, **mode: picked(lambda *c: np.choose(a, c, **mode), *choices), joins=True)
definition(np.select, lambda condlist, choicelist, default=0: picked(
    lambda *c: np.select(condlist, c[:-1], c[-1]), *choicelist, default), joins=True)
