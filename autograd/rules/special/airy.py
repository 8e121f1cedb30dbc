"""Rules of Airy and Kelvin functions, which come with their derivatives."""

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule
from .declaring import real_only, several_rule


def _airye(y, z):
    real_only("airye", z)
    ai, aip, bi, bip = y
    root = np.sqrt(z)
    growth = np.sqrt(np.maximum(z, 0))  # Bi is scaled where it grows
    return aip + root * ai, z * ai + root * aip, bip - growth * bi, z * bi - growth * bip


several_rule(sp.airy, lambda y, z: (y[1], z * y[0], y[3], z * y[2]))
several_rule(sp.airye, _airye)
several_rule(sp.itairy, lambda y, x: (sp.airy(x)[0], sp.airy(x)[2], sp.airy(-x)[0], sp.airy(-x)[2]))

several_rule(sp.kelvin, lambda y, x: (y[2], y[3], 1j * y[0] - y[2] / x, 1j * y[1] - y[3] / x))
elementwise_rule(sp.ber, lambda g, y, x: g * sp.berp(x))
elementwise_rule(sp.bei, lambda g, y, x: g * sp.beip(x))
elementwise_rule(sp.ker, lambda g, y, x: g * sp.kerp(x))
elementwise_rule(sp.kei, lambda g, y, x: g * sp.keip(x))
elementwise_rule(sp.berp, lambda g, y, x: -g * (sp.bei(x) + y / x))
elementwise_rule(sp.beip, lambda g, y, x: g * (sp.ber(x) - y / x))
elementwise_rule(sp.kerp, lambda g, y, x: -g * (sp.kei(x) + y / x))
elementwise_rule(sp.keip, lambda g, y, x: g * (sp.ker(x) - y / x))
