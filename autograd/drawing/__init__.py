"""Drawing computation graphs."""

from .graph import draw

__all__ = ["draw"]
