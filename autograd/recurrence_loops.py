"""Recurrences as loops over plain arrays, forward and backward through time; a trace sees one call.

Backward loops give the gradient of ``x`` first, then those of the states that are given; that of the weights is one
product over all steps, which is no part of the recurrence. Where sequences have ended, states and their gradients pass
through unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .windows import indivisible

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward", "rnn_backward", "rnn_forward"]


def _steps(count: int, lengths: Any, backwards: bool) -> Iterator[tuple[int, Any]]:
    """Each step, with a column that tells which sequences have not ended; ``None`` where all go on."""
    for t in reversed(range(count)) if backwards else range(count):
        yield t, (t < lengths)[:, None] if lengths is not None and (lengths <= t).any() else None


def _sigmoid(z: np.ndarray) -> None:
    """In place; 1 / (1 + inf) is the 0 that is wanted. NumPy 2.4's ``negative`` of one column in place is wrong."""
    np.multiply(z, -1, out=z)
    np.exp(z, out=z)
    np.add(z, 1, out=z)
    np.reciprocal(z, out=z)


def _kept(alive: Any, new: np.ndarray, before: Any) -> None:
    """What has ended stays as it was before, or is 0."""
    if alive is not None:
        np.copyto(new, 0 if before is None else before, where=~alive)


def _dtype(*arrays: Any) -> np.dtype:
    return np.result_type(*(a for a in arrays if a is not None))


def _from_state(h: Any, across: np.ndarray, bias: Any) -> Any:
    """h Wᵀ + b"""
    if h is None:
        return 0 if bias is None else bias
    return h @ across if bias is None else np.add(product := h @ across, bias, out=product)


def _added(total: np.ndarray, g: Any, t: int) -> np.ndarray:
    return total if g is None else total + g[t]


@indivisible
def rnn_forward(x: Any, weight: Any, bias: Any, h: Any, nonlinearity: str, lengths: Any,
                reverse: bool) -> np.ndarray:
    states, across = np.empty(x.shape, _dtype(x, weight, bias, h)), np.ascontiguousarray(weight.T)
    for t, alive in _steps(len(x), lengths, reverse):
        z = states[t]
        np.add(x[t], _from_state(h, across, bias), out=z)
        np.tanh(z, out=z) if nonlinearity == "tanh" else np.maximum(z, 0, out=z)
        _kept(alive, z, h)
        h = z
    return states


@indivisible
def rnn_backward(g: Any, states: Any, weight: Any, first: Any, nonlinearity: str, lengths: Any,
                 reverse: bool) -> list[np.ndarray]:
    d, dh = np.empty_like(states), np.zeros_like(states[0])
    last = 0 if not reverse else len(states) - 1
    for t, alive in _steps(len(states), lengths, not reverse):
        dh, h = dh + g[t], states[t]
        np.multiply(dh, 1 - h * h if nonlinearity == "tanh" else h > 0, out=d[t])
        _kept(alive, d[t], None)
        if t != last or first is not None:
            before, dh = dh, d[t] @ weight
            _kept(alive, dh, before)
    return [d] if first is None else [d, dh]


@indivisible
def lstm_forward(x: Any, weight: Any, bias: Any, h: Any, c: Any, lengths: Any, reverse: bool) -> list[np.ndarray]:
    steps, batch, n = *x.shape[:2], weight.shape[1]
    dtype, across = _dtype(x, weight, bias, h, c), np.ascontiguousarray(weight.T)
    gates, states, cells = (np.empty((steps, batch, size), dtype) for size in (4 * n, n, n))
    with np.errstate(over="ignore"):
        for t, alive in _steps(steps, lengths, reverse):
            z = gates[t]
            np.add(x[t], _from_state(h, across, bias), out=z)
            i, f, g, o = (z[:, k * n:(k + 1) * n] for k in range(4))
            _sigmoid(z[:, :2 * n])
            np.tanh(g, out=g)
            _sigmoid(o)
            np.multiply(i, g, out=cells[t])
            if c is not None:
                cells[t] += f * c
            _kept(alive, cells[t], c)
            np.multiply(o, np.tanh(cells[t]), out=states[t])
            _kept(alive, states[t], h)
            _kept(alive, z, None)
            h, c = states[t], cells[t]
    return [states, cells, gates]


@indivisible
def lstm_backward(gh: Any, gc: Any, cells: Any, gates: Any, weight: Any, h: Any, c: Any, lengths: Any,
                  reverse: bool) -> list[np.ndarray]:
    n, d = weight.shape[1], np.empty_like(gates)
    dh, dc = np.zeros_like(cells[0]), np.zeros_like(cells[0])
    last, step = (len(cells) - 1, 1) if reverse else (0, -1)
    for t, alive in _steps(len(cells), lengths, not reverse):
        dh, dc = _added(dh, gh, t), _added(dc, gc, t)
        i, f, g, o = (gates[t, :, k * n:(k + 1) * n] for k in range(4))
        di, df, dg, do = (d[t, :, k * n:(k + 1) * n] for k in range(4))
        before = c if t == last else cells[t + step]
        y = np.tanh(cells[t])
        np.multiply(dh * y, o * (1 - o), out=do)
        inner = dc + dh * o * (1 - y * y)
        np.multiply(inner * g, i * (1 - i), out=di)
        np.multiply(inner * i, 1 - g * g, out=dg)
        np.multiply(inner, 0 if before is None else before * f * (1 - f), out=df)
        _kept(alive, d[t], None)
        after, inner = dc, inner * f
        _kept(alive, inner, after)
        dc = inner
        if t != last or h is not None:
            after, dh = dh, d[t] @ weight
            _kept(alive, dh, after)
    return [d, *(g for g, state in ((dh, h), (dc, c)) if state is not None)]


@indivisible
def gru_forward(x: Any, weight: Any, bias: Any, h: Any, lengths: Any, reverse: bool) -> list[np.ndarray]:
    steps, batch, n = *x.shape[:2], weight.shape[1]
    dtype, across = _dtype(x, weight, bias, h), np.ascontiguousarray(weight.T)
    gates, states = (np.empty((steps, batch, size), dtype) for size in (4 * n, n))
    h = np.zeros_like(states[0]) if h is None else h
    with np.errstate(over="ignore"):
        for t, alive in _steps(steps, lengths, reverse):
            s = _from_state(h, across, bias)
            r, z, new, inner = (gates[t, :, k * n:(k + 1) * n] for k in range(4))
            np.add(x[t, :, :2 * n], s[:, :2 * n], out=gates[t, :, :2 * n])
            _sigmoid(gates[t, :, :2 * n])
            inner[...] = s[:, 2 * n:]
            np.multiply(r, inner, out=new)
            new += x[t, :, 2 * n:]
            np.tanh(new, out=new)
            np.add(new * (1 - z), z * h, out=states[t])
            _kept(alive, states[t], h)
            _kept(alive, gates[t], None)
            h = states[t]
    return [states, gates]


@indivisible
def gru_backward(gh: Any, states: Any, gates: Any, weight: Any, first: Any, lengths: Any,
                 reverse: bool) -> list[np.ndarray]:
    """Between the gradients of ``x`` and of the state, that of s₃, the last third of h Wᵀ + b."""
    steps, batch, n = states.shape
    d, inner = np.empty((steps, batch, 3 * n), states.dtype), np.empty_like(states)
    dh, sums = np.zeros_like(states[0]), np.empty_like(d[0])
    last, step = (steps - 1, 1) if reverse else (0, -1)
    for t, alive in _steps(steps, lengths, not reverse):
        dh = dh + gh[t]
        r, z, new, s = (gates[t, :, k * n:(k + 1) * n] for k in range(4))
        dr, dz, dnew = (d[t, :, k * n:(k + 1) * n] for k in range(3))
        h = states[t + step] if t != last else 0 if first is None else first
        np.multiply(dh * (h - new), z * (1 - z), out=dz)
        np.multiply(dh * (1 - z), 1 - new * new, out=dnew)
        np.multiply(dnew * s, r * (1 - r), out=dr)
        np.multiply(dnew, r, out=inner[t])
        _kept(alive, d[t], None)
        _kept(alive, inner[t], None)
        if t != last or first is not None:
            sums[:, :2 * n], sums[:, 2 * n:] = d[t, :, :2 * n], inner[t]
            after, dh = dh, sums @ weight + dh * z
            _kept(alive, dh, after)
    return [d, inner] if first is None else [d, inner, dh]
