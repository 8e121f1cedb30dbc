"""``explain_nan``: every cause that is recognised, blamed on the right operation and line, and nothing else touched."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, defvjp, explain_nan, no_grad, primitive
from autograd.functions import sigmoid, softmax

x = Value([0.0, 1.0, 4.0], name="x")
m = Value([-1.0, 0.0, 4.0], name="m")
u = Value([-1.0, 0.5, 1.0], name="u")
big = Value([-1000.0, 0.0, 1000.0], name="big")
zero, ones = Value([0.0, 0.0, 0.0], name="zero"), Value([1.0, 1.0, 1.0], name="ones")
f32 = Value(np.array([1.0, 100.0], np.float32), name="f32")
scalar = Value(0.0, name="scalar")
one = Value(1.0, name="one")
c = Value(np.array([0.0, 1j]), name="c")
mask = np.array([0.0, 1.0, 1.0])
e = Value([1.0, 2.0, 1000.0], name="e")


class Logarithm(nn.Module):
    def __call__(self, x):
        return np.log(x)


# What is computed, what is to blame: the operation, in which pass, its expression on its line; and what the report
# says of the cause, and to write
CASES = [
    # A branch that is not taken
    (lambda: np.where(x > 0, np.log(x), 0.0), "np.log", "forward", "np.log(x)",
     "np.log(0) is -inf; np.where (", "np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)"),
    (lambda: np.where(x > 0, np.sqrt(x), 0.0), "np.sqrt", "backward", "np.sqrt(x)",
     "this branch was computed also where x > 0 is not true, and the gradient 0 that comes in there becomes nan, as "
     "0 · inf is", "np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)"),
    (lambda: np.where(x == 0, 0.0, 1 / x), "np.divide", "forward", "1 / x",
     "this branch was computed also where x == 0 is true", "np.where(x == 0, 0.0, 1 / np.where(x == 0, 1.0, x))"),
    (lambda: np.where(np.abs(u) < 1, np.arccos(u), 0.0), "np.arccos", "backward", "np.arccos(u)",
     "this branch was computed also where np.abs(u) < 1 is not true",
     "np.where(np.abs(u) < 1, np.arccos(np.where(np.abs(u) < 1, u, 0.0)), 0.0)"),
    (lambda: np.where(big < 0, 1.0, np.exp(-big)), "np.exp", "forward", "np.exp(-big)",
     "computed also where big < 0 is true", "np.where(big < 0, 1.0, np.exp(np.where(big < 0, 0.0, -big)))"),
    (lambda: np.where(x > 0, x**-0.5, 0.0), "np.power", "forward", "x**-0.5", "0 to a negative power is inf; np.where",
     "np.where(x > 0, np.where(x > 0, x, 1.0) ** (-0.5), 0.0)"),
    (lambda: np.where(m > 0, np.sqrt(m) * 2 + 1, 0.0), "np.sqrt", "forward", "np.sqrt(m)", "computed also where m > 0 "
     "is not true", "np.where(m > 0, np.sqrt(np.where(m > 0, m, 1.0)) * 2 + 1, 0.0)"),
    (lambda: np.where(mask > 0, e**e, 1.0) + np.where(mask > 1, e**e, 1.0), "np.power", "forward", "e**e", "overflow",
     "(e / np.max(np.abs(e))) ** e"),
    (lambda: np.where(mask > 1, e**e, 1.0), "np.power", "forward", "e**e", "computed also where mask > 1 is not true",
     "np.where(mask > 1, f(np.where(mask > 1, x, 1.0)), ...)"),
    # Roots and powers at 0
    (lambda: np.sqrt(x), "np.sqrt", "backward", "np.sqrt(x)", "the slope of np.sqrt at 0 is inf", "np.sqrt(x + 1e-12)"),
    (lambda: np.sqrt(scalar), "np.sqrt", "backward", "np.sqrt(scalar)", "the slope of np.sqrt at 0 is inf",
     "np.sqrt(scalar + 1e-12)"),
    (lambda: np.sqrt(c), "np.sqrt", "backward", "np.sqrt(c)", "the slope of np.sqrt at 0 is inf", "np.sqrt(c + 1e-12)"),
    (lambda: x**0.5, "np.power", "backward", "x**0.5", "the slope of x ** p at x = 0 is inf for powers p below 1",
     "(x + 1e-12) ** 0.5"),
    (lambda: np.cbrt(x), "np.cbrt", "backward", "np.cbrt(x)", "the slope of np.cbrt at 0 is inf", "np.cbrt(x + 1e-12)"),
    (lambda: np.sqrt(x)[1:], "np.sqrt", "backward", "np.sqrt(x)", "the gradient that comes in there is 0, but 0 · inf "
     "is nan", "np.sqrt(x + 1e-12)"),
    (lambda: np.sqrt(m), "np.sqrt", "forward", "np.sqrt(m)", "np.sqrt of a negative number is nan",
     "np.sqrt(np.maximum(m, 1e-12))"),
    (lambda: x**-1.0, "np.power", "forward", "x**-1.0", "0 to a negative power is inf", "(x + 1e-12) ** (-1.0)"),
    (lambda: u**0.5, "np.power", "forward", "u**0.5", "a negative number to a power that is not whole is nan",
     "np.abs(u) ** 0.5"),
    (lambda: u ** Value(2.0, name="p"), "np.power", "backward", 'u ** Value(2.0, name="p")',
     "the slope of a ** b along b holds the log of a", 'np.abs(u) ** Value(2.0, name="p")'),
    (lambda: np.sqrt(np.sum(zero**2)), "np.sqrt", "backward", "np.sqrt(np.sum(zero**2))", "it is part of the root of "
     "squares", "np.linalg.norm(zero)"),
    (lambda: np.sum((zero - 0.0)**2, axis=0)**0.5, "np.power", "backward", "np.sum((zero - 0.0)**2, axis=0)**0.5",
     "it is part of the root of squares", "np.linalg.norm(zero - 0.0, axis=0)"),
    (lambda: np.sqrt(zero**2 + zero * zero), "np.sqrt", "backward", "np.sqrt(zero**2 + zero * zero)",
     "it is part of the root of squares", "np.hypot(zero, zero)"),
    (lambda: np.sqrt(np.square(x)), "np.sqrt", "backward", "np.sqrt(np.square(x))", "root of squares", "np.abs(x)"),
    (lambda: np.sqrt(np.var(ones)), "np.sqrt", "backward", "np.sqrt(np.var(ones))", "root of squares", "np.std(ones)"),
    # Logarithms
    (lambda: np.log(x), "np.log", "forward", "np.log(x)", "np.log(0) is -inf", "np.log(x + 1e-12)"),
    (lambda: np.log10(x), "np.log10", "forward", "np.log10(x)", "np.log10(0) is -inf", "np.log10(x + 1e-12)"),
    (lambda: np.log(m), "np.log", "forward", "np.log(m)", "np.log of a negative number is nan",
     "np.log(np.maximum(m, 1e-12))"),
    (lambda: np.log1p(-ones), "np.log1p", "forward", "np.log1p(-ones)", "which is -inf at x = -1",
     "np.log1p(np.maximum(-ones, -1 + 1e-12))"),
    (lambda: x * np.log(x), "np.log", "forward", "np.log(x)", "np.log(0) is -inf", "np.log(x + 1e-12)"),
    (lambda: np.log(softmax(big)), "np.log", "forward", "np.log(softmax(big))", "it is part of log(softmax)",
     "autograd.functions.log_softmax(big)"),
    (lambda: np.log(softmax(big, axis=0)), "np.log", "forward", "np.log(softmax(big, axis=0))", "log(softmax)",
     "autograd.functions.log_softmax(big, axis=0)"),
    (lambda: np.log(sigmoid(big)), "np.log", "forward", "np.log(sigmoid(big))", "log(sigmoid)",
     "-autograd.functions.softplus(-big)"),
    (lambda: np.log(sigmoid(-big)), "np.log", "forward", "np.log(sigmoid(-big))", "log(sigmoid)",
     "-autograd.functions.softplus(big)"),
    (lambda: np.log(1 - sigmoid(big)), "np.log", "forward", "np.log(1 - sigmoid(big))", "log(1 - sigmoid)",
     "-autograd.functions.softplus(big)"),
    (lambda: np.log1p(-sigmoid(big)), "np.log1p", "forward", "np.log1p(-sigmoid(big))", "log(1 - sigmoid)",
     "-autograd.functions.softplus(big)"),
    # Overflow
    (lambda: np.exp(big), "np.exp", "forward", "np.exp(big)", "overflow: np.exp of more than 709.78 is inf in float64",
     "np.exp(np.minimum(big, 709.0))"),
    (lambda: np.exp(f32), "np.exp", "forward", "np.exp(f32)", "overflow: np.exp of more than 88.72 is inf in float32",
     "np.exp(np.minimum(f32, 88.0))"),
    (lambda: np.expm1(big), "np.expm1", "forward", "np.expm1(big)", "np.expm1 of more than 709.78",
     "np.expm1(np.minimum(big, 709.0))"),
    (lambda: np.exp2(2 * big), "np.exp2", "forward", "np.exp2(2 * big)", "np.exp2 of more than 1024.00",
     "np.exp2(np.minimum(2 * big, 1023.0))"),
    (lambda: np.cosh(big), "np.cosh", "forward", "np.cosh(big)", "np.cosh of more than ±710.48",
     "np.cosh(np.clip(big, -710.0, 710.0))"),
    (lambda: np.sinh(f32), "np.sinh", "forward", "np.sinh(f32)", "np.sinh of more than ±89.42 is inf in float32",
     "np.sinh(np.clip(f32, -89.0, 89.0))"),
    (lambda: np.square(1e200 * big), "np.square", "forward", "np.square(1e200 * big)",
     "the square of more than ±1.341e+154 is inf in float64",
     "np.square((1e200 * big) / np.max(np.abs(1e200 * big)))"),
    (lambda: (big * 1e10) ** 30, "np.power", "forward", "(big * 1e10) ** 30", "the power is beyond 1.798e+308, the "
     "largest float64", "((big * 1e10) / np.max(np.abs(big * 1e10))) ** 30"),
    (lambda: np.prod(1e200 * e), "np.prod", "forward", "np.prod(1e200 * e)", "overflow: the product is beyond",
     "np.sum(np.log(np.abs(1e200 * e)))"),
    (lambda: np.linalg.det(1e200 * np.eye(3) * one), "np.linalg.det", "forward",
     "np.linalg.det(1e200 * np.eye(3) * one)", "overflow: the determinant is beyond",
     "np.linalg.slogdet(1e200 * np.eye(3) * one)"),
    (lambda: (e * 1e300).astype(np.float32), "autograd.record.astype", "forward", "(e * 1e300).astype(np.float32)",
     "overflow: the largest float32 is 3.403e+38", "e * 1e300"),
    (lambda: 1e300 * e * e * 1e5, "np.multiply", "forward", "1e300 * e * e * 1e5",
     "overflow: the result is beyond 1.798e+308, the largest float64", ""),
    (lambda: np.log(np.sum(np.exp(big))), "np.exp", "forward", "np.exp(big)", "it is part of log(sum(exp))",
     "autograd.functions.logsumexp(big)"),
    (lambda: np.log(np.sum(np.exp(big[:1] * 1), axis=0)), "np.log", "forward",
     "np.log(np.sum(np.exp(big[:1] * 1), axis=0))", "np.log(0) is -inf; it is part of log(sum(exp))",
     "autograd.functions.logsumexp(big[:1] * 1, axis=0)"),
    (lambda: np.exp(big) / np.exp(big).sum(axis=0, keepdims=True), "np.exp", "forward", "np.exp(big)",
     "it is part of exp / sum(exp)", "autograd.functions.softmax(big, axis=0)"),
    (lambda: np.log(np.exp(big) / np.sum(np.exp(big))), "np.exp", "forward", "np.exp(big)",
     "it is part of log(softmax)", "autograd.functions.log_softmax(big, axis=None)"),
    (lambda: np.log(1 + np.exp(big)), "np.exp", "forward", "np.exp(big)", "log(1 + exp)",
     "autograd.functions.softplus(big)"),
    (lambda: np.log1p(np.exp(-big)), "np.exp", "forward", "np.exp(-big)", "log(1 + exp)",
     "autograd.functions.softplus(-big)"),
    (lambda: 1 / (1 + np.exp(-big)), "np.exp", "forward", "np.exp(-big)", "it is part of 1 / (1 + exp(-x))",
     "autograd.functions.sigmoid(big)"),
    (lambda: np.exp(big) / (1 + np.exp(big)), "np.exp", "forward", "np.exp(big)", "it is part of 1 / (1 + exp(-x))",
     "autograd.functions.sigmoid(big)"),
    (lambda: (1 + np.exp(big)) ** -1, "np.exp", "forward", "np.exp(big)", "it is part of 1 / (1 + exp(-x))",
     "autograd.functions.sigmoid(-big)"),
    # Quotients, and what infinities make
    (lambda: zero / x, "np.divide", "forward", "zero / x", "0/0 is nan", "zero / np.where(x == 0, 1.0, x)"),
    (lambda: (x + 1) / x, "np.divide", "forward", "(x + 1) / x", "a number divided by 0 is inf",
     "(x + 1) / np.where(x == 0, 1.0, x)"),
    (lambda: 1 / scalar, "np.divide", "forward", "1 / scalar", "a number divided by 0 is inf",
     "1 / np.where(scalar == 0, 1.0, scalar)"),
    (lambda: np.reciprocal(x), "np.reciprocal", "forward", "np.reciprocal(x)", "1/0 is inf",
     "np.reciprocal(np.where(x == 0, 1.0, x))"),
    (lambda: x % zero, "np.remainder", "forward", "x % zero", "a remainder of a division by 0 is nan",
     "np.remainder(x, np.where(zero == 0, 1.0, zero))"),
    (lambda: (ones - ones.mean()) / ones.std(), "np.divide", "forward", "(ones - ones.mean()) / ones.std()",
     "it divides by a standard deviation or variance of 0", "(ones - ones.mean()) / (ones.std() + 1e-8)"),
    (lambda: ones / np.sqrt(np.var(ones)), "np.divide", "forward", "ones / np.sqrt(np.var(ones))",
     "it divides by a standard deviation or variance of 0", "ones / np.sqrt(np.var(ones) + 1e-8)"),
    (lambda: zero / np.sqrt((zero**2).sum()), "np.divide", "forward", "zero / np.sqrt((zero**2).sum())",
     "it divides by the square root of 0", "zero / np.sqrt((zero**2).sum() + 1e-12)"),
    (lambda: zero / np.linalg.norm(zero), "np.divide", "forward", "zero / np.linalg.norm(zero)",
     "it divides by a norm of 0", "zero / np.maximum(np.linalg.norm(zero), 1e-12)"),
    (lambda: np.mean(x[:0]), "np.mean", "forward", "np.mean(x[:0])", "the mean of no elements is 0/0",
     "np.mean(x[:0]) if np.size(x[:0]) else 0.0"),
    (lambda: np.var(x[:1], ddof=1), "np.var", "forward", "np.var(x[:1], ddof=1)",
     "it divides by the number of elements less ddof", "np.var(x[:1], ddof=0)"),
    # Beyond a domain, or at its end
    (lambda: np.arcsin(u), "np.arcsin", "backward", "np.arcsin(u)", "the slope of np.arcsin at ±1 is inf",
     "np.arcsin(np.clip(u, -1 + 1e-7, 1 - 1e-7))"),
    (lambda: np.arccos(u), "np.arccos", "backward", "np.arccos(u)", "the slope of np.arccos at ±1 is inf",
     "np.arccos(np.clip(u, -1 + 1e-7, 1 - 1e-7))"),
    (lambda: np.arccos(2 * u), "np.arccos", "forward", "np.arccos(2 * u)", "np.arccos of a number beyond ±1 is nan",
     "np.arccos(np.clip(2 * u, -1 + 1e-7, 1 - 1e-7))"),
    (lambda: np.arctanh(u), "np.arctanh", "forward", "np.arctanh(u)", "np.arctanh is inf at ±1, and nan beyond",
     "np.arctanh(np.clip(u, -1 + 1e-7, 1 - 1e-7))"),
    (lambda: np.arccosh(ones), "np.arccosh", "backward", "np.arccosh(ones)", "the slope of np.arccosh at 1 is inf",
     "np.arccosh(np.maximum(ones, 1 + 1e-7))"),
    (lambda: np.arccosh(u), "np.arccosh", "forward", "np.arccosh(u)", "np.arccosh of a number below 1 is nan",
     "np.arccosh(np.maximum(u, 1 + 1e-7))"),
    (lambda: np.linalg.eigh(np.eye(2) * one)[1].sum(), "np.linalg.eigh", "backward", "np.linalg.eigh(np.eye(2) * one)",
     "vectors that belong to equal values have no derivative",
     "np.linalg.eigh(np.eye(2) * one + 1e-6 * np.diag(np.arange(len(np.eye(2) * one))))"),
    # What is not recognised is located all the same
    (lambda: np.tan(np.nextafter(big, 0) * 1e306) / 1e300, "np.multiply", "forward", "np.nextafter(big, 0) * 1e306",
     "overflow: the result is beyond", ""),
    (lambda: 1e-100 / (1e-300 * ones), "np.divide", "backward", "1e-100 / (1e-300 * ones)",
     "the derivative of np.divide is not finite at these numbers, or too large for float64", ""),
    (lambda: Logarithm()(x), "np.log", "forward", "np.log(x)", "np.log(0) is -inf", "np.log(x + 1e-12)"),
]


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
    assert report.line.file == __file__
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
    found = eval(row[5], globals() | {"autograd": autograd})
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


def test_a_where_that_takes_the_bad_element_is_not_blamed():
    report = explain_nan(np.where(x >= 0, np.log(x), 0.0))
    assert report.cause == "np.log(0) is -inf"


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
    w = np.sqrt(v) / v
    v.grad = before = np.array([7.0, 7.0])
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        assert explain_nan(w)
        assert explain_nan(np.where(v > 1, np.sqrt(v), 0.0))
        with np.errstate(all="raise"):
            assert explain_nan(w)
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
    report = explain_nan(np.average(v, weights=v)[()] + np.linalg.cond(v[1:].T @ v[1:] * 0 + np.eye(3)))
    assert not report
    report = explain_nan(np.select([v.data > 0], [np.sqrt(v)], 0.0))
    assert (report.operation, report.phase) == ("np.sqrt", "backward")


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
