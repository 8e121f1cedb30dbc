"""Callbacks of ``nn.fit``: what is done between steps and between epochs, each a small class."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .checkpoints import save_parameters
from .checks import at_least_zero, positive_integer

if TYPE_CHECKING:
    from .fit import Training

__all__ = ["CSVLogger", "Callback", "Checkpoint", "EarlyStopping", "GradientNorms", "HistoryPlot", "ProgressBar"]


class Callback:
    """What ``nn.fit`` calls; a subclass overrides what it needs. ``run`` is the ``Training`` under way.

    >>> class Costs(Callback):
    ...     def on_step_end(self, run):
    ...         print(run.epoch, run.step, round(run.last_cost, 3))
    """

    def on_train_begin(self, run: Training) -> None:
        """Before the first step, after a checkpoint was loaded."""

    def on_step_end(self, run: Training) -> None:
        """After each update; gradients lie in ``.grad`` until the next step, which may overwrite their arrays."""

    def columns(self, run: Training) -> dict[str, float]:
        """Numbers for the row of the epoch that has ended."""
        return {}

    def on_epoch_end(self, run: Training) -> None:
        """When the row of the epoch is the last of ``run.history``."""

    def on_train_end(self, run: Training) -> None:
        """After the last step, also of a training that was stopped or that failed."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback: numbers and texts."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""


class _Best(Callback):
    """What watches a column for its best number: the largest of accuracies, the smallest of others."""

    def __init__(self, monitor: str, mode: str | None) -> None:
        if mode not in ("min", "max", None):
            raise ValueError(f"{type(self).__name__}: mode must be 'min' or 'max', got {mode!r}")
        self.monitor, self.mode = monitor, mode or ("max" if monitor.endswith("accuracy") else "min")
        self.best: float | None = None

    def improved(self, run: Training, min_delta: float = 0.0) -> bool:
        """Whether the last row has the best number so far, by more than ``min_delta``."""
        row = run.history[-1]
        if self.monitor not in row:
            raise ValueError(f"{type(self).__name__}: monitor: the history has no column {self.monitor!r}; it has "
                             f"{', '.join(row)}")
        sign = 1 if self.mode == "max" else -1
        now, before = sign * row[self.monitor], -math.inf if self.best is None else sign * self.best
        if not now > before + min_delta:
            return False
        self.best = row[self.monitor]
        return True

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best = state["best"]


class EarlyStopping(_Best):
    """Stop when ``patience`` epochs in a row have not made ``monitor`` better by more than ``min_delta``.

    ``mode`` says whether better is ``"max"`` or ``"min"``; without it, max for columns named accuracy, else min.
    The model keeps its last parameters; ``Checkpoint`` with ``best`` keeps the best.

    >>> EarlyStopping("val_accuracy", patience=3).mode
    'max'
    """

    def __init__(self, monitor: str = "val_cost", patience: int = 5, min_delta: float = 0.0,
                 mode: str | None = None) -> None:
        super().__init__(monitor, mode)
        self.patience = positive_integer("EarlyStopping", "patience", patience)
        self.min_delta = float(at_least_zero("EarlyStopping", "min_delta", min_delta))
        self.waited = 0

    def on_train_begin(self, run: Training) -> None:
        self._stop(run)  # a training that goes on may have had its patience exhausted before

    def on_epoch_end(self, run: Training) -> None:
        self.waited = 0 if self.improved(run, self.min_delta) else self.waited + 1
        self._stop(run)

    def _stop(self, run: Training) -> None:
        if self.waited >= self.patience:
            run.stop(f"{self.monitor} has not become better for {self.waited} epochs; its best is {self.best}")

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.waited = state["waited"]


class Checkpoint(_Best):
    """Write all that training needs to go on to ``path`` after each epoch, and the best parameters to ``best``.

    ``nn.fit(..., resume=path)`` goes on from it bit for bit; ``nn.load_parameters(model, best)`` takes the parameters
    of the epoch at which ``monitor`` was best (``mode`` as in ``EarlyStopping``). ``hint`` says, when training
    is interrupted, how to go on; ``progress`` is kept beside the rest, for ``nn.checkpoints.read_progress``.
    A file exists from the start, so that a folder that cannot be written to shows before the first epoch.
    """

    def __init__(self, path: str | os.PathLike, best: str | os.PathLike | None = None, monitor: str = "val_cost",
                 mode: str | None = None, *, hint: str = "", **progress: Any) -> None:
        super().__init__(monitor, mode)
        self.path, self.best_path, self.progress = path, best, progress
        self.hint = hint or f"nn.fit(..., resume={os.fspath(path)!r})"

    def on_train_begin(self, run: Training) -> None:
        run.save(self.path, **self.progress)

    def on_epoch_end(self, run: Training) -> None:
        if self.best_path is not None and self.improved(run):
            save_parameters(run.model, self.best_path)
        run.save(self.path, **self.progress)


class CSVLogger(Callback):
    """Write the history to ``path`` after each epoch."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = path

    def on_epoch_end(self, run: Training) -> None:
        run.history.to_csv(self.path)


class HistoryPlot(Callback):
    """Draw the history to ``path`` (.png, .svg, .pdf) when training ends, however it ends."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = path

    def on_train_end(self, run: Training) -> None:
        if run.history:
            run.history.plot(self.path)


class GradientNorms(Callback):
    """Columns ``gradient_norm/LAYER``: √(Σ g²) over a module's own parameters, averaged over the steps of the epoch."""

    def on_train_begin(self, run: Training) -> None:
        self.layers = {path or type(module).__name__: [p for _, p in module.own_parameters()]
                       for path, module in run.model.named_modules()}
        self.sums, self.steps = dict.fromkeys((name for name, own in self.layers.items() if own), 0.0), 0

    def on_step_end(self, run: Training) -> None:
        self.steps += 1
        for name in self.sums:
            self.sums[name] += math.sqrt(sum(_square(p.grad) for p in self.layers[name] if p.grad is not None))

    def columns(self, run: Training) -> dict[str, float]:
        norms = {f"gradient_norm/{name}": total / max(self.steps, 1) for name, total in self.sums.items()}
        self.sums, self.steps = dict.fromkeys(self.sums, 0.0), 0
        return norms


def _square(g: Any) -> float:
    return float(np.square(np.abs(g), dtype=float).sum())


class ProgressBar(Callback):
    """A bar with the cost, the numbers of the last epoch, and the time that remains; a line per epoch in a log file."""

    def __init__(self, console: Any = None) -> None:
        try:
            from rich.console import Console
        except ImportError:
            raise ModuleNotFoundError("nn.ProgressBar needs rich: pip install 'nudgegrad[train]'") from None
        self.console: Any = console or Console()
        self.bar: Any = None

    def on_train_begin(self, run: Training) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if self.console.is_terminal:
            self.bar = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[numbers]}"),
                                TimeRemainingColumn(), console=self.console)
            self.task, self.numbers, self.next = self.bar.add_task("", total=None, numbers=""), "", 0.0
            self.bar.start()

    def on_step_end(self, run: Training) -> None:
        if self.bar and (time.perf_counter() >= self.next or run.step in (1, run.steps)):
            self.next = time.perf_counter() + 0.1
            done = run.steps and (run.epoch - 1) * run.steps + run.step
            self.bar.update(self.task, total=run.steps and run.steps * run.epochs, completed=done,
                            description=f"epoch {run.epoch}/{run.epochs}",
                            numbers=f"cost {run.mean_cost:.4f}  {self.numbers}")

    def on_epoch_end(self, run: Training) -> None:
        row = run.history[-1]
        numbers = {k: f"{x:.2%}" if k.endswith("accuracy") else f"{x:.4f}" for k, x in row.items()
                   if k not in ("epoch", "lr") and "/" not in k}
        self.numbers = "  ".join(f"{k.replace('_', ' ')} {x}" for k, x in numbers.items() if k != "cost")
        if not self.bar:
            self.console.print(f"epoch {row['epoch']}/{run.epochs}  cost {numbers['cost']}  {self.numbers}".rstrip(),
                               markup=False, highlight=False, soft_wrap=True)

    def on_train_end(self, run: Training) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None
