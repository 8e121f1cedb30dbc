"""Cases of the recurrences over time."""

from collections.abc import Callable

import numpy as np

from autograd.recurrence import gru, lstm, rnn
from tests.autograd.cases import Case, case

__all__ = ["CASES"]

BATCH, HIDDEN = 3, 2
LENGTHS = np.array([1, 3, 2])  # sequences of 3 steps are the longest


def shapes(gates: int, *others: tuple[int, ...]) -> Callable:
    """Those of x, with 3 steps or more, of the weights, and of what else there is."""
    return lambda steps: [(steps + 2, BATCH, gates * HIDDEN), (gates * HIDDEN, HIDDEN), *others]


STATE = (BATCH, HIDDEN)


def cases(function: Callable, gates: int, others: list[tuple[int, ...]]) -> list[Case]:
    """From given states and from zeros, forward and in reverse, with lengths and without."""
    return [
        case(function, shapes(gates, *others), lambda *arrays: function([*arrays], lengths=LENGTHS), name="lengths"),
        case(function, shapes(gates, *others), lambda *arrays: function([*arrays], lengths=LENGTHS, reverse=True),
             name="lengths, reverse"),
        case(function, shapes(gates), lambda x, w: function([x, w, *[None] * len(others)]), name="from zeros"),
        case(function, shapes(gates), lambda x, w: function([x, w, *[None] * len(others)], lengths=LENGTHS,
                                                            reverse=True), name="from zeros, reverse"),
    ]


CASES = [
    *cases(rnn, 1, [(HIDDEN,), STATE]),
    *cases(lstm, 4, [(4 * HIDDEN,), STATE, STATE]),
    *cases(gru, 3, [(3 * HIDDEN,), STATE]),
    case(rnn, shapes(1, (HIDDEN,), STATE), lambda *arrays: rnn([*arrays], "relu", lengths=LENGTHS), name="relu"),
    # A gradient of the gates themselves goes through the steps one by one; of the states alone, through the loop.
    case(lstm, shapes(4, (4 * HIDDEN,), STATE, STATE), lambda *arrays: lstm([*arrays])[:2], name="states",
         complex=True),
    case(lstm, shapes(4, STATE), lambda x, w, c: lstm([x, w, None, None, c], lengths=LENGTHS)[:2], name="one state"),
    case(lstm, shapes(4), lambda x, w: lstm([x, w, None, None, None], reverse=True)[1], name="cells, reverse"),
    case(gru, shapes(3, (3 * HIDDEN,), STATE), lambda *arrays: gru([*arrays], lengths=LENGTHS)[0], name="states"),
    case(gru, shapes(3), lambda x, w: gru([x, w, None, None], reverse=True)[0], name="states, reverse"),
]
