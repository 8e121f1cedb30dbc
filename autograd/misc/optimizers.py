"""Gradient descent and its relatives for functions of nested containers, as in HIPS autograd.

Each takes ``grad(x, i)``, the gradient at ``x`` in iteration ``i``, and calls ``callback(x, i, gradient)`` before every
step. For training networks, see the optimizers of ``nn``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .flatten import flatten

__all__ = ["adam", "rmsprop", "sgd", "unflatten_optimizer"]


def unflatten_optimizer(optimize: Callable) -> Callable:
    """From an optimizer of vectors make one of nested containers."""

    @wraps(optimize)
    def optimizer(grad: Callable, x0: Any, callback: Callable | None = None, *args: Any, **kwargs: Any) -> Any:
        vector, unflatten = flatten(x0)

        def flat_grad(x: Any, i: int) -> Any:
            return flatten(grad(unflatten(x), i))[0]

        def flat_callback(x: Any, i: int, g: Any) -> None:
            callback(unflatten(x), i, unflatten(g))  # type: ignore[misc]

        return unflatten(optimize(flat_grad, vector, flat_callback if callback else None, *args, **kwargs))

    return optimizer


@unflatten_optimizer
def sgd(grad: Callable, x: Any, callback: Callable | None = None, num_iters: int = 200, step_size: float = 0.1,
        mass: float = 0.9) -> Any:
    """Gradient descent with momentum: v ← mass · v - (1 - mass) · g, x ← x + step_size · v.

    >>> sgd(lambda x, i: 2 * x, np.array([1.0]), num_iters=1)
    array([0.98])
    """
    velocity = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        velocity = mass * velocity - (1.0 - mass) * g
        x = x + step_size * velocity
    return x


@unflatten_optimizer
def rmsprop(grad: Callable, x: Any, callback: Callable | None = None, num_iters: int = 100, step_size: float = 0.1,
            gamma: float = 0.9, eps: float = 1e-8) -> Any:
    """Steps divided by the root of a running mean of the squared gradients (Tieleman and Hinton, 2012)."""
    mean_square = np.ones(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        mean_square = mean_square * gamma + g**2 * (1 - gamma)
        x = x - step_size * g / (np.sqrt(mean_square) + eps)
    return x


@unflatten_optimizer
def adam(grad: Callable, x: Any, callback: Callable | None = None, num_iters: int = 100, step_size: float = 0.001,
         b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Steps by running means of gradients and their squares, both corrected for their start (Kingma and Ba, 2015)."""
    m = np.zeros(len(x))
    v = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * g**2 + b2 * v
        first = m / (1 - b1 ** (i + 1))
        second = v / (1 - b2 ** (i + 1))
        x = x - step_size * first / (np.sqrt(second) + eps)
    return x
