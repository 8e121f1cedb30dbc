"""What the digits demo shows: pictures of the training and of the network, and the table of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

import nn
from autograd import no_grad
from autograd.functions import softmax
from nn.files import written

from .digits_networks import Convolutional

__all__ = ["results_table", "write_pictures"]


def write_pictures(folder: Path, history: nn.History, model: Any, test: nn.data.Digits,
                   outputs: np.ndarray, probabilities: bool) -> list[str]:
    """Write curves.png, weights.png (filters.png and maps.png), mistakes.png and confusion.png; returns the names.

    ``outputs`` are those for the test images; with ``probabilities`` they are logits, and become probabilities.
    """
    certainty = softmax(outputs) if probabilities else outputs
    figures = {
        "curves.png": history.plot(),
        **(convolutional(model, test) if isinstance(model, Convolutional)
           else {"weights.png": weights(model[0].weight.data)}),
        "mistakes.png": mistakes(test, certainty),
        "confusion.png": confusion(test.labels, certainty.argmax(axis=1)),
    }
    for name, figure in figures.items():
        with written(folder / name) as path:
            figure.savefig(path, dpi=120, format="png")
    return list(figures)


def weights(weight: np.ndarray) -> Figure:
    """What each neuron of the first layer looks for: its weights as an image, blue for positive, red for negative."""
    figure = Figure(figsize=(7, 7.4), layout="constrained")
    figure.suptitle("Weights of the first layer: ink in blue raises a neuron, ink in red lowers it")
    for neuron, (axes, row) in enumerate(zip(figure.subplots(4, 4).flat, weight, strict=True)):
        bound = np.abs(row).max()
        axes.imshow(row.reshape(28, 28), cmap="RdBu", vmin=-bound, vmax=bound)
        axes.set_title(f"neuron {neuron}", fontsize=9)
        axes.set_axis_off()
    return figure


def convolutional(model: Convolutional, test: nn.data.Digits) -> dict[str, Figure]:
    """What the network has learned to look for, and what it sees in a digit."""
    first, second = (stage[0].weight.data for stage in model.stages[:2])
    image = test.images[[int(np.argmax(test.labels == 4))]]
    with no_grad():
        maps = [m.data[0] for m in model.eval().maps(image)]
    return {
        "filters.png": sheets([
            (f"The {len(first)} filters of the first stage: ink in blue raises a map there, ink in red lowers it",
             first[:, 0], 8),
            (f"The filters of the second stage: a column for each of {len(second)} maps, a row for each that it sees",
             second.swapaxes(0, 1).reshape(-1, *second.shape[2:]), len(second)),
        ], "RdBu"),
        "maps.png": sheets([("A digit", image.reshape(1, 28, 28), 5), *(
            (f"{len(m)} maps of {m.shape[1]} by {m.shape[2]} after stage {i}", m, 8 * i) for i, m in enumerate(maps, 1)
        )], "magma"),
    }


def sheets(parts: list[tuple[str, np.ndarray, int]], colours: str) -> Figure:
    """Under each title its small pictures, in rows of so many; the colours of each sheet have their own scale."""
    grids = [mosaic(pictures, columns) for _, pictures, columns in parts]
    heights = [9 * grid.shape[0] / grid.shape[1] for grid in grids]
    figure = Figure(figsize=(9.2, sum(heights) + 0.5 * len(grids)), layout="constrained")
    rows = figure.subplots(len(grids), height_ratios=heights)
    for (title, pictures, _), grid, axes in zip(parts, grids, rows, strict=True):
        bound = np.abs(pictures).max()
        axes.imshow(grid, cmap=colours, vmin=-bound if pictures.min() < 0 else 0, vmax=bound)
        axes.set_title(title, fontsize=9, loc="left")
        axes.set_axis_off()
    return figure


def mosaic(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Pictures (n, height, width) as one, in rows of so many, with a line of nan between them."""
    n, height, width = pictures.shape
    framed = np.full((-(-n // columns) * columns, height + 1, width + 1), np.nan)
    framed[:n, :height, :width] = pictures
    rows = framed.reshape(-1, columns, height + 1, width + 1).transpose(0, 2, 1, 3)
    return rows.reshape(-1, columns * (width + 1))[:-1, :-1]


def mistakes(test: nn.data.Digits, certainty: np.ndarray) -> Figure:
    """The 20 wrong answers that the network is most certain of."""
    answers = certainty.argmax(axis=1)
    wrong = np.flatnonzero(answers != test.labels)
    worst = wrong[np.argsort(-certainty[wrong, answers[wrong]], kind="stable")][:20]
    figure = Figure(figsize=(8, 7.6), layout="constrained")
    figure.suptitle("The most confident mistakes" if len(worst) else "No mistakes")
    grid = figure.subplots(4, 5).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, i in zip(grid, worst, strict=False):
        axes.imshow(test.images[i].reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{test.labels[i]} taken for {answers[i]}, {certainty[i, answers[i]]:.3f}", fontsize=9)
    return figure


def confusion(labels: np.ndarray, answers: np.ndarray) -> Figure:
    """How often each digit is taken for each; the right answers are counted but not coloured."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (labels, answers), 1)
    figure = Figure(figsize=(6.4, 6), layout="constrained")
    axes = figure.subplots()
    wrong = np.where(np.eye(10, dtype=bool), 0, counts)
    axes.imshow(wrong, cmap="Reds")
    for i, j in np.ndindex(10, 10):
        often = "white" if counts[i, j] > 0.6 * wrong.max() else "black"
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=8,
                  color="tab:green" if i == j else often if counts[i, j] else "lightgrey")
    axes.set(xlabel="answer", ylabel="digit", title="Confusion matrix", xticks=range(10), yticks=range(10))
    return figure


def results_table(title: str, model: nn.Module, outputs: np.ndarray, labels: np.ndarray, seconds: float) -> Table:
    """Test accuracy in all and by digit, the time of the training, and the number of parameters."""
    right = outputs.argmax(axis=1) == labels
    table = Table(title=title)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("test accuracy", f"{right.mean():.2%}  ({right.sum():,} of {len(labels):,})", style="bold")
    for digit in range(10):
        mine = right[labels == digit]
        table.add_row(f"  digit {digit}", f"{mine.mean():.1%}  ({mine.sum():,} of {len(mine):,})")
    table.add_row("training time", f"{seconds:.1f} s")
    table.add_row("parameters", f"{sum(p.size for p in model.parameters()):,}")
    return table
