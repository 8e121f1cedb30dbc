"""The derivative rules of NumPy's functions, one file per family; importing this package registers them."""

from . import (
    calculus,
    constant,
    cumulative,
    elementwise,
    fft,
    indexing,
    linalg,
    ordering,
    products,
    reductions,
    refused,
    shaping,
    statistics,
    ufuncs,
)

__all__ = ["calculus", "constant", "cumulative", "elementwise", "fft", "indexing", "linalg", "ordering", "products",
           "reductions", "refused", "shaping", "statistics", "ufuncs"]
