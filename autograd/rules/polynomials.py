"""Functions of polynomials, which are given by their coefficients, that of the highest power first."""

import numpy as np

from ..registry import definition, rule
from ..value import Value
from .calculus import as_array


def _row(x):
    x = as_array(x)
    return x if np.ndim(x) else np.reshape(x, (1,))


def _degree(p):
    """The power of the first coefficient that is not 0."""
    found = np.flatnonzero(p)
    return len(p) - 1 - int(found[0]) if len(found) else 0


# Values, sums and products

def _vander(x, N=None, increasing=False):
    powers = np.arange(len(x) if N is None else N)
    return np.power(np.expand_dims(as_array(x), -1), powers if increasing else powers[::-1])


def _polyval(p, x):
    y = np.zeros_like(x)
    for coefficient in as_array(p):
        y = y * as_array(x) + coefficient
    return y


def _aligned(a1, a2):
    """Both with as many coefficients as the longer."""
    a1, a2 = _row(a1), _row(a2)
    n = max(len(a1), len(a2))
    return [np.concatenate([np.zeros_like(a, shape=(n - len(a),)), a]) if len(a) < n else a for a in (a1, a2)]


def _polyadd(a1, a2):
    a1, a2 = _aligned(a1, a2)
    return a1 + a2


def _polysub(a1, a2):
    a1, a2 = _aligned(a1, a2)
    return a1 - a2


def _polymul(a1, a2):  # which leaves out the leading zeros
    a1, a2 = _row(a1), _row(a2)
    return np.convolve(a1, a2)[-(_degree(a1) + _degree(a2) + 1):]


def _polydiv(u, v):
    u, v = _row(u) + 0.0, _row(v) + 0.0
    quotient, rest, scale = [], u, 1 / v[0]
    for k in range(len(u) - len(v) + 1):  # rounded as NumPy does, which leaves out what it finds to be 0
        quotient.append(scale * rest[k])
        rest = rest - quotient[k] * np.pad(v, (k, len(u) - len(v) - k))
    zeros = 0
    while zeros < len(u) - 1 and np.allclose(rest[zeros], 0, rtol=1e-14):
        zeros += 1
    return np.stack(quotient) if quotient else np.zeros_like(u, shape=(1,)), rest[zeros:]


definition(np.vander, _vander)
definition(np.polyval, _polyval)
definition(np.polyadd, _polyadd)
definition(np.polysub, _polysub)
definition(np.polymul, _polymul)
definition(np.polydiv, _polydiv)


# Derivatives and integrals

def _polyder(p, m=1):
    p = as_array(p)
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


def _polyint(p, m=1, k=None):
    p, constants = as_array(p), np.zeros(m) if k is None else _row(k)
    for i in range(m):
        constant = constants[i if len(constants) > 1 else 0]
        p = np.concatenate([p / np.arange(len(p), 0, -1), np.reshape(constant, (1,))])
    return p


definition(np.polyder, _polyder)
definition(np.polyint, _polyint)


# Roots

def _poly(seq_of_zeros):
    zeros = _row(seq_of_zeros)
    if np.ndim(zeros) == 2:
        return _characteristic(zeros)
    p = np.ones_like(zeros, shape=(1,))
    for zero in zeros:
        p = np.concatenate([p, p[:1] * 0]) - zero * np.concatenate([p[:1] * 0, p])
    return p if len(zeros) else p[0]


def _characteristic(a):
    """The characteristic polynomial of a matrix, by the recurrence of Faddeev and LeVerrier."""
    unit = np.diag(np.ones_like(a[0]))
    p, product = [np.ones_like(a, shape=())[()]], a * 0
    for k in range(1, len(a) + 1):
        product = a @ (product + p[-1] * unit)
        p.append(-np.sum(product * unit) / k)
    return np.stack(p)


def _roots(g, y, p):
    """Where p(y) = 0 stays true: p'(y) dy = -dp(y), with dp(y) a row of powers of y times the change of p."""
    return -(g / np.polyval(np.polyder(p), y)) @ np.vander(y, len(p))


definition(np.poly, _poly)
rule(np.roots, _roots, jvps=[lambda g, y, p: -np.polyval(g, y) / np.polyval(np.polyder(p), y)])


# Fits

def _polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """Least squares in powers of x moved and scaled into [-1, 1], which are far apart, then expanded."""
    x, y, order = as_array(x) + 0.0, as_array(y), int(deg) + 1
    plain = _plain(x)
    middle = np.mean(plain)
    scale = np.max(np.abs(plain - middle)) or 1.0
    weights = np.ones_like(plain) if w is None else as_array(w)
    a = np.vander((x - middle) / scale, order) * weights[:, None]
    b = np.reshape(y, (len(y), -1)) * weights[:, None]
    # Each power of (x - middle) / scale, as a row of coefficients in powers of x
    powers = [np.atleast_1d(np.poly(np.full(k, middle))) for k in range(order)]
    expanded = np.stack([np.concatenate([np.zeros(order - 1 - k), powers[k]]) / scale**k
                         for k in range(order - 1, -1, -1)])
    fitted = np.linalg.solve(np.conj(a.T) @ a, np.conj(a.T) @ b)
    c = np.reshape(expanded.T @ fitted, (order, *np.shape(y)[1:]))
    if not cov:
        return c
    covariance = expanded.T @ np.linalg.inv(a.T @ a) @ expanded
    if cov == "unscaled":
        return c, covariance if np.ndim(y) == 1 else covariance[:, :, None]
    factor = np.sum(np.abs(b - a @ fitted) ** 2, axis=0) / (len(x) - order)
    return c, covariance * factor if np.ndim(y) == 1 else covariance[:, :, None] * factor


def _plain(x):
    return x.data if isinstance(x, Value) else np.asarray(x)


def _check_polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    if full:
        raise TypeError("np.polyfit with full=True has no derivative rule: leave it out, or pass .data for constants")
    if len(np.unique(_plain(x))) <= deg:
        raise TypeError(f"np.polyfit has no derivative where the fit is not unique: degree {deg} needs {deg + 1} "
                        "different x")


definition(np.polyfit, _polyfit, check=_check_polyfit)
