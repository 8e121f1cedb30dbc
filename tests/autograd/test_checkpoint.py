"""``checkpoint``: the same derivatives, the inside computed again, and not kept."""

import gc
import weakref
from collections import namedtuple

import numpy as np
import pytest

from autograd import Value, checkpoint, grad, hessian, make_jvp
from autograd.graph import reverse_topological
from tests.autograd.numeric import assert_close

X = np.array([0.3, -0.5, 0.8])
Pair = namedtuple("Pair", "a b")


def inside(x, scale=1.0):
    return np.tanh(x * scale) ** 2 * x


@pytest.mark.parametrize("transform", [
    lambda f: grad(lambda x: np.sum(f(x)))(X),
    lambda f: hessian(lambda x: np.sum(f(x)))(X),
    lambda f: make_jvp(f)(X)(np.ones(3))[1],
    lambda f: grad(lambda x: make_jvp(lambda z: np.sum(f(z)))(x)(X)[1])(X),
    lambda f: make_jvp(grad(lambda x: np.sum(f(x))))(X)(np.ones(3))[1],
    lambda f: grad(lambda x: np.sum(f(f(x), scale=0.5)))(X),
    lambda f: grad(lambda x, s: np.sum(f(x, s)), (0, 1))(X, 0.7)[1],
    lambda f: grad(lambda s: np.sum(f(X, scale=s)))(0.7),
    lambda f: grad(f)(0.3),
])
def test_the_same_derivatives(transform):
    assert_close(transform(checkpoint(inside)), transform(inside), rtol=1e-13)


def test_one_node_and_two_runs():
    runs = []

    def counted(x):
        runs.append(type(x))
        return np.sum(inside(x))

    x = Value(X)
    y = checkpoint(counted)(x)
    assert len(reverse_topological(y)) == 2
    assert runs == [np.ndarray]
    y.backward()
    assert runs == [np.ndarray, Value]
    assert_close(x.grad, grad(lambda z: np.sum(inside(z)))(X), rtol=1e-13)


def test_what_is_inside_is_not_kept():
    seen = []

    def noting(x):
        middle = x * 2.0
        seen.append(weakref.ref(middle))
        return middle * x

    y = checkpoint(noting)(Value(X))
    gc.disable()
    try:
        assert seen[0]() is None
        np.sum(y).backward()
        assert seen[1]() is None
    finally:
        gc.enable()


def test_containers_go_in_and_come_out():
    def f(p, flag, *, shift):
        assert flag == "on"
        return {"sum": np.sum(p["w"] * p["b"]) + shift, "pair": Pair(p["w"] ** 2, [p["b"] * 3.0])}

    def cost(f):
        def of(p, shift):
            y = f(p, "on", shift=shift)
            return y["sum"] ** 2 + np.sum(y["pair"].a) + y["pair"].b[0]
        return of

    p = {"w": X, "b": 0.5}
    got, wanted = (grad(cost(g), (0, 1))(p, 2.0) for g in (checkpoint(f), f))
    assert_close(got[0]["w"], wanted[0]["w"], rtol=1e-13)
    assert_close([got[0]["b"], got[1]], [wanted[0]["b"], wanted[1]], rtol=1e-13)


def test_plain_arrays_give_plain_arrays():
    np.testing.assert_array_equal(checkpoint(inside)(X), inside(X))
    assert checkpoint(inside).__name__ == "inside"


def test_a_value_from_outside_is_an_error():
    w = Value(2.0)
    with pytest.raises(TypeError, match="computed with a Value that is not among its arguments"):
        checkpoint(lambda x: w * x)(Value(X))


def test_integers_come_out_as_they_are():
    y = checkpoint(lambda x: (x * 2, np.argmax(x)))(Value(X))
    assert type(y[0]) is Value
    assert int(y[1]) == 2
    assert type(checkpoint(np.argmax)(Value(X))) is np.int64
    assert checkpoint(lambda x: x > 0)(Value(3.0)) is True
    assert grad(lambda x: x[checkpoint(np.argmax)(x)] ** 2)(np.array([1.0, 3.0])).tolist() == [0, 6]


def test_what_is_no_number_comes_out_as_it_is():
    def f(x):
        return {"cost": np.sum(x**2), "note": "text", "more": [None, x]}

    y = checkpoint(f)(Value(X))
    assert y["note"] == "text"
    assert y["more"][0] is None
    assert_close(grad(lambda x: checkpoint(f)(x)["cost"])(X), 2 * X)
    assert checkpoint(lambda x: None)(Value(X)) is None


def test_no_function():
    with pytest.raises(TypeError, match=r"expected a function, got 3\.0; write checkpoint\(f\)\(x\)"):
        checkpoint(3.0)
