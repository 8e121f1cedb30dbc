"""What convolution and pooling share: where windows lie on the spatial axes, and primitives that no trace takes apart.

Images and signals are channels first, ``(N, C, *spatial)``. ``kernel``, ``stride`` and ``dilation`` are tuples with an
integer for each spatial axis, ``padding`` one with a pair (before, after); it may be negative, which crops.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, TypeVar, cast

import numpy as np

from .record import primitive

__all__ = ["Sizes", "check_sizes", "chunks", "indivisible", "output_sizes", "taps"]

F = TypeVar("F", bound=Callable)
Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
_CHUNK = 2**21  # bytes: what is copied for a matrix product stays in the cache, and takes little memory


def indivisible(function: F) -> F:
    """A ``primitive`` that other array types see as one call, by NumPy's protocol ``__array_function__``.

    A trace thus has one operation in the place of the many calls inside, for which a compiler may have a kernel.
    """

    @functools.wraps(function)
    def dispatched(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if hasattr(a, "__array_function__") and not isinstance(a, np.ndarray):
                y = a.__array_function__(whole, (type(a),), args, kwargs)
                if y is not NotImplemented:
                    return y
        return function(*args, **kwargs)

    whole = primitive(dispatched)
    return cast(F, whole)


def check_sizes(who: str, axes: int, **sizes: Any) -> None:
    """Raise ``ValueError`` unless each is a tuple with an entry for each spatial axis, as the head of this module says.

    ``who`` opens the text of an error.
    """
    for name, given in sizes.items():
        pairs = name == "padding"
        wanted = f"a tuple of {axes} pairs (before, after) of integers" if pairs else (
            f"a tuple of {axes} positive integers")
        if type(given) is not tuple or len(given) != axes:
            raise ValueError(f"{who}: {name} must be {wanted}, one for each spatial axis; got {given!r}")
        for n in given:
            if not (isinstance(n, tuple) and len(n) == 2 and all(isinstance(k, (int, np.integer)) for k in n)
                    if pairs else isinstance(n, (int, np.integer)) and n > 0):
                raise ValueError(f"{who}: {name} must be {wanted}, got {given!r}")


@functools.lru_cache(1024)
def output_sizes(shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    """How many places windows have along each axis: ⌊(n + before + after - dilation (kernel - 1) - 1) / stride⌋ + 1.

    >>> output_sizes((28,), (5,), (2,), ((2, 2),), (1,))
    (14,)
    """
    return tuple((n + before + after - d * (k - 1) - 1) // s + 1
                 for n, k, s, (before, after), d in zip(shape, kernel, stride, padding, dilation, strict=True))


@functools.lru_cache(256)
def taps(shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> list[tuple]:
    """For each element of the kernel that meets the input: its index, and the slices of output and input that it joins.

    The padding is never made: what it would meet is left out.

    >>> for tap in taps((4,), (3,), (1,), ((1, 1),), (1,)):
    ...     print(*tap)
    (0,) (slice(1, 4, None),) (slice(0, 3, 1),)
    (1,) (slice(0, 4, None),) (slice(0, 4, 1),)
    (2,) (slice(0, 3, None),) (slice(1, 4, 1),)
    """
    out = output_sizes(shape, kernel, stride, padding, dilation)
    axes = []
    for n, m, k, s, (before, _), d in zip(shape, out, kernel, stride, padding, dilation, strict=True):
        found = []
        for i in range(k):
            start = i * d - before  # where the first window has this element
            low, high = max(0, -(start // s)), min(m, (n - 1 - start) // s + 1)
            if low < high:
                found.append((i, slice(low, high), slice(low * s + start, (high - 1) * s + start + 1, s)))
        axes.append(found)
    return [tuple(zip(*tap, strict=True)) for tap in itertools.product(*axes)]


def chunks(n: int, *shape: int, dtype: Any) -> Iterator[slice]:
    """The ``n`` examples in slices, of which the arrays of such a shape for each example take a few megabytes."""
    size = max(1, _CHUNK // max(1, prod(shape) * np.dtype(dtype).itemsize))
    size -= size % 8 if size > 8 else 0  # whole vectors, where the examples are the last axis
    return (slice(i, min(i + size, n)) for i in range(0, n, size))
