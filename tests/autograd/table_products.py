"""Rows of products: matmul and dot for every pair of ranks, outer, einsum in all its forms, the affine map."""

import operator

import numpy as np

from autograd.functions import affine
from tests.autograd.rows import complex_numbers, real, row

__all__ = ["ROWS"]

MATMUL = [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((3,), (2, 3, 4)), ((2, 4, 3), (3,)),
    ((2, 3), (2, 3, 4)), ((2, 2, 3), (3, 2)), ((2, 2, 3), (2, 3, 2)), ((1, 2, 3), (3, 3, 2)), ((2, 2, 3), (1, 3, 2)),
    ((3,), (2, 1, 3, 2)), ((2, 1, 2, 3), (3,)), ((2, 3), (2, 1, 3, 2)), ((2, 1, 2, 3), (3, 2)),
    ((2, 1, 2, 3), (2, 3, 2)), ((2, 2, 3), (2, 1, 3, 2)), ((2, 1, 2, 3), (1, 2, 3, 2)), ((1, 3), (3, 1)),
    ((1,), (1,)), ((2, 2), (2, 2)),
]
DOT_SHAPES = {0: float, 1: (3,), 2: (2, 3), 3: (2, 1, 3), 4: (2, 1, 2, 3)}
DOT_OTHERS = {0: float, 1: (3,), 2: (3, 2), 3: (2, 3, 1), 4: (2, 1, 3, 2)}
OUTER = [((3,), (2,)), (float, (2,)), ((3,), float), ((2, 2), (3,)), ((2,), (2, 2)), ((2, 1), (1, 3)), (float, float)]
AFFINE = [((2, 3), (4, 3), (4,)), ((3,), (4, 3), (4,)), ((2, 2, 3), (4, 3), (4,)), ((2, 3), (4, 3), float),
          ((2, 1, 2, 3), (2, 3), (2,)), ((2, 3), (4, 3), (2, 4)), ((1, 3), (1, 3), (1,))]

EINSUM = [
    ("i,i->", (3,), (3,)), ("i,j->ij", (3,), (2,)), ("ij,jk->ik", (2, 3), (3, 2)), ("ij,jk", (2, 3), (3, 2)),
    ("ba", (2, 3)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ij->i", (2, 3)), ("i", (3,)),
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("ii->", (3, 3)), ("iij->j", (2, 2, 3)), ("iij->ij", (2, 2, 3)),
    ("iji->j", (2, 3, 2)), ("iii->i", (2, 2, 2)), ("iii", (2, 2, 2)), ("iijj->ij", (2, 2, 3, 3)),
    ("ij,ij->", (2, 3), (2, 3)), ("ij,ij->i", (2, 3), (2, 3)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("ij,kl->ik", (2, 3), (2, 2)), ("ij,k->", (2, 3), (2,)), ("ij,j->i", (2, 3), (3,)), ("ij,k", (2, 3), (2,)),
    ("ii,i->i", (3, 3), (3,)), ("ii,jj->ij", (2, 2), (3, 3)), ("ij,jj->i", (2, 3), (3, 3)), ("i,i->i", (3,), (3,)),
    ("...i,...i->...", (2, 3), (2, 3)), ("...ij,...jk->...ik", (2, 2, 3), (3, 2)), ("...ij,...jk", (2, 3), (2, 3, 2)),
    ("i...,i...->...", (3, 2), (3, 1)), ("...,...", (2, 3), (3,)), ("i...->...", (2, 3)), ("...i->i...", (2, 3, 2)),
    ("...ii->...i", (2, 3, 3)), ("ij...,j->i...", (2, 3, 2), (3,)), ("...,i->i...", (2, 2), (3,)),
    ("i...->i", (3,)), ("...->...", (2, 3)), ("...ij->...ji", (2, 2, 3)), ("b...a", (2, 3, 2)),
    ("ij,ij->ij", (1, 3), (2, 3)), ("ij,ij->", (1, 3), (2, 1)), ("ij,ij->j", (2, 3), (1, 3)), ("i,i->", (1,), (3,)),
    ("...i,...i->...", (2, 1, 3), (4, 3)), ("i,i->", (3,), (1,)),
    (",i->i", float, (3,)), (",->", float, float), ("i,->", (3,), float), (",ij", float, (2, 3)),
    ("i,i,i->i", (3,), (3,), (3,)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 3)), ("i,ij,j->", (2,), (2, 3), (3,)),
    ("ij,ik,il->jkl", (2, 2), (2, 3), (2, 2)), ("ij,j,->i", (2, 3), (3,), float), ("i,j,k->", (2,), (3,), (2,)),
    ("aB,Bc", (2, 3), (3, 2)), ("bA->Ab", (2, 3)), ("zA,Ab", (2, 3), (3, 2)),
]
EINSUM_CALLS = [
    ("spaces", lambda a, b: np.einsum(" i j , j k -> k i ", a, b), (2, 3), (3, 2)),
    ("optimize", lambda a, b: np.einsum("ij,jk->ki", a, b, optimize=True), (2, 3), (3, 2)),
    ("constant in front", lambda a: np.einsum("ij,jk->ik", np.arange(6.0).reshape(2, 3), a), (3, 2)),
    ("constant behind", lambda a: np.einsum("ij,jk->ik", a, np.arange(6.0).reshape(3, 2)), (2, 3)),
    ("same twice", lambda a: np.einsum("ij,kj->ik", a, a), (2, 3)),
    ("lists", lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]), (2, 3), (3, 2)),
    ("lists, implicit", lambda a, b: np.einsum(a, [0, 1], b, [1, 2]), (2, 3), (3, 2)),
    ("lists, transposed", lambda a: np.einsum(a, [1, 0]), (2, 3)),
    ("lists, diagonal", lambda a: np.einsum(a, [0, 0], [0]), (3, 3)),
    ("lists, trace", lambda a: np.einsum(a, [0, 0]), (3, 3)),
    ("lists, ellipsis", lambda a, b: np.einsum(a, [..., 0, 1], b, [..., 1, 2], [..., 0, 2]), (2, 2, 3), (3, 2)),
    ("lists, implicit ellipsis", lambda a, b: np.einsum(a, [..., 0], b, [0, ...]), (2, 3), (3, 1)),
    ("lists, three", lambda a, b, c: np.einsum(a, [0], b, [0, 1], c, [1], []), (2,), (2, 3), (3,)),
    ("lists, numbers above 26", lambda a: np.einsum(a, [0, 26]), (2, 3)),
]


def einsum_row(subscripts, *shapes):
    return row(f"einsum {subscripts} {shapes}", lambda *arrays: np.einsum(subscripts, *arrays), *shapes)


ROWS = [
    *[row(f"{name} {a} {b}", f, a, b)
      for name, f in (("matmul", np.matmul), ("@", operator.matmul)) for a, b in MATMUL],
    *[row(f"dot {m} {n}", np.dot, a, b) for m, a in DOT_SHAPES.items() for n, b in DOT_OTHERS.items()],
    row("dot method", lambda a: a.dot(np.arange(6.0).reshape(3, 2)), (2, 3)),
    row("matmul with a list", lambda a: a @ [1.0, 2.0, 3.0], (2, 3)),
    row("matmul with a list before", lambda a: [1.0, 2.0] @ a, (2, 3)),
    row("matmul with a nested list", lambda a: a @ [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (2, 3)),
    row("matmul with a nested list before", lambda a: [[1.0, 2.0], [3.0, 4.0]] @ a, (2, 3)),
    row("dot with a nested list", lambda a: np.dot(a, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), (2, 3)),
    *[row(f"outer {a} {b}", np.outer, a, b) for a, b in OUTER],
    *[row(f"affine {x} {w} {b}", affine, x, w, b) for x, w, b in AFFINE],
    row("affine without bias", affine, (2, 3), (4, 3)),
    row("affine of a vector without bias", affine, (3,), (4, 3)),
    row("affine with bias by name", lambda x, w, b: affine(x, w, bias=b), (2, 3), (4, 3), (4,)),
    row("affine by names", lambda x, w, b: affine(bias=b, weight=w, x=x), (2, 3), (4, 3), (4,)),
    *[einsum_row(subscripts, *shapes) for subscripts, *shapes in EINSUM],
    *[row(f"einsum {name}", f, *shapes) for name, f, *shapes in EINSUM_CALLS],
    *[row(f"complex {name}", f, a, b, domain=domain)
      for name, f, a, b in [("matmul", np.matmul, (2, 3), (3, 2)), ("matmul 1 1", np.matmul, (3,), (3,)),
                            ("matmul 1 2", np.matmul, (3,), (3, 2)), ("matmul 2 1", np.matmul, (2, 3), (3,)),
                            ("dot", np.dot, (2, 3), (3, 2)), ("dot 1 1", np.dot, (3,), (3,)),
                            ("outer", np.outer, (3,), (2,)), ("affine", affine, (2, 3), (4, 3)),
                            ("einsum", lambda a, b: np.einsum("ij,jk->ki", a, b), (2, 3), (3, 2)),
                            ("einsum diagonal", lambda a, b: np.einsum("ii,ij->i", a, b), (3, 3), (3, 2))]
      for domain in [complex_numbers]],
    *[row(f"{name} of complex and real", f, (2, 3), (3, 2), domain=(complex_numbers, real))
      for name, f in [("matmul", np.matmul), ("dot", np.dot)]],
    row("einsum of real and complex", lambda a, b: np.einsum("ij,jk->ik", a, b), (2, 3), (3, 2),
        domain=(real, complex_numbers)),
]
