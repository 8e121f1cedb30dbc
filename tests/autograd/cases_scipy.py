"""Cases of autograd.scipy: functions that SciPy writes in Python, equations, convolutions and distributions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.scipy import linalg, signal, special
from autograd.scipy.stats import beta, chi2, dirichlet, gamma, multivariate_normal, norm, poisson, t
from tests.autograd.cases import Case, case
from tests.autograd.rows import positive, real

__all__ = ["CASES"]


def within(low: float, high: float) -> Callable:
    return lambda rng, shape: rng.uniform(low, high, shape)


def regular(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Matrices whose eigenvalues are far from 0, and from the negative numbers."""
    return rng.uniform(-0.4, 0.4, shape) + 2 * np.eye(shape[-1])


def regular_complex(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return regular(rng, shape) + 1j * rng.uniform(-0.4, 0.4, shape)


def complex_columns(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return real(rng, shape) + 1j * real(rng, shape)


def cube(k: int, m: int, n: int) -> list:
    return [(k, m, n)]


def square(n: int) -> list:
    return [(n, n)]


def together(*functions: Callable, at: Callable, **options: Any) -> Case:
    """Of several functions of the same arguments, which ``at`` prepares."""
    def shapes(m: int, n: int) -> list:
        return [(m, n), (n,), (m, 1), (), (n,)][: len(options["domain"])]

    return case(functions[0], shapes, lambda *xs: tuple(f(*at(*xs)) for f in functions),
                name=" ".join(f"and {f.__name__}" for f in functions[1:]), float32=False, **options)


SPECIAL = [
    case(special.polygamma, 1, lambda x: special.polygamma(2, x), domain=positive, float32=False),
    case(special.multigammaln, 1, lambda a: special.multigammaln(a, 3), domain=within(2, 4), float32=False),
    case(special.comb, 2, domain=[within(3, 5), within(0.3, 2.7)]),
    case(special.perm, 2, domain=[within(3, 5), within(0.3, 2.7)]),
    *[case(special.logsumexp, cube, lambda a, axis=axis, keepdims=keepdims: special.logsumexp(
        a, axis, keepdims=keepdims), name=f"axis={axis} keepdims={keepdims}", complex=axis is None)
      for axis, keepdims in [(None, False), (-1, True), ((0, 2), False)]],
    case(special.logsumexp, lambda m, n: [(m, n), (n,)], lambda a, b: special.logsumexp(a, 0, b, return_sign=True)[0],
         domain=[real, within(0.2, 2)], name="with weights"),
    *[case(f, cube, lambda x, f=f, axis=axis: f(x, axis), name=f"axis={axis}")
      for f in (special.softmax, special.log_softmax) for axis in (None, -2)],
    *[case(f, 1, lambda z, f=f: (f(2, z), f(1, z, derivative=True)), domain=positive, float32=False)
      for f in (special.spherical_jn, special.spherical_yn, special.spherical_in, special.spherical_kn)],
]

SIGNAL = [
    *[case(signal.convolve, shapes, lambda A, B, mode=mode: signal.convolve(A, B, mode=mode), name=f"{mode} {name}")
      for mode in ("full", "same", "valid")
      for name, shapes in [("long, short", lambda m, n: [(m + 3,), (n,)]),
                           ("short, long", lambda m, n: [(m,), (n + 3,)])]],
    case(signal.convolve, lambda m, n: [(m + 3, 3), (2, n)], lambda A, B: signal.convolve(A, B), name="in two"),
    *[case(signal.convolve, lambda k, m, n: [(k, 5, 2, m), (m, 3, n, 2)],
           lambda A, B, mode=mode: signal.convolve(A, B, axes=([1], [1]), dot_axes=([-1, 2], [0, 3]), mode=mode),
           name=f"{mode} with dots") for mode in ("full", "same", "valid")],
]


def system(m: int, n: int) -> list:
    return [(m, m), (m, n)]


def banded(n: int) -> list:
    return [(4, n + 3), (n + 3, 2)]


def dominant(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """The diagonals of a banded matrix, the third of them the main one, and the largest."""
    return rng.uniform(-0.4, 0.4, shape) + 2 * (np.arange(shape[0]) == 2)[:, None]


def complex_dominant(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return dominant(rng, shape) + 1j * rng.uniform(-0.4, 0.4, shape)


LINALG = [
    *[case(linalg.solve, system, lambda a, b, transposed=transposed: linalg.solve(
        a, b, transposed=transposed), domain=[regular, real], name=f"transposed={transposed}",
        complex=False if transposed else [regular_complex, complex_columns]) for transposed in (False, True)],
    case(linalg.solve, lambda n: [(n, n), (n,)], domain=[regular, real], name="of one vector"),
    case(linalg.inv, square, domain=regular, complex=regular_complex),
    *[case(linalg.solve_triangular, shapes,
           lambda a, b, trans=trans, lower=lower, unit=unit: linalg.solve_triangular(
               a, b, trans=trans, lower=lower, unit_diagonal=unit), domain=[regular, real],
           complex=[regular_complex, complex_columns], name=f"trans={trans} lower={lower} unit_diagonal={unit}")
      for trans, lower, unit, shapes in [(0, False, False, lambda n: [(n, n), (n,)]), ("T", True, False, system),
                                         (2, False, True, system)]],
    case(linalg.solve_sylvester, lambda m, n: [(m, m), (n, n), (m, n)], domain=[regular, regular, real],
         complex=[regular_complex, regular_complex, complex_columns]),
    *[case(linalg.solve_banded, banded, lambda ab, b, f=f: linalg.solve_banded((1, 2), ab, f(b)),
           domain=[dominant, real], name=name, complex=name == "of columns" and [complex_dominant, complex_columns])
      for name, f in [("of columns", lambda b: b), ("of one vector", lambda b: b[:, 0])]],
    case(linalg.sqrtm, square, domain=regular, complex=regular_complex, float32=False),
    case(linalg.expm, square, domain=regular, complex=regular_complex),
    case(linalg.block_diag, lambda m, n: [(m, n), (n,), (2, m)], complex=True),
]

STATS = [
    together(norm.pdf, norm.logpdf, norm.cdf, norm.sf, norm.logcdf, norm.logsf, at=lambda *xs: xs,
             domain=[real, real, positive]),
    together(t.pdf, t.logpdf, at=lambda *xs: xs, domain=[real, positive, real, positive]),
    together(t.cdf, t.sf, t.logcdf, t.logsf, at=lambda x, loc, scale: (x, 2.5, loc, scale),
             domain=[real, real, positive]),
    together(beta.pdf, beta.logpdf, at=lambda *xs: xs, domain=[within(0.4, 0.6), positive, positive, within(0, 0.2),
                                                               within(1, 2)]),
    together(beta.cdf, at=lambda x, loc, scale: (x, 1.5, 2.5, loc, scale),
             domain=[within(0.4, 0.6), within(0, 0.2), within(1, 2)]),
    together(gamma.pdf, gamma.logpdf, at=lambda *xs: xs, domain=[positive, positive, within(0, 0.2), positive]),
    together(gamma.cdf, at=lambda x, loc, scale: (x, 1.5, loc, scale), domain=[positive, within(0, 0.2), positive]),
    together(chi2.pdf, chi2.logpdf, at=lambda *xs: xs, domain=[positive, positive, within(0, 0.2), positive]),
    together(chi2.cdf, at=lambda x, loc, scale: (x, 1.5, loc, scale), domain=[positive, within(0, 0.2), positive]),
    *[together(f, at=lambda mu: (3, mu), domain=[positive]) for f in (poisson.pmf, poisson.logpmf, poisson.cdf)],
]


def simplex(x: Any) -> Any:
    return x / np.sum(x, axis=0)


def covariance(a: Any) -> Any:
    return a @ np.swapaxes(a, -1, -2)


SEVERAL = [
    case(dirichlet.logpdf, lambda n: [(n + 1,), (n + 1,)], lambda x, alpha: (
        dirichlet.logpdf(simplex(x), alpha), dirichlet.pdf(simplex(x)[:-1], alpha)), domain=positive, float32=False,
        name="and pdf, without the last"),
    case(multivariate_normal.logpdf, lambda m, n: [(m + 1, n), (n,), (n, n)], lambda x, mean, a: (
        multivariate_normal.logpdf(x, mean, covariance(a)), multivariate_normal.pdf(x[0], mean, covariance(a)),
        multivariate_normal.entropy(mean, covariance(a))), domain=[real, real, regular], float32=False,
        name="and pdf entropy"),
    case(multivariate_normal.pdf, lambda m: [(m, 2), (2,)], lambda x, mean: 10 * multivariate_normal.pdf(x, mean, 0.5),
         float32=False),
    case(multivariate_normal.logpdf, lambda m, n: [(m, n), (n,), (n,)], lambda x, mean, variances:
         np.sum(multivariate_normal.logpdf(x, mean, variances)), domain=[real, real, positive], float32=False,
         name="of a diagonal"),
]

CASES = [*SPECIAL, *SIGNAL, *LINALG, *STATS, *SEVERAL]
