"""The class of differentiable arrays under its name in HIPS autograd."""

from ..value import Value as ArrayBox

__all__ = ["ArrayBox"]
