"""The numeric side of a check: derivatives by elements and along directions, by the best method there is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from .differences import Derivative, Line, central, complex_step, one_sided, refined, rounding
from .recorded import Replay
from .subject import Subject

__all__ = ["Numeric", "scales"]

COMPLEX = "complex step on the recorded graph, exact to rounding"
REPLAYED = "central differences of the recorded graph with two Richardson extrapolations"
CALLED = "central differences of f with two Richardson extrapolations"
_STEP = 1e-3  # of central differences, as a part of an element's scale


def scales(x: np.ndarray) -> np.ndarray:
    """The size by which each element may move: its own, but not much below that of the others; 0.1 where all are 0."""
    size = np.abs(x)
    finite = size[np.isfinite(size)]
    typical = float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0
    return np.maximum(size, 0.1 * typical) if typical else np.full(x.shape, 0.1)


class Numeric:
    """Derivatives of the weighted sum of a subject's outputs with respect to one leaf, all others being fixed.

    The recorded graph is replayed where that gives what the function itself gives nearby; where it can also be replayed
    with complex numbers, the complex step is taken.
    """

    def __init__(self, subject: Subject, point: Sequence[np.ndarray], weights: Sequence[np.ndarray], i: int,
                 replay: Replay | None) -> None:
        self.subject, self.weights, self.i, self.replay = subject, weights, i, replay
        self.point = list(point)
        self.x = self.point[i]
        self.scale = scales(self.x)
        self.noise = 1.0
        self.complex = False
        self.method = CALLED

    def prepare(self, rng: np.random.Generator) -> None:
        """Choose the method, by how each does along a random direction."""
        direction = rng.uniform(0.5, 1.0, self.x.shape) * rng.choice([-1.0, 1.0], self.x.shape) * self.scale
        called = self.calls(direction)
        self.noise = rounding(called, self.weights, 1e-7)
        if self.replay is None or not self._faithful(called, self.replays(direction)):
            self.replay = None
            return
        self.method = REPLAYED
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            try:
                exact = complex_step(self.replays(direction), self.weights, 1e-20)
            except Exception:  # whatever a function says of complex numbers
                return
            for h in (_STEP, 1e-8):  # the first may be spoiled by a kink, which the complex step does not meet
                other = central(called, self.weights, h, self.noise)
                if abs(exact.value - other.value) <= 1e-5 * abs(exact.value) + 10 * min(other.error, abs(exact.value)):
                    self.complex = True
        if self.complex:
            self.method = COMPLEX

    def _faithful(self, called: Line, replayed: Line) -> bool:
        """Whether the replay gives what the function gives: not where a branch or a plain number depends on x."""
        for t in (1e-4, -1e-3):
            try:
                pairs = list(zip(called(t), replayed(t), strict=True))
            except Exception:  # such as a shape that was recorded as a number
                return False
            for a, b in pairs:
                if a.shape != b.shape or not np.allclose(a, b, rtol=1e-13 * self.noise, atol=0, equal_nan=True):
                    return False
        return True

    # Lines: the outputs at a distance t

    def calls(self, direction: np.ndarray) -> Line:
        """Along a direction, by calling the function."""
        return partial(self._called, direction)

    def replays(self, direction: np.ndarray) -> Line:
        return partial(self._replayed, direction)

    def _called(self, direction: np.ndarray, t: float) -> list[np.ndarray]:
        moved = [*self.point]
        moved[self.i] = self.x + t * direction
        return self.subject.outputs(moved)

    def _replayed(self, direction: np.ndarray, t: Any) -> list[np.ndarray]:
        assert self.replay is not None
        return self.replay((self.x + t * direction)[()])

    def element(self, k: int) -> np.ndarray:
        """The direction of one element, by its flat index, as long as its scale."""
        direction = np.zeros(self.x.shape)
        direction.ravel()[k] = self.scale.ravel()[k]
        return direction

    # Derivatives

    def along(self, direction: np.ndarray) -> Derivative:
        """The derivative along a direction, which is of the size of the scales."""
        if self.complex:
            return complex_step(self.replays(direction), self.weights, 1e-20)
        line = self.calls(direction) if self.replay is None else self.replays(direction)
        return central(line, self.weights, _STEP, self.noise)

    def carefully(self, direction: np.ndarray) -> Derivative:
        """The same by calling the function, with the step that is best."""
        return refined(self.calls(direction), self.weights, 1.0, self.noise)

    def sides(self, direction: np.ndarray, h: float) -> tuple[Derivative, Derivative]:
        """The slopes to the left and to the right."""
        return one_sided(self.calls(direction), self.weights, h, self.noise)

    def elements(self) -> tuple[np.ndarray, np.ndarray]:
        """The derivative with respect to every element, and how far each may be off."""
        values, errors = np.empty(self.x.shape), np.empty(self.x.shape)
        x = self.x.astype(complex if self.complex else float)
        flat, scale = x.ravel(), self.scale.ravel()
        run = self._run(x)
        for k in range(flat.size):
            start = flat[k]

            def line(t: Any, k: int = k, start: Any = start) -> list[np.ndarray]:
                flat[k] = start + t * scale[k]
                outputs = run()
                flat[k] = start
                return outputs

            found = complex_step(line, self.weights, 1e-20) if self.complex else central(
                line, self.weights, _STEP, self.noise)
            values.ravel()[k], errors.ravel()[k] = found.value / scale[k], found.error / scale[k]
        return values, errors

    def _run(self, x: np.ndarray) -> Any:
        """A function of nothing that gives the outputs at what ``x`` holds when it is called."""
        if self.replay is not None:
            replay = self.replay
            return (lambda: replay(x)) if x.ndim else (lambda: replay(x[()]))
        moved = [*self.point]
        moved[self.i] = x
        return lambda: self.subject.outputs(moved)
