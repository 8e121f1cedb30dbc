"""``why_zero``: every reason that is recognised, blamed on the right operation and line, and for the right elements."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, checkpoint, defjvp, defvjp, primitive, why_zero
from autograd.functions import log_softmax, relu, sigmoid
from tests.autograd import table_why_zero
from tests.autograd.table_why_zero import CASES, mask, new, other, picture, zero


@pytest.mark.parametrize(("compute", "name", "expression", "cause", "elements"), CASES, ids=[row[2] for row in CASES])
def test_a_recognised_reason(compute, name, expression, cause, elements):
    w = new()
    report = why_zero(compute(w), w)
    assert report
    assert report.operation == name
    assert report.line.file == table_why_zero.__file__
    assert report.line.expression == expression
    assert cause in report.cause
    assert len(report.reasons) == 1
    assert report.reasons[0].elements == elements
    assert report.zero.sum() == elements
    assert report.path[-1].node is w
    assert any(step.node is report.reasons[0].node for step in report.path)
    for text in (f"{name}: {report.cause}", str(report.line)):
        assert text in str(report)


def test_several_reasons_are_told_apart_by_their_elements():
    w = Value([1.0, -2.0, 3.0, 4.0], name="w")
    cost = np.sum(relu(w * np.array([1.0, 1.0, 0.0, 1.0]))[:3])
    report = why_zero(cost, w)
    assert {(reason.operation, reason.elements) for reason in report.reasons} == {
        ("autograd.functions.relu", 1), ("np.multiply", 1), ("indexing", 1)}
    assert report.zero.tolist() == [False, True, True, True]
    assert "the gradient with respect to w is zero at [1], [2], [3] (3 of 4 elements)" in str(report)
    assert "1 element: np.multiply: mask: " in str(report)


def test_two_ways_that_are_both_blocked():
    w = new(-1.0, -2.0)
    report = why_zero(np.sum(relu(w)) + np.sum(np.maximum(w, 0.0) * 3.0), w)
    assert {(reason.operation, reason.elements) for reason in report.reasons} == {
        ("autograd.functions.relu", 2), ("np.maximum", 2)}


def test_what_adds_up_to_zero_over_examples():
    w = new()
    x = np.array([[0.5, 1.0, 0.75], [0.5, -1.0, 0.25]])
    report = why_zero(np.sum((x @ w) * np.array([2.0, -2.0])), w)
    assert report.zero.tolist() == [True, False, False]
    (reason,) = report.reasons
    assert reason.cause == ("cancellation: in the result of np.sum, what changes in (x @ w) * np.array([2.0, -2.0]) "
                            "adds up to 0")
    assert reason.elements == 1


def test_elements_whose_gradient_alone_underflows():
    w = new()
    report = why_zero(np.sum(w * np.array([1.0, 1e-200, 1.0]) * np.array([1.0, 1e-200, 1.0])), w)
    assert report.zero.tolist() == [False, True, False]
    (reason,) = report.reasons
    assert (reason.operation, reason.elements) == ("np.multiply", 1)
    assert reason.cause.startswith("cancellation or underflow: the gradient that arrives would get through")


def test_the_inside_of_a_checkpoint_is_looked_at():
    @checkpoint
    def layer(x):
        h = x - 10.0
        return relu(h)

    w = new()
    report = why_zero(np.sum(layer(w)), w)
    assert report.cause == "dead ReLU: the 3 inputs (-11.25 … -8) are at most 0"
    assert report.line.expression == "relu(h)"
    assert report.path[1].line.expression == "layer(w)"
    both = checkpoint(lambda x: (relu(x - 10.0), 0.0 * x))
    positive, nothing = both(w)
    report = why_zero(np.sum(positive) + np.sum(nothing), w)
    assert {reason.operation for reason in report.reasons} == {"autograd.functions.relu", "np.multiply"}


def test_reasons_that_follow_each_other_come_from_the_cost_on():
    w = new(-1.0, -2.0)
    report = why_zero(np.sum(0.0 * (3 * relu(w) + 1.0)), w)
    assert [reason.operation for reason in report.reasons] == ["np.multiply", "autograd.functions.relu"]
    assert all(reason.elements == 2 for reason in report.reasons)


def test_what_is_flat_because_of_the_zeros_of_a_dead_relu_is_not_blamed():
    w = new(-1.0, -2.0)
    report = why_zero(np.sum(relu(w) ** 2), w)
    assert [reason.operation for reason in report.reasons] == ["autograd.functions.relu"]
    report = why_zero(np.sum(relu(w * np.array([1.0, 0.0])) ** 2), w)
    assert [(reason.operation, reason.elements) for reason in report.reasons] == [
        ("autograd.functions.relu", 1), ("np.multiply", 1)]
    w = new(0.0, 0.0)
    assert why_zero(np.sum(w**2), w).operation == "np.power"


def test_a_report_says_all_of_it():
    w = Value([-1.0, 2.0], name="w")
    h = relu(w * 3.0)
    cost = np.sum(h * 5.0)
    report = why_zero(cost, w)
    place = report.path[0].line.place
    assert str(report) == f"""\
why_zero: the gradient with respect to w is zero at [0] (1 of 2 elements)
  autograd.functions.relu: dead ReLU: the 1 of 2 inputs that matter (-3) is at most 0; of all 2 inputs, 1 is
    {report.line}
  on the way from the cost:
    operation                {'line':{len(place)}}  max |g|   zeros  factor
    np.sum                   {place}        1  0 of 1       1
    np.multiply              {report.path[1].line.place}        1  0 of 2       5
    autograd.functions.relu  {report.path[2].line.place}        5  0 of 2       1  ←
    np.multiply              {report.path[3].line.place}        5  1 of 2       3
    w                        {report.path[4].line.place}       15  1 of 2"""
    assert [step.operation for step in report.path[:2]] == ["np.sum", "np.multiply"]
    assert [(step.gradient, step.factor) for step in report.path[1:3]] == [(1.0, 5.0), (5.0, 1.0)]
    assert repr(report) == str(report)
    assert report._repr_html_().startswith("<pre>why_zero: the gradient with respect to w is zero at [0]")


def test_calls_on_one_line_are_told_together():
    w = Value(-0.5, name="w")
    cost = sum(relu(w * x - 0.1) for x in (1.0, 2.0, 3.0)) + 0.0
    report = why_zero(cost, w)
    (reason,) = report.reasons
    assert (reason.calls, reason.elements) == (3, 1)
    assert "autograd.functions.relu (3 calls): dead ReLU: the 3 inputs (-1.6 … -0.6) are at most 0" in str(report)


def test_a_product_of_many_factors_has_no_operation_alone_to_blame():
    w = y = new()
    for _ in range(400):
        y = y * 0.1
    report = why_zero(np.sum(np.tanh(y) * 0.5), w)
    assert report.zero.all()
    assert report.cause.startswith("no operation is alone to blame: the 403 on the way multiply the gradient by "
                                   "1e-400, below the smallest float64: 400 calls of np.multiply (")
    assert ") by 0.1 each, 1 call of np.multiply (" in report.cause
    assert report.line.expression == "y * 0.1"
    assert len(report.path) == 404
    rows = str(report).splitlines()[-10:]
    assert [row.split()[0] for row in rows] == ["operation", "np.sum", "np.multiply", "np.tanh", *["np.multiply"] * 2,
                                                "…", "np.multiply", "np.multiply", "w"]
    assert rows[6].split() == ["…", "396", "operations"]


def test_a_long_way_is_shown_at_its_ends_and_where_it_is_to_blame():
    w = y = new()
    for i in range(30):
        y = relu(y - 50.0) if i == 15 else np.tanh(y)
    text = str(why_zero(np.sum(y), w)).splitlines()[4:]
    assert [row.split()[0] for row in text] == [
        "operation", "np.sum", *["np.tanh"] * 3, "…", "np.tanh", "autograd.functions.relu", "np.subtract", "…",
        *["np.tanh"] * 2, "w"]
    assert [row.split()[1] for row in text if row.split()[0] == "…"] == ["10", "13"]
    y = w
    for _ in range(9):
        y = np.tanh(y)
    assert "…" not in str(why_zero(np.sum(0 * y), w)).partition("on the way")[2]


def test_tiny_is_what_is_small_beside_the_largest_on_the_way():
    w = new()
    assert why_zero(np.sum(w * 1e-9) * 1e4, w)
    assert not why_zero(np.sum(w) * 1e-5, w)
    assert why_zero(np.sum(w * 1e2) * 1e-9, w)
    assert not why_zero(np.sum(w * 1e3) * 1e-8, w)


def test_ten_layers_of_sigmoids():
    w = y = new()
    for _ in range(12):
        y = sigmoid(y)
    report = why_zero(np.sum(y), w)
    assert not report.zero.all() or report.gradient.high > 0
    assert "is not zero, but tiny: max |g| = " in report.summary
    assert "12 calls of autograd.functions.sigmoid" in report.cause


# Not zero


def test_a_gradient_that_is_not_zero():
    w = new()
    report = why_zero(np.sum(w * other), w)
    assert not report
    assert str(report) == "why_zero: the gradient with respect to w is not zero: max |g| = 3"
    assert (report.cause, report.operation, report.line, report.path) == ("", "", None, ())
    assert report.gradient.high == 3.0
    assert not why_zero(w, w)


def test_nothing_to_have_a_gradient():
    w = new()[:0]
    assert str(why_zero(np.sum(w * 0.0), w)) == "why_zero: w has no elements, and its gradient none"


def test_a_gradient_that_is_not_finite_is_left_to_explain_nan():
    w = new(0.0, 1.0)
    report = why_zero(np.sqrt(w), w)
    assert not report
    assert "is not zero but holds nan or inf: see explain_nan(cost)" in str(report)


# What it must not do


def test_it_changes_no_gradient_and_warns_of_nothing():
    w = new(0.0, -1.0)
    with np.errstate(all="ignore"):
        cost = np.sum(relu(w) / other[:2] + np.where(w > -5, 1.0, np.exp(-800.0 * w)))
    w.grad = before = np.array([7.0, 7.0])
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert why_zero(np.sum(relu(w)), w)
        why_zero(cost, w)
    assert w.grad is before
    assert before.tolist() == [7.0, 7.0]


@pytest.mark.parametrize("wrong", [1.0, np.zeros(3), None, [Value(1.0)]])
def test_what_is_no_value_is_refused(wrong):
    with pytest.raises(TypeError, match=r"cost: expected a Value, got .*; \.data, float\(\), comparisons, rounding"):
        why_zero(wrong, new())
    with pytest.raises(TypeError, match=r"v: expected the Value that should have a gradient, got .*write v = Value"):
        why_zero(new().sum(), wrong)


# Kinds of operations and Values


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_every_dtype(dtype):
    w = Value(np.array([1, 2, 3]).astype(dtype), name="w")
    report = why_zero(np.sum(np.real(w * mask)), w)
    assert "mask: mask is 0 at the 2 of 3 inputs that matter" in report.cause
    y = w
    for _ in range(200):
        y = y * 0.01
    assert f"below the smallest {np.dtype(dtype)}" in why_zero(np.sum(np.real(y)), w).cause
    assert not why_zero(np.sum(np.real(w)), w)


def test_integers_that_someone_put_into_a_value():
    w = new()
    w.data = np.array([1, 2, 3])
    assert why_zero(np.sum(mask * w), w).reasons[0].elements == 2
    assert not why_zero(np.sum(w * 2.0), w)
    assert "the 3 on the way multiply the gradient by 1e-400" in why_zero(np.sum(w * 1e-200 * 1e-200), w).cause


def test_several_results():
    w = Value(np.diag([1.0, 2.0]), name="w")
    values, vectors = np.linalg.eigh(w)
    report = why_zero(values[0] * 1.0, w)
    assert report.zero.sum() == 3
    assert [step.factor for step in report.path[2:]] == [1.0, None]
    report = why_zero(np.sum(np.sign(vectors)) + np.sum(0 * values), w)
    assert {reason.operation: reason.elements for reason in report.reasons} == {
        "np.sign": 1, "np.multiply": 2, "np.linalg.eigh": 1}  # which reads one triangle only
    first, second = Value([[1.0, 2.0], [3.0, 4.0]], name="rows")
    rows = first.parents[0].parents[0]
    report = why_zero(np.sum(second), rows)
    assert (report.zero.sum(), report.operation) == (2, "autograd.record.unstack")
    assert report.cause == ("index: of the results of autograd.record.unstack, those that are used do not depend on "
                            "the 2 of 4 inputs that matter (1 … 2)")
    assert "←" in str(report)
    assert [step.operation for step in report.path] == ["np.sum", "autograd.record.unstack", "rows"]


def test_a_rule_of_the_user(temporary_rules):
    @primitive
    def stop(x):
        return x * 1.0

    defvjp(stop, lambda y, x: lambda g: 0 * g)
    w = new()
    report = why_zero(stop(w).sum(), w)  # without a forward rule nothing is known of what moves
    assert report.operation.endswith("stop")
    assert report.cause.endswith("stop makes the gradient 0 times as large")
    defjvp(stop, lambda g, y, x: 0 * g)
    report = why_zero(stop(w).sum(), w)
    assert report.operation.endswith("stop")
    assert "is 0 along the 3 inputs" in report.cause


def test_a_value_that_was_computed():
    hidden = new() * 2
    report = why_zero(np.sum(relu(hidden - 50)), hidden)
    assert (report.name, report.operation) == ("hidden", "autograd.functions.relu")


def test_pixels_that_are_black_in_every_example_and_units_that_are_dead():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.ReLU(), nn.Linear(4, 2, rng=1))
    first = model[0]
    first.bias.data[1] = -50.0
    cost = nn.mse_loss(model(picture.astype(np.float32)), np.zeros((2, 2), np.float32))
    report = why_zero(cost, first.weight)
    found = {reason.operation: reason for reason in report.reasons}
    assert found["autograd.functions.relu"].elements >= 2
    assert "multiplication by 0" in found["autograd.functions.affine"].cause
    assert report.zero[:, 0].all()
    assert report.zero[1].all()
    assert sum(reason.elements for reason in report.reasons) == report.zero.sum()


def test_equal_logits_have_no_gradient_by_cancellation():
    w = new(0.5, 0.5, 0.5)
    assert "cancellation" in why_zero(np.sum(log_softmax(w)), w).cause
    w = new()
    assert not why_zero(np.sum(log_softmax(w)), w)


# Planted

SMOOTH = [np.tanh, np.sin, lambda v: v * 0.5, lambda v: 1.0 + v, lambda v: v / 3.0, np.negative, np.arctan]
PLANTS = [
    ("autograd.functions.relu", lambda v: relu(v - 9.0)),
    ("np.multiply", lambda v: v * zero),
    ("np.where", lambda v: np.where(mask > 5, v, 1.0)),
    ("np.clip", lambda v: np.clip(v, 8.0, 9.0)),
    ("indexing", lambda v: np.concatenate([v, other])[3:]),
    ("np.sign", lambda v: np.sign(v)),
    ("np.subtract", lambda v: v - v),
    ("autograd.functions.sigmoid", lambda v: sigmoid(v + 1000.0)),
]


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(SMOOTH), max_size=5), st.sampled_from(PLANTS), st.lists(st.sampled_from(SMOOTH),
       max_size=5), st.integers(0, 3))
def test_what_is_planted_is_found(before, plant, after, branches):
    w = new()
    name, block = plant
    y = w
    for f in before:
        y = f(y)
    assert not why_zero(np.sum(y), w)
    planted = z = block(y)
    for f in after:
        z = f(z)
    cost = np.sum(z * other)
    for i in range(branches):
        cost = cost + np.sum(np.exp(0.1 * z) * (i + 1))
    report = why_zero(cost, w)
    assert report.zero.all()
    (reason,) = report.reasons
    assert reason.operation == name
    assert reason.node is planted
    assert reason.elements == 3


def test_a_graph_of_many_nodes():
    w = y = Value(0.5, name="w")
    for i in range(10_000):
        y = 0.9999 * y + 0.0001
        if i == 700:
            y = relu(y - 3.0)
    report = why_zero(y, w)
    assert (report.operation, report.line.expression) == ("autograd.functions.relu", "relu(y - 3.0)")
    assert len(str(report).splitlines()) < 25
