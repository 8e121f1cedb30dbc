"""The chi-square distribution, as scipy.stats.chi2."""

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.chi2, name)


def _logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    z = (x - loc) / scale / 2
    return sp.xlogy(df / 2 - 1, z) - z - sp.gammaln(df / 2) - np.log(2 * scale)


logpdf = equal_to("chi2.logpdf", _logpdf)
pdf = equal_to("chi2.pdf", lambda x, df, loc=0, scale=1: np.exp(logpdf(x, df, loc, scale)))
cdf = equal_to("chi2.cdf", lambda x, df, loc=0, scale=1: sp.chdtr(df, (x - loc) / scale))
