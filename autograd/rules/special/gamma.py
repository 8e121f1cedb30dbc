"""Rules of the gamma function and its relatives; with respect to an order or a shape only where that is known."""

import math

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule, nondifferentiable
from .declaring import called_by

_zeta = called_by(sp.zeta, 1.0)
elementwise_rule(_zeta, None, lambda g, y, x, q: -g * (x * sp.zeta(x + 1, q)))


def _trigamma(x):
    """The slope of psi; of complex numbers by Euler and Maclaurin, because SciPy has it of real ones only."""
    if not np.iscomplexobj(x):
        return sp.zeta(2, x)
    n = 14 - int(np.min(np.floor(np.real(x)), initial=0))  # so many terms, until the rest converges
    rest = x + n
    total = sum(1 / (x + k) ** 2 for k in range(n)) + 1 / rest + 1 / (2 * rest**2)
    for k, bernoulli in [(3, 1 / 6), (5, -1 / 30), (7, 1 / 42), (9, -1 / 30), (11, 5 / 66), (13, -691 / 2730)]:
        total = total + bernoulli / rest**k
    return total


def _rgamma_slope(y, x):
    # Left of 1/2 by reflection, because psi has poles there, where 1/Γ has none.
    left = np.real(x) < 0.5
    mirrored = np.where(left, 1 - x, 1)
    return np.where(left, -sp.gamma(mirrored) * np.cos(math.pi * mirrored), 0) - sp.psi(np.where(left, 1 - x, x)) * y


elementwise_rule(sp.psi, lambda g, y, x: g * _trigamma(x))
elementwise_rule(sp.gamma, lambda g, y, x: g * (y * sp.psi(x)))
elementwise_rule(sp.gammaln, lambda g, y, x: g * sp.psi(x))
elementwise_rule(sp.loggamma, lambda g, y, x: g * sp.psi(x))
elementwise_rule(sp.rgamma, lambda g, y, x: g * _rgamma_slope(y, x))
elementwise_rule(sp.poch, lambda g, y, z, m: g * (y * (sp.psi(z + m) - sp.psi(z))),
                 lambda g, y, z, m: g * (y * sp.psi(z + m)))
elementwise_rule(sp.beta, lambda g, y, a, b: g * (y * (sp.psi(a) - sp.psi(a + b))),
                 lambda g, y, a, b: g * (y * (sp.psi(b) - sp.psi(a + b))))
elementwise_rule(sp.betaln, lambda g, y, a, b: g * (sp.psi(a) - sp.psi(a + b)),
                 lambda g, y, a, b: g * (sp.psi(b) - sp.psi(a + b)))
elementwise_rule(sp.binom, lambda g, y, n, k: g * (y * (sp.psi(n + 1) - sp.psi(n - k + 1))),
                 lambda g, y, n, k: g * (y * (sp.psi(n - k + 1) - sp.psi(k + 1))))
nondifferentiable(sp.gammasgn)
