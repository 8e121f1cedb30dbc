"""Numeric derivatives along a line: central differences with extrapolation, the complex step, and their errors.

A line is a function ``line(t)`` that gives the outputs, as a list of arrays, with the inputs moved by ``t`` along some
direction. A derivative is that of the sum of the outputs' elements times ``weights``. Each comes with an estimate of
its error: what the extrapolation has not removed, and the rounding of the outputs, divided by the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Derivative", "Line", "central", "complex_step", "one_sided", "quotient", "refined", "rounding", "supported"]

Line = Callable[[Any], Sequence[np.ndarray]]
EPS = float(np.finfo(float).eps)
_LEAST = 1e-322  # by which anything may be rounded
_HALVINGS = 150  # of a step: an element may be very small beside the others
_AROUND = 12  # points on each side from which rounding is estimated


class Derivative(NamedTuple):
    """A numeric derivative, and how far it may be off."""

    value: float
    error: float


def _difference(weights: Sequence[np.ndarray], above: Sequence[np.ndarray], below: Sequence[np.ndarray]) -> float:
    """The weighted sum of the differences, which are taken first, so that what does not change adds no rounding."""
    total = 0.0
    for w, a, b in zip(weights, above, below, strict=True):
        if a.shape != b.shape:
            raise ValueError(f"f returned an output of shape {a.shape} at one point and of {b.shape} at another: "
                             "its outputs must keep their shapes")
        total += float(np.sum(w * np.subtract(a, b, dtype=float)))
    return total


def quotient(line: Line, weights: Sequence[np.ndarray], left: float, right: float) -> float:
    """(f(right) - f(left)) / (right - left), with nothing done about its errors."""
    return _difference(weights, line(right), line(left)) / (right - left)


def central(line: Line, weights: Sequence[np.ndarray], h: float, noise: float = 0.0) -> Derivative:
    """Central differences D at h, 2h and 4h, with what grows as h² and h⁴ removed (Richardson, 1911).

    R(h) = (4 D(h) - D(2h)) / 3, and then (16 R(h) - R(2h)) / 15. ``noise`` is the rounding error of the outputs. The
    error is |R(h) - R(2h)| and 2 noise / h.
    """
    d = [quotient(line, weights, -step, step) for step in (h, 2 * h, 4 * h)]
    fine, coarse = (4 * d[0] - d[1]) / 3, (4 * d[1] - d[2]) / 3
    return Derivative((16 * fine - coarse) / 15, abs(fine - coarse) + (2 * noise + _LEAST) / h)


def refined(line: Line, weights: Sequence[np.ndarray], scale: float, noise: float = 0.0) -> Derivative:
    """``central`` at the step, among 1/32 of the scale and its halves, whose estimated error is smallest.

    As in the method of Ridders (1982), but it goes on until rounding alone makes every smaller step worse. The estimate
    of one step may be small by chance: it is no less than the change since the step before, and what the smaller
    steps scatter by, which grows as rounding does when the step is halved.
    """
    tried: list[Derivative] = []
    least, last, h = np.inf, np.nan, scale / 32
    for _ in range(_HALVINGS):
        found = central(line, weights, h, noise)
        tried.append(Derivative(found.value, max(found.error, abs(found.value - last))))
        least, last = min(least, tried[-1].error) if np.isfinite(tried[-1].error) else least, found.value
        if 2 * noise / h > least:
            break
        h /= 2
    values, scatter = np.array([d.value for d in tried]), np.exp2(-np.arange(len(tried), dtype=float))
    best = Derivative(np.nan, np.inf)
    for i, (value, error) in enumerate(tried):
        error = max(error, float(np.max(np.abs(values[i:] - value) * scatter[:len(tried) - i])))
        if error < best.error:
            best = Derivative(value, error)
    return best


def supported(line: Line, weights: Sequence[np.ndarray], scale: float, best: Derivative, claim: float, slack: float,
              noise: float) -> Derivative:
    """A better derivative than ``best``, which is far from the ``claim``, if a smaller step finds the claim.

    All steps may have been too long, as for a wave of short length. A step that finds the claim, to a third of what
    it was off and but for the ``slack``, is right; the search ends where rounding hides so much.
    """
    noise = max(noise, EPS * sum(float(np.sum(np.abs(w * y))) for w, y in zip(weights, line(0.0), strict=True)))
    h, enough = scale / 32, 0.3 * (abs(claim - best.value) if np.isfinite(best.error) else abs(claim))
    for _ in range(25):
        found = central(line, weights, h, noise)
        if abs(claim - found.value) <= 2 * found.error + slack <= enough:
            return min(found, refined(line, weights, h, noise), key=lambda d: d.error)
        if 2 * noise / h > enough:
            break
        h /= 16
    return best


def one_sided(line: Line, weights: Sequence[np.ndarray], h: float, noise: float = 0.0) -> tuple[Derivative, Derivative]:
    """The slopes to the left and to the right: 2 F(h) - F(2h) with F(h) = (f(x ± h) - f(x)) / ±h."""
    found = []
    for side in (-h, h):
        f = [quotient(line, weights, 0.0, step) for step in (side, 2 * side, 4 * side)]
        fine, coarse = 2 * f[0] - f[1], 2 * f[1] - f[2]
        found.append(Derivative(fine, abs(fine - coarse) + 4 * noise / h))
    return found[0], found[1]


def complex_step(line: Line, weights: Sequence[np.ndarray], h: float) -> Derivative:
    """Im f(x + ih) / h, which subtracts nothing (Squire and Trapp, 1998), where f is analytic.

    Raises ``TypeError`` where an output is not complex: some operation has dropped the imaginary part.
    """
    total = size = 0.0
    for w, y in zip(weights, line(1j * h), strict=True):
        if y.dtype.kind != "c":
            raise TypeError("an output is not complex")
        d = w * np.imag(y)
        total += float(np.sum(d))
        size += float(np.sum(np.abs(d)))
    return Derivative(total / h, 4 * EPS * size / h + h * h)


def rounding(line: Line, weights: Sequence[np.ndarray], h: float) -> float:
    """The rounding error of the weighted sum of the outputs, as far as it can be seen from outside.

    It is estimated from the differences of order 4 of points that lie ``h`` apart, which leave nothing of a smooth
    function but its rounding (Moré and Wild, Estimating Computational Noise, 2011); by their median, because a kink or
    a jump among the points is in a few of them only.
    """
    here = line(0.0)
    values = [_difference(weights, line(k * h), here) for k in range(-_AROUND, _AROUND + 1)]
    found = float(np.median(np.abs(np.diff(values, 4)))) / 0.6745 / 70**0.5  # √(8! / 4!²); of a normal one
    return found if np.isfinite(found) else 0.0
