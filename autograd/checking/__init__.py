"""Checking gradients against finite differences, and explaining those that are nan or zero."""

from .gradcheck import ElementCheck, GradientReport, gradcheck
from .nonfinite import NonFinite, explain_nan

__all__ = ["ElementCheck", "GradientReport", "NonFinite", "explain_nan", "gradcheck"]
