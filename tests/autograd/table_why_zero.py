"""Costs whose gradient is zero, and what ``why_zero`` says of them."""

import numpy as np

from autograd import Value, no_grad
from autograd.functions import affine, erf, relu, sigmoid, softmax

mask = np.array([0.0, 1.0, 0.0])
picture = np.array([[0.0, 0.5, 1.0], [0.0, 1.0, 0.5]])  # whose first pixel is black in every example
zero = Value([0.0, 0.0, 0.0], name="zero")
other = Value([1.0, 2.0, 3.0], name="other")


def new(*numbers):
    return Value([0.5, -1.25, 2.0] if not numbers else list(numbers), name="w")


# What is computed of w, which operation is to blame, its expression on its line, what is said, and of how many of the
# three elements
CASES = [
    # What lets nothing through
    (lambda w: relu(w - 10.0).sum(), "autograd.functions.relu", "relu(w - 10.0)",
     "dead ReLU: the 3 inputs (-11.25 … -8) are at most 0", 3),
    (lambda w: (w - 10.0).relu().sum(), "autograd.functions.relu", "(w - 10.0).relu()", "dead ReLU: the 3 inputs", 3),
    (lambda w: relu(w).sum(), "autograd.functions.relu", "relu(w)",
     "dead ReLU: the 1 of 3 inputs that matter (-1.25) is at most 0; of all 3 inputs, 1 is", 1),
    (lambda w: np.maximum(w, 0).sum(), "np.maximum", "np.maximum(w, 0)",
     "dead ReLU: the 1 of 3 inputs that matter (-1.25) is at most 0", 1),
    (lambda w: np.maximum(5.0, w).sum(), "np.maximum", "np.maximum(5.0, w)",
     "out of range: the 3 inputs (-1.25 … 2) are below 5.0, which np.maximum takes instead", 3),
    (lambda w: np.minimum(w, -9 * other).sum(), "np.minimum", "np.minimum(w, -9 * other)",
     "out of range: the 3 inputs (-1.25 … 2) are above -9 * other", 3),
    (lambda w: np.clip(w, -1, 1).sum(), "np.clip", "np.clip(w, -1, 1)",
     "clipped: the 2 of 3 inputs that matter (-1.25 … 2) are out of range", 2),
    (lambda w: w.clip(3, 4).sum(), "np.clip", "w.clip(3, 4)", "clipped: the 3 inputs", 3),
    (lambda w: np.sum(mask * w), "np.multiply", "mask * w",
     "mask: mask is 0 at the 2 of 3 inputs that matter (0.5 … 2)", 2),
    (lambda w: np.sum(w * zero), "np.multiply", "w * zero", "multiplication by 0: zero is 0 at the 3 inputs", 3),
    (lambda w: np.sum(0 * w), "np.multiply", "0 * w", "multiplication by 0 at the 3 inputs (-1.25 … 2)", 3),
    (lambda w: np.sum(np.where(mask > 0, w, 0.0)), "np.where", "np.where(mask > 0, w, 0.0)",
     "mask: np.where takes another branch at the 2 of 3 inputs that matter", 2),
    (lambda w: np.sum(np.where(mask > 0, other, w)), "np.where", "np.where(mask > 0, other, w)",
     "mask: np.where takes another branch at the 1 of 3 inputs that matter (-1.25)", 1),
    (lambda w: np.sum(np.select([mask > 0], [w], 0.0)), "np.select", "np.select([mask > 0], [w], 0.0)",
     "mask: np.select takes another branch", 2),
    (lambda w: np.sum(w[:, None] * other * zero[0]), "np.multiply", "w[:, None] * other * zero[0]",
     "multiplication by 0: zero[0] is 0 at the 9 inputs", 3),
    (lambda w: np.sum(picture @ w), "np.matmul", "picture @ w",
     "multiplication by 0: picture, (2, 3) float64, 0 … 1, 2 zeros, is 0 wherever it meets the 1 of 3 inputs", 1),
    (lambda w: np.sum(np.zeros((2, 3)) @ w), "np.matmul", "np.zeros((2, 3)) @ w",
     "multiplication by 0: np.zeros((2, 3)) is 0 at the 3 inputs", 3),
    (lambda w: np.sum(np.einsum("ij,j->i", picture, w)), "np.einsum", 'np.einsum("ij,j->i", picture, w)',
     "multiplication by 0: picture, (2, 3)", 1),
    (lambda w: np.sum(w.at[0].multiply(0.0)), "autograd.updates.at_multiply", "w.at[0].multiply(0.0)",
     "multiplication by 0", 1),
    (lambda w: np.sum(affine(picture, w[None], 0 * other[:1])), "autograd.functions.affine",
     "affine(picture, w[None], 0 * other[:1])", "multiplication by 0: picture, (2, 3)", 1),
    (lambda w: np.sum(affine(picture, w[None])), "autograd.functions.affine", "affine(picture, w[None])",
     "multiplication by 0: picture, (2, 3)", 1),
    (lambda w: w[1:].sum(), "indexing", "w[1:]", "index: none of the 1 of 3 inputs that matter (0.5) is taken", 1),
    (lambda w: w[np.array([2, 2])].sum(), "indexing", "w[np.array([2, 2])]", "index: none of the 2 of 3 inputs", 2),
    (lambda w: np.take(w, [0]).sum(), "np.take", "np.take(w, [0])", "index: none of the 2 of 3 inputs", 2),
    (lambda w: np.sum(w.at[0].set(7.0)), "autograd.updates.at_set", "w.at[0].set(7.0)",
     "index: none of the 1 of 3 inputs that matter (0.5) is taken", 1),
    (lambda w: np.diagonal(np.stack([w, other, other])).sum(), "np.diagonal",
     "np.diagonal(np.stack([w, other, other]))", "index: none of the 2 of 9 inputs that matter", 2),
    (lambda w: np.concatenate([w, other])[3:].sum(), "indexing", "np.concatenate([w, other])[3:]",
     "index: none of the 3 of 6 inputs that matter", 3),
    (lambda w: np.max(w), "np.max", "np.max(w)",
     "choice: none of the 2 of 3 inputs that matter (-1.25 … 0.5) is chosen", 2),
    (lambda w: np.median(w), "np.median", "np.median(w)", "choice: none of the 2 of 3 inputs", 2),
    # Flat
    (lambda w: np.sign(w).sum(), "np.sign", "np.sign(w)", "step: the slope of np.sign is 0 wherever there is one", 3),
    (lambda w: np.heaviside(w, zero).sum(), "np.heaviside", "np.heaviside(w, zero)", "step: the slope of", 3),
    (lambda w: sigmoid(1000 * w + 2000).sum(), "autograd.functions.sigmoid", "sigmoid(1000 * w + 2000)",
     "saturated: the slope of autograd.functions.sigmoid is 0 at the 3 inputs (750 … 4000)", 3),
    (lambda w: np.tanh(100 * w).sum(), "np.tanh", "np.tanh(100 * w)",
     "saturated: the slope of np.tanh is 0 at the 3 inputs (-125 … 200)", 3),
    (lambda w: erf(100 * w).sum(), "autograd.functions.erf", "erf(100 * w)", "saturated: the slope of", 3),
    (lambda w: softmax(1e4 * w)[2], "autograd.functions.softmax", "softmax(1e4 * w)",
     "saturated: the slope of autograd.functions.softmax is 0 at the 3 inputs (-1.25e+04 … 2e+04)", 3),
    (lambda w: np.square(w - w.data).sum(), "np.square", "np.square(w - w.data)",
     "flat: the slope of np.square is 0 at the 3 inputs (0)", 3),
    (lambda w: np.sum((w - w.data) ** 2), "np.power", "(w - w.data) ** 2", "flat: the slope of np.power is 0", 3),
    (lambda w: np.abs(w - w.data).sum(), "np.absolute", "np.abs(w - w.data)", "flat: the slope of np.absolute is 0", 3),
    (lambda w: np.cos(w - w.data).sum(), "np.cos", "np.cos(w - w.data)", "flat: the slope of np.cos is 0", 3),
    (lambda w: np.sum(w**0), "np.power", "w**0", "flat: the power is 0, and the result 1 whatever goes in", 3),
    (lambda w: np.linalg.norm(w - w.data), "np.linalg.norm", "np.linalg.norm(w - w.data)",
     "the derivative of np.linalg.norm is 0 along the 3 inputs (0)", 3),
    (lambda w: np.prod(w - w.data), "np.prod", "np.prod(w - w.data)", "the derivative of np.prod is 0", 3),
    # Terms that cancel
    (lambda w: np.sum(w - w), "np.subtract", "w - w", "cancellation: what np.subtract sends back along w and w adds up "
     "to 0", 3),
    (lambda w: np.sum(2 * w + w * -2), "np.add", "2 * w + w * -2",
     "cancellation: what np.add sends back along 2 * w and w * -2 adds up to 0", 3),
    (lambda w: softmax(w).sum(), "autograd.functions.softmax", "softmax(w)",
     "cancellation: the sum of a softmax is 1", 3),
    (lambda w: np.sum(0.1 * w * 3 - w * 0.3), "np.multiply", "0.1 * w", "cancellation: what np.multiply", 3),
    # Products
    (lambda w: sigmoid(w - 40.0).sum(), "autograd.functions.sigmoid", "sigmoid(w - 40.0)",
     "saturated: the slope of autograd.functions.sigmoid is at most ", 3),
    (lambda w: np.sum(w * 1e-9), "np.multiply", "w * 1e-9", "np.multiply makes the gradient 1e-09 times as large", 3),
]


# No path


def detached(w):
    return w.detach() * 2.0


def without_recording(w):
    with no_grad():
        return np.exp(w)


def cut_inside(w):
    with no_grad():
        h = np.exp(w)
    return h * Value(2.0)


BROKEN = [
    (detached, "w.detach()", "detached: it is w.detach(), through which no gradient flows"),
    (cut_inside, "h", "perhaps detached: it was detached or computed under no_grad, after w was made"),
    (lambda w: w.detach()[1:].detach() + other[1:], "w.detach()[1:].detach()", "perhaps detached: it was detached"),
    (without_recording, "the cost", "detached: it was computed under no_grad, or detached"),
    (lambda w: Value(3.0), "the cost", "it is a leaf, that is, a Value made of plain numbers"),
    (lambda w: other * w.data, "np.multiply", "numbers: argument 1 of np.multiply, w.data, is w.data or a part of it"),
    (lambda w: other[1:] * w.data[1:], "np.multiply", "w.data[1:], is w.data or a part of it"),
    (lambda w: other * np.array(w.tolist()), "np.multiply", "holds the numbers of w, as by w.data or float(w)"),
    (lambda w: other * (w > 0), "np.multiply", "a comparison: argument 1 of np.multiply, w > 0, equals w > 0"),
    (lambda w: other * (w.data < 0).astype(float), "np.multiply",
     "a comparison: argument 1 of np.multiply, (w.data < 0).astype(float), equals w < 0"),
    (lambda w: other * w.astype(int), "np.multiply", "a cast to integers: argument 1 of np.multiply, w.astype(int), "
     "equals w.astype(int), a constant that has no gradient"),
    (lambda w: other * np.round(w), "np.multiply",
     "rounding: argument 1 of np.multiply, np.round(w), equals np.round(w)"),
    (lambda w: other * np.floor(w), "np.multiply", "equals np.floor(w)"),
    (lambda w: other[np.argsort(w)], "indexing",
     "positions: argument 1 of indexing, np.argsort(w), equals np.argsort(w)"),
    (lambda w: other[np.argmax(w)], "indexing", "positions: argument 1 of indexing, np.argmax(w), equals np.argmax(w)"),
    (lambda w: Value(w.data) * 2.0, "Value(w.data)", "the wrong object: it holds the same numbers as w, but is another "
     "Value; ask for this one, or compute the cost from w"),
    (lambda w: other * 2.0, "w", "never used, or turned into plain numbers, as by a comparison, rounding, np.argmax, "
     ".data or float(): the cost was computed from other"),
]
