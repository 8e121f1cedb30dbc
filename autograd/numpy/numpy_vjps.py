"""Helpers with which rules for HIPS autograd undo broadcasting, which here the reverse pass does for every rule."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..rules.reductions import expand

__all__ = ["repeat_to_match_shape", "unbroadcast", "unbroadcast_f"]


def unbroadcast_f(target: Any, g: Callable) -> Callable:
    """``g`` as it is."""
    return g


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """``x`` summed to the shape that ``target_meta``, from ``numpy_wrapper.metadata``, begins with.

    >>> unbroadcast(np.ones((2, 3)), ((1, 3),))
    array([[2., 2., 2.]])
    """
    shape = target_meta[0]
    added = np.ndim(x) - len(shape)
    axes = [*range(added), *(added + i for i, n in enumerate(shape) if n == 1)]
    return np.reshape(np.sum(x, axis=tuple(axes)), shape) if axes else x


def repeat_to_match_shape(g: Any, shape: tuple, dtype: Any, axis: Any, keepdims: bool) -> tuple[Any, int]:
    """The gradient of a sum along an axis, in the shape of what was summed, and over how many elements it went.

    >>> repeat_to_match_shape(np.array([1.0, 2.0]), (2, 3), float, 1, False)
    (array([[1., 1., 1.],
           [2., 2., 2.]]), 3)
    """
    like = np.zeros(shape, dtype)
    repeated = expand(g, like, axis, keepdims) + like
    return repeated, like.size // max(np.size(g), 1)
