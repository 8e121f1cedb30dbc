"""Recurrent layers and cells; ``lengths`` against PyTorch's packed sequences."""

import numpy as np

import nn as ours
from tests.reference.compare import layer

LENGTHS = np.array([2, 4, 1])


class WithLengths(ours.Module):
    """A layer that is given lengths with each input."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x, *hx):
        return self.inner(x, hx if len(hx) > 1 else hx[0] if hx else None, lengths=LENGTHS)


def packed(inner):
    """The same in PyTorch."""
    import torch

    class Packed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, x, *hx):
            first = self.inner.batch_first
            x = torch.nn.utils.rnn.pack_padded_sequence(x, torch.from_numpy(LENGTHS), first, enforce_sorted=False)
            output, states = self.inner(x, hx if len(hx) > 1 else hx[0] if hx else None)
            return torch.nn.utils.rnn.pad_packed_sequence(output, first)[0], states

    return Packed()


class OnePair(ours.Module):
    """An LSTM, or a cell of one, whose initial states are arguments of their own."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x, h, c):
        return self.inner(x, (h, c))


def one_pair(inner):
    import torch

    class Pair(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, x, h, c):
            return self.inner(x, (h, c))

    return Pair()


MAKERS = {
    "RNN": lambda nn: nn.RNN(3, 2),
    "RNN relu, batch first": lambda nn: nn.RNN(3, 2, nonlinearity="relu", batch_first=True),
    "RNN two layers, bidirectional": lambda nn: nn.RNN(3, 2, 2, bidirectional=True),
    "GRU": lambda nn: nn.GRU(3, 2),
    "GRU without bias": lambda nn: nn.GRU(3, 2, bias=False),
    "GRU two layers, bidirectional": lambda nn: nn.GRU(3, 2, 2, bidirectional=True),
    "LSTM": lambda nn: nn.LSTM(3, 2),
    "LSTM batch first, without bias": lambda nn: nn.LSTM(3, 2, batch_first=True, bias=False),
    "LSTM two layers, bidirectional": lambda nn: nn.LSTM(3, 2, 2, bidirectional=True),
}
PADDED = ["RNN two layers, bidirectional", "GRU", "GRU two layers, bidirectional", "LSTM two layers, bidirectional"]
CELLS = {
    "RNNCell": lambda nn: nn.RNNCell(3, 2),
    "RNNCell relu": lambda nn: nn.RNNCell(3, 2, nonlinearity="relu"),
    "GRUCell": lambda nn: nn.GRUCell(3, 2),
    "LSTMCell": lambda nn: nn.LSTMCell(3, 2, bias=False),
}

ROWS = [
    *(layer(name, make, (4, 3, 3)) for name, make in MAKERS.items()),
    layer("RNN of one sequence", MAKERS["RNN"], (4, 3)),
    layer("GRU of one sequence, initial state", MAKERS["GRU"], (4, 3), (1, 2)),
    layer("RNN initial state", MAKERS["RNN two layers, bidirectional"], (4, 3, 3), (4, 3, 2)),
    layer("GRU initial state", MAKERS["GRU two layers, bidirectional"], (4, 3, 3), (4, 3, 2)),
    layer("LSTM initial states", lambda nn: OnePair(MAKERS["LSTM two layers, bidirectional"](nn)), (4, 3, 3),
          (4, 3, 2), (4, 3, 2), theirs=lambda nn: one_pair(MAKERS["LSTM two layers, bidirectional"](nn))),
    *(layer(f"{name}, lengths", lambda nn, make=MAKERS[name]: WithLengths(make(nn)), (4, 3, 3),
            theirs=lambda nn, make=MAKERS[name]: packed(make(nn))) for name in PADDED),
    layer("LSTM batch first, lengths", lambda nn: WithLengths(nn.LSTM(3, 2, batch_first=True)), (3, 4, 3),
          theirs=lambda nn: packed(nn.LSTM(3, 2, batch_first=True))),
    layer("LSTM lengths and initial states", lambda nn: WithLengths(nn.LSTM(3, 2, bidirectional=True)), (4, 3, 3),
          (2, 3, 2), (2, 3, 2), theirs=lambda nn: packed(nn.LSTM(3, 2, bidirectional=True))),
    *(layer(name, make, (3, 3)) for name, make in CELLS.items()),
    layer("GRUCell state", CELLS["GRUCell"], (3, 3), (3, 2)),
    layer("LSTMCell states", lambda nn: OnePair(nn.LSTMCell(3, 2)), (3, 3), (3, 2), (3, 2),
          theirs=lambda nn: one_pair(nn.LSTMCell(3, 2))),
]
