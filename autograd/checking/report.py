"""What ``gradcheck`` found, as a table and as data: a verdict for each input, its elements, and what is at fault."""

from __future__ import annotations

import heapq
import html
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ..describe import Report, html_table, table

__all__ = ["Block", "ElementCheck", "Elements", "GradientReport", "InputCheck"]

# From the best to the worst: an input has the worst of its elements' verdicts.
VERDICTS = ("right", "detached", "precision", "kink", "wrong", "not finite", "not deterministic")
_FALSE = ("wrong", "not finite", "not deterministic")
_SHOWN = 10  # rows of a printed table


class ElementCheck(NamedTuple):
    """One element of one input: its gradient by the chain rule and by differences.

    ``index`` is that of the element; of a check along a random direction it is ``("direction", number)``, and the
    derivatives are those along it. ``order`` 2 is for an element of the gradient's gradient, ``mode`` the pass.
    """

    argument: str
    index: tuple
    analytic: float
    numeric: float
    error: float
    allowed: float
    verdict: str = "right"
    mode: str = "reverse"
    order: int = 1

    @property
    def right(self) -> bool:
        """Whether it does not make the report false."""
        return self.verdict not in _FALSE

    @property
    def name(self) -> str:
        """The argument with the index, as one writes it."""
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        if self.index[:1] == ("direction",):
            index = f" along direction {self.index[1]}"
        return f"{self.argument}{index}"

    @property
    def badness(self) -> tuple[int, float]:
        """What the rows of a table are sorted by."""
        over = self.error / self.allowed if self.allowed else float(self.error > 0)
        return VERDICTS.index(self.verdict), over if np.isfinite(over) else np.inf


class Block(NamedTuple):
    """The checks of one input as arrays, of its shape or with one entry for each direction."""

    argument: str
    directions: bool
    mode: str
    order: int
    analytic: np.ndarray
    numeric: np.ndarray
    allowed: np.ndarray
    verdict: np.ndarray

    def check(self, k: int) -> ElementCheck:
        index = ("direction", k) if self.directions else tuple(map(int, np.unravel_index(k, self.analytic.shape)))
        a, n = float(self.analytic.flat[k]), float(self.numeric.flat[k])
        return ElementCheck(self.argument, index, a, n, abs(a - n), float(self.allowed.flat[k]), self.verdict.flat[k],
                            self.mode, self.order)


class Elements(Sequence):
    """The checks of all elements: a sequence of ``ElementCheck`` that are made as they are asked for.

    The numbers are kept as arrays, because a network has many.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = tuple(blocks)

    def __len__(self) -> int:
        return sum(block.analytic.size for block in self.blocks)

    def __iter__(self) -> Iterator[ElementCheck]:
        return (block.check(k) for block in self.blocks for k in range(block.analytic.size))

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return tuple(self)[i]
        k = operator.index(i) + (len(self) if i < 0 else 0)
        for block in self.blocks:
            if 0 <= k < block.analytic.size:
                return block.check(k)
            k -= block.analytic.size
        raise IndexError(f"element {i} of {len(self)}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Elements) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        raise TypeError("unhashable: it holds arrays")


class InputCheck(NamedTuple):
    """One input or parameter: the verdict on it, and what there is to say about that."""

    name: str
    shape: tuple[int, ...]
    verdict: str
    detail: str
    checked: int
    wrong: int
    error: float
    order: int = 1


@dataclass(frozen=True, repr=False)
class GradientReport(Report):
    """What ``gradcheck`` found: true when it checked something and nothing is wrong, not finite or not deterministic.

    Attributes:
        inputs: for each input or parameter its name, shape, verdict and what explains it.
        elements: for each element the gradient, the numeric one, the error, what is allowed, and a verdict.
        crosschecks: forward mode at each element, of large inputs along random directions, beside reverse mode.
        faults: the operation whose rule is wrong, with its argument, shapes and the line that called it.
        method: how the numeric derivatives were made.
        notes: what else there is to know, such as a mode that could not be checked.
        layers: whether the names are paths of a network's parameters, so that a table by layers says more.

    It prints as a table, the worst element first, and shows itself in a notebook.
    """

    inputs: tuple[InputCheck, ...]
    elements: Elements
    crosschecks: tuple[ElementCheck, ...] = ()
    faults: tuple[Any, ...] = ()
    method: str = ""
    notes: tuple[str, ...] = ()
    layers: bool = False

    def __bool__(self) -> bool:
        return bool(self.elements) and all(i.verdict not in _FALSE for i in self.inputs)

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each input, by its name: the worst of both orders."""
        found: dict[str, str] = {}
        for i in self.inputs:
            found[i.name] = max(found.get(i.name, "right"), i.verdict, key=VERDICTS.index)
        return found

    @property
    def worst(self) -> ElementCheck | None:
        """The element whose error is largest compared with what is allowed; ``None`` for empty inputs."""
        return max(self.elements, key=lambda e: e.badness, default=None)

    def raise_if_wrong(self) -> GradientReport:
        """Raise ``AssertionError`` with the table unless all is right; else return the report itself."""
        if not self:
            raise AssertionError(str(self))
        return self

    def __str__(self) -> str:
        return "\n".join(part if isinstance(part, str) else table(*part) for part in self._parts())

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        return "".join(f"<p>{html.escape(part)}</p>" if isinstance(part, str) else html_table(*part)
                       for part in self._parts())

    def _parts(self) -> list[Any]:
        """Lines of text, and tables as a header and rows."""
        parts: list[Any] = [self._headline(self.worst)]
        wrong = [e for e in self.crosschecks if not e.right]
        rows = heapq.nlargest(_SHOWN, chain(self.elements, wrong), key=lambda e: e.badness)
        more = len(self.elements) + len(wrong) - len(rows)
        if rows:
            parts.append((("element", "analytic", "numeric", "error", "allowed", ""), [
                (e.name + _marks(e), f"{e.analytic:.8g}", f"{e.numeric:.8g}", f"{e.error:.1e}", f"{e.allowed:.1e}",
                 e.verdict if e.right else e.verdict.upper()) for e in rows]))
        if more:
            parts.append(f"... and {more} more that are less far off")
        if self.layers:
            parts.append(self._by_layer())
        parts += [f"fault: {fault}" for fault in self.faults]
        parts += [f"{_label(i)}: {i.verdict}{f', {i.detail}' if i.detail else ''}" for i in self.inputs
                  if i.detail or i.verdict not in ("right", "wrong")]
        parts.extend(self.notes)
        return parts + ([f"numeric side: {self.method}"] if self.method else [])

    def _headline(self, worst: ElementCheck | None) -> str:
        count = len(self.elements)
        if self:
            found = Counter(e.verdict for e in self.elements)
            if set(found) == {"right"}:
                return f"gradcheck: all {count} elements right"
            counts = ", ".join(f"{found[v]} {v}" for v in VERDICTS if found[v])
            return f"gradcheck: nothing wrong in {count} element{'s' * (count != 1)}: {counts}"
        for verdict in ("not deterministic", "not finite"):
            names = [i.name for i in self.inputs if i.verdict == verdict]
            if names:
                return f"gradcheck: {verdict.upper()}: {', '.join(names)}"
        wrong = sum(not e.right for e in self.elements)
        forward = next((e for e in self.crosschecks if not e.right), None)
        if not wrong and forward is not None:
            return f"gradcheck: WRONG in forward mode: {forward.name}"
        if worst is None or not wrong:
            names = [i.name for i in self.inputs if i.verdict == "wrong"]
            empty = "nothing to check, the inputs are empty"
            what = "WRONG: " + ", ".join(names) if names else empty
            return f"gradcheck: {what}"
        return f"gradcheck: WRONG in {wrong} of {count} elements; worst: {worst.name}{_marks(worst)}"

    def _by_layer(self) -> tuple:
        layers: dict[str, list[InputCheck]] = {}
        for i in self.inputs:
            layers.setdefault(i.name.rpartition(".")[0] or i.name, []).append(i)
        rows = []
        for layer, parts in layers.items():
            verdict = max((i.verdict for i in parts), key=VERDICTS.index)
            names = dict.fromkeys(f"{i.name.rpartition('.')[2]} {i.shape}" for i in parts)  # once for both orders
            rows.append((layer, ", ".join(names),
                         str(sum(i.checked for i in parts)), str(sum(i.wrong for i in parts)),
                         f"{max(i.error for i in parts):.1e}", verdict.upper() if verdict in _FALSE else verdict))
        return ("layer", "parameters", "checked", "wrong", "largest error", ""), rows


def _label(i: InputCheck) -> str:
    return i.name if i.order == 1 else f"{i.name}, second order"


def _marks(e: ElementCheck) -> str:
    marks = [*(["forward"] if e.mode == "forward" else []), *(["second order"] if e.order == 2 else [])]
    return f" ({', '.join(marks)})" if marks else ""
