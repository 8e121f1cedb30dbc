"""The Numba backend against NumPy: each operation of a program, as NumPy would do it."""

from __future__ import annotations

import operator
import warnings

import numpy as np
import pytest

from autograd.compiling.program import added_at, cast, filled, updated
from tests.autograd.compiling.building import BOOL, F32, F64, I32, I64, U8, Builder, agrees, numbers

pytest.importorskip("numba", minversion="0.60", reason="the Numba backend needs Numba")

from autograd.compiling import numba_products
from autograd.compiling.numba_backend import compile_program

pytestmark = pytest.mark.usefixtures("one_cache")
EXACT = "exact"


# Elementwise

UNARY_FLOAT = [np.negative, np.square, np.absolute, np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10, np.tanh,
               np.sqrt, np.floor, np.ceil, np.trunc, np.rint, np.sin, np.cos, np.arctan, np.arcsinh, np.sinh, np.cosh,
               np.sign, np.reciprocal, np.isnan, np.isinf, np.isfinite, np.signbit, np.positive, np.fabs,
               np.logical_not, np.arcsin, np.arccos, np.arctanh, np.arccosh, np.exp2, np.tan, np.cbrt, np.spacing]
UNARY_INTEGER = [np.negative, np.square, np.absolute, np.sign, np.invert, np.exp, np.sqrt, np.floor, np.logical_not,
                 np.positive, np.tanh, np.conjugate]
UNARY_BOOL = [np.logical_not, np.invert, np.absolute, np.exp, np.sqrt]
BINARY = [np.add, np.subtract, np.multiply, np.true_divide, np.maximum, np.minimum, np.equal, np.not_equal, np.less,
          np.less_equal, np.greater, np.greater_equal, np.logical_and, np.logical_or, np.logical_xor]
BINARY_FLOAT = [*BINARY, np.fmax, np.fmin, np.copysign, np.power, np.arctan2, np.hypot, np.remainder, np.floor_divide,
                np.heaviside, np.logaddexp, np.nextafter]
BINARY_INTEGER = [*BINARY, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.floor_divide, np.remainder,
                  np.left_shift]
BINARY_BOOL = [f for f in BINARY if f is not np.subtract] + [np.bitwise_xor]


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_functions_of_one_float(dtype: np.dtype) -> None:
    b = Builder()
    x = b.input((4, 50), dtype)
    outs = [b(f, x) for f in UNARY_FLOAT]
    agrees(b, outs, [numbers((4, 50), dtype)])


@pytest.mark.parametrize("dtype", [I32, U8, BOOL], ids=str)
def test_functions_of_integers_and_bools(dtype: np.dtype) -> None:
    one, two = (UNARY_BOOL, BINARY_BOOL) if dtype == BOOL else (UNARY_INTEGER, BINARY_INTEGER)
    b = Builder()
    x, y = b.input((3, 40), dtype), b.input((40,), dtype)
    outs = [b(f, x) for f in one if f is not np.negative or dtype.kind != "u"] + [b(f, x, y) for f in two]
    if dtype != BOOL:
        outs += [b(f, x, 3) for f in (np.add, np.multiply, np.floor_divide, np.remainder, np.power, np.less)]
        outs += [b(f, x, 2.5) for f in (np.add, np.multiply, np.less, np.maximum)]
    else:
        outs += [b(np.add, x, 3), b(np.multiply, x, 2.5), b(np.add, x, True)]
    y_data = numbers((40,), dtype, 1)
    if dtype != BOOL:
        y_data = np.abs(y_data) % 5 + 1
    agrees(b, outs, [numbers((3, 40), dtype), y_data.astype(dtype)])


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_functions_of_two_floats(dtype: np.dtype) -> None:
    b = Builder()
    x, y = b.input((5, 1, 12), dtype), b.input((3, 1), dtype)
    outs = [b(f, x, y) for f in BINARY_FLOAT]
    outs += [b(np.power, x, p) for p in (0, 1, 2, 3, 2.0, 0.5, -1, -1.5)]
    outs += [b(f, x, 2) for f in (np.add, np.multiply, np.true_divide, np.subtract)]
    outs += [b(f, 0.1, x) for f in (np.add, np.multiply, np.true_divide, np.subtract)]
    outs += [b(f, x, np.float64(0.1)) for f in (np.add, np.multiply)]  # a NumPy scalar takes part in promotion
    agrees(b, outs, [numbers((5, 1, 12), dtype), numbers((3, 1), dtype, 1)])


def test_mixed_dtypes() -> None:
    b = Builder()
    kinds = [F32, F64, I64, I32, U8, BOOL, np.dtype("uint64"), np.dtype("int8"), np.dtype("float16")]
    variables = [b.input((30,), d) for d in kinds]
    functions = [np.add, np.less, np.maximum, np.true_divide]
    pairs = [(x, y) for k, x in enumerate(variables) for y in variables[k + 1:]]
    outs = [b(functions[k % 4], x, y) for k, (x, y) in enumerate(pairs) if k % 3]
    casts = [(x, d) for x in variables for d in kinds if not (x.dtype.kind == "f" and d.kind == "u") and x.dtype != d]
    outs += [b(cast, x, d) for x, d in casts[::3]]
    data = [np.abs(numbers((30,), d, 1))[6:].repeat(2)[:30] if d.kind == "f" else numbers((30,), d) for d in kinds]
    agrees(b, outs, data)


def test_where_clip_filled_and_numbers() -> None:
    b = Builder()
    x, c, lr, n = b.input((4, 6)), b.input((6,), BOOL), b.input((), F64, float), b.input((), I64, int)
    s = b.input((), F32)
    outs = [b(np.where, c, x, 0.0), b(np.where, x, 1, x), b(np.where, c, 1.0, 2.0), b(np.where, c, x, np.float64(2)),
            b(np.clip, x, -1, 1), b(np.clip, x, None, 0.5), b(np.clip, x, lr, None),
            b(filled, (2, 3), 1.5, F32), b(filled, (2, 0), 1, I64), b(np.multiply, x, lr), b(np.multiply, c, lr),
            b(np.multiply, x, n), b(np.add, s, x), b(np.exp, s), b(np.add, s, 1), b(np.multiply, s, lr),
            b(operator.mul, lr, 2), b(operator.add, n, 1), b(operator.truediv, lr, n), b(operator.lt, lr, 1.0),
            b(np.power, b(np.subtract, 1, s), n)]
    for times in (1, 3):
        agrees(b, outs, [numbers((4, 6), F32), numbers((6,), BOOL), 0.1, 3, np.float32(0.7)], times=times)


def test_constants() -> None:
    b = Builder()
    x = b.input((3, 4))
    table = np.arange(12, dtype=F32).reshape(4, 3)
    outs = [b(np.add, x, table.T), b(np.multiply, x, np.float32(2)), b(np.add, x, np.arange(4)),
            b(np.matmul, x, table), b(np.maximum, x, float("-inf")), b(np.add, x, float("nan")),
            b(np.add, x, np.array(2.0, F32)), b(np.where, table.T > 2, x, 0)]
    agrees(b, outs, [numbers((3, 4), F32)])


# Reductions


@pytest.mark.parametrize("dtype", [F32, F64, I32], ids=str)
def test_reductions(dtype: np.dtype) -> None:
    b = Builder()
    x = b.input((3, 5, 8), dtype)
    y = b(np.multiply, x, x)
    cases = [(x, None, False), (y, 1, True), (x, 2, False), (y, (0, 2), False), (y, -1, True), (x, (0, 1), False),
             (x, (1, 2), True), (x, 0, False)]
    functions = [np.sum, np.max, np.mean, np.all, np.min, np.prod, np.any]
    outs = [b(f, v, axis=axis, keepdims=keep) for k, f in enumerate(functions)
            for v, axis, keep in (cases[k % 2::2] if dtype == F32 else cases[k::7])]
    outs += [b(np.add.reduce, x), b(np.maximum.reduce, x, axis=1), b(np.argmax, x, axis=1), b(np.var, y, axis=0),
             b(np.sum, x, axis=0, dtype=F64), b(np.count_nonzero, x, axis=1)]
    data = numbers((3, 5, 8), dtype)
    agrees(b, outs, [data], 64)
    if dtype.kind == "f":
        agrees(b, outs, [np.where(np.isfinite(data), data, 1).astype(dtype)], 64)


def test_long_sums_are_as_accurate_as_numpys() -> None:
    b = Builder()
    x = b.input((1_000_003,))
    outs = [b(np.sum, x), b(np.mean, x), b(np.max, x)]
    data = np.random.default_rng(0).random(1_000_003, dtype=F32)
    exact = data.astype(F64).sum()
    got = compile_program(b.program(*outs)).run(data)
    assert abs(got[0] / exact - 1) < 1e-6 and got[2] == data.max()


def test_softmax_and_normalization() -> None:
    b = Builder()
    x = b.input((6, 10))
    m = b(np.max, x, axis=-1, keepdims=True)
    e = b(np.exp, b(np.subtract, x, m))
    p = b(np.true_divide, e, b(np.sum, e, axis=-1, keepdims=True))
    centred = b(np.subtract, x, b(np.mean, x, axis=0))
    variance = b(np.mean, b(np.square, centred), axis=0)
    normal = b(np.true_divide, centred, b(np.sqrt, b(np.add, variance, 1e-5)))
    outs = [p, normal, b(np.sum, b(np.multiply, p, normal)), e]
    agrees(b, outs, [np.random.default_rng(0).normal(size=(6, 10)).astype(F32)], 64)


def test_nothing_at_all() -> None:
    """Arrays without elements, and programs without operations."""
    b = Builder()
    x, y = b.input((0, 4)), b.input((3, 0))
    outs = [b(np.exp, x), b(np.sum, x, axis=0), b(np.sum, x, axis=1), b(np.sum, x), b(np.prod, y, axis=1),
            b(np.matmul, y, x), b(np.matmul, x, b(np.transpose, x)), b(np.mean, y, axis=1), b(np.any, y, axis=1),
            b(np.concatenate, [x, x]), b(operator.getitem, x, slice(1, None))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        agrees(b, outs, [np.zeros((0, 4), F32), np.zeros((3, 0), F32)])
    b = Builder()
    x = b.input((3,))
    agrees(b, [x], [np.ones(3, F32)])
    assert compile_program(Builder().program()).run() == []


# Views, and arrays put together


def test_views() -> None:
    b = Builder()
    x = b.input((4, 6, 3))
    y = b(np.multiply, x, 2)
    outs = []
    for v in (x, y):
        views = [b(np.transpose, v), b(np.transpose, v, (1, 2, 0)), b(np.swapaxes, v, 0, -1), b(np.reshape, v, (12, 6)),
                 b(np.ravel, v), b(np.expand_dims, v, 1), b(operator.getitem, v, 1), b(operator.getitem, v, (..., 2)),
                 b(operator.getitem, v, (slice(None, None, -1), slice(1, 5, 2), None)), b(np.moveaxis, v, 0, 2),
                 b(operator.getitem, v, (-1, slice(None), 0)), b(np.reshape, b(np.transpose, v), (6, 12)),
                 b(np.squeeze, b(operator.getitem, v, (slice(0, 1), 0))), b(np.reshape, v, -1),
                 b(operator.getitem, v, (slice(5, 2),)), b(np.broadcast_to, b(operator.getitem, v, 0), (2, 6, 3))]
        outs += [b(np.add, w, 1) for w in views] + views[:2] + [b(np.sum, w, axis=0) for w in views[:2]]
    agrees(b, outs, [numbers((4, 6, 3), F32)])


def test_arrays_put_together_and_changed_in_part() -> None:
    b = Builder()
    x, y, v = b.input((3, 4)), b.input((2, 4)), b.input((4,))
    s, d = b(np.multiply, x, 2), b.input((4,), F64)
    outs = [b(np.concatenate, [x, y, s]), b(np.concatenate, (x, s), axis=1), b(np.stack, [v, b(np.exp, v)], axis=1),
            b(updated, x, 1, v), b(updated, s, (slice(None), 2), 7.0), b(updated, x, (slice(0, 2),), y),
            b(added_at, x, 0, v), b(added_at, s, (slice(None), slice(1, 3)), 1.0), b(added_at, x, (..., 0), 2),
            b(added_at, x, 0, v, np.multiply), b(updated, x, 0, d), b(updated, x, ([0, 1], [2, 3]), 5.0),
            b(added_at, v, np.array([1, 1, 2]), 1.0), b(operator.getitem, x, np.array([2, 0])),
            b(np.take, x, np.array([1, 1]), axis=1), b(operator.getitem, x, ([0, 1], slice(1, 3))),
            b(np.concatenate, [b(np.reshape, x, (-1,)), v])]
    outs += [b(np.sum, o, axis=0) for o in outs[:8]]
    agrees(b, outs, [numbers((3, 4), F32), numbers((2, 4), F32, 1), numbers((4,), F32, 2), numbers((4,), F64, 3)])


def test_arrays_of_integers_as_indices() -> None:
    b = Builder()
    x, labels, i = b.input((5, 7, 3)), b.input((5,), I64), b.input((), I64, int)
    small, y = b.input((2, 4), np.dtype("int32")), b(np.multiply, x, 2)
    rows = np.arange(5)
    g, v = b.input((5, 3)), b.input((7, 3))
    outs = [b(operator.getitem, x, (rows, labels)), b(operator.getitem, y, (rows, labels)),
            b(np.take, y, small, axis=1), b(operator.getitem, x, labels), b(operator.getitem, y, (slice(1, 3), small)),
            b(operator.getitem, y, (small, slice(None), 1)), b(operator.getitem, x, (..., np.array([0, -1]))),
            b(operator.getitem, x, (rows, slice(None, None, 2), np.array(1))), b(operator.getitem, y, i),
            b(operator.getitem, x, (slice(None), i, None)), b(operator.getitem, x, (b(np.subtract, labels, 1), 2)),
            b(added_at, b(filled, (5, 7, 3), 0.0, F32), (rows, labels), g), b(added_at, x, labels, v),
            b(updated, x, (rows, labels), g), b(updated, y, i, v), b(updated, y, (labels, 0, 0), 1.0),
            b(operator.getitem, x, [0, 2])]
    agrees(b, [*outs, b(np.sum, outs[1])], [numbers((5, 7, 3), F32), np.array([1, 4, -2, 0, 4]), -2,
                                            np.array([[0, 1, -1, 2], [1, 1, 0, -2]], np.int32), numbers((5, 3), F32, 1),
                                            numbers((7, 3), F32, 2)])
    b = Builder()
    x, labels = b.input((3,)), b.input((2,), I64)
    b.write(x, b(np.add, x, 1))
    run = compile_program(b.program(b(operator.getitem, x, labels))).run
    for bad in (3, -4):
        data = np.zeros(3, F32)
        with pytest.raises(IndexError, match="size 3"):
            run(data, np.array([0, bad]))
        assert not data.any()


# Products


PRODUCTS = [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((7,), (7,)), ((2, 3, 4), (2, 4, 5)),
            ((5, 2, 3, 4), (2, 4, 1)), ((13, 70), (70, 9)), ((1, 3), (3, 1)), ((9, 33), (33, 17)),
            ((64, 100), (100, 50)), ((2, 3, 4), (4, 5)), ((2, 5, 70), (2, 70, 18)), ((1400, 25), (25, 6)),
            ((2, 1, 50, 64), (3, 64, 50))]
IN_OTHER_ORDER = [((3, 4), (4, 5)), ((13, 70), (70, 9)), ((9, 17), (17, 20)), ((64, 50), (50, 64))]


def test_products() -> None:
    b, data, outs = Builder(), [], []
    rng = np.random.default_rng(0)
    for p, q, dtype in [*((*shapes, F32) for shapes in PRODUCTS), *((*shapes, F64) for shapes in PRODUCTS[5:7]),
                        *((*shapes, I64) for shapes in PRODUCTS[:2])]:
        outs.append(b(np.matmul, b.input(p, dtype), b.input(q, dtype)))
        data += [(rng.normal(size=shape) * 4).astype(dtype) for shape in (p, q)]
    agrees(b, outs, data, 64)


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_products_of_sides_in_other_orders(dtype: np.dtype) -> None:
    b, data, outs = Builder(), [], []
    rng = np.random.default_rng(0)
    for p, q in IN_OTHER_ORDER if dtype == F32 else IN_OTHER_ORDER[3:]:
        x, y, xt, yt = (b.input(s, dtype) for s in (p, q, p[::-1], q[::-1]))
        data += [rng.normal(size=v.shape).astype(dtype) for v in (x, y, xt, yt)]
        outs += [b(np.matmul, b(np.transpose, xt), y), b(np.matmul, x, b(np.transpose, yt)),
                 b(np.matmul, b(np.transpose, xt), b(np.transpose, yt))]
    agrees(b, outs, data, 64)


def test_einsum() -> None:
    b = Builder()
    x, y, z, q = b.input((3, 4)), b.input((4, 5)), b.input((3, 3)), b.input((2, 3, 4))
    outs = [b(np.einsum, "ij,jk->ik", x, y), b(np.einsum, "ij,jk", x, y), b(np.einsum, "ij,jk->ki", x, y),
            b(np.einsum, "ii->i", z), b(np.einsum, "ii", z), b(np.einsum, "ij->ji", x),
            b(np.einsum, "bij,jk->bik", q, y), b(np.einsum, "bij,ij->b", q, x), b(np.einsum, "ij,ij->", x, x),
            b(np.einsum, "jk,ij->ik", y, x), b(np.einsum, "...ij->...i", q), b(np.dot, x, y),
            b(np.tensordot, q, y, 1), b(np.outer, x, y)]
    agrees(b, outs, [np.random.default_rng(k).normal(size=s).astype(F32)
                     for k, s in enumerate([(3, 4), (4, 5), (3, 3), (2, 3, 4)])], 64)


def test_products_of_mixed_dtypes_and_of_views() -> None:
    b = Builder()
    x, w, u, c = b.input((6, 20)), b.input((20, 18), F64), b.input((6, 20), U8), b.input((6, 20), BOOL)
    outs = [b(np.matmul, x, w), b(np.matmul, u, w), b(np.matmul, c, w),
            b(np.matmul, b(operator.getitem, x, (slice(None, None, 2), slice(3, None))),
              b(operator.getitem, w, (slice(3, None), slice(None, None, -1)))),
            b(np.matmul, b(np.broadcast_to, b(operator.getitem, x, 0), (4, 20)), w)]
    agrees(b, outs, [np.random.default_rng(0).normal(size=(6, 20)).astype(F32),
                     np.random.default_rng(1).normal(size=(20, 18)), numbers((6, 20), U8), numbers((6, 20), BOOL)], 64)


@pytest.mark.parametrize(("dtype", "vectors"), [(F32, (32, 64)), (F32, (16, 32)), (F32, (32, 16)), (F64, (16, 32))],
                         ids=["AVX-512", "AVX", "NEON", "AVX, float64"])
def test_products_in_tiles_of_any_size(dtype: np.dtype, vectors: tuple[int, int],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba_products, "registers", lambda: vectors)
    b, data, outs = Builder(), [], []
    rng = np.random.default_rng(0)
    for m, k, n in [(16, 32, 100), (13, 40, 47), (1, 600, 31), (7, 33, 112)]:
        w, g, x = b.input((m, n), dtype), b.input((k, m), dtype), b.input((k, n), dtype)
        data += [rng.normal(size=v.shape).astype(dtype) for v in (w, g, x)]
        gradient = b(np.matmul, b(np.transpose, g), x)
        outs += [gradient, b(np.matmul, b(np.transpose, g), b(np.transpose, b.input((n, k), dtype)))]
        data.append(rng.normal(size=(n, k)).astype(dtype))
        b.write(w, b(np.subtract, w, b(np.multiply, 0.1, gradient)))
    compiled = agrees(b, outs, data, 64)
    assert compiled.source.count("    tile(") >= 8
