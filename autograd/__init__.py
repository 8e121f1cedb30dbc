"""Nudge's engine: plain NumPy code, made differentiable."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import functions, recurrence, rules
from .check import check
from .checkpoint import checkpoint
from .parts import part, parts
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

if TYPE_CHECKING:
    from .checking import GradientReport, StepSweep, assert_gradients, explain_nan, gradcheck, step_sweep, why_zero
    from .compiling import jit
    from .drawing import draw, draw_text, formula, trace_table
    from .per_example import per_example_gradients

__all__ = ["GradientReport", "StepSweep", "Value", "assert_gradients", "check", "checkpoint", "defjvp", "defvjp",
           "deriv", "draw", "draw_text", "elementwise_grad", "explain_nan", "formula", "functions", "grad",
           "grad_and_aux", "grad_named", "gradcheck", "hessian", "hessian_tensor_product", "hessian_vector_product",
           "holomorphic_grad", "jacobian", "jit", "make_ggnvp", "make_hvp", "make_jvp", "make_vjp", "multigrad_dict",
           "no_grad", "part", "parts", "per_example_gradients", "primitive", "recurrence", "rules", "step_sweep",
           "tensor_jacobian_product", "trace_table", "value_and_grad", "vector_jacobian_product", "why_zero"]


# What is imported when it is asked for, so that an import stays quick. The builtins are those of HIPS autograd.
_LATER = {
    **dict.fromkeys(["GradientReport", "StepSweep", "assert_gradients", "explain_nan", "gradcheck", "step_sweep",
                     "why_zero"], ".checking"),
    **dict.fromkeys(["draw", "draw_text", "formula", "trace_table"], ".drawing"),
    "jit": ".compiling",
    "per_example_gradients": ".per_example",
    **dict.fromkeys(["dict", "isinstance", "list", "tuple", "type"], ".builtins"),
}


def __getattr__(name: str) -> Any:
    if name == "numpy":  # the module, which HIPS autograd imports too
        return import_module(".numpy", __name__)
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name], __name__), name)
