"""Branches that depend on the numbers: masks, indices, rounded numbers and ``if``, which switch as an input moves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from .hidden import Change, Trail, changed
from .kinks import Kink
from .numeric import scales
from .subject import UNDEFINED, Subject

__all__ = ["switches"]

_MOST = 200  # runs of the function to find which elements switch it


def switches(subject: Subject, point: Sequence[np.ndarray], i: int, trail: Trail, reach: float,
             rng: np.random.Generator) -> dict[int, Kink]:
    """The elements of an input that switch a branch when they move by ``reach`` of their scale, with how far it is.

    Groups of elements are moved together, and halved where something switches.
    """
    x, scale = point[i], scales(point[i])
    signs = rng.choice([-1.0, 1.0], x.shape)
    found: dict[int, Kink] = {}
    left = _MOST

    def moved(which: np.ndarray, length: float) -> Change | None:
        nonlocal left
        left -= 1
        step = np.zeros(x.shape)
        step.ravel()[which] = (signs * scale * length).ravel()[which]
        at = [*point]
        at[i] = x + step
        change = None
        with suppress(*UNDEFINED), subject.at(at) as record:
            change = changed(trail, record.trail(), float(np.max(np.abs(step))))
        return change if change is not None and change.jumped else None

    for side in (reach, -reach):
        groups = [np.arange(x.size)]
        while groups and left > 0:
            group = groups.pop()
            change = moved(group, side)
            if change is None:
                continue
            if len(group) > 1:
                groups += [group[: len(group) // 2], group[len(group) // 2:]]
                continue
            k, low, high = int(group[0]), 0.0, 1.0  # it switches at once where low stays 0
            for _ in range(20):
                middle = (low + high) / 2
                low, high = (low, middle) if moved(group, side * middle) else (middle, high)
            distance = float(abs(side) * scale.ravel()[k] * high) if low else 0.0
            if k not in found or distance < found[k].distance:
                found[k] = Kink(change.switch, distance, change.line)
    return found
