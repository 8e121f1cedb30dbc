"""HIPS autograd's helpers: flattening, optimizers, fixed points, and graphs run again."""

from .flatten import flatten
from .tracers import const_graph

__all__ = ["const_graph", "flatten"]
