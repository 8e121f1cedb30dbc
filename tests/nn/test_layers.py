"""`Linear`, the initializers and the activations as modules: against NumPy by hand, by gradcheck, and every error."""

import functools
import math
import re

import numpy as np
import pytest

import nn
from autograd import Value, functions, grad, gradcheck
from nn import Linear, initializers
from nn.random import generator
from tests.nn.gradients import check_layer

SHAPES = [(3,), (1, 3), (5, 3), (0, 3), (2, 4, 3), (2, 1, 2, 3)]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_linear_is_sums_by_weights_and_a_bias(shape, bias):
    layer = Linear(3, 2, bias, rng=4, dtype=np.float64)
    x = numbers(*shape)
    wanted = np.empty((*shape[:-1], 2))
    for place in np.ndindex(*shape[:-1]):
        for j in range(2):
            wanted[(*place, j)] = sum(layer.weight.data[j, k] * x[(*place, k)] for k in range(3))
            if bias:
                wanted[(*place, j)] += layer.bias.data[j]
    for given in (x, Value(x), x.tolist() if x.size else x):
        got = layer(given)
        assert type(got) is Value and got.shape == wanted.shape and got.dtype == np.float64
        np.testing.assert_allclose(got.data, wanted, rtol=1e-13, atol=1e-15)
    assert (layer.bias is None) != bias
    assert len(list(layer.parameters())) == 1 + bias


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if 0 not in shape])
def test_gradients_of_linear(shape, bias):
    layer = Linear(3, 2, bias, rng=4, dtype=np.float64)

    def apply(x, weight, *rest):
        layer.weight, layer.bias = weight, rest[0] if rest else None
        return layer(x)

    inputs = [numbers(*shape), numbers(2, 3, seed=1), *([numbers(2, seed=2)] if bias else [])]
    gradcheck(apply, *inputs).raise_if_wrong()

    def slope(*inputs):  # of a cost that bends, so that its second derivatives are not 0
        gradients = grad(lambda *v: np.sum(np.sin(apply(*v))), tuple(range(len(inputs))))(*inputs)
        return sum(np.sum(g * numbers(*g.shape, seed=5)) for g in gradients)

    gradcheck(slope, *inputs).raise_if_wrong()


def test_gradients_of_linear_by_hand():
    layer, x, g = Linear(3, 2, rng=0), numbers(5, 3).astype(np.float32), numbers(5, 2, seed=1).astype(np.float32)
    inside = Value(x)
    layer(inside).backward(g)
    weight = layer.weight.data
    for got, wanted in ((layer.weight.grad, g.T @ x), (layer.bias.grad, g.sum(0)), (inside.grad, g @ weight)):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n", [1, 4, 100, np.int64(784)])
def test_weights_and_biases_start_between_plus_and_minus_one_over_root_of_inputs(n):
    layer = Linear(n, 400, rng=np.random.default_rng(3))
    bound = 1 / math.sqrt(n)
    for p, shape, name in ((layer.weight, (400, n), "weight"), (layer.bias, (400,), "bias")):
        assert (p.shape, p.dtype, p.name) == (shape, np.float32, name)
        assert np.abs(p.data).max() <= bound * (1 + 1e-6)
        assert p.data.max() > 0.97 * bound and p.data.min() < -0.97 * bound
        assert p.data.var() == pytest.approx(bound**2 / 3, rel=0.15)


def test_a_seed_decides_where_a_layer_starts():
    first, second, other = Linear(3, 2, rng=5), Linear(3, 2, rng=np.random.default_rng(5)), Linear(3, 2, rng=6)
    for a, b, c in zip(first.parameters(), second.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        assert not np.any(a.data == c.data)
    rng = np.random.default_rng(5)
    assert not np.array_equal(Linear(3, 2, rng=rng).weight.data, Linear(3, 2, rng=rng).weight.data)


@pytest.mark.parametrize("init", [initializers.he_normal, initializers.glorot_uniform, initializers.normal,
                                  functools.partial(initializers.uniform, bound=0.25)])
def test_an_initializer_gives_the_weights_and_biases_start_at_0(init):
    layer = Linear(4, 3, rng=8, init=init, dtype=np.float64)
    np.testing.assert_array_equal(layer.weight.data, init((3, 4), np.random.default_rng(8), np.float64), strict=True)
    np.testing.assert_array_equal(layer.bias.data, np.zeros(3), strict=True)
    assert Linear(4, 3, rng=8, init=init).bias.dtype == np.float32
    assert Linear(4, 3, bias=False, rng=8, init=init).bias is None


@pytest.mark.parametrize(("layer", "shape"), [
    ((3, 2), (2,)), ((3, 2), (5, 4)), ((3, 2), ()), ((3, 2), (3, 5)), ((1, 2), (5,)), ((784, 16), (10, 28, 28)),
])
def test_another_number_of_inputs_is_an_error(layer, shape):
    text = f"Linear{layer}: expected an input of shape (..., {layer[0]}), got {shape}"
    for x in (np.ones(shape), Value(np.ones(shape))):
        with pytest.raises(ValueError, match=re.escape(text)):
            Linear(*layer, rng=0)(x)


@pytest.mark.parametrize("init", [lambda shape, rng, dtype: np.zeros(shape[::-1], dtype),
                                  lambda shape, rng, dtype: np.zeros(shape[0], dtype), lambda *_: 0.0])
def test_an_initializer_that_returns_another_shape_is_an_error(init):
    text = f"Linear: init must return an array of shape (3, 4), got {np.shape(init((3, 4), None, float))}"
    with pytest.raises(ValueError, match=re.escape(text)):
        Linear(4, 3, rng=0, init=init)


RNG = "rng must be a numpy.random.Generator or an int that seeds one; got "


@pytest.mark.parametrize(("arguments", "error", "text"), [
    ((0, 2, 0), ValueError, "Linear: in_features must be a positive integer, got 0"),
    ((-3, 2, 0), ValueError, "Linear: in_features must be a positive integer, got -3"),
    ((2.0, 2, 0), ValueError, "Linear: in_features must be a positive integer, got 2.0"),
    ((True, 2, 0), ValueError, "Linear: in_features must be a positive integer, got True"),
    ((2, 0, 0), ValueError, "Linear: out_features must be a positive integer, got 0"),
    ((2, None, 0), ValueError, "Linear: out_features must be a positive integer, got None"),
    ((2, 1, None), TypeError, f"Linear: {RNG}None of type NoneType; write rng=np.random.default_rng(0)"),
    ((2, 1, True), TypeError, f"Linear: {RNG}True"),
    ((2, 1, 1.5), TypeError, f"Linear: {RNG}1.5"),
    ((2, 1, np.random), TypeError, f"Linear: {RNG}<module"),
    ((2, 1, np.random.RandomState(0)), TypeError, f"Linear: {RNG}RandomState"),
    ((2, 1, -1), ValueError, "Linear: rng: a seed must be 0 or more; got -1"),
])
def test_linear_says_which_argument_is_wrong(arguments, error, text):
    n, m, rng = arguments
    with pytest.raises(error, match=re.escape(text)):
        Linear(n, m, rng=rng)


def test_rng_must_be_given():
    with pytest.raises(TypeError, match="rng"):
        Linear(2, 1)


def test_a_generator_is_used_as_it_is_and_a_seed_makes_one():
    rng = np.random.default_rng(0)
    assert generator(rng, "here") is rng
    assert generator(np.int32(9), "here").random() == np.random.default_rng(9).random()


# Initializers: (function, its variance from fan_in and fan_out, whether it is uniform)

INITIALIZERS = [
    (initializers.normal, lambda n, m: 1, False),
    (functools.partial(initializers.normal, std=0.2), lambda n, m: 0.04, False),
    (initializers.uniform, lambda n, m: 1 / 3, True),
    (functools.partial(initializers.uniform, bound=0.3), lambda n, m: 0.03, True),
    (initializers.glorot_normal, lambda n, m: 2 / (n + m), False),
    (initializers.glorot_uniform, lambda n, m: 2 / (n + m), True),
    (initializers.he_normal, lambda n, m: 2 / n, False),
    (initializers.he_uniform, lambda n, m: 2 / n, True),
    (initializers.lecun_normal, lambda n, m: 1 / n, False),
    (initializers.lecun_uniform, lambda n, m: 1 / n, True),
]
EVERY_INITIALIZER = pytest.mark.parametrize(("init", "variance", "is_uniform"), INITIALIZERS)


@EVERY_INITIALIZER
@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), [
    ((100, 400), 400, 100), ((500, 80), 80, 500), ((40, 10, 12, 9), 1080, 4320), ((400, 20, 5), 100, 2000),
])
def test_mean_and_variance_by_fan(init, variance, is_uniform, shape, fan_in, fan_out):
    w = init(shape, np.random.default_rng(2), np.float64)
    assert w.shape == shape and w.dtype == np.float64
    wanted = variance(fan_in, fan_out)
    assert abs(w.mean()) < 4 * math.sqrt(wanted / w.size)
    assert w.var() == pytest.approx(wanted, rel=0.03)
    bound = math.sqrt(3 * wanted)
    if is_uniform:
        assert 0.999 * bound < w.max() <= bound and -bound <= w.min() < -0.999 * bound
        assert np.mean(np.abs(w) < bound / 2) == pytest.approx(0.5, abs=0.015)
    else:
        assert w.max() > 3.5 * math.sqrt(wanted)
        assert np.mean(np.abs(w) < math.sqrt(wanted)) == pytest.approx(0.6827, abs=0.015)


@EVERY_INITIALIZER
def test_a_seed_gives_the_same_weights_in_every_dtype(init, variance, is_uniform):
    single, double = init((7, 5), 3), init((7, 5), np.random.default_rng(3), np.float64)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, double.astype(np.float32), strict=True)


@EVERY_INITIALIZER
def test_initializers_say_what_is_wrong(init, variance, is_uniform):
    with pytest.raises(TypeError, match=re.escape(f"{RNG}None")):
        init((2, 3), None)
    name = getattr(init, "func", init).__name__
    if name not in ("normal", "uniform"):
        with pytest.raises(ValueError, match=re.escape("shape: expected (fan_out, fan_in, ...), got (3,): a vector has "
                                                       "no fan-in; use normal or uniform")):
            init((3,), 0)
    else:
        assert init((3,), 0).shape == (3,) and init((), 0).shape == ()


def test_every_initializer_has_a_row():
    rows = {getattr(init, "func", init).__name__ for init, _, _ in INITIALIZERS}
    assert rows == set(initializers.__all__)


# Activations: (module, the same as a function)

ACTIVATIONS = [
    (nn.Sigmoid(), functions.sigmoid),
    (nn.Tanh(), np.tanh),
    (nn.ReLU(), functions.relu),
    (nn.LeakyReLU(), lambda x: functions.leaky_relu(x, 0.01)),
    (nn.LeakyReLU(0.3), lambda x: functions.leaky_relu(x, 0.3)),
    (nn.ELU(), lambda x: functions.elu(x, 1.0)),
    (nn.ELU(0.7), lambda x: functions.elu(x, 0.7)),
    (nn.GELU(), lambda x: functions.gelu(x, "none")),
    (nn.GELU("tanh"), lambda x: functions.gelu(x, "tanh")),
    (nn.SiLU(), functions.silu),
    (nn.Softplus(), functions.softplus),
    (nn.Softplus(0.5), lambda x: functions.softplus(x / 2) * 2),
    (nn.Hardtanh(), functions.hardtanh),
    (nn.Hardtanh(-0.5, 0.25), lambda x: np.clip(x, -0.5, 0.25)),
    (nn.Softmax(), lambda x: functions.softmax(x, -1)),
    (nn.Softmax(axis=0), lambda x: functions.softmax(x, 0)),
    (nn.LogSoftmax(), lambda x: functions.log_softmax(x, -1)),
    (nn.LogSoftmax(0), lambda x: functions.log_softmax(x, 0)),
]
EVERY_ACTIVATION = pytest.mark.parametrize(("module", "function"), ACTIVATIONS, ids=[repr(m) for m, _ in ACTIVATIONS])


@EVERY_ACTIVATION
def test_activations_of_integers_are_those_of_floats_also_where_unsigned_ones_would_wrap_around(module, function):
    x = np.array([[0, 1, 200], [3, 2, 0]])
    for same in (x, x.astype(np.uint8), x.tolist()):
        np.testing.assert_array_equal(module(same), function(x.astype(float)), strict=True)
    name = type(module).__name__
    for wrong in (None, "text", x.astype(object)):
        with pytest.raises(TypeError, match=f"^{name}: expected an array of numbers, got one of dtype "):
            module(wrong)


@EVERY_ACTIVATION
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_equal_their_functions(module, function, dtype):
    x = np.concatenate([numbers(4, 3), [[-1000, 0, 1000]]]).astype(dtype)
    np.testing.assert_array_equal(module(x), function(x), strict=True)
    ours, theirs = Value(x), Value(x)
    for v, f in ((ours, module), (theirs, function)):
        y = f(v)
        np.testing.assert_array_equal(y.data, function(x), strict=True)
        y.backward(numbers(*x.shape, seed=1).astype(dtype))
    np.testing.assert_array_equal(ours.grad, theirs.grad, strict=True)
    assert not list(module.parameters())


@EVERY_ACTIVATION
def test_gradients_of_activations(module, function):
    gradcheck(module, numbers(3, 4)).raise_if_wrong()


# What PyTorch computes in float64 with the settings of the module's defaults, at -2, -0.5 and 1.5.
@pytest.mark.parametrize(("module", "wanted"), [
    (nn.Sigmoid(), [0.11920292202211755, 0.3775406687981454, 0.8175744761936437]),
    (nn.Tanh(), [-0.9640275800758169, -0.46211715726000974, 0.9051482536448664]),
    (nn.ReLU(), [0.0, 0.0, 1.5]),
    (nn.LeakyReLU(), [-0.02, -0.005, 1.5]),
    (nn.ELU(), [-0.8646647167633873, -0.3934693402873666, 1.5]),
    (nn.GELU(), [-0.04550026389635842, -0.15426876936299344, 1.399789198096713]),
    (nn.GELU("tanh"), [-0.04540230591222494, -0.15428599017485606, 1.3995715769802328]),
    (nn.SiLU(), [-0.2384058440442351, -0.1887703343990727, 1.2263617142904655]),
    (nn.Softplus(), [0.1269280110429725, 0.4740769841801067, 1.7014132779827524]),
    (nn.Softplus(2, 2), [0.009074963958904869, 0.15663084375911143, 1.5]),
    (nn.Hardtanh(), [-1.0, -0.5, 1.0]),
    (nn.Softmax(), [0.02590865471740153, 0.11611453467414118, 0.8579768106084573]),
    (nn.LogSoftmax(), [-3.6531782071222882, -2.1531782071222882, -0.1531782071222881]),
], ids=lambda x: repr(x) if callable(x) else "")
def test_activations_equal_pytorch(module, wanted):
    np.testing.assert_allclose(module(np.array([-2.0, -0.5, 1.5])), wanted, rtol=1e-12)


def test_gelu_says_what_it_knows():
    with pytest.raises(ValueError, match="GELU: approximate must be 'none' or 'tanh', got 'exact'"):
        nn.GELU("exact")


@pytest.mark.parametrize(("channels", "shape"), [(1, (2, 3)), (1, ()), (1, (4,)), (3, (2, 3)), (3, (2, 3, 4, 2))])
def test_prelu_has_a_slope_for_each_channel_or_one_for_all(channels, shape):
    layer, x = nn.PReLU(channels, init=0.5), numbers(*shape)
    assert (layer.weight.name, layer.weight.shape, layer.weight.dtype) == ("weight", (channels,), np.float32)
    assert np.all(layer.weight.data == 0.5)
    layer.weight.data[...] = np.arange(1, channels + 1) / 4
    y = layer(x)
    for place in np.ndindex(*shape):
        slope = layer.weight.data[place[1] if channels > 1 else 0]
        assert y.data[place] == pytest.approx(x[place] if x[place] > 0 else slope * x[place], rel=1e-6)
    assert layer([[-1.0] * channels]).shape == (1, channels)
    assert nn.PReLU().weight.data.tolist() == [0.25]


@pytest.mark.parametrize(("channels", "shape"), [(1, (4, 3)), (2, (3, 2)), (2, (2, 2, 3))])
def test_gradients_of_prelu(channels, shape):
    check_layer(lambda dtype: nn.PReLU(channels, dtype=dtype), shape)


def test_the_learned_slope_gets_the_sum_of_what_lies_below_zero():
    layer = nn.PReLU()
    layer(np.array([-1.0, -2.0, 5.0, 0.0], np.float32)).backward(np.array([1.0, 10.0, 100.0, 1000.0], np.float32))
    assert layer.weight.grad.tolist() == [-21.0] and layer.weight.grad.dtype == np.float32


@pytest.mark.parametrize(("make", "text"), [
    (lambda: nn.PReLU(0), "PReLU: num_parameters must be a positive integer, got 0"),
    (lambda: nn.PReLU(3)(np.ones((2, 4))), "PReLU(3): expected an input of shape (N, 3, ...), got (2, 4)"),
    (lambda: nn.PReLU(3)(np.ones(3)), "PReLU(3): expected an input of shape (N, 3, ...), got (3,)"),
    (lambda: nn.Hardtanh(1, 1), "Hardtanh: min_val must be less than max_val, got 1 and 1"),
    (lambda: nn.Hardtanh(2.0), "Hardtanh: min_val must be less than max_val, got 2.0 and 1.0"),
    (lambda: nn.Softplus(0), "Softplus: beta must be above 0, got 0"),
    (lambda: nn.Softplus(-1.0), "Softplus: beta must be a finite number of at least 0, got -1.0"),
])
def test_activations_say_which_argument_is_wrong(make, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        make()


@pytest.mark.parametrize("make", [
    lambda: Linear(2, 3, rng=0, dtype="int32"),
    lambda: initializers.he_normal((3, 2), 0, int),
    lambda: initializers.uniform((3,), 0, bool),
])
def test_weights_that_would_be_rounded_to_0_are_refused(make):
    with pytest.raises(TypeError, match="dtype must be one of floats, such as float32"):
        make()
