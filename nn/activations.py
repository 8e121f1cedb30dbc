"""The activation functions as modules, for use in ``Sequential``; the functions are in ``autograd.functions``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import functions

from .checks import above_zero, floating_dtype, floats, positive_integer
from .module import Module, Parameter

__all__ = ["ELU", "GELU", "Hardtanh", "LeakyReLU", "LogSoftmax", "PReLU", "ReLU", "SiLU", "Sigmoid", "Softmax",
           "Softplus", "Tanh"]


class Sigmoid(Module):
    """1 / (1 + e^(-x)), elementwise: squeezes any number between 0 and 1.

    >>> Sigmoid()(np.array([0.0]))
    array([0.5])
    """

    def __call__(self, x: Any) -> Any:
        return functions.sigmoid(floats("Sigmoid", x))


class Tanh(Module):
    """tanh x, elementwise.

    >>> Tanh()(np.array([0.0]))
    array([0.])
    """

    def __call__(self, x: Any) -> Any:
        return np.tanh(floats("Tanh", x))


class ReLU(Module):
    """max(x, 0), elementwise.

    >>> ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, x: Any) -> Any:
        return functions.relu(floats("ReLU", x))


class LeakyReLU(Module):
    """x where x > 0, else ``negative_slope`` · x, elementwise.

    >>> LeakyReLU(0.5)(np.array([-1.0, 2.0]))
    array([-0.5,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def __call__(self, x: Any) -> Any:
        return functions.leaky_relu(floats("LeakyReLU", x), self.negative_slope)


class PReLU(Module):
    """x where x > 0, else ``weight`` · x, with a slope that is learned (He et al., 2015).

    Shapes: input and output (N, C, ...); ``weight`` is (C,) with C = ``num_parameters``, or (1,) for one slope in all.

    Raises ``ValueError`` for an input with another number of channels.

    >>> PReLU()(np.array([-1.0, 2.0])).data.tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = np.float32) -> None:
        self.num_parameters = positive_integer("PReLU", "num_parameters", num_parameters)
        self.weight = Parameter(np.full(num_parameters, init, floating_dtype("PReLU", dtype)), name="weight")

    def __call__(self, x: Any) -> Any:
        x, n = floats("PReLU", x), self.num_parameters
        if n > 1 and (len(x.shape) < 2 or x.shape[1] != n):
            raise ValueError(f"PReLU({n}): expected an input of shape (N, {n}, ...), got {x.shape}")
        return np.where(x > 0, x, self.weight.reshape(() if n == 1 else (n, *[1] * (len(x.shape) - 2))) * x)


class ELU(Module):
    """x where x > 0, else ``alpha`` · (e^x - 1), elementwise.

    >>> ELU()(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, x: Any) -> Any:
        return functions.elu(floats("ELU", x), self.alpha)


class Hardtanh(Module):
    """x between ``min_val`` and ``max_val``, elementwise, and beyond them these.

    >>> Hardtanh()(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val must be less than max_val, got {min_val!r} and {max_val!r}")
        self.min_val, self.max_val = min_val, max_val

    def __call__(self, x: Any) -> Any:
        return functions.hardtanh(floats("Hardtanh", x), self.min_val, self.max_val)


class GELU(Module):
    """x · Φ(x), elementwise; ``approximate="tanh"`` for the faster form.

    >>> GELU()(np.array([0.0]))
    array([0.])
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def __call__(self, x: Any) -> Any:
        return functions.gelu(floats("GELU", x), self.approximate)


class SiLU(Module):
    """x · σ(x), elementwise.

    >>> SiLU()(np.array([0.0]))
    array([0.])
    """

    def __call__(self, x: Any) -> Any:
        return functions.silu(floats("SiLU", x))


class Softplus(Module):
    """log(1 + e^(beta · x)) / beta, elementwise, and x itself where beta · x > ``threshold``.

    >>> Softplus()(np.array([1000.0]))
    array([1000.])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = above_zero("Softplus", "beta", beta), threshold

    def __call__(self, x: Any) -> Any:
        x = floats("Softplus", x)
        z = x * self.beta
        return np.where(z > self.threshold, x, functions.softplus(z) / self.beta)


class Softmax(Module):
    """e^x / Σ e^x along ``axis``.

    >>> Softmax()(np.array([1.0, 1.0]))
    array([0.5, 0.5])
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def __call__(self, x: Any) -> Any:
        return functions.softmax(floats("Softmax", x), self.axis)


class LogSoftmax(Module):
    """x - log Σ e^x along ``axis``.

    >>> LogSoftmax()(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def __call__(self, x: Any) -> Any:
        return functions.log_softmax(floats("LogSoftmax", x), self.axis)
