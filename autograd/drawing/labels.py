"""What the shapes of a drawing say, as Graphviz's HTML-like text."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..record import output
from ..registry import name_of
from ..value import UNRECORDED, Value
from .folding import Cell, Folded, values_in

__all__ = ["box", "cluster", "constant", "numbers", "operation", "safe"]

GREY, RED = "#5f6368", "#cc0000"
LONG = 60  # characters in a line
SYMBOLS = {np.add: ("+", 1), np.subtract: ("-", 1), np.multiply: ("*", 2), np.divide: ("/", 2), np.power: ("**", 4)}


def safe(text: object) -> str:
    """Any text for an HTML-like label: what XML cannot hold is written as Python would."""
    shown = "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape", "backslashreplace").decode()
                    for c in str(text).encode("utf-8", "backslashreplace").decode())
    return html.escape(shown)


def bold(text: object) -> str:
    return f"<b>{safe(text)}</b>" if text else ""


def small(text: str, colour: str = GREY) -> str:
    return f'<font point-size="10" color="{colour}">{text}</font>'


def short(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def lines(parts: Iterable[str]) -> str:
    return "<" + "<br/>".join(part for part in parts if part) + ">"


# Numbers


def numbers(arrays: list[Any]) -> str:
    """A number, or the range of some arrays' elements; NaN and infinities are counted, in red."""
    if len(arrays) == 1 and not getattr(arrays[0], "shape", ()):
        x = arrays[0]
        return safe(f"{x:.4g}") if np.isfinite(x) else f'<font color="{RED}">{bold(f"{x:.4g}")}</font>'
    if not any(np.size(x) for x in arrays):
        return "empty"
    kind = "|z| " if any(np.iscomplexobj(x) for x in arrays) else ""
    least, most, odd = np.inf, -np.inf, Counter[str]()
    for x in arrays:
        x = np.abs(x) if np.iscomplexobj(x) else x
        finite = np.isfinite(x)
        if not np.all(finite):
            odd["nan"] += int(np.sum(np.isnan(x)))
            odd["inf"] += int(np.sum(np.isinf(x)))
            x = x[finite] if getattr(x, "shape", ()) else np.zeros(0)
        if np.size(x):
            least, most = min(least, x.min() if np.ndim(x) else x), max(most, x.max() if np.ndim(x) else x)
    text = "" if least > most else safe(f"{kind}{least:.3g}" if least == most else f"{kind}{least:.3g} … {most:.3g}")
    wrong = ", ".join(f"{count:,} {name}" for name, count in odd.items() if count)
    return ", ".join(part for part in (text, wrong and f'<font color="{RED}">{bold(wrong)}</font>') if part)


# Shapes


def box(cell: Cell, folded: Folded, names: dict[Value, str]) -> str:
    """A value, or those that are alike: name, shape and dtype, numbers, gradient; or what a fold has inside."""
    if cell.fold:
        return _fold(cell, folded, names)
    nodes = cell.nodes
    node, times = nodes[0], f" × {len(nodes):,}" if len(nodes) > 1 else ""
    name = shared_name(names.get(n) for n in nodes)
    head = bold(name) if name else ""
    shape = f"{node.shape} {node.dtype}" if node.shape else "" if node.dtype == float else str(node.dtype)
    gradients = [n.grad for n in nodes if n.grad is not None]
    gradient = f"grad {numbers(gradients)}" if gradients else "<i>grad not computed</i>"
    if gradients and len(gradients) < len(nodes):
        gradient += f" of {len(gradients):,}"
    note = ""
    if node.op is None and node.kwargs is UNRECORDED:
        note = small("<i>not recorded: no_grad or detach</i>")
    elif len(folded.cells) == 1 and node.op is None:
        note = small("<i>not computed from anything</i>")
    return lines([head + bold(times if head else times.strip()) if times else head, small(safe(shape)) if shape else "",
                  numbers([n.data for n in nodes]), small(gradient), note])


def operation(cell: Cell) -> str:
    """NumPy's name, and the settings that were given by keyword."""
    node = cell.first
    settings = [f"{k}={v}" for k, v in node.kwargs.items() if v is not None and v is not False
                and not any(True for _ in values_in(v))]
    return lines([safe(name_of(node.op).rpartition(".")[2]), *(small(safe(short(s))) for s in settings)])


def constant(x: Any) -> str:
    """A number, or an array's shape and dtype; an index as it was written."""
    if getattr(x, "shape", ()):
        return f"{x.shape} {x.dtype}"
    if isinstance(x, slice):
        ends = [":" if x.start is None and x.stop is None else f"{_end(x.start)}:{_end(x.stop)}",
                "" if x.step is None else f":{x.step}"]
        return "".join(ends)
    if isinstance(x, tuple):
        return f"({', '.join(map(constant, x))}{',' if len(x) == 1 else ''})"
    return "..." if x is Ellipsis else getattr(x, "__name__", None) or short(f"{x}")


def _end(x: Any) -> str:
    return "" if x is None else str(x)


def cluster(owner: Any, path: str, times: int) -> str:
    """The path and the type of what was called, and how often that was."""
    kind = getattr(owner, "label", None) or type(owner).__name__
    return lines([(f"{bold(path)} {safe(kind)}" if path else bold(kind)) + (f" × {times:,}" if times > 1 else "")])


def _fold(cell: Cell, folded: Folded, names: dict[Value, str]) -> str:
    operations = [n for n in cell.nodes if n.op is not None and n.op is not output]
    times = f" × {cell.count:,}" if cell.count > 1 else ""
    said = f"{len(operations):,} operation{'s' if len(operations) > 1 else ''}"
    if cell.fold == "run":
        mine = set(cell.nodes)
        return lines([safe(_formula(cell.nodes[-1], mine, names, cell.count == 1)) + bold(times), small(said)])
    if cell.fold == "many":
        counts = Counter(name_of(n.op).rpartition(".")[2] for n in operations).most_common(3)
        what = ", ".join(f"{name} × {count:,}" if count > 1 else name for name, count in counts)
        return lines([bold(f"… {said}"), small(safe(what))])
    graph = folded.graph
    calls = [c for c in graph.calls.all if c.since in cell.calls]
    owners = list({id(c.owner): c.owner for c in calls}.values())
    path = shared_name(graph.paths.get(id(o), "") for o in owners)
    kind = getattr(owners[0], "label", None) or type(owners[0]).__name__
    parameters = {id(n): n.size for n in cell.nodes if n.op is None}
    held = f", {sum(parameters.values()):,} parameters" if parameters else ""
    out = next((n for n in reversed(cell.nodes) if type(n.data) is not tuple), None)
    shape = f"→ {out.shape} {out.dtype}" if out is not None and out.shape else ""
    return lines([(f"{bold(path)} {safe(kind)}" if path else bold(kind)) + bold(times), small(safe(said + held)),
                  small(safe(shape)) if shape else ""])


def shared_name(names: Iterable[str | None]) -> str:
    """The name of several things: theirs, or with what differs between them as ``*`` or first … last."""
    distinct = list(dict.fromkeys(name or "" for name in names))
    if len(distinct) == 1:
        return distinct[0]
    split = [name.split(".") for name in distinct]
    if len({len(s) for s in split}) == 1 and "" not in distinct:
        columns = [list(dict.fromkeys(column)) for column in zip(*split, strict=True)]
        return ".".join(c[0] if len(c) == 1 else f"{c[0]}…{c[-1]}" if all(map(str.isdigit, c)) else "*"
                        for c in columns)
    if "" in distinct:
        return ""
    stems = {re.sub(r"\d+$", "", name) for name in distinct}
    return f"{distinct[0]} … {distinct[-1]}" if len(stems) == 1 else ""


def _formula(node: Value, inside: set[Value], names: dict[Value, str], one: bool, level: int = 0,
             room: int = 6) -> str:
    """The expression that a run of operations computes, in the names of what comes in; of ``one`` run with numbers."""
    def argument(x: Any, level: int) -> str:
        if not isinstance(x, Value):
            if isinstance(x, float) or getattr(x, "shape", ()):
                return f"{x:.4g}" if not getattr(x, "shape", ()) and (one or x == int(x)) else "·"
            return constant(x)
        if x in names or x not in inside:
            return names.get(x, "·")
        return _formula(x, inside, names, one, level, room - 1) if room else "…"
    symbol, mine = SYMBOLS.get(node.op, ("", 0))
    if symbol and len(node.args) == 2:
        left, right = argument(node.args[0], mine), argument(node.args[1], mine + 1)
        text = f"{left} {symbol} {right}"
        return f"({text})" if mine < level else text
    if node.op is np.negative:
        return f"-{argument(node.args[0], 3)}"
    return f"{name_of(node.op).rpartition('.')[2]}({', '.join(argument(a, 0) for a in node.args)})"
