"""The numbers and formulas of the lecture notes: the digit network, its cost, and the chain rule written out."""

import math
from itertools import pairwise

import numpy as np
import pytest

import nn
from autograd import Value, grad
from autograd.functions import sigmoid


def digit_network(sizes=(784, 16, 16, 10), seed=0, dtype=np.float32):
    return nn.MLP(sizes, nn.Sigmoid, nn.Sigmoid, rng=seed, dtype=dtype)


def sigma(z):
    return 1 / (1 + math.exp(-z))


def slope_of_sigma(z):
    return math.exp(-z) / (1 + math.exp(-z)) ** 2


# The network


def test_the_digit_network_has_13_002_weights_and_biases():
    model = digit_network()
    weights = [p.size for path, p in model.named_parameters() if path.endswith("weight")]
    biases = [p.size for path, p in model.named_parameters() if path.endswith("bias")]
    assert weights == [784 * 16, 16 * 16, 16 * 10] and biases == [16, 16, 10]
    assert sum(weights) + sum(biases) == 13_002
    assert nn.summary(model).splitlines()[-1].split() == ["total", "13,002"]


def test_a_layer_is_sigma_of_w_a_plus_b():
    model = digit_network(dtype=np.float64)
    a = np.random.default_rng(1).uniform(0, 1, 784)  # the brightness of the pixels
    given = a
    for layer in (0, 2, 4):
        w, b = model[layer].weight.data, model[layer].bias.data
        first = sigma(sum(w[0, k] * a[k] for k in range(len(a))) + b[0])  # one row of weights for each neuron
        a = 1 / (1 + np.exp(-(w @ a + b)))
        assert a[0] == pytest.approx(first, rel=1e-12)
        np.testing.assert_allclose(model[:layer + 2](given).data, a, rtol=1e-12)
    assert model(given).shape == (10,)
    np.testing.assert_allclose(model(np.stack([given, given])).data, [a, a], rtol=1e-12)


def test_sigma_squeezes_any_number_between_0_and_1():
    z = np.array([-1000.0, -5.0, 0.0, 5.0, 1000.0])
    np.testing.assert_allclose(sigmoid(z), [0.0, sigma(-5), 0.5, sigma(5), 1.0], rtol=1e-15)
    np.testing.assert_allclose(nn.ReLU()(z), [0, 0, 0, 5, 1000])


def test_the_cost_is_the_sum_of_squares_averaged_over_the_examples():
    output = np.random.default_rng(2).uniform(0, 1, (5, 10))
    target = nn.data.one_hot(np.array([3, 1, 4, 1, 5]), 10)
    costs = [sum((output[i, j] - target[i, j]) ** 2 for j in range(10)) for i in range(5)]
    assert float(nn.quadratic_cost(output, target)) == pytest.approx(sum(costs) / 5, rel=1e-12)
    assert float(nn.quadratic_cost(output[0], target[0])) == pytest.approx(costs[0], rel=1e-12)


# The gradient


def test_the_gradient_of_the_first_example():
    x, y = Value(1.0), Value(1.0)
    (3 / 2 * x**2 + 1 / 2 * y**2).backward()
    assert (x.grad, y.grad) == (3.0, 1.0)
    assert grad(lambda x, y: 3 / 2 * x**2 + 1 / 2 * y**2, (0, 1))(1.0, 1.0) == (3.0, 1.0)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_the_chain_of_single_neurons(layers):
    numbers = np.random.default_rng(layers).uniform(-2, 2, (2, layers))
    w, b = ([None, *map(Value, row)] for row in numbers)  # w[l] and b[l] lead to a[l], as in the notes
    y, a, z = 0.75, [Value(0.6)], [None]
    for layer in range(1, layers + 1):
        z.append(w[layer] * a[layer - 1] + b[layer])
        a.append(sigmoid(z[layer]))
    cost = (a[-1] - y) ** 2
    cost.backward()

    last = layers
    slope = [None, *(slope_of_sigma(float(zl)) for zl in z[1:])]
    dc_da = 2 * (a[last].data - y)
    assert a[last].grad == pytest.approx(dc_da, rel=1e-12)
    # The product for a layer, from the cost back: 2(a - y), then σ'(z) w for each layer passed, then σ'(z) and a.
    assert w[last].grad == pytest.approx(a[last - 1].data * slope[last] * dc_da, rel=1e-12)
    assert b[last].grad == pytest.approx(slope[last] * dc_da, rel=1e-12)
    assert a[last - 1].grad == pytest.approx(w[last].data * slope[last] * dc_da, rel=1e-12)
    for layer in range(1, layers + 1):
        behind = math.prod(slope[m] * w[m].data for m in range(layer + 1, last + 1)) * dc_da
        assert a[layer].grad == pytest.approx(behind, rel=1e-12)
        assert z[layer].grad == pytest.approx(slope[layer] * behind, rel=1e-12)
        assert b[layer].grad == pytest.approx(slope[layer] * behind, rel=1e-12)
        assert w[layer].grad == pytest.approx(a[layer - 1].data * slope[layer] * behind, rel=1e-12)
    assert a[0].grad == pytest.approx(math.prod(slope[m] * w[m].data for m in range(1, last + 1)) * dc_da, rel=1e-12)


def forward(w, b, x):
    """All weighted sums and activations of a network, layer by layer: z[l] = w[l] a[l-1] + b[l], a[l] = σ(z[l])."""
    a, z = [x], [None]
    for wl, bl in zip(w, b, strict=True):
        z.append(wl @ a[-1] + bl)
        a.append(sigmoid(z[-1]))
    return a, z


@pytest.mark.parametrize("sizes", [(3, 2), (4, 3, 2), (4, 3, 5, 2), (2, 6, 1, 4, 3)])
def test_the_general_network_with_indices(sizes):
    rng = np.random.default_rng(len(sizes))
    w = [Value(rng.uniform(-1, 1, (m, n))) for n, m in pairwise(sizes)]
    b = [Value(rng.uniform(-1, 1, m)) for m in sizes[1:]]
    y = rng.uniform(0, 1, sizes[-1])
    a, z = forward(w, b, Value(rng.uniform(0, 1, sizes[0])))
    nn.quadratic_cost(a[-1], y).backward()

    dc_da = [2 * (a[-1].data[j] - y[j]) for j in range(sizes[-1])]
    for layer in range(len(w), 0, -1):
        np.testing.assert_allclose(a[layer].grad, dc_da, rtol=1e-11)
        slope = [slope_of_sigma(zj) for zj in z[layer].data]
        before, weights = a[layer - 1].data, w[layer - 1]
        outputs, inputs = range(sizes[layer]), range(sizes[layer - 1])
        for j in outputs:
            assert b[layer - 1].grad[j] == pytest.approx(slope[j] * dc_da[j], rel=1e-11)
            for k in inputs:
                assert weights.grad[j, k] == pytest.approx(before[k] * slope[j] * dc_da[j], rel=1e-11)
        dc_da = [sum(weights.data[j, k] * slope[j] * dc_da[j] for j in outputs) for k in inputs]
    np.testing.assert_allclose(a[0].grad, dc_da, rtol=1e-11)


def gradient(model, x, y):
    """The gradient of the cost as one long column of numbers."""
    model.zero_grad()
    nn.quadratic_cost(model(x), y).backward()
    return np.concatenate([p.grad.ravel() for p in model.parameters()])


def examples(n, sizes, seed=3):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (n, sizes[0])), nn.data.one_hot(rng.integers(0, sizes[-1], n), sizes[-1])


def test_layers_give_the_same_gradient_as_the_formulas():
    sizes = (20, 8, 8, 4)
    model = digit_network(sizes, dtype=np.float64)
    x, y = examples(1, sizes)
    w, b = ([Value(getattr(model[i], name).data) for i in (0, 2, 4)] for name in ("weight", "bias"))
    a, _ = forward(w, b, x[0])
    nn.quadratic_cost(a[-1], y[0]).backward()
    column = np.concatenate([p.grad.ravel() for pair in zip(w, b, strict=True) for p in pair])
    np.testing.assert_allclose(gradient(model, x, y), column, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 10])
def test_the_gradient_of_the_mean_cost_is_the_mean_of_the_gradients(n):
    sizes = (20, 8, 8, 4)
    model = digit_network(sizes, dtype=np.float64)
    x, y = examples(n, sizes)
    each = [gradient(model, x[i:i + 1], y[i:i + 1]) for i in range(n)]
    np.testing.assert_allclose(gradient(model, x, y), np.mean(each, axis=0), rtol=1e-10, atol=1e-15)


# Descent


def curve(x):
    """A curve with two valleys, at about -1.04 and 0.96."""
    return (x**2 - 1) ** 2 + 0.3 * x


def one_step(x, lr):
    w = Value(x)
    optimizer = nn.SGD([w], lr=lr)
    curve(w).backward()
    optimizer.step()
    return w.data, w.grad


@pytest.mark.parametrize("x", np.linspace(-1.8, 1.8, 25).tolist())
def test_descent_moves_left_where_the_slope_is_positive_and_right_where_it_is_negative(x):
    slope = 4 * x * (x**2 - 1) + 0.3
    after, measured = one_step(x, lr=0.01)
    assert measured == pytest.approx(slope, rel=1e-12)
    assert after == pytest.approx(x - 0.01 * slope, rel=1e-12)
    assert (after < x) == (slope > 0) and (after > x) == (slope < 0)
    assert curve(after) < curve(x)


@pytest.mark.parametrize(("start", "valley"), [(-2.0, -1.03555), (-0.1, -1.03555), (0.2, 0.96016), (2.0, 0.96016)])
def test_descent_rolls_into_the_nearest_valley_and_stops_there(start, valley):
    w = Value(start)
    optimizer = nn.SGD([w], lr=0.02)
    path = []
    for _ in range(400):
        optimizer.zero_grad()
        cost = curve(w)
        cost.backward()
        path.append((cost.data, abs(w.grad)))
        optimizer.step()
    costs = [c for c, _ in path]
    assert all(after <= before + 1e-15 for before, after in pairwise(costs))
    assert w.data == pytest.approx(valley, abs=1e-4) and path[-1][1] < 1e-10
    rest = w.data
    optimizer.step()
    assert w.data == pytest.approx(rest, abs=1e-12)


def test_steps_become_smaller_as_the_slope_flattens():
    x, steps = 3.0, []
    for _ in range(10):
        w = Value(x)
        (w**2).backward()
        nn.SGD([w], lr=0.1).step()
        steps.append(x - w.data)
        x = w.data
    assert steps == sorted(steps, reverse=True) and steps[-1] > 0
    assert x == pytest.approx(3 * 0.8**10)


def test_no_other_direction_lowers_the_cost_as_fast_as_against_the_gradient():
    sizes, length = (20, 8, 8, 4), 1e-3
    model = digit_network(sizes, dtype=np.float64)
    x, y = examples(10, sizes)
    column = gradient(model, x, y)
    start = model.state_dict()

    def change(direction):
        moved, at = {}, 0
        step = length * direction / np.linalg.norm(direction)
        for path, p in start.items():
            moved[path] = p + step[at:at + p.size].reshape(p.shape)
            at += p.size
        model.load_state_dict(start)
        before = float(nn.quadratic_cost(model(x), y))
        model.load_state_dict(moved)
        return float(nn.quadratic_cost(model(x), y)) - before

    downhill = change(-column)
    assert downhill == pytest.approx(-length * np.linalg.norm(column), rel=0.01)
    directions = np.random.default_rng(4).standard_normal((100, len(column)))
    others = [change(sign * direction) for direction in directions for sign in (1, -1)]
    assert downhill < min(others) < 0
    aside = np.linalg.norm(column) * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert all(change(-column + 0.3 * a) > downhill for a in aside)  # nor one that is nearly the same
    assert change(column) > max(others) > 0


def test_a_larger_component_matters_more():
    x, y = Value(1.0), Value(1.0)
    (3 / 2 * x**2 + 1 / 2 * y**2).backward()

    def cost(x, y):
        return 3 / 2 * x**2 + 1 / 2 * y**2

    nudge = 1e-6
    assert (cost(1 + nudge, 1) - cost(1, 1)) / (cost(1, 1 + nudge) - cost(1, 1)) == pytest.approx(3, rel=1e-5)
    assert x.grad / y.grad == 3


def test_training_lowers_the_cost_and_the_network_learns():
    sizes = (20, 8, 8, 4)
    rng = np.random.default_rng(5)
    prototypes = rng.uniform(0, 1, (4, 20))
    labels = rng.integers(0, 4, 400)
    x = (prototypes[labels] + 0.15 * rng.standard_normal((400, 20))).astype(np.float32)
    y = nn.data.one_hot(labels, 4)
    model = digit_network(sizes)
    optimizer = nn.SGD(model.parameters(), lr=3.0)
    before = nn.accuracy(model, x, labels)
    for _ in range(15):
        for batch, target in nn.data.minibatches(x, y, size=10, rng=rng):
            nn.train_step(model, nn.quadratic_cost, optimizer, batch, target)
    assert before < 0.5 and nn.accuracy(model, x, labels) > 0.95
