"""What flows between a cost and a Value that it was computed from: gradients back, and which numbers move forward."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..backward import reverse_pass
from ..forward import forward_pass
from ..graph import leading_to, raw, reverse_topological
from ..linearize import ones
from ..record import output
from ..value import Value, unwrap
from .local import call_site, consumers_of, is_elementwise, sent_back

__all__ = ["Block", "Flow", "largest", "limits"]

_SEED = 0  # of the random numbers that stand for any direction


def largest(g: Any) -> float:
    """The largest absolute value of a gradient, also of one for several results; 0 where there is none."""
    if type(g) is float:
        return abs(g)
    if isinstance(g, (list, tuple)):
        return max((largest(part) for part in g), default=0.0)
    return 0.0 if g is None or not np.size(g) else float(np.max(np.abs(g)))


@dataclass(eq=False)
class Block:
    """Calls of one operation on one line that let nothing through: what goes in moves with ``source``, the result not.

    ``inputs`` are the arguments that move: the call, the place, the Value, and a mask of its elements that do.
    """

    source: Value
    nodes: list[Value]
    inputs: list[tuple[Value, int, Value, np.ndarray]] = field(default_factory=list)

    @property
    def node(self) -> Value:
        return self.nodes[0]

    @cached_property
    def moved(self) -> np.ndarray:
        """The numbers that move, of all the calls."""
        return np.concatenate([np.asarray(x.data)[mask] for _, _, x, mask in self.inputs])

    def beside(self, place: int) -> np.ndarray:
        """The numbers of another argument, at the elements that move where the operation is elementwise."""
        found = []
        for node, _, _, mask in self.inputs:
            other = np.asarray(raw(node.args[place]))
            if is_elementwise(node):
                other = np.broadcast_to(other, np.broadcast_shapes(other.shape, mask.shape))
                other = other[np.broadcast_to(mask, other.shape)]
            found.append(np.ravel(other))
        return np.concatenate(found)

    @cached_property
    def lets_through(self) -> bool:
        """Whether the rule would send back something to what moves, if another gradient came in."""
        rng = np.random.default_rng(_SEED)
        for node, place, x, mask in self.inputs[:1]:
            for at, parent, share in sent_back(node, any_like(node.data, rng), {x}):
                if at == place and parent is x and np.any(np.asarray(share)[mask]):
                    return True
        return False


class Flow:
    """The gradients of all that lies between ``cost``, whose elements are summed, and ``v``.

    ``nodes`` are those that were computed from ``v``, in reverse topological order, and ``v`` itself.
    """

    def __init__(self, cost: Value, v: Value) -> None:
        self.cost, self.v = cost, v
        nodes = reverse_topological(cost)
        useful = leading_to({v}, nodes)
        self.connected = v in set(nodes)
        self.nodes = [node for node in nodes if node in useful]
        self.useful = useful
        self.arriving: dict[Value, Any] = {}
        gradients = {cost: ones(cost)}
        for node in self.nodes:
            g = gradients.get(node)
            if g is None:
                continue
            self.arriving[node] = g
            if node is not v:
                for _ in reverse_pass([node], gradients, useful):
                    pass

    @property
    def gradient(self) -> Any:
        """The gradient of the cost with respect to ``v``; zeros where no rule sends one back."""
        found = self.arriving.get(self.v)
        return np.zeros_like(self.v.data) if found is None else found

    @cached_property
    def consumers(self) -> dict[Value, list[Value]]:
        return consumers_of(self.nodes)

    def blocks(self, source: Value, mask: np.ndarray) -> list[Block]:
        """Where the numbers of ``source`` at a mask stop to matter: operations whose results do not move with them.

        Each number gets a random tangent, which is pushed forward until it is 0.
        """
        rng = np.random.default_rng(_SEED)
        moving: dict[Value, Any] = {source: np.where(mask, any_like(source.data, rng), 0)[()]}
        found: dict[Any, Block] = {}
        wholes: list[Value] = []
        for node in reversed(self.nodes):
            if node.op is None or node in moving:
                continue
            _push(node, moving, rng)
            if node not in moving:
                continue
            if isinstance(node.data, tuple):
                wholes.append(node)
            if largest(moving[node]) == 0:
                del moving[node]
                if node.op is not output:
                    _add_block(found, source, node, moving)
        for node in wholes:  # of its results, those that move may be used nowhere
            if node in moving and not any(result in moving for result in self.consumers[node]):
                _add_block(found, source, node, moving)
        return list(found.values())

    def reaching(self, block: Block) -> np.ndarray:
        """A mask of the elements of the source of a block that move what goes into it."""
        rng = np.random.default_rng(_SEED)
        back: dict[Value, Any] = {}
        for _, _, x, mask in block.inputs:
            back[x] = back.get(x, 0) + np.where(mask, any_like(x.data, rng), 0)[()]
        source = block.source
        last = max(x._order for x in back)
        nodes = [node for node in self.nodes if node._order <= last]
        for node, g in reverse_pass(nodes, back, self.useful):
            if node is source:
                return np.asarray(g) != 0
        return np.zeros(source.shape, bool)

    def without_gradient(self, block: Block) -> tuple[Value, np.ndarray] | None:
        """A call of a block, and which of its elements matter, if at none of them a gradient arrives at all."""
        masks: dict[Value, Any] = {}
        for node, _, _, moved in block.inputs:
            if is_elementwise(node) and moved.shape == node.shape:
                masks[node] = masks[node] | moved if node in masks else moved
        for node in block.nodes:
            g = self.arriving.get(node)
            if isinstance(node.data, tuple) or (g is not None and np.any(np.asarray(g)[masks.get(node, ...)])):
                return None
        return block.node, masks.get(block.node, np.ones(block.node.shape, bool))

    def way(self, through: Value | None = None) -> list[Value]:
        """The nodes on a way from the cost to ``v``, through one of them: those that send the largest shares back."""
        way = [self.v if through is None else through]
        while way[-1] is not self.cost:
            way.append(self._heaviest(way[-1]))
        way.reverse()
        while way[-1] is not self.v:
            way.append(next(p for p in way[-1].parents if p in self.useful))
        return way

    def _heaviest(self, node: Value) -> Value:
        """The operation that sends the largest share back to a node; of equal ones, that nearest to the cost."""
        candidates = self.consumers[node]
        if len(candidates) == 1:
            return candidates[0]
        return max(candidates, key=lambda c: (self.share(c, node), largest(self.arriving.get(c)), c._order))

    def share(self, node: Value, parent: Value) -> float:
        """The size of what a node sends back to one that it was computed from."""
        g = self.arriving.get(node)
        return 0.0 if g is None else _share(node, g, parent)

    def factor(self, node: Value, parent: Value) -> float:
        """How many times as large what a node sends back is as what arrives; or would be, but that it is next to 0."""
        size, share = largest(self.arriving.get(node)), self.share(node, parent)
        smallest = float(limits(self.v.dtype).tiny)
        if share < smallest:
            usual = self.usual_factor(node, parent)
            if size * usual < smallest:
                return usual
        return share / size

    def usual_factor(self, node: Value, parent: Value) -> float:
        """The same if random numbers arrived."""
        probe = any_like(node.data, np.random.default_rng(_SEED))
        return _share(node, probe, parent) / largest(probe)


def _share(node: Value, g: Any, parent: Value) -> float:
    found = {node: g}
    for _ in reverse_pass([node], found, {parent}):
        pass
    return largest(found.get(parent))


def _add_block(found: dict[Any, Block], source: Value, node: Value, moving: dict[Value, Any]) -> None:
    block = found.setdefault(call_site(node), Block(source, []))
    block.nodes.append(node)
    for place, arg in enumerate(node.args):
        held: list[Value] = []
        unwrap(arg, held)
        block.inputs += [(node, place, x, np.asarray(moving[x]) != 0) for x in dict.fromkeys(held) if x in moving]


def limits(dtype: np.dtype) -> np.finfo:
    """The smallest and largest numbers of a dtype, of floats also where someone set ``.data`` to integers."""
    return np.finfo(np.result_type(dtype, np.float16))


def any_like(data: Any, rng: np.random.Generator) -> Any:
    """Random numbers of at least ½ in the shape and dtype of ``data``, or of several results."""
    if isinstance(data, tuple):
        return [any_like(x, rng) for x in data]
    if type(data) is float:
        return float(rng.uniform(0.5, 1.5))
    numbers = rng.uniform(0.5, 1.5, np.shape(data))
    return np.asarray(numbers).astype(np.result_type(data, np.float16))[()]


def _push(node: Value, moving: dict[Value, Any], rng: np.random.Generator) -> None:
    """Add the tangent of a node, scaled where it would soon be too small or large to tell."""
    try:
        forward_pass([node], moving)
    except Exception:  # a rule of the user's that has no forward mode: then all of its results may move
        moving[node] = any_like(node.data, rng)
    t = moving.get(node)
    if t is None or isinstance(t, list):
        return
    size, info = largest(t), limits(node.dtype)
    if size and not float(info.tiny) ** 0.5 < size < float(info.max) ** 0.5 and np.isfinite(size):
        moving[node] = t / size
