"""The derivative rules of SciPy's special functions, one file per family; importing this package registers them.

It is imported when the first of those functions meets a Value (see ``registry.load_rules``), never before.
"""

from . import (
    airy,
    bessel,
    cylinder,
    distributions,
    elementary,
    elliptic,
    error,
    gamma,
    hypergeometric,
    integrals,
    polynomials,
)

__all__ = ["airy", "bessel", "cylinder", "distributions", "elementary", "elliptic", "error", "gamma",
           "hypergeometric", "integrals", "polynomials"]
