"""One input of a check: its derivatives by the chain rule beside the numeric ones, and the verdict on each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..lines import line_of
from ..registry import name_of
from ..value import Value
from .differences import Derivative
from .hidden import Change
from .kinks import Kink
from .numeric import GROUPED, Numeric, scales
from .report import VERDICTS, Block, ElementCheck, InputCheck

__all__ = ["Input", "Options", "Rows"]

RTOL = 1e-6
SAFETY = 10  # how many times an estimated error is allowed
_CAREFUL = 16  # elements that are looked at one by one when they seem wrong, more while time allows,
_CONVINCING = 4  # until so many are, or are known to be at kinks
_VAGUE = 1e-2  # of a derivative: a numeric one that may be off by more says nothing
_CLEAR = 1e-5  # of a derivative: what a numeric one may be off without being looked at again


class Options(NamedTuple):
    """What the user asked for."""

    modes: tuple[str, ...]
    rng: np.random.Generator
    directions: int | None
    rtol: float | None
    atol: float | None
    order: int


class Rows:
    """The derivatives compared at one input: of all its elements, or along the rows of ``directions``.

    ``spread`` is how much the analytic ones change when the input does in the last digit: their rounding error.
    """

    def __init__(self, mode: str, analytic: np.ndarray, spread: np.ndarray,
                 directions: Sequence[np.ndarray] | None = None, verdict: str = "right") -> None:
        self.mode, self.analytic, self.spread, self.directions = mode, analytic, spread, directions
        self.numeric, self.allowed = np.zeros(analytic.shape), np.zeros(analytic.shape)
        self.verdict = np.full(analytic.shape, verdict, object)

    @property
    def error(self) -> np.ndarray:
        return np.abs(self.analytic - self.numeric)


class Input:
    """An input, and what the check finds out about it."""

    def __init__(self, name: str, x: np.ndarray, options: Options) -> None:
        self.name, self.x, self.options = name, x, options
        self.gradient: np.ndarray | None = None
        self.spread = np.zeros(x.shape)
        self.tangents: list[tuple[np.ndarray, float]] = []  # directions, and the derivative along each by forward mode
        self.kinks: dict[int, Kink] = {}
        self.rows: Rows | None = None
        self.crosschecks: list[ElementCheck] = []
        self.details: list[str] = []
        self.overall = "right"

    def say(self, verdict: str, detail: str) -> None:
        """Give a verdict on the whole input, and why."""
        self.overall = max(self.overall, verdict, key=VERDICTS.index)
        self.details += [detail] if detail not in self.details else []

    def direction(self, rng: np.random.Generator) -> np.ndarray:
        """A random direction in which every element moves by about its scale, but for those at kinks."""
        move = rng.choice([-1.0, 1.0], self.x.shape) * rng.uniform(0.5, 1.0, self.x.shape) * scales(self.x)
        move.ravel()[[*self.kinks]] = 0.0
        return move

    def compare(self, numeric: Numeric) -> None:
        """Put the derivatives beside the numeric ones, and judge each."""
        options, g = self.options, self.gradient
        if g is None:
            slopes, moves = np.array([s for _, s in self.tangents]), [move for move, _ in self.tangents]
            if options.directions is None:
                slopes = slopes.reshape(self.x.shape) / numeric.scale
            rows = Rows("forward", slopes, 4 * np.finfo(float).eps * np.abs(slopes),
                        None if options.directions is None else moves)
        elif options.directions is None:
            rows = Rows("reverse", g, self.spread)
        else:
            moves = [move for move, _ in self.tangents] or [  # the same for both modes
                self.direction(options.rng) for _ in range(options.directions)]
            rows = Rows("reverse", np.array([np.sum(g * move) for move in moves]),
                        np.array([np.sum(self.spread * np.abs(move)) for move in moves]), moves)
        if rows.directions is None:
            together = None if g is None else numeric.grouped(g, options.rng)
            rows.numeric, errors = together or numeric.elements()
            numeric.method += f"; {GROUPED}" if together else ""
            if not numeric.complex and together is None:
                unclear = errors > _CLEAR * np.maximum(np.abs(rows.analytic), np.abs(rows.numeric))
                numeric.resolve(rows.numeric, errors, np.flatnonzero(unclear & (errors > 0)))
        else:
            found = [numeric.along(move) for move in rows.directions]
            rows.numeric, errors = np.array([d.value for d in found]), np.array([d.error for d in found])
        rows.allowed = np.array(self.allowed(rows.analytic, rows.numeric, errors, rows.spread))  # not a number of 0-d
        self.rows = rows
        self._judge(rows, numeric)

    def allowed(self, analytic: Any, numeric: Any, error: Any, spread: Any) -> Any:
        """How far the two may be apart: a part of their own size, and what neither side can tell."""
        rtol, atol = self.options.rtol, self.options.atol
        floor = 2 * error + SAFETY * spread if atol is None else atol
        return (RTOL if rtol is None else rtol) * np.maximum(np.abs(analytic), np.abs(numeric)) + floor

    def _judge(self, rows: Rows, numeric: Numeric) -> None:
        verdict, error = rows.verdict.ravel(), rows.error.ravel()
        finite = np.isfinite(rows.analytic.ravel())
        verdict[~finite] = "not finite"
        size = np.maximum(np.abs(rows.analytic), np.abs(rows.numeric)).ravel()
        over = ~(error <= rows.allowed.ravel())
        vague = (error > RTOL * size) & (rows.allowed.ravel() > _VAGUE * size) & (self.options.atol is None)
        off = np.flatnonzero(finite & (over | vague))
        off = off[np.argsort(-error[off] / np.maximum(rows.allowed.ravel()[off], 1e-300), kind="stable")]
        seen: list[str] = []
        most = numeric.affordable(_CAREFUL)
        for k in off.tolist():
            known = k in self.kinks and rows.directions is None and seen.count("kink") > _CONVINCING
            if len(seen) < most and seen.count("wrong") < _CONVINCING and not known:
                seen.append(self._looked_at(rows, k, numeric))
                verdict[k] = seen[-1]
            elif over[k]:  # as the worst of those that were looked at
                verdict[k] = "kink" if k in self.kinks and rows.directions is None else max(seen, key=VERDICTS.index)
        if rows.directions is None:
            for k in self.kinks:
                verdict[k] = max(verdict[k], "kink", key=VERDICTS.index)
        if self.options.atol is None:
            shown = RTOL * np.maximum(np.abs(rows.analytic), np.abs(rows.numeric)).ravel()
            verdict[(rows.error.ravel() > shown) & (verdict == "right")] = "precision"
        rows.verdict = verdict.reshape(rows.verdict.shape)
        if self.kinks:
            k, nearest = min(self.kinks.items(), key=lambda item: (item[1].distance, item[0]))
            index = tuple(map(int, np.unravel_index(k, self.x.shape)))
            more = f" (and {len(self.kinks) - 1} more elements)" if len(self.kinks) > 1 else ""
            direction, unit = numeric.element(k), float(numeric.scale.ravel()[k])
            longer = max(1.0, 0.1 / unit)  # so that both sides are seen beyond the kink
            left, right = (side.value / unit / longer for side in numeric.sides(longer * direction, 1e-4))
            self.say("right", f"{f'element {index}' if index else 'the point'} is {nearest}{more}, with slopes "
                     f"{left:.6g} to the left and {right:.6g} to the right")

    def _looked_at(self, rows: Rows, k: int, numeric: Numeric) -> str:
        """The verdict on a derivative that seems wrong, by the best that differences can do and by both sides of it."""
        whole = rows.directions is None
        direction = numeric.element(k) if rows.directions is None else rows.directions[k]
        unit = float(numeric.scale.ravel()[k]) if whole else 1.0
        a, spread = float(rows.analytic.ravel()[k]), float(rows.spread.ravel()[k])
        best = numeric.carefully(direction, a * unit, float(self.allowed(a, a, 0.0, spread)) * unit)
        value, error = best.value / unit, best.error / unit
        left, right = (Derivative(*(part / unit for part in side)) for side in numeric.sides(direction, 1e-4))
        if np.isfinite(error):
            allowed, before = float(self.allowed(a, value, error, spread)), rows.numeric.ravel()[k]
            if numeric.complex:
                rows.allowed.ravel()[k] += SAFETY * numeric.scatter(direction) / unit
            # Of a complex step of 0, an operation may have dropped the imaginary part.
            if not (before and abs(value - before) <= 2 * error and rows.allowed.ravel()[k] <= allowed):
                rows.numeric.ravel()[k], rows.allowed.ravel()[k] = value, allowed
            value = float(rows.numeric.ravel()[k])
            vague = rows.allowed.ravel()[k] > _VAGUE * max(abs(a), abs(value))
            if abs(a - value) <= rows.allowed.ravel()[k] and not (vague and _bends(left, right)):
                return "right"
        else:  # at the end of where the function is defined, at most one side can be had
            sides = [side for side in (left, right) if np.isfinite(side.error)]
            vague = all(s.error > _VAGUE * abs(s.value) for s in sides)  # as of x log(x + 1e-12) at 0
            if vague or any(abs(a - s.value) <= SAFETY * s.error + 1e-3 * abs(a) for s in sides):
                if not np.isfinite(left.value + right.value):
                    self.say("right", "around it the function is not defined on both sides")
                return "precision"
        if not _bends(left, right) and not (whole and k in self.kinks):
            return "wrong"
        if whole and k not in self.kinks:
            self.kinks[k] = _bent(numeric, direction)
        return "kink"

    def cross(self, numeric: Numeric) -> None:
        """Compare forward mode with reverse mode, and both with the numeric side."""
        assert self.gradient is not None
        if not np.all(np.isfinite(self.gradient)):
            return
        for number, (move, slope) in enumerate(self.tangents):
            terms = self.gradient * move
            reverse = float(np.sum(terms))
            moving = np.flatnonzero(move)
            if self.options.directions is None and move.size and len(moving) == 1:
                k, unit = int(moving[0]), float(move.ravel()[moving[0]])
                index: tuple = tuple(map(int, np.unravel_index(k, move.shape)))
                if k in self.kinks:
                    continue
            else:
                index, unit = ("direction", number), 1.0
            allowed = 1e-9 * float(np.sum(np.abs(terms))) + SAFETY * float(np.sum(self.spread * np.abs(move)))
            verdict, other = "right", reverse
            if not abs(slope - reverse) <= allowed:
                best = numeric.carefully(move, slope, allowed)
                off = self.allowed(slope, best.value, best.error, allowed / SAFETY)
                if not np.isfinite(best.error) or not abs(slope - best.value) <= off:
                    verdict, other, allowed = "wrong", best.value if np.isfinite(best.error) else reverse, float(off)
            self.crosschecks.append(ElementCheck(self.name, index, slope / unit, other / unit, abs(slope - other) / abs(
                unit), allowed / abs(unit), verdict, "forward", self.options.order))
            if verdict == "wrong":
                self.say("wrong", "its forward mode is wrong")

    def without_path(self, numeric: Numeric, verdict: str, change: Change | None) -> bool:
        """The rows of an input that no path leads to; tells whether a gradient was lost by that.

        It was not where the path was cut on purpose, by detach, nor where the function is flat: that is the verdict.
        """
        zero = np.zeros(self.x.shape)
        self.rows = Rows("reverse" if self.gradient is not None else "forward", zero, zero, verdict=verdict)
        if verdict == "detached" and change is not None and change.detached:
            return False
        values, errors = numeric.elements()
        depends = np.abs(values) > 2 * errors
        self.rows.numeric[depends] = values[depends]
        self.rows.verdict[depends] = "wrong"
        for k in self.kinks:  # of the first order: there the slope jumps
            self.rows.verdict.ravel()[k] = "kink"
        return bool(np.any(self.rows.verdict == "wrong"))

    def at_kinks(self) -> np.ndarray:
        """The flat indices of some elements at kinks, first of those that differ there."""
        rows = self.rows
        if rows is None or rows.directions is not None:
            return np.zeros(0, int)
        found = np.flatnonzero(rows.verdict == "kink")
        return found[np.argsort((rows.error <= rows.allowed).ravel()[found], kind="stable")][:_CAREFUL]

    def beside(self, numeric: Numeric, slopes: dict[tuple[int, str], float]) -> None:
        """Judge elements by a point beside, where the derivatives by both modes are given: wrong there is wrong."""
        assert self.rows is not None
        for (k, mode), a in slopes.items():
            direction, unit = numeric.element(k), float(numeric.scale.ravel()[k])
            best, (left, right) = numeric.carefully(direction, a * unit), numeric.sides(direction, 1e-4)
            value = best.value / unit
            off = abs(a - value) > self.allowed(a, value, best.error / unit, 1e-6 * abs(a))
            if off and np.isfinite(best.error) and not _bends(left, right):
                self.rows.verdict.ravel()[k] = "wrong"
                index = tuple(map(int, np.unravel_index(k, self.x.shape)))
                self.say("wrong", f"also beside the kink, where element {index} is {numeric.x.ravel()[k]:.6g}, the "
                         f"gradient by {mode} mode is {a:.6g} and should be {value:.6g}")
                return

    def blocks(self) -> Iterator[Block]:
        """The checks of its elements for the report."""
        rows = self.rows
        if rows is not None:
            yield Block(self.name, rows.directions is not None, rows.mode, self.options.order, rows.analytic,
                        rows.numeric, rows.allowed, rows.verdict)

    def summary(self) -> InputCheck:
        """The row of the report for the input: the worst verdict there is."""
        rows = self.rows
        verdicts = [] if rows is None else rows.verdict.ravel().tolist()
        worst = max([self.overall, *verdicts], key=VERDICTS.index)
        if worst == "precision" and rows is not None and not self.details:
            hidden = rows.allowed[(rows.verdict == "precision") & np.isfinite(rows.allowed)]
            which = "one of its derivatives is" if verdicts.count(worst) == 1 else (
                f"{verdicts.count(worst)} of its derivatives are")
            self.say("precision", f"{which} small beside what rounding hides, up to {np.max(hidden):.1e}"
                     if hidden.size else "no differences can be had so near to numbers that are not finite")
        return InputCheck(self.name, self.x.shape, worst, "; ".join(self.details), len(verdicts),
                          sum(v == "wrong" for v in verdicts),
                          float(np.max(rows.error)) if rows is not None and rows.error.size else 0.0,
                          self.options.order)


def _bends(left: Derivative, right: Derivative) -> bool:
    """Whether the slopes on both sides differ by more than rounding and curvature explain."""
    return abs(right.value - left.value) > 1e-3 * max(abs(left.value), abs(right.value)) + SAFETY * (
        left.error + right.error)


def _bent(numeric: Numeric, direction: np.ndarray) -> Kink:
    """The first operation that bends when the input moves in a direction, where no table knows it."""
    if numeric.replay is not None:
        h, runs = 1e-5, []
        for t in (-h, 0.0, h):
            seen: list[tuple[Value, Any]] = []
            numeric.replay((numeric.x + t * direction)[()], seen)
            runs.append([(node, np.asarray(y, float)) for node, y in seen if type(y) is not tuple])
        for (node, low), (_, middle), (_, high) in zip(*runs, strict=True):
            bend, slope = np.abs(high - 2 * middle + low), np.maximum(np.abs(high - middle), np.abs(middle - low))
            if np.any(bend > 1e-2 * slope + 1e-13 * np.abs(middle)):
                return Kink(name_of(node.op), 0.0, line_of(node))
    return Kink("f", 0.0, None)
