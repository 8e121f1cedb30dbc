"""Cases of reductions, of cumulative functions and of statistics, along every kind of axis and with every keyword."""

from functools import partial

import numpy as np

from autograd.rules.cumulative import recurrence
from autograd.rules.quantiles import _shared
from tests.autograd.cases import case
from tests.autograd.rows import apart, positive, real

__all__ = ["CASES"]


def matrix(n: int, m: int) -> list:
    return [(n, m)]


def block(n: int, m: int, k: int) -> list:
    return [(n, m, k)]


def wide(n: int, m: int) -> list:
    return [(n + 2, m + 2)]


def row_and_matrix(n: int, m: int) -> list:
    return [(n, m + 1), (m + 1,)]


def two_matrices(n: int, m: int) -> list:
    return [(n, m + 1), (n, m + 1)]


def mask(x) -> np.ndarray:
    """Two elements of three, or none of a row of one."""
    return np.reshape(np.arange(np.size(x)) % 3 != 0, np.shape(x))


def holed(domain, rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """nan in one place of three, the other numbers of a domain."""
    x = domain(rng, shape)
    x[np.indices(shape).sum(axis=0) % 3 == 1] = np.nan
    return x


def apart_complex(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return apart(rng, shape) + 1j * real(rng, shape)


def holed_complex(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return holed(lambda *a: real(*a) + 1j * real(*a), rng, shape)


def zeros_too(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return real(rng, shape) * rng.choice([0.0, 1.0, 1.0], shape)


def quantities(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Between 0 and 1, and none where a quantile of up to 8 elements has a kink or a step."""
    return rng.choice([0.237, 0.465, 0.535, 0.763], shape) + rng.uniform(-0.001, 0.001, shape)


def counts(x) -> np.ndarray:
    return 1 + np.arange(np.shape(x)[-1]) % 3


def heavy(x) -> np.ndarray:
    return 1.0 + np.reshape(np.arange(np.size(x)) % 4, np.shape(x))


LINEAR, EXTREME, MOMENT = (np.sum, np.mean), (np.max, np.min), (np.var, np.std)
NAN_LINEAR, NAN_MOMENT = (np.nansum, np.nanmean, np.nanprod), (np.nanvar, np.nanstd)
WITH_INITIAL = (np.sum, np.prod, np.max, np.min)
SMOOTH = ("interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased")
STEPS = ("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "lower", "higher", "midpoint", "nearest")


def each_quantile(methods, x):
    return tuple(np.quantile(x, [0.2, 0.55], axis=0, method=method) for method in methods)


def each_nanquantile(methods, x):
    return tuple(np.nanquantile(x, 0.55, axis=1, method=method) for method in methods)


REDUCTIONS = [
    *[case(f, 1, complex=True, analytic=True) for f in (np.sum, np.prod)],
    *[case(f, matrix, domain=apart) for f in (*EXTREME, np.amax, np.amin, np.ptp)],
    *[case(f, block, partial(f, axis=(0, -1), keepdims=True), name="axes", complex=True)
      for f in (*LINEAR, np.prod, *MOMENT) if f is not np.std],
    case(np.std, lambda n, m: [(n + 1, m, 2)], partial(np.std, axis=(0, -1), keepdims=True), name="axes", complex=True),
    *[case(f, block, partial(f, axis=(0, -1), keepdims=True), name="axes", domain=apart, complex=apart_complex)
      for f in (*EXTREME, np.ptp)],
    *[case(f, matrix, lambda x, f=f: f(x, axis=-1, initial=1.5, where=mask(x)), name="where", domain=apart)
      for f in WITH_INITIAL],
    case(np.mean, wide, lambda x: np.mean(x, axis=0, where=mask(x[:, :1])), name="where", complex=True),
    *[case(f, wide, lambda x, f=f: f(x, axis=1, ddof=0.5, where=[True, True] + [False] * (np.shape(x)[1] - 2)),
           name="where", complex=True) for f in MOMENT],
    *[case(f, wide, lambda x, f=f: f(x, axis=0, correction=1, mean=np.full((1, np.shape(x)[1]), 0.1)), name="mean",
           complex=True) for f in MOMENT],
    *[case(f, matrix, lambda x, f=f: f(x, 0, np.float64), name="dtype") for f in (*LINEAR, np.prod, np.var)],
]
SKIPPING = [
    *[case(f, wide, domain=partial(holed, real), complex=holed_complex) for f in (*NAN_LINEAR, *NAN_MOMENT)],
    *[case(f, wide, partial(f, axis=0, keepdims=True), name="axis", domain=partial(holed, real))
      for f in (*NAN_LINEAR, *NAN_MOMENT)],
    *[case(f, wide, lambda x, f=f: f(x, axis=1, initial=0.05, where=mask(x)), name="where",
           domain=partial(holed, apart)) for f in (np.nanmax, np.nanmin, np.nansum, np.nanprod)],
    *[case(f, wide, partial(f, axis=-1), domain=partial(holed, apart)) for f in (np.nanmax, np.nanmin, np.nanmedian)],
    *[case(f, wide, partial(f, axis=0), domain=partial(holed, real), complex=holed_complex)
      for f in (np.nancumsum, np.nancumprod)],
    case(np.nanquantile, wide, partial(each_nanquantile, SMOOTH), name="smooth", domain=partial(holed, apart)),
    case(np.nanquantile, wide, partial(each_nanquantile, STEPS), name="steps", domain=partial(holed, apart)),
    case(np.nanquantile, lambda n, m: [(n + 2, m + 2), (2,)], partial(np.nanquantile, axis=0), name="of q",
         domain=[partial(holed, apart), quantities]),
    case(np.nanquantile, wide, lambda x: np.nanquantile(x, [0.3, 0.6], axis=1, method="inverted_cdf", weights=heavy(x)),
         name="weights", domain=partial(holed, apart)),
    case(np.nanpercentile, wide, lambda x: np.nanpercentile(x, 30, axis=(0, 1)), domain=partial(holed, apart)),
]
CUMULATIVE = [
    *[case(f, 1, domain=domain, complex=True, analytic=True)
      for f, domain in ((np.cumsum, real), (np.cumprod, zeros_too))],
    *[case(f, block, partial(f, axis=-2), name="axis", domain=zeros_too, complex=True)
      for f in (np.cumsum, np.cumprod)],
    case(np.cumprod, lambda n, m: [(4 * n + m, 2)], partial(np.cumprod, axis=0, dtype=float), name="long",
         domain=zeros_too),
    *[case(f, block, partial(f, axis=1, include_initial=True), domain=zeros_too, complex=True)
      for f in (np.cumulative_sum, np.cumulative_prod)],
    *[case(f, lambda n: [(n,)], f, name="row") for f in (np.cumulative_sum, np.cumulative_prod)],
    case(np.apply_along_axis, block, lambda x: np.apply_along_axis(lambda row: np.sum(row**3), 1, x)),
    case(np.apply_along_axis, lambda n, m, k: [(n, m, k), ()],
         lambda x, scale: np.apply_along_axis(lambda row, a, b=1: np.outer(a * row, row[:2] * b * scale), -2, x * scale,
                                              2.0, b=3.0), name="matrices"),
    case(np.apply_over_axes, block, lambda x: np.apply_over_axes(np.prod, x, [0, -1])),
]
QUANTILES = [
    case(np.median, block, partial(np.median, axis=(0, -1), keepdims=True), domain=apart, complex=apart_complex),
    case(np.median, matrix, name="of all", domain=apart),
    case(np.quantile, lambda n, m: [(n + 1, m), ()], partial(np.quantile, axis=-1), name="of q",
         domain=[apart, quantities]),
    case(np.quantile, lambda n, m: [(n, m, 2), (2, 2)], partial(np.quantile, axis=[0, -1], keepdims=True), name="of qs",
         domain=[apart, quantities]),
    case(np.quantile, lambda n: [(4, 2), (2,)],
         lambda x, q: tuple(np.quantile(x, q, axis=0, method=method) for method in SMOOTH), name="smooth",
         domain=[apart, quantities]),
    case(np.quantile, matrix, partial(each_quantile, STEPS), name="steps", domain=apart),
    case(np.quantile, matrix, lambda x: np.quantile(x, [0.3, 0.6], axis=1, weights=counts(x), method="inverted_cdf"),
         name="weights", domain=apart),
    case(np.percentile, lambda n, m: [(n, m), (2,)], lambda x, q: np.percentile(x, 100 * q, axis=0),
         domain=[apart, quantities]),
]
STATISTICS = [
    case(np.average, block, partial(np.average, axis=(0, 1), returned=True), complex=True),
    case(np.average, row_and_matrix, lambda x, w: np.average(x, -1, w, returned=True), name="weights",
         domain=[real, positive], complex=True),
    case(np.average, lambda n, m, k: [(n, m, k), (k, n)],
         lambda x, w: np.average(x, axis=(-1, 0), weights=w, keepdims=True), name="weights of axes",
         domain=[real, positive]),
    case(np.average, two_matrices, lambda x, w: np.average(x, weights=w), name="weights of all",
         domain=[real, positive]),
    case(np.cov, lambda n, m: [(n, m + 1)], complex=True),
    case(np.cov, lambda n, m: [(m + 2, n), (m + 2, 2)], partial(np.cov, rowvar=False, bias=True), name="of two",
         complex=True),
    case(np.cov, lambda n, m: [(n, m + 2), (m + 2,)],
         lambda x, w: np.cov(x, fweights=counts(x), aweights=w, ddof=2),
         name="weights", domain=[real, positive], complex=[apart_complex, positive]),
    case(np.cov, lambda n, m: [(m + 2,), (m + 2,), (m + 2,)], lambda x, y, w: np.cov(x, y, aweights=w, ddof=0),
         name="rows", domain=[real, real, positive]),
    case(np.corrcoef, lambda n, m: [(n, m + 2)], complex=True),
    case(np.corrcoef, lambda n, m: [(m + 3, n), (m + 3,)], partial(np.corrcoef, rowvar=False), name="of two"),
]
INSIDE = [
    case(recurrence, lambda n, m: [(n, m), (n, m)], complex=True),
    case(_shared, lambda n: [(2, 3)], lambda x: _shared(x, np.array([2, 3, 1]))),
]
CASES = [*REDUCTIONS, *SKIPPING, *CUMULATIVE, *QUANTILES, *STATISTICS, *INSIDE]
