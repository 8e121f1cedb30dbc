"""Rules of orthogonal polynomials and Legendre functions, with respect to their last argument."""

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule


def _less(n):
    """``n - 1``, or 0 for 0, where the slope is 0 anyway."""
    return np.where(n == 0, 0, n - 1)


def _gegenbauer(alpha, n, x):
    """The slope of the ultraspherical polynomial of ``alpha``, which makes others slope alike, over ``2 alpha``."""
    return (n != 0) * sp.eval_gegenbauer(_less(n), alpha + 1, x)


elementwise_rule(sp.eval_chebyt, None, lambda g, y, n, x: g * (n * sp.eval_chebyu(_less(n), x)))
elementwise_rule(sp.eval_chebyc, None, lambda g, y, n, x: g * (n * sp.eval_chebys(_less(n), x)))
elementwise_rule(sp.eval_sh_chebyt, None, lambda g, y, n, x: g * (2 * n * sp.eval_sh_chebyu(_less(n), x)))
elementwise_rule(sp.eval_chebyu, None, lambda g, y, n, x: g * (2 * _gegenbauer(1, n, x)))
elementwise_rule(sp.eval_chebys, None, lambda g, y, n, x: g * _gegenbauer(1, n, x / 2))
elementwise_rule(sp.eval_sh_chebyu, None, lambda g, y, n, x: g * (4 * _gegenbauer(1, n, 2 * x - 1)))
elementwise_rule(sp.eval_legendre, None, lambda g, y, n, x: g * _gegenbauer(0.5, n, x))
elementwise_rule(sp.eval_sh_legendre, None, lambda g, y, n, x: g * (2 * _gegenbauer(0.5, n, 2 * x - 1)))
elementwise_rule(sp.eval_gegenbauer, None, None,
                 lambda g, y, n, alpha, x: g * (2 * alpha * _gegenbauer(alpha, n, x)))
elementwise_rule(sp.eval_jacobi, None, None, None, lambda g, y, n, alpha, beta, x:
                 g * ((n != 0) * (n + alpha + beta + 1) / 2 * sp.eval_jacobi(_less(n), alpha + 1, beta + 1, x)))
elementwise_rule(sp.eval_sh_jacobi, None, None, None, lambda g, y, n, p, q, x:
                 g * (n * sp.eval_sh_jacobi(_less(n), p + 2, q + 1, x)))
elementwise_rule(sp.eval_laguerre, None, lambda g, y, n, x: -g * ((n != 0) * sp.eval_genlaguerre(_less(n), 1, x)))
elementwise_rule(sp.eval_genlaguerre, None, None,
                 lambda g, y, n, alpha, x: -g * ((n != 0) * sp.eval_genlaguerre(_less(n), alpha + 1, x)))
elementwise_rule(sp.eval_hermite, None, lambda g, y, n, x: g * (2 * n * sp.eval_hermite(_less(n), x)))
elementwise_rule(sp.eval_hermitenorm, None, lambda g, y, n, x: g * (n * sp.eval_hermitenorm(_less(n), x)))
elementwise_rule(sp.lpmv, None, None, lambda g, y, m, v, x:
                 g * (((v - m + 1) * sp.lpmv(m, v + 1, x) - (v + 1) * x * y) / (x * x - 1)))
