"""Rules of the factorizations of np.linalg: cholesky, qr, eigh, eig, svd, and what follows from them.

Eigenvectors and singular vectors have a derivative only where no two eigenvalues or singular values agree (to
rounding): elsewhere their tangents, and gradients that come in for them, give nan. Gradients of the values alone are
right wherever there are any. Of complex vectors the phase is free, so only functions that do not depend on it have a
gradient; ``eig`` alone fixes one (the largest component is real), and its rule keeps to it. NumPy reads one triangle
of a symmetric matrix, so the gradient is in that triangle.

The formulas: Giles (2008), "An extended collection of matrix derivative results"; Townsend (2016), "Differentiating the
singular value decomposition"; Walter, Lehmann and Lamour (2012), "On evaluating higher-order derivatives of the QR
decomposition of tall matrices with full column rank".
"""

from typing import Any

import numpy as np

from ..registry import definition, rule
from .linalg import from_triangle, mH, mT, to_triangle, triangle


def _scaled(x, w):
    """The columns of ``x`` times ``w``."""
    return x * np.expand_dims(w, -2)


def _on_diagonal(w):
    return _scaled(np.eye(np.shape(w)[-1], dtype=np.result_type(w)), w)


def _diagonal(x):
    return np.einsum("...ii->...i", x)


def _quotient(x, d, zero):
    """``x / d``; where ``d`` is zero to rounding it is 0 if ``x`` is, and else nan, for there is no derivative."""
    return np.where(zero, np.where(x == 0, 0, np.nan), x / np.where(zero, 1, d))


def _over_gaps(x, w):
    """``x[i, j] / (w[j] - w[i])``, and 0 on the diagonal."""
    gaps = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    rounding = np.finfo(np.result_type(w)).eps * np.sum(np.abs(w), axis=-1)
    return _quotient(x * (1 - np.eye(np.shape(w)[-1], dtype=np.result_type(w))), gaps,
                     np.abs(gaps) <= np.expand_dims(rounding, (-2, -1)))


# Cholesky: a = y yᴴ

def _cholesky(g, y, a, /, *, upper=False):
    if upper:
        return mT(_cholesky(mT(g), mT(y), mT(a)))
    inverse = np.linalg.inv(y)
    return to_triangle(mT(inverse) @ triangle(mT(y) @ g) @ np.conj(inverse))


def _cholesky_forward(g, y, a, /, *, upper=False):
    if upper:
        return mT(_cholesky_forward(mT(g), mT(y), mT(a)))
    inverse = np.linalg.inv(y)
    return y @ triangle(inverse @ from_triangle(g) @ mH(inverse))


rule(np.linalg.cholesky, _cholesky, jvps=[_cholesky_forward])


# QR: the diagonal of r is real

def _qr_check(a, mode="reduced"):
    m, n = np.shape(a)[-2:]
    if mode == "raw" or (mode == "complete" and m > n):
        why = "the factors that LAPACK keeps" if mode == "raw" else f"the columns of q past the {n} of the matrix"
        raise TypeError(f"np.linalg.qr with mode={mode!r} has no derivative rule for {why}; write mode='reduced', or "
                        "pass v.data where no gradient is wanted")


def _first_columns(r):
    """The square part of ``r``, which must be invertible."""
    square = r[..., :np.shape(r)[-2]]
    sizes = np.abs(_diagonal(square))
    rounding = np.finfo(np.result_type(r)).eps * np.sum(sizes, axis=-1, keepdims=True)
    if np.any(sizes <= rounding):
        raise np.linalg.LinAlgError("np.linalg.qr has no derivative where the first columns, as many as there are in "
                                    "q, are linearly dependent (to rounding)")
    return square


def _qr(g, y, a, mode="reduced"):
    (q, r), (g_q, g_r) = (y, g) if mode != "r" else (np.linalg.qr(a), (None, g))
    k, n = np.shape(r)[-2:]
    x = -(g_r @ mT(r))
    back = np.conj(q) @ triangle(x - mH(x))
    if g_q is not None:
        turned = mT(q) @ g_q
        x = x + turned
        back = np.conj(q) @ (triangle(x - mH(x)) - turned) + g_q
    back = mT(np.linalg.solve(_first_columns(r), mT(back)))
    if n > k:  # q depends on the first columns alone
        back = np.pad(back, [(0, 0)] * (np.ndim(a) - 1) + [(0, n - k)])
    return back + np.conj(q) @ g_r


def _qr_forward(g, y, a, mode="reduced"):
    q, r = y if mode != "r" else np.linalg.qr(a)
    k = np.shape(r)[-2]
    moved = mT(np.linalg.solve(mT(_first_columns(r)), mT(g[..., :k])))
    inside = mH(q) @ moved
    turn = triangle(inside)
    turn = turn - mH(turn)
    tangent_r = mH(q) @ g - turn @ r
    return tangent_r if mode == "r" else [moved - q @ (inside - turn), tangent_r]


rule(np.linalg.qr, _qr, jvps=[_qr_forward], check=_qr_check)


# Symmetric and Hermitian eigenvalues: a = v diag(w) vᴴ

def _eigh(g, y, a, UPLO="L"):
    (w, v), (g_w, g_v) = y, g
    inner = _on_diagonal(g_w) + _over_gaps(mT(v) @ g_v, w)
    return to_triangle(np.conj(v) @ inner @ mT(v), UPLO in "uU")


def _eigh_forward(g, y, a, UPLO="L"):
    w, v = y
    inner = mH(v) @ from_triangle(g, UPLO in "uU") @ v
    return [np.real(_diagonal(inner)), v @ _over_gaps(inner, w)]


rule(np.linalg.eigh, _eigh, jvps=[_eigh_forward])


def _eigvalsh(a, UPLO: Any = "L"):
    return np.linalg.eigh(a, UPLO)[0]


definition(np.linalg.eigvalsh, _eigvalsh)


# Eigenvalues of any matrix: a v = v diag(w), each column of v of length 1 with a real largest component

def _independent(v):
    """Eigenvectors, unless they are so close to dependent that no digit of a derivative would be right."""
    if np.size(v) and np.any(np.linalg.cond(v) > 0.1 / np.sqrt(np.finfo(np.result_type(v)).eps)):
        raise np.linalg.LinAlgError("np.linalg.eig has no derivative at a defective matrix, whose eigenvectors are "
                                    "linearly dependent (to rounding)")
    return v


def _anchors(v):
    """1 over the largest component of each eigenvector, at its place, and 0 elsewhere."""
    size = np.abs(v) * (np.imag(v) == 0)
    largest = np.expand_dims(np.arange(np.shape(v)[-1]), -1) == np.expand_dims(np.argmax(size, axis=-2), -2)
    return np.where(largest, 1 / np.where(largest, v, 1), 0)


def _eig(g, y, a):
    (w, v), (g_w, g_v) = (y[0], _independent(y[1])), g
    if not np.size(v):
        return g_v
    along = np.expand_dims(np.sum(g_v * v, axis=-2), -2)
    g_v = g_v - np.conj(v) * np.real(along)
    if np.iscomplexobj(v):
        g_v = g_v - _anchors(v) * (1j * np.imag(along))
    inner = _on_diagonal(g_w) + _over_gaps(mT(v) @ g_v, w)
    return np.linalg.solve(mT(v), inner) @ mT(v)


def _eig_forward(g, y, a):
    w, v = y[0], _independent(y[1])
    if not np.size(v):
        return [w, v]
    inner = np.linalg.solve(v, g @ v)
    moved = v @ _over_gaps(inner, w)
    back = np.real(np.sum(np.conj(v) * moved, axis=-2))
    if np.iscomplexobj(v):
        back = back + 1j * np.imag(np.sum(_anchors(v) * moved, axis=-2))
    return [_diagonal(inner), moved - _scaled(v, back)]


def _eigvals(a):
    """Those of ``eig``, in the order of ``eigvals``, which may be another."""
    w = np.linalg.eig(a)[0]
    n = np.shape(w)[-1]
    if not n:
        return w
    apart = np.abs(np.expand_dims(np.linalg.eigvals(a), -1) - np.expand_dims(w, -2))
    nearest = np.argmin(apart + 1e-8 * np.expand_dims(np.max(np.abs(w), axis=-1), (-2, -1)) * (1 - np.eye(n)), axis=-1)
    return np.sum(np.expand_dims(w, -2) * (np.expand_dims(nearest, -1) == np.arange(n)), axis=-1)


rule(np.linalg.eig, _eig, jvps=[_eig_forward])
definition(np.linalg.eigvals, _eigvals)


# Singular values: a = u diag(s) vh

def _svd_check(a, full_matrices=True, compute_uv=True, hermitian=False):
    m, n = np.shape(a)[-2:]
    if full_matrices and compute_uv and m != n:
        raise TypeError(f"np.linalg.svd with full_matrices=True of matrices of shape {(m, n)} has no derivative rule: "
                        "the vectors past the singular values are not unique; write full_matrices=False, or "
                        "np.linalg.svdvals where the values are all that is wanted")


def _svd(g, y, a, full_matrices=True, compute_uv=True, hermitian=False):
    if not compute_uv:
        y = np.linalg.svd(a, full_matrices=False, hermitian=hermitian)
        if not hermitian:
            return _scaled(np.conj(y[0]), g) @ np.conj(y[2])
        g = np.zeros_like(y[0]), g, np.zeros_like(y[2])
    (u, s, vh), (g_u, g_s, g_vh) = y, g
    if hermitian:  # eigenvectors u, whose eigenvalues' signs went to vh
        sign = np.real(_diagonal(vh @ u))
        return _eigh((sign * g_s, g_u + _scaled(mH(g_vh), sign)), (sign * s, u), a)
    v, g_v = mH(vh), mH(g_vh)
    in_u, in_v = mT(u) @ g_u, mT(v) @ g_v
    inner = _on_diagonal(g_s)
    rounding = _rounding(s)
    if np.iscomplexobj(a):  # the phase between u and v turns u
        inner = inner + _on_diagonal(1j * _quotient(np.imag(_diagonal(in_u)), s, s <= rounding))
    turn_u, turn_v = _over_gaps_of_squares(in_u, s), _over_gaps_of_squares(in_v, s)
    inner = inner + _scaled(turn_u + mH(turn_u), s) + mT(_scaled(mT(turn_v + mH(turn_v)), s))
    back = np.conj(u) @ inner @ np.conj(vh)
    zero = np.expand_dims(s <= rounding, -2)
    if np.shape(u)[-2] > np.shape(s)[-1]:
        back = back + _quotient(g_u - np.conj(u) @ in_u, np.expand_dims(s, -2), zero) @ np.conj(vh)
    if np.shape(v)[-2] > np.shape(s)[-1]:
        back = back + np.conj(u) @ mH(_quotient(g_v - np.conj(v) @ in_v, np.expand_dims(s, -2), zero))
    return back


def _svd_forward(g, y, a, full_matrices=True, compute_uv=True, hermitian=False):
    u, s, vh = y if compute_uv else np.linalg.svd(a, full_matrices=False, hermitian=hermitian)
    if hermitian:
        sign = np.real(_diagonal(vh @ u))
        g_w, g_u = _eigh_forward(g, (sign * s, u), a)
        return [g_u, sign * g_w, mH(_scaled(g_u, sign))] if compute_uv else sign * g_w
    v = mH(vh)
    inner = mH(u) @ g @ v
    tangent_s = np.real(_diagonal(inner))
    if not compute_uv:
        return tangent_s
    rounding = _rounding(s)
    zero = np.expand_dims(s <= rounding, -2)
    one, other = _scaled(inner, s), mT(_scaled(mT(inner), s))
    turn_u, turn_v = (_over_gaps_of_squares(one + mH(one), s), _over_gaps_of_squares(other + mH(other), s))
    if np.iscomplexobj(a):
        turn_u = turn_u + _on_diagonal(1j * _quotient(np.imag(_diagonal(inner)), s, s <= rounding))
    tangent_u, tangent_v = u @ turn_u, v @ turn_v
    if np.shape(u)[-2] > np.shape(s)[-1]:
        tangent_u = tangent_u + _quotient(g @ v - u @ inner, np.expand_dims(s, -2), zero)
    if np.shape(v)[-2] > np.shape(s)[-1]:
        tangent_v = tangent_v + _quotient(mH(g) @ u - v @ mH(inner), np.expand_dims(s, -2), zero)
    return [tangent_u, tangent_s, mH(tangent_v)]


def _rounding(s):
    return np.expand_dims(np.finfo(np.result_type(s)).eps * np.sum(s, axis=-1), -1)


def _over_gaps_of_squares(x, s):
    """``x[i, j] / (s[j]² - s[i]²)``, and 0 on the diagonal."""
    sums = np.expand_dims(s, -2) + np.expand_dims(s, -1)
    return _over_gaps(x, s) / np.where(sums == 0, 1, sums)


rule(np.linalg.svd, _svd, jvps=[_svd_forward], check=_svd_check)
definition(np.linalg.svdvals, lambda x, /: np.linalg.svd(x, compute_uv=False))
