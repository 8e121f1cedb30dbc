"""The families of rules that are registered when one is first needed, so that an import stays quick."""

from . import (
    calculus,
    cumulative,
    einsum,
    factorizations,
    fft,
    linalg,
    norms,
    ordering,
    polynomials,
    quantiles,
    statistics,
)

__all__ = ["calculus", "cumulative", "einsum", "factorizations", "fft", "linalg", "norms", "ordering", "polynomials",
           "quantiles", "statistics"]
