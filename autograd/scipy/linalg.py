"""scipy.linalg, of which the functions below are differentiable; any other refuses a Value by name."""

from typing import Any

import numpy as np
import scipy.linalg

from ..record import primitive
from ..registry import definition, rule

__all__ = ["block_diag", "expm", "inv", "solve", "solve_banded", "solve_sylvester", "solve_triangular", "sqrtm"]


def __getattr__(name: str) -> Any:
    found = getattr(scipy.linalg, name)
    return primitive(found) if callable(found) and not isinstance(found, type) else found


def _t(a):
    return np.swapaxes(a, -1, -2)


def _outer(v, y, b):
    """The outer product of the solutions, which are columns or, as ``b`` is, one vector."""
    return np.expand_dims(v, -1) * np.expand_dims(y, -2) if np.ndim(b) == 1 else v @ _t(y)


# Equations: each map of ``a`` is that of ``b`` after the product with the solution
solve = primitive(scipy.linalg.solve)


def _solve_b(g, y, a, b, *, check_finite=True, transposed=False):
    return solve(a if transposed else _t(a), g, check_finite=check_finite)


def _solve_a(g, y, a, b, *, check_finite=True, transposed=False):
    v = _solve_b(g, y, a, b, check_finite=check_finite, transposed=transposed)
    return -_outer(y, v, b) if transposed else -_outer(v, y, b)


rule(solve, _solve_a, _solve_b,
     jvps=[lambda g, y, a, b, *, check_finite=True, transposed=False:
           -solve(_t(a) if transposed else a, (_t(g) if transposed else g) @ y, check_finite=check_finite),
           lambda g, y, a, b, *, check_finite=True, transposed=False:
           solve(_t(a) if transposed else a, g, check_finite=check_finite)])

inv = primitive(scipy.linalg.inv)
rule(inv, lambda g, y, a, *, check_finite=True: -_t(y) @ g @ _t(y),
     jvps=[lambda g, y, a, *, check_finite=True: -y @ g @ y])

solve_triangular = primitive(scipy.linalg.solve_triangular)
_OPERATIONS = {0: lambda a: a, 1: _t, 2: lambda a: np.conj(_t(a))}


def _code(trans: Any) -> Any:
    """0 for the matrix as it is, 1 for its transpose, 2 for the conjugate of that."""
    return {"N": 0, "T": 1, "C": 2}.get(trans, trans)


def _used(a, lower, unit_diagonal):
    """The triangle that counts."""
    triangle = np.tri(np.shape(a)[-1], k=-1 if unit_diagonal else 0, dtype=bool)
    return np.where(triangle if lower else triangle.T, a, 0)


def _triangular_b(g, y, a, b, trans=0, lower=False, unit_diagonal=False, *, check_finite=True):
    options = {"lower": lower, "unit_diagonal": unit_diagonal, "check_finite": check_finite}
    if _code(trans) == 2:
        return np.conj(solve_triangular(a, np.conj(g), **options))
    return solve_triangular(a, g, trans=1 - _code(trans), **options)


def _triangular_a(g, y, a, b, trans=0, lower=False, unit_diagonal=False, *, check_finite=True):
    v = _triangular_b(g, y, a, b, trans, lower, unit_diagonal, check_finite=check_finite)
    return _used(_OPERATIONS[_code(trans)](-_outer(v, y, b)), lower, unit_diagonal)


def _triangular_forward(g, y, a, b, trans=0, lower=False, unit_diagonal=False, *, check_finite=True):
    return solve_triangular(a, g, trans=trans, lower=lower, unit_diagonal=unit_diagonal, check_finite=check_finite)


rule(solve_triangular, _triangular_a, _triangular_b,
     jvps=[lambda g, y, a, b, trans=0, lower=False, unit_diagonal=False, *, check_finite=True: _triangular_forward(
         -_OPERATIONS[_code(trans)](_used(g, lower, unit_diagonal)) @ y, y, a, b, trans, lower, unit_diagonal,
         check_finite=check_finite), _triangular_forward])

solve_sylvester = primitive(scipy.linalg.solve_sylvester)


def _sylvester_q(g, y, a, b, q):
    return solve_sylvester(_t(a), _t(b), g)


rule(solve_sylvester, lambda g, y, a, b, q: -_sylvester_q(g, y, a, b, q) @ _t(y),
     lambda g, y, a, b, q: -_t(y) @ _sylvester_q(g, y, a, b, q), _sylvester_q,
     jvps=[lambda g, y, a, b, q: solve_sylvester(a, b, -g @ y), lambda g, y, a, b, q: solve_sylvester(a, b, -y @ g),
           lambda g, y, a, b, q: solve_sylvester(a, b, g)])

# A banded matrix is kept by its diagonals: element (i, j) in row upper + i - j of column j
solve_banded = primitive(scipy.linalg.solve_banded)


def _places(l_and_u, n):
    """For each place of the diagonals the row of the matrix, and whether there is one."""
    lower, upper = l_and_u
    rows = np.arange(lower + upper + 1)[:, None] - upper + np.arange(n)
    return np.clip(rows, 0, n - 1), (rows >= 0) & (rows < n)


def _banded_transpose(l_and_u, ab):
    lower, upper = l_and_u
    columns, inside = _places((upper, lower), np.shape(ab)[1])
    return (upper, lower), np.where(inside, ab[np.arange(lower + upper + 1)[::-1, None], columns], 0)


def _banded_b(g, y, l_and_u, ab, b, *, check_finite=True):
    return solve_banded(*_banded_transpose(l_and_u, ab), g, check_finite=check_finite)


def _as_columns(x):
    return np.reshape(x, (np.shape(x)[0], -1))


def _banded_ab(g, y, l_and_u, ab, b, *, check_finite=True):
    rows, inside = _places(l_and_u, np.shape(ab)[1])
    v = _as_columns(_banded_b(g, y, l_and_u, ab, b, check_finite=check_finite))
    return -np.where(inside, np.sum(v[rows] * _as_columns(y), axis=-1), 0)


def _banded_product(l_and_u, ab, x):
    """A banded matrix times columns: the products with its transpose's columns, which are its rows, are summed."""
    _, rows = _banded_transpose(l_and_u, ab)
    columns, inside = _places(l_and_u[::-1], np.shape(ab)[1])
    products = np.expand_dims(np.where(inside, rows, 0), -1) * _as_columns(x)[columns]
    return np.reshape(np.sum(products, axis=0), np.shape(x))


rule(solve_banded, None, _banded_ab, _banded_b,
     jvps=[None, lambda g, y, l_and_u, ab, b, *, check_finite=True:
           -solve_banded(l_and_u, ab, _banded_product(l_and_u, g, y), check_finite=check_finite),
           lambda g, y, l_and_u, ab, b, *, check_finite=True: solve_banded(l_and_u, ab, g, check_finite=check_finite)])

# Functions of a matrix
sqrtm, expm = primitive(scipy.linalg.sqrtm), primitive(scipy.linalg.expm)
rule(sqrtm, lambda g, y, A: solve_sylvester(_t(y), _t(y), g), jvps=[lambda g, y, A: solve_sylvester(y, y, g)])


def _expm(g, y, A):
    """The derivative of ``expm`` along ``g``: the upper right block of ``expm`` of a matrix of blocks."""
    n = np.shape(A)[-1]
    upper, lower = np.concatenate([A, g], axis=-1), np.concatenate([np.zeros_like(A), A], axis=-1)
    return expm(np.concatenate([upper, lower], axis=-2))[..., :n, n:]


rule(expm, lambda g, y, A: _expm(g, y, _t(A)), jvps=[_expm])

block_diag = primitive(scipy.linalg.block_diag)


def _block_diag(*arrs):
    blocks = [np.reshape(a, (1,) * (2 - np.ndim(a)) + np.shape(a)) for a in arrs]
    n, before, rows = sum(np.shape(a)[1] for a in blocks), 0, []
    for a in blocks:
        m, width = np.shape(a)
        rows.append(np.concatenate([np.zeros_like(a, shape=(m, before)), a,
                                    np.zeros_like(a, shape=(m, n - before - width))], axis=1))
        before += width
    return np.concatenate(rows)


definition(block_diag, _block_diag)
