"""One eager training step (forward, backward, SGD) of the digit network, against PyTorch and NumPy by hand.

Run as ``python -m benchmarks.eager_step``. All in float32, sigmoid, quadratic cost, one thread.
"""

import os
from itertools import pairwise

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np

import nn

from .timing import machine, medians, table

try:
    import torch
except ImportError:
    torch = None

SIZES = [784, 16, 16, 10]
LR = 0.1


def batch(size):
    rng = np.random.default_rng(0)
    x = rng.random((size, 784), dtype=np.float32)
    return x, nn.data.one_hot(rng.integers(0, 10, size), 10)


def ours(size):
    x, y = batch(size)
    model = nn.MLP(SIZES, nn.Sigmoid, nn.Sigmoid, rng=np.random.default_rng(0))
    optimizer = nn.SGD(model.parameters(), lr=LR)

    def step():
        cost = nn.quadratic_cost(model(x), y)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        return cost

    return step


def pytorch(size):
    torch.set_num_threads(1)
    x, y = map(torch.from_numpy, batch(size))
    layers = []
    for fan_in, fan_out in pairwise(SIZES):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def step():
        cost = ((model(x) - y) ** 2).sum() / size
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        return cost

    return step


def numpy_by_hand(size):
    x, y = batch(size)
    model = nn.MLP(SIZES, nn.Sigmoid, nn.Sigmoid, rng=np.random.default_rng(0))
    weights = [p.data for p in model.parameters()]

    def step():
        activations = [x]
        for w, b in zip(weights[0::2], weights[1::2], strict=True):
            activations.append(1 / (1 + np.exp(-(activations[-1] @ w.T + b))))
        difference = activations[-1] - y
        g = difference * (2 / size)
        for i in (2, 1, 0):
            a = activations[i + 1]
            g = g * (a * (1 - a))
            gw, gb = g.T @ activations[i], g.sum(axis=0)
            if i:
                g = g @ weights[2 * i]
            weights[2 * i] -= LR * gw
            weights[2 * i + 1] -= LR * gb
        return np.sum(difference * difference) / size

    return step


def main():
    print(machine("torch"))
    for size in (10, 32):
        contestants = {"nudge": ours(size), "NumPy by hand": numpy_by_hand(size)}
        if torch:
            contestants["PyTorch eager"] = pytorch(size)
        seconds = medians(contestants, rounds=60, repeats=50)
        print(table(f"digit network, one step, batch {size}", seconds, "nudge"))


if __name__ == "__main__":
    main()
