"""``nudge_table``: the table of nudges as a picture, under the examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..nudges import COLUMNS
from .style import colours, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..nudges import Nudges

__all__ = ["image_of", "nudge_table"]

_WIDTH, _ROW, _IMAGE = 0.72, 0.27, 0.6  # inches


def nudge_table(table: Nudges) -> Figure:
    """Each number on blue where it is positive, on orange where negative, the stronger the larger it is."""
    shown, c = table.show(), colours()
    from matplotlib.patches import Rectangle

    rows, columns = len(shown.rows), len(shown.columns)
    images: list[Any] = [] if isinstance(table.inputs, tuple) else [image_of(row) for row in table.inputs[:COLUMNS]]
    images = [] if any(image is None for image in images) else images
    names = 0.085 * max([6, *(len(weight) for weight, _, _ in shown.rows)]) + 0.2
    above = _ROW + (_IMAGE + 0.1) * bool(images)
    remarks = _ROW * len(shown.remarks)
    width, height = names + _WIDTH * columns + 0.35, above + _ROW * (rows + 1.4) + remarks + 0.1
    picture = figure(max(width, 6.8), height)
    picture.set_layout_engine("none")
    axes = picture.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, picture.get_figwidth()), ylim=(height, 0))
    axes.set_axis_off()
    axes.text(0.1, 0.85 * _ROW, shown.title, va="center", fontsize=10)
    top = 1.4 * _ROW + above
    for j, name in enumerate(shown.columns):
        left = names + _WIDTH * j + (0.15 if j == columns - 1 else 0)
        axes.text(left + _WIDTH / 2, top - _ROW / 2, name, ha="center", va="center", fontsize=10, weight="bold")
        if j < len(images):
            middle = left + _WIDTH / 2
            axes.imshow(images[j], cmap=_ink(c), extent=(middle - _IMAGE / 2, middle + _IMAGE / 2, top - _ROW,
                                                        top - _ROW - _IMAGE), aspect="auto", interpolation="nearest")
            axes.add_patch(Rectangle((middle - _IMAGE / 2, top - _ROW - _IMAGE), _IMAGE, _IMAGE, fill=False,
                                     edgecolor=c.text, linewidth=0.5, alpha=0.5))
    axes.set(xlim=(0, picture.get_figwidth()), ylim=(height, 0))
    for i, (weight, numbers, texts) in enumerate(shown.rows):
        y = top + _ROW * (i + 0.5)
        axes.text(names - 0.1, y, weight, ha="right", va="center", fontsize=9, family="monospace")
        under = [*numbers[:-1], *[None] * (len(texts) - len(numbers)), numbers[-1]]
        for j, (number, text) in enumerate(zip(under, texts, strict=True)):
            left = names + _WIDTH * j + (0.15 if j == columns - 1 else 0)
            finite = number is None or np.isfinite(number)
            if number:
                axes.add_patch(Rectangle((left, y - _ROW / 2), _WIDTH, _ROW, linewidth=0, facecolor=c.alarm
                                         if not finite else c.positive if number > 0 else c.negative,
                                         alpha=0.7 * min(abs(number) / shown.top, 1) if finite else 1))
            axes.text(left + _WIDTH / 2, y, text, ha="center", va="center", fontsize=8.5,
                      color=c.text if finite else "white")
    for k, line in enumerate(shown.remarks):
        axes.text(0.1, top + _ROW * (rows + k + 0.6), line, va="center", fontsize=9)
    return picture


def image_of(x: Any) -> np.ndarray | None:
    """An example as an image: one of one channel, or a row of as many pixels as a square of 8 by 8 or more has."""
    x = np.squeeze(np.asarray(x))
    if x.dtype.kind not in "biuf" or x.ndim not in (1, 2) or x.size < 64:
        return None
    side = round(x.size ** 0.5)
    return x if x.ndim == 2 else x.reshape(side, side) if side * side == x.size else None


def _ink(c: Any) -> Any:
    """A colormap from the background to the colour of the text."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ink", [c.background, c.text])
