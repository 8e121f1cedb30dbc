"""``Flatten``: the layer between images and neurons."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .module import Module

__all__ = ["Flatten"]


class Flatten(Module):
    """The axes from ``start_dim`` to ``end_dim`` as one; by default all but the first, that of the examples.

    Raises ``ValueError`` where the input has no such axes, or the first is behind the last.

    >>> Flatten()(np.ones((5, 16, 4, 4))).shape
    (5, 256)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        for name, n in (("start_dim", start_dim), ("end_dim", end_dim)):
            if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
                raise ValueError(f"Flatten: {name} must be an integer, got {n!r}")
        self.start_dim, self.end_dim = int(start_dim), int(end_dim)

    def __call__(self, x: Any) -> Any:
        x = x if hasattr(x, "shape") else np.asarray(x)
        axes = len(x.shape)
        first, last = (n + axes if n < 0 else n for n in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < axes:
            raise ValueError(f"Flatten({self.start_dim}, {self.end_dim}): an input of shape {x.shape} has no axes from "
                             f"{self.start_dim} to {self.end_dim}")
        return np.reshape(x, (*x.shape[:first], prod(x.shape[first: last + 1]), *x.shape[last + 1:]))
