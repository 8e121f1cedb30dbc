"""The reverse pass: the chain rule over a recorded graph, in reverse topological order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import numpy as np

from .calls import as_one
from .graph import in_dtype_of, leading_to, paired, raw, retraced, reverse_topological
from .numerics import like_number
from .record import output, outputs
from .registry import RULES, name_of
from .value import CALL, UNRECORDED, Value, leaf, unwrap

__all__ = ["backward", "owned", "reverse_pass"]


def reverse_pass(nodes: list[Value], gradients: dict[Value, Any], useful: Collection[Value] | None = None,
                 record: bool = False) -> Iterator[tuple[Value, Any]]:
    """Yield every node with its gradient, from the outputs, whose gradients are given, back to the leaves.

    ``nodes`` are in reverse topological order. A node comes when its gradient is complete, that is, after all that was
    computed from it. With ``useful``, only those nodes are visited (see ``leading_to``). With ``record``, the rules run
    on the Values themselves, so that the gradients are Values with a graph of their own, which can be differentiated
    again.
    """
    for node in nodes:
        g = gradients.pop(node, None)
        if g is None:
            continue
        if node.op is output:  # one of several results: its gradient goes into its slot
            whole, i = node.args
            yield node, g
            if useful is None or whole in useful:
                parts = gradients.setdefault(whole, [None] * len(whole.data))
                parts[i] = g if parts[i] is None else parts[i] + g  # rules pick results anew, as nodes of their own
            continue
        if type(node.data) is not tuple:
            yield node, g
        if node.op is None:
            continue
        rule = RULES[node.op]
        first: Any = node._first
        second: Any = node._second
        if rule.definition is not None:
            if record or not rule.vjps or not _pull(node, g, rule.vjps, gradients, useful, record):
                _pull_through(node, g, gradients, useful, record)
            continue
        vjps = rule.vjps
        if second is CALL:
            if type(node.data) is tuple:
                g = [np.zeros_like(x) if part is None else part for x, part in zip(node.data, g, strict=True)]
            _pull(node, g, vjps, gradients, useful, record)
            continue
        # An operator with its two operands, written out: scalar graphs consist of little else.
        pull_first, pull_second = isinstance(first, Value), isinstance(second, Value)
        if record:
            y, a, b = node, first, second
        else:
            y = node.data
            a = first.data if pull_first else first
            b = second.data if pull_second else second
        if useful is not None:
            pull_first, pull_second = pull_first and first in useful, pull_second and second in useful
        if pull_first:
            try:
                part = vjps[0](g, y, a, b)
            except Exception as error:
                part = _retry(error, vjps, node, 0, g, y, (a, b))
            if part is not None:
                like = first.data
                if type(part) is not type(like) or (type(part) is not float and (
                        part.shape != like.shape or part.dtype is not like.dtype)):
                    part = _fit(part, like, node, 0)
                total = gradients.get(first)
                gradients[first] = part if total is None else total + part
        if pull_second:
            try:
                part = vjps[1](g, y, a, b)
            except Exception as error:
                part = _retry(error, vjps, node, 1, g, y, (a, b))
            if part is not None:
                like = second.data
                if type(part) is not type(like) or (type(part) is not float and (
                        part.shape != like.shape or part.dtype is not like.dtype)):
                    part = _fit(part, like, node, 1)
                total = gradients.get(second)
                gradients[second] = part if total is None else total + part


def _pull(node: Value, g: Any, vjps: Any, gradients: dict[Value, Any], useful: Collection[Value] | None,
          record: bool) -> bool:
    """Add to ``gradients`` what a call with any arguments sends back to each; false where a rule leaves it undone."""
    kwargs, arguments = node.kwargs, node._first
    if record:
        args, y = arguments, node if type(node.data) is not tuple else outputs(node)
    else:
        y = node.data
        args = [a.data if isinstance(a, Value) else raw(a) if isinstance(a, (list, tuple, dict)) else a
                for a in arguments]
    for i, arg in enumerate(arguments):
        alone = isinstance(arg, Value)
        if (useful is not None and arg not in useful) if alone else not _reaches(arg, useful):
            continue
        try:
            part = vjps[i](g, y, *args, **kwargs) if kwargs else vjps[i](g, y, *args)
        except Exception as error:
            part = _retry(error, vjps, node, i, g, y, args)
        if part is None:
            continue
        if part is NotImplemented:
            return False
        if alone:
            like = arg.data  # most often part is of its type, shape and dtype already
            if type(part) is not type(like) or (type(part) is not float and (
                    part.shape != like.shape or part.dtype is not like.dtype)):
                part = _fit(part, like, node, i)
            total = gradients.get(arg)
            gradients[arg] = part if total is None else total + part
            continue
        for a, p in paired(arg, part):
            if useful is None or a in useful:
                p = _fit(p, a.data, node, i)
                gradients[a] = gradients[a] + p if a in gradients else p
    return True


def _pull_through(node: Value, g: Any, gradients: dict[Value, Any], useful: Collection[Value] | None,
                  record: bool) -> None:
    """As ``_pull``, for an operation with a definition: backward through the graph of that."""
    try:
        found = _through(node, g, useful, record)
    except Exception as error:
        wanted = [i for i, a in enumerate(node.args) if isinstance(a, Value) and (useful is None or a in useful)]
        parts = as_one(partial(_pulled, node.op, wanted), (g, *map(raw, node.args)), node.kwargs, error)
        found = {node.args[i]: part for i, part in zip(wanted, parts, strict=True)}
    for x, part in found.items():
        if part is not None:
            gradients[x] = gradients[x] + part if x in gradients else part


def _pulled(op: Any, wanted: list[int], g: Any, *args: Any, **kwargs: Any) -> tuple:
    """The gradients of some arguments of a function with a definition, of arrays."""
    values = {i: leaf(a) for i, a in enumerate(args) if i in wanted}
    node: Any = leaf(op(*args, **kwargs))
    node.op, node._first, node.kwargs = op, tuple(values.get(i, a) for i, a in enumerate(args)), kwargs
    found = _through(node, g, None, False)
    return tuple(found.get(v, np.zeros_like(v.data)) for v in values.values())


def _through(node: Value, g: Any, useful: Collection[Value] | None, record: bool) -> dict[Value, Any]:
    fresh, y, since = retraced(node, useful, record)
    outs = [(out, part) for out, part in (zip(y, g, strict=True) if type(node.data) is tuple else [(y, g)])
            if isinstance(out, Value) and part is not None]
    inner: dict[Value, Any] = {}
    for out, part in outs:
        inner[out] = part if out not in inner else inner[out] + part
    found = dict.fromkeys(fresh.values())
    nodes = reverse_topological(*inner, since=since)
    for n, part in reverse_pass(nodes, inner, leading_to(found, nodes), record):
        if n in found:
            found[n] = part
    return {x: found[n] for x, n in fresh.items()}


def _reaches(arg: Any, useful: Collection[Value] | None) -> bool:
    """Whether a container, such as the list that ``np.concatenate`` joins, holds a Value that needs a gradient."""
    if not isinstance(arg, (list, tuple, dict)):
        return False
    found: list[Value] = []
    unwrap(arg, found)
    return any(useful is None or a in useful for a in found)


def _retry(error: Exception, vjps: Any, node: Value, i: int, g: Any, y: Any, args: Any) -> Any:
    """A rule failed: where Python's floats raise, NumPy's give inf or nan; else say which rule it was."""
    if i >= len(vjps) or vjps[i] is None:
        raise TypeError(f"{name_of(node.op)} has no vjp with respect to argument {i}: reverse mode needs one. Add one "
                        f"with autograd.defvjp({name_of(node.op)}, lambda y, x: lambda g: g * ...)") from None
    try:
        if isinstance(error, (ZeroDivisionError, OverflowError)):
            return vjps[i](*(np.float64(x) if type(x) is float else x for x in (g, y, *args)), **node.kwargs)
        return as_one(vjps[i], (g, y, *args), node.kwargs, error)
    except Exception as error:
        error.add_note(f"in the derivative rule of {name_of(node.op)} with respect to argument {i}")
        raise


def _fit(g: Any, like: Any, node: Value, i: int) -> Any:
    """``g`` summed over the axes along which ``like`` was broadcast, in the dtype of ``like``."""
    data = g.data if isinstance(g, Value) else g
    if type(data) is type(like) and (type(data) is float or (data.shape == like.shape and data.dtype == like.dtype)):
        return g
    came, wanted = getattr(g, "shape", ()), getattr(like, "shape", ())
    kind = "f" if type(g) in (int, float, complex) else getattr(getattr(g, "dtype", None), "kind", "O")
    if kind == "O":
        raise TypeError(f"the derivative rule of {name_of(node.op)} with respect to argument {i} returned "
                        f"{type(g).__name__} {g!r:.60}: expected a number or an array")
    dtype = getattr(like, "dtype", None) or np.dtype(type(like))
    if dtype.kind not in "fc":  # someone set .data to integers
        dtype, like = np.dtype(float), np.asarray(like, dtype=float)[()]
    if came != wanted:
        added = len(came) - len(wanted)
        if added > 0 and came[added:] == wanted:
            g = g.sum(axis=0 if added == 1 else tuple(range(added)))
        elif added < 0 or any(n not in (1, m) for n, m in zip(wanted, came[added:], strict=True)):
            raise ValueError(f"the derivative rule of {name_of(node.op)} returned a gradient of shape {came} for "
                             f"argument {i} of shape {wanted}: it cannot be summed to that shape")
        else:
            axes = [*range(added), *(added + k for k, n in enumerate(wanted) if n == 1 and came[added + k] != 1)]
            g = g.sum(axis=tuple(axes)).reshape(wanted)
    if isinstance(g, Value) or wanted:
        return in_dtype_of(g, dtype)
    g = in_dtype_of(g, dtype)
    if hasattr(like, "like_number"):
        return like_number(g, like)
    return type(like)(g) if isinstance(g, (float, np.generic)) else g


def owned(g: Any) -> Any:
    """A gradient as an array of its own: one that comes out of a pass may be shared, or a read-only view."""
    return g.copy() if getattr(g, "ndim", 0) else g


def backward(self: Value, gradient: Any = None) -> None:
    """Add the gradient of this value to ``.grad`` of every node it was computed from, leaves and intermediates.

    For a tensor, ``gradient`` is the gradient that comes in, ∂C/∂self, of the same shape; the gradients that are
    added are then those of ``C``. Gradients add up over calls: set ``.grad`` to ``None`` (an optimizer's
    ``zero_grad``) to start anew. For gradients that can be differentiated again, use ``autograd.grad``.

    A leaf's gradient is an array of its own; those of intermediates may share memory, so look at them but do not
    change them in place. The gradient of a real cost with respect to a complex z = x + iy is ∂C/∂x - i ∂C/∂y, as in
    HIPS autograd and JAX, the conjugate of PyTorch's: descend along ``np.conj(z.grad)``.

    Raises ``ValueError`` for a tensor without ``gradient``, for a ``gradient`` of another shape, and for a result that
    was not recorded, and ``TypeError`` for a complex cost. After an error, no ``.grad`` has changed.

    >>> w = Value([1.0, 2.0])
    >>> (w**2).sum().backward()
    >>> w.grad
    array([2., 4.])
    """
    data = self.data
    if self.kwargs is UNRECORDED:
        raise ValueError("this Value was detached or computed under no_grad: nothing leads from it to what it was "
                         "computed from; compute it again outside of no_grad")
    if gradient is None:
        if self.size != 1:
            raise ValueError(f"backward of a Value of shape {self.shape} needs the gradient that comes in: write "
                             "v.sum().backward(), or v.backward(gradient) with an array of that shape")
        if self.dtype.kind == "c":
            raise TypeError("backward of a complex Value needs the gradient that comes in: write "
                            "np.real(v).backward() for a real cost, or v.backward(gradient)")
        g: Any = 1.0 if type(data) is float else np.ones_like(data) if self.shape else data.dtype.type(1)
        g = like_number(g, data)
    else:
        if isinstance(gradient, Value):
            raise TypeError("gradient: expected an array or a number, got a Value; pass its .data")
        g = np.asarray(gradient) if isinstance(gradient, (list, tuple)) else gradient
        if getattr(g, "shape", ()) != self.shape:
            raise ValueError(f"gradient: expected the shape {self.shape} of the Value, got {np.shape(g)}; "
                             "write np.full_like(v.data, g) to repeat a number")
        if np.iscomplexobj(g) and self.dtype.kind != "c":
            raise TypeError("gradient: expected real numbers for a real Value, got complex ones")
        g = g.astype(self.dtype) if self.shape else type(data)(g)
    reached, gradients = [], []  # apart, because a pair for each node would be one more for the collector to walk
    for node, gradient in reverse_pass(reverse_topological(self), {self: g}):
        reached.append(node)
        gradients.append(gradient)
    for node, gradient in zip(reached, gradients, strict=True):  # only now, so that an error changes nothing
        if node.grad is not None:
            node.grad = node.grad + gradient
        else:
            node.grad = gradient if node.op else owned(gradient)


Value.backward = backward
