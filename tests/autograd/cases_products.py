"""Cases of matrix and tensor products, and of the numerical calculus that is built from them."""

import numpy as np

from tests.autograd import cases_calculus, cases_polynomials
from tests.autograd.cases import Case, case

__all__ = ["CASES"]

CONJUGATES = ("vdot", "vecdot", "vecmat")


def product(function, shapes, call=None, name="") -> Case:
    return case(function, shapes, call, name=name, complex=True, analytic=function.__name__ not in CONJUGATES)


EINSUM = [
    ("ij,jk->ik", lambda i, j, k: [(i, j), (j, k)]), ("ji,jk", lambda i, j, k: [(j, i), (j, k)]),
    ("bij,bjk->bik", lambda b, i, j, k: [(b, i, j), (b, j, k)]), ("ij,kn->k", lambda i, j, k, n: [(i, j), (k, n)]),
    ("ii,i->i", lambda i: [(i, i), (i,)]), ("iij->j", lambda i, j: [(i, i, j)]),
    ("iii,ij->", lambda i, j: [(i,) * 3, (i, j)]),
    ("ij,jk,kn->in", lambda i, j, k, n: [(i, j), (j, k), (k, n)]), ("->", lambda: [()]), (",->", lambda: [(), ()]),
    ("...ij,...j", lambda a, i, j: [(a, i, j), (1, j)]), ("i...,...i->...", lambda i, a, b: [(i, b), (a, 1, i)]),
    ("ij,ij->j", lambda i, j: [(1, j), (i, j)]), ("i,,ij->j", lambda i, j: [(i,), (), (1, j)]),
]

CASES = [
    product(np.matmul, lambda m, k, n: [(m, k), (k, n)]),
    product(np.matmul, lambda a, m, k, n: [(a, m, k), (k, n)], name="many by one"),
    product(np.matmul, lambda a, m, k, n: [(m, k), (2, a, k, n)], name="one by many"),
    product(np.matmul, lambda a, k, n: [(k,), (a, k, n)], name="vector by many"),
    product(np.matmul, lambda a, m, k: [(a, m, k), (k,)], name="many by vector"),
    product(np.matmul, lambda a, m, k, n: [(k, a, m), (n, k)], name="axes",
            call=lambda a, b: np.matmul(a, b, axes=[(2, 0), (-1, 0), (1, 0)])),
    product(np.dot, lambda a, m, k, n: [(a, m, k), (2, k, n)]),
    product(np.dot, lambda k: [(k,), (k,)], name="of vectors"),
    product(np.dot, lambda m, k: [(), (m, k)], name="with a number"),
    product(np.inner, lambda a, m, k, n: [(a, m, k), (n, k)]),
    product(np.inner, lambda m, k: [(m, k), ()], name="with a number"),
    product(np.outer, lambda m, k, n: [(m, k), (n,)]),
    product(np.vdot, lambda m, k: [(m, k), (k * m,)]),
    product(np.vecdot, lambda a, m, k: [(a, 1, k), (m, k)]),
    product(np.vecdot, lambda a, m, k: [(k, a), (m, k, 1)], lambda a, b: np.vecdot(a, b, axis=-2, keepdims=True),
            name="axis, keepdims"),
    product(np.vecdot, lambda a, m, k: [(k, a), (m, 1, k)], lambda a, b: np.vecdot(a, b, axes=[0, 2], keepdims=True),
            name="axes, keepdims"),
    *([product(np.matvec, lambda a, m, k: [(m, k), (a, k)]),
       product(np.matvec, lambda a, b, m, k: [(k, a, m), (b, 1, k)], name="axes",
               call=lambda a, x: np.matvec(a, x, axes=[(2, 0), -1, 0])),
       product(np.vecmat, lambda a, m, k: [(k,), (a, k, m)]),
       product(np.vecmat, lambda a, b, m, k: [(b, k, 1), (k, a, m)], name="axes",
               call=lambda x, a: np.vecmat(x, a, axes=[1, (0, -1), 1]))] if hasattr(np, "matvec") else []),
    product(np.tensordot, lambda m, j, k, n: [(m, j, k), (j, k, n)]),
    product(np.tensordot, lambda m, j, n: [(m, j), (n,)], lambda a, b: np.tensordot(a, b, 0), name="of no axes"),
    product(np.tensordot, lambda m, j, n: [(m, j), (n, m)], lambda a, b: np.tensordot(a, b, (0, -1)), name="one axis"),
    product(np.tensordot, lambda m, j, k, n: [(j, m, k), (k, n, 2, j)], name="of two axes",
            call=lambda a, b: np.tensordot(a, b, axes=((-3, 2), (3, 0)))),
    product(np.tensordot, lambda i, j, k: [(i, j, k), (k, i, j)], name="of all axes",
            call=lambda a, b: np.tensordot(a, b, axes=([0, 1, 2], [1, 2, 0]))),
    product(np.kron, lambda i, j, k, n: [(i, j), (k, n)]),
    product(np.kron, lambda i, j, k: [(i, 2, j), (k,)], name="of different ranks"),
    product(np.kron, lambda i, j: [(), (i, j)], name="with a number"),
    product(np.cross, lambda a, b: [(a, 1, 3), (b, 3)]),
    product(np.cross, lambda a, b, c: [(3, a), (b, 3, 1)], lambda a, b: np.cross(a, b, 0, 1, axisc=1), name="axes"),
    product(np.cross, lambda a, b: [(3, a), (3, a)], lambda a, b: np.cross(a, b, axis=0), name="axis"),
    *[product(np.einsum, shapes, lambda *arrays, s=s: np.einsum(s, *arrays), name=s) for s, shapes in EINSUM],
    product(np.einsum, lambda i, j, k: [(i, j), (j, k, k)], name="lists",
            call=lambda a, b: np.einsum(a, [..., 5], b, [5, 0, 0], [0, ...])),
    product(np.einsum, lambda i, j, k: [(i, j), (j, k), (k,)], name="optimize",
            call=lambda a, b, c: np.einsum("ij,jk,k->i", a, b, c, optimize=True)),
    case(np.einsum, lambda i, j, k: [(i, j), (j, k)], name="dtype", float32=False,  # float64 it is
         call=lambda a, b: np.einsum("ij,jk->ik", a, b, dtype=np.complex128, order="F", casting="same_kind")),
    *cases_calculus.CASES, *cases_polynomials.CASES,
]
