"""``gradcheck``: every element of a gradient against central differences, as a report that names the worst."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..backward import reverse_pass
from ..graph import leading_to, reverse_topological
from ..record import no_grad, recording
from ..value import Value

__all__ = ["ElementCheck", "GradientReport", "gradcheck"]

_SHOWN = 10  # rows of a printed report


class ElementCheck(NamedTuple):
    """One element of one input: its gradient by the chain rule and by central differences."""

    argument: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    allowed: float

    @property
    def right(self) -> bool:
        return bool(np.isfinite(self.error)) and self.error <= self.allowed


@dataclass(frozen=True)
class GradientReport:
    """What ``gradcheck`` found: true when it checked something and every element is right.

    It prints as a table, the worst element first.
    """

    elements: tuple[ElementCheck, ...]

    def __bool__(self) -> bool:
        return bool(self.elements) and all(e.right for e in self.elements)

    @property
    def worst(self) -> ElementCheck | None:
        """The element whose error is largest compared with what is allowed; ``None`` for empty inputs."""
        return max(self.elements, key=_badness, default=None)

    def raise_if_wrong(self) -> GradientReport:
        """Raise ``AssertionError`` with the table unless all is right; else return the report itself."""
        if not self:
            raise AssertionError(str(self))
        return self

    def __str__(self) -> str:
        wrong = sum(not e.right for e in self.elements)
        worst = self.worst
        if worst is None:
            return "gradcheck: nothing to check, the inputs are empty"
        verdict = "right" if not wrong else f"WRONG in {wrong} of {len(self.elements)} elements"
        lines = [f"gradcheck: {verdict}; worst: {worst.argument}{_subscript(worst.index)}"
                 if wrong else f"gradcheck: all {len(self.elements)} elements right",
                 f"{'element':<20}{'analytic':>16}{'numeric':>16}{'error':>11}{'allowed':>11}"]
        for e in sorted(self.elements, key=_badness, reverse=True)[:_SHOWN]:
            lines.append(f"{e.argument + _subscript(e.index):<20}{e.analytic:>16.8g}{e.numeric:>16.8g}"
                         f"{e.error:>11.1e}{e.allowed:>11.1e}  {'right' if e.right else 'WRONG'}")
        if len(self.elements) > _SHOWN:
            lines.append(f"... and {len(self.elements) - _SHOWN} more that are less far off")
        return "\n".join(lines)


def _badness(e: ElementCheck) -> float:
    if e.right:
        return e.error / e.allowed if e.allowed else 0.0
    return e.error / e.allowed if np.isfinite(e.error) and e.allowed else np.inf


def _subscript(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def gradcheck(f: Callable, *inputs: Any, rtol: float | None = None, atol: float | None = None) -> GradientReport:
    """Check the gradient of ``f`` with respect to each element of each input against central differences.

    The numeric gradient is (4 D(h) - D(2h)) / 3 with the central differences D(h) = (f(x + h) - f(x - h)) / 2h in
    float64 and h = ∛ε · max(|x|, 0.1). An array-valued ``f`` is checked through the sum of its elements weighted by
    fixed random numbers. An element is right when its error is at most ``atol + rtol · |gradient|``.

    Args:
        f: a function of as many Values as there are inputs, that returns a Value.
        inputs: real numbers or arrays of floats, at which to check.
        rtol: allowed relative error; 1e-6 unless given, 1e-3 for float32 inputs.
        atol: allowed absolute error; by default what the differences cannot tell: their rounding error, from the size
            of ``f``, and by how much D(h) and D(2h) differ.

    Returns:
        A ``GradientReport``: true when all holds, prints as a table.

    Raises ``TypeError`` where ``f`` does not return a Value, and for inputs that are not real floats.

    >>> bool(gradcheck(lambda x, y: x * np.exp(y), 2.0, np.array([0.5, 1.0])))
    True
    """
    for i, x in enumerate(inputs):
        if np.asarray(x.data if isinstance(x, Value) else x).dtype.kind != "f":
            raise TypeError(f"input {i}: expected floats, got {x!r:.60}; write np.array(x, dtype=float)")
    if not inputs:
        raise TypeError("gradcheck needs the inputs at which to check: gradcheck(f, x, ...)")
    values = [Value(x.data if isinstance(x, Value) else x) for x in inputs]
    with recording(True):
        y = f(*values)
    if not isinstance(y, Value):
        raise TypeError(f"f must return a Value that depends on its inputs, but returned {type(y).__name__}: "
                        "was a Value turned into a plain number, by float() or .data?")
    if y.dtype.kind != "f":
        raise TypeError(f"f must return real numbers, but returned {y.dtype}")
    weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
    weights = weights * np.random.default_rng(1).choice([-1.0, 1.0], y.shape) if y.shape else 1.0
    seed = np.asarray(weights, y.dtype)[()] if y.shape else type(y.data)(1)
    nodes = reverse_topological(y)
    gradients = dict(reverse_pass(nodes, {y: seed}, leading_to(set(values), nodes)))

    points = [np.array(v.data, dtype=float) for v in values]

    def at_points() -> Any:
        with no_grad():
            return np.asarray(f(*(Value(p) for p in points)).data)

    eps = float(np.finfo(at_points().dtype).eps)  # of what f computes, which may round to float32
    checks = []
    for i, (value, point) in enumerate(zip(values, points, strict=True)):
        analytic = np.broadcast_to(gradients.get(value, 0.0), value.shape)
        single = max(float(np.finfo(value.dtype).eps), eps) > 1e-10
        relative = (1e-3 if single else 1e-6) if rtol is None else rtol
        for index in np.ndindex(value.shape):
            x = float(point[index])
            h = eps ** (1 / 3) * max(abs(x), 0.1)
            slopes, size = [], 0.0
            for step in (h, 2 * h):
                point[index] = x + step
                above, high = at_points(), float(point[index])
                point[index] = x - step
                below, low = at_points(), float(point[index])
                slopes.append(float(np.sum(weights * (above.astype(float) - below))) / (high - low))
                size = max(size, float(np.sum(np.abs(weights) * (np.abs(above) + np.abs(below)))))
            point[index] = x
            numeric = (4 * slopes[0] - slopes[1]) / 3
            a = float(analytic[index])
            rounding = 10 * eps * size / h + (10 * np.finfo(value.dtype).eps * size if single else 0)
            noise = rounding + abs(slopes[1] - slopes[0])
            allowed = (noise if atol is None else atol) + relative * max(abs(a), abs(numeric))
            checks.append(ElementCheck(f"input {i}", index, a, numeric, abs(a - numeric), allowed))
    return GradientReport(tuple(checks))
