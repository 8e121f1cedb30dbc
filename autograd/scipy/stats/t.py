"""The t distribution of Student, as scipy.stats.t."""

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.t, name)


def _logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    z = (x - loc) / scale
    return -(df + 1) / 2 * np.log1p(z * z / df) - sp.betaln(df / 2, 0.5) - np.log(df) / 2 - np.log(scale)


logpdf = equal_to("t.logpdf", _logpdf)
pdf = equal_to("t.pdf", lambda x, df, loc=0, scale=1: np.exp(logpdf(x, df, loc, scale)))
cdf = equal_to("t.cdf", lambda x, df, loc=0, scale=1: sp.stdtr(df, (x - loc) / scale))
sf = equal_to("t.sf", lambda x, df, loc=0, scale=1: sp.stdtr(df, (loc - x) / scale))
logcdf = equal_to("t.logcdf", lambda x, df, loc=0, scale=1: np.log(cdf(x, df, loc, scale)))
logsf = equal_to("t.logsf", lambda x, df, loc=0, scale=1: np.log(sf(x, df, loc, scale)))
