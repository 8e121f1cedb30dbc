"""What programs take from the module of that name in HIPS autograd."""

from typing import Any

import numpy as np

from .creation import array, array_from_args

__all__ = ["array", "array_from_args", "metadata"]


def metadata(A: Any) -> tuple:
    """Shape, number of axes, dtype, and whether complex: what ``numpy_vjps.unbroadcast`` asks for.

    >>> metadata(np.ones((2, 3)))
    ((2, 3), 2, dtype('float64'), False)
    """
    return np.shape(A), np.ndim(A), np.result_type(A), np.iscomplexobj(A)
