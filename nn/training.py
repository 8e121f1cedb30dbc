"""One step of training, and what a model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd
from autograd import Value, check, no_grad

from . import metrics
from .checks import number
from .lbfgs import LBFGS
from .module import Module
from .optimizers import Optimizer, clip_grad_norm

__all__ = ["accuracy", "arrays_in", "evaluating", "make_train_step", "predict", "rebuilt", "train_step"]


def train_step(model: Module, cost: Callable[[Any, Any], Any], optimizer: Optimizer, x: Any, y: Any,
               clip_norm: float | None = None) -> float:
    """One step on one mini-batch: the cost, its gradient, the update. Returns the cost before the update.

    With ``clip_norm`` the gradient is clipped by ``clip_grad_norm``. Raises ``FloatingPointError``, and leaves
    parameters and buffers as they were, where the cost or its gradient is not finite.

    >>> from nn import SGD, Linear, mse_loss
    >>> model = Linear(1, 1, rng=0)
    >>> optimizer = SGD(model.parameters(), lr=0.1)
    >>> x = np.array([[1.0], [2.0]])
    >>> costs = [train_step(model, mse_loss, optimizer, x, 3 * x) for _ in range(100)]
    >>> costs[-1] < costs[0] / 100
    True
    """
    def closure() -> Value:
        loss = cost(model(x), y)
        if not isinstance(loss, Value):
            raise TypeError(f"train_step: the cost must be a Value computed from the model, got {type(loss).__name__}")
        check(np.isfinite(loss.data), _not_finite, loss.data, optimizer.steps + 1, optimizer.lr)
        optimizer.zero_grad()
        loss.backward()
        for i, p in enumerate(optimizer.parameters):
            if p.grad is not None:
                check(np.all(np.isfinite(p.grad)), _no_gradient, i, optimizer.steps + 1, optimizer.lr)
        if clip_norm is not None:
            clip_grad_norm(optimizer.parameters, clip_norm)
        return loss

    buffers = [(buffer, buffer.copy()) for buffer in (model.buffers() if isinstance(model, Module) else ())]
    try:
        if isinstance(optimizer, LBFGS):
            return number(optimizer.step(closure).data)
        value = closure().data
    except FloatingPointError:
        for buffer, before in buffers:
            buffer[...] = before
        raise
    optimizer.step()
    return number(value)


def make_train_step(model: Module, cost: Callable[[Any, Any], Any], optimizer: Optimizer, *,
                    jit: bool = True, clip_norm: float | None = None) -> Callable[[Any, Any], float]:
    """``train_step`` of this model, cost and optimizer, as a function of the mini-batch.

    It is jitted: the first step on a mini-batch of a new shape is traced, and later ones run as a program (see
    ``autograd.jit``). With ``jit=False`` each step runs as it is written, for a cost that jit refuses, or to look
    inside; and so do those of ``LBFGS``, which evaluates the cost as often as it needs.

    >>> from nn import SGD, Linear, mse_loss
    >>> model = Linear(1, 1, rng=0)
    >>> step = make_train_step(model, mse_loss, SGD(model.parameters(), lr=0.1))
    >>> x = np.array([[1.0], [2.0]])
    >>> costs = [step(x, 3 * x) for _ in range(100)]
    >>> costs[-1] < costs[0] / 100
    True
    """
    def step(x: Any, y: Any) -> float:
        return train_step(model, cost, optimizer, x, y, clip_norm)

    return autograd.jit(step) if jit and not isinstance(optimizer, LBFGS) else step


def _not_finite(value: float, step: int, lr: float) -> FloatingPointError:
    return FloatingPointError(f"the cost is {value} at step {step} with lr={lr:g}: the numbers have grown out of "
                              "bounds; use a smaller lr, or clip the gradient")


def _no_gradient(i: int, step: int, lr: float) -> FloatingPointError:
    return FloatingPointError(f"the gradient of parameter {i} is not finite at step {step} with lr={lr:g}")


def predict(model: Module, x: Any, size: int = 1000) -> Any:
    """The model's output for every row of ``x``, as a plain array, computed ``size`` rows at a time in evaluation mode.

    ``x`` may be a tuple of arrays, as ``nn.fit`` takes it; the model then gets tuples of rows. Where it answers with a
    tuple, so does ``predict``. Raises ``ValueError`` where there are no rows, or an output has another number of them,
    such as the last states of a recurrent layer, whose first axis is that of layers.

    >>> from nn import Linear
    >>> predict(Linear(2, 3, rng=0), np.ones((5, 2))).shape
    (5, 3)
    """
    arrays = arrays_in(x)
    if not np.shape(arrays[0]):
        raise TypeError(f"predict: x must be an array with a row for each example, got {arrays[0]!r:.60}")
    rows = len(arrays[0])
    if not rows or size < 1:
        raise ValueError(f"predict: x has {rows} rows, to be taken {size} at a time: both must be at least 1")
    with evaluating(model), no_grad():
        parts = []
        for i in range(0, rows, size):
            parts.append(model(rebuilt(x, iter([array[i : i + size] for array in arrays]))))
            for y in arrays_in(parts[-1]):
                if np.shape(y)[:1] != (min(size, rows - i),):
                    raise ValueError(f"predict: the model gave an array of shape {np.shape(y)} for "
                                     f"{min(size, rows - i)} rows of x: there must be a row for each of them")
        joined = [np.concatenate([y.data if isinstance(y, Value) else y for y in outputs])
                  for outputs in zip(*[arrays_in(part) for part in parts], strict=True)]
        return rebuilt(parts[0], iter(joined))


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside, the model is in evaluation mode, so that nothing is random and no running mean moves."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def accuracy(model: Module, x: Any, labels: Any) -> float:
    """The part of the examples for which the largest output is that of the label.

    ``nn.metrics.accuracy`` tells it from outputs. Raises ``ValueError`` where ``x`` and ``labels`` differ in length.

    >>> from nn import Tanh
    >>> round(accuracy(Tanh(), np.eye(3), [0, 1, 1]), 2)
    0.67
    """
    labels, rows = np.asarray(labels), len(arrays_in(x)[0])
    if labels.shape != (rows,):
        raise ValueError(f"accuracy: there are {rows} examples, but labels have the shape {labels.shape}")
    return metrics.accuracy(predict(model, x), labels)


def arrays_in(x: Any) -> list[Any]:
    """The arrays in a tuple that may hold others; a bare array by itself."""
    return [array for part in x for array in arrays_in(part)] if isinstance(x, tuple) else [x]


def rebuilt(x: Any, arrays: Iterator[Any]) -> Any:
    """A tuple built as ``x`` is, of other arrays."""
    return tuple(rebuilt(part, arrays) for part in x) if isinstance(x, tuple) else next(arrays)
