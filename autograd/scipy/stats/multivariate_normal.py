"""The normal distribution of several variables, as scipy.stats.multivariate_normal."""

import math
from typing import Any

import numpy as np
import scipy.stats

from ...value import Value
from .declaring import equal_to


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.multivariate_normal, name)


def _matrix(mean: Any, cov: Any) -> Any:
    """The covariance as a matrix, where SciPy also takes its diagonal, or one variance for all."""
    if np.ndim(cov) == 2:
        return cov
    n = max(np.size(cov), np.size(1 if mean is None else mean))
    return np.expand_dims(cov, -1) * np.eye(n)


def _logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    cov = _matrix(mean, cov)
    n = np.shape(cov)[0]
    if n == 1 and np.ndim(x) < 2:  # points on a line
        x = np.expand_dims(x, -1)
    deviation = np.reshape(x - (0 if mean is None else mean), (-1, n))
    if allow_singular:
        if isinstance(cov, Value):
            raise TypeError("scipy.stats.multivariate_normal has no derivative with respect to a covariance that may "
                            "be singular; leave out allow_singular")
        solved, spread = deviation @ np.linalg.pinv(cov), 0.0
    else:
        solved, spread = np.linalg.solve(cov, deviation.T).T, np.linalg.slogdet(cov)[1]
    found = -(np.sum(deviation * solved, axis=-1) + spread + n * math.log(2 * math.pi)) / 2
    return found[0] if np.size(found) == 1 else np.squeeze(np.reshape(found, np.shape(x)[:-1]))


logpdf = equal_to("multivariate_normal.logpdf", _logpdf)
pdf = equal_to("multivariate_normal.pdf", lambda x, mean=None, cov=1, allow_singular=False:
               np.exp(logpdf(x, mean, cov, allow_singular)))
entropy = equal_to("multivariate_normal.entropy", lambda mean=None, cov=1:
                   (np.linalg.slogdet(_matrix(mean, cov))[1] + np.shape(_matrix(mean, cov))[0] * (
                       1 + math.log(2 * math.pi))) / 2)
