"""The recorded graph as the passes walk it: its order, what leads where, and the graph inside of a definition."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from .record import astype, recording
from .registry import RULES, name_of
from .value import CALL, Value, creation, holds_value, leaf, unwrap

__all__ = ["in_dtype_of", "leading_to", "paired", "raw", "retraced", "reverse_topological"]


def reverse_topological(*values: Value, since: int = 0) -> list[Value]:
    """The values and all that they were computed from, every node before its parents.

    Nodes created before ``since`` end the walk: what they were computed from is left out.

    >>> x = Value(2.0)
    >>> [node.data for node in reverse_topological(x * x + 1)]
    [5.0, 4.0, 2.0]
    """
    seen, stack = set(values), list(values)
    while stack:
        node = stack.pop()
        if node._order < since:
            continue
        first, second = node._first, node._second
        if second is not CALL:  # an operator, written out: scalar graphs consist of little else
            if isinstance(first, Value) and first not in seen:
                seen.add(first)
                stack.append(first)
            if isinstance(second, Value) and second not in seen:
                seen.add(second)
                stack.append(second)
            continue
        for parent in first:
            if isinstance(parent, Value):
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
            elif isinstance(parent, (list, tuple, dict)):  # arrays to be joined, or a primitive's parameters
                found: list[Value] = []
                unwrap(parent, found)
                new = dict.fromkeys(p for p in found if p not in seen)
                seen.update(new)
                stack.extend(new)
    return sorted(seen, key=attrgetter("_order"), reverse=True)


def leading_to(targets: Collection[Value], nodes: list[Value]) -> set[Value]:
    """The targets, and those of the nodes (in reverse topological order) that were computed from one."""
    useful = set(targets)
    for node in reversed(nodes):
        if not useful.isdisjoint(node.parents):
            useful.add(node)
    return useful


def raw(x: Any) -> Any:
    """``x`` with the data of the Values that it is or holds."""
    if isinstance(x, Value):
        return x.data
    return unwrap(x, []) if isinstance(x, (list, tuple, dict)) else x


def paired(x: Any, other: Any) -> Iterator[tuple[Value, Any]]:
    """Every Value that ``x`` is or holds, with what stands in its place in ``other``; none where that is ``None``."""
    if other is None:
        return
    if isinstance(x, Value):
        yield x, other
    elif isinstance(x, (list, tuple)):
        for item, part in zip(x, other, strict=True):
            yield from paired(item, part)
    elif isinstance(x, dict):
        for key, item in x.items():
            yield from paired(item, other[key])


def in_dtype_of(g: Any, dtype: np.dtype) -> Any:
    """A gradient or tangent with the dtype of what it belongs to; of a real one only the real part counts."""
    if isinstance(g, Value):
        return g if g.dtype == dtype else astype(g if dtype.kind == "c" else np.real(g), dtype)
    if dtype.kind != "c" and (isinstance(g, complex) or np.iscomplexobj(g)):
        g = g.real
    if type(g) is float and dtype.char == "d":
        return g
    if isinstance(g, (int, float, complex, np.generic)) or (type(g) is np.ndarray and not g.ndim):
        return dtype.type(g)
    return g if g.dtype == dtype else g.astype(dtype)


def retraced(node: Value, wanted: Collection[Value] | None, record: bool) -> tuple[dict[Value, Value], Any, int]:
    """The definition of a node's operation, recorded at the node's arguments.

    Gives a fresh Value for each of the wanted arguments, what the definition returned, and the creation order from
    which on its nodes count. With ``record`` it is recorded as computed from the arguments themselves.
    """
    since, fresh = next(creation), {}
    op: Any = node.op
    formula: Any = RULES[op].definition
    with recording(True):
        y = formula(*(_renewed(a, fresh, wanted, record) for a in node.args), **node.kwargs)
    same = zip(y, node.data, strict=True) if type(node.data) is tuple else [(y, node.data)]
    for got, data in same:
        if np.shape(raw(got)) != np.shape(data):
            raise ValueError(f"the definition of {name_of(node.op)} gave the shape {np.shape(raw(got))}, where the "
                             f"function itself gave {np.shape(data)}")
    return fresh, y, since


def _renewed(x: Any, fresh: dict[Value, Value], wanted: Collection[Value] | None, record: bool) -> Any:
    """``x`` with a fresh Value for each wanted one; no closure, because one that calls itself is a cycle."""
    if isinstance(x, Value):
        if wanted is not None and x not in wanted:
            return x if record else x.data
        if x not in fresh:
            fresh[x] = +x if record else leaf(x.data)
        return fresh[x]
    return [_renewed(item, fresh, wanted, record) for item in x] if (
        isinstance(x, (list, tuple)) and holds_value(x)) else x
