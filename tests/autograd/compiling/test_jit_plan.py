"""What a plan leaves out, shares and allocates: dead code, repeated work, constants, memory."""

import functools
import gc
import operator
import platform
import sys
import tracemalloc
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, grad, jit
from autograd.compiling.memory import Memory
from autograd.compiling.program import check
from autograd.compiling.tracer import Tracer
from tests.autograd.compiling.same import BACKENDS, assert_same

x3 = np.array([0.5, -1.0, 2.0])


def ops(f: Callable, *args: Any) -> list:
    """The functions that the program of a call runs, in order."""
    return [op.function for op in jit(f, backend="numpy").plan(*args).program.ops]


# Fewer operations

def test_dead_code_is_left_out():
    def f(x: Any) -> Any:
        np.sin(x)
        unused = np.exp(x) @ np.exp(x)
        np.sum(unused * 3)
        return np.cos(x)
    assert ops(f, x3) == [np.cos]
    assert ops(grad(lambda x: np.sum(x * 3)), x3).count(np.sum) == 0  # the value is not asked for


def test_what_a_step_does_not_return_is_left_out():
    w = Value(np.ones(3))

    def step(x: Any) -> None:
        cost = (w * x).sum()
        w.grad = None
        cost.backward()
    assert np.sum not in ops(step, x3)


def test_checks_and_draws_stay():
    rng = np.random.default_rng(0)

    def f(x: Any) -> Any:
        rng.random(2)
        check(np.all(x > -5), lambda: ValueError("no"))
        return np.cos(x)
    counted = Counter(map(str, (getattr(op, "__name__", op) for op in ops(f, x3))))
    assert counted["random"] == 1
    assert counted["check"] == 1


def test_repeated_work_is_shared():
    def f(x: Any) -> Any:
        a = np.exp(x) * 2
        b = np.exp(x) * 2
        return a + b, np.sum(np.exp(x))
    found = Counter(ops(f, x3))
    assert found[np.exp] == 1
    assert found[np.multiply] == 1
    model = nn.MLP([3, 4, 2], nn.Sigmoid, rng=0, dtype=float)

    def step(x: Any) -> Any:
        return nn.mse_loss(model(x), model(x) * 0).data * 1
    assert Counter(ops(step, x3[None]))[np.matmul] == 2


def test_work_is_not_shared_over_a_change():
    box = {"a": np.ones(3)}

    def f(x: Any) -> Any:
        before = np.exp(box["a"]) * x
        box["a"] += 1
        return before, np.exp(box["a"]) * x
    jitted = jit(f, backend="numpy")
    for k in range(3):
        assert_same(jitted(x3), (np.exp(np.full(3, 1.0 + k)) * x3, np.exp(np.full(3, 2.0 + k)) * x3))


def test_draws_are_not_shared():
    rng = np.random.default_rng(0)
    a, b = jit(lambda: (rng.random(3), rng.random(3)), backend="numpy")()
    assert (a != b).all()


def test_constants_are_folded():
    table = [1.0, 2.0]

    def f(x: Any) -> Any:
        scale = np.sqrt(np.float64(len(table))) * np.log(np.arange(1.0, 4.0))
        return x * scale + np.cos(0.0) + np.log(scale + 1) * 2
    assert Counter(ops(f, x3)) == {np.multiply: 1, np.add: 2}


def test_neutral_operations_are_left_out():
    def f(x: Any) -> Any:
        y = (((x * 1 / 1) ** 1 - 0).reshape(3).astype(float).copy() + x)
        return np.broadcast_to(+np.real(y), (3,)) * 2
    assert ops(f, x3) == [np.add, np.multiply]


def test_what_looks_neutral_and_is_not():
    """-0.0 + 0 is 0.0; an integer times 1.0 is a float; float32 times a float64 array of ones is float64."""
    cases = [(lambda x: x + 0, np.array([-0.0])), (lambda x: x - (-0.0), np.array([-0.0])),
             (lambda x: x * 1.0, np.arange(3)), (lambda x: x * np.ones(3), x3.astype(np.float32)),
             (lambda x: x * np.float64(1), x3.astype(np.float32)), (lambda x: x / 1, np.arange(3)),
             (lambda x: x**1.0, np.arange(3)), (lambda x: x - 0.0, np.arange(3)), (lambda x: 0 - x, np.array([0.0])),
             (lambda x: x * np.ones((2, 3)), x3), (lambda x: x * 1, np.array([True])), (np.positive, np.arange(3)),
             (lambda x: np.conjugate(x) + np.real(x), x3 + 1j), (lambda x: x * 0, np.array([np.inf, np.nan, -1.0]))]
    for f, x in cases:
        with np.errstate(invalid="ignore"):
            got, wanted = jit(f, backend="numpy")(x), f(x)
        assert_same(got, wanted)
        np.testing.assert_array_equal(np.signbit(np.real(got)), np.signbit(np.real(wanted)))


def test_equal_constants_that_differ():
    """0.0 and -0.0, 1 and True, nan: equal or unequal to Python, but other numbers here."""
    def f(x: Any) -> Any:
        return (np.copysign(x, 0.0), np.copysign(x, -0.0), x * np.float32(2), x * 2.0, np.maximum(x, np.nan),
                np.sum(x, keepdims=True), np.sum(x, keepdims=False), x + np.int8(1), x + 1)
    for x in (x3, x3.astype(np.float32), np.arange(3)):
        assert_same(jit(f, backend="numpy")(x), f(x))


def test_a_step_of_the_digit_network_is_short():
    """Two products for each layer less one (the images need no gradient), and the rest once."""
    step, x, y = digits("numpy")
    found = Counter(op.function for op in step.plan(x, y).program.ops)
    assert found[np.matmul] == 8
    assert found[np.exp] == 3
    assert sum(found.values()) <= 65


# Memory

def digits(backend: str | None, batch: int = 100, sizes: Any = (196, 64, 32, 10)) -> tuple[Callable, Any, Any]:
    rng = np.random.default_rng(0)
    model = nn.MLP(list(sizes), nn.Sigmoid, nn.Sigmoid, rng=rng)
    optimizer = nn.SGD(model.parameters(), lr=1.0)

    def step(x: Any, y: Any) -> Any:
        cost = nn.quadratic_cost(model(x), y)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        return cost.data * 1

    x, y = rng.random((batch, sizes[0]), np.float32), rng.random((batch, sizes[-1]), np.float32)
    return (jit(step, backend=backend) if backend else step), x, y


def peak(f: Callable) -> int:
    """Bytes allocated at most, above what there was, while ``f`` runs."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        f()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("batch", [10, 100, 1000])
def test_memory_that_is_kept_is_at_most_eagers_peak(batch):
    eager, x, y = digits(None, batch)
    eager(x, y)
    jitted, *_ = digits("numpy", batch)
    program = jitted.plan(x, y).program
    kept = Memory(program, program.ops, set()).size
    assert kept <= peak(lambda: eager(x, y))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_peak_is_at_most_eagers(backend):
    """Of the arrays of the plan and those of a call together."""
    eager, x, y = digits(None)
    eager(x, y)
    jitted, *_ = digits(backend)
    jitted(x, y)
    compiled = jitted.plan(x, y)
    arrays = {id(a.base if a.base is not None else a): a.base if a.base is not None else a
              for a in _arrays_of(compiled.run)}
    kept = sum(a.nbytes for a in arrays.values())
    assert kept + peak(lambda: jitted(x, y)) <= peak(lambda: eager(x, y)) * 1.05 + 4096


def _arrays_of(run: Any) -> list[np.ndarray]:
    """What the generated function keeps from call to call: its globals, less what it only refers to."""
    function = run.args[0] if isinstance(run, functools.partial) else getattr(run, "__func__", run)
    names = getattr(function, "__globals__", {})
    return [x for name, x in names.items() if isinstance(x, np.ndarray) and name[0] in "tm" and x.flags.writeable]


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_allocated_in_a_steady_state(backend):
    """But for the scalar that is returned, what Python needs for a call, and what ``np.add`` needs to broadcast."""
    step, x, y = digits(backend)
    for _ in range(3):
        step(x, y)
    hidden, bias = np.ones((100, 64), np.float32), np.ones(64, np.float32)
    of_numpy = peak(lambda: np.add(hidden, bias, hidden)) if backend == "numpy" else 0
    assert peak(lambda: step(x, y)) < of_numpy + 4096
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(100):
            step(x, y)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            step(x, y)
        assert tracemalloc.get_traced_memory()[0] - before < 2048
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("backend", BACKENDS)
def test_only_results_are_allocated(backend):
    f = jit(lambda x: (np.tanh(np.exp(x) * 2 + 1) / 3, np.exp(np.sqrt(x))), backend=backend)
    x = np.linspace(0, 1, 100_000)
    f(x)
    f(x)
    assert peak(lambda: f(x)) < 2 * x.nbytes + 8192


def test_memory_is_used_again():
    """A chain of any length needs two places, and a result none."""
    def chain(x: Any) -> Any:
        for k in range(20):
            x = x @ x * np.float64(1 + k)
        return np.sum(x)
    a = np.full((50, 50), 0.01)
    program = jit(chain, backend="numpy").plan(a).program
    assert Memory(program, program.ops, set()).size <= 2 * a.nbytes + 256
    assert_same(jit(chain, backend="numpy")(a), chain(a))


def test_a_place_has_one_array():
    """NumPy is quick where a result is the very array of an argument, not another array of the same memory."""
    w = np.ones(3)
    text = jit(lambda x: np.sum(np.cos(np.exp(x + w) * 2)), backend="numpy").source(x3)
    for line in ("add(x0, x1, t2)", "exp(t2, t2)", "multiply(t2, c0, t2)", "cos(t2, t2)"):
        assert line in text


def test_views_of_arrays_that_are_kept_are_made_once():
    w = np.arange(6.0).reshape(2, 3)

    def f(x: Any, i: Any) -> Any:
        y = np.exp(x)
        return np.sum(y.T @ w) + np.sum(y.reshape(3, 2)[1:] * 2) + np.sum(y[i] * 3), np.exp(x * 2)[0]

    inputs, i = [np.linspace(0, k, 6).reshape(2, 3) for k in range(4)], np.array([1, 0, 1])
    jitted = jit(f, backend="numpy")
    lines = [line for line in jitted.source(inputs[0], i).splitlines() if "#" not in line]
    assert not [line for line in lines if "transpose" in line or "reshape" in line or "slice" in line]
    results = [jitted(x, i) for x in inputs]
    assert_same(results, [f(x, i) for x in inputs])  # also the views among them: each is an array of its own


def test_products_round_as_those_of_eager_code():
    """Of matrices as they are or transposed, with gaps, and with one row or column, which BLAS takes in other ways."""
    rng = np.random.default_rng(0)

    def f(a: Any, b: Any) -> Any:
        m, c, d = len(a), np.exp(a), np.sin(b)
        return (a @ b, c @ d, d.T @ c.T, c @ c.T, c[:, ::2] @ d[::2], c[::-1] @ d, c[1:] @ d, c[:1] @ d, c @ d[:, :1],
                c[:, :1] @ d[:1], c.reshape(m // 2, -1).T @ d.reshape(m // 2, -1), c[0] @ d)

    for dtype in (np.float32, np.float64):
        for m, n in ((2, 2), (4, 10), (10, 31), (32, 100)):
            a, b = rng.standard_normal((m, n)).astype(dtype), rng.standard_normal((n, m)).astype(dtype)
            assert_same(jit(f, backend="numpy")(a, b), f(a, b))
            for given in ((b.T, a.T), (a, a.T), (a[1:], b)):
                assert_same(jit(np.matmul, backend="numpy")(*given), np.matmul(*given))


def test_the_error_state_of_the_caller_is_left_alone():
    f = jit(lambda x: 1 / x, backend="numpy")
    f(x3)
    with np.errstate(all="raise"):
        before = np.geterr()
        assert np.isinf(f(x3 * 0)).all()
        assert np.geterr() == before
        with pytest.raises(FloatingPointError):
            1 / (x3 * 0)


def test_a_trace_leaves_no_arrays_behind():
    """Though it holds itself, and the collector may come late."""
    f = jit(grad(lambda x: np.sum(np.tanh(np.exp(x)) * x)), backend="numpy")
    gc.collect()
    f(x3)
    assert not [x for x in gc.get_objects() if type(x) is Tracer]


@pytest.mark.skipif(not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc", reason="reads /proc")
def test_the_memory_of_a_trace_is_given_back():
    def resident() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def f(x: Any) -> Any:
        y = x
        for k in range(20):
            y = np.tanh(y * (1 + k))
        return np.sum(y)

    x = np.ones(1_000_000)
    f(x)
    gc.collect()
    before = resident()
    step = jit(grad(f), backend="numpy")
    step(x)
    program = step.program
    assert resident() - before <= Memory(program, program.ops, set()).size + 2 * x.nbytes


def test_parameters_are_the_same_arrays():
    w = Value(np.ones((3, 3)))
    held, inside = w.data, np.ones(3)

    def step(x: Any) -> None:
        w.grad = None
        (w * x).sum().backward()
        w.data -= 0.1 * w.grad
        w.data[0] *= 2
        inside[...] = inside + x

    jitted = jit(step, backend="numpy")
    gradients = set()
    for _ in range(5):
        jitted(x3)
        gradients.add(id(w.grad))
    assert w.data is held
    assert len(gradients) == 1
    assert_same(inside, 1 + 5 * x3)


def test_a_gradient_is_no_argument():
    """The gradient of Σ w x is x, in an array that is not the caller's."""
    w, x = Value(np.ones(3)), x3.copy()

    def step(x: Any) -> None:
        w.grad = None
        (w * x).sum().backward()

    jitted = jit(step, backend="numpy")
    for _ in range(2):
        jitted(x)
        assert_same(w.grad, x)
        assert not np.shares_memory(w.grad, x)


def test_updates_that_read_each_other():
    """Written at the end, after all that reads what was there before; several in one."""
    def make() -> tuple:
        a, b, c = np.arange(3.0), np.ones(3), np.full(3, 2.0)

        def f(x: Any) -> None:
            old = a * 1
            a[...] = b + x
            b[...] = c * old
            c[...] = a - b
            a[...] = a[::-1].copy()
            b[1:] = b[:-1].copy()
        return f, (a, b, c)

    f, inside = make()
    g, outside = make()
    jitted = jit(f, backend="numpy")
    for k in range(4):
        jitted(x3 * k)
        g(x3 * k)
        assert_same(inside, outside)


def test_source_is_readable():
    """Each array is named, and the lines of the user stand beside what they became."""
    def f(x: Any, n: Any) -> Any:
        y = np.exp(x) * 2
        return y + n

    text = str(jit(f, backend="numpy").source(x3, 1.5))
    assert "# x0: args[0], float64[3]" in text
    assert "# x1: args[1], float" in text
    assert "test_jit_plan.py" in text
    assert "y = np.exp(x) * 2" in text
    assert "exp(x0, " in text
    compile(text, "source", "exec")


def test_plans_are_freed_with_the_function():
    class Big:
        def __init__(self) -> None:
            self.w = np.ones(1000)

        def __call__(self, x: Any) -> Any:
            return self.w * x

    def used_once() -> Any:
        big = Big()
        jit(big, backend="numpy")(2.0)
        return weakref.ref(big)

    gone = used_once()
    gc.collect()
    assert gone() is None


def test_operators_of_python_numbers_stay_pythons():
    assert ops(lambda a, b: (a + b) * a - b, 1.5, 2.0) == [operator.add, operator.mul, operator.sub]
