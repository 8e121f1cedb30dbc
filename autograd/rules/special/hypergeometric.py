"""Rules of hypergeometric functions, with respect to their last argument, and of what inverts x·exp(x)."""

import numpy as np
import scipy.special as sp

from ...registry import elementwise_rule
from .declaring import called_by

elementwise_rule(sp.hyp0f1, None, lambda g, y, v, z: g * (sp.hyp0f1(v + 1, z) / v))
elementwise_rule(sp.hyp1f1, None, None, lambda g, y, a, b, x: g * (a / b * sp.hyp1f1(a + 1, b + 1, x)))
elementwise_rule(sp.hyperu, None, None, lambda g, y, a, b, x: -g * (a * sp.hyperu(a + 1, b + 1, x)))
elementwise_rule(sp.hyp2f1, None, None, None,
                 lambda g, y, a, b, c, z: g * (a * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, z)))
elementwise_rule(sp.wright_bessel, None, None, lambda g, y, a, b, x: g * sp.wright_bessel(a, a + b, x))
elementwise_rule(called_by(sp.lambertw), lambda g, y, z, k, tol: g * (np.exp(-y) / (1 + y)))
elementwise_rule(sp.wrightomega, lambda g, y, z: g * (y / (1 + y)))
