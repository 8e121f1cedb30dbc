"""``LBFGS``: a quasi-Newton method for costs without randomness, which evaluates the cost several times in a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import Value

from .checks import at_least_zero, is_traced, positive_integer
from .optimizers import Optimizer, Setting

__all__ = ["LBFGS"]


def _line_search(who: str, name: str, x: Any) -> str | None:
    if x not in (None, "strong_wolfe"):
        raise ValueError(f"{who}: {name} must be None or 'strong_wolfe', got {x!r}")
    return x


class LBFGS(Optimizer):
    """Newton's steps, with a Hessian that is estimated from the last gradients: w ← w - lr · H⁻¹ g, up to convergence.

    H⁻¹ is never formed: the last ``history_size`` changes of w and g multiply g (Liu and Nocedal, 1989; as in PyTorch).
    ``step(closure)`` makes up to ``max_iter`` of these moves with at most ``max_eval`` evaluations of the cost, which
    is 1.25 · ``max_iter`` unless given. It ends where no gradient is above ``tolerance_grad``, or nothing changes by
    more than ``tolerance_change``. With ``line_search_fn="strong_wolfe"`` the length of each move is searched until the
    cost and its slope have fallen enough; without, it is lr. All parameters are one group.

    >>> w = Value([3.0, -2.0])
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     cost = np.cosh(w - 1).sum()
    ...     cost.backward()
    ...     return cost
    >>> first, cost = optimizer.step(closure), closure()
    >>> round(float(first), 3), round(float(cost), 3)
    (13.83, 2.0)
    """

    max_iter = Setting(positive_integer)
    max_eval = Setting(positive_integer)
    tolerance_grad = Setting(at_least_zero)
    tolerance_change = Setting(at_least_zero)
    history_size = Setting(positive_integer)
    line_search_fn = Setting(_line_search)

    def __init__(self, parameters: Iterable[Any], lr: float = 1.0, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: str | None = None) -> None:
        if max_eval is None:
            max_eval = max(positive_integer("LBFGS", "max_iter", max_iter) * 5 // 4, 1)
        super().__init__(parameters, lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
                         tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn)
        if len(self.param_groups) > 1:
            raise ValueError("LBFGS: there can be only one group, since all parameters move together")
        self._moves = self._kept = 0  # how many moves there were, and how many of them went into the history
        self._length, self._scale = 0.0, 1.0  # of the last move; and of the Hessian that one starts from
        size = sum(p.size for p in self.parameters)
        dtype = np.result_type(*(p.dtype for p in self.parameters))
        # Whole from the start, because jit takes lists that grow for other programs; the system gives zeros no memory.
        self.buffers = {"direction": [np.zeros(size, dtype)], "gradient": [np.zeros(size, dtype)],
                        "gradients": [np.zeros((self.history_size, size), dtype)],
                        "steps": [np.zeros((self.history_size, size), dtype)]}
        (self._direction,), (self._gradient,), (self._gradients,), (self._steps,) = self.buffers.values()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move until converged or ``max_iter`` times; returns what ``closure`` first returned, the cost before.

        Args:
            closure: sets the gradients to zero, computes the cost, calls ``backward`` and returns the cost.

        Raises ``ValueError`` where no parameter has a gradient then, and ``FloatingPointError`` where the cost before
        is not finite. After an error, also one of ``closure``, the parameters are those from before the step.
        """
        if is_traced(self.parameters[0].data):
            raise TypeError("LBFGS: how many moves a step makes depends on the numbers, which jit cannot know: jit the "
                            "closure, not the step")
        before, steps = self._arrays(), self.steps
        try:
            return self._moved(closure)
        except BaseException:
            if self.steps > steps:  # what was learned of moves that are taken back is not true any more
                self._moves, self._kept, self.steps = 0, 0, steps
            self._put(before)
            raise

    def _moved(self, closure: Callable[[], Any] | None) -> Any:
        group = self.param_groups[0]
        change = group["tolerance_change"]
        first, cost, g = self._evaluated(closure)
        if not math.isfinite(cost):
            raise FloatingPointError(f"LBFGS: the cost is {cost} at step {self.steps + 1}")
        evaluations, moves = 1, 0
        self.steps += 1
        while np.max(np.abs(g)) > group["tolerance_grad"]:
            moves += 1
            d = self._next_direction(g)
            before, slope, length = cost, float(g @ d), group["lr"]
            if self._moves == 1:
                length *= min(1.0, 1.0 / float(np.sum(np.abs(g))))
            self._direction[...], self._gradient[...], self._length = d, g, length
            if slope > -change:
                break
            if group["line_search_fn"]:
                start = Point(0.0, cost, g, slope)
                found, tried = strong_wolfe(lambda length, d=d: self._looked(closure, length, d), start, length,
                                            change / float(np.max(np.abs(d))), group["max_eval"] - evaluations)
                cost, g, self._length = found.cost, found.gradient, found.length
                evaluations += tried
                self._move(self._length, d)
            else:
                self._move(length, d)
                if moves < group["max_iter"]:
                    _, cost, g = self._evaluated(closure)
                    evaluations += 1
            if moves == group["max_iter"] or evaluations >= group["max_eval"]:
                break
            if np.max(np.abs(d * self._length)) <= change or abs(cost - before) < change:
                break
        return first

    def _next_direction(self, g: np.ndarray) -> np.ndarray:
        """-H⁻¹ g, by the two loops of Nocedal (1980)."""
        self._moves += 1
        if self._moves == 1:
            return -g
        y, s = g - self._gradient, self._direction * self._length
        if y @ s > 1e-10:
            at = self._kept % len(self._steps)
            self._gradients[at], self._steps[at] = y, s
            self._kept += 1
            self._scale = float((y @ s) / (y @ y))
        q, parts, history = -g, [], self._history()
        for y, s, inverse in reversed(history):
            parts.append(s @ q * inverse)
            q -= parts[-1] * y
        q *= self._scale
        for (y, s, inverse), part in zip(history, reversed(parts), strict=True):
            q += (part - y @ q * inverse) * s
        return q

    def _history(self) -> list[tuple[np.ndarray, np.ndarray, Any]]:
        """The changes y of the gradient and s of the parameters, and 1 / yᵀs, the oldest first."""
        size = len(self._steps)
        rows = [n % size for n in range(max(self._kept - size, 0), self._kept)]
        return [(y, s, 1 / (y @ s)) for y, s in ((self._gradients[row], self._steps[row]) for row in rows)]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "moves": self._moves, "kept": self._kept, "length": self._length,
                "scale": self._scale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self._moves, self._kept = int(state["moves"]), int(state["kept"])
        self._length, self._scale = float(state["length"]), float(state["scale"])

    def _evaluated(self, closure: Callable[[], Any] | None) -> tuple[Any, float, np.ndarray]:
        """What the closure returns, that as a number, and the gradients of all parameters in one array."""
        if not callable(closure):
            raise TypeError("LBFGS: step takes a function that zeroes the gradients, computes the cost, calls "
                            f"backward() and returns the cost, got {closure!r:.60}")
        returned = closure()
        cost = returned.data if isinstance(returned, Value) else returned
        if not isinstance(cost, (float, np.generic, np.ndarray)) or np.size(cost) != 1:
            raise TypeError(f"LBFGS: the closure must return the cost, got {returned!r:.60}")
        if all(p.grad is None for p in self.parameters):
            raise ValueError("LBFGS: no parameter has a gradient; the closure must call cost.backward(), on a cost "
                             "computed from these parameters")
        g = np.concatenate([np.ravel(np.zeros_like(p.data) if p.grad is None else p.grad) for p in self.parameters])
        return returned, float(cost), g

    def _looked(self, closure: Callable[[], Any] | None, length: float, direction: np.ndarray) -> Point:
        """The cost and gradient after a move, which is taken back."""
        before = self._arrays()
        self._move(length, direction)
        _, cost, g = self._evaluated(closure)
        self._put(before)
        return Point(length, cost, g, float(g @ direction))

    def _arrays(self) -> list[np.ndarray]:
        return [np.array(p.data) for p in self.parameters]

    def _put(self, arrays: list[np.ndarray]) -> None:
        for p, array in zip(self.parameters, arrays, strict=True):
            if p.shape:
                p.data[...] = array
            else:
                p.data = type(p.data)(array)

    def _move(self, length: float, direction: np.ndarray) -> None:
        at = 0
        for p in self.parameters:
            part = np.reshape(direction[at:at + p.size], p.shape)
            at += p.size
            if p.shape:
                p.data += length * part
            else:
                p.data = type(p.data)(p.data + length * part)


class Point(NamedTuple):
    """A point on the line that is searched: how far along, and the cost, its gradient and its slope there."""

    length: float
    cost: float
    gradient: np.ndarray
    slope: float


def strong_wolfe(at: Callable[[float], Point], start: Point, length: float, narrow: float, most: int,
                 decrease: float = 1e-4, curvature: float = 0.9) -> tuple[Point, int]:
    """A point where the cost has fallen enough and its slope is flat enough, and how many points were tried.

    The search goes outwards until such points are bracketed, then narrows the bracket, by cubic interpolation, until it
    is less than ``narrow`` wide or ``most`` points were tried (Nocedal and Wright, 2006, chapter 3.5; as in PyTorch).
    """
    def high_up(p: Point) -> bool:
        return p.cost > start.cost + decrease * p.length * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -curvature * start.slope

    last, here, n = start, at(length), 0
    bracket = [start, here]
    while n < most:
        bracket = [last, here]
        if high_up(here) or (n > 1 and here.cost >= last.cost):
            break
        if flat(here):
            return here, n + 1
        if here.slope >= 0:
            break
        ahead = here.length - last.length
        length = interpolated(last, here, here.length + 0.01 * ahead, here.length * 10)
        last, here, n = here, at(length), n + 1
    else:
        bracket = [start, here]
    low, high = (0, 1) if bracket[0].cost <= bracket[1].cost else (1, 0)
    stuck = False
    while n < most:
        left, right = sorted(p.length for p in bracket)
        if right - left < narrow:
            break
        length = interpolated(bracket[0], bracket[1], left, right)
        edge = 0.1 * (right - left)
        if min(right - length, length - left) >= edge:
            stuck = False
        elif stuck or not left < length < right:  # twice at the same end: away from it
            length = right - edge if right - length < length - left else left + edge
            stuck = False
        else:
            stuck = True
        here, n = at(length), n + 1
        if high_up(here) or here.cost >= bracket[low].cost:
            bracket[high] = here
            low, high = (0, 1) if bracket[0].cost <= bracket[1].cost else (1, 0)
            continue
        if flat(here):
            return here, n + 1
        if here.slope * (bracket[high].length - bracket[low].length) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = here
    return bracket[low], n + 1


def interpolated(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic that has the costs and slopes of two points is smallest, between ``least`` and ``most``."""
    a, b = sorted((a, b), key=lambda p: p.length)
    if a.length < b.length:
        middle = a.slope + b.slope - 3 * (a.cost - b.cost) / (a.length - b.length)
        square = middle * middle - a.slope * b.slope
        root = math.sqrt(square) if square >= 0 else math.nan
        bend = b.slope - a.slope + 2 * root
        length = b.length - (b.length - a.length) * (b.slope + root - middle) / bend if bend else math.nan
        if math.isfinite(length):
            return min(max(length, least), most)
    return (least + most) / 2
