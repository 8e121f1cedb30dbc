"""The costs: each against its formula, PyTorch and gradcheck, at its extremes, to second order, and every error."""

import math
import re

import numpy as np
import pytest

from autograd import Value, grad, gradcheck
from nn import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    cross_entropy,
    hinge_embedding_loss,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
    quadratic_cost,
)
from nn.data import one_hot

Z = np.array([[0.5, -1.25, 2.0], [3.0, 0.0, -0.5]])
P = np.array([[0.1, 0.5, 0.9], [0.25, 0.75, 0.6]])
Y = np.array([[0.2, 0.3, 0.5], [0.0, 0.9, 0.1]])  # rows of probabilities
LABELS = np.array([2, 1])
SIGNS = np.array([[1, -1, -1], [-1, 1, 1]])


def log_of_softmax(z, j):
    return z[j] - math.log(sum(math.exp(x) for x in z))


def entropy(p, y):
    return -(y * math.log(p) + (1 - y) * math.log(1 - p))


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def huber(d, delta):
    return d * d / 2 if abs(d) <= delta else delta * (abs(d) - delta / 2)


def narrow_huber(output, target):
    return huber_loss(output, target, delta=0.7)


def squared_margin(output, target):
    return multi_margin_loss(output, target, p=2, margin=0.75)


def margins(row, j, p, margin):
    return sum(max(0.0, margin - row[j] + x) ** p for k, x in enumerate(row) if k != j) / len(row)


PAIRS = [(i, j) for i in range(2) for j in range(3)]
# (loss, output, target, its formula in plain Python, PyTorch's value and gradient in float64)
ROWS = [
    (quadratic_cost, Z, Y, lambda z, y: mean(sum((a - b) ** 2 for a, b in zip(*r, strict=True))
                                             for r in zip(z, y, strict=True)),
     7.456250000000001, [[0.3, -1.55, 1.5], [3.0, -0.9, -0.6]]),
    (mse_loss, Z, Y, lambda z, y: mean((z[p] - y[p]) ** 2 for p in PAIRS),
     2.485416666666667, [[0.1, -0.5166666666666666, 0.5], [1.0, -0.3, -0.2]]),
    (cross_entropy, Z, LABELS, lambda z, y: mean(-log_of_softmax(row, j) for row, j in zip(z, y, strict=True)),
     1.6547843138219793, [[0.08841009105372215, 0.015363370163218216, -0.10377346121694037],
                          [0.46296962810084896, -0.4769500994734985, 0.013980471372649537]]),
    (cross_entropy, Z, Y, lambda z, y: mean(-sum(y[i, j] * log_of_softmax(z[i], j) for j in range(3)) for i in (0, 1)),
     2.3172843138219794, [[-0.011589908946277858, -0.1346366298367818, 0.14622653878305963],
                          [0.46296962810084896, -0.4269500994734985, -0.036019528627350465]]),
    (binary_cross_entropy, P, Y, lambda p, y: mean(entropy(p[i], y[i]) for i in PAIRS),
     0.6671491684741104, [[-0.18518518518518515, 0.13333333333333333, 0.7407407407407409],
                          [0.2222222222222222, -0.13333333333333336, 0.34722222222222227]]),
    (binary_cross_entropy_with_logits, Z, Y,
     lambda z, y: mean(entropy(1 / (1 + math.exp(-z[i])), y[i]) for i in PAIRS),
     1.1489575988137077, [[0.07040988853364243, -0.012883310195781858, 0.06346617966298039],
                          [0.15876235447040557, -0.06666666666666667, 0.046256778133024236]]),
    (l1_loss, Z, Y, lambda z, y: mean(abs(z[p] - y[p]) for p in PAIRS),
     1.3083333333333333, np.array([[1, -1, 1], [1, -1, -1]]) / 6),
    (huber_loss, Z, Y, lambda z, y: mean(huber(z[p] - y[p], 1.0) for p in PAIRS),
     0.8633333333333333, np.array([[0.3, -1, 1], [1, -0.9, -0.6]]) / 6),
    (narrow_huber, Z, Y, lambda z, y: mean(huber(z[p] - y[p], 0.7) for p in PAIRS),
     0.6849999999999999, np.array([[0.3, -0.7, 0.7], [0.7, -0.7, -0.6]]) / 6),
    (nll_loss, Z, LABELS, lambda z, y: mean(-row[j] for row, j in zip(z, y, strict=True)),
     -1.0, [[0.0, 0.0, -0.5], [0.0, -0.5, 0.0]]),
    (kl_div, Z, Y, lambda z, y: mean(sum(b * (math.log(b) - a) if b else 0.0 for a, b in zip(*r, strict=True))
                                     for r in zip(z, y, strict=True)),
     -1.014867993728011, [[-0.1, -0.15, -0.25], [-0.0, -0.45, -0.05]]),
    (hinge_loss, Z, SIGNS, lambda z, y: mean(max(0.0, 1 - y[p] * z[p]) for p in PAIRS),
     1.6666666666666667, np.array([[-1, 0, 1], [1, -1, -1]]) / 6),
    (hinge_embedding_loss, Z, SIGNS, lambda z, y: mean(z[p] if y[p] > 0 else max(0.0, 1 - z[p]) for p in PAIRS),
     0.375, np.array([[1, -1, 0], [0, 1, 1]]) / 6),
    (multi_margin_loss, Z, LABELS, lambda z, y: mean(margins(row, j, 1, 1.0) for row, j in zip(z, y, strict=True)),
     0.75, [[0.0, 0.0, 0.0], [1 / 6, -1 / 3, 1 / 6]]),
    (squared_margin, Z, LABELS, lambda z, y: mean(margins(row, j, 2, 0.75) for row, j in zip(z, y, strict=True)),
     2.3541666666666665, [[0.0, 0.0, 0.0], [1.25, -4 / 3, 1 / 12]]),
]
EVERY_ROW = pytest.mark.parametrize(("loss", "output", "target", "formula", "wanted", "gradient"), ROWS)


@EVERY_ROW
def test_value_and_gradient(loss, output, target, formula, wanted, gradient):
    assert formula(output, target) == pytest.approx(wanted, rel=1e-14)
    plain = loss(output, target)
    assert type(plain) is np.float64 and plain == pytest.approx(wanted, rel=1e-14)
    v = Value(output)
    cost = loss(v, target)
    assert type(cost) is Value and cost.shape == () and cost.data == plain
    cost.backward()
    np.testing.assert_allclose(v.grad, gradient, rtol=1e-13)


@EVERY_ROW
def test_gradient_by_differences(loss, output, target, formula, wanted, gradient):
    gradcheck(lambda v: loss(v, target), output).raise_if_wrong()
    if output.shape != np.shape(target):  # labels are for two axes only
        return
    one = np.array([0.25, 0.5, 0.75])
    if loss is not cross_entropy:  # which is for two axes only
        gradcheck(lambda v: loss(v, target[0]), one).raise_if_wrong()
        gradcheck(lambda v: loss(v, np.stack([target, target])), np.stack([output, 0.9 * output])).raise_if_wrong()


@EVERY_ROW
def test_second_order(loss, output, target, formula, wanted, gradient):
    weights = np.random.default_rng(0).uniform(0.5, 1.5, output.shape)

    def slope(v):
        return np.sum(weights * grad(lambda u: loss(u, target))(v))

    gradcheck(slope, output).raise_if_wrong()


@EVERY_ROW
@pytest.mark.parametrize("copies", [2, 7])
def test_the_cost_is_the_mean_over_the_batch(loss, output, target, formula, wanted, gradient, copies):
    many = loss(np.concatenate([output] * copies), np.concatenate([target] * copies))
    assert many == pytest.approx(wanted, rel=1e-14)
    parts = [loss(output[i:i + 1], target[i:i + 1]) for i in range(2)]
    assert sum(parts) / 2 == pytest.approx(wanted, rel=1e-14)


@EVERY_ROW
def test_float32_stays_float32(loss, output, target, formula, wanted, gradient):
    single = target if target.dtype == int else target.astype(np.float32)
    for given in (single, target):  # also a target that is more precise
        v = Value(output.astype(np.float32))
        cost = loss(v, given)
        assert cost.dtype == (np.float64 if given.dtype == np.float64 else np.float32)
        cost.backward()
        assert v.grad.dtype == np.float32
        np.testing.assert_allclose(v.grad, gradient, rtol=2e-5, atol=1e-6)
        assert float(cost) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("loss", [quadratic_cost, mse_loss, cross_entropy, binary_cross_entropy, l1_loss, huber_loss,
                                  binary_cross_entropy_with_logits, kl_div])
def test_gradients_reach_a_target_that_is_a_value(loss):
    gradcheck(loss, P, Y * 0.8 + 0.1).raise_if_wrong()


@pytest.mark.parametrize("margin", [0.0, -0.5])
def test_cosine_embedding(margin):
    def cost(x, y):
        return cosine_embedding_loss(x, y, np.array([1, -1]), margin)

    cosines = np.sum(Z * Y, 1) / np.sqrt(np.sum(Z * Z, 1) * np.sum(Y * Y, 1))
    wanted = (1 - cosines[0] + max(0.0, cosines[1] - margin)) / 2
    v = Value(Z)
    result = cost(v, Y)
    result.backward()
    assert result.data == cost(Z, Y) == pytest.approx(wanted, rel=1e-12)
    if margin:  # PyTorch's
        np.testing.assert_allclose(v.grad, [[-0.04630455812484117, -0.15338384878851538, -0.08428876596163282],
                                            [0.002944026657287987, 0.1633934794795009, 0.017664159943729878]], 1e-10)
    gradcheck(cost, Z, Y).raise_if_wrong()
    gradcheck(lambda x, y: np.sum(grad(cost)(x, y) * P), Z, Y).raise_if_wrong()
    single = cost(Value(Z.astype(np.float32)), Y.astype(np.float32))
    assert single.dtype == np.float32 and float(single) == pytest.approx(wanted, rel=1e-6)
    assert cosine_embedding_loss(Z[0], Y[0], 1) == pytest.approx(1 - cosines[0])
    assert np.all(np.isfinite(grad(cost)(np.zeros((2, 3)), Y)))


def test_costs_of_a_single_example():
    assert quadratic_cost(np.array([1.0, 3.0]), np.array([0.0, 1.0])) == 5
    assert mse_loss(np.array([1.0, 3.0]), np.array([0.0, 1.0])) == 2.5
    x = Value(3.0)
    cost = quadratic_cost(x, 1.0)
    cost.backward()
    assert (type(cost.data), cost.data, x.grad) == (float, 4.0, 4.0)
    assert quadratic_cost(np.ones((2, 3, 4)), np.zeros((2, 3, 4))) == 12


# Labels


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.uint64])
def test_labels_equal_one_hot_rows(dtype):
    v, w = Value(Z), Value(Z)
    by_label, by_row = cross_entropy(v, LABELS.astype(dtype)), cross_entropy(w, one_hot(LABELS, 3))
    assert by_label.data == pytest.approx(by_row.data, rel=1e-15)
    by_label.backward()
    by_row.backward()
    np.testing.assert_allclose(v.grad, w.grad, rtol=1e-14)
    assert cross_entropy(Z, LABELS.tolist()) == by_label.data
    assert cross_entropy(Z, np.eye(3, dtype=int)[LABELS]) == by_row.data


OUT = "cross_entropy: labels must lie in 0 … 2, but label "


@pytest.mark.parametrize(("labels", "error", "text"), [
    ([0, 3], ValueError, f"{OUT}1 is 3"),
    ([-1, 3], ValueError, f"{OUT}0 is -1"),
    ([1, -1], ValueError, f"{OUT}1 is -1"),
    ([255, 0], ValueError, f"{OUT}0 is 255"),
    ([0, 1, 2], ValueError, "cross_entropy: logits are for 2 examples, but there are 3 labels"),
    ([0], ValueError, "cross_entropy: logits are for 2 examples, but there are 1 labels"),
    ([0.0, 1.0], TypeError, "cross_entropy: labels must be integers, got float64; write labels.astype(int), or pass "
                            "probabilities of shape (batch, classes)"),
    ([True, False], TypeError, "cross_entropy: labels must be integers, got bool"),
    (["a", "b"], TypeError, "cross_entropy: labels must be integers, got <U1"),
    (Value([0.0, 1.0]), TypeError, "cross_entropy: labels must be integers, got float64"),
    ([[0], [1]], ValueError, "cross_entropy: the output has shape (2, 3), but the target has shape (2, 1)"),
    (1, ValueError, "cross_entropy: the output has shape (2, 3), but the target has shape ()"),
])
def test_labels_that_do_not_fit(labels, error, text):
    for given in (labels, labels if isinstance(labels, Value) else np.array(labels)):
        with pytest.raises(error, match=re.escape(text)):
            cross_entropy(Value(Z), given)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 1)])
def test_logits_have_two_axes(shape):
    text = f"cross_entropy: logits must have the shape (batch, classes), got {shape}"
    with pytest.raises(ValueError, match=re.escape(text)):
        cross_entropy(Value(np.ones(shape)), np.array([0, 1]))


@pytest.mark.parametrize(("loss", "name"), [(nll_loss, "log_probs"), (multi_margin_loss, "output")])
@pytest.mark.parametrize(("shape", "labels", "error", "text"), [
    ((2, 3), [0, 3], ValueError, "labels must lie in 0 … 2, but label 1 is 3"),
    ((2, 3), [-1, 0], ValueError, "labels must lie in 0 … 2, but label 0 is -1"),
    ((2, 3), [0, 1, 2], ValueError, "{name} are for 2 examples, but there are 3 labels"),
    ((2, 3), [0.0, 1.0], TypeError, "labels must be integers, got float64; write labels.astype(int)"),
    ((2, 3), np.eye(3)[:2], ValueError, "labels must have the shape (2,), got (2, 3)"),
    ((2, 3), 1, ValueError, "labels must have the shape (2,), got ()"),
    ((3,), [1], ValueError, "{name} must have the shape (batch, classes), got (3,)"),
    ((2, 3, 4), [0, 1], ValueError, "{name} must have the shape (batch, classes), got (2, 3, 4)"),
    ((0, 3), np.zeros(0, int), ValueError, "the batch is empty"),
])
def test_labels_of_other_costs(loss, name, shape, labels, error, text):
    for output in (np.zeros(shape), Value(np.zeros(shape))):
        with pytest.raises(error, match=re.escape(f"{loss.__name__}: {text.format(name=name)}")):
            loss(output, labels)


@pytest.mark.parametrize(("call", "text"), [
    (lambda: nll_loss(Z, np.eye(3)[:2]), "got (2, 3); use cross_entropy for probabilities"),
    (lambda: huber_loss(Z, Y, delta=0), "huber_loss: delta must be above 0, got 0"),
    (lambda: huber_loss(Z, Y, delta=-1.0), "huber_loss: delta must be a finite number of at least 0, got -1.0"),
    (lambda: multi_margin_loss(Z, LABELS, p=3), "multi_margin_loss: p must be 1 or 2, got 3"),
    (lambda: kl_div(Z, -Y), "kl_div: target must be probabilities, but reaches down to -0.9; for logarithms write "
                            "np.exp(target)"),
    (lambda: hinge_loss(Z, (SIGNS + 1) // 2), "hinge_loss: target must be 1 or -1 everywhere, but holds 0; write "
                                              "2 * y - 1 for labels of 0 and 1"),
    (lambda: hinge_embedding_loss(Value(0.5), 0.5), "hinge_embedding_loss: target must be 1 or -1 everywhere, but holds"
                                                    " 0.5"),
    (lambda: cosine_embedding_loss(Z, Y, [1, 2]), "cosine_embedding_loss: target must be 1 or -1 everywhere, but holds "
                                                  "2"),
    (lambda: cosine_embedding_loss(Z, Y, SIGNS), "cosine_embedding_loss: x1 has shape (2, 3), but the target has shape "
                                                 "(2, 3): there must be one label for each vector"),
    (lambda: cosine_embedding_loss(Z, Y, [1]), "x1 has shape (2, 3), but the target has shape (1,)"),
    (lambda: cosine_embedding_loss(1.0, 1.0, 1), "x1 has shape (), but the target has shape ()"),
    (lambda: cosine_embedding_loss(Z, Y[:1], [1, 1]), "x1 has shape (2, 3), but x2 has shape (1, 3)"),
    (lambda: cosine_embedding_loss(Z[:0], Y[:0], []), "the batch is empty: x1 has shape (0, 3)"),
])
def test_other_wrong_arguments(call, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        call()


# Shapes and ranges

COLUMN = ": they must be equal; write target[:, None] for a column"
ONE_HOT = ": they must be equal; write nn.data.one_hot(labels, 10) for labels"


@pytest.mark.parametrize("loss", [quadratic_cost, mse_loss, binary_cross_entropy, binary_cross_entropy_with_logits,
                                  l1_loss, huber_loss, kl_div, hinge_loss, hinge_embedding_loss])
@pytest.mark.parametrize(("came", "wanted", "end"), [
    ((5, 1), (5,), COLUMN), ((5, 10), (5,), ONE_HOT), ((5,), (5, 1), "equal"), ((5, 3), (5, 4), "equal"),
    ((5, 3), (3, 5), "equal"), ((5, 3), (1, 3), "equal"), ((5, 3), (), "equal"), ((), (1,), "equal"),
    ((2, 5, 1), (5, 1), "equal"), ((1, 10), (10,), ONE_HOT),
])
def test_shapes_that_differ_are_an_error(loss, came, wanted, end):
    text = (f"{loss.__name__}: the output has shape {came}, but the target has shape {wanted}: they must be "
            f"equal{end.removeprefix(': they must be ').removeprefix('equal')}")
    output, target = np.full(came, 0.5), np.full(wanted, 0.5)
    for arguments in ((output, target), (Value(output), target), (Value(output), Value(target))):
        with pytest.raises(ValueError) as caught:
            loss(*arguments)
        assert str(caught.value) == text


@pytest.mark.parametrize(("loss", "shape"), [
    (quadratic_cost, (0, 3)), (mse_loss, (0,)), (mse_loss, (2, 0)), (binary_cross_entropy, (0, 1)),
    (binary_cross_entropy_with_logits, (0,)), (cross_entropy, (0, 3)), (l1_loss, (0,)), (huber_loss, (0, 2)),
    (kl_div, (0, 3)), (hinge_loss, (0,)), (hinge_embedding_loss, (0,)),
])
def test_an_empty_batch_is_an_error(loss, shape):
    for target in [np.zeros(shape)] + [np.zeros(0, int)] * (loss is cross_entropy):
        with pytest.raises(ValueError, match=f"{loss.__name__}: the batch is empty"):
            loss(Value(np.zeros(shape)), target)


@pytest.mark.parametrize(("p", "low", "high"), [
    ([-0.5, 0.5], "-0.5", "0.5"), ([0.5, 1.5], "0.5", "1.5"), ([0.5, math.nan], "nan", "nan"), ([-3, 4], "-3.0", "4.0"),
])
def test_probabilities_lie_between_0_and_1(p, low, high):
    text = (f"binary_cross_entropy: output must be probabilities between 0 and 1, but reaches from {low} to {high}; "
            "for logits use binary_cross_entropy_with_logits")
    for output in (Value(p), np.array(p, float)):
        with pytest.raises(ValueError, match=re.escape(text)):
            binary_cross_entropy(output, np.array([0.0, 1.0]))


# Extremes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [float, int, bool, np.uint8, np.float32])
@pytest.mark.parametrize(("p", "wanted", "gradient"), [
    ([0.0, 1.0], 0.0, [0.0, 0.0]), ([1.0, 0.0], 100.0, [5e11, -5e11]), ([0.0, 0.0], 50.0, [0.0, -5e11]),
    ([1.0, 1.0], 50.0, [5e11, 0.0]),
])
def test_probabilities_of_exactly_0_and_1(p, wanted, gradient, kind, dtype):
    v = Value(np.array(p, dtype))  # as in PyTorch: the logarithm is cut off at -100, and p (1 - p) at 1e-12
    cost = binary_cross_entropy(v, np.array([0, 1]).astype(kind))
    cost.backward()
    np.testing.assert_allclose(cost.data, wanted, rtol=1e-6 if dtype is np.float32 else 1e-14)
    np.testing.assert_allclose(v.grad, gradient, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [1e-3, 1e-5, 1e-10, 1e-20])
def test_small_costs_of_probabilities_lose_no_digits(p, dtype):
    v = Value(np.array([p], dtype))
    cost = binary_cross_entropy(v, np.array([0.0], dtype))
    cost.backward()
    np.testing.assert_allclose(cost.data, -math.log1p(-float(v.data[0])), rtol=float(20 * np.finfo(dtype).eps))
    if p > 1e-12:
        np.testing.assert_allclose(v.grad, 1 / (1 - p), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("z", "y", "wanted", "slope"), [
    (1000.0, 1.0, 0.0, 0.0), (1000.0, 0.0, 1000.0, 1.0), (-1000.0, 1.0, 1000.0, -1.0), (-1000.0, 0.0, 0.0, 0.0),
    (1000.0, 0.25, 750.0, 0.75), (0.0, 1.0, math.log(2), -0.5),
])
def test_large_logits_of_two_classes(z, y, wanted, slope, dtype):
    v = Value(np.array([z], dtype))
    cost = binary_cross_entropy_with_logits(v, np.array([y], dtype))
    cost.backward()
    assert float(cost) == pytest.approx(wanted, rel=1e-6) and v.grad == pytest.approx(slope, rel=1e-6)
    assert np.all(np.isfinite(grad(lambda u: grad(lambda w: binary_cross_entropy_with_logits(w, np.array([y])))(u)[0])(
        np.array([z]))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("z", [5.0, 10.0, 15.0, 30.0, 80.0])
def test_small_costs_of_two_classes_lose_no_digits(z, dtype):
    for logit, y in ((z, 1.0), (-z, 0.0)):
        cost = binary_cross_entropy_with_logits(np.array([logit], dtype), np.array([y], dtype))
        np.testing.assert_allclose(cost, math.log1p(math.exp(-z)), rtol=float(20 * np.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("target", "wanted"), [
    ([0, 1], 0.0), ([1, 0], 2000.0), ([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 1000.0),
    ([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], 750.0),
])
def test_large_logits_of_many_classes(target, wanted, dtype):
    v = Value(np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 0.0]], dtype))
    target = np.array(target) if np.ndim(target) == 1 else np.array(target, dtype)
    cost = cross_entropy(v, target)
    cost.backward()
    rows = one_hot(target, 3) if target.ndim == 1 else target
    assert float(cost) == pytest.approx(wanted, rel=1e-6) and cost.dtype == dtype
    np.testing.assert_allclose(v.grad, (np.array([[1, 0, 0], [0, 1, 0]]) - rows) / 2, atol=1e-12)


@pytest.mark.parametrize("loss", [cross_entropy, quadratic_cost])
def test_large_logits_to_second_order(loss):
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 999.0]])
    h = grad(lambda v: np.sum(grad(lambda u: loss(u, one_hot(np.array([1, 1]), 3)))(v) * Z))(z)
    assert h.shape == z.shape and np.all(np.isfinite(h))
