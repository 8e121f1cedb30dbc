"""micrograd's demo as one step: a network of scalars, its loss on points of the plane, and gradient descent."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from .peers import Prepared
from .workloads import LR, points

__all__ = ["prepared"]


def prepared(Value: Any, MLP: Any, count: int, way: Callable[[Callable], Callable] = lambda step: step) -> Prepared:
    """The step with one package's ``Value`` and ``MLP``; both packages draw the same first weights."""
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    xs, ys = points(count)

    def step() -> Any:
        scores = [model([Value(x), Value(y)]) for x, y in xs]
        losses = [(1 + -y * score).relu() for y, score in zip(ys, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= LR * p.grad
        return loss

    return Prepared(way(step), lambda: [[p.data for p in model.parameters()]])
