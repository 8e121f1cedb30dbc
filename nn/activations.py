"""The activation functions as modules, for use in ``Sequential``; the functions are in ``autograd.functions``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import functions

from .module import Module

__all__ = ["ELU", "GELU", "LeakyReLU", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Softplus", "Tanh"]


class Sigmoid(Module):
    """1 / (1 + e^(-x)), elementwise: squeezes any number between 0 and 1.

    >>> Sigmoid()(np.array([0.0]))
    array([0.5])
    """

    def __call__(self, x: Any) -> Any:
        return functions.sigmoid(x)


class Tanh(Module):
    """tanh x, elementwise.

    >>> Tanh()(np.array([0.0]))
    array([0.])
    """

    def __call__(self, x: Any) -> Any:
        return np.tanh(x)


class ReLU(Module):
    """max(x, 0), elementwise.

    >>> ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, x: Any) -> Any:
        return functions.relu(x)


class LeakyReLU(Module):
    """x where x > 0, else ``negative_slope`` · x, elementwise.

    >>> LeakyReLU(0.5)(np.array([-1.0, 2.0]))
    array([-0.5,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def __call__(self, x: Any) -> Any:
        return functions.leaky_relu(x, self.negative_slope)


class ELU(Module):
    """x where x > 0, else ``alpha`` · (e^x - 1), elementwise.

    >>> ELU()(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, x: Any) -> Any:
        return functions.elu(x, self.alpha)


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
        return functions.gelu(x, self.approximate)


class SiLU(Module):
    """x · σ(x), elementwise.

    >>> SiLU()(np.array([0.0]))
    array([0.])
    """

    def __call__(self, x: Any) -> Any:
        return functions.silu(x)


class Softplus(Module):
    """log(1 + e^x), elementwise.

    >>> Softplus()(np.array([1000.0]))
    array([1000.])
    """

    def __call__(self, x: Any) -> Any:
        return functions.softplus(x)


class Softmax(Module):
    """e^x / Σ e^x along ``axis``.

    >>> Softmax()(np.array([1.0, 1.0]))
    array([0.5, 0.5])
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def __call__(self, x: Any) -> Any:
        return functions.softmax(x, self.axis)


class LogSoftmax(Module):
    """x - log Σ e^x along ``axis``.

    >>> LogSoftmax()(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def __call__(self, x: Any) -> Any:
        return functions.log_softmax(x, self.axis)
