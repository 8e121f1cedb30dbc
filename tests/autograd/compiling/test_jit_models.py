"""``jit`` of training steps of models of every kind: modes, shared and frozen weights, numbers, several at once."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import jit
from nn import neuron
from tests.autograd.compiling.same import BACKENDS, assert_same
from tests.autograd.compiling.test_jit_training import OPTIMIZERS, Run, compared, several


class Modes(nn.Module):
    """In training it is noisy, and counts; in evaluation it uses the mean that it has seen."""

    def __init__(self) -> None:
        self.linear = nn.Linear(4, 3, rng=0)
        self.mean = np.zeros(3, np.float32)
        self.seen = 0

    def __call__(self, x: Any) -> Any:
        y = self.linear(x)
        if self.training:
            self.seen += 1
            self.mean *= 0.9
            self.mean += np.float32(0.1) * np.mean(y.data, axis=0)
            return y - np.mean(y, axis=0)
        return y - self.mean


def test_training_and_evaluation():
    def use(run: Run) -> Any:
        seen = several(run, 2)
        for mode in (False, True, False):
            run.model.train(mode)
            seen += [*several(run, 2), run.model.mean.copy(), run.model.seen]
        return seen

    compared(use, model=Modes, traces=3)  # the class's own ``training``, False, and True


class Shared(nn.Module):
    """One weight used twice, one frozen, one that the cost does not depend on, and one number."""

    def __init__(self) -> None:
        self.w = nn.Parameter(np.full((4, 4), 0.1, np.float32))
        self.again = self.w
        self.head = nn.Linear(4, 3, rng=0)
        self.unused = nn.Parameter(np.ones(2, np.float32))
        self.scale = nn.Parameter(1.5)
        self.frozen = np.full(4, 0.5, np.float32)

    def __call__(self, x: Any) -> Any:
        return self.head(np.tanh(np.tanh(x @ self.w) @ self.again) + self.frozen) * self.scale


@pytest.mark.parametrize("optimizer", ["SGD", "all of SGD", "AdamW"])
def test_weights_shared_frozen_unused_and_numbers(optimizer):
    compared(several, model=Shared, optimizer=optimizer, ulps=4)


def test_a_parameter_that_gets_no_gradient_any_more():
    """Its gradient of an earlier call stays, as it does without jit."""
    def step_of(run: Run) -> Callable:
        def step(x: Any, y: Any, all_of_it: bool) -> Any:
            head = run.model.head(x)
            cost = nn.mse_loss(run.model(x) + head if all_of_it else head, y)
            cost.backward()
            run.optimizer.step()
            return cost
        return step

    def use(run: Run) -> Any:
        seen = []
        for all_of_it in (False, False, True, False, False, True):
            seen += [run.step(*run.batch(), all_of_it).data * 1, run.state()]
        return seen

    compared(use, model=Shared, step=step_of, optimizer="all of SGD", ulps=4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_micrograds_network(backend):
    """Every weight is a Python number."""
    def model() -> Any:
        random.seed(1)
        return neuron.MLP(3, [4, 4, 1])

    def step_of(run: Run) -> Callable:
        def step(xs: Any, ys: Any) -> Any:
            outputs = [run.model(x) for x in xs]
            cost = sum((out - y) ** 2 for out, y in zip(outputs, ys, strict=True))
            run.model.zero_grad()
            cost.backward()
            for p in run.model.parameters():
                p.data += -0.01 * p.grad
            return cost
        return step

    def use(run: Run) -> Any:
        xs, ys = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0]], [1.0, -1.0, 1.0]
        return [[run.step(xs, ys).data, run.state()] for _ in range(4)]

    compared(use, backend, 4, model=model, step=step_of, traces=1)


def test_numbers_under_an_optimizer():
    def model() -> Any:
        random.seed(1)
        return neuron.MLP(2, [3, 1])

    def step_of(run: Run) -> Callable:
        def step(x: Any) -> Any:
            cost = (run.model([x, x * 2]) - 1.0) ** 2
            run.optimizer.zero_grad()
            cost.backward()
            run.optimizer.step()
            return cost.data
        return step

    def use(run: Run) -> Any:
        return [[run.step(float(k)), run.state()] for k in range(3)]

    for optimizer in OPTIMIZERS:
        compared(use, model=model, step=step_of, optimizer=optimizer, ulps=16, traces=1)


def test_two_models_in_one_step_and_two_steps_on_one_model():
    first, second = (nn.Linear(3, 3, rng=i, dtype=float) for i in range(2))
    twins = [nn.Linear(3, 3, rng=i, dtype=float) for i in range(2)]

    def steps_of(a: Any, b: Any) -> tuple:
        fast, slow = nn.SGD(a.parameters(), 0.1), nn.Adam([*a.parameters(), *b.parameters()], 0.01)

        def one(x: Any) -> None:
            fast.zero_grad()
            (a(x) ** 2).sum().backward()
            fast.step()

        def both(x: Any) -> None:
            slow.zero_grad()
            (b(a(x)) ** 2).sum().backward()
            slow.step()
        return one, both

    jitted, plain = [jit(f, backend="numpy") for f in steps_of(first, second)], steps_of(*twins)
    x = np.array([[0.5, -1.0, 2.0]])
    for k in (0, 1, 0, 0, 1, 1):
        jitted[k](x)
        plain[k](x)
        for p, q in zip([*first.parameters(), *second.parameters()], [*twins[0].parameters(), *twins[1].parameters()],
                        strict=True):
            assert_same([p.data, p.grad], [q.data, q.grad], 4)
    assert [f._traces for f in jitted] == [1, 1]
