"""JAX: the step under ``jit`` with donated parameters, or many steps in a call by ``lax.scan`` (the variants)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..workloads import LENET, LR, LSTM, drawn, images, labelled, layers
from . import Epochs, Prepared, Unable

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "linear": lambda z: z}


def forward(parameters: Any, x: Any, hidden: str, output: str) -> Any:
    for i in range(0, len(parameters), 2):
        z = x @ parameters[i].T + parameters[i + 1]
        x = ACTIVATIONS[output if i == len(parameters) - 2 else hidden](z)
    return x


def quadratic(a: Any, y: Any) -> Any:
    return jnp.sum((a - y) ** 2) / len(y)


def descent(cost_of: Callable, lr: float) -> Callable:
    """A step of gradient descent: ``(parameters, x, y)`` to the parameters and the cost."""
    def step(parameters: Any, x: Any, y: Any) -> Any:
        cost, gradients = jax.value_and_grad(cost_of)(parameters, x, y)
        return jax.tree.map(lambda p, g: p - lr * g, parameters, gradients), cost

    return step


def prepared(variant: str, step: Callable, parameters: Any, x: Any, y: Any, many: int = 100) -> Prepared:
    """A step on a batch; a scan takes ``many`` batches at a time."""
    many = many if variant == "scan" else 1
    if variant == "scan":
        x, y = np.stack([x] * many), np.stack([y] * many)

    def scanned(parameters: Any, xs: Any, ys: Any) -> Any:
        return jax.lax.scan(lambda p, batch: step(p, *batch), parameters, (xs, ys))

    compiled = jax.jit(scanned if variant == "scan" else step, donate_argnums=0)
    state = jax.tree.map(jnp.array, parameters)
    x, y = jnp.array(x), jnp.array(y)

    def call() -> Any:
        nonlocal state
        state, cost = compiled(state, x, y)
        return cost

    return Prepared(call, lambda: map(np.asarray, state), lambda: jax.block_until_ready(state), many)


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    step = descent(lambda parameters, x, y: quadratic(forward(parameters, x, hidden, output), y), LR)
    return prepared(variant, step, layers(sizes), *images(batch, sizes), many=100 if batch < 1000 else 10)


def lenet(variant: str, batch: int) -> Prepared:
    def convolved(x: Any, w: Any, b: Any, padding: int) -> Any:
        x = jax.lax.conv(x, w, (1, 1), "SAME" if padding else "VALID") + b[:, None, None]
        return jax.lax.reduce_window(jax.nn.relu(x), -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def logits(parameters: Any, x: Any) -> Any:
        x = convolved(convolved(x, *parameters[:2], 2), *parameters[2:4], 0)
        return forward(parameters[4:], x.reshape(len(x), -1), "relu", "linear")

    return prepared(variant, descent(entropy(logits), LR), drawn(LENET), *labelled(batch, (1, 28, 28)), many=5)


def lstm(variant: str, batch: int) -> Prepared:
    def logits(parameters: Any, x: Any) -> Any:
        w, u, b, c, *last = parameters

        def cell(state: Any, x: Any) -> Any:
            i, f, g, o = jnp.split(x + state[0] @ u.T, 4, axis=1)
            memory = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(memory), memory), None

        sums = jnp.swapaxes(x, 0, 1) @ w.T + (b + c)  # of all rows at once
        (output, _), _ = jax.lax.scan(cell, (jnp.zeros((len(x), 128)),) * 2, sums)
        return forward(last, output, "relu", "linear")

    return prepared(variant, descent(entropy(logits), LR), drawn(LSTM), *labelled(batch, (28, 28)), many=5)


def hessian_vector(variant: str, sizes: tuple[int, ...], batch: int) -> Prepared:
    if variant == "scan":
        raise Unable  # one product is no series of steps
    x, y = map(jnp.array, images(batch, sizes))
    gradient = jax.grad(lambda parameters: quadratic(forward(parameters, x, "sigmoid", "sigmoid"), y))
    product = jax.jit(lambda parameters, direction: jax.jvp(gradient, (parameters,), (direction,))[1])
    parameters, direction = ([jnp.array(p) for p in layers(sizes, seed)] for seed in (0, 3))
    result: list[Any] = []

    def step() -> None:
        result[:] = product(parameters, direction)

    return Prepared(step, lambda: map(np.asarray, result), lambda: jax.block_until_ready(result))


def training(variant: str, recipe: str, target: float, seed: int) -> Epochs:
    from ..recipes import Plan

    if variant == "scan":
        raise Unable("its batches come one by one")
    plan = Plan(recipe, seed)
    if recipe == "relu":
        kinds = ("relu", "linear")
        update = adamw(entropy(lambda p, x: forward(p, x, *kinds)), rates(plan))
        state: Any = tuple([jnp.array(f(p)) for p in plan.parameters] for f in (np.copy, np.zeros_like, np.zeros_like))
        state = (*state, jnp.array(0))
    else:
        kinds = ("sigmoid", "sigmoid")
        update = descent(lambda parameters, x, y: quadratic(forward(parameters, x, *kinds), y), plan.lr)
        state = [jnp.array(p) for p in plan.parameters]
    compiled = jax.jit(update, donate_argnums=0)
    output = jax.jit(lambda parameters, x: forward(parameters, x, *kinds))

    def step(x: Any, y: Any) -> None:
        nonlocal state
        state, _ = compiled(state, x, y)

    def predict(images: np.ndarray) -> np.ndarray:
        return np.asarray(output(state[0] if recipe == "relu" else state, images))

    return Epochs(plan.batches, step, predict, plan.test, lambda: jax.block_until_ready(state))


def entropy(logits: Callable) -> Callable:
    """The mean cross-entropy, where ``logits(parameters, x)`` are those of integer labels."""
    def cost_of(parameters: Any, x: Any, y: Any) -> Any:
        logs = jax.nn.log_softmax(logits(parameters, x))
        return -jnp.mean(jnp.take_along_axis(logs, y[:, None], axis=1))

    return cost_of


def rates(plan: Any) -> np.ndarray:
    """The learning rate of every step, by our own schedule."""
    import nn

    optimizer = nn.SGD(plan.model.parameters(), lr=plan.lr)
    schedule = nn.OneCycle(optimizer, plan.lr, plan.steps)
    return np.array([schedule.lr_at(n) for n in range(plan.steps)], np.float32)


def adamw(cost_of: Callable, lrs: np.ndarray, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
          decay: float = 1e-2) -> Callable:
    """A step of AdamW on ``(parameters, means, squares, count)``, as in PyTorch."""
    def step(state: Any, x: Any, y: Any) -> Any:
        parameters, means, squares, count = state
        lr, count = jnp.asarray(lrs)[count], count + 1
        cost, gradients = jax.value_and_grad(cost_of)(parameters, x, y)
        means = [b1 * m + (1 - b1) * g for m, g in zip(means, gradients, strict=True)]
        squares = [b2 * v + (1 - b2) * g * g for v, g in zip(squares, gradients, strict=True)]
        parameters = [(1 - lr * decay) * p - lr / (1 - b1**count) * m / (jnp.sqrt(v / (1 - b2**count)) + eps)
                      for p, m, v in zip(parameters, means, squares, strict=True)]
        return (parameters, means, squares, count), cost

    return step
