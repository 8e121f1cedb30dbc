"""What each layer of a model computed, found in the recorded graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Value, functions, parts

from ..inspection import nodes_of
from ..module import Module
from ..shaping import Flatten

__all__ = ["Layer", "activation", "outputs"]

_ACTIVATIONS: dict[Any, str] = {f: f.__name__ for f in (
    functions.relu, functions.leaky_relu, functions.elu, functions.gelu, functions.silu, functions.softplus,
    functions.hardtanh, functions.sigmoid, functions.softmax, functions.log_softmax, np.tanh)}


@dataclass
class Layer:
    """A module, or an activation function that one calls, and the nodes that its calls gave."""

    name: str
    nodes: list[Value] = field(default_factory=list)


def outputs(who: str, model: Module, x: Any) -> list[Layer]:
    """The layers in the order in which data flows: modules that hold no others, and activation functions.

    Of what goes on inside of a module without parameters, such as a pool, only its output counts. Raises ``ValueError``
    where nothing that the model computes of ``x`` is a Value.
    """
    names = {id(m): f"{path} {type(m).__name__}".strip() for path, m in model.named_modules()
             if not any(m.named_children())}
    nodes = nodes_of(model, x)
    inside: dict[Value, Module] = {}
    for node in nodes:
        for part in parts(node):
            if id(part.owner) in names:
                inside.update((inner, part.owner) for inner in _held(node, part))
    found: dict[Any, Layer] = {}
    before = ""
    for node in nodes:
        owner = next((part.owner for part in parts(node) if id(part.owner) in names), None)
        if owner is not None:
            if not isinstance(owner, Flatten):
                before = names[id(owner)]
                found.setdefault(before, Layer(before)).nodes.append(node)
        elif activation(node):
            home = inside.get(node)
            if home is None or any(home.own_parameters()):
                where = f" in {names[id(home)]}" if home else f" after {before}" if before else ""
                name = f"{activation(node)}{where}"
                found.setdefault(name, Layer(name)).nodes.append(node)
    if not found:
        raise ValueError(f"{who}: {type(model).__name__} computes no Value of x in a module that holds no others, or "
                         "by an activation function")
    return list(found.values())


def activation(node: Value) -> str:
    """The name of the activation function that gave a node, nothing for others; ``np.maximum(x, 0)`` is a ReLU."""
    if node.op is np.maximum and any(isinstance(a, (int, float)) and a == 0 for a in node.args):
        return "relu"
    return _ACTIVATIONS.get(node.op, "")


def _held(node: Value, part: Any) -> list[Value]:
    """The node that a call gave, and what the call computed it from."""
    found, near = {node: None}, [node]
    while near:
        for parent in near.pop().parents:
            if part.holds(parent) and parent not in found:
                found[parent] = None
                near.append(parent)
    return list(found)
