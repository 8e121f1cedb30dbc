"""One run of what is checked, recorded: its gradients and tangents, and its replay at other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..backward import reverse_pass
from ..forward import forward_pass
from ..graph import in_dtype_of, leading_to, raw, reverse_topological
from ..record import astype, output
from ..trees import tree_map
from ..value import UNRECORDED, Value, unwrap
from .hidden import Trail, same

__all__ = ["Recorded", "Replay"]


class Recorded:
    """Values for the leaves of a subject, and the outputs computed from them, at a point."""

    def __init__(self, leaves: list[Value], outputs: list[Value], point: Sequence[np.ndarray], since: int) -> None:
        self.leaves, self.outputs, self.point = leaves, outputs, point
        self.nodes = reverse_topological(*outputs, since=since)
        self.useful = leading_to(leaves, self.nodes)
        reached = set(self.nodes)
        self.reached = [leaf in reached for leaf in leaves]

    def gradients(self, weights: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        """Of the sum of the outputs' elements times the weights: for each leaf, ``None`` where no path leads to it."""
        found = dict.fromkeys(self.leaves)
        for node, g in self.backward(weights):
            if node in found:
                found[node] = np.array(g, float)
        return [None if not reached else np.zeros(leaf.shape) if g is None else g
                for (leaf, g), reached in zip(found.items(), self.reached, strict=True)]

    def jitter(self, eps: float, rng: np.random.Generator) -> None:
        """Change the result of every operation by about ``eps`` of itself, as rounding does."""
        for node in self.nodes:
            if node.op is not None and node.op is not output:
                node.data = _jittered(node.data, eps, rng)

    def rounding(self, weights: Sequence[np.ndarray]) -> float:
        """The rounding error of the weighted outputs, where every operation rounds its result: √Σ (ε g y)².

        ``g`` is the gradient at an element ``y`` of a node.
        """
        total = 0.0
        for node, g in self.backward(weights):
            if type(node.data) is not tuple:
                eps = float(np.finfo(node.dtype).eps) if node.dtype.kind in "fc" else 0.0
                parts = np.abs(np.multiply(g, node.data))
                total += eps**2 * float(np.sum(np.square(parts[np.isfinite(parts)])))
        return float(np.sqrt(total))

    def damaged(self) -> int | None:
        """The first leaf whose numbers are no longer those of the point."""
        for i, (leaf, x) in enumerate(zip(self.leaves, self.point, strict=True)):
            if not same([leaf.data], [x]):
                return i
        return None

    def unsteady(self) -> Value | None:
        """The first operation that gives something else when it is called again on copies of its arguments."""
        for node in reversed(self.nodes):
            if node.op is None or node.op is output:
                continue
            recorded, again = _results(node.data), _again(node)
            if all(np.allclose(a, b, rtol=_rounding(b), atol=0, equal_nan=True)
                   for a, b in zip(again, recorded, strict=True)):
                continue
            # Sums in another order differ, as those of copies may: no more than by other last digits of the arguments
            others = [_again(node, partial(_nearby, np.random.default_rng(seed))) for seed in range(3)]
            for a, b, *near in zip(again, recorded, *others, strict=True):
                spread = max(float(np.fmax.reduce(np.abs(np.subtract(n, a)), axis=None, initial=0.0)) for n in near)
                if not np.allclose(a, b, rtol=_rounding(b), atol=100 * spread, equal_nan=True):
                    return node
        return None

    def backward(self, weights: Sequence[np.ndarray], record: bool = False) -> Iterator[tuple[Value, Any]]:
        """The reverse pass over this record."""
        start: dict[Value, Any] = {}
        for y, w in zip(self.outputs, weights, strict=True):
            if y.shape != w.shape:
                raise ValueError(f"f returned an output of shape {w.shape} at one point and of {y.shape} at another: "
                                 "its outputs must keep their shapes")
            if y in self.useful:
                w = in_dtype_of(w[()], y.dtype)
                w = float(w) if type(y.data) is float else w
                start[y] = w if y not in start else start[y] + w
        return reverse_pass(self.nodes, start, self.useful, record)

    def tangents(self, move: Sequence[np.ndarray | None]) -> list[np.ndarray]:
        """Of the outputs, when the leaves move; ``None`` is for a leaf that does not."""
        moved = {leaf: in_dtype_of(v[()], leaf.dtype)
                 for leaf, v in zip(self.leaves, move, strict=True) if v is not None}
        forward_pass(reversed(self.nodes), moved)
        return [np.asarray(moved[y] if y in moved else np.zeros(y.shape), float) for y in self.outputs]

    def trail(self) -> Trail:
        """What the operations were applied to besides recorded Values, and what was cut off.

        A detached Value counts as a constant, at the position -1.
        """
        nodes, found = self.nodes[::-1], []
        for node in nodes:
            if node.op is None and node.kwargs is UNRECORDED:
                found.append((node, -1, np.array(node.data)))
            for i, arg in enumerate(node.args):
                if not isinstance(arg, Value) and node.op is not output:
                    found.extend((node, i, part) for part in _arrays(arg))
        return Trail(nodes, found)


def _results(data: Any) -> tuple:
    return tuple(data) if isinstance(data, (tuple, list)) else (data,)


def _again(node: Value, change: Callable = np.array) -> tuple:
    """What a node's operation gives when it is called again on copies of its arguments, or changed ones."""
    def copy(a: Any) -> Any:
        if not isinstance(a, np.ndarray):
            return a
        return (change(a) if a.dtype.kind in "fc" else np.array(a)).astype(a.dtype, copy=False)[()]

    op: Any = node.op
    kwargs = {k: v for k, v in node.kwargs.items() if k != "dtype"}
    return _results(op(*[tree_map(copy, raw(a)) for a in node.args], **kwargs))


def _nearby(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return x * (1 + _rounding(x) / 64 * rng.uniform(-1, 1, x.shape))


def _rounding(x: Any) -> float:
    dtype = np.result_type(x)
    return 64 * float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


def _jittered(data: Any, eps: float, rng: np.random.Generator) -> Any:
    if type(data) is tuple:
        return tuple(_jittered(part, eps, rng) for part in data)
    if np.result_type(data).kind != "f":
        return data
    changed = data * (1 + eps * rng.uniform(-1, 1, np.shape(data)))
    return float(changed) if type(data) is float else changed.astype(data.dtype)


_COPIED = 10_000  # elements up to which a constant is copied, so that a change in place shows


def _arrays(arg: Any) -> Iterator[Any]:
    """The arrays and numbers that an argument is or holds."""
    if isinstance(arg, (list, tuple)):
        for item in arg:
            yield from _arrays(item)
    elif isinstance(arg, (np.ndarray, np.generic, int, float, complex)):
        yield np.array(arg) if np.size(arg) <= _COPIED else arg


class Replay:
    """The recorded operations between one leaf and the outputs, run again at other numbers for that leaf.

    Nothing but arrays is computed with, in the dtype of what is put in: float64 or complex also where the record is of
    float32.
    """

    def __init__(self, record: Recorded, leaf: Value) -> None:
        moving = leading_to([leaf], record.nodes)
        self.slots: list[Any] = []  # the numbers of the run: those of the leaf, of constants, and of every step
        places: dict[Value, int] = {}

        def slot(arg: Any) -> Any:
            """Where an argument will be found; a list of such places for one that holds Values that move."""
            if isinstance(arg, Value) and arg in places:
                return places[arg]
            if isinstance(arg, (list, tuple)) and any(a in moving for a in _values(arg)):
                return [slot(a) for a in arg]
            self.slots.append(raw(arg))
            if isinstance(arg, Value):
                places[arg] = len(self.slots) - 1
            return len(self.slots) - 1

        self.leaf = slot(leaf)
        self.steps: list[tuple[Callable, list, dict, int]] = []
        self.nodes: list[Value] = []
        for node in reversed(record.nodes):
            if node in moving and node.op is not None:
                op: Any = _same if node.op is astype else node.op
                step = op, [slot(a) for a in node.args], {k: v for k, v in node.kwargs.items() if k != "dtype"}
                self.slots.append(None)
                places[node] = len(self.slots) - 1
                self.steps.append((*step, places[node]))
                self.nodes.append(node)
        self.outputs = [slot(y) for y in record.outputs]

    def __call__(self, x: Any, watch: list[tuple[Value, Any]] | None = None) -> list[Any]:
        """The outputs with the leaf at ``x``; what every node gives is added to ``watch``."""
        slots = self.slots
        slots[self.leaf] = x
        for op, args, kwargs, out in self.steps:
            slots[out] = op(*[slots[a] if type(a) is int else _gathered(a, slots) for a in args], **kwargs)
        outputs = [np.array(slots[i]) for i in self.outputs]  # copies, for they may be views of x
        if watch is not None:
            watch.extend(zip(self.nodes, (slots[out] for _, _, _, out in self.steps), strict=True))
        slots[self.leaf] = None  # so that nothing is kept until the next run
        for _, _, _, out in self.steps:
            slots[out] = None
        return outputs


def _values(arg: Any) -> list[Value]:
    found: list[Value] = []
    unwrap(arg, found)
    return found


def _same(x: Any, dtype: Any) -> Any:
    return x


def _gathered(place: Any, slots: list[Any]) -> Any:
    return slots[place] if type(place) is int else [_gathered(p, slots) for p in place]
