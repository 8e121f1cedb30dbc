"""Pictures of networks and of their training, each a function that returns a matplotlib figure."""

from .descent import descent_path
from .landscape import cost_along_gradient, cost_plane
from .weights import weight_images

__all__ = [
    "cost_along_gradient",
    "cost_plane",
    "descent_path",
    "weight_images",
]
