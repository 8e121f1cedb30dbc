"""``EMA``: an exponential moving average of a model's parameters, to evaluate with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .callbacks import Callback
from .checks import below_one
from .module import Module

if TYPE_CHECKING:
    from .fit import Training

__all__ = ["EMA"]


class EMA(Callback):
    """a ← ``decay`` · a + (1 - ``decay``) · w of every parameter w, from what it is now (Polyak and Juditsky, 1992).

    Call ``update`` after each step of the optimizer, also inside of a jitted step; or pass it to ``nn.fit`` among the
    callbacks, which then does so and keeps the averages in checkpoints. Buffers, such as running statistics, are not
    averaged: evaluated is with those that the model has.

    >>> from nn import Linear
    >>> model = Linear(1, 1, bias=False, rng=0)
    >>> ema, model.weight.data[...] = EMA(model, decay=0.75), 0.0
    >>> ema.update()
    >>> with ema.averaged():
    ...     _ = model(np.ones(1))  # with 3/4 of the weight that it began with
    """

    def __init__(self, model: Module, decay: float = 0.999) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"EMA: model must be a module, got {model!r:.60}")
        self.model, self.decay = model, float(below_one("EMA", "decay", decay))
        self.averages = {path: np.array(p.data) for path, p in model.named_parameters()}
        if not self.averages:
            raise ValueError("EMA: model has no parameters")

    def update(self) -> None:
        """Move each average a little towards its parameter."""
        for path, p in self.model.named_parameters():
            average = self.averages[path]
            average *= self.decay
            average += (1 - self.decay) * p.data

    def on_train_begin(self, run: Training) -> None:
        trained = set(run.model.parameters())
        if not trained.issuperset(self.model.parameters()):
            raise ValueError("EMA: model must be the one that is trained, or a part of it")

    def on_step_end(self, run: Training) -> None:
        self.update()

    @contextmanager
    def averaged(self) -> Iterator[Module]:
        """Inside, the model has the averages for parameters; afterwards, also after an error, its own again."""
        own = {path: np.array(p.data) for path, p in self.model.named_parameters()}
        try:
            self._put(self.averages)
            yield self.model
        finally:
            self._put(own)

    def _put(self, arrays: Mapping[str, np.ndarray]) -> None:
        for path, p in self.model.named_parameters():
            if p.shape:
                p.data[...] = arrays[path]
            else:
                p.data = type(p.data)(arrays[path])

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every average, by the path of its parameter: a state that the model itself can load."""
        return {path: array.copy() for path, array in self.averages.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave; ``ValueError`` where it is that of another model."""
        if state.keys() != self.averages.keys():
            raise ValueError(f"EMA: the state does not fit: missing {sorted(self.averages.keys() - state.keys())}, "
                             f"unknown {sorted(state.keys() - self.averages.keys())}")
        for path, array in self.averages.items():
            if np.shape(state[path]) != array.shape:
                raise ValueError(f"EMA: {path} has shape {np.shape(state[path])} in the state, expected {array.shape}")
        for path, array in self.averages.items():
            array[...] = state[path]
