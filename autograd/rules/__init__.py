"""The derivative rules of NumPy's functions, one file per family; importing this package registers them."""

from . import (
    calculus,
    constant,
    cumulative,
    einsum,
    elementwise,
    factorizations,
    fft,
    indexing,
    joining,
    linalg,
    norms,
    ordering,
    polynomials,
    products,
    quantiles,
    reductions,
    refused,
    shaping,
    statistics,
    ufuncs,
)

__all__ = ["calculus", "constant", "cumulative", "einsum", "elementwise", "factorizations", "fft", "indexing",
           "joining", "linalg", "norms", "ordering", "polynomials", "products", "quantiles", "reductions", "refused",
           "shaping", "statistics", "ufuncs"]
