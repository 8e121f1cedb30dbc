"""Convolution, and its transposes with respect to the image and to the filters: three bilinear primitives.

Each one's transposes are the other two, so that one line for each declares all derivatives of any order, in both modes.
Of each chunk of examples, what a filter meets at each of its places becomes a column of a matrix ("im2col"), and a
matrix product does the rest (Chellapilla, Puri and Simard, *High Performance Convolutional Neural Networks for Document
Processing*, 2006).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .registry import linear_rule
from .windows import Pairs, Sizes, check_sizes, chunks, indivisible, output_sizes, taps

__all__ = ["convolve", "convolve_filters", "convolve_input"]


def _output(who: str, x: tuple, w: tuple, g: tuple | None, stride: Sizes, padding: Pairs, dilation: Sizes,
            groups: int) -> Sizes:
    """The spatial sizes of the output, for an image, filters and an output of these shapes, which must go together."""
    axes = len(x) - 2
    if axes < 1 or len(w) != len(x):
        raise ValueError(f"{who}: the image must have the shape (N, C, *spatial) and the filters the shape "
                         f"(O, C/groups, *kernel), with as many spatial axes; got {x} and {w}")
    check_sizes(who, axes, stride=stride, padding=padding, dilation=dilation)
    if not isinstance(groups, (int, np.integer)) or groups < 1 or x[1] % groups or w[0] % groups:
        raise ValueError(f"{who}: groups must be a positive integer that divides the {x[1]} channels of the image and "
                         f"the {w[0]} filters, got {groups!r}")
    if w[1] * groups != x[1]:
        raise ValueError(f"{who}: filters of shape {w} in {groups} groups need an image of {w[1] * groups} channels, "
                         f"got one of shape {x}")
    out = output_sizes(x[2:], w[2:], stride, padding, dilation)
    if min(out) < 1 or not prod(w[2:]):
        raise ValueError(f"{who}: a kernel of {w[2:]} with dilation {dilation} does not fit into an image of {x[2:]} "
                         f"with padding {padding}")
    if g is not None and g != (x[0], w[0], *out):
        raise ValueError(f"{who}: an image of shape {x} and filters of shape {w} give an output of shape "
                         f"{(x[0], w[0], *out)}, got {g}")
    return out


def _zeros_or_any(like: Any, dtype: Any, padding: Pairs, shape: tuple[int, ...]) -> Any:
    """A new array: of zeros where some of it stands for padding, else of anything."""
    padded = any(n > 0 for pair in padding for n in pair)
    return (np.zeros_like if padded else np.empty_like)(like, dtype, shape=shape)


def _examples_last(x: Any) -> Any:
    """A copy with the examples along the last axis: what is moved at once is then longer, and a sum over all of them is
    one matrix product."""
    return np.copy(np.moveaxis(x, 0, -1), order="C")


@indivisible
def convolve(x: Any, w: Any, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Any:
    """The cross-correlation y[n, o, p] = Σ x[n, c, p · stride + k · dilation - before] · w[o, c, k] over c and k.

    ``x`` (N, C, *spatial), ``w`` (O, C/groups, *kernel), result (N, O, *out), with any number of spatial axes;
    ``stride`` and ``dilation`` are tuples with an integer for each of these, ``padding`` one of pairs (before, after),
    and what lies beyond the edge counts as 0. The first O/groups filters see the first C/groups channels, and so on.

    Raises ``ValueError`` where shapes do not go together.

    >>> x, w = np.arange(5.0).reshape(1, 1, 5), np.array([[[-1.0, 0.0, 1.0]]])
    >>> convolve(x, w, (1,), ((0, 0),), (1,), 1)
    array([[[2., 2., 2.]]])
    """
    out = _output("convolve", np.shape(x), np.shape(w), None, stride, padding, dilation, groups)
    (n, c, *shape), (o, _, *kernel) = np.shape(x), np.shape(w)
    meets = taps(tuple(shape), tuple(kernel), stride, padding, dilation)
    dtype = np.result_type(x, w)
    y = np.empty_like(x, dtype, shape=(n, groups, o // groups, prod(out)))
    matrix = np.reshape(w, (groups, o // groups, -1))
    columns: Any = None
    for part in chunks(n, c, *kernel, *out, dtype=dtype):
        if columns is None:  # the next chunks overwrite the same elements
            columns = _zeros_or_any(x, dtype, padding, (part.stop, c, *kernel, *out))
        columns = columns[: part.stop - part.start]
        for k, at, seen in meets:
            columns[(slice(None), slice(None), *k, *at)] = x[(part, slice(None), *seen)]
        np.matmul(matrix, np.reshape(columns, (len(columns), groups, matrix.shape[-1], -1)), out=y[part])
    return np.reshape(y, (n, o, *out))


@indivisible
def convolve_input(g: Any, w: Any, shape: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Any:
    """The transpose of ``convolve`` with respect to the image: the "transposed convolution".

    ``g`` (N, O, *out), ``w`` (O, C/groups, *kernel), result (N, C, *shape): each number of ``g`` adds its multiple of
    the filter at its place. ``shape`` are the image's spatial sizes, since several give the same ``out``.

    Raises ``ValueError`` where shapes do not go together.

    >>> g, w = np.array([[[1.0, 0.0, 2.0]]]), np.array([[[-1.0, 0.0, 1.0]]])
    >>> convolve_input(g, w, (5,), (1,), ((0, 0),), (1,), 1)
    array([[[-1.,  0., -1.,  0.,  2.]]])
    """
    image = (*np.shape(g)[:1], *(c * groups for c in np.shape(w)[1:2]), *shape)
    _output("convolve_input", image, np.shape(w), np.shape(g), stride, padding, dilation, groups)
    (n, c, *_), (_, o, *out), kernel = image, np.shape(g), np.shape(w)[2:]
    meets = taps(tuple(shape), kernel, stride, padding, dilation)
    dtype = np.result_type(g, w)
    y = np.empty_like(g, dtype, shape=(n, c, *shape))
    matrix = np.swapaxes(np.reshape(w, (groups, o // groups, -1)), 1, 2)
    product: Any = None
    for part in chunks(n, c, *kernel, *out, dtype=dtype):
        outputs = np.reshape(_examples_last(g[part]), (groups, o // groups, -1))
        if product is None or product.shape[-1] != outputs.shape[-1]:
            product = np.empty_like(y, shape=(*matrix.shape[:2], outputs.shape[-1]))
        columns = np.reshape(np.matmul(matrix, outputs, out=product), (c, *kernel, *out, -1))
        images = np.zeros_like(y, shape=(c, *shape, columns.shape[-1]))
        for k, at, seen in meets:
            images[(slice(None), *seen)] += columns[(slice(None), *k, *at)]
        y[part] = np.moveaxis(images, -1, 0)
    return y


@indivisible
def convolve_filters(g: Any, x: Any, shape: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Any:
    """The transpose of ``convolve`` with respect to the filters: each is the image, weighted by the filter's output.

    ``g`` (N, O, *out), ``x`` (N, C, *spatial), result (O, C/groups, *shape), where ``shape`` is that of the kernel.

    Raises ``ValueError`` where shapes do not go together.

    >>> g, x = np.array([[[1.0, 0.0, 2.0]]]), np.arange(5.0).reshape(1, 1, 5)
    >>> convolve_filters(g, x, (3,), (1,), ((0, 0),), (1,), 1)
    array([[[ 4.,  7., 10.]]])
    """
    filters = (*np.shape(g)[1:2], *(c // max(groups, 1) for c in np.shape(x)[1:2]), *shape)
    _output("convolve_filters", np.shape(x), filters, np.shape(g), stride, padding, dilation, groups)
    (_, o, *out), (n, c, *spatial) = np.shape(g), np.shape(x)
    meets = taps(tuple(spatial), tuple(shape), stride, padding, dilation)
    dtype = np.result_type(g, x)
    y = np.zeros_like(x, dtype, shape=(groups, c // groups * prod(shape), o // groups))
    columns: Any = None
    for part in chunks(n, c, *shape, *out, dtype=dtype):
        images = _examples_last(x[part])
        outputs = np.reshape(_examples_last(g[part]), (groups, o // groups, -1))
        if columns is None or columns.shape[-1] != images.shape[-1]:
            columns = _zeros_or_any(x, dtype, padding, (c, *shape, *out, images.shape[-1]))
        for k, at, seen in meets:
            columns[(slice(None), *k, *at)] = images[(slice(None), *seen)]
        # In this order, in which OpenBLAS takes half the time: the filters are fewer than the columns' rows.
        y += np.matmul(np.reshape(columns, (groups, y.shape[1], -1)), np.swapaxes(outputs, 1, 2))
    return np.reshape(np.swapaxes(y, 1, 2), (o, c // groups, *shape))


linear_rule(
    convolve,
    lambda g, y, x, w, stride, padding, dilation, groups:
        convolve_input(g, w, np.shape(x)[2:], stride, padding, dilation, groups),
    lambda g, y, x, w, stride, padding, dilation, groups:
        convolve_filters(g, x, np.shape(w)[2:], stride, padding, dilation, groups))
# Here the incoming gradient is of the shape of an image, or of filters, and g0 is the output that the function spreads.
linear_rule(
    convolve_input,
    lambda g, y, g0, w, shape, stride, padding, dilation, groups:
        convolve(g, w, stride, padding, dilation, groups),
    lambda g, y, g0, w, shape, stride, padding, dilation, groups:
        convolve_filters(g0, g, np.shape(w)[2:], stride, padding, dilation, groups))
linear_rule(
    convolve_filters,
    lambda g, y, g0, x, shape, stride, padding, dilation, groups:
        convolve(x, g, stride, padding, dilation, groups),
    lambda g, y, g0, x, shape, stride, padding, dilation, groups:
        convolve_input(g0, g, np.shape(x)[2:], stride, padding, dilation, groups))
