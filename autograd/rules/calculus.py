"""Numerical calculus: differences, integrals, convolutions, interpolation and evenly spaced numbers.

At a knot the derivative of ``interp`` is the mean of those on both sides.
"""

from typing import Any

import numpy as np

from ..registry import definition, linear_rule, rule


def as_array(x):
    """``x``, with a list or a number as the array it stands for."""
    return x if hasattr(x, "shape") else np.asarray(x)


def part(x, axis, start, stop):
    """The elements of ``x`` from ``start`` to ``stop`` along an axis."""
    return x[(*[slice(None)] * (axis % np.ndim(x)), slice(start, stop))]


# Differences

_NONE: Any = np._NoValue


def _diff(place):
    """The gradient of ``prepend``, ``a`` or ``append``: a part of that of the three joined."""

    def transpose(g, y, a, n=1, axis=-1, prepend=_NONE, append=_NONE):
        if n == 0:
            return g if place == 1 else None
        zero = np.zeros_like(g, shape=())
        for _ in range(n):
            g = np.diff(g, axis=axis, prepend=zero, append=zero)
        sizes = [0 if x is _NONE else np.shape(x)[axis] if np.ndim(x) else 1 for x in (prepend, a, append)]
        g = part(g, axis, sum(sizes[:place]), sum(sizes[: place + 1]))
        return -g if n % 2 else g

    return transpose


def _diff_forward(place):
    def push(g, y, a, n=1, axis=-1, prepend=_NONE, append=_NONE):
        a, prepend, append = (g if i == place else x if x is _NONE else np.zeros_like(x)
                              for i, x in enumerate((a, prepend, append)))
        return np.diff(a, n, axis, prepend, append)

    return push


def _ediff1d(ary, to_end=None, to_begin=None):
    flat = np.ravel(ary)
    pieces = [np.ravel(x) for x in (to_begin, flat[1:] - flat[:-1], to_end) if x is not None]
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def _slope(f, x, axis, edge_order):
    """The gradient along one axis, for the spacing ``x`` or the coordinates ``x``."""
    steps = np.diff(f, axis=axis)
    (first, right), (left, last) = np.split(steps, [1], axis), np.split(steps, [-1], axis)
    if np.ndim(x):
        h = np.reshape(np.diff(x), (-1, *[1] * (np.ndim(f) - axis % np.ndim(f) - 1)))
        before, after, h0, h1, h2, h3 = h[:-1], h[1:], h[:1], h[1:2], h[-2:-1], h[-1:]
        inner = (left * (after / before) + right * (before / after)) / (before + after)
    else:
        h0 = h1 = h2 = h3 = x
        inner = (left + right) / (2 * x)
    start, end = first / h0, last / h3
    if edge_order == 2:  # the slope at the edge of the parabola through three points
        start = start + (start - part(right, axis, 0, 1) / h1) * (h0 / (h0 + h1))
        end = end + (end - part(left, axis, -1, None) / h2) * (h3 / (h3 + h2))
    return np.concatenate([start, inner, end], axis)


def _gradient(f, *varargs, axis=None, edge_order=1):
    f = as_array(f)
    axes = tuple(range(np.ndim(f))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    spacings = [as_array(x) for x in varargs] or [1.0]
    spacings = spacings * len(axes) if len(spacings) == 1 and not np.ndim(spacings[0]) else spacings
    found = tuple(_slope(f, x, i, edge_order) for x, i in zip(spacings, axes, strict=True))
    return found[0] if len(axes) == 1 else found


rule(np.diff, _diff(1), None, None, _diff(0), _diff(2), jvps=[
    _diff_forward(0), None, None, _diff_forward(1), _diff_forward(2)])
definition(np.ediff1d, _ediff1d)
definition(np.gradient, _gradient)


# Integrals and sums

def _trapezoid(y, x=None, dx=1.0, axis=-1):
    y = as_array(y)
    if x is not None:
        x = as_array(x)
        dx = np.diff(x, axis=axis) if np.ndim(x) > 1 else np.reshape(
            np.diff(x), (-1, *[1] * (np.ndim(y) - axis % np.ndim(y) - 1)))
    return np.sum(dx * (part(y, axis, 1, None) + part(y, axis, None, -1)) / 2, axis)


definition(np.trapezoid, _trapezoid)
linear_rule(np.bincount, None, lambda g, y, x, weights, minlength=0: g[np.asarray(x, int)])


# Convolutions, whose modes show in the length of the result

def _whole(g, a, v, from_end=False):
    """``g`` as the gradient of the full convolution, of which the result is the middle."""
    missing = np.size(a) + np.size(v) - 1 - np.size(g)
    start = missing // 2
    return np.pad(g, (missing - start, start) if from_end else (start, missing - start))


def _convolve_a(g, y, a, v, mode="full"):
    return np.correlate(_whole(g, a, v), np.ravel(np.conj(v)), "valid")


def _correlate_a(g, y, a, v, mode="valid"):
    return np.convolve(_whole(g, a, v, np.size(v) > np.size(a)), np.conj(v), "valid")


def _correlate_v(g, y, a, v, mode="valid"):
    found = np.correlate(_whole(g, a, v, np.size(v) > np.size(a)), np.conj(a), "valid")
    return np.flip(np.conj(found))


linear_rule(np.convolve, _convolve_a, lambda g, y, a, v, mode="full": _convolve_a(g, y, v, a))
linear_rule(np.correlate, _correlate_a, _correlate_v)


# Interpolation

def _between(x, xp, fp, side):
    """On the line through the knots around ``x``; at a knot, those on one side of it."""
    i = np.clip(np.searchsorted(xp, x, side), 1, np.size(xp) - 1)
    slope = (fp[i] - fp[i - 1]) / (xp[i] - xp[i - 1])
    return fp[i - 1] + slope * (x - xp[i - 1])


def _interp(x, xp, fp, left=None, right=None, period=None):
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    if period is not None:
        period, left, right = np.abs(period), None, None
        x, xp = x - period * np.floor(x / period), xp - period * np.floor(xp / period)
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    first, last = xp[0], xp[-1]
    inside = np.clip(x, first, last)
    y = (_between(inside, xp, fp, "left") + _between(inside, xp, fp, "right")) / 2 if np.size(xp) > 1 else (
        fp[0] + 0 * inside)
    if left is not None:
        y = np.where(x < first, left, y)
    return y if right is None else np.where(x > last, right, y)


definition(np.interp, _interp)


# Evenly spaced numbers

def _places(num, endpoint, ndim):
    """How far each of ``num`` numbers is from start to stop: from 0 to 1."""
    return np.reshape(np.arange(num) / max(num - 1 if endpoint else num, 1), (-1, *[1] * ndim))


def _linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    t = _places(num, endpoint, max(np.ndim(start), np.ndim(stop)))
    y = np.moveaxis(start * (1 - t) + stop * t, 0, axis)
    return (y, (stop - as_array(start)) / (num - 1 if endpoint else num)) if retstep else y


def _logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    t = _places(num, endpoint, max(np.ndim(start), np.ndim(stop), np.ndim(base)))
    return np.moveaxis(np.power(base, start * (1 - t) + stop * t), 0, axis)


def _geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    t = _places(num, endpoint, max(np.ndim(start), np.ndim(stop)))
    return np.moveaxis(start * np.power(stop / as_array(start), t), 0, axis)


definition(np.linspace, _linspace)
definition(np.logspace, _logspace)
definition(np.geomspace, _geomspace)
