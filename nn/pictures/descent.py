"""``descent_path``: gradient descent on a cost of two numbers, step by step over its contours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Value, value_and_grad

from ..checks import above_zero, positive_integer
from .style import ALERT, colours, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["descent_path"]

_GRID = 101


def descent_path(cost: Callable[[Any, Any], Any], start: Sequence[float], lr: float, steps: int) -> Figure:
    r"""The path (x, y) ← (x, y) - lr ∇C(x, y) from ``start`` on the contours of C, with the steps numbered.

    Arrows of one length show the negative gradient all around: it is at right angles to the contours, and points to
    where the cost falls fastest.

    Args:
        cost: C, a function of two numbers that gives one, made of what ``autograd`` can differentiate.
        start: the two numbers to begin with.
        lr: the learning rate; ``steps``: how many steps are made.

    A path that leaves the finite numbers ends there, and the ``Figure`` says so in red. Raises ``TypeError`` for a
    cost that is no such function, ``ValueError`` for a start that is not two finite numbers, an ``lr`` that is not
    above 0, and ``steps`` that is no positive integer.

    >>> picture = descent_path(lambda x, y: 3/2 * x**2 + 1/2 * y**2, (1.0, 2.0), lr=0.3, steps=10)
    >>> picture.axes[0].get_title()
    'Gradient descent with lr = 0.3:\nC from 3.5 to 0.0015958 in 10 steps'
    """
    if not callable(cost):
        raise TypeError(f"descent_path: cost must be a function of two numbers, cost(x, y), got {cost!r:.60}")
    if np.shape(start) != (2,) or not np.isfinite(np.asarray(start, float)).all():
        raise ValueError(f"descent_path: start must be two finite numbers, such as (1.0, 2.0), got {start!r:.60}")
    lr = above_zero("descent_path", "lr", lr)
    steps = positive_integer("descent_path", "steps", steps)
    path, costs, end = _descend(cost, (float(start[0]), float(start[1])), lr, steps)
    return _drawn(cost, path, costs, lr, end)


def _descend(cost: Callable, point: tuple[float, float], lr: float,
             steps: int) -> tuple[np.ndarray, list[float], str]:
    """The points, the costs there, and why it ended early if it did."""
    follow = _followed(cost)
    path, costs = [], []
    for k in range(steps + 1):
        with np.errstate(all="ignore"):
            try:
                c, slope = follow(*point)
            except OverflowError:  # of Python's floats
                c, slope = math.inf, (math.nan, math.nan)
        c, slope = float(c), (float(slope[0]), float(slope[1]))
        if not all(map(math.isfinite, (c, *slope))):
            what = f"the cost is {c:g}" if not math.isfinite(c) else "the gradient is not finite"
            return np.array([*path, point]), [*costs, c], f"{what} after {k} step{'s' * (k != 1)}"
        path.append(point)
        costs.append(c)
        point = (point[0] - lr * slope[0], point[1] - lr * slope[1])
    return np.array(path), costs, ""


def _followed(cost: Callable) -> Callable[[float, float], tuple[Any, tuple[Any, Any]]]:
    """The cost at a point with its gradient, which is 0 where the cost does not depend on the point."""
    def checked(x: Any, y: Any) -> Any:
        c = cost(x, y)
        if not isinstance(c, (int, float, np.number, np.ndarray, Value)) or np.shape(getattr(c, "data", c)):
            raise TypeError(f"descent_path: cost must give one number for two, got {c!r:.60}")
        return c + 0.0 * (x + y)

    return value_and_grad(checked, (0, 1))


def _drawn(cost: Callable, path: np.ndarray, costs: list[float], lr: float, end: str) -> Figure:
    c = colours()
    from matplotlib.colors import LinearSegmentedColormap, to_rgb
    from matplotlib.lines import Line2D

    kept = path[np.isfinite(path).all(axis=1)]
    far = np.abs(kept - kept[0]).max(axis=1)
    seen = kept[far <= 10 * far[1]] if end and len(kept) > 1 else kept  # what flies off would leave the rest a dot
    middle, spread = (seen.min(axis=0) + seen.max(axis=0)) / 2, np.ptp(seen, axis=0)
    half = np.maximum(0.65 * spread, 0.4 * spread.max() or 1.0)
    (left, bottom), (right, top) = middle - half, middle + half
    ratio = half[1] / half[0]
    picture = figure(*((6.4, 5.6 * ratio + 1.4) if ratio < 1.1 else (5.6 / ratio + 1.4, 7)))
    axes = picture.subplots()
    axes.set(xlabel="x", ylabel="y", xlim=(left, right), ylim=(bottom, top), aspect="equal")
    x, y = np.linspace(left, right, _GRID), np.linspace(bottom, top, _GRID)
    z = _values(cost, *np.meshgrid(x, y))
    finite = np.isfinite(z)
    low, high = (z[finite].min(), z[finite].max()) if finite.any() else (0.0, 0.0)
    if high - low > 1e-9 * max(abs(low), abs(high)):
        levels = low + (high - low) * np.linspace(0.0, 1.0, 16)[1:-1] ** 2  # closer together where the ground is flat
        ground = LinearSegmentedColormap.from_list("ground", [(*to_rgb(c.positive), a) for a in (0.02, 0.5)])
        axes.contourf(x, y, np.where(finite, z, np.nan), [low, *levels, high], cmap=ground, zorder=0)
        lines = axes.contour(x, y, np.where(finite, z, np.nan), levels, colors=c.positive, linewidths=0.8, zorder=1,
                             linestyles="solid")
        axes.clabel(lines, levels[1:-1:3], fmt="%.3g", fontsize=8, colors=c.text)
    _field(axes, cost, (left, right), (bottom, top), c)
    for a, b in pairwise(kept):
        axes.annotate("", b, a, zorder=3, arrowprops={"arrowstyle": "-|>", "color": c.negative, "linewidth": 1.6,
                                                       "shrinkA": 0, "shrinkB": 2})
    axes.plot(*kept.T, "o-", color=c.negative, linewidth=1.6, markersize=5, zorder=4)
    _number(axes, seen, 2 * half, c)
    start, last = costs[0], costs[-1]
    axes.set_title(f"Gradient descent with lr = {lr:g}:\nC from {start:.5g} to {last:.5g} in {len(costs) - 1} "
                   f"step{'s' * (len(costs) != 2)}", fontsize=11)
    if end:
        axes.text(0.5, 0.02, f"It ends: {end}", transform=axes.transAxes, ha="center", fontsize=11, **ALERT)
    keys = [Line2D([], [], color=c.negative, marker="o", markersize=5, label="steps: -lr ∇C"),
            Line2D([], [], color=c.text, alpha=0.4, marker=">", markersize=4, label="direction of -∇C")]
    picture.legend(handles=keys, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return picture


def _values(cost: Callable, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The cost at each point: at all at once where the function takes arrays."""
    with np.errstate(all="ignore"):
        try:
            z = np.asarray(cost(x, y), float)
            if z.shape == x.shape and z[3, 7] == float(cost(float(x[3, 7]), float(y[3, 7]))):
                return z
        except Exception:  # a function of numbers alone, such as one with an ``if``
            pass
        return np.array([[_at(cost, a, b) for a, b in zip(row_x, row_y, strict=True)]
                         for row_x, row_y in zip(x, y, strict=True)])


def _at(cost: Callable, x: float, y: float) -> float:
    try:
        return float(cost(float(x), float(y)))
    except (ArithmeticError, ValueError):  # of Python's floats, where NumPy's are nan or infinite
        return math.nan


def _field(axes: Any, cost: Callable, across: tuple[float, float], up: tuple[float, float], c: Any) -> None:
    """Arrows of one length along the negative gradient, on a coarse grid."""
    follow = _followed(cost)
    size = max(across[1] - across[0], up[1] - up[0]) / 12
    x, y = (low + size * (np.arange(int((high - low) / size)) + 0.5) + (high - low) % size / 2
            for low, high in (across, up))
    places, arrows = [], []
    for a in x:
        for b in y:
            try:
                with np.errstate(all="ignore"):
                    slope = -np.array(follow(float(a), float(b))[1], float)
            except (ArithmeticError, ValueError):
                continue
            length = np.hypot(*slope)
            if 0 < length < np.inf:
                places.append((a, b))
                arrows.append(0.6 * size * slope / length)
    if places:
        axes.quiver(*np.transpose(places), *np.transpose(arrows), angles="xy", scale_units="xy", scale=1, color=c.text,
                    alpha=0.3, width=0.003, pivot="mid", zorder=1)


def _number(axes: Any, path: np.ndarray, size: np.ndarray, c: Any) -> None:
    """The number of each step beside its point, except where it would cover another."""
    from matplotlib.patheffects import withStroke

    taken: list[np.ndarray] = []
    for k in [0, len(path) - 1, *range(1, len(path) - 1)]:
        place = path[k] / size.max()
        if all(np.hypot(*(place - other)) > 0.045 for other in taken):
            taken.append(place)
            axes.annotate(str(k), path[k], (5, 5), textcoords="offset points", fontsize=9, color=c.text, zorder=5,
                          path_effects=[withStroke(linewidth=2.5, foreground=c.background)])
