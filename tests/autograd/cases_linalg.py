"""Cases of np.linalg: factorizations, determinants, inverses, equations, norms, and products."""

from typing import Any

import numpy as np

from autograd.rules.linalg import cofactors, pseudoinverse
from autograd.rules.norms import length
from tests.autograd.cases import case
from tests.autograd.rows import apart, real

__all__ = ["CASES"]

la: Any = np.linalg


# Domains: matrices that are far from the points where a function has no derivative

def complex_real(rng, shape):
    return real(rng, shape) + 1j * real(rng, shape)


def regular(rng, shape):
    """Of full rank, with eigenvalues, singular values and leading minors well apart."""
    m, n = shape[-2:]
    return np.eye(m, n) * (1.5 + np.arange(n)) + 0.1 * real(rng, shape)


def regular_complex(rng, shape):
    return regular(rng, shape) + 0.1j * real(rng, shape)


def symmetric(rng, shape):
    """Positive definite, but in the triangle below alone; above there is something else."""
    return regular(rng, shape) + np.triu(real(rng, shape), 1)


def hermitian(rng, shape):
    """As ``symmetric``; the diagonal is not even real."""
    return symmetric(rng, shape) + 0.1j * real(rng, shape)


def both_signs(rng, shape):
    """Symmetric below the diagonal, with eigenvalues of both signs, whose absolute values differ."""
    return symmetric(rng, shape) * np.where(np.arange(shape[-1]) % 2, -1, 1)


def turning(rng, shape):
    """Real matrices with pairs of complex eigenvalues."""
    a = 0.1 * real(rng, shape)
    i = np.arange(0, shape[-1] - 1, 2)
    a[..., i, i + 1] += 1
    a[..., i + 1, i] -= 1
    return a + np.eye(shape[-1]) * (1 + np.arange(shape[-1]) // 2 * 2)


def batch(b, *shape):
    """A stack of matrices, or one."""
    return shape if b == 1 else (b, *shape)


def squares(n, b):
    return [batch(b, n, n)]


def rectangles(m, n, b):
    return [batch(b, m, n)]


# LAPACK may change the sign of a vector, or the order of ``eig``, between two matrices that are close to each other: so
# the values are sorted here, and the diagonal is made positive.

def signed(w, v):
    return w, v * np.sign(np.real(np.einsum("...ii->...i", v)))[..., None, :]


def in_order(w, v):
    places = np.argsort(np.real(w), axis=-1)[..., None, :] == np.arange(np.shape(w)[-1])[:, None]
    return (w[..., None, :] @ places)[..., 0, :], v @ places


def svd_signed(a, **options):
    u, s, vh = la.svd(a, **options)
    sign = np.sign(np.einsum("...ii->...i", u[..., : np.shape(s)[-1], :]))
    return u * sign[..., None, :], s, vh * sign[..., None]


# What does not depend on the phase of complex vectors

def rebuilt(vectors, others):
    """The sum of the products of pairs of vectors, each times a number of its own."""
    return vectors * np.cos(np.arange(1.0, 1 + np.shape(vectors)[-1])) @ others


def mH(x):
    return np.conj(np.swapaxes(x, -1, -2))


def eigh_free(a):
    (w, v), (_, other) = la.eigh(a), la.eigh(np.swapaxes(a, -1, -2), UPLO="U")
    return w, rebuilt(v, mH(v)), rebuilt(other, mH(other))


def eig_free(a):
    w, v = la.eig(a)
    return w, rebuilt(v, la.inv(v)), np.real(v * np.conj(v))


def svd_free(a, hermitian=False):
    u, s, vh = la.svd(a, full_matrices=False, hermitian=hermitian)
    return rebuilt(u, mH(u)), s, rebuilt(u, vh), rebuilt(mH(vh), vh), la.svd(a, compute_uv=False, hermitian=hermitian)


def cholesky(a):
    return la.cholesky(a), la.cholesky(np.swapaxes(a, -1, -2), upper=True)


def qr(a):
    return *la.qr(a), la.qr(a, mode="r")


def lstsq(a, b):
    x, residuals, _, s = la.lstsq(a, b)
    return x, residuals, s


def pinv_of_low_rank(a, b):
    """Of a product, whose rank is lower than its sizes."""
    return la.pinv(a @ b, rtol=1e-4)


def each(*calls):
    """All of the calls in one."""
    return lambda *arrays: tuple(call(*arrays) for call in calls)


def orders(norm, ps, **options):
    return each(*(lambda x, p=p: norm(x, p, **options) for p in ps))


MATRICES: Any = {"domain": regular, "complex": regular_complex}
SYSTEM: Any = {"domain": [regular, real], "complex": [regular_complex, complex_real]}

EQUATIONS = [
    *[case(f, squares, analytic=True, **MATRICES) for f in (la.inv, la.det)],
    case(la.slogdet, squares, domain=turning, complex=regular_complex),
    case(la.solve, lambda n, k, b, c: [batch(b, n, n), (c, 1, n, k)], analytic=True, **SYSTEM),
    case(la.solve, lambda n, b: [batch(b, n, n), (n,)], name="vector", analytic=True, **SYSTEM),
    case(la.pinv, rectangles, **MATRICES),
    case(la.pinv, lambda m, n: [(m + 1, 1), (1, n + 1)], pinv_of_low_rank, name="low rank", complex=complex_real),
    case(la.pinv, lambda m, n: [(m + 2, n + 2)], lambda a: la.pinv(a, 0.5), name="cut off", **MATRICES),
    case(la.pinv, squares, lambda a: la.pinv(a, hermitian=True), name="hermitian", domain=both_signs,
         complex=hermitian),
    case(la.lstsq, lambda m, n, k: [(m + n, n), (m + n, k)], lstsq, **SYSTEM),
    case(la.lstsq, lambda m, n: [(m, m + n), (m,)], lstsq, name="wide", **SYSTEM),
    case(la.tensorinv, lambda n: [(2 * n, 2 * n)], lambda a: la.tensorinv(np.reshape(a, (2, -1, a.shape[-1]))),
         analytic=True, **MATRICES),
    case(la.tensorsolve, lambda: [(6, 6), (2, 3)], each(
        lambda a, b: la.tensorsolve(np.reshape(a, (2, 3, 2, 3)), b),
        lambda a, b: la.tensorsolve(np.reshape(a, (2, 3, 2, 3)), b, axes=(1, 0))), **SYSTEM),
    case(la.matrix_power, squares, each(*(lambda a, n=n: la.matrix_power(a, n) for n in (-3, 0, 6))), **MATRICES),
    case(la.cond, squares, orders(la.cond, (None, -2, "fro")), **MATRICES),
]

FACTORIZATIONS = [
    case(la.cholesky, squares, cholesky, domain=symmetric, complex=hermitian),
    case(la.qr, rectangles, qr, **MATRICES),
    case(la.qr, lambda m, n, b: [batch(b, m, m + n - 1)], lambda a: la.qr(a, mode="complete"), name="complete",
         **MATRICES),
    case(la.eigh, squares, lambda a: signed(*la.eigh(a)), domain=symmetric),
    case(la.eigh, squares, eigh_free, name="without phase", domain=symmetric, complex=hermitian),
    case(la.eigvalsh, squares, domain=symmetric, complex=hermitian),
    case(la.eig, squares, lambda a: signed(*in_order(*la.eig(a))), **MATRICES),
    case(la.eig, squares, eig_free, name="turning, without phase", domain=turning),
    case(la.eigvals, squares, domain=turning),
    case(la.eigvals, squares, lambda a: np.stack([np.sum(la.eigvals(a) ** k, axis=-1) for k in (1, 2, 3)]),
         name="in any order", domain=turning, complex=regular_complex),  # LAPACK's may change between near matrices
    case(cofactors, squares, **MATRICES),
    case(pseudoinverse, rectangles, lambda a: pseudoinverse(a, 1e-10), **MATRICES),
    case(length, rectangles, lambda x: length(x, (0, -1)), complex=True),
    case(la.svd, rectangles, lambda a: svd_signed(a, full_matrices=False), domain=regular),
    case(la.svd, squares, svd_signed, name="square", domain=regular),
    case(la.svd, rectangles, svd_free, name="without phase", **MATRICES),
    case(la.svd, squares, lambda a: svd_free(a, hermitian=True), name="hermitian", domain=both_signs,
         complex=hermitian),
    case(la.svdvals, rectangles, **MATRICES),
]


def apart_from_zero(rng, shape):
    """Of both signs, and absolute values of which no two agree."""
    return (apart(rng, shape) + 4.0) * rng.choice([-1.0, 1.0], shape)


def apart_complex(rng, shape):
    return apart_from_zero(rng, shape) * np.exp(1j * real(rng, shape))


NORMS = [
    case(la.norm, 1, complex=complex_real),
    case(la.norm, lambda m, n, k: [(m, n, k)], orders(la.norm, (None, 0, 1, 3, -1.5, np.inf), axis=1),
         name="vectors", domain=apart_from_zero, complex=apart_complex),
    case(la.norm, lambda m, n, k: [(m, n, k)], orders(la.norm, (2, 0.5, -np.inf), axis=(-3,), keepdims=True),
         name="vectors, keepdims", domain=apart_from_zero),
    case(la.norm, lambda m, n: [(m, n)], orders(la.norm, ("fro", "nuc", 2, -2, 1, np.inf)), name="matrices",
         domain=regular, complex=regular_complex),
    case(la.norm, lambda m, n, k: [(m, n, k)], orders(la.norm, (1, -1, np.inf, -np.inf, "nuc"), axis=(2, -3)),
         name="matrices along axes"),
    case(la.norm, lambda m, n, k: [(m, n, k)], orders(la.norm, (None, 2, -1), axis=(0, -1), keepdims=True),
         name="matrices, keepdims"),
    case(la.vector_norm, lambda m, n, k: [(m, n, k)], each(
        lambda x: la.vector_norm(x, axis=(0, 2), ord=3), lambda x: la.vector_norm(x, keepdims=True)), complex=True),
    case(la.matrix_norm, rectangles, each(la.matrix_norm, lambda x: la.matrix_norm(x, ord=2, keepdims=True)),
         domain=regular),
]

BILINEAR: Any = {"complex": True, "analytic": True}

PRODUCTS = [
    case(la.multi_dot, lambda i, j, k, m: [(i, j), (j, k), (k, m)], lambda *xs: la.multi_dot(xs), **BILINEAR),
    case(la.multi_dot, lambda i, j, k: [(i,), (i, j), (j, k), (k,)], lambda *xs: la.multi_dot(xs), name="vectors",
         second=False),  # it is that of matrices
    case(la.outer, lambda m, n: [(m,), (n,)], **BILINEAR),
    case(la.matmul, lambda m, n, k, b: [batch(b, m, n), (n, k)], **BILINEAR),
    case(la.cross, lambda m, n: [(m, 3, n), (3, n)], lambda a, b: la.cross(a, b, axis=-2), **BILINEAR),
    case(la.vecdot, lambda m, n, k: [(m, n, k), (n, 1)], lambda a, b: la.vecdot(a, b, axis=-2), complex=True),
    case(la.tensordot, lambda m, n, k: [(m, n, k), (n, k, m)], each(
        la.tensordot, lambda a, b: la.tensordot(a, b, axes=((0, -1), (-1, -2)))), complex=True),
    case(la.diagonal, rectangles, each(la.diagonal, lambda x: la.diagonal(x, offset=1)), complex=True),
    case(la.trace, rectangles, each(la.trace, lambda x: la.trace(x, offset=-1)), complex=True),
    case(la.matrix_transpose, rectangles, **BILINEAR),
]

CASES = [*EQUATIONS, *FACTORIZATIONS, *NORMS, *PRODUCTS]
