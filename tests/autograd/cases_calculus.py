"""Cases of numerical calculus."""

import numpy as np

from tests.autograd.cases import case
from tests.autograd.rows import apart, positive, real

__all__ = ["CASES"]


def rising(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Whole numbers that rise along the first axis, from about -4."""
    return np.cumsum(rng.integers(1, 4, shape), axis=0) - 5.0


def whole(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Different whole numbers around 0."""
    return 10 * apart(rng, shape)


def halves(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Numbers in the middle between two whole ones."""
    return whole(rng, shape) + 0.5


def knots(n: int) -> int:
    return n + 2


CASES = [
    case(np.diff, lambda m, n: [(m, n)], complex=True, analytic=True),
    case(np.diff, lambda m, n, k: [(m + 1, n), (n,), (k, n)], name="prepend, append", complex=True,
         call=lambda a, p, q: np.diff(a, 2, 0, p[0], q)),
    case(np.diff, lambda m, n, k: [(m, n), (m, k)], lambda a, q: np.diff(a, n=3, append=q), name="append"),
    case(np.ediff1d, lambda m, n: [(m, n)]),
    case(np.ediff1d, lambda m, n: [(m, n), (2, n), ()], lambda a, b, c: np.ediff1d(a, b, c), name="ends", complex=True),
    case(np.gradient, lambda m, n: [(m + 1, n + 1)], complex=True, analytic=True),
    case(np.gradient, lambda m, n: [(m + 2, n + 2), (m + 2,), ()], domain=[real, rising, positive], name="spacings",
         call=lambda f, x, h: np.gradient(f, x, h, edge_order=2)),
    case(np.gradient, lambda m, n: [(m, n + 1, m), (n + 1,)], domain=[real, rising], name="axis",
         call=lambda f, x: np.gradient(f, x, axis=-2)),
    case(np.trapezoid, lambda m, n: [(m, n), ()], lambda y, dx: np.trapezoid(y, dx=dx), complex=True, analytic=True),
    case(np.trapezoid, lambda m, n: [(m, n), (m,)], lambda y, x: np.trapezoid(y, x, axis=0), name="x", complex=True),
    case(np.trapezoid, lambda k, m, n: [(k, m, n), (m, n)], lambda y, x: np.trapezoid(y, x, axis=-2), name="many x"),
    case(np.bincount, lambda n: [(n,)], lambda w: np.bincount(np.arange(len(w)) ** 2 % 3, w, minlength=4)),
    *[case(f, lambda m, n: [(m + 1,), (n,)], lambda a, v, f=f, mode=mode: f(a, v, mode), name=mode, complex=True)
      for f in (np.convolve, np.correlate) for mode in ("full", "same", "valid")],
    *[case(f, lambda m: [(m,), (5,)], lambda a, v, f=f: f(a, v, mode="same"), name="same, longer second")
      for f in (np.convolve, np.correlate)],
    case(np.convolve, lambda m: [(m,), ()], name="with a number"),
    case(np.interp, lambda m, n: [(m, m), (knots(n),), (knots(n),)], domain=[halves, rising, real]),
    case(np.interp, lambda n: [(5,), (n,), (n,), (), ()], name="left, right",
         call=lambda x, xp, fp, a, b: np.interp(x + 0 * (a + b), xp, fp, a, b),
         domain=[halves, rising, real, real, real]),
    case(np.interp, lambda m, n: [(m,), (n,), (n,), ()], domain=[halves, whole, real, positive], name="period",
         call=lambda x, xp, fp, p: np.interp(x - 31 + 0 * p, xp - 31, fp, period=0 * p - 20)),
    case(np.linspace, 2, lambda a, b: np.linspace(a, b, 5, axis=-1), complex=True, analytic=True),
    case(np.linspace, 2, lambda a, b: np.linspace(a, b, 4, endpoint=False, retstep=True), name="step"),
    case(np.logspace, 2, lambda a, b: np.logspace(a, b, 4, endpoint=False), complex=True, analytic=True),
    case(np.logspace, 3, lambda a, b, c: np.logspace(a, b, 3, base=c, axis=-1), domain=[real, real, positive],
         name="base", analytic=True),
    case(np.geomspace, 2, lambda a, b: np.geomspace(a, b, 4, axis=-1), domain=positive, complex=True, analytic=True),
    case(np.geomspace, 2, lambda a, b: np.geomspace(-a, -b, 4, endpoint=False), domain=positive, name="negative"),
]
