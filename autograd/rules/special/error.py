"""Rules of error functions, and of the normal distribution that they make."""

import math

import numpy as np
import scipy.special as sp

from ...registry import definition, elementwise_rule

_SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0
_ROOT = math.sqrt(2 * math.pi)

elementwise_rule(sp.erf, lambda g, y, x: g * (_SLOPE * np.exp(-x * x)))
elementwise_rule(sp.erfc, lambda g, y, x: -g * (_SLOPE * np.exp(-x * x)))
elementwise_rule(sp.erfi, lambda g, y, x: g * (_SLOPE * np.exp(x * x)))
elementwise_rule(sp.erfcx, lambda g, y, x: g * (2 * x * y - _SLOPE))
elementwise_rule(sp.erfinv, lambda g, y, x: g * (np.exp(y * y) / _SLOPE))
elementwise_rule(sp.erfcinv, lambda g, y, x: -g * (np.exp(y * y) / _SLOPE))
elementwise_rule(sp.dawsn, lambda g, y, x: g * (1 - 2 * x * y))
elementwise_rule(sp.wofz, lambda g, y, z: g * (_SLOPE * 1j - 2 * z * y))
definition(sp.voigt_profile, lambda x, sigma, gamma:
           np.real(sp.wofz((x + 1j * gamma) / (sigma * math.sqrt(2)))) / (sigma * _ROOT))


def _log_slope(x):
    """The slope of ``log_ndtr``, also where the density and the probability both vanish."""
    return 2 / _ROOT / sp.erfcx(-x / math.sqrt(2))


elementwise_rule(sp.ndtr, lambda g, y, x: g * (np.exp(-x * x / 2) / _ROOT))
elementwise_rule(sp.log_ndtr, lambda g, y, x: g * _log_slope(x))
elementwise_rule(sp.ndtri, lambda g, y, p: g * (np.exp(y * y / 2) * _ROOT))
elementwise_rule(sp.ndtri_exp, lambda g, y, p: g / _log_slope(y))
elementwise_rule(sp.owens_t,
                 lambda g, y, h, a: -g * (np.exp(-h * h / 2) * sp.erf(a * h / math.sqrt(2)) / (2 * _ROOT)),
                 lambda g, y, h, a: g * (np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a))))
definition(sp.nrdtrimn, lambda p, std, x: x - std * sp.ndtri(p))
definition(sp.nrdtrisd, lambda mn, p, x: (x - mn) / sp.ndtri(p))
