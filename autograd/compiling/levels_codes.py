"""What the table of a ``Levels`` says by numbers: the functions of groups, and that an operand has no index."""

from typing import Any

import numpy as np

__all__ = ["CODES", "FOLD", "NO_INDEX"]

# The functions of groups: a group's code is the place of its function here.
CODES: tuple[Any, ...] = (
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.less, np.less_equal, np.equal,
    np.not_equal, np.logical_and, np.logical_or, np.power, np.remainder, np.floor_divide, np.arctan2, np.hypot,
    np.logaddexp, np.where, np.logical_not, np.negative, np.absolute, np.sign, np.sqrt, np.cbrt, np.exp, np.exp2,
    np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh,
    np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.floor, np.ceil, np.trunc, np.rint)
FOLD = len(CODES)
NO_INDEX = 2**32 - 1
