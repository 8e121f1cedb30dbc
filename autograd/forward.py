"""The forward pass: tangents pushed through a recorded graph, from the inputs to the outputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .calls import as_one
from .graph import in_dtype_of, raw, retraced, reverse_topological
from .record import output, outputs
from .registry import RULES, name_of
from .trees import tree_map
from .value import Value, unwrap

__all__ = ["forward_pass"]


def forward_pass(nodes: Iterable[Value], tangents: dict[Value, Any], record: bool = False) -> None:
    """Add to ``tangents``, which holds those of the inputs, the tangent of every node that depends on one.

    ``nodes`` are in topological order. A node that is not in ``tangents`` afterwards depends on no input. With
    ``record``, the rules run on the Values themselves, so that the tangents can be differentiated again.
    """
    for node in nodes:
        if node.op is None or node in tangents:
            continue
        if node.op is output:
            whole, i = node.args
            if whole in tangents:
                tangents[node] = tangents[whole][i]
            continue
        arguments = node.args
        moving = [i for i, arg in enumerate(arguments) if _moves(arg, tangents)]
        if moving:
            push = _push_through if RULES[node.op].definition is not None else _push
            tangents[node] = push(node, arguments, moving, tangents, record)


def _moves(arg: Any, tangents: dict[Value, Any]) -> bool:
    if isinstance(arg, Value):
        return arg in tangents
    found: list[Value] = []
    unwrap(arg, found)
    return any(a in tangents for a in found)


def _tangents(arg: Any, tangents: dict[Value, Any]) -> Any:
    """The tangents of an argument; in a container, zeros for what does not move."""
    if isinstance(arg, Value) and arg in tangents:
        return tangents[arg]
    if isinstance(arg, (list, tuple, dict)):
        return tree_map(lambda a: _tangents(a, tangents), arg)
    return np.zeros_like(raw(arg))


def _push(node: Value, arguments: tuple, moving: list[int], tangents: dict[Value, Any], record: bool) -> Any:
    """The tangent of a node: the sum of what the tangents of its arguments give."""
    op: Any = node.op
    jvps, several = RULES[op].jvps, type(node.data) is tuple
    if record:
        args, y = arguments, outputs(node) if several else node
    else:
        args, y = [raw(a) for a in arguments], node.data
    total: Any = None
    for i in moving:
        arg = arguments[i]
        t = _tangents(arg, tangents)
        if i >= len(jvps) or jvps[i] is None:
            name = name_of(node.op)
            raise TypeError(f"{name} has no jvp with respect to argument {i}: forward mode needs one. Add one with "
                            f"autograd.defjvp({name}, lambda g, y, x: g * ...), or use reverse mode (grad, make_vjp)")
        try:
            try:
                part = jvps[i](t, y, *args, **node.kwargs)
            except (ZeroDivisionError, OverflowError):  # where Python's floats raise, NumPy's give inf or nan
                part = jvps[i](*(np.float64(x) if type(x) is float else x for x in (t, y, *args)), **node.kwargs)
            except Exception as error:
                part = as_one(jvps[i], (t, y, *args), node.kwargs, error)
        except Exception as error:
            error.add_note(f"in the forward rule of {name_of(node.op)} with respect to argument {i}")
            raise
        if part is None:
            continue
        total = part if total is None else (
            [p + q for p, q in zip(total, part, strict=True)] if several else total + part)
    if several:
        return [np.zeros_like(x) if total is None else _fit(t, x, node)
                for t, x in zip(total or node.data, node.data, strict=True)]
    return np.zeros_like(node.data)[()] if total is None else _fit(total, node.data, node)


def _push_through(node: Value, arguments: tuple, moving: list[int], tangents: dict[Value, Any], record: bool) -> Any:
    """As ``_push``, for an operation with a definition: forward through the graph of that."""
    fresh, y, since = retraced(node, tangents.keys(), record)
    several = type(node.data) is tuple
    outs = list(y) if several else [y]
    inner = {n: tangents[x] for x, n in fresh.items()}
    forward_pass(reversed(reverse_topological(*(out for out in outs if isinstance(out, Value)), since=since)),
                 inner, record)
    found = [_fit(inner[out], x, node) if isinstance(out, Value) and out in inner else np.zeros_like(x)[()]
             for out, x in zip(outs, node.data if several else [node.data], strict=True)]
    return found if several else found[0]


def _fit(t: Any, like: Any, node: Value) -> Any:
    """A tangent in the shape and dtype of the output ``like``."""
    came, wanted = np.shape(raw(t)), np.shape(like)
    if came != wanted:
        try:
            t = np.broadcast_to(t, wanted)
        except ValueError:
            raise ValueError(f"the forward rule of {name_of(node.op)} returned a tangent of shape {came} for an "
                             f"output of shape {wanted}") from None
    dtype = getattr(like, "dtype", None) or np.dtype(type(like))
    if dtype.kind not in "fc":
        return t
    t = in_dtype_of(t, dtype)
    return float(t) if type(like) is float and isinstance(t, np.floating) else t
