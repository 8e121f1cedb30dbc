"""A demo's run in a folder: begun, interrupted, gone on with by ``--resume``, and nothing that is there is lost."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console

import nn

__all__ = ["DemoError", "Interrupted", "Settings", "begun", "epochs_done", "folder_of", "main", "parser", "positive",
           "saved_settings", "say", "trained"]

S = TypeVar("S")


class DemoError(Exception):
    """Something the user can mend; its text says how."""


class Interrupted(DemoError):
    """Ctrl-C, with how to go on where that was not said yet."""


def say(console: Console, text: str) -> None:
    """One line as it is: no markup, no colours, no wrapping."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Settings:
    """All that the result depends on."""

    data: str
    epochs: int
    seed: int
    jit: bool

    @property
    def kind(self) -> str:
        """Of the digits: spoken, or drawn."""
        return "drawn" if self.data == "strokes" else self.data


def positive(kind: type) -> Callable[[str], Any]:
    """What reads a number above 0 from the command line."""
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


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text!r}")
    return int(text)


def parser(name: str, about: str, data: Sequence[str], epochs: int | str) -> argparse.ArgumentParser:
    """The options that every training has."""
    options = argparse.ArgumentParser(prog=f"python -m demos.{name}", description=about,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", choices=[*data, "auto"],
                         help=f"what to train on; auto takes {data[0]} where it can be had, else {data[1]} (default)")
    options.add_argument("--epochs", type=positive(int), help=f"passes over the training set (default: {epochs})")
    options.add_argument("--seed", type=_seed,
                         help="of initial weights, order and changes of the examples (default: 0)")
    options.add_argument("--no-jit", dest="jit", action="store_false", default=None,
                         help="run each step as it is written, not as the program that jit makes of it")
    options.add_argument("--out", type=Path, help=f"output folder (default: output/{name}...)")
    options.add_argument("--resume", action="store_true", help="go on with the interrupted run in the output folder")
    return options


def main(options: argparse.ArgumentParser, argv: Sequence[str] | None,
         start: Callable[[argparse.Namespace, Console], None]) -> int:
    """Do what the command line asks for; what the user can mend is said in a line, and is 1, or 130 after Ctrl-C."""
    try:
        start(options.parse_args(argv), Console())
    except Interrupted as stop:
        if str(stop):
            print(stop, file=sys.stderr)
        return 130
    except (DemoError, FloatingPointError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot read or write: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def folder_of(name: str, settings: Settings, epochs: int) -> Path:
    """A folder for each choice of settings, so that no run overwrites another: ``output/spoken_digits-seed1``."""
    parts = {"strokes": settings.data == "strokes", f"epochs{settings.epochs}": settings.epochs != epochs,
             f"seed{settings.seed}": settings.seed != 0, "nojit": not settings.jit}
    return Path("output") / "-".join([name, *(part for part, unusual in parts.items() if unusual)])


def saved_settings(path: Path, kind: Callable[..., S] = Settings) -> S:
    """The settings of the run that wrote a checkpoint."""
    try:
        return kind(**nn.checkpoints.read_progress(path)["settings"])
    except (ValueError, KeyError, TypeError) as error:
        raise DemoError(f"{path} is not a checkpoint of this demo: {error}") from error


def begun(args: argparse.Namespace, settings: S, folder: Path, parts: Sequence[str]) -> S:
    """The settings of the run to do in the folder, whose trainings write the checkpoints ``parts`` one after the other.

    With ``--resume`` they are those of the run that is there, which options must not contradict. Without, a finished
    run of the same settings is done anew; any other one is left alone.
    """
    first, kind = folder / parts[0], type(settings)
    if args.resume:
        if not first.is_file():
            raise DemoError(f"--resume: there is no run to go on with in {folder}: {first} does not exist")
        saved = saved_settings(first, kind)
        for name, value in vars(saved).items():
            given = getattr(args, name)
            if given not in (None, "auto", value):
                option = "--no-jit" if name == "jit" else f"--{name.replace('_', '-')} {value}, not {given}"
                raise DemoError(f"--resume: the run in {folder} has {'no ' * (name == 'jit')}{option}")
        return saved
    if first.is_file():
        if saved_settings(first, kind) != settings:
            raise DemoError(f"--out: {folder} holds a run with other settings; choose another folder, or go on with "
                            "that run by --resume")
        done = [epochs_done(folder / part) for part in parts]
        if 0 < sum(done) < settings.epochs * len(parts):
            raise DemoError(f"--out: {folder} holds this run unfinished; go on with it by --resume, or choose another "
                            "folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in parts:
            (folder / part).unlink(missing_ok=True)
    except OSError as error:
        raise DemoError(f"--out: cannot write to {folder}: {error}") from error
    return settings


def epochs_done(path: Path) -> int:
    """How many epochs the checkpoint at ``path`` has behind it; 0 where there is none."""
    return len(nn.checkpoints.read_progress(path)["history"]) if path.is_file() else 0


def trained(model: nn.Module, cost: Callable[[Any, Any], Any], train: Any, test: Any, path: Path, settings: Settings,
            console: Console, name: str, *, lr: float, steps: int, callbacks: Sequence[nn.Callback] = (),
            **options: Any) -> nn.History:
    """Train the model by AdamW along a one-cycle schedule, or go on where the checkpoint at ``path`` ends.

    ``train``, ``test`` and ``options`` are as in ``nn.fit``; an epoch has so many ``steps``. Raises ``Interrupted``
    after Ctrl-C, when it was said how to go on.
    """
    optimizer = nn.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    again = shlex.join(["python", "-m", f"demos.{name}", "--resume", "--out", str(path.parent)])
    schedule = nn.OneCycle(optimizer, lr, settings.epochs * steps)
    shown = [*callbacks, nn.ProgressBar(console), nn.Checkpoint(path, hint=again, settings=asdict(settings))]
    history = nn.fit(model, cost, train, test, optimizer, schedule, settings.epochs, shown,
                     rng=np.random.default_rng(settings.seed), clip_norm=5.0, jit=settings.jit,
                     resume=path if path.is_file() else None, **options)
    if history.stopped:
        raise Interrupted("")
    return history
