"""Exceptions in a jitted function, at its trace and in a replay: what it reaches is as it was before."""

import functools
from typing import Any

import numpy as np
import pytest

from autograd import Value, check, jit
from tests.autograd.compiling.same import BACKENDS, assert_same
from tests.autograd.compiling.test_jit_state import NUMPY, Box, counters

# Errors leave everything as it was

def test_an_exception_while_tracing_restores_everything():
    class Stop(BaseException):
        pass

    for error in (ValueError("no"), KeyboardInterrupt(), Stop()):
        f, state = counters()
        before = {k: v.copy() if isinstance(v, (dict, list)) else v for k, v in state.items()}
        a, rng = np.ones(3), np.random.default_rng(0)
        stream, make = rng.bit_generator.state, np.random.default_rng

        def failing(x: Any, f: Any = f, a: Any = a, rng: Any = rng, error: Any = error) -> Any:
            f(x)
            a[...] = x
            rng.random(3)
            raise error

        jitted = jit(failing, backend=NUMPY)
        for _ in range(2):
            with pytest.raises(type(error)):
                jitted(1.0)
        assert state == before
        assert_same(a, np.ones(3))
        assert rng.bit_generator.state == stream
        assert np.random.default_rng is make
        assert jit(lambda x: x * 2, backend=NUMPY)(1.0) == 2.0  # no trace is left open


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_exception_in_a_replay_changes_nothing(backend):
    """In the second call with a plan, the inverse does not exist; in the third the check does not hold."""
    box = Box(w=np.ones((2, 2)), n=0, total=0.0, v=Value(np.ones(2)))

    def f(a: Any) -> Any:
        box.n += 1
        box.total += a[0, 0]
        box.w += a
        (box.v * a[0]).sum().backward()
        check(a < 100, lambda a: OverflowError(f"as large as {a.max()}"), a)
        return np.linalg.inv(a)

    jitted = jit(f, backend=backend)
    good = np.array([[2.0, 0.0], [1.0, 1.0]])
    assert_same(jitted(good), np.linalg.inv(good))

    def everything() -> Any:
        return box.w.copy(), box.n, box.total, np.copy(box.v.grad)

    before = everything()
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError):
            jitted(np.ones((2, 2)))
        with pytest.raises(OverflowError, match=r"as large as 2000\.0"):
            jitted(good * 1000)
        assert_same(everything(), before)
    assert_same(jitted(good), np.linalg.inv(good))
    assert (box.n, box.total) == (2, 4.0)
    assert jitted._traces == 2  # with no gradient before, and with one


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_that_a_failed_step_has_overwritten_are_none(backend):
    w, mine = Value(np.ones(3)), np.full(3, 7.0)

    @functools.partial(jit, backend=backend)
    def f(x: Any) -> None:
        w.grad = None
        cost = np.sum(w * x)
        cost.backward()
        check(np.isfinite(cost), lambda c: FloatingPointError(f"{c}"), cost.data)

    f(np.ones(3))
    assert_same(w.grad, np.ones(3))
    with pytest.raises(FloatingPointError):
        f(np.full(3, np.nan))
    assert w.grad is None
    w.grad = mine  # not the plan's
    with pytest.raises(FloatingPointError):
        f(np.full(3, np.nan))
    assert w.grad is mine and np.all(mine == 7)
    f(np.full(3, 2.0))
    assert_same(w.grad, np.full(3, 2.0))
