"""Rules of functions that are integrals: the slope is what is integrated."""

import cmath
import math

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule
from .declaring import several_rule


def _sinc(x):
    """sin(x) / x, and so on for its slopes."""
    return sp.hyp0f1(1.5, -x * x / 4)


def _log_ratio(z):
    """log(z) / (z - 1), and 1 at 1."""
    near = np.absolute(z - 1) < 0.3
    far = np.where(near, 2, z)
    return np.where(near, sp.hyp2f1(1, 1, 2, np.where(near, 1 - z, 0)), np.log(far) / (far - 1))


def _expn(n, x):
    """What is to be subtracted: expn of the order n - 1, which SciPy has from 0 on."""
    n = np.trunc(n)  # as SciPy does
    least = n == 0
    return np.where(least, (1 + 1 / x) * np.exp(-x) / x, sp.expn(np.where(least, 0, n - 1), x))


elementwise_rule(sp.exp1, lambda g, y, z: -g * (np.exp(-z) / z))
elementwise_rule(sp.expi, lambda g, y, z: g * (np.exp(z) / z))
elementwise_rule(sp.expn, None, lambda g, y, n, x: -g * _expn(n, x))
several_rule(sp.sici, lambda y, x: (_sinc(x), np.cos(x) / x))
several_rule(sp.shichi, lambda y, x: (sp.hyp0f1(1.5, x * x / 4), np.cosh(x) / x))
elementwise_rule(sp.spence, lambda g, y, z: -g * _log_ratio(z))

# Fresnel
several_rule(sp.fresnel, lambda y, z: (np.sin(math.pi / 2 * z * z), np.cos(math.pi / 2 * z * z)))
_PHASE = cmath.exp(0.25j * math.pi) / math.sqrt(math.pi)
several_rule(sp.modfresnelp, lambda y, x: (-np.exp(1j * x * x), -2j * x * y[1] - _PHASE.conjugate()))
several_rule(sp.modfresnelm, lambda y, x: (-np.exp(-1j * x * x), 2j * x * y[1] - _PHASE))

# Of Bessel and Struve functions
several_rule(sp.itj0y0, lambda y, x: (sp.j0(x), sp.y0(x)))
several_rule(sp.iti0k0, lambda y, x: (sp.i0(x), sp.k0(x)))
several_rule(sp.it2j0y0, lambda y, x: ((1 - sp.j0(x)) / x, -sp.y0(x) / x))
several_rule(sp.it2i0k0, lambda y, x: ((sp.i0(x) - 1) / x, -sp.k0(x) / x))
elementwise_rule(sp.itstruve0, lambda g, y, x: g * sp.struve(0, x))
elementwise_rule(sp.itmodstruve0, lambda g, y, x: g * sp.modstruve(0, x))
elementwise_rule(sp.it2struve0, lambda g, y, x: -g * (sp.struve(0, x) / x))
