"""`Sequential` and `MLP`: what they hold, in which order and under which names, and the text of every error."""

import re

import numpy as np
import pytest

import nn
from nn import MLP, Linear, Parameter, Sequential, Sigmoid, Tanh


def test_sequential_is_a_sequence_of_modules():
    modules = [Linear(3, 4, rng=0), Tanh(), Linear(4, 2, rng=1)]
    model = Sequential(*modules)
    assert len(model) == 3 and list(model) == modules
    assert [model[i] for i in (0, 1, -1)] == [modules[0], modules[1], modules[2]]
    part = model[:2]
    assert type(part) is Sequential and list(part) == modules[:2]
    assert list(model[::-2]) == [modules[2], modules[0]] and list(model[3:]) == []
    assert list(model[2:].state_dict()) == ["2.weight", "2.bias"]  # under the same names, as in PyTorch
    with pytest.raises(IndexError):
        model[3]
    x = np.ones((5, 3))
    np.testing.assert_array_equal(model(x).data, modules[2](modules[1](modules[0](x))).data)
    assert Sequential()(x) is x


def test_names_are_those_of_pytorch():
    model = Sequential(Linear(3, 4, rng=0), Tanh(), Sequential(Linear(4, 2, bias=False, rng=1)))
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.0.weight"]
    assert [path for path, _ in model.named_modules()] == ["", "0", "1", "2", "2.0"]


def test_sequential_keeps_the_order_of_more_than_ten():
    model = Sequential(*[Linear(i + 1, i + 2, rng=i) for i in range(12)])
    assert [layer.in_features for layer in model] == list(range(1, 13))
    assert model(np.ones(1)).shape == (13,)


def test_sequential_takes_functions_and_a_module_twice():
    layer = Linear(2, 2, rng=0, dtype=np.float64)
    model = Sequential(layer, np.tanh, layer)
    assert len(list(model.parameters())) == 2
    np.testing.assert_array_equal(model(np.ones(2)).data, layer(np.tanh(layer(np.ones(2)))).data)


def test_sequential_can_be_subclassed_with_more_attributes():
    class Scaled(Sequential):
        def __init__(self, *modules):
            super().__init__(*modules)
            self.factor = Parameter(2.0)
            self.unused = Tanh()

        def __call__(self, x):
            return self.factor * super().__call__(x)

    model = Scaled(Linear(2, 1, rng=0))
    assert len(model) == 1 and list(model.state_dict()) == ["0.weight", "0.bias", "factor"]
    np.testing.assert_allclose(model(np.ones(2)).data, 2 * model[0](np.ones(2)).data)
    assert [line.strip() for line in repr(model).splitlines()[1:-1]] == [f"(0): {model[0]!r}", "(unused): Tanh()"]


@pytest.mark.parametrize(("items", "text"), [
    ((Linear(1, 1, rng=0), 3), "Sequential: item 1 must be a module or a function, got 3"),
    (([Tanh()],), "Sequential: item 0 must be a module or a function, got [Tanh()]"),
    ((Tanh(), Sigmoid), "Sequential: item 1 is the class Sigmoid, not a module; write Sigmoid()"),
])
def test_sequential_says_which_item_is_wrong(items, text):
    with pytest.raises(TypeError, match=re.escape(text)):
        Sequential(*items)


@pytest.mark.parametrize(("options", "kinds"), [
    ({}, ["Linear", "ReLU", "Linear", "ReLU", "Linear"]),
    ({"activation": Tanh}, ["Linear", "Tanh", "Linear", "Tanh", "Linear"]),
    ({"activation": Sigmoid, "output": nn.Softmax}, ["Linear", "Sigmoid", "Linear", "Sigmoid", "Linear", "Softmax"]),
    ({"activation": lambda: nn.LeakyReLU(0.3)}, ["Linear", "LeakyReLU", "Linear", "LeakyReLU", "Linear"]),
])
def test_mlp_is_linear_layers_with_an_activation_between(options, kinds):
    model = MLP([5, 4, 3, 2], rng=np.random.default_rng(7), **options)
    assert [type(module).__name__ for module in model] == kinds
    rng = np.random.default_rng(7)  # each layer draws from the one generator in turn
    for layer, (n, m) in zip(model[:5:2], [(5, 4), (4, 3), (3, 2)], strict=True):
        own = Linear(n, m, rng=rng)
        np.testing.assert_array_equal(layer.weight.data, own.weight.data)
        np.testing.assert_array_equal(layer.bias.data, own.bias.data)


def test_mlp_passes_on_how_weights_start():
    model = MLP([4, 3, 2], rng=0, init=nn.initializers.he_normal, dtype=np.float64)
    wanted = nn.initializers.he_normal((3, 4), np.random.default_rng(0), np.float64)
    np.testing.assert_array_equal(model[0].weight.data, wanted)
    np.testing.assert_array_equal(model[2].bias.data, np.zeros(2))


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: MLP([3], rng=0), ValueError, "such as [784, 16, 10], got [3]"),
    (lambda: MLP([], rng=0), ValueError, "such as [784, 16, 10], got []"),
    (lambda: MLP([3, 0, 1], rng=0), ValueError, "Linear: out_features must be a positive integer, got 0"),
    (lambda: MLP([3, 2, 1], Tanh(), rng=0), TypeError,
     "MLP: activation must be a class or function that makes a module, got Tanh(); write Tanh, or lambda: Tanh()"),
    (lambda: MLP([3, 1], output=nn.LeakyReLU(0.2), rng=0), TypeError, "MLP: output must be a class or function"),
    (lambda: MLP([3, 1], rng=None), TypeError, "MLP: rng must be a numpy.random.Generator or an int that seeds one"),
])
def test_mlp_says_what_is_wrong(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()
