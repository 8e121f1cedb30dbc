"""How a method of a distribution is made differentiable."""

from collections.abc import Callable
from functools import update_wrapper
from operator import attrgetter
from typing import Any

import scipy.stats

from ...record import primitive
from ...registry import definition

__all__ = ["equal_to", "method"]


def method(name: str, like: Callable) -> Callable:
    """The method ``name`` of scipy.stats as a primitive, with the parameters of ``like``."""
    compute = attrgetter(name)(scipy.stats)

    def function(*args: Any, **kwargs: Any) -> Any:
        return compute(*args, **kwargs)

    update_wrapper(function, like)
    function.__module__, function.__qualname__, function.__doc__ = "scipy.stats", name, compute.__doc__
    return primitive(function)


def equal_to(name: str, formula: Callable) -> Callable:
    """The method ``name``, whose values are SciPy's, and whose derivatives are those of ``formula``."""
    function = method(name, formula)
    definition(function, formula)
    return function
