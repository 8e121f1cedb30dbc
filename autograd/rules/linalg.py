"""Rules of np.linalg: determinants, inverses, linear equations, and the functions made of them.

A singular matrix has no inverse, and so raises ``LinAlgError`` in most rules here; only ``det`` has a first derivative
there. The formulas are those of Giles (2008), "An extended collection of matrix derivative results"; of ``pinv``, those
of Golub and Pereyra (1973).
"""

import math
from functools import reduce
from typing import Any

import numpy as np

from ..record import primitive
from ..registry import definition, linear_rule, nondifferentiable, rule

nondifferentiable(np.linalg.matrix_rank)


def mT(x):
    """The matrices transposed."""
    return np.swapaxes(x, -1, -2)


def mH(x):
    """The matrices transposed and conjugated."""
    return np.conj(mT(x))


def triangle(x, upper=False):
    """A triangle of ``x``, and half of its diagonal: a Hermitian matrix is that plus its own conjugate transpose."""
    dtype = np.finfo(np.result_type(x)).dtype
    half = np.tri(np.shape(x)[-1], k=-1, dtype=dtype) + np.eye(np.shape(x)[-1], dtype=dtype) / 2
    return x * (half.T if upper else half)


def from_triangle(x, upper=False):
    """The Hermitian matrix of which NumPy reads one triangle alone."""
    x = triangle(x, upper)
    return x + mH(x)


def to_triangle(g, upper=False):
    """The transpose of ``from_triangle``: the gradient is in the triangle that is read."""
    return triangle(g + mH(g), upper)


def _trace_of_product(a, b):
    return np.sum(mT(a) * b, axis=(-2, -1))


def _matrices(g):
    """Numbers, one for each matrix, to multiply the matrices with."""
    return np.expand_dims(g, (-2, -1))


# Determinants

@primitive
def cofactors(a):
    """The derivative of the determinant, also where ``a`` is singular: det(a) · inv(a)ᵀ elsewhere."""
    u, s, vh = np.linalg.svd(a)
    others = np.prod(np.where(np.eye(np.shape(a)[-1], dtype=bool), 1, s[..., None, :]), axis=-1)
    turned = np.conj(u) * others[..., None, :] @ np.conj(vh)
    return _matrices(np.linalg.det(u) * np.linalg.det(vh)) * turned


definition(cofactors, lambda a: _matrices(np.linalg.det(a)) * mT(np.linalg.inv(a)))
rule(np.linalg.det, lambda g, y, a: _matrices(g) * cofactors(a),
     jvps=[lambda g, y, a: np.sum(cofactors(a) * g, axis=(-2, -1))])


def _slogdet(g, y, a):
    g_sign, g_log = g
    if np.iscomplexobj(a):  # the sign turns with the imaginary part of what the logarithm takes the real part of
        g_log = g_log + 1j * np.imag(g_sign * y[0])
    return _matrices(g_log) * mT(np.linalg.inv(a))


def _slogdet_forward(g, y, a):
    moved = _trace_of_product(np.linalg.inv(a), g)
    return [1j * np.imag(moved) * y[0] if np.iscomplexobj(a) else np.zeros_like(moved), np.real(moved)]


rule(np.linalg.slogdet, _slogdet, jvps=[_slogdet_forward])


# Inverses and linear equations
rule(np.linalg.inv, lambda g, y, a: -(mT(y) @ g @ mT(y)), jvps=[lambda g, y, a: -(y @ g @ y)])


def _column(b, like):
    """``b`` as columns, where ``like``, the right side that a user gave, is one vector."""
    return np.expand_dims(b, -1) if np.ndim(like) == 1 else b


def _solved(a, columns, b):
    y = np.linalg.solve(a, _column(columns, b))
    return y[..., 0] if np.ndim(b) == 1 else y


rule(np.linalg.solve,
     lambda g, y, a, b: -(_column(_solved(mT(a), g, b), b) @ mT(_column(y, b))),
     lambda g, y, a, b: _solved(mT(a), g, b),
     jvps=[lambda g, y, a, b: -_solved(a, (g @ _column(y, b))[..., 0] if np.ndim(b) == 1 else g @ y, b),
           lambda g, y, a, b: np.linalg.solve(a, g)])


@primitive
def pseudoinverse(a, rtol):
    """``np.linalg.pinv`` of a matrix of which it drops nothing but zeros, and whose rank stays."""
    return np.linalg.pinv(a, rtol=rtol)


def _pseudoinverse(g, y, a, rtol):
    n, m = np.shape(y)[-2:]
    left, right = np.eye(m, dtype=np.result_type(y)) - a @ y, np.eye(n, dtype=np.result_type(y)) - y @ a
    return (np.conj(left) @ mH(g) @ np.conj(y @ mH(y)) + np.conj(mH(y) @ y) @ mH(g) @ np.conj(right)
            - mT(y) @ g @ mT(y))


def _pseudoinverse_forward(g, y, a, rtol):
    n, m = np.shape(y)[-2:]
    left, right = np.eye(m, dtype=np.result_type(y)) - a @ y, np.eye(n, dtype=np.result_type(y)) - y @ a
    return y @ mH(y) @ mH(g) @ left + right @ mH(g) @ mH(y) @ y - y @ g @ y


rule(pseudoinverse, _pseudoinverse, jvps=[_pseudoinverse_forward])


def _pinv_cut(a, rtol):
    """The pseudoinverse of ``a`` less the singular values up to ``rtol`` times the largest.

    Where that is more than zeros, its derivative is that of the svd: nan if two of those kept are equal.
    """
    rank = np.linalg.matrix_rank(a, rtol=rtol)
    floor = max(np.shape(a)[-2:]) * np.finfo(np.result_type(a)).eps
    if np.any(rank < np.linalg.matrix_rank(a, rtol=floor)):  # more than zeros is cut off
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        kept = np.arange(np.shape(s)[-1]) < np.expand_dims(rank, -1)
        a = u * np.expand_dims(np.where(kept, s, 0), -2) @ vh
        rtol = np.maximum(rtol, floor)
    return pseudoinverse(a, rtol)


def _pinv(a, rcond=None, hermitian=False, *, rtol=1e-15):
    if not np.size(a):
        return mT(a)
    if rcond is None:
        rcond = max(np.shape(a)[-2:]) * np.finfo(np.result_type(a)).eps if rtol is None else rtol
    return _pinv_cut(from_triangle(a) if hermitian else a, rcond)


definition(np.linalg.pinv, _pinv)


def _lstsq(a, b, rcond=None):
    a, b = (np.array(x) if isinstance(x, (list, tuple)) else x for x in (a, b))
    m, n = np.shape(a)
    eps = np.finfo(np.result_type(a, b)).eps
    rcond = eps * max(m, n) if rcond is None else eps if rcond < 0 else rcond
    rank = np.linalg.matrix_rank(a, rtol=rcond) if np.size(a) else 0
    x = (_pinv_cut(a, rcond) if np.size(a) else mT(a)) @ b
    off = _column(b - a @ x, b)
    residuals = np.sum(np.real(np.conj(off) * off), axis=0) if rank == n < m else np.empty(0)
    return x, residuals, rank, np.linalg.svd(a, compute_uv=False)


definition(np.linalg.lstsq, _lstsq)


def _tensorsolve(a, b, axes=None):
    if axes is not None:
        moved = [i % np.ndim(a) for i in axes]
        a = np.transpose(a, [i for i in range(np.ndim(a)) if i not in moved] + moved)
    wanted = np.shape(a)[np.ndim(b):]
    rows = math.prod(wanted)
    return np.reshape(np.linalg.solve(np.reshape(a, (rows, rows)), np.ravel(b)), wanted)


def _tensorinv(a, ind=2):
    shape = np.shape(a)
    rows = math.prod(shape[ind:])
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, rows))), shape[ind:] + shape[:ind])


definition(np.linalg.tensorsolve, _tensorsolve)
definition(np.linalg.tensorinv, _tensorinv)


# Products

def _matrix_power(a, n):
    a, n = (np.linalg.inv(a), -n) if n < 0 else (a, n)
    factors = []
    while n:  # the bits of n tell which of a, a², a⁴, ... to multiply
        factors += [a] if n % 2 else []
        n //= 2
        a = a @ a if n else a
    return reduce(np.matmul, factors) if factors else np.zeros_like(a) + np.eye(np.shape(a)[-1])


def _multi_dot(arrays):
    """The chain as one einsum, which finds a good order, also for its gradients."""
    chain, first = [], int(np.ndim(arrays[0]) == 2)
    for i, x in enumerate(arrays):
        chain += [x, list(range(i, i + 2)) if np.ndim(x) == 2 else [max(i, 1)]]
    ends = [0] * first + [len(arrays)] * (np.ndim(arrays[-1]) == 2)
    return np.einsum(*chain, ends, optimize=True)


definition(np.linalg.matrix_power, _matrix_power)
definition(np.linalg.multi_dot, _multi_dot, joins=True)


# Functions of the main namespace that np.linalg has under the same name

def _tensordot(x1, x2, /, *, axes: Any = 2):
    if not np.iterable(axes):
        axes = range(np.ndim(x1) - axes, np.ndim(x1)), range(axes)
    ones, twos = ([i] if np.ndim(i) == 0 else i for i in axes)
    left = list(range(np.ndim(x1)))
    right = [len(left) + j for j in range(np.ndim(x2))]
    for i, j in zip(ones, twos, strict=True):
        right[j] = left[i]
    return np.einsum(x1, left, x2, right, [k for k in left + right if (k in left) != (k in right)], optimize=True)


def _cross(x1, x2, /, *, axis=-1):
    x1, x2 = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    signs = np.zeros((3, 3, 3), np.result_type(x1, x2))
    signs[[0, 1, 2], [1, 2, 0], [2, 0, 1]], signs[[0, 2, 1], [2, 1, 0], [1, 0, 2]] = 1, -1
    return np.moveaxis(np.einsum("ijk,...j,...k->...i", signs, x1, x2), -1, axis)


def _diagonal(x, /, *, offset=0):
    rows, columns = np.shape(x)[-2:]
    down, right = max(-offset, 0), max(offset, 0)
    i = np.arange(max(min(rows - down, columns - right), 0))
    return x[..., i + down, i + right]


definition(np.linalg.matmul, lambda x1, x2, /: x1 @ x2)
linear_rule(np.linalg.matrix_transpose, lambda g, y, x, /: mT(g))
definition(np.linalg.outer, lambda x1, x2, /: np.expand_dims(x1, -1) * x2)
definition(np.linalg.vecdot, lambda x1, x2, /, *, axis=-1: np.einsum(
    "...i,...i->...", np.conj(np.moveaxis(x1, axis, -1)), np.moveaxis(x2, axis, -1)))
definition(np.linalg.tensordot, _tensordot)
definition(np.linalg.cross, _cross)
definition(np.linalg.diagonal, _diagonal)
definition(np.linalg.trace, lambda x, /, *, offset=0, dtype=None: np.sum(
    _diagonal(x, offset=offset), axis=-1, dtype=dtype))
