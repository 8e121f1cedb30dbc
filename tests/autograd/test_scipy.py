"""autograd.scipy: the names of SciPy for code written for HIPS autograd, odeint, and what each function refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd import Value, grad, make_jvp
from autograd.registry import name_of

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.integrate
import scipy.signal
import scipy.special
import scipy.stats

import autograd.scipy
from autograd.scipy import linalg, signal, special, stats
from autograd.scipy.integrate import odeint
from tests.autograd.numeric import numeric_gradient

ROOT = Path(__file__).parents[2]


# Names

def test_modules_come_when_asked_for():
    script = ("import sys, autograd.scipy; print('scipy.stats' in sys.modules); "
              "print(autograd.scipy.stats.norm.pdf(0.0) > 0.39)")
    ran = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True,
                         check=True)
    assert ran.stdout.split() == ["False", "True"]
    with pytest.raises(AttributeError, match=r"autograd.scipy has no attribute cluster"):
        _ = autograd.scipy.cluster


def test_without_scipy_it_says_what_to_install():
    script = "import sys; sys.modules['scipy'] = None; import autograd; import autograd.scipy"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert "ImportError: autograd.scipy needs SciPy: pip install 'nudgegrad[scipy]'" in ran.stderr


def test_what_is_not_here_is_scipys():
    assert special.erf is scipy.special.erf
    assert signal.correlate is scipy.signal.correlate
    assert autograd.scipy.integrate.quad is scipy.integrate.quad
    assert stats.laplace is scipy.stats.laplace
    for name in ("beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"):
        assert getattr(stats, name).rvs == getattr(scipy.stats, name).rvs
    np.testing.assert_array_equal(linalg.hilbert(2), [[1, 1 / 2], [1 / 2, 1 / 3]])


def test_names():
    assert name_of(special.logsumexp) == "scipy.special.logsumexp"
    assert name_of(linalg.solve) == "scipy.linalg.solve"
    assert name_of(stats.norm.logpdf) == "scipy.stats.norm.logpdf"


# What is refused

@pytest.mark.parametrize(("call", "message"), [
    (lambda v: linalg.lu(v), "scipy.linalg.lu has no derivative rule"),
    (lambda v: linalg.solve(v, np.ones(2), assume_a="sym"), "scipy.linalg.solve does not cover assume_a="),
    (lambda v: special.comb(v, 1, exact=True), "scipy.special.comb does not cover exact="),
    (lambda v: special.polygamma(v, 1.0), "scipy.special.polygamma has no derivative rule with respect to argument 0"),
    (lambda v: stats.poisson.pmf(v, 1.0), "scipy.stats.poisson.pmf has no derivative rule with respect to argument 0"),
    (lambda v: odeint(lambda y, t, v: y * v[0, 0], 1.0, [0.0, 1.0], (v,), full_output=True), "full_output; leave it"),
])
def test_what_is_not_covered_is_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call(Value(np.eye(2)))


def test_a_shape_of_a_distribution_function_is_refused_when_its_gradient_is_asked_for():
    with pytest.raises(TypeError, match=r"scipy\.special\.gammainc has no derivative rule with respect to argument 0"):
        grad(lambda a: stats.gamma.cdf(0.5, a))(1.5)
    assert grad(lambda x: stats.gamma.cdf(x, 1.0))(0.5) == pytest.approx(np.exp(-0.5))


# Functions at special points

def test_logsumexp_where_it_is_large_or_of_nothing():
    x = np.array([1e3, 1e3, -np.inf])
    assert grad(special.logsumexp)(x) == pytest.approx([0.5, 0.5, 0])
    assert grad(lambda x: special.logsumexp(x, keepdims=True)[0])(np.array([-1e3])).tolist() == [1]
    assert grad(lambda a: special.logsumexp(a, b=[1.0, -2.0], return_sign=True)[0])(np.zeros(2)).tolist() == [-1, 2]
    value, tangent = make_jvp(lambda a: special.logsumexp(a, b=[1.0, -2.0], return_sign=True))(np.zeros(2))(np.ones(2))
    assert (value, tangent) == ((0, -1), (1, 0))


def test_sqrtm_of_a_real_matrix_with_complex_roots():
    a = np.array([[-1.0, 0.3], [0.2, -2.0]])

    def f(a):
        return np.sum(np.imag(linalg.sqrtm(a)))

    np.testing.assert_allclose(grad(f)(a), numeric_gradient(f, [a])[0], rtol=1e-6)


def test_densities_by_keyword_and_broadcast():
    x = np.linspace(-1, 1, 6).reshape(3, 2)
    scale = np.array([1.5, 0.5])
    got = grad(lambda scale: np.sum(stats.norm.logpdf(x, scale=scale)))(scale)
    np.testing.assert_allclose(got, np.sum(x**2, axis=0) / scale**3 - 3 / scale)
    assert grad(stats.norm.logsf)(1e3) == pytest.approx(-1e3, rel=1e-5)


def test_normal_distributions_on_a_line_and_of_one_point():
    x, mean, cov = np.array([0.3, 0.7]), np.array([0.1, 0.2]), np.array([[2.0, 0.3], [0.3, 1.0]])
    normal = stats.multivariate_normal
    assert grad(lambda x: normal.logpdf(x))(0.3) == pytest.approx(-0.3)
    assert grad(lambda x: np.sum(normal.logpdf(x, 0.1, 2.0)))(x) == pytest.approx((0.1 - x) / 2)
    assert grad(lambda x: normal.logpdf(x, mean, 2.0))(x) == pytest.approx((mean - x) / 2)
    assert grad(lambda x: normal.logpdf(x, mean, cov, True))(x) == pytest.approx(np.linalg.solve(cov, mean - x))
    with pytest.raises(TypeError, match="may be singular"):
        grad(lambda cov: normal.logpdf(x, mean, cov, True))(cov)
    assert grad(normal.entropy, 1)(mean, cov) == pytest.approx(np.linalg.inv(cov) / 2)


# Convolution

@pytest.mark.parametrize("mode", ["full", "valid"])
def test_convolve_is_scipys_in_as_many_dimensions_as_one_likes(mode):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 5, 3)), rng.normal(size=(2, 3, 1))
    np.testing.assert_allclose(signal.convolve(a, b, mode=mode), scipy.signal.convolve(a, b, mode=mode), atol=1e-14)
    np.testing.assert_allclose(signal.convolve(b, a, mode=mode), scipy.signal.convolve(a, b, mode=mode), atol=1e-14)


def test_same_is_the_middle_as_large_as_the_first():
    for n in (1, 2, 3, 4):
        a, b = np.arange(1.0, 5.0), np.arange(1.0, n + 1)
        np.testing.assert_array_equal(signal.convolve(a, b, mode="same"), np.convolve(a, b, mode="same"))


def test_pairs_of_dotted_axes_in_any_order():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 2, 5))
    np.testing.assert_allclose(signal.convolve(a, b, axes=([2], [2]), dot_axes=([0, 1], [1, 0])),
                               sum(np.convolve(a[i, j], b[j, i]) for i in range(2) for j in range(3)))

    def f(a, b):
        return np.sum(signal.convolve(a, b, axes=([2], [2]), dot_axes=([1, 0], [0, 1]))[::2])

    for got, wanted in zip(grad(f, (0, 1))(a, b), numeric_gradient(f, [a, b]), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_convolve_of_none_of_the_axes_is_a_product():
    a, b = np.ones(2), np.arange(3.0)
    np.testing.assert_array_equal(signal.convolve(a, b, axes=([], [])), np.outer(a, b))
    assert grad(lambda a: np.sum(signal.convolve(a, b, axes=([], []))))(a).tolist() == [3, 3]


@pytest.mark.parametrize(("options", "message"), [
    ({"mode": "half"}, "mode: expected"), ({"axes": ([0], [])}, "as many of A as of B"),
    ({"mode": "valid"}, "at least as large"),
])
def test_convolve_says_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        signal.convolve(np.ones((2, 3)), np.ones((3, 2)), **options)


# Differential equations

TIGHT = {"rtol": 1e-11, "atol": 1e-11}
Y0, TIMES, A, B = np.array([0.3, 0.5]), np.array([0.1, 0.7, 1.5]), 0.7, np.array([1.2, 0.4])
WEIGHTS = np.array([[0.3, 1.0], [-0.5, 0.7], [1.1, -0.2]])


def pendulum(y, t, a, more):
    return [y[1] * a, -np.sin(y[0]) * more["b"][0] + np.cos(t) * more["b"][1]]


def cost(y0, t, a, b):
    return np.sum(WEIGHTS * odeint(pendulum, y0, t, (a, {"b": b}), **TIGHT) ** 2)


def test_odeint_in_both_modes():
    inputs = (Y0, TIMES, A, B)
    got = grad(cost, (0, 1, 2, 3))(*inputs)
    for g, wanted in zip(got, numeric_gradient(cost, inputs), strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-6, atol=1e-7)
    ones = tuple(np.ones_like(x)[()] for x in inputs)
    assert make_jvp(cost, (0, 1, 2, 3))(*inputs)(ones)[1] == pytest.approx(sum(np.sum(g) for g in got))


def test_odeint_to_second_order():
    def slope(a):
        return np.sum(grad(cost)(Y0, TIMES, a, B))

    assert grad(slope)(A) == pytest.approx(numeric_gradient(slope, [A])[0], rel=1e-6)
    assert grad(lambda a: make_jvp(cost)(Y0, TIMES, a, B)(np.ones(2))[1])(A) == pytest.approx(grad(slope)(A))


def test_odeint_of_one_number_and_of_constants():
    def decay(y, t, rate):
        return -rate * y

    left = pytest.approx(np.exp(-0.5))
    assert -grad(lambda rate: odeint(decay, 2.0, [0.0, 1.0], (rate,), **TIGHT)[1, 0])(0.5) / 2 == left
    assert grad(lambda y0: odeint(decay, y0, [0.0, 1.0], args=(0.5,), **TIGHT)[1, 0])(2.0) == left
    assert grad(lambda t: odeint(decay, 2.0, np.stack([t, 1.0]), (0.5,), **TIGHT)[1, 0])(0.0) == left
    np.testing.assert_array_equal(odeint(decay, 2.0, [0.0, 1.0], (0.5,)),
                                  scipy.integrate.odeint(decay, 2.0, [0.0, 1.0], (0.5,)))
