"""Numeric derivatives to compare with: fourth-order central differences, right to about ten digits."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["assert_close", "difference", "numeric_gradient"]


def difference(at: Callable[[float], Any], step: float = 1e-3) -> Any:
    """The derivative at 0 of a function of one real number, with an error of the order of step⁴."""
    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)


def numeric_gradient(f: Callable[..., Any], inputs: Sequence[Any], step: float = 1e-3) -> list[np.ndarray]:
    """The gradient of a real function of arrays; for a complex one ∂f/∂x - i ∂f/∂y, the engine's convention."""
    gradients = []
    for i, x in enumerate(inputs):
        x = np.asarray(x)
        gradient = np.zeros_like(x, order="C")
        for k in range(x.size):
            def at(t: Any, i: int = i, x: Any = x, k: int = k) -> Any:
                moved = x.copy(order="C")
                moved.flat[k] += t
                return f(*inputs[:i], moved if moved.ndim else moved[()], *inputs[i + 1:])

            slope = difference(at, step)
            if np.iscomplexobj(x):
                slope = slope - 1j * difference(lambda t, at=at: at(1j * t), step)
            gradient.flat[k] = slope
        gradients.append(gradient)
    return gradients


def assert_close(got: Any, wanted: Any, rtol: float = 1e-7, what: str = "") -> None:
    """Equal shapes, and equal numbers to ``rtol`` of each number or of a tenth of the largest."""
    wanted = np.asarray(wanted)
    scale = np.max(np.abs(wanted), initial=0.1)
    assert np.shape(got) == wanted.shape, f"{what}: shape {np.shape(got)}, expected {wanted.shape}"
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=0.1 * rtol * scale, err_msg=what)
