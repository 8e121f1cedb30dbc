"""`Dropout`: what it drops, its expectation, its draws with and without jit, and every error."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, gradcheck, jit
from tests.autograd.compiling.same import EVERY_BACKEND
from tests.nn.gradients import numbers


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.floats(0, 0.95), st.integers(0, 2**32 - 1))
def test_numbers_are_dropped_or_scaled_so_that_the_expectation_stays(p, seed):
    x = np.ones((100, 50))
    y = nn.Dropout(p, rng=seed)(x)
    dropped = np.mean(y == 0)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-15)
    deviation = np.sqrt(p * (1 - p) / x.size)
    assert abs(dropped - p) <= 5 * deviation
    assert abs(y.mean() - 1) <= 5 * deviation / (1 - p) + 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_is_dropped_where_the_number_is(dtype):
    x = Value(numbers(20, 5, dtype=dtype))
    y = nn.Dropout(0.4, rng=3)(x)
    y.backward(np.ones_like(y.data))
    assert y.dtype == x.grad.dtype == dtype
    np.testing.assert_allclose(x.grad, np.where(y.data != 0, 1 / 0.6, 0), rtol=1e-6)
    np.testing.assert_allclose(y.data, x.data * x.grad, rtol=1e-6)


def test_in_evaluation_and_at_0_the_input_itself_comes_back_and_at_1_zeros():
    x = Value(numbers(3, 4))
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    assert nn.Dropout(0.5, rng=rng).eval()(x) is x
    assert nn.Dropout(0.0, rng=rng)(x) is x
    assert rng.bit_generator.state == before
    y = nn.Dropout(1, rng=rng)(x)
    assert not np.any(y.data)
    y.backward(np.ones((3, 4)))
    assert not np.any(x.grad)
    assert nn.Dropout(rng=0).p == 0.5
    assert repr(nn.Dropout(0.25, rng=0)) == "Dropout(p=0.25)"


def test_an_infinite_number_that_is_dropped_leaves_no_nan():
    y = nn.Dropout(0.5, rng=0)(np.full(20, np.inf))
    assert set(y.tolist()) == {0.0, np.inf}


def test_draws_come_from_the_generator_one_after_the_other():
    rng = np.random.default_rng(8)
    layer, x = nn.Dropout(0.5, rng=rng), np.ones(1000)
    first, second = layer(x), layer(x)
    assert np.mean(first == second) < 0.6
    again = nn.Dropout(0.5, rng=8)
    np.testing.assert_array_equal(again(x), first)
    np.testing.assert_array_equal(again(x), second)
    shared = np.random.default_rng(8)
    np.testing.assert_array_equal(nn.Dropout(0.5, rng=shared)(x), first)
    np.testing.assert_array_equal(nn.Dropout(0.5, rng=shared)(x), second)


@EVERY_BACKEND
def test_jitted_each_call_draws_anew_from_the_same_stream(backend):
    inside, outside = nn.Dropout(0.5, rng=8), nn.Dropout(0.5, rng=8)
    call, x = jit(lambda x: inside(x) * 2, backend=backend), numbers(30, 4, dtype=np.float32)
    for mode in (True, True, False, True, True):
        inside.train(mode)
        outside.train(mode)
        np.testing.assert_array_equal(call(x), outside(x) * 2)
        assert inside.rng.bit_generator.state == outside.rng.bit_generator.state


def test_gradcheck_sees_that_it_is_not_deterministic_and_is_content_in_evaluation():
    layer = nn.Dropout(0.5, rng=0)
    assert set(gradcheck(layer, numbers(4, 5)).verdicts.values()) == {"not deterministic"}
    gradcheck(layer.eval(), numbers(4, 5), order=2).raise_if_wrong()

    def fixed(x):
        return nn.Dropout(0.5, rng=0)(np.sin(x))

    for dtype in (np.float32, np.float64):
        gradcheck(fixed, numbers(4, 5, dtype=dtype), order=2).raise_if_wrong()


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan, None, "0.5"])
def test_a_probability_is_wanted(p):
    with pytest.raises(ValueError, match=re.escape(f"Dropout: p must be a probability between 0 and 1, got {p!r}")):
        nn.Dropout(p, rng=0)


def test_a_generator_must_be_given():
    with pytest.raises(TypeError, match="rng"):
        nn.Dropout(0.5)
    with pytest.raises(TypeError, match=re.escape("Dropout: rng must be a numpy.random.Generator or an int")):
        nn.Dropout(0.5, rng=None)
