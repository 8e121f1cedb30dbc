"""Python's own containers, which hold Values as they are, and ``isinstance`` and ``type`` that look at what a Value
holds."""

import builtins
from builtins import dict, list, tuple  # noqa: UP029
from typing import Any

from .value import Value

__all__ = ["dict", "isinstance", "list", "tuple", "type"]


def isinstance(x: Any, classes: Any) -> bool:
    """``isinstance`` of the data of a Value, or of anything else.

    >>> import numpy as np
    >>> isinstance(Value([1.0]), np.ndarray)
    True
    """
    return builtins.isinstance(x.data if builtins.isinstance(x, Value) else x, classes)


def type(x: Any) -> builtins.type:
    """The type of the data of a Value, or of anything else.

    >>> type(Value(1.0))
    <class 'float'>
    """
    return builtins.type(x.data if builtins.isinstance(x, Value) else x)
