"""The Dirichlet distribution, as scipy.stats.dirichlet."""

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.dirichlet, name)


def _logpdf(x: Any, alpha: Any) -> Any:
    if np.shape(x)[0] == np.size(alpha) - 1:  # the last one is what is left to 1
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    powers = np.reshape(alpha, (-1,) + (1,) * (np.ndim(x) - 1)) - 1
    return np.sum(sp.xlogy(powers, x), axis=0) + sp.gammaln(np.sum(alpha)) - np.sum(sp.gammaln(alpha))


logpdf = equal_to("dirichlet.logpdf", _logpdf)
pdf = equal_to("dirichlet.pdf", lambda x, alpha: np.exp(logpdf(x, alpha)))
