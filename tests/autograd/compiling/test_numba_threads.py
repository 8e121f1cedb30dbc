"""Compiled steps in several threads: the numbers of one thread, no processor taken by others, no lock kept."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", minversion="0.60", reason="the Numba backend needs Numba")

from autograd import jit
from autograd.compiling import numba_recurrence, numba_threads
from autograd.compiling.numba_threads import one_thread, threads, together
from autograd.convolution import convolve
from autograd.pooling import max_pool
from autograd.recurrence import gru, lstm, rnn
from tests.autograd.compiling.same import assert_same

pytestmark = pytest.mark.usefixtures("one_cache")
ULPS = 64


def three(monkeypatch: pytest.MonkeyPatch) -> list:
    """Three threads for the smallest work; the functions that they run are collected."""
    functions = []

    def counted(function: Any, count: int, parts: int, *args: Any) -> None:
        functions.append(function)
        assert parts == 3
        together(function, count, parts, *args)
    monkeypatch.setattr(numba_recurrence, "threads", lambda: 3)
    monkeypatch.setattr(numba_recurrence, "MUCH", 0)
    monkeypatch.setattr(numba_recurrence, "together", counted)
    monkeypatch.setattr(numba_threads, "threads", lambda: 3)
    monkeypatch.setattr(numba_threads, "WORTH", 1)
    monkeypatch.setattr(numba_threads, "together", counted)
    return functions


def test_threads_share_elementwise_loops_and_sums_over_rows(monkeypatch):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((37, 21)), rng.standard_normal(21)

    def f(x: Any, w: Any) -> list:
        e = np.exp(x * w - np.max(x, axis=1, keepdims=True))
        return [e / np.sum(e, axis=1, keepdims=True), np.sum(x, axis=0), np.mean(e), max_pool(
            x[None], (2,), (1,), ((1, 0),), (1,))]
    alone = jit(f, backend="numba")(x, w)
    three(monkeypatch)
    jitted = jit(f, backend="numba")
    for _ in range(3):
        assert_same(jitted(x, w), alone)
    assert "together(" in jitted.source(x, w)
    assert_same(jitted(x, w), f(x, w), ULPS)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux says where threads run")
def test_threads_keep_away_from_the_callers_processor_where_that_is_allowed(monkeypatch):
    pool = numba_threads.Pool()
    pool.executor.submit(int).result()
    allowed = os.sched_getaffinity(0)
    pool.keep_away()
    assert len(pool.ids) == 1
    left = {pool.away} if len(allowed) > 1 else set()
    assert os.sched_getaffinity(pool.ids[0]) == allowed - left and os.sched_getaffinity(0) == allowed

    def refused(*args: Any) -> None:
        raise PermissionError
    monkeypatch.setattr(os, "sched_setaffinity", refused)
    pool.away = None
    pool.keep_away()
    monkeypatch.delattr(os, "sched_setaffinity")
    pool.keep_away()
    pool.executor.shutdown()


def test_an_error_in_a_thread_is_the_callers():
    def second(first: int, last: int, part: int) -> None:
        if part:
            raise ZeroDivisionError(f"{first} to {last}")
    with pytest.raises(ZeroDivisionError, match="2 to 4"):
        together(second, 4, 2)


def test_threads_are_as_many_as_blas_has(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    most = threads()
    for text, wanted in (("1", 1), ("1000", most), ("", most), ("all", most)):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert threads() == wanted


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_share_the_rows_of_products(dtype, monkeypatch):
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal(shape).astype(dtype) for shape in ((70, 50), (50, 65), (2, 65, 70)))

    def products(a: Any, b: Any, c: Any) -> list:
        return [a @ b, b.T @ a.T, np.matmul(c, a), np.matmul(c[:, 5:, 3:].swapaxes(1, 2), b.T[5:, :49])]

    def f(a: Any, b: Any, c: Any) -> list:
        image, filters = c[None], a[:4, :36].reshape(8, 2, 3, 3)
        return [*products(a, b, c), convolve(image, filters, (1, 1), ((0, 0), (0, 0)), (1, 1), 1)]
    alone = jit(f, backend="numba")(a, b, c)
    functions = three(monkeypatch)
    jitted = jit(f, backend="numba")
    for _ in range(3):
        assert_same(jitted(a, b, c), alone, ULPS)
    assert "with one_thread:" in jitted.source(a, b, c)
    assert sum("gemm" in f.py_func.__code__.co_names for f in functions) == 12
    assert all(f.targetoptions["nogil"] for f in functions)
    assert_same(jitted(a, b, c), f(a, b, c), 1024)
    assert "together(" not in jit(products, backend="numba").source(a, b, c)  # where BLAS has threads of its own


def test_threads_share_the_examples_of_a_recurrence(monkeypatch):
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((4, 40, n)) for n in (5, 20, 15)]
    weights = [0.3 * rng.standard_normal((n, 5)) for n in (5, 20, 15)]

    def f(inputs: list, weights: list) -> list:
        x, w = [np.tanh(a) for a in inputs], weights
        return [rnn([x[0], w[0], None, None]), *lstm([x[1], w[1], None, None, None], reverse=True),
                *gru([x[2], w[2], None, None])]
    alone = jit(f, backend="numba")(inputs, weights)
    functions = three(monkeypatch)
    jitted = jit(f, backend="numba")
    for _ in range(3):
        assert_same(jitted(inputs, weights), alone)
    assert {f"several_{name}_forward" for name in ("rnn", "lstm", "gru")} <= {f.py_func.__name__ for f in functions}
    assert all(f.targetoptions["nogil"] for f in functions)


def test_blas_has_one_thread_until_the_last_leaves(monkeypatch):
    counts = [7, 5]
    limits = [(lambda k=k: counts[k], lambda n, k=k: counts.__setitem__(k, n)) for k in range(2)]
    monkeypatch.setattr(numba_threads, "_openblas", lambda: limits)
    one = numba_threads.OneThread()
    other_is_in, other_may_leave = threading.Event(), threading.Event()

    def other() -> None:
        with one:
            other_is_in.set()
            other_may_leave.wait(10)
    thread = threading.Thread(target=other)
    with pytest.raises(ZeroDivisionError), one:
        thread.start()
        assert other_is_in.wait(10)
        assert counts == [1, 1]
        raise ZeroDivisionError
    assert counts == [1, 1]
    other_may_leave.set()
    thread.join()
    assert counts == [7, 5]


def test_the_limit_is_that_of_the_library_that_compiled_code_calls():
    import scipy.linalg.cython_blas
    from threadpoolctl import ThreadpoolController
    assert scipy.linalg.cython_blas
    libraries = [c for c in ThreadpoolController().lib_controllers if c.internal_api == "openblas"]
    if not libraries:
        pytest.skip("SciPy's BLAS is not OpenBLAS")
    before = [c.num_threads for c in libraries]
    with one_thread:
        assert any(c.num_threads == 1 for c in libraries)
    assert [c.num_threads for c in libraries] == before
