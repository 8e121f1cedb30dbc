"""The backward pass as a graph, and the backward pass of that: what ``draw`` shows beside a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..backward import reverse_pass
from ..graph import reverse_topological
from ..parts import part
from ..record import recording
from ..value import Value

__all__ = ["with_derivatives"]


class Backward:
    """One backward pass, whose operations are drawn in a frame of their own."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.seeds: list[Value] = []

    def parameters(self) -> list[Value]:
        return self.seeds

    @part
    def __call__(self, values: Sequence[Value], leaves: Sequence[Value]) -> list[Value | None]:
        """The gradients of the values' sum, recorded; ``None`` where there is none, or where it is a constant."""
        seeds = {v: Value(np.ones_like(v.data), name="1") for v in values}
        self.seeds = list(seeds.values())
        found, wanted = {}, set(leaves)
        with recording(True):
            for node, g in reverse_pass(reverse_topological(*values), {**seeds}, None, record=True):
                if node in wanted:
                    found[node] = g if isinstance(g, Value) else None
        return [found.get(leaf) for leaf in leaves]


def with_derivatives(values: Sequence[Value], order: int, names: Mapping[Value, str]) -> tuple[list[Value], dict]:
    """The Values and, as graphs, the gradients of their sum with respect to every leaf, and those of these gradients'.

    The second thing are names for the gradients.
    """
    leaves = [node for node in reverse_topological(*values)[::-1] if node.op is None]
    y = names.get(values[0], "y") if len(values) == 1 else "Σ"
    of, ends, called = list(values), list(values), {}
    for k in range(1, order + 1):
        gradients = Backward("backward" if k == 1 else "second derivatives")(of, leaves)
        of = []
        for leaf, g in zip(leaves, gradients, strict=True):
            if g is not None and g not in called and leaf in names:
                called[g] = f"∂{y}/∂{names[leaf]}" if k == 1 else f"∂(Σ∂{y})/∂{names[leaf]}"
            if g is not None:
                of.append(g)
        of = list(dict.fromkeys(of))
        ends += of
        if not of:
            break
    return ends, called
