"""Formulas that overflow, or lose everything, where a function of the same meaning does not."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..functions import sigmoid, softmax
from ..rules.reductions import axes_of
from ..sources import arguments, grouped
from ..value import Value

__all__ = ["Stable", "stable_form"]

_REACH = 8  # operations from the one to blame to the outermost of a formula
_SHAPES = {np.reshape, np.expand_dims, np.squeeze, operator.getitem}  # between a sum and what it divides


class Stable(NamedTuple):
    """A formula that was found: what it computes, what to write for it, the node it ends in, and all its nodes."""

    what: str
    rewrite: str
    node: Value
    covered: set[Value]


class _Operand(NamedTuple):
    """What stands in the place of an argument, or its negative, as the user wrote it."""

    node: Value
    place: int
    sign: int = 1

    def __str__(self) -> str:
        written = arguments(self.node)[self.place]
        if self.sign > 0:
            return written
        inner = self.node.args[self.place]
        if isinstance(inner, Value) and inner.op is np.negative:
            return arguments(inner)[0]
        return f"-{grouped(written)}"

    def negative(self) -> _Operand:
        return self._replace(sign=-self.sign)


class _Reader:
    """Reads a formula from its last operation inwards, and keeps which nodes it consists of."""

    def __init__(self) -> None:
        self.covered: set[Value] = set()

    def made_by(self, x: Any, *ops: Callable) -> Value | None:
        """The node of one of the operations that ``x`` is."""
        if not isinstance(x, Value) or x.op not in ops:
            return None
        self.covered.add(x)
        return x

    def unshaped(self, x: Any) -> Any:
        """``x`` before its shape was changed, so as to broadcast."""
        while isinstance(x, Value) and x.op in _SHAPES:
            self.covered.add(x)
            x = x.args[0]
        return x

    def exp(self, x: Any) -> _Operand | None:
        """What ``x`` is the exponential of."""
        node = self.made_by(x, np.exp)
        return None if node is None else _Operand(node, 0)

    def beside_one(self, x: Any, *ops: Callable) -> Any:
        """What ``x`` adds to one, or multiplies or divides by: the other operand."""
        node = self.made_by(x, *ops)
        if node is None:
            return None
        a, b = node.args[:2]
        return b if _is(a, 1) else a if _is(b, 1) and node.op is not np.subtract else None

    def sum_of_exp(self, x: Any) -> tuple[_Operand, str] | None:
        node = self.made_by(x, np.sum, np.add.reduce)
        inner = None if node is None else self.exp(node.args[0])
        return None if node is None or inner is None else (inner, _along(node, None))

    def squared(self, x: Any) -> _Operand | None:
        """What ``x`` is the square of."""
        node = self.made_by(x, np.square, np.power, np.multiply)
        if node is None or (node.op is np.power and not _is(node.args[1], 2)) or (
                node.op is np.multiply and node.args[0] is not node.args[1]):
            return None
        return _Operand(node, 0)

    def sigmoid(self, x: Any) -> _Operand | None:
        """What ``x`` is the sigmoid of, by that function or by hand."""
        node = self.made_by(x, sigmoid)
        if node is not None:
            return _Operand(node, 0)
        node = self.made_by(x, np.divide, np.reciprocal, np.power)
        if node is None:
            return None
        top, bottom = (1, node.args[0]) if node.op is not np.divide else node.args
        if node.op is np.power and not _is(node.args[1], -1):
            return None
        z = self.exp(self.beside_one(bottom, np.add))
        if z is None:
            return None
        if _is(top, 1):
            return z.negative()
        numerator = self.exp(top)
        return z if numerator is not None and _same(numerator, z) else None

    def softmax(self, x: Any) -> tuple[_Operand, str] | None:
        """What ``x`` is the softmax of, and along which axis."""
        node = self.made_by(x, softmax)
        if node is not None:
            return _Operand(node, 0), _along(node, -1)
        node = self.made_by(x, np.divide)
        if node is None:
            return None
        total = self.unshaped(node.args[1])
        numerator, summed = self.exp(node.args[0]), self.sum_of_exp(total)
        if numerator is None or summed is None or not _same(numerator, summed[0]) or not _along_axis(node, total):
            return None
        return numerator, summed[1] or ", axis=None"


def _is(x: Any, number: float) -> bool:
    return not isinstance(x, Value) and np.ndim(x) == 0 and isinstance(x, (int, float, np.number)) and x == number


def _same(a: _Operand, b: _Operand) -> bool:
    return a.node.args[a.place] is b.node.args[b.place]


def _axis(node: Value, default: Any) -> Any:
    return node.kwargs.get("axis", node.args[1] if len(node.args) > 1 else default)


def _along(node: Value, default: int | None) -> str:
    """The axis of a call as a further argument, unless it is the default."""
    axis = _axis(node, default)
    return "" if axis == default else f", axis={axis}"


def _kept(node: Value) -> str:
    return ", keepdims=True" if node.kwargs.get("keepdims") is True else ""


def _picked(x: Any) -> tuple[Any, str]:
    """What an index was applied to, and that index as it is written: the stable function takes its place."""
    if isinstance(x, Value) and x.op is operator.getitem:
        inner, index = _picked(x.args[0])
        return inner, f"{index}[{arguments(x)[1]}]"
    return x, ""


def _along_axis(quotient: Value, total: Value) -> bool:
    """Whether each number is divided by the sum that it is a part of: the sums stand where they were taken."""
    axes = axes_of(quotient, _axis(total, None))
    kept = tuple(1 if i in axes else n for i, n in enumerate(quotient.shape))
    divisor = quotient.args[1].shape
    return (1,) * (quotient.ndim - len(divisor)) + divisor == kept


def _log_softmax(reader: _Reader, node: Value) -> str | None:
    p, index = _picked(node.args[0])
    found = reader.softmax(p)
    return None if found is None else f"log_softmax({found[0]}{found[1]}){index}"


def _logsumexp(reader: _Reader, node: Value) -> str | None:
    total, index = _picked(node.args[0])
    found = reader.sum_of_exp(total)
    return None if found is None else f"logsumexp({found[0]}{found[1]}{_kept(total)}){index}"


def _log_sigmoid(reader: _Reader, node: Value) -> str | None:
    p, index = _picked(node.args[0])
    x = reader.sigmoid(p)
    return None if x is None else f"-softplus({x.negative()}){index}"


def _log_rest(reader: _Reader, node: Value) -> str | None:
    p, index = _picked(node.args[0])
    if node.op is np.log:
        x = reader.sigmoid(reader.beside_one(p, np.subtract))
    else:
        negative = reader.made_by(p, np.negative)
        x = None if negative is None else reader.sigmoid(negative.args[0])
    return None if x is None else f"-softplus({x}){index}"


def _softplus(reader: _Reader, node: Value) -> str | None:
    x = reader.exp(reader.beside_one(node.args[0], np.add) if node.op is np.log else node.args[0])
    return None if x is None else f"softplus({x})"


def _sigmoid(reader: _Reader, node: Value) -> str | None:
    x = reader.sigmoid(node)
    return None if x is None else f"sigmoid({x})"


def _softmax(reader: _Reader, node: Value) -> str | None:
    found = reader.softmax(node)
    return None if found is None else f"softmax({found[0]}{found[1]})"


def _length(reader: _Reader, node: Value) -> str | None:
    """The root of a sum of squares."""
    if node.op is np.power and not _is(node.args[1], 0.5):
        return None
    total = reader.made_by(node.args[0], np.sum, np.add.reduce)
    x = None if total is None else reader.squared(total.args[0])
    if total is not None and x is not None:
        return f"np.linalg.norm({x}{_along(total, None)}{_kept(total)})"
    pair = reader.made_by(node.args[0], np.add)
    if pair is not None:
        a, b = map(reader.squared, pair.args)
        return None if a is None or b is None else f"np.hypot({a}, {b})"
    variance = reader.made_by(node.args[0], np.var)
    if variance is not None:
        return f"np.std({_Operand(variance, 0)}{_along(variance, None)}{_kept(variance)})"
    x = reader.squared(node.args[0])
    return None if x is None else f"np.abs({x})"


# By the operation that they end in, each with what it computes
_FORMULAS: dict[Callable, list[tuple[str, Callable[[_Reader, Value], str | None]]]] = {
    np.log: [("log(softmax)", _log_softmax), ("log(sum(exp))", _logsumexp), ("log(sigmoid)", _log_sigmoid),
             ("log(1 - sigmoid)", _log_rest), ("log(1 + exp)", _softplus)],
    np.log1p: [("log(1 + exp)", _softplus), ("log(1 - sigmoid)", _log_rest)],
    np.divide: [("1 / (1 + exp(-x))", _sigmoid), ("exp / sum(exp)", _softmax)],
    np.reciprocal: [("1 / (1 + exp(-x))", _sigmoid)],
    np.power: [("1 / (1 + exp(-x))", _sigmoid),
               ("the root of squares, whose slope at 0 NumPy's own functions have as 0", _length)],
    np.sqrt: [("the root of squares, whose slope at 0 NumPy's own functions have as 0", _length)],
}


def _read(node: Value) -> Stable | None:
    for what, formula in _FORMULAS.get(node.op, []) if node.op else []:
        reader = _Reader()
        call = formula(reader, node)
        if call is not None:
            sign, call = call[: call.startswith("-")], call.removeprefix("-")
            ours = "" if call.startswith("np.") else "autograd.functions."
            return Stable(what, f"{sign}{ours}{call}", node, {*reader.covered, node})
    return None


def stable_form(node: Value, consumers: dict[Value, list[Value]]) -> Stable | None:
    """The largest formula that a node is a part of, for which there is a stable function.

    >>> from autograd.checking.local import consumers_of
    >>> x = Value([0.0, 1.0], name="x")
    >>> e = np.exp(x)
    >>> p = e / e.sum()
    >>> stable_form(e, consumers_of([e, p.args[1], p])).rewrite
    'autograd.functions.softmax(x, axis=None)'
    """
    best, seen, edge = None, {node}, [node]
    for _ in range(_REACH):
        for candidate in edge:
            found = _read(candidate)
            if found is not None and node in found.covered:
                best = found
        edge = [c for c in dict.fromkeys(c for n in edge for c in consumers.get(n, ())) if c not in seen]
        seen.update(edge)
    return best
