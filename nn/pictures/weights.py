"""``weight_images``: what each neuron or filter of a layer looks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Value

from ..module import Module
from .style import ALERT, colours, diverging, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["weight_images"]

_MOST = 64  # images in a picture


def weight_images(layer: Any, shape: tuple[int, int] | None = None) -> Figure:
    """A layer's weights as images, on one scale: input on blue raises a neuron, input on orange lowers it.

    Args:
        layer: a module with a ``weight``, or the weights themselves. Of shape (neurons, inputs), each neuron is an
            image of ``shape``; of (filters, height, width) or (filters, channels, height, width), as those of
            convolutions, each filter is one, with a column for each channel.
        shape: height and width of the images of neurons; a square where it is not given.

    Returns a matplotlib ``Figure``, which shows the first 64 images and says so.

    Raises ``TypeError`` for a layer without weights, ``ValueError`` where the inputs are not an image of ``shape``.

    >>> import nn
    >>> weight_images(nn.Linear(784, 16, rng=0)).axes[0].get_title(loc="left")
    'Linear.weight: 16 neurons. Input on blue raises a neuron, on orange lowers it'
    """
    weight, name = _weight(layer)
    if weight.ndim == 2:
        weight = weight.reshape(len(weight), *_shape(weight.shape, shape, name))
    elif shape is not None and tuple(shape) != weight.shape[-2:]:
        raise ValueError(f"weight_images: {name} has images of {weight.shape[-2:]} already; leave out shape={shape}")
    what = "neuron" if _is_dense(layer, weight) else "filter"
    total, channels = len(weight), weight.shape[1] if weight.ndim == 4 else 1
    if channels > 1:
        columns = min(channels, 16)
        images = [weight[i, j] for i in range(min(total, _MOST // columns)) for j in range(columns)]
        labels = [f"{i}, {j}" for i in range(min(total, _MOST // columns)) for j in range(columns)]
    else:
        images = list(weight.reshape(total, *weight.shape[-2:])[:_MOST])
        columns, labels = _columns(len(images)), list(map(str, range(len(images))))
    count = f"{total} {what}{'s' * (total > 1)}" + f" of {channels} channels" * (channels > 1)
    title = f"{name}: {count}. Input on blue raises a {what}, on orange lowers it"
    if len(images) < total * channels:
        title += f" (the first {len(images)} of {total * channels:,} images)"
    return _sheet(title, images, labels, columns)


def _weight(layer: Any) -> tuple[np.ndarray, str]:
    if isinstance(layer, Module):
        held = getattr(layer, "weight", None)
        name = f"{type(layer).__name__}.weight"
        if not isinstance(held, Value):
            paths = [path for path, m in layer.named_modules() if isinstance(getattr(m, "weight", None), Value)]
            inside = f"one of its layers: {', '.join(paths)}" if paths else "a module that has one, or a parameter"
            raise TypeError(f"weight_images: {type(layer).__name__} has no weight of its own; pass {inside}")
        layer = held
    else:
        name = getattr(layer, "name", None) or "weight"
    weight = layer.data if isinstance(layer, Value) else layer
    if not isinstance(weight, np.ndarray) or weight.dtype.kind not in "biuf":
        raise TypeError("weight_images: layer must be a module with a weight, or an array of weights, got "
                        f"{layer!r:.60}")
    if weight.ndim not in (2, 3, 4) or 0 in weight.shape:
        raise ValueError(f"weight_images: {name} has the shape {weight.shape}; expected (neurons, inputs), (filters, "
                         "height, width) or (filters, channels, height, width)")
    return weight, name


def _shape(weight: tuple[int, ...], shape: Any, name: str) -> tuple[int, int]:
    inputs, side = weight[1], math.isqrt(weight[1])
    if shape is None:
        if side * side != inputs:
            raise ValueError(f"weight_images: {name} has {inputs} inputs, which are no square: pass shape=(height, "
                             f"width) with height · width = {inputs}, such as shape=(1, {inputs})")
        return side, side
    if len(shape) != 2 or shape[0] * shape[1] != inputs:
        raise ValueError(f"weight_images: shape must be (height, width) with height · width = {inputs}, the inputs of "
                         f"{name}; got {shape}")
    return shape[0], shape[1]


def _is_dense(layer: Any, weight: np.ndarray) -> bool:
    return weight.ndim < 4 and "Conv" not in type(layer).__name__


def _columns(n: int) -> int:
    """Of a grid of ``n`` images: where its last row is fullest, and wide rather than high."""
    return n if n <= 8 else min(range(4, 9), key=lambda c: (-n % c, -c))


def _sheet(title: str, images: list[np.ndarray], labels: list[str], columns: int) -> Figure:
    c = colours()
    height, width = images[0].shape
    rows = -(-len(images) // columns)
    side = min(1.35 if max(height, width) > 8 else 0.85, 10 / columns)  # inches of an image
    tall = min(max(side * height / width, 0.25), 4 * side)
    picture = figure(max(1.08 * side * columns + 1.2, 6.5), (tall + 0.22) * rows + 0.5)
    axes = picture.subplots()
    shown = np.concatenate([np.ravel(image) for image in images])
    finite = np.abs(shown[np.isfinite(shown)])
    most = float(finite.max()) if finite.size and finite.any() else 1.0
    high = float(np.quantile(finite, 0.995)) if finite.size else 1.0
    bound = high if 0.4 * most < high < 0.9 * most else most  # the few that are beyond look like it
    gap_x, gap_y = 0.08, 0.22 / tall
    for k, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = k % columns * (1 + gap_x), k // columns * (1 + gap_y)
        drawn = axes.imshow(np.where(np.isfinite(image), image, np.nan), cmap=diverging(), vmin=-bound, vmax=bound,
                            extent=(left, left + 1, top + 1, top), interpolation="nearest")
        axes.plot([left, left + 1, left + 1, left, left], [top, top, top + 1, top + 1, top], color=c.text,
                  linewidth=0.5, alpha=0.4)
        axes.text(left + 0.5, top + 1 + gap_y * 0.1, label, ha="center", va="top", fontsize=8)
    axes.set(xlim=(-0.02, columns * (1 + gap_x)), ylim=(rows * (1 + gap_y), -0.02), aspect=tall / side)
    axes.set_axis_off()
    axes.set_title(title, fontsize=10, loc="left")
    wrong = len(shown) - len(finite)
    if wrong:
        picture.supxlabel(f"red: {wrong:,} weights are nan or infinite", fontsize=9, **ALERT)
    picture.colorbar(drawn, ax=axes, shrink=min(1, 2.5 / picture.get_figheight()), label="weight",
                     extend="both" if bound < most else "neither")
    return picture
