"""The training of the digits demo as all peers do it: the same images in the same order, from the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import nn

from .peers import Unable

try:
    from demos.digits import RECIPES
except SystemExit as error:  # the demo's own message
    raise Unable(str(error)) from error

__all__ = ["Plan"]


class Plan:
    """A recipe of the demo with its data, first weights and order of the images."""

    def __init__(self, recipe: str, seed: int) -> None:
        self.name, self.recipe = recipe, RECIPES[recipe]
        try:
            self.train, self.test = nn.data.mnist()
        except (nn.data.DataUnavailable, ModuleNotFoundError) as error:
            raise Unable(str(error).splitlines()[0]) from error
        self.rng = np.random.default_rng(seed)
        self.model = self.recipe.build(self.rng)
        self.lr, self.batch_size, self.epochs = self.recipe.lr, self.recipe.batch_size, self.recipe.epochs
        self.steps = self.epochs * -(-len(self.train.images) // self.batch_size)
        one_hot = self.recipe.cost is not nn.cross_entropy
        self.targets = nn.data.one_hot(self.train.labels, 10) if one_hot else self.train.labels

    @property
    def parameters(self) -> list[np.ndarray]:
        return [p.data for p in self.model.parameters()]

    def only(self, name: str, reason: str) -> None:
        if self.name != name:
            raise Unable(reason)

    def batches(self, convert: Callable[[np.ndarray], Any] = lambda x: x) -> Iterator[tuple[Any, Any]]:
        """The batches of one epoch, shifted where the recipe says so, as the peer takes them."""
        for x, y in nn.data.minibatches(self.train.images, self.targets, size=self.batch_size, rng=self.rng):
            yield convert(nn.data.shift(x, self.rng, self.recipe.shifts) if self.recipe.shifts else x), convert(y)
