"""The reverse pass: the chain rule over a recorded graph, in reverse topological order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from .registry import RULES, name_of
from .value import CALL, Value, astype, output

__all__ = ["backward", "owned", "reverse_pass", "reverse_topological"]


def reverse_topological(value: Value) -> list[Value]:
    """``value`` and all that it was computed from, every node before its parents.

    >>> x = Value(2.0)
    >>> [node.data for node in reverse_topological(x * x + 1)]
    [5.0, 4.0, 2.0]
    """
    seen, stack = {value}, [value]
    while stack:
        node = stack.pop()
        for parent in node.parents if node._second is CALL else (node._first, node._second):
            if isinstance(parent, Value) and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=attrgetter("_order"), reverse=True)


def reverse_pass(nodes: list[Value], gradient: Any, targets: Collection[Value] | None = None,
                 record: bool = False) -> Iterator[tuple[Value, Any]]:
    """Yield every node with its gradient, from ``nodes[0]``, whose gradient is given, back to the leaves.

    A node comes when its gradient is complete, that is, after all that was computed from it. With ``targets``,
    only nodes from which a target can be reached are visited. With ``record``, the rules run on the Values
    themselves, so that the gradients are Values with a graph of their own, which can be differentiated again.
    """
    useful = _leading_to(targets, nodes) if targets is not None else None
    gradients = {nodes[0]: gradient}
    for node in nodes:
        g = gradients.pop(node, None)
        if g is None:
            continue
        if node.op is output:  # one of several results: its gradient goes into its slot
            whole, i = node.args
            yield node, g
            if useful is None or whole in useful:
                gradients.setdefault(whole, [None] * len(whole.data))[i] = g
            continue
        if type(node.data) is tuple:
            g = [np.zeros_like(x) if part is None else part for x, part in zip(node.data, g, strict=True)]
        else:
            yield node, g
        if node.op is None:
            continue
        vjps, kwargs = RULES[node.op].vjps, node.kwargs
        arguments: Any = node._first if node._second is CALL else (node._first, node._second)
        if record:
            args, y = arguments, node
        else:
            args, y = [], node.data
            for arg in arguments:
                args.append(arg.data if isinstance(arg, Value) else _raw(arg))
        for i, arg in enumerate(arguments):
            if isinstance(arg, Value):
                if useful is not None and arg not in useful:
                    continue
                try:
                    part = vjps[i](g, y, *args, **kwargs) if kwargs else vjps[i](g, y, *args)
                except Exception as error:
                    part = _retry(error, vjps[i], node, i, g, y, args)
                if part is None:
                    continue
                like, kind = arg.data, type(part)  # most often of the right type, shape and dtype already
                if kind is not type(like) or (
                        kind is not float and (part.shape != like.shape or part.dtype != like.dtype)):
                    part = _unbroadcast(part, like, node, i)
                gradients[arg] = gradients[arg] + part if arg in gradients else part
            elif _reaches(arg, useful):
                try:
                    parts = vjps[i](g, y, *args, **kwargs)
                except Exception as error:
                    parts = _retry(error, vjps[i], node, i, g, y, args)
                for a, part in zip(arg, parts, strict=True):
                    if isinstance(a, Value) and (useful is None or a in useful):
                        part = _unbroadcast(part, a.data, node, i)
                        gradients[a] = gradients[a] + part if a in gradients else part


def _reaches(arg: Any, useful: Collection[Value] | None) -> bool:
    """Whether a list of arguments, such as that of ``np.concatenate``, holds a Value that needs a gradient."""
    return type(arg) in (list, tuple) and any(
        isinstance(a, Value) and (useful is None or a in useful) for a in arg)


def _retry(error: Exception, vjp: Any, node: Value, i: int, g: Any, y: Any, args: Any) -> Any:
    try:
        if isinstance(error, (ZeroDivisionError, OverflowError)):
            # Python's floats raise where NumPy's give inf or nan
            return vjp(*(np.float64(x) if type(x) is float else x for x in (g, y, *args)), **node.kwargs)
        raise error
    except Exception as error:
        error.add_note(f"in the derivative rule of {name_of(node.op)} with respect to argument {i}")
        raise


def _leading_to(targets: Collection[Value], nodes: list[Value]) -> set[Value]:
    useful = set(targets)
    for node in reversed(nodes):
        if not useful.isdisjoint(node.parents):
            useful.add(node)
    return useful


def _raw(x: Any) -> Any:
    if isinstance(x, Value):
        return x.data
    return type(x)([_raw(item) for item in x]) if type(x) in (list, tuple) else x


def _unbroadcast(g: Any, like: Any, node: Value, i: int) -> Any:
    """``g`` summed over the axes along which ``like`` was broadcast, in the dtype of ``like``."""
    came, wanted = getattr(g, "shape", ()), getattr(like, "shape", ())
    dtype = getattr(like, "dtype", None) or np.dtype(type(like))
    if came != wanted:
        added = len(came) - len(wanted)
        if added < 0 or any(n not in (1, m) for n, m in zip(wanted, came[added:], strict=True)):
            raise ValueError(f"the derivative rule of {name_of(node.op)} returned a gradient of shape {came} for "
                             f"argument {i} of shape {wanted}: it cannot be summed to that shape")
        if came[added:] == wanted:
            g = g.sum(axis=0 if added == 1 else tuple(range(added)))
        else:
            axes = [*range(added), *(added + k for k, n in enumerate(wanted) if n == 1 and came[added + k] != 1)]
            g = g.sum(axis=tuple(axes)).reshape(wanted)
    if isinstance(g, Value):
        return g if g.dtype == dtype else astype(g if dtype.kind == "c" else np.real(g), dtype)
    if dtype.kind != "c" and (isinstance(g, complex) or np.iscomplexobj(g)):
        g = g.real
    if not wanted:
        return type(like)(g)
    return g if g.dtype == dtype else g.astype(dtype)


def owned(g: Any) -> Any:
    """A gradient as an array of its own: one that comes out of a pass may be shared, or a read-only view."""
    return g.copy() if getattr(g, "ndim", 0) else g


def backward(self: Value, gradient: Any = None) -> None:
    """Add the gradient of this value to ``.grad`` of every node it was computed from, leaves and intermediates.

    For a tensor, ``gradient`` is the gradient that comes in, ∂C/∂self, of the same shape; the gradients that are
    added are then those of ``C``. Gradients add up over calls: set ``.grad`` to ``None`` (an optimizer's
    ``zero_grad``) to start anew. For gradients that can be differentiated again, use ``autograd.grad``.

    Raises ``ValueError`` for a tensor without ``gradient`` or with one of another shape, and ``TypeError`` for a
    complex cost.

    >>> w = Value([1.0, 2.0])
    >>> (w**2).sum().backward()
    >>> w.grad
    array([2., 4.])
    """
    data = self.data
    if gradient is None:
        if self.size != 1:
            raise ValueError(f"backward of a Value of shape {self.shape} needs the gradient that comes in: write "
                             "v.sum().backward(), or v.backward(gradient) with an array of that shape")
        if self.dtype.kind == "c":
            raise TypeError("backward of a complex Value needs the gradient that comes in: write "
                            "np.real(v).backward() for a real cost, or v.backward(gradient)")
        g = 1.0 if type(data) is float else np.ones_like(data) if self.shape else data.dtype.type(1)
    else:
        if isinstance(gradient, Value):
            raise TypeError("gradient: expected an array or a number, got a Value; pass its .data")
        g = np.asarray(gradient) if isinstance(gradient, (list, tuple)) else gradient
        if getattr(g, "shape", ()) != self.shape:
            raise ValueError(f"gradient: expected the shape {self.shape} of the Value, got {np.shape(g)}; "
                             "write np.full_like(v.data, g) to repeat a number")
        g = g.astype(self.dtype) if self.shape else type(data)(g)
    for node, gradient in reverse_pass(reverse_topological(self), g):
        if node.grad is not None:
            node.grad = node.grad + gradient
        else:
            node.grad = gradient if node.op else owned(gradient)


Value.backward = backward
