"""``why_zero``: where between a cost and a Value the gradient vanished, or the path broke."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..checkpoint import recomputed
from ..describe import Range, Report, count, elements, number, operation, range_of, table
from ..graph import retraced
from ..lines import Line, line_of
from ..record import output, recording
from ..sources import name_in
from ..value import Value
from .blockers import block_cause, drop_cause
from .flow import Block, Flow, largest, limits
from .local import call_site, is_finite, quiet
from .unconnected import missing_path

__all__ = ["Reason", "Step", "Vanishing", "why_zero"]

_SMALL = 1e-6  # a gradient that is smaller, compared with the largest on its way, has vanished
_ROUNDS = 6  # of looking for the reasons of elements that others do not explain
_MOST = 12  # rows of a way that are all shown; of a longer one the first and last, and those beside what is to blame
_FIRST, _LAST = 4, 3
_TOLD = 5  # operations that are told of one by one where none is alone to blame


@dataclass(frozen=True, eq=False)
class Reason:
    """Why there is no gradient: the operation to blame, its line, the cause, and for how many elements of ``v``.

    ``calls`` is how often that line was run with the same effect.
    """

    node: Value
    operation: str
    line: Line | None
    cause: str
    elements: int
    calls: int = 1

    def __str__(self) -> str:
        calls = f" ({self.calls} calls)" if self.calls > 1 else ""
        return f"{self.operation}{calls}: {self.cause}"


@dataclass(frozen=True, eq=False)
class Step:
    """An operation on the way from the cost to ``v``: the size of the gradient that arrives, and its factor of that.

    ``gradient`` is the largest absolute value, and ``factor`` how many times as large what is sent on; of ``v`` itself,
    the last, there is none. ``zeros`` of the ``size`` elements are 0.
    """

    node: Value
    gradient: float
    zeros: int
    size: int
    factor: float | None

    @property
    def operation(self) -> str:
        return operation(self.node)

    @property
    def line(self) -> Line | None:
        return line_of(self.node)


@dataclass(frozen=True, repr=False, eq=False)
class Vanishing(Report):
    """What ``why_zero`` found: true when the gradient is zero, in part or nearly, with the reasons.

    Attributes:
        summary: the finding in a sentence.
        name: what ``v`` is called.
        reasons: why, those nearest to the cost first.
        gradient: what the gradient of ``v`` holds; ``None`` where no path leads to it.
        zero: a mask of the elements of ``v`` without a gradient.
        path: the operations from the cost to ``v``, each with the size of the gradient that arrives there.
    """

    summary: str
    name: str
    reasons: tuple[Reason, ...] = ()
    gradient: Range | None = None
    zero: Any = None
    path: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.reasons)

    @property
    def cause(self) -> str:
        return self.reasons[0].cause if self.reasons else ""

    @property
    def operation(self) -> str:
        return self.reasons[0].operation if self.reasons else ""

    @property
    def line(self) -> Line | None:
        return self.reasons[0].line if self.reasons else None

    def __str__(self) -> str:
        lines = [f"why_zero: {self.summary}"]
        for reason in self.reasons:
            start = f"{count(reason.elements, 'element')}: " if len(self.reasons) > 1 and self.path else ""
            lines += [f"  {start}{reason}", *([f"    {reason.line}"] if reason.line else [])]
        if self.path:
            lines += ["  on the way from the cost:", *("    " + row for row in self._table().splitlines())]
        return "\n".join(lines)

    def _table(self) -> str:
        blamed = {reason.node for reason in self.reasons}
        marked = [i for i, step in enumerate(self.path)
                  if (step.node.args[0] if step.node.op is output else step.node) in blamed]
        n = len(self.path)
        shown = set(range(n)) if n <= _MOST else {
            *range(_FIRST), *range(n - _LAST, n), *(j for i in marked for j in (i - 1, i, i + 1))} & set(range(n))
        rows, before = [], -1
        for i in sorted(shown):
            if i > before + 1:
                rows.append([f"… {count(i - before - 1, 'operation')}", *[""] * 5])
            before, step = i, self.path[i]
            rows.append([step.operation if i < n - 1 else self.name, _place(step.node), number(step.gradient),
                         f"{step.zeros} of {step.size}", "" if step.factor is None else number(step.factor),
                         "←" if i in marked else ""])
        return table(["operation", "line", "max |g|", "zeros", "factor", ""], rows)


def why_zero(cost: Any, v: Any) -> Vanishing:
    """Why the gradient of a cost with respect to ``v`` is zero: where it vanished, or why no path leads to ``v``.

    Random changes of the elements of ``v`` without a gradient are followed forward to the operations whose results do
    not change with them; these are told apart by what they are: a dead ReLU, a mask, a saturated sigmoid, an index that
    never takes the element, terms that cancel, and so on. Where no operation is alone to blame, the report lists by how
    much each shrinks the gradient. Where no path is recorded, it looks for what ``v`` was turned into: a result of
    ``detach`` or of ``no_grad``, numbers taken by ``.data``, rounded, compared or cast. No ``.grad`` is changed.

    Args:
        cost: a Value; of a tensor, the sum of its elements counts.
        v: the Value that should have a gradient.

    Returns:
        A ``Vanishing``: true where a reason was found, which is where elements of the gradient are zero, or all less
        than a millionth of the largest on the way; prints as text.

    Raises ``TypeError`` where ``cost`` or ``v`` is not a Value.

    >>> from autograd.functions import relu
    >>> w = Value([-1.0, -2.0], name="w")
    >>> report = why_zero(np.sum(relu(w) * 3), w)
    >>> report.operation, report.cause
    ('autograd.functions.relu', 'dead ReLU: the 2 inputs (-2 … -1) are at most 0')
    """
    if not isinstance(cost, Value):
        raise TypeError(f"cost: expected a Value, got {type(cost).__name__} {cost!r:.60}; .data, float(), comparisons, "
                        "rounding and casts to integers give plain numbers, which have no gradient")
    if not isinstance(v, Value):
        raise TypeError(f"v: expected the Value that should have a gradient, got {type(v).__name__} {v!r:.60}; write "
                        "v = Value(v) before the cost is computed from it")
    with quiet():
        return _explained(Flow(cost, v))


def _explained(flow: Flow) -> Vanishing:
    v = flow.v
    name = name_in(v, flow.consumers) or "v"
    if not flow.connected:
        said, reasons = missing_path(flow.cost, v)
        return Vanishing(f"{said} {name}", name, tuple(Reason(node, what, line_of(node), why, v.size)
                                                 for node, what, why in reasons))
    if not v.size:
        return Vanishing(f"{name} has no elements, and its gradient none", name)
    gradient = np.asarray(flow.gradient)
    holds, size = range_of(gradient), largest(gradient)
    zero, small = gradient == 0, size < _SMALL * max(map(largest, flow.arriving.values()))
    if not is_finite(gradient):
        return Vanishing(f"the gradient with respect to {name} is not zero but holds nan or inf: see "
                         "explain_nan(cost)", name, gradient=holds)
    if not zero.any() and not small:
        return Vanishing(f"the gradient with respect to {name} is not zero: max |g| = {number(size)}", name,
                         gradient=holds)
    found, rest = _blocks(flow, v, zero)
    reasons = found.reasons(int(zero.sum()))
    path = _steps(flow, flow.way(reasons[0].node if reasons else None))
    if small and not reasons:
        zero = np.ones_like(zero)
        reasons = [_drops(flow, path, zero.size)]
    elif rest.any():
        reasons.append(_reason(path[-2].node, "cancellation or underflow: the gradient that arrives would get through, "
                               "but its parts add up to 0, or are too small", int(rest.sum())))
    return Vanishing(_summary(name, gradient, zero), name, tuple(reasons), holds, zero, tuple(path))


def _summary(name: str, gradient: np.ndarray, zero: np.ndarray) -> str:
    start = f"the gradient with respect to {name} is"
    if np.any(gradient[zero]):
        return f"{start} not zero, but tiny: max |g| = {number(largest(gradient))}"
    where = elements(zero)
    return f"{start} zero" if zero.all() else f"{start} zero at {where}"


# The reasons


class _Found:
    """Reasons as they are found, nearest to the cost first, and apart those that are so because zeros go in.

    These are another's fault, as where the square of what a dead ReLU gives is flat, unless there is no other.
    """

    def __init__(self) -> None:
        self.first: dict[Any, Reason] = {}
        self.last: dict[Any, Reason] = {}

    def add(self, reason: Reason, n: int, last: bool) -> None:
        key = reason.operation, reason.line
        if key in self.first:
            before = self.first[key]
            self.first[key] = before if last else replace(before, elements=before.elements + n)
        elif last:
            self.last.setdefault(key, replace(reason, elements=n))
        else:
            self.last.pop(key, None)
            self.first[key] = replace(reason, elements=n)

    def add_all(self, other: _Found, n: int) -> None:
        for last, reasons in ((False, other.first), (True, other.last)):
            for reason in reasons.values():
                self.add(reason, n, last)

    def reasons(self, n: int) -> list[Reason]:
        """Those that explain ``n`` elements."""
        first = list(self.first.values())
        return first if first and sum(reason.elements for reason in first) >= n else [*first, *self.last.values()]


def _blocks(flow: Flow, source: Value, mask: np.ndarray, depth: int = 0) -> tuple[_Found, np.ndarray]:
    """The operations that keep the gradient from the elements of ``source`` at a mask; and which elements remain."""
    found, rest = _Found(), mask
    for _ in range(_ROUNDS):
        explained = np.zeros_like(rest)
        for block in flow.blocks(source, rest) if rest.any() else []:
            reached = flow.reaching(block) & rest
            n, lost = int(reached.sum()), flow.without_gradient(block)
            above = _Found()
            if lost is not None and depth < _ROUNDS:  # the gradient is gone before it comes to the block
                above, _ = _blocks(flow, *lost, depth + 1)
                found.add_all(above, n)
            if lost is None or not block.lets_through:
                for reason in _within(block) or [_reason(block.node, block_cause(block), n, len(block.nodes))]:
                    found.add(reason, n, last=not np.any(block.moved))
            elif not above.reasons(n):
                continue
            explained |= reached
        rest = rest & ~explained
        if not explained.any():
            break
    return found, rest


def _within(block: Block) -> list[Reason]:
    """The reasons inside a function made with ``checkpoint``, which is recorded as one node."""
    if block.node.op is not recomputed:
        return []
    _, _, x, mask = block.inputs[0]
    fresh, y, _ = retraced(block.node, {x}, False)
    with recording(True):
        cost: Any = sum(np.sum(part) for part in (y if isinstance(y, tuple) else [y]))
    if not isinstance(cost, Value):
        return []
    found, _ = _blocks(Flow(cost, fresh[x]), fresh[x], mask)
    return [replace(reason, node=block.node) for reason in found.reasons(int(mask.sum()))]


def _drops(flow: Flow, path: list[Step], n: int) -> Reason:
    """The operation that shrinks the gradient most, or where ways cancel, or all of them where none is to blame."""
    steps = [step for step in path if step.factor is not None]
    smallest = float(limits(flow.v.dtype).tiny)
    for above, below in pairwise(path):
        arriving, sent = below.gradient, above.gradient * (above.factor or 0.0)
        if sent >= smallest and arriving < _SMALL * sent:
            ways = [f"{operation(c)} ({_place(c)})" for c in flow.consumers[below.node]
                    if flow.share(c, below.node) > arriving]
            return _reason(above.node, f"cancellation: what {' and '.join(ways)} send back to {operation(below.node)} "
                           "adds up to 0, or nearly so", n)
    worst = min(steps, key=lambda step: step.factor or 0.0)
    after = path[path.index(worst) + 1].node
    total = sum(_log(step.factor) for step in steps)
    if _log(worst.factor) < min(-3.0, total / 2):
        return _reason(worst.node, drop_cause(worst.node, worst.factor or 0.0, flow.usual_factor(worst.node, after)), n)
    return _product(steps, total, flow.v.dtype, n)


def _product(steps: list[Step], total: float, dtype: np.dtype, n: int) -> Reason:
    """The reason where none is alone to blame: by how much the calls on each line shrink the gradient together."""
    calls: dict[Any, list[Step]] = {}
    for step in steps:
        if _log(step.factor) < 0:
            calls.setdefault(call_site(step.node), []).append(step)
    logs = {site: sum(_log(step.factor) for step in group) for site, group in calls.items()}
    order = sorted(calls, key=lambda site: logs[site])
    told = [f"{count(len(calls[site]), 'call')} of {calls[site][0].operation} ({_place(calls[site][0].node)}) by "
            f"{number(10 ** (logs[site] / len(calls[site])))}{' each' if len(calls[site]) > 1 else ''}"
            for site in order[:_TOLD]]
    lost = f", below the smallest {dtype}" if total < math.log10(float(limits(dtype).smallest_subnormal)) else ""
    first = calls[order[0]][0] if order else steps[0]
    return _reason(first.node, f"no operation is alone to blame: the {len(steps)} on the way multiply the gradient by "
                   f"1e{total:.0f}{lost}: {', '.join(told)}", n)


def _reason(node: Value, cause: str, n: int, calls: int = 1) -> Reason:
    return Reason(node, operation(node), line_of(node), cause, n, calls)


def _log(factor: float | None) -> float:
    return 0.0 if factor is None else math.log10(max(factor, 1e-320))


def _place(node: Value) -> str:
    line = line_of(node)
    return "" if line is None else line.place


def _steps(flow: Flow, way: list[Value]) -> list[Step]:
    steps = []
    for i, node in enumerate(way):
        g = flow.arriving.get(node)
        if isinstance(node.data, tuple):
            continue  # its results, which come before it, stand for it
        factor = None
        if i + 1 < len(way):
            factor = flow.factor(node, way[i + 1])
            if isinstance(way[i + 1].data, tuple):
                factor *= flow.factor(way[i + 1], way[i + 2])
        zeros = node.size - (0 if g is None else int(np.count_nonzero(g)))
        steps.append(Step(node, largest(g), zeros, node.size, factor))
    return steps
