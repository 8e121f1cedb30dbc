"""``check``: raise an error unless a condition holds, also where a traced program is replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["check"]


def check(condition: Any, error: Callable[..., Exception], *values: Any) -> None:
    """Raise ``error(*values)`` unless ``condition`` holds, for an array in all elements.

    In a jitted function the condition is tested at each call, before the call has changed anything; a Python ``if``
    would be decided once, when the function is traced.

    >>> x = np.array([1.0, -1.0])
    >>> check(x > 0, lambda x: ValueError(f"x must be positive, got {x.min()}"), x)
    Traceback (most recent call last):
    ValueError: x must be positive, got -1.0
    """
    if hasattr(condition, "checked"):  # by the trace that it belongs to
        condition.checked(check, error, values)
    elif not np.all(condition):
        raise error(*values)
