"""Rules of functions that come with their slope, whose own slope is what their differential equation says.

Mathieu's, spheroidal and parabolic cylinder functions: with respect to their last argument.
"""

import math

import numpy as np
import scipy.special as sp

from .declaring import several_rule

# Parabolic cylinder
several_rule(sp.pbdv, None, lambda y, v, x: (y[1], (x * x / 4 - v - 0.5) * y[0]))
several_rule(sp.pbvv, None, lambda y, v, x: (y[1], (x * x / 4 - v - 0.5) * y[0]))
several_rule(sp.pbwa, None, lambda y, a, x: (y[1], (a - x * x / 4) * y[0]))

# Mathieu: the angle is in degrees
_DEGREE = math.pi / 180


def _mathieu(characteristic):
    return lambda y, m, q, x: (y[1] * _DEGREE,
                               (2 * q * np.cos(2 * _DEGREE * x) - characteristic(m, q)) * y[0] * _DEGREE)


def _modified_mathieu(characteristic):
    return lambda y, m, q, x: (y[1], (characteristic(m, q) - 2 * q * np.cosh(2 * x)) * y[0])


several_rule(sp.mathieu_cem, None, None, _mathieu(sp.mathieu_a))
several_rule(sp.mathieu_sem, None, None, _mathieu(sp.mathieu_b))
for _function in (sp.mathieu_modcem1, sp.mathieu_modcem2):
    several_rule(_function, None, None, _modified_mathieu(sp.mathieu_a))
for _function in (sp.mathieu_modsem1, sp.mathieu_modsem2):
    several_rule(_function, None, None, _modified_mathieu(sp.mathieu_b))


# Spheroidal: the oblate ones are the prolate ones of imaginary c, and the radial ones also of imaginary x. Those of the
# second kind have no rule, because SciPy's results contradict their differential equation.
def _spheroidal(cv, c2, x2):
    def slopes(y, m, n, c, x):
        return with_cv(y, m, n, c, cv(m, n, c), x)

    def with_cv(y, m, n, c, cv, x):
        one = 1 - x2 * x * x
        curvature = 2 * x2 * x * y[1] - x2 * (cv - c2 * x2 * c * c * x * x - m * m / one) * y[0]
        return y[1], curvature / one

    return slopes, with_cv


for _plain, _given, (_slopes, _with_cv) in [
    (sp.pro_ang1, sp.pro_ang1_cv, _spheroidal(sp.pro_cv, 1, 1)),
    (sp.pro_rad1, sp.pro_rad1_cv, _spheroidal(sp.pro_cv, 1, 1)),
    (sp.obl_ang1, sp.obl_ang1_cv, _spheroidal(sp.obl_cv, -1, 1)),
    (sp.obl_rad1, sp.obl_rad1_cv, _spheroidal(sp.obl_cv, -1, -1)),
]:
    several_rule(_plain, None, None, None, _slopes)
    several_rule(_given, None, None, None, None, _with_cv)
