"""The Numba backend against NumPy: each operation of a program, fused and in place, as NumPy would do it one by one."""

from __future__ import annotations

import operator
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd.compiling.program import (
    Draw,
    Input,
    Op,
    Output,
    Program,
    Var,
    added_at,
    cast,
    check,
    filled,
    map_vars,
    updated,
)

pytest.importorskip("numba", minversion="0.60", reason="the Numba backend needs Numba")

from autograd.compiling.numba_backend import available, compile_program

HERE = Path(__file__).parents[3]
F32, F64, I64, I32, U8, BOOL = map(np.dtype, ["float32", "float64", "int64", "int32", "uint8", "bool"])
EXACT = "exact"


@pytest.fixture(scope="module", autouse=True)
def one_cache(tmp_path_factory: Any) -> Any:
    """A cache of this module's own, so that every test compiles what it tests."""
    before = os.environ.get("NUDGE_CACHE")
    os.environ["NUDGE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["NUDGE_CACHE"]
    else:
        os.environ["NUDGE_CACHE"] = before


class Builder:
    """Writes a program by calling functions on variables; shapes and dtypes are what NumPy gives for ones."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.inputs: list[Input] = []

    def input(self, shape: tuple[int, ...] = (), dtype: Any = F32, python: Any = None, name: str | None = None) -> Var:
        var = Var(shape, np.dtype(dtype), python)
        self.inputs.append(Input(var, name or f"input{len(self.inputs)}"))
        return var

    def __call__(self, function: Callable, *args: Any, **kwargs: Any) -> Var:
        def example(v: Var) -> Any:
            one = v.python(1) if v.python else v.dtype.type(1) if v.dtype.kind != "O" else None
            if v.dtype.kind in "iu":
                return np.ones(v.shape, v.dtype) if v.shape else one
            return (np.random.default_rng(1).random(v.shape) * 2).astype(v.dtype) if v.shape else one
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            results = function(*map_vars(example, args), **{k: map_vars(example, v) for k, v in kwargs.items()})
        several = results if isinstance(results, tuple) else (results,)
        outs = tuple(Var((), np.dtype(type(r)), type(r)) if type(r) in (float, int, bool)
                     else Var(np.shape(r), np.asarray(r).dtype) for r in several)
        self.ops.append(Op(function, args, kwargs, outs, several=isinstance(results, tuple)))
        return outs if isinstance(results, tuple) else outs[0]  # type: ignore[return-value]

    def effect(self, function: Any, *args: Any, outs: tuple[Var, ...] = ()) -> Any:
        self.ops.append(Op(function, args, {}, outs))
        return outs[0] if outs else None

    def write(self, var: Var, value: Var) -> None:
        next(e for e in self.inputs if e.var is var).written = value

    def program(self, *outputs: Var, fresh: bool = True) -> Program:
        return Program(self.inputs, self.ops, [Output(v, fresh=fresh) for v in outputs])


def interpret(program: Program, inputs: list) -> list:
    """What the program means: NumPy's functions one by one, then the inputs that it writes."""
    values: dict[Var, Any] = {e.var: v for e, v in zip(program.inputs, inputs, strict=True)}

    def get(x: Any) -> Any:
        return map_vars(lambda v: values[v], x)
    with np.errstate(all="ignore"):
        for op in program.ops:
            result = op.function(*map(get, op.args), **{k: get(v) for k, v in op.kwargs.items()})
            values.update(zip(op.outs, result if op.several else (result,), strict=False))
    results = [np.array(values[o.var]) if o.var.python is None else values[o.var] for o in program.outputs]
    new = [(v, np.array(values[e.written])) for e, v in zip(program.inputs, inputs, strict=True) if e.written]
    for array, numbers in new:
        array[...] = numbers
    return results


def copies(inputs: list) -> list:
    return [np.array(v) if isinstance(v, np.ndarray) else v for v in inputs]


def same(got: Any, expected: Any, ulps: float, what: str = "") -> None:
    assert type(got) is type(expected) or np.ndim(expected) == 0, what
    a, b = np.asarray(got), np.asarray(expected)
    assert a.shape == b.shape and a.dtype == b.dtype, f"{what}: {a.dtype}{a.shape} for {b.dtype}{b.shape}"
    if b.dtype.kind != "f":
        assert np.array_equal(a, b), f"{what}: {a} for {b}"
        return
    error, size = ulps * float(np.finfo(b.dtype).eps), np.max(np.abs(b[np.isfinite(b)]), initial=0)
    np.testing.assert_allclose(a, b, rtol=error, atol=error * size, err_msg=what)


def agrees(builder: Builder, outputs: list[Var], inputs: list, ulps: float = 8, times: int = 2) -> Any:
    """Run compiled and one by one, several times, on the same inputs, and compare all that comes out and changes."""
    program = builder.program(*outputs)
    compiled = compile_program(program)
    ours, theirs = copies(inputs), copies(inputs)
    for _ in range(times):
        with np.errstate(all="ignore"):
            got, expected = compiled.run(*ours), interpret(program, theirs)
        producer = {v: op for op in program.ops for v in op.outs}
        for g, e, v in zip(got, expected, outputs, strict=True):
            same(g, e, ulps, f"{producer.get(v)}")
        for g, e, entry in zip(ours, theirs, program.inputs, strict=True):
            same(g, e, ulps, f"input {entry.source}")
    return compiled


def numbers(shape: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype.kind == "f":
        x = rng.normal(size=shape) * 3
        if x.size > 6:
            x.flat[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0]
        return x.astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    low = 0 if dtype.kind == "u" else -100
    return rng.integers(low, 100, shape).astype(dtype)


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


# Training steps


def digit_step(batch: int, sizes: tuple[int, ...] = (784, 16, 16, 10), dtype: np.dtype = F32) -> tuple[Builder, list]:
    """A step of gradient descent of the digit network, and inputs for it."""
    b = Builder()
    x, y = b.input((batch, sizes[0]), dtype, name="x"), b.input((batch, sizes[-1]), dtype, name="y")
    parameters = [(b.input((m, n), dtype, name=f"W{k}"), b.input((m,), dtype, name=f"b{k}"))
                  for k, (n, m) in enumerate(pairwise(sizes))]
    lr = b.input((), F64, float, name="lr")
    a = [x]
    for w, c in parameters:
        z = b(np.add, b(np.matmul, a[-1], b(np.transpose, w)), c)
        a.append(b(np.true_divide, 1, b(np.add, 1, b(np.exp, b(np.negative, z)))))
    d = b(np.subtract, a[-1], y)
    cost = b(np.true_divide, b(np.sum, b(np.multiply, d, d)), batch)
    g = b(np.multiply, 2 / batch, d)
    for layer in reversed(range(len(parameters))):
        w, c = parameters[layer]
        g = b(np.multiply, g, b(np.multiply, a[layer + 1], b(np.subtract, 1, a[layer + 1])))
        dw, dc = b(np.matmul, b(np.transpose, g), a[layer]), b(np.sum, g, axis=0)
        b.write(w, b(np.subtract, w, b(np.multiply, lr, dw)))
        b.write(c, b(np.subtract, c, b(np.multiply, lr, dc)))
        if layer:
            g = b(np.matmul, g, w)
    rng = np.random.default_rng(0)
    data: list[Any] = [(rng.normal(size=e.var.shape) * 0.1).astype(dtype) for e in b.inputs[:-1]]
    return b, [*data, 0.3, cost]


@pytest.mark.parametrize("batch, sizes, dtype", [(10, (784, 16, 16, 10), F32), (1, (20, 7, 3), F64),
                                                (37, (50, 64, 60), F32)])
def test_a_training_step_changes_parameters_in_place(batch: int, sizes: tuple[int, ...], dtype: np.dtype) -> None:
    b, (*inputs, cost) = digit_step(batch, sizes, dtype)
    compiled = agrees(b, [cost], inputs, 64, times=4)
    assert compiled.source.count("def kernel_") == 1


def test_the_same_bits_each_time() -> None:
    b, (*inputs, cost) = digit_step(32, (80, 16, 10))
    runs = []
    for _ in range(2):
        data = copies(inputs)
        run = compile_program(b.program(cost)).run
        costs = [run(*data)[0] for _ in range(3)]
        runs.append([*costs, *data])
    assert all(np.array_equal(p, q) for p, q in zip(*runs, strict=True))


def test_arrays_in_any_memory_layout() -> None:
    b, (*inputs, cost) = digit_step(4, (12, 6, 5))
    program = b.program(cost)
    run, expected = compile_program(program).run, copies(inputs)
    result = interpret(program, expected)
    x, y, w, *rest = copies(inputs)
    x.flags.writeable = False
    wide = np.zeros((6, 24), F32)
    wide[:, ::2] = w
    y = np.asfortranarray(y)
    got = run(x, y, wide[:, ::2], *rest)
    same(got[0], result[0], 64)
    same(np.array(wide[:, ::2]), expected[2], 64)
    same(rest[0], expected[3], 64)
    rest[0].flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        run(x, y, wide[:, ::2], *rest)


def test_a_result_is_fresh_and_one_that_need_not_be_may_be_reused() -> None:
    b = Builder()
    x = b.input((5,))
    y = b(np.multiply, x, 2)
    z = b(np.reshape, y, (5, 1))
    data = np.ones(5, F32)
    run = compile_program(b.program(y, z, x)).run
    first, second = run(data), run(data)
    arrays = [*first, *second, data]
    assert not any(np.shares_memory(p, q) for k, p in enumerate(arrays) for q in arrays[k + 1:])
    run = compile_program(b.program(y, z, x, fresh=False)).run
    assert np.shares_memory(run(data)[0], run(data)[0])
    assert not any(np.shares_memory(r, data) for r in run(data))


def test_adam_and_swapped_state() -> None:
    b = Builder()
    w, m, v, g = (b.input((20, 30), name=n) for n in "wmvg")
    p, q = b.input((4, 4)), b.input((4, 4))
    t = b.input((), I64, int, name="t")
    m_new = b(np.add, b(np.multiply, 0.9, m), b(np.multiply, 0.1, g))
    v_new = b(np.add, b(np.multiply, 0.99, v), b(np.multiply, 0.01, b(np.multiply, g, g)))
    scale = b(operator.truediv, 1.0, b(operator.sub, 1, b(operator.pow, 0.9, t)))
    step = b(np.true_divide, b(np.multiply, scale, m_new), b(np.add, b(np.sqrt, v_new), 1e-8))
    w_new = b(np.subtract, w, step)
    for var, value in [(m, m_new), (v, v_new), (w, w_new), (p, b(np.transpose, q)), (q, p)]:
        b.write(var, value)
    shapes = [(20, 30)] * 4 + [(4, 4)] * 2
    data = [np.random.default_rng(k).normal(size=s).astype(F32) ** 2 for k, s in enumerate(shapes)]
    outs = [b(np.sum, w), b(np.matmul, w, b(np.transpose, w_new)), b(np.sum, w_new, axis=0)]
    agrees(b, outs, [*data, 3], 64, times=3)


def test_what_reads_a_parameter_reads_it_before_the_update() -> None:
    b = Builder()
    w, x = b.input((8, 8)), b.input((8, 8))
    b.write(w, b(np.subtract, w, b(np.matmul, w, x)))  # the product reads all of w
    b.write(x, b(np.add, b(np.transpose, x), b(np.multiply, w, 0.5)))
    outs = [b(np.linalg.det, w), b(operator.getitem, w, 0), b(np.exp, x)]
    data = [np.random.default_rng(k).normal(size=(8, 8)).astype(F32) * 0.3 for k in range(2)]
    agrees(b, outs, data, 256, times=3)


# Calls of NumPy, effects, and their order


def test_calls_of_numpy_between_kernels() -> None:
    b = Builder()
    x, z = b.input((4, 4), F64), b.input((3,), np.complex128)
    a = b(np.add, b(np.matmul, x, b(np.transpose, x)), np.eye(4))
    q, r = b(np.linalg.qr, a)
    values = b(np.linalg.eigvalsh, b(np.transpose, a))
    inverse = b(np.linalg.inv, b(np.multiply, a, 2))
    ordered = b(np.sort, b(np.ravel, b(np.exp, x)))
    outs = [b(np.absolute, q), b(np.absolute, r), b(np.sum, values), b(np.matmul, inverse, q), b(np.add, ordered, 1),
            inverse, b(np.exp, z), b(np.real, b(np.multiply, z, 2)), b(np.linalg.det, inverse),
            b(np.transpose, inverse)]
    b.write(x, b(np.add, x, b(np.transpose, inverse)))
    b.write(z, b(np.multiply, z, 1j))
    agrees(b, outs, [np.random.default_rng(0).normal(size=(4, 4)), np.array([1, 2j, 3 - 1j])], 1e4)


def test_draws_come_in_order_and_before_the_loops() -> None:
    b = Builder()
    g, x = b.input((), np.dtype(object)), b.input((3, 4), F64)
    first = b.effect(Draw("random"), g, (3, 4), outs=(Var((3, 4), F64),))
    y = b(np.multiply, x, b(np.less, first, 0.5))
    second = b.effect(Draw("normal"), g, 0.0, 1.0, (4,), outs=(Var((4,), F64),))
    number = b.effect(Draw("random"), g, outs=(Var((), F64, float),))
    out = b(np.multiply, b(np.add, y, second), number)
    program = b.program(out, number)
    compiled = compile_program(program)
    assert compiled.source.count("def kernel_") == 1
    data, ours, theirs = numbers((3, 4), F64), np.random.default_rng(7), np.random.default_rng(7)
    for _ in range(3):
        for got, expected in zip(compiled.run(ours, data), interpret(program, [theirs, data]), strict=True):
            same(got, expected, 8)
    assert ours.random() == theirs.random()


def test_a_check_stops_before_anything_changes_and_before_later_draws() -> None:
    b = Builder()
    g, x, n = b.input((), np.dtype(object)), b.input((5,), F64), b.input((), F64, float)
    b.effect(check, b(operator.gt, n, 0.0), lambda: ArithmeticError("n"))
    y = b(np.exp, x)
    b.effect(check, b(np.isfinite, y), lambda y, n: FloatingPointError(f"{y.max()} {n}"), y, n)
    noise = b.effect(Draw("random"), g, 5, outs=(Var((5,), F64),))
    b.write(x, b(np.add, b(np.multiply, x, n), noise))
    program = b.program(b(np.sum, x))
    run = compile_program(program).run
    ours, theirs, a, c = np.random.default_rng(1), np.random.default_rng(1), np.arange(5.0), np.arange(5.0)
    for _ in range(2):
        same(run(ours, a, 0.5)[0], interpret(program, [theirs, c, 0.5])[0], 8)
        same(a, c, 8)
    for bad, number, error in [(np.full(5, 1e4), 0.5, FloatingPointError), (a, -1.0, ArithmeticError)]:
        before = bad.copy()
        with pytest.raises(error, match="inf 0.5" if error is FloatingPointError else "n"):
            run(ours, bad, number)
        assert np.array_equal(bad, before)
    assert ours.random() == theirs.random()


def test_an_error_of_numpy_leaves_inputs_untouched() -> None:
    b = Builder()
    x = b.input((3, 3), F64)
    inverse = b(np.linalg.inv, b(np.subtract, x, 1))
    b.write(x, b(np.add, x, 1))
    data = np.ones((3, 3))
    with pytest.raises(np.linalg.LinAlgError):
        compile_program(b.program(b(np.sum, inverse))).run(data)
    assert np.array_equal(data, np.ones((3, 3)))


# Any program

CHAINS = [np.negative, np.exp, np.tanh, np.square, np.absolute, np.floor]
PAIRS = [np.add, np.multiply, np.subtract, np.maximum, np.true_divide, np.less]


@st.composite
def programs(draw: Any) -> tuple[Builder, list[Var], list]:
    """A random program over arrays of shape (4, 6), (6,), (4, 1) and what reductions and products of them give."""
    b = Builder()
    dtype = draw(st.sampled_from([F32, F64]))
    pool = [b.input(s, dtype) for s in [(4, 6), (6,), (4, 1), (6, 6)]]
    made = []
    for _ in range(draw(st.integers(5, 20))):
        kind = draw(st.integers(0, 6))
        x = draw(st.sampled_from(pool))
        if kind == 0:
            v = b(draw(st.sampled_from(CHAINS)), x)
        elif kind == 1:
            v = b(np.where, b(np.greater, x, 0.1), x, 0.5)
        elif kind == 2 and x.ndim:
            v = b(draw(st.sampled_from([np.sum, np.max, np.mean])), x, axis=draw(st.integers(0, x.ndim - 1)),
                  keepdims=draw(st.booleans()))
        elif kind == 3 and x.ndim:
            v = b(operator.getitem, x, (..., slice(None, None, draw(st.sampled_from([1, 2, -1])))))
        elif kind == 4 and x.ndim == 2:
            v = b(np.transpose, x)
        else:
            y = draw(st.sampled_from(pool))
            if kind == 5 and x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]:
                v = b(np.matmul, x, y)
            else:
                try:
                    np.broadcast_shapes(x.shape, y.shape)
                except ValueError:
                    continue
                v = b(draw(st.sampled_from(PAIRS)), x, y)
        if v.dtype == bool:
            v = b(np.multiply, v, dtype.type(0.5))
        pool.append(v)
        made.append(v)
    for entry in b.inputs:
        fitting = [v for v in made if v.shape == entry.var.shape]
        if fitting and draw(st.booleans()):
            entry.written = draw(st.sampled_from(fitting))
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    return b, made[-3:], [(rng.normal(size=e.var.shape) * 0.3).astype(dtype) for e in b.inputs]


@settings(max_examples=10, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(programs())
def test_random_programs(case: Any) -> None:
    b, outs, inputs = case
    program = b.program(*outs)
    ours, theirs = copies(inputs), copies(inputs)
    got, expected = compile_program(program).run(*ours), interpret(program, theirs)
    for p, q in zip([*got, *ours], [*expected, *theirs], strict=True):
        p, q = np.asarray(p), np.asarray(q)
        assert p.dtype == q.dtype and p.shape == q.shape
        np.testing.assert_allclose(p, q, rtol=1e-3, atol=1e-3 * np.max(np.abs(q[np.isfinite(q)]), initial=1))


# The cache on disk, and what else the module offers

SCRIPT = """
import sys; sys.path.insert(0, {here!r})
import numpy as np
from autograd.compiling.program import *
d = np.dtype("float32")
x, n = Var((40,), d), Var((), np.dtype(float), float)
one, two = [np.exp, np.sin, np.log10, np.tan, np.arccosh, np.floor, np.sign], [np.power, np.arctan2, np.hypot]
ops = [Op(f, (x,), {{}}, (Var((40,), d),)) for f in one] + [Op(f, (x, n), {{}}, (Var((40,), d),)) for f in two]
ops += [Op(np.sum, (op.out,), {{}}, (Var((), d),)) for op in ops]
program = Program([Input(x, "x"), Input(n, "n")], ops, [Output(op.out) for op in ops[len(ops) // 2:]])
from autograd.compiling.numba_backend import compile_program
run, data = compile_program(program).run, np.full(40, 1.5, d)
for arguments in [(data, 2.5), (data[::-1], 2.5)]:
    for got, op in zip(run(*arguments), ops):
        assert abs(got / (40 * op.function(data, *[np.float32(2.5)] * (len(op.args) - 1))[0]) - 1) < 1e-6, op
try:
    run(data, None)
except TypeError:
    pass
print("llvmlite.ir" in sys.modules and "numba.np.arraymath" in sys.modules)  # only where something was compiled
"""


def process(cache: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", SCRIPT.format(here=str(HERE))], stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.PIPE, env={**os.environ, "NUDGE_CACHE": str(cache)})


def finish(p: subprocess.Popen) -> str:
    out, error = p.communicate(timeout=60)
    assert p.returncode == 0, error
    return out.strip()


def test_processes_share_the_cache_and_survive_its_damage(tmp_path: Path) -> None:
    for p in [process(tmp_path), process(tmp_path)]:
        assert finish(p) == "True"
    file, = tmp_path.iterdir()
    assert finish(process(tmp_path)) == "False"
    content = file.read_bytes()
    for damaged in (content[:1000], content[:5000] + b"damage" + content[5006:]):
        file.write_bytes(damaged)
        assert finish(process(tmp_path)) == "True"
        assert finish(process(tmp_path)) == "False"


def test_no_cache_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("NUDGE_CACHE", str(blocked))
    b = Builder()
    x = b.input((3,))
    assert compile_program(b.program(b(np.sum, b(np.exp, x)))).run(np.zeros(3, F32)) == [3.0]


def test_available() -> None:
    assert available() is None
    code = ("import sys; sys.path.insert(0, '.'); import autograd.compiling.numba_backend as b; b.available(); "
            "assert 'numba' not in sys.modules and 'llvmlite' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HERE, timeout=60)
