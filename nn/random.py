"""Randomness comes from a generator that the caller passes, or from a seed that makes one."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Randomness", "generator"]

Randomness = np.random.Generator | int


def generator(rng: Any, who: str) -> np.random.Generator:
    """``rng`` itself, or a new generator from an integer seed; ``who`` opens the text of an error.

    >>> int(generator(0, "here").integers(10)) == int(np.random.default_rng(0).integers(10))
    True
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if not isinstance(rng, (int, np.integer)) or isinstance(rng, bool):
        raise TypeError(f"{who}: rng must be a numpy.random.Generator or an int that seeds one; got {rng!r} of type "
                        f"{type(rng).__name__}; write rng=np.random.default_rng(0)")
    if rng < 0:
        raise ValueError(f"{who}: rng: a seed must be 0 or more; got {rng}")
    return np.random.default_rng(int(rng))
