"""What programs take from the module of that name in HIPS autograd."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..record import primitive
from .creation import array, array_from_args

__all__ = ["array", "array_from_args", "metadata", "wrap_namespace"]


def metadata(A: Any) -> tuple:
    """Shape, number of axes, dtype, and whether complex: what ``numpy_vjps.unbroadcast`` asks for.

    >>> metadata(np.ones((2, 3)))
    ((2, 3), 2, dtype('float64'), False)
    """
    return np.shape(A), np.ndim(A), np.result_type(A), np.iscomplexobj(A)


def wrap_namespace(old: Mapping[str, Any], new: dict[str, Any]) -> None:
    """Put the functions of a module into ``new`` as primitives, one for each; ufuncs, types and numbers as they are.

    >>> import math
    >>> wrapped = {}
    >>> wrap_namespace(vars(math), wrapped)
    >>> wrapped["gamma"].is_primitive, wrapped["pi"]
    (True, 3.141592653589793)
    """
    made: dict[int, Any] = {}  # one for several names of a function
    for name, x in old.items():
        if isinstance(x, (float, int, type, np.ufunc)) or x is None:
            new[name] = x
        elif callable(x) and not name.startswith("__"):
            new[name] = made.setdefault(id(x), primitive(x))
