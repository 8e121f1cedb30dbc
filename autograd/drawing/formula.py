"""``formula``: the expression that a graph computes, and each step of the chain rule, as text and as LaTeX."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..value import UNRECORDED, Value
from .equations import Equations, Slope, inside
from .notation import Latex, Text, latex_name, latex_number, number
from .numbers import checked, gradients, numbers

__all__ = ["Formula", "formula"]

_LINES = 25  # equations, and as many steps of the chain rule, that a person reads
_WIDTH = 80  # characters of an expression
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LONG = 100  # characters of a line with its number
_NAME = 24  # characters of a name beside others
_NOTES = (  # what a word in a formula means
    ("σ′(", "σ′(x) = σ(x)(1 − σ(x))", r"\sigma'(x) = \sigma(x)\left(1 - \sigma(x)\right)"),
    ("scatter(", "scatter(g, i) is 0, with g added at [i]", ""),
    ("broadcast(", "broadcast(g, …) is g for each of the elements that were reduced", ""),
    (" > ", "[a > b] is 1 where that holds, else 0", ""),
)


@dataclass(frozen=True, repr=False, eq=False)
class Formula:
    """What ``formula`` gives: it prints as text, and shows itself as mathematics in a notebook.

    Attributes:
        text, latex: both parts, as a whole.
        equations: each line of the expression, from the inputs to the value, as (name, expression, number).
        steps: each step of the chain rule, from the value back, in the same way.
    """

    text: str
    latex: str
    equations: tuple[tuple[str, str, str], ...]
    steps: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


def formula(value: Any) -> Formula:
    """The expression that computed a value, and each step of the chain rule from it back to what it depends on.

    What has a name (see ``draw``), or is used several times, has a line of its own; so has a part of an expression
    that would be too long. Each line ends with its number, or the shape and range of an array. The numbers of the chain
    rule come from the derivative rules themselves, and no ``.grad`` is changed; of an array they are those of the sum
    of its elements. Of a long graph the part next to the value is written out.

    Raises ``TypeError`` for anything but a Value.

    >>> from autograd.functions import sigmoid
    >>> w, a = Value(2.0, name="w"), Value(0.5, name="a")
    >>> formula(sigmoid(w * a))
    w = 2    a = 0.5
    <BLANKLINE>
    f = σ(w·a) = 0.7311
    <BLANKLINE>
    ∂f/∂w = σ′(w·a)·a = 0.09831
    ∂f/∂a = σ′(w·a)·w = 0.3932
    <BLANKLINE>
    σ′(x) = σ(x)(1 − σ(x))
    """
    value = checked("formula", value)
    if value.op is None:
        return _of_leaf(value)
    equations = Equations(value, _LINES, _WIDTH, Text(_draft))
    return _Layout(equations).formula()


def _draft(x: Any) -> str:
    """A name while it is not known yet what all are called."""
    return x if isinstance(x, str) else getattr(x, "name", None) or "v1"


def _of_leaf(value: Value) -> Formula:
    name, number = value.name or "f", _said(value.data)
    why = ("it was detached or computed under no_grad, so that nothing leads to what it was computed from"
           if value.kwargs is UNRECORDED else "it was not computed from anything")
    line = _atom(name) + number
    latex = latex_name(name) + latex_number(number).replace("   ", r" \quad ")
    return Formula(f"{line}\n{why}", rf"{latex} \quad \text{{({why})}}", ((name, "", number.strip(" =")),), ())


def _said(data: Any) -> str:
    """What follows an expression: its number, or the shape and range of an array."""
    text = re.sub(r"(?<!e)-", "−", numbers(data))
    return f"   {data.shape}, {text}" if getattr(data, "shape", ()) else f" = {text}"


def _atom(name: str) -> str:
    """A name that reads as one thing: in brackets where it has more than letters, digits and dots."""
    return name if re.fullmatch(r"[\w.\[\]'\"′]+", name) else f"⟨{name}⟩"


class _Layout:
    """The lines of a formula."""

    def __init__(self, equations: Equations) -> None:
        self.equations, self.root = equations, equations.value
        self.literal: dict[Any, str] = {}
        self.labels = self._labels()
        self.text, self.latex = Text(self._text_label), Latex(self._latex_label)

    def _labels(self) -> dict[Any, str]:
        """What every symbol and constant is called: those of the same name are numbered in their order."""
        named = self.equations.names
        counts = Counter(named.values())
        ranks: Counter[str] = Counter()
        found: dict[Any, str] = {}
        for node in self.equations.nodes[::-1]:
            name = named.get(node)
            if name is not None:
                ranks[name] += 1
                found[node] = name if counts[name] == 1 else name + str(ranks[name]).translate(_LOWERED)
        taken = set(found.values())

        def fresh(stem: str, n: int) -> str:
            while f"{stem}{n}" in taken:
                n += 1
            taken.add(f"{stem}{n}")
            return f"{stem}{n}"

        values = Counter(given.name for given in self.equations.given)
        for given, data in self.equations.given.items():
            name = given.name
            if values[name] > 1 and not getattr(data, "shape", ()):  # a variable that changes
                found[given] = self.literal[given] = number(data)
                continue
            if not name or values[name] > 1:
                name = fresh("k", 1)
            while name in taken and given.name:
                name += "′"
            found[given] = name
            taken.add(name)
        if self.root not in found:
            found[self.root] = "f" if "f" not in taken else fresh("v", 1)
            taken.add(found[self.root])
        for node in self.equations.symbols:
            if node not in found:
                found[node] = fresh("v", 1)
        return found

    def _text_label(self, x: Any) -> str:
        if isinstance(x, Slope):
            of = ("Σ" if self.root.shape else "") + self._text_label(self.root)
            return f"∂{of}/∂{self._text_label(x.node)}"
        if x in self.literal:
            return f"({self.literal[x]})" if self.literal[x].startswith("−") else self.literal[x]
        return x if isinstance(x, str) else _atom(self.labels[x])

    def _latex_label(self, x: Any) -> str:
        if isinstance(x, Slope):
            of = (r"\textstyle\sum " if self.root.shape else "") + self._latex_label(self.root)
            return rf"\frac{{\partial {of}}}{{\partial {self._latex_label(x.node)}}}"
        if x in self.literal:
            return latex_number(self._text_label(x))
        return rf"\text{{{x}}}" if isinstance(x, str) else latex_name(self.labels[x])

    def formula(self) -> Formula:
        equations = self.equations
        given = [(x, None, x.data) for x in equations.symbols if x.op is None] + [
            (x, None, data) for x, data in equations.given.items() if x not in self.literal]
        lines = [(node, tree, node.data) for node, tree in reversed(equations.trees.items())]
        steps, left = self._steps()
        more = [f"… {n:,} more; draw(value) folds them" if n else "" for n in (equations.more, left)]
        blocks = [_wrapped([self._text_label(x) + _said(data) for x, _, data in given]),
                  [*filter(None, more[:1]), *_aligned(map(self._row, lines))],
                  [*_aligned(map(self._row, steps)), *filter(None, more[1:])]]
        text = "\n".join("\n".join([*block, ""]) for block in blocks if block)
        notes = [(said, latex) for word, said, latex in _NOTES if word in text]
        text = "\n".join([text, *(said for said, _ in notes)]).rstrip()
        latex = [self._latex_row(*line) for line in (*given, *lines, *steps)]
        latex += [rf"&{latex}" for _, latex in notes if latex] + [rf"&\text{{{line}}}" for line in more if line]
        body = " \\\\\n".join(latex)
        return Formula(text, r"\begin{aligned}" + f"\n{body}\n" + r"\end{aligned}",
                       tuple(map(self._row, lines)), tuple(map(self._row, steps)))

    def _steps(self) -> tuple[list[tuple[Any, Any, Any]], int]:
        """The steps of the chain rule, and how many more there are; that of a leaf comes as soon as it can."""
        equations = self.equations
        after: dict[Value, list[Value]] = {}
        left = equations.more
        for x in equations.symbols:
            users = [use[0] for use in equations.users.get(x, ())]
            if x.op is None and all(user in equations.owner for user in users):
                last = min((equations.owner[user] for user in users), key=lambda node: node._order)
                after.setdefault(last, []).append(x)
        order = []
        for node, tree in equations.trees.items():
            if node is not self.root or node.shape:
                order.append(node)
            ready = after.get(node, [])
            places = {x: i for i, x in reversed(list(enumerate(inside(tree)))) if isinstance(x, Value)}
            order += sorted(ready, key=lambda x: (places.get(x, len(places)), x._order))
        found = dict.fromkeys(order)
        for node, g in gradients(self.root, equations.nodes):
            if node in found:
                found[node] = g
        steps = [(Slope(x), equations.slope(x) if x is not self.root else ast.Constant(1), g) for x, g in found.items()]
        return steps, left

    def _row(self, line: tuple[Any, Any, Any]) -> tuple[str, str, str]:
        x, tree, data = line
        if data is None:
            return self._text_label(x), "none: no gradient flows back to it", ""
        return self._text_label(x), self.text(tree) if tree is not None else "", _said(data)

    def _latex_row(self, x: Any, tree: Any, data: Any) -> str:
        label = self._latex_label(x)
        if data is None:
            return rf"{label} &\ \text{{none: no gradient flows back to it}}"
        said = latex_number(_said(data).strip())
        if getattr(data, "shape", ()):
            said = rf"\quad {said}"
        if tree is None:
            return f"{label} &{said}"
        expression = self.latex(tree)
        return f"{label} &= {expression}" + ("" if said == f"= {expression}" else f" {said}")


def _aligned(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Equations with their signs one below the other, unless a name is long."""
    rows = list(rows)
    width = max((len(name) for name, _, _ in rows if len(name) <= _NAME), default=0)
    lines = []
    for name, expression, said in rows:
        line = f"{name:<{width}} = {expression}{'' if said == f' = {expression}' else said}"
        lines.append(line if len(line) <= _LONG else _broken(line, max(width, len(name)) + 1))
    return lines


def _broken(line: str, indent: int) -> str:
    """A long line with each term of its sum on a line of its own."""
    text, depth = "", 0
    for i, c in enumerate(line):
        depth += (c in "([⟨") - (c in ")]⟩")
        sign = c in "+−" and not depth and line[i - 1: i + 2] == f" {c} "
        text = text[:-1] + "\n" + " " * indent + c if sign else text + c
    return text


def _wrapped(parts: list[str]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 4 <= _WIDTH:
            lines[-1] += f"    {part}"
        else:
            lines.append(part)
    return lines
