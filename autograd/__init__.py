"""Nudge's engine: plain NumPy code, made differentiable."""

from importlib import import_module
from typing import Any

from . import functions, rules
from .checking import GradientReport, gradcheck
from .checkpoint import checkpoint
from .drawing import draw
from .per_example import per_example_gradients
from .record import no_grad, primitive
from .registry import defjvp, defvjp
from .transforms import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)
from .value import Value

__all__ = ["GradientReport", "Value", "checkpoint", "defjvp", "defvjp", "deriv", "draw", "elementwise_grad",
           "functions", "grad", "grad_and_aux", "grad_named", "gradcheck", "hessian", "hessian_tensor_product",
           "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp", "make_jvp",
           "make_vjp", "multigrad_dict", "no_grad", "per_example_gradients", "primitive", "rules",
           "tensor_jacobian_product", "value_and_grad", "vector_jacobian_product"]


def __getattr__(name: str) -> Any:
    """The names that HIPS autograd takes from Python's builtins, and its module ``numpy``: loaded when asked for."""
    if name in ("dict", "isinstance", "list", "tuple", "type"):
        return getattr(import_module(".builtins", __name__), name)
    if name == "numpy":
        return import_module(".numpy", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
