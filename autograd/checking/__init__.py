"""Checking gradients against finite differences, and explaining those that are nan or zero."""

from .gradcheck import assert_gradients, gradcheck
from .nonfinite import NonFinite, explain_nan
from .report import ElementCheck, GradientReport, InputCheck
from .sweep import StepSweep, step_sweep
from .vanishing import Vanishing, why_zero

__all__ = ["ElementCheck", "GradientReport", "InputCheck", "NonFinite", "StepSweep", "Vanishing", "assert_gradients",
           "explain_nan", "gradcheck", "step_sweep", "why_zero"]
