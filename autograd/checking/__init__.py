"""Checking gradients against finite differences, and explaining those that are nan or zero."""

from .gradcheck import ElementCheck, GradientReport, gradcheck
from .nonfinite import NonFinite, explain_nan
from .vanishing import Vanishing, why_zero

__all__ = ["ElementCheck", "GradientReport", "NonFinite", "Vanishing", "explain_nan", "gradcheck", "why_zero"]
