"""`train_step`, `predict` and `accuracy`: what they change and what they leave alone, and every error."""

import math
import re

import numpy as np
import pytest

import nn
from autograd import Value
from nn import MLP, SGD, Adam, Linear, Module, Parameter, Sequential, Sigmoid, accuracy, predict, train_step

X = np.random.default_rng(0).standard_normal((30, 3)).astype(np.float32)
Y = np.tanh(X[:, :2])


class Probe(Module):
    """Passes its input on, and notes how it was called; after ``working`` calls it fails."""

    def __init__(self, working=1000):
        self.calls, self.working = [], working
        self.weight = Parameter([1.0])

    def __call__(self, x):
        y = self.weight * x
        self.calls.append((len(x), self.training, y.op is not None))
        if len(self.calls) > self.working:
            raise RuntimeError("broken")
        return y


# train_step


@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.1), lambda p: SGD(p, lr=0.02, momentum=0.9),
                                       lambda p: Adam(p, lr=0.01)])
def test_steps_lower_the_cost(optimizer):
    model = MLP([3, 8, 2], nn.Tanh, rng=1)
    optimizer = optimizer(model.parameters())
    costs = [train_step(model, nn.quadratic_cost, optimizer, X, Y) for _ in range(60)]
    assert {type(cost) for cost in costs} == {float}
    assert costs[-1] < 0.3 * costs[0]
    assert costs[0] == float(nn.quadratic_cost(MLP([3, 8, 2], nn.Tanh, rng=1)(X), Y))  # the cost before the step
    assert optimizer.steps == 60


def test_a_step_is_the_gradient_of_this_batch_alone():
    model, twin = MLP([3, 4, 2], rng=1), MLP([3, 4, 2], rng=1)
    for p in model.parameters():
        p.grad = np.full_like(p.data, 100.0)  # of something before
    train_step(model, nn.mse_loss, SGD(model.parameters(), lr=0.5), X[:7], Y[:7])
    nn.mse_loss(twin(X[:7]), Y[:7]).backward()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data - 0.5 * q.grad, rtol=1e-6)
        np.testing.assert_array_equal(p.grad, q.grad)


@pytest.mark.parametrize("cost", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.25), lambda p: Adam(p, lr=0.25)])
def test_a_cost_that_is_not_finite_changes_nothing(cost, optimizer):
    model = Linear(3, 2, rng=0)
    optimizer = optimizer(model.parameters())
    train_step(model, nn.mse_loss, optimizer, X, Y)
    before, state = model.state_dict(), repr(optimizer.state_dict())
    text = (f"the cost is {cost} at step 2 with lr=0.25: the numbers have grown out of bounds; use a smaller lr, or "
            "clip the gradient")
    with pytest.raises(FloatingPointError, match=f"^{re.escape(text)}$"):
        train_step(model, lambda output, target: (output - target).sum() * 0 + cost, optimizer, X, Y)
    for path, x in model.state_dict().items():
        np.testing.assert_array_equal(x, before[path])
    assert repr(optimizer.state_dict()) == state


def test_lbfgs_moves_until_it_has_converged():
    model = MLP([3, 8, 2], nn.Tanh, rng=1)
    optimizer = nn.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    step = nn.make_train_step(model, nn.mse_loss, optimizer)
    costs = [step(X, Y) for _ in range(5)]
    assert costs[0] == float(nn.mse_loss(MLP([3, 8, 2], nn.Tanh, rng=1)(X), Y)) and costs[-1] < costs[0] / 100
    history = nn.fit(model, nn.mse_loss, (X, Y), None, optimizer, epochs=2, batch_size=30, rng=0)
    assert history[-1]["cost"] < costs[-1] and optimizer.steps == 7
    with pytest.raises(FloatingPointError, match="the cost is inf at step 8"), np.errstate(all="ignore"):
        step(X * np.float32(1e38), Y * np.float32(1e38))


def root_of_0_where_y_is_1(output, y):
    return np.sqrt((output * y).sum() * 0 + 1 - np.max(y))


@pytest.mark.parametrize("jit", [True, False])
def test_a_gradient_that_is_not_finite_changes_nothing(jit):
    model = Linear(3, 2, rng=0)
    optimizer = Adam(model.parameters(), lr=0.25)
    step = nn.make_train_step(model, root_of_0_where_y_is_1, optimizer, jit=jit)
    step(X, Y * 0)
    before, state = model.state_dict(), repr(optimizer.state_dict())
    text = "the gradient of parameter 0 is not finite at step 2 with lr=0.25"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=f"^{re.escape(text)}$"):
        step(X, Y * 0 + 1)
    for path, x in model.state_dict().items():
        np.testing.assert_array_equal(x, before[path])
    assert repr(optimizer.state_dict()) == state


@pytest.mark.parametrize("jit", [True, False])
def test_clip_norm_clips_the_gradient_of_the_step(jit):
    model, twin = MLP([3, 4, 2], rng=1), MLP([3, 4, 2], rng=1)
    optimizer = SGD(twin.parameters(), lr=0.5)
    nn.make_train_step(model, nn.mse_loss, SGD(model.parameters(), lr=0.5), jit=jit, clip_norm=0.01)(X, Y)
    nn.mse_loss(twin(X), Y).backward()
    assert nn.clip_grad_norm(twin.parameters(), 0.01) > 0.01
    optimizer.step()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-5, atol=1e-7)


def test_training_that_diverges_is_stopped():
    model = Linear(3, 2, rng=0, dtype=np.float64)
    optimizer = SGD(model.parameters(), lr=1e3)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"the cost is (inf|nan) at step"):
        for _ in range(1000):
            train_step(model, nn.quadratic_cost, optimizer, X, Y)
    assert all(np.all(np.isfinite(p.data)) for p in model.parameters())


def test_a_cost_that_does_not_depend_on_the_parameters():
    model = Linear(3, 2, rng=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="SGD: no parameter has a gradient"):
        train_step(model, lambda output, target: Value(1.0), optimizer, X, Y)


# predict


@pytest.mark.parametrize(("rows", "size", "batches"), [
    (30, 10, [10, 10, 10]), (30, 7, [7, 7, 7, 7, 2]), (30, 1000, [30]), (1, 1, [1]), (3, 1, [1, 1, 1]),
])
def test_predict_goes_through_all_rows_in_batches(rows, size, batches):
    probe = Probe()
    y = predict(probe, X[:rows], size)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, X[:rows])
    assert [n for n, _, _ in probe.calls] == batches
    assert not any(training or recorded for _, training, recorded in probe.calls)


def test_predict_takes_and_gives_tuples_of_arrays():
    inner, weights = Linear(3, 2, rng=0), np.arange(30, dtype=np.float32)
    expected = inner(X).data * weights[:, None]
    y = predict(Sequential(lambda x: inner(x[0][0]) * x[1][:, None]), ((X,), weights), 7)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    first, (second,) = predict(Sequential(lambda x: (inner(x), (2 * x,))), X, 7)
    np.testing.assert_allclose(first * weights[:, None], expected, rtol=1e-6)
    np.testing.assert_array_equal(second, 2 * X)
    assert accuracy(Sequential(lambda x: inner(x[0])), (X,), np.argmax(inner(X).data, axis=1)) == 1


def test_predict_equals_the_model_and_takes_a_thousand_at_a_time():
    model, many = MLP([3, 4, 2], Sigmoid, rng=1), np.tile(X, (50, 1))
    np.testing.assert_allclose(predict(model, many), model(many).data, rtol=1e-5)
    probe = Probe()
    predict(probe, many)
    assert [n for n, _, _ in probe.calls] == [1000, 500]


@pytest.mark.parametrize("training", [True, False])
def test_predict_restores_the_mode(training):
    probe = Probe()
    model = Sequential(probe, Sigmoid()).train(training)
    predict(model, X)
    assert [module.training for module in model.modules()] == [training] * 3
    probe.working = 1
    with pytest.raises(RuntimeError, match="broken"):
        predict(model, X, size=10)
    assert [module.training for module in model.modules()] == [training] * 3
    assert (2 * Value(1.0)).op is not None  # and records again


def test_predict_restores_each_module_to_its_own_mode():
    model = Sequential(Probe(), Sigmoid())
    model[0].eval()
    predict(model, X)
    accuracy(model, X, np.zeros(30, int))
    assert [module.training for module in model.modules()] == [True, False, True]


def test_predict_of_a_model_without_parameters():
    np.testing.assert_array_equal(predict(Sequential(np.negative), X, 8), -X)


def test_predict_needs_a_row_of_output_for_each_row():
    """The last state of a recurrent layer has another first axis, and would be joined to nonsense."""
    x, layer = X[:, None], nn.LSTM(3, 2, batch_first=True, rng=0)
    text = r"predict: the model gave an array of shape \(1, 5, 2\) for 5 rows of x: there must be a row for each"
    with pytest.raises(ValueError, match=text):
        predict(layer, x, 5)
    assert predict(Sequential(layer, lambda y: y[0]), x, 5).shape == (len(x), 1, 2)
    with pytest.raises(ValueError, match=r"an array of shape \(\) for 5 rows"):
        predict(Sequential(np.sum), X, 5)


def test_predict_needs_rows():
    for rows, size in ((0, 10), (3, 0), (3, -1)):
        with pytest.raises(ValueError, match="predict: x has"):
            predict(Linear(3, 2, rng=0), X[:rows], size)
    with pytest.raises(TypeError, match="predict: x must be an array with a row for each example, got None"):
        predict(Linear(3, 2, rng=0), None)


# accuracy


@pytest.mark.parametrize("labels", [[0, 1, 2, 0], np.array([0, 1, 2, 0], np.uint8)])
def test_accuracy_is_the_part_that_is_right(labels):
    x = np.eye(3)[[0, 1, 1, 0]] + 0.1
    part = accuracy(Probe(), x, labels)
    assert type(part) is float and part == 0.75
    assert accuracy(Probe(), x, [1, 0, 0, 1]) == 0
    assert accuracy(Probe(), x, [0, 1, 1, 0]) == 1


@pytest.mark.parametrize("shape", [(3,), (5,), (4, 3), (4, 1), (), (0,)])
def test_accuracy_says_what_does_not_fit(shape):
    text = f"accuracy: there are 4 examples, but labels have the shape {shape}"
    with pytest.raises(ValueError, match=re.escape(text)):
        accuracy(Probe(), np.eye(4), np.zeros(shape, int))
