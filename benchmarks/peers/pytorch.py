"""PyTorch: eager, model and loss compiled, or the whole step compiled through ``torch.func`` (the variants)."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from ..workloads import DIGITS, LENET, LR, LSTM, drawn, images, labelled, layers
from . import Epochs, Prepared, Unable

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
ACTIVATIONS = {"sigmoid": [torch.nn.Sigmoid()], "relu": [torch.nn.ReLU()], "linear": []}


def multilayer(parameters: list[np.ndarray], sizes: tuple[int, ...], hidden: str, output: str) -> torch.nn.Module:
    kinds = [hidden] * (len(sizes) - 2) + [output]
    modules = []
    for (fan_in, fan_out), kind in zip(pairwise(sizes), kinds, strict=True):
        modules += [torch.nn.Linear(fan_in, fan_out), *ACTIVATIONS[kind]]
    model = torch.nn.Sequential(*modules)
    return started(model, parameters)


def started(model: torch.nn.Module, parameters: list[np.ndarray]) -> torch.nn.Module:
    """The model with these parameters."""
    with torch.no_grad():
        for p, numbers in zip(model.parameters(), parameters, strict=True):
            p.copy_(torch.from_numpy(numbers))
    return model


def quadratic(a: Any, y: Any) -> Any:
    return ((a - y) ** 2).sum() / len(y)


def stepper(variant: str, model: torch.nn.Module, loss: Callable, lr: float) -> Callable[[Any, Any], Any]:
    """A step of gradient descent."""
    if variant == "whole":
        return whole(model, loss, lr)
    return with_optimizer(variant, model, loss, torch.optim.SGD(model.parameters(), lr=lr))


def with_optimizer(variant: str, model: torch.nn.Module, loss: Callable, optimizer: Any,
                   schedule: Any = None) -> Callable[[Any, Any], Any]:
    def cost_of(x: Any, y: Any) -> Any:
        return loss(model(x), y)

    if variant == "compile":
        torch.compiler.reset()  # or the sizes that came before would make it compile for any size
        cost_of = torch.compile(cost_of)

    def step(x: Any, y: Any) -> Any:
        cost = cost_of(x, y)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        return cost

    return step


def whole(model: torch.nn.Module, loss: Callable, lr: float) -> Callable[[Any, Any], Any]:
    """Gradient and update as one pure function of the parameters, compiled."""
    state = {name: p.detach() for name, p in model.named_parameters()}

    def cost_of(parameters: Any, x: Any, y: Any) -> Any:
        return loss(torch.func.functional_call(model, parameters, (x,)), y)

    def updated(parameters: Any, x: Any, y: Any) -> Any:
        gradients, cost = torch.func.grad_and_value(cost_of)(parameters, x, y)
        return {name: p - lr * gradients[name] for name, p in parameters.items()}, cost

    torch.compiler.reset()
    compiled = torch.compile(updated)

    def step(x: Any, y: Any) -> Any:
        nonlocal state
        state, cost = compiled(state, x, y)
        return cost

    step.parameters = lambda: list(state.values())
    return step


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    model = multilayer(layers(sizes), sizes, hidden, output)
    x, y = map(torch.from_numpy, images(batch, sizes))
    return prepared(model, stepper(variant, model, quadratic, LR), x, y)


def prepared(model: torch.nn.Module, step: Callable, x: Any, y: Any) -> Prepared:
    parameters = getattr(step, "parameters", lambda: list(model.parameters()))
    return Prepared(lambda: step(x, y), lambda: [p.detach().numpy() for p in parameters()])


def lenet(variant: str, batch: int) -> Prepared:
    pool = [torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 6, 5, padding=2), *pool, torch.nn.Conv2d(6, 16, 5), *pool,
                                torch.nn.Flatten(), torch.nn.Linear(400, 120), torch.nn.ReLU(),
                                torch.nn.Linear(120, 84), torch.nn.ReLU(), torch.nn.Linear(84, 10))
    return classifier(variant, started(model, drawn(LENET)), *labelled(batch, (1, 28, 28)))


class Recurrent(torch.nn.Module):
    """An LSTM whose last output is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.linear = torch.nn.LSTM(28, 128, batch_first=True), torch.nn.Linear(128, 10)

    def forward(self, x: Any) -> Any:
        return self.linear(self.lstm(x)[0][:, -1])


def lstm(variant: str, batch: int) -> Prepared:
    return classifier(variant, started(Recurrent(), drawn(LSTM)), *labelled(batch, (28, 28)))


def classifier(variant: str, model: torch.nn.Module, x: np.ndarray, labels: np.ndarray) -> Prepared:
    step = stepper(variant, model, torch.nn.functional.cross_entropy, LR)
    return prepared(model, step, torch.from_numpy(x), torch.from_numpy(labels))


def hessian_vector(variant: str, sizes: tuple[int, ...], batch: int) -> Prepared:
    if variant == "whole":
        raise Unable  # it would be the same as "compile"
    model = multilayer(layers(sizes), sizes, "sigmoid", "sigmoid")
    x, y = map(torch.from_numpy, images(batch, sizes))
    names = [name for name, _ in model.named_parameters()]
    parameters = tuple(p.detach() for p in model.parameters())
    direction, result = tuple(map(torch.from_numpy, layers(sizes, seed=3))), []

    def cost_of(parameters: Any) -> Any:
        return quadratic(torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (x,)), y)

    def product(parameters: Any, direction: Any) -> Any:
        return torch.func.jvp(torch.func.grad(cost_of), (parameters,), (direction,))[1]

    if variant == "compile":
        torch.compiler.reset()
        product = torch.compile(product)

    def step() -> None:
        result[:] = product(parameters, direction)

    return Prepared(step, lambda: [r.numpy() for r in result])


def training(variant: str, recipe: str, target: float, seed: int) -> Epochs:
    from ..recipes import Plan

    plan = Plan(recipe, seed)
    relu = recipe == "relu"
    model = multilayer(plan.parameters, DIGITS, "relu" if relu else "sigmoid", "linear" if relu else "sigmoid")
    if relu:
        if variant == "whole":
            raise Unable("torch.func has no AdamW")
        optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.lr, plan.steps, cycle_momentum=False)
        step = with_optimizer(variant, model, torch.nn.functional.cross_entropy, optimizer, schedule)
    else:
        step = stepper(variant, model, quadratic, plan.lr)

    def predict(images: np.ndarray) -> np.ndarray:
        if hasattr(step, "parameters"):
            parameters = zip([name for name, _ in model.named_parameters()], step.parameters(), strict=True)
            model.load_state_dict(dict(parameters))
        with torch.no_grad():
            return model(torch.from_numpy(images)).numpy()

    return Epochs(lambda: plan.batches(torch.from_numpy), step, predict, plan.test)
