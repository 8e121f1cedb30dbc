"""``gradcheck`` accepts what is right: random graphs in both precisions, with kinks or without, and awkward inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import gradcheck
from autograd.functions import erf, sigmoid, softmax
from autograd.testing import Expression, expressions, random_expression

repeatable = settings(derandomize=True, deadline=None, database=None)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kinks", [False, True], ids=["smooth", "kinks"])
def test_random_graphs_pass(kinks, dtype):
    for seed in range(75):
        f = random_expression(np.random.default_rng(seed), kinks=kinks, scalar=seed % 5 == 0, dtype=dtype)
        report = gradcheck(f, *f.inputs)
        assert report, f"seed {seed}\n{f}\n{report}"


@settings(repeatable, max_examples=60)
@given(st.sampled_from([np.float64, np.float32]).flatmap(lambda dtype: expressions(kinks=True, dtype=dtype)))
def test_graphs_that_hypothesis_makes_pass(f: Expression):
    report = gradcheck(f, *f.inputs)
    assert report, str(report)


@settings(repeatable, max_examples=25)
@given(expressions(kinks=True))
def test_graphs_pass_at_second_order(f: Expression):
    report = gradcheck(f, *f.inputs, order=2)
    assert report, str(report)


# What random graphs and hypothesis found, made small

single = np.float32
AWKWARD = {
    "a tiny input": (lambda a, b: b + b + a, [1.0, 2.2e-16], 1),
    "a tiny input of float32": (lambda a, b: b + b + a, [single(1), single(1.2e-38)], 1),
    "the smallest number": (lambda a, b: b * a, [0.0, 2.2250738585072014e-308], 1),
    "a slope that underflows": (lambda a: np.sum(np.hypot(a, 1 + a * a)), [np.array([2.6e-130])], 1),
    "a slope of 0, forward": (lambda a: np.sum(softmax(a, axis=0)), [np.array([[-2.0, 0.0], [0.0, 0.0]])], 1),
    "less the mean": (lambda a: np.sum(a - np.mean(a, axis=1, keepdims=True)), [np.array([[-0.3, -1.0, -1.4]])], 1),
    "a saturated tanh in float32": (lambda a: np.tanh(a), [single(8)], 1),
    "a nearly saturated tanh in float32": (lambda a: np.tanh(a), [single(5.5)], 1),
    "a saturated erf": (lambda a: erf(a), [8.0], 1),
    "a saturated tanh": (lambda a: np.tanh(a), [25.0], 1),
    "terms that cancel": (lambda a: np.sinh(np.sin(a)) - a, [0.005], 1),
    "a cube at 0 in float32": (lambda a, c: (erf(c) * a) ** 2 * a, [single(0), single(0.0971934)], 1),
    "second order 0 in float32": (lambda a: np.logaddexp(sigmoid(a), sigmoid(a)), [single(0)], 2),
    "second order of a norm of one number": (lambda a: np.linalg.norm(a), [single(1.26)], 2),
    "second order where max has a tie": (lambda a: np.max(a, axis=0), [np.array([0.0, 0.0])], 2),
    "second order at a kink in float32": (lambda a: np.maximum(a, 0), [single(0)], 2),
    "second order at the end of clip": (lambda a: np.sum(np.clip(a, -0.5, 0.5)), [np.array([-0.5, 1.0])], 2),
    "second order at a tie of squares of 0": (lambda a: np.median(a * a), [np.zeros(3)], 2),
    "second order beside a tie of squares": (lambda a: np.median(a * a), [np.array([0.0, 1e-128, 1.0])], 2),
    "second order at a step": (lambda a: np.sum(np.where(a > 0.5, a, 2 * a)), [np.array([0.5, 1.0])], 2),
}


@pytest.mark.parametrize(("f", "inputs", "order"), AWKWARD.values(), ids=AWKWARD)
def test_awkward_inputs_pass(f, inputs, order):
    report = gradcheck(f, *inputs, order=order)
    assert report, str(report)


@pytest.mark.parametrize("seed", [1328, 1524, 3189, 7107])
def test_gradients_that_cancel_in_the_complex_step_too(seed):  # the false alarms of 10,000 graphs, once
    f = random_expression(np.random.default_rng(seed), kinks=bool(seed % 2), scalar=seed % 5 == 0)
    assert gradcheck(f, *f.inputs)
