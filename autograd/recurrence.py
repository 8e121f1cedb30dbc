"""Recurrences over time: a whole sequence of ``rnn``, ``gru`` or ``lstm`` steps is one node of the graph.

Time is the first axis and the batch the second. What the input adds to the gates comes as it is, computed for all
steps by one product; a recurrence adds the bias, and what the state before adds. Each is defined by its step,
written in functions that have rules; loops over arrays give the same numbers, and the gradient, in a fraction of the
time. Where sequences have ``lengths``, a state stays as it is from there on: in reverse, that is until the sequence's
own end is reached. Gates are 0 there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .functions import relu, sigmoid
from .record import primitive
from .recurrence_loops import gru_backward, gru_forward, lstm_backward, lstm_forward, rnn_backward, rnn_forward
from .registry import definition

__all__ = ["gru", "gru_step", "lstm", "lstm_step", "rnn", "rnn_step"]


# Steps: the state after, and what else is to be kept


def rnn_step(x: Any, weight: Any, bias: Any, h: Any, nonlinearity: str = "tanh") -> tuple[Any]:
    """h' = tanh(x + h Wᵀ + b), or relu of it, where a bias or a state of ``None`` stands for zeros.

    ``x`` (batch, hidden), ``weight`` (hidden, hidden), ``bias`` (hidden,), h (batch, hidden).
    """
    z = _sum(x, weight, bias, h)
    return ((np.tanh if nonlinearity == "tanh" else relu)(z),)


def _sum(x: Any, weight: Any, bias: Any, h: Any) -> Any:
    x = x if bias is None else x + bias
    return x if h is None else x + h @ weight.T


def lstm_step(x: Any, weight: Any, bias: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
    """h', c' and the gates, after Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    With z = x + h Wᵀ + b in four parts, i = σ(z₁), f = σ(z₂), g = tanh(z₃), o = σ(z₄); c' = f c + i g and
    h' = o tanh(c'). ``x`` and the gates i, f, g, o are (batch, 4 · hidden), ``weight`` (4 · hidden, hidden), ``bias``
    (4 · hidden,) or ``None``.
    """
    z = _sum(x, weight, bias, h)
    n = np.shape(weight)[1]
    gates = [(np.tanh if k == 2 else sigmoid)(z[:, k * n:(k + 1) * n]) for k in range(4)]
    i, f, g, o = gates
    c = i * g if c is None else f * c + i * g
    return o * np.tanh(c), c, np.concatenate(gates, axis=1)


def gru_step(x: Any, weight: Any, bias: Any, h: Any) -> tuple[Any, Any]:
    """h' and the gates, after Cho et al. (2014), with the reset gate behind the product as in cuDNN and PyTorch.

    With s = h Wᵀ + b in three parts, r = σ(x₁ + s₁), z = σ(x₂ + s₂), n = tanh(x₃ + r s₃) and
    h' = (1 - z) n + z h. ``x`` is (batch, 3 · hidden), ``weight`` (3 · hidden, hidden), ``bias`` (3 · hidden,) or
    ``None``; the gates r, z, n and s₃ are (batch, 4 · hidden).
    """
    n = np.shape(weight)[1]
    h = np.zeros_like(x[:, :n]) if h is None else h
    s = h @ weight.T if bias is None else h @ weight.T + bias
    parts = [(x[:, k * n:(k + 1) * n], s[:, k * n:(k + 1) * n]) for k in range(3)]
    r, z = (sigmoid(a + b) for a, b in parts[:2])
    new = np.tanh(parts[2][0] + r * parts[2][1])
    return (1 - z) * new + z * h, np.concatenate([r, z, new, parts[2][1]], axis=1)


def _scanned(step: Callable, x: Any, state: Sequence[Any], lengths: Any, reverse: bool) -> tuple:
    """What ``step(x[t], *state)`` gives at each t, each stacked; the first of what it gives are the next state."""
    rows, found = [*x], []
    for t in reversed(range(len(rows))) if reverse else range(len(rows)):
        results = [*step(rows[t], *state)]
        if lengths is not None:
            alive = np.expand_dims(t < lengths, -1)
            before = [*state, *[None] * (len(results) - len(state))]
            results = [np.where(alive, x, 0.0 if b is None else b) for x, b in zip(results, before, strict=True)]
        state = results[:len(state)]
        found.append(results)
    return tuple(np.stack(parts[::-1] if reverse else parts) for parts in zip(*found, strict=True))


# Sequences


@primitive
def rnn(arrays: Sequence[Any], nonlinearity: str = "tanh", lengths: Any = None, reverse: bool = False) -> Any:
    """The states h of ``rnn_step`` after each step, (steps, batch, hidden).

    ``arrays`` are [x, weight, bias, h]: x (steps, batch, hidden), ``None`` for no bias, and the state before the first
    step or ``None`` for zeros.

    >>> rnn([np.ones((2, 1, 1)), np.zeros((1, 1)), None, None], "relu").ravel()
    array([1., 1.])
    """
    if not _is_quick(arrays):
        return _rnn(arrays, nonlinearity, lengths, reverse)
    x, weight, bias, h = arrays
    return rnn_forward(x, weight, bias, h, nonlinearity, lengths, reverse)


def _rnn(arrays: Sequence[Any], nonlinearity: str = "tanh", lengths: Any = None, reverse: bool = False) -> Any:
    x, weight, bias, h = arrays
    return _scanned(lambda x, h: rnn_step(x, weight, bias, h, nonlinearity), x, [h], lengths, reverse)[0]


def _rnn_vjp(g: Any, y: Any, arrays: Sequence[Any], nonlinearity: str = "tanh", lengths: Any = None,
             reverse: bool = False) -> Any:
    if not _is_quick([*arrays, g]):
        return NotImplemented
    _, weight, bias, h = arrays
    d, *before = rnn_backward(g, y, weight, h, nonlinearity, lengths, reverse)
    return [d, _weight(d, y, h, reverse), _bias(d, bias), *_placed(before, h)]


@primitive
def lstm(arrays: Sequence[Any], lengths: Any = None, reverse: bool = False) -> tuple[Any, ...]:
    """The states h and c of ``lstm_step`` after each step, (steps, batch, hidden), and its gates at each.

    ``arrays`` are [x, weight, bias, h, c]: x (steps, batch, 4 · hidden), ``None`` for no bias, and the states before
    the first step or ``None`` for zeros. With ``reverse`` the last step comes first. ``lengths`` (batch,) are integers.

    >>> h, c, gates = lstm([np.zeros((3, 2, 4)), np.zeros((4, 1)), None, None, np.ones((2, 1))])
    >>> c[:, 0, 0]  # of which each step forgets half
    array([0.5  , 0.25 , 0.125])
    """
    if not _is_quick(arrays):
        return _lstm(arrays, lengths, reverse)
    x, weight, bias, h, c = arrays
    return tuple(lstm_forward(x, weight, bias, h, c, lengths, reverse))


def _lstm(arrays: Sequence[Any], lengths: Any = None, reverse: bool = False) -> Any:
    x, weight, bias, *state = arrays
    return _scanned(lambda x, h, c: lstm_step(x, weight, bias, h, c), x, state, lengths, reverse)


def _lstm_vjp(g: Any, y: Any, arrays: Sequence[Any], lengths: Any = None, reverse: bool = False) -> Any:
    (gh, gc, none), (states, cells, gates), (_, weight, bias, h, c) = g, y, arrays
    if none is not None or not _is_quick([*arrays, gh, gc]):
        return NotImplemented
    d, *before = lstm_backward(gh, gc, cells, gates, weight, h, c, lengths, reverse)
    return [d, _weight(d, states, h, reverse), _bias(d, bias), *_placed(before, h, c)]


@primitive
def gru(arrays: Sequence[Any], lengths: Any = None, reverse: bool = False) -> tuple[Any, ...]:
    """The states h of ``gru_step`` after each step, (steps, batch, hidden), and its gates at each.

    ``arrays`` are [x, weight, bias, h]: x (steps, batch, 3 · hidden), ``None`` for no bias, and the state before the
    first step or ``None`` for zeros.

    >>> h, gates = gru([np.zeros((3, 2, 3)), np.zeros((3, 1)), None, np.ones((2, 1))])
    >>> h[:, 0, 0]
    array([0.5  , 0.25 , 0.125])
    """
    if not _is_quick(arrays):
        return _gru(arrays, lengths, reverse)
    x, weight, bias, h = arrays
    return tuple(gru_forward(x, weight, bias, h, lengths, reverse))


def _gru(arrays: Sequence[Any], lengths: Any = None, reverse: bool = False) -> Any:
    x, weight, bias, h = arrays
    return _scanned(lambda x, h: gru_step(x, weight, bias, h), x, [h], lengths, reverse)


def _gru_vjp(g: Any, y: Any, arrays: Sequence[Any], lengths: Any = None, reverse: bool = False) -> Any:
    (gh, none), (states, gates), (_, weight, bias, h) = g, y, arrays
    if none is not None or not _is_quick([*arrays, gh]):
        return NotImplemented
    d, inner, *before = gru_backward(gh, states, gates, weight, h, lengths, reverse)
    n = np.shape(weight)[1]
    sums = np.concatenate([d[:, :, :2 * n], inner], axis=2)  # the gradient of h Wᵀ + b
    return [d, _weight(sums, states, h, reverse), _bias(sums, bias), *_placed(before, h)]


definition(rnn, _rnn, joins=True, vjp=_rnn_vjp)
definition(lstm, _lstm, joins=True, vjp=_lstm_vjp)
definition(gru, _gru, joins=True, vjp=_gru_vjp)


# Parts of the gradients


def _weight(d: Any, h: Any, first: Any, reverse: bool) -> Any:
    """Σ dᵀ h₋₁ over all steps and examples, with the state before each step: one product."""
    later, earlier, start = (d[:-1], h[1:], d[-1:]) if reverse else (d[1:], h[:-1], d[:1])
    total = _flat(later).T @ _flat(earlier)
    return total if first is None else total + _flat(start).T @ first


def _bias(d: Any, bias: Any) -> Any:
    return None if bias is None else np.sum(d, axis=(0, 1))


def _flat(x: Any) -> Any:
    steps, batch, features = np.shape(x)
    return np.reshape(x, (steps * batch, features))


def _placed(found: list[Any], *states: Any) -> list[Any]:
    """The gradients of states, of which some are not given."""
    rest = iter(found)
    return [None if s is None else next(rest) for s in states]


def _is_quick(arrays: Sequence[Any]) -> bool:
    """Whether loops can take the arrays: plain or traced ones, of single or double precision."""
    return all((type(a) is np.ndarray or hasattr(a, "checked")) and a.dtype in (np.float32, np.float64)
               for a in arrays if a is not None)

