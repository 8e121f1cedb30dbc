"""Methods of ufuncs, ``where=`` and ``dtype=``: every ufunc with a rule, special points, and what is refused."""

import functools

import numpy as np
import pytest

from autograd import Value, grad, jacobian, make_jvp, no_grad
from autograd.registry import RULES, name_of
from tests.autograd.cases import case
from tests.autograd.checks import CHECKS
from tests.autograd.rows import apart

BINARY = [f for f in RULES if isinstance(f, np.ufunc) and name_of(f).startswith("np.")
          and (f.nin, f.nout, f.signature) == (2, 1, None) and "dd->d" in f.types]
CALLS = {
    "reduce": lambda f, x: f.reduce(x),
    "accumulate": lambda f, x: f.accumulate(x, axis=1),
    "reduceat": lambda f, x: f.reduceat(x, [1, 0, 3, 3], axis=1),
    "outer": lambda f, x: f.outer(x[0, :2], x),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("ufunc", BINARY, ids=map(name_of, BINARY))
def test_every_ufunc_with_a_rule_has_methods(ufunc, method):
    x = 1.43 + apart(np.random.default_rng(5), (3, 5)) / 2
    if method.startswith("reduce") and not np.allclose(ufunc.reduce(x[0]), functools.reduce(ufunc, x[0])):
        pytest.skip("NumPy reduces this ufunc wrongly")  # as power and arctan2 on processors with AVX-512
    one = case(getattr(ufunc, method), lambda n, m: [(n, m)], lambda x: CALLS[method](ufunc, x))
    for check in ("value", "reverse", "forward", "second"):
        CHECKS[check](one, [x])


NAN = np.nan
SPECIAL = [  # name, a function, a point, and its Jacobian
    ("max shares", np.maximum.reduce, [2, 1, 2], [0.5, 0, 0.5]),
    ("max with initial", lambda x: np.maximum.reduce(x, initial=5.0), [2, 1, 2], [0, 0, 0]),
    ("max where", lambda x: np.maximum.reduce(x, initial=0.0, where=[False, True, True]), [3, 1, 2], [0, 0, 1]),
    ("sum where, less nan", lambda x: np.add.reduce(x, where=~np.isnan(np.array([1, NAN]))), [1, NAN], [1, 0]),
    ("product with a zero", np.multiply.reduce, [2, 0, 5], [0, 10, 0]),
    ("product with initial", lambda x: np.multiply.reduce(x, initial=3.0), [2, 0, 5], [0, 30, 0]),
    ("no elements", lambda x: np.add.reduce(x, initial=3.0), [], []),
    ("no elements of the largest", lambda x: np.maximum.reduce(x, initial=3.0, keepdims=True), [], np.zeros((1, 0))),
    ("one element", np.subtract.reduce, [4], [1]),
    ("size of one element", np.hypot.reduce, [-4], [-1]),
    ("subtract from initial", lambda x: np.subtract.reduce(x, initial=3.0, where=[True, False]), [4, 5], [-1, 0]),
    ("running products with zeros", np.multiply.accumulate, [2, 0, 5, 0],
     [[1, 0, 0, 0], [0, 2, 0, 0], [0, 10, 0, 0], [0, 0, 0, 0]]),
    ("the largest so far shares", np.maximum.accumulate, [1, 3, 3, 2, 3, 4],
     [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0.5, 0.5, 0, 0, 0], [0, 0.5, 0.5, 0, 0, 0],
      [0, 1 / 3, 1 / 3, 0, 1 / 3, 0], [0, 0, 0, 0, 0, 1]]),
    ("the largest so far, and nan", np.maximum.accumulate, [1, NAN, 3], [[1, 0, 0], [0, 1, 0], [0, 1, 0]]),
    ("nothing accumulates", np.maximum.accumulate, [], np.zeros((0, 0))),
    ("segments share", lambda x: np.maximum.reduceat(x, [0, 2]), [2, 2, 7, 1], [[0.5, 0.5, 0, 0], [0, 0, 1, 0]]),
    ("segments with zeros", lambda x: np.multiply.reduceat(x, [0, 3]), [2, 0, 5, 3], [[0, 10, 0, 0], [0, 0, 0, 1]]),
    ("segments back and forth", lambda x: np.add.reduceat(x, [2, 0, 1]), [1, 2, 3], [[0, 0, 1], [1, 0, 0], [0, 1, 1]]),
    ("no segments", lambda x: np.subtract.reduceat(x, np.array([], int)), [1, 2], np.zeros((0, 2))),
]


if np.fmax in RULES:
    SPECIAL += [
        ("fmax shares, and passes over nan", np.fmax.reduce, [2, NAN, 2], [0.5, 0, 0.5]),
        ("fmin of nan alone", np.fmin.reduce, [NAN, NAN], [0, 0]),
        ("the smallest so far passes over nan", np.fmin.accumulate, [NAN, 4, NAN], [[0, 0, 0], [0, 1, 0], [0, 1, 0]]),
        ("segments pass over nan", lambda x: np.fmax.reduceat(x, [0, 2]), [NAN, 2, 7, 7],
         [[0, 1, 0, 0], [0, 0, 0.5, 0.5]]),
    ]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in SPECIAL], ids=[row[0] for row in SPECIAL])
def test_special_points(f, x, wanted):
    x = np.array(x, float)
    np.testing.assert_allclose(np.reshape(jacobian(f)(x), np.shape(wanted)), wanted)
    columns = [make_jvp(f)(x)(t)[1] for t in np.eye(len(x))]
    np.testing.assert_allclose(np.stack(columns, -1) if columns else np.zeros(np.shape(wanted)), wanted)


def test_defaults_are_those_of_numpy():
    x = np.arange(1.0, 7).reshape(2, 3)
    v = Value(x)
    np.testing.assert_array_equal(np.add.reduce(v).data, x.sum(0))
    assert np.add.reduce(v, None).data == 21
    assert np.add.reduce(v, 0, None, None, True).shape == (1, 3)
    np.testing.assert_array_equal(np.add.reduce(v, ()).data, x)
    assert np.add.reduce(v, dtype=np.float32).dtype == np.float32
    assert np.multiply.accumulate(v, dtype=np.complex128).dtype == complex
    assert np.multiply.outer([1.0, 2.0], v).shape == (2, 2, 3)
    assert name_of(np.add.reduce(v).op) == "np.add.reduce"


def test_piecewise_constant_ones_give_plain_arrays():
    v = Value([1.0, 2.0])
    np.testing.assert_array_equal(np.less.outer(v, v), [[False, True], [False, False]])
    assert type(np.logical_and.reduce(v)) in (bool, np.bool)
    assert type(np.floor(v, dtype=np.float32)) is np.ndarray
    assert type(np.add(v, 1.0, dtype=int, casting="unsafe")) is np.ndarray


def test_division_where_it_is_defined():
    a, x = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, -1.0])
    out = np.full(3, 7.0)
    y = np.divide(a, v := Value(x), out=out, where=x != 0)
    np.testing.assert_array_equal(y.data, [0.5, 7, -3])
    np.testing.assert_array_equal(out, y.data)
    assert out is not y.data
    y.sum().backward()
    np.testing.assert_array_equal(v.grad, [-0.25, 0, -3])

    def f(x):
        return np.sum(np.divide(a, x, out=np.zeros_like(a), where=x != 0))

    np.testing.assert_allclose(np.diag(jacobian(grad(f))(x)), [0.25, 0, -6])
    np.testing.assert_allclose(grad(lambda x: np.sum(grad(lambda x: np.sum(grad(f)(x)))(x)))(x), [-0.375, 0, -18])


@pytest.mark.parametrize("where", [[True, False], [[True], [False]], np.array(True), np.array(False),
                                   np.array([[False, False], [False, True]])])
def test_masks_and_numbers_are_broadcast(where):
    x, mask = np.array([0.3, 0.7]), np.broadcast_to(where, (2, 2))
    out = np.full((2, 2), 5.0)
    for f, args in [(np.log, (x,)), (np.power, (x, 2.0)), (np.power, (Value(2.0), x)), (np.add, ([1, 2], x))]:
        v = Value(x)
        y = f(*(v if a is x else a for a in args), out=out, where=where)
        wanted = f(*(getattr(a, "data", a) for a in args), out=np.full((2, 2), 5.0), where=where)
        np.testing.assert_array_equal(y.data, wanted)
        np.testing.assert_array_equal(out, wanted)
        y.sum().backward()
        one = Value(x)
        np.sum(f(*(one if a is x else a for a in args)) * mask).backward()
        np.testing.assert_allclose(np.zeros(2) if v.grad is None else v.grad, one.grad)
        out[:] = 5


@pytest.mark.parametrize("chosen", [True, False])
def test_a_number_where_it_is_chosen(chosen):
    x, out = Value(0.0 if not chosen else 2.0), np.array(4.0)
    y = np.divide(1.0, x, out=out, where=np.array(chosen))
    assert type(y.data) in (float, np.float64)
    assert y.data == out == (0.5 if chosen else 4.0)
    y.backward()
    assert x.grad == (-0.25 if chosen else 0)


def test_where_keeps_the_dtype_of_out():
    v = Value(np.array([1.0, 3.0], np.float32))
    y = np.divide(v, 3.0, out=np.zeros(2), where=[True, False])
    assert y.dtype == float
    assert y.data[0] == np.float32(1) / np.float32(3)  # as NumPy computes it
    out = np.zeros(2, np.float32)
    y = np.divide(Value([1.0, 3.0]), 3.0, out=out, where=[True, False])
    assert y.dtype == np.float32
    mask = np.zeros(2, bool)
    assert np.greater(v, 2.0, out=mask, where=[True, True]) is mask
    with no_grad():
        assert np.divide(v, 3.0, out=out, where=[True, False]).parents == ()


def test_dtype_says_how_to_compute():
    v = Value([1.0, 2.0])
    y = np.exp(v, dtype=np.float32)
    assert y.dtype == np.float32
    assert y.op is np.exp
    y.sum().backward()
    assert v.grad.dtype == float
    np.testing.assert_allclose(v.grad, np.exp([1.0, 2.0]), rtol=1e-6)
    assert np.add(v, 1.0, where=True, out=None, order="F").data[1] == 3


V, ARRAY = Value([1.0, 2.0]), np.ones(2)
ERRORS = [
    ("out", lambda: np.add(V, 1.0, out=ARRAY), r"np\.add\(\.\.\., out=\.\.\.\) cannot record"),
    ("out of a method", lambda: np.add.reduce(V, out=np.zeros(())), r"np\.add\.reduce\(\.\.\., out=\.\.\.\) cannot"),
    ("out is a Value", lambda: np.exp(ARRAY, out=V, where=[True, False]),
     r"v = v\.at\[mask\]\.set\(np\.exp\(\.\.\.\)\[mask\]\)"),
    ("where", lambda: np.exp(V, where=[True, False]), r"undefined: write np\.where\(mask, np\.exp\(\.\.\.\), 0\)"),
    ("where is a Value", lambda: np.exp(V, out=ARRAY, where=V), r"no derivative with respect to its keyword where"),
    ("initial is a Value", lambda: np.add.reduce(V, initial=Value(1.0)), r"with respect to its keyword initial"),
    ("unsafe", lambda: np.divide(V, 2.0, out=np.zeros(2, int), where=[True, False]), r"Cannot cast"),
    ("no such keyword", lambda: np.exp(V, axes=1), r"axes"),
    ("reduce where", lambda: np.remainder.reduce(V, initial=1.0, where=[True, False]),
     r"np\.remainder\.reduce has no derivative rule"),
    ("accumulate where", lambda: np.add.accumulate(V, where=[True, False]), r"where"),
    ("no rule", lambda: np.frompyfunc(max, 2, 1).reduce(V), r"\.reduce has no derivative rule"),
    ("add.at", lambda: np.add.at(V, [0], 1.0), r"write v = v\.at\[i\]\.add\(x\)"),
    ("subtract.at", lambda: np.subtract.at(V, [0], 1.0), r"write v = v\.at\[i\]\.add\(-x\)"),
    ("maximum.at", lambda: np.maximum.at(ARRAY, [0], V), r"write a = Value\(a\)\.at\[i\]\.max\(x\)"),
    ("power.at", lambda: np.power.at(ARRAY, [0], V), r"a = Value\(a\)\.at\[i\]\.set\(np\.power\(a\[i\], x\)\)"),
    ("negative.at", lambda: np.negative.at(V, [0]), r"v = v\.at\[i\]\.set\(np\.negative\(v\[i\]\)\)"),
]


@pytest.mark.parametrize(("act", "text"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_errors(act, text):
    with pytest.raises(TypeError, match=text):
        act()
    np.testing.assert_array_equal(ARRAY, 1)
