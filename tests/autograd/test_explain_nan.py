"""``explain_nan``: every cause that is recognised, blamed on the right operation and line, and nothing else touched."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, checkpoint, defvjp, explain_nan, no_grad, primitive
from autograd.functions import softmax
from tests.autograd import table_explain_nan
from tests.autograd.table_explain_nan import CASES, big, e, mask, ones, x


@pytest.fixture(autouse=True)
def _no_warnings_of_numpy():
    with np.errstate(all="ignore"), warnings.catch_warnings():  # of what the cases compute
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@pytest.mark.parametrize(("compute", "name", "phase", "expression", "cause", "rewrite"), CASES,
                         ids=[row[3] for row in CASES])
def test_a_recognised_cause(compute, name, phase, expression, cause, rewrite):
    report = explain_nan(compute())
    assert report
    assert (report.operation, report.phase) == (name, phase)
    assert report.line is not None
    assert report.line.file == table_explain_nan.__file__
    assert report.line.expression == expression
    assert cause in report.cause
    assert report.rewrite == rewrite
    for text in (name, str(report.line), report.cause, rewrite, *(str(i.range) for i in report.inputs[:1])):
        assert text in str(report)
    assert report.gives is not None
    assert report.gives.nans + report.gives.infinities == np.sum(report.wrong) > 0


REWRITTEN = [row for row in CASES if row[5] and "..." not in row[5]]


@pytest.mark.parametrize("row", REWRITTEN, ids=[row[3] for row in REWRITTEN])
def test_what_it_says_to_write_is_finite_and_so_is_its_gradient(row):
    found = eval(row[5], vars(table_explain_nan) | {"autograd": autograd})
    if isinstance(found, tuple):
        found = found[1]
    assert np.isfinite(found).all() if isinstance(found, float) else not explain_nan(found)


def test_an_input_that_is_not_finite():
    data = Value([1.0, np.nan, 2.0], name="data")
    report = explain_nan(np.sum(2 * np.exp(data)))
    assert report.summary == "the input data holds nan at [1] (1 of 3 elements)"
    assert (report.operation, report.phase, report.node, report.later) == ("input", "forward", data, None)
    assert report.line.expression == 'Value([1.0, np.nan, 2.0], name="data")'
    assert report.wrong.tolist() == [False, True, False]


def test_an_input_without_a_name_is_called_as_in_the_operation_that_takes_it():
    numbers = Value([np.inf, -np.inf])
    assert explain_nan(numbers * 2).summary == "the input numbers holds inf and -inf at [0], [1] (2 of 2 elements)"
    assert explain_nan(Value(np.inf) * 2).summary == "the input without a name holds inf"


def test_a_constant_that_is_not_finite():
    weights = np.array([1.0, np.inf, 2.0])
    report = explain_nan(np.log(x + 1) * weights)
    assert report.summary == "the constant weights, argument 1 of np.multiply, holds inf at [1] (1 of 3 elements)"
    assert (report.operation, report.argument) == ("np.multiply", 1)
    assert report.line.expression == "np.log(x + 1) * weights"
    listed = explain_nan(np.concatenate([x, weights]))
    assert (listed.operation, listed.argument) == ("np.concatenate", 0)


def test_what_no_grad_and_detach_cut_off_is_said_to_be_not_recorded():
    with no_grad():
        cut = np.log(x)
    for value in (cut, cut * 2, np.log(x).detach() * 2):
        report = explain_nan(value)
        assert "which was detached or computed under no_grad, holds -inf at [0]" in report.summary
        assert report.cause == "what it was computed from is not recorded: compute it again without no_grad or detach"
    with no_grad():
        whole = np.exp(x)
    assert "so that there are no gradients to look at" in str(explain_nan(whole))


LATER = [
    (lambda: np.exp(big) - np.exp(big), "np.subtract", "forward", "inf - inf is nan"),
    (lambda: mask * np.log(x), "np.multiply", "forward", "0 · inf is nan: a product with 0 does not remove"),
    (lambda: np.log(x) * mask, "np.multiply", "forward", "0 · inf is nan: a product with 0 does not remove"),
    (lambda: np.exp(e) / np.exp(e), "np.divide", "forward", "inf / inf is nan"),
    (lambda: np.log(x).var(), "np.var", "forward", "what goes in is infinite"),
    (lambda: np.where(x > 0, np.log(x), 0.0), "np.log", "backward", "its result, which is not finite"),
    (lambda: np.where(x > 0, np.sin(np.log(x)), 0.0), "np.sin", "backward", "its result, which is not finite"),
    (lambda: 1 / np.sqrt(1 + np.exp(-big)), "np.exp", "backward", "its result, which is not finite"),
]


@pytest.mark.parametrize(("compute", "name", "phase", "cause"), LATER, ids=[row[1] for row in LATER])
def test_how_an_infinity_became_nan_later(compute, name, phase, cause):
    report = explain_nan(compute())
    assert report.operation in ("np.exp", "np.log")
    assert report.phase == "forward"
    later = report.later
    assert (later.operation, later.phase) == (name, phase)
    assert cause in later.cause
    assert f"then   {later.summary}" in str(report)
    assert "nan" in later.summary


def test_a_report_says_all_of_it():
    report = explain_nan(np.where(x > 0, np.log(x), 0.0).sum())
    line = str(report.line)
    assert str(report) == f"""\
explain_nan: np.log gives -inf at [0] (1 of 3 elements), where x = 0
  line   {line}
  x      (3,) float64, 0 … 4, 1 zero
  cause  np.log(0) is -inf; np.where ({report.line.place}) leaves it out, but this branch was computed also where x > \
0 is not true, and the gradient 0 that comes in there becomes nan, as 0 · inf is
  write  np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)
  for    np.where(x > 0, np.log(x), 0.0)
  then   backward np.log makes the gradient of x nan at [0] (1 of 3 elements), where x = 0
  line   {line}
  cause  the rule of np.log computes with its result, which is not finite"""
    assert repr(report) == str(report)
    assert report._repr_html_().startswith("<pre>explain_nan: np.log gives -inf at [0] (1 of 3 elements)")
    assert "x &gt; 0" in report._repr_html_()


def test_a_report_of_the_reverse_pass():
    y = 3.0 * np.sqrt(x)
    report = explain_nan(y)
    assert report.summary == ("the value is finite, but backward np.sqrt makes the gradient of x inf at [0] (1 of 3 "
                              "elements), where x = 0")
    assert report.argument == 0
    assert (report.gradient.low, report.gradient.high) == (3.0, 3.0)
    assert report.gives.infinities == 1
    assert report.inputs[0].name == "x"
    assert report.inputs[0].at_fault == (0.0,)
    assert "gradient  (3,) float64, 3 … 3" in str(report)


def test_long_expressions_and_numbers_in_the_source_get_no_row_of_their_own():
    report = explain_nan(np.log((x + 1.0 - 1.0) * 1.0 * 1.0 * 1.0 * 1.0) ** 2)
    assert report.inputs[0].name == "(x + 1.0 - 1.0) * 1.0 * 1.0 * 1.0 * 1.0"
    assert "\n  argument 0  (3,) float64" in str(report)
    assert "\n  1 " not in str(explain_nan(1 / x))


def test_where_the_branch_is_made_on_another_line():
    branch = np.log(x)
    report = explain_nan(np.where(x > 0, branch, 0.0))
    assert (report.rewrite, report.replaces) == ("np.log(np.where(x > 0, x, 1.0))", "np.log(x)")


def test_what_only_looks_like_a_softmax_is_not_called_one():
    square = Value(np.full((2, 2), 1000.0), name="square")
    assert explain_nan(np.exp(square) / np.exp(square).sum(axis=0)).rewrite == (
        "autograd.functions.softmax(square, axis=0)")
    for value in (np.exp(square) / np.exp(square).sum(axis=1), np.exp(square) / np.exp(square.T).sum(axis=0),
                  np.exp(square) / np.exp(2 * square).sum(), 1 / (2 + np.exp(square)), np.log(2 + np.exp(square)),
                  np.exp(square) / (1 + np.exp(-square)), np.exp(square) - 1, (1 + np.exp(square)) ** -2.0):
        assert explain_nan(value).rewrite.startswith("np.exp(np.minimum(")


def test_what_only_looks_like_a_length_is_not_called_one():
    zero = Value(np.zeros(2), name="zero")
    for value in (np.sqrt(zero**2 + zero), np.sqrt(zero + zero**2), np.sqrt(np.sum(zero**3)),
                  np.sqrt(zero * (zero + 0)), np.sqrt(np.mean(zero**2))):
        assert explain_nan(value).rewrite.startswith("np.sqrt(")
    assert explain_nan(np.sum(zero**2) ** 0.25).rewrite == "(np.sum(zero**2) + 1e-12) ** 0.25"


def test_a_where_that_takes_the_bad_element_is_not_blamed():
    report = explain_nan(np.where(x >= 0, np.log(x), 0.0))
    assert report.cause == "np.log(0) is -inf"
    assert explain_nan(np.where(x > 0, x, np.sqrt(x))).cause == "the slope of np.sqrt at 0 is inf"
    assert "np.where" not in explain_nan(np.where(x > 5, 1.0, np.sqrt(x))[1:]).cause


# What is finite


def test_what_is_finite():
    report = explain_nan(np.sum(np.exp(x)))
    assert not report
    assert str(report) == "explain_nan: all is finite: the value, and the gradients of its graph of 3 nodes"
    assert (report.node, report.phase, report.later) == (None, None, None)
    assert not explain_nan(x)


def test_an_infinity_that_does_no_harm_is_not_blamed():
    scores = np.where(np.array([True, True, False]), x, -np.inf)
    report = explain_nan(softmax(scores))
    assert not report
    assert "np.where is infinite or nan, but does no harm" in str(report)
    broken = explain_nan(np.log(softmax(scores)[:2] * np.array([0.0, 1.0])))
    assert broken.operation == "np.log"


# What it must not do


def test_it_changes_no_gradient_and_no_number_and_warns_of_nothing():
    v = Value([0.0, 2.0])
    w, empty = np.sqrt(v) / v, checkpoint(lambda a: np.mean(a[:0]))(v)
    large = Value(np.array([1.5e308 + 1.5e308j])) * 1.5
    v.grad = before = np.array([7.0, 7.0])
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        assert explain_nan(w)
        assert explain_nan(np.where(v > 1, np.sqrt(v), 0.0))
        with np.errstate(all="raise"):
            assert explain_nan(w)
        assert "mean of no elements" in explain_nan(empty).inside.cause
        assert explain_nan(large)
    assert v.grad is before
    assert before.tolist() == [7.0, 7.0]
    assert w.grad is None


@pytest.mark.parametrize("wrong", [1.0, np.zeros(3), [1.0], None, "x", ()])
def test_what_is_no_value_is_refused(wrong):
    with pytest.raises(TypeError, match="value: expected a Value, got "):
        explain_nan(wrong)


# Kinds of operations


def test_several_results_and_several_values():
    a = Value(np.eye(2), name="a")
    values, vectors = np.linalg.eigh(a)
    assert not explain_nan(values)
    report = explain_nan(vectors)
    assert (report.operation, report.argument, report.phase) == ("np.linalg.eigh", 0, "backward")
    assert report.line.expression == "np.linalg.eigh(a)"
    assert explain_nan((values, np.log(vectors))).operation == "np.log"
    assert not explain_nan({"values": values, "more": [x]})
    first, second = np.log(Value([[1.0, 0.0], [2.0, 3.0]]))
    assert explain_nan(first).phase == "forward"
    assert explain_nan(second).later.phase == "backward"  # 0 for the first row, times inf


def test_operations_with_a_definition():
    v = Value([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], name="v")
    report = explain_nan(np.corrcoef(v))
    assert (report.operation, report.phase) == ("np.corrcoef", "forward")
    assert (report.inside.operation, report.inside.cause) == ("np.divide", "0/0 is nan")
    assert report.inside.line == report.line
    assert "inside  np.divide gives nan at " in str(report)
    report = explain_nan(np.linalg.cond(0 * v.T @ v))
    assert report.operation == "np.linalg.cond"
    assert report.inside.inputs[0].at_fault == (0.0,), report
    report = explain_nan(np.average(v, weights=v)[()] + np.linalg.cond(v[1:].T @ v[1:] * 0 + np.eye(3)))
    assert not report
    report = explain_nan(np.select([v.data > 0], [np.sqrt(v)], 0.0))
    assert (report.operation, report.phase) == ("np.sqrt", "backward")


def test_the_inside_of_a_checkpoint_is_looked_at():
    @checkpoint
    def layer(x, y):
        h = 2.0 * x
        return np.sqrt(h), np.log(y - 1.0)

    root, logarithm = layer(x, ones * 3.0)
    report = explain_nan(np.sum(root) + np.sum(logarithm))
    assert report.phase == "backward"
    assert (report.inside.operation, report.inside.phase) == ("np.sqrt", "backward")
    assert report.inside.line.expression == "np.sqrt(h)"
    assert report.inside.rewrite == "np.sqrt(h + 1e-12)"
    report = explain_nan(3.0 * np.sum(layer(x, ones * 3.0)[0]))
    assert (report.inside.operation, report.inside.gradient.high) == ("np.sqrt", 3.0)
    report = explain_nan(layer(x, ones)[1])
    assert (report.inside.operation, report.inside.phase) == ("np.log", "forward")
    assert report.inside.line.expression == "np.log(y - 1.0)"
    assert str(report.inside.line) in str(report)


def test_both_arguments_are_told_apart():
    v = Value(0.0, name="v")
    report = explain_nan(v ** v * 1.0 + (1.0 + v) ** np.sqrt(v))
    assert (report.operation, report.argument) == ("np.sqrt", 0)
    report = explain_nan(np.arctan2(v, v) + Value(-2.0, name="base") ** Value(2.0, name="power"))
    assert (report.operation, report.argument) == ("np.power", 1)
    assert "makes the gradient of " in report.summary


def test_a_sum_of_gradients_that_overflows():
    v = Value(1e-10, name="v")
    report = explain_nan(1e308 * v + 1e308 * v)
    assert report.phase == "backward"
    assert report.cause == "the sum of what several operations send back overflows"


def test_a_rule_of_the_user(temporary_rules):
    @primitive
    def root(x):
        return np.sqrt(x)

    defvjp(root, lambda y, x: lambda g: g * np.nan)
    report = explain_nan(root(x + 1))
    assert report.operation.endswith("root")
    assert report.line.expression == "root(x + 1)"
    assert "derivative of" in report.cause
    assert not report.rewrite


def test_of_several_the_first_is_named():
    v = Value([0.0, 1.0], name="v")
    first = np.log(v)
    report = explain_nan(np.sqrt(v - 5) + first + np.exp(1000 * v))
    assert report.node is first
    assert explain_nan(np.sum(np.sqrt(v)) + np.sum(np.cbrt(v))).operation == "np.cbrt"  # whose rule runs first


def test_a_layer_of_nn_is_explained_at_the_line_of_the_user():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Softmax())
    out = model(np.array([[1e6, -1e6]], np.float32))
    report = explain_nan(nn.cross_entropy(np.log(out), np.array([0])))
    assert report.operation == "np.log"
    assert report.rewrite == "autograd.functions.log_softmax(x)"


# Planted


SAFE = [np.tanh, np.sin, np.cos, np.arctan, lambda v: v * 0.5, lambda v: 1.0 + v, lambda v: v / 3.0, np.negative]


@st.composite
def graphs(draw):
    """Values in the order in which they were computed, each from earlier ones."""
    shape = draw(st.sampled_from([(), (3,), (2, 2)]))
    nodes = [Value(draw(st.floats(-1, 1)) * np.ones(shape)) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 12))):
        v = draw(st.sampled_from(nodes))
        w = draw(st.sampled_from(nodes))
        nodes.append(draw(st.sampled_from([v + w, v * w, v - w, *(f(v) for f in SAFE)])))
    return nodes


PLANTS = [
    (lambda v: np.log(v - v), "forward"),
    (lambda v: np.exp(v * 0 + 1e4), "forward"),
    (lambda v: (v + 1) / (0 * v), "forward"),
    (lambda v: np.sqrt(v * 0), "backward"),
    (lambda v: np.arccos(v * 0 + 1), "backward"),
    (lambda v: np.where(v > 5, np.cbrt(v * 0), v), "backward"),
]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(graphs(), st.data())
def test_what_is_planted_is_found(nodes, data):
    plant, phase = data.draw(st.sampled_from(PLANTS))
    host = data.draw(st.sampled_from(nodes))
    clean = sum((np.sum(node) for node in nodes), start=0.0)
    assert not explain_nan(clean)
    with np.errstate(all="ignore"):
        planted = plant(host)
        value = clean * 0.5 + np.sum(np.sin(planted) if phase == "backward" else planted * 0.5)
        after = np.tanh(value) + np.sum(np.exp(host))
    report = explain_nan(after)
    culprit = planted.parents[0] if planted.op is np.where else planted
    assert report.node is culprit
    assert report.phase == phase


def test_a_graph_of_many_nodes():
    v = y = Value(0.5)
    for i in range(20_000):
        y = 0.999 * y + 0.001 * v
        if i == 700:
            y = y + (v - v) ** 0.5
    report = explain_nan(y)
    assert (report.operation, report.line.expression) == ("np.power", "(v - v) ** 0.5")
    assert not explain_nan(v * 1.0)
