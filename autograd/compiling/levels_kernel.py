"""The groups of a ``Levels`` in one compiled loop, which serves every program: nothing is compiled for any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .levels_codes import CODES, FOLD
from .levels_codes import NO_INDEX as NOT_LISTED

__all__ = ["run"]

# All is unsigned: of a signed index Numba would ask each time whether it counts from the end.
NO_INDEX = np.uint32(NOT_LISTED)
ZERO, ONE = np.uint64(0), np.uint64(1)
FIRST_UNARY, WHERE = CODES.index(np.logical_not), CODES.index(np.where)


# What is kept on disk is compiled anew when this file changes, and only then: so it says which codes it is for.
if " ".join(f.__name__ for f in CODES) != (
        "add subtract multiply divide maximum minimum less less_equal equal not_equal logical_and logical_or "
        "power remainder floor_divide arctan2 hypot logaddexp where logical_not negative absolute sign sqrt "
        "cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh "
        "arccosh arctanh floor ceil trunc rint"):
    raise ImportError("levels_kernel.py must name the codes of levels_codes.py")


def _kept(function: Callable) -> Any:
    """The function compiled now, or read from disk, where there is a place for it."""
    signature: Any = "void(float64[::1], uint32[::1], uint32[:, ::1], uint64)"
    try:
        return njit(signature, cache=True, error_model="numpy")(function)
    except RuntimeError:  # there is none
        return njit(signature, error_model="numpy")(function)


@njit(error_model="numpy")
def _operand(cells, index, start, stride, at, first, m, spare):
    """The cell from which on the ``m`` numbers of an operand lie, which may have to be copied there."""
    if at != NO_INDEX:
        for i in range(m):
            cells[spare + i] = cells[index[at + first + i]]
        return spare
    if stride == ONE:
        return start + first
    for i in range(m):
        cells[spare + i] = cells[start + (first + i) * stride]
    return spare


@njit(error_model="numpy")
def _fold(cells, index, a, start, stride, at, m, n, rows, y):
    """Add to each of ``m`` numbers ``rows`` terms, one after the other, which lie ``n`` apart."""
    for i in range(m):
        cells[y + i] = cells[a + i]
    for _ in range(rows):
        if at != NO_INDEX:
            for i in range(m):
                cells[y + i] += cells[index[at + i]]
            at += n
        elif stride == ONE:
            for i in range(m):
                cells[y + i] += cells[start + i]
            start += n
        else:
            for i in range(m):
                cells[y + i] += cells[start + i * stride]
            start += n * stride


@njit(error_model="numpy")
def _unary(code, x, a, y, m):
    """The functions of one operand, ``x[y + i] = f(x[a + i])``, each under its code; NumPy's sign of -0.0 is 0.0."""
    if code == 19:
        for i in range(m):
            x[y + i] = x[a + i] == 0
    elif code == 20:
        for i in range(m):
            x[y + i] = -x[a + i]
    elif code == 21:
        for i in range(m):
            x[y + i] = abs(x[a + i])
    elif code == 22:
        for i in range(m):
            x[y + i] = np.sign(x[a + i]) + 0.0
    elif code == 23:
        for i in range(m):
            x[y + i] = np.sqrt(x[a + i])
    elif code == 24:
        for i in range(m):
            x[y + i] = np.cbrt(x[a + i])
    elif code == 25:
        for i in range(m):
            x[y + i] = np.exp(x[a + i])
    elif code == 26:
        for i in range(m):
            x[y + i] = np.exp2(x[a + i])
    elif code == 27:
        for i in range(m):
            x[y + i] = np.expm1(x[a + i])
    elif code == 28:
        for i in range(m):
            x[y + i] = np.log(x[a + i])
    elif code == 29:
        for i in range(m):
            x[y + i] = np.log2(x[a + i])
    elif code == 30:
        for i in range(m):
            x[y + i] = np.log10(x[a + i])
    elif code == 31:
        for i in range(m):
            x[y + i] = np.log1p(x[a + i])
    elif code == 32:
        for i in range(m):
            x[y + i] = np.sin(x[a + i])
    elif code == 33:
        for i in range(m):
            x[y + i] = np.cos(x[a + i])
    elif code == 34:
        for i in range(m):
            x[y + i] = np.tan(x[a + i])
    elif code == 35:
        for i in range(m):
            x[y + i] = np.arcsin(x[a + i])
    elif code == 36:
        for i in range(m):
            x[y + i] = np.arccos(x[a + i])
    elif code == 37:
        for i in range(m):
            x[y + i] = np.arctan(x[a + i])
    elif code == 38:
        for i in range(m):
            x[y + i] = np.sinh(x[a + i])
    elif code == 39:
        for i in range(m):
            x[y + i] = np.cosh(x[a + i])
    elif code == 40:
        for i in range(m):
            x[y + i] = np.tanh(x[a + i])
    elif code == 41:
        for i in range(m):
            x[y + i] = np.arcsinh(x[a + i])
    elif code == 42:
        for i in range(m):
            x[y + i] = np.arccosh(x[a + i])
    elif code == 43:
        for i in range(m):
            x[y + i] = np.arctanh(x[a + i])
    elif code == 44:
        for i in range(m):
            x[y + i] = np.floor(x[a + i])
    elif code == 45:
        for i in range(m):
            x[y + i] = np.ceil(x[a + i])
    elif code == 46:
        for i in range(m):
            x[y + i] = np.trunc(x[a + i])
    elif code == 47:
        for i in range(m):
            x[y + i] = np.rint(x[a + i])


@njit(error_model="numpy")
def _binary(code, x, a, b, y, m):
    """The functions of two operands, ``x[y + i] = f(x[a + i], x[b + i])``, each under its code.

    Of equal zeros NumPy gives the second as maximum; and Numba's operators give the remainder and the quotient that
    NumPy's functions give, where its version of those does not.
    """
    if code == 0:
        for i in range(m):
            x[y + i] = x[a + i] + x[b + i]
    elif code == 1:
        for i in range(m):
            x[y + i] = x[a + i] - x[b + i]
    elif code == 2:
        for i in range(m):
            x[y + i] = x[a + i] * x[b + i]
    elif code == 3:
        for i in range(m):
            x[y + i] = x[a + i] / x[b + i]
    elif code == 4:
        for i in range(m):
            x[y + i] = x[a + i] if x[a + i] > x[b + i] or x[a + i] != x[a + i] else x[b + i]
    elif code == 5:
        for i in range(m):
            x[y + i] = x[a + i] if x[a + i] < x[b + i] or x[a + i] != x[a + i] else x[b + i]
    elif code == 6:
        for i in range(m):
            x[y + i] = x[a + i] < x[b + i]
    elif code == 7:
        for i in range(m):
            x[y + i] = x[a + i] <= x[b + i]
    elif code == 8:
        for i in range(m):
            x[y + i] = x[a + i] == x[b + i]
    elif code == 9:
        for i in range(m):
            x[y + i] = x[a + i] != x[b + i]
    elif code == 10:
        for i in range(m):
            x[y + i] = x[a + i] != 0 and x[b + i] != 0
    elif code == 11:
        for i in range(m):
            x[y + i] = x[a + i] != 0 or x[b + i] != 0
    elif code == 12:
        for i in range(m):
            x[y + i] = np.power(x[a + i], x[b + i])
    elif code == 13:
        for i in range(m):
            x[y + i] = x[a + i] % x[b + i]
    elif code == 14:
        for i in range(m):
            x[y + i] = x[a + i] // x[b + i]
    elif code == 15:
        for i in range(m):
            x[y + i] = np.arctan2(x[a + i], x[b + i])
    elif code == 16:
        for i in range(m):
            x[y + i] = np.hypot(x[a + i], x[b + i])
    elif code == 17:
        for i in range(m):
            x[y + i] = np.logaddexp(x[a + i], x[b + i])


@_kept
def run(cells, index, table, chunk):
    """Compute all groups of a ``Levels``, a row of its table each, ``chunk`` operations at a time."""
    spare = np.uint64(len(cells)) - chunk - chunk - chunk
    for g in range(len(table)):
        row = table[g]
        code, n, rows = row[0], np.uint64(row[1]), np.uint64(row[2])
        for first in range(ZERO, n, chunk):
            m, y = min(chunk, n - first), row[3] + first
            a = _operand(cells, index, row[4], row[5], row[6], first, m, spare)
            if code == FOLD:
                start, stride, at = np.uint64(row[7]), np.uint64(row[8]), np.uint64(row[9])
                if at != NO_INDEX:
                    at += first
                _fold(cells, index, a, start + first * stride, stride, at, m, n, rows, y)
                continue
            if code >= FIRST_UNARY:
                _unary(code, cells, a, y, m)
                continue
            b = _operand(cells, index, row[7], row[8], row[9], first, m, spare + chunk)
            if code != WHERE:
                _binary(code, cells, a, b, y, m)
                continue
            c = _operand(cells, index, row[10], row[11], row[12], first, m, spare + chunk + chunk)
            for i in range(m):
                cells[y + i] = cells[b + i] if cells[a + i] != 0 else cells[c + i]
