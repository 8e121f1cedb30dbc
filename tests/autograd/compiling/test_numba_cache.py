"""Compiled functions on disk: what one process kept must mean the same in another."""

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
import numba
from numba.core.bytecode import FunctionIdentity

from autograd.compiling.numba_cache import load

SOURCE = """
import math
from numba import njit

@njit(error_model="numpy")
def nest_0(x):
    total = 0.0
    for i in range({length}):
        for j in range(3):
            for k in range(5):
                total += math.exp(math.sin(x[i])) * j + k
    return total

def kernel_0(x):
    return nest_0(x) + nest_0(x[1:])
"""
SIGNATURE = {"kernel_0": (numba.float64[::1],)}


def sums(length: int) -> float:
    """What the kernel gives in a process that has compiled nothing before."""
    FunctionIdentity._unique_ids = itertools.count(10**9)
    return load(SOURCE.format(length=length), SIGNATURE)["kernel_0"](np.ones(100)) / length


def test_functions_of_two_processes_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUDGE_CACHE", str(tmp_path))
    monkeypatch.setattr(FunctionIdentity, "_unique_ids", itertools.count(10**9))
    assert sums(5) == pytest.approx(sums(10), rel=1e-12)
    assert len(list(tmp_path.iterdir())) == 2
    assert sums(10) == pytest.approx(sums(5), rel=1e-12)  # both from the disk
