"""Convolutional layers: filters that see a small window of an image or signal, the same at every place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.functions import convolve, convolve_input

from . import initializers
from .checks import floating_dtype, positive_integer
from .module import Module, Parameter
from .random import Randomness, generator
from .spatial import as_batch, check_fits, numbers_of, per_axis

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]


class _Convolution(Module):
    """What all convolutions have: settings for each axis, filters, and a bias for each output channel."""

    axes: int

    padding: Any

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
                 groups: int, bias: bool, rng: Randomness, dtype: Any, transposed: bool) -> None:
        who = type(self).__name__
        self.in_channels = positive_integer(who, "in_channels", in_channels)
        self.out_channels = positive_integer(who, "out_channels", out_channels)
        self.kernel_size = per_axis(who, "kernel_size", kernel_size, self.axes)
        self.stride = per_axis(who, "stride", stride, self.axes)
        self.padding = padding if isinstance(padding, str) and not transposed else (
            per_axis(who, "padding", padding, self.axes, 0))
        self.dilation = per_axis(who, "dilation", dilation, self.axes)
        self.groups = positive_integer(who, "groups", groups)
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{who}: groups must divide {name}, got groups={groups} and {name}={channels}")
        dtype, rng = floating_dtype(who, dtype), generator(rng, who)
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(initializers.uniform(shape, rng, dtype, bound=bound), name="weight")
        self.bias: Parameter | None = None
        if bias:
            self.bias = Parameter(initializers.uniform((out_channels,), rng, dtype, bound=bound), name="bias")

    @property
    def _who(self) -> str:
        """How an error calls this layer."""
        kernel = numbers_of(self.kernel_size)
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {kernel})"

    def _finished(self, y: Any, single: bool) -> Any:
        """``y`` with the bias, as a batch or as a single example, like the input."""
        if self.bias is not None:
            y = y + np.reshape(self.bias, (self.out_channels, *(1,) * self.axes))
        return np.reshape(y, y.shape[1:]) if single else y


class _Conv(_Convolution):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, bias: bool = True, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng, dtype,
                         False)
        who = type(self).__name__
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"{who}: padding must be integers, 'same' or 'valid', got {padding!r}")
            if padding == "same" and set(self.stride) != {1}:
                raise ValueError(f"{who}: padding='same' needs stride=1, got stride={numbers_of(self.stride)}")

    def _pads(self) -> tuple[tuple[int, int], ...]:
        """How much is added before and after, along each axis."""
        if self.padding == "same":  # where one side has more, it is the end
            total = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            return tuple((n // 2, n - n // 2) for n in total)
        return ((0, 0),) * self.axes if isinstance(self.padding, str) else tuple((n, n) for n in self.padding)

    def __call__(self, x: Any) -> Any:
        x, single = as_batch(self._who, x, self.axes, self.in_channels)
        padding = self._pads()
        check_fits(self._who, x.shape[2:], self.kernel_size, padding, self.dilation)
        return self._finished(convolve(x, self.weight, self.stride, padding, self.dilation, self.groups), single)


class Conv1d(_Conv):
    """Filters that slide along a signal: y[n, o, p] = b[o] + Σ x[n, c, p · stride + k · dilation - padding] w[o, c, k].

    Shapes: input (N, in_channels, L) or (in_channels, L), output with ``out_channels`` and
    ⌊(L + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1 places, ``weight`` (out_channels,
    in_channels / groups, kernel_size), ``bias`` (out_channels,). Both start uniform between ±1/√fan_in, where fan_in
    counts what a filter sees, as in PyTorch. ``padding`` zeros are added at both ends; ``"same"`` adds as many as keep
    the length (with ``stride=1``), ``"valid"`` none. With ``groups``, the first filters see the first channels alone,
    and so on.

    Raises ``ValueError`` for settings that do not fit together, and for an input of another shape, without elements, or
    smaller than the kernel.

    >>> Conv1d(2, 4, 3, padding="same", rng=np.random.default_rng(0))(np.ones((5, 2, 9), np.float32)).shape
    (5, 4, 9)
    """

    axes = 1


class Conv2d(_Conv):
    """Filters that slide over an image, after LeCun et al., *Gradient-based learning applied to document recognition*,
    1998: y[n, o, p, q] = b[o] + Σ x[n, c, p · stride + i - padding, q · stride + j - padding] w[o, c, i, j].

    As ``Conv1d``, with input (N, in_channels, H, W) or (in_channels, H, W) and ``weight`` (out_channels,
    in_channels / groups, height, width). ``kernel_size``, ``stride``, ``padding`` and ``dilation``, the factor of i and
    j, are a number, or a tuple for height and width.

    >>> layer = Conv2d(1, 6, 5, padding=2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 1, 28, 28), np.float32)).shape
    (5, 6, 28, 28)
    """

    axes = 2


class _ConvTranspose(_Convolution):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng, dtype,
                         True)
        who = type(self).__name__
        self.output_padding = per_axis(who, "output_padding", output_padding, self.axes, 0)
        if any(n >= max(s, d) for n, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise ValueError(f"{who}: output_padding must be less than stride or dilation, got "
                             f"output_padding={numbers_of(self.output_padding)}, stride={numbers_of(self.stride)} and "
                             f"dilation={numbers_of(self.dilation)}")

    def __call__(self, x: Any) -> Any:
        x, single = as_batch(self._who, x, self.axes, self.in_channels)
        # Of what is added at the end, first comes what padding cut off, then places that no window reaches.
        added = [min(extra, p + s - 1)
                 for extra, p, s in zip(self.output_padding, self.padding, self.stride, strict=True)]
        shape = tuple((n - 1) * s - 2 * p + d * (k - 1) + extra + 1 for n, s, p, d, k, extra in zip(
            x.shape[2:], self.stride, self.padding, self.dilation, self.kernel_size, added, strict=True))
        if min(shape) < 1:
            raise ValueError(f"{self._who}: an input of {x.shape[2:]} with padding={numbers_of(self.padding)} gives an "
                             f"output of {shape}: each axis must have at least one element")
        pads = tuple((p, max(p - extra, 0)) for p, extra in zip(self.padding, added, strict=True))
        y = convolve_input(x, self.weight, shape, self.stride, pads, self.dilation, self.groups)
        rest = [extra - n for extra, n in zip(self.output_padding, added, strict=True)]
        y = np.pad(y, [(0, 0), (0, 0), *((0, n) for n in rest)]) if any(rest) else y
        return self._finished(y, single)


class ConvTranspose1d(_ConvTranspose):
    """The transpose of ``Conv1d`` as a linear map: each number of the input adds its multiple of the filters around it.

    Shapes: input (N, in_channels, L) or (in_channels, L), output with ``out_channels`` and
    (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1 places, ``weight`` (in_channels,
    out_channels / groups, kernel_size), ``bias`` (out_channels,). Both start uniform between ±1/√fan, where fan counts
    the places that an input adds to, as in PyTorch. With ``stride`` 2 it doubles the length; since several lengths lead
    to the same one under ``Conv1d``, ``output_padding`` says how many more places there are at the end.

    Raises ``ValueError`` for settings that do not fit together, and for an input of another shape or without elements.

    >>> ConvTranspose1d(4, 2, 2, stride=2, rng=np.random.default_rng(0))(np.ones((5, 4, 9), np.float32)).shape
    (5, 2, 18)
    """

    axes = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of ``Conv2d`` as a linear map, which makes images larger (Zeiler et al., *Deconvolutional
    networks*, 2010).

    As ``ConvTranspose1d``, with input (N, in_channels, H, W) or (in_channels, H, W) and ``weight`` (in_channels,
    out_channels / groups, height, width). Settings are a number, or a tuple for height and width.

    >>> ConvTranspose2d(4, 2, 2, stride=2, rng=np.random.default_rng(0))(np.ones((5, 4, 7, 7), np.float32)).shape
    (5, 2, 14, 14)
    """

    axes = 2
