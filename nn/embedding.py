"""``Embedding``: a learned row of numbers for each word, label or other integer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import check

from . import initializers
from .checks import array, floating_dtype, plain, positive_integer
from .module import Module, Parameter
from .random import Randomness, generator

__all__ = ["Embedding"]


class Embedding(Module):
    """weight[index] for each index: a table of ``num_embeddings`` rows of ``embedding_dim`` numbers.

    Shapes: indices of any shape (...), integers in 0 … num_embeddings - 1; output (..., embedding_dim); ``weight``
    (num_embeddings, embedding_dim), which starts normal with variance 1. The row ``padding_idx`` stands for no word: it
    starts at 0, and gets no gradient.

    Raises ``ValueError`` for an index out of range and for no indices, ``TypeError`` for indices that are not integers.

    >>> layer = Embedding(10, 3, padding_idx=0, rng=np.random.default_rng(0))
    >>> layer([[1, 2], [4, 0]]).shape, layer([0]).data.tolist()
    ((2, 2, 3), [[0.0, 0.0, 0.0]])
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        self.num_embeddings = n = positive_integer("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = positive_integer("Embedding", "embedding_dim", embedding_dim)
        if padding_idx is not None and padding_idx not in range(-n, n):
            raise ValueError(f"Embedding: padding_idx must be None or lie in {-n} … {n - 1}, got {padding_idx!r}")
        self.padding_idx = None if padding_idx is None else int(padding_idx) % n
        weight = initializers.normal((n, embedding_dim), generator(rng, "Embedding"),
                                     floating_dtype("Embedding", dtype))
        if self.padding_idx is not None:
            weight[self.padding_idx] = 0
        self.weight = Parameter(weight, name="weight")

    def __call__(self, indices: Any) -> Any:
        indices = plain(array(indices))
        who = f"Embedding({self.num_embeddings}, {self.embedding_dim})"
        if 0 in indices.shape:
            raise ValueError(f"{who}: there are no indices: they have the shape {indices.shape}")
        if indices.dtype.kind not in "iu":
            raise TypeError(f"{who}: indices must be integers, got {indices.dtype}; write indices.astype(int)")
        check((indices >= 0) & (indices < self.num_embeddings), _outside, indices, self.num_embeddings, who)
        rows = self.weight[indices]
        if self.padding_idx is None:
            return rows
        return np.where((indices == self.padding_idx)[..., None], plain(self.weight)[self.padding_idx], rows)


def _outside(indices: Any, n: int, who: str) -> ValueError:
    wrong = np.ravel(indices)[np.flatnonzero((indices < 0) | (indices >= n))[0]]
    return ValueError(f"{who}: indices must lie in 0 … {n - 1}, but one is {wrong}")
