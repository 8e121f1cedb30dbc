"""``why_zero`` where no path leads from the cost to the Value: what the evidence is, and what is none."""

import numpy as np
import pytest

from autograd import Value, why_zero
from tests.autograd import table_why_zero
from tests.autograd.table_why_zero import BROKEN, new, other


@pytest.mark.parametrize(("compute", "what", "cause"), BROKEN, ids=[row[2][-50:] for row in BROKEN])
def test_a_path_that_is_broken(compute, what, cause):
    w = new()
    cost = compute(w)
    report = why_zero(cost, w)
    assert report
    assert report.operation == what
    assert cause in report.cause
    assert report.summary.endswith(" w")
    assert "recorded path" in report.summary or "cut off" in report.summary
    assert report.path == ()
    assert report.line.file == table_why_zero.__file__
    assert f"{what}: {report.cause}" in str(report)


def test_comparisons_with_zero_of_what_holds_one():
    w = new(0.0, 1.0, -1.0)
    for chosen, code in ((w > 0, "w > 0"), (w >= 0, "w >= 0"), (w < 0, "w < 0"), (w <= 0, "w <= 0")):
        assert f"equals {code}, a constant" in why_zero(other * chosen, w).cause


def test_a_comparison_with_any_number():
    w = Value(np.linspace(-1.0, 1.0, 9), name="w")
    scale = Value(2.0)
    above, below = why_zero(scale * (w > 0.3), w), why_zero(scale * np.where(w.data <= -0.5, 1.0, 0.0), w)
    assert "w > 0.3, equals w > c for c from 0.25 up to 0.5, a constant that has no gradient" in above.cause
    assert "equals w < c for c above -0.5 up to -0.25, a constant" in below.cause
    assert why_zero(scale * (np.arange(9) % 2), w).cause.startswith("never used")


def test_a_value_made_of_what_the_cost_uses():
    w = new()
    cost = np.sum(w * 2)
    copy = w * 1
    report = why_zero(cost, copy)
    assert report.cause == ("the wrong object: v was computed from w, and so was the cost, but not from v itself; ask "
                            "for w, or compute the cost from v")
    assert report.line.expression == "w * 1"
    assert len(report.reasons) == 1


def test_a_value_made_after_the_cost():
    cost = np.sum(other * 2)
    assert why_zero(cost, new()).cause == "never used: it was made after the cost"


def test_numbers_that_may_be_equal_by_chance_are_no_evidence():
    step, exponent = Value(2.0, name="step"), Value(0.3141, name="exponent")
    cost = other**2 * 0.5
    assert why_zero(cost, Value(np.zeros(3))).cause == "never used: it was made after the cost"
    assert why_zero(step.detach() * 0 + other.sum() ** 2.0, step).cause.startswith("perhaps detached")
    assert why_zero(other.sum() ** 2.0 + 0.0, step).cause.endswith("the cost was computed from other")
    assert "as by exponent.data or float(exponent)" in why_zero(other.sum() ** float(exponent), exponent).cause
    assert why_zero(other * np.ones(3), new(1.0, 1.0, 1.0)).cause.startswith("never used")


def test_the_inputs_of_a_cost_are_named_up_to_a_few():
    w = new()
    many = [Value(float(i), name=f"p{i}") for i in range(6)]
    assert why_zero(sum(many) + Value([1.0, 2.0]), w).cause == (
        "never used, or turned into plain numbers, as by a comparison, rounding, np.argmax, .data or float(): the cost "
        "was computed from p0, p1, p2, p3 and 3 more")
