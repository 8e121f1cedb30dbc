"""Rules of Bessel, Hankel, Struve and spherical Bessel functions, with respect to their argument, not their order."""

import math

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule
from .declaring import real_only


def _difference(f, v, z):
    return (f(v - 1, z) - f(v + 1, z)) / 2


def _mean(f, v, z):
    return (f(v - 1, z) + f(v + 1, z)) / 2


# yn and kn cut their order down to an integer.
elementwise_rule(sp.jv, None, lambda g, y, v, z: g * _difference(sp.jv, v, z))
elementwise_rule(sp.yv, None, lambda g, y, v, z: g * _difference(sp.yv, v, z))
elementwise_rule(sp.yn, None, lambda g, y, n, x: g * _difference(sp.yv, np.trunc(n), x))
elementwise_rule(sp.iv, None, lambda g, y, v, z: g * _mean(sp.iv, v, z))
elementwise_rule(sp.kv, None, lambda g, y, v, z: -g * _mean(sp.kv, v, z))
elementwise_rule(sp.kn, None, lambda g, y, n, x: -g * _mean(sp.kv, np.trunc(n), x))
elementwise_rule(sp.hankel1, None, lambda g, y, v, z: g * _difference(sp.hankel1, v, z))
elementwise_rule(sp.hankel2, None, lambda g, y, v, z: g * _difference(sp.hankel2, v, z))

# Of the orders 0 and 1
elementwise_rule(sp.j0, lambda g, y, x: -g * sp.j1(x))
elementwise_rule(sp.j1, lambda g, y, x: g * ((sp.j0(x) - sp.jv(2, x)) / 2))
elementwise_rule(sp.y0, lambda g, y, x: -g * sp.y1(x))
elementwise_rule(sp.y1, lambda g, y, x: g * ((sp.y0(x) - sp.yv(2, x)) / 2))
elementwise_rule(sp.i0, lambda g, y, x: g * sp.i1(x))
elementwise_rule(sp.i1, lambda g, y, x: g * ((sp.i0(x) + sp.iv(2, x)) / 2))
elementwise_rule(sp.k0, lambda g, y, x: -g * sp.k1(x))
elementwise_rule(sp.k1, lambda g, y, x: -g * ((sp.k0(x) + sp.kv(2, x)) / 2))


# Scaled: by exp(-|Im z|), by exp(-|Re z|), and by analytic factors
def _scaled(name, slope):
    def vjp(g, y, v, z):
        real_only(name, z)
        return g * slope(y, v, z)

    return vjp


elementwise_rule(sp.jve, None, _scaled("jve", lambda y, v, z: _difference(sp.jve, v, z)))
elementwise_rule(sp.yve, None, _scaled("yve", lambda y, v, z: _difference(sp.yve, v, z)))
elementwise_rule(sp.ive, None, _scaled("ive", lambda y, v, z: _mean(sp.ive, v, z) - np.sign(z) * y))
elementwise_rule(sp.kve, None, lambda g, y, v, z: g * (y - _mean(sp.kve, v, z)))
elementwise_rule(sp.hankel1e, None, lambda g, y, v, z: g * (_difference(sp.hankel1e, v, z) - 1j * y))
elementwise_rule(sp.hankel2e, None, lambda g, y, v, z: g * (_difference(sp.hankel2e, v, z) + 1j * y))
elementwise_rule(sp.i0e, lambda g, y, x: g * (sp.i1e(x) - np.sign(x) * y))
elementwise_rule(sp.i1e, lambda g, y, x: g * ((sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * y))
elementwise_rule(sp.k0e, lambda g, y, x: g * (y - sp.k1e(x)))
elementwise_rule(sp.k1e, lambda g, y, x: g * (y - (sp.k0e(x) + sp.kve(2, x)) / 2))


# Struve functions, and the integral of a Bessel function times a power
def _struve(v, x):
    return np.power(x / 2, v) * sp.rgamma(v + 1.5) / math.sqrt(math.pi) / 2


elementwise_rule(sp.struve, None, lambda g, y, v, x: g * (_difference(sp.struve, v, x) + _struve(v, x)))
elementwise_rule(sp.modstruve, None, lambda g, y, v, x: g * (_mean(sp.modstruve, v, x) + _struve(v, x)))
elementwise_rule(sp.besselpoly, lambda g, y, a, lmb, nu:
                 g * (sp.besselpoly(a, lmb + 1, nu - 1) - sp.besselpoly(a, lmb + 1, nu + 1)))
