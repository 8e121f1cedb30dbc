"""How the tests check a layer's gradients: of its inputs and parameters, to second order, in both precisions."""

from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from autograd import gradcheck

__all__ = ["check_layer", "numbers"]


def numbers(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class Called(nn.Module):
    """A layer, and how it is called."""

    def __init__(self, layer: nn.Module, call: Callable) -> None:
        self.layer, self.call = layer, call

    def __call__(self, *inputs: Any) -> Any:
        return self.call(self.layer, *inputs)


def check_layer(make: Callable[[Any], nn.Module], *shapes: tuple[int, ...], call: Callable | None = None) -> None:
    """``gradcheck`` of ``make(dtype)`` at order 2, at inputs of these shapes; parameters start off their usual values.

    ``call(layer, *inputs)`` is what is checked, the layer itself unless given.
    """
    for dtype in (np.float64, np.float32):
        layer = make(dtype)
        for i, p in enumerate(layer.parameters()):
            assert p.dtype == dtype
            p.data += np.asarray(0.3 * numbers(*p.shape, seed=50 + i), dtype)
        inputs = [numbers(*shape, seed=i, dtype=dtype) for i, shape in enumerate(shapes)]
        report = gradcheck(Called(layer, call) if call else layer, *inputs, order=2)
        assert report and set(report.verdicts.values()) <= {"right", "precision"}, str(report)
