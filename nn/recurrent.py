"""Recurrent layers: ``RNN``, ``GRU`` and ``LSTM``, which read a sequence step by step, and their cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import check
from autograd.functions import affine
from autograd.recurrence import gru, gru_step, lstm, lstm_step, rnn, rnn_step

from . import initializers
from .checks import array, below_one, floating_dtype, plain, positive_integer
from .module import Module, Parameter
from .random import Randomness, generator

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


class _Recurrent(Module):
    """What recurrent layers and cells share: so many gates, which states are kept, and the checks of what comes in."""

    _gates: tuple[str, ...] = ("h",)
    _states: tuple[str, ...] = ("h",)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        name = type(self).__name__
        self.input_size = positive_integer(name, "input_size", input_size)
        self.hidden_size = positive_integer(name, "hidden_size", hidden_size)

    def _start(self, suffix: str, inputs: int, bias: bool, rng: np.random.Generator, dtype: Any) -> None:
        """Set the parameters of one direction of one layer, uniform between ±1/√hidden_size."""
        bound, rows = 1 / math.sqrt(self.hidden_size), len(self._gates) * self.hidden_size
        for kind, size in (("ih", inputs), ("hh", self.hidden_size)):
            self._set(f"weight_{kind}{suffix}", initializers.uniform((rows, size), rng, dtype, bound=bound))
        for kind in ("ih", "hh"):
            array = initializers.uniform((rows,), rng, dtype, bound=bound) if bias else None
            self._set(f"bias_{kind}{suffix}", array)

    def _set(self, name: str, array: Any) -> None:
        setattr(self, name, None if array is None else Parameter(array, name=name))

    def _parameters(self, suffix: str) -> list[Any]:
        """weight_ih, weight_hh, bias_ih, bias_hh."""
        return [getattr(self, f"{kind}_{side}{suffix}") for kind in ("weight", "bias") for side in ("ih", "hh")]

    def _sums(self, x: Any, suffix: str) -> list[Any]:
        """What the input adds to the gates, (..., rows) for ``x`` (..., inputs), then what the state is multiplied by.

        Last comes the bias: where both are just added, the recurrence does so, which spares a pass over all steps.
        """
        weight, recurrent, bias, other = self._parameters(suffix)
        return [affine(x, weight), recurrent, None if bias is None else bias + other]

    def _initial(self, hx: Any, shape: tuple[int, ...]) -> list[Any]:
        """The given states, ``None`` where they are zeros."""
        name = f"{type(self).__name__}({self.input_size}, {self.hidden_size})"
        if hx is None:
            return [None] * len(self._states)
        several = len(self._states) > 1
        if several and not (isinstance(hx, (tuple, list)) and len(hx) == len(self._states)):
            raise TypeError(f"{name}: hx must be a pair (h, c), got {type(hx).__name__}")
        found = list(hx) if several else [hx]
        for state, x in zip(self._states, found, strict=True):
            if _shape(x) != shape:
                raise ValueError(f"{name}: the initial state {state} must have the shape {shape}, got {_shape(x)}")
        return found


class _Layers(_Recurrent):
    """Some layers over a sequence, each in one or two directions."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        super().__init__(input_size, hidden_size)
        name = type(self).__name__
        self.num_layers = positive_integer(name, "num_layers", num_layers)
        self.bias, self.batch_first, self.bidirectional = bool(bias), bool(batch_first), bool(bidirectional)
        self.dropout = below_one(name, "dropout", dropout)
        if dropout and num_layers == 1:
            raise ValueError(f"{name}: dropout is applied between layers, and there is one layer: leave dropout at 0, "
                             "or give num_layers of at least 2")
        dtype, self.rng = floating_dtype(name, dtype), generator(rng, name)
        for k in range(self.num_layers):
            inputs = hidden_size * (1 + self.bidirectional) if k else input_size
            for direction in self._directions():
                self._start(f"_l{k}{direction}", inputs, bias, self.rng, dtype)

    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _scan(self, arrays: list[Any], lengths: Any, reverse: bool) -> tuple:
        """Each of the states after each step, and then what else the recurrence gives."""
        raise NotImplementedError

    def _run(self, x: Any, initial: list[Any], lengths: Any) -> Iterator[tuple[Any, tuple, tuple]]:
        """For each layer: its output, its final states by direction, and what each direction's recurrence gave."""
        steps, batch = x.shape[:2]
        directions = self._directions()
        alive = None if lengths is None else _alive(steps, lengths)
        x = x if alive is None else np.where(alive, x, 0)
        for k in range(self.num_layers):
            if k and self.dropout and self.training:
                keep = self.rng.random(x.shape, np.float32) >= self.dropout
                x = np.where(keep, x / (1 - self.dropout), 0)
            given = np.reshape(x, (steps * batch, x.shape[2]))
            outputs, last, found = [], [], []
            for d, direction in enumerate(directions):
                state = [None if s is None else s[k * len(directions) + d] for s in initial]
                sums, *rest = self._sums(given, f"_l{k}{direction}")
                results = self._scan([np.reshape(sums, (steps, batch, sums.shape[1])), *rest, *state], lengths, bool(d))
                outputs.append(results[0] if alive is None else np.where(alive, results[0], 0))
                last.append([s[0 if d else -1] for s in results[:len(self._states)]])
                found.append(results)
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=2)
            yield x, tuple(last), tuple(found)

    def _sequence(self, x: Any, hx: Any, lengths: Any) -> tuple[Any, list[Any], Any, bool]:
        """The arguments with time first and a batch, and whether the batch was missing."""
        name = f"{type(self).__name__}({self.input_size}, {self.hidden_size})"
        x = array(x)
        alone = x.ndim == 2
        order = "batch, steps" if self.batch_first else "steps, batch"
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ValueError(f"{name}: expected an input of shape ({order}, {self.input_size}), or (steps, "
                             f"{self.input_size}) for one sequence, got {x.shape}")
        layers = self.num_layers * len(self._directions())
        if alone:
            initial = self._initial(hx, (layers, self.hidden_size))
            x, initial = np.expand_dims(x, 1), [None if s is None else np.expand_dims(s, 1) for s in initial]
            lengths = np.expand_dims(lengths, 0) if lengths is not None and not np.ndim(lengths) else lengths
        else:
            x = np.swapaxes(x, 0, 1) if self.batch_first else x
            initial = self._initial(hx, (layers, x.shape[1], self.hidden_size))
        if 0 in x.shape:
            raise ValueError(f"{name}: the {'batch' if x.shape[0] else 'sequence'} is empty: the input has "
                             f"{x.shape[0]} steps and a batch of {x.shape[1]}")
        return x, initial, None if lengths is None else _lengths(name, lengths, *x.shape[:2]), alone

    def __call__(self, x: Any, hx: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        x, initial, lengths, alone = self._sequence(x, hx, lengths)
        last: list[list[Any]] = []
        for output, states, _ in self._run(x, initial, lengths):
            x = output
            last += states
        final = [np.stack(parts) for parts in zip(*last, strict=True)]
        if alone:
            x, final = x[:, 0], [s[:, 0] for s in final]
        elif self.batch_first:
            x = np.swapaxes(x, 0, 1)
        return x, tuple(final) if len(final) > 1 else final[0]


    def inside(self, x: Any, hx: Any = None, *, lengths: Any = None) -> list[dict[str, Any]]:
        """What happens in each layer and direction, over time: its gates and states by name, and its output.

        The arguments are those of a call. For each layer, and in it for each direction, there is a dict with arrays of
        shape (steps, batch, hidden_size), or (steps, hidden_size) for one sequence, whatever ``batch_first``: of an
        ``LSTM`` i, f, g, o, c and h, of a ``GRU`` r, z, n and h, of an ``RNN`` h. All are 0 behind a sequence's end.

        >>> inside = LSTM(3, 4, rng=0).inside(np.ones((5, 3), np.float32))[0]
        >>> {name: x.shape for name, x in inside.items()}["f"]
        (5, 4)
        >>> bool(np.all(inside["h"].data == inside["o"].data * np.tanh(inside["c"].data)))
        True
        """
        x, initial, lengths, alone = self._sequence(x, hx, lengths)
        n, found = self.hidden_size, []
        alive = None if lengths is None else _alive(len(x), lengths)
        for _, _, directions in self._run(x, initial, lengths):
            for results in directions:
                states, gates = results[:len(self._states)], results[len(self._states):]
                parts = {name: gates[0][:, :, k * n:(k + 1) * n] for k, name in enumerate(self._gates) if gates}
                parts |= {name: s if alive is None else np.where(alive, s, 0)
                          for name, s in reversed([*zip(self._states, states, strict=True)])}
                found.append({name: part[:, 0] if alone else part for name, part in parts.items()})
        return found


class RNN(_Layers):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it: a network that reads a sequence step by step.

    Args:
        input_size: the number of features at each step.
        hidden_size: H, the number of neurons of each layer.
        num_layers: each further layer reads the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        bias: whether there are b_ih and b_hh.
        batch_first: input and output are (batch, steps, ...) instead of (steps, batch, ...).
        dropout: what share of a layer's outputs the next does not see, in training.
        bidirectional: a second direction reads from the end; outputs are those of both side by side.
        rng: draws initial values, uniform between ±1/√H, and what is dropped.

    ``layer(x, hx, lengths=...)`` gives ``(output, h_n)``. Shapes: ``x`` (steps, batch, input_size), ``output``
    (steps, batch, directions · H), ``hx`` and ``h_n`` (num_layers · directions, batch, H); without the batch for one
    sequence. Initial states are zeros where ``hx`` is left out. ``lengths`` (batch,), integers, says how many steps of
    each sequence count, in any order: outputs behind them are 0, ``h_n`` is the state after the last of them, and the
    second direction begins there, as with PyTorch's packed sequences. What ``x`` holds behind them has no influence.

    Parameters, as in PyTorch, for layer k: ``weight_ih_lk`` (H, inputs), ``weight_hh_lk`` (H, H), ``bias_ih_lk`` (H,)
    and ``bias_hh_lk`` (H,), and the same with ``_reverse``.

    Raises ``ValueError`` for an input or a state of another shape, for an empty one, and for lengths out of range,
    ``TypeError`` for lengths that are not integers.

    >>> layer = RNN(3, 4, rng=0)
    >>> output, h_n = layer(np.ones((5, 2, 3), np.float32), lengths=np.array([5, 1]))
    >>> output.shape, h_n.shape, bool((output.data[1:, 1] == 0).all())
    ((5, 2, 4), (1, 2, 4), True)
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *,
                 rng: Randomness, dtype: Any = np.float32) -> None:
        self.nonlinearity = _nonlinearity("RNN", nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng,
                         dtype=dtype)

    def _scan(self, arrays: list[Any], lengths: Any, reverse: bool) -> tuple:
        return (rnn(arrays, self.nonlinearity, lengths=lengths, reverse=reverse),)


class LSTM(_Layers):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): a cell c that gates write to, keep and read.

    i, f, o = σ(W x_t + b + W' h_{t-1} + b'), each with its own part of the weights, g = tanh of the like,
    c_t = f c_{t-1} + i g, h_t = o tanh(c_t). Arguments, shapes, ``lengths`` and errors are those of ``RNN``;
    ``layer(x, (h_0, c_0))`` gives ``(output, (h_n, c_n))``. Parameters have the rows of i, f, g, o one below the other:
    ``weight_ih_lk`` (4 H, inputs), ``weight_hh_lk`` (4 H, H), ``bias_ih_lk`` and ``bias_hh_lk`` (4 H,).

    >>> layer = LSTM(3, 4, rng=0)
    >>> output, (h_n, c_n) = layer(np.ones((5, 2, 3), np.float32))
    >>> output.shape, c_n.shape
    ((5, 2, 4), (1, 2, 4))
    """

    _gates = ("i", "f", "g", "o")
    _states = ("h", "c")

    def _scan(self, arrays: list[Any], lengths: Any, reverse: bool) -> tuple:
        return lstm(arrays, lengths=lengths, reverse=reverse)


class GRU(_Layers):
    """The gated recurrent unit (Cho et al., 2014), with the reset gate behind the product, as in PyTorch.

    r, z = σ(W x_t + b + W' h_{t-1} + b'), n = tanh(W x_t + b + r (W' h_{t-1} + b')), each with its own part of the
    weights, and h_t = (1 - z) n + z h_{t-1}. Arguments, shapes, ``lengths``, results and errors are those of ``RNN``.
    Parameters have the rows of r, z, n one below the other: ``weight_ih_lk`` (3 H, inputs), and so on.

    >>> layer = GRU(3, 4, bidirectional=True, rng=0)
    >>> output, h_n = layer(np.ones((5, 2, 3), np.float32))
    >>> output.shape, h_n.shape
    ((5, 2, 8), (2, 2, 4))
    """

    _gates = ("r", "z", "n")

    def _sums(self, x: Any, suffix: str) -> list[Any]:
        weight, recurrent, bias, other = self._parameters(suffix)
        return [affine(x, weight) if bias is None else affine(x, weight, bias), recurrent, other]

    def _scan(self, arrays: list[Any], lengths: Any, reverse: bool) -> tuple:
        return gru(arrays, lengths=lengths, reverse=reverse)


class _Cell(_Recurrent):
    """One step."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        super().__init__(input_size, hidden_size)
        name = type(self).__name__
        self.bias = bool(bias)
        self._start("", self.input_size, bias, generator(rng, name), floating_dtype(name, dtype))

    def _step(self, *arrays: Any) -> tuple:
        raise NotImplementedError

    def __call__(self, x: Any, hx: Any = None) -> Any:
        x = array(x)
        alone = x.ndim == 1
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            name = f"{type(self).__name__}({self.input_size}, {self.hidden_size})"
            raise ValueError(f"{name}: expected an input of shape (batch, {self.input_size}) or ({self.input_size},), "
                             f"got {x.shape}")
        state = self._initial(hx, (*x.shape[:-1], self.hidden_size))
        x, state = (np.expand_dims(x, 0), [s if s is None else np.expand_dims(s, 0) for s in state]) if alone else (
            x, state)
        arrays = self._sums(x, "")
        zeros = np.zeros_like(plain(arrays[0]), shape=(len(x), self.hidden_size))
        results = self._step(*arrays, *(zeros if s is None else s for s in state))[:len(self._states)]
        states = [s[0] if alone else s for s in results]
        return tuple(states) if len(states) > 1 else states[0]


class RNNCell(_Cell):
    """One step of an ``RNN``: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it.

    Shapes: ``x`` (batch, input_size), ``hx`` and the result (batch, hidden_size); or without the batch. The state is
    zeros where it is left out. Parameters: ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``.

    >>> RNNCell(3, 4, rng=0)(np.ones((2, 3), np.float32)).shape
    (2, 4)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *,
                 rng: Randomness, dtype: Any = np.float32) -> None:
        self.nonlinearity = _nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)

    def _step(self, *arrays: Any) -> tuple:
        x, weight, bias, h = arrays
        return rnn_step(x, weight, bias, h, self.nonlinearity)


class LSTMCell(_Cell):
    """One step of an ``LSTM``: ``cell(x, (h, c))`` gives ``(h', c')``; shapes and parameters as those of ``RNNCell``.

    >>> h, c = LSTMCell(3, 4, rng=0)(np.ones((2, 3), np.float32))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    _gates, _states = LSTM._gates, LSTM._states

    def _step(self, *arrays: Any) -> tuple:
        return lstm_step(*arrays)


class GRUCell(_Cell):
    """One step of a ``GRU``: ``cell(x, h)`` gives h'; shapes and parameters as those of ``RNNCell``.

    >>> GRUCell(3, 4, rng=0)(np.ones((2, 3), np.float32)).shape
    (2, 4)
    """

    _gates = GRU._gates
    _sums = GRU._sums

    def _step(self, *arrays: Any) -> tuple:
        return gru_step(*arrays)


def _nonlinearity(who: str, name: str) -> str:
    if name not in ("tanh", "relu"):
        raise ValueError(f"{who}: nonlinearity must be 'tanh' or 'relu', got {name!r}")
    return name


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if hasattr(x, "shape") else np.shape(x)


def _alive(steps: int, lengths: Any) -> Any:
    """Which steps count, (steps, batch, 1)."""
    return np.expand_dims(np.expand_dims(np.arange(steps), 1) < lengths, 2)


def _lengths(name: str, lengths: Any, steps: int, batch: int) -> Any:
    lengths = np.asarray(lengths) if isinstance(lengths, Sequence) else lengths
    if _shape(lengths) != (batch,):
        raise ValueError(f"{name}: lengths must have the shape ({batch},), one for each sequence, got "
                         f"{_shape(lengths)}")
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"{name}: lengths must be integers, got {lengths.dtype}; write lengths.astype(int)")
    check((lengths >= 1) & (lengths <= steps), lambda lengths: ValueError(
        f"{name}: lengths must lie in 1 … {steps}, the steps of the input, but they reach from {lengths.min()} to "
        f"{lengths.max()}"), lengths)
    return lengths
