"""The numeric side of a check: derivatives by elements and along directions, by the best method there is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .differences import EPS, Derivative, Line, central, complex_step, one_sided, refined, rounding, supported
from .recorded import Replay
from .subject import UNDEFINED, Subject

__all__ = ["Numeric", "scales"]

COMPLEX = "complex step on the recorded graph, which subtracts nothing"
REPLAYED = "central differences of the recorded graph with two Richardson extrapolations"
CALLED = "central differences of f with two Richardson extrapolations"
GROUPED = "elements in groups of like gradients, each along a random direction"
_STEP = 2.0**-10  # of central differences, as a part of an element's scale
_WORK = 2e7  # numbers to be computed, beyond which elements are moved in groups
_FEWEST = 256  # groups
_OPENED = 8  # groups that are taken apart


def scales(x: np.ndarray) -> np.ndarray:
    """The size by which each element may move: its own, of a 0 that of the others, and 0.1 where all are 0.

    What is not finite moves as one that is 0, which leaves it as it is.
    """
    size = np.where(np.isfinite(x), np.abs(x), 0.0)
    return np.where(size > 0, size, typical(x) or 0.1)


def typical(x: np.ndarray) -> float:
    """The root mean square of the elements, with no overflow; 0 where there are none."""
    size = np.abs(x[np.isfinite(x)])
    largest = float(np.max(size, initial=0.0))
    return largest * float(np.sqrt(np.mean(np.square(size / largest)))) if largest else 0.0


class Numeric:
    """Derivatives of the weighted sum of a subject's outputs with respect to one leaf, all others being fixed.

    The recorded graph is replayed where that gives what the function itself gives nearby; where it can also be replayed
    with complex numbers, the complex step is taken. ``noise`` is the rounding error of the weighted sum, as far as it
    is known, and ``work`` how many numbers a run computes.
    """

    def __init__(self, subject: Subject, point: Sequence[np.ndarray], weights: Sequence[np.ndarray], i: int,
                 replay: Replay | None, noise: float = 0.0, work: int = 1) -> None:
        self.subject, self.weights, self.i, self.replay, self.work = subject, weights, i, replay, work
        self.point = list(point)
        self.x = self.point[i]
        self.scale = np.exp2(np.floor(np.log2(scales(self.x))))  # by which a number moves with no rounding
        self.noise = self.known = noise
        self.complex = False
        self.method = CALLED

    def prepare(self, direction: np.ndarray) -> None:
        """Choose the method, by how each does along a direction that leads to no kink."""
        called = self.calls(direction)
        self.noise = max(self.noise, rounding(called, self.weights, 1e-7))
        if self.replay is None or not np.any(direction) or not self._faithful(called, self.replays(direction)):
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
                size = abs(exact.value)
                if abs(exact.value - other.value) <= 1e-5 * size + 10 * other.error <= 0.01 * size:
                    self.complex = True
        if self.complex:
            self.method = COMPLEX

    def look_at_rounding(self, rng: np.random.Generator) -> None:
        """Raise the rounding error to what can be seen along a random direction."""
        direction = rng.uniform(0.5, 1.0, self.x.shape) * self.scale
        self.noise = max(self.noise, rounding(self.calls(direction), self.weights, 1e-7))

    def _faithful(self, called: Line, replayed: Line) -> bool:
        """Whether the replay gives what the function gives: not where a branch or a plain number depends on x."""
        for t in (1e-4, -1e-3):
            try:
                pairs = list(zip(called(t), replayed(t), strict=True))
            except Exception:  # such as a shape that was recorded as a number
                return False
            for a, b in pairs:
                if a.shape != b.shape or not np.allclose(a, b, rtol=1e-13, atol=10 * self.noise, equal_nan=True):
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
        return self._defined(lambda: self.subject.outputs(moved))

    def _replayed(self, direction: np.ndarray, t: Any) -> list[np.ndarray]:
        replay = self.replay
        assert replay is not None
        return self._defined(lambda: replay((self.x + t * direction)[()]))

    def _defined(self, outputs: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
        """The outputs, nan where the function is not defined, as of a matrix that has no Cholesky factor."""
        try:
            return outputs()
        except UNDEFINED:
            return [np.full(w.shape, np.nan) for w in self.weights]

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

    def carefully(self, direction: np.ndarray, claim: float, slack: float = 0.0) -> Derivative:
        """The same by calling the function, with the step that is best, and others before the claim is refuted."""
        line, widest = self.calls(direction), self._widest(direction)
        noise = max(self.noise, rounding(line, self.weights, 1e-7))  # which elements need not have in common
        best = refined(line, self.weights, widest, noise)
        if best.value == 0:  # nothing changes: no more than the last digit of an output, as of a saturated one
            outputs = zip(self.weights, line(0.0), strict=True)
            digit = EPS * max(float(np.max(np.abs(w * y), initial=0.0)) for w, y in outputs)
            best = Derivative(0.0, max(best.error, 32 * digit / widest))
        if abs(claim - best.value) <= 2 * best.error + slack:
            return best
        return supported(line, self.weights, widest, best, claim, slack, self.known)

    def scatter(self, direction: np.ndarray) -> float:
        """How far complex steps of several lengths are apart, which differ by their rounding only."""
        found = [complex_step(self.replays(length * direction), self.weights, 1e-20).value / length
                 for length in (0.9, 1.1, 1.3, 1.7)]
        return max(found) - min(found)

    def affordable(self, least: int) -> int:
        """How many elements there is time to look at one by one."""
        return max(least, int(_WORK / max(1, 200 * self.work)))

    def _widest(self, direction: np.ndarray) -> float:
        """How many times its length a direction may be followed: an element that is small beside the others further."""
        return max(1.0, 0.1 * typical(self.x) / float(np.max(np.abs(direction), initial=0.0) or 1.0))

    def resolve(self, values: np.ndarray, errors: np.ndarray, which: np.ndarray) -> None:
        """Find the derivatives of some elements, by flat index, with the step that is best for each, while time allows.

        The common step may be too long for them, as near a kink.
        """
        run = self.calls if self.replay is None else self.replays
        for k in which[:self.affordable(_FEWEST)].tolist():
            direction, unit = self.element(k), float(self.scale.ravel()[k])
            found = refined(run(direction), self.weights, self._widest(direction), self.noise)
            if found.error < errors.ravel()[k] * unit:
                values.ravel()[k], errors.ravel()[k] = found.value / unit, found.error / unit

    def sides(self, direction: np.ndarray, h: float) -> tuple[Derivative, Derivative]:
        """The slopes to the left and to the right."""
        return one_sided(self.calls(direction), self.weights, h, self.noise)

    def elements(self, which: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The derivative with respect to every element, or those at some flat indices, and how far each may be off."""
        indices = range(self.x.size) if which is None else which.tolist()
        values, errors = np.empty(len(indices)), np.empty(len(indices))
        x = self.x.astype(complex if self.complex else float)
        flat, scale = x.ravel(), self.scale.ravel()
        run = self._run(x)
        for j, k in enumerate(indices):
            start = flat[k]

            def line(t: Any, k: int = k, start: Any = start) -> list[np.ndarray]:
                flat[k] = start + t * scale[k]
                outputs = run()
                flat[k] = start
                return outputs

            found = complex_step(line, self.weights, 1e-20) if self.complex else central(
                line, self.weights, _STEP, self.noise)
            values[j], errors[j] = found.value / scale[k], found.error / scale[k]
        return (values.reshape(self.x.shape), errors.reshape(self.x.shape)) if which is None else (values, errors)

    def grouped(self, gradient: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
        """As ``elements``, for inputs so large that each run is long: elements whose gradients are of like size are
        moved together, by random lengths, and a group is right when its derivative is, to a part of its least element.

        What is found of a group's derivative is spread over its elements. A group that is off is taken apart, the worst
        first. ``None`` where every element can be had.
        """
        groups = max(_FEWEST, int(_WORK / max(1, self.work if self.complex else 6 * self.work)))
        if groups >= self.x.size:
            return None
        g, scale = gradient.ravel(), self.scale.ravel()
        values, errors = g.copy(), np.zeros(g.shape)
        off: list[tuple[float, np.ndarray]] = []
        for group in np.array_split(np.argsort(np.abs(g * scale), kind="stable"), groups):
            direction = np.zeros(self.x.shape)
            lengths = rng.choice([-1.0, 1.0], len(group)) * rng.uniform(0.5, 1.0, len(group)) * scale[group]
            direction.ravel()[group] = lengths
            found = self.along(direction)
            rest = (found.value - float(np.sum(g[group] * lengths))) / len(group)
            values[group] += rest / lengths
            errors[group] = found.error / np.abs(lengths)
            least = float(np.min(np.abs(g[group] * lengths)))
            if not abs(rest) * len(group) <= 1e-7 * least + found.error:
                off.append((-abs(rest), group))
        for _, group in sorted(off, key=lambda item: item[0])[:_OPENED]:
            values[group], errors[group] = self.elements(group)
        return values.reshape(self.x.shape), errors.reshape(self.x.shape)

    def _run(self, x: np.ndarray) -> Any:
        """A function of nothing that gives the outputs at what ``x`` holds when it is called."""
        if self.replay is not None:
            replay = self.replay
            return lambda: self._defined(lambda: replay(x if x.ndim else x[()]))
        moved = [*self.point]
        moved[self.i] = x
        return lambda: self._defined(lambda: self.subject.outputs(moved))
