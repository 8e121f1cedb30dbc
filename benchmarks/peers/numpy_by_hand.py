"""NumPy by hand: the derivatives of a network worked out on paper, every array made once and written in place."""

from __future__ import annotations

import numpy as np

from ..workloads import LR, images, layers
from . import Epochs, Prepared

ONE = np.array(1, np.float32)  # a ufunc takes an array of no dimensions faster than a number


class Network:
    """Weights, and for one size of batch an array for everything that a step computes."""

    def __init__(self, parameters: list[np.ndarray], batch: int, hidden: str, output: str, lr: float = LR) -> None:
        self.parameters, self.batch, self.lr = parameters, batch, np.array(lr, np.float32)
        weights, biases = parameters[0::2], parameters[1::2]
        kinds = [hidden] * (len(weights) - 1) + [output]
        self.layers = []
        below: np.ndarray | None = None
        for w, b, kind in zip(weights, biases, kinds, strict=True):
            a, slope, g = (np.empty((batch, len(w)), np.float32) for _ in range(3))
            self.layers.append((w, w.T, b, np.empty_like(w), np.empty_like(b), a, slope, g, g.T, below, kind))
            below = g
        self.output = self.layers[-1][5]
        self.difference = np.empty_like(self.output)
        self.flat = self.difference.reshape(-1)
        self.scale = np.array(2 / batch, np.float32)

    def forward(self, x: np.ndarray) -> np.ndarray:
        for _, w_t, b, _, _, a, _, _, _, _, kind in self.layers:
            np.matmul(x, w_t, a)
            np.add(a, b, a)
            if kind == "sigmoid":  # 1 / (1 + e⁻ᶻ)
                np.negative(a, a)
                np.exp(a, a)
                np.add(a, ONE, a)
                np.reciprocal(a, a)
            elif kind == "relu":
                np.maximum(a, 0, out=a)
            x = a
        return x

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        """Forward, backward and update; returns the cost."""
        difference, lr = self.difference, self.lr
        np.subtract(self.forward(x), y, difference)
        np.multiply(difference, self.scale, self.layers[-1][7])
        for i in range(len(self.layers) - 1, -1, -1):
            w, _, b, gw, gb, a, slope, g, g_t, below, kind = self.layers[i]
            if kind == "sigmoid":  # g a (1 - a)
                np.subtract(ONE, a, slope)
                np.multiply(slope, a, slope)
                np.multiply(g, slope, g)
            elif kind == "relu":  # a > 0 where z > 0
                np.sign(a, slope)
                np.multiply(g, slope, g)
            np.matmul(g_t, self.layers[i - 1][5] if i else x, gw)
            np.add.reduce(g, 0, None, gb)
            if below is not None:
                np.matmul(g, w, below)
            np.multiply(gw, lr, gw)
            np.subtract(w, gw, w)
            np.multiply(gb, lr, gb)
            np.subtract(b, gb, b)
        return np.dot(self.flat, self.flat) / self.batch


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    net = Network(layers(sizes), batch, hidden, output)
    x, y = images(batch, sizes)
    return Prepared(lambda: net.step(x, y), lambda: net.parameters)


def training(variant: str, recipe: str, target: float, seed: int) -> Epochs:
    from ..recipes import Plan

    plan = Plan(recipe, seed)
    plan.only("notes", "by hand there is no AdamW")
    training = Network(plan.parameters, plan.batch_size, "sigmoid", "sigmoid", plan.lr)
    testing = Network(plan.parameters, len(plan.test.images), "sigmoid", "sigmoid")  # of the same weights
    return Epochs(plan.batches, training.step, testing.forward, plan.test)


