"""Checking gradients against finite differences."""

from .gradcheck import ElementCheck, GradientReport, gradcheck

__all__ = ["ElementCheck", "GradientReport", "gradcheck"]
