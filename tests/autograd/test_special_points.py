"""The documented conventions at kinks, ties, zeros, infinities and the far ends of the functions."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from autograd import Value, functions, grad, make_jvp, value_and_grad
from autograd.functions import (
    affine,
    elu,
    erf,
    gelu,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from tests.autograd.numeric import assert_close, numeric_gradient

INF, NAN = np.inf, np.nan


def gelu_tanh(x):
    return gelu(x, approximate="tanh")


def of(f: Callable, *points) -> list:
    """The gradients of the sum of ``f`` with respect to each argument."""
    return list(grad(lambda *args: np.sum(f(*args)), tuple(range(len(points))))(
        *(np.array(p, float) if isinstance(p, list) else p for p in points)))


KINKS = [
    ("relu'(0) = 0", relu, [[-1.0, 0.0, 2.0]], [[0, 0, 1]]),
    ("relu'(-0.0) = 0", relu, [-0.0], [0]),
    ("relu'(0.0) = 0 of a float", relu, [0.0], [0]),
    ("leaky_relu takes the negative side", leaky_relu, [[-1.0, 0.0, 2.0]], [[0.01, 0.01, 1]]),
    ("elu takes the negative side", lambda x: elu(x, alpha=0.5), [[0.0, 1.0]], [[0.5, 1]]),
    ("hardtanh is flat at both its kinks", hardtanh, [[-2.0, -1.0, 0.5, 1.0, 2.0]], [[0, 0, 1, 0, 0]]),
    ("|x|'(0) = 0", np.abs, [[-3.0, 0.0, 2.0]], [[-1, 0, 1]]),
    ("|x|'(0) = 0 of a float", np.abs, [0.0], [0]),
    ("|z|'(0) = 0", lambda x: np.abs(x * (1 + 1j)), [[0.0]], [[0]]),
    ("sign' = 0", np.sign, [[-3.0, 0.0, 2.0]], [[0, 0, 0]]),
    ("maximum shares", np.maximum, [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], [[0, 0.5, 1], [1, 0.5, 0]]),
    ("minimum shares", np.minimum, [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], [[1, 0.5, 0], [0, 0.5, 1]]),
    ("maximum with 0", lambda x: np.maximum(x, 0), [[-1.0, 0.0, 1.0]], [[0, 0.5, 1]]),
    ("minimum with 0", lambda x: np.minimum(0, x), [[-1.0, 0.0, 1.0]], [[1, 0.5, 0]]),
    ("maximum of itself", lambda x: np.maximum(x, x), [[1.0, 2.0]], [[1, 1]]),
    ("where has one side", lambda x: np.where(x > 0, x, 0), [[-1.0, 0.0, 2.0]], [[0, 0, 1]]),
    ("where has the other side", lambda x: np.where(x >= 0, x, 0), [[-1.0, 0.0, 2.0]], [[0, 1, 1]]),
    ("max shares among two", np.max, [[3.0, 1.0, 3.0]], [[0.5, 0, 0.5]]),
    ("max shares among all", np.max, [[2.0, 2.0, 2.0, 2.0]], [[0.25] * 4]),
    ("min shares among two", np.min, [[3.0, 1.0, 1.0]], [[0, 0.5, 0.5]]),
    ("max shares in each row", lambda x: np.max(x, axis=1), [[[1.0, 1.0], [0.0, 2.0]]], [[[0.5, 0.5], [0, 1]]]),
    ("max shares in each column", lambda x: np.max(x, axis=0, keepdims=True), [[[1.0, 1.0], [1.0, 2.0]]],
     [[[0.5, 0], [0.5, 1]]]),
    ("min shares over two axes", lambda x: np.min(x, axis=(0, 1)), [[[1.0, 1.0], [1.0, 2.0]]],
     [[[1 / 3, 1 / 3], [1 / 3, 0]]]),
    ("max of nan is the nan's", np.max, [[NAN, 1.0]], [[1, 0]]),
    ("min of nan in one row", lambda x: np.min(x, axis=1), [[[NAN, 1.0], [3.0, 2.0]]], [[[1, 0], [0, 1]]]),
    ("std of equal numbers", np.std, [[2.0, 2.0, 2.0]], [[0, 0, 0]]),
    ("std of one row of equal numbers", lambda x: np.std(x, axis=1), [[[2.0, 2.0], [0.0, 2.0]]],
     [[[0, 0], [-0.5, 0.5]]]),
    ("var of equal numbers", np.var, [[2.0, 2.0, 2.0]], [[0, 0, 0]]),
    ("x**0", lambda x: x**0, [[-1.0, 0.0, 2.0]], [[0, 0, 0]]),
    ("x**0 of a float", lambda x: x**0, [0.0], [0]),
    ("x**0.0", lambda x: np.power(x, 0.0), [0.0], [0]),
    ("x**1 at 0", lambda x: x**1, [[0.0]], [[1]]),
    ("x**2 at 0", lambda x: x**2, [[0.0]], [[0]]),
    ("0**y", lambda y: 0.0**y, [[1.0, 2.0, 0.5]], [[0, 0, 0]]),
    ("0**y of a float", lambda y: 0**y, [2.0], [0]),
    ("0**0 in both", np.power, [[0.0], [0.0]], [[0], [0]]),
    ("0**0 of floats", np.power, [0.0, 0.0], [0, 0]),
    ("0**1 in both", np.power, [[0.0, 0.0], [1.0, 2.0]], [[1, 0], [0, 0]]),
    ("x**[0, 1, 2] at 0", lambda x: x ** np.array([0, 1, 2]), [[0.0, 0.0, 0.0]], [[0, 1, 0]]),
    ("prod with one zero", np.prod, [[2.0, 0.0, 3.0]], [[0, 6, 0]]),
    ("prod with two zeros", np.prod, [[2.0, 0.0, 0.0]], [[0, 0, 0]]),
    ("prod with zeros in rows", lambda x: np.prod(x, axis=1), [[[2.0, 0.0], [0.0, 0.0], [3.0, 4.0]]],
     [[[0, 2], [0, 0], [4, 3]]]),
    ("sigmoid(0)", sigmoid, [0.0], [0.25]),
    ("tanh(0)", np.tanh, [0.0], [1]),
    ("floor is a constant", lambda x: np.floor(x) * x, [[1.5, 2.5]], [[1, 2]]),
]


@pytest.mark.parametrize(("f", "points", "wanted"), [row[1:] for row in KINKS], ids=[row[0] for row in KINKS])
def test_conventions(f, points, wanted):
    for got, w in zip(of(f, *points), wanted, strict=True):
        np.testing.assert_allclose(got, w, rtol=1e-15)


VALUES = [-2.0, -1.0, 0.0, 1.0, 2.0]


@pytest.mark.parametrize("crossed", [False, True])
def test_clip_is_minimum_of_maximum_at_every_tie(crossed):
    x, low, high = map(np.array, zip(*itertools.product(VALUES, repeat=3), strict=True))
    if not crossed:
        low, high = np.minimum(low, high), np.maximum(low, high)
    for one, other in zip(of(np.clip, x, low, high), of(lambda x, a, b: np.minimum(np.maximum(x, a), b), x, low, high),
                          strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(sum(of(np.clip, x, low, high)), 1)


SECOND_ORDER = [
    ("prod with one zero", np.prod, [2.0, 0.0, 3.0]),
    ("prod with two zeros", np.prod, [2.0, 0.0, 3.0, 0.0]),
    ("prod with three zeros", np.prod, [0.0, 0.0, 3.0, 0.0]),
    ("x**0 at 0", lambda x: np.sum(x**0), [0.0, 1.0]),
    ("x**1 at 0", lambda x: np.sum(x**1), [0.0, 1.0]),
    ("x**2 at 0", lambda x: np.sum(x**2), [0.0, 1.0]),
    ("x**3 at 0", lambda x: np.sum(x**3), [0.0, -1.0]),
    ("x**[0, 1, 2, 3] at 0", lambda x: np.sum(x ** np.array([0, 1, 2, 3])), [0.0] * 4),
    ("|x|²", lambda x: np.sum(np.abs(x) * np.abs(x)), [0.5, -0.5]),
    ("erf across its intervals", lambda x: np.sum(erf(x)), [0.84, 0.85, 1.24, 1.26, 2.85, 2.87, 5.9]),
    ("softmax of equal numbers", lambda x: softmax(x)[0], [1.0, 1.0, 1.0]),
]


@pytest.mark.parametrize(("f", "x"), [row[1:] for row in SECOND_ORDER], ids=[row[0] for row in SECOND_ORDER])
def test_second_order_at_special_points(f, x):
    x, direction = np.array(x), np.linspace(0.5, 1.5, len(x))
    numeric = numeric_gradient(lambda v: float(np.sum(grad(f)(v) * direction)), [x])[0]
    assert_close(grad(lambda v: np.sum(grad(f)(v) * direction))(x), numeric)


ELEMENTWISE = [relu, leaky_relu, hardtanh, sigmoid, softplus, silu, elu, erf, gelu, gelu_tanh]
FAR = {  # value and slope at -1000, and at 1000
    relu: (0, 0, 1000, 1), leaky_relu: (-10, 0.01, 1000, 1), hardtanh: (-1, 0, 1, 0), sigmoid: (0, 0, 1, 0),
    softplus: (0, 0, 1000, 1), silu: (0, 0, 1000, 1), elu: (-1, 0, 1000, 1), erf: (-1, 0, 1, 0), gelu: (0, 0, 1000, 1),
    gelu_tanh: (0, 0, 1000, 1),
}


@pytest.mark.parametrize("f", ELEMENTWISE)
@pytest.mark.parametrize("dtype", [float, np.float64, np.float32])
def test_far_from_zero(f, dtype):
    low, low_slope, high, high_slope = FAR[f]
    for x, y, slope in [(-1000.0, low, low_slope), (1000.0, high, high_slope)]:
        x = x if dtype is float else np.array([x], dtype)
        first = grad(lambda v: np.sum(f(v)))
        np.testing.assert_allclose(f(x), y, atol=1e-300)
        np.testing.assert_allclose(first(x), slope, atol=1e-300)
        np.testing.assert_allclose(grad(lambda v, first=first: np.sum(first(v)))(x), 0, atol=1e-300)


@pytest.mark.parametrize("f", ELEMENTWISE)
@pytest.mark.parametrize("x", [1e10, 1e200, 1e308])
def test_farther_than_any_square(f, x):
    for sign, slope in [(-1, FAR[f][1]), (1, FAR[f][3])]:
        np.testing.assert_allclose(grad(f)(sign * x), slope, atol=1e-300)
        np.testing.assert_allclose(grad(lambda v: np.sum(f(v)))(np.array([sign * x])), slope, atol=1e-300)


@pytest.mark.parametrize("f", [sigmoid, softplus, erf, np.tanh])
def test_infinite_arguments(f):
    value, slope = value_and_grad(lambda v: np.sum(f(v)))(np.array([-INF]))
    assert value == {sigmoid: 0, softplus: 0, erf: -1, np.tanh: -1}[f]
    assert slope == 0
    value, slope = value_and_grad(lambda v: np.sum(f(v)))(np.array([INF]))
    assert value == {sigmoid: 1, softplus: INF, erf: 1, np.tanh: 1}[f]
    assert slope == (f is softplus)


def test_erf_to_the_last_digits():
    x = np.concatenate([np.linspace(-7, 7, 561), [0.84375, 1.25, 1 / 0.35, 6.0, 1e-300, -1e-9]])
    np.testing.assert_allclose(erf(x), [math.erf(v) for v in x], rtol=5e-16)
    np.testing.assert_allclose(erf(x.astype(np.float32)), [math.erf(np.float32(v)) for v in x], rtol=5e-7)
    assert [erf(v) for v in x.tolist()] == list(erf(x))


def test_tails_keep_their_digits():
    np.testing.assert_allclose(sigmoid(np.array([-30.0, -300.0])), np.exp([-30.0, -300.0]), rtol=1e-12)
    np.testing.assert_allclose(softplus(np.array([-30.0, -300.0])), np.exp([-30.0, -300.0]), rtol=1e-12)
    np.testing.assert_allclose(elu(np.array([-1e-12])), [-1e-12], rtol=1e-12)
    np.testing.assert_allclose(log_softmax(np.array([0.0, -50.0]))[0], -np.exp(-50.0), rtol=1e-12, atol=1e-21)


EXTREMES = [
    ("affine", lambda x: affine(x, np.array([[1.0, 2.0]]), np.array([5.0]))[0], [1000.0, -1000.0], -995, [1, 2]),
    ("logsumexp", logsumexp, [1000.0, 1000.0], 1000 + np.log(2), [0.5, 0.5]),
    ("logsumexp below", logsumexp, [-1000.0, -1000.0], -1000 + np.log(2), [0.5, 0.5]),
    ("logsumexp apart", logsumexp, [-1000.0, 1000.0], 1000, [0, 1]),
    ("logsumexp with -inf", logsumexp, [0.0, -INF], 0, [1, 0]),
    ("logsumexp of nothing", logsumexp, [], -INF, []),
    ("logsumexp of -inf alone", logsumexp, [-INF, -INF], -INF, [0, 0]),
    ("softmax", lambda x: softmax(x)[0], [1000.0, 1000.0], 0.5, [0.25, -0.25]),
    ("softmax apart", lambda x: softmax(x)[0], [-1000.0, 1000.0], 0, [0, 0]),
    ("softmax with -inf", lambda x: softmax(x)[1], [0.0, 0.0, -INF], 0.5, [-0.25, 0.25, 0]),
    ("log_softmax", lambda x: log_softmax(x)[0], [1000.0, 1000.0], -np.log(2), [0.5, -0.5]),
    ("log_softmax apart", lambda x: log_softmax(x)[0], [-1000.0, 1000.0], -2000, [1, -1]),
    ("log_softmax with -inf", lambda x: log_softmax(x)[1], [0.0, 0.0, -INF], -np.log(2), [-0.5, 0.5, 0]),
]


@pytest.mark.parametrize(("f", "x", "y", "slopes"), [row[1:] for row in EXTREMES], ids=[row[0] for row in EXTREMES])
def test_normalised_exponentials_at_extremes(f, x, y, slopes):
    value, gradient = value_and_grad(f)(np.array(x))
    np.testing.assert_allclose(value, y, rtol=1e-15)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-13, atol=1e-300)
    second = grad(lambda v: np.sum(grad(f)(v) * np.arange(1.0, 1 + len(x))))(np.array(x))
    assert np.all(np.isfinite(second))


EMPTY = [
    ("add", lambda x: x + 1), ("multiply", lambda x: x * x), ("exp", np.exp), ("power", lambda x: x**2),
    ("sum", np.sum), ("sum axis 0", lambda x: np.sum(x, axis=0)), ("sum axis 1", lambda x: np.sum(x, axis=1)),
    ("prod", np.prod), ("prod axis 0", lambda x: np.prod(x, axis=0)), ("prod axis 1", lambda x: np.prod(x, axis=1)),
    ("mean axis 1", lambda x: np.mean(x, axis=1)), ("max axis 1", lambda x: np.max(x, axis=1)),
    ("var axis 1", lambda x: np.var(x, axis=1)), ("std axis 1", lambda x: np.std(x, axis=1)),
    ("reshape", lambda x: np.reshape(x, (3, 0))), ("ravel", np.ravel), ("transpose", np.transpose),
    ("concatenate", lambda x: np.concatenate([x, x])), ("concatenate with rows", lambda x: np.concatenate([x, MATRIX])),
    ("stack", lambda x: np.stack([x, x])), ("iteration", lambda x: np.sum(sum(x, 0.0) * 2.0 + np.sum(x))),
    ("index", lambda x: x[:, 1]), ("mask", lambda x: x[np.zeros((0, 3), bool)]), ("no places", lambda x: x[[]]),
    ("matmul", lambda x: x @ MATRIX.T), ("matmul inner", lambda x: x.T @ x), ("dot", lambda x: np.dot(x, MATRIX.T)),
    ("einsum", lambda x: np.einsum("ij,kj->ik", x, MATRIX)), ("einsum inner", lambda x: np.einsum("ij,ik->jk", x, x)),
    ("einsum sum", lambda x: np.einsum("ij->j", x)), ("where", lambda x: np.where(x > 0, x, 0)),
    ("relu", relu), ("gelu", gelu), ("softmax", softmax), ("logsumexp", lambda x: logsumexp(x, axis=1)),
    ("split", lambda x: np.split(x, [0])[0]), ("flip", np.flip), ("clip", lambda x: np.clip(x, 0, 1)),
    ("broadcast_to", lambda x: np.broadcast_to(x, (2, 0, 3))), ("pad", lambda x: np.pad(x, 1)),
]
MATRIX = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("f", [row[1] for row in EMPTY], ids=[row[0] for row in EMPTY])
def test_empty_arrays(f):
    x = Value(np.zeros((0, 3)))
    y = f(x)
    wanted = np.asarray(f(np.zeros((0, 3))))
    assert y.shape == wanted.shape
    np.sum(y).backward()
    assert x.grad.shape == (0, 3)
    assert grad(lambda v: np.sum(grad(lambda u: np.sum(f(u)))(v)))(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("f", [np.var, np.std, np.mean, np.max, np.prod, np.sum, logsumexp, softmax, log_softmax])
@pytest.mark.parametrize("axis", [0, 2, (0, 2)])
def test_axes_of_length_1(f, axis):
    x = np.array([[[3.0], [5.0]]])
    got = grad(lambda v: np.sum(f(v, axis=axis) * 2.0))(x)
    np.testing.assert_array_equal(got, np.full_like(x, 0 if f in (np.var, np.std, softmax, log_softmax) else 2))


UNTAKEN = [
    ("exp", lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0))), [1000.0, -1.0], [1, np.exp(-1.0)]),
    ("gradient of an overflow", lambda x: np.where(x < 10, np.exp(np.minimum(x, 10)), x), [1000.0, 0.0], [1, 1]),
    ("softplus", softplus, [800.0, -800.0], [1, 0]),
    ("elu", elu, [800.0, -800.0], [1, 0]),
    ("sigmoid", sigmoid, [800.0, -800.0], [0, 0]),
]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in UNTAKEN], ids=[row[0] for row in UNTAKEN])
def test_a_branch_that_is_not_taken_does_not_poison(f, x, wanted):
    (got,) = of(f, x)
    np.testing.assert_allclose(got, wanted, atol=1e-300)


def test_where_gives_the_untaken_branch_a_gradient_of_zero():
    a, b = Value([1.0, INF]), Value([NAN, 2.0])
    np.sum(np.where([True, False], a, b)).backward()
    np.testing.assert_array_equal(a.grad, [1, 0])
    np.testing.assert_array_equal(b.grad, [0, 1])


WARNINGS = [
    ("sqrt at 0", np.sqrt, 0.0, INF, "divide by zero"), ("sqrt at [0]", np.sqrt, [0.0], [INF], "divide by zero"),
    ("log at 0", np.log, 0.0, INF, "divide by zero"), ("1 / 0", lambda x: 1 / x, 0.0, -INF, "divide by zero"),
    ("reciprocal", np.reciprocal, 0.0, -INF, "divide by zero"), ("x**-1", lambda x: x**-1, 0.0, -INF, "divide by zero"),
    ("x**0.5", lambda x: x**0.5, 0.0, INF, "divide by zero"), ("[x]**0.5", lambda x: x**0.5, [0.0], [INF], "divide by"),
    ("x / 0", lambda x: x / 0, 2.0, INF, "divide by zero"),
    ("x / 0 of [2]", lambda x: x / 0, [2.0], [INF], "divide by zero"),
    ("exp", np.exp, 1000.0, INF, "overflow"), ("x**2", lambda x: x**2, 1e200, 2e200, "overflow"),
    ("negative to a fraction", lambda x: x**0.5, -1.0, NAN, "invalid value"),
    ("log of negative", np.log, -2.0, -0.5, "invalid value"),
]


@pytest.mark.parametrize(("f", "x", "slope", "text"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS])
def test_infinities_come_with_numpys_warning(f, x, slope, text):
    with pytest.warns(RuntimeWarning, match=text):
        (got,) = of(f, x)
    np.testing.assert_allclose(got, slope)
    assert type(got) is (np.ndarray if isinstance(x, list) else float)
    with pytest.warns(RuntimeWarning, match=text):
        tangent = make_jvp(f)(np.array(x) if isinstance(x, list) else x)(np.ones_like(x)[()])[1]
    np.testing.assert_allclose(tangent, slope)


FLOATS = [
    ("1 / 0", lambda x: 1 / x, 0.0, INF, "divide by zero"), ("-1 / 0", lambda x: -1.0 / x, 0.0, -INF, "divide by zero"),
    ("0 / 0", lambda x: x / x, 0.0, NAN, "invalid value"), ("x / 0", lambda x: x / 0, 3.0, INF, "divide by zero"),
    ("0**-1", lambda x: x**-1, 0.0, INF, "divide by zero"), ("10**400", lambda x: x**400, 10.0, INF, "overflow"),
    ("400 above", lambda x: 10**x, 400.0, INF, "overflow"), ("(-1)**½", lambda x: x**0.5, -1.0, NAN, "invalid value"),
    ("-1 below ½", lambda x: (-1) ** x, 0.5, NAN, "invalid value"),
    ("(-8)**(1/3) of arrays", lambda x: x ** (1 / 3), [-8.0], [NAN], "invalid value"),
]


@pytest.mark.parametrize(("f", "x", "y", "text"), [row[1:] for row in FLOATS], ids=[row[0] for row in FLOATS])
def test_python_floats_divide_and_power_as_numpy_does(f, x, y, text):
    with pytest.warns(RuntimeWarning, match=text):
        got = f(Value(x))
    np.testing.assert_array_equal(got.data, y)
    assert type(got.data) is (np.ndarray if isinstance(x, list) else float)


def test_every_function_is_tested_far_out():
    tested = {f.__name__ for f in [*ELEMENTWISE, affine, logsumexp, softmax, log_softmax]}
    of_images = {"avg_pool", "convolve", "convolve_filters", "convolve_input", "max_pool"}  # in test_convolution.py
    assert tested >= set(functions.__all__) - of_images
