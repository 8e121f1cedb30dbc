"""`TransformerEncoderLayer`: its parts put together by hand, symmetries, dropout, gradients, and every error."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, functions
from tests.nn.gradients import check_layer, numbers

X = numbers(2, 3, 4)
PADDING = np.array([[0, 0, 1], [0, 0, 0]], bool)
CAUSAL = np.triu(np.ones((3, 3), bool), 1)


def encoder(**options):
    options = {"dropout": 0.0, "batch_first": True, "dtype": np.float64} | options
    return nn.TransformerEncoderLayer(4, 2, 6, rng=0, **options)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize(("activation", "function"), [("relu", functions.relu), ("gelu", functions.gelu),
                                                      (np.tanh, np.tanh), (nn.SiLU(), functions.silu)])
@pytest.mark.parametrize("masks", [{}, {"src_mask": CAUSAL, "src_key_padding_mask": PADDING}, {"is_causal": True}])
def test_its_parts(masks, activation, function, norm_first):
    layer = encoder(activation=activation, norm_first=norm_first, layer_norm_eps=0.1)
    mask = CAUSAL if masks else None

    def attended(x):
        return layer.self_attn(x, x, x, masks.get("src_key_padding_mask"), attn_mask=mask)[0]

    def fed(x):
        return layer.linear2(function(layer.linear1(x)))

    if norm_first:
        y = X + attended(layer.norm1(X))
        wanted = y + fed(layer.norm2(y))
    else:
        y = layer.norm1(X + attended(X))
        wanted = layer.norm2(y + fed(y))
    assert layer.norm1.eps == layer.norm2.eps == 0.1
    for x in (X, Value(X), X.tolist()):
        np.testing.assert_allclose(layer(x, **masks).data, wanted.data, rtol=1e-12)


def test_names_and_shapes_of_its_state():
    layer = nn.TransformerEncoderLayer(4, 2, rng=0)
    assert {k: v.shape for k, v in layer.state_dict().items()} == {
        "self_attn.in_proj_weight": (12, 4), "self_attn.in_proj_bias": (12,), "self_attn.out_proj.weight": (4, 4),
        "self_attn.out_proj.bias": (4,), "linear1.weight": (2048, 4), "linear1.bias": (2048,),
        "linear2.weight": (4, 2048), "linear2.bias": (4,), "norm1.weight": (4,), "norm1.bias": (4,),
        "norm2.weight": (4,), "norm2.bias": (4,)}
    assert {p.dtype for p in layer.parameters()} == {np.dtype(np.float32)}
    assert not any("bias" in name for name in encoder(bias=False).state_dict())


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
def test_places_in_another_order_give_the_outputs_in_that_order(seed, order):
    layer, x = encoder(), numbers(2, 3, 4, seed=seed)
    np.testing.assert_allclose(layer(x[:, order]).data, layer(x).data[:, order], rtol=1e-8, atol=1e-10)


def test_other_layouts_and_single_examples():
    layer, other = encoder(), encoder(batch_first=False)
    y = layer(X).data
    np.testing.assert_allclose(other(X.swapaxes(0, 1)).data.swapaxes(0, 1), y, rtol=1e-12)
    np.testing.assert_allclose(layer(X[1]).data, y[1], rtol=1e-12)


def test_dropout_is_at_work_in_training_only():
    layer = encoder(dropout=0.5)
    assert not np.array_equal(layer(X).data, layer(X).data)
    np.testing.assert_array_equal(layer.eval()(X).data, encoder()(X).data)
    assert not np.any(encoder(dropout=1.0, norm_first=True)(X).data - X)  # only the identity is left


def test_gradients():
    check_layer(lambda dtype: nn.TransformerEncoderLayer(2, 1, 2, 0.0, "gelu", 0.1, rng=0, dtype=dtype), (2, 2),
                call=lambda layer, x: layer(x, is_causal=True))


@pytest.mark.parametrize(("arguments", "text"), [
    ((4, 3), "MultiheadAttention: num_heads must divide embed_dim, got 3 heads for 4"),
    ((0, 1), "MultiheadAttention: embed_dim must be a positive integer, got 0"),
    ((4, 2, -1), "Linear: out_features must be a positive integer, got -1"),
    ((4, 2, 6, 1.5), "Dropout: p must be a probability between 0 and 1, got 1.5"),
    ((4, 2, 6, 0.1, "tanh"), "TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function, got 'tanh'"),
    ((4, 2, 6, 0.1, "relu", -1), "LayerNorm: eps must be a finite number of at least 0, got -1"),
])
def test_arguments_that_are_wrong(arguments, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        nn.TransformerEncoderLayer(*arguments, rng=0)
    with pytest.raises(TypeError, match=re.escape("TransformerEncoderLayer: rng must be a numpy.random.Generator")):
        nn.TransformerEncoderLayer(4, 2, rng=None)


@pytest.mark.parametrize(("shape", "masks", "text"), [
    ((2, 3, 5), {}, "TransformerEncoderLayer(4, 2): src must have the shape (N, L, 4) or (L, 4), and not be empty, got "
     "(2, 3, 5)"),
    ((4,), {}, "TransformerEncoderLayer(4, 2): src must have the shape (N, L, 4) or (L, 4), and not be empty, got "
     "(4,)"),
    ((0, 3, 4), {}, "TransformerEncoderLayer(4, 2): src must have the shape (N, L, 4) or (L, 4), and not be empty"),
    ((2, 3, 4), {"src_mask": np.zeros((2, 2), bool)}, "attn_mask must have the shape (3, 3) or (4, 3, 3), got (2, 2)"),
    ((2, 3, 4), {"src_key_padding_mask": np.zeros((3, 2), bool)}, "key_padding_mask must have the shape (2, 3), got "
     "(3, 2)"),
])
def test_inputs_that_do_not_fit(shape, masks, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        encoder()(np.ones(shape), **masks)
