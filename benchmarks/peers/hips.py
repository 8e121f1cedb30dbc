"""HIPS autograd: NumPy code with its import changed, in the environment where ``autograd`` is that package."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd import make_hvp, value_and_grad

from .. import programs
from ..workloads import LR, images, layers
from . import Prepared

ACTIVATIONS = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0), "linear": lambda z: z}


def cost_of(batch: int, sizes: tuple[int, ...], hidden: str, output: str) -> Any:
    x, y = images(batch, sizes)

    def cost(parameters: Any) -> Any:
        a = x
        for i in range(0, len(parameters), 2):
            z = np.dot(a, parameters[i].T) + parameters[i + 1]
            a = ACTIVATIONS[output if i == len(parameters) - 2 else hidden](z)
        return np.sum((a - y) ** 2) / batch

    return cost


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    parameters = layers(sizes)
    gradient = value_and_grad(cost_of(batch, sizes, hidden, output))

    def step() -> Any:
        cost, gradients = gradient(parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p -= LR * g
        return cost

    return Prepared(step, lambda: parameters)


def hessian_vector(variant: str, sizes: tuple[int, ...], batch: int) -> Prepared:
    at = make_hvp(cost_of(batch, sizes, "sigmoid", "sigmoid"))
    parameters, direction, result = layers(sizes), layers(sizes, seed=3), []

    def step() -> None:
        result[:] = at(parameters)[0](direction)

    return Prepared(step, lambda: result)


def program(variant: str, name: str) -> Prepared:
    return Prepared(programs.PROGRAMS[name]())
