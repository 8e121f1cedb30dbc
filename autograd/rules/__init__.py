"""The derivative rules of NumPy's functions, one file per family; importing this package registers them."""

from . import (
    calculus,
    constant,
    cumulative,
    elementwise,
    factorizations,
    fft,
    indexing,
    linalg,
    norms,
    ordering,
    products,
    reductions,
    shaping,
    statistics,
    ufuncs,
)

__all__ = ["calculus", "constant", "cumulative", "elementwise", "factorizations", "fft", "indexing", "linalg", "norms",
           "ordering", "products", "reductions", "shaping", "statistics", "ufuncs"]
