"""The gamma distribution, as scipy.stats.gamma."""

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.gamma, name)


def _logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    z = (x - loc) / scale
    return sp.xlogy(a - 1, z) - z - sp.gammaln(a) - np.log(scale)


logpdf = equal_to("gamma.logpdf", _logpdf)
pdf = equal_to("gamma.pdf", lambda x, a, loc=0, scale=1: np.exp(logpdf(x, a, loc, scale)))
cdf = equal_to("gamma.cdf", lambda x, a, loc=0, scale=1: sp.gammainc(a, (x - loc) / scale))
