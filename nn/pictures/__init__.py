"""Pictures of networks and of their training, each a function that returns a matplotlib figure."""

from .descent import descent_path
from .histograms import activation_histograms, gradient_histograms
from .landscape import cost_along_gradient, cost_plane
from .units import unit_health
from .weights import weight_images

__all__ = [
    "activation_histograms",
    "cost_along_gradient",
    "cost_plane",
    "descent_path",
    "gradient_histograms",
    "unit_health",
    "weight_images",
]
