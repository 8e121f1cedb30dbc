"""Rows of updates by index, and of the methods of ufuncs that have rules of their own."""

import numpy as np

from autograd.updates import at_add, at_max, at_min, at_set
from tests.autograd.rows import apart, between, row

__all__ = ["ROWS"]

REPEATED = np.array([0, 2, 0])

ROWS = [
    *[row(f.__name__, lambda a, x, f=f: f(a, REPEATED, x), (4, 2), (3, 1), domain=[apart, between])
      for f in (at_set, at_add, at_max, at_min)],
    *[row(f"{f.__name__}.accumulate", lambda x, f=f: f.accumulate(x, axis=-1), (2, 5), domain=apart)
      for f in (np.add, np.maximum, np.minimum)],
]
