"""Checking gradients against finite differences, and explaining those that are nan or zero."""

from .gradcheck import assert_gradients, gradcheck
from .nonfinite import NonFinite, explain_nan
from .report import ElementCheck, GradientReport, InputCheck
from .vanishing import Vanishing, why_zero

__all__ = ["ElementCheck", "GradientReport", "InputCheck", "NonFinite", "Vanishing", "assert_gradients", "explain_nan",
           "gradcheck", "why_zero"]
