"""The distances to kinks: the slopes of each function are the same up to there, and others behind."""

import numpy as np
import pytest

from autograd import Value, grad
from autograd.checking.kinks import KINKS, kink_distance
from autograd.functions import elu, hardtanh, leaky_relu, max_pool, relu
from autograd.registry import RULES, name_of

RNG = np.random.default_rng(0)
VECTOR, MATRIX = np.array([1.3, -0.4, 0.9, 2.2, -1.7]), RNG.normal(size=(3, 4))
OTHER = RNG.normal(size=5)

# Piecewise linear functions, so that the slopes change at kinks only; the function, its other arguments and keywords
LINEAR = [
    (relu, (), {}), (leaky_relu, (), {}), (np.absolute, (), {}), (np.fabs, (), {}),
    (np.maximum, (OTHER,), {}), (np.minimum, (OTHER,), {}), (np.fmax, (OTHER,), {}), (np.fmin, (OTHER,), {}),
    (np.max, (), {}), (np.amax, (), {}), (np.nanmax, (), {}), (np.min, (), {}), (np.amin, (), {}), (np.nanmin, (), {}),
    (np.maximum.reduce, (), {}), (np.minimum.reduce, (), {}),
    (np.sort, (), {}), (np.partition, (2,), {}), (np.median, (), {}), (np.nanmedian, (), {}), (np.ptp, (), {}),
    (np.unique, (), {}), (np.unique_values, (), {}),
    (np.quantile, (0.3,), {}), (np.percentile, (30.0,), {}), (np.nanquantile, (0.6,), {}),
    (np.nanpercentile, (60.0,), {}),
    (np.maximum.accumulate, (), {}), (np.minimum.accumulate, (), {}),
    (hardtanh, (), {}), (hardtanh, (-0.5, 1.0), {}),
    (np.clip, (-0.5, 1.0), {}), (np.clip, (), {"min": -0.5, "max": None}), (np._core.umath.clip, (-0.5, 1.0), {}),
    (np.copysign, (OTHER,), {}), (np.interp, ([-2.0, 0.0, 1.0, 3.0], [0.0, 1.0, -1.0, 2.0]), {}),
    (np.linalg.norm, (1,), {}), (np.linalg.norm, (np.inf,), {}), (np.linalg.vector_norm, (), {"ord": 1}),
]
# The others, each with a point where its distance is 0 in every element, and one where it is known
PAIRS = (1, 2), (1, 2), ((0, 0), (0, 0)), (1, 1)
OTHERS = [
    (np.sign, (0.0,), (-0.25,), 0.25), (elu, (0.0,), (-0.25,), 0.25), (np.heaviside, (0.0, 0.5), (0.25, 0.25), 0.25),
    (np.remainder, (4.0, 2.0), (4.5, 2.0), 0.5), (np.fmod, (4.0, 2.0), (3.5, 2.0), 0.5),
    (np.divmod, (4.0, 2.0), (4.5, 2.0), 0.5), (np.modf, (3.0,), (3.25,), 0.25),
    (np.hypot, (0.0, 0.0), (3.0, 4.0), 5.0), (np.arctan2, (0.0, -1.0), (0.5, -1.0), 0.5),
    (np.std, ([2.0, 2.0],), ([1.0, -1.0],), np.sqrt(2)), (np.nanstd, ([2.0, 2.0],), ([1.0, -1.0],), np.sqrt(2)),
    (np.linalg.eigvalsh, (np.eye(2),), (np.diag([1.0, 2.0]),), 0.5),
    (np.linalg.eigh, (np.eye(2),), (np.diag([1.0, 2.0]),), 0.5),
    (np.linalg.svdvals, (np.eye(2),), (np.diag([1.0, 5.0]),), 1.0),
    (np.linalg.svd, (np.eye(2),), (np.diag([1.0, 5.0]),), 1.0),
    (max_pool, (np.zeros((1, 2, 3, 2)), *PAIRS), (np.array([[[[1.0, 3.5], [-2.5, -5.0]]]]), *PAIRS), 2.5),
]


def recorded(f, *args, **kwargs):
    """The node of a call, with a Value for its first argument."""
    y = f(Value(args[0]), *args[1:], **kwargs)
    while type(y) is not Value:
        y = y[0]
    return y if y.op == f else y.parents[0]


def test_every_function_of_the_table_has_a_row():
    assert set(KINKS) == {row[0] for row in (*LINEAR, *OTHERS)}
    assert all(f in RULES or "reduce" in f.__name__ for f in KINKS)  # the methods of ufuncs get theirs when first used


@pytest.mark.parametrize(("f", "args", "kwargs"), LINEAR, ids=[name_of(row[0]) for row in LINEAR])
@pytest.mark.parametrize("turn", range(3))
def test_slopes_change_at_the_distance_and_not_before(f, args, kwargs, turn):
    x = np.roll(VECTOR, turn) * (1 + 0.1 * turn)
    weights = np.random.default_rng(turn).uniform(1, 2, 5)
    node = recorded(f, x, *args, **kwargs)
    distance = kink_distance(node)
    assert distance.shape == x.shape

    def slopes(k, t):
        return grad(lambda v: np.sum(f(v, *args, **kwargs) * weights[:np.size(node.data)].reshape(node.shape)))(
            x + t * np.eye(5)[k])

    here, crossed = slopes(0, 0.0), []
    for k, d in enumerate(distance):
        if not np.isfinite(d):
            continue
        for side in (-1, 1):
            np.testing.assert_array_equal(slopes(k, side * 0.99 * d), here)
        crossed.append(any(not np.array_equal(slopes(k, side * 1.01 * d), here) for side in (-1, 1)))
    assert any(crossed)  # of a median, two others may change places with no effect


@pytest.mark.parametrize(("f", "kink", "args", "distance"), OTHERS, ids=[name_of(row[0]) for row in OTHERS])
def test_known_distances(f, kink, args, distance):
    assert np.all(kink_distance(recorded(f, *kink)) == 0)
    np.testing.assert_allclose(kink_distance(recorded(f, *args)), distance, rtol=1e-15)


@pytest.mark.parametrize(("f", "axis"), [(np.max, 0), (np.min, 1), (np.sort, 0), (np.median, 1), (np.ptp, 0), (
    np.maximum.accumulate, 1), (np.linalg.norm, 0), (np.std, 1)])
def test_along_an_axis_each_row_counts_by_itself(f, axis):
    keyword = {"ord": np.inf} if f is np.linalg.norm else {}
    whole = kink_distance(recorded(f, MATRIX, axis=axis, **keyword))
    assert whole.shape == MATRIX.shape
    for i in range(MATRIX.shape[1 - axis]):
        row = np.take(MATRIX, i, 1 - axis)
        np.testing.assert_allclose(np.take(whole, i, 1 - axis), kink_distance(recorded(f, row, **keyword)))


def test_of_windows_that_overlap_the_nearest_counts():
    x = np.array([[[1.0, 1.25, 3.0, 2.5, 9.0]]])
    distance = kink_distance(recorded(max_pool, x, (2,), (2,), ((1, 1),), (1,)))  # 1 | 1.25 3 | 2.5 9
    np.testing.assert_array_equal(distance, [[[np.inf, 1.75, 1.75, 6.5, 6.5]]])
    distance = kink_distance(recorded(max_pool, x, (3,), (1,), ((0, 0),), (1,)))
    np.testing.assert_array_equal(distance, [[[2.0, 1.75, 0.5, 0.5, 6.0]]])


def test_the_norm_of_a_matrix_is_a_kink_at_0_only():
    assert np.all(kink_distance(recorded(np.linalg.norm, np.zeros((2, 2)))) == 0)
    assert np.all(kink_distance(recorded(np.linalg.norm, MATRIX)) > 1)


def test_a_smooth_operation_has_no_distance():
    assert kink_distance(recorded(np.exp, VECTOR)) is None
    assert kink_distance(Value(1.0)) is None
