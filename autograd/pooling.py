"""The largest number and the mean of each window of an image or signal: primitives, and what differentiates them.

Windows are boxes, so maximum and sum are taken along one axis after the other. Ties for the largest share the gradient
equally, as everywhere in this package, where PyTorch gives all of it to the first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from .registry import linear_rule, replaced, rule
from .windows import Pairs, Sizes, check_sizes, indivisible, output_sizes, taps

__all__ = ["avg_pool", "avg_pool_input", "max_pool", "max_pool_along", "max_pool_input"]


def _output(who: str, x: tuple, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes | None = None) -> Sizes:
    """The spatial sizes of the output, for an input of shape ``x``."""
    axes = len(x) - 2
    if axes < 1:
        raise ValueError(f"{who}: x must have the shape (N, C, *spatial), got {x}")
    dilation = (1,) * axes if dilation is None else dilation
    check_sizes(who, axes, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    out = output_sizes(x[2:], kernel, stride, padding, dilation)
    if min(out) < 1:
        raise ValueError(f"{who}: a window of {kernel} with dilation {dilation} does not fit into an input of {x[2:]} "
                         f"with padding {padding}")
    return out


def _axes(shape: tuple, *sizes: tuple) -> list[tuple[int, list]]:
    """Each spatial axis of an array of this shape, with the slices that join input and output along it."""
    found = []
    for axis, (n, *rest) in enumerate(zip(shape[2:], *sizes, strict=True), 2):
        before = (slice(None),) * axis
        found.append((axis, [((*before, *at), (*before, *seen)) for _, at, seen in
                             taps((n,), *((size,) for size in rest))]))
    return found


def _reduced(x: Any, combine: Callable, start: float, out: Sizes, *sizes: tuple) -> Any:
    """``combine`` of the numbers in each window, one axis after the other."""
    for (axis, slices), m in zip(_axes(np.shape(x), *sizes), out, strict=True):
        shape = list(np.shape(x))
        shape[axis] = m
        y = np.full_like(x, start, shape=shape)
        for at, seen in slices:
            combine(y[at], x[seen], out=y[at])
        x = y
    return x


def _floats(x: Any) -> Any:
    """``x`` as an array of floats, for which there is a number that is less than all."""
    return x if np.result_type(x).kind in "fc" else np.asarray(x, dtype=float)


@indivisible
def max_pool(x: Any, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The largest number of each window: y[n, c, p] = max x[n, c, p · stride + k · dilation - before] over k.

    ``x`` (N, C, *spatial), result (N, C, *out). ``kernel``, ``stride`` and ``dilation`` are tuples with an integer for
    each spatial axis, ``padding`` one of pairs (before, after); what lies beyond the edge is left out. A window with
    nan gives nan.

    Raises ``ValueError`` where the windows do not fit.

    >>> max_pool(np.array([[[1.0, 5.0, 2.0, 3.0]]]), (2,), (2,), ((0, 0),), (1,))
    array([[[5., 3.]]])
    """
    out = _output("max_pool", np.shape(x), kernel, stride, padding, dilation)
    return _reduced(_floats(x), np.maximum, -np.inf, out, kernel, stride, padding, dilation)


def _shares(x: Any, y: Any, *sizes: Any) -> tuple[list[tuple], Any]:
    """For each element of the window the slices of output and input, and where it is the largest; how many are."""
    several = (slice(None),) * 2
    joined, found = taps(np.shape(x)[2:], *sizes), []
    count = np.zeros_like(y, np.min_scalar_type(len(joined)))
    unknown = bool(np.any(np.isnan(y)))
    for _, at, seen in joined:
        at, seen = (*several, *at), (*several, *seen)
        chosen = x[seen] == y[at]
        if unknown:
            chosen |= np.isnan(x[seen])
        count[at] += chosen
        found.append((at, seen, chosen))
    return found, np.maximum(count, 1)


def _where(chosen: Any, x: Any) -> Any:
    """``x`` where chosen, and 0 elsewhere: of finite numbers the product, which takes a quarter of the time."""
    return x * chosen if np.all(np.isfinite(x)) else np.where(chosen, x, 0)


@indivisible
def max_pool_input(g: Any, x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The gradient of ``y = max_pool(x, …)`` with respect to ``x``: each largest number gets its share of ``g``.

    >>> x, sizes = np.array([[[1.0, 5.0, 3.0, 3.0]]]), ((2,), (2,), ((0, 0),), (1,))
    >>> max_pool_input(np.array([[[1.0, 1.0]]]), x, max_pool(x, *sizes), *sizes)
    array([[[0. , 1. , 0.5, 0.5]]])
    """
    found, count = _shares(x, y, kernel, stride, padding, dilation)
    share = g / count
    result = np.zeros_like(x, np.result_type(share))
    for at, seen, chosen in found:
        result[seen] += _where(chosen, share[at])
    return result


@indivisible
def max_pool_along(t: Any, x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The tangent of ``y = max_pool(x, …)`` for the tangent ``t`` of ``x``: the mean of those of the largest numbers.

    >>> x, sizes = np.array([[[1.0, 5.0, 3.0, 3.0]]]), ((2,), (2,), ((0, 0),), (1,))
    >>> max_pool_along(np.array([[[1.0, 2.0, 3.0, 4.0]]]), x, max_pool(x, *sizes), *sizes)
    array([[[2. , 3.5]]])
    """
    found, count = _shares(x, y, kernel, stride, padding, dilation)
    result = np.zeros_like(y, np.result_type(t, y))
    for at, seen, chosen in found:
        result[at] += _where(chosen, t[seen])
    return result / count


rule(max_pool, lambda g, y, x, *sizes, **named: max_pool_input(g, x, y, *sizes, **named),
     jvps=[lambda g, y, x, *sizes, **named: max_pool_along(g, x, y, *sizes, **named)])


def _transposed(transpose: Callable, g: Any, z: Any, moved: Any, x: Any, y: Any, *sizes: Any, **named: Any) -> Any:
    return transpose(g, x, y, *sizes, **named)


def _none(g: Any, z: Any, moved: Any, x: Any, y: Any, *sizes: Any, **named: Any) -> None:
    """Where x moves, which are the largest stays the same."""


# Both are linear in the first argument, and transposes of each other.
for _moving, _transpose in ((max_pool_input, max_pool_along), (max_pool_along, max_pool_input)):
    rule(_moving, partial(_transposed, _transpose), _none, _none,
         jvps=[partial(replaced, _moving, 0), _none, _none])


def counts(shape: Sizes, out: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, count_include_pad: bool) -> Any:
    """How many numbers each window has: one integer, or an array for all places."""
    if count_include_pad or not any(before or after for before, after in padding):
        return prod(kernel)
    total: Any = 1
    for n, m, *sizes in zip(shape, out, kernel, stride, padding, strict=True):
        count = np.zeros(m, int)
        for _, at, _ in taps((n,), *((size,) for size in sizes), (1,)):
            count[at] += 1
        total = np.multiply.outer(total, np.maximum(count, 1))
    return total


@indivisible
def avg_pool(x: Any, kernel: Sizes, stride: Sizes, padding: Pairs, count_include_pad: bool) -> Any:
    """The mean of each window: y[n, c, p] = Σ x[n, c, p · stride + k - before] / K over k.

    ``x`` (N, C, *spatial), result (N, C, *out). ``kernel`` and ``stride`` are tuples with an integer for each spatial
    axis, ``padding`` one of pairs (before, after). With ``count_include_pad`` what lies beyond the edge counts as 0,
    and K is the size of the window; without, it is left out, and K is the number of those that are there.

    Raises ``ValueError`` where the windows do not fit.

    >>> avg_pool(np.array([[[1.0, 5.0, 2.0, 3.0]]]), (2,), (2,), ((0, 0),), True)
    array([[[3. , 2.5]]])
    """
    out = _output("avg_pool", np.shape(x), kernel, stride, padding)
    total = _reduced(_floats(x), np.add, 0, out, kernel, stride, padding, (1,) * len(kernel))
    total /= counts(np.shape(x)[2:], out, kernel, stride, padding, count_include_pad)
    return total


@indivisible
def avg_pool_input(g: Any, shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, count_include_pad: bool) -> Any:
    """The transpose of ``avg_pool`` for an input of the spatial sizes ``shape``: each window spreads its part of ``g``.

    >>> avg_pool_input(np.array([[[1.0, 2.0]]]), (4,), (2,), (2,), ((0, 0),), True)
    array([[[0.5, 0.5, 1. , 1. ]]])
    """
    full = (*np.shape(g)[:2], *shape)
    out = _output("avg_pool_input", full, kernel, stride, padding)
    if out != np.shape(g)[2:]:
        raise ValueError(f"avg_pool_input: an input of {shape} gives an output of {out}, got g of {np.shape(g)}")
    g = g / np.array(counts(shape, out, kernel, stride, padding, count_include_pad), np.result_type(g))
    for axis, slices in _axes(full, kernel, stride, padding, (1,) * len(kernel)):
        y = np.zeros_like(g, shape=(*np.shape(g)[:axis], full[axis], *np.shape(g)[axis + 1:]))
        for at, seen in slices:
            y[seen] += g[at]
        g = y
    return g


linear_rule(avg_pool, lambda g, y, x, kernel, stride, padding, count_include_pad:
            avg_pool_input(g, np.shape(x)[2:], kernel, stride, padding, count_include_pad))
linear_rule(avg_pool_input, lambda g, y, g0, shape, kernel, stride, padding, count_include_pad:
            avg_pool(g, kernel, stride, padding, count_include_pad))
