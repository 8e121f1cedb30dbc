"""Finding the operation that is at fault: each one of a recorded graph is checked alone, at its actual inputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..graph import raw
from ..lines import Line, line_of
from ..record import output
from ..registry import name_of
from ..trees import tree_map
from ..value import Value
from .hidden import same
from .kinks import kink_distance
from .numeric import Numeric, scales
from .recorded import Recorded
from .subject import Gradient, Leaf, Subject

__all__ = ["Fault", "blame", "first_fault"]


class Fault(NamedTuple):
    """An operation whose rule is wrong: which, with respect to which argument, at which shapes, and who called it."""

    operation: Callable | None
    name: str
    argument: int | None
    shapes: tuple[tuple[int, ...], ...]
    line: Line | None
    reason: str

    def __str__(self) -> str:
        to = "" if self.argument is None else f" with respect to argument {self.argument}"
        at = f" at the shapes {', '.join(map(str, self.shapes))}" if self.shapes else ""
        line = f"\n  {'called ' if self.operation else ''}at {self.line}" if self.line else ""
        return f"{self.name}{to}{at}: {self.reason}{line}" if self.operation else f"{self.reason}{line}"


def blame(node: Value, argument: int | None, reason: str) -> Fault:
    """A fault of a node's operation."""
    shapes = tuple(np.shape(raw(a)) for a in node.args if isinstance(a, (Value, np.ndarray)))
    return Fault(node.op, name_of(node.op), argument, shapes, line_of(node), reason)


def first_fault(record: Recorded, modes: Sequence[str], order: int, narrow: bool, rng: np.random.Generator,
                leaves: Collection[Value] = ()) -> Fault | None:
    """The first operation, from the inputs on, that is wrong when it is checked alone; ``None`` where all are right.

    With ``narrow`` it is compared in the dtype of the record with itself in float64, else in float64 with differences.
    """
    for node in reversed(record.nodes):
        if node.op is None or node.op is output or node not in record.useful:
            continue
        found = _check(node, record.useful, modes, order, narrow, rng)
        if found is not None:
            argument, reason = found
            return blame(node, argument, reason)
    return None


def _check(node: Value, useful: Collection[Value], modes: Sequence[str], order: int, narrow: bool,
           rng: np.random.Generator) -> tuple[int | None, str] | None:
    """What is wrong with the operation of a node: the argument, and how."""
    positions: list[int] = []
    leaves: list[Leaf] = []

    def leaf(i: int, a: Any) -> Any:
        if isinstance(a, Value) and a in useful:
            leaves.append(Leaf(f"argument {i}", a.data))
            positions.append(i)
            return leaves[-1]
        return raw(a)

    args = [tree_map(lambda a, i=i: leaf(i, a), arg) for i, arg in enumerate(node.args)]
    op: Any = node.op
    subject = Subject(lambda *args: op(*args, **node.kwargs), args, leaves)
    point = [x.point for x in leaves]
    wide = [x.astype(float) for x in point]
    with np.errstate(all="ignore"):
        found = _unsteady(subject, wide)
        if found is None:
            if narrow:
                found = _narrow(subject, point, wide, modes, rng)
            else:
                masks = _away(node, positions, wide)
                found = _wrong(subject, wide, masks, modes, rng, "derivative")
                if found is None and order == 2:
                    with subject.at(wide) as record:
                        weights = _weights(record.outputs, rng)
                    if "reverse" in modes:
                        found = _wrong(Gradient(subject, weights), wide, masks, modes, rng, "second derivative")
    if found is None:
        return None
    i, reason = found
    if i is None and len(positions) == 1:
        i = 0
    return None if i is None else positions[i], reason


def _weights(outputs: Sequence[Value], rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape) for y in outputs]


def _away(node: Value, positions: list[int], point: list[np.ndarray]) -> list[np.ndarray]:
    """Which elements of each argument may move: those that do not come to a kink by it."""
    distance = kink_distance(node)
    masks = []
    for i, x in zip(positions, point, strict=True):
        mask = np.ones(x.shape, bool)
        if distance is not None and isinstance(node.args[i], Value):
            wide = np.broadcast_shapes(distance.shape, x.shape)
            near = np.broadcast_to(distance, wide) <= 0.2 * np.broadcast_to(scales(x), wide)
            axes = tuple(range(len(wide) - x.ndim)) + tuple(
                len(wide) - x.ndim + j for j, n in enumerate(x.shape) if n != wide[len(wide) - x.ndim + j])
            mask = ~np.any(near, axis=axes).reshape(x.shape)
        masks.append(mask)
    return masks


def _unsteady(subject: Subject, point: list[np.ndarray]) -> tuple[int | None, str] | None:
    """Whether the function or its rule gives other numbers when called again, or changes its arguments."""
    try:
        first, second = subject.outputs(point), subject.outputs(point)
        if not same(first, second):
            return None, "the function gave other numbers when it was called again: it keeps state, or draws at random"
        with subject.at(point) as record:
            i = record.damaged()
            if i is not None:
                return i, "the function changed this argument in place; it must work on a copy"
            ones = [np.ones(y.shape, y.dtype) for y in record.outputs]
            gradients = [record.gradients(ones) for _ in range(3)]
            if not all(np.all(w == 1) for w in ones):
                return None, "the derivative rule changed the incoming gradient in place; it must work on a copy"
            i = record.damaged()
            if i is not None:
                return i, "the derivative rule changed this argument in place; it must work on a copy"
            if not same(first, [y.data for y in record.outputs]):
                return None, "the derivative rule changed the output in place; it must work on a copy"
            for i in range(len(point)):
                if not all(same([gradients[0][i]], [g[i]]) for g in gradients[1:]):
                    return i, "the derivative rule gave another gradient when it was called again: it keeps state"
    except TypeError:  # a rule that is missing is no fault
        pass
    return None


def _wrong(subject: Subject, point: list[np.ndarray], masks: list[np.ndarray], modes: Sequence[str],
           rng: np.random.Generator, what: str) -> tuple[int | None, str] | None:
    """Compare both modes with differences along random directions, each of another length."""
    with subject.at(point) as record:
        weights = _weights(record.outputs, rng)
        try:
            gradients = record.gradients(weights) if "reverse" in modes else None
        except TypeError:
            gradients = None
        noise = 0.0 if gradients is None else record.rounding(weights)
        for i, (x, mask) in enumerate(zip(point, masks, strict=True)):
            numeric = Numeric(subject, point, weights, i, None, noise)
            numeric.look_at_rounding(rng)
            directions = _directions(x, mask, numeric.scale, rng)
            for mode in modes:
                off = []
                for direction in directions:
                    move: list[Any] = [None] * len(point)
                    move[i] = direction
                    try:
                        if mode == "forward":
                            terms = np.concatenate([(w * t).ravel() for w, t in zip(
                                weights, record.tangents(move), strict=True)])
                        elif gradients is None:
                            break
                        else:
                            g = gradients[i]
                            terms = (np.zeros(x.shape) if g is None else g * direction).ravel()
                    except TypeError:
                        break
                    total, size = float(np.sum(terms)), float(np.sum(np.abs(terms)))
                    got = numeric.carefully(direction, total, 1e-9 * size)
                    if not np.isfinite(got.error):
                        break
                    error = abs(total - got.value)
                    if not error > 2 * got.error + 1e-9 * max(size, abs(got.value)) and np.isfinite(error):
                        break
                    off.append((total, got.value))
                else:
                    if off:
                        total, value = off[0]
                        return i, (f"its {mode}-mode rule is wrong: along a random direction the {what} is "
                                   f"{value:.8g}, the rule gives {total:.8g}")
    return None


def _directions(x: np.ndarray, mask: np.ndarray, scale: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    found = []
    for length in (1.0, 0.3, 0.1):
        signs = rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 1.0, x.shape)
        found.append(length * np.where(mask, signs * scale, 0.0))
    return found if np.any(mask) else []


def _narrow(subject: Subject, point: list[np.ndarray], wide: list[np.ndarray], modes: Sequence[str],
            rng: np.random.Generator) -> tuple[int | None, str] | None:
    """Compare the rule in the dtype at hand with the same rule in float64, allowing what rounding explains."""
    with subject.at(point) as record:
        weights = _weights(record.outputs, rng)
        weights = [w.astype(y.dtype).astype(float) for w, y in zip(weights, record.outputs, strict=True)]
        try:
            got = record.gradients(weights)
        except TypeError:
            return None
        eps = max(float(np.finfo(y.dtype).eps) for y in (*record.outputs, *record.leaves))
    with subject.at(wide) as record:
        wanted = record.gradients(weights)
    spread = [np.zeros(x.shape) for x in wide]
    for _ in range(8):
        near = [x * (1 + eps * rng.uniform(-1, 1, x.shape)) for x in wide]
        with subject.at(near) as record:
            record.jitter(eps, rng)  # because a rule uses the result too, which is rounded
            found = record.gradients([w * (1 + eps * rng.uniform(-1, 1, w.shape)) for w in weights])
        for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
            if a is not None and b is not None:
                spread[i] = np.maximum(spread[i], np.abs(a - b))
    for i, (a, b) in enumerate(zip(got, wanted, strict=True)):
        if a is None or b is None:
            continue
        allowed = 30 * (spread[i] + eps * np.abs(b))
        over = np.abs(a - b) > allowed
        if np.any(over):
            k = np.unravel_index(int(np.argmax(np.where(over, np.abs(a - b), 0))), a.shape)
            return i, (f"its rule is wrong in {point[i].dtype}: at element {tuple(map(int, k))} it gives {a[k]:.6g}, "
                       f"and {b[k]:.6g} in float64")
    return None
