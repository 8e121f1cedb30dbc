"""Checking gradients against finite differences."""

from .gradcheck import assert_gradients, gradcheck
from .report import ElementCheck, GradientReport, InputCheck
from .sweep import StepSweep, step_sweep

__all__ = ["ElementCheck", "GradientReport", "InputCheck", "StepSweep", "assert_gradients", "gradcheck", "step_sweep"]
