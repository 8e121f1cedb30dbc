"""Layers that bring numbers to mean 0 and variance 1, over a batch, over the features or over groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .checks import array, at_least_zero, floating_dtype, number, plain, positive_integer
from .module import Module, Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm", "RMSNorm"]


def _centered(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """x - mean, and the mean and the variance over axes, which are kept."""
    mean = np.mean(x, axis=axes, keepdims=True)
    rest = x - mean  # before it is squared, so that a large mean costs no digits
    return rest, mean, np.mean(rest * rest, axis=axes, keepdims=True)


class _Norm(Module):
    """What the layers share: ``weight`` starts at 1, ``bias`` at 0, and either may be absent."""

    weight: Parameter | None
    bias: Parameter | None

    def _start(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: Any) -> None:
        dtype = floating_dtype(type(self).__name__, dtype)
        self.weight = Parameter(np.ones(shape, dtype), name="weight") if weight else None
        self.bias = Parameter(np.zeros(shape, dtype), name="bias") if bias else None

    def _scaled(self, rest: Any, square: Any, shape: tuple[int, ...], eps: Any) -> Any:
        """rest / √(square + eps) · weight + bias, the parameters in a shape that broadcasts."""
        scale = 1 / np.sqrt(square + eps)
        if self.weight is not None:
            scale = scale * self.weight.reshape(shape)
        y = rest * scale
        return y if self.bias is None else y + self.bias.reshape(shape)

    def _refuse(self, wanted: str, shape: tuple[int, ...]) -> ValueError:
        return ValueError(f"{self!r}: expected an input of shape {wanted}, got {shape}"
                          + (": it is empty" if 0 in shape else ""))


class _BatchNorm(_Norm):
    """Batch normalization; a subclass says which shapes it takes."""

    _buffers = ("running_mean", "running_var", "num_batches_tracked")
    _shapes: tuple[str, ...] = ()

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, *, dtype: Any = np.float32) -> None:
        who = type(self).__name__
        self.num_features = positive_integer(who, "num_features", num_features)
        self.eps = at_least_zero(who, "eps", eps)
        if momentum is not None and not at_least_zero(who, "momentum", momentum) <= 1:
            raise ValueError(f"{who}: momentum must be None or at most 1, got {momentum!r}")
        self.momentum, self.affine, self.track_running_stats = momentum, affine, track_running_stats
        self._start((num_features,), affine, affine, dtype)
        self.running_mean: Any = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var: Any = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked: Any = np.array(0) if track_running_stats else None

    def __call__(self, x: Any) -> Any:
        x = array(x)
        c, shape = self.num_features, x.shape
        if len(shape) not in [s.count(",") + 1 for s in self._shapes] or shape[1] != c or 0 in shape:
            raise self._refuse(" or ".join(self._shapes).replace("C", str(c)), shape)
        axes, column = (0, *range(2, len(shape))), (c, *[1] * (len(shape) - 2))
        if self.track_running_stats and not self.training:
            return self._scaled(x - self.running_mean.reshape(column), self.running_var.reshape(column), column,
                                self.eps)
        count = x.size // c
        if count == 1:
            raise ValueError(f"{self!r}: the variance over the batch needs more than one value per channel, but the "
                             f"input has shape {shape}; pass more examples, or call eval() to use the running mean and "
                             "variance")
        rest, mean, variance = _centered(x, axes)
        if self.track_running_stats:
            self._track(plain(mean).reshape(c), plain(variance).reshape(c) * (count / (count - 1)))
        return self._scaled(rest, variance, column, self.eps)

    def _track(self, mean: Any, variance: Any) -> None:
        self.num_batches_tracked += 1
        part = 1 / number(self.num_batches_tracked) if self.momentum is None else self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, variance)):
            running *= 1 - part
            running += part * new


class BatchNorm1d(_BatchNorm):
    """(x - mean) / √(variance + eps) · weight + bias, for each channel over the batch (Ioffe and Szegedy, 2015).

    In training mean and variance are those of the batch, and ``running_mean`` and ``running_var`` move towards them by
    the part ``momentum`` of the way (with ``None``: they are the averages over all batches so far), the variance with
    count - 1 in the denominator. In evaluation mode the running ones are used.

    Shapes: input and output (N, C) or (N, C, L) with C = ``num_features``; parameters and statistics (C,).

    Raises ``ValueError`` for another shape, an empty batch, or one value per channel in training.

    >>> BatchNorm1d(2, eps=0)(np.array([[1.0, 10.0], [3.0, 30.0]])).data.tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """

    _shapes = ("(N, C)", "(N, C, L)")


class BatchNorm2d(_BatchNorm):
    """(x - mean) / √(variance + eps) · weight + bias, for each channel over batch and image: see ``BatchNorm1d``.

    Shapes: input and output (N, C, H, W) with C = ``num_features``; parameters and statistics (C,).

    Raises ``ValueError`` for another shape, an empty batch, or one value per channel in training.

    >>> layer = BatchNorm2d(3)
    >>> layer(np.ones((2, 3, 4, 4))).shape, layer.running_mean
    ((2, 3, 4, 4), array([0.1, 0.1, 0.1], dtype=float32))
    """

    _shapes = ("(N, C, H, W)",)


class _LastAxes(_Norm):
    """Normalization over the last axes, each example on its own."""

    def __init__(self, normalized_shape: int | Sequence[int]) -> None:
        who, given = type(self).__name__, normalized_shape
        sizes = tuple(given) if isinstance(given, Sequence) else (given,)
        if not sizes:
            raise ValueError(f"{who}: normalized_shape must be a positive integer or a tuple of some, got {given!r}")
        self.normalized_shape = tuple(positive_integer(who, "normalized_shape", n) for n in sizes)

    def _checked(self, x: Any) -> tuple[Any, tuple[int, ...]]:
        x, wanted = array(x), self.normalized_shape
        if x.shape[-len(wanted):] != wanted or 0 in x.shape:
            raise self._refuse(f"(..., {', '.join(map(str, wanted))})", x.shape)
        return x, tuple(range(-len(wanted), 0))


class LayerNorm(_LastAxes):
    """(x - mean) / √(variance + eps) · weight + bias, for each example over its last axes (Ba et al., 2016).

    Shapes: input and output (..., *``normalized_shape``); ``weight`` and ``bias`` have ``normalized_shape``.

    Raises ``ValueError`` for an input whose last axes differ, or that is empty.

    >>> LayerNorm(2, eps=0)(np.array([[1.0, 3.0], [10.0, 30.0]])).data.tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, *, dtype: Any = np.float32) -> None:
        super().__init__(normalized_shape)
        self.eps, self.elementwise_affine = at_least_zero("LayerNorm", "eps", eps), elementwise_affine
        self._start(self.normalized_shape, elementwise_affine, elementwise_affine and bias, dtype)

    def __call__(self, x: Any) -> Any:
        rest, _, variance = _centered(*self._checked(x))
        return self._scaled(rest, variance, self.normalized_shape, self.eps)


class RMSNorm(_LastAxes):
    """x / √(mean of x² + eps) · weight, for each example over its last axes (Zhang and Sennrich, 2019).

    ``eps=None`` takes the distance from 1 to the next number of the input's dtype.

    Shapes: input and output (..., *``normalized_shape``); ``weight`` has ``normalized_shape``.

    Raises ``ValueError`` for an input whose last axes differ, or that is empty.

    >>> RMSNorm(2)(np.array([[3.0, 3.0], [-5.0, 5.0]])).data.round(3).tolist()
    [[1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None,
                 elementwise_affine: bool = True, *, dtype: Any = np.float32) -> None:
        super().__init__(normalized_shape)
        self.eps = None if eps is None else at_least_zero("RMSNorm", "eps", eps)
        self.elementwise_affine = elementwise_affine
        self._start(self.normalized_shape, elementwise_affine, False, dtype)

    def __call__(self, x: Any) -> Any:
        x, axes = self._checked(x)
        eps = float(np.finfo(x.dtype if x.dtype.kind == "f" else float).eps) if self.eps is None else self.eps
        return self._scaled(x, np.mean(x * x, axis=axes, keepdims=True), self.normalized_shape, eps)


class GroupNorm(_Norm):
    """(x - mean) / √(variance + eps) · weight + bias, for each example over groups of channels (Wu and He, 2018).

    Shapes: input and output (N, C, ...) with C = ``num_channels``, which ``num_groups`` divides; ``weight`` and
    ``bias`` (C,).

    Raises ``ValueError`` for another shape, an empty batch, or groups that do not divide the channels.

    >>> GroupNorm(2, 4, eps=0)(np.array([[1.0, 3.0, 10.0, 30.0]])).data.tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *,
                 dtype: Any = np.float32) -> None:
        self.num_groups = positive_integer("GroupNorm", "num_groups", num_groups)
        self.num_channels = positive_integer("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_groups must divide num_channels, got {num_groups} groups of "
                             f"{num_channels} channels")
        self.eps, self.affine = at_least_zero("GroupNorm", "eps", eps), affine
        self._start((num_channels,), affine, affine, dtype)

    def __call__(self, x: Any) -> Any:
        x = array(x)
        groups, c, shape = self.num_groups, self.num_channels, x.shape
        if len(shape) < 2 or shape[1] != c or 0 in shape:
            raise self._refuse(f"(N, {c}, ...)", shape)
        inside = (c // groups, *shape[2:])
        rest, _, variance = _centered(x.reshape(shape[0], groups, *inside), tuple(range(2, len(shape) + 1)))
        column = (groups, c // groups, *[1] * (len(shape) - 2))
        return self._scaled(rest, variance, column, self.eps).reshape(shape)
