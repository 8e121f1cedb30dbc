"""What a Value is: the numbers it holds, what it says of itself, and that it computes as an ndarray does."""

import copy
import operator
import pickle
import threading

import numpy as np
import pytest

from autograd import Value, no_grad
from autograd.functions import relu, sigmoid, softmax
from autograd.record import output, unstack

MATRIX = np.array([[1.0, 4.0, 2.0], [3.0, -1.0, 5.0]])


# What it holds

HELD = [  # data, what a Value of it holds
    (3, 3.0), (True, 1.0), (2.5, 2.5), (np.int64(3), 3.0), (np.bool_(True), 1.0), (np.float64(2.5), 2.5),
    (np.array(2.5), 2.5), (np.array(3), 3.0), (np.array(True), 1.0),
    (np.float32(2.5), np.float32(2.5)), (np.array(2.5, np.float32), np.float32(2.5)),
    (1 + 2j, np.complex128(1 + 2j)), (np.complex64(1j), np.complex64(1j)), (np.array(2j), np.complex128(2j)),
    ([1, 2], np.array([1.0, 2.0])), ((1, 2.5), np.array([1.0, 2.5])), ([[True], [False]], np.array([[1.0], [0.0]])),
    ([1j, 2], np.array([1j, 2])), ([], np.zeros(0)),
    (np.arange(3), np.arange(3.0)), (np.arange(3, dtype=np.uint8), np.arange(3.0)),
    (np.array([True, False]), np.array([1.0, 0.0])), (np.ones(2, np.float32), np.ones(2, np.float32)),
    (np.ones(2, np.float16), np.ones(2, np.float16)), (np.ones(2, np.complex64), np.ones(2, np.complex64)),
]


@pytest.mark.parametrize(("data", "wanted"), HELD, ids=[f"{type(d).__name__} {d!r}" for d, _ in HELD])
def test_data(data, wanted):
    held = Value(data).data
    assert type(held) is type(wanted)
    np.testing.assert_array_equal(held, wanted)
    assert np.asarray(held).dtype == np.asarray(wanted).dtype
    v = Value(data)
    assert (v.shape, v.ndim, v.size, v.dtype) == (*(getattr(np.asarray(wanted), a) for a in ("shape", "ndim", "size")),
                                                  np.asarray(wanted).dtype)


def test_data_is_a_copy():
    a = np.ones(2)
    v = Value(a)
    a[0] = 7
    assert v.data.tolist() == [1, 1]
    assert not np.shares_memory(a, v.data)


A, B = Value(2.0), Value(3.0)
SCALARS = [  # operations whose operands are all Python floats: the result is one, too
    ("add", A + B), ("sub", A - 1), ("mul", 2 * A), ("truediv", 1 / A), ("pow", A**2), ("rpow", 2**A), ("neg", -A),
    ("pos", +A), ("abs", abs(A)), ("exp", np.exp(A)), ("maximum", np.maximum(A, B)), ("arctan", np.arctan(A)),
    ("sum", np.sum(A)), ("method", A.sum()), ("mean", A.mean()), ("max", np.max(A)), ("relu", relu(A)),
    ("sigmoid", sigmoid(A)), ("clip", np.clip(A, 0, 1)), ("real", np.real(A)),
    ("multiply", np.multiply(A, B)), ("dot", np.dot(A, B)),
]


@pytest.mark.parametrize("y", [y for _, y in SCALARS], ids=[name for name, _ in SCALARS])
def test_a_graph_of_python_floats_stays_one(y):
    assert type(y.data) is float
    a, b = Value(2.0), Value(3.0)
    cost = np.exp(a * b - a / b) + relu(a) ** 2 - abs(b)
    cost.backward()
    assert type(cost.data) is type(a.grad) is type(b.grad) is float


V, S = Value(MATRIX), Value([2.0])
FROM_ARRAYS = [
    V[0, 1], V[0][1], V.sum(), np.sum(V), np.mean(V), np.max(V), np.std(V), np.prod(V), np.einsum("ij->", V), S[0],
    np.einsum("i,i", S, S), S.reshape(()), np.reshape(S, ()), np.squeeze(S), S @ S, np.dot(S, S),
    np.where(True, S[0], 0),
    np.where(False, 1.0, A), np.sum(S, axis=0), next(iter(S)), np.split(S, 1)[0][0], A[()], A[...], A[None][0],
    np.transpose(A), np.ravel(A)[0], A.reshape(()), A.reshape(1)[0], np.expand_dims(A, 0)[0], np.stack([A, B])[1],
    np.float64(2) * A, A * np.float64(2), A * np.array(2.0), np.array(2.0) + A, A.astype(np.float64),
    np.real(np.sum(S * 1j)), softmax(A), np.clip(S[0], 0, 1),
    np.sum(A, None), np.concatenate([S, S])[1], A.squeeze(), A.T, np.max(A, axis=None), np.abs(S[0]),
]


@pytest.mark.parametrize("y", FROM_ARRAYS)
def test_a_scalar_is_never_an_array_of_no_axes(y):
    assert type(y) is Value
    assert isinstance(y.data, float)
    assert y.shape == ()
    y.backward()
    assert isinstance(y.grad, float)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.float16])
def test_scalars_of_other_dtypes_keep_theirs(dtype):
    v = Value(np.ones(3, dtype))
    for y in [v.sum(), v[0], v @ v, 2 * v[0], v[0] + 1.5, np.exp(v[1]), v[0] ** 2, np.squeeze(v[:1])]:
        assert type(y.data) is dtype


def test_integer_and_boolean_results_are_plain_arrays():
    v = Value(MATRIX)
    for y in [v > 0, np.argmax(v, axis=0), np.floor(v), np.isnan(v), np.argsort(v), np.shape(v), v.astype(int),
              np.sign(v) == 1, np.zeros_like(v), np.round(v), v // 1]:
        assert not isinstance(y, Value)
    np.testing.assert_array_equal(np.argmax(v, axis=0), [1, 0, 1])
    np.testing.assert_array_equal(v.astype(int), MATRIX.astype(int))
    assert np.shape(v) == (2, 3)
    assert np.ndim(v) == 2
    assert np.size(v) == 6
    assert not np.allclose(v, 0)


# What it says

def test_repr_shows_data_gradient_and_name():
    v = Value(3)
    assert repr(v) == str(v) == "Value(data=3.0, grad=None)"
    (v * 2).backward()
    assert repr(v) == "Value(data=3.0, grad=2.0)"
    assert repr(Value(1.5, name="x")) == "Value(data=1.5, grad=None, name='x')"
    w = Value([[1, 2], [3, 4]], "w")
    assert repr(w) == "Value(data=[[1., 2.],\n            [3., 4.]], grad=None, name='w')"
    w.sum().backward()
    assert repr(w) == ("Value(data=[[1., 2.],\n            [3., 4.]], "
                       "grad=[[1., 1.],\n            [1., 1.]], name='w')")
    assert repr(Value(np.float32(0.5)).sum()) == "Value(data=0.5, grad=None)"
    assert repr(Value([1.0]).sum()) == "Value(data=1.0, grad=None)"


def test_format():
    assert f"{Value(3.14159):.2f}" == "3.14"
    assert f"{Value(np.float32(0.5)):5.1f}" == "  0.5"
    assert f"{Value(2)}" == "Value(data=2.0, grad=None)"


def test_what_made_it():
    a, b = Value(2.0), Value([1.0, 2.0])
    y = a * b
    assert (y.op, y.args, y.parents, dict(y.kwargs)) == (np.multiply, (a, b), (a, b), {})
    assert (a.op, a.args, a.parents) == (None, (), ())
    assert (a * a).parents == (a, a)
    assert (a * 2).parents == (2 * a).parents == (a,)
    assert (2 * a).args == (2, a)
    y = np.concatenate([b, np.zeros(1), b], axis=0)
    assert y.op is np.concatenate
    assert y.parents == (b, b)
    assert dict(y.kwargs) == {"axis": 0}
    y = np.where(np.array([True, False]), b, a)
    assert y.parents == (b, a)
    y = np.clip(b, 0, a)
    assert (y.parents, y.args) == ((b, a), (b, 0, a))
    assert b[1:].op is operator.getitem
    assert b[1:].args == (b, slice(1, None))
    first, second = b
    assert first.op is second.op is output
    assert first.parents == second.parents
    assert first.parents[0].op is unstack
    assert first.parents[0].parents == (b,)


OPERATORS = [
    (operator.add, np.add), (operator.sub, np.subtract), (operator.mul, np.multiply), (operator.truediv, np.divide),
    (operator.pow, np.power), (operator.matmul, np.matmul),
]
OTHERS = [2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), True, [1.0, 2.0, 3.0], (1, 2, 3),
          np.array([1.0, 2.0, 3.0]), np.array([1, 2, 3]), np.arange(1.0, 10.0).reshape(3, 3),
          [[1.0, 2.0, 0.5], [3.0, 1.0, 1.0], [2.0, 2.0, 1.0]]]


@pytest.mark.parametrize(("op", "ufunc"), OPERATORS, ids=[u.__name__ for _, u in OPERATORS])
@pytest.mark.parametrize("other", OTHERS, ids=[f"{type(o).__name__} {o!r}" for o in OTHERS])
@pytest.mark.parametrize("data", [2.5, np.array([1.5, 2.0, 2.5]), np.arange(1.0, 10.0).reshape(3, 3)],
                         ids=["float", "vector", "matrix"])
def test_operators_on_either_side(op, ufunc, other, data):
    if op is operator.matmul and 0 in (np.ndim(other), np.ndim(data)):
        for a, b in [(Value(data), other), (other, Value(data))]:
            with pytest.raises((TypeError, ValueError)):
                op(a, b)
        return
    v = Value(data)
    for got, wanted in [(op(v, other), ufunc(data, other)), (op(other, v), ufunc(other, data))]:
        assert type(got) is Value
        np.testing.assert_array_equal(got.data, wanted)
        assert got.dtype == wanted.dtype
        assert got.op is ufunc
        assert got.parents == (v,)
        np.sum(got).backward()
    assert v.grad.shape == v.shape if v.ndim else type(v.grad) is float


@pytest.mark.parametrize("op", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow])
def test_augmented_assignment_makes_a_new_value(op):
    v = Value([1.0, 2.0])
    w = op(v, 3)
    assert w is not v
    assert v.data.tolist() == [1, 2]
    assert w.parents == (v,)


def test_lists_of_values_are_stacked():
    v, a, b = Value([1.0, 2.0]), Value(3.0), Value(4.0)
    for y in [v * [a, b], [a, b] * v, np.multiply(v, [a, b])]:
        np.testing.assert_array_equal(y.data, [3, 8])
        v.grad = a.grad = b.grad = None
        np.sum(y).backward()
        assert (v.grad.tolist(), a.grad, b.grad) == ([3, 4], 1, 2)


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_comparisons_give_plain_truth(op):
    a = np.array([1.0, 2.0, 3.0])
    for other in [2, 2.0, np.float64(2), a[::-1].copy(), [3.0, 2.0, 1.0]]:
        for got, wanted in [(op(Value(a), other), op(a, np.asarray(other))),
                            (op(Value(a), Value(other)), op(a, np.asarray(other)))]:
            assert type(got) is np.ndarray
            assert got.dtype == bool
            np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(op(other, Value(a)), op(np.asarray(other), a))
    assert type(op(Value(2.0), 2)) is bool
    assert type(op(2, Value(2.0))) is bool
    assert op(Value(2.0), Value(3.0)) == op(2.0, 3.0)


def test_hash_is_identity():
    a, b = Value(1.0), Value(1.0)
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[b] == "b"
    assert a in {a}
    assert b not in {a}


# As Python's numbers and sequences

def test_conversions():
    v = Value(2.5)
    assert (float(v), int(v), complex(v), v.item(), bool(v), bool(Value(0.0))) == (2.5, 2, 2.5, 2.5, True, False)
    assert type(v.item()) is type(Value([2.5]).item()) is type(Value(np.float32(2.5)).item()) is float
    assert float(Value([[2.5]])) == 2.5
    assert Value(MATRIX).item(1, 2) == 5.0
    assert v.tolist() == 2.5
    assert Value(MATRIX).tolist() == MATRIX.tolist()
    with pytest.raises(ValueError, match="size"):
        float(Value([1.0, 2.0]))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Value([1.0, 2.0]))


def test_length_and_iteration():
    v = Value(MATRIX)
    assert len(v) == 2
    rows = list(v)
    assert [r.data.tolist() for r in rows] == MATRIX.tolist()
    assert all(type(x) is Value and isinstance(x.data, float) for x in rows[0])
    a, b = v
    (a * b).sum().backward()
    np.testing.assert_array_equal(v.grad, MATRIX[::-1])
    for scalar in (Value(1.0), v.sum()):
        with pytest.raises(TypeError, match="len"):
            len(scalar)
        with pytest.raises(TypeError, match="iteration over a scalar"):
            iter(scalar)
    assert list(Value(np.zeros((0, 2)))) == []


METHODS = [
    ("sum", ()), ("mean", ()), ("max", ()), ("min", ()), ("prod", ()), ("var", ()), ("std", ()), ("all", ()),
    ("any", ()), ("argmax", ()), ("argmin", ()), ("sum", (0,)), ("mean", (1,)), ("max", (-1,)), ("argmax", (1,)),
    ("argmin", (0,)), ("all", (0,)), ("any", (1,)), ("reshape", (3, 2)), ("reshape", ((3, 2),)), ("reshape", (-1,)),
    ("ravel", ()), ("ravel", ("F",)), ("flatten", ()), ("transpose", ()), ("transpose", (1, 0)),
    ("transpose", ((1, 0),)), ("swapaxes", (0, 1)), ("squeeze", ()), ("clip", (0, 2)), ("clip", (None, 2)),
    ("dot", (MATRIX.T,)), ("tolist", ()), ("item", (3,)), ("astype", (np.float32,)), ("__len__", ()),
    ("__floordiv__", (2,)), ("__rfloordiv__", (2,)),
]


@pytest.mark.parametrize(("name", "args"), METHODS, ids=[f"{n}{a}" for n, a in METHODS])
def test_methods_agree_with_those_of_arrays(name, args):
    got, wanted = getattr(Value(MATRIX), name)(*args), getattr(MATRIX, name)(*args)
    np.testing.assert_array_equal(getattr(got, "data", got), wanted)
    assert isinstance(got, Value) == (np.asarray(wanted).dtype.kind == "f" and name not in
                                      ("tolist", "item", "__floordiv__", "__rfloordiv__"))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std"])
def test_reducing_methods_take_keepdims(name):
    got = getattr(Value(MATRIX), name)(axis=1, keepdims=True)
    np.testing.assert_array_equal(got.data, getattr(MATRIX, name)(axis=1, keepdims=True))


def test_transposed_attribute_and_relu():
    np.testing.assert_array_equal(Value(MATRIX).T.data, MATRIX.T)
    np.testing.assert_array_equal(Value(MATRIX).relu().data, np.maximum(MATRIX, 0))


# Scopes and copies

def test_detach():
    v = Value([1.0, 2.0])
    w = (v * 2).detach()
    assert (w.op, w.parents, w.grad, w.data.tolist()) == (None, (), None, [2, 4])
    (w * v).sum().backward()
    np.testing.assert_array_equal(v.grad, [2, 4])


def test_no_grad_is_restored_nested_and_after_an_exception():
    v = Value(2.0)

    def recorded() -> bool:
        return (v * 3).op is not None and v[None].op is not None and np.exp(v).op is not None

    with no_grad():
        assert not recorded()
        with no_grad():
            assert not recorded()
        assert not recorded()
        parts = np.split(v * np.ones(2), 2)
        assert all(p.op is None for p in parts)
    assert recorded()
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert recorded()


def test_no_grad_holds_only_in_its_own_thread():
    v, seen = Value(2.0), []
    thread = threading.Thread(target=lambda: seen.append((v * 3).op))
    with no_grad():
        thread.start()
        thread.join()
    assert seen == [np.multiply]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))],
                         ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("data", [2.5, np.float32(2.5), MATRIX, 1j], ids=["float", "float32", "array", "complex"])
def test_leaves_can_be_copied_and_graphs_cannot(copied, data):
    v = Value(data, name="w")
    w = copied(v)
    assert (type(w), w.name, w.op) == (Value, "w", None)
    assert type(w.data) is type(v.data)
    np.testing.assert_array_equal(w.data, v.data)
    assert w.dtype == v.dtype
    assert w is not v
    with pytest.raises(TypeError, match=r"only a leaf Value can be copied or pickled.*v\.detach\(\)"):
        copied(v * 2)
