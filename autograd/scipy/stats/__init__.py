"""Distributions of scipy.stats, each a module whose densities and distribution functions are differentiable."""

from typing import Any

import scipy.stats

from . import beta, chi2, dirichlet, gamma, multivariate_normal, norm, poisson, t

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats, name)
