"""Cases of elementwise functions."""

import numpy as np

from tests.autograd.cases import case
from tests.autograd.rows import apart, between, positive, real, unit

__all__ = ["CASES"]

CASES = [
    *[case(f, 2, domain=[real, positive], complex=True, analytic=True)
      for f in (np.add, np.subtract, np.multiply, np.divide)],
    case(np.power, 2, domain=positive, complex=True, analytic=True),
    *[case(f, 1, complex=True, analytic=True)
      for f in (np.negative, np.positive, np.reciprocal, np.square, np.exp, np.sin, np.cos, np.sinh, np.cosh, np.tanh)],
    *[case(f, 1, domain=positive, complex=True, analytic=True) for f in (np.sqrt, np.log, np.log1p)],
    *[case(f, 1, domain=unit, complex=True, analytic=True) for f in (np.expm1, np.tan, np.arctan)],
    case(np.absolute, 1, complex=True),
    *[case(f, 2, domain=[apart, between]) for f in (np.maximum, np.minimum)],
    *[case(f, 1, complex=True) for f in (np.conjugate, np.real, np.imag)],
]
