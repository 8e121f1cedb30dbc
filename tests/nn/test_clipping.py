"""Gradient clipping: by norm and by value, what has no finite norm, dtypes, and the text of every error."""

import math

import numpy as np
import pytest

from autograd import Value
from nn import clip_grad_norm, clip_grad_value


def with_gradients(*gradients):
    parameters = [Value(np.zeros_like(g) if np.ndim(g) else type(g)(0)) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    return parameters


@pytest.mark.parametrize("number", [float, np.float32, np.float64])
def test_clip_grad_norm_scales_all_together(number):
    gradients = [np.array([3.0, 0.0], np.float32), np.array([[4.0]]), 12.0, np.float32(84.0)]
    parameters = [*with_gradients(*gradients), Value([1.0])]
    norm = clip_grad_norm(iter(parameters), number(8.5))
    assert type(norm) is float and norm == 85.0
    assert parameters[4].grad is None
    for p, g in zip(parameters, gradients, strict=False):
        np.testing.assert_allclose(p.grad, 0.1 * g, rtol=1e-6)
        assert np.result_type(p.grad) == np.result_type(g) and np.shape(p.grad) == np.shape(g)
    assert type(parameters[2].grad) is float and type(parameters[3].grad) is np.float32
    np.testing.assert_array_equal(gradients[0], [3.0, 0.0])  # others may hold the array


@pytest.mark.parametrize("largest", [5.0, 5.1, 1e9])
def test_clip_grad_norm_leaves_a_small_norm_alone(largest):
    parameters = with_gradients(g := np.array([3.0, 4.0]))
    assert clip_grad_norm(parameters, largest) == 5.0
    assert parameters[0].grad is g and g.tolist() == [3.0, 4.0]


def test_clip_grad_norm_to_nothing_and_of_nothing():
    parameters = with_gradients(np.array([3.0, 4.0]))
    clip_grad_norm(parameters, 0)
    assert parameters[0].grad.tolist() == [0.0, 0.0]
    assert clip_grad_norm([Value([1.0])], 1.0) == 0.0


def test_clip_grad_norm_does_not_overflow_in_float32():
    parameters = with_gradients(np.array([3e30, 4e30], np.float32))
    assert clip_grad_norm(parameters, 1.0) == pytest.approx(5e30)
    np.testing.assert_allclose(parameters[0].grad, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_clip_grad_norm_refuses_what_is_not_finite(bad):
    gradients = [np.array([3.0, 4.0]), np.array([bad])]
    parameters = with_gradients(*gradients)
    with pytest.raises(FloatingPointError, match=r"clip_grad_norm: the gradient's norm is (nan|inf)"):
        clip_grad_norm(parameters, 1.0)
    assert parameters[0].grad is gradients[0] and gradients[0].tolist() == [3.0, 4.0]


@pytest.mark.parametrize("number", [float, np.float32, np.float64])
def test_clip_grad_value(number):
    gradients = [np.array([0.5, -4.0, math.nan], np.float32), np.array([[math.inf, -0.25]]), -7.0, np.float32(2.0)]
    wanted = [[0.5, -1.5, math.nan], [[1.5, -0.25]], -1.5, 1.5]
    parameters = [*with_gradients(*gradients), Value([1.0])]
    assert clip_grad_value(iter(parameters), number(1.5)) is None
    for p, g, w in zip(parameters, gradients, wanted, strict=False):
        np.testing.assert_array_equal(p.grad, w)
        assert np.result_type(p.grad) == np.result_type(g)
    assert type(parameters[2].grad) is float and parameters[4].grad is None


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_grad_value])
def test_clipping_says_what_is_wrong(clip):
    text = f"{clip.__name__}: max_{clip.__name__.rpartition('_')[2]} must be a finite number of at least 0, got "
    for most in (-1.0, math.nan, "1"):
        with pytest.raises(ValueError, match=text):
            clip([Value([1.0])], most)
    w = Value([3.0, 4.0])
    w.grad = np.array([3.0, 4.0])
    with pytest.raises(TypeError, match=clip.__name__):  # not the rows of w, which have no gradients
        clip(w, 1.0)
