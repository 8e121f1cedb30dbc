"""Nudge's engine: plain NumPy code, made differentiable."""

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
)
from .value import Value

__all__ = ["GradientReport", "Value", "checkpoint", "defjvp", "defvjp", "deriv", "draw", "elementwise_grad",
           "functions", "grad", "grad_and_aux", "grad_named", "gradcheck", "hessian", "hessian_tensor_product",
           "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp", "make_jvp",
           "make_vjp", "multigrad_dict", "no_grad", "per_example_gradients", "primitive", "rules",
           "tensor_jacobian_product", "value_and_grad"]
