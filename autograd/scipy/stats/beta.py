"""The beta distribution, as scipy.stats.beta."""

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.beta, name)


def _logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    z = (x - loc) / scale
    return sp.xlogy(a - 1, z) + sp.xlog1py(b - 1, -z) - sp.betaln(a, b) - np.log(scale)


logpdf = equal_to("beta.logpdf", _logpdf)
pdf = equal_to("beta.pdf", lambda x, a, b, loc=0, scale=1: np.exp(logpdf(x, a, b, loc, scale)))
cdf = equal_to("beta.cdf", lambda x, a, b, loc=0, scale=1: sp.betainc(a, b, (x - loc) / scale))
