"""The landscape of a cost: along the gradient direction, and on a plane around the minimum found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..inspection import check_cost, check_model, cost_at, examples, gradient
from ..module import Module
from ..random import Randomness, generator
from .style import ALERT, colours, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["cost_along_gradient", "cost_plane"]

POINTS, GRID = 61, 31


def cost_along_gradient(model: Module, cost: Callable[[Any, Any], Any], x: Any, y: Any) -> Figure:
    """The cost C(θ - t ∇C) over the step t, with the point where the model is and the tangent there, C - t |∇C|².

    How far t goes is found in steps of powers of 2 around C / |∇C|², where the tangent reaches 0: to where the cost is
    as high again as it was, beyond its valley. The lowest point of the line says which learning rate would have been
    best for this one step. The model is in evaluation mode meanwhile, and has its own parameters again afterwards.

    Args:
        cost: a function of the model's output and the target, as for ``nn.fit``.
        x, y: the examples, each an array with a row for each, or a tuple of such arrays.

    Returns a matplotlib ``Figure``; costs that are nan or infinite are red in it. Raises as ``nn.nudges`` does, and
    ``ValueError`` where the gradient is 0, which is no direction.

    >>> import nn
    >>> x = np.array([[1.0], [2.0]], np.float32)
    >>> cost_along_gradient(nn.Linear(1, 1, rng=0), nn.mse_loss, x, 3 * x).axes[0].get_xlabel()
    't: how far along the negative gradient'
    """
    who = "cost_along_gradient"
    check_model(who, model)
    check_cost(who, cost)
    (x, y), n = examples(who, x=x, y=y)
    value, gradients = gradient(who, model, cost, x, y)
    own, gradients = [p.data for p in model.parameters()], [np.conj(g) for g in gradients]  # of complex ones, downhill
    square = sum(float(np.sum(np.square(np.abs(g).astype(float)))) for g in gradients)
    c = colours()
    picture = figure(7.6, 4.6)
    axes = picture.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel="t: how far along the negative gradient", ylabel="cost C(θ - t ∇C)")
    if not np.isfinite(value) or not np.isfinite(square):
        axes.set_axis_off()
        what = f"The cost is {value:g}" if not np.isfinite(value) else "The gradient is not finite"
        axes.text(0.5, 0.5, f"{what} here:\nautograd.explain_nan(cost(model(x), y)) says why", ha="center", va="center",
                  transform=axes.transAxes, fontsize=12, **ALERT)
        return picture
    if not square:
        raise ValueError(f"{who}: the gradient is 0 in all components: there is no direction in which the cost falls")

    def at(t: float) -> float:
        return cost_at(who, model, cost, x, y, [_moved(p, -t, g) for p, g in zip(own, gradients, strict=True)])

    reach = _reach(at, value, (abs(value) or 1.0) / square)
    t = np.unique([*np.linspace(-reach / 6, reach, POINTS), 0.0])
    costs = np.array([at(step) for step in t])
    finite = np.isfinite(costs)
    low, high = costs[finite].min(), costs[finite].max()
    room = (high - low or abs(high) or 1.0) * 0.08
    axes.plot(t, np.where(finite, costs, np.nan), color=c.positive, linewidth=2, label="cost")
    axes.plot(t, value - t * square, color=c.negative, linestyle="--", linewidth=1.5,
              label=f"tangent at t = 0: slope -|∇C|² = {-square:.3g}")
    axes.plot(0, value, "o", color=c.negative, markersize=9, zorder=3, label=f"here: C = {value:.4g}")
    best = t[finite][costs[finite].argmin()]
    if best:
        axes.plot(best, low, "D", color=c.positive, markersize=8, zorder=3,
                  label=f"lowest: C = {low:.4g} at t = {best:.3g}")
    if not finite.all():
        axes.plot(t[~finite], np.full((~finite).sum(), low), "x", color=c.alarm, markersize=7,
                  clip_on=False, label=f"nan or infinite at {int((~finite).sum())} of {len(t)} points")
    axes.set(xlim=(t[0], t[-1]), ylim=(low - room, high + room))
    axes.set_title(f"The cost of {n:,} example{'s' * (n > 1)} along the gradient direction", fontsize=11, loc="left")
    axes.legend(frameon=False, fontsize=9)
    return picture


def _moved(p: Any, t: float, direction: Any) -> Any:
    """A parameter's array, or number, some way along a direction, in its dtype."""
    moved = p + t * direction
    return moved.astype(p.dtype) if hasattr(p, "dtype") else type(p)(moved)


def _reach(at: Callable[[float], float], here: float, scale: float) -> float:
    """The step at which the cost, having fallen, is as high again as here; of a cost that stays low, well beyond."""
    steps = scale * 2.0 ** np.arange(-10, 11)
    costs = np.array([at(t) for t in steps])
    lowest = int(np.argmin(np.where(np.isfinite(costs), costs, np.inf)))
    beyond = [t for t, cost in zip(steps[lowest:], costs[lowest:], strict=True) if not cost < here]
    return float(min(beyond[0] if beyond else np.inf, 4 * steps[lowest]))


def cost_plane(model: Module, cost: Callable[[Any, Any], Any], x: Any, y: Any, *, rng: Randomness = 0) -> Figure:
    """The cost on a plane through the model's parameters, along two random directions, with its contours.

    The directions are normal, and each filter's part of them is scaled to the norm of that filter, so that 1 is a
    change as large as the weights themselves, whatever their scale; biases and other parameters of one axis stay as
    they are (Li et al., 2018, "Visualizing the Loss Landscape of Neural Nets"). A filter is what leads to one output: a
    row of ``weight``. Where all parameters have one axis, each is a filter. The cost is computed at 961 points, in
    evaluation mode, so a few hundred examples do; the model has its own parameters again afterwards.

    Args:
        cost: a function of the model's output and the target, as for ``nn.fit``.
        x, y: the examples, each an array with a row for each, or a tuple of such arrays.
        rng: the generator, or a seed, of the directions.

    Returns a matplotlib ``Figure``; points where the cost is nan or infinite are red in it. Raises as ``nn.nudges``
    does.

    >>> import nn
    >>> x = np.array([[1.0], [2.0]], np.float32)
    >>> cost_plane(nn.Linear(1, 1, rng=0), nn.mse_loss, x, 3 * x).axes[0].get_xlabel()
    'along one random direction, in norms of the filters'
    """
    who = "cost_plane"
    check_model(who, model)
    check_cost(who, cost)
    (x, y), n = examples(who, x=x, y=y)
    rng = generator(rng, who)
    own = [p.data for p in model.parameters()]
    first, second = directions(own, rng), directions(own, rng)
    along = np.linspace(-1, 1, GRID)
    costs = np.array([[cost_at(who, model, cost, x, y, [_moved(_moved(p, a, u), b, v) for p, u, v in zip(
        own, first, second, strict=True)]) for a in along] for b in along])
    here = cost_at(who, model, cost, x, y)
    return _contours(along, costs, here, n)


def directions(own: list[Any], rng: np.random.Generator) -> list[Any]:
    """A random direction, each filter of which has the norm of the model's."""
    matrices = any(np.ndim(p) > 1 for p in own)
    found = []
    for p in own:
        direction = rng.standard_normal(np.shape(p))
        if np.ndim(p) < 2:
            axes = None
            keep = 0.0 if matrices else 1.0
        else:
            axes, keep = tuple(range(1, np.ndim(p))), 1.0
        norms = [np.sqrt(np.sum(np.abs(a) ** 2, axis=axes, keepdims=True)) for a in (p, direction)]
        found.append(keep * direction * norms[0] / norms[1])
    return [d if np.ndim(p) else float(np.ravel(d)[0]) for d, p in zip(found, own, strict=True)]


def _contours(along: np.ndarray, costs: np.ndarray, here: float, n: int) -> Figure:
    c = colours()
    picture = figure(6.8, 5.8)
    axes = picture.subplots()
    finite = np.isfinite(costs)
    axes.set(xlabel="along one random direction, in norms of the filters",
             ylabel="along another, in norms of the filters", aspect="equal", xlim=(-1, 1), ylim=(-1, 1))
    axes.set_title(f"The cost of {n:,} example{'s' * (n > 1)} on a plane through the parameters found", fontsize=11)
    if finite.any():
        low, high = costs[finite].min(), costs[finite].max()
        filled = np.where(finite, costs, np.nan)
        logarithmic = low > 0 and high > 10 * low
        levels = np.geomspace(low, high, 22) if logarithmic else np.linspace(low, high, 22)
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            axes.text(0.5, 0.25, f"the cost is {low:.4g} everywhere", ha="center", transform=axes.transAxes)
        else:
            from matplotlib.colors import LogNorm, Normalize

            norm = (LogNorm if logarithmic else Normalize)(low, high)
            drawn = axes.contourf(along, along, filled, levels, cmap="cividis", norm=norm)
            chosen = levels[1:-1:3]
            lines = axes.contour(along, along, filled, chosen, linewidths=0.8,
                                 colors=["white" if norm(level) < 0.55 else "black" for level in chosen])
            axes.clabel(lines, fmt="%.3g", fontsize=8)
            bar = picture.colorbar(drawn, ax=axes, label="cost", shrink=0.85, ticks=levels[::3], format="%.3g")
            bar.ax.minorticks_off()
    if not finite.all():
        axes.set_facecolor(c.alarm)
        picture.supxlabel(f"red: nan or infinite at {int((~finite).sum())} of {costs.size} points", fontsize=10,
                          **ALERT)
    axes.plot(0, 0, "o", markersize=9, markerfacecolor=c.negative, markeredgecolor="white", zorder=4)
    axes.annotate(f"here: C = {here:.4g}", (0, 0), (8, 8), textcoords="offset points", zorder=4, fontsize=9,
                  bbox={"boxstyle": "round", "facecolor": c.background, "edgecolor": "none", "alpha": 0.85})
    return picture
