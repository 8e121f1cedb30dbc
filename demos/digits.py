"""The main job: train the 784-16-16-10 network on handwritten digits, and show what it learned.

``--model cnn`` trains a convolutional network in its place, and ``--model small`` one of fewer parameters than it has.
``python -m demos.digits`` takes MNIST where it is at hand or can be downloaded, else digits drawn by strokes.
Interrupted, it goes on with ``--resume`` and ends with the same bits.
"""

from __future__ import annotations

import argparse
import functools
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import nn
from autograd import jit

try:
    from rich.console import Console
    from threadpoolctl import threadpool_limits

    from . import digits_report, runs
    from .digits_networks import CONVOLUTIONAL, RECIPES
    from .runs import DemoError, Interrupted, begun, epochs_done, positive, saved_settings, say
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Settings:
    """All that the result depends on."""

    model: str
    recipe: str
    data: str
    epochs: int
    batch_size: int
    lr: float
    seed: int
    jit: bool


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


def train(settings: Settings, model: nn.Module, examples: nn.data.Digits, test: nn.data.Digits, folder: Path,
          rng: np.random.Generator, resume: bool, console: Console) -> nn.History:
    """Train to the last epoch, saving a checkpoint after each; raises ``Interrupted`` after Ctrl-C."""
    recipe, path = RECIPES[settings.recipe], folder / CHECKPOINT
    optimizer = recipe.optimizer(model.parameters(), lr=settings.lr)
    schedule = (nn.OneCycle(optimizer, settings.lr, settings.epochs * steps_of(settings, examples))
                if recipe.one_cycle else None)

    def targets(digits: nn.data.Digits) -> tuple[np.ndarray, np.ndarray]:
        labels = digits.labels
        return digits.images, labels if recipe.cost is nn.cross_entropy else nn.data.one_hot(labels, 10)

    again = shlex.join(["python", "-m", "demos.digits", "--resume", "--out", str(folder)])
    callbacks = [nn.ProgressBar(console), nn.Checkpoint(path, hint=again, settings=asdict(settings))]
    sets = {"test": targets(test)}
    if settings.recipe not in CONVOLUTIONAL:
        sets = {"train": targets(examples), **sets}  # it costs little
    with threadpool_limits(None if settings.recipe in CONVOLUTIONAL else 1):  # which has products too small to share
        history = nn.fit(model, recipe.cost, targets(examples), sets, optimizer, schedule, settings.epochs, callbacks,
                         batch_size=settings.batch_size, rng=rng,
                         transform=functools.partial(nn.data.shift, pixels=recipe.shifts) if recipe.shifts else None,
                         metrics=[nn.metrics.accuracy], jit=settings.jit, resume=path if resume else None)
    if history.stopped:
        raise Interrupted
    return history


def finish(settings: Settings, model: nn.Module, history: nn.History, test: nn.data.Digits, folder: Path,
           console: Console) -> None:
    """The files of the output folder, and the table."""
    nn.save_parameters(model, folder / "model.safetensors")
    history.to_csv(folder / "history.csv")
    outputs, recipe = nn.predict(model, test.images), RECIPES[settings.recipe]
    pictures = digits_report.write_pictures(folder, history, model, test, outputs,
                                            probabilities=recipe.cost is nn.cross_entropy)
    title = f"{recipe.network} on {settings.data}, recipe {settings.recipe}, seed {settings.seed}"
    console.print(digits_report.results_table(title, model, outputs, test.labels, history.seconds))
    say(console, f"Written to {folder}: {', '.join(['model.safetensors', 'history.csv', *pictures])}")


def steps_of(settings: Settings, examples: nn.data.Digits) -> int:
    """The steps of an epoch."""
    return -(-len(examples.images) // settings.batch_size)


def settings_of(args: argparse.Namespace, data: str) -> Settings:
    model = args.model or "plain"
    name = (args.recipe or "relu") if model == "plain" else model
    recipe = RECIPES[name]
    return Settings(model, name, data, args.epochs or recipe.epochs, args.batch_size or recipe.batch_size,
                    args.lr or recipe.lr, args.seed or 0, args.jit is not False)


def folder_of(settings: Settings) -> Path:
    """A folder for each choice of settings, so that no run overwrites another: ``output/digits-relu-seed1``."""
    recipe = RECIPES[settings.recipe]
    usual = Settings(settings.model, settings.recipe, "mnist", recipe.epochs, recipe.batch_size, recipe.lr, 0, True)
    parts = ["nojit" if k == "jit" else v if k == "data" else f"{k}{v}"
             for k, v in asdict(settings).items() if v != getattr(usual, k)]
    return Path("output") / "-".join(["digits", settings.recipe, *parts])


def start(args: argparse.Namespace, console: Console) -> None:
    """Do what the command line asks for."""
    if args.resume and args.out and (args.out / CHECKPOINT).is_file():
        args.data = args.data or saved_settings(args.out / CHECKPOINT, Settings).data
    data, examples, test = load_data(args.data or "auto", console)
    settings = settings_of(args, data)
    folder = args.out or folder_of(settings)
    settings = begun(args, settings, folder, [CHECKPOINT])
    recipe, rng = RECIPES[settings.recipe], np.random.default_rng(settings.seed)
    model = recipe.build(rng)
    if args.resume:
        say(console, f"Going on after epoch {epochs_done(folder / CHECKPOINT)} of {settings.epochs}.")
    say(console, f"Training {recipe.network} on {settings.data}, recipe {settings.recipe}: {settings.epochs} epochs of "
                 f"{steps_of(settings, examples)} steps, batch {settings.batch_size}, lr {settings.lr:g}, seed "
                 f"{settings.seed}.")
    say(console, f"Each step runs as a program, by {jit(len).backend} (see autograd.jit; --no-jit turns it off)."
        if settings.jit else "Each step runs as it is written, without jit.")
    try:
        history = train(settings, model, examples, test, folder, rng, args.resume, console)
    except FloatingPointError as error:
        raise DemoError(f"{error}\nWhat was learned up to epoch {epochs_done(folder / CHECKPOINT)} is in "
                        f"{folder / CHECKPOINT}.") from error
    except (ValueError, KeyError) as error:
        raise DemoError(f"--resume: {error}") if args.resume else error from None
    except OSError as error:
        raise DemoError(f"--out: cannot write to {folder}: {error}") from error
    finish(settings, model, history, test, folder, console)


def main(argv: Sequence[str] | None = None) -> int:
    options = runs.parser("digits", __doc__ or "", ("mnist", "strokes"), "the recipe's")
    options.add_argument("--model", choices=["plain", *CONVOLUTIONAL], help="which network (default: plain)")
    options.add_argument("--recipe", choices=[name for name in RECIPES if name not in CONVOLUTIONAL],
                         help="how to train the plain network (default: relu)")
    options.add_argument("--batch-size", type=positive(int), help="images per step (default: the recipe's)")
    options.add_argument("--lr", type=positive(float), help="learning rate (default: the recipe's)")
    args = options.parse_args(argv)
    if args.model in CONVOLUTIONAL and args.recipe:
        options.error(f"--recipe is for the plain network; --model {args.model} has its own")
    return runs.main(options, argv, start)


if __name__ == "__main__":
    sys.exit(main())
