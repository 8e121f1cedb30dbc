"""``per_example_gradients``: the same as one gradient after another, from one vectorised run where that is possible."""

from collections import namedtuple

import numpy as np
import pytest

from autograd import Value, grad, per_example_gradients
from autograd.batched import Batched, NotVectorisedError
from autograd.functions import affine, log_softmax, logsumexp, relu, sigmoid, softmax
from tests.autograd.numeric import assert_close

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 4)), RNG.normal(size=(7, 3))
LABELS = RNG.integers(0, 3, 7)
IMAGES = RNG.normal(size=(5, 6, 4))
W, B = RNG.normal(size=(3, 4)), RNG.normal(size=3)
Layer = namedtuple("Layer", "w b")


def network(params, x, y):
    for w, b in params:
        x = sigmoid(w @ x + b)
    return np.sum((x - y) ** 2)


VECTORISED = [  # a cost of one example, its parameters, and a batch
    ("matrix times vector", lambda w, x, y: np.sum((w @ x - y) ** 2), W, X, Y),
    ("vector times matrix", lambda w, x, y: np.sum((x @ w - y) ** 2), W.T, X, Y),
    ("dot", lambda w, x, y: np.sum((np.dot(w, x) - y) ** 2), W, X, Y),
    ("vector times vector", lambda w, x: (w @ x) ** 2, B, Y),
    ("matrices", lambda w, x: np.sum(np.tanh(x @ w) ** 2), W.T, IMAGES),
    ("matrices from the left", lambda w, x: np.sum(np.tanh(w @ x.T) ** 2), W, IMAGES),
    ("an affine map", lambda p, x, y: np.sum((affine(x, p["w"], p["b"]) - y) ** 2), {"w": W, "b": B}, X, Y),
    ("an affine map of rows", lambda p, x: np.sum(affine(x, *p) ** 3), (W, B), IMAGES),
    ("a network", network, [Layer(W, B), Layer(RNG.normal(size=(3, 3)), B)], X, Y),
    ("cross-entropy", lambda w, x, y: -log_softmax(w @ x)[y], W, X, LABELS),
    ("softmax", lambda w, x, y: np.sum(softmax(w @ x) * y), W, X, Y),
    ("logsumexp", lambda w, x: logsumexp(w @ x), W, X),
    ("relu", lambda w, x: np.sum(relu(w @ x)), W, X),
    ("where", lambda w, x: np.sum(np.where(w > x, w * x, w)), B, Y),
    ("broadcasting", lambda w, x: np.sum((w[:, None] + x) ** 2), B, X),
    ("a scalar parameter", lambda w, x: np.mean(np.exp(w * x)), 0.3, X),
    ("a parameter alone", lambda w, x: np.sum(w**2) + 0 * np.sum(x), B, X),
    ("a parameter unused", lambda p, x: np.sum(p["a"] * x), {"a": B, "b": W}, Y),
    ("einsum", lambda w, x: np.sum(np.einsum("ij,kj->ik", w, x) ** 2), W, IMAGES),
    ("outer", lambda w, x: np.sum(np.outer(w, x) ** 2), B, X),
    ("reshape and transpose", lambda w, x: np.sum((np.reshape(x, (4, -1)).T * w) ** 2), RNG.normal(size=4), IMAGES),
    ("ravel", lambda w, x: np.ravel(x) @ w, RNG.normal(size=24), IMAGES),
    ("indexing", lambda w, x: w[0] * x[1] + np.sum(w[1:] * x[1:3]), B, X),
    ("picking columns", lambda w, x: np.sum(w[[0, 2, 0]] * x[[1, 1, 3]]), B, X),
    ("concatenate", lambda w, x: np.sum(np.concatenate([w, x, w]) ** 2), B, X),
    ("stack", lambda w, x: np.sum(np.stack([w, x], axis=1) ** 2), B, Y),
    ("max", lambda w, x: np.max(w[:, None] * x) + np.min(w) * np.var(x * w[0]), B, X),
    ("clip", lambda w, x: np.sum(np.clip(w * x, -0.5, 0.5)), B, Y),
    ("prod and std", lambda w, x: np.prod(w * x) + np.std(w + x), B, Y),
    ("squeeze and swap", lambda w, x: np.sum(np.squeeze(np.swapaxes(x[None], 0, 1)) @ w), RNG.normal(size=4), IMAGES),
    ("operators with an array first", lambda w, x: np.sum(x * w + x / w - x**2 * w), B, Y),
    ("axes", lambda w, x: np.sum(np.mean(x * w, axis=-1) ** 2 + np.sum(x * w, axis=(1,))), RNG.normal(size=4), IMAGES),
    ("no rule of its own", lambda w, x: np.sum(np.pad(w * x, 1, mode="edge") ** 2), B, Y),
    ("float32", lambda w, x, y: np.sum((w @ x - y) ** 2), W.astype(np.float32), X.astype(np.float32),
     Y.astype(np.float32)),
]


def compare(f, params, *batch):
    """The number of runs of ``f``, whose gradients were as they should be."""
    calls = []

    def counted(*args):
        calls.append(None)
        return f(*args)

    got = per_example_gradients(counted, params, *batch)
    rows = [grad(f)(params, *(column[k] for column in batch)) for k in range(len(batch[0]))]
    assert_same(got, rows)
    return len(calls)


def assert_same(got, rows):
    if isinstance(got, dict):
        assert list(got) == list(rows[0])
        for k in got:
            assert_same(got[k], [row[k] for row in rows])
    elif isinstance(got, (list, tuple)):
        assert type(got) is type(rows[0])
        for k, part in enumerate(got):
            assert_same(part, [row[k] for row in rows])
    else:
        assert type(got) is np.ndarray
        assert got.dtype == np.result_type(rows[0])
        assert_close(got, np.stack(rows), rtol=1e-5 if got.dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("row", VECTORISED, ids=[row[0] for row in VECTORISED])
def test_in_one_run(row):
    assert compare(*row[1:]) == 1


FALLING_BACK = [
    ("if", lambda w, x: np.sum(w * x) if x[0] > 0 else np.sum(w), B, Y),
    ("float", lambda w, x: np.sum(w * float(x[0])), B, Y),
    ("asarray", lambda w, x: np.sum(w * np.asarray(x)), B, Y),
    ("an index into a parameter", lambda w, y: np.sum(w[y] ** 2), W, LABELS),
    ("in place", lambda w, x: in_place(w, x), B, Y),
    ("masks", lambda w, x: np.sum((w * x)[x > 0]), B, Y),
]


def in_place(w, x):
    x = x * 1.0
    x += 1
    return np.sum(w * x)


def into_a_buffer(write):
    def cost(w, x):
        buffer = np.zeros(3)
        write(buffer, x)
        return np.sum(np.sin(w * buffer))

    return cost


def changing_its_example(w, x):
    x[0] = 2 * x[0]
    return float(x[1]) * np.sum(w * x)


FALLING_BACK += [
    ("copyto", into_a_buffer(np.copyto), B, Y),
    ("put", into_a_buffer(lambda buffer, x: np.put(buffer, [2, 1, 0], x)), B, Y),
    ("out", into_a_buffer(lambda buffer, x: np.cumsum(x, out=buffer)), B, Y),
    ("out by position", into_a_buffer(lambda buffer, x: np.round(x, 1, buffer)), B, Y),
    ("text", lambda p, y: p["one" if str(y) == "1" else "other"] ** 2, {"one": 2.0, "other": 3.0}, LABELS),
]


@pytest.mark.parametrize("row", FALLING_BACK, ids=[row[0] for row in FALLING_BACK])
def test_example_by_example_where_the_code_asks_for_one_number(row):
    assert compare(*row[1:]) in (1, 1 + len(row[3]))


def test_an_example_that_is_changed_is_changed_once():
    x = Y.copy()
    got = per_example_gradients(changing_its_example, B, x)
    assert_close(got, [grad(changing_its_example)(B, row) for row in Y.copy()], rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_examples_of_few_elements_are_not_mistaken_for_each_other(n):
    x = RNG.normal(size=(n, n, n, n))
    weight = np.arange(2.0 * n).reshape(2, n)
    compare(lambda w, x: np.sum(np.sin(w * x)[0, :, [0, -1]] * weight), RNG.normal(size=n), x)
    compare(lambda w, x: np.sum(np.sin(w * x)[(0, -1), :, np.int64(0)] * weight), RNG.normal(size=n), x)
    with pytest.raises(ValueError, match="matmul"):
        per_example_gradients(lambda w, x: np.sum(w @ x), np.ones(n), np.ones(n))


def test_the_mean_over_the_examples_is_the_gradient_of_the_average_cost():
    rng = np.random.default_rng(1)
    params = [(rng.normal(size=(16, 20)) / 4, np.zeros(16)), (rng.normal(size=(10, 16)) / 4, np.zeros(10))]
    x, y = rng.uniform(size=(32, 20)), np.eye(10)[rng.integers(0, 10, 32)]
    table = per_example_gradients(network, params, x, y)
    average = grad(lambda p: sum(network(p, *row) for row in zip(x, y, strict=True)) / 32)(params)
    for (dw, db), (w, b) in zip(table, average, strict=True):
        assert dw.shape == (32, *w.shape)
        assert_close(dw.mean(axis=0), w, rtol=1e-10)
        assert_close(db.mean(axis=0), b, rtol=1e-10)


def test_batches_of_containers():
    batch = {"x": X, "y": Y}
    got = per_example_gradients(lambda w, e: np.sum((w @ e["x"] - e["y"]) ** 2), W, batch)
    assert_close(got, per_example_gradients(lambda w, x, y: np.sum((w @ x - y) ** 2), W, X, Y), rtol=1e-13)


def test_no_examples():
    got = per_example_gradients(lambda p, x: p["w"] @ x, {"w": B}, np.zeros((0, 3)))
    assert got["w"].shape == (0, 3)


def test_values_from_outside_stay_differentiable():
    w = Value(B)
    table = per_example_gradients(lambda p, x: np.sum(p * x) ** 2, w, Y)
    assert type(table) is Value
    assert table.shape == (7, 3)
    np.sum(table).backward()
    assert_close(w.grad, 2 * np.sum(np.sum(Y, axis=1)[:, None] * Y, axis=0))
    c = Value(2.0)
    outer = per_example_gradients(lambda p, x: c * np.sum(p * x), B, Y)
    assert_close(outer.data, 2 * Y)
    np.sum(outer).backward()
    assert_close(c.grad, np.sum(Y))


ERRORS = [
    ("no batch", lambda: per_example_gradients(network, [W]), TypeError, "needs the examples"),
    ("lengths", lambda: per_example_gradients(network, [W], X, Y[:3]), ValueError, "numbers of examples differ: 7, 3"),
    ("a number", lambda: per_example_gradients(network, [W], X, 3.0), TypeError, "expected arrays.*got float 3"),
    ("a vector cost", lambda: per_example_gradients(lambda w, x: w * x, B, Y), TypeError,
     r"returns a scalar.*shape \(3,\)"),
    ("integers", lambda: per_example_gradients(lambda w, x: np.sum(w * x), np.arange(3), Y), TypeError,
     r"expected floats, got an array of dtype int64"),
    ("an error of the cost itself", lambda: per_example_gradients(lambda w, x: w @ x[:2], B, Y), ValueError, r"matmul"),
]


@pytest.mark.parametrize(("call", "kind", "text"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


BATCHED = Batched(RNG.normal(size=(3, 2, 4)))
ONE_BY_ONE = [
    lambda a: a[0], lambda a: a[..., 1], lambda a: a[:, None], lambda a: a[[1, 0]], lambda a: a[[0, 1], [2, 3]],
    lambda a: a[np.array([True, False])], lambda a: np.cumsum(a, axis=0), lambda a: np.sort(a, axis=-1),
    lambda a: np.reshape(a, (-1, 2)), lambda a: np.reshape(a, 8), lambda a: np.ravel(a, "F"), lambda a: a.T,
    lambda a: np.transpose(a, (1, 0)), lambda a: np.transpose(a, (-1, 0)), lambda a: np.expand_dims(a, (0, -1)),
    lambda a: np.squeeze(a[None]), lambda a: np.squeeze(a[None], 0), lambda a: np.squeeze(a[None], axis=(0,)),
    lambda a: np.broadcast_to(a[0], (3, 4)), lambda a: np.concatenate([a, np.ones((1, 4))]),
    lambda a: np.concatenate([a, a], axis=-1), lambda a: np.concatenate([a, a], axis=None),
    lambda a: np.stack([a, np.zeros((2, 4))], -1), lambda a: np.where(a > 0, a, 0), lambda a: np.clip(a, None, 0.1),
    lambda a: np.clip(a, -0.1, 0.1), lambda a: np.sum(a, (0, 1)), lambda a: np.sum(a, 0, keepdims=True),
    lambda a: np.max(a, -1), lambda a: a @ a.T, lambda a: a[0] @ a[1], lambda a: a @ np.ones((5, 4, 2)),
    lambda a: np.ones((5, 3, 2)) @ a, lambda a: a[0] @ np.ones(4), lambda a: np.ones(2) @ a,
    lambda a: np.dot(a[0], a[1]),
    lambda a: np.dot(2.0, a), lambda a: np.einsum("ij,kj->ik", a, a), lambda a: np.einsum("...j->...", a),
    lambda a: np.add.reduce(a), lambda a: np.zeros_like(a), lambda a: np.full_like(a, 3.0, shape=5),
    lambda a: np.divmod(a, 0.3)[0], lambda a: np.split(a, 2)[1], lambda a: a.astype(np.float32),
    lambda a: a.real + a.imag,
    lambda a: a.sum() + a.mean(axis=0) + a.max(), lambda a: np.linalg.svd(a, full_matrices=False).S, lambda a: 1 - a,
    lambda a: np.stack(list(a)),
    lambda a: a.reshape(4, 2), lambda a: a.reshape((8,)), lambda a: np.copy(a), lambda a: -a,
    lambda a: np.swapaxes(a, 0, -1), lambda a: np.moveaxis(a[None], (0, 1), (-1, 0)),
    lambda a: np.outer(a[0], a[1]),
    lambda a: np.flip(a, axis=0), lambda a: np.flip(a), lambda a: np.argsort(a)[0],
    lambda a: a[np.argmax(a, axis=0)],
]


@pytest.mark.parametrize("f", ONE_BY_ONE)
def test_batched_arrays_do_for_each_example_what_arrays_do(f):
    got = f(BATCHED)
    wanted = np.stack([f(row) for row in BATCHED.array])
    assert type(got) is Batched
    assert (got.shape, got.ndim, got.dtype) == (wanted.shape[1:], wanted.ndim - 1, wanted.dtype)
    assert_close(got.array, wanted, rtol=1e-13)


@pytest.mark.parametrize("ask", [bool, float, int, complex, np.asarray, lambda a: 3 in a, lambda a: np.ones(3)[a]])
def test_what_differs_from_example_to_example_is_refused(ask):
    with pytest.raises(NotVectorisedError, match="differs from example to example"):
        ask(Batched(np.arange(3.0)))
