"""``fit``: the loop of training, over epochs, mini-batches and callbacks."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import NoneType
from typing import Any

import numpy as np

from autograd import explain_nan

from .callbacks import Callback, Checkpoint
from .checkpoints import load_checkpoint, read_progress, save_checkpoint
from .checks import array, positive_integer
from .data import minibatches
from .history import History
from .module import Module
from .optimizers import Optimizer
from .random import Randomness, generator
from .schedules import ReduceLROnPlateau, Schedule
from .training import arrays_in, make_train_step, predict, rebuilt

__all__ = ["Training", "fit"]

Cost = Callable[[Any, Any], Any]


def fit(model: Module, cost: Cost, train: Any, validation: Any = None, optimizer: Optimizer | None = None,
        schedule: Schedule | None = None, epochs: int = 1, callbacks: Iterable[Callback] = (), *, rng: Randomness,
        batch_size: int = 32, transform: Callable[[Any, np.random.Generator], Any] | None = None,
        metrics: Mapping[str, Cost] | Iterable[Cost] = (), clip_norm: float | None = None, jit: bool = True,
        resume: str | os.PathLike | None = None) -> History:
    """Train the model for ``epochs`` passes over ``train``, and return the history, a row for each.

    It is the loop that one writes by hand, and gives the same numbers to the bit::

        step = nn.make_train_step(model, cost, optimizer)
        for epoch in range(epochs):
            for x, y in nn.data.minibatches(*train, size=batch_size, rng=rng):
                step(transform(x, rng), y)
                schedule.step()

    Args:
        cost: a function of the model's output and the target.
        train: a pair of inputs and targets, each an array or a tuple of arrays (such as padded sequences and their
            lengths; the model then gets the tuple); or a function that takes the generator and yields the
            mini-batches ``x, y`` of an epoch.
        validation: a pair of inputs and targets, or a dict of pairs by name. After each epoch the row gets
            ``val_cost`` and each metric, such as ``val_accuracy``; of a dict, with its names in place of ``val``.
        schedule: is stepped after each update; ``ReduceLROnPlateau`` after each epoch, by ``val_cost`` (with no
            validation, ``cost``), or with ``mode="max"`` by ``val_accuracy``.
        epochs: how many in all, those before ``resume`` included.
        rng: the generator, or a seed, of the order of the examples and of ``transform``.
        transform: what makes the inputs of a mini-batch anew, given them and the generator: ``nn.data.shift``.
        metrics: functions of the output and the target, such as ``nn.metrics.accuracy``, or a dict of them by name.
        clip_norm: clips the gradient to this norm; see ``nn.clip_grad_norm``.
        jit: runs each step as a program; see ``nn.make_train_step``.
        resume: a file of the callback ``nn.Checkpoint`` to go on from, bit for bit.

    Ctrl-C ends the training after the step that is running (a second one, at once), and the history, which says so in
    ``stopped``, is returned. The checkpoint of the last whole epoch is what ``resume`` takes.

    Raises ``FloatingPointError``, with the report of ``autograd.explain_nan``, where a cost or a gradient is not
    finite; the parameters are those from before that step.

    >>> import nn
    >>> x = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    >>> model = nn.MLP([1, 8, 1], nn.Tanh, rng=0)
    >>> history = fit(model, nn.mse_loss, (x, x**2), (x, x**2), nn.Adam(model.parameters(), lr=0.02), epochs=20, rng=0)
    >>> history.columns, history[-1]["val_cost"] < history[0]["val_cost"] / 10
    (['epoch', 'lr', 'cost', 'val_cost'], True)
    """
    run = Training(model, cost, train, validation, optimizer, schedule, epochs, callbacks, generator(rng, "fit"),
                   batch_size, metrics)
    if resume is not None:
        run.load(resume)
    step = make_train_step(model, cost, run.optimizer, jit=jit, clip_norm=clip_norm)
    with run.under_way():
        while len(run.history) < run.epochs and not run.history.stopped:
            start, lr = time.perf_counter(), run.optimizer.lr
            run.begin_epoch()
            for x, y in run.batches():
                x = transform(x, run.rng) if transform else x
                try:
                    run.count(step(x, y), len(arrays_in(x)[0]))
                except FloatingPointError as error:
                    raise run.explained(error, x, y) from None
                if schedule and not isinstance(schedule, ReduceLROnPlateau):
                    schedule.step()
                run.call("on_step_end")
            run.end_epoch({"epoch": run.epoch, "lr": lr, "cost": run.mean_cost}, time.perf_counter() - start)
    return run.history


class Training:
    """A training under way, which callbacks get.

    Attributes:
        model, optimizer, schedule, rng, epochs: what ``nn.fit`` was given.
        history: the rows of the whole epochs so far.
        epoch: the number of the one under way, from 1.
        step: how many steps of this epoch are done; ``steps``: of how many, ``None`` where that is not known.
        last_cost: of the last step; ``mean_cost``: averaged over the examples of this epoch so far.
    """

    def __init__(self, model: Module, cost: Cost, train: Any, validation: Any, optimizer: Optimizer | None,
                 schedule: Schedule | None, epochs: int, callbacks: Iterable[Callback], rng: np.random.Generator,
                 batch_size: int, metrics: Any) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"fit: model must be a module, got {model!r:.60}")
        if not callable(cost):
            raise TypeError(f"fit: cost must be a function of output and target, such as nn.mse_loss, got {cost!r:.60}")
        if not isinstance(optimizer, Optimizer):
            raise TypeError("fit: optimizer must be an nn optimizer, such as nn.Adam(model.parameters(), lr=0.001), "
                            f"got {optimizer!r:.60}")
        if not isinstance(schedule, (Schedule, NoneType)):
            raise TypeError("fit: schedule must be an nn schedule, such as nn.Cosine(optimizer, total_steps=1000), got "
                            f"{schedule!r:.60}")
        if schedule and schedule.optimizer is not optimizer:
            raise ValueError("fit: schedule must be that of the optimizer passed, but was made with another")
        callbacks = _listed("callbacks", "callbacks, such as nn.GradientNorms()", callbacks,
                            lambda callback: isinstance(callback, Callback))
        if not isinstance(metrics, Mapping):
            metrics = _listed("metrics", "functions, or a dict of them by name", metrics, callable)
            names = [getattr(f, "__name__", repr(f)) for f in metrics]
            if len(set(names)) < len(names):
                raise ValueError(f"fit: metrics must have a name each, got {names}; pass a dict of them by name")
            metrics = dict(zip(names, metrics, strict=True))
        if "cost" in metrics:
            raise ValueError("fit: metrics: a metric cannot have the name of the column cost; call it otherwise")
        self.model, self.cost, self.optimizer, self.schedule, self.rng = model, cost, optimizer, schedule, rng
        self.epochs = positive_integer("fit", "epochs", epochs)
        self.batch_size = positive_integer("fit", "batch_size", batch_size)
        # Last comes what writes down the state of the others.
        self.callbacks = sorted(callbacks, key=lambda callback: isinstance(callback, Checkpoint))
        self.train = train if callable(train) else _pair("train", train)
        sets = validation if isinstance(validation, dict) else {} if validation is None else {"val": validation}
        self.validation = {name: _pair(f"validation {name!r}", pair) for name, pair in sets.items()}
        self.metrics = dict(metrics)
        self.steps = None if callable(train) else -(-len(arrays_in(self.train)[0]) // self.batch_size)
        self.history = History()
        self.interrupted = False
        self.begin_epoch()

    @property
    def epoch(self) -> int:
        return len(self.history) + 1

    @property
    def mean_cost(self) -> float:
        return self._total / self._examples

    def stop(self, why: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = why

    def call(self, hook: str) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(self)

    # The loop's parts

    def begin_epoch(self) -> None:
        self.step, self.last_cost, self._total, self._examples = 0, float("nan"), 0.0, 0

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """The mini-batches of an epoch; after Ctrl-C, ``KeyboardInterrupt`` in place of the next."""
        if callable(self.train):
            given: Any = self.train(self.rng)
            batches: Any = (rebuilt((x, y), map(array, arrays_in((x, y)))) for x, y in given)
        else:
            cut = minibatches(*arrays_in(self.train), size=self.batch_size, rng=self.rng)
            batches = (rebuilt(self.train, iter(batch)) for batch in cut)
        for batch in batches:
            if self.interrupted:
                raise KeyboardInterrupt
            yield batch
        if not self.step:
            raise ValueError("fit: train gave no mini-batch; a function must yield those of an epoch each time it is "
                             "called")

    def count(self, cost: float, examples: int) -> None:
        self.step += 1
        self.last_cost = cost
        self._total += cost * examples
        self._examples += examples

    def end_epoch(self, row: dict[str, float], seconds: float) -> None:
        start = time.perf_counter()
        for name, (x, y) in self.validation.items():
            output = predict(self.model, x)
            for key, f in {"cost": self.cost, **self.metrics}.items():
                number = f(output, y)
                if np.size(number) != 1:
                    raise TypeError(f"fit: the metric {key} must give a number, got {number!r:.60}")
                row[f"{name}_{key}"] = float(number)
        for callback in self.callbacks:
            row |= callback.columns(self)
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(self._watched(row, self.schedule.mode))
        self.history.append(row)
        self.history.seconds += seconds + time.perf_counter() - start
        self.call("on_epoch_end")

    @staticmethod
    def _watched(row: dict[str, float], mode: str) -> float:
        for column in ("val_cost", "cost") if mode == "min" else ("val_accuracy",):
            if column in row:
                return row[column]
        raise ValueError("fit: schedule: ReduceLROnPlateau with mode='max' watches the column val_accuracy, but there "
                         f"are {', '.join(row)}; pass metrics=[nn.metrics.accuracy] and validation")

    def explained(self, error: FloatingPointError, x: Any, y: Any) -> FloatingPointError:
        """The error with what ``explain_nan`` finds when the failing step is run again, as it is written."""
        before = self.model.state_dict()
        report = explain_nan(self.cost(self.model(x), y))
        self.model.load_state_dict(before)  # running statistics have moved
        return FloatingPointError(f"{error}\n{report}" if report else str(error))

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Call the callbacks at both ends, and let Ctrl-C end the training after the step that is running."""
        if not self.model.training:
            self.model.train()
        told, quiet = True, np.errstate(all="ignore")  # what is not finite stops the training anyway
        try:
            with quiet, self._asked_by_ctrl_c():
                self.call("on_train_begin")
                try:
                    yield
                except KeyboardInterrupt:
                    told = False
                    self.stop(f"Interrupted after epoch {len(self.history)} of {self.epochs}")
        finally:
            self.call("on_train_end")
        if not told:  # now that the progress bar has gone
            hints = [f"Go on with: {callback.hint}" for callback in self.callbacks if isinstance(callback, Checkpoint)]
            hints += ["There is no nn.Checkpoint among the callbacks to go on from."]
            print(f"{self.history.stopped}. {hints[0]}", file=sys.stderr)

    @contextmanager
    def _asked_by_ctrl_c(self) -> Iterator[None]:
        def ask(number: int, frame: Any) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or not _in_main_thread():
            yield  # a program that handles it does so here too
            return
        signal.signal(signal.SIGINT, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    # Checkpoints

    def save(self, path: str | os.PathLike, **progress: Any) -> None:
        """Write all that ``load`` needs to go on bit for bit, with ``progress`` beside it."""
        states = [[type(callback).__name__, callback.state_dict()] for callback in self.callbacks]
        save_checkpoint(path, model=self.model, optimizer=self.optimizer, schedule=self.schedule, rng=self.rng,
                        history=list(self.history), seconds=self.history.seconds,
                        callbacks=[[name, state] for name, state in states if state], **progress)

    def load(self, path: str | os.PathLike) -> None:
        """Go on from what ``save`` wrote; ``ValueError`` where it does not fit, and then nothing has changed."""
        progress = read_progress(path)
        if not {"history", "seconds", "callbacks"} <= progress.keys():
            raise ValueError(f"resume: {path} was not written by nn.fit: it has no history")
        mine = [callback for callback in self.callbacks if callback.state_dict()]
        kinds, saved = [type(callback).__name__ for callback in mine], [name for name, _ in progress["callbacks"]]
        if kinds != saved:
            raise ValueError(f"resume: {path} holds the state of the callbacks {saved}, but those passed are {kinds}")
        load_checkpoint(path, model=self.model, optimizer=self.optimizer, schedule=self.schedule, rng=self.rng)
        for callback, (_, state) in zip(mine, progress["callbacks"], strict=True):
            callback.load_state_dict(state)
        self.history = History(progress["history"])
        self.history.seconds = progress["seconds"]


def _listed(name: str, wanted: str, given: Any, fits: Callable[[Any], bool]) -> list[Any]:
    found = list(given) if isinstance(given, Iterable) else [given]
    wrong = [x for x in found if not fits(x)]
    if wrong or not isinstance(given, Iterable):
        raise TypeError(f"fit: {name} must be a list of {wanted}; got {(wrong or found)[0]!r:.60}")
    return found


def _pair(name: str, data: Any) -> tuple[Any, Any]:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        or_function = ", or a function of the generator that yields mini-batches" if name == "train" else ""
        raise TypeError(f"fit: {name} must be a pair (x, y) of inputs and targets{or_function}; got "
                        f"{type(data).__name__}{f' of {len(data)}' if isinstance(data, (tuple, list)) else ''}")
    x, y = data
    arrays = list(map(array, arrays_in((x, y))))
    if not all(a.shape for a in arrays):
        raise TypeError(f"fit: {name} must hold arrays with a row for each example, got one of no axes, "
                        f"{next(a for a in arrays if not a.shape)!r:.60}")
    lengths = list(map(len, arrays))
    if len(set(lengths)) > 1 or not lengths[0]:
        raise ValueError(f"fit: {name} must hold as many inputs as targets, and at least one; got arrays of {lengths} "
                         "rows")
    return rebuilt((x, y), iter(arrays))


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
