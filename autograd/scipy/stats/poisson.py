"""The Poisson distribution, as scipy.stats.poisson: with respect to its mean."""

from typing import Any

import numpy as np
import scipy.stats

from ...registry import elementwise_rule
from .declaring import method


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.poisson, name)


pmf, logpmf, cdf = (method(f"poisson.{name}", lambda k, mu, loc=0: None) for name in ("pmf", "logpmf", "cdf"))


def _slope(k, mu, loc):
    return np.where((k - loc) % 1 == 0, (k - loc) / mu - 1, 0)  # between the whole numbers there is nothing


elementwise_rule(logpmf, None, lambda g, y, k, mu, loc=0: g * _slope(k, mu, loc))
elementwise_rule(pmf, None, lambda g, y, k, mu, loc=0: g * (y * _slope(k, mu, loc)))
elementwise_rule(cdf, None, lambda g, y, k, mu, loc=0: -g * pmf(np.floor(k - loc), mu))
