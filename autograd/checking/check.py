"""One order of derivatives at one point: the function is recorded, and each of its inputs compared and judged."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from ..lines import line_of
from ..registry import name_of
from ..value import Value
from .faults import Fault, first_fault
from .hidden import Change, changed, same
from .judge import Input, Options
from .kinks import Kink, kinks_within
from .nonfinite import explain_nan
from .numeric import Numeric, scales
from .recorded import Recorded, Replay
from .single import compare_single
from .subject import UNDEFINED, Gradient, Subject
from .switches import switches

__all__ = ["Check"]

_REACH = 6e-6  # ∛ε, the step of plain central differences: how far a kink may be to be spoken of
_MOVE = 0.02  # by which a point is moved away from kinks, as a part of an element's scale
_EACH = 64  # elements in all up to which forward mode is run for each


class Check:
    """The check of a subject at its point, for one order."""

    def __init__(self, subject: Subject, options: Options, before: Check | None = None) -> None:
        self.subject, self.options, self.rng, self.before = subject, options, options.rng, before
        self.given = [leaf.point for leaf in subject.leaves]
        self.point = [x.astype(float) for x in self.given]
        self.inputs = [Input(leaf.name, x, options) for leaf, x in zip(subject.leaves, self.point, strict=True)]
        self.modes: list[str] = list(options.modes)
        self.faults: list[Fault] = []
        self.lost: list[Fault] = []  # where a path ends; counts when no operation is at fault
        self.methods: list[str] = []
        self.notes: list[str] = []

    def run(self) -> None:
        with np.errstate(all="ignore"):
            if not self._record() or not self._repeats() or not self._is_finite():
                return
            for i, x in enumerate(self.point):
                if x.size:
                    self._input(i)
            self._away_from_kinks()
            self._find_fault()
            if any(x.dtype.itemsize < 8 for x in self.given):
                compare_single(self.subject, self.given, self.point, self.weights, self.inputs, self.modes, self.faults,
                               self.rng)

    # What must hold before numbers can be compared

    def _record(self) -> bool:
        """Record the function: its outputs, gradients, tangents, kinks, and how to replay it."""
        with self.subject.at(self.point) as record:
            self.outputs = [np.array(y.data) for y in record.outputs]
            self.weights = [self._weights(y) for y in record.outputs]
            self.trail, self.reached = record.trail(), record.reached
            self.rounding = self._rounding(record)
            self.work = sum(node.size for node in record.nodes if node.op is not None)
            damaged = record.damaged()
            gradients = self._reverse(record)
            damaged = record.damaged() if damaged is None else damaged
            finite = [bool(np.all(np.isfinite(x))) for x in (*self.outputs, *(g for g in gradients if g is not None))]
            self.explained = None if all(finite) else explain_nan(record.outputs)
            unsteady = record.unsteady() if damaged is None else None
            if damaged is not None or unsteady is not None:
                fault = first_fault(record, self.modes, 1, False, self.rng)
                what = "an operation changed its argument in place" if fault else _unsteady(unsteady)
                for i, one in enumerate(self.inputs):
                    if damaged is None or i == damaged:
                        one.say("wrong", what)
                self.faults += [fault] if fault else []
                return False
            reach = [_REACH * np.maximum(scales(x), 0.1) for x in self.point]
            for one, g, kinks in zip(self.inputs, gradients, kinks_within(record, reach), strict=True):
                one.gradient, one.kinks = g, kinks
            if self.before is not None:  # where the function bends, its slope jumps
                beside = self._kinks_beside(self.before, reach)
                for one, first, kinks in zip(self.inputs, self.before.inputs, beside, strict=True):
                    one.kinks = kinks | first.kinks | one.kinks
            self.replays = [Replay(record, leaf) if reached else None
                            for leaf, reached in zip(record.leaves, record.reached, strict=True)]
            self._forward(record)
        if not self.modes:
            raise TypeError(f"neither mode can be checked: {' '.join(self.notes)}")
        return True

    def _kinks_beside(self, before: Check, reach: list[np.ndarray]) -> list[dict[int, Kink]]:
        """The kinks of the function itself seen from beside the point: the square of 0 leaves it by no slope."""
        rng = np.random.default_rng(0)
        beside = [x + r * rng.uniform(0.5, 1.0, x.shape) for x, r in zip(self.point, reach, strict=True)]
        with suppress(*UNDEFINED), before.subject.at(beside) as record:
            return kinks_within(record, [2 * r for r in reach])
        return [{} for _ in reach]

    def _weights(self, y: Value) -> np.ndarray:
        """What the elements of an output are multiplied by before they are added up."""
        if not y.shape:
            return np.ones(())
        return self.rng.uniform(0.5, 1.5, y.shape) * self.rng.choice([-1.0, 1.0], y.shape)

    def _reverse(self, record: Recorded) -> list[np.ndarray | None]:
        if "reverse" in self.modes:
            try:
                return [np.zeros(x.shape) if g is None else g for g, x in zip(
                    record.gradients(self.weights), self.point, strict=True)]
            except TypeError as error:
                self._without("reverse", "has no vjp", error)
        return [None] * len(self.point)

    def _rounding(self, record: Recorded) -> float:
        try:
            return record.rounding(self.weights)
        except TypeError:  # where there is no reverse mode, what can be seen from outside must do
            return 0.0

    def _without(self, mode: str, sign: str, error: TypeError) -> None:
        if sign not in str(error):
            raise error
        self.modes.remove(mode)
        self.notes.append(f"{mode} mode was not checked: {str(error).partition(':')[0]}.")

    def _forward(self, record: Recorded) -> None:
        """Run forward mode along random directions, and for each element where there are few."""
        if "forward" not in self.modes:
            return
        few = "reverse" not in self.modes or sum(x.size for x in self.point) <= _EACH
        try:
            for i, (one, x) in enumerate(zip(self.inputs, self.point, strict=True)):
                moves = [one.direction(self.rng) for _ in range(self.options.directions or 2)]
                if few and self.options.directions is None:
                    moves = [row.reshape(x.shape) * scales(x) for row in np.eye(x.size)]
                for move in moves:
                    one.tangents.append((move, self._slope(record, i, move)))
        except TypeError as error:
            self._without("forward", "has no jvp", error)

    def _slope(self, record: Recorded, i: int, move: np.ndarray) -> float:
        """The derivative along a direction of one input, by forward mode."""
        tangents = record.tangents([move if j == i else None for j in range(len(self.point))])
        return sum(float(np.sum(w * t)) for w, t in zip(self.weights, tangents, strict=True))

    def _repeats(self) -> bool:
        """Whether the function and its gradient are the same again; and how far the gradient's rounding spreads."""
        what = fault = None
        change: Change | None = None
        with self.subject.at(self.point) as record:
            gradients = self._reverse(record)
            if not same(self.outputs, [y.data for y in record.outputs]):
                what, change = "f gave other numbers when it was called again", changed(self.trail, record.trail(), 0.0)
            elif not all(same([g], [one.gradient]) for g, one in zip(gradients, self.inputs, strict=True)):
                what = "the gradient was another when it was computed again"
            if what:
                fault = first_fault(record, self.modes, 1, False, self.rng)
        if what:
            self.faults += [fault] if fault else []
            detail = f": {change.place}" if change and not fault else ""
            for one in self.inputs:
                one.say("not deterministic", what + detail)
            return False
        for _ in range(3 if "reverse" in self.modes else 0):
            near = [x * (1 + 4 * np.finfo(float).eps * self.rng.uniform(-1, 1, x.shape)) for x in self.point]
            for one, x, moved in zip(self.inputs, self.point, near, strict=True):
                moved.ravel()[[*one.kinks]] = x.ravel()[[*one.kinks]]  # beyond a kink the slope is another
            with self.subject.at(near) as record:
                record.jitter(float(np.finfo(float).eps), self.rng)
                with suppress(ValueError, IndexError):  # of functions whose shapes depend on the numbers, as of sets
                    for one, g in zip(self.inputs, self._reverse(record), strict=True):
                        if g is not None and one.gradient is not None:
                            np.fmax(one.spread, np.abs(g - one.gradient), out=one.spread)
        return True

    def _is_finite(self) -> bool:
        """Whether the outputs are; gradients that are not are judged as elements."""
        finite = all(np.all(np.isfinite(y)) for y in self.outputs)
        for one in self.inputs:
            if not finite:
                one.say("not finite", f"the output is not finite: {self._why()}")
            elif one.gradient is not None and not np.all(np.isfinite(one.gradient)):
                k = tuple(map(int, np.argwhere(~np.isfinite(one.gradient))[0]))
                at = f" at element {k}" if k else ""
                one.say("not finite", f"its gradient is {one.gradient[k]}{at}: {self._why()}")
        return finite

    def _why(self) -> str:
        """Where the first nan or infinity came from."""
        why = self.explained
        if why is None or not why:
            return "it comes from no single operation"
        parts = [why.summary, why.line and f"at {why.line}", why.cause, why.rewrite and f"write {why.rewrite}"]
        return "; ".join(str(part) for part in parts if part)

    # The inputs

    def _input(self, i: int) -> None:
        one, x, moved = self.inputs[i], self.point[i], [*self.point]
        moved[i] = x + 1e-6 * scales(x) * self.rng.choice([-1.0, 1.0], x.shape)
        change = self._changed(i, moved)
        if not self.reached[i]:
            self._detached(i, change)
            return
        if change is None or change.jumped:
            for k, kink in switches(self.subject, self.point, i, self.trail, _REACH, self.rng).items():
                if k not in one.kinks or kink.distance < one.kinks[k].distance:
                    one.kinks[k] = kink
        numeric = Numeric(self.subject, self.point, self.weights, i, self.replays[i], self.rounding, self.work)
        numeric.prepare(one.direction(self.rng))
        one.compare(numeric)
        self.methods += [numeric.method] if numeric.method not in self.methods else []
        if change is not None and not change.jumped and one.summary().verdict == "wrong":
            one.say("wrong", f"a part of its gradient is lost: the output depends on it also by {change.what}")
            self.lost.append(_lost(change))
        if one.gradient is not None and one.tangents and "forward" in self.modes:
            one.cross(numeric)

    def _changed(self, i: int, moved: list[np.ndarray]) -> Change | None:
        """Which constant changes when an input moves; none that is known of where the function is not defined."""
        with suppress(*UNDEFINED), self.subject.at(moved) as record:
            return changed(self.trail, record.trail(), float(np.max(np.abs(moved[i] - self.point[i]))))
        return None

    def _detached(self, i: int, change: Change | None) -> None:
        """No recorded path leads to the input: say where it ends, and whether a gradient was lost by it."""
        one, x, moved = self.inputs[i], self.point[i], [*self.point]
        for length in (1e-3, 1.0):
            moved[i] = x + length * scales(x) * self.rng.choice([-1.0, 1.0], x.shape)
            with suppress(Exception):  # so far from the point f need not be defined, or keep its shapes
                if change is None and (change := self._changed(i, moved)) is not None:
                    change = change._replace(jumped=True)  # or it would have changed before
        used = self.before is not None and self.before.reached[i]  # then only its gradient does not depend on it
        verdict = "right" if used else "detached"
        if one.without_path(Numeric(self.subject, self.point, self.weights, i, None, self.rounding), verdict, change):
            which, of = ("gradient", "output") if self.before is None else ("second derivative", "gradient")
            one.say("wrong", f"its {which} is lost: the {of} depends on it, but no recorded operation leads to it")
            self.lost += [_lost(change)] if change else []
        elif not used:
            one.say("detached", f"the path to it ends in {change}" if change else
                    "the output does not depend on it: it is never used")

    def _away_from_kinks(self) -> None:
        """Check the elements that are at kinks at a point beside: a rule that is wrong there too is wrong."""
        flagged = [one.at_kinks() for one in self.inputs]
        if not any(len(which) for which in flagged) or self.options.order > 1:
            return
        point = [x.copy() for x in self.point]
        for x, which in zip(point, flagged, strict=True):
            longest = _MOVE * np.maximum(scales(x), 0.1)
            x.ravel()[which] += (longest * self.rng.uniform(0.5, 1.0, x.shape)).ravel()[which]
        with self.subject.at(point) as record:
            gradients = self._reverse(record)
            noise = self._rounding(record)
            kinks = kinks_within(record, [1e-3 * _MOVE * np.maximum(scales(x), 0.1) for x in point])
            if not all(np.all(np.isfinite(y.data)) for y in record.outputs):
                return
            slopes: list[dict[tuple[int, str], float]] = []
            for i, (which, g) in enumerate(zip(flagged, gradients, strict=True)):
                beside = [k for k in which.tolist() if k not in kinks[i]]
                slopes.append({} if g is None else {(k, "reverse"): float(g.ravel()[k]) for k in beside})
                if "forward" in self.modes:
                    slopes[-1] |= {(k, "forward"): self._slope(record, i, np.eye(
                        1, self.point[i].size, k).reshape(self.point[i].shape)) for k in beside}
        for i, (one, found) in enumerate(zip(self.inputs, slopes, strict=True)):
            if found:
                one.beside(Numeric(self.subject, point, self.weights, i, None, noise), found)

    def _find_fault(self) -> None:
        """Name the operation that makes an input wrong."""
        if all(one.summary().verdict != "wrong" for one in self.inputs):
            return
        subjects = [(self.subject, 1)]
        if isinstance(self.subject, Gradient):  # its graph has what the rules call, and that of the function the rules
            subjects.append((self.subject.first, 2))
        for subject, order in subjects:
            with subject.at(self.point) as record:
                fault = first_fault(record, self.modes, order, False, self.rng)
            if fault:
                self.faults.append(fault)
                return
        self.faults += self.lost[:1]


def _unsteady(node: Value | None) -> str:
    if node is None:
        return "f changed it in place; it must work on a copy"
    where = f", at {line_of(node)}" if line_of(node) else ""
    return (f"{name_of(node.op)} gives other numbers when it is called again{where}: f changed its argument or its "
            "result in place, or it is not deterministic")


def _lost(change: Change) -> Fault:
    return Fault(None, change.operation, None, (), change.line, f"the gradient is lost by {change.what}")
