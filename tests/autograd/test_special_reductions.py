"""Reductions, cumulative functions and statistics at ties, zeros, nan, in nothing, and what they refuse."""

import warnings

import numpy as np
import pytest

from autograd import Value, grad, jacobian, make_jvp, no_grad
from autograd.rules.quantiles import CONTINUOUS, STEPS

NAN, INF = np.nan, np.inf
SECOND_OF_THREE = [True, False, True]

GRADIENTS = [  # name, function, point, and the gradient of the sum of the results
    ("sum where", lambda x: np.sum(x, where=SECOND_OF_THREE), [1.0, NAN, 3.0], [1, 0, 1]),
    ("mean where", lambda x: np.mean(x, where=SECOND_OF_THREE), [1.0, INF, 3.0], [0.5, 0, 0.5]),
    ("prod where", lambda x: np.prod(x, where=SECOND_OF_THREE, initial=2), [5.0, NAN, 0.0], [0, 0, 10]),
    ("var where", lambda x: np.var(x, where=SECOND_OF_THREE), [1.0, NAN, 3.0], [-1, 0, 1]),
    ("std where", lambda x: np.std(x, where=SECOND_OF_THREE), [1.0, INF, 3.0], [-0.5, 0, 0.5]),
    ("std of equal numbers where", lambda x: np.std(x, where=SECOND_OF_THREE), [2.0, 5.0, 2.0], [0, 0, 0]),
    ("std about a mean", lambda x: np.std(x, mean=2.0), [2.0, 2.0], [0, 0]),
    ("var about another mean", lambda x: np.var(x, mean=0.0), [1.0, 3.0], [1, 3]),
    ("correction", lambda x: np.var(x, correction=1), [1.0, 3.0], [-2, 2]),
    ("where of a row", lambda x: np.sum(x, axis=0, where=[False, True]), [[1.0, 2.0], [3.0, 4.0]], [[0, 1], [0, 1]]),
    ("max where", lambda x: np.max(x, where=SECOND_OF_THREE, initial=0), [1.0, 9.0, 3.0], [0, 0, 1]),
    ("max where, of nothing", lambda x: np.max(x, where=False, initial=0), [1.0, 9.0], [0, 0]),
    ("max shares with initial", lambda x: np.max(x, initial=2), [1.0, 2.0, 2.0], [0, 1 / 3, 1 / 3]),
    ("max below initial", lambda x: np.max(x, initial=9), [1.0, 2.0], [0, 0]),
    ("min shares with initial", lambda x: np.min(x, axis=1, initial=1), [[1.0, 2.0], [0.0, 0.0]],
     [[0.5, 0], [0.5, 0.5]]),
    ("max of a masked nan", lambda x: np.max(x, where=[False, True], initial=0), [NAN, 2.0], [0, 1]),
    ("ptp shares", np.ptp, [1.0, 1.0, 3.0], [-0.5, -0.5, 1]),
    ("ptp of equal numbers", np.ptp, [2.0, 2.0], [0, 0]),
    ("median shares", np.median, [2.0, 2.0, 3.0], [0.5, 0.5, 0]),
    ("median shares on both sides", np.median, [2.0, 1.0, 5.0, 2.0], [0.5, 0, 0, 0.5]),
    ("median between ties", np.median, [1.0, 1.0, 2.0, 3.0], [0.25, 0.25, 0.5, 0]),
    ("quantile shares", lambda x: np.quantile(x, 0.25), [0.0, 1.0, 1.0], [0.5, 0.25, 0.25]),
    ("quantile lower shares", lambda x: np.quantile(x, 0.9, method="lower"), [1.0, 1.0, 2.0], [0.5, 0.5, 0]),
    ("quantile by weight", lambda x: np.quantile(x, 0, weights=[0, 1, 1], method="inverted_cdf"), [1.0, 2.0, 3.0],
     [0, 1, 0]),
    ("quantile at both ends", lambda x: np.quantile(x, [0, 1]), [4.0, 2.0, 3.0], [1, 1, 0]),
    ("nansum", np.nansum, [NAN, 1.0], [0, 1]),
    ("nanprod", np.nanprod, [NAN, 2.0, 3.0, 0.0], [0, 0, 0, 6]),
    ("nanmean", np.nanmean, [NAN, 1.0, 3.0], [0, 0.5, 0.5]),
    ("nanmax shares", np.nanmax, [NAN, 3.0, 3.0], [0, 0.5, 0.5]),
    ("nanmin of -inf", np.nanmin, [NAN, -INF, 3.0], [0, 1, 0]),
    ("nanvar", np.nanvar, [NAN, 1.0, 3.0], [0, -1, 1]),
    ("nanstd of equal numbers", np.nanstd, [NAN, 3.0, 3.0], [0, 0, 0]),
    ("nanmedian", np.nanmedian, [NAN, 1.0, 5.0], [0, 0.5, 0.5]),
    ("nanmedian shares", np.nanmedian, [NAN, 1.0, 1.0, 5.0], [0, 0.5, 0.5, 0]),
    ("nanquantile", lambda x: np.nanquantile(x, 0.75, axis=1), [[NAN, 1.0, 5.0], [1.0, 2.0, 3.0]],
     [[0, 0.25, 0.75], [0, 0.5, 0.5]]),
    ("nancumsum", np.nancumsum, [1.0, NAN, 2.0], [3, 0, 1]),
    ("nancumprod", np.nancumprod, [2.0, NAN, 3.0], [5, 0, 2]),
    ("cumprod with one zero", np.cumprod, [2.0, 0.0, 3.0], [1, 8, 0]),
    ("cumprod with two zeros", np.cumprod, [0.0, 0.0, 3.0], [1, 0, 0]),
    ("cumprod of a matrix", np.cumprod, [[2.0, 0.0], [3.0, 4.0]], [[1, 32], [0, 0]]),
    ("initial element", lambda x: np.cumulative_prod(x, include_initial=True), [2.0, 3.0], [4, 2]),
    ("average", lambda x: np.average(x, weights=[1, 3]), [1.0, 5.0], [0.25, 0.75]),
    ("weights", lambda w: np.average([1.0, 5.0], weights=w), [1.0, 3.0], [-0.75, 0.25]),
    ("keepdims by position", lambda x: np.sum(x, 0, None, None, True), [1.0, 2.0], [1, 1]),
    ("ddof by position", lambda x: np.var(x, 0, None, None, 1), [1.0, 3.0], [-2, 2]),
    ("method by position", lambda x: np.quantile(x, 0.4, None, None, False, "lower"), [1.0, 3.0], [1, 0]),
]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in GRADIENTS], ids=[row[0] for row in GRADIENTS])
def test_gradients(f, x, wanted):
    x, wanted = np.array(x), np.array(wanted)
    np.testing.assert_allclose(grad(lambda v: np.sum(f(v)))(x), wanted, rtol=1e-14, atol=1e-15)
    direction = 1.0 + np.arange(x.size).reshape(x.shape)
    moved = np.sum(make_jvp(f)(x)(direction)[1])
    np.testing.assert_allclose(moved, np.sum(wanted * direction), rtol=1e-14, atol=1e-15)
    second = grad(lambda v: np.sum(grad(lambda u: np.sum(f(u) * f(u)))(v) * direction))(x)
    assert np.all(np.isfinite(second))
    assert np.all(second[np.isnan(x)] == 0)


SKIPPING = [np.nansum, np.nanprod, np.nanmean, np.nanmax, np.nanmin, np.nanvar, np.nanstd, np.nanmedian,
            lambda x, **kw: np.nanquantile(x, [0.3, 0.7], **kw), lambda x, **kw: np.nanpercentile(x, 40.0, **kw)]


@pytest.mark.filterwarnings("ignore:.*(All-NaN|Mean of empty|Degrees of freedom):RuntimeWarning")
@pytest.mark.parametrize("f", SKIPPING)
def test_rows_of_nothing_but_nan_do_not_poison(f):
    x = np.array([[NAN, NAN], [1.0, 2.0], [NAN, 3.0]])

    def cost(v):
        y = f(v, axis=1)
        return np.sum(np.where(np.isnan(y), 0, y * y))

    first = grad(cost)(x)
    second = grad(lambda v: np.sum(grad(cost)(v) * np.array([2.0, 1.0])))(x)
    for g in (first, second):
        assert np.all(g[np.isnan(x)] == 0)
        assert np.all(np.isfinite(g))
    assert np.any(first[1])
    with warnings.catch_warnings():  # what was not warned about by the value is not by the gradient
        warnings.simplefilter("error")
        assert grad(lambda v: np.sum(f(v)))(x).shape == x.shape


@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")
def test_rows_of_nothing_but_nan_leave_q_alone():
    x = np.array([[NAN, NAN], [1.0, 3.0]])
    assert grad(lambda q: np.nanquantile(x, q, axis=1)[1])(0.25) == 2


def test_tangents_that_are_nan_where_the_number_is_do_not_leak():
    x, t = np.array([NAN, 1.0, 3.0]), np.array([NAN, 1.0, 1.0])
    for f in [*SKIPPING, np.nancumsum, np.nancumprod, lambda x: np.std(x, where=~np.isnan(x)),
              lambda x: np.max(x, initial=0, where=~np.isnan(x)), lambda x: np.prod(x, where=[False, True, True])]:
        assert np.all(np.isfinite(make_jvp(f)(x)(t)[1]))


NUMBERS = [(np.sum, 1), (np.mean, 1), (np.prod, 1), (np.max, 1), (np.min, 1), (np.var, 0), (np.std, 0), (np.ptp, 0),
           (np.nansum, 1), (np.nanprod, 1), (np.nanmean, 1), (np.nanmax, 1), (np.nanmin, 1), (np.nanvar, 0),
           (np.nanstd, 0), (np.median, 1), (np.nanmedian, 1), (lambda x: np.quantile(x, 0.3), 1), (np.average, 1),
           (lambda x: np.sum(x, where=True, initial=1), 1), (lambda x: np.cumsum(x)[0], 1),
           (lambda x: np.cumprod(x, axis=0)[0], 1), (lambda x: np.cumulative_sum(x, include_initial=True)[1], 1),
           (lambda x: np.nancumprod(x)[0], 1), (lambda x: np.percentile(x, [10, 20])[1], 1)]


@pytest.mark.parametrize(("f", "slope"), NUMBERS)
@pytest.mark.parametrize("kind", [float, np.float32])
def test_numbers(f, slope, kind):
    got = grad(f)(kind(3.0))
    assert got == slope
    assert type(got) is kind
    assert make_jvp(f)(kind(3.0))(kind(1.0))[1] == slope


EMPTY = [
    ("cumsum", np.cumsum), ("cumprod", np.cumprod), ("cumprod axis 0", lambda x: np.cumprod(x, axis=0)),
    ("cumprod axis 1", lambda x: np.cumprod(x, axis=1)), ("nancumprod", np.nancumprod),
    ("cumulative_sum", lambda x: np.cumulative_sum(x, axis=0, include_initial=True)),
    ("cumulative_prod", lambda x: np.cumulative_prod(x, axis=0, include_initial=True)), ("nansum", np.nansum),
    ("nanprod axis 0", lambda x: np.nanprod(x, axis=0)), ("max initial", lambda x: np.max(x, axis=0, initial=2.0)),
    ("median axis 1", lambda x: np.median(x, axis=1)), ("ptp axis 1", lambda x: np.ptp(x, axis=1)),
    ("quantile axis 1", lambda x: np.quantile(x, [0.2, 0.4], axis=1)),
    ("sum where", lambda x: np.sum(x, axis=0, where=np.zeros((0, 3), bool))),
    ("median", lambda x: np.median(x, axis=0)), ("nanmedian", np.nanmedian), ("mean", np.mean), ("nanmean", np.nanmean),
    ("apply_over_axes", lambda x: np.apply_over_axes(np.sum, x, [0])),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", [row[1] for row in EMPTY], ids=[row[0] for row in EMPTY])
def test_nothing(f):
    x = np.zeros((0, 3))
    value, moved = make_jvp(f)(x)(x)
    assert np.shape(value) == np.shape(moved) == np.shape(f(x))
    assert grad(lambda v: np.sum(grad(lambda u: np.sum(f(u)))(v)))(x).shape == (0, 3)


@pytest.mark.parametrize("f", [np.sum, np.prod, np.max, np.min])
def test_initial_does_not_move(f):
    initial = 5.0 if f is not np.max else -5.0
    _, moved = make_jvp(lambda x: f(x, initial=initial))(np.array([2.0]))(np.array([1.0]))
    assert moved == (initial if f is np.prod else 1)


def test_cumprod_of_many_is_right():
    x = np.random.default_rng(0).uniform(0.9, 1.1, 1000)
    x[[300, 700]] = 0
    got = grad(lambda v: np.sum(np.cumprod(v)))(x)
    wanted = [np.sum(np.cumprod(np.where(np.arange(1000) == i, 1, x))[i:]) for i in range(0, 1000, 50)]
    np.testing.assert_allclose(got[::50], wanted, rtol=1e-12, atol=1e-300)


def test_slope_of_a_quantile_at_an_element_is_that_to_the_right():
    x = np.array([0.0, 1.0, 3.0])
    assert [grad(lambda q: np.quantile(x, q))(q) for q in (0.0, 0.25, 0.5, 0.75, 1.0)] == [2, 2, 4, 4, 0]
    assert grad(lambda q: np.percentile(x, q))(75.0) == 0.04


@pytest.mark.parametrize("method", [*CONTINUOUS, *STEPS])
@pytest.mark.parametrize("f", [np.quantile, np.nanquantile])
def test_every_place_of_a_quantile(f, method):
    """A quantile is a weighted sum of the elements, and its gradient the weights."""
    for n in range(1, 8):
        x = np.random.default_rng(n).uniform(1, 2, n)
        q = np.concatenate([np.linspace(0, 1, 2 * n + 1), np.linspace(0, 1, n), [0.1, 0.3, 0.95]])
        value, moved = make_jvp(lambda v, q=q: f(v, q, method=method))(x)(x)
        np.testing.assert_allclose(moved, value, rtol=1e-12)


@pytest.mark.parametrize("method", ["lower", "midpoint", "inverted_cdf", "averaged_inverted_cdf"])
@pytest.mark.parametrize("f", [np.quantile, np.nanquantile, np.percentile, np.nanpercentile])
def test_steps_have_no_slope_in_q(f, method):
    with pytest.raises(TypeError, match=rf"np\.{f.__name__} with method='{method}' steps.*pass q\.data.*linear"):
        f(np.ones(3), Value(0.5), method=method)
    assert grad(lambda x: f(x, 0.5, method=method))(np.array([2.0])) == 1


def test_closures_over_values_and_their_keywords():
    x, scale = np.arange(6.0).reshape(2, 3) + 1, Value(2.0)

    def cost(v, s):
        return np.sum(np.apply_along_axis(lambda row, power=1: np.sum(row**power) * s, 1, v, power=s))

    np.testing.assert_allclose(grad(cost)(x, 2.0), 4 * x)
    np.testing.assert_allclose(grad(cost, 1)(x + 0 * scale, 2.0).data, np.sum(x**2 + 2 * x**2 * np.log(x)))
    with no_grad():
        y = np.apply_along_axis(lambda row: np.sum(row) * scale, 1, scale * x)
    np.testing.assert_array_equal(y.data, [24, 60])
    with pytest.raises(ValueError, match="any iteration dimensions are 0"):
        np.apply_along_axis(np.sum, 1, Value(np.zeros((0, 3))))
    assert type(np.apply_along_axis(np.argmax, 1, Value(x))) is np.ndarray


def test_apply_over_axes_is_numpys():
    x = np.arange(24.0).reshape(2, 3, 4)
    y = np.apply_over_axes(np.sum, Value(x), -1)
    assert y.shape == (2, 3, 1)
    for f, axes in [(np.sum, [0, -1]), (lambda a, axis: np.max(a, axis=axis, keepdims=True), (1, 2)), (np.cumsum, 0)]:
        np.testing.assert_array_equal(np.apply_over_axes(f, Value(x), axes).data, np.apply_over_axes(f, x, axes))


def test_the_jacobian_of_a_correlation():
    x = np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 1.5]])
    J = jacobian(np.corrcoef)(x)
    np.testing.assert_allclose(np.einsum("iijk->ijk", J), 0, atol=1e-15)
    np.testing.assert_allclose(J[0, 1], J[1, 0], atol=1e-15)
    assert np.abs(J[0, 1]).max() > 0.01
