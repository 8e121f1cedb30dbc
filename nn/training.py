"""One step of training, and how often a classifier is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Value, check, no_grad

from .checks import number
from .module import Module
from .optimizers import Optimizer

__all__ = ["accuracy", "make_train_step", "predict", "train_step"]


def train_step(model: Module, cost: Callable[[Any, Any], Any], optimizer: Optimizer, x: Any, y: Any) -> float:
    """One step on one mini-batch: the cost, its gradient, the update. Returns the cost before the update.

    Raises ``FloatingPointError``, before any parameter changes, where the cost is not finite.

    >>> from nn import SGD, Linear, mse_loss
    >>> model = Linear(1, 1, rng=0)
    >>> optimizer = SGD(model.parameters(), lr=0.1)
    >>> x = np.array([[1.0], [2.0]])
    >>> costs = [train_step(model, mse_loss, optimizer, x, 3 * x) for _ in range(100)]
    >>> costs[-1] < costs[0] / 100
    True
    """
    loss = cost(model(x), y)
    if not isinstance(loss, Value):
        raise TypeError(f"train_step: the cost must be a Value computed from the model, got {type(loss).__name__}")
    value = loss.data
    check(np.isfinite(value), _not_finite, value, optimizer.steps + 1, optimizer.lr)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return number(value)


def make_train_step(model: Module, cost: Callable[[Any, Any], Any], optimizer: Optimizer, *,
                    jit: bool = True) -> Callable[[Any, Any], float]:
    """``train_step`` of this model, cost and optimizer, as a function of the mini-batch.

    It is jitted: the first step on a mini-batch of a new shape is traced, and later ones run as a program (see
    ``autograd.jit``). With ``jit=False`` each step runs as it is written, for a cost that jit refuses, or to look
    inside.

    >>> from nn import SGD, Linear, mse_loss
    >>> model = Linear(1, 1, rng=0)
    >>> step = make_train_step(model, mse_loss, SGD(model.parameters(), lr=0.1))
    >>> x = np.array([[1.0], [2.0]])
    >>> costs = [step(x, 3 * x) for _ in range(100)]
    >>> costs[-1] < costs[0] / 100
    True
    """
    def step(x: Any, y: Any) -> float:
        return train_step(model, cost, optimizer, x, y)

    return autograd.jit(step) if jit else step


def _not_finite(value: float, step: int, lr: float) -> FloatingPointError:
    return FloatingPointError(f"the cost is {value} at step {step} with lr={lr:g}: the numbers have grown out of "
                              "bounds; use a smaller lr, or clip the gradient")


def predict(model: Module, x: Any, size: int = 1000) -> np.ndarray:
    """The model's output for every row of ``x``, as a plain array, computed ``size`` rows at a time in evaluation mode.

    >>> from nn import Linear
    >>> predict(Linear(2, 3, rng=0), np.ones((5, 2))).shape
    (5, 3)
    """
    if not len(x) or size < 1:
        raise ValueError(f"predict: x has {len(x)} rows, to be taken {size} at a time: both must be at least 1")
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            parts = [model(x[i : i + size]) for i in range(0, len(x), size)]
            return np.concatenate([y.data if isinstance(y, Value) else y for y in parts])
    finally:
        for module, mode in modes:
            module.training = mode


def accuracy(model: Module, x: Any, labels: Any) -> float:
    """The part of the examples for which the largest output is that of the label.

    Raises ``ValueError`` where ``x`` and ``labels`` differ in length.

    >>> from nn import Tanh
    >>> round(accuracy(Tanh(), np.eye(3), [0, 1, 1]), 2)
    0.67
    """
    labels = np.asarray(labels)
    if labels.shape != (len(x),):
        raise ValueError(f"accuracy: there are {len(x)} examples, but labels have the shape {labels.shape}")
    return float(np.mean(np.argmax(predict(model, x), axis=1) == labels))
