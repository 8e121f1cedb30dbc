"""The Numba backend against NumPy: whole programs, fused and in place; see test_numba_operations for each operation."""

from __future__ import annotations

import operator
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd.compiling.program import Draw, Var, check

pytest.importorskip("numba", minversion="0.60", reason="the Numba backend needs Numba")

from autograd.compiling.numba_backend import available, compile_program
from tests.autograd.compiling.building import F32, F64, I64, Builder, agrees, copies, interpret, numbers, same

HERE = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("one_cache")


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


def test_what_reads_a_parameter_stays_before_its_update_wherever_it_runs() -> None:
    b = Builder()
    w, v = b.input((4, 6)), b.input((4, 1))
    top, mean = b(np.max, w, axis=1, keepdims=True), b(np.mean, w, axis=1, keepdims=True)
    b.write(w, b(np.where, b(np.greater, w, top), w, 0.5))
    b.write(v, top)
    total = b(np.sum, b(np.exp, b(np.multiply, w, w)), axis=1)
    outs = [b(np.negative, mean), b(np.sum, total), b(np.matmul, w, b(np.transpose, b(np.add, w, v)))]
    agrees(b, outs, [np.random.default_rng(k).normal(size=s).astype(F32) for k, s in enumerate([(4, 6), (4, 1)])], 64)


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
