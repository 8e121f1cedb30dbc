"""Cases of scipy.special: each ufunc with respect to the arguments of which it has a derivative."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.special as sp

from tests.autograd import cases_scipy
from tests.autograd.cases import Case, case
from tests.autograd.rows import positive, real, unit

__all__ = ["CASES"]


def within(low: float, high: float) -> Callable:
    return lambda rng, shape: rng.uniform(low, high, shape)


def right(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Complex numbers right of the imaginary axis."""
    return rng.uniform(0.5, 1.5, shape) + 1j * rng.uniform(-1, 1, shape)


def special(names: str, *others: Any, count: int = 1, domain: Any = positive, **options: Any) -> list[Case]:
    """Of each function of these names, with respect to its last arguments, after given others."""
    label = f"({', '.join(map(str, others))}, x)" if others else ""
    return [case(getattr(sp, name), count, partial(getattr(sp, name), *others), name=label, domain=domain, **options)
            for name in names.split()]


probability, proportion = within(0.1, 0.9), within(0.2, 0.8)
analytic: dict = {"complex": True, "analytic": True}
double = {"float32": False}  # SciPy has them in double precision alone, or gives NaN, or never comes to an end

ELEMENTARY = [
    *special("expit log_expit exp2 exp10 cbrt", domain=real),
    *special("exprel cosm1 tandg cotdg", domain=real),
    *special("sindg cosdg", domain=within(20, 70)),
    *special("expm1 log1p", domain=unit, **analytic),
    *special("logit erfinv ndtri", domain=probability),
    *special("rel_entr kl_div pseudo_huber powm1 agm", count=2),
    *special("boxcox boxcox1p", count=2),
    *special("xlogy xlog1py", count=2, domain=[real, positive], **analytic),
    *special("inv_boxcox inv_boxcox1p", count=2, domain=[positive, within(-0.3, 0.3)]),
    case(sp.boxcox, 1, lambda x: (sp.boxcox(x, 0), sp.boxcox1p(x, 0), sp.inv_boxcox(x, 0), sp.inv_boxcox1p(x, 0)),
         domain=positive, name="at lmbda=0"),
    case(sp.radian, 3, lambda d, m, s: 1e4 * sp.radian(d, m, s)),
    case(sp.huber, 2, domain=[within(0.1, 0.15), real], name="beyond delta"),
    case(sp.huber, 2, domain=[within(2, 3), real], name="within delta"),
]

ERRORS = [
    *special("erf erfc erfcx erfi dawsn ndtr log_ndtr", domain=real, **analytic),
    *special("wofz", domain=real, complex=True),
    *special("erfcinv entr", domain=within(0.3, 1.7)),
    *special("ndtri_exp", domain=within(-4, -0.2)),
    *special("owens_t", count=2),
    *special("voigt_profile", count=3, domain=[real, positive, positive]),
    *special("nrdtrimn", count=3, domain=[within(0.6, 0.9), positive, real]),
    *special("nrdtrisd", count=3, domain=[real, within(0.6, 0.9), within(2, 3)]),
]

GAMMA = [
    *special("gamma rgamma", complex=right, analytic=True),
    *special("loggamma psi", complex=right),
    *special("gammaln"),
    case(sp.rgamma, 1, domain=within(-2.5, 0.4), name="around poles"),
    case(sp.gamma, 1, lambda x: (sp.gamma(x), sp.gammaln(x), sp.psi(x)), domain=within(-1.7, -1.3), name="left of 0"),
    *special("beta betaln poch", count=2),
    *special("binom", count=2, domain=[within(3, 5), within(0.3, 2.7)]),
    case(sp.zeta, 1, lambda q: sp.zeta(2.5, q), domain=positive, name="(2.5, x)"),
]

BESSEL = [
    *special("jv yv iv kv kve hankel1 hankel2 hankel1e hankel2e", 1.5, complex=right),
    *special("jve yve struve modstruve", 0.5),
    *special("ive", 2, domain=real),
    *special("yn kn", 0, **double),
    *special("j0 j1 i0 i1 i0e i1e", domain=real),
    *special("y0 y1 k0 k1 k0e k1e"),
    *special("ber bei ker kei berp beip kerp keip kelvin"),
    case(sp.besselpoly, 1, lambda a: sp.besselpoly(a, 1, 2.5), domain=positive),
    *special("airy", domain=real, complex=right),
    *special("airye"),
    *special("itairy", domain=within(0.5, 1)),  # SciPy's has only seven digits for larger numbers
]

CYLINDER = [
    *special("pbdv pbvv pbwa", 0.7, domain=real),
    *special("mathieu_cem mathieu_sem mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2", 2, 1.5,
            **double),
    *special("pro_ang1 obl_ang1 obl_rad1", 1, 2, 1.5, domain=proportion, **double),
    *special("pro_ang1_cv", 1, 2, 1.5, sp.pro_cv(1, 2, 1.5), domain=proportion, **double),
    *special("obl_ang1_cv obl_rad1_cv", 1, 2, 1.5, sp.obl_cv(1, 2, 1.5), domain=proportion, **double),
    *special("pro_rad1", 1, 2, 1.5, domain=within(1.2, 2), **double),
    *special("pro_rad1_cv", 1, 2, 1.5, sp.pro_cv(1, 2, 1.5), domain=within(1.2, 2), **double),
]

ELLIPTIC = [
    *special("ellipk ellipe", domain=within(-2, 0.8)),
    *special("ellipkm1", domain=probability),
    # Slopes in terms of elliprd have no rule of their own
    *special("ellipkinc ellipeinc ellipj", count=2, domain=[within(-5, 5), proportion], second=False),
    case(sp.ellipkinc, 1, lambda x: (sp.ellipkinc(x, 0.4), sp.ellipeinc(x, 0.4), *sp.ellipj(x, 0.4)),
         domain=within(-5, 5), name="(x, 0.4) and ellipeinc ellipj"),
    *special("elliprc", count=2, second=False, complex=right),
    *special("elliprf elliprg", count=3, second=False, complex=right),
]

HYPERGEOMETRIC = [
    *special("hyp0f1", 1.5, domain=unit, complex=True),
    *special("hyp1f1", 0.7, 1.5, domain=unit, **analytic),
    *special("hyp2f1", 0.7, 1.3, 2.5, domain=unit, **analytic),
    *special("hyperu wright_bessel", 0.7, 1.5),
    *special("lambertw", complex=True),
    *special("wrightomega", domain=real, **analytic),
]

INTEGRALS = [
    *special("exp1 expi sici shichi spence", complex=right),
    *special("fresnel", domain=real, complex=True),
    *special("itstruve0 itmodstruve0 it2struve0", domain=real),
    *special("modfresnelp modfresnelm itj0y0 iti0k0 it2j0y0 it2i0k0"),
    *special("expn", 0), *special("expn", 3),
]

POLYNOMIALS = [
    *special("eval_hermite eval_hermitenorm eval_chebyc eval_chebys eval_laguerre eval_sh_chebyt eval_sh_chebyu "
            "eval_sh_legendre", 3, domain=unit, **double),
    *special("eval_sh_jacobi", 3, 2.3, 1.7, domain=unit, **double),
    *special("eval_chebyt eval_chebyu eval_legendre", 2.5, domain=unit, **analytic),
    *special("eval_gegenbauer eval_genlaguerre", 2.5, 0.7, domain=unit, **analytic),
    *special("eval_jacobi", 2.5, 0.3, 0.7, domain=unit, **analytic),
    *special("lpmv", 1, 2, domain=unit),
]

DISTRIBUTIONS = [
    *special("gammainc gammaincc chdtr chdtrc stdtr", 1.7),
    *special("gammaincinv gammainccinv chdtri stdtrit", 1.7, domain=proportion),
    *special("betainc betaincc betaincinv betainccinv fdtr fdtrc fdtri", 1.7, 2.4, domain=proportion),
    *special("pdtr pdtrc", 2.6),
    *special("pdtri", 2, domain=proportion, **double),
    *special("bdtr bdtrc bdtri nbdtr nbdtrc nbdtri", 2, 5, domain=proportion, **double),
    *[case(f, 2, lambda a, x, f=f: 10 * f(a, 1.6, x), domain=positive) for f in (sp.gdtr, sp.gdtrc)],
    case(sp.gdtria, 2, lambda p, x: sp.gdtria(p, 1.6, x), domain=[proportion, positive]),
    case(sp.gdtrix, 2, lambda a, p: sp.gdtrix(a, 1.6, p), domain=[positive, proportion]),
    case(sp.chndtr, 2, lambda x, nc: sp.chndtr(x, 2.5, nc), domain=positive),
    case(sp.chndtrix, 2, lambda p, nc: sp.chndtrix(p, 2.5, nc), domain=[proportion, positive]),
    case(sp.tklmbda, 1, lambda x: sp.tklmbda(x, 0.4), domain=unit),
]

CASES = [*ELEMENTARY, *ERRORS, *GAMMA, *BESSEL, *CYLINDER, *ELLIPTIC, *HYPERGEOMETRIC, *INTEGRALS, *POLYNOMIALS,
         *DISTRIBUTIONS, *cases_scipy.CASES]
