"""Why no path leads from a cost to a Value: what became of the Value's numbers, as far as there is evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..describe import number
from ..graph import reverse_topological
from ..lines import line_of
from ..registry import name_of
from ..sources import arguments, name_in
from ..value import UNRECORDED, Value
from .local import consumers_of, numeric_arguments

__all__ = ["missing_path"]

_NAMED = 4  # inputs of the cost that are told by name
_MANY = 8  # numbers whose order says something

# What turns numbers into others without a gradient: what that is, as it is written of ``v``, and which kinds of dtypes
# the result may have
_CONSTANT: list[tuple[str, str, Callable[[Any], Any], str]] = [
    ("a comparison", "{v} > 0", lambda x: x > 0, "bfiu"), ("a comparison", "{v} >= 0", lambda x: x >= 0, "bfiu"),
    ("a comparison", "{v} < 0", lambda x: x < 0, "bfiu"), ("a comparison", "{v} <= 0", lambda x: x <= 0, "bfiu"),
    ("a cast to integers", "{v}.astype(int)", np.trunc, "iu"), ("rounding", "np.round({v})", np.round, "f"),
    ("rounding", "np.floor({v})", np.floor, "f"), ("rounding", "np.ceil({v})", np.ceil, "f"),
    ("a cast to integers", "{v}.astype(int)", np.trunc, "f"), ("a sign", "np.sign({v}.data)", np.sign, "fiu"),
    ("positions", "np.argsort({v})", lambda x: np.argsort(x, axis=-1), "iu"),
    ("positions", "np.argmax({v})", np.argmax, "iu"), ("positions", "np.argmin({v})", np.argmin, "iu"),
    ("positions", "np.argmax({v}, axis=-1)", lambda x: np.argmax(x, axis=-1), "iu"),
    ("positions", "np.argmax({v}, axis=0)", lambda x: np.argmax(x, axis=0), "iu"),
    ("positions", "a one-hot array of np.argmax({v}, axis=-1)", lambda x: x == np.max(x, axis=-1, keepdims=True),
     "bfiu"),
]

Found = tuple[Value, str, str]  # a node, what it is called, why it has no gradient


def missing_path(cost: Value, v: Value) -> tuple[str, list[Found]]:
    """What to say of a cost that was not computed from ``v``, and the evidence, the most certain first."""
    name = v.name or "v"
    if cost.op is None:
        if cost.kwargs is UNRECORDED:
            return "the cost was cut off from all that it was computed from, and so from", [
                (cost, "the cost", "detached: it was computed under no_grad, or detached; compute it again without")]
        return "the cost has no recorded path to", [
            (cost, "the cost", "it is a leaf, that is, a Value made of plain numbers: nothing is known of how these "
             "were computed; compute the cost from Values")]
    nodes = reverse_topological(cost)
    consumers = consumers_of(nodes)
    certain, possible = [], []
    ancestors = set(reverse_topological(v))
    for node in nodes:
        if node in ancestors:
            continue
        if node.op is None:
            for is_certain, found in _from_leaf(node, v, name, consumers):
                (certain if is_certain else possible).append(found)
        else:
            certain += _from_constants(node, v, name)
    certain = _ancestor(nodes, v, name, consumers) + certain
    if not certain and v._order > cost._order:
        certain.append((v, name, "never used: it was made after the cost"))
    if not certain and not possible:
        leaves = [x for x in reversed(nodes) if x.op is None]
        told = [name_in(x, consumers) or f"one of shape {x.shape}" for x in leaves[:_NAMED]]
        rest = f" and {len(leaves) - _NAMED} more" if len(leaves) > _NAMED else ""
        certain.append((v, name, "never used, or turned into plain numbers, as by a comparison, rounding, np.argmax, "
                        f".data or float(): the cost was computed from {', '.join(told)}{rest}"))
    return "the cost has no recorded path to", certain or possible


def _ancestor(nodes: list[Value], v: Value, name: str, consumers: dict[Value, list[Value]]) -> list[Found]:
    """Evidence that ``v`` was computed from what the cost is computed from."""
    if v.op is None:
        return []
    used = set(nodes)
    shared = [x for x in reverse_topological(v) if x in used]
    if not shared:
        return []
    said = name_in(shared[0], consumers) or name_in(shared[0], consumers_of(reverse_topological(v))) or "a Value"
    return [(v, name, f"the wrong object: {name} was computed from {said}, and so was the cost, but not from {name} "
             f"itself; ask for {said}, or compute the cost from {name}")]


def _from_leaf(node: Value, v: Value, name: str, consumers: dict[Value, list[Value]]) -> Iterator[tuple[bool, Found]]:
    """Evidence that a leaf of the graph holds what ``v`` holds, or what was made of it."""
    line = line_of(node)
    called = name_in(node, consumers) or (line.expression if line and 0 < len(line.expression) <= 40 else "a leaf")
    same = _same(node.data, v)
    if node.kwargs is UNRECORDED:
        if node.data is v.data and type(node.data) is not float:
            yield True, (node, called, f"detached: it is {name}.detach(), through which no gradient flows")
        elif same:
            yield True, (node, called, f"detached: it holds the numbers of {name}, but was detached or computed under "
                         "no_grad")
        elif node._order > v._order:
            yield False, (node, called, f"perhaps detached: it was detached or computed under no_grad, after "
                          f"{name} was made")
    elif same:
        yield True, (node, called, f"the wrong object: it holds the same numbers as {name}, but is another Value; ask "
                     f"for this one, or compute the cost from {name}")


def _from_constants(node: Value, v: Value, name: str) -> Iterator[Found]:
    """Evidence that an operation was given numbers that were taken out of ``v``."""
    for place, x in numeric_arguments(node):
        if isinstance(x, Value) or (type(x) is float and v.shape):
            continue
        if isinstance(x, np.ndarray) and isinstance(v.data, np.ndarray) and np.may_share_memory(x, v.data):
            what, why = "numbers", f"is {name}.data or a part of it, which has no gradient"
        elif _same(x, v):
            what, why = "numbers", (f"holds the numbers of {name}, as by {name}.data or float({name}), which have no "
                                    "gradient")
        else:
            what, code = _made_of(x, v, name)
            why = f"equals {code}, a constant that has no gradient"
        if what:
            operation = name_of(node.op)
            yield node, operation, f"{what}: argument {place} of {operation}, {arguments(node)[place]}, {why}"


def _same(x: Any, v: Value) -> bool:
    """Whether numbers are those of ``v``, and too special to be so by chance."""
    if type(x) is float and x != v.data if v.shape == () else np.shape(x) != v.shape:
        return False
    return np.array_equal(x, v.data) and _special(v.data)


def _special(x: Any) -> bool:
    """Whether two arrays of such numbers are hardly equal by chance: they differ, or are no round numbers."""
    x = np.asarray(x)
    if x.size > 1 and np.any(x != x.flat[0]):
        return True
    return bool(x.size) and not np.any(np.real(2 * x) == np.round(np.real(2 * x)))


def _made_of(x: Any, v: Value, name: str) -> tuple[str, str]:
    """What was made of the numbers of ``v``, in a word and as code, if that gives just these; else nothing."""
    if not isinstance(x, (np.ndarray, np.generic)) or np.iscomplexobj(v.data) or v.size < 2:
        return "", ""
    data = np.asarray(x)
    for what, code, function, kinds in _CONSTANT:
        if data.dtype.kind not in kinds or not (np.any(data != data.flat[0]) if data.ndim else data.dtype.kind in "iu"):
            continue
        made = np.asarray(function(np.asarray(v.data)))
        if made.shape == data.shape and np.array_equal(made, data):
            return what, code.format(v=name)
    return _threshold(data, np.asarray(v.data), name)


def _threshold(data: np.ndarray, x: np.ndarray, name: str) -> tuple[str, str]:
    """The comparison with a number that zeros and ones are the result of, if they are."""
    if data.shape == x.shape and data.size >= _MANY and set(np.unique(data)) == {0, 1}:
        chosen, others = x[data == 1], x[data == 0]
        if chosen.min() > others.max():
            return "a comparison", f"{name} > c for c from {number(others.max())} up to {number(chosen.min())}"
        if chosen.max() < others.min():
            return "a comparison", f"{name} < c for c above {number(chosen.max())} up to {number(others.min())}"
    return "", ""
