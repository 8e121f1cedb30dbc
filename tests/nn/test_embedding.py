"""`Embedding`: rows by index, gradients that add up, padding, and every error, also when a program is replayed."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import nn
from autograd import Value, grad, jit
from tests.autograd.compiling.same import EVERY_BACKEND
from tests.nn.gradients import check_layer


@pytest.mark.parametrize("indices", [[2], [[0, 1], [4, 4]], 3, np.zeros((2, 1, 3), np.uint8),
                                     np.array([4, 0], np.int32)])
def test_a_row_for_each_index(indices):
    layer = nn.Embedding(5, 3, rng=0)
    y = layer(indices)
    assert type(y) is Value and y.dtype == np.float32 and y.shape == (*np.shape(indices), 3)
    for place in np.ndindex(*np.shape(indices)):
        np.testing.assert_array_equal(y.data[place], layer.weight.data[np.asarray(indices)[place]])


def test_weights_start_normal_and_those_of_padding_at_0():
    layer, padded = nn.Embedding(500, 40, rng=3), nn.Embedding(500, 40, -2, rng=3)
    weight = layer.weight.data
    assert (layer.weight.name, weight.dtype, weight.shape) == ("weight", np.float32, (500, 40))
    assert abs(weight.mean()) < 0.03 and abs(weight.std() - 1) < 0.03
    assert padded.padding_idx == 498 and not np.any(padded.weight.data[498])
    np.testing.assert_array_equal(np.delete(padded.weight.data, 498, 0), np.delete(weight, 498, 0))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(arrays(np.int64, array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 4)), st.sampled_from([None, 2]))
def test_a_row_that_is_taken_often_gets_the_sum_of_the_gradients(indices, padding):
    layer = nn.Embedding(5, 3, padding, rng=0)
    g = np.random.default_rng(0).standard_normal((*indices.shape, 3)).astype(np.float32)
    layer(indices).backward(g)
    wanted = np.stack([g[indices == i].sum(0) if i != padding else np.zeros(3) for i in range(5)])
    assert layer.weight.grad.dtype == np.float32
    np.testing.assert_allclose(layer.weight.grad, wanted, rtol=1e-5, atol=1e-6)


def test_the_row_of_padding_is_returned_as_it_is():
    layer = nn.Embedding(4, 2, 1, rng=0)
    layer.weight.data[1] = 7
    assert layer([1, 1]).data.tolist() == [[7, 7], [7, 7]]


@pytest.mark.parametrize("padding", [None, 1])
def test_gradients(padding):
    check_layer(lambda dtype: nn.Embedding(4, 2, rng=0, dtype=dtype), (3, 2),
                call=lambda layer, x: np.sin(layer([0, 3, 0])) * x)

    layer = nn.Embedding(4, 2, padding, rng=0)

    def cost(weight):
        layer.weight = weight
        return np.sum(layer([0, 1, 1, 3]) ** 3)

    w = np.arange(8.0).reshape(4, 2)
    wanted = np.array([1.0, 0 if padding else 2, 0, 1])[:, None]
    np.testing.assert_allclose(grad(cost)(w), 3 * w**2 * wanted)
    np.testing.assert_allclose(grad(lambda w: np.sum(grad(cost)(w) ** 2))(w), 36 * w**3 * wanted**2)


ERRORS = [
    ([5], ValueError, "indices must lie in 0 … 4, but one is 5"),
    ([[0, 1], [-1, 9]], ValueError, "indices must lie in 0 … 4, but one is -1"),
    ([-1], ValueError, "indices must lie in 0 … 4, but one is -1"),
    ([0.0, 1.0], TypeError, "indices must be integers, got float64; write indices.astype(int)"),
    (Value([0.0, 1.0]), TypeError, "indices must be integers, got float64"),
    ([True, False], TypeError, "indices must be integers, got bool"),
    (np.zeros((2, 0), int), ValueError, "there are no indices: they have the shape (2, 0)"),
    ([], ValueError, "there are no indices: they have the shape (0,)"),
]


@pytest.mark.parametrize(("indices", "error", "text"), ERRORS)
def test_indices_that_are_wrong(indices, error, text):
    with pytest.raises(error, match=re.escape(f"Embedding(5, 3): {text}")):
        nn.Embedding(5, 3, rng=0)(indices)


@EVERY_BACKEND
def test_an_index_out_of_range_is_an_error_at_each_call_of_a_program(backend):
    layer = nn.Embedding(5, 3, rng=0)
    call = jit(lambda i: layer(i).data * 1, backend=backend)
    np.testing.assert_array_equal(call(np.array([1, 4])), layer([1, 4]).data)
    with pytest.raises(ValueError, match=re.escape("Embedding(5, 3): indices must lie in 0 … 4, but one is 5")):
        call(np.array([5, 1]))
    np.testing.assert_array_equal(call(np.array([0, 0])), layer([0, 0]).data)


@pytest.mark.parametrize(("arguments", "text"), [
    ((0, 2), "Embedding: num_embeddings must be a positive integer, got 0"),
    ((2, -1), "Embedding: embedding_dim must be a positive integer, got -1"),
    ((3, 2, 3), "Embedding: padding_idx must be None or lie in -3 … 2, got 3"),
    ((3, 2, -4), "Embedding: padding_idx must be None or lie in -3 … 2, got -4"),
    ((3, 2, 0.5), "Embedding: padding_idx must be None or lie in -3 … 2, got 0.5"),
])
def test_arguments_that_are_wrong(arguments, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        nn.Embedding(*arguments, rng=0)


def test_rng_and_dtype():
    with pytest.raises(TypeError, match=re.escape("Embedding: rng must be a numpy.random.Generator or an int")):
        nn.Embedding(3, 2, rng=None)
    with pytest.raises(TypeError, match="Embedding: dtype must be one of floats, such as float32, got int64"):
        nn.Embedding(3, 2, rng=0, dtype=int)
