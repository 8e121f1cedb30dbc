"""Pooling layers, which make images and signals smaller: the largest number, or the mean, of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.functions import avg_pool, max_pool

from .module import Module
from .spatial import as_batch, check_fits, numbers_of, per_axis

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d"]


class _Pool(Module):
    """What pooling layers have: windows, and how far they reach over the edge."""

    axes: int
    dilation: Any

    def __init__(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, dilation: Any = None) -> None:
        who = type(self).__name__
        self.kernel_size = per_axis(who, "kernel_size", kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else per_axis(who, "stride", stride, self.axes)
        self.padding = per_axis(who, "padding", padding, self.axes, 0)
        if dilation is not None:
            self.dilation = per_axis(who, "dilation", dilation, self.axes)
        self.ceil_mode = bool(ceil_mode)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(f"{who}: padding must be at most half of kernel_size, got padding="
                             f"{numbers_of(self.padding)} and kernel_size={numbers_of(self.kernel_size)}")

    @property
    def _who(self) -> str:
        return f"{type(self).__name__}({numbers_of(self.kernel_size)})"

    def _pads(self, shape: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """The padding of an input of these sizes; with ``ceil_mode`` enough that a window at the end can overhang."""
        found = []
        for n, k, s, p, d in zip(shape, self.kernel_size, self.stride, self.padding, self.dilation, strict=True):
            span, after = d * (k - 1) + 1, p
            if self.ceil_mode:
                last = -(-(n + 2 * p - span) // s)
                last -= last * s >= n + p  # a window that would begin behind the end
                after = max(p, last * s + span - n - p)
            found.append((p, after))
        return tuple(found)

    def __call__(self, x: Any) -> Any:
        x, single = as_batch(self._who, x, self.axes)
        padding = self._pads(x.shape[2:])
        check_fits(self._who, x.shape[2:], self.kernel_size, padding, self.dilation)
        y = self._pooled(x, padding)
        return np.reshape(y, y.shape[1:]) if single else y

    def _pooled(self, x: Any, padding: tuple[tuple[int, int], ...]) -> Any:
        raise NotImplementedError


class _MaxPool(_Pool):
    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, *,
                 ceil_mode: bool = False) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, dilation)

    def _pooled(self, x: Any, padding: tuple[tuple[int, int], ...]) -> Any:
        return max_pool(x, self.kernel_size, self.stride, padding, self.dilation)


class MaxPool1d(_MaxPool):
    """The largest number of each window: y[n, c, p] = max x[n, c, p · stride + k · dilation - padding] over k.

    Shapes: input (N, C, L) or (C, L), output with ⌊(L + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1
    places, rounded up with ``ceil_mode``, where the last window may reach over the end. ``stride`` is ``kernel_size``
    unless given. What is beyond the edge counts for nothing. Ties share the gradient equally (PyTorch gives it all to
    the first).

    Raises ``ValueError`` for settings that are no positive integers, for more padding than half of ``kernel_size``, and
    for an input of another shape, without elements, or smaller than a window (with ``ceil_mode``, by a stride or more).

    >>> MaxPool1d(2)(np.array([[1.0, 5.0, 2.0, 3.0]]))
    array([[5., 3.]])
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest number of each window of an image: as ``MaxPool1d``, with input (N, C, H, W) or (C, H, W).

    Settings are a number, or a tuple for height and width.

    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 4, 4))
    array([[[ 5.,  7.],
            [13., 15.]]])
    """

    axes = 2


class _AvgPool(_Pool):
    @property
    def dilation(self) -> tuple[int, ...]:
        return (1,) * self.axes

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = bool(count_include_pad)

    def _pooled(self, x: Any, padding: tuple[tuple[int, int], ...]) -> Any:
        include = self.count_include_pad
        if include and any(after > before for before, after in padding):  # what overhangs never counts
            if any(self.padding):
                x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in self.padding)))
            padding, include = tuple((0, after - before) for before, after in padding), False
        return avg_pool(x, self.kernel_size, self.stride, padding, include)


class AvgPool1d(_AvgPool):
    """The mean of each window: y[n, c, p] = Σ x[n, c, p · stride + k - padding] / kernel_size over k.

    Shapes: input (N, C, L) or (C, L), output with ⌊(L + 2 padding - kernel_size) / stride⌋ + 1 places, rounded up with
    ``ceil_mode``, where the last window may reach over the end. ``stride`` is ``kernel_size`` unless given. Padding
    counts as zeros, or with ``count_include_pad=False`` for nothing.

    Raises ``ValueError`` as ``MaxPool1d`` does.

    >>> AvgPool1d(2)(np.array([[1.0, 5.0, 2.0, 3.0]]))
    array([[3. , 2.5]])
    """

    axes = 1


class AvgPool2d(_AvgPool):
    """The mean of each window of an image: as ``AvgPool1d``, with input (N, C, H, W) or (C, H, W).

    Settings are a number, or a tuple for height and width.

    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 4, 4))
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """

    axes = 2


class _AdaptiveAvgPool(Module):
    axes: int

    def __init__(self, output_size: Any) -> None:
        several = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * self.axes
        sizes = per_axis(type(self).__name__, "output_size", tuple(1 if n is None else n for n in several), self.axes)
        self.output_size = tuple(None if n is None else size for n, size in zip(several, sizes, strict=True))

    def __call__(self, x: Any) -> Any:
        who = f"{type(self).__name__}({self.output_size[0] if len(set(self.output_size)) == 1 else self.output_size})"
        x, single = as_batch(who, x, self.axes)
        shape = x.shape[2:]
        out = tuple(n if m is None else m for n, m in zip(shape, self.output_size, strict=True))
        if not any(n % m for n, m in zip(shape, out, strict=True)):
            sizes = tuple(n // m for n, m in zip(shape, out, strict=True))
            y = avg_pool(x, sizes, sizes, ((0, 0),) * self.axes, True)
        else:  # windows of different sizes: their means as products with matrices
            y = x @ _means(shape[-1], out[-1], x.dtype).T
            y = y if self.axes == 1 else _means(shape[0], out[0], x.dtype) @ y
        return np.reshape(y, y.shape[1:]) if single else y


def _means(n: int, m: int, dtype: Any) -> np.ndarray:
    """The matrix that takes the means of m windows which share n numbers as evenly as they can."""
    matrix = np.zeros((m, n), dtype if np.dtype(dtype).kind in "fc" else float)
    for i in range(m):
        start, stop = i * n // m, -(-(i + 1) * n // m)
        matrix[i, start:stop] = 1 / (stop - start)
    return matrix


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of ``output_size`` windows that share a signal of any length: window i of m begins at ⌊i L / m⌋ and
    ends before ⌈(i + 1) L / m⌉.

    Shapes: input (N, C, L) or (C, L), output (N, C, output_size) or (C, output_size).

    Raises ``ValueError`` for an ``output_size`` that is no positive integer, and for an input of another shape or
    without elements.

    >>> AdaptiveAvgPool1d(2)(np.array([[1.0, 5.0, 3.0]]))
    array([[3., 4.]])
    """

    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows that share an image of any size: as ``AdaptiveAvgPool1d``, with input (N, C, H, W) or
    (C, H, W). ``output_size`` is a number, or a tuple for height and width, where ``None`` keeps the input's.

    >>> AdaptiveAvgPool2d(1)(np.arange(16.0).reshape(1, 4, 4))
    array([[[7.5]]])
    """

    axes = 2
