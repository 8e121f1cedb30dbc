"""Checking gradients against finite differences."""

from .gradcheck import assert_gradients, gradcheck
from .report import ElementCheck, GradientReport, InputCheck

__all__ = ["ElementCheck", "GradientReport", "InputCheck", "assert_gradients", "gradcheck"]
