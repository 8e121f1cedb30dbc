"""The source of a nest of loops: elements computed from elements, and reductions over the last axes or any others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .numba_scalars import literal
from .numba_schedule import Nest, trailing
from .numba_steps import Loop, View, size_of
from .numba_threads import Share
from .program import Var

__all__ = ["LETTERS", "Axes", "Source", "elements", "fix", "index_text", "nest_source", "share_of"]

LETTERS = "ijklmnopqrs"
ELEMENT = 16  # multiplications that take the time of a step at one element
BLOCK = 256  # a long sum is one of sums of so many terms each, or more when there are very many


class Source:
    """The text of a function being written, and the names in it."""

    def __init__(self, name_of_array: Callable[[Var, int], str], name_of_number: Callable[[Var, np.dtype], str],
                 constants: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.depth = 1
        self.name_of_array, self.number, self.constants = name_of_array, name_of_number, constants
        self.fixed: dict[int, str] = {}  # views whose number is the same all along the innermost loop, and its name

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def block(self, head: str) -> Any:
        self.line(head)
        self.depth += 1
        yield
        self.depth -= 1

    def array(self, var: Var) -> str:
        """The name of an array."""
        return self.name_of_array(var, 0)

    def pointer(self, view: View) -> str:
        """The name of the place in memory where a view begins: views that differ in it alone have the same loops."""
        return self.name_of_array(view.root, view.offset)

    def constant(self, x: Any, dtype: np.dtype) -> str:
        """The name of a constant, which stands above the function."""
        if dtype.kind == "b":
            return repr(bool(x))
        return self.constants.setdefault(literal(x, dtype), f"c{len(self.constants)}")

    def value(self, var: Var) -> str:
        """The name of the number that the array ``var`` has at the place where the loops are."""
        return f"v_{self.array(var)}"


def index_text(strides: Iterable[int], letters: Iterable[str], offset: int = 0) -> str:
    """``offset + Σ stride · letter`` as text."""
    terms = [name if s == 1 else f"{s} * {name}" for s, name in zip(strides, letters, strict=True) if s and name]
    if offset or not terms:
        terms.append(str(offset))
    return " + ".join(terms).replace("+ -", "- ")


def elements(out: Source, steps: Sequence[Loop], at: Callable[[View], str], local: dict[Var, str], stored: set[Var],
             done: Callable[[Loop, str], None] | None = None) -> None:
    """Lines that compute each step at one place. ``local`` holds the numbers known there; reductions go to ``done``."""
    for step in steps:
        args = []
        for k, (operand, dtype) in enumerate(zip(step.operands, step.formula.dtypes, strict=False)):
            text = load(out, operand, dtype, at, local)
            if "[" in text and step.formula.text.count(f"{{{k}}}") > 1:
                name = f"a{k}_{out.array(step.target.root)}"
                out.line(f"{name} = {text}")
                text = name
            args.append(text)
        value = expression(out, step, args)
        if step.axes:
            assert done is not None
            done(step, value)
            continue
        root = step.target.root
        if step.target.whole and not step.final:
            name = local[root] = out.value(root)
            out.line(f"{name} = {value}")
            value = name
        if root in stored or not step.target.whole or step.final:
            out.line(f"{out.pointer(step.target)}[{place(out, step.target, at)}] = {value}")


def fix(out: Source, steps: Sequence[Loop], computed: set[Var], axis: int, at: Callable[[View], str],
        suffix: str = "") -> dict[int, str]:
    """Read what is the same all along an axis before its loop: LLVM cannot tell that nothing there overwrites it."""
    fixed: dict[int, str] = {}
    names: dict[str, str] = {}
    for view in dict.fromkeys(o for s in steps for o in s.operands if isinstance(o, View)):
        if view.root in computed or view.picks or view.strides[axis]:
            continue
        text = f"{out.pointer(view)}[{at(view)}]"
        if text not in names:
            names[text] = f"f{len(names)}{suffix}_{view.root.dtype}"
            out.line(f"{names[text]} = {text}{' != 0' if view.root.dtype.kind == 'b' else ''}")
        fixed[id(view)] = names[text]
    return fixed


def load(out: Source, operand: Any, dtype: np.dtype, at: Callable[[View], str], local: dict[Var, str]) -> str:
    """The text of an operand's number, in a dtype."""
    if isinstance(operand, Var):
        return out.number(operand, dtype)
    if not isinstance(operand, View):
        return out.constant(operand, dtype)
    root = operand.root
    if root in local:
        text, plain = local[root], True
    elif id(operand) in out.fixed:
        text, plain = out.fixed[id(operand)], True
    else:
        text, plain = f"{out.pointer(operand)}[{place(out, operand, at)}]", False
    if root.dtype.kind == "b" and not plain:
        text = f"({text} != 0)"
    if root.dtype != dtype:
        text = f"({text} != 0)" if dtype.kind == "b" else f"{dtype}({text})"
    return text


def expression(out: Source, step: Loop, args: list[str]) -> str:
    """The formula of a step with names and constants in it."""
    dtypes = step.formula.dtypes

    def named(match: re.Match) -> str:
        return out.constant({"ONE": 1.0, "ZERO": 0.0, "INF": float("inf")}[match[0]], dtypes[0])
    text = re.sub(r"\b(ONE|ZERO|INF)\b", named, step.formula.text).format(*args)
    if step.formula.text == "{0}":
        return text
    return f"{dtypes[-1]}({text})" if dtypes[-1].kind in "iu" or "math." in text else text


# Reductions


def start(out: Source, kind: str, dtype: np.dtype) -> str:
    """The number that a reduction starts from."""
    if kind in ("max", "min"):
        if dtype.kind == "b":
            return repr(kind == "min")
        low, high = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return out.constant(low if kind == "max" else high, dtype)
    return out.constant({"sum": 0, "prod": 1, "any": False, "all": True}[kind], dtype)


def combine(kind: str, dtype: np.dtype, total: str, value: str) -> str:
    """The text of one step of a reduction."""
    if dtype.kind == "b":
        return f"{total} {'|' if kind in ('max', 'any') else '&'} ({value})"
    if kind in ("sum", "prod"):
        return f"{'plus' if kind == 'sum' else 'times'}({total}, {value})"
    if dtype.kind == "f":
        return f"{'greatest' if kind == 'max' else 'least'}({total}, {value})"
    return f"{dtype}({kind}({total}, {value}))"


# Nests


class Axes:
    """The loops that a domain needs: no axis of length 1, and axes that are one in memory as one."""

    def __init__(self, domain: tuple[int, ...], views: Sequence[View]) -> None:
        groups: list[list[int]] = []
        for d, n in enumerate(domain):
            if n == 1:
                continue
            if groups and all(v.strides[groups[-1][-1]] == v.strides[d] * n for v in views):
                groups[-1].append(d)
            else:
                groups.append([d])
        self.inner = [g[-1] for g in groups]
        self.lengths = [int(np.prod([domain[d] for d in g])) for g in groups]
        self.letters = LETTERS[:len(groups)]

    def at(self, view: View) -> str:
        return index_text([view.strides[d] for d in self.inner], self.letters)


def place(out: Source, view: View, at: Callable[[View], str]) -> str:
    """The index of an element, with what arrays of integers add to it."""
    text = at(view)
    for pick in view.picks:
        if isinstance(pick.index, View):
            index = f"int64({out.pointer(pick.index)}[{at(pick.index)}])"
        else:
            index = out.number(pick.index, np.dtype(np.int64))
        text += f" + {pick.stride} * within({index}, {pick.length})"
    return text


def axes_of(steps: list[Loop], stored: set[Var]) -> tuple[set[Var], Axes]:
    """What a nest computes element by element, and its loops."""
    computed = {s.target.root for s in steps if not s.axes and s.target.whole and not s.final}
    views = [v for s in steps for v in s.reads if v.root not in computed]
    views += [s.target for s in steps if s.axes or s.final or s.target.root in stored or not s.target.whole]
    return computed, Axes(steps[0].domain, views)


def share_of(nest: Nest, stored: set[Var]) -> Share | None:
    """How threads can share the outermost loop of a nest: where no step of it needs another."""
    steps = nest.loops
    if not nest.simple or nest.head or any(s.target.picks for s in steps):
        return None
    axes = axes_of(steps, stored)[1]
    if not axes.inner or any(axes.inner[0] in s.axes for s in steps):
        return None
    share = Share(axes.lengths[0], ELEMENT * len(steps) * size_of(steps[0].domain))
    return share if share.parts > 1 else None


def nest_source(out: Source, nest: Nest, stored: set[Var], share: Share | None = None) -> None:
    """Write the loops of a nest, or a part of them; of the arrays that it computes, keep those in ``stored``."""
    steps = nest.loops
    out.line(f"# {', '.join(dict.fromkeys(s.comment for s in steps))}: {list(steps[0].domain)}")
    computed, axes = axes_of(steps, stored)
    if len(steps) == 1 and steps[0].axes and not trailing(steps[0]):
        return scattered(out, steps[0], axes)
    totals = {id(s): f"total_{out.array(s.target.root)}" for s in steps if s.axes}
    first_reduced = {id(s): next((k for k, d in enumerate(axes.inner) if d in s.axes), len(axes.inner))
                     for s in steps if s.axes}
    empty = 0 in axes.lengths

    def accumulate(step: Loop, value: str) -> None:
        total = names[id(step)]
        out.line(f"{total} = {combine(step.reduction, step.formula.dtypes[-1], total, value)}")

    names = dict(totals)

    def level(k: int) -> None:
        here = [s for s in steps if first_reduced.get(id(s)) == k]
        for s in here:
            out.line(f"{totals[id(s)]} = {start(out, s.reduction, s.formula.dtypes[-1])}")
        if k == len(axes.lengths):
            elements(out, steps, axes.at, {}, stored, accumulate)
        elif not empty:
            n, letter = axes.lengths[k], axes.letters[k]
            if k == len(axes.lengths) - 1:
                out.fixed = fix(out, steps, computed, axes.inner[k], axes.at)
            sums = [s for s in steps if s.axes and s.reduction == "sum" and s.formula.dtypes[-1].kind == "f"]
            if k == len(axes.lengths) - 1 and n > 2 * BLOCK and sums:
                blocks(k, n, letter, sums)
            else:
                with out.block(f"for {letter} in range({f'{share.first}, {share.last}' if share and not k else n}):"):
                    level(k + 1)
        for s in here:
            out.line(f"{out.pointer(s.target)}[{axes.at(s.target)}] = {totals[id(s)]}")

    def blocks(k: int, n: int, letter: str, sums: list[Loop]) -> None:
        size = BLOCK
        while size * size < n:
            size *= 2
        with out.block(f"for {letter}_block in range(0, {n}, {size}):"):
            for s in sums:
                names[id(s)] = f"part_{out.array(s.target.root)}"
                out.line(f"{names[id(s)]} = {start(out, 'sum', s.formula.dtypes[-1])}")
            with out.block(f"for {letter} in range({letter}_block, min({letter}_block + {size}, {n})):"):
                level(k + 1)
            for s in sums:
                out.line(f"{totals[id(s)]} = {totals[id(s)]} + {names[id(s)]}")

    if empty and not totals:
        return
    if empty and any(0 in [axes.lengths[k] for k in range(first_reduced[i])] for i in totals):
        return  # no element of the result either
    if empty:
        return hollow(out, steps, axes, totals, first_reduced)
    level(0)
    out.fixed = {}


def hollow(out: Source, steps: list[Loop], axes: Axes, totals: dict[int, str], first: dict[int, int]) -> None:
    """Reductions over no terms at all: the number that each starts from, in each place."""
    for s in steps:
        if s.axes:
            fill(out, s, axes, first[id(s)])


def fill(out: Source, step: Loop, axes: Axes, depth: int) -> None:
    before = out.depth
    for k in range(depth):
        out.line(f"for {axes.letters[k]} in range({axes.lengths[k]}):")
        out.depth += 1
    out.line(f"{out.pointer(step.target)}[{axes.at(step.target)}] = "
             f"{start(out, step.reduction, step.formula.dtypes[-1])}")
    out.depth = before


def scattered(out: Source, step: Loop, axes: Axes) -> None:
    """A reduction over axes that are not the last: row by row into the result."""
    array, dtype = out.pointer(step.target), step.formula.dtypes[-1]
    kept = [k for k, d in enumerate(axes.inner) if d not in step.axes]
    before = out.depth
    for k in kept:
        out.line(f"for {axes.letters[k]} in range({axes.lengths[k]}):")
        out.depth += 1
    out.line(f"{array}[{axes.at(step.target)}] = {start(out, step.reduction, dtype)}")
    out.depth = before
    if 0 in axes.lengths:
        return
    for letter, n in zip(axes.letters, axes.lengths, strict=True):
        out.line(f"for {letter} in range({n}):")
        out.depth += 1

    def accumulate(step: Loop, value: str) -> None:
        place = f"{array}[{axes.at(step.target)}]"
        total = f"({place} != 0)" if dtype.kind == "b" else place
        out.line(f"{place} = {combine(step.reduction, dtype, total, value)}")
    elements(out, [step], axes.at, {}, set(), accumulate)
    out.depth = before
