"""Rules of elementwise functions: each gives ``g`` times its partial derivatives.

At kinks and ties: ``|x|'(0) = 0``; ``maximum``, ``minimum`` and ``clip`` share the gradient equally where their
arguments are equal; ``0**0`` has gradient 0 with respect to both; so have ``hypot``, ``arctan2`` and ``angle`` at the
origin. Where a step is met (``remainder`` at a multiple of its divisor, ``sign`` at 0) the slope is that beside it.
"""

from math import factorial, log, pi
from typing import Any

import numpy as np
from numpy._core import umath

from ..record import astype, primitive
from ..registry import definition, elementwise_rule, linear_rule, rule
from .indexing import scatter

# Arithmetic
elementwise_rule(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
elementwise_rule(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
elementwise_rule(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
elementwise_rule(np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
elementwise_rule(np.negative, lambda g, y, x: -g)
elementwise_rule(np.positive, lambda g, y, x: g)
elementwise_rule(np.reciprocal, lambda g, y, x: -g * y * y)
elementwise_rule(np.square, lambda g, y, x: g * (2 * x))
elementwise_rule(np.sqrt, lambda g, y, x: g / (2 * y))


def _power_a(g, y, a, b):
    if isinstance(b, (int, float)):  # the usual case: no array of exponents is made
        if b == 0:
            return np.zeros_like(g)
        if b == 2:
            return g * (2 * a)
        return g * (b * (np.power(a, b - 1) if type(a) is float else a ** (b - 1)))
    return g * (b * np.power(a, np.where(b == 0, 1, b - 1)))


for _power in (np.power, np.float_power):
    elementwise_rule(_power, _power_a, lambda g, y, a, b: g * (y * np.log(np.where(a == 0, 1, a))))
elementwise_rule(np.cbrt, lambda g, y, x: g / (3 * y * y))

# Exponentials and logarithms
elementwise_rule(np.exp, lambda g, y, x: g * y)
elementwise_rule(np.expm1, lambda g, y, x: g * (y + 1))
elementwise_rule(np.log, lambda g, y, x: g / x)
elementwise_rule(np.log1p, lambda g, y, x: g / (1 + x))
elementwise_rule(np.exp2, lambda g, y, x: g * (y * log(2)))
elementwise_rule(np.log2, lambda g, y, x: g / (x * log(2)))
elementwise_rule(np.log10, lambda g, y, x: g / (x * log(10)))


def _part(power, g, y, a, b):
    """``g`` times the part of the power of ``a`` in the sum of the powers of ``a`` and ``b``.

    Of two that are inf each is half, and of two that are -inf, whose powers are 0, none.
    """
    far = np.isinf(a) | np.isinf(b)
    limit = (a > b) + 0.5 * ((a == b) & (a > 0))
    return g * np.where(far, limit, power(np.where(far, 0, a) - np.where(far, 0, y)))


elementwise_rule(np.logaddexp, lambda g, y, a, b: _part(np.exp, g, y, a, b),
                 lambda g, y, a, b: _part(np.exp, g, y, b, a))
elementwise_rule(np.logaddexp2, lambda g, y, a, b: _part(np.exp2, g, y, a, b),
                 lambda g, y, a, b: _part(np.exp2, g, y, b, a))

# Trigonometry
elementwise_rule(np.sin, lambda g, y, x: g * np.cos(x))
elementwise_rule(np.cos, lambda g, y, x: -g * np.sin(x))
elementwise_rule(np.tan, lambda g, y, x: g * (1 + y * y))
elementwise_rule(np.arcsin, lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)))
elementwise_rule(np.arccos, lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)))
elementwise_rule(np.arctan, lambda g, y, x: g / (1 + x * x))
elementwise_rule(np.sinh, lambda g, y, x: g * np.cosh(x))
elementwise_rule(np.cosh, lambda g, y, x: g * np.sinh(x))
elementwise_rule(np.tanh, lambda g, y, x: g * (1 - y * y))
elementwise_rule(np.arcsinh, lambda g, y, x: g / (np.sqrt(1 + x * x) if np.iscomplexobj(x) else np.hypot(1, x)))
elementwise_rule(np.arccosh, lambda g, y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
elementwise_rule(np.arctanh, lambda g, y, x: g / ((1 - x) * (1 + x)))
for _degrees in (np.degrees, np.rad2deg):
    elementwise_rule(_degrees, lambda g, y, x: g * (180 / pi))
for _radians in (np.radians, np.deg2rad):
    elementwise_rule(_radians, lambda g, y, x: g * (pi / 180))


# Polar coordinates
def _over(a, r):
    return a / np.where(r == 0, 1, r)


elementwise_rule(np.hypot, lambda g, y, a, b: g * _over(a, y), lambda g, y, a, b: g * _over(b, y))


def _slope_of_angle(g, beside, a, b):
    r = np.hypot(a, b)  # divided by twice, because its square might overflow
    return g * _over(_over(beside, r), r)


elementwise_rule(np.arctan2, lambda g, y, a, b: _slope_of_angle(g, b, a, b),
                 lambda g, y, a, b: _slope_of_angle(-g, a, a, b))
elementwise_rule(np.angle, lambda g, y, z, deg=False:
                 (-180j / pi if deg else -1j) * _slope_of_angle(g, np.conj(z), np.real(z), np.imag(z)))


# Series
@primitive
def sinc_derivative(x, n):
    """The ``n``-th derivative of ``np.sinc``, for ``n`` of at least 1."""
    near = np.abs(x) < 1
    z = pi * np.where(near, x, 0)
    series = 0
    for m in range(32 + n % 2, -1, -2):  # powers of z
        series = z * z * series + (-1) ** ((m + n) // 2) / (factorial(m) * (m + n + 1))
    x = np.where(near, 1, x)
    sin, cos, y = np.sin(pi * x), np.cos(pi * x), np.sinc(x)
    for i in range(1, n + 1):  # the i-th derivative of x sinc(x) = sin(πx) / π
        y = (pi ** (i - 1) * (sin, cos, -sin, -cos)[i % 4] - i * y) / x
    return np.where(near, pi**n * (z * series if n % 2 else series), y)


elementwise_rule(np.sinc, lambda g, y, x: g * sinc_derivative(x, 1))
elementwise_rule(sinc_derivative, lambda g, y, x, n: g * sinc_derivative(x, n + 1))


@primitive
def bessel_i(x, n):
    """The modified Bessel function of the first kind and of the order ``n``, at least 1; that of 0 is ``np.i0``."""
    term = total = (x / 2) ** n / factorial(n)
    k = 0
    while np.any(np.abs(term) > 1e-17 * np.abs(total)):  # all of one sign, so that no digits are lost
        k += 1
        term = term * (x * x / (4 * k * (k + n)))
        total = total + term
    return total


elementwise_rule(np.i0, lambda g, y, x: g * bessel_i(x, 1))
elementwise_rule(bessel_i, lambda g, y, x, n:
                 g * ((bessel_i(x, n - 1) if n > 1 else np.i0(x)) + bessel_i(x, n + 1)) / 2)


# Parts of a number
elementwise_rule(np.absolute, lambda g, y, x: g * (np.conj(x) / np.where(y == 0, 1, y) if np.iscomplexobj(x)
                                                   else np.sign(x)))
elementwise_rule(np.conjugate, lambda g, y, x: np.conj(g))
linear_rule(np.real, lambda g, y, x: g)
linear_rule(np.imag, lambda g, y, x: -1j * g)
elementwise_rule(np.real_if_close, lambda g, y, a, tol=100: g)
linear_rule(astype, lambda g, y, x, dtype: g)  # the pass gives every gradient the dtype of its argument
linear_rule(np.copy, lambda g, y, a, order="K", subok=False: g)
elementwise_rule(np.fabs, lambda g, y, x: g * np.sign(x))
elementwise_rule(np.copysign, lambda g, y, a, b: g * (np.sign(a) * np.where(np.signbit(b), -1, 1)),
                 lambda g, y, a, b: None)
elementwise_rule(np.ldexp, lambda g, y, mantissa, exponent: np.ldexp(g, exponent))
rule(np.frexp, lambda g, y, x: np.ldexp(g[0], -y[1]), jvps=[lambda g, y, x: (np.ldexp(g, -y[1]), np.zeros_like(y[1]))])
elementwise_rule(np.nextafter, lambda g, y, a, b: g, lambda g, y, a, b: None)


def _sign(g, y, x):
    if np.iscomplexobj(x):
        raise TypeError("np.sign of complex numbers has no derivative; write x / np.abs(x)")
    return np.zeros_like(g)


elementwise_rule(np.sign, _sign)


def _finite(g, y, x, *, nan=0.0, posinf=None, neginf=None):
    if np.iscomplexobj(x):
        return np.where(np.isfinite(np.real(x)), np.real(g), 0) + 1j * np.where(np.isfinite(np.imag(x)), np.imag(g), 0)
    return np.where(np.isfinite(x), g, 0)


elementwise_rule(np.nan_to_num, _finite)  # not with copy=, which would change the argument in place

# Remainders
elementwise_rule(np.remainder, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b))
elementwise_rule(np.fmod, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.rint((a - y) / b))
definition(np.divmod, lambda a, b: (np.floor_divide(a, b), np.remainder(a, b)))
rule(np.modf, lambda g, y, x: g[0], jvps=[lambda g, y, x: (g, np.zeros_like(g))])


def _unwrap(g, y, p, discont=None, axis=-1, *, period=2 * pi):
    return g  # only whole periods are added


rule(np.unwrap, _unwrap, jvps=[_unwrap])


# Choices between numbers
def _larger(g, a, b):
    """``g`` where ``a > b``, half of it where they are equal."""
    return np.where(a > b, g, np.where(a == b, g / 2, 0))


def _above(x, bound):
    return x if bound is None else np.maximum(x, bound)


def _clip_a(g, y, a, a_min=None, a_max=None, *, min=None, max=None):
    low, high = a_min if min is None else min, a_max if max is None else max
    if high is not None:
        g = _larger(g, high, _above(a, low))
    return g if low is None else _larger(g, a, low)


elementwise_rule(np.maximum, lambda g, y, a, b: _larger(g, a, b), lambda g, y, a, b: _larger(g, b, a))
elementwise_rule(np.minimum, lambda g, y, a, b: _larger(g, b, a), lambda g, y, a, b: _larger(g, a, b))
for _clip in (np.clip, vars(umath)["clip"]):  # the second is what ndarray.clip calls
    elementwise_rule(_clip, _clip_a,
                     lambda g, y, a, a_min, a_max=None: _larger(
                         g if a_max is None else _larger(g, a_max, _above(a, a_min)), a_min, a),
                     lambda g, y, a, a_min, a_max: _larger(g, _above(a, a_min), a_max))


def _but_nan(a, b, share):
    """The share of ``a`` in ``fmax`` and ``fmin``, which give the other number where one is nan."""
    return np.where(np.isnan(b), np.where(np.isnan(a), 0.5, 1), share)


elementwise_rule(np.fmax, lambda g, y, a, b: g * _but_nan(a, b, _larger(1, a, b)),
                 lambda g, y, a, b: g * _but_nan(b, a, _larger(1, b, a)))
elementwise_rule(np.fmin, lambda g, y, a, b: g * _but_nan(a, b, _larger(1, b, a)),
                 lambda g, y, a, b: g * _but_nan(b, a, _larger(1, a, b)))
elementwise_rule(np.heaviside, lambda g, y, x, at_zero: None, lambda g, y, x, at_zero: np.where(x == 0, g, 0))
elementwise_rule(np.where,
                 lambda g, y, condition, a, b: None,
                 lambda g, y, condition, a, b: np.where(condition, g, 0),
                 lambda g, y, condition, a, b: np.where(condition, 0, g))
elementwise_rule(np.full_like,
                 lambda g, y, a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None: None,
                 lambda g, y, a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None: g)
definition(np.astype, lambda x, dtype, /, *, copy=True, device=None: x.astype(dtype), expands=True)


def _select(condlist, choicelist, default=0):
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = np.where(condition, choice, y)
    return y


definition(np.select, _select, joins=True)


def _piecewise(x, condlist, funclist, *args, **kw):
    if np.isscalar(condlist) or not (isinstance(condlist[0], (list, np.ndarray)) or np.ndim(x) == 0):
        condlist = [condlist]
    masks = list(np.asarray(condlist, bool))
    if len(masks) == len(funclist) - 1:
        masks.append(~np.any(masks, axis=0))
    y = np.zeros_like(x)
    for mask, piece in zip(masks, funclist, strict=True):
        part: Any = piece
        if callable(piece):  # which sees its elements alone, so that others cannot give nan
            part = piece(x[mask], *args, **kw) if np.any(mask) else 0
        y = np.where(mask, scatter(part, np.asarray(mask), np.shape(x)) if np.ndim(part) else part, y)
    return astype(y, np.result_type(x))


definition(np.piecewise, _piecewise, joins=True, expands=True)
