"""The networks of the digits demo, and the recipes that they are trained by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nn

__all__ = ["CONVOLUTIONAL", "RECIPES", "Convolutional", "Recipe"]


class Convolutional(nn.Module):
    """Stages of a convolution, batch normalization, ReLU and pooling, and a linear layer that reads the last maps.

    Shapes: images (n, 784) give logits (n, 10). The first stage takes every other pixel of a 5 by 5 window, and so sees
    a quarter of the places; the second and third halve height and width by pooling.
    """

    def __init__(self, channels: Sequence[int], rng: np.random.Generator) -> None:
        one, two, three = channels
        self.stages = [
            nn.Sequential(nn.Conv2d(1, one, 5, stride=2, padding=2, bias=False, rng=rng), nn.BatchNorm2d(one),
                          nn.ReLU()),
            nn.Sequential(nn.Conv2d(one, two, 3, padding=1, bias=False, rng=rng), nn.BatchNorm2d(two), nn.ReLU(),
                          nn.MaxPool2d(2)),
            nn.Sequential(nn.Conv2d(two, three, 3, padding=1, bias=False, rng=rng), nn.BatchNorm2d(three), nn.ReLU(),
                          nn.MaxPool2d(2)),
        ]
        self.output = nn.Linear(three * 3 * 3, 10, rng=rng)

    def maps(self, x: Any) -> list[Any]:
        """What each stage makes of the images: (n, channels, height, width)."""
        x, maps = x.reshape(-1, 1, 28, 28), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def __call__(self, x: Any) -> Any:
        last = self.maps(x)[-1]
        return self.output(last.reshape(len(last), -1))


@dataclass(frozen=True)
class Recipe:
    """How a network is built and trained, with what a user may change as defaults."""

    network: str
    build: Callable[[np.random.Generator], Any]
    cost: Callable[[Any, Any], Any]
    optimizer: Callable[..., nn.Optimizer]
    one_cycle: bool
    shifts: int  # in pixels, at most
    epochs: int
    batch_size: int
    lr: float


def plain(activation: Callable[[], nn.Module], output: Callable[[], nn.Module] | None = None) -> Any:
    """What builds the network of the lecture notes, with these activations."""
    return lambda rng: nn.MLP([784, 16, 16, 10], activation, output, rng=rng)


CONVOLUTIONAL = {
    "cnn": Recipe("a convolutional network", lambda rng: Convolutional((16, 32, 64), rng), nn.cross_entropy, nn.AdamW,
                  one_cycle=True, shifts=2, epochs=8, batch_size=120, lr=0.02),
    # Fewer parameters than the plain network, which shares none of its weights between places.
    "small": Recipe("a small convolutional network", lambda rng: Convolutional((8, 16, 24), rng), nn.cross_entropy,
                    nn.AdamW, one_cycle=True, shifts=2, epochs=8, batch_size=120, lr=0.02),
}
RECIPES = {
    # As nowadays: ReLU, cross-entropy, AdamW with a one-cycle schedule, images shifted by up to one pixel.
    "relu": Recipe("784-16-16-10", plain(nn.ReLU), nn.cross_entropy, nn.AdamW, one_cycle=True, shifts=1,
                   epochs=40, batch_size=200, lr=0.02),
    # The lecture notes: sigmoid everywhere, quadratic cost, plain mini-batch gradient descent.
    "notes": Recipe("784-16-16-10", plain(nn.Sigmoid, nn.Sigmoid), nn.quadratic_cost, nn.SGD, one_cycle=False, shifts=0,
                    epochs=30, batch_size=10, lr=1.0),
    **CONVOLUTIONAL,
}
