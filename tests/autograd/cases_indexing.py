"""Cases of indexing, of picking elements by position, and of sorting."""

import operator

import numpy as np

from autograd.rules.indexing import scatter
from tests.autograd.cases import case
from tests.autograd.rows import apart

__all__ = ["CASES"]

ROWS = np.array([[0, -1, 0], [0, 0, -1]])  # within any length


def apart_complex(rng, shape):
    return apart(rng, shape) * (1 + 0.5j)


def alternate(n):
    return np.arange(n) % 2 == 0


def m_of(x):
    return np.shape(x)[-1]


CASES = [
    case(operator.getitem, lambda n, m: [(n, m)], lambda x: x[ROWS], name="rows", complex=True),
    case(operator.getitem, lambda n, m, k: [(n, m, k)], lambda x: x[..., ROWS, None, 0], name="last axes"),
    case(operator.getitem, lambda n, m: [(n, m)], lambda x: x[np.ix_([0, -1, 0], [-1, 0])], name="ix_"),
    case(operator.getitem, lambda n, m, k: [(n, m, k)], lambda x: x[alternate(np.shape(x)[0]), ..., [0, -1, 0][:1]],
         name="mask and places"),
    case(operator.getitem, lambda n, m, k: [(n, m, k)], lambda x: x[:, alternate(np.shape(x)[1])[:, None] | np.zeros(
        np.shape(x)[2], bool), None], name="mask of two axes"),
    case(operator.getitem, lambda n, m: [(n, m)], lambda x: x[None, ::-2, ..., -1, np.newaxis], name="basic"),
    case(scatter, lambda n, m: [(2, 3, n)], lambda g: scatter(g, ROWS, (2, np.shape(g)[-1])), name="rows",
         complex=True),
    case(np.take, lambda n, m: [(n, m)], lambda x: np.take(x, ROWS), name="of all", complex=True),
    case(np.take, lambda n, m: [(n, m)], lambda x: np.take(x, ROWS, axis=0), name="rows"),
    case(np.take, lambda n, m, k: [(n, m, k)], lambda x: np.take(x, ROWS, -2, None, "wrap"), name="wrap"),
    case(np.take, lambda n, m: [(n, m)], lambda x: x.take([-5, 7, 7], axis=1, mode="clip"), name="clip"),
    case(np.take_along_axis, lambda n, m: [(n, m)], lambda x: np.take_along_axis(x, ROWS[:1], 1), name="broadcast"),
    case(np.take_along_axis, lambda n, m: [(n, m)],
         lambda x: np.take_along_axis(x, np.argsort(x, axis=0), axis=0), name="sorted", domain=apart,
         complex=apart_complex),
    case(np.take_along_axis, lambda n, m: [(n, m)], lambda x: np.take_along_axis(x, ROWS[0], None), name="of all"),
    case(np.compress, lambda n, m: [(n, m)], lambda x: np.compress([True, False, True][:np.shape(x)[1]], x, axis=-1),
         name="along an axis", complex=True),
    case(np.compress, lambda n, m: [(n, m)], lambda x: x.compress([True]), name="of all"),
    case(np.extract, lambda n, m: [(n, m)], lambda x: np.extract(x > 0, x), complex=True),
    case(np.delete, lambda n, m: [(n, m)], lambda x: np.delete(x, -1, 0), name="one", complex=True),
    case(np.delete, lambda n, m: [(n, m)], lambda x: np.delete(x, slice(None, None, 2)), name="of all"),
    case(np.delete, lambda n, m: [(n, m)], lambda x: np.delete(x, [0, -1], axis=-1), name="several"),
    case(np.insert, lambda n, m: [(n, m), (m,)], lambda a, b: np.insert(a, 1, b, axis=0), name="row", complex=True),
    case(np.insert, lambda n, m: [(n, m), ()], lambda a, b: np.insert(a, [0, 1, 1], b), name="number in all"),
    case(np.insert, lambda n, m: [(n, m), (n, 2)], lambda a, b: np.insert(a, [1, 0], b, -1), name="columns"),
    case(np.choose, lambda n, m: [(m,), (n, 1)], lambda a, b: np.choose([[0], [1], [0]][:1], [a, 2.0 * b]),
         name="broadcast", complex=True),
    case(np.choose, lambda n, m: [(n, m)], lambda a: np.choose(np.arange(m_of(a)) + 3, a, mode="wrap"), name="wrap"),
    case(np.choose, lambda n, m: [(n, m), (m,)], lambda a, b: np.choose(alternate(m_of(a)) * 7, (a, b), None, "clip"),
         name="clip"),
    case(np.select, lambda n, m: [(n, m), (m,)],
         lambda a, b: np.select([alternate(m_of(a)), np.arange(m_of(a)) == 1], [a, b], 3.0), name="lists",
         complex=True),
    case(np.select, lambda n, m: [(n, m)], lambda a: np.select([a > 0.5, a < -0.5], (a, 0.0), default=a * a),
         name="default"),
    case(np.sort, lambda n, m: [(n, m)], np.sort, domain=apart, complex=apart_complex),
    case(np.sort, lambda n, m, k: [(n, m, k)], lambda x: np.sort(x, axis=-3, stable=True), name="axis", domain=apart),
    case(np.sort, lambda n, m: [(n, m)], lambda x: np.sort(x, None, "heapsort"), name="of all", domain=apart),
    case(np.partition, lambda n, m: [(n, m)], lambda x: np.partition(x, 0), domain=apart, complex=apart_complex),
    case(np.partition, lambda n, m: [(2 * n, m)], lambda x: np.partition(x, (0, -2), axis=0), name="axis",
         domain=apart),
    case(np.partition, lambda n, m: [(n, m)], lambda x: np.partition(x, -1, axis=None), name="of all", domain=apart),
    case(np.sort_complex, lambda n, m: [(n, m)], np.sort_complex, domain=apart, complex=apart_complex),
    case(np.unique, lambda n, m: [(n, m)], np.unique, domain=apart, complex=apart_complex),
    case(np.unique, lambda n, m: [(n, m)], lambda x: np.unique(x, return_index=True, return_counts=True)[0] * 2,
         name="with counts", domain=apart),
    case(np.unique, lambda n, m: [(n, m)], lambda x: np.unique(x, axis=1), name="columns", domain=apart),
    *[case(f, lambda n, m: [(n, m)], lambda x, f=f: f(x).values, domain=apart)
      for f in (np.unique_all, np.unique_counts, np.unique_inverse)],
    *[case(f, lambda n, m: [(n, m), (n,)], lambda a, b, f=f: f(a, np.concatenate([b + 0.05, a[0]])), domain=apart)
      for f in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d)],
    case(np.unique_values, lambda n, m: [(n, m)], np.unique_values, domain=apart),
]
