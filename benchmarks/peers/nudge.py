"""Nudge: a step as its users write it, eager or under ``jit`` with one of its backends (the variants)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
import nn
from autograd.functions import relu, sigmoid

from .. import programs
from ..scalar_network import prepared
from ..workloads import LENET, LR, LSTM, drawn, images, labelled, layers
from . import Epochs, Prepared, Unable

MODULES = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "linear": None}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {"sigmoid": sigmoid, "relu": relu, "linear": lambda z: z}


def way(variant: str, step: Callable) -> Callable:
    """``step`` as it is, or compiled."""
    if variant == "eager":
        return step
    jitted = autograd.jit(step, backend=variant)
    if jitted.backend != variant:
        raise Unable(f"jit falls back to {jitted.backend}")
    return jitted


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    model = nn.MLP(sizes, MODULES[hidden], MODULES[output], rng=0)
    for p, numbers in zip(model.parameters(), layers(sizes), strict=True):
        p.data[...] = numbers
    return stepped(variant, model, nn.quadratic_cost, *images(batch, sizes))


def stepped(variant: str, model: nn.Module, cost_of: Callable, x: Any, y: Any) -> Prepared:
    """A step of gradient descent."""
    optimizer = nn.SGD(model.parameters(), lr=LR)

    def step(x: Any, y: Any) -> Any:
        cost = cost_of(model(x), y)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        return cost

    step = way(variant, step)
    return Prepared(lambda: step(x, y), lambda: [p.data for p in model.parameters()])


def lenet(variant: str, batch: int) -> Prepared:
    model = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5, rng=0),
                          nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.MLP([400, 120, 84, 10], rng=0))
    for p, numbers in zip(model.parameters(), drawn(LENET), strict=True):
        p.data[...] = numbers
    return stepped(variant, model, nn.cross_entropy, *labelled(batch, (1, 28, 28)))


class Recurrent(nn.Module):
    """An LSTM whose last output is classified."""

    def __init__(self) -> None:
        self.lstm, self.linear = nn.LSTM(28, 128, batch_first=True, rng=0), nn.Linear(128, 10, rng=0)

    def __call__(self, x: Any) -> Any:
        return self.linear(self.lstm(x)[0][:, -1])


def lstm(variant: str, batch: int) -> Prepared:
    model = Recurrent()
    for p, numbers in zip(model.parameters(), drawn(LSTM), strict=True):
        p.data[...] = numbers
    return stepped(variant, model, nn.cross_entropy, *labelled(batch, (28, 28)))


def scalars(variant: str, count: int) -> Prepared:
    return prepared(autograd.Value, nn.neuron.MLP, count, lambda step: way(variant, step))


def hessian_vector(variant: str, sizes: tuple[int, ...], batch: int) -> Prepared:
    x, y = images(batch, sizes)

    def cost(parameters: Any) -> Any:
        a = x
        for w, b in zip(parameters[0::2], parameters[1::2], strict=True):
            a = sigmoid(a @ w.T + b)
        return nn.quadratic_cost(a, y)

    product = way(variant, autograd.hessian_vector_product(cost))
    parameters, direction, result = layers(sizes), layers(sizes, seed=3), []

    def step() -> None:
        result[:] = product(parameters, direction)

    return Prepared(step, lambda: result)


def training(variant: str, recipe: str, target: float, seed: int) -> Epochs:
    from ..recipes import Plan

    plan = Plan(recipe, seed)
    model = plan.model
    optimizer = plan.recipe.optimizer(model.parameters(), lr=plan.lr)
    schedule = nn.OneCycle(optimizer, plan.lr, plan.steps) if plan.recipe.one_cycle else None
    compiled = way(variant, lambda x, y: nn.train_step(model, plan.recipe.cost, optimizer, x, y))

    def step(x: Any, y: Any) -> None:
        compiled(x, y)
        if schedule:
            schedule.step()

    return Epochs(plan.batches, step, lambda x: nn.predict(model, x), plan.test)


def program(variant: str, name: str) -> Prepared:
    if variant != "eager":
        raise Unable  # the programs run as they are
    return Prepared(programs.PROGRAMS[name]())
