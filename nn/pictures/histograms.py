"""Histograms layer by layer: of what the layers compute, and of the gradients of their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..inspection import check_cost, check_model, examples, gradient
from ..module import Module
from .outputs import outputs
from .style import ALERT, colours, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["activation_histograms", "gradient_histograms"]


def activation_histograms(model: Module, x: Any) -> Figure:
    """How the numbers are distributed that each layer makes of ``x``: a histogram for each, in the order of the data.

    Layers are the modules that hold no others, and the activation functions that others call. Numbers above 0 are
    blue, below 0 orange; those that are exactly 0 are left out and counted in the title. The model is in evaluation
    mode meanwhile.

    Args:
        x: the inputs, an array with a row for each example, or a tuple of such arrays.

    Returns a matplotlib ``Figure``. Raises ``TypeError`` where the model is no module, and ``ValueError`` for a model
    without parameters, for no examples, and for a model whose layers give no Values.

    >>> import nn
    >>> picture = activation_histograms(nn.MLP([4, 3, 2], rng=0), np.ones((5, 4), np.float32))
    >>> [axes.get_title().partition("\\n")[0] for axes in picture.axes]
    ['0 Linear', '1 ReLU', '2 Linear']
    """
    check_model("activation_histograms", model)
    (x,), n = examples("activation_histograms", x=x)
    layers = outputs("activation_histograms", model, x)
    columns = min(len(layers), 4 if len(layers) % 4 in (0, 3) or len(layers) > 9 else 3)
    rows = -(-len(layers) // columns)
    picture = figure(3 * columns + 0.3, 2.1 * rows + 0.5)
    grid = [*picture.subplots(rows, columns, squeeze=False).flat]
    for axes, layer in zip(grid, layers, strict=False):
        _histogram(axes, layer.name, np.concatenate([np.ravel(node.data) for node in layer.nodes]))
    for axes in grid[len(layers):]:
        axes.remove()
    for axes in grid[:len(layers):columns]:
        axes.set_ylabel("numbers")
    for axes in grid[max(len(layers) - columns, 0):len(layers)]:
        axes.set_xlabel("activation")
    picture.suptitle(f"What each layer makes of {n:,} example{'s' * (n > 1)} (what is exactly 0 is not drawn)",
                     fontsize=11)
    return picture


def _histogram(axes: Any, name: str, numbers: np.ndarray) -> None:
    c = colours()
    finite = numbers[np.isfinite(numbers)].astype(float)
    kept = finite[finite != 0]
    parts = [f"mean {finite.mean():.2g}, sd {finite.std():.2g}"] if finite.size else []
    zeros = finite.size - kept.size
    if zeros:
        parts.append(f"{percent(zeros, numbers.size)} are 0")
    if finite.size < numbers.size:
        parts.append(not_finite(numbers))
    axes.set_title(f"{name}\n{'; '.join(parts)}", fontsize=9, **({} if finite.size == numbers.size else ALERT))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    if kept.size:
        low, high = min(kept.min(), 0.0), max(kept.max(), 0.0)
        width = (high - low) / 40
        below = int(np.ceil(-low / width))
        edges = width * np.arange(-below, int(np.ceil(high / width)) + 1)  # one of them is 0, where the colour changes
        counts, edges = np.histogram(kept, edges)
        axes.bar(edges[:-1], counts, np.diff(edges), align="edge",
                 color=[c.positive if edge >= -width / 2 else c.negative for edge in edges[:-1]])
    else:
        axes.text(0.5, 0.5, "all are 0" if finite.size else "none is finite", ha="center", va="center",
                  transform=axes.transAxes)
    axes.axvline(0, color=c.text, linewidth=0.6, alpha=0.5)


def gradient_histograms(model: Module, cost: Callable[[Any, Any], Any], x: Any, y: Any) -> Figure:
    """How much of the gradient reaches each layer: for each, how the sizes |∂C/∂w| of its parameters are distributed.

    All are on one logarithmic scale, the first layer on top, so that a gradient that vanishes or explodes on its way
    back shows as a drift to the left or right. Components that are exactly 0 have no place on it and are counted
    beside it. The model is in evaluation mode meanwhile, and no ``.grad`` changes.

    Args:
        cost: a function of the model's output and the target, as for ``nn.fit``.
        x, y: the examples, each an array with a row for each, or a tuple of such arrays.

    Returns a matplotlib ``Figure``. Raises as ``nn.nudges`` does.

    >>> import nn
    >>> x, y = np.ones((5, 4), np.float32), np.array([0, 1, 0, 1, 0])
    >>> picture = gradient_histograms(nn.MLP([4, 3, 2], rng=0), nn.cross_entropy, x, y)
    >>> [label.get_text() for label in picture.axes[0].get_yticklabels()]
    ['0 Linear', '2 Linear']
    """
    who = "gradient_histograms"
    check_model(who, model)
    check_cost(who, cost)
    (x, y), n = examples(who, x=x, y=y)
    value, gradients = gradient(who, model, cost, x, y)
    by_parameter = dict(zip(model.parameters(), gradients, strict=True))
    layers: dict[str, np.ndarray] = {}
    for path, module in model.named_modules():
        own = [np.abs(np.ravel(by_parameter.pop(p))) for _, p in module.own_parameters() if p in by_parameter]
        if own:
            layers[f"{path} {type(module).__name__}".strip()] = np.concatenate(own).astype(float)
    c = colours()
    picture = figure(8.2, 0.5 * len(layers) + 1.5)
    axes = picture.subplots()
    logs = {name: np.log10(g[np.isfinite(g) & (g > 0)]) for name, g in layers.items()}
    every = np.concatenate([*logs.values(), np.zeros(0)])
    high = np.ceil(4 * every.max()) / 4 if every.size else 0.0
    low = min(np.floor(4 * np.quantile(every, 0.01)) / 4, high - 1) if every.size else high - 1
    edges = np.linspace(low, high, 1 + int(np.clip(12 * (high - low), 40, 120)))
    for row, (name, g) in enumerate(layers.items()):
        base = row + 0.4
        axes.axhline(base, color=c.text, linewidth=0.5, alpha=0.4)
        if logs[name].size:
            counts = np.histogram(np.clip(logs[name], low, high), edges)[0]
            axes.stairs(base - 0.75 * counts / counts.max(), edges, baseline=base, fill=True, color=c.positive)
            middle = float(np.median(logs[name]))
            axes.plot([middle, middle], [base, base - 0.75], color=c.negative, linewidth=2)
        text = f"median {10**middle:.1e}" if logs[name].size else "no gradient"
        zeros = int((g == 0).sum())
        text += f"\n{percent(zeros, g.size)} are 0" if zeros and logs[name].size else ""
        axes.annotate(text, (1, row), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      va="center", fontsize=8, annotation_clip=False)
        if not np.isfinite(g).all():
            axes.annotate(not_finite(g), (0.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9,
                          **ALERT)
    axes.set(xlim=(low, high), ylim=(len(layers) - 0.45, -0.6), xlabel="|∂C/∂w|")
    axes.set_yticks(range(len(layers)), list(layers))
    ticks = np.arange(np.ceil(low), np.floor(high) + 1, max(1, round((high - low) / 8)))
    axes.set_xticks(ticks, [f"$10^{{{int(tick)}}}$" for tick in ticks])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.set_title(f"How much of the gradient reaches each layer (C = {value:.3g} over {n:,} "
                   f"example{'s' * (n > 1)}; orange: the median)", fontsize=10, loc="left",
                   **({} if np.isfinite(value) else ALERT))
    return picture


def percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if 1 <= share <= 99 or part == whole else "under 1 %" if share < 1 else "over 99 %"


def not_finite(numbers: np.ndarray) -> str:
    """How many numbers are nan, and how many infinite."""
    nans, infinite = int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum())
    return ", ".join([*[f"{nans:,} nan"] * (nans > 0), *[f"{infinite:,} inf"] * (infinite > 0)])
