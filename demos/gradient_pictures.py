"""The pictures of the gradient-checking gallery, in the colours of Okabe and Ito, which the colour-blind tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure

from autograd import GradientReport
from autograd.checking import ElementCheck

__all__ = ["conditioning", "errors", "gradients_by_layer", "kink", "nan", "neurons", "rules"]

ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"


def _figure(width: float, height: float, columns: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = [*figure.subplots(1, columns, squeeze=False, **options).flat]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25)
    return figure, axes


def rules(x: np.ndarray, reports: Mapping[str, GradientReport]) -> Figure:
    """The gradient by each rule beside the numeric one, element by element."""
    figure, axes = _figure(10, 4, len(reports), sharey=True)
    for ax, (name, report) in zip(axes, reports.items(), strict=True):
        analytic = np.array([e.analytic for e in report.elements])
        numeric = np.array([e.numeric for e in report.elements])
        wrong = np.array([not e.right for e in report.elements])
        ax.plot(x, numeric, color="black", linewidth=1.2, label="numeric derivative", zorder=1)
        ax.vlines(x[wrong], numeric[wrong], analytic[wrong], color=VERMILION, linewidth=1, alpha=0.6, zorder=1)
        for which, colour, marker, label in ((~wrong, BLUE, "o", "by the rule: right"),
                                             (wrong, VERMILION, "X", "by the rule: wrong")):
            if np.any(which):
                ax.scatter(x[which], analytic[which], s=34, color=colour, marker=marker, label=label, zorder=2)
        ax.set(xlabel="element of x", title=f"{name}: {np.sum(wrong)} of {len(x)} elements wrong")
        ax.legend(frameon=False, loc="upper left")
    axes[0].set_ylabel("gradient")
    return figure


def kink(x: np.ndarray, elements: Sequence[ElementCheck], point: float, reach: float, step: float) -> Figure:
    """|x| around 0 with its two slopes; and its gradients there, beside a central difference with a fixed step."""
    figure, (left, right) = _figure(11, 4.4, 2)
    micro, wide = 1e6, np.linspace(x[0], x[-1], 401)
    for ax in (left, right):
        ax.axvspan(-reach * micro, reach * micro, color=ORANGE, alpha=0.15, zorder=0)
    bottom, top = -0.35, x[-1] * micro
    for side, colour in ((-1, SKY), (1, BLUE)):
        left.plot([0, side * top], [0, top], color=colour, linewidth=3)
        left.plot([0, side * bottom], [0, bottom], color=colour, linewidth=1.5, linestyle=":")
        left.annotate(f"slope {side}", (side * top / 2, top / 2), (side * 12, -4), textcoords="offset points",
                      color=colour, ha="left" if side > 0 else "right", va="top", fontsize=11)
    left.plot(point * micro, abs(point) * micro, "o", color=VERMILION, markersize=9)
    left.annotate(f"the point x = {point:g}", (point * micro, abs(point) * micro), (14, -6),
                  textcoords="offset points", color=VERMILION)
    left.set(xlabel="x in millionths", ylabel="|x| in millionths", title="|x|: two slopes, and no derivative at 0",
             ylim=(bottom, top))
    analytic, numeric = (np.array([getattr(e, name) for e in elements]) for name in ("analytic", "numeric"))
    at_kink = np.array([e.verdict == "kink" for e in elements])
    right.plot(wide * micro, (np.abs(wide + step) - np.abs(wide - step)) / (2 * step), color=PURPLE, linewidth=2,
               label=f"central difference, h = {step:g}")
    right.plot(wide * micro, np.sign(wide), color="black", linewidth=1, label="derivative")
    for which, colour, marker, label in ((~at_kink, BLUE, "o", "right"), (at_kink, ORANGE, "D", "kink")):
        right.scatter(x[which] * micro, numeric[which], s=34, color=colour, marker=marker, zorder=3,
                      label=f"gradcheck, numeric side: {label}")
    right.scatter(x * micro, analytic, s=5, color="white", zorder=4)
    right.set(xlabel="x in millionths", ylabel="derivative", ylim=(-1.25, 1.25),
              title="A fixed step is wrong wherever it straddles the kink")
    right.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def conditioning(x: np.ndarray, errors: Mapping[str, np.ndarray], allowed: float) -> Figure:
    """The relative errors of gradients in float32, of formulas for the same function."""
    figure, (ax,) = _figure(8.5, 4.6)
    for (name, values), colour, marker in zip(errors.items(), (VERMILION, BLUE), ("X", "o"), strict=True):
        ax.plot(x, np.maximum(values, 1e-9), marker=marker, color=colour, linewidth=1.5, label=name)
    ax.axhline(allowed, color="black", linewidth=1, linestyle="--")
    ax.annotate(f"{allowed:g}: more is called precision", (1, allowed), (-2, 4), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", fontsize=9)
    ax.set(xscale="log", yscale="log", xlabel="x", ylabel="relative error of the gradient",
           title="float32: both gradients are right, but one of the formulas cancels")
    ax.legend(frameon=False, loc="upper left")
    return figure


def gradients_by_layer(sizes: Mapping[str, Sequence[float]]) -> Figure:
    """The size of the weights' gradient in every layer of some networks."""
    figure, (ax,) = _figure(9, 4.8)
    for (name, values), colour, marker in zip(sizes.items(), (VERMILION, ORANGE, BLUE), "Xso", strict=True):
        ax.plot(range(1, len(values) + 1), values, marker=marker, color=colour, linewidth=2, label=name)
        ax.annotate(f"{values[0]:.0e}", (1, values[0]), (-8, 0), textcoords="offset points", ha="right", va="center",
                    color=colour, fontsize=9)
    count = max(map(len, sizes.values()))
    ax.set(yscale="log", xlabel="layer, from the input to the output", ylabel="biases' gradient, root mean square",
           xticks=range(1, count + 1), xlim=(0.2, count + 0.3), title="How much of the gradient reaches each layer")
    ax.legend(frameon=False, loc="lower right")
    return figure


def nan(x: np.ndarray, gradients: Mapping[str, np.ndarray]) -> Figure:
    """The gradients of two ways to write the same function, with a line where one is nan."""
    figure, axes = _figure(10, 3.8, len(gradients), sharey=True)
    for ax, (formula, g) in zip(axes, gradients.items(), strict=True):
        ax.plot(x, g, "o", color=BLUE, label="gradient")
        for k, at in enumerate(x[np.isnan(g)]):
            ax.axvline(at, color=VERMILION, linewidth=3, label="nan" if k == 0 else None)
        ax.set_title(formula, family="monospace", fontsize=9.5)
        ax.set(xlabel="x")
        ax.legend(frameon=False, loc="upper right")
    axes[0].set_ylabel("gradient")
    return figure


def errors(report: GradientReport) -> Figure:
    """How far the gradient of each parameter is from the numeric one, as histograms by layers."""
    figure, (ax,) = _figure(9, 4.2)
    relative: dict[str, list[float]] = {}
    for e in report.elements:
        size = max(abs(e.analytic), abs(e.numeric))
        if size:  # the weights of pixels without ink have none
            relative.setdefault(e.argument.rpartition(".")[0], []).append(max(e.error / size, 1e-18))
    bins = np.arange(-18.5, -4, 0.25).tolist()
    names = [f"layer {i}: {len(values):,} with a gradient" for i, values in enumerate(relative.values(), 1)]
    ax.hist([np.log10(values) for values in relative.values()], bins=bins, stacked=True, label=names,
            color=[SKY, BLUE, GREEN][:len(names)] if len(names) <= 3 else None)
    ax.axvline(-6, color=VERMILION, linewidth=1.5, linestyle="--", label="allowed")
    ax.axvline(np.log10(np.finfo(float).eps), color="grey", linewidth=1, linestyle=":", label="ε of float64")
    ax.set_xticks(range(-18, -5, 2), ["none", *map(str, range(-16, -5, 2))])
    ax.set(xlabel="log₁₀ of the relative error", ylabel="parameters",
           title="Every gradient against the complex step")
    ax.legend(frameon=False)
    return figure


def neurons(gradient: np.ndarray, side: int) -> Figure:
    """The gradient of the first layer's weights, an image for each neuron, on one logarithmic scale for all."""
    count = len(gradient)
    rows = max(1, round(count**0.5))
    columns = -(-count // rows)
    figure = Figure(figsize=(1.75 * columns + 1, 1.85 * rows + 0.6), layout="constrained")
    figure.suptitle("Gradient of each weight of the first layer: raising it raises (blue) or lowers (red) the cost",
                    fontsize=10)
    bound = float(np.abs(gradient).max()) or 1.0
    norm = SymLogNorm(bound / 100, vmin=-bound, vmax=bound)
    axes = [*figure.subplots(rows, columns, squeeze=False).flat]
    for ax in axes:
        ax.set_axis_off()
    for i, (ax, row) in enumerate(zip(axes, gradient, strict=False)):
        ax.imshow(row.reshape(side, side), cmap="RdBu", norm=norm)
        ax.set_title(f"neuron {i}", fontsize=8)
    figure.colorbar(axes[0].images[0], ax=axes, shrink=0.6)
    return figure
