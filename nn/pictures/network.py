"""``draw_network``: a feed-forward network as neurons by their brightness and weights by sign and size, or by nudge."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..module import Module
from .layers import Activity, Cost, activity, input_range
from .style import colours, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["NetworkPicture", "costing", "draw_network"]

_SHOWN = 16  # neurons of a layer, or fewer
_RADIUS = 0.37  # of a neuron, where neurons lie 1 apart
_INCH = 0.3  # for a distance of 1
_IMAGE = 9.0  # the longer side of the image
_WIDTH = 25.0  # that the legend wants


def draw_network(model: Module, x: Any, target: Any = None, *, cost: Cost | None = None) -> Figure:
    """What a trained feed-forward network makes of one example: the picture of the lecture notes, as a ``Figure``.

    Neurons are as bright as they are active. Edges are blue for positive weights and orange for negative ones, and
    as wide as the weight is large, relative to the largest of its layer. With a target, they show nudges instead, that
    is, the negative gradient of this example's cost: blue where a weight should rise, orange where it should fall, the
    weights that matter most widest and on top; and the arrows at the outputs are as long as the nudge that each
    would like. Of a layer of more than 16 neurons 16 are drawn: those that count most, by what they send on or by the
    nudges; of an image, one in each of its 4 × 4 parts.

    Layers are found in what the model computes, in evaluation mode: each ``nn.Linear``, and each ``x @ W`` of a
    ``Parameter``; what follows up to the next one makes its neurons' activations. Of a network with other layers in
    front, such as convolutions or those that go over a sequence, it draws from the first linear layer behind them on.

    Args:
        model: a module whose linear layers follow one another.
        x: one example, or a batch of one. A vector of n² ≥ 64 numbers is shown as an image, as are the shapes
            (height, width) and (channels, height, width).
        target: a label, or what the outputs should be, or what ``cost`` takes for a batch of one.
        cost: a function of the output and the target, such as that which the model was trained with. Where the
            outputs come from a sigmoid or softmax, the default is ``nn.quadratic_cost``, as in the notes. A label is
            passed to it as the row of its 1 among 0s, but to ``nn.cross_entropy`` and the like as a label.

    ``figure.savefig`` writes PNG, SVG and PDF; the style is matplotlib's current one. Raises ``TypeError`` for what
    is no module, no array or no target, and ``ValueError`` where the model does not take ``x``, computes nothing by
    linear layers that follow one another, where ``target`` is out of range, and where no ``cost`` is plain.

    >>> from nn import MLP, Sigmoid
    >>> figure = draw_network(MLP([784, 16, 16, 10], Sigmoid, Sigmoid, rng=0), np.zeros(784), target=3)
    >>> figure.get_suptitle()
    'MLP 784-16-16-10: quadratic_cost 2.26 for the target 3'
    """
    found = activity("draw_network", model, x, target, cost)
    picture = NetworkPicture(found)
    picture.show(found, f"{type(model).__name__} {_sizes(found)}{costing(found)}")
    return picture.figure


def _sizes(found: Activity) -> str:
    return "-".join(str(column.size) for column in found.columns)


def costing(found: Activity) -> str:
    """The end of a title that tells the cost, where there is a target."""
    if found.cost is None:
        return ""
    name, value = found.cost
    aim = found.target
    label = f" for the target {np.argmax(aim)}" if aim is not None and _is_one_hot(aim) else ""
    return f": {name} {value:.3g}{label}"


def _is_one_hot(aim: np.ndarray) -> bool:
    return aim.size > 1 and np.count_nonzero(aim) == 1 and aim.max() == 1


class NetworkPicture:
    """A figure whose places are laid out once, for the first example, and whose colours ``show`` sets anew.

    Weights are relative to the largest of their layer, nudges to the largest that ``show`` has seen of it.
    """

    def __init__(self, first: Activity) -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.collections import LineCollection, PatchCollection
        from matplotlib.patches import Circle

        self.colours = colours()
        self.shown = _shown(first)
        self.signed = first.nudges is not None
        self.scales = [0.0] * (len(first.weights) + 1)  # of the edges of each layer, and of the arrows
        self.places = self._places(first)
        self.half = max(np.abs(np.concatenate(self.places)[:, 1]).max(), _IMAGE / 2 if first.image is not None else 0)
        right = self.places[-1][0, 0] + (7.2 if self.signed else 3.6)
        self.left = max(_WIDTH - right, 0) / 2
        self.figure = figure((right + 2 * self.left) * _INCH, (2 * self.half + 7) * _INCH)
        self.figure.set_layout_engine("none")  # the axes are the whole figure
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(-self.left, right + self.left),
                                         ylim=(-self.half - 3.3, self.half + 3.7))
        self.axes.set_axis_off()
        self.grey = ScalarMappable(cmap="gray")
        self.title = self.figure.suptitle("", fontsize=12)
        self.edges = [self.axes.add_collection(LineCollection([], capstyle="round", zorder=1)) for _ in first.weights]
        circles = [Circle((x, y), _RADIUS) for x, y in np.concatenate(self.places)]
        self.neurons = self.axes.add_collection(PatchCollection(circles, edgecolor="grey", linewidth=0.8, zorder=3))
        self._draw_image(first)
        self._write(first)
        self._explain(first)

    # What stays

    def _places(self, first: Activity) -> list[np.ndarray]:
        """Where the shown neurons of each column are, (shown, 2)."""
        left = 2.2 if first.image is None else 13.0
        gap = float(np.clip(45 / len(first.weights), 4.5, 8))
        return [np.column_stack([np.full(len(shown), left + k * gap), _heights(len(shown), len(shown) < column.size)])
                for k, (shown, column) in enumerate(zip(self.shown, first.columns, strict=True))]

    def _draw_image(self, first: Activity) -> None:
        image = first.image
        if image is None:
            return
        from matplotlib.collections import LineCollection
        from matplotlib.patches import Rectangle

        height, width = image.shape[:2]
        scale = _IMAGE / max(height, width)
        left, top = 5.2 - width * scale / 2, height * scale / 2
        low, high = input_range(image)
        limits = self.axes.get_xlim(), self.axes.get_ylim()
        self.axes.imshow(image, cmap="gray", vmin=low, vmax=high, aspect="auto", zorder=1,
                         extent=(left, left + width * scale, -top, top))
        self.axes.set(xlim=limits[0], ylim=limits[1])
        self.axes.add_patch(Rectangle((left, -top), width * scale, 2 * top, fill=False, edgecolor="grey"))
        self._text(5.2, -top - 0.6, f"{height} × {width}")
        if first.pixels is not None:
            rows, columns = first.pixels[self.shown[0]].T
            pixels = np.column_stack([left + (columns + 0.5) * scale, top - (rows + 0.5) * scale])
            self.axes.add_collection(LineCollection([*np.stack([pixels, self.places[0]], 1)], colors="grey",
                                                    linewidths=0.6, alpha=0.6, zorder=2))
            self.axes.plot(*pixels.T, "o", color="grey", markersize=3, zorder=2)

    def _write(self, first: Activity) -> None:
        """The texts, of which those that change are kept."""
        last, top, foot = len(first.weights), self.half + 0.6, -self.half - 0.8
        for k, (places, column) in enumerate(zip(self.places, first.columns, strict=True)):
            kind = "neuron" if 0 < k < last else "output" if k else "input" if first.reads_input else "feature"
            shown = f"\n{len(places)} shown" if len(places) < column.size else ""
            self._text(places[0, 0], top, f"{column.size} {kind}{'s' if column.size > 1 else ''}{shown}", va="bottom")
            if shown:
                self._text(places[0, 0], 0, "⋮", fontsize=14)
        x, ys = self.places[-1][0, 0], self.places[-1][:, 1]
        aim = first.target
        if first.columns[-1].size > 1:
            for y, i in zip(ys, self.shown[-1], strict=True):
                self._text(x + 0.75, y, str(i), ha="left", fontsize=11,
                           weight="bold" if aim is not None and _is_one_hot(aim) and aim[i] else "normal")
        self.outputs = [self._text(x + 2.9, y, "", ha="right") for y in ys]
        if self.signed:
            for y, i in zip(ys, self.shown[-1], strict=True):
                self._text(x + 4.7, y, "" if aim is None else f"{aim[i]:.3g}".replace("-", "−"), ha="right")
            for at, text in ((2.9, "is"), (4.7, "" if aim is None else "target"), (6.7, "nudge")):
                self._text(x + at, max(ys) + 0.7, text, ha="right", va="bottom")
            self.arrows = self.axes.quiver([x + 6.0] * len(ys), ys, 0, 0, angles="xy", scale_units="xy", scale=1,
                                           units="x", width=0.14, pivot="mid", headwidth=3.4, headlength=3.2,
                                           headaxislength=3, minlength=0, zorder=3)
        apart = self.places[1][0, 0] - self.places[0][0, 0] > 6
        self.widest = [self._text((a[0, 0] + b[0, 0]) / 2, foot if apart else foot - 0.8, "")
                       for a, b in pairwise(self.places)]
        self.ends = [self._text(places[0, 0], foot, "") for places in self.places]

    def _text(self, x: float, y: float, text: str, **options: Any) -> Any:
        return self.axes.text(x, y, text, **{"ha": "center", "va": "center", "fontsize": 10} | options)

    def _explain(self, first: Activity) -> None:
        from matplotlib.lines import Line2D

        c, what = self.colours, ("should rise", "should fall") if self.signed else ("positive", "negative")
        unit = set(first.ranges) == {(0.0, 1.0)}
        ends = [("activation 0", "black"), ("½", "grey"), ("1", "white")] if unit else [
            ("least active", "black"), ("most active", "white")]
        handles = [Line2D([], [], linestyle="", marker="o", markersize=9, markeredgecolor="grey", markerfacecolor=fill,
                          label=text) for text, fill in ends]
        handles += [Line2D([], [], color=colour, linewidth=3, label=f"weight {sign}" if not i else sign)
                    for i, (sign, colour) in enumerate(zip(what, (c.positive, c.negative), strict=True))]
        self.axes.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=10,
                         borderaxespad=0.3)

    # What changes

    @np.errstate(all="ignore")
    def show(self, found: Activity, title: str) -> None:
        """Colour the neurons and edges, and write the numbers, of another example or of other weights."""
        strange = sum(np.count_nonzero(~np.isfinite(x)) for x in [
            *found.columns, *found.weights, *(found.nudges or [])])
        self.title.set_text(title + (f"\n{strange:,} numbers are nan or infinite" if strange else ""))
        self.title.set_color(self.colours.alarm if strange else self.colours.text)
        self._colour_neurons(found)
        for k, signal in enumerate(found.weights if found.nudges is None else found.nudges):
            self._colour_edges(k, signal)
        for text, a in zip(self.outputs, found.columns[-1][self.shown[-1]], strict=True):
            text.set(text=_number(a), color=self.colours.text if np.isfinite(a) else self.colours.alarm)
        if found.output_nudge is not None:
            nudge = found.output_nudge[self.shown[-1]] / self._scale(-1, found.output_nudge)
            nudge = np.clip(np.nan_to_num(nudge), -1, 1)
            self.arrows.set_UVC(np.zeros_like(nudge), 0.9 * nudge)
            self.arrows.set_facecolor([self.colours.positive if n > 0 else self.colours.negative for n in nudge])

    def image(self, dpi: float) -> Any:
        """The figure as an image of Pillow's."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        self.figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(self.figure)
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])

    def _colour_neurons(self, found: Activity) -> None:
        from matplotlib.colors import to_rgba

        fills = []
        for shown, column, (low, high), text in zip(self.shown, found.columns, found.ranges, self.ends, strict=True):
            part = column[shown]
            fill = self.grey.to_rgba(np.clip((np.nan_to_num(part) - low) / (high - low), 0, 1), norm=False)
            fill[~np.isfinite(part)] = to_rgba(self.colours.alarm)
            fills.append(fill)
            text.set_text("" if set(found.ranges) == {(0.0, 1.0)} else f"{_number(low)} to {_number(high)}")
        self.neurons.set_facecolor([*np.concatenate(fills)])

    def _scale(self, k: int, signal: np.ndarray) -> float:
        """What is drawn widest, or longest; not 0."""
        largest = float(np.abs(signal[np.isfinite(signal)]).max(initial=0))
        self.scales[k] = max(largest, self.scales[k]) if self.signed else largest
        return self.scales[k] or 1.0

    def _colour_edges(self, k: int, signal: np.ndarray) -> None:
        from matplotlib.colors import to_rgba

        largest = self._scale(k, signal)
        self.widest[k].set_text(f"widest {largest:.2g}" if self.scales[k] else "all 0" if not np.any(signal) else "nan")
        part = signal[np.ix_(self.shown[k + 1], self.shown[k])].ravel()
        finite = np.isfinite(part)
        size = np.where(finite, np.abs(np.nan_to_num(part)) / largest, 1)
        order = np.argsort(size, kind="stable")
        size, part, finite = size[order], part[order], finite[order]
        c = self.colours
        rgba = np.where(part[:, None] > 0, to_rgba(c.positive), to_rgba(c.negative))
        rgba[~finite] = to_rgba(c.alarm)
        rgba[:, 3] = np.where(finite, 0.03 + 0.97 * size, 0.5)
        inner, outer = (self.places[k + side] for side in (0, 1))
        lines = np.stack([np.tile(inner, (len(outer), 1)), np.repeat(outer, len(inner), 0)], 1)
        self.edges[k].set(segments=lines[order], color=rgba, linewidth=np.where(finite, 0.2 + 2.8 * size, 1))


@np.errstate(all="ignore")  # what is not finite is shown
def _shown(found: Activity) -> list[np.ndarray]:
    """Which neurons of each column are drawn: all of a short one, and those of a long one that count most."""
    sent = found.nudges or [weight * column for weight, column in zip(found.weights, found.columns, strict=False)]
    counts = [np.abs(signal).sum(0) for signal in sent]
    last = np.abs(found.columns[-1] if found.output_nudge is None else found.output_nudge)
    if found.target is not None and _is_one_hot(found.target):
        last[np.argmax(found.target)] = np.inf  # whatever it counts
    shown = [np.sort(_order(count)[:_SHOWN]) for count in [*counts, last]]
    if found.pixels is not None and len(found.pixels) > _SHOWN:
        shown[0] = _of_each_part(counts[0], found.pixels)
    return shown


def _order(counts: np.ndarray) -> np.ndarray:
    return np.argsort(-np.nan_to_num(counts, nan=np.finfo(counts.dtype).max, posinf=np.inf), kind="stable")


def _of_each_part(counts: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Of each of 4 × 4 parts of an image the pixel that counts most; of a narrow one, then others that count most."""
    order = _order(counts)
    rows, columns = (pixels[order] * 4 // (pixels.max(0) + 1)).T
    first = np.unique(4 * rows + columns, return_index=True)[1]
    rest = np.setdiff1d(np.arange(len(order)), first)
    return np.sort(order[np.concatenate([first, rest])[:_SHOWN]])


def _heights(n: int, shortened: bool) -> np.ndarray:
    """From the top down, around 0, with room for ⋮ in the middle of a column that is shortened."""
    heights = (n - 1) / 2 - np.arange(n)
    return heights + np.where(np.arange(n) < n // 2, 0.5, -0.5) if shortened else heights


def _number(a: float) -> str:
    text = f"{a:.2f}" if abs(a) < 9.995 else f"{a:.3g}"
    return text.replace("-", "−")
