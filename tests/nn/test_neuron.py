"""Scalar neurons: micrograd's programs with the import changed give micrograd's numbers, and every error."""

import math
import random
import re

import numpy as np
import pytest

from autograd import Value
from nn.neuron import MLP, Layer, Neuron

# The programs, unchanged but for the import; the numbers beside them are micrograd's.


def test_sanity_check():
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_more_ops():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert g.data == pytest.approx(24.70408163265306, rel=1e-15)
    assert a.grad == pytest.approx(138.83381924198252, rel=1e-15)
    assert b.grad == pytest.approx(645.5772594752186, rel=1e-15)


def moons(n=10):
    """Two half circles that reach into each other, n points on each in turn, and their labels ±1."""
    points = []
    for i in range(n):
        t = math.pi * i / (n - 1)
        points += [(math.cos(t), math.sin(t)), (1 - math.cos(t), 0.5 - math.sin(t))]
    return [list(p) for p in points], [-1, 1] * n


# Cost and accuracy before each of eight steps of the demo's loop, with random.seed(1337).
DEMO = [
    (0.907348411565892, 0.5), (1.6557411550266987, 0.75), (1.007009634624914, 0.75), (1.0980729058607268, 0.75),
    (0.52210107691479, 0.8), (0.40517407250570026, 0.8), (0.3690874326733759, 0.85), (0.3434233438673916, 0.85),
]


@pytest.mark.parametrize("given", ["lists", "arrays"])  # the demo's points and labels are arrays
def test_the_moons_demo(given):
    X, y = moons()
    if given == "arrays":
        X, y = np.array(X), np.array(y)
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337

    def loss():
        inputs = [list(map(Value, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]
        return total_loss, sum(accuracy) / len(accuracy)

    for k, (cost, right) in enumerate(DEMO):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        assert float(total_loss.data) == pytest.approx(cost, rel=1e-9) and acc == right
    first = [p.data for p in model.parameters()[:3]]
    np.testing.assert_allclose(first, [-0.08272180084834106, 0.21677968798531802, -0.2702590334204313], rtol=1e-8)
    assert sum(float(p.data) for p in model.parameters()) == pytest.approx(-8.482903943229305, rel=1e-9)


# What is ours


def test_the_first_weights_are_those_of_python_s_random_module():
    random.seed(5)
    drawn = [random.uniform(-1, 1) for _ in range(6)]
    random.seed(5)
    layer = Layer(3, 2)
    assert [w.data for n in layer.neurons for w in n.w] == drawn
    assert all(type(p) is Value and type(p.data) is float for p in layer.parameters())


@pytest.mark.parametrize("make", [lambda rng: Neuron(3, rng=rng), lambda rng: Layer(3, 2, rng=rng),
                                  lambda rng: MLP(3, [4, 2], rng=rng)])
def test_rng_decides_the_weights(make):
    state = random.getstate()
    numbers = [p.data for p in make(np.random.default_rng(3)).parameters()]
    assert [p.data for p in make(3).parameters()] == numbers
    assert [p.data for p in make(4).parameters()] != numbers
    rng = np.random.default_rng(3)
    assert [p.data for p in make(rng).parameters()] == numbers != [p.data for p in make(rng).parameters()]
    assert random.getstate() == state
    weights = [x for x in numbers if x]
    assert len(set(weights)) == len(weights) and all(type(x) is float and -1 < x < 1 for x in weights)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: Neuron(3, rng=0), "ReLUNeuron(3)"),
    (lambda: Neuron(1, nonlin=False, rng=0), "LinearNeuron(1)"),
    (lambda: Layer(2, 2, rng=0), "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"),
    (lambda: Layer(2, 1, nonlin=False), "Layer of [LinearNeuron(2)]"),
    (lambda: MLP(2, [2, 1]), "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"),
    (lambda: MLP(1, (1,), rng=0), "MLP of [Layer of [LinearNeuron(1)]]"),
])
def test_repr(make, text):
    assert repr(make()) == text


@pytest.mark.parametrize("nonlin", [True, False])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_neuron_is_a_weighted_sum_and_a_bias(nonlin, sign):
    neuron = Neuron(3, nonlin, rng=0)
    neuron.b.data = 0.25
    x = [sign * w.data for w in neuron.w]
    z = sum(sign * w.data**2 for w in neuron.w) + 0.25
    y = neuron(x)
    y.backward()
    on = z > 0 or not nonlin
    assert y.data == pytest.approx(z if on else 0.0)
    for w, xi in zip(neuron.w, x, strict=True):
        assert w.grad == (xi if on else 0.0)
    assert neuron.b.grad == float(on)
    assert [p.name for p in neuron.parameters()] == ["w0", "w1", "w2", "b"]


def test_layers_give_a_list_or_one_value():
    assert type(Layer(2, 1, rng=0)([1.0, 2.0])) is Value
    out = Layer(2, 3, rng=0)([1.0, 2.0])
    assert type(out) is list and [type(y) for y in out] == [Value] * 3
    inside = [Value(1.0), Value(2.0)]
    MLP(2, [3, 1], rng=0)(inside).backward()
    assert all(type(v.grad) is float for v in inside)


def test_zero_grad_sets_all_to_0():
    model = MLP(2, [3, 2], rng=0)
    for y in model([1.0, -1.0]):
        y.backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0] * 17


@pytest.mark.parametrize(("model", "x", "text"), [
    (Neuron(2, rng=0), [1.0], "ReLUNeuron(2): expected 2 inputs, got 1"),
    (Layer(2, 2, rng=0), [1.0, 2.0, 3.0], "ReLUNeuron(2): expected 2 inputs, got 3"),
    (MLP(2, [1], rng=0), [], "LinearNeuron(2): expected 2 inputs, got 0"),
])
def test_another_number_of_inputs_is_an_error(model, x, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        model(x)


@pytest.mark.parametrize(("make", "name"), [(lambda rng: Neuron(2, rng=rng), "Neuron"),
                                            (lambda rng: Layer(2, 1, rng=rng), "Layer"),
                                            (lambda rng: MLP(2, [1], rng=rng), "MLP")])
def test_a_wrong_rng_is_an_error(make, name):
    with pytest.raises(TypeError, match=f"{name}: rng must be a numpy.random.Generator or an int that seeds one"):
        make("0")
    with pytest.raises(ValueError, match=f"{name}: rng: a seed must be 0 or more; got -1"):
        make(-1)
