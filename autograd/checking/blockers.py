"""Why an operation lets no gradient through: dead, clipped, masked, saturated, stepped, never picked, cancelled."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import functions
from ..describe import count, number, range_of
from ..graph import raw
from ..numerics import is_numeric
from ..registry import RULES, name_of
from ..rules.indexing import scatter
from ..sources import arguments
from ..updates import at_multiply, at_set
from ..value import Value
from .flow import Block
from .local import is_elementwise

__all__ = ["block_cause", "drop_cause"]

_CLIPS = (functions.hardtanh, *(op for op in RULES if getattr(op, "__name__", "") == "clip"))
_LARGER, _SMALLER = (np.maximum, np.fmax), (np.minimum, np.fmin)
_PRODUCTS = (np.multiply, np.matmul, np.dot, np.vdot, np.inner, np.outer, np.einsum, np.tensordot, np.kron, np.cross,
             np.convolve, np.correlate, np.linalg.multi_dot, np.linalg.vecdot, np.vecdot, functions.affine,
             at_multiply, np.divide)
_FACTORS: dict[Any, Sequence[int]] = {functions.affine: (0, 1), at_multiply: (0, 2)}  # where not all arguments are
_PICKS = (operator.getitem, np.take, np.take_along_axis, np.compress, np.extract, np.delete, np.diagonal, np.trace,
          np.tril, np.triu, np.diag, np.choose, at_set, scatter)
_EXTREMES = (np.max, np.min, np.nanmax, np.nanmin, np.median, np.nanmedian, np.quantile, np.percentile, np.ptp,
             np.maximum.reduce, np.minimum.reduce)
_SATURATING = (functions.sigmoid, functions.softmax, functions.log_softmax, functions.erf, functions.gelu,
               functions.silu, functions.elu, functions.softplus, np.tanh, np.arctan)
_STEPS = (np.sign, np.heaviside)


class _Known(NamedTuple):
    """A reason that is recognised: of which operations, when, and how it is told of a block."""

    ops: tuple[Any, ...]
    when: Callable[[Block, int], bool]
    tell: Callable[[Block, int], str]


def _factors(block: Block, place: int) -> list[int]:
    """The places of the other factors of a product."""
    places = _FACTORS.get(block.node.op, range(len(block.node.args)))
    return [i for i in places if i != place and is_numeric(raw(block.node.args[i]))]


def _those(block: Block) -> str:
    """The numbers that go in and depend on the Value in question, in words."""
    x, total = block.moved, sum(mask.size for *_, mask in block.inputs)
    n = f"{x.size} of {count(total, 'input')} that matter" if x.size < total else (
        f"{total} inputs" if total > 1 else "input")
    if x.dtype.kind == "c":
        return f"the {n}"
    low, high = number(float(x.min())), number(float(x.max()))
    return f"the {n} ({low if low == high else f'{low} … {high}'})"


def _those_are(block: Block) -> str:
    return f"{_those(block)} {'is' if block.moved.size == 1 else 'are'}"


def _dead(block: Block, place: int) -> str:
    inputs = np.concatenate([np.ravel(x.data) for _, _, x, _ in block.inputs])
    dead = int((inputs <= 0).sum())
    if block.moved.size == inputs.size:
        return f"dead ReLU: {_those_are(block)} at most 0"
    of_all = f"of all {inputs.size} inputs, {dead} {'is' if dead == 1 else 'are'}"
    return f"dead ReLU: {_those_are(block)} at most 0; {of_all}"


def _zero_beside(block: Block, place: int) -> bool:
    return any(not np.any(block.beside(i)) for i in _factors(block, place))


def _product(block: Block, place: int) -> str:
    i = next(i for i in _factors(block, place) if not np.any(block.beside(i)))
    name, arg = arguments(block.node)[i], block.node.args[i]
    mask = not isinstance(arg, Value) and bool(np.isin(np.asarray(arg), [0, 1]).all()) and np.any(arg)
    if name.strip("-0.") == "":
        return f"multiplication by 0 at {_those(block)}"
    return f"{'mask' if mask else 'multiplication by 0'}: {name} is 0 at {_those(block)}"


def _some_zeros(block: Block, place: int) -> bool:
    return any(not np.all(raw(block.node.args[i])) for i in _factors(block, place))


def _partly_zero(block: Block, place: int) -> str:
    i = next(i for i in _factors(block, place) if not np.all(raw(block.node.args[i])))
    return (f"multiplication by 0: {arguments(block.node)[i]}, {range_of(raw(block.node.args[i]))}, is 0 wherever it "
            f"meets {_those(block)}")


def _bound(block: Block, place: int) -> str:
    name, other = name_of(block.node.op), block.beside(1 - place)
    if block.node.op in _LARGER and not np.any(other):
        return _dead(block, place)
    side = "below" if block.node.op in _LARGER else "above"
    return f"out of range: {_those_are(block)} {side} {arguments(block.node)[1 - place]}, which {name} takes instead"


def _powers(block: Block) -> np.ndarray:
    return np.asarray(raw(block.node.args[1]))


_KNOWN = [
    _Known((functions.relu,), lambda b, i: True, _dead),
    _Known((*_LARGER, *_SMALLER), lambda b, i: len(b.node.args) == 2, _bound),
    _Known(_CLIPS, lambda b, i: i == 0, lambda b, i: f"clipped: {_those_are(b)} out of range"),
    _Known((np.where, np.select), lambda b, i: True,
           lambda b, i: f"mask: {name_of(b.node.op)} takes another branch at {_those(b)}"),
    _Known((np.power, np.float_power), lambda b, i: i == 0 and not np.any(_powers(b)),
           lambda b, i: "flat: the power is 0, and the result 1 whatever goes in"),
    _Known(_PRODUCTS, _zero_beside, _product),
    _Known(_PRODUCTS, _some_zeros, _partly_zero),
    _Known(_PICKS, lambda b, i: True, lambda b, i: f"index: none of {_those(b)} is taken"),
    _Known(_EXTREMES, lambda b, i: True, lambda b, i: f"choice: none of {_those(b)} is chosen"),
    _Known(_STEPS, lambda b, i: True,
           lambda b, i: f"step: the slope of {name_of(b.node.op)} is 0 wherever there is one"),
    _Known(_SATURATING, lambda b, i: True,
           lambda b, i: f"saturated: the slope of {name_of(b.node.op)} is 0 at {_those(b)}"),
]


def block_cause(block: Block) -> str:
    """Why a block lets nothing through of what moves into it."""
    place, name = block.inputs[0][1], name_of(block.node.op)
    if isinstance(block.node.data, tuple):
        return f"index: of the results of {name}, those that are used do not depend on {_those(block)}"
    if block.lets_through:
        return _cancelled(block)
    for known in _KNOWN:
        if block.node.op in known.ops and known.when(block, place):
            return known.tell(block, place)
    if is_elementwise(block.node):
        return f"flat: the slope of {name} is 0 at {_those(block)}"
    return f"the derivative of {name} is 0 along {_those(block)}"


def _cancelled(block: Block) -> str:
    name = name_of(block.node.op)
    places = [place for node, place, _, _ in block.inputs if node is block.node]
    parts = [arguments(block.node)[place] for place in places]
    if len(parts) > 1:
        return f"cancellation: what {name} sends back along {' and '.join(parts)} adds up to 0"
    return f"cancellation: in the result of {name}, what changes in {parts[0]} adds up to 0"


def drop_cause(node: Value, factor: float, usual: float) -> str:
    """Why an operation makes a gradient smaller by a factor, where the factor of other gradients is ``usual``."""
    name = name_of(node.op)
    if usual > 1e3 * factor:
        what = "the sum of a softmax is 1, whatever goes in, and the gradient of such a sum came in" if (
            node.op is functions.softmax) else "of the gradient that comes in, the parts that it sends back add up to 0"
        return f"cancellation: {what}"
    if node.op in _SATURATING:
        return (f"saturated: the slope of {name} is at most {number(usual)} at its inputs, "
                f"{range_of(raw(node.args[0]))}")
    return f"{name} makes the gradient {number(factor)} times as large"
