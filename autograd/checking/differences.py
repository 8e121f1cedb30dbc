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
_MUCH = 1e3  # units of rounding that an honest float64 function may well have


class Derivative(NamedTuple):
    """A numeric derivative, and how far it may be off."""

    value: float
    error: float


def _sum(weights: Sequence[np.ndarray], outputs: Sequence[np.ndarray]) -> float:
    return sum(float(np.sum(w * y)) for w, y in zip(weights, outputs, strict=True))


def _difference(weights: Sequence[np.ndarray], above: Sequence[np.ndarray],
                below: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """The weighted sum of the differences, the size of the numbers that were subtracted where they differ, and the
    largest of all that were."""
    total = size = largest = 0.0
    for w, a, b in zip(weights, above, below, strict=True):
        if a.shape != b.shape:
            raise ValueError(f"f returned an output of shape {a.shape} at one point and of {b.shape} at another: "
                             "its outputs must keep their shapes")
        d = w * np.subtract(a, b, dtype=float)
        total += float(np.sum(d))
        sizes = np.abs(w) * (np.abs(a) + np.abs(b))
        size, largest = size + float(np.sum(sizes[d != 0])), max(largest, float(np.max(sizes, initial=0.0)))
    return total, size, largest


def quotient(line: Line, weights: Sequence[np.ndarray], left: float, right: float) -> float:
    """(f(right) - f(left)) / (right - left), with nothing done about its errors."""
    return _difference(weights, line(right), line(left))[0] / (right - left)


def central(line: Line, weights: Sequence[np.ndarray], h: float, noise: float = 1.0) -> Derivative:
    """Central differences D at h, 2h and 4h, with what grows as h² and h⁴ removed (Richardson, 1911).

    R(h) = (4 D(h) - D(2h)) / 3, and then (16 R(h) - R(2h)) / 15. ``noise`` is the rounding error of the outputs in
    units of float64's. The error is |R(h) - R(2h)|, and the rounding error over h.
    """
    return _central(line, weights, h, noise)[0]


def _central(line: Line, weights: Sequence[np.ndarray], h: float, noise: float,
             rounded: float = 0.0) -> tuple[Derivative, float]:
    """The derivative, and which part of its error is rounding: that of the outputs is ``rounded`` at least."""
    d, size, largest = [], 0.0, 0.0
    for step in (h, 2 * h, 4 * h):
        change, size_here, most = _difference(weights, line(step), line(-step))
        d.append(change / (2 * step))
        size, largest = max(size, size_here), max(largest, most)
    size = size or largest  # where nothing changed, that may be the rounding of any output
    fine, coarse, floor = (4 * d[0] - d[1]) / 3, (4 * d[1] - d[2]) / 3, max(noise * EPS * size, 2 * rounded, 1e-322) / h
    return Derivative((16 * fine - coarse) / 15, abs(fine - coarse) + floor), floor


def refined(line: Line, weights: Sequence[np.ndarray], scale: float, noise: float = 1.0,
            rounded: float = 0.0) -> Derivative:
    """``central`` at the step, among 1/32 of the scale and its halves, whose estimated error is smallest.

    As in the method of Ridders (1982), but it goes on until rounding alone makes every smaller step worse. The estimate
    of one step may be small by chance: it is no less than the change since the step before, and what the smaller
    steps scatter by, which grows as rounding does when the step is halved.
    """
    tried: list[Derivative] = []
    least, last, h = np.inf, np.nan, scale / 32
    for _ in range(32):
        found, floor = _central(line, weights, h, noise, rounded)
        tried.append(Derivative(found.value, max(found.error, abs(found.value - last))))
        least, last = min(least, tried[-1].error) if np.isfinite(tried[-1].error) else least, found.value
        if floor > least:
            break
        h /= 2
    values, scatter = np.array([d.value for d in tried]), np.exp2(-np.arange(len(tried), dtype=float))
    best = Derivative(np.nan, np.inf)
    for i, (value, error) in enumerate(tried):
        apart = np.abs(values[i:] - value) * scatter[:len(tried) - i]
        error = max(error, float(np.max(apart)))
        if error < best.error:
            best = Derivative(value, error)
    return best


def supported(line: Line, weights: Sequence[np.ndarray], scale: float, best: Derivative, claim: float,
              slack: float) -> Derivative:
    """A better derivative than ``best``, which is far from the ``claim``, if a smaller step finds the claim.

    All steps may have been too long, as for a wave of short length. A step that finds the claim, to 1% of what it was
    off and but for the ``slack``, is right; the search ends where rounding hides so much.
    """
    h, enough = scale / 32, 0.01 * (abs(claim - best.value) if np.isfinite(best.error) else abs(claim))
    for _ in range(20):
        found, floor = _central(line, weights, h, 1.0)
        if floor > enough:
            break
        if abs(claim - found.value) <= enough:
            noise, rounded = _rounding(line, weights, h / 256) or (1.0, 0.0)
            error = found.error - floor + max(noise * floor, 2 * rounded / h)
            if abs(claim - found.value) <= 2 * error + slack <= enough:
                return min(Derivative(found.value, error), refined(line, weights, h, noise, rounded),
                           key=lambda d: d.error)
        h /= 16
    return best


def one_sided(line: Line, weights: Sequence[np.ndarray], h: float, noise: float = 1.0) -> tuple[Derivative, Derivative]:
    """The slopes to the left and to the right: 2 F(h) - F(2h) with F(h) = (f(x ± h) - f(x)) / ±h."""
    here = line(0.0)
    found = []
    for side in (-1.0, 1.0):
        slopes, size = [], 0.0
        for step in (side * h, 2 * side * h, 4 * side * h):
            change, size_here, _ = _difference(weights, line(step), here)
            slopes.append(change / step)
            size = max(size, size_here)
        fine, coarse = 2 * slopes[0] - slopes[1], 2 * slopes[1] - slopes[2]
        found.append(Derivative(fine, abs(fine - coarse) + 4 * noise * EPS * size / h))
    return found[0], found[1]


def complex_step(line: Line, weights: Sequence[np.ndarray], h: float) -> Derivative:
    """Im f(x + ih) / h, which subtracts nothing (Squire and Trapp, 1998): exact to rounding where f is analytic.

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


def rounding(line: Line, weights: Sequence[np.ndarray], h: float) -> tuple[float, float]:
    """The rounding error of the outputs, in units of float64's (1 where they are right to the last digit), and itself.

    It is estimated from the differences of order 4 and 5 of nine points that lie ``h`` apart, which leave nothing of a
    smooth function but its rounding (Moré and Wild, Estimating Computational Noise, 2011). What grows with ``h`` is no
    rounding, but a kink: then the points are taken closer together.
    """
    found = _rounding(line, weights, h) or (1.0, 0.0)
    while found[0] > _MUCH and h > 1e-13:
        h /= 10
        closer = _rounding(line, weights, h)
        if closer is None or closer[0] > 0.3 * found[0]:
            break
        found = closer
    return found


def _rounding(line: Line, weights: Sequence[np.ndarray], h: float) -> tuple[float, float] | None:
    """The same by points that lie ``h`` apart; ``None`` where nothing changes between them."""
    runs = [line(k * h) for k in range(-4, 5)]
    changes = [_difference(weights, run, runs[4]) for run in runs]
    table, size = np.array([change for change, _, _ in changes]), max(size for _, size, _ in changes) / 2
    found = 0.0
    for order, scale in ((4, 70.0), (5, 252.0)):  # (2k)! / (k!)²
        found = max(found, float(np.sqrt(np.mean(np.diff(table, order) ** 2) / scale)))
    return (max(1.0, found / EPS / size), found) if size else None
