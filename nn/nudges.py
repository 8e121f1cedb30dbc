"""``nudges``: what each example would like to do to each weight, and their average, as a table."""

from __future__ import annotations

import html
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from .inspection import check_cost, check_model, examples, gradient
from .module import Module
from .training import arrays_in, rebuilt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Nudge", "Nudges", "nudges"]

ROWS, COLUMNS = 15, 10  # of a table that is shown
_STYLES = {1: "background: rgba(0, 114, 178, {:.2f})", -1: "background: rgba(213, 94, 0, {:.2f})",  # blue, orange
           0: "", None: "background: #CC0000; color: white"}
_LEFT, _RIGHT = (f"text-align: {side}; padding: 2px 7px; white-space: nowrap" for side in ("left", "right"))


class Nudge(NamedTuple):
    """What the examples would like to do to one weight: -∂C/∂w of the cost of each, and the average of these."""

    weight: str
    examples: np.ndarray
    average: float


class Shown(NamedTuple):
    """What is seen of a table: the rows with their numbers, and with the texts of these, "…" for what is left out."""

    title: str
    columns: list[str]
    rows: list[tuple[str, list[float], list[str]]]
    remarks: list[str]
    top: float


class Nudges(Sequence[Nudge]):
    """A table with a row for each weight and bias, the most wanted first, and a column for each example.

    A component's sign is the direction in which the weight should go; its size, compared with that of others, how much
    more it matters. It prints as a table, shows itself in a notebook, and ``plot`` draws it. ``table[0]`` is a row,
    ``table[:30]`` are the first 30, and ``table["layers.0"]`` those of the parameters whose path is or begins so.

    Attributes:
        heads: what stands above the columns: each example's label, or its number as ``#0`` where y holds no labels.
        examples: -∂C/∂w for each row and example, shape (rows, examples).
        average: its mean over the examples, shape (rows,): the negative gradient of their mean cost.
        inputs: the examples' x, in the order of the columns.
        shown: how many rows are shown: 15, but all of ``table[:30]``.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], heads: Sequence[str], inputs: Any, examples: np.ndarray,
                 places: np.ndarray, shown: int = ROWS) -> None:
        self.heads, self.inputs, self.examples, self.shown = tuple(heads), inputs, examples, shown
        with np.errstate(all="ignore"):
            self.average = examples.mean(axis=1)
        self._shapes, self._places = dict(shapes), places  # of each row, among all parameters one after the other
        self._ends = np.cumsum([np.prod(shape, dtype=int) for shape in self._shapes.values()])

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Nudge: ...
    @overload
    def __getitem__(self, index: slice | str) -> Nudges: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(index, len(self._places[index]))
        if isinstance(index, str):
            chosen = [path == index or path.startswith(f"{index}.") for path in self._shapes]
            if not any(chosen):
                raise KeyError(f"nudges: there is no parameter or module {index!r}; there are: "
                               f"{', '.join(self._shapes)}")
            return self._part(np.array(chosen)[np.searchsorted(self._ends, self._places, "right")], ROWS)
        i = operator.index(index)
        if not -len(self) <= i < len(self):
            raise IndexError(f"nudges: row {i} of {len(self)}")
        return Nudge(self._name(self._places[i]), self.examples[i], float(self.average[i]))

    def _part(self, which: Any, shown: int) -> Nudges:
        return Nudges(self._shapes, self.heads, self.inputs, self.examples[which], self._places[which], shown)

    def _name(self, place: int) -> str:
        """A weight by its parameter's path and its index in it."""
        which = int(np.searchsorted(self._ends, place, "right"))
        path, shape = [*self._shapes.items()][which]
        size = int(np.prod(shape, dtype=int))
        index = np.unravel_index(int(place) - (int(self._ends[which]) - size), shape) if shape else ()
        return f"{path}[{', '.join(map(str, index))}]" if shape else path

    # What it looks like

    def show(self) -> Shown:
        """What is shown of it: the first rows, and the first ten examples."""
        part = np.column_stack([self.examples[:self.shown, :COLUMNS], self.average[:self.shown]])
        top = float(np.max(np.abs(part), where=np.isfinite(part), initial=0))
        power = int(np.floor(np.log10(top))) if top else 0
        unit, decimals = (1.0, max(2 - power, 0)) if -4 < power < 5 else (10.0 ** max(power, -300), 2)

        def text(number: float) -> str:
            if not number or not np.isfinite(number):
                return f"{number:.0f}"
            small = abs(number) < 0.5 * unit * 10.0 ** -decimals  # it would be all zeros
            return f"{number / unit:+.{0 if small else decimals}{'e' if small else 'f'}}"

        rows = [(self._name(place), list(map(float, numbers)))
                for place, numbers in zip(self._places[:self.shown], part, strict=True)]
        n = len(self.heads)
        title = (f"What {f'each of {n:,} examples' if n > 1 else 'this example'} would like to do to each weight, "
                 f"the most wanted first{f' (in units of {unit:.0e})' if unit != 1 else ''}")
        return Shown(title, [*self.heads[:COLUMNS], *["…"] * (n > COLUMNS), "average"],
                     [(weight, numbers, [*map(text, numbers[:-1]), *["…"] * (n > COLUMNS),
                                         f"{text(numbers[-1])} {arrow(numbers[-1])}"]) for weight, numbers in rows],
                     self._remarks(), top or 1.0)

    def _remarks(self) -> list[str]:
        lines = [f"... and {len(self) - self.shown:,} more, which matter less"] * (len(self) > self.shown)
        wanted = np.abs(self.average[:self.shown])
        kept = np.flatnonzero(np.isfinite(wanted) & (wanted > 0))
        if len(kept) > 1:
            ratio = float(wanted[kept[0]]) / float(wanted[kept[-1]])
            times = f"{ratio:,.{1 if ratio < 9.95 else 0}f} times " if ratio >= 1.05 else ""
            lines.append(f"+ is up, - is down; {self[kept[0]].weight} matters {times}as much as "
                         f"{self[kept[-1]].weight}")
        wrong = int((~np.isfinite(self.examples)).any(axis=1).sum())
        if wrong:
            lines.append(f"The nudges of {wrong:,} weights are not finite: autograd.explain_nan(cost(model(x), y)) "
                         "says why")
        return lines

    def __str__(self) -> str:
        shown = self.show()
        lines = [["weight", *shown.columns[:-1], "average  "], *([weight, *texts] for weight, _, texts in shown.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [f"{line[0]:<{widths[0]}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(line[1:], widths[1:], strict=True))
                 for line in lines]
        return "\n".join(line.rstrip() for line in [shown.title, *table, *shown.remarks])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same for a notebook, each number on blue where it is positive, on orange where negative."""
        shown = self.show()

        def cell(text: str, number: float | None) -> str:
            sign = 0 if number is None else int(np.sign(number)) if np.isfinite(number) else None
            style = _STYLES[sign].format(0.7 * min(abs(number or 0) / shown.top, 1))
            return f'<td style="{_RIGHT}; {style}">{html.escape(text)}</td>'

        head = "".join(f'<th scope="col" style="{_RIGHT}">{html.escape(name)}</th>' for name in shown.columns)
        body = ""
        for weight, numbers, texts in shown.rows:
            under = [*numbers[:-1], *[None] * (len(texts) - len(numbers)), numbers[-1]]
            body += (f'<tr><th scope="row" style="{_LEFT}">{html.escape(weight)}</th>'
                     f'{"".join(map(cell, texts, under))}</tr>')
        remarks = "".join(f"<p>{html.escape(line)}</p>" for line in shown.remarks)
        return (f'<table style="color: inherit; border-collapse: collapse"><caption style="{_LEFT}">'
                f'{html.escape(shown.title)}</caption><thead><tr><th scope="col" style="{_LEFT}">weight</th>{head}</tr>'
                f"</thead><tbody>{body}</tbody></table>{remarks}")

    def plot(self) -> Figure:
        """The table as a matplotlib ``Figure``, under the examples where they are images.

        Raises ``ModuleNotFoundError`` where matplotlib is missing.
        """
        from .pictures.nudge_table import nudge_table

        return nudge_table(self)


def arrow(number: float) -> str:
    """Where a weight should go."""
    return "↑" if number > 0 else "↓" if number < 0 else " "


def nudges(model: Module, cost: Callable[[Any, Any], Any], x: Any, y: Any) -> Nudges:
    """What each of the examples would like to do to each weight, and the average of that: a ``Nudges`` table.

    A nudge is -∂Cₖ/∂w, a component of the negative gradient of the cost Cₖ of one example, which the model gets as a
    batch of one. The average over the examples is the negative gradient of the cost of all, where that is a mean, as
    those of ``nn`` are: one step of gradient descent. The model is in evaluation mode meanwhile, and no ``.grad``
    changes.

    Args:
        cost: a function of the model's output and the target, as for ``nn.fit``.
        x, y: the chosen examples, each an array with a row for each of them, or a tuple of such arrays. Integer labels
            or one-hot rows in ``y`` become the heads of the columns.

    Raises ``TypeError`` where the model is no module, or the cost no Value computed from it, and ``ValueError`` for a
    model without parameters, no examples, and x and y of different lengths.

    >>> import nn
    >>> model = nn.Linear(2, 1, bias=False, rng=0)
    >>> model.weight.data[...] = 1.0
    >>> table = nudges(model, nn.mse_loss, np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[2.0], [2.0]]))
    >>> table.examples.tolist(), table.average.tolist()
    ([[0.0, -4.0], [2.0, -2.0]], [-2.0, 0.0])
    >>> print(table[:1])
    What each of 2 examples would like to do to each weight, the most wanted first
    weight        #0     #1  average
    weight[0, 1]   0  -4.00    -2.00 ↓
    """
    check_model("nudges", model)
    check_cost("nudges", cost)
    (x, y), n = examples("nudges", x=x, y=y)
    parameters = dict(model.named_parameters())
    for path, p in parameters.items():
        if p.dtype.kind == "c":
            raise TypeError(f"nudges: {path} is complex: a direction up or down is that of real numbers")
    total = sum(p.size for p in parameters.values())
    table = np.empty((total, n), np.result_type(*(p.dtype for p in parameters.values())))
    for k in range(n):
        _, gradients = gradient("nudges", model, cost, *(_row(data, k) for data in (x, y)))
        table[:, k] = np.concatenate([np.ravel(g) for g in gradients])
    table = 0 - table  # and not -0.0
    with np.errstate(all="ignore"):
        wanted = np.abs(table.mean(axis=1))
    order = np.argsort(-np.where(np.isnan(wanted), np.inf, wanted), kind="stable")
    return Nudges({path: p.shape for path, p in parameters.items()}, heads(y, n), x, table[order], order)


def _row(data: Any, k: int) -> Any:
    """An example as a batch of one."""
    return rebuilt(data, iter([a[k:k + 1] for a in arrays_in(data)]))


def heads(y: Any, n: int) -> list[str]:
    """How the examples are called: by the labels in ``y``, or by their numbers."""
    labels = None if isinstance(y, tuple) else np.asarray(y)
    if labels is not None and labels.ndim == 2 and labels.shape[1] > 1 and (
            np.all((labels == 0) | (labels == 1)) and np.all(labels.sum(axis=1) == 1)):
        labels = labels.argmax(axis=1)
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        return [f"#{k}" for k in range(n)]
    return list(map(str, labels))
