"""Numeric derivatives along a line: central differences with extrapolation, the complex step, and their errors.

A line is a function ``line(t)`` that gives the outputs, as a list of arrays, with the inputs moved by ``t`` along some
direction. A derivative is that of the sum of the outputs' elements times ``weights``. Each comes with an estimate of
its error: what the extrapolation has not removed, and the rounding of the outputs, divided by the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Derivative", "Line", "central", "complex_step", "one_sided", "quotient", "refined", "rounding"]

Line = Callable[[Any], Sequence[np.ndarray]]
EPS = float(np.finfo(float).eps)
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
    return Derivative((16 * fine - coarse) / 15, abs(fine - coarse) + 2 * noise / h)


def refined(line: Line, weights: Sequence[np.ndarray], scale: float, noise: float = 0.0) -> Derivative:
    """``central`` at the step, among 0.03 · scale and its halves, whose estimated error is smallest.

    As in the method of Ridders (1982), but it goes on until rounding alone makes every smaller step worse.
    """
    best, h = Derivative(np.nan, np.inf), 0.03 * scale
    for _ in range(_HALVINGS):
        found = central(line, weights, h, noise)
        if found.error < best.error:
            best = found
        if 2 * noise / h > best.error:
            break
        h /= 2
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
    return Derivative(total / h, 4 * EPS * size / h)


def rounding(line: Line, weights: Sequence[np.ndarray], h: float) -> float:
    """The rounding error of the weighted sum of the outputs, as far as it can be seen from outside.

    It is estimated from the differences of order 4 of points that lie ``h`` apart, which leave nothing of a smooth
    function but its rounding (Moré and Wild, Estimating Computational Noise, 2011); by their median, because a kink or
    a jump among the points is in a few of them only.
    """
    here = line(0.0)
    values = [_difference(weights, line(k * h), here) for k in range(-_AROUND, _AROUND + 1)]
    return float(np.median(np.abs(np.diff(values, 4)))) / 0.6745 / 70**0.5  # √(8! / 4!²); of a normal one
