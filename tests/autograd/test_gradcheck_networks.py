"""``gradcheck`` of networks: every parameter by name, a table by layers, and nothing changed afterwards."""

import tracemalloc

import numpy as np
import pytest

import nn
from autograd import defvjp, gradcheck, primitive
from autograd.functions import relu


def digits(dtype=np.float64, activation=nn.Sigmoid):
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(784, 16, rng=rng, dtype=dtype), activation(),
                         nn.Linear(16, 16, rng=rng, dtype=dtype), activation(),
                         nn.Linear(16, 10, rng=rng, dtype=dtype), activation())


IMAGES, TARGETS = np.random.default_rng(1).random((8, 784)), np.eye(10)[:8]


def test_every_weight_and_bias_of_the_digit_network():
    model = digits()
    report = gradcheck(model, IMAGES, TARGETS, loss=nn.quadratic_cost)
    assert report, str(report)
    assert len(report.elements) == 13_002
    assert {e.argument for e in report.elements} == set(model.state_dict())
    assert set(report.verdicts.values()) == {"right"}
    assert max(e.error / abs(e.analytic) for e in report.elements) < 1e-6  # of its own gradient, not of the largest
    assert all(e.right for e in report.crosschecks)  # forward mode
    assert len(report.crosschecks) == 12


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.ReLU])
def test_along_directions_and_in_float32(activation):
    report = gradcheck(digits(np.float32, activation), IMAGES.astype(np.float32), TARGETS.astype(np.float32),
                       loss=nn.quadratic_cost, directions=5)
    assert report, str(report)
    assert len(report.elements) == 30
    assert report.elements[0].index == ("direction", 0)


def test_memory_stays_within_a_few_copies_of_the_parameters():
    model = digits()
    size = sum(p.data.nbytes for p in model.parameters())
    gradcheck(model, IMAGES, TARGETS, loss=nn.quadratic_cost, directions=1)
    tracemalloc.start()
    gradcheck(model, IMAGES, TARGETS, loss=nn.quadratic_cost, directions=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * size  # of which 3 are the directions


@pytest.mark.usefixtures("temporary_rules")
def test_a_layer_with_a_wrong_rule_is_seen_in_the_table():
    @primitive
    def shift(x, b):
        return x + b

    defvjp(shift, lambda y, x, b: lambda g: g, lambda y, x, b: lambda g: g.mean(axis=0))  # not the sum over the batch

    class Shifted(nn.Module):
        def __init__(self):
            self.bias = nn.Parameter(np.linspace(-0.3, 0.5, 3))

        def __call__(self, x):
            return shift(x, self.bias)

    model = nn.Sequential(nn.Linear(4, 3, rng=0, dtype=np.float64), Shifted(), nn.Tanh(),
                          nn.Linear(3, 2, rng=1, dtype=np.float64))
    report = gradcheck(model, IMAGES[:, :4], TARGETS[:, :2], loss=nn.mse_loss, modes="reverse")
    assert report.verdicts == {"0.weight": "right", "0.bias": "right", "1.bias": "wrong", "3.weight": "right",
                               "3.bias": "right"}
    assert (report.faults[0].operation, report.faults[0].argument) == (shift, 1)
    assert report.faults[0].line.text == "return shift(x, self.bias)"
    table = str(report).splitlines()
    wrong, = (line for line in table if line.startswith("1 "))
    assert wrong.split() == ["1", "bias", "(3,)", "3", "3", wrong.split()[-2], "WRONG"]
    assert sum(line.endswith("right") and line.startswith(("0 ", "3 ")) for line in table) == 2


def test_parameters_gradients_and_modes_are_left_alone():
    model = digits(np.float32)
    cost = nn.quadratic_cost(model(IMAGES.astype(np.float32)), TARGETS.astype(np.float32))
    cost.backward()
    data = {name: p.data for name, p in model.named_parameters()}
    before, grads = model.state_dict(), {name: p.grad.copy() for name, p in model.named_parameters()}
    gradcheck(model, IMAGES, TARGETS, loss=nn.quadratic_cost, directions=2)
    calls = 0

    def failing(output, target):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return nn.quadratic_cost(output, target)

    with pytest.raises(KeyboardInterrupt):
        gradcheck(model, IMAGES, TARGETS, loss=failing, directions=2)
    assert calls == 5
    for name, p in model.named_parameters():
        assert p.data is data[name]
        assert p.data.dtype == np.float32
        np.testing.assert_array_equal(p.data, before[name])
        np.testing.assert_array_equal(p.grad, grads[name])


def test_a_layer_by_itself_and_its_input_at_the_second_order():
    layer = nn.Linear(3, 2, rng=0, dtype=np.float64)
    report = gradcheck(lambda x: layer(x) ** 2, np.ones((2, 3)))
    assert report.verdicts == {"x": "right"}
    report = gradcheck(layer, np.ones((2, 3)), order=2)
    assert report.verdicts == {"x": "right", "weight": "right", "bias": "right"}


def test_shared_and_unused_parameters():
    class Model(nn.Module):
        def __init__(self):
            self.first = nn.Linear(3, 3, rng=0, dtype=np.float64)
            self.second = self.first
            self.unused = nn.Parameter(np.ones(2))

        def __call__(self, x):
            return self.second(relu(self.first(x)))

    report = gradcheck(Model(), np.ones((2, 3)), np.zeros((2, 3)), loss=nn.mse_loss)
    assert report.verdicts == {"first.weight": "right", "first.bias": "right", "unused": "detached"}
    assert report
