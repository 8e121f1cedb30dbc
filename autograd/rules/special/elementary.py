"""Rules of logistic functions, logarithms, powers, angles in degrees, losses and entropies.

At kinks: ``entr``, ``rel_entr`` and ``kl_div`` are as steep at 0 as they are, infinitely so; ``huber`` has none.
"""

import math

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule, nondifferentiable

# The logistic function
elementwise_rule(sp.expit, lambda g, y, x: g * (y * sp.expit(-x)))
elementwise_rule(sp.logit, lambda g, y, x: g / (x * (1 - x)))
elementwise_rule(sp.log_expit, lambda g, y, x: g * sp.expit(-x))

# Powers and logarithms
elementwise_rule(sp.exp2, lambda g, y, x: g * (y * math.log(2)))
elementwise_rule(sp.exp10, lambda g, y, x: g * (y * math.log(10)))
elementwise_rule(sp.cbrt, lambda g, y, x: g / (3 * y * y))
elementwise_rule(sp.expm1, lambda g, y, x: g * (y + 1))
elementwise_rule(sp.log1p, lambda g, y, x: g / (1 + x))
elementwise_rule(sp.exprel, lambda g, y, x: g * _exprel_slope(x))
elementwise_rule(sp.powm1, lambda g, y, x, p: g * (p * np.power(x, p - 1)),
                 lambda g, y, x, p: g * ((y + 1) * np.log(x)))
elementwise_rule(sp.xlogy, lambda g, y, x, z: g * np.log(z), lambda g, y, x, z: g * (x / np.where(x == 0, 1, z)))
elementwise_rule(sp.xlog1py, lambda g, y, x, z: g * sp.log1p(z),
                 lambda g, y, x, z: g * (x / np.where(x == 0, 1, 1 + z)))
elementwise_rule(sp.agm, lambda g, y, a, b: g * _agm_slope(y, a, b), lambda g, y, a, b: g * _agm_slope(y, b, a))


def _exprel_slope(x):
    return sp.hyp1f1(2, 3, x) / 2


def _agm_slope(y, a, b):
    return y * y / (2 * a * b) * sp.hyp2f1(0.5, 0.5, 2, 1 - (a / b) ** 2)


# The transform of Box and Cox is log(x) · exprel(lmbda · log(x)), which is as precise near lmbda = 0
def _boxcox_lmbda(log, lmbda):
    return log * log * _exprel_slope(lmbda * log)


elementwise_rule(sp.boxcox, lambda g, y, x, lmbda: g * np.power(x, lmbda - 1),
                 lambda g, y, x, lmbda: g * _boxcox_lmbda(np.log(x), lmbda))
elementwise_rule(sp.boxcox1p, lambda g, y, x, lmbda: g * np.power(1 + x, lmbda - 1),
                 lambda g, y, x, lmbda: g * _boxcox_lmbda(np.log1p(x), lmbda))
elementwise_rule(sp.inv_boxcox, lambda g, y, z, lmbda: g * np.power(y, 1 - lmbda),
                 lambda g, y, z, lmbda: -g * (_boxcox_lmbda(np.log(y), lmbda) * np.power(y, 1 - lmbda)))
elementwise_rule(sp.inv_boxcox1p, lambda g, y, z, lmbda: g * np.power(1 + y, 1 - lmbda),
                 lambda g, y, z, lmbda: -g * (_boxcox_lmbda(np.log1p(y), lmbda) * np.power(1 + y, 1 - lmbda)))

# Angles in degrees
_DEGREE = math.pi / 180
elementwise_rule(sp.sindg, lambda g, y, x: g * (sp.cosdg(x) * _DEGREE))
elementwise_rule(sp.cosdg, lambda g, y, x: -g * (sp.sindg(x) * _DEGREE))
elementwise_rule(sp.tandg, lambda g, y, x: g * ((1 + y * y) * _DEGREE))
elementwise_rule(sp.cotdg, lambda g, y, x: -g * ((1 + y * y) * _DEGREE))
elementwise_rule(sp.radian, lambda g, y, d, m, s: g * _DEGREE, lambda g, y, d, m, s: g * (_DEGREE / 60),
                 lambda g, y, d, m, s: g * (_DEGREE / 3600))
elementwise_rule(sp.cosm1, lambda g, y, x: -g * np.sin(x))


def _hypot(a, b):
    return np.sqrt(a * a + b * b)


# Entropies and losses
elementwise_rule(sp.entr, lambda g, y, x: -g * (np.log(x) + 1))
elementwise_rule(sp.rel_entr, lambda g, y, p, q: g * (np.log(p / q) + 1), lambda g, y, p, q: -g * (p / q))
elementwise_rule(sp.kl_div, lambda g, y, p, q: g * np.log(p / q), lambda g, y, p, q: g * (1 - p / q))
elementwise_rule(sp.huber, lambda g, y, delta, r: g * np.maximum(np.absolute(r) - delta, 0),
                 lambda g, y, delta, r: g * np.clip(r, -delta, delta))
elementwise_rule(sp.pseudo_huber,
                 lambda g, y, delta, r: g * ((_hypot(delta, r) - delta) ** 2 / _hypot(delta, r)),
                 lambda g, y, delta, r: g * (delta * r / _hypot(delta, r)))

nondifferentiable(sp.round)
