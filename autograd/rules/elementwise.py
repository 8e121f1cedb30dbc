"""Rules of elementwise functions: each gives ``g`` times its partial derivatives.

At kinks and ties: ``|x|'(0) = 0``; ``maximum``, ``minimum`` and ``clip`` share the gradient equally where their
arguments are equal; ``0**0`` has gradient 0 with respect to both.
"""

import numpy as np

from ..record import astype
from ..registry import elementwise_rule, linear_rule

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


elementwise_rule(np.power, _power_a, lambda g, y, a, b: g * (y * np.log(np.where(a == 0, 1, a))))

# Exponentials and logarithms
elementwise_rule(np.exp, lambda g, y, x: g * y)
elementwise_rule(np.expm1, lambda g, y, x: g * (y + 1))
elementwise_rule(np.log, lambda g, y, x: g / x)
elementwise_rule(np.log1p, lambda g, y, x: g / (1 + x))

# Trigonometry
elementwise_rule(np.sin, lambda g, y, x: g * np.cos(x))
elementwise_rule(np.cos, lambda g, y, x: -g * np.sin(x))
elementwise_rule(np.tan, lambda g, y, x: g * (1 + y * y))
elementwise_rule(np.arctan, lambda g, y, x: g / (1 + x * x))
elementwise_rule(np.sinh, lambda g, y, x: g * np.cosh(x))
elementwise_rule(np.cosh, lambda g, y, x: g * np.sinh(x))
elementwise_rule(np.tanh, lambda g, y, x: g * (1 - y * y))

# Parts of a number
elementwise_rule(np.absolute, lambda g, y, x: g * (np.conj(x) / np.where(y == 0, 1, y) if np.iscomplexobj(x)
                                                   else np.sign(x)))
elementwise_rule(np.conjugate, lambda g, y, x: np.conj(g))
linear_rule(np.real, lambda g, y, x: g)
linear_rule(np.imag, lambda g, y, x: -1j * g)
linear_rule(astype, lambda g, y, x, dtype: g)  # the pass gives every gradient the dtype of its argument


def _sign(g, y, x):
    if np.iscomplexobj(x):
        raise TypeError("np.sign of complex numbers has no derivative; write x / np.abs(x)")
    return np.zeros_like(g)


elementwise_rule(np.sign, _sign)


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
elementwise_rule(np.clip, _clip_a,
                 lambda g, y, a, a_min, a_max=None: _larger(
                     g if a_max is None else _larger(g, a_max, _above(a, a_min)), a_min, a),
                 lambda g, y, a, a_min, a_max: _larger(g, _above(a, a_min), a_max))
elementwise_rule(np.where, None,
                 lambda g, y, condition, a, b: np.where(condition, g, 0),
                 lambda g, y, condition, a, b: np.where(condition, 0, g))
