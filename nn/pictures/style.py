"""What all pictures share: a figure in the style that the user has chosen, and colours for the colour-blind, too.

matplotlib is imported when a picture is drawn, so that ``import nn`` works without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ALERT", "BLUE", "ORANGE", "RED", "SKY", "Colours", "colours", "diverging", "figure"]

BLUE, SKY, ORANGE, RED = "#0072B2", "#56B4E9", "#D55E00", "#CC0000"  # Okabe and Ito's, and a red for what is not finite


class Colours(NamedTuple):
    """The colours of a picture: those of the style, and what stands for the signs and for nan and infinity."""

    text: str
    background: str
    positive: str
    negative: str
    alarm: str


def colours() -> Colours:
    """The colours in the current style of matplotlib, such as ``plt.style.context("dark_background")``."""
    _matplotlib()
    from matplotlib import rcParams
    from matplotlib.colors import to_hex, to_rgb

    background: Any = rcParams["figure.facecolor"]
    dark = sum(weight * part for weight, part in zip((0.3, 0.6, 0.1), to_rgb(background), strict=True)) < 0.5
    return Colours(to_hex(rcParams["text.color"]), to_hex(background), SKY if dark else BLUE, ORANGE, RED)


def diverging() -> Any:
    """A colormap from negative over the background, which is 0, to positive; nan and infinity are red."""
    c = colours()
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("nudge", [c.negative, c.background, c.positive]).with_extremes(bad=c.alarm)


ALERT: dict[str, Any] = {"color": "white", "backgroundcolor": RED}  # of a text, legible on light and dark


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, of no pyplot state; it shows itself in a notebook.

    Raises ``ModuleNotFoundError`` where matplotlib is missing.
    """
    _matplotlib()
    from .picture import Picture

    return Picture(figsize=(width, height), layout="constrained")


def _matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError("pictures need matplotlib: pip install 'nudgegrad[train]'") from None
