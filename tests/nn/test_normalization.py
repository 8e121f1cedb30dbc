"""Normalization layers: against their formula by loops, running statistics, gradients, invariances, every error."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, grad, gradcheck, jit
from tests.autograd.compiling.same import EVERY_BACKEND
from tests.nn.gradients import check_layer, numbers


def in_sets(x, sets, eps, centre=True):
    """Each set of elements brought to mean 0 and variance 1, one after the other."""
    y = np.empty_like(x)
    for chosen in sets:
        part = x[chosen] - (np.mean(x[chosen]) if centre else 0)
        y[chosen] = part / np.sqrt(np.mean(part**2) + eps)
    return y


def channels(x):
    return [(slice(None), c) for c in range(x.shape[1])]


def examples(x):
    return list(range(len(x)))


# (the layer, the shape of its input, which elements are normalized together, eps, the shape that parameters take)
LAYERS = {
    "BatchNorm1d": (lambda **k: nn.BatchNorm1d(3, **k), (5, 3), channels, 1e-5, (3,)),
    "BatchNorm1d of rows": (lambda **k: nn.BatchNorm1d(3, 0.1, **k), (2, 3, 4), channels, 0.1, (3, 1)),
    "BatchNorm2d": (lambda **k: nn.BatchNorm2d(2, **k), (3, 2, 2, 3), channels, 1e-5, (2, 1, 1)),
    "BatchNorm2d of one example": (lambda **k: nn.BatchNorm2d(2, **k), (1, 2, 2, 3), channels, 1e-5, (2, 1, 1)),
    "BatchNorm2d plain": (lambda **k: nn.BatchNorm2d(2, affine=False, **k), (2, 2, 2, 2), channels, 1e-5, None),
    "LayerNorm": (lambda **k: nn.LayerNorm(4, **k), (3, 4), examples, 1e-5, (4,)),
    "LayerNorm of rows": (lambda **k: nn.LayerNorm(4, 0.1, **k), (2, 2, 4), lambda x: list(np.ndindex(2, 2)), 0.1,
                          (4,)),
    "LayerNorm of one": (lambda **k: nn.LayerNorm(4, **k), (4,), lambda x: [...], 1e-5, (4,)),
    "LayerNorm of matrices": (lambda **k: nn.LayerNorm([2, 3], bias=False, **k), (2, 2, 3), examples, 1e-5, (2, 3)),
    "LayerNorm plain": (lambda **k: nn.LayerNorm((4,), elementwise_affine=False, **k), (3, 4), examples, 1e-5, None),
    "GroupNorm": (lambda **k: nn.GroupNorm(2, 4, **k), (2, 4, 3),
                  lambda x: [(n, slice(i, i + 2)) for n in range(2) for i in (0, 2)], 1e-5, (4, 1)),
    "GroupNorm of all": (lambda **k: nn.GroupNorm(1, 3, 0.1, **k), (2, 3), examples, 0.1, (3,)),
    "GroupNorm of images": (lambda **k: nn.GroupNorm(2, 2, affine=False, **k), (2, 2, 2, 2),
                            lambda x: list(np.ndindex(2, 2)), 1e-5, None),
    "RMSNorm": (lambda **k: nn.RMSNorm(4, **k), (3, 4), examples, np.finfo(float).eps, (4,)),
    "RMSNorm of matrices": (lambda **k: nn.RMSNorm((2, 3), 0.1, **k), (2, 2, 3), examples, 0.1, (2, 3)),
    "RMSNorm plain": (lambda **k: nn.RMSNorm(4, elementwise_affine=False, **k), (3, 4), examples,
                      np.finfo(float).eps, None),
}
EVERY_LAYER = pytest.mark.parametrize("name", LAYERS)


@EVERY_LAYER
def test_mean_0_and_variance_1_in_each_set_then_scaled_and_shifted(name):
    make, shape, sets, eps, parameters = LAYERS[name]
    layer, x = make(dtype=np.float64), 3 * numbers(*shape) + 5
    plain = wanted = in_sets(x, sets(x), eps, centre="RMS" not in name)
    assert (layer.weight is None) == (parameters is None)
    assert (layer.bias is None) == (parameters is None or "RMS" in name or name == "LayerNorm of matrices")
    if parameters:
        assert np.all(layer.weight.data == 1) and layer.weight.name == "weight"
        assert layer.bias is None or np.all(layer.bias.data == 0)
        np.testing.assert_allclose(layer(x).data, plain, rtol=1e-12, atol=1e-13)
        for i, p in enumerate(layer.parameters()):
            p.data[...] = numbers(*p.shape, seed=i + 1)
        wanted = plain * layer.weight.data.reshape(parameters)
        if layer.bias is not None:
            wanted = wanted + layer.bias.data.reshape(parameters)
    for same in (x, Value(x), x.tolist()):
        y = layer(same)
        assert type(y) is (Value if parameters or type(same) is Value else np.ndarray)
        np.testing.assert_allclose(getattr(y, "data", y), wanted, rtol=1e-12, atol=1e-13)


@EVERY_LAYER
def test_gradients(name):
    make, shape, *_ = LAYERS[name]
    check_layer(lambda dtype: make(dtype=dtype), shape)
    if name == "BatchNorm2d":
        check_layer(lambda dtype: make(dtype=dtype).eval(), shape)


@EVERY_LAYER
def test_single_precision_stays_and_a_large_mean_costs_few_digits(name):
    make, shape, *_ = LAYERS[name]
    layer, exact = make(), make(dtype=np.float64)
    assert all(p.dtype == np.float32 for p in layer.parameters())
    x = (numbers(*shape) + (0 if "RMS" in name else 1000)).astype(np.float32)
    v = Value(x)
    y = layer(v)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data, exact(Value(x.astype(float))).data, atol=5e-4)
    np.sum(np.sin(y)).backward()
    assert {g.dtype for g in (v.grad, *(p.grad for p in layer.parameters()))} == {np.dtype(np.float32)}


# Running statistics


@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0, None, 0.25])
@pytest.mark.parametrize(("make", "shape"), [(nn.BatchNorm1d, (5, 3)), (nn.BatchNorm1d, (2, 3, 4)),
                                             (nn.BatchNorm2d, (2, 3, 4, 2))])
def test_running_mean_and_variance(make, shape, momentum):
    layer = make(3, momentum=momentum)
    assert [name for name, _ in layer.named_buffers()] == ["running_mean", "running_var", "num_batches_tracked"]
    mean, variance, running = np.zeros(3), np.ones(3), layer.running_mean
    for count in range(1, 4):
        x = (count * numbers(*shape, seed=count) + 2).astype(np.float32)
        layer(Value(x))
        part = 1 / count if momentum is None else momentum
        axes = (0, *range(2, len(shape)))
        mean = (1 - part) * mean + part * x.mean(axes)
        variance = (1 - part) * variance + part * x.var(axes, ddof=1)
        assert layer.running_mean is running and running.dtype == layer.running_var.dtype == np.float32
        assert layer.num_batches_tracked == count and layer.num_batches_tracked.dtype == np.int64
        np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-5)
        np.testing.assert_allclose(layer.running_var, variance, rtol=1e-5)
    layer.eval()
    y, before = layer(x), layer.state_dict()
    column = (3, *[1] * (len(shape) - 2))
    np.testing.assert_allclose(
        y.data, (x - mean.reshape(column)) / np.sqrt(variance.reshape(column) + 1e-5), rtol=1e-4, atol=1e-5)
    layer(x[:1] + 7)
    for key, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


def test_without_running_statistics_those_of_the_batch_serve_in_evaluation_too():
    layer, x = nn.BatchNorm1d(3, track_running_stats=False), numbers(5, 3)
    assert list(layer.state_dict()) == ["weight", "bias"] and not list(layer.buffers())
    np.testing.assert_array_equal(layer.eval()(x).data, nn.BatchNorm1d(3)(x).data)
    with pytest.raises(ValueError, match="more than one value per channel"):
        layer(x[:1])


def test_statistics_stay_plain_arrays_inside_of_transforms():
    layer, x = nn.BatchNorm1d(3), numbers(4, 3)
    wanted = nn.BatchNorm1d(3)
    wanted(x)
    wanted(x)
    grad(lambda t: np.sum(grad(lambda x: np.sum(np.sin(layer(x * t))))(x) ** 2))(1.0)
    grad(lambda x: np.sum(layer(x)))(x)
    for key, array in layer.state_dict().items():
        assert type(getattr(layer, key)) in (np.ndarray, nn.Parameter)
        np.testing.assert_array_equal(array, wanted.state_dict()[key])


def test_gradcheck_leaves_the_statistics_as_they_were():
    layer = nn.BatchNorm1d(3)
    layer(numbers(5, 3))
    before = layer.state_dict()
    assert gradcheck(layer, numbers(5, 3), directions=1)
    for key, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


@EVERY_BACKEND
def test_a_jitted_function_follows_the_mode(backend):
    """Jitted, the statistics move at each call in training, and are used as they then are in evaluation."""
    layer, plain = nn.BatchNorm1d(3, momentum=None), nn.BatchNorm1d(3, momentum=None)

    call = jit(lambda x: layer(x).data * 1.0, backend=backend)
    for i in range(6):
        if i in (2, 4):
            layer.train(i == 4)
            plain.train(i == 4)
        x = numbers(4, 3, seed=i, dtype=np.float32)
        np.testing.assert_allclose(call(x), plain(x).data, rtol=1e-5, atol=1e-6)
        assert layer.num_batches_tracked == plain.num_batches_tracked == [1, 2, 2, 2, 3, 4][i]
        np.testing.assert_allclose(layer.running_mean, plain.running_mean, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(layer.running_var, plain.running_var, rtol=1e-6)


# Properties

SEEDS = st.integers(0, 2**32 - 1)
QUICKLY = settings(max_examples=25, deadline=None, derandomize=True, database=None)


@QUICKLY
@given(st.integers(2, 6), st.integers(1, 4), st.integers(1, 5), SEEDS, st.floats(0.1, 100), st.floats(-100, 100))
def test_what_comes_out_has_mean_0_and_variance_1(n, c, length, seed, scale, shift):
    x = scale * numbers(n, c, length, seed=seed) + shift
    sets = [(nn.BatchNorm1d(c, eps=0), (0, 2)), (nn.GroupNorm(c, c, eps=0), (2,)), (nn.GroupNorm(1, c, eps=0), (1, 2)),
            (nn.LayerNorm((c, length), eps=0), (1, 2)), (nn.LayerNorm(length, eps=0), (2,))]
    for layer, axes in sets:
        if np.prod([x.shape[i] for i in axes]) > 1:
            y = layer(x).data
            np.testing.assert_allclose(y.mean(axes), 0, atol=1e-9)
            np.testing.assert_allclose(y.var(axes), 1, rtol=1e-9)
    np.testing.assert_allclose(np.mean(nn.RMSNorm(length, eps=0)(x).data ** 2, -1), 1, rtol=1e-9)


@QUICKLY
@given(SEEDS, st.floats(0.1, 100), st.floats(-100, 100))
def test_scale_and_shift_of_the_input_do_not_matter(seed, scale, shift):
    x = numbers(3, 4, 5, seed=seed)
    for layer in (nn.BatchNorm1d(4, eps=0), nn.GroupNorm(2, 4, eps=0), nn.LayerNorm(5, eps=0)):
        np.testing.assert_allclose(layer(scale * x + shift).data, layer(x).data, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(nn.RMSNorm(5, eps=0)(scale * x).data, nn.RMSNorm(5, eps=0)(x).data, rtol=1e-9)


# Errors


@pytest.mark.parametrize(("make", "text"), [
    (lambda: nn.BatchNorm1d(0), "BatchNorm1d: num_features must be a positive integer, got 0"),
    (lambda: nn.BatchNorm2d(-2), "BatchNorm2d: num_features must be a positive integer, got -2"),
    (lambda: nn.BatchNorm2d(2.0), "BatchNorm2d: num_features must be a positive integer, got 2.0"),
    (lambda: nn.BatchNorm2d(2, -1e-5), "BatchNorm2d: eps must be a finite number of at least 0, got -1e-05"),
    (lambda: nn.BatchNorm1d(2, momentum=1.5), "BatchNorm1d: momentum must be None or at most 1, got 1.5"),
    (lambda: nn.BatchNorm1d(2, momentum=-0.1), "BatchNorm1d: momentum must be a finite number of at least 0, got -0.1"),
    (lambda: nn.LayerNorm(0), "LayerNorm: normalized_shape must be a positive integer, got 0"),
    (lambda: nn.LayerNorm((3, -1)), "LayerNorm: normalized_shape must be a positive integer, got -1"),
    (lambda: nn.LayerNorm(()), "LayerNorm: normalized_shape must be a positive integer or a tuple of some, got ()"),
    (lambda: nn.LayerNorm(2, np.inf), "LayerNorm: eps must be a finite number of at least 0, got inf"),
    (lambda: nn.RMSNorm(None), "RMSNorm: normalized_shape must be a positive integer, got None"),
    (lambda: nn.RMSNorm(2, -1), "RMSNorm: eps must be a finite number of at least 0, got -1"),
    (lambda: nn.GroupNorm(0, 2), "GroupNorm: num_groups must be a positive integer, got 0"),
    (lambda: nn.GroupNorm(2, 0), "GroupNorm: num_channels must be a positive integer, got 0"),
    (lambda: nn.GroupNorm(3, 4), "GroupNorm: num_groups must divide num_channels, got 3 groups of 4 channels"),
])
def test_arguments_that_are_wrong(make, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        make()


@pytest.mark.parametrize("make", [nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.RMSNorm,
                                  lambda n, dtype: nn.GroupNorm(1, n, dtype=dtype)])
def test_parameters_are_floats(make):
    with pytest.raises(TypeError, match=r"Norm\w*: dtype must be one of floats, such as float32, got int64"):
        make(2, dtype=int)


@pytest.mark.parametrize(("layer", "shape", "text"), [
    (nn.BatchNorm1d(3), (3,), "expected an input of shape (N, 3) or (N, 3, L), got (3,)"),
    (nn.BatchNorm1d(3), (), "expected an input of shape (N, 3) or (N, 3, L), got ()"),
    (nn.BatchNorm1d(3), (2, 4), "expected an input of shape (N, 3) or (N, 3, L), got (2, 4)"),
    (nn.BatchNorm1d(3), (2, 3, 4, 5), "expected an input of shape (N, 3) or (N, 3, L), got (2, 3, 4, 5)"),
    (nn.BatchNorm1d(3), (0, 3), "expected an input of shape (N, 3) or (N, 3, L), got (0, 3): it is empty"),
    (nn.BatchNorm2d(3), (2, 3), "expected an input of shape (N, 3, H, W), got (2, 3)"),
    (nn.BatchNorm2d(3), (2, 4, 5, 3), "expected an input of shape (N, 3, H, W), got (2, 4, 5, 3)"),
    (nn.BatchNorm2d(3), (2, 3, 0, 3), "expected an input of shape (N, 3, H, W), got (2, 3, 0, 3): it is empty"),
    (nn.BatchNorm1d(3).eval(), (2, 4), "expected an input of shape (N, 3) or (N, 3, L), got (2, 4)"),
    (nn.BatchNorm1d(3), (1, 3), "the variance over the batch needs more than one value per channel, but the input has "
     "shape (1, 3); pass more examples, or call eval() to use the running mean and variance"),
    (nn.BatchNorm2d(3), (1, 3, 1, 1), "the variance over the batch needs more than one value per channel, but the "
     "input has shape (1, 3, 1, 1)"),
    (nn.LayerNorm(3), (3, 4), "expected an input of shape (..., 3), got (3, 4)"),
    (nn.LayerNorm((2, 3)), (3,), "expected an input of shape (..., 2, 3), got (3,)"),
    (nn.LayerNorm(3), (0, 3), "expected an input of shape (..., 3), got (0, 3): it is empty"),
    (nn.RMSNorm(3), (3, 4), "expected an input of shape (..., 3), got (3, 4)"),
    (nn.RMSNorm(3), (), "expected an input of shape (..., 3), got ()"),
    (nn.GroupNorm(2, 4), (4,), "expected an input of shape (N, 4, ...), got (4,)"),
    (nn.GroupNorm(2, 4), (2, 3, 4), "expected an input of shape (N, 4, ...), got (2, 3, 4)"),
    (nn.GroupNorm(2, 4), (0, 4), "expected an input of shape (N, 4, ...), got (0, 4): it is empty"),
])
def test_inputs_that_do_not_fit(layer, shape, text):
    before = layer.state_dict()
    for x in (np.ones(shape), Value(np.ones(shape))):
        with pytest.raises(ValueError, match=re.escape(f"{layer!r}: {text}")):
            layer(x)
    for key, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


def test_a_state_of_another_size_is_refused():
    text = ("the state does not fit BatchNorm1d: weight: expected shape (3,), got (4,); bias: expected shape (3,), got "
            "(4,); running_mean: expected shape (3,), got (4,); running_var: expected shape (3,), got (4,)")
    with pytest.raises(ValueError, match=re.escape(text)):
        nn.BatchNorm1d(3).load_state_dict(nn.BatchNorm1d(4).state_dict())
    state = nn.BatchNorm1d(3).state_dict()
    del state["running_var"]
    with pytest.raises(ValueError, match="missing: running_var; unknown: extra"):
        nn.BatchNorm1d(3).load_state_dict(state | {"extra": np.zeros(1)})
