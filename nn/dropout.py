"""``Dropout``: noise that keeps neurons from relying on each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import array
from .module import Module
from .random import Randomness, generator

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, each number becomes 0 with probability ``p``, else x / (1 - p); in evaluation mode x stays.

    So the expectation is that of x (Srivastava et al., 2014). Each call draws anew from ``rng``, also under ``jit``.

    Raises ``ValueError`` for a ``p`` outside 0 … 1.

    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer(np.ones(6)).tolist(), layer.eval()(np.ones(3)).tolist()
    ([2.0, 2.0, 2.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    """

    def __init__(self, p: float = 0.5, *, rng: Randomness) -> None:
        if not isinstance(p, (int, float, np.floating, np.integer)) or not 0 <= p <= 1:
            raise ValueError(f"Dropout: p must be a probability between 0 and 1, got {p!r}")
        self.p, self.rng = p, generator(rng, "Dropout")

    def __call__(self, x: Any) -> Any:
        x = array(x)
        if not self.training or self.p == 0:
            return x
        keep = self.rng.random(x.shape, np.float32) >= self.p
        return np.where(keep, x * (1 / (1 - self.p) if self.p < 1 else 0.0), 0)
