"""Looking at a model without changing it: checked arguments, its cost, gradient and graph in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd import Value, no_grad

from .checks import array
from .module import Module
from .training import arrays_in, evaluating, rebuilt

__all__ = ["check_cost", "check_model", "cost_at", "examples", "gradient", "nodes_of", "nodes_under"]


def check_model(who: str, model: Any) -> None:
    """Raise ``TypeError`` where ``model`` is no module, ``ValueError`` where it has no parameters."""
    if not isinstance(model, Module):
        raise TypeError(f"{who}: model must be a module, got {model!r:.60}")
    if not any(p.size for p in model.parameters()):
        raise ValueError(f"{who}: model has no parameters: {model!r:.60}")


def check_cost(who: str, cost: Any) -> None:
    if not callable(cost) or isinstance(cost, type):
        raise TypeError(f"{who}: cost must be a function of output and target, such as nn.mse_loss, got {cost!r:.60}")


def examples(who: str, **inputs: Any) -> tuple[list[Any], int]:
    """The inputs, each an array or a tuple of arrays, and how many examples they hold, which is at least one."""
    found, lengths = [], {}
    for name, given in inputs.items():
        arrays = [array(a) for a in arrays_in(given)]
        for a in arrays:
            if not a.shape:
                raise TypeError(f"{who}: {name} must hold arrays with a row for each example, got {a!r:.60}")
            lengths.setdefault(name, len(a))
            if len(a) != lengths[name]:
                raise ValueError(f"{who}: {name} holds arrays of {lengths[name]} and {len(a)} rows: there must be a "
                                 "row for each example in each")
        found.append(rebuilt(given, iter(arrays)))
    (first, n), *others = lengths.items()
    for name, length in others:
        if length != n:
            raise ValueError(f"{who}: {first} has {n} rows and {name} has {length}: there must be a row for each "
                             "example in both")
    if not n:
        raise ValueError(f"{who}: there are no examples: {' and '.join(inputs)} {'have' if others else 'has'} no rows")
    return found, n


def cost_at(who: str, model: Module, cost: Callable[[Any, Any], Any], x: Any, y: Any,
            arrays: Sequence[Any] | None = None) -> float:
    """The cost in evaluation mode, with these arrays in place of the parameters' own, which come back afterwards."""
    parameters = list(model.parameters())
    own = [p.data for p in parameters]
    try:
        if arrays is not None:
            for p, data in zip(parameters, arrays, strict=True):
                p.data = data
        with evaluating(model), no_grad(), np.errstate(all="ignore"):
            return float(_one_number(who, cost(model(x), y)))
    finally:
        for p, data in zip(parameters, own, strict=True):
            p.data = data


def gradient(who: str, model: Module, cost: Callable[[Any, Any], Any], x: Any, y: Any) -> tuple[float, list[Any]]:
    """The cost in evaluation mode, and its gradient with respect to each parameter; no ``.grad`` changes."""
    with evaluating(model), np.errstate(all="ignore"):
        c = cost(model(x), y)
        if not isinstance(c, Value):
            raise TypeError(f"{who}: the cost must be a Value computed from the model, got {type(c).__name__}")
        _one_number(who, c)
        before = [(node, node.grad) for node in {*nodes_under(c), *model.parameters()}]
        try:
            for node, _ in before:
                node.grad = None
            c.backward(np.ones_like(c.data))
            return float(c), [np.zeros_like(p.data) if p.grad is None else p.grad for p in model.parameters()]
        finally:
            for node, grad in before:
                node.grad = grad


def _one_number(who: str, c: Any) -> Any:
    """The cost, or ``ValueError`` where it is no number."""
    shape = np.shape(c.data if isinstance(c, Value) else c)
    if np.prod(shape) != 1:
        raise ValueError(f"{who}: the cost must be one number, the mean over the examples; got the shape {shape}")
    return c if isinstance(c, Value) else np.asarray(c).item()


def nodes_under(*values: Value) -> list[Value]:
    """The values and all that they were computed from, each after its parents: in the order in which data flows."""
    order: dict[Value, None] = {}
    opened, stack = set(), list(reversed(values))
    while stack:
        node = stack[-1]
        ahead = () if node in opened else [p for p in reversed(node.parents) if p not in order]
        opened.add(node)
        if ahead:
            stack.extend(ahead)
        else:
            order.setdefault(stack.pop())
    return list(order)


def nodes_of(model: Module, x: Any) -> list[Value]:
    """The nodes of what the model computes of ``x`` in evaluation mode."""
    with evaluating(model), np.errstate(all="ignore"):
        return nodes_under(*_values(model(x)))


def _values(output: Any) -> Iterable[Value]:
    if isinstance(output, Value):
        yield output
    elif isinstance(output, (list, tuple)):
        for part in output:
            yield from _values(part)
    elif isinstance(output, dict):
        yield from _values(list(output.values()))
