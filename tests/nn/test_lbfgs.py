"""LBFGS: minima, its line search, settings, states, and the text of every error; PyTorch's numbers are in reference."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value
from nn import LBFGS, MLP, Linear, load_checkpoint, mse_loss, save_checkpoint
from nn.lbfgs import Point, interpolated, strong_wolfe


def closure_of(optimizer, cost):
    def closure():
        optimizer.zero_grad()
        value = cost()
        value.backward()
        return value
    return closure


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@pytest.mark.parametrize(("settings", "steps"), [
    ({"line_search_fn": "strong_wolfe", "max_iter": 60}, 1), ({"line_search_fn": "strong_wolfe", "history_size": 3}, 5),
    ({"line_search_fn": "strong_wolfe", "max_iter": 1, "max_eval": 9}, 60), ({"lr": 0.1, "max_iter": 150}, 3),
])
def test_the_minimum_of_rosenbrocks_valley(settings, steps):
    x = Value([-1.0, 1.5])
    optimizer = LBFGS([x], **settings)
    closure = closure_of(optimizer, lambda: rosenbrock(x))
    first = optimizer.step(closure)
    assert first.data == rosenbrock(np.array([-1.0, 1.5]))
    for _ in range(steps - 1):
        optimizer.step(closure)
    np.testing.assert_allclose(x.data, [1, 1], atol=1e-3)
    assert optimizer.steps == steps


@settings(derandomize=True, deadline=None, database=None, max_examples=30)
@given(st.integers(1, 6), st.integers(0, 1000))
def test_a_square_is_solved_in_as_many_moves_as_it_has_axes(n, seed):
    """With exact line searches it is the method of conjugate gradients, here nearly so."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    a, b = a @ a.T + np.eye(n), rng.normal(size=n)
    x = Value(np.zeros(n))
    optimizer = LBFGS([x], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10, tolerance_change=1e-16)
    optimizer.step(closure_of(optimizer, lambda: x @ a @ x / 2 - b @ x))
    np.testing.assert_allclose(x.data, np.linalg.solve(a, b), atol=1e-5)


def test_numbers_matrices_and_parameters_without_a_gradient():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    w, scale, unused = Value(rng.normal(size=(3, 2))), Value(0.5), Value([7.0])
    array = w.data
    optimizer = LBFGS([w, scale, unused], max_iter=100, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, lambda: mse_loss(x @ w * scale, y)))
    assert w.data is array and type(scale.data) is float and unused.data[0] == 7.0
    np.testing.assert_allclose(w.data * scale.data, np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-4)


def test_float32_stays_float32():
    model = MLP([2, 3, 1], rng=0)
    optimizer = LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    x = np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)
    optimizer.step(closure_of(optimizer, lambda: mse_loss(model(x), x[:, :1])))
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert {b.dtype for (b,) in optimizer.buffers.values()} == {np.dtype(np.float32)}


def test_it_ends_where_nothing_is_to_be_gained():
    x, calls = Value([1.0, 2.0]), []

    def evaluations(cost, **settings):
        calls.clear()
        optimizer = LBFGS([x], **settings)

        def closure():
            calls.append(1)
            return closure_of(optimizer, cost)()

        optimizer.step(closure)
        return len(calls)

    assert evaluations(lambda: (x * 1e-9).sum()) == 1  # no gradient above tolerance_grad
    assert evaluations(lambda: (x**4).sum(), max_iter=3) == 3
    x.data[:] = [1.0, 2.0]
    assert evaluations(lambda: (x**4).sum(), max_iter=100, max_eval=7) == 7
    x.data[:] = [1.0, 2.0]
    assert evaluations(lambda: (x**4).sum(), max_iter=100, max_eval=7, line_search_fn="strong_wolfe") == 7


# The line search

@pytest.mark.parametrize(("f", "slope"), [
    (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
    (lambda t: math.cosh(t - 0.01), lambda t: math.sinh(t - 0.01)),
    (lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4, lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3),
])
@pytest.mark.parametrize("length", [1e-3, 0.1, 1.0, 10.0, 100.0])
def test_the_point_that_is_found_is_low_and_flat(f, slope, length):
    """Wolfe's conditions, on curves of Moré and Thuente (1994) among others, from lengths too short and too long."""
    def at(t):
        return Point(t, f(t), np.array([slope(t)]), slope(t))

    start = at(0.0)
    found, tried = strong_wolfe(at, start, length, 1e-9, 60)
    assert found.cost <= start.cost + 1e-4 * found.length * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope) and tried <= 60


# Waves a cos(c t + h) + b cos(p t) - d t, a first length, and the lengths that PyTorch's search tries on them
@pytest.mark.parametrize(("wave", "length", "wanted"), [
    ((1.1, 2.8, 0.8, 0.33, 0.039, 0.094), 1.0, [1.0, 7.580515731733247, 41.72573910319153, 11.104963960122461]),
    ((0.9, 2.9, 2.9, 1.41, 0.068, 0.093), 1.0,
     [1.0, 1.3884721221195162, 1.6286472050941634, 8.95876050343277, 2.008700215544714, 2.7037062443335196]),
    ((1.1, 0.2, 1.6, 0.75, 0.177, 0.034), 10.0, [10.0, 9.093292099672894, 9.90932920996729]),
    ((2.5, 0.0, 2.2, 0.0, 0.002, 0.035), 10.0, [10.0, 9.286883631951648, 9.928688363195164, 9.980245875090564]),
])
def test_the_lengths_that_a_search_tries(wave, length, wanted):
    a, b, c, p, d, h = wave
    tried = []

    def at(t):
        tried.append(t)
        slope = -a * c * math.sin(c * t + h) - b * p * math.sin(p * t) - d
        return Point(t, a * math.cos(c * t + h) + b * math.cos(p * t) - d * t, np.array([slope]), slope)

    start = at(0.0)
    found, count = strong_wolfe(at, start, length, 1e-9, 25)
    np.testing.assert_allclose(tried, [0.0, *wanted], rtol=1e-9)
    assert found.length == tried[-1] and count == len(wanted)


@given(*[st.floats(-10, 10)] * 6, st.floats(-10, 10), st.floats(0, 10))
@settings(derandomize=True, deadline=None, database=None, max_examples=100)
def test_an_interpolation_stays_in_its_bounds(a, f, g, b, h, k, least, width):
    p, q = Point(a, f, np.zeros(1), g), Point(b, h, np.zeros(1), k)
    assert least <= interpolated(p, q, least, least + width) <= least + width
    assert interpolated(p, q, least, least + width) == interpolated(q, p, least, least + width)


def test_an_interpolation_finds_the_minimum_of_a_cubic():
    p, q = (Point(t, t**3 - 3 * t, np.zeros(1), 3 * t * t - 3) for t in (0.0, 3.0))
    assert interpolated(p, q, 0.0, 3.0) == pytest.approx(1.0)
    assert interpolated(p, p._replace(cost=math.nan), 0.0, 3.0) == 1.5
    assert interpolated(p, q._replace(cost=math.inf), 0.0, 3.0) == 1.5


# States

@pytest.mark.parametrize("options", [{}, {"line_search_fn": "strong_wolfe"}, {"history_size": 2, "lr": 0.5}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_checkpoint_goes_on_bit_for_bit(options, dtype, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 2)).astype(dtype), rng.normal(size=(10, 1)).astype(dtype)

    def parts():
        model = MLP([2, 3, 1], rng=0, dtype=dtype)
        return {"model": model, "optimizer": LBFGS(model.parameters(), max_iter=3, **options)}

    def run(model, optimizer, steps):
        for _ in range(steps):
            optimizer.step(closure_of(optimizer, lambda: mse_loss(model(x), y)))

    whole, first, second = parts(), parts(), parts()
    run(**whole, steps=5)
    run(**first, steps=3)
    save_checkpoint(tmp_path / "last", **first)
    load_checkpoint(tmp_path / "last", **second)
    run(**second, steps=2)
    for k, array in whole["model"].state_dict().items():
        np.testing.assert_array_equal(second["model"].state_dict()[k], array, strict=True)


@pytest.mark.parametrize(("make", "text"), [
    (lambda m: LBFGS(m.parameters(), history_size=3), "LBFGS: the state was made with history_size=100, not 3"),
    (lambda m: LBFGS(list(m.parameters())[:1]), "LBFGS: direction.0 has shape (3,) in the state, expected (2,)"),
])
def test_a_state_that_does_not_fit_is_refused(make, text):
    model = Linear(2, 1, rng=0)
    with pytest.raises(ValueError, match=re.escape(text)):
        make(model).load_state_dict(LBFGS(model.parameters()).state_dict())
    state = LBFGS(model.parameters()).state_dict()
    del state["moves"]
    with pytest.raises(ValueError, match="LBFGS: the state does not fit: missing \\['moves'\\]"):
        LBFGS(model.parameters()).load_state_dict(state)


# Errors

V = Value([1.0])


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: LBFGS([V], lr=-1), ValueError, "LBFGS: lr must be a finite number of at least 0, got -1"),
    (lambda: LBFGS([V], max_iter=0), ValueError, "LBFGS: max_iter must be a positive integer, got 0"),
    (lambda: LBFGS([V], max_eval=0.5), ValueError, "LBFGS: max_eval must be a positive integer, got 0.5"),
    (lambda: LBFGS([V], history_size=0), ValueError, "LBFGS: history_size must be a positive integer, got 0"),
    (lambda: LBFGS([V], tolerance_grad=-1), ValueError, "LBFGS: tolerance_grad must be a finite number of at least 0"),
    (lambda: LBFGS([V], line_search_fn="armijo"), ValueError,
     "LBFGS: line_search_fn must be None or 'strong_wolfe', got 'armijo'"),
    (lambda: LBFGS([V]).step(), TypeError, "LBFGS: step takes a function that zeroes the gradients, computes the "
                                               "cost, calls backward() and returns the cost, got None"),
    (lambda: LBFGS([V]).step(lambda: None), TypeError, "LBFGS: the closure must return the cost, got None"),
    (lambda: LBFGS([V]).step(lambda: V.data * [1, 2]), TypeError, "LBFGS: the closure must return the cost, got array"),
    (lambda: LBFGS([Value(1.0)]).step(lambda: 1.0), ValueError, "LBFGS: no parameter has a gradient; the closure must "
                                                                "call cost.backward(), on a cost computed from these"),
])
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()


def test_a_cost_that_is_not_finite_is_an_error_and_moves_nothing():
    v = Value([1.0])
    optimizer = LBFGS([v])
    with pytest.raises(FloatingPointError, match="LBFGS: the cost is nan at step 1"):
        optimizer.step(closure_of(optimizer, lambda: (v * math.nan).sum()))
    assert v.data == 1.0 and optimizer.steps == 0


@pytest.mark.parametrize("options", [{}, {"line_search_fn": "strong_wolfe"}])
def test_an_error_after_some_moves_takes_them_back_and_starts_anew(options):
    v, w, calls, last = Value([3.0, -2.0]), Value(0.5), [], [4]
    optimizer = LBFGS([v, w], **options)

    def cost():
        calls.append(1)
        if len(calls) == last[0]:
            raise FloatingPointError("too far")
        return (np.cosh(v) * np.array([1.0, 4.0])).sum() + np.cosh(w)

    optimizer.lr = 0.1
    with pytest.raises(FloatingPointError, match="too far"):
        optimizer.step(closure_of(optimizer, cost))
    assert v.data.tolist() == [3, -2] and w.data == 0.5 and optimizer.steps == 0
    fresh = LBFGS([Value([3.0, -2.0]), Value(0.5)], 0.1, **options)
    x, y = fresh.parameters
    fresh.step(closure_of(fresh, lambda: (np.cosh(x) * np.array([1.0, 4.0])).sum() + np.cosh(y)))
    optimizer.step(closure_of(optimizer, cost))
    assert v.data.tolist() == x.data.tolist() and w.data == y.data


def test_an_error_in_a_search_leaves_the_parameters_where_they_were():
    v, calls = Value([1.0]), []
    optimizer = LBFGS([v], line_search_fn="strong_wolfe")

    def cost():
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("no more")
        return (v**2).sum()

    with pytest.raises(RuntimeError, match="no more"):
        optimizer.step(closure_of(optimizer, cost))
    assert v.data == 1.0
