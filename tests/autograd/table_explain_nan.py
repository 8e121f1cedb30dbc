"""What is not finite, and what ``explain_nan`` says of it."""

import numpy as np

import nn
from autograd import Value
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
    (lambda: np.log(softmax(big)[1:][0]), "np.log", "forward", "np.log(softmax(big)[1:][0])", "log(softmax)",
     "autograd.functions.log_softmax(big)[1:][0]"),
    (lambda: np.log(sigmoid(big)[[0, 2]]), "np.log", "forward", "np.log(sigmoid(big)[[0, 2]])", "log(sigmoid)",
     "-autograd.functions.softplus(-big)[[0, 2]]"),
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
    (lambda: np.exp(big) / np.exp(big).sum(axis=-1)[None], "np.exp", "forward", "np.exp(big)",
     "it is part of exp / sum(exp)", "autograd.functions.softmax(big, axis=-1)"),
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
