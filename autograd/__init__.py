"""Nudge's engine: plain NumPy code, made differentiable."""

from . import functions, rules
from .checking import GradientReport, gradcheck
from .drawing import draw
from .record import no_grad, primitive
from .registry import defvjp
from .transforms import grad, value_and_grad
from .value import Value

__all__ = ["GradientReport", "Value", "defvjp", "draw", "functions", "grad", "gradcheck", "no_grad", "primitive",
           "rules", "value_and_grad"]
