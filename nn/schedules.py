"""Schedules of the learning rate: call ``step`` after each step of the optimizer, and it sets ``optimizer.lr``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .checks import above_zero, at_least_zero, below_one, check_same, is_traced, number, positive_integer, settings
from .optimizers import Optimizer

__all__ = ["Cosine", "OneCycle", "ReduceLROnPlateau", "Schedule", "Step", "Warmup"]


class Schedule:
    """What schedules share: a subclass gives the learning rate after ``n`` steps in ``lr_at``."""

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: optimizer must be an nn optimizer, got {optimizer!r:.60}")
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.steps = 0
        optimizer.lr = self.lr_at(0)

    def lr_at(self, n: int) -> float:
        """The learning rate after ``n`` steps."""
        raise NotImplementedError

    def step(self) -> None:
        """Count one step, and set the learning rate of the next."""
        self.steps += 1
        self.optimizer.lr = self.lr_at(self.steps)

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` takes to go on: the count of steps, and what the schedule was made with."""
        return {"kind": type(self).__name__, "settings": self._settings(), "steps": self.steps, "base_lr": self.base_lr}

    def _settings(self) -> dict[str, Any]:
        return settings(self, "optimizer", "steps", "base_lr")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state that ``state_dict`` gave; ``ValueError`` where it is that of another schedule."""
        check_same(self, state, self._settings())
        self.steps, self.base_lr = int(state["steps"]), float(state["base_lr"])
        self.optimizer.lr = self.lr_at(self.steps)


class Step(Schedule):
    """lr · gamma^⌊n / step_size⌋: a drop by the factor ``gamma`` every ``step_size`` steps.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = Step(SGD([Value(0.0)], lr=1.0), step_size=10)
    >>> schedule.lr_at(9), schedule.lr_at(10)
    (1.0, 0.1)
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = positive_integer("Step", "step_size", step_size)
        self.gamma = float(above_zero("Step", "gamma", gamma))
        super().__init__(optimizer)

    def lr_at(self, n: int) -> float:
        return self.base_lr * self.gamma ** (n // self.step_size)


class Cosine(Schedule):
    """From the optimizer's lr down to ``min_lr`` along half a cosine in ``total_steps``, then ``min_lr``.

    min_lr + ½ (lr - min_lr) (1 + cos(π n / total_steps)) (Loshchilov and Hutter, 2017, without restarts).

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = Cosine(SGD([Value(0.0)], lr=1.0), total_steps=10)
    >>> [round(schedule.lr_at(n), 2) for n in (0, 5, 10)]
    [1.0, 0.5, 0.0]
    """

    def __init__(self, optimizer: Optimizer, total_steps: int, min_lr: float = 0.0) -> None:
        self.total_steps = positive_integer("Cosine", "total_steps", total_steps)
        self.min_lr = float(at_least_zero("Cosine", "min_lr", min_lr))
        super().__init__(optimizer)

    def lr_at(self, n: int) -> float:
        return _cosine(self.base_lr, self.min_lr, n / self.total_steps)


class OneCycle(Schedule):
    """Up from ``max_lr / div_factor`` to ``max_lr`` in the first ``pct_start`` of the steps, then down to almost 0.

    Both along half a cosine; the end is ``max_lr / div_factor / final_div_factor`` (Smith and Topin, 2018; the phases
    as in PyTorch, with the learning rate alone).

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = OneCycle(SGD([Value(0.0)], lr=1.0), max_lr=1.0, total_steps=101)
    >>> [round(schedule.lr_at(n), 2) for n in (0, 29, 65, 100)]
    [0.04, 1.0, 0.49, 0.0]
    """

    def __init__(self, optimizer: Optimizer, max_lr: float, total_steps: int, pct_start: float = 0.3,
                 div_factor: float = 25.0, final_div_factor: float = 1e4) -> None:
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycle: pct_start must lie between 0 and 1, got {pct_start!r}")
        for name, x in (("max_lr", max_lr), ("div_factor", div_factor), ("final_div_factor", final_div_factor)):
            above_zero("OneCycle", name, x)
        self.max_lr, self.total_steps = float(max_lr), positive_integer("OneCycle", "total_steps", total_steps)
        self.pct_start, self.div_factor, self.final_div_factor = pct_start, float(div_factor), float(final_div_factor)
        super().__init__(optimizer)

    def lr_at(self, n: int) -> float:
        first, last = self.max_lr / self.div_factor, self.max_lr / self.div_factor / self.final_div_factor
        top, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        rising = _cosine(first, self.max_lr, n / top if top else 1.0)
        return number(np.where(n <= top, rising, _cosine(self.max_lr, last, (n - top) / max(end - top, 1))))


class Warmup(Schedule):
    """A linear rise in ``total_steps`` from ``start_factor`` times the learning rate to all of it, then ``then``.

    ``then`` is the schedule that begins after the warm-up, or an optimizer, whose learning rate then stays. Only the
    warm-up is stepped.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = Warmup(Cosine(SGD([Value(0.0)], lr=1.0), total_steps=10), total_steps=4, start_factor=0.0)
    >>> [round(schedule.lr_at(n), 2) for n in (0, 1, 4, 9, 14)]
    [0.0, 0.25, 1.0, 0.5, 0.0]
    """

    def __init__(self, then: Schedule | Optimizer, total_steps: int, start_factor: float = 0.01) -> None:
        if not isinstance(then, (Schedule, Optimizer)) or isinstance(then, ReduceLROnPlateau):
            raise TypeError("Warmup: then must be an optimizer, or a schedule whose learning rate depends on the count "
                            f"of steps alone, got {then!r:.60}")
        self.total_steps = positive_integer("Warmup", "total_steps", total_steps)
        self.start_factor = float(at_least_zero("Warmup", "start_factor", start_factor))
        self._then = then if isinstance(then, Schedule) else _Constant(then)
        self.optimizer, self.base_lr, self.steps = self._then.optimizer, self._then.base_lr, 0
        self.optimizer.lr = self.lr_at(0)

    def lr_at(self, n: int) -> float:
        missing = 1 - np.minimum(n / self.total_steps, 1.0)
        return number((1 - (1 - self.start_factor) * missing) * self._then.lr_at(np.maximum(n - self.total_steps, 0)))

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "then": {"kind": type(self._then).__name__, **self._then._settings()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        check_same(self, state, self._settings())
        self._then.base_lr = float(state["base_lr"])
        super().load_state_dict(state)


class _Constant(Schedule):
    """The learning rate of the optimizer as it is."""

    def lr_at(self, n: int) -> float:
        return self.base_lr


class ReduceLROnPlateau(Schedule):
    """lr · ``factor`` after more than ``patience`` numbers in a row that beat no earlier one: ``step(metric)``.

    Better is less than best · (1 - ``threshold``), or with ``mode="max"`` more than best · (1 + ``threshold``). After a
    drop, the next ``cooldown`` numbers do not count, and lr does not fall below ``min_lr``, nor by less than 1e-8. It
    is stepped with a cost or an accuracy, after each epoch; all as in PyTorch, where ``min_lr`` is that of each group.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = ReduceLROnPlateau(SGD([Value(0.0)], lr=1.0), patience=1)
    >>> for cost in (3.0, 2.0, 2.5, 2.5):
    ...     schedule.step(cost)
    >>> schedule.optimizer.lr
    0.1
    """

    def __init__(self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
                 threshold: float = 1e-4, *, cooldown: int = 0, min_lr: float = 0.0) -> None:
        name = "ReduceLROnPlateau"
        if mode not in ("min", "max"):
            raise ValueError(f"{name}: mode must be 'min' or 'max', got {mode!r}")
        self.mode, self.factor = mode, float(below_one(name, "factor", factor))
        self.patience, self.cooldown = _count(name, "patience", patience), _count(name, "cooldown", cooldown)
        self.threshold = float(at_least_zero(name, "threshold", threshold))
        self.min_lr = float(at_least_zero(name, "min_lr", min_lr))
        self._best = np.inf if mode == "min" else -np.inf
        self._bad = self._waiting = 0
        super().__init__(optimizer)

    def lr_at(self, n: int) -> float:
        """The learning rate, whatever ``n`` is: which it will be depends on the numbers."""
        return self.optimizer.lr

    def step(self, metric: float) -> None:  # type: ignore[override]
        """Count a number, such as the validation cost of an epoch, and set the learning rate of what follows."""
        if is_traced(metric) or np.ndim(metric):
            raise TypeError("ReduceLROnPlateau: step takes a number, outside of jit, got "
                            f"{'a traced one' if is_traced(metric) else repr(metric)[:60]}")
        metric = float(metric)
        self.steps += 1
        least = self._best * (1 - self.threshold if self.mode == "min" else 1 + self.threshold)
        if metric < least if self.mode == "min" else metric > least:
            self._best, self._bad = metric, 0
        else:
            self._bad += 1
        if self._waiting:
            self._waiting, self._bad = self._waiting - 1, 0
        if self._bad > self.patience:
            self._waiting, self._bad = self.cooldown, 0
            lr = self.optimizer.lr
            less = max(lr * self.factor, self.min_lr)
            if lr - less > 1e-8:
                self.optimizer.lr = less

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "lr": self.optimizer.lr, "best": self._best, "bad": self._bad,
                "waiting": self._waiting}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.optimizer.lr = state["lr"]
        self._best, self._bad, self._waiting = float(state["best"]), int(state["bad"]), int(state["waiting"])


def _count(who: str, name: str, n: Any) -> int:
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 0:
        raise ValueError(f"{who}: {name} must be an integer of at least 0, got {n!r}")
    return int(n)


def _cosine(start: float, end: float, part: float) -> float:
    return number(end + (start - end) / 2 * (1 + np.cos(np.pi * np.minimum(part, 1.0))))
