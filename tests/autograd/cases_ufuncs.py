"""Cases of updates by index, of the methods of ufuncs, and of ufuncs with ``where=`` or ``dtype=``."""

import numpy as np

from autograd.updates import at_add, at_max, at_min, at_multiply, at_set
from tests.autograd.cases import case
from tests.autograd.rows import apart, between, positive, real

__all__ = ["CASES"]

REPEATED = np.array([[0, -1, 0], [-1, 0, 0]])
MASK = np.array([True, False, True, True, False])


def at_repeated(f):
    """Places that come several times, and an ``x`` that is broadcast."""
    return lambda a, x: f(a, (slice(None), REPEATED), x)


def with_zeros(rng, shape):
    return real(rng, shape) * (rng.uniform(size=shape) < 0.7)


def where(f):
    """Every other column is computed; the rest is what ``out`` holds."""
    def call(*arrays):
        shape = np.broadcast_shapes(*map(np.shape, arrays))
        out = np.full(shape, 0.5, np.result_type(*(a.dtype for a in arrays)))
        mask = np.arange(shape[-1]) % 2 == 0
        return +f(*arrays, out=out, where=mask)  # a copy, because NumPy returns out itself

    return call


CASES = [
    # Updates
    *[case(f, lambda n, m: [(n, m), (n, 1, 3)], at_repeated(f), name="repeated", domain=domain, complex=complex)
      for f, domain, complex in [(at_set, real, True), (at_add, real, True), (at_multiply, [real, with_zeros], True),
                                 (at_max, [apart, between], False), (at_min, [apart, between], False)]],
    *[case(f, lambda n: [(4, n, 3), (2, n)], lambda a, x, f=f: f(a, np.s_[::-3, ..., 1], x), name="slices",
           domain=domain)
      for f, domain in [(at_set, real), (at_add, real), (at_multiply, real), (at_max, [apart, between])]],
    *[case(f, lambda n: [(5, n), (3, n)], lambda a, x, f=f: f(a, MASK, x), name="mask", domain=domain)
      for f, domain in [(at_set, real), (at_multiply, with_zeros), (at_min, [apart, between])]],
    case(at_set, lambda n: [(3, n), (n,)], lambda a, x: at_set(a, -1, x), name="integer"),
    case(at_max, lambda n: [(5,), (n,)], lambda a, x: at_max(a, 2, x[0]), name="one element", domain=[apart, between]),

    # reduce
    *[case(f.reduce, lambda n, m, k: [(n, m, k)], domain=domain, complex=complex, analytic=complex)
      for f, domain, complex in [(np.add, real, True), (np.multiply, with_zeros, True), (np.maximum, apart, False),
                                 (np.subtract, real, True), (np.divide, positive, True)]],
    *[case(f.reduce, lambda n, m, k: [(n, m, k)],
           lambda x, f=f: f.reduce(x, (0, -1), keepdims=True, initial=0.25, where=[[True], [False], [True], [True]][
               : x.shape[1]]), name="two axes, initial, where", domain=domain)
      for f, domain in [(np.add, real), (np.multiply, with_zeros), (np.minimum, apart)]],
    case(np.multiply.reduce, lambda n, m: [(n, m)], lambda x: np.multiply.reduce(x, None), name="None"),
    case(np.divide.reduce, lambda n, m: [(n, m)], lambda x: np.divide.reduce(
        x, -1, initial=2.0, keepdims=True, where=np.arange(x.shape[-1]) != 1), name="initial, where", domain=positive),

    # accumulate
    *[case(f.accumulate, lambda n, m, k: [(n, m, k)], lambda x, f=f: f.accumulate(x, -2), domain=domain,
           complex=complex, analytic=complex)
      for f, domain, complex in [(np.add, real, True), (np.multiply, with_zeros, True), (np.maximum, apart, False),
                                 (np.minimum, apart, False), (np.subtract, real, False)]],

    # reduceat
    *[case(f.reduceat, lambda n: [(7, n)], lambda x, f=f: f.reduceat(x, [3, 0, 0, 5, 2]), domain=domain,
           complex=complex, analytic=complex)
      for f, domain, complex in [(np.add, real, True), (np.multiply, with_zeros, True), (np.maximum, apart, False),
                                 (np.divide, positive, False)]],
    case(np.add.reduceat, lambda n, m: [(n, 2, m)], lambda x: np.add.reduceat(x, np.array([0, 1]), axis=-2),
         name="axis"),

    # outer
    *[case(f.outer, lambda n, m: [(n, m), (n,)], domain=domain)
      for f, domain in [(np.multiply, real), (np.divide, [real, positive]), (np.maximum, [apart, between])]],
    case(np.subtract.outer, lambda n: [(), (n,)]),

    # Keywords
    case(np.divide, lambda n, m: [(n, m), (m,)], where(np.divide), name="where", domain=[real, positive],
         complex=True, analytic=True),
    case(np.exp, lambda n, m: [(n, m)], where(np.exp), name="where", complex=True, analytic=True),
    case(np.multiply, lambda n: [(n,), ()], where(np.multiply), name="where, a number"),
    case(np.multiply, 2, lambda a, b: np.multiply(a, b, dtype=np.complex128, casting="same_kind"), name="dtype",
         float32=False),  # which makes the result of float32 complex128
]
