"""Hypothesis strategies: arrays in a safe domain, shapes that broadcast, and random expression graphs."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .expressions import Expression, composed

__all__ = ["arrays", "broadcastable_shapes", "expressions"]

Shape = int | tuple[int, ...]


def arrays(shape: Shape | st.SearchStrategy, low: float = -2.0, high: float = 2.0, *, kinks: Iterable[float] = (),
           distance: float = 0.1, distinct: bool = False, dtype: Any = np.float64) -> st.SearchStrategy[np.ndarray]:
    """Arrays of floats at which a function is smooth, so that its gradient can be checked there.

    Args:
        shape: an integer, a tuple, or a strategy of them such as ``hypothesis.extra.numpy.array_shapes()``.
        low, high: the smallest and the largest element there may be.
        kinks: numbers from which elements stay away, such as 0 for a function of ``abs(x)``.
        distance: how far away, at least.
        distinct: whether elements stay as far away also from each other, so that the order in ``sort`` or ``max`` is
            certain: they are then numbers ``distance`` apart, in any order.
        dtype: float64 or float32.

    Raises ``ValueError`` where no numbers are left, or too few for a shape of distinct ones.

    >>> from hypothesis import find
    >>> find(arrays(3, kinks=[0.0]), lambda x: True)
    array([1., 1., 1.])
    >>> find(arrays((2, 2), 0, 1, distinct=True), lambda x: True)
    array([[0. , 0.1],
           [0.2, 0.3]])
    """
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype: expected one of floats, because only of these there is a gradient, got {dtype!r}")
    kinks = sorted(kinks)
    pieces = _between(low, high, kinks, distance)
    if not pieces:
        raise ValueError(f"no number from {low:g} to {high:g} is {distance:g} away from {kinks}: pass a smaller "
                         "distance, or another low and high")
    if not distinct:
        inside = [(_inwards(a, b, dtype), _inwards(b, a, dtype)) for a, b in reversed(pieces)]  # positive ones first
        floats = [hnp.from_dtype(np.dtype(dtype), min_value=a, max_value=b, allow_subnormal=False)
                  for a, b in inside if a <= b]
        return hnp.arrays(dtype, shape, elements=st.one_of(floats))
    grid = [a + i * distance for a, b in pieces for i in range(1 + floor((b - a) / distance + 1e-9))]

    def different(shape: Shape) -> st.SearchStrategy[np.ndarray]:
        size = prod(shape) if isinstance(shape, tuple) else shape
        if size > len(grid):
            raise ValueError(f"shape {shape} has {size} elements, but only {len(grid)} numbers from {low:g} to "
                             f"{high:g} are {distance:g} apart: pass a smaller distance, or another low and high")
        return st.lists(st.sampled_from(grid), min_size=size, max_size=size, unique=True).map(
            lambda numbers: np.array(numbers, dtype).reshape(shape))

    return shape.flatmap(different) if isinstance(shape, st.SearchStrategy) else different(shape)


def _between(low: float, high: float, kinks: list[float], distance: float) -> list[tuple[float, float]]:
    """The intervals that are left of one without the surroundings of the kinks."""
    pieces, start = [], low
    for kink in kinks:
        pieces.append((start, min(kink - distance, high)))
        start = max(start, kink + distance)
    return [(a, b) for a, b in [*pieces, (start, high)] if a <= b]


def _inwards(end: float, other: float, dtype: Any) -> float:
    """The nearest number of a dtype to the end of an interval that is still inside."""
    near = np.dtype(dtype).type(end)
    outside = near < end if other > end else near > end
    return float(np.nextafter(near, near.dtype.type(other)) if outside else near)


def broadcastable_shapes(n: int, *, max_dims: int = 3, max_side: int = 3) -> st.SearchStrategy[tuple]:
    """Tuples of ``n`` shapes that broadcast against each other, for the arguments of one call.

    >>> from hypothesis import find
    >>> find(broadcastable_shapes(2), lambda shapes: shapes[0] == (2, 1))
    ((2, 1), ())
    """
    found = hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=max_dims, min_side=1, max_side=max_side)
    return found.map(lambda shapes: shapes.input_shapes)


def expressions(*, kinks: bool = False, scalar: bool = False, dtype: Any = np.float64,
                max_operations: int = 8) -> st.SearchStrategy[Expression]:
    """Random expression graphs: functions of one to three inputs made of NumPy's functions and ``autograd.functions``.

    Each is a function with ``inputs`` at which it is defined and of moderate size, and prints as its source code.

    Args:
        kinks: also use functions that have kinks or steps, such as ``relu``, ``sort`` and ``floor``; the inputs may
            well lie on them.
        scalar: of scalars only; else of arrays with up to three axes, and with results of any shape.
        dtype: of the inputs.
        max_operations: the largest number of operations; a few more keep the values moderate and add up results.

    >>> from hypothesis import find
    >>> find(expressions(scalar=True), lambda f: True)
    def f(a):
        b = a + a
        return b
    f(0.0)
    """
    @st.composite
    def drawn(draw: st.DrawFn) -> Expression:
        return composed(lambda n: draw(st.integers(0, n - 1)), lambda shape: draw(arrays(shape, dtype=dtype)), kinks,
                        scalar, max_operations)

    return drawn()
