"""Elementwise functions at kinks, steps, infinities and nan, where series meet, and in every form of a call."""

from math import inf, nan, pi

import numpy as np
import pytest

from autograd import Value, grad, make_jvp, no_grad
from autograd.rules.elementwise import bessel_i, sinc_derivative
from tests.autograd.numeric import assert_close, numeric_gradient
from tests.autograd.test_special_points import of

POINTS = [
    ("arcsin at 0.5", np.arcsin, [0.5], [1 / np.sqrt(0.75)]),
    ("arcsinh far out", np.arcsinh, [1e200], [1e-200]),
    ("cbrt of both signs", np.cbrt, [[-8.0, 8.0]], [[1 / 12, 1 / 12]]),
    ("logaddexp far apart", np.logaddexp, [[-1000.0, 1000.0], [1000.0, -1000.0]], [[0, 1], [1, 0]]),
    ("logaddexp tail", np.logaddexp, [0.0, 50.0], [np.exp(-50.0), 1]),
    ("logaddexp of -inf", np.logaddexp, [[-inf, -inf], [3.0, -inf]], [[0, 0], [1, 0]]),
    ("logaddexp of inf", np.logaddexp, [[inf, inf], [3.0, inf]], [[1, 0.5], [0, 0.5]]),
    ("logaddexp2", np.logaddexp2, [[3.0, inf], [3.0, 0.0]], [[0.5, 1], [0.5, 0]]),
    ("hypot at the origin", np.hypot, [[0.0, 3.0], [0.0, -4.0]], [[0, 0.6], [0, -0.8]]),
    ("hypot of large numbers", np.hypot, [3e200, 4e200], [0.6, 0.8]),
    ("arctan2 at the origin", np.arctan2, [[0.0, 0.0], [0.0, 2.0]], [[0, 0.5], [0, 0]]),
    ("arctan2 on the left", np.arctan2, [0.0, -2.0], [-0.5, 0]),
    ("arctan2 of small numbers", np.arctan2, [1e-200, 1e-200], [5e199, -5e199]),
    ("arctan2 of large numbers", np.arctan2, [3e200, 4e200], [1.6e-201, -1.2e-201]),
    ("angle of real numbers", np.angle, [[-2.0, 0.0, 2.0]], [[0, 0, 0]]),
    ("angle at the origin", lambda x: np.angle(x * (1 + 1j)), [0.0], [0]),
    ("sinc", np.sinc, [[0.0, 1.0, 1e-9]], [[0, -1, -(pi**2) / 3 * 1e-9]]),
    ("i0", np.i0, [[0.0, 1.0, -1.0]], [[0, 0.5651591039924851, -0.5651591039924851]]),
    ("fabs at 0", np.fabs, [[-1.0, 0.0, 2.0]], [[-1, 0, 1]]),
    ("copysign", np.copysign, [[-1.0, 2.0, 0.0, -3.0], [2.0, -0.0, 1.0, -1.0]], [[-1, -1, 0, 1], [0] * 4]),
    ("heaviside", np.heaviside, [[-1.0, 0.0, 2.0], 0.5], [[0, 0, 0], 1]),
    ("nextafter", np.nextafter, [[0.0, 1.0], inf], [[1, 1], 0]),
    ("nextafter of itself", np.nextafter, [1.0, 1.0], [1, 0]),
    ("ldexp", lambda x: np.ldexp(x, [0, 3, -1]), [[1.0, 2.0, 0.0]], [[1, 8, 0.5]]),
    ("frexp", lambda x: np.frexp(x)[0], [[0.0, 0.75, 6.0]], [[1, 1, 0.125]]),
    ("fmax shares", np.fmax, [[1.0, 2.0, 3.0], 2.0], [[0, 0.5, 1], 1.5]),
    ("fmax beside nan", np.fmax, [[nan, 1.0, nan], [1.0, nan, nan]], [[0, 1, 0.5], [1, 0, 0.5]]),
    ("fmin beside nan", np.fmin, [[nan, 1.0, nan, 2.0], [1.0, nan, nan, 2.0]], [[0, 1, 0.5, 0.5], [1, 0, 0.5, 0.5]]),
    ("remainder", np.remainder, [[-7.5, 7.5, 4.0], [2.0, -2.0, 2.0]], [[1, 1, 1], [4, 4, -2]]),
    ("fmod", np.fmod, [[-7.5, 7.5, 4.0], [2.0, -2.0, 2.0]], [[1, 1, 1], [3, 3, -2]]),
    ("fmod by inf", np.fmod, [3.0, inf], [1, 0]),
    ("the operator %", lambda a, b: a % b + 7 % b + a % 2, [7.5, 2.0], [2, -6]),
    ("the floor of divmod", lambda a, b: np.divmod(a, b)[0], [7.5, 2.0], [0, 0]),
    ("divmod", lambda a, b: sum(divmod(a, b)) + divmod(7, b)[1], [7.5, 2.0], [1, -6]),
    ("modf", lambda x: np.modf(x)[0] + 3 * np.modf(x)[1], [[-1.5, 2.0, inf]], [[1, 1, 1]]),
    ("rounding", lambda x: np.round(x, 1) * x + np.around(x) * x + np.fix(x) * x, [1.26], [1.3 + 1 + 1]),
    ("nan_to_num", np.nan_to_num, [[nan, inf, -inf, 2.0]], [[0, 0, 0, 1]]),
    ("float_power", np.float_power, [[0.0, 0.0, 2.0], [0.0, 2.0, 3.0]], [[0, 0, 12], [0, 0, 8 * np.log(2)]]),
    ("negative base", lambda x: x ** np.array([2, 3, -1]), [[-2.0, -2.0, -2.0]], [[-4, 12, -0.25]]),
    ("unwrap", np.unwrap, [[0.0, 4.0, 9.0]], [[1, 1, 1]]),
    ("ndarray.clip", lambda low, high: np.array([1.0, 3.0, 5.0]).clip(low, high), [1.0, 4.0], [0.5, 1]),
    ("ndarray.clip below", lambda low: np.array([1.0, 3.0]).clip(low), [2.0], [1]),
    ("ndarray.clip above", lambda high: np.array([1.0, 3.0]).clip(max=high), [2.0], [1]),
    ("select takes the first", lambda a, b: np.select([np.array([True, False]), np.array([True, True])], [a, b]),
     [[1.0, 2.0], [3.0, 4.0]], [[1, 0], [0, 1]]),
    ("select a default", lambda a, b: np.select([np.array([True, False])], [a], b), [1.0, 2.0], [1, 1]),
    ("select sees no other", lambda x: np.select([x > 0], [np.where(x > 0, x, 1) ** 2]), [[-1.0, 3.0]], [[0, 6]]),
    ("piecewise sees its own", lambda x: np.piecewise(x, [x > 0], [np.sqrt, lambda x: -np.sqrt(-x)]), [[4.0, -4.0]],
     [[0.25, 0.25]]),
    ("piecewise takes the last", lambda x: np.piecewise(x, [x > 0, x > 2], [lambda x: x, lambda x: 3 * x]),
     [[-1.0, 1.0, 3.0]], [[0, 1, 3]]),
    ("piecewise of a float", lambda x: np.piecewise(x, [x > 0], [lambda x: x * x, 1.0]), [3.0], [6]),
    ("piecewise by Values", lambda x, w: np.piecewise(x, x > 0, [lambda x: w * x, w]), [[-1.0, 2.0], 3.0], [[0, 3], 3]),
]


@pytest.mark.parametrize(("f", "points", "wanted"), [row[1:] for row in POINTS], ids=[row[0] for row in POINTS])
def test_conventions(f, points, wanted):
    for got, w in zip(of(f, *points), wanted, strict=True):
        np.testing.assert_allclose(got, w, rtol=1e-14, atol=1e-300)


WARNINGS = [
    ("arcsin at its end", np.arcsin, 1.0, inf, "divide by zero"), ("arccosh at 1", np.arccosh, 1.0, inf, "divide by"),
    ("cbrt at 0", np.cbrt, 0.0, inf, "divide by zero"), ("log2 at 0", np.log2, 0.0, inf, "divide by zero"),
    ("arcsin outside", np.arcsin, 2.0, nan, "invalid"),
    ("float_power", lambda x: np.float_power(x, 0.5), -1.0, nan, "invalid"),
    ("negative base, any exponent", lambda y: (-2.0) ** y, 3.0, nan, "invalid"),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("f", "x", "slope", "text"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS])
def test_infinities_come_with_numpys_warning(f, x, slope, text):
    with pytest.warns(RuntimeWarning, match=text):
        np.testing.assert_array_equal(of(f, x), [slope])


SECOND_ORDER = [
    ("sinc", np.sinc, [0.0, 1e-9, 0.999, 1.001, -3.0], [-(pi**2) / 3, -(pi**2) / 3, None, None, None]),
    ("i0", np.i0, [0.0, 1e-9, 2.0, -9.0], [0.5, 0.5, None, None]),
    ("logaddexp", lambda x: np.logaddexp(x, -x), [0.0, 300.0], [1, 0]),
    ("hypot", lambda x: np.hypot(x, 1.0), [0.0, 3.0], [1, 10**-1.5]),
    ("x**0", lambda x: np.float_power(x, 0), [0.0, 2.0], [0, 0]),
]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in SECOND_ORDER], ids=[row[0] for row in SECOND_ORDER])
def test_second_order(f, x, wanted):
    def first(v):
        return grad(lambda u: np.sum(f(u)))(v)

    x = np.array(x)
    got = grad(lambda v: np.sum(first(v)))(x)
    numeric = numeric_gradient(lambda v: float(np.sum(first(v))), [x])[0]
    assert_close(got, numeric, rtol=1e-6)
    for one, w in zip(got, wanted, strict=True):
        assert w is None or abs(one - w) < 1e-12


def test_the_series_of_sinc_to_every_order():
    for n in range(1, 8):
        ends = sinc_derivative(np.array([0.0, 1 - 1e-12, 1 + 1e-12]), n)
        assert_close(ends[0], 0.0 if n % 2 else (-1) ** (n // 2) * pi**n / (n + 1), rtol=1e-13)
        assert_close(ends[1], ends[2], rtol=1e-9)
    assert_close(grad(grad(grad(grad(np.sinc))))(0.0), pi**4 / 5, rtol=1e-13)


def test_the_bessel_functions_to_every_order():
    x = np.array([-5.0, -0.1, 0.0, 0.3, 2.0, 20.0, 300.0])
    theta = (np.arange(400) + 0.5) * (pi / 400)  # I_n(x) is the mean of e^(x cos θ) cos(nθ)
    for n in range(1, 5):
        wanted = np.mean(np.exp(x[:, None] * np.cos(theta)) * np.cos(n * theta), axis=1)
        np.testing.assert_allclose(bessel_i(x, n), wanted, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(grad(grad(grad(grad(np.i0))))(0.0), 3 / 8)
    assert bessel_i(np.float32(1.0), 1).dtype == np.float32


def test_forms_of_a_call():
    v, s = Value([1.0, -2.0, 0.0]), Value(2.5)
    np.testing.assert_array_equal(np.where(v), [[0, 1]])
    assert type(np.where(v)[0]) is np.ndarray
    np.testing.assert_array_equal(np.where(v, 1.0, 2.0).data, [1, 1, 2])
    np.testing.assert_array_equal(np.full_like(v, 3.0).data, [3, 3, 3])
    assert np.astype(s, np.float32).dtype == np.float32
    assert type(np.astype(v, int)) is np.ndarray
    assert type(np.frexp(v)[1]) is np.ndarray
    with no_grad():  # where expansions go on, because they refer to Values
        np.testing.assert_array_equal(np.piecewise(v, [v > 0], [lambda x: x * s]).data, [2.5, 0, 0])
    with pytest.raises(TypeError, match="does not cover copy="):
        np.nan_to_num(v, copy=False)
    with pytest.raises(TypeError, match="no derivative with respect to its keyword period"):
        np.unwrap(v, period=s)
    with pytest.raises(TypeError, match=r"np\.full_like|np\.copyto.*v \* np\.ones"):
        np.full_like(np.ones(2), s)


def test_numbers_that_become_real():
    z = np.array([1 + 1e-20j, 2 - 1e-20j])
    np.testing.assert_array_equal(grad(lambda v: np.sum(np.real_if_close(v) * [2.0, 3.0]))(z), [2, 3])
    y, t = make_jvp(np.real_if_close)(z)(np.array([1 + 2j, 3.0]))
    assert y.dtype == t.dtype == float
    np.testing.assert_array_equal(t, [1, 3])


def test_parts_that_are_replaced_have_no_gradient():
    x = Value([complex(nan, 2), complex(3, inf), 4 + 5j])
    np.sum(np.nan_to_num(x, posinf=1.0) * (1 + 1j)).backward(1 + 0j)
    np.testing.assert_array_equal(x.grad, [1j, 1, 1 + 1j])
