"""Neurons made of scalar Values, to draw and to learn from: every weight is a node of its own.

Programs written for micrograd run with the import changed: ``from autograd import Value`` and
``from nn.neuron import Neuron, Layer, MLP``. As there, ReLU neurons come before a linear last layer, weights start
uniform between -1 and 1, and without ``rng`` they come from Python's ``random`` module, so that ``random.seed``
gives the same network as it does there. Two things differ: a gradient is ``None`` until a backward pass reaches it, and
a graph is walked by ``parents`` and ``op`` and drawn by ``autograd.draw``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from autograd import Value, part

from .random import Randomness, generator

__all__ = ["MLP", "Layer", "Module", "Neuron"]


class Module:
    """What neurons, layers and networks share."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls):
            cls.__call__ = part(cls.__call__)

    def parameters(self) -> list[Value]:
        return []

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        for p in self.parameters():
            p.grad = 0


class Neuron(Module):
    """relu(Σ wᵢ xᵢ + b) of ``nin`` inputs; without the relu where ``nonlin`` is false.

    >>> neuron = Neuron(2, rng=0)
    >>> neuron([1.0, -2.0]).op is None, len(neuron.parameters())
    (False, 3)
    """

    def __init__(self, nin: int, nonlin: bool = True, *, rng: Randomness | None = None) -> None:
        uniform = random.uniform if rng is None else generator(rng, "Neuron").uniform
        self.w = [Value(uniform(-1, 1), name=f"w{i}") for i in range(nin)]
        self.b = Value(0.0, name="b")
        self.nonlin = nonlin

    def __call__(self, x: Sequence[Any]) -> Value:
        if len(x) != len(self.w):
            raise ValueError(f"{self!r}: expected {len(self.w)} inputs, got {len(x)}")
        act: Value = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.nonlin else act

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """``nout`` neurons that see the same ``nin`` inputs; one output is given bare, several as a list."""

    def __init__(self, nin: int, nout: int, *, rng: Randomness | None = None, **kwargs: Any) -> None:
        rng = None if rng is None else generator(rng, "Layer")
        self.neurons = [Neuron(nin, rng=rng, **kwargs) for _ in range(nout)]

    def __call__(self, x: Sequence[Any]) -> Any:
        out = [n(x) for n in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        return [p for n in self.neurons for p in n.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(str(n) for n in self.neurons)}]"


class MLP(Module):
    """Layers of ``nouts`` neurons one after the other, the last of them linear.

    >>> MLP(2, [2, 1], rng=0)
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]
    """

    def __init__(self, nin: int, nouts: Sequence[int], *, rng: Randomness | None = None) -> None:
        rng = None if rng is None else generator(rng, "MLP")
        sizes = [nin, *nouts]
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != len(nouts) - 1, rng=rng) for i in range(len(nouts))]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"
