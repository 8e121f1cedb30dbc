"""An LSTM that understands spoken digits: trained on spectrograms, tested on new takes and on strangers.

``python -m demos.spoken_digits`` takes the Free Spoken Digit Dataset where it is at hand or can be downloaded, else
digits drawn by strokes, which are read row by row. ``--record FILE.wav`` then says which digit a recording of yours is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd.functions import log_softmax, softmax

try:
    from rich.console import Console
    from threadpoolctl import threadpool_limits

    from . import speech, spoken_report
    from .runs import DemoError, Settings, begun, folder_of, main, parser, saved_settings, say, trained
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")

NAME = "spoken_digits"
EPOCHS, BATCH, LR = 20, 50, 0.005  # 50 divides 2,700 and 2,500: every step has one shape, and jit makes one program
HIDDEN = 128
FRAMES = 48  # 0.8 s: one word in two hundred is longer, and is cut off
CHECKPOINT = "checkpoint.safetensors"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Listener(nn.Module):
    """An LSTM over the frames of a word, and a linear layer that reads the mean of what it says.

    Shapes: a pair of frames (n, steps, bands) and lengths (n,) gives logits (n, 10).
    """

    _buffers = ("mean", "scale")

    def __init__(self, mean: np.ndarray, scale: np.ndarray, rng: np.random.Generator) -> None:
        self.mean, self.scale = mean, scale  # of each band, in the training set
        self.lstm = nn.LSTM(len(mean), HIDDEN, batch_first=True, rng=rng)
        self.dropout = nn.Dropout(0.3, rng=rng)
        self.output = nn.Linear(HIDDEN, 10, rng=rng)

    def __call__(self, x: tuple[Any, Any]) -> Any:
        frames, lengths = x
        said, _ = self.lstm((frames - self.mean) / self.scale, lengths=lengths)  # 0 behind the end
        mean = np.sum(said, axis=1) / np.expand_dims(lengths, 1).astype(frames.dtype)
        return self.output(self.dropout(mean))


@dataclass
class Words:
    """Sequences and what they say: frames (n, steps, bands), lengths (n,), labels (n,), and speakers' names (n,)."""

    frames: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    speakers: np.ndarray

    def __getitem__(self, rows: Any) -> Words:
        return Words(self.frames[rows], self.lengths[rows], self.labels[rows], self.speakers[rows])

    @property
    def x(self) -> tuple[np.ndarray, np.ndarray]:
        return self.frames, self.lengths


def smoothed_cost(logits: Any, labels: Any) -> Any:
    """Cross-entropy with a tenth of the probability spread over all digits, so that no answer has to be certain."""
    return 0.9 * nn.cross_entropy(logits, labels) - 0.1 * np.mean(log_softmax(logits))


def load_words(data: str, console: Console) -> tuple[str, Words, np.ndarray]:
    """The name of the data taken, all words, and which of them are the test set."""
    parts = speech.recordings_or_none(data, console, "training on drawn ones instead, row by row of their pixels.")
    if parts:
        heard = [speech.heard(speech.loudness_of_one(waveform, part.rate), part.rate)
                 for part in parts for waveform in part.waveforms]
        about = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "speakers"))
        words = Words(*speech.padded(heard, FRAMES), *about)
        return "spoken", words, np.repeat([False, True], [len(part) for part in parts])
    images, labels = nn.data.strokes(3000, rng=1)
    words = Words(images.reshape(-1, 28, 28), np.full(len(images), 28), labels, np.full(len(images), ""))
    return "strokes", words, np.arange(len(images)) >= 0.9 * len(images)


def listener(words: Words, seed: int) -> Listener:
    """An untrained one, which knows the mean and the scale of these words' bands."""
    return Listener(*speech.statistics(*words.x), np.random.default_rng(seed))


def train(settings: Settings, train_words: Words, test_words: Words, path: Path,
          console: Console) -> tuple[Listener, nn.History]:
    model = listener(train_words, settings.seed)
    colour = 1.0 if settings.data == "spoken" else 0.0  # ink has none
    history = trained(model, smoothed_cost, (train_words.x, train_words.labels), (test_words.x, test_words.labels),
                      path, settings, console, NAME, lr=LR, steps=-(-len(train_words.labels) // BATCH),
                      batch_size=BATCH, metrics=[nn.metrics.accuracy],
                      transform=lambda x, rng: speech.varied(x, rng, model.mean, colour=colour))
    return model, history


def start(args: argparse.Namespace, console: Console) -> None:
    """Do what the command line asks for."""
    if args.record:
        record(args, console)
        return
    if args.resume and args.out and (args.out / CHECKPOINT).is_file():
        args.data = args.data or saved_settings(args.out / CHECKPOINT).data
    data, words, is_test = load_words(args.data or "auto", console)
    settings = Settings(data, args.epochs or EPOCHS, args.seed or 0, args.jit is not False)
    folder = args.out or folder_of(NAME, settings, EPOCHS)
    strangers = [str(name) for name in np.unique(words.speakers) if name]
    paths = {name: folder / f"without-{name}.safetensors" for name in strangers}
    settings = begun(args, settings, folder, [CHECKPOINT, *(path.name for path in paths.values())])
    with threadpool_limits(1):  # the products are too small to share between threads
        test = words[is_test]
        say(console, f"Training on {np.sum(~is_test):,} {settings.kind} digits, {settings.epochs} epochs, "
                     f"seed {settings.seed}.")
        model, history = train(settings, words[~is_test], test, folder / CHECKPOINT, console)
        nn.save_parameters(model, folder / "model.safetensors")
        logits = nn.predict(model, test.x)
        pictures = spoken_report.write_pictures(folder, history, model, test, logits, settings.kind)
        accuracies = {}
        for name, path in paths.items():
            say(console, f"Training without {name}, who then is a stranger.")
            away = words.speakers == name
            _, past = train(settings, words[~away], words[away], path, console)
            accuracies[name] = past[-1]["val_accuracy"]
            history.seconds += past.seconds
    console.print(spoken_report.results_table(settings, model, logits, test.labels, accuracies, history.seconds))
    say(console, f"Written to {folder}: {', '.join(['model.safetensors', *pictures])}")
    if data == "spoken":
        say(console, f"Now record a digit, and: python -m demos.{NAME} --record FILE.wav --out {folder}")


# ---- A recording of the user's own -----------------------------------------------------------------------


def record(args: argparse.Namespace, console: Console) -> None:
    """Say which digit the file holds, by the network that was trained before."""
    path = args.record
    usual = Settings("spoken", args.epochs or EPOCHS, args.seed or 0, args.jit is not False)
    folder = args.out or folder_of(NAME, usual, EPOCHS)
    checkpoint = folder / CHECKPOINT
    how = f"train it by: python -m demos.{NAME}" + (f" --out {folder}" if args.out else "")
    if not checkpoint.is_file():
        raise DemoError(f"--record: there is no trained network in {folder}; {how}")
    if saved_settings(checkpoint).data != "spoken":
        raise DemoError(f"--record: the network in {folder} was trained on drawn digits and has never heard one; "
                        f"{how}, in another folder, where the spoken digits are at hand")
    if not nn.checkpoints.read_progress(checkpoint)["history"]:
        raise DemoError(f"--record: the network in {folder} has not been trained yet; {how} --resume")
    sound, rate = word_in(path)
    frames, lengths = speech.padded([speech.heard(sound, rate)], frames=len(sound))
    model = Listener(*np.ones((2, speech.BANDS), np.float32), np.random.default_rng(0))
    nn.load_parameters(model, checkpoint)
    certainty = softmax(nn.predict(model, (frames, lengths)))[0]
    best = np.argsort(-certainty)
    say(console, f"{path}: {WORDS[best[0]]} ({certainty[best[0]]:.1%}), "
                 f"or {' or '.join(f'{WORDS[i]} ({certainty[i]:.1%})' for i in best[1:3])}")


def word_in(path: Path) -> tuple[np.ndarray, int]:
    """The sound in a file and its rate, if it can be a spoken digit."""
    wanted = "wanted one spoken digit"
    try:
        rate, waveform = nn.data.read_wav(path, rate=8000)
        if np.abs(waveform).max() < 0.001:
            raise ValueError(f"{path}: it is silent, no sample is beyond {np.abs(waveform).max():g}; {wanted}")
        sound = speech.loudness_of_one(waveform, rate, decibels=30)  # rooms are noisier than the data set
    except FileNotFoundError as error:
        raise DemoError(f"--record: there is no file {path}") from error
    except (ValueError, ModuleNotFoundError) as error:
        raise DemoError(f"--record: {str(error).removeprefix('read_wav: ')}") from error
    seconds = len(sound) / rate
    if not 0.1 <= seconds <= 2.5:
        raise DemoError(f"--record: {path}: it has {seconds:.2f} s of sound, without silence at its ends; {wanted}, of "
                        "0.1 to 2.5 s")
    return sound, rate


def options() -> argparse.ArgumentParser:
    all_options = parser(NAME, __doc__ or "", ("spoken", "strokes"), EPOCHS)
    all_options.add_argument("--record", type=Path, metavar="FILE.wav",
                             help="say which digit this recording is, 8,000 samples a second and one channel")
    return all_options


def run(argv: Sequence[str] | None = None) -> int:
    return main(options(), argv, start)


if __name__ == "__main__":
    sys.exit(run())
