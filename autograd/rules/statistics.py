"""Definitions of statistics: weighted averages, covariances and correlations."""

import numpy as np

from ..registry import definition
from .reductions import axes_of


def weights_along(weights, a, axis):
    """Weights of the shape of the axes that they belong to, as an array that broadcasts against ``a``."""
    if np.shape(weights) == np.shape(a):
        return weights
    axes = axes_of(a, axis)
    return np.reshape(np.transpose(weights, np.argsort(axes).tolist()),
                      tuple(n if i in axes else 1 for i, n in enumerate(np.shape(a))))


def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    if weights is None:
        y = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.size(a) / np.size(y)
    else:
        weights = weights_along(weights, a, axis)
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        y = np.sum(np.multiply(a, weights), axis=axis, keepdims=keepdims) / total
    return (y, np.broadcast_to(total, np.shape(y))) if returned else y


definition(np.average, _average)


def _cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    x = np.reshape(m, (1, -1)) if np.ndim(m) < 2 else m if rowvar else np.transpose(m)
    if y is not None:
        y = np.reshape(y, (1, -1)) if np.ndim(y) < 2 else y
        x = np.concatenate([x, y if rowvar or np.shape(y)[0] == 1 else np.transpose(y)])
    if not np.shape(x)[0]:
        return np.zeros((0, 0))
    if ddof is None:
        ddof = 0 if bias else 1
    weights = [np.reshape(w, -1) for w in (fweights, aweights) if w is not None]
    if weights:
        w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
        total = np.sum(w)
        freedom = total - (ddof if aweights is None else ddof * (np.sum(w * weights[-1]) / total))
        x = x - np.sum(x * w, axis=1, keepdims=True) / total
        c = (x * w) @ np.conj(np.transpose(x))
    else:
        freedom = np.shape(x)[1] - ddof
        x = x - np.mean(x, axis=1, keepdims=True)
        c = x @ np.conj(np.transpose(x))
    return np.squeeze(c / np.maximum(freedom, 0))


def _corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = _cov(x, y, rowvar)
    if not np.ndim(c):
        return c / c
    deviations = np.sqrt(np.real(np.einsum("ii->i", c)))
    return c / deviations[:, None] / deviations


definition(np.cov, _cov)
definition(np.corrcoef, _corrcoef)
