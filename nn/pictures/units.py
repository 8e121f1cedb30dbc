"""``unit_health``: which units of a network are dead or saturated, and so hardly learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Value, functions

from ..inspection import check_model, examples
from ..module import Module
from .outputs import activation, outputs
from .style import ALERT, colours, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["unit_health"]

_LIMITS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_NEAR, _OFTEN = 0.05, 0.95
_NOTE = ("dead: a ReLU unit that is 0 for every example. saturated: a sigmoid below 0.05 or above 0.95, or a tanh\n"
         "beyond ±0.9, for at least 95 % of the examples. A unit is a neuron, or a channel of maps.")
_DEAD, _SATURATED = "#D55E00", "#E69F00"


def unit_health(model: Module, x: Any) -> Figure:
    """How many units of each activation are dead or saturated over the examples ``x``, and which.

    A ReLU unit is dead where it is 0 for all examples: no gradient goes through it. A sigmoid or tanh unit is saturated
    where it is, for at least 95 % of the examples, within 5 % of the distance between its limits from one of these:
    below 0.05 or above 0.95, or beyond ±0.9: little gradient goes through it. A unit of maps, of shape (examples,
    channels, height, width) behind a convolution, is a channel, and counts at all its places; else it is an element of
    the last axis. The activations are found in the recorded graph, whether modules or functions compute them. The model
    is in evaluation mode meanwhile.

    Args:
        x: the inputs, an array with a row for each example, or a tuple of such arrays.

    Returns a matplotlib ``Figure``. Raises ``TypeError`` where the model is no module, and ``ValueError`` for a model
    without parameters, without a ReLU, sigmoid or tanh, and for no examples.

    >>> import nn
    >>> picture = unit_health(nn.MLP([4, 3, 2], rng=0), np.ones((5, 4), np.float32))
    >>> [label.get_text() for label in picture.axes[0].get_yticklabels()]
    ['1 ReLU']
    """
    check_model("unit_health", model)
    (x,), n = examples("unit_health", x=x)
    layers = []
    for layer in outputs("unit_health", model, x):
        nodes = [node for node in layer.nodes if activation(node) in ("relu", *_LIMITS)]
        if nodes:
            layers.append((layer.name, *_judged(nodes)))
    if not layers:
        raise ValueError(f"unit_health: {type(model).__name__} computes no ReLU, sigmoid or tanh, whose units could be "
                         "dead or saturated")
    c = colours()
    from matplotlib.patches import Patch

    keys = [("at work", c.positive, ""), ("saturated", _SATURATED, "//"), ("dead", _DEAD, "xx"), ("", c.alarm, "")]
    picture = figure(9, 0.5 * len(layers) + 1.9)
    axes = picture.subplots()
    for row, (_, dead, saturated, wrong) in enumerate(layers):
        left = 0.0
        for (_, colour, hatch), mask in zip(keys, (~(dead | saturated | wrong), saturated, dead, wrong), strict=True):
            if mask.any():
                axes.barh(row, mask.mean(), left=left, height=0.6, color=colour, hatch=hatch, edgecolor=c.background,
                          linewidth=0)
                left += mask.mean()
        axes.annotate(_said(dead, saturated, wrong), (1, row), (8, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="center", fontsize=9, annotation_clip=False,
                      **(ALERT if wrong.any() else {}))
    axes.set(xlim=(0, 1), ylim=(len(layers) - 0.5, -0.5), xlabel="part of the units")
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_yticks(range(len(layers)), [name for name, *_ in layers])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"Dead and saturated units over {n:,} example{'s' * (n > 1)}", fontsize=11, loc="left")
    picture.legend(handles=[Patch(facecolor=colour, hatch=hatch, edgecolor=c.background, linewidth=0, label=label)
                            for label, colour, hatch in keys if label],
                   loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    picture.supxlabel(_NOTE, fontsize=8, ha="left", x=0.01)
    return picture


def _judged(nodes: list[Value]) -> tuple[Any, Any, Any]:
    """Of each unit, whether it is dead, saturated, or not finite."""
    rows = [np.moveaxis(node.data, _axis(node), -1).reshape(-1, node.shape[_axis(node)]) for node in nodes]
    a, kind = np.concatenate(rows), activation(nodes[0])
    wrong = ~np.isfinite(a).all(axis=0)
    if kind == "relu":
        return (a == 0).all(axis=0) & ~wrong, np.zeros_like(wrong), wrong
    low, high = _LIMITS[kind]
    near = _NEAR * (high - low)
    with np.errstate(invalid="ignore"):
        flat = ((a < low + near) | (a > high - near)).mean(axis=0) >= _OFTEN
    return np.zeros_like(wrong), flat & ~wrong, wrong


def _axis(node: Value) -> int:
    """The axis of the units: that of the channels behind a convolution, else the last."""
    if node.ndim < 3:
        return -1
    near, seen = [node], {node}
    while near:
        ahead = near.pop(0)
        if ahead.op in (functions.convolve, functions.convolve_input):
            return 1
        if ahead.op in (functions.affine, np.matmul):
            return -1
        fresh = [p for p in ahead.parents if p not in seen]
        seen.update(fresh)
        near.extend(fresh)
    return -1


def _said(dead: np.ndarray, saturated: np.ndarray, wrong: np.ndarray) -> str:
    """How many units are not at work, and the first of them by number."""
    parts = []
    for mask, what in ((dead, "dead"), (saturated, "saturated"), (wrong, "nan or inf")):
        which = list(map(str, np.flatnonzero(mask)))
        if which:
            parts.append(f"{len(which)} {what}: {', '.join(which[:5])}{', …' * (len(which) > 5)}")
    return "\n".join(parts) or f"all {len(dead)} at work"
