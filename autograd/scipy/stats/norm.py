"""The normal distribution, as scipy.stats.norm."""

import math
from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.norm, name)


logpdf = equal_to("norm.logpdf", lambda x, loc=0, scale=1:
                  -(((x - loc) / scale) ** 2 + math.log(2 * math.pi)) / 2 - np.log(scale))
pdf = equal_to("norm.pdf", lambda x, loc=0, scale=1: np.exp(logpdf(x, loc, scale)))
cdf = equal_to("norm.cdf", lambda x, loc=0, scale=1: sp.ndtr((x - loc) / scale))
sf = equal_to("norm.sf", lambda x, loc=0, scale=1: sp.ndtr((loc - x) / scale))
logcdf = equal_to("norm.logcdf", lambda x, loc=0, scale=1: sp.log_ndtr((x - loc) / scale))
logsf = equal_to("norm.logsf", lambda x, loc=0, scale=1: sp.log_ndtr((loc - x) / scale))
