"""`MultiheadAttention`: against loops over heads and queries, masks, symmetries, gradients, and every error."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value
from tests.nn.gradients import check_layer, numbers

QUICKLY = settings(max_examples=20, deadline=None, derandomize=True, database=None)
SEEDS = st.integers(0, 2**32 - 1)


def attention(heads=2, **options):
    """A layer of 4 numbers whose biases are not 0."""
    layer = nn.MultiheadAttention(4, heads, batch_first=True, rng=1, dtype=np.float64, **options)
    for p in layer.parameters():
        p.data += 0.3 * numbers(*p.shape, seed=9)
    return layer


def by_hand(layer, query, key, value, allowed, added=0.0):
    """One example: for every head and query a softmax over the keys that it may look at."""
    e, heads = layer.embed_dim, layer.num_heads
    d = e // heads
    weights = (np.split(layer.in_proj_weight.data, 3) if hasattr(layer, "in_proj_weight") else
               [p.data for p in (layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight)])
    biases = np.split(layer.in_proj_bias.data, 3) if layer.in_proj_bias is not None else [0, 0, 0]
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), weights, biases, strict=True))
    out, looks = np.zeros((len(q), e)), np.zeros((heads, len(q), len(k)))
    for h in range(heads):
        part = slice(h * d, (h + 1) * d)
        for i in range(len(q)):
            e_ = [math.exp(q[i, part] @ k[j, part] / math.sqrt(d) + np.broadcast_to(added, (len(q), len(k)))[i, j])
                  if allowed[i, j] else 0.0 for j in range(len(k))]
            looks[h, i] = np.array(e_) / (sum(e_) or 1)
            out[i, part] = looks[h, i] @ v[:, part]
    bias = layer.out_proj.bias.data if layer.out_proj.bias is not None else 0
    return out @ layer.out_proj.weight.data.T + bias, looks


QUERY, KEY, VALUE = numbers(2, 3, 4), numbers(2, 5, 4, seed=1), numbers(2, 5, 4, seed=2)
PADDING = np.array([[0, 0, 0, 0, 1], [1, 0, 1, 0, 0]], bool)
MASK = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [1, 1, 0, 1, 1]], bool)
ADDED = numbers(3, 5, seed=3)
CAUSAL = np.triu(np.ones((3, 5), bool), 1)
ALL = np.ones((3, 5), bool)

# (options of the call, which keys each query of each example may look at, what is added to the scores)
CALLS = {
    "plain": ({}, [ALL, ALL], 0),
    "padding": ({"key_padding_mask": PADDING}, [ALL & ~p for p in PADDING], 0),
    "padding added": ({"key_padding_mask": np.where(PADDING, -np.inf, 0.0)}, [ALL & ~p for p in PADDING], 0),
    "mask": ({"attn_mask": MASK}, [~MASK, ~MASK], 0),
    "mask as a list": ({"attn_mask": MASK.tolist()}, [~MASK, ~MASK], 0),
    "mask added": ({"attn_mask": ADDED}, [ALL, ALL], ADDED),
    "mask and padding": ({"attn_mask": CAUSAL, "key_padding_mask": PADDING[[0, 0]]}, [~CAUSAL & ~PADDING[0]] * 2, 0),
    "causal": ({"is_causal": True}, [~CAUSAL, ~CAUSAL], 0),
    "causal and its mask": ({"is_causal": True, "attn_mask": CAUSAL}, [~CAUSAL, ~CAUSAL], 0),
    "causal and added": ({"is_causal": True, "attn_mask": ADDED.astype(np.float32)}, [~CAUSAL, ~CAUSAL],
                         ADDED.astype(np.float32)),
    "a query that may look at nothing": ({"is_causal": True, "key_padding_mask": PADDING},
                                         [~CAUSAL & ~p for p in PADDING], 0),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("options", [{"heads": 2}, {"heads": 1, "bias": False}, {"heads": 4, "dropout": 0.0}])
def test_each_head_of_each_example(call, options):
    layer = attention(**options)
    given, allowed, added = CALLS[call]
    y, weights = layer(QUERY, KEY, VALUE, average_attn_weights=False, **given)
    assert type(y) is Value and y.shape == (2, 3, 4) and weights.shape == (2, layer.num_heads, 3, 5)
    for n in range(2):
        out, looks = by_hand(layer, QUERY[n], KEY[n], VALUE[n], allowed[n], added)
        np.testing.assert_allclose(weights.data[n], looks, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(y.data[n], out, rtol=1e-10, atol=1e-12)
    again, mean = layer(QUERY, KEY, VALUE, **given)
    np.testing.assert_array_equal(again.data, y.data)
    np.testing.assert_allclose(mean.data, weights.data.mean(1), rtol=1e-14)
    none = layer(QUERY, KEY, VALUE, need_weights=False, **given)
    np.testing.assert_array_equal(none[0].data, y.data)
    assert none[1] is None


def test_other_layouts_and_single_examples():
    layer = attention()
    y, weights = layer(QUERY, KEY, VALUE, PADDING)
    for n in range(2):
        one, looks = layer(QUERY[n].tolist(), KEY[n], Value(VALUE[n]), PADDING[n])
        np.testing.assert_allclose(one.data, y.data[n], rtol=1e-12)
        np.testing.assert_allclose(looks.data, weights.data[n], rtol=1e-12)
    layer.batch_first = False
    other, looks = layer(*(np.swapaxes(x, 0, 1) for x in (QUERY, KEY, VALUE)), PADDING)
    np.testing.assert_array_equal(np.swapaxes(other.data, 0, 1), y.data)
    np.testing.assert_array_equal(looks.data, weights.data)


def test_a_mask_for_each_example_and_head():
    layer, mask = attention(), numbers(4, 3, 5) > 0.8
    _, weights = layer(QUERY, KEY, VALUE, attn_mask=mask, average_attn_weights=False)
    np.testing.assert_array_equal(weights.data == 0, mask.reshape(2, 2, 3, 5))


def test_keys_and_values_of_other_sizes():
    layer = attention(kdim=3, vdim=2)
    shapes = {"q_proj_weight": (4, 4), "k_proj_weight": (4, 3), "v_proj_weight": (4, 2), "in_proj_bias": (12,),
              "out_proj.weight": (4, 4), "out_proj.bias": (4,)}
    assert {k: v.shape for k, v in layer.state_dict().items()} == shapes
    key, value = numbers(2, 5, 3), numbers(2, 5, 2)
    y, _ = layer(QUERY, key, value)
    np.testing.assert_allclose(y.data[0], by_hand(layer, QUERY[0], key[0], value[0], ALL)[0], rtol=1e-10)


def test_initial_values():
    layer = nn.MultiheadAttention(64, 4, rng=0)
    shapes = {"in_proj_weight": (192, 64), "in_proj_bias": (192,), "out_proj.weight": (64, 64), "out_proj.bias": (64,)}
    assert {k: v.shape for k, v in layer.state_dict().items()} == shapes
    for w, bound in ((layer.in_proj_weight, math.sqrt(6 / 256)), (layer.out_proj.weight, 1 / 8)):
        assert w.dtype == np.float32 and 0.99 * bound < np.abs(w.data).max() <= bound * (1 + 1e-6)
    assert not np.any(layer.in_proj_bias.data) and not np.any(layer.out_proj.bias.data)
    assert list(nn.MultiheadAttention(4, 2, bias=False, rng=0).state_dict()) == ["in_proj_weight", "out_proj.weight"]


# What masks do


@QUICKLY
@given(SEEDS, st.integers(1, 5))
def test_to_leave_keys_out_is_to_not_have_them(seed, kept):
    layer, x = attention(), numbers(1, 6, 4, seed=seed)
    padding = np.arange(6)[None] >= kept
    np.testing.assert_allclose(layer(x, x, x, padding)[0].data, layer(x, x[:, :kept], x[:, :kept])[0].data, rtol=1e-9)
    causal = layer(x, x, x, is_causal=True)[0].data
    np.testing.assert_allclose(causal[:, :kept], layer(*[x[:, :kept]] * 3, is_causal=True)[0].data, rtol=1e-9)


@QUICKLY
@given(SEEDS, st.permutations(range(5)))
def test_queries_in_another_order_give_the_outputs_in_that_order_and_keys_may_have_any(seed, order):
    layer, x = attention(), numbers(2, 5, 4, seed=seed)
    y = layer(x, x, x)[0].data
    np.testing.assert_allclose(layer(*[x[:, order]] * 3)[0].data, y[:, order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(layer(x, x[:, order], x[:, order])[0].data, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("options", [{"key_padding_mask": np.ones((2, 5), bool)},
                                     {"attn_mask": np.full((3, 5), -np.inf)}])
def test_a_query_that_may_look_at_nothing_passes_no_gradient_on(options):
    layer = attention()
    inputs = [Value(x) for x in (QUERY, KEY, VALUE)]
    y, weights = layer(*inputs, **options)
    assert not np.any(weights.data)
    np.testing.assert_array_equal(y.data, np.broadcast_to(layer.out_proj.bias.data, (2, 3, 4)))
    np.sum(np.sin(y)).backward()
    for v in (*inputs, layer.in_proj_weight, layer.in_proj_bias):
        assert not np.any(v.grad) and np.all(np.isfinite(v.grad))


def test_a_mask_can_be_learned():
    mask = Value(np.where(CAUSAL, -np.inf, ADDED))
    np.sum(np.sin(attention()(QUERY, KEY, VALUE, attn_mask=mask)[0])).backward()
    assert np.all(mask.grad[CAUSAL] == 0) and np.all(mask.grad[~CAUSAL][1:] != 0)


def test_dropout_drops_weights_in_training_only():
    layer = attention(dropout=0.5)
    _, weights = layer(QUERY, KEY, VALUE, average_attn_weights=False)
    _, whole = layer.eval()(QUERY, KEY, VALUE, average_attn_weights=False)
    assert 0.2 < np.mean(weights.data == 0) < 0.8
    kept = weights.data != 0
    np.testing.assert_allclose(weights.data[kept], 2 * whole.data[kept], rtol=1e-12)
    np.testing.assert_allclose(whole.data.sum(-1), 1, rtol=1e-12)


@pytest.mark.parametrize(("batch", "options"), [
    (2, {}), (1, {"is_causal": True, "key_padding_mask": PADDING[1:, :3]}),
    (1, {"attn_mask": np.where(CAUSAL[:2, :3], -np.inf, ADDED[:2, :3])})])
def test_gradients(batch, options):
    shapes = [(batch, n, 2) for n in (2, 3, 3)]
    check_layer(lambda dtype: nn.MultiheadAttention(2, 2, batch_first=True, rng=0, dtype=dtype), *shapes,
                call=lambda layer, *x: layer(*x, **options))


def test_gradients_with_keys_and_values_of_other_sizes():
    check_layer(lambda dtype: nn.MultiheadAttention(4, 2, bias=False, kdim=2, vdim=3, rng=0, dtype=dtype), (2, 4),
                (3, 2), (3, 3))


def test_single_precision_stays():
    layer = nn.MultiheadAttention(4, 2, rng=0)
    x = Value(numbers(3, 2, 4, dtype=np.float32))
    for options in ({}, {"is_causal": True}, {"attn_mask": numbers(3, 3)}):
        y, weights = layer(x, x, x, **options)
        np.sum(y * y).backward()
        assert {a.dtype for a in (y, weights, x.grad, *(p.grad for p in layer.parameters()))} == {np.dtype(np.float32)}


# Errors


@pytest.mark.parametrize(("arguments", "options", "text"), [
    ((0, 1), {}, "embed_dim must be a positive integer, got 0"),
    ((4, -2), {}, "num_heads must be a positive integer, got -2"),
    ((4, 3), {}, "num_heads must divide embed_dim, got 3 heads for 4"),
    ((4, 2), {"kdim": 0}, "kdim must be a positive integer, got 0"),
    ((4, 2), {"vdim": 1.5}, "vdim must be a positive integer, got 1.5"),
])
def test_arguments_that_are_wrong(arguments, options, text):
    with pytest.raises(ValueError, match=f"^MultiheadAttention: {re.escape(text)}$"):
        nn.MultiheadAttention(*arguments, **options, rng=0)


def test_dropout_and_rng():
    with pytest.raises(ValueError, match=re.escape("Dropout: p must be a probability between 0 and 1, got 2")):
        nn.MultiheadAttention(4, 2, 2, rng=0)
    with pytest.raises(TypeError, match=re.escape("MultiheadAttention: rng must be a numpy.random.Generator")):
        nn.MultiheadAttention(4, 2, rng=None)


@pytest.mark.parametrize(("shapes", "first", "text"), [
    ([(3, 2, 5), (5, 2, 4), (5, 2, 4)], False, "query must have the shape (L, N, 4), or (L, 4) as all three of a "
     "single example, and not be empty, got (3, 2, 5)"),
    ([(2, 3, 4), (2, 5, 3), (2, 5, 4)], True, "key must have the shape (N, S, 4), or (S, 4) as all three of a single "
     "example, and not be empty, got (2, 5, 3)"),
    ([(3, 2, 4), (5, 2, 4), (5, 2, 1)], False, "value must have the shape (S, N, 4), or (S, 4) as all"),
    ([(3, 4), (5, 2, 4), (5, 2, 4)], False, "key must have the shape (S, N, 4), or (S, 4) as all"),
    ([(4,), (4,), (4,)], False, "query must have the shape (L, N, 4), or (L, 4) as all three of a single example, and "
     "not be empty, got (4,)"),
    ([(3, 0, 4), (5, 0, 4), (5, 0, 4)], False, "query must have the shape (L, N, 4), or (L, 4) as all"),
    ([(3, 4), (0, 4), (0, 4)], False, "key must have the shape (S, N, 4), or (S, 4) as all"),
    ([(3, 2, 4), (5, 2, 4), (4, 2, 4)], False, "query, key and value must have the same N, and key and value the same "
     "S, got (3, 2, 4), (5, 2, 4) and (4, 2, 4)"),
    ([(3, 2, 4), (5, 1, 4), (5, 1, 4)], False, "query, key and value must have the same N"),
    ([(2, 3, 4), (1, 5, 4), (1, 5, 4)], True, "query, key and value must have the same N"),
])
def test_inputs_that_do_not_fit(shapes, first, text):
    with pytest.raises(ValueError, match=re.escape(f"MultiheadAttention(4, 2): {text}")):
        nn.MultiheadAttention(4, 2, batch_first=first, rng=0)(*map(np.ones, shapes))


@pytest.mark.parametrize(("options", "error", "text"), [
    ({"key_padding_mask": np.zeros((2, 3), bool)}, ValueError,
     "key_padding_mask must have the shape (2, 5), got (2, 3)"),
    ({"key_padding_mask": np.zeros(5, bool)}, ValueError, "key_padding_mask must have the shape (2, 5), got (5,)"),
    ({"attn_mask": np.zeros((5, 3), bool)}, ValueError,
     "attn_mask must have the shape (3, 5) or (4, 3, 5), got (5, 3)"),
    ({"attn_mask": np.zeros((2, 3, 5))}, ValueError,
     "attn_mask must have the shape (3, 5) or (4, 3, 5), got (2, 3, 5)"),
    ({"attn_mask": np.zeros((3, 5), int)}, TypeError, "attn_mask must be of bools (True forbids to look) or of floats "
     "(added), got int64; write attn_mask.astype(bool)"),
    ({"key_padding_mask": [[0] * 5] * 2}, TypeError, "key_padding_mask must be of bools (True forbids to look)"),
])
def test_masks_that_do_not_fit(options, error, text):
    with pytest.raises(error, match=re.escape(f"MultiheadAttention(4, 2): {text}")):
        attention()(QUERY, KEY, VALUE, **options)
