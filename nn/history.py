"""``History``: what a training gave, a row of numbers for each epoch, as a table, a CSV file and a plot."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .files import written

__all__ = ["History"]


class History(list[dict[str, float]]):
    """The rows of a training, one for each whole epoch; see ``nn.fit``.

    Attributes:
        stopped: why it ended before its last epoch, or ``None``.
        seconds: how long the epochs took.

    >>> history = History([{"epoch": 1, "cost": 0.5}, {"epoch": 2, "cost": 0.25, "val_cost": 0.5}])
    >>> history.columns, history.column("val_cost")
    (['epoch', 'cost', 'val_cost'], array([nan, 0.5]))
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        super().__init__(map(dict, rows))
        self.stopped: str | None = None
        self.seconds = 0.0

    @property
    def columns(self) -> list[str]:
        """The names in the rows, in the order in which they came up."""
        return list(dict.fromkeys(name for row in self for name in row))

    def column(self, name: str) -> np.ndarray:
        """The numbers of one column, nan where a row has none; ``KeyError`` where no row has."""
        if name not in self.columns:
            raise KeyError(f"history: there is no column {name!r}; there are: {', '.join(self.columns) or 'none'}")
        return np.array([row.get(name, np.nan) for row in self])

    def to_csv(self, path: str | os.PathLike) -> None:
        """Write the table as CSV, with a line of names; numbers keep every digit."""
        with written(path) as file, file.open("w", newline="", encoding="utf-8") as lines:
            table = csv.DictWriter(lines, self.columns)
            table.writeheader()
            table.writerows(self)

    def plot(self, path: str | os.PathLike | None = None) -> Any:
        """The columns over the epochs as a matplotlib ``Figure``, written to ``path`` (.png, .svg, .pdf) if given.

        Costs are together, and so are accuracies and groups such as ``gradient_norm/…``; others stand alone.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ModuleNotFoundError("plotting a history needs matplotlib: pip install 'nudgegrad[train]'") from None
        panels: dict[str, list[str]] = {}
        for name in sorted(self.columns, key=lambda name: name == "lr"):  # which comes last
            if name != "epoch":
                panels.setdefault(_panel(name), []).append(name)
        width = max(len(panels), 1)
        figure = Figure(figsize=(4.5 * width, 3.6), layout="constrained")
        for (title, names), axes in zip(panels.items(), figure.subplots(1, width, squeeze=False).flat, strict=False):
            for name in names:
                axes.plot([row["epoch"] for row in self], self.column(name), marker="o" if len(self) < 3 else None,
                          label=name.rpartition("/")[2])
            axes.set(xlabel="epoch", title=title)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
            if title == "gradient_norm":
                axes.set_yscale("log")
            if len(names) > 1:
                axes.legend(fontsize=8)
        if path is not None:
            with written(path) as file:
                figure.savefig(file, dpi=120, format=Path(path).suffix[1:] or "png")
        return figure


def _panel(name: str) -> str:
    if "/" in name:
        return name.partition("/")[0]
    return next((kind for kind in ("cost", "accuracy") if name.endswith(kind)), name)
