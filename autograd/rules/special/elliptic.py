"""Rules of elliptic integrals and functions; the slopes are written so that they have no gap at m = 0 or φ = 0."""

import math

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule
from .declaring import several_rule


# Complete ones are hypergeometric functions
def _ellipk_slope(m):
    return math.pi / 8 / (1 - m) * sp.hyp2f1(0.5, 0.5, 2, m)


def _ellipe_slope(m):
    return -math.pi / 8 * sp.hyp2f1(0.5, 1.5, 2, m)


elementwise_rule(sp.ellipk, lambda g, y, m: g * _ellipk_slope(m))
elementwise_rule(sp.ellipkm1, lambda g, y, p: -g * (math.pi / 8 / p * sp.hyp2f1(0.5, 0.5, 2, 1 - p)))
elementwise_rule(sp.ellipe, lambda g, y, m: g * _ellipe_slope(m))


# Incomplete ones: half turns are complete integrals, and the rest is Carlson's
def _delta(phi, m):
    return np.sqrt(1 - m * np.sin(phi) ** 2)


def _ellipkinc_m(phi, m):
    s, c = np.sin(phi), np.cos(phi)
    rest = np.where(c < 0, -1, 1) * s**3 * sp.elliprd(c * c, 1, 1 - m * s * s) / 6
    return rest + 2 * np.rint(phi / math.pi) * _ellipk_slope(m)


def _ellipeinc_m(phi, m):
    s, c = np.sin(phi), np.cos(phi)
    rest = np.where(c < 0, -1, 1) * s**3 * sp.elliprd(c * c, 1 - m * s * s, 1) / 6
    return 2 * np.rint(phi / math.pi) * _ellipe_slope(m) - rest


elementwise_rule(sp.ellipkinc, lambda g, y, phi, m: g / _delta(phi, m), lambda g, y, phi, m: g * _ellipkinc_m(phi, m))
elementwise_rule(sp.ellipeinc, lambda g, y, phi, m: g * _delta(phi, m), lambda g, y, phi, m: g * _ellipeinc_m(phi, m))


def _ellipj_m(y, u, m):
    sn, cn, dn, phi = y
    moved = -dn * _ellipkinc_m(phi, m)
    return cn * moved, -sn * moved, -sn * (sn / 2 + m * cn * moved) / dn, moved


several_rule(sp.ellipj, lambda y, u, m: (y[1] * y[2], -y[0] * y[2], -m * y[0] * y[1], y[2]), _ellipj_m)

# Carlson's: each slope is elliprd, which has no rule of its own
elementwise_rule(sp.elliprf, lambda g, y, a, b, c: -g * (sp.elliprd(b, c, a) / 6),
                 lambda g, y, a, b, c: -g * (sp.elliprd(a, c, b) / 6),
                 lambda g, y, a, b, c: -g * (sp.elliprd(a, b, c) / 6))
elementwise_rule(sp.elliprc, lambda g, y, a, b: -g * (sp.elliprd(b, b, a) / 6),
                 lambda g, y, a, b: -g * (sp.elliprd(a, b, b) / 3))


def _elliprg(a, b, c):
    """The slope with respect to ``a``."""
    return (sp.elliprf(a, b, c) - a * sp.elliprd(b, c, a) / 3) / 4


elementwise_rule(sp.elliprg, lambda g, y, a, b, c: g * _elliprg(a, b, c), lambda g, y, a, b, c: g * _elliprg(b, a, c),
                 lambda g, y, a, b, c: g * _elliprg(c, a, b))
