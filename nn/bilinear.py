"""``Bilinear``: the layer of weighted products of two inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import initializers
from .checks import array, floating_dtype, positive_integer
from .module import Module, Parameter
from .random import Randomness, generator

__all__ = ["Bilinear"]


class Bilinear(Module):
    """x1ᵀ W_k x2 + b_k for each of ``out_features`` neurons k: products of two inputs, summed by weights.

    Shapes: inputs (..., in1_features) and (..., in2_features), output (..., out_features), ``weight``
    (out_features, in1_features, in2_features), ``bias`` (out_features,). Both start uniform between ±1/√in1_features.

    Raises ``ValueError`` for inputs whose last axes differ from that, or whose other axes differ from each other.

    >>> layer = Bilinear(2, 3, 4, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 2), np.float32), np.ones((5, 3), np.float32)).shape
    (5, 4)
    """

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        self.in1_features = positive_integer("Bilinear", "in1_features", in1_features)
        self.in2_features = positive_integer("Bilinear", "in2_features", in2_features)
        self.out_features = positive_integer("Bilinear", "out_features", out_features)
        dtype, rng, bound = floating_dtype("Bilinear", dtype), generator(rng, "Bilinear"), 1 / math.sqrt(in1_features)
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(initializers.uniform(shape, rng, dtype, bound=bound), name="weight")
        self.bias: Parameter | None = None
        if bias:
            self.bias = Parameter(initializers.uniform(shape[:1], rng, dtype, bound=bound), name="bias")

    def __call__(self, x1: Any, x2: Any) -> Any:
        x1, x2 = array(x1), array(x2)
        m, n, k = self.in1_features, self.in2_features, self.out_features
        if x1.shape[-1:] != (m,) or x2.shape != (*x1.shape[:-1], n) or 0 in x1.shape:
            raise ValueError(f"Bilinear({m}, {n}, {k}): expected inputs of shapes (..., {m}) and (..., {n}), alike in "
                             f"all other axes and not empty, got {x1.shape} and {x2.shape}")
        columns = self.weight.transpose(1, 0, 2).reshape(m, k * n)
        between = (x1 @ columns).reshape(*x1.shape[:-1], k, n)
        y = (between @ x2[..., None])[..., 0]
        return y if self.bias is None else y + self.bias
