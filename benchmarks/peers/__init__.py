"""The peers, one module each: a function for every kind of workload that the peer takes part in.

``kind(variant, **settings)`` gives what a worker runs: a ``Prepared``, or for training an ``Epochs``. A kind that the
peer cannot do raises ``Unable``; a kind that it never does has no function.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Epochs", "Prepared", "Unable"]


class Unable(Exception):
    """Why a peer does not do a workload for now; without a reason, it never does."""


def nothing() -> None:
    pass


@dataclass
class Prepared:
    """``step()`` is the work; ``wait()`` returns when all of it is done.

    ``numbers()`` gives what was computed, for comparison with the other peers: the parameters after the steps so far,
    weights as (fan_out, fan_in), or the result of the last step. A call of ``step`` does ``steps`` of them.
    """

    step: Callable[[], Any]
    numbers: Callable[[], Iterable[Any]] | None = None
    wait: Callable[[], Any] = nothing
    steps: int = 1


@dataclass
class Epochs:
    """Training, an epoch at a time: ``batches()`` of an epoch go to ``step``, and ``predict`` is how it is tested."""

    batches: Callable[[], Iterator[tuple[Any, Any]]]
    step: Callable[[Any, Any], Any]
    predict: Callable[[np.ndarray], np.ndarray]
    test: Any  # images and labels
    wait: Callable[[], Any] = nothing

    def epoch(self) -> tuple[float, float]:
        """Seconds of the training alone, and the accuracy on the test images after it."""
        start = time.perf_counter()
        for x, y in self.batches():
            self.step(x, y)
        self.wait()
        seconds = time.perf_counter() - start
        return seconds, float(np.mean(np.argmax(self.predict(self.test.images), axis=1) == self.test.labels))
