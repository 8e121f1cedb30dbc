"""Checking gradients against finite differences."""

from .gradcheck import ElementCheck, GradientReport, gradcheck

__all__ = ["ElementCheck", "GradientReport", "gradcheck"]


def assert_gradients(f, *inputs, **options):
    gradcheck(f, *inputs, **options).raise_if_wrong()
