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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import jit

try:
    from rich.console import Console
    from threadpoolctl import threadpool_limits

    from . import digits_report
    from .digits_networks import CONVOLUTIONAL, RECIPES
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")

CHECKPOINT = "checkpoint.safetensors"


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
    """Ctrl-C, with how to go on where that was not said yet."""


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


def say(console: Console, text: str) -> None:
    """One line as it is: no markup, no colours, no wrapping."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


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
            option = "--model" if {given, getattr(saved, name)} & set(CONVOLUTIONAL) else "--" + name.replace("_", "-")
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


def prepare(args: argparse.Namespace, console: Console) -> tuple[Settings, nn.data.Digits, nn.data.Digits, Path]:
    """The settings of the run that the command line asks for, its training and test set, and its folder."""
    folder = Path(args.out) if args.out else None
    saved = resumed(folder, args) if args.resume and folder else None
    data, examples, test = load_data(saved.data if saved else args.data or "auto", console)
    args.recipe = args.recipe or "relu"
    settings = saved or settings_of(args, data)
    folder = folder or folder_of(settings)
    if args.resume:
        return saved or resumed(folder, args), examples, test, folder
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        if saved_settings(checkpoint) != settings:
            raise DemoError(f"--out: {folder} holds a run with other settings; choose another folder, or go on with "
                            "that run by --resume")
        done = epochs_in(checkpoint)
        if 0 < done < settings.epochs:
            raise DemoError(f"--out: {folder} holds this run at epoch {done} of {settings.epochs}; go on with it by "
                            "--resume, or choose another folder")
    return settings, examples, test, folder


def epochs_in(checkpoint: Path) -> int:
    return len(nn.checkpoints.read_progress(checkpoint)["history"])


def start(args: argparse.Namespace, console: Console) -> None:
    """Do what the command line asks for."""
    settings, examples, test, folder = prepare(args, console)
    recipe, rng = RECIPES[settings.recipe], np.random.default_rng(settings.seed)
    model = recipe.build(rng)
    if args.resume:
        say(console, f"Going on after epoch {epochs_in(folder / CHECKPOINT)} of {settings.epochs}.")
    say(console, f"Training {recipe.network} on {settings.data}, recipe {settings.recipe}: {settings.epochs} epochs of "
                 f"{steps_of(settings, examples)} steps, batch {settings.batch_size}, lr {settings.lr:g}, seed "
                 f"{settings.seed}.")
    say(console, f"Each step runs as a program, by {jit(len).backend} (see autograd.jit; --no-jit turns it off)."
        if settings.jit else "Each step runs as it is written, without jit.")
    try:
        history = train(settings, model, examples, test, folder, rng, args.resume, console)
    except FloatingPointError as error:
        raise DemoError(f"{error}\nWhat was learned up to epoch {epochs_in(folder / CHECKPOINT)} is in "
                        f"{folder / CHECKPOINT}.") from error
    except (ValueError, KeyError) as error:
        raise DemoError(f"--resume: {error}") if args.resume else error from None
    except OSError as error:
        raise DemoError(f"--out: cannot write to {folder}: {error}") from error
    finish(settings, model, history, test, folder, console)


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
    parser.add_argument("--model", choices=["plain", *CONVOLUTIONAL], help="which network (default: plain)")
    parser.add_argument("--recipe", choices=[name for name in RECIPES if name not in CONVOLUTIONAL],
                        help="how to train the plain network (default: relu)")
    parser.add_argument("--data", choices=["mnist", "strokes", "auto"],
                        help="what to train on; auto takes mnist if it can be had, else strokes (default: auto)")
    parser.add_argument("--epochs", type=positive(int), help="passes over the training set (default: the recipe's)")
    parser.add_argument("--batch-size", type=positive(int), help="images per step (default: the recipe's)")
    parser.add_argument("--lr", type=positive(float), help="learning rate (default: the recipe's)")
    parser.add_argument("--seed", type=seed, help="of initial weights, order and shifts (default: 0)")
    parser.add_argument("--no-jit", dest="jit", action="store_false", default=None,
                        help="run each step as it is written, not as the program that jit makes of it")
    parser.add_argument("--out", help="output folder (default: output/digits-RECIPE..., or -MODEL...)")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run in the output folder")
    args = parser.parse_args(argv)
    if args.model in CONVOLUTIONAL and args.recipe:
        parser.error(f"--recipe is for the plain network; --model {args.model} has its own")
    if args.model:
        args.recipe = args.model if args.model in CONVOLUTIONAL else args.recipe or "relu"
    console = Console()
    try:
        start(args, console)
    except (DemoError, OSError) as error:
        text = str(error) if isinstance(error, DemoError) else f"Cannot read or write: {error}"
        print(text, file=sys.stderr) if text else None
        return 130 if isinstance(error, Interrupted) else 1
    except KeyboardInterrupt:
        print("Interrupted before the training began.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
