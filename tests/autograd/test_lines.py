"""The line that made a Value: the user's, whatever way the call took."""

import numpy as np
import pytest

import nn
from autograd import Value, grad, no_grad
from autograd.functions import sigmoid
from autograd.lines import line_of
from nn.neuron import Neuron

V = Value([1.0, 2.0])
MODEL = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Sigmoid())

MADE = [  # each on a line of its own, with the expression as it stands there
    (Value(3.0), "Value(3.0)"),
    (V * 2, "V * 2"),
    (2 - V, "2 - V"),
    (-V, "-V"),
    (V[0], "V[0]"),
    (V.sum(), "V.sum()"),
    (V.reshape(2, 1), "V.reshape(2, 1)"),
    (np.exp(V), "np.exp(V)"),
    (np.add.reduce(V), "np.add.reduce(V)"),
    (np.linalg.norm(V), "np.linalg.norm(V)"),
    (np.concatenate([V, V]), "np.concatenate([V, V])"),
    (sigmoid(V), "sigmoid(V)"),
    (V.detach(), "V.detach()"),
    (V.at[0].set(3.0), "V.at[0].set(3.0)"),
    (np.sum(np.exp(V)
            + 1), "np.sum(np.exp(V) + 1)"),
    (MODEL(np.ones(2)), "MODEL(np.ones(2))"),
]


@pytest.mark.parametrize(("value", "expression"), MADE, ids=[row[1] for row in MADE])
def test_a_value_knows_the_expression_that_made_it(value, expression):
    line = line_of(value)
    assert line is not None
    assert line.file == __file__
    assert line.expression == expression
    assert line.text.startswith("(" + expression[:8])
    assert str(line) == f"{line.place}: {line.text}"


def test_results_that_are_not_recorded_know_it_too():
    with no_grad():
        y = V * 5
    assert line_of(y).expression == "V * 5"


def test_a_scalar_of_a_neuron_knows_the_line_of_the_neuron():
    y = Neuron(2, rng=0)([1.0, 2.0])
    assert line_of(y) is not None


def test_a_value_of_a_rule_belongs_to_the_call_that_ran_it():
    seen = []

    def f(x):
        g = grad(np.exp)(x)
        seen.append(g)
        return g

    grad(f)(1.0)
    assert line_of(seen[0]).expression == "grad(np.exp)(x)"


def test_a_line_without_source():
    scope = {}
    exec("from autograd import Value\ny = Value(2.0) * 3", {"__name__": "nowhere"}, scope)
    line = line_of(scope["y"])
    assert (line.number, line.text, line.expression) == (2, "", "")
    assert str(line) == "<string>:2"
