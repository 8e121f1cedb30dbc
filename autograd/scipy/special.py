"""scipy.special, with differentiable versions of functions that SciPy writes in Python; the others are as they are."""

from typing import Any

import numpy as np
import scipy.special as sp

from ..record import primitive
from ..registry import definition, elementwise_rule, rule
from ..rules.reductions import expand

__all__ = ["comb", "log_softmax", "logsumexp", "multigammaln", "perm", "polygamma", "softmax", "spherical_in",
           "spherical_jn", "spherical_kn", "spherical_yn"]


def __getattr__(name: str) -> Any:
    return getattr(sp, name)


comb, perm, polygamma, multigammaln, logsumexp, softmax, log_softmax = (primitive(getattr(sp, name)) for name in (
    "comb", "perm", "polygamma", "multigammaln", "logsumexp", "softmax", "log_softmax"))
definition(comb, lambda N, k: sp.binom(N, k))
definition(perm, lambda N, k: sp.poch(N - k + 1, k))

elementwise_rule(polygamma, None, lambda g, y, n, x: g * polygamma(n + 1, x))
elementwise_rule(multigammaln, lambda g, y, a, d: g * np.sum(sp.psi(np.expand_dims(a, -1) - np.arange(d) / 2), axis=-1))


# Sums of exponentials

def _weights(y, a, axis, b, keepdims, return_sign):
    """The slopes with respect to ``a``, and to ``b``."""
    if return_sign and np.iscomplexobj(a):
        raise TypeError("scipy.special.logsumexp of complex numbers has no derivative rule with return_sign")
    shape = np.broadcast_to(0, np.broadcast_shapes(np.shape(a), np.shape(1 if b is None else b)))
    total, sign = y if return_sign else (y, None)
    total = np.where(np.isinf(total), 0, total)  # of nothing but zeros the slope is zero
    each = np.exp(a - expand(total, shape, axis, keepdims))
    if return_sign:
        each = each * expand(sign, shape, axis, keepdims)
    return (each if b is None else b * each), each


def _logsumexp(i):
    """The vjp and the jvp with respect to ``a``, whose weights are number 0, or to ``b``, whose are number 1."""
    def vjp(g, y, a, axis=None, b=None, keepdims=False, return_sign=False):
        each = _weights(y, a, axis, b, keepdims, return_sign)[i]
        return expand(g[0] if return_sign else g, each, axis, keepdims) * each

    def jvp(g, y, a, axis=None, b=None, keepdims=False, return_sign=False):
        total = np.sum(g * _weights(y, a, axis, b, keepdims, return_sign)[i], axis=axis, keepdims=keepdims)
        return (total, np.zeros_like(total)) if return_sign else total

    return vjp, jvp


(_vjp_a, _jvp_a), (_vjp_b, _jvp_b) = _logsumexp(0), _logsumexp(1)
rule(logsumexp, _vjp_a, None, _vjp_b, jvps=[_jvp_a, None, _jvp_b])


def _softmax(g, y, x, axis=None):
    return y * (g - np.sum(g * y, axis=axis, keepdims=True))


rule(softmax, _softmax, jvps=[_softmax])
rule(log_softmax, lambda g, y, x, axis=None: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),
     jvps=[lambda g, y, x, axis=None: g - np.sum(np.exp(y) * g, axis=axis, keepdims=True)])


# Spherical Bessel functions: their second derivatives are what the differential equation says
def _spherical(function, sign):
    wrapped = primitive(function)

    def slope(g, y, n, z, derivative=False):
        if not derivative:
            return g * wrapped(n, z, derivative=True)
        return g * ((n * (n + 1) / z**2 - sign) * wrapped(n, z) - 2 * y / z)

    elementwise_rule(wrapped, None, slope)
    return wrapped


spherical_jn, spherical_yn = _spherical(sp.spherical_jn, 1), _spherical(sp.spherical_yn, 1)
spherical_in, spherical_kn = _spherical(sp.spherical_in, -1), _spherical(sp.spherical_kn, -1)
