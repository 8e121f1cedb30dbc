"""``Linear``: the layer of weighted sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Value
from autograd.functions import affine

from . import initializers
from .checks import floating_dtype, positive_integer
from .module import Module, Parameter
from .random import Randomness, generator

__all__ = ["Linear"]


class Linear(Module):
    """x Wᵀ + b: each of ``out_features`` neurons sums its ``in_features`` inputs by weights, and adds a bias.

    Shapes: input (..., in_features), output (..., out_features), ``weight`` (out_features, in_features),
    ``bias`` (out_features,). Both start uniform between ±1/√in_features, as in PyTorch, unless ``init`` (see
    ``nn.initializers``) gives the weights; biases then start at 0.

    Raises ``ValueError`` for an input whose last axis does not have ``in_features`` elements.

    >>> layer = Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, rng: Randomness,
                 init: initializers.Initializer | None = None, dtype: Any = np.float32) -> None:
        in_features = positive_integer("Linear", "in_features", in_features)
        out_features = positive_integer("Linear", "out_features", out_features)
        dtype = floating_dtype("Linear", dtype)
        rng = generator(rng, "Linear")
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features)
        if init is None:
            weight = initializers.uniform((out_features, in_features), rng, dtype, bound=bound)
        else:
            weight = init((out_features, in_features), rng, dtype)
            if np.shape(weight) != (out_features, in_features):
                raise ValueError(f"Linear: init must return an array of shape ({out_features}, {in_features}), got "
                                 f"{np.shape(weight)}")
        self.weight = Parameter(weight, name="weight")
        self.bias: Parameter | None = None
        if bias:
            start = np.zeros(out_features, dtype) if init else initializers.uniform((out_features,), rng, dtype,
                                                                                    bound=bound)
            self.bias = Parameter(start, name="bias")

    def __call__(self, x: Any) -> Value:
        shape = x.shape if hasattr(x, "shape") else np.shape(x)
        if not shape or shape[-1] != self.in_features:
            raise ValueError(f"Linear({self.in_features}, {self.out_features}): expected an input of shape "
                             f"(..., {self.in_features}), got {shape}")
        return affine(x, self.weight) if self.bias is None else affine(x, self.weight, self.bias)
