"""micrograd: a graph of scalars, which Nudge's ``nn.neuron`` follows name by name."""

from __future__ import annotations

from micrograd.engine import Value
from micrograd.nn import MLP

from ..scalar_network import prepared
from . import Prepared


def scalars(variant: str, count: int) -> Prepared:
    return prepared(Value, MLP, count)
