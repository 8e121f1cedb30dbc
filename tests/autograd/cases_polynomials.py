"""Cases of the functions of polynomials."""

import numpy as np

from tests.autograd.cases import case
from tests.autograd.rows import apart, positive, real

__all__ = ["CASES"]


def many(n: int) -> int:
    return n + 3


def spread(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Different numbers in a random order, up to 3."""
    return 3 * apart(rng, shape) + rng.uniform(0.0, 0.2, shape)


CASES = [
    case(np.vander, lambda n: [(n,)], complex=True, analytic=True),
    case(np.vander, lambda n: [(n,)], lambda x: np.vander(x, 3, increasing=True), name="increasing"),
    case(np.polyval, lambda k, m, n: [(k,), (m, n)], complex=True, analytic=True),
    *[case(f, lambda m, n: [(m,), (n,)], complex=True, analytic=True) for f in (np.polyadd, np.polysub, np.polymul)],
    # What of the remainder is taken for 0, and left out, depends on the precision.
    case(np.polydiv, lambda m, n: [(m + 2,), (n,)], domain=[real, positive], complex=True, analytic=True,
         float32=False),
    case(np.polyder, lambda n: [(n,)], complex=True, analytic=True),
    case(np.polyder, lambda n: [(n,)], lambda p: np.polyder(p, 2), name="m=2"),
    case(np.polyint, lambda n: [(n,)], complex=True, analytic=True),
    case(np.polyint, lambda n: [(n,), (2,)], lambda p, k: np.polyint(p + 0 * k[0], 2, k), name="constants"),
    case(np.polyint, lambda n: [(n,), ()], lambda p, k: np.polyint(p + 0 * k, m=3, k=k), name="one constant"),
    case(np.poly, lambda n: [(n,)], complex=True, analytic=True),
    case(np.poly, lambda n: [(n, n)], name="of a matrix", complex=True),
    # Roots come in the order in which they are found, which may change along a difference.
    case(np.roots, lambda n: [(n + 1,)], lambda z: np.roots(np.poly(z)), domain=spread, float32=False, exact=False),
    case(np.polyfit, lambda n: [(many(n),), (many(n),)], lambda x, y: np.polyfit(x, y, 2), domain=[spread, real]),
    case(np.polyfit, lambda n: [(many(n),), (many(n), 2), (many(n),)], domain=[spread, real, positive], name="weights",
         call=lambda x, y, w: np.polyfit(x, y, 1, w=w)),
    case(np.polyfit, lambda n: [(many(n),), (many(n),)], lambda x, y: np.polyfit(x, y, 1, cov=True), name="covariance",
         domain=[spread, real]),
]
