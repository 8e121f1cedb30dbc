"""How the tests compare: a program is run as it is written and jitted, on states that are made alike."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from autograd import Value, jit
from autograd.compiling import api

__all__ = ["BACKENDS", "EVERY_BACKEND", "TOLERANCE", "assert_same", "both", "flat"]

BACKENDS = sorted(api._BACKENDS, reverse=True)
EVERY_BACKEND = pytest.mark.parametrize("backend", BACKENDS)
# In units of the last place of the largest number of an array: what docs/jit.md says of each backend.
TOLERANCE = {"numpy": 0, "numba": 16}


def flat(x: Any) -> Iterator[Any]:
    """The numbers and arrays in containers, Values and their gradients."""
    if isinstance(x, (list, tuple)):
        for item in x:
            yield from flat(item)
    elif isinstance(x, dict):
        yield from flat(list(x.items()))
    elif isinstance(x, Value):
        yield from (x.data, x.grad)
    elif isinstance(x, np.random.Generator):
        yield from flat(x.bit_generator.state)
    elif type(x).__module__.startswith("tests.") and hasattr(x, "__dict__") and not callable(x):
        yield from flat(vars(x))
    else:
        yield x


def assert_same(got: Any, wanted: Any, ulps: float = 0) -> None:
    """The same structure, types, dtypes and shapes, and numbers within so many units of the largest's last place."""
    got, wanted = list(flat(got)), list(flat(wanted))
    assert len(got) == len(wanted), (got, wanted)
    for a, b in zip(got, wanted, strict=True):
        if not isinstance(b, (float, complex, np.ndarray, np.generic)):
            assert a == b
            continue
        assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray) or not np.ndim(b), (a, b)
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if not ulps or b.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, b)
            continue
        largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        np.testing.assert_allclose(a, b, rtol=0, atol=ulps * float(np.spacing(np.asarray(largest, b.real.dtype))))


def both(make: Callable[[], Any], use: Callable[..., Any], backend: str, ulps: float | None = None) -> None:
    """``make`` gives a function and the state that it reaches, ``use(function, state)`` runs it and gives results.

    Results and the states afterwards must be the same whether the function is jitted or not.
    """
    f, state = make()
    wanted = use(f, state), state
    f, state = make()
    jitted = jit(f, backend=backend)
    got = use(jitted, state), state
    assert jitted._plans, "it has not run as a program"
    assert_same(got, wanted, TOLERANCE[backend] if ulps is None else ulps)
