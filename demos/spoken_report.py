"""What the demo of spoken digits shows: spectrograms, confusions, what the gates did, and the table of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

import nn
from autograd.functions import softmax
from nn.files import written

from . import speech
from .digits_report import confusion

__all__ = ["gates", "results_table", "write_pictures"]


def write_pictures(folder: Path, history: nn.History, model: Any, test: Any, logits: np.ndarray,
                   kind: str) -> list[str]:
    """Write spectrograms.png, confusion.png, gates.png and curves.png, and return these names."""
    answers = logits.argmax(axis=1)
    sevens = np.flatnonzero((test.labels == 7) & (answers == 7))
    shown = sevens[np.argsort(test.lengths[sevens])[len(sevens) // 2]] if len(sevens) else 0
    figures = {
        "spectrograms.png": spectrograms(test, kind),
        "confusion.png": confusion(test.labels, answers),
        "gates.png": gates(model, test.frames[shown, : test.lengths[shown]], f"a {kind} {test.labels[shown]}", kind),
        "curves.png": history.plot(),
    }
    for name, figure in figures.items():
        save(figure, folder / name)
    return list(figures)


def save(figure: Figure, path: Path) -> None:
    with written(path) as file:
        figure.savefig(file, dpi=120, format="png")


def spectrograms(test: Any, kind: str) -> Figure:
    """One test example of each digit, as the network gets it."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    figure.suptitle("What the network hears: loudness by band, light is loud" if kind == "spoken" else
                    "What the network reads, row by row from the left: ink is light")
    low, high = np.percentile(test.frames, [2, 99.8])
    step = speech.STEP if kind == "spoken" else 1
    grid = figure.subplots(2, 5, sharex=True, sharey=True)
    places = [np.flatnonzero(test.labels == digit) for digit in range(10)]
    for axes, i in zip(grid.flat, [own[len(own) * d // 10] for d, own in enumerate(places) if len(own)], strict=False):
        length = test.lengths[i]
        axes.imshow(test.frames[i, :length].T, origin="lower", aspect="auto", cmap="magma", vmin=low, vmax=high,
                    extent=(0, step * length, -0.5, test.frames.shape[2] - 0.5))
        axes.set(xlim=(0, step * test.lengths.max()), title=f"{test.labels[i]} {test.speakers[i]}")
    for axes in grid[1]:
        axes.set_xlabel("time in s" if kind == "spoken" else "row")
    for axes in grid[:, 0]:
        frequencies(axes, kind)
    return figure


def frequencies(axes: Any, kind: str) -> None:
    """Mark the bands with their frequencies."""
    if kind != "spoken":
        axes.set_ylabel("pixel")
        return
    top, bottom = (2595 * np.log10(1 + f / 700) for f in (4000, 60))
    kilohertz = np.array([0.25, 0.5, 1, 2, 3])
    mel = 2595 * np.log10(1 + 1000 * kilohertz / 700)
    axes.set_yticks((mel - bottom) / (top - bottom) * (speech.BANDS + 1) - 1, [f"{f:g}" for f in kilohertz])
    axes.set_ylabel("frequency in kHz")


def gates(model: Any, frames: np.ndarray, title: str, kind: str) -> Figure:
    """What each unit of the LSTM did over one word, (frames, bands), and what the answer would have been so far."""
    inside = model.lstm.inside((frames - model.mean) / model.scale)[0]
    i, f, o, c, h = (inside[name].data for name in "ifoch")
    so_far = np.cumsum(h, axis=0) / np.arange(1, len(h) + 1)[:, None]
    chances = softmax(so_far @ model.output.weight.data.T + model.output.bias.data)
    order = np.argsort(np.abs(c).argmax(axis=0), kind="stable")  # units by when their cells are fullest
    end = len(frames) * (speech.STEP if kind == "spoken" else 1)
    figure = Figure(figsize=(9, 11), layout="constrained")
    figure.suptitle(f"What the gates did over {title}; units in the order in which their cells fill")
    rows = figure.subplots(6, 1, sharex=True, height_ratios=(1.2, 1, 1, 1, 1, 1))
    fullest = np.abs(c).max()
    panels = [("spectrogram" if kind == "spoken" else "image", frames, "magma", None, None),
              ("input gate", i[:, order], "viridis", 0, 1), ("forget gate", f[:, order], "viridis", 0, 1),
              ("cell", c[:, order], "RdBu", -fullest, fullest), ("output gate", o[:, order], "viridis", 0, 1),
              ("answer so far", chances, "Greys", 0, 1)]
    for axes, (name, values, colours, low, high) in zip(rows, panels, strict=True):
        image = axes.imshow(values.T, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high,
                            extent=(0, end, -0.5, values.shape[1] - 0.5), interpolation="nearest")
        axes.set_title(name, fontsize=10)
        axes.set_ylabel("unit")
        figure.colorbar(image, ax=axes, aspect=8)
    frequencies(rows[0], kind)
    rows[-1].set(ylabel="digit", yticks=range(0, 10, 3), xlabel="time in s" if kind == "spoken" else "row")
    return figure


def results_table(settings: Any, model: nn.Module, logits: np.ndarray, labels: np.ndarray, strangers: dict[str, float],
                  seconds: float) -> Table:
    """Test accuracy in all and by digit, accuracy on speakers left out, time and number of parameters."""
    right = logits.argmax(axis=1) == labels
    table = Table(title=f"LSTM of {model.lstm.hidden_size} units on {settings.kind} digits, seed {settings.seed}")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("test accuracy", f"{right.mean():.2%}  ({right.sum():,} of {len(labels):,})", style="bold")
    for digit in np.unique(labels):
        mine = right[labels == digit]
        table.add_row(f"  digit {digit}", f"{mine.mean():.1%}  ({mine.sum():,} of {len(mine):,})")
    if strangers:
        table.add_row("accuracy on a speaker left out", f"{np.mean(list(strangers.values())):.2%}", style="bold")
        for name, accuracy in strangers.items():
            table.add_row(f"  {name}", f"{accuracy:.1%}")
    table.add_row("training time", f"{seconds:.1f} s")
    table.add_row("parameters", f"{sum(p.size for p in model.parameters()):,}")
    return table
