"""Layers of images and signals: shapes, derivatives to second order, initial values, and every error."""

import math
import re

import numpy as np
import pytest

import nn
from autograd import Value, grad, gradcheck, per_example_gradients

DOUBLE = {"rng": 0, "dtype": np.float64}
LAYERS = [  # a layer and the shape of one example that it takes
    (nn.Conv1d(2, 3, 2, padding=1, **DOUBLE), (2, 4)),
    (nn.Conv2d(2, 2, (2, 3), stride=(1, 2), padding="valid", dilation=(2, 1), groups=2, **DOUBLE), (2, 4, 5)),
    (nn.Conv2d(1, 2, 2, padding="same", bias=False, **DOUBLE), (1, 3, 2)),
    (nn.ConvTranspose1d(2, 2, 3, 2, 1, 1, groups=2, **DOUBLE), (2, 3)),
    (nn.ConvTranspose2d(2, 3, 2, (2, 1), (0, 1), (1, 0), dilation=(1, 2), bias=False, **DOUBLE), (2, 2, 3)),
    (nn.MaxPool1d(2, 1), (2, 5)),
    (nn.MaxPool2d((2, 3), 2, 1, ceil_mode=True), (2, 4, 5)),
    (nn.AvgPool1d(3, 2, 1), (2, 5)),
    (nn.AvgPool2d(3, 2, 1, True), (2, 4, 5)),
    (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (1, 4, 5)),
    (nn.AdaptiveAvgPool1d(2), (2, 4)),
    (nn.AdaptiveAvgPool2d((3, None)), (2, 4, 5)),
    (nn.Flatten(), (2, 3, 2)),
]
EVERY_LAYER = pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).permutation(math.prod(shape)).reshape(shape) / 10 - 1


def raw(y):
    return y.data if isinstance(y, Value) else y


def applied(layer):
    """The layer as a function of its parameters too."""
    names = [name for name, _ in layer.named_parameters()]

    def apply(x, *parameters):
        for name, p in zip(names, parameters, strict=True):
            setattr(layer, name, p)
        return layer(x)

    return apply, [p.data for p in layer.parameters()]


@EVERY_LAYER
def test_gradients(layer, shape):
    before = dict(layer.named_parameters())
    apply, parameters = applied(layer)
    try:
        gradcheck(apply, numbers(2, *shape), *parameters, order=2).raise_if_wrong()
    finally:
        for name, p in before.items():
            setattr(layer, name, p)


@EVERY_LAYER
def test_float32_stays_float32(layer, shape):
    like = {name: Value(p.data.astype(np.float32)) for name, p in layer.named_parameters()}
    before, x = dict(layer.named_parameters()), Value(numbers(2, *shape).astype(np.float32))
    wanted = layer(x.data.astype(np.float64))
    try:
        for name, p in like.items():
            setattr(layer, name, p)
        y = layer(x)
    finally:
        for name, p in before.items():
            setattr(layer, name, p)
    y.sum().backward()
    assert {v.dtype for v in (y, x, x.grad, *(p.grad for p in like.values()))} == {np.dtype(np.float32)}
    np.testing.assert_allclose(y.data, raw(wanted), rtol=1e-5, atol=1e-6)


@EVERY_LAYER
def test_an_example_alone_is_an_example_of_a_batch(layer, shape):
    x = numbers(3, *shape)
    if isinstance(layer, nn.Flatten):
        layer = nn.Flatten(-3)
    together = layer(x)
    for k in range(3):
        one = layer(x[k])
        assert one.shape == together.shape[1:]
        np.testing.assert_allclose(raw(one), raw(together)[k], rtol=1e-14)
    one = layer(x[0].tolist())
    np.testing.assert_allclose(raw(one), raw(together)[0], rtol=1e-14)


def test_gradients_of_each_example_of_a_network():
    model = nn.Sequential(nn.Conv2d(1, 2, 3, **DOUBLE), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(0),
                          nn.Linear(8, 3, **DOUBLE))
    x, names = numbers(4, 1, 6, 7), [name for name, _ in model.named_parameters()]

    def cost(parameters, x):
        layers = dict(enumerate(model))
        for name, p in zip(names, parameters, strict=True):
            setattr(layers[int(name.split(".")[0])], name.split(".")[1], p)
        return np.sum(model(x) ** 2)

    parameters = [p.data for p in model.parameters()]
    got = per_example_gradients(cost, parameters, x)
    rows = [grad(cost)(parameters, row) for row in x]
    for g, *wanted in zip(got, *rows, strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("layer", "fan_in"), [
    (nn.Conv1d(6, 200, 5, groups=2, rng=3), 15), (nn.Conv2d(4, 200, (3, 5), rng=3), 60),
    (nn.ConvTranspose1d(200, 4, 5, groups=2, rng=3), 10), (nn.ConvTranspose2d(200, 4, (3, 5), rng=3), 60),
])
def test_weights_and_biases_start_between_plus_and_minus_one_over_root_of_fan_in(layer, fan_in):
    bound = 1 / math.sqrt(fan_in)
    for name, p in layer.named_parameters():
        assert (p.name, p.dtype) == (name, np.float32)
        assert np.abs(p.data).max() <= bound * (1 + 1e-6)
        assert p.size < 100 or (p.data.max() > 0.94 * bound and p.data.min() < -0.94 * bound)
    assert layer.weight.data.var() == pytest.approx(bound**2 / 3, rel=0.1)
    again = type(layer)(layer.in_channels, layer.out_channels, layer.kernel_size, groups=layer.groups,
                        rng=np.random.default_rng(3))
    np.testing.assert_array_equal(again.weight.data, layer.weight.data)


def test_repr_shows_the_settings():
    assert repr(nn.Conv2d(1, 6, 5, padding=(2, 1), rng=0)) == (
        "Conv2d(in_channels=1, out_channels=6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 1), dilation=(1, 1), "
        "groups=1)")
    assert repr(nn.MaxPool1d(2)) == ("MaxPool1d(kernel_size=(2,), stride=(2,), padding=(0,), dilation=(1,), "
                                     "ceil_mode=False)")
    assert repr(nn.AvgPool2d(2)) == ("AvgPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), ceil_mode=False, "
                                     "count_include_pad=True)")
    assert repr(nn.AdaptiveAvgPool2d((2, None))) == "AdaptiveAvgPool2d(output_size=(2, None))"
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"


def test_same_keeps_the_sizes():
    for kernel, dilation in ((1, 1), (2, 1), (3, 2), (4, 3)):
        layer = nn.Conv2d(1, 1, kernel, padding="same", dilation=dilation, rng=0)
        assert layer(np.ones((1, 1, 5, 12))).shape == (1, 1, 5, 12)


def test_what_a_transposed_convolution_undoes():
    """Its output has the sizes that lead back, whichever output_padding tells."""
    for n in (7, 8):
        down = nn.Conv1d(1, 2, 3, stride=2, padding=1, rng=0)
        up = nn.ConvTranspose1d(2, 1, 3, stride=2, padding=1, output_padding=1 - n % 2, rng=0)
        assert up(down(np.ones((1, 1, n)))).shape == (1, 1, n)


CONV = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "rng": 0}


@pytest.mark.parametrize("settings", [(1, 0, 2, 3), (2, 1, 2, 3), (1, 2, 1, 2), (2, 0, 1, 1), (3, 2, 4, 5)])
def test_output_padding_first_brings_back_what_padding_cut_off(settings):
    """Also where it is no less than the stride, since the dilation is larger still."""
    stride, padding, extra, dilation = settings
    layer, x = nn.ConvTranspose1d(1, 1, 3, stride, padding, extra, dilation=dilation, **DOUBLE), numbers(4)
    whole = np.zeros(3 * stride + 2 * dilation + 1 + extra)
    for i, k in np.ndindex(4, 3):
        whole[i * stride + k * dilation] += x[i] * layer.weight.data[0, 0, k]
    wanted = whole[padding:len(whole) - padding] + layer.bias.data
    np.testing.assert_allclose(layer(x[None]).data, wanted[None], rtol=1e-12)


def test_with_ceil_mode_a_window_may_be_larger_than_the_input():
    x = np.array([[1.0, 5.0]])
    assert nn.MaxPool1d(3, ceil_mode=True)(x).tolist() == [[5.0]]
    assert nn.AvgPool1d(3, ceil_mode=True)(x).tolist() == [[3.0]]  # what overhangs never counts


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: nn.Conv2d(0, 6, 3, rng=0), ValueError, "Conv2d: in_channels must be a positive integer, got 0"),
    (lambda: nn.Conv1d(4, -6, 3, rng=0), ValueError, "Conv1d: out_channels must be a positive integer, got -6"),
    (lambda: nn.Conv1d(4, 6, 0, rng=0), ValueError, "Conv1d: kernel_size must be an integer, at least 1, got 0"),
    (lambda: nn.Conv2d(4, 6, (3, 3, 3), rng=0), ValueError,
     "Conv2d: kernel_size must be an integer or a tuple of 2, at least 1, got (3, 3, 3)"),
    (lambda: nn.Conv2d(4, 6, (3, -1), rng=0), ValueError,
     "Conv2d: kernel_size must be an integer or a tuple of 2, at least 1, got (3, -1)"),
    (lambda: nn.Conv2d(4, 6, 2.5, rng=0), ValueError,
     "Conv2d: kernel_size must be an integer or a tuple of 2, at least 1, got 2.5"),
    (lambda: nn.Conv2d(**CONV, stride=0), ValueError,
     "Conv2d: stride must be an integer or a tuple of 2, at least 1, got 0"),
    (lambda: nn.Conv2d(**CONV, padding=-1), ValueError,
     "Conv2d: padding must be an integer or a tuple of 2, at least 0, got -1"),
    (lambda: nn.Conv2d(**CONV, padding="full"), ValueError,
     "Conv2d: padding must be integers, 'same' or 'valid', got 'full'"),
    (lambda: nn.Conv2d(**CONV, padding="same", stride=(1, 2)), ValueError,
     "Conv2d: padding='same' needs stride=1, got stride=(1, 2)"),
    (lambda: nn.Conv2d(**CONV, dilation=(1, 0)), ValueError,
     "Conv2d: dilation must be an integer or a tuple of 2, at least 1, got (1, 0)"),
    (lambda: nn.Conv2d(**CONV, groups=0), ValueError, "Conv2d: groups must be a positive integer, got 0"),
    (lambda: nn.Conv2d(**CONV, groups=3), ValueError,
     "Conv2d: groups must divide in_channels, got groups=3 and in_channels=4"),
    (lambda: nn.ConvTranspose2d(**CONV, groups=4), ValueError,
     "ConvTranspose2d: groups must divide out_channels, got groups=4 and out_channels=6"),
    (lambda: nn.ConvTranspose1d(**CONV, padding="same"), ValueError,
     "ConvTranspose1d: padding must be an integer, at least 0, got 'same'"),
    (lambda: nn.ConvTranspose2d(**CONV, output_padding=-1), ValueError,
     "ConvTranspose2d: output_padding must be an integer or a tuple of 2, at least 0, got -1"),
    (lambda: nn.ConvTranspose2d(**CONV, stride=2, output_padding=(1, 2)), ValueError,
     "ConvTranspose2d: output_padding must be less than stride or dilation, got output_padding=(1, 2), stride=2 and "
     "dilation=1"),
    (lambda: nn.Conv2d(4, 6, 3, rng=None), TypeError, "Conv2d: rng must be a numpy.random.Generator or an int"),
    (lambda: nn.Conv2d(**CONV, dtype=int), TypeError, "Conv2d: dtype must be one of floats, such as float32, got int"),
    (lambda: nn.MaxPool2d(0), ValueError,
     "MaxPool2d: kernel_size must be an integer or a tuple of 2, at least 1, got 0"),
    (lambda: nn.MaxPool1d(2, 0), ValueError, "MaxPool1d: stride must be an integer, at least 1, got 0"),
    (lambda: nn.MaxPool1d(2, dilation=-1), ValueError, "MaxPool1d: dilation must be an integer, at least 1, got -1"),
    (lambda: nn.AvgPool2d(2, padding=(0, 2)), ValueError,
     "AvgPool2d: padding must be at most half of kernel_size, got padding=(0, 2) and kernel_size=2"),
    (lambda: nn.MaxPool1d(3, padding=2), ValueError,
     "MaxPool1d: padding must be at most half of kernel_size, got padding=2 and kernel_size=3"),
    (lambda: nn.MaxPool1d(2, padding=2, dilation=3), ValueError,
     "MaxPool1d: padding must be at most half of kernel_size, got padding=2 and kernel_size=2"),
    (lambda: nn.AdaptiveAvgPool2d(0), ValueError,
     "AdaptiveAvgPool2d: output_size must be an integer or a tuple of 2, at least 1, got (0, 0)"),
    (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), ValueError,
     "AdaptiveAvgPool2d: output_size must be an integer or a tuple of 2, at least 1, got (1, 2, 3)"),
    (lambda: nn.Flatten(0.5), ValueError, "Flatten: start_dim must be an integer, got 0.5"),
    (lambda: nn.Flatten(1, None), ValueError, "Flatten: end_dim must be an integer, got None"),
])
def test_settings_say_what_is_wrong(make, error, text):
    with pytest.raises(error, match=re.escape(text)):
        make()


@pytest.mark.parametrize(("layer", "shape", "text"), [
    (nn.Conv2d(3, 4, 5, rng=0), (2, 1, 8, 8),
     "Conv2d(3, 4, 5): expected an input of shape (N, 3, H, W) or (3, H, W), got (2, 1, 8, 8)"),
    (nn.Conv2d(3, 4, (5, 1), rng=0), (8, 8),
     "Conv2d(3, 4, (5, 1)): expected an input of shape (N, 3, H, W) or (3, H, W), got (8, 8)"),
    (nn.Conv1d(3, 4, 5, rng=0), (2, 3, 8, 8),
     "Conv1d(3, 4, 5): expected an input of shape (N, 3, L) or (3, L), got (2, 3, 8, 8)"),
    (nn.Conv1d(3, 4, 5, rng=0), (3,), "Conv1d(3, 4, 5): expected an input of shape (N, 3, L) or (3, L), got (3,)"),
    (nn.Conv2d(3, 4, 5, rng=0), (0, 3, 8, 8),
     "Conv2d(3, 4, 5): the input is empty, of shape (0, 3, 8, 8): each axis must have at least one element"),
    (nn.Conv2d(3, 4, 5, padding=2, rng=0), (1, 3, 8, 0), "Conv2d(3, 4, 5): the input is empty, of shape (1, 3, 8, 0)"),
    (nn.Conv2d(3, 4, 5, rng=0), (2, 3, 4, 8),
     "Conv2d(3, 4, 5): kernel_size (5, 5) is larger than the input of (4, 8)"),
    (nn.Conv2d(3, 4, 5, padding=1, dilation=2, rng=0), (2, 3, 8, 6),
     "Conv2d(3, 4, 5): kernel_size (5, 5), (9, 9) with dilation 2, is larger than the input of (8, 6), (10, 8) with "
     "padding"),
    (nn.ConvTranspose2d(3, 4, 2, padding=2, rng=0), (1, 3, 4, 3),
     "ConvTranspose2d(3, 4, 2): an input of (4, 3) with padding=2 gives an output of (1, 0): each axis must have at "
     "least one element"),
    (nn.ConvTranspose2d(3, 4, 2, rng=0), (1, 4, 3, 3),
     "ConvTranspose2d(3, 4, 2): expected an input of shape (N, 3, H, W) or (3, H, W), got (1, 4, 3, 3)"),
    (nn.MaxPool2d(2), (8, 8), "MaxPool2d(2): expected an input of shape (N, C, H, W) or (C, H, W), got (8, 8)"),
    (nn.MaxPool2d(2), (0, 1, 8, 8), "MaxPool2d(2): the input is empty, of shape (0, 1, 8, 8)"),
    (nn.AvgPool2d((2, 3), 1, ceil_mode=True), (1, 1, 2, 2),
     "AvgPool2d((2, 3)): kernel_size (2, 3) is larger than the input of (2, 2)"),
    (nn.AvgPool1d(3), (2,), "AvgPool1d(3): expected an input of shape (N, C, L) or (C, L), got (2,)"),
    (nn.AdaptiveAvgPool2d((2, None)), (8, 8),
     "AdaptiveAvgPool2d((2, None)): expected an input of shape (N, C, H, W) or (C, H, W), got (8, 8)"),
    (nn.AdaptiveAvgPool1d(2), (4, 0), "AdaptiveAvgPool1d(2): the input is empty, of shape (4, 0)"),
    (nn.Flatten(), (5,), "Flatten(1, -1): an input of shape (5,) has no axes from 1 to -1"),
    (nn.Flatten(2, 1), (5, 4, 3), "Flatten(2, 1): an input of shape (5, 4, 3) has no axes from 2 to 1"),
    (nn.Flatten(0, 3), (5, 4, 3), "Flatten(0, 3): an input of shape (5, 4, 3) has no axes from 0 to 3"),
])
def test_inputs_of_another_shape_are_errors(layer, shape, text):
    for x in (np.ones(shape), Value(np.ones(shape))):
        with pytest.raises(ValueError, match=re.escape(text)):
            layer(x)
