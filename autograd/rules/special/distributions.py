"""Rules of distribution functions and their inverses: the slope is the density, or one over it.

With respect to shapes there are none, but where the formula is known.
"""

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule


def _gamma(a, x):
    """The density of the gamma distribution of shape ``a``."""
    return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))


def _beta(a, b, x):
    return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


def _chi2(v, x):
    return _gamma(v / 2, x / 2) / 2


def _student(v, t):
    return np.exp(-sp.xlog1py((v + 1) / 2, t * t / v) - sp.betaln(v / 2, 0.5)) / np.sqrt(v)


def _fisher(m, n, x):
    total = m * x + n
    return _beta(m / 2, n / 2, m * x / total) * (m * n / total**2)


def _poisson(k, m):
    return _gamma(np.floor(k) + 1, m)


def _binomial(k, n, p):
    return _beta(np.floor(k) + 1, n - np.floor(k), p)


def _negative_binomial(k, n, p):
    return _beta(n, np.floor(k) + 1, p)


def _register(density, sign, *functions):
    """Give a distribution function, or the inverse of one, its slope: ``sign`` times the density, or one over that."""
    function, *inverses = functions
    others = [None] * (function.nin - 1)
    elementwise_rule(function, *others, lambda g, y, *args: g * (sign * density(*args)))
    for inverse in inverses:
        elementwise_rule(inverse, *others, lambda g, y, *args: g / (sign * density(*args[:-1], y)))


# Those that rise, and their complements; counts fall as their mean rises
_register(_gamma, 1, sp.gammainc, sp.gammaincinv)
_register(_gamma, -1, sp.gammaincc, sp.gammainccinv)
_register(_beta, 1, sp.betainc, sp.betaincinv)
_register(_beta, -1, sp.betaincc, sp.betainccinv)
_register(_chi2, 1, sp.chdtr)
_register(_chi2, -1, sp.chdtrc, sp.chdtri)
_register(_student, 1, sp.stdtr, sp.stdtrit)
_register(_fisher, 1, sp.fdtr, sp.fdtri)
_register(_fisher, -1, sp.fdtrc)
_register(_poisson, -1, sp.pdtr, sp.pdtri)
_register(_poisson, 1, sp.pdtrc)
_register(_binomial, -1, sp.bdtr, sp.bdtri)
_register(_binomial, 1, sp.bdtrc)
_register(_negative_binomial, 1, sp.nbdtr, sp.nbdtri)
_register(_negative_binomial, -1, sp.nbdtrc)

# The gamma distribution of rate a and shape b, and its inverses
elementwise_rule(sp.gdtr, lambda g, y, a, b, x: g * (x * _gamma(b, a * x)), None,
                 lambda g, y, a, b, x: g * (a * _gamma(b, a * x)))
elementwise_rule(sp.gdtrc, lambda g, y, a, b, x: -g * (x * _gamma(b, a * x)), None,
                 lambda g, y, a, b, x: -g * (a * _gamma(b, a * x)))
elementwise_rule(sp.gdtria, lambda g, y, p, b, x: g / (x * _gamma(b, y * x)), None, lambda g, y, p, b, x: -g * y / x)
elementwise_rule(sp.gdtrix, lambda g, y, a, b, p: -g * y / a, None, lambda g, y, a, b, p: g / (a * _gamma(b, a * y)))


# The noncentral chi-square distribution
def _noncentral(x, df, nc):
    return _chi2(df, x) * np.exp(-nc / 2) * sp.hyp0f1(df / 2, nc * x / 4)


elementwise_rule(sp.chndtr, lambda g, y, x, df, nc: g * _noncentral(x, df, nc), None,
                 lambda g, y, x, df, nc: -g * _noncentral(x, df + 2, nc))
elementwise_rule(sp.chndtrix, lambda g, y, p, df, nc: g / _noncentral(y, df, nc), None,
                 lambda g, y, p, df, nc: g * (_noncentral(y, df + 2, nc) / _noncentral(y, df, nc)))


def _tukey(y, lmbda):
    """The density where the distribution function is ``y``: 0 outside of the support."""
    inside = (y > 0) & (y < 1)
    p = np.where(inside, y, 0.5)
    return np.where(inside, 1 / (np.power(p, lmbda - 1) + np.power(1 - p, lmbda - 1)), 0)


elementwise_rule(sp.tklmbda, lambda g, y, x, lmbda: g * _tukey(y, lmbda))
