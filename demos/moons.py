"""Two moons told apart by neurons of scalars, as in micrograd's demo: every weight is a node of its own.

``python -m demos.moons`` trains the 337 numbers of a 2-16-16-1 network and draws where its answer changes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd import jit, no_grad
from nn.files import written
from nn.neuron import MLP

try:
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")


def moons(n: int, rng: np.random.Generator, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """n points (n, 2) of two interleaved half circles, as scikit-learn makes them, and on which each lies: -1 or 1."""
    side = np.where(np.arange(n) % 2, 1, -1)
    angle = rng.uniform(0, np.pi, n)
    x = np.where(side < 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(side < 0, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + rng.normal(0, noise, (n, 2)), side


def train(model: MLP, points: np.ndarray, side: np.ndarray, steps: int) -> tuple[float, float]:
    """Gradient descent on the hinge loss of all points; the loss before the last step, and the accuracy."""
    inputs, targets = points.tolist(), side.tolist()

    @jit
    def step(lr: float) -> tuple[Any, list[Any]]:
        scores = [model(point) for point in inputs]
        hinges = [(1 - target * score).relu() for target, score in zip(targets, scores, strict=True)]
        loss = sum(hinges) * (1 / len(hinges)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
        return loss, scores

    for k in range(steps):
        loss, scores = step(1.0 - 0.9 * k / steps)
        accuracy = np.mean([(float(score) > 0) == (target > 0) for score, target in zip(scores, targets, strict=True)])
        if k % 10 == 9 or k == steps - 1:
            print(f"step {k + 1:3}  loss {float(loss):.4f}  accuracy {accuracy:.0%}")
    return float(loss), float(accuracy)


def boundary(model: MLP, points: np.ndarray, side: np.ndarray) -> Figure:
    """The plane coloured by the network's score, with a line where it is 0, and the points."""
    low, high = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    x, y = np.meshgrid(*(np.linspace(low[i], high[i], 200) for i in (0, 1)))
    with no_grad():
        score = model([x, y]).data  # a number times an array is an array: the neurons answer for all places at once
    figure = Figure(figsize=(6.4, 5), layout="constrained")
    axes = figure.subplots()
    bound = np.abs(score).max()
    shades = axes.contourf(x, y, score, levels=np.linspace(-bound, bound, 41), cmap="RdBu")
    axes.contour(x, y, score, levels=[0], colors="black", linewidths=1.5)
    for value, colour in ((-1, "tab:red"), (1, "tab:blue")):
        axes.scatter(*points[side == value].T, c=colour, edgecolors="white", s=36)
    axes.set(title="A 2-16-16-1 network of scalar neurons", aspect="equal")
    figure.colorbar(shades, label="score", format="%.1f")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demos.moons", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the points and the first weights (default: 0)")
    parser.add_argument("--points", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--steps", type=int, default=100, help="of gradient descent (default: 100)")
    parser.add_argument("--out", type=Path, default=Path("output/moons.png"), help="picture (default: %(default)s)")
    args = parser.parse_args(argv)
    if args.seed < 0 or args.points < 2 or args.steps < 1:
        parser.error("--seed must be at least 0, --points at least 2, --steps at least 1")
    rng = np.random.default_rng(args.seed)
    points, side = moons(args.points, rng)
    model = MLP(2, [16, 16, 1], rng=rng)
    print(f"{args.points} points, and a 2-16-16-1 network of scalar neurons with {len(model.parameters())} numbers")
    train(model, points, side, args.steps)
    with written(args.out) as path:
        boundary(model, points, side).savefig(path, dpi=120, format=args.out.suffix[1:] or "png")
    print(f"The decision boundary is drawn in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
