"""Cases of elementwise functions."""

import numpy as np
from numpy._core import umath

from autograd.rules.elementwise import bessel_i, sinc_derivative
from tests.autograd.cases import case
from tests.autograd.rows import apart, between, positive, real, unit

__all__ = ["CASES"]


def open_unit(rng, shape):
    """Inside the interval from -1 to 1, away from its ends and from 0."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 0.8, shape)


def above_one(rng, shape):
    return rng.uniform(1.2, 3.0, shape)


def two_or_three(rng, shape):
    """Divisors of which no number of ``apart`` nearby is a multiple."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(2.06, 2.08, shape)


def multiples_missed(rng, shape):
    """Between the multiples of ``two_or_three``."""
    return 2.07 * rng.integers(-3, 4, shape) + rng.uniform(0.4, 1.6, shape)


def some_gone(rng, shape):
    """Some of them nan or infinite, to be replaced."""
    return np.where(rng.uniform(size=shape) < 0.3, rng.choice([np.nan, np.inf, -np.inf], shape), real(rng, shape))


def with_part_gone(rng, shape):
    z = np.array(real(rng, shape), complex)
    z.imag = some_gone(rng, shape)
    return z


def above(rng, shape):
    return apart(rng, shape) + 0.27


def anywhere(rng, shape):
    """On both sides of where the series of ``sinc`` ends, and near 0."""
    return rng.choice([-1.0, 1.0], shape) * rng.choice([1e-4, 0.3, 0.9, 1.2, 4.0], shape)


def halves(f):
    """The first of two results alone."""
    return lambda *args: f(*args)[0]


MASKS = np.array([[True, False, True], [True, True, False]])

CASES = [
    *[case(f, 2, domain=[real, positive], complex=True, analytic=True)
      for f in (np.add, np.subtract, np.multiply, np.divide)],
    *[case(f, 2, domain=positive, complex=True, analytic=True) for f in (np.power, np.float_power)],
    case(np.power, 1, lambda x: x ** np.array([3]) + x**-2 + np.power(x, 2.0), name="of both signs", complex=True),
    case(np.float_power, 1, lambda x: np.float_power(x, [-2]), name="of both signs", float32=False),  # gives float64
    *[case(f, 1, complex=True, analytic=True)
      for f in (np.negative, np.positive, np.reciprocal, np.square, np.exp, np.exp2, np.sin, np.cos, np.sinh, np.cosh,
                np.tanh, np.arcsinh, np.copy)],
    *[case(f, 1, domain=positive, complex=True, analytic=True)
      for f in (np.sqrt, np.log, np.log1p, np.log2, np.log10)],
    *[case(f, 1, domain=unit, complex=True, analytic=True) for f in (np.expm1, np.tan, np.arctan, np.arctanh)],
    *[case(f, 1, domain=open_unit, complex=True, analytic=True) for f in (np.arcsin, np.arccos)],
    case(np.arccosh, 1, domain=above_one, complex=True, analytic=True),
    *[case(f, 1) for f in (np.cbrt, np.deg2rad, np.radians, np.rad2deg, np.degrees, np.fabs)],
    case(np.unwrap, lambda n, m: [(n, m)], lambda x: np.unwrap(0.2 * x + 5 * np.arange(np.shape(x)[1]))),
    case(np.unwrap, lambda n, m: [(n, m)],
         lambda x: np.unwrap(0.2 * x + 4.2 * np.arange(len(x))[:, None], 3.5, 0, period=5), name="period"),
    case(np.sinc, 1, domain=anywhere, complex=True, analytic=True),
    case(np.i0, 1),
    case(sinc_derivative, 1, lambda x: sinc_derivative(x, 2), domain=anywhere),
    case(bessel_i, 1, lambda x: bessel_i(x, 1)),
    *[case(f, 2) for f in (np.logaddexp, np.logaddexp2, np.arctan2, np.hypot)],
    case(np.absolute, 1, complex=True),
    case(np.sign, 1, lambda x: np.sign(x) * x),
    *[case(f, 2, domain=[apart, between]) for f in (np.maximum, np.minimum, np.fmax, np.fmin)],
    *[case(f, 1, complex=True) for f in (np.conjugate, np.real, np.imag, np.angle, np.real_if_close)],
    case(np.angle, 1, lambda z: np.angle(z, deg=True), name="deg", complex=True),
    *[case(f, 2) for f in (np.copysign, np.nextafter, np.heaviside)],
    case(np.heaviside, 1, lambda x: np.heaviside([[0.0], [1.0]], x), name="at 0"),
    *[case(f, 2, domain=[multiples_missed, two_or_three]) for f in (np.remainder, np.fmod, np.divmod)],
    case(np.modf, 1),
    case(np.ldexp, lambda n: [(n,)], lambda x: np.ldexp(x, [[-3], [2]])),
    case(np.frexp, 1, halves(np.frexp)),
    case(np.nan_to_num, 1, lambda x: np.nan_to_num(x, nan=1, posinf=2.0, neginf=-3.0), domain=some_gone,
         complex=with_part_gone),
    case(np.clip, lambda n, m: [(n, m), (m,), (n, 1)], np.clip, domain=[apart, between, above]),
    case(np.clip, 1, lambda x: np.clip(x, None, 0.06), name="above alone", domain=apart),
    case(vars(umath)["clip"], lambda n, m: [(n, m), (m,), (n, 1)], name="as a method", domain=[apart, between, above]),
    case(np.where, 3, name="condition"),
    case(np.where, lambda n: [(n, 1), (3,)], lambda a, b: np.where(MASKS[0], a, b), complex=True),
    case(np.select, lambda n: [(n, 3), (3,)], lambda a, b: np.select([MASKS[0], MASKS[1]], [a * b, b], -1.0),
         complex=True),
    case(np.piecewise, lambda n: [(n, 3)],
         lambda x: np.piecewise(x, [x < -0.3, x > 0.3], [lambda x, k: x, lambda x, k: k * x * x, 2.0], k=3.0)),
    case(np.full_like, 1, lambda x: np.full_like(x, x), complex=True),
    case(np.full_like, lambda n, m: [(n, m)], lambda x: np.full_like(x, x[0, 0], shape=(2, 3)) * x[0, 0], name="shape"),
    case(np.astype, 1, lambda x: np.astype(x, np.complex128) * 1j, float32=False),  # asks for double precision
]
