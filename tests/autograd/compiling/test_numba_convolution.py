"""Convolutions and pools as the Numba backend computes them, against NumPy: shapes, memory, threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("numba", minversion="0.60", reason="the Numba backend needs Numba")

from autograd import jit
from autograd.compiling import numba_threads
from autograd.convolution import convolve, convolve_filters, convolve_input
from autograd.functions import relu
from autograd.pooling import avg_pool, avg_pool_input, max_pool, max_pool_along, max_pool_input
from tests.autograd.compiling.building import Builder
from tests.autograd.compiling.same import assert_same

pytestmark = pytest.mark.usefixtures("one_cache")
ULPS = 64
NONE, ONES = ((0, 0), (0, 0)), (1, 1)
# What is unlike in each: (N, C), (O, kernel), spatial sizes, stride, padding, dilation, groups.
CONVOLUTIONS = {
    "LeNet-5's first": ((2, 1), (6, (5, 5)), (28, 28), ONES, ((2, 2), (2, 2)), ONES, 1),
    "filters of a vector and a few": ((2, 3), (21, (3, 3)), (7, 9), ONES, ((1, 1), (1, 1)), ONES, 1),
    "apart, one-sided, in groups": ((3, 4), (20, (3, 2)), (9, 11), (2, 3), ((1, 0), (2, 1)), (1, 2), 2),
    "of one pixel": ((2, 12), (4, (1, 1)), (5, 5), ONES, NONE, ONES, 1),
    "cropped, by channel": ((2, 4), (8, (3, 3)), (8, 8), ONES, ((-1, 1), (1, -2)), ONES, 4),
    "of long windows": ((1, 2), (3, (33, 35)), (40, 37), ONES, NONE, ONES, 1),
    "of signals": ((2, 3), (5, (4,)), (17,), (2,), ((1, 2),), (3,), 1),
}
POOLS = {
    "without gaps": ((2, 3, 8, 6), (2, 2), (2, 2), NONE, ONES),
    "that overlap and are cut off": ((2, 2, 7, 6), (2, 2), (1, 3), ((1, 1), (0, 2)), ONES),
    "of signals": ((2, 3, 12), (3,), (3,), ((0, 0),), (1,)),
    "of solids": ((1, 2, 2, 2, 5), (1, 2, 2), (1, 2, 2), ((0, 0),) * 3, (1, 1, 1)),
}
Call = tuple[Callable[..., Any], tuple]


def convolutions(row: tuple, dtype: Any, rng: np.random.Generator) -> list[Call]:
    """Each of the three on arrays of a row's shapes."""
    (n, c), (o, kernel), size, stride, padding, dilation, groups = row
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in ((n, c, *size), (o, c // groups, *kernel)))
    g = rng.standard_normal(convolve(x, w, stride, padding, dilation, groups).shape).astype(dtype)
    return [(lambda x, w: convolve(x, w, stride, padding, dilation, groups), (x, w)),
            (lambda g, w: convolve_input(g, w, size, stride, padding, dilation, groups), (g, w)),
            (lambda g, x: convolve_filters(g, x, kernel, stride, padding, dilation, groups), (g, x))]


def pools(row: tuple, dtype: Any, rng: np.random.Generator) -> list[Call]:
    """Each of the pools, on numbers of which many are the same, and one is nan."""
    shape, kernel, stride, padding, dilation = row
    x, sizes = rng.integers(-2, 3, shape).astype(dtype), (kernel, stride, padding, dilation)
    x.flat[3] = np.nan
    y, t = max_pool(x, *sizes), rng.standard_normal(shape).astype(dtype)
    g = rng.standard_normal(y.shape).astype(dtype)
    calls: list[Call] = [(lambda x: max_pool(x, *sizes), (x,)),
                         (lambda g, x, y: max_pool_input(g, x, y, *sizes), (g, x, y)),
                         (lambda t, x, y: max_pool_along(t, x, y, *sizes), (t, x, y))]
    if set(dilation) == {1}:
        for inside in (True, False):
            mean = (kernel, stride, padding, inside)
            calls += [(lambda t, mean=mean: avg_pool(t, *mean), (t,)),
                      (lambda g, mean=mean: avg_pool_input(g, shape[2:], *mean), (g,))]
    return calls


def agree(calls: list[Call], compiled: bool = True) -> None:
    """All calls in one program give what NumPy gives, and none of them stays a call of Python."""
    def everything(*arguments: Any) -> list:
        return [f(*given) for (f, _), given in zip(calls, arguments, strict=True)]

    arguments = [given for _, given in calls]
    jitted, wanted = jit(everything, backend="numba"), everything(*arguments)
    for _ in range(2):  # the second finds memory as the first left it
        assert_same(jitted(*arguments), wanted, ULPS)
    text = jitted.source(*arguments).partition("# The Python around it")[2]
    assert ("convol" in text or "pool" in text) != compiled


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convolutions_of_all_kinds(dtype):
    rows = list(CONVOLUTIONS.values())
    agree([call for row in (rows if dtype is np.float32 else rows[2:3])
           for call in convolutions(row, dtype, np.random.default_rng(0))])


def test_pools_of_all_kinds():
    agree([call for row in POOLS.values() for call in pools(row, np.float32, np.random.default_rng(0))])


@st.composite
def rows(draw: Callable) -> tuple:
    """A row of shapes that go together."""
    axes, groups = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    sizes = st.tuples(*[st.integers(1, 3)] * axes)
    kernel, stride, dilation = draw(sizes), draw(sizes), draw(sizes)
    padding = draw(st.tuples(*[st.tuples(st.integers(-1, 2), st.integers(0, 2))] * axes))
    least = [d * (k - 1) + 1 - sum(p) for d, k, p in zip(dilation, kernel, padding, strict=True)]
    size = tuple(max(m, 2) + draw(st.integers(0, 19)) for m in least)
    channels, filters = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 19))
    return (draw(st.integers(1, 3)), channels), (filters, kernel), size, stride, padding, dilation, groups


@settings(derandomize=True, deadline=None, database=None, max_examples=2, phases=[Phase.generate])
@given(st.lists(rows(), min_size=2, max_size=2), st.sampled_from([np.float32, np.float64]))
def test_convolutions_of_random_shapes(many: list, dtype: Any):
    agree([call for row in many for call in convolutions(row, dtype, np.random.default_rng(1))])


def test_what_there_are_no_loops_for_stays_a_call():
    solid = ((1, 2), (2, (2, 2, 2)), (3, 3, 3), (1, 1, 1), ((0, 0),) * 3, (1, 1, 1), 1)
    agree(convolutions(solid, np.float32, np.random.default_rng(0)), compiled=False)
    (f, (x, w)), *_ = convolutions(CONVOLUTIONS["of signals"], np.float32, np.random.default_rng(0))
    agree([(f, (x, w.astype(np.float64)))], compiled=False)
    large = ((2, 2, 10, 10), (5, 5), (5, 5), NONE, ONES)
    agree(pools(large, np.float32, np.random.default_rng(0)), compiled=False)


def test_arrays_that_are_no_rows_in_order_are_copied():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((6, 9, 3, 4)), rng.standard_normal((3, 5, 4, 3))

    def f(x: Any, w: Any) -> Any:
        return convolve(x.transpose(3, 2, 0, 1)[1:, ::-1], w.transpose(1, 0, 3, 2), (1, 1), NONE, (1, 1), 1)
    assert_same(jit(f, backend="numba")(x, w), f(x, w), ULPS)


def test_a_constant_image_and_constant_filters():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 6)), rng.standard_normal((4, 3, 3, 3))
    for f, a in ((lambda v: convolve(v, w, (1, 1), NONE, (1, 1), 1), x),
                 (lambda v: convolve(x, v, (1, 1), NONE, (1, 1), 1), w)):
        assert_same(jit(f, backend="numba")(a), f(a), ULPS)


# Steps, memory, threads


def test_two_threads_give_the_same_bits(monkeypatch):
    calls = convolutions(CONVOLUTIONS["filters of a vector and a few"], np.float32, np.random.default_rng(0))

    def everything(*arguments: Any) -> list:
        return [f(*given) for (f, _), given in zip(calls, arguments, strict=True)]

    arguments = [given for _, given in calls]
    alone = jit(everything, backend="numba")(*arguments)
    monkeypatch.setattr(numba_threads, "threads", lambda: 2)
    monkeypatch.setattr(numba_threads, "WORTH", 1)
    jitted = jit(everything, backend="numba")
    for _ in range(3):
        assert_same(jitted(*arguments), alone)
    assert jitted.source(*arguments).count("together(") == 3


def test_a_result_that_only_what_follows_reads_takes_the_memory_of_one_image():
    from autograd.compiling.numba_kernels import Kernels
    from autograd.compiling.numba_lower import lower
    from autograd.compiling.numba_products import continues
    from autograd.compiling.numba_schedule import schedule

    b = Builder()
    x, w, c = (b.input(shape, np.dtype(np.float32)) for shape in ((50, 3, 16, 16), (8, 3, 3, 3), (8, 1, 1)))
    y = b(np.maximum, b(np.add, b(convolve, x, w, (1, 1), ((1, 1), (1, 1)), (1, 1), 1), c), 0)
    program = b.program(y)
    lowered = lower(program)
    kernels = Kernels(program, lowered, schedule(lowered, [e.var for e in program.inputs], continues))
    assert len(kernels.kernels) == 1
    assert sum(kernels.sizes.values()) < 3 * 18 * 18 + 8 * 16 * 16 + 27 * 16 + 3 * 16


def test_what_is_added_to_a_convolution_and_its_activation_are_part_of_it():
    x, w = np.ones((2, 3, 6, 6), np.float32), np.ones((4, 3, 3, 3), np.float32)
    c = np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    jitted = jit(lambda x, w, c: relu(convolve(x, w, (1, 1), NONE, (1, 1), 1) + c), backend="numba")
    text = jitted.source(x, w, c)
    assert "def window_0" in text
    assert "def kernel" not in text
    assert_same(jitted(x, w, c), np.full((2, 4, 4, 4), 27, np.float32) + c)
