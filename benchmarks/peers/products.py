"""The matrix products of a step of a network, and nothing else: what any step that calls BLAS has to wait for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..workloads import images, layers
from . import Prepared


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    weights = layers(sizes)[0::2]
    values = [images(batch, sizes)[0], *(np.full((batch, n), 0.5, np.float32) for n in sizes[1:])]
    errors = [np.full((batch, n), 0.5, np.float32) for n in sizes]
    calls: list[tuple[Any, Any, Any]] = [(values[i], w.T, np.empty_like(values[i + 1])) for i, w in enumerate(weights)]
    for i in reversed(range(len(weights))):
        calls.append((errors[i + 1].T, values[i], np.empty_like(weights[i])))
        if i:
            calls.append((errors[i + 1], weights[i], np.empty_like(errors[i])))

    def step() -> None:
        for a, b, out in calls:
            np.matmul(a, b, out)

    return Prepared(step)
