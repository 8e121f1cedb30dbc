"""Strings of spoken digits, understood without being told when each digit was said: an LSTM trained by `nn.ctc_loss`.

``python -m demos.spoken_strings`` joins recordings of the Free Spoken Digit Dataset, three to seven with random pauses,
into strings: those of the training takes to train on, those of the test takes to test with. Where the data set cannot
be had, digits drawn by strokes are joined side by side and read column by column.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nn
from autograd.functions import log_softmax

try:
    from matplotlib.figure import Figure
    from rich.console import Console
    from rich.table import Table
    from threadpoolctl import threadpool_limits

    from . import speech, spoken_report
    from .runs import Settings, begun, folder_of, main, parser, saved_settings, say, trained
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")

NAME = "spoken_strings"
EPOCHS, BATCH, LR = 25, 40, 0.005
STRINGS, TEST_STRINGS = 2000, 500  # the first are joined anew for each epoch
LEAST, MOST = 3, 7  # digits
HIDDEN = 96
FRAMES = 320  # 5.1 s
TOGETHER = 2  # frames that the LSTM takes at a time: 32 ms are enough to tell sounds apart
CHECKPOINT = "checkpoint.safetensors"
BLANK = 10


class Speller(nn.Module):
    """An LSTM in both directions over pairs of frames, and the logarithms of what is said at each moment.

    Shapes: a pair of frames (n, steps, bands) and lengths (n,) gives (n, steps / 2, 11): ten digits and the blank.
    """

    _buffers = ("mean", "scale")

    def __init__(self, mean: np.ndarray, scale: np.ndarray, rng: np.random.Generator) -> None:
        self.mean, self.scale = mean, scale
        self.lstm = nn.LSTM(TOGETHER * len(mean), HIDDEN, batch_first=True, bidirectional=True, rng=rng)
        self.dropout = nn.Dropout(0.2, rng=rng)
        self.output = nn.Linear(2 * HIDDEN, 11, rng=rng)

    def __call__(self, x: tuple[Any, Any]) -> Any:
        frames, lengths = x
        n, steps, bands = frames.shape
        pairs = np.reshape((frames - self.mean) / self.scale, (n, steps // TOGETHER, TOGETHER * bands))
        said, _ = self.lstm(pairs, lengths=lengths // TOGETHER)
        return log_softmax(self.output(self.dropout(said)), axis=2)


def ctc_cost(log_probs: Any, targets: tuple[Any, Any, Any]) -> Any:
    """`nn.ctc_loss` of strings (n, MOST), for so many frames, of so many digits."""
    strings, lengths, digits = targets
    return nn.ctc_loss(np.swapaxes(log_probs, 0, 1), strings, lengths // TOGETHER, digits, blank=BLANK)


# ---- Strings ---------------------------------------------------------------------------------------------


@dataclass
class Strings:
    """Joined digits: spectrograms, each (frames, bands), and the digits that they hold."""

    spectrograms: list[np.ndarray]
    digits: list[np.ndarray]

    def batch(self, rows: Any, frames: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """Padded spectrograms with their lengths; the digits (n, MOST), and how many there are of them (n,)."""
        strings = np.zeros((len(rows), MOST), int)
        for row, i in zip(strings, rows, strict=True):
            row[: len(self.digits[i])] = self.digits[i]
        x = speech.padded([self.spectrograms[i] for i in rows], frames)
        return x, strings, np.array([len(self.digits[i]) for i in rows])


@dataclass
class Sayings:
    """Single digits to be joined: sounds, or columns of images (columns, 28), with ``labels`` and ``speakers``."""

    parts: list[np.ndarray]
    labels: np.ndarray
    speakers: np.ndarray
    join: Callable[[list[np.ndarray], np.random.Generator], np.ndarray]

    def strings(self, n: int, rng: np.random.Generator) -> Strings:
        """``n`` strings, each of digits by one speaker; those too long to be trained on are drawn anew."""
        by_speaker = [np.flatnonzero(self.speakers == name) for name in np.unique(self.speakers)]
        found = Strings([], [])
        while len(found.digits) < n:
            rows = rng.choice(by_speaker[rng.integers(len(by_speaker))], rng.integers(LEAST, MOST + 1))
            joined = self.join([self.parts[i] for i in rows], rng)
            if len(joined) <= FRAMES:
                found.spectrograms.append(joined)
                found.digits.append(self.labels[rows])
        return found


def joined_sounds(parts: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Sounds with up to 0.3 s between them, some softer, some louder, over a faint noise; as a spectrogram."""
    pieces = [np.zeros(rng.integers(800), np.float32)]
    for part in parts:
        pieces += [part * np.float32(np.exp(rng.normal(0, 0.3))), np.zeros(rng.integers(2400), np.float32)]
    sound = np.concatenate(pieces)
    sound += np.float32(0.001) * rng.standard_normal(len(sound), np.float32)
    return speech.heard(sound, 8000)


def joined_images(parts: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Images side by side, with up to 5 empty columns between them."""
    pieces = [np.zeros((rng.integers(6), 28), np.float32) for _ in range(len(parts) + 1)]
    return np.concatenate([piece for pair in zip(pieces, [*parts, pieces[0][:0]], strict=True) for piece in pair])


def load_sayings(data: str, console: Console) -> tuple[str, Sayings, Sayings]:
    """The name of the data taken, the digits to train on and those to test with."""
    recordings = speech.recordings_or_none(data, console, "training on drawn ones instead, column by column of pixels.")
    if recordings:
        train, test = (Sayings([speech.loudness_of_one(w, part.rate) for w in part.waveforms], part.labels,
                               part.speakers, joined_sounds) for part in recordings)
        return "spoken", train, test
    drawn = (nn.data.strokes(n, rng) for n, rng in ((3000, 1), (500, 2)))
    train, test = (Sayings([image.reshape(28, 28).T[3:25, ::-1] for image in images], labels, np.full(len(labels), ""),
                           joined_images) for images, labels in drawn)
    return "strokes", train, test


# ---- Training --------------------------------------------------------------------------------------------


def epochs_of(sayings: Sayings, mean: np.ndarray) -> Callable[[np.random.Generator], Any]:
    """What yields the mini-batches of an epoch: new strings, those of like length together, and varied."""
    def epoch(rng: np.random.Generator) -> Any:
        strings = sayings.strings(STRINGS, rng)
        lengths = np.array([len(s) for s in strings.spectrograms])
        batches = np.argsort(lengths, kind="stable").reshape(-1, BATCH)
        for rows in rng.permutation(batches):
            room = min(FRAMES, 64 * -(-int(1.1 * lengths[rows].max()) // 64))  # few shapes: jit makes a program of each
            x, digits, counts = strings.batch(rows, room)
            frames, lengths_now = speech.varied(x, rng, mean, times=4)
            yield (frames, lengths_now), (digits, lengths_now, counts)
    return epoch


def understood(model: nn.Module, strings: Strings) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """What the model says at each moment (n, moments, 11), how many of them count, and the digits it takes that for."""
    (frames, lengths), _, _ = strings.batch(range(len(strings.digits)), FRAMES)
    log_probs = nn.predict(model, (frames, lengths), size=100)
    moments = lengths // TOGETHER
    return log_probs, moments, nn.ctc_greedy_decode(np.swapaxes(log_probs, 0, 1), moments, blank=BLANK)


def edit_distance(a: Sequence[int], b: Sequence[int]) -> int:
    """How many digits must be changed, put in or left out to make one string the other (Levenshtein, 1966).

    >>> edit_distance([1, 2, 3], [1, 3, 3, 4])
    2
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def error_rate(strings: Strings, answers: list[list[int]]) -> float:
    """Edit distance over digits: how many mistakes there are for each digit that was said."""
    mistakes = sum(edit_distance(a, b) for a, b in zip(answers, strings.digits, strict=True))
    return mistakes / sum(len(digits) for digits in strings.digits)


class Listening(nn.Callback):
    """After each epoch, the error rate on the test strings."""

    def __init__(self, strings: Strings) -> None:
        self.strings = strings

    def on_train_begin(self, run: nn.Training) -> None:
        run.steps = STRINGS // BATCH  # so that the progress bar knows where the epoch ends

    def columns(self, run: nn.Training) -> dict[str, float]:
        return {"digit_error_rate": error_rate(self.strings, understood(run.model, self.strings)[2])}


def start(args: argparse.Namespace, console: Console) -> None:
    """Do what the command line asks for."""
    if args.resume and args.out and (args.out / CHECKPOINT).is_file():
        args.data = args.data or saved_settings(args.out / CHECKPOINT).data
    data, sayings, test_sayings = load_sayings(args.data or "auto", console)
    settings = Settings(data, args.epochs or EPOCHS, args.seed or 0, args.jit is not False)
    folder = args.out or folder_of(NAME, settings, EPOCHS)
    settings = begun(args, settings, folder, [CHECKPOINT])
    test = test_sayings.strings(TEST_STRINGS, np.random.default_rng(1))
    some = sayings.strings(200, np.random.default_rng(2))
    model = Speller(*speech.statistics(*some.batch(range(200), FRAMES)[0]), np.random.default_rng(settings.seed))
    say(console, f"Training on {STRINGS:,} strings of {LEAST} to {MOST} {settings.kind} digits, joined anew in each of "
                 f"{settings.epochs} epochs, seed {settings.seed}.")
    with threadpool_limits(1):  # the products are too small to share between threads
        history = trained(model, ctc_cost, epochs_of(sayings, model.mean), None, folder / CHECKPOINT, settings,
                          console, NAME, lr=LR, steps=STRINGS // BATCH, callbacks=[Listening(test)])
        log_probs, moments, answers = understood(model, test)
    nn.save_parameters(model, folder / "model.safetensors")
    spoken_report.save(history.plot(), folder / "curves.png")
    shown = next((i for i, digits in enumerate(test.digits) if len(digits) == 5), 0)
    spoken_report.save(moment_by_moment(test, shown, log_probs[shown, : moments[shown]], answers[shown], settings.kind),
                       folder / "moments.png")
    console.print(results_table(settings, model, test, answers, history.seconds))
    say(console, f"Written to {folder}: model.safetensors, curves.png, moments.png")


# ---- What is shown ---------------------------------------------------------------------------------------


def results_table(settings: Settings, model: nn.Module, test: Strings, answers: list[list[int]],
                  seconds: float) -> Table:
    """Error rate, some strings with what they were taken for, time and number of parameters."""
    table = Table(title=f"Strings of {settings.kind} digits, seed {settings.seed}")
    table.add_column("said")
    table.add_column("understood")
    right = np.array([a == list(b) for a, b in zip(answers, test.digits, strict=True)])
    for i in [*range(6), *(6 + np.flatnonzero(~right[6:])[:4])]:
        answer = " ".join(map(str, answers[i]))
        table.add_row(" ".join(map(str, test.digits[i])), answer if right[i] else f"[red]{answer}[/red]")
    table.add_section()
    digits = sum(map(len, test.digits))
    table.add_row("digit error rate", f"{error_rate(test, answers):.2%} of {digits:,} digits", style="bold")
    table.add_row("strings without a mistake", f"{np.mean(right):.1%} of {len(right):,}")
    table.add_row("training time", f"{seconds:.1f} s")
    table.add_row("parameters", f"{sum(p.size for p in model.parameters()):,}")
    return table


def moment_by_moment(test: Strings, shown: int, log_probs: np.ndarray, answer: list[int], kind: str) -> Figure:
    """A string as the network gets it, and how likely it takes each digit, and the blank, to be said at each moment."""
    frames = test.spectrograms[shown]
    end = len(frames) * (speech.STEP if kind == "spoken" else 1)
    figure = Figure(figsize=(11, 6), layout="constrained")
    said, taken = (" ".join(map(str, digits)) for digits in (test.digits[shown], answer))
    figure.suptitle(f"Said: {said}. Understood: {taken or 'nothing'}.")
    above, below = figure.subplots(2, 1, sharex=True)
    above.imshow(frames.T, origin="lower", aspect="auto", cmap="magma", extent=(0, end, -0.5, frames.shape[1] - 0.5))
    spoken_report.frequencies(above, kind)
    image = below.imshow(np.exp(log_probs).T, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest",
                         extent=(0, end, 10.5, -0.5))
    below.set(yticks=range(11), yticklabels=[*map(str, range(10)), "blank"], ylabel="label",
              xlabel="time in s" if kind == "spoken" else "column")
    figure.colorbar(image, ax=below, label="probability", aspect=12)
    return figure


def run(argv: Sequence[str] | None = None) -> int:
    return main(parser(NAME, __doc__ or "", ("spoken", "strokes"), EPOCHS), argv, start)


if __name__ == "__main__":
    sys.exit(run())
