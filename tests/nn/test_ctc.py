"""ctc_loss against the sum over all ways to say a string, PyTorch and gradcheck, its extremes, jit, every error."""

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, grad, gradcheck, jit, make_jvp
from autograd.functions import log_softmax
from nn import ctc_greedy_decode, ctc_loss
from tests.autograd.compiling.same import EVERY_BACKEND

rng = np.random.default_rng(0)
SCORES = rng.normal(size=(5, 4, 3))
LOG_PROBS = log_softmax(SCORES)
# A repeated label, one that fills its times, an empty string, padding that is no label
TARGETS = np.array([[1, 1, 2], [2, 1, 2], [0, 7, 0], [2, -1, 99]])
INPUT_LENGTHS, TARGET_LENGTHS = np.array([5, 3, 4, 2]), np.array([3, 3, 0, 1])
BATCH = (TARGETS, INPUT_LENGTHS, TARGET_LENGTHS)


def collapsed(way, blank):
    return [label for label, _ in itertools.groupby(way) if label != blank]


def by_all_ways(log_probs, string, blank):
    """-log of the sum of the probabilities of all ways that say the string."""
    times, classes = log_probs.shape
    total = sum(math.exp(sum(log_probs[t, c] for t, c in enumerate(way)))
                for way in itertools.product(range(classes), repeat=times) if collapsed(way, blank) == list(string))
    return -math.log(total) if total else math.inf


@st.composite
def batches(draw):
    """Log-probabilities, strings that may be impossible, lengths, and a blank."""
    many, batch, classes = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    blank = draw(st.integers(0, classes - 1))
    labels = st.sampled_from([c for c in range(classes) if c != blank]) if classes > 1 else st.nothing()
    strings = [draw(st.lists(labels, max_size=3 if classes > 1 else 0)) for _ in range(batch)]
    lengths = [draw(st.integers(1, many)) for _ in range(batch)]
    scores = np.random.default_rng(draw(st.integers(0, 2**32))).normal(size=(many, batch, classes)) * 3
    return log_softmax(scores), strings, lengths, blank


@settings(derandomize=True, deadline=None, database=None, max_examples=100)
@given(batches())
def test_the_cost_is_that_of_all_ways(drawn):
    log_probs, strings, lengths, blank = drawn
    one_by_one = [by_all_ways(log_probs[:n, i], s, blank)
                  for i, (s, n) in enumerate(zip(strings, lengths, strict=True))]
    wanted = np.mean([cost / max(len(s), 1) if cost < math.inf else 0
                      for cost, s in zip(one_by_one, strings, strict=True)])
    sizes = [len(s) for s in strings]
    padded = np.array([s + [blank] * (3 - len(s)) for s in strings])
    joined = np.array([label for s in strings for label in s], int)
    for targets in (padded, joined):
        got = ctc_loss(log_probs, targets, lengths, sizes, blank, zero_infinity=True)
        assert got == pytest.approx(wanted, rel=1e-12, abs=1e-12)
        if math.inf in one_by_one:
            with pytest.raises(ValueError, match=f"ctc_loss: example {one_by_one.index(math.inf)} has"):
                ctc_loss(log_probs, targets, lengths, sizes, blank)
        else:
            assert ctc_loss(log_probs, targets, lengths, sizes, blank) == got


def test_the_numbers_are_those_of_pytorch():
    """In float64, with the gradient with respect to scores before a log_softmax: at two times of two examples."""
    v = Value(SCORES)
    cost = ctc_loss(log_softmax(v), *BATCH)
    cost.backward()
    assert float(cost) == pytest.approx(1.8024438744520577, rel=1e-14)
    np.testing.assert_allclose(v.grad[1, :2], [
        [-0.016914651629962814, -0.0032487383092720448, 0.020163389939234857],
        [0.022385308056467396, -0.05631776715014615, 0.03393245909367876]], rtol=1e-12)
    np.testing.assert_allclose(v.grad[4, :2], [[0.030165676592058797, 0.027681544854177585, -0.057847221446236385],
                                               [0, 0, 0]], rtol=1e-12)


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_gradients_to_second_order(zero_infinity):
    def cost(x):
        return ctc_loss(x, *BATCH, zero_infinity=zero_infinity)

    weights = np.random.default_rng(1).uniform(0.5, 1.5, LOG_PROBS.shape)
    gradcheck(cost, LOG_PROBS).raise_if_wrong()
    gradcheck(lambda x: np.sum(weights * grad(cost)(x)), LOG_PROBS).raise_if_wrong()
    tangent = make_jvp(cost)(LOG_PROBS)(weights)[1]
    assert tangent == pytest.approx(np.sum(weights * grad(cost)(LOG_PROBS)), rel=1e-13)
    curved = make_jvp(grad(cost))(LOG_PROBS)(weights)[1]
    np.testing.assert_allclose(curved, grad(lambda x: np.sum(weights * grad(cost)(x)))(LOG_PROBS), atol=1e-14)


def test_a_third_derivative():
    def slope_of(f):
        return lambda x: np.sum(np.cos(np.arange(x.size).reshape(x.shape)) * grad(f)(x))

    gradcheck(slope_of(slope_of(lambda x: ctc_loss(x, [[1]], [3], [1]))), LOG_PROBS[:3, :1]).raise_if_wrong()


def test_the_gradient_counts_the_time_of_each_class():
    """Each time of an example is spent in one class; later ones have no gradient, and so has nothing else."""
    g = grad(lambda x: ctc_loss(x, *BATCH))(LOG_PROBS)
    spent = -4 * np.maximum(TARGET_LENGTHS, 1) * np.sum(g, axis=2)
    np.testing.assert_allclose(spent, np.arange(5)[:, None] < INPUT_LENGTHS, atol=1e-14)
    np.testing.assert_allclose(g[:4, 2], [[-1 / 4, 0, 0]] * 4)  # the string of blanks


def test_float32_stays_float32_and_is_as_precise():
    scores = np.random.default_rng(2).normal(size=(150, 3, 11)).astype(np.float32) * 5
    targets, lengths, sizes = np.arange(1, 10).reshape(3, 3), [150, 120, 90], [3, 2, 1]
    v, w = Value(scores), Value(scores.astype(float))
    cost, wanted = (ctc_loss(log_softmax(x), targets, lengths, sizes) for x in (v, w))
    cost.backward()
    wanted.backward()
    assert cost.dtype == v.grad.dtype == np.float32
    assert float(cost) == pytest.approx(float(wanted), rel=1e-6)
    np.testing.assert_allclose(v.grad, w.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_0_and_states_far_off(dtype):
    """The ways that end well, four of them, pass states whose probability, e^-900, is 0 in any dtype."""
    said = np.full((40, 1, 2), -1000.0, dtype)
    said[:37, 0, 0] = said[37:, 0, 1] = 0.0
    said[10:13, 0, 1] = said[37:, 0, 0] = -900.0
    v = Value(said)
    cost = ctc_loss(v, [[1, 1]], [40], [2])
    cost.backward()
    assert float(cost) == pytest.approx((900 - math.log(4)) / 2) and np.all(np.isfinite(v.grad))
    with np.errstate(divide="ignore"):
        certain = np.log(np.eye(3, dtype=dtype)[[0, 1, 0, 2]])[:, None]
    for target, wanted, slope in (([1, 2], 0.0, -0.5), ([2, 1], math.inf, 0.0)):
        v = Value(certain)
        cost = ctc_loss(v, [target], [4], [2])
        cost.backward()
        assert float(cost) == wanted
        np.testing.assert_array_equal(v.grad[:, 0], slope * np.eye(3)[[0, 1, 0, 2]])
        assert float(ctc_loss(v, [target], [4], [2], zero_infinity=True)) == 0


def test_impossible_strings_count_zero_and_leave_the_others():
    one = grad(lambda x: ctc_loss(x, [[1, 2]], [3], [2]))(LOG_PROBS[:, :1])
    both = grad(lambda x: ctc_loss(x, [[1, 2, 0], [1, 1, 1]], [3, 4], [2, 3], zero_infinity=True))(LOG_PROBS[:, :2])
    np.testing.assert_allclose(2 * both[:, :1], one, rtol=1e-14)
    assert not np.any(both[:, 1:])


@EVERY_BACKEND
def test_under_jit_it_is_one_operation(backend):
    def cost(scores, *batch):
        return ctc_loss(log_softmax(scores), *batch)

    def curved(scores, *batch):
        return grad(lambda x: np.sum(grad(cost)(x, *batch) ** 2))(scores)

    for f in (cost, grad(cost), curved):
        jitted = jit(f, backend=backend)
        for _ in range(2):
            np.testing.assert_allclose(jitted(SCORES, *BATCH), f(SCORES, *BATCH), rtol=1e-13, atol=1e-15)
    lines = [len(jit(grad(cost), backend="numpy").source(np.zeros((n, 4, 3)), *BATCH).splitlines()) for n in (5, 50)]
    assert lines[0] == lines[1]
    jitted = jit(grad(cost), backend=backend)
    jitted(SCORES, *BATCH)
    with pytest.raises(ValueError, match="ctc_loss: example 1 has 3 labels, which take 3 times, but only 2"):
        jitted(SCORES, TARGETS, np.array([5, 2, 4, 2]), TARGET_LENGTHS)


# Arguments

WORDS = {
    "rank": ((SCORES[0], *BATCH), ValueError, "log_probs must have the shape (times, batch, classes), none of them 0, "
             "got (4, 3); write log_probs[:, None] for a single example"),
    "no examples": ((SCORES[:, :0], *BATCH), ValueError, "none of them 0, got (5, 0, 3)"),
    "no times": ((SCORES[:0], *BATCH), ValueError, "none of them 0, got (0, 4, 3)"),
    "floats": ((SCORES, TARGETS * 1.0, *BATCH[1:]), TypeError, "targets must be integers, got float64; write "
               "targets.astype(int)"),
    "float lengths": ((SCORES, TARGETS, [5.0] * 4, TARGET_LENGTHS), TypeError, "input_lengths must be integers, got "
                      "float64"),
    "too few strings": ((SCORES, TARGETS[:3], *BATCH[1:]), ValueError, "targets must have the shape (4, longest "
                        "string) or (all labels,) for a batch of 4, got (3, 3)"),
    "a number": ((SCORES, 1, *BATCH[1:]), ValueError, "(all labels,) for a batch of 4, got ()"),
    "too few lengths": ((SCORES, TARGETS, [5, 5], TARGET_LENGTHS), ValueError, "input_lengths must have the shape "
                        "(4,), one for each example, got (2,)"),
    "a column of lengths": ((SCORES, TARGETS, INPUT_LENGTHS, TARGET_LENGTHS[:, None]), ValueError,
                            "target_lengths must have the shape (4,), one for each example, got (4, 1)"),
    "too long": ((SCORES, TARGETS, [5, 6, 4, 2], TARGET_LENGTHS), ValueError,
                 "input_lengths must lie in 1 … 5, but that of example 1 is 6"),
    "no time": ((SCORES, TARGETS, [5, 3, 4, 0], TARGET_LENGTHS), ValueError,
                "input_lengths must lie in 1 … 5, but that of example 3 is 0"),
    "longer than the row": ((SCORES, TARGETS, INPUT_LENGTHS, [3, 3, 4, 1]), ValueError,
                            "target_lengths must lie in 0 … 3, but that of example 2 is 4"),
    "negative": ((SCORES, TARGETS, INPUT_LENGTHS, [3, 3, -1, 1]), ValueError,
                 "target_lengths must lie in 0 … 3, but that of example 2 is -1"),
    "another sum": ((SCORES, [1, 1, 2, 2, 1, 2], *BATCH[1:]), ValueError,
                    "target_lengths add up to 7, but there are 6 targets"),
    "a label out of range": ((SCORES, [[1, 1, 2], [2, 3, 2], [0, 0, 0], [2, 0, 0]], *BATCH[1:]), ValueError,
                             "targets must lie in 0 … 2 and not be the blank 0, but label 1 of example 1 is 3"),
    "a negative label": ((SCORES, [1, 1, 2, 2, 1, 2, -1], *BATCH[1:]), ValueError, "label 0 of example 3 is -1"),
    "the blank": ((SCORES, *BATCH, 2), ValueError, "not be the blank 2, but label 2 of example 0 is 2"),
    "a blank out of range": ((SCORES, *BATCH, 3), ValueError, "blank must lie in 0 … 2, got 3"),
    "impossible": ((SCORES, TARGETS, [3, 3, 4, 2], TARGET_LENGTHS), ValueError,
                   "example 0 has 3 labels, which take 4 times, but only 3 in input_lengths; drop it, or pass "
                   "zero_infinity=True to count it as 0"),
}


@pytest.mark.parametrize("case", WORDS)
def test_wrong_arguments(case):
    (scores, *others), error, text = WORDS[case]
    for given_scores in (scores, Value(scores)):
        with pytest.raises(error, match=re.escape(text)) as caught:
            ctc_loss(given_scores, *others)
        assert str(caught.value).startswith("ctc_loss: ")


# Decoding

@settings(derandomize=True, deadline=None, database=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=3), st.integers(0, 3),
       st.integers(0, 6))
def test_greedy_decoding_collapses_the_likeliest_way(ways, blank, length):
    scores = np.stack([np.eye(4)[way] for way in ways], axis=1)
    wanted = [collapsed(way[:length], blank) for way in ways]
    assert ctc_greedy_decode(scores, [length] * len(ways), blank) == wanted
    assert ctc_greedy_decode(Value(scores), np.full(len(ways), length), blank) == wanted


@pytest.mark.parametrize(("scores", "lengths", "error", "text"), [
    (SCORES[0], [5], ValueError, "log_probs must have the shape (times, batch, classes), got (4, 3)"),
    (SCORES, [5, 5], ValueError, "lengths must have the shape (4,), one for each example, got (2,)"),
    (SCORES, [5, 5, 6, 5], ValueError, "lengths must lie in 0 … 5, but that of example 2 is 6"),
    (SCORES, [5, 5, -1, 5], ValueError, "lengths must lie in 0 … 5, but that of example 2 is -1"),
    (SCORES, [0.5] * 4, TypeError, "lengths must be integers, got float64"),
])
def test_wrong_arguments_of_decoding(scores, lengths, error, text):
    with pytest.raises(error, match=re.escape(f"ctc_greedy_decode: {text}")):
        ctc_greedy_decode(scores, lengths)
