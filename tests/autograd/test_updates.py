"""Functional updates: ``v.at[index].set(x)`` and its like, with every kind of index, at special points, and misused."""

import numpy as np
import pytest

from autograd import Value, draw, grad, jacobian, make_jvp
from autograd.updates import at_add, at_max, at_min, at_multiply, at_set

METHODS = {"set": lambda old, new: new, "add": np.add, "multiply": np.multiply, "max": np.maximum, "min": np.minimum}
FUNCTIONS = [at_set, at_add, at_multiply, at_max, at_min]
A = np.array([[3.0, -1.0, 2.0, 5.0], [0.5, 4.0, -2.0, 1.5], [7.0, 6.0, -3.0, 2.5]])

INDICES = {
    "integer": 1, "negative": -1, "element": (2, -1), "numpy integer": np.int64(2), "slice": np.s_[1:],
    "step": np.s_[::-2, 1:3], "ellipsis": np.s_[..., 0], "everything": ..., "empty tuple": (), "none": None,
    "new axis": np.s_[:, None, 1], "mask": A > 1, "mask of rows": np.array([True, False, True]), "list": [0, 2],
    "array": np.array([2, 0]), "two arrays": ([0, 1], [1, 3]), "matrix": np.array([[0], [2]]),
    "array and slice": (slice(None), [3, 0]), "truth": True, "falsehood": False, "empty": [],
    "empty slice": np.s_[5:], "array, none": ([0, 1], None, 2),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("method", METHODS)
def test_every_index(method, index):
    """The numbers of an assignment in NumPy; gradients as those of elements that are kept or combined."""
    shape = A[index].shape
    x = np.linspace(-1.13, 2.29, max(int(np.prod(shape)), 1))[: int(np.prod(shape))].reshape(shape)[()]
    wanted = A.copy()
    wanted[index] = METHODS[method](A[index], x)
    v, w = Value(A), Value(x)
    y = getattr(v.at[index], method)(w)
    np.testing.assert_array_equal(y.data, wanted)
    assert y.op.__name__ == f"at_{method}"
    np.testing.assert_array_equal(v.data, A)
    weights = np.arange(1.0, 13).reshape(A.shape)
    np.sum(y * weights).backward()
    # each element is there once, so by the chain rule of the elementwise functions
    old, new = Value(A[index]), Value(x)
    part = METHODS[method](old, new)
    np.sum(part * weights[index]).backward()
    expected = weights.copy()
    expected[index] = 0 if old.grad is None else old.grad
    np.testing.assert_allclose(v.grad, expected)
    np.testing.assert_allclose(w.grad, new.grad)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shapes", [((3, 4), ()), ((3, 4), (1,)), ((3, 4), (3, 1)), ((3, 4), (4,))])
def test_numbers_are_broadcast(method, shapes):
    x = np.full(shapes[1], 1.75)[()]
    v, w = Value(A), Value(x)
    y = getattr(v.at[...], method)(w)
    np.testing.assert_array_equal(y.data, METHODS[method](A, np.broadcast_to(x, A.shape)))
    np.sum(y).backward()
    assert np.shape(w.grad) == shapes[1]
    one = grad(lambda x: np.sum(METHODS[method](A, x + np.zeros_like(A))))(x)
    np.testing.assert_allclose(w.grad, one)


def gradients(method, a, index, x, g):
    """Those of both arguments, in reverse, and the same by forward mode."""
    def f(a, x):
        return getattr((a if isinstance(a, Value) else Value(a)).at[index], method)(x)

    a, x, g = (np.array(k, float) for k in (a, x, g))
    got = grad(lambda a, x: np.sum(f(a, x) * g), (0, 1))(a, x)
    for i, shape in enumerate((a, x)):
        forward = [np.sum(make_jvp(f, i)(a, x)(t.reshape(shape.shape))[1] * g) for t in np.eye(shape.size)]
        np.testing.assert_allclose(np.reshape(forward, shape.shape), got[i])
    return got


SPECIAL = [  # name, method, a, index, x, the incoming gradient, and the gradients of a and of x
    ("the last set wins", "set", [1, 2], [0, 0, 0], [7, 8, 9], [3, 5], [0, 5], [0, 0, 3]),
    ("the last of a broadcast one", "set", [1, 2], [0, 0, 1], [7], [3, 5], [0, 0], [8]),
    ("set by a negative and a positive index", "set", [1, 2], [1, -1], [7, 8], [3, 5], [3, 0], [0, 5]),
    ("all add up", "add", [1, 2], [1, 1, 1], [7, 8, 9], [3, 5], [3, 5], [5, 5, 5]),
    ("all multiply", "multiply", [2, 3], [1, 0, 1], [5, 7, 11], [1, 10], [7, 550], [330, 2, 150]),
    ("one zero", "multiply", [2], [0, 0, 0], [5, 0, 7], [1], [0], [0, 70, 0]),
    ("two zeros", "multiply", [2], [0, 0, 0], [0, 0, 7], [1], [0], [0, 0, 0]),
    ("zero in the array", "multiply", [0], [0, 0], [5, 7], [1], [35], [0, 0]),
    ("five factors", "multiply", [1], [0] * 5, [1, 2, 3, 0, 4], [1], [0], [0, 0, 0, 24, 0]),
    ("max shares", "max", [2, 9], [0, 0, 0], [2, 1, 2], [3, 5], [1, 5], [1, 0, 1]),
    ("max of nothing but the array", "max", [2, 9], [0, 0], [1, 1], [3, 5], [3, 5], [0, 0]),
    ("max among the new", "max", [0, 9], [0, 0], [1, 1], [3, 5], [0, 5], [1.5, 1.5]),
    ("max with one", "max", [1, 9], [0], [1], [3, 5], [1.5, 5], [1.5]),
    ("max of nan is the nan's", "max", [1, 9], [0, 0], [np.nan, 4], [3, 5], [0, 5], [3, 0]),
    ("max of a nan", "max", [np.nan, 9], [0], [4], [3, 5], [3, 5], [0]),
    ("min shares", "min", [2, 9], [0, 0, 0], [2, 3, 2], [3, 5], [1, 5], [1, 0, 1]),
    ("min of a broadcast one", "min", [2, 9], [0, 0], 1, [3, 5], [0, 5], 3),
    ("nothing", "multiply", [2, 9], [], [], [3, 5], [3, 5], []),
]


@pytest.mark.parametrize(("method", "a", "index", "x", "g", "of_a", "of_x"), [row[1:] for row in SPECIAL],
                         ids=[row[0] for row in SPECIAL])
def test_special_points(method, a, index, x, g, of_a, of_x):
    got_a, got_x = gradients(method, a, index, x, g)
    np.testing.assert_allclose(got_a, of_a)
    np.testing.assert_allclose(got_x, of_x)


def test_second_derivatives_where_factors_are_zero():
    x = np.array([0.0, 0.0, 3.0])
    hessian = jacobian(grad(lambda x: np.sum(at_multiply(np.array([2.0]), [0, 0, 0], x))))(x)
    np.testing.assert_allclose(hessian, [[0, 6, 0], [6, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("method", METHODS)
def test_constants_and_numbers(method):
    v = Value(A)
    for x in (2, 2.0, np.float32(2), [2.0, 2.0, 2.0, 2.0], np.full(4, 2), np.array([True])):
        y = getattr(v.at[0], method)(x)
        assert y.dtype == float
        assert y.parents == (v,)
    w = Value(3.0)
    assert getattr(Value(np.ones(2)).at[0], method)(w).parents[1] is w
    listed = getattr(v.at[0, :2], method)([w, 2 * w])
    np.testing.assert_array_equal(listed.data[0, :2], METHODS[method](A[0, :2], [3.0, 6.0]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_dtypes(function):
    name = function.__name__.removeprefix("at_")
    for dtype in (np.float32, np.float64, np.complex64):
        v, x = Value(np.ones(3, dtype)), Value(np.array([0.25, 2.1]))
        y = getattr(v.at[[0, 0]], name)(x)
        assert y.dtype == dtype
        np.real(np.sum(y)).backward()
        assert v.grad.dtype == dtype
        assert x.grad.dtype == float
        if name in ("max", "min"):  # the number is compared in the precision of the array
            np.testing.assert_array_equal(x.grad, [0, 1] if name == "max" else [1, 0])
    plain = function(np.ones(3), [0, 0], np.array([2.0, 3.0]))
    assert type(plain) is np.ndarray


@pytest.mark.parametrize("method", METHODS)
def test_a_draw_names_the_update(method):
    assert f"at_{method}" in draw(getattr(Value([1.0, 2.0]).at[0], method)(Value(3.0))).source


V = Value([1.0, 2.0])


def changed(symbol):
    def act():
        exec(f"v[0] {symbol} 2.0", {"v": Value([1.0, 2.0])})
    return act


ERRORS = [
    ("scalar", lambda: Value(1.0).at[0], TypeError, r"a scalar Value has no elements"),
    ("a Value as index", lambda: V.at[V], TypeError, r"must be integers, not a Value"),
    ("a Value in an index", lambda: V.at[0, Value(1.0)], TypeError, r"must be integers, not a Value"),
    ("complex", lambda: V.at[0].set(1j), TypeError, r"complex numbers do not fit.*v\.astype\(complex\)\.at\[\.\.\.\]"),
    ("complex Value", lambda: V.at[0].add(Value(1j)), TypeError, r"complex numbers do not fit"),
    ("nothing", lambda: V.at[0].set(None), TypeError, r"expected numbers, got NoneType None"),
    ("text", lambda: V.at[0].set("1"), TypeError, r"expected numbers, got str '1'"),
    ("a masked array", lambda: V.at[:].set(np.ma.array([1.0, 2.0], mask=[0, 1])), TypeError, r"got MaskedArray"),
    ("shape", lambda: V.at[:].set(np.ones(3)), ValueError, r"shape \(2,\) of the elements, got the shape \(3,\)"),
    ("too many axes", lambda: V.at[:].set(np.ones((1, 2))), ValueError, r"got the shape \(1, 2\)"),
    ("outside", lambda: V.at[2].set(1.0), IndexError, r"out of bounds"),
    ("+=", changed("+="), TypeError, r"write v = v\.at\[i\]\.add\(x\) for v\[i\] \+= x"),
    ("-=", changed("-="), TypeError, r"v = v\.at\[i\]\.add\(-x\) for v\[i\] -= x"),
    ("*=", changed("*="), TypeError, r"v = v\.at\[i\]\.multiply\(x\) for"),
    ("/=", changed("/="), TypeError, r"v = v\.at\[i\]\.multiply\(1 / x\) for"),
    ("**=", changed("**="), TypeError, r"v = v\.at\[i\]\.set\(x\)"),
    ("= v + 1", changed("= v + "), TypeError, r"v = v\.at\[i\]\.set\(x\)"),
]


@pytest.mark.parametrize(("act", "error", "text"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_errors(act, error, text):
    with pytest.raises(error, match=text):
        act()
