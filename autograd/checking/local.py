"""One operation of a recorded graph on its own: whether numbers are finite, and what its rule sends back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from ..backward import reverse_pass
from ..numerics import is_numeric
from ..registry import RULES
from ..trees import leaves, tree_map
from ..value import Value, holds_value, leaf

__all__ = ["call_site", "consumers_of", "is_elementwise", "is_finite", "numeric_arguments", "quiet", "sent_back"]


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, nothing warns: what is looked at is known to be odd."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_finite(x: Any) -> bool:
    """Whether a number, or every number of an array or of several results, is finite."""
    if type(x) is float:
        return math.isfinite(x)
    if isinstance(x, (tuple, list)):
        return all(is_finite(part) for part in x if part is not None)
    return bool(np.isfinite(x).all())


def is_elementwise(node: Value) -> bool:
    return node.op is not None and node.op in RULES and RULES[node.op].kind == "elementwise"


def numeric_arguments(node: Value) -> list[tuple[int, Any]]:
    """The arguments that are numbers, arrays or Values, each with its place; those in a list share that of the list."""
    found = []
    for i, arg in enumerate(node.args):
        if isinstance(arg, Value) or type(arg) is float:  # the usual case
            found.append((i, arg))
        else:
            found += [(i, x) for x in leaves(arg) if is_numeric(x) and not isinstance(x, bool)]
    return found


def call_site(node: Value) -> tuple:
    """What is the same for every run of one call in the source: the function, the code and the instruction."""
    return node.op, getattr(node, "_code", None), getattr(node, "_instruction", None)


def consumers_of(nodes: Iterable[Value]) -> dict[Value, list[Value]]:
    """For every node those that were computed from it, in the order of the nodes."""
    found: dict[Value, list[Value]] = {}
    for node in nodes:
        for parent in dict.fromkeys(node.parents):
            found.setdefault(parent, []).append(node)
    return found


def sent_back(node: Value, g: Any, wanted: Collection[Value] | None = None) -> list[tuple[int, Value, Any]]:
    """What the rule of an operation sends back to each of its arguments alone, given the gradient that comes in.

    Each Value among the arguments, or each of the wanted ones, comes with its place and its share, also where the same
    Value stands in two places.

    >>> x = Value(2.0)
    >>> [(place, share) for place, _, share in sent_back(x / x, 1.0)]
    [(0, 0.5), (1, -0.5)]
    """
    places: list[tuple[int, Value, Value]] = []
    alone = leaf(node.data)
    alone.op, alone.kwargs = node.op, node.kwargs
    alone._first = tuple(_renewed(place, places, wanted, arg) for place, arg in enumerate(node.args))
    found = {alone: g}
    with quiet():
        for _ in reverse_pass([alone], found):
            pass
    return [(place, x, found[fresh]) for place, x, fresh in places if found.get(fresh) is not None]


def _renewed(place: int, places: list[tuple[int, Value, Value]], wanted: Collection[Value] | None, x: Any) -> Any:
    """``x`` with a leaf of its own for each wanted Value, which are added to ``places``."""
    if isinstance(x, Value):
        if wanted is not None and x not in wanted:
            return x.data
        fresh = leaf(x.data)
        places.append((place, x, fresh))
        return fresh
    return tree_map(partial(_renewed, place, places, wanted), x) if holds_value(x) else x
