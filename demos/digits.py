"""The main job: train the 784-16-16-10 network on handwritten digits, and show what it learned.

``python -m demos.digits`` takes MNIST where it is at hand or can be downloaded, else digits drawn by strokes.
Interrupted, it goes on with ``--resume`` and ends with the same bits.
"""

from __future__ import annotations

import argparse
import csv
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nn
from nn.files import written

try:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from threadpoolctl import threadpool_limits

    from . import digits_report
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Recipe:
    """How the network is built and trained, with what a user may change as defaults."""

    activation: Callable[[], nn.Module]
    output: Callable[[], nn.Module] | None
    cost: Callable[[Any, Any], Any]
    optimizer: Callable[..., nn.Optimizer]
    one_cycle: bool
    shifts: bool
    epochs: int
    batch_size: int
    lr: float


RECIPES = {
    # The lecture notes: sigmoid everywhere, quadratic cost, plain mini-batch gradient descent.
    "notes": Recipe(nn.Sigmoid, nn.Sigmoid, nn.quadratic_cost, nn.SGD, one_cycle=False, shifts=False,
                    epochs=30, batch_size=10, lr=1.0),
    # As nowadays: ReLU, cross-entropy, AdamW with a one-cycle schedule, images shifted by up to one pixel.
    "relu": Recipe(nn.ReLU, None, nn.cross_entropy, nn.AdamW, one_cycle=True, shifts=True,
                   epochs=40, batch_size=200, lr=0.02),
}


@dataclass(frozen=True)
class Settings:
    """All that the result depends on."""

    recipe: str
    data: str
    epochs: int
    batch_size: int
    lr: float
    seed: int
    jit: bool


class DemoError(Exception):
    """Something the user can mend; its text says how."""


class Interrupted(DemoError):
    """Ctrl-C, with how to go on."""


def load_data(name: str, console: Console) -> tuple[str, nn.data.Digits, nn.data.Digits]:
    """The name of the data taken, the training set and the test set."""
    mnist = mnist_or_none(name, console, "training on drawn strokes instead.")
    if mnist:
        return "mnist", *mnist
    train, test = (nn.data.Digits(*nn.data.strokes(n, rng)) for n, rng in ((60_000, 1), (10_000, 2)))
    return "strokes", train, test


def mnist_or_none(name: str, console: Console, instead: str) -> tuple[nn.data.Digits, nn.data.Digits] | None:
    """MNIST if it is wanted and can be had; where "auto" cannot have it, it is said what is done instead."""
    if name == "strokes":
        return None
    try:
        return nn.data.mnist()
    except (nn.data.DataUnavailable, ModuleNotFoundError) as error:
        if name == "mnist":
            raise DemoError(str(error)) from error
        reason = str(error).splitlines()[0].removeprefix("MNIST: ").rstrip(":")
        say(console, f"MNIST is not at hand ({reason}): {instead}")
        return None
    except nn.data.DataCorrupt as error:
        raise DemoError(str(error)) from error


class Run:
    """A training run: its parts, which a checkpoint holds, and its history."""

    def __init__(self, settings: Settings, examples: int) -> None:
        self.settings, self.recipe = settings, RECIPES[settings.recipe]
        self.rng = np.random.default_rng(settings.seed)
        self.model = nn.MLP([784, 16, 16, 10], self.recipe.activation, self.recipe.output, rng=self.rng)
        self.optimizer = self.recipe.optimizer(self.model.parameters(), lr=settings.lr)
        self.steps = -(-examples // settings.batch_size)  # of an epoch
        self.schedule = (nn.OneCycle(self.optimizer, settings.lr, settings.epochs * self.steps)
                         if self.recipe.one_cycle else None)
        self.train_step = nn.make_train_step(self.model, self.recipe.cost, self.optimizer, jit=settings.jit)
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0

    def save(self, path: Path) -> None:
        nn.save_checkpoint(path, model=self.model, optimizer=self.optimizer, schedule=self.schedule, rng=self.rng,
                           settings=asdict(self.settings), history=self.history, seconds=self.seconds)

    def load(self, path: Path) -> None:
        progress = nn.load_checkpoint(path, model=self.model, optimizer=self.optimizer, schedule=self.schedule,
                                      rng=self.rng)
        self.history, self.seconds = progress["history"], progress["seconds"]

    def epoch(self, train: nn.data.Digits, test: nn.data.Digits, targets: Any,
              show: Callable[[int, float], None]) -> None:
        """One pass over the training set, and its line of history."""
        start, total = time.perf_counter(), 0.0
        lr = self.optimizer.lr
        batches = nn.data.minibatches(train.images, targets, size=self.settings.batch_size, rng=self.rng)
        for step, (x, y) in enumerate(batches, 1):
            if self.recipe.shifts:
                x = nn.data.shift(x, self.rng)
            total += self.train_step(x, y) * len(x)
            if self.schedule:
                self.schedule.step()
            if step % 50 == 0 or step == self.steps:
                show(step, total / min(step * self.settings.batch_size, len(train.images)))
        self.history.append({
            "epoch": len(self.history) + 1,
            "lr": lr,
            "cost": total / len(train.images),
            "train_accuracy": nn.accuracy(self.model, *train),
            "test_accuracy": nn.accuracy(self.model, *test),
        })
        self.seconds += time.perf_counter() - start


def say(console: Console, text: str) -> None:
    """One line as it is: no markup, no colours, no wrapping."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def train(run: Run, examples: nn.data.Digits, test: nn.data.Digits, folder: Path, console: Console) -> None:
    """Train to the last epoch, saving a checkpoint after each."""
    labels = examples.labels
    targets = labels if run.recipe.cost is nn.cross_entropy else nn.data.one_hot(labels, 10)
    epochs = run.settings.epochs
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("cost {task.fields[cost]:.4f}"),
               TextColumn("test accuracy {task.fields[accuracy]}"), TimeRemainingColumn())
    quiet = np.errstate(over="ignore", invalid="ignore")  # a cost that is not finite stops the training anyway
    alone = threadpool_limits(1)  # the products are too small to share between threads
    with quiet, alone, Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=epochs * run.steps, cost=float("nan"), accuracy="-")
        while len(run.history) < epochs:
            done = len(run.history)
            accuracy = f"{run.history[-1]['test_accuracy']:.2%}" if done else "-"

            def show(step: int, cost: float, done: int = done, accuracy: str = accuracy) -> None:
                bar.update(task, completed=done * run.steps + step, cost=cost, accuracy=accuracy,
                           description=f"epoch {done + 1}/{epochs}")

            run.epoch(examples, test, targets, show)
            run.save(folder / CHECKPOINT)
            if not console.is_terminal:
                last = run.history[-1]
                say(console, f"epoch {last['epoch']}/{epochs}  cost {last['cost']:.4f}  "
                             f"test accuracy {last['test_accuracy']:.2%}")


def finish(run: Run, test: nn.data.Digits, folder: Path, console: Console) -> None:
    """The files of the output folder, and the table."""
    nn.save_parameters(run.model, folder / "model.safetensors")
    with written(folder / "history.csv") as path, path.open("w", newline="") as file:
        table = csv.DictWriter(file, run.history[0].keys())
        table.writeheader()
        table.writerows(run.history)
    outputs = nn.predict(run.model, test.images)
    pictures = digits_report.write_pictures(folder, run.history, run.model, test, outputs,
                                            probabilities=run.recipe.cost is nn.cross_entropy)
    console.print(digits_report.results_table(run.settings, run.model, outputs, test.labels, run.seconds))
    say(console, f"Written to {folder}: {', '.join(['model.safetensors', 'history.csv', *pictures])}")


def settings_of(args: argparse.Namespace, data: str) -> Settings:
    recipe = RECIPES[args.recipe]
    return Settings(args.recipe, data, args.epochs or recipe.epochs, args.batch_size or recipe.batch_size,
                    args.lr or recipe.lr, args.seed or 0, args.jit is not False)


def folder_of(settings: Settings) -> Path:
    """A folder for each choice of settings, so that no run overwrites another: ``output/digits-relu-seed1``."""
    recipe = RECIPES[settings.recipe]
    usual = Settings(settings.recipe, "mnist", recipe.epochs, recipe.batch_size, recipe.lr, 0, True)
    parts = ["nojit" if k == "jit" else v if k == "data" else f"{k}{v}"
             for k, v in asdict(settings).items() if v != getattr(usual, k)]
    return Path("output") / "-".join(["digits", settings.recipe, *parts])


def resumed(folder: Path, args: argparse.Namespace) -> Settings:
    """The settings of the run in ``folder``, which those given with ``--resume`` must not contradict."""
    path = folder / CHECKPOINT
    if not path.is_file():
        raise DemoError(f"--resume: there is no run to go on with in {folder}: {path} does not exist")
    saved = saved_settings(path)
    if args.jit is False and saved.jit:
        raise DemoError(f"--resume: the run in {folder} has no --no-jit")
    for name in ("recipe", "data", "epochs", "batch_size", "lr", "seed"):
        given = getattr(args, name)
        if given not in (None, "auto", getattr(saved, name)):
            option = "--" + name.replace("_", "-")
            raise DemoError(f"--resume: the run in {folder} has {option} {getattr(saved, name)}, not {given}")
    return saved


def saved_settings(path: Path) -> Settings:
    try:
        saved = Settings(**nn.checkpoints.read_progress(path)["settings"])
        if saved.recipe not in RECIPES:
            raise ValueError(f"there is no recipe {saved.recipe!r}")
        return saved
    except (ValueError, KeyError, TypeError) as error:
        raise DemoError(f"{path} is not a checkpoint of this demo: {error}") from error


def prepare(args: argparse.Namespace, console: Console) -> tuple[Run, nn.data.Digits, nn.data.Digits, Path]:
    """The run that the command line asks for, its training and test set, and its folder."""
    folder = Path(args.out) if args.out else None
    saved = resumed(folder, args) if args.resume and folder else None
    data, examples, test = load_data(saved.data if saved else args.data or "auto", console)
    args.recipe = args.recipe or "relu"
    settings = saved or settings_of(args, data)
    folder = folder or folder_of(settings)
    if args.resume and not saved:
        settings = resumed(folder, args)
    run = Run(settings, len(examples.images))
    checkpoint = folder / CHECKPOINT
    if args.resume:
        try:
            run.load(checkpoint)
        except (ValueError, KeyError) as error:
            raise DemoError(f"--resume: {error}") from error
        say(console, f"Going on after epoch {len(run.history)} of {settings.epochs}.")
    else:
        if checkpoint.exists():
            if saved_settings(checkpoint) != settings:
                raise DemoError(f"--out: {folder} holds a run with other settings; choose another folder, or go on "
                                "with that run by --resume")
            done = len(nn.checkpoints.read_progress(checkpoint)["history"])
            if 0 < done < settings.epochs:
                raise DemoError(f"--out: {folder} holds this run at epoch {done} of {settings.epochs}; go on with it "
                                "by --resume, or choose another folder")
        try:
            run.save(checkpoint)  # so that a folder that cannot be written to shows now
        except OSError as error:
            raise DemoError(f"--out: cannot write to {folder}: {error}") from error
    return run, examples, test, folder


def start(args: argparse.Namespace, console: Console) -> None:
    """Do what the command line asks for."""
    run, examples, test, folder = prepare(args, console)
    settings = run.settings
    try:
        say(console, f"Training 784-16-16-10 on {settings.data}, recipe {settings.recipe}: {settings.epochs} epochs of "
                     f"{run.steps} steps, batch {settings.batch_size}, lr {settings.lr:g}, seed {settings.seed}.")
        say(console, f"Each step runs as a program, by {run.train_step.backend} (see autograd.jit; --no-jit turns it "
                     "off)." if settings.jit else "Each step runs as it is written, without jit.")
        train(run, examples, test, folder, console)
        finish(run, test, folder, console)
    except KeyboardInterrupt:
        again = shlex.join(["python", "-m", "demos.digits", "--resume", "--out", str(folder)])
        raise Interrupted(f"Interrupted after epoch {len(run.history)} of {settings.epochs}. Go on with: {again}"
                          ) from None
    except FloatingPointError as error:
        raise DemoError(f"{error}. What was learned up to epoch {len(run.history)} is in {folder / CHECKPOINT}."
                        ) from error


def positive(kind: type) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            number = 0
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"expected a positive {'integer' if kind is int else 'number'}, got "
                                             f"{text!r}")
        return number

    return parse


def seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demos.digits", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, help="how to train (default: relu)")
    parser.add_argument("--data", choices=["mnist", "strokes", "auto"],
                        help="what to train on; auto takes mnist if it can be had, else strokes (default: auto)")
    parser.add_argument("--epochs", type=positive(int), help="passes over the training set (default: the recipe's)")
    parser.add_argument("--batch-size", type=positive(int), help="images per step (default: the recipe's)")
    parser.add_argument("--lr", type=positive(float), help="learning rate (default: the recipe's)")
    parser.add_argument("--seed", type=seed, help="of initial weights, order and shifts (default: 0)")
    parser.add_argument("--no-jit", dest="jit", action="store_false", default=None,
                        help="run each step as it is written, not as the program that jit makes of it")
    parser.add_argument("--out", help="output folder (default: output/digits-RECIPE...)")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run in the output folder")
    args = parser.parse_args(argv)
    console = Console()
    try:
        start(args, console)
    except (DemoError, OSError) as error:
        text = str(error) if isinstance(error, DemoError) else f"Cannot read or write: {error}"
        print(text, file=sys.stderr)
        return 130 if isinstance(error, Interrupted) else 1
    except KeyboardInterrupt:
        print("Interrupted before the training began.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
