"""Recurrences as compiled loops: a few examples go through all steps, with the weights packed for blocks of registers.

Examples do not meet in a recurrence, so that threads share the batch, and never wait for one another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ..recurrence_loops import gru_backward, gru_forward, lstm_backward, lstm_forward, rnn_backward, rnn_forward
from .numba_threads import threads, together
from .program import Op, Var

__all__ = ["recurrence"]

VECTORS = 2  # of registers, which make a panel of the weights
MUCH = 4_000_000  # multiplications that are worth a second thread


def recurrence(op: Op) -> Callable | None:
    """The compiled loop of an operation that is a recurrence of arrays of one dtype; ``None`` for any other.

    It is called with the arrays to write to, and the operation's arguments.
    """
    call = CALLS.get(op.function)
    if call is None or len({v.dtype for v in op.reads if v.dtype.kind == "f"}) > 1:
        return None
    return partial(call, _Plan(op))


class _Plan:
    """What is the same at each call: sizes, and the memory that results are computed in."""

    def __init__(self, op: Op) -> None:
        from .numba_blocks import registers
        name, weight = op.function.__name__, next(a for a in op.args if isinstance(a, Var) and a.ndim == 2)
        x = next(a for a in op.args if isinstance(a, Var) and a.ndim == 3)
        count, size = registers()
        self.name, self.dtype = f"several_{name}", x.dtype
        self.lanes, self.height = size // x.dtype.itemsize, 8 if count > 16 else 6
        (self.steps, self.batch), (self.rows, self.hidden) = x.shape[:2], weight.shape
        self.blocks = -(-self.batch // self.height)
        work = self.steps * self.batch * weight.size
        self.parts = min(threads(), self.blocks) if work > MUCH else 1
        terms, columns = (self.hidden, self.rows) if name.endswith("forward") else (self.rows, self.hidden)
        width = VECTORS * self.lanes
        panels = -(-columns // width)
        self.wide = panels * width
        self.panels = self.array(panels, terms, width)
        self.scratch = self.array(self.parts * 5 * self.height * self.wide)
        self.nothing, self.zeros, self.unbiased = np.zeros((1, 1, 1), x.dtype), self.state_like(), self.array(self.rows)
        self.unused = [self.state_like(), self.state_like()]
        self.full = np.full(self.batch, self.steps)
        self.function: Any = None

    def array(self, *shape: int) -> np.ndarray:
        return np.zeros(shape, self.dtype)

    def state_like(self) -> np.ndarray:
        return self.array(self.batch, self.hidden)

    def ready(self, x: Any) -> np.ndarray:
        """An array as the loops take it."""
        return x if x.flags.carray and x.dtype is self.dtype else np.require(x, self.dtype, ["C", "A", "W"])

    def state(self, x: Any) -> np.ndarray:
        return self.zeros if x is None else self.ready(x)

    def bias(self, x: Any) -> np.ndarray:
        return self.unbiased if x is None else self.ready(x)

    def placed(self, out: list, *states: Any) -> list:
        """Where the gradients of states go, of which some are not given, so that nobody reads theirs."""
        given = iter(out)
        return [spare if s is None else next(given) for s, spare in zip(states, self.unused, strict=False)]

    def gradient(self, g: Any) -> np.ndarray:
        return self.nothing if g is None else self.ready(g)

    def lengths(self, lengths: Any) -> np.ndarray:
        return self.full if lengths is None else np.require(lengths, np.int64, ["C", "A", "W"])

    def packed(self, matrix: np.ndarray) -> np.ndarray:
        """A matrix in panels of a few columns; zeros fill the last one."""
        panels, terms, width = self.panels.shape
        whole = matrix.shape[1] // width
        self.panels[:whole] = matrix[:, :whole * width].reshape(terms, whole, width).swapaxes(0, 1)
        if whole < panels:
            self.panels[whole, :, :matrix.shape[1] - whole * width] = matrix[:, whole * width:]
        return self.panels

    def run(self, *args: Any) -> None:
        """Call the loop on arrays, and integers; the scratch and the sizes lie between."""
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        args = (*arrays, self.scratch, self.steps, self.batch, self.hidden, self.wide, *map(int, args[len(arrays):]))
        if self.function is None:
            self.function = _loaded(self.name, self.dtype, self.lanes, self.height,
                                    tuple(a.ndim if a.dtype == self.dtype else 0 for a in args[:len(arrays) + 1]),
                                    len(args) - len(arrays) + 2)
        together(self.function, self.blocks, self.parts, *args)


@cache
def _loaded(name: str, dtype: np.dtype, lanes: int, height: int, ndims: tuple[int, ...], integers: int) -> Callable:
    """A loop for one dtype, compiled or from the disk. ``ndims`` are those of the arrays, 0 that of the lengths."""
    from numba.core import types
    from numba.np.numpy_support import from_dtype

    from .numba_cache import load
    source = Path(__file__).with_name("numba_recurrence_loops.py").read_text(encoding="utf-8")
    begin, end = source.index("# These"), source.index("ZERO, ONE")
    constants = f"number, LANES, VECTORS, HEIGHT, WIDTH = {dtype}, {lanes}, {VECTORS}, {height}, {VECTORS * lanes}\n"
    kind = from_dtype(dtype)
    arrays = [types.Array(kind, n, "C") if n else types.Array(types.int64, 1, "C") for n in ndims]
    signature = types.void(*arrays, *[types.int64] * integers)
    return load(source[:begin] + constants + source[end:], {name: signature})[name]


# Each is a call of the operation's arguments


def _rnn_forward(plan: _Plan, out: list, x: Any, weight: Any, bias: Any, h: Any, nonlinearity: str, lengths: Any,
                 reverse: bool) -> None:
    plan.run(plan.ready(x), plan.packed(weight.T), plan.bias(bias), plan.state(h), plan.lengths(lengths), *out,
             nonlinearity == "relu", h is not None, reverse)


def _rnn_backward(plan: _Plan, out: list, g: Any, states: Any, weight: Any, h: Any, nonlinearity: str, lengths: Any,
                  reverse: bool) -> None:
    d, *before = out
    plan.run(plan.ready(g), plan.ready(states), plan.packed(weight), plan.lengths(lengths), d,
             *plan.placed(before, h), nonlinearity == "relu", h is not None, reverse)


def _lstm_forward(plan: _Plan, out: list, x: Any, weight: Any, bias: Any, h: Any, c: Any, lengths: Any,
                  reverse: bool) -> None:
    plan.run(plan.ready(x), plan.packed(weight.T), plan.bias(bias), plan.state(h), plan.state(c),
             plan.lengths(lengths), *out, h is not None, reverse)


def _lstm_backward(plan: _Plan, out: list, gh: Any, gc: Any, cells: Any, gates: Any, weight: Any, h: Any, c: Any,
                   lengths: Any, reverse: bool) -> None:
    d, *before = out
    plan.run(plan.gradient(gh), plan.gradient(gc), plan.ready(cells), plan.ready(gates), plan.packed(weight),
             plan.state(c), plan.lengths(lengths), d, *plan.placed(before, h, c), gh is not None, gc is not None,
             h is not None, reverse)


def _gru_forward(plan: _Plan, out: list, x: Any, weight: Any, bias: Any, h: Any, lengths: Any, reverse: bool) -> None:
    plan.run(plan.ready(x), plan.packed(weight.T), plan.bias(bias), plan.state(h), plan.lengths(lengths), *out,
             h is not None, reverse)


def _gru_backward(plan: _Plan, out: list, g: Any, states: Any, gates: Any, weight: Any, h: Any, lengths: Any,
                  reverse: bool) -> None:
    d, inner, *before = out
    plan.run(plan.ready(g), plan.ready(states), plan.ready(gates), plan.packed(weight), plan.state(h),
             plan.lengths(lengths), d, inner, *plan.placed(before, h), h is not None, reverse)


CALLS: dict[Any, Callable] = {
    rnn_forward: _rnn_forward, rnn_backward: _rnn_backward, lstm_forward: _lstm_forward,
    lstm_backward: _lstm_backward, gru_forward: _gru_forward, gru_backward: _gru_backward}
