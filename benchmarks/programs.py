"""Programs written for HIPS autograd, which run unchanged with Nudge: gradients of small models, where each call
counts, and of large arrays, where only the arithmetic should. ``autograd`` is whichever of the two is imported here.
"""

import itertools

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import grad, hessian_vector_product

__all__ = ["PROGRAMS"]


def network(sizes, batch):
    rs = npr.RandomState(0)
    params = [(rs.randn(m, n) / m**0.5, rs.randn(n)) for m, n in itertools.pairwise(sizes)]
    x, y = rs.randn(batch, sizes[0]), rs.randn(batch, sizes[-1])

    def cost(params):
        a = x
        for w, b in params:
            a = np.tanh(np.dot(a, w) + b)
        return np.sum((a - y) ** 2) / batch

    gradient = grad(cost)
    return lambda: gradient(params)


def recurrent(steps, hidden, batch):
    rs = npr.RandomState(0)
    params = {"in": rs.randn(hidden, hidden) / hidden, "hidden": rs.randn(hidden, hidden) / hidden,
              "bias": rs.randn(hidden), "out": rs.randn(hidden, 1)}
    inputs, targets = rs.randn(steps, batch, hidden), rs.randn(steps, batch, 1)

    def cost(params):
        h, total = np.zeros((batch, hidden)), 0.0
        for x, y in zip(inputs, targets):  # noqa: B905
            h = np.tanh(np.dot(x, params["in"]) + np.dot(h, params["hidden"]) + params["bias"])
            total = total + np.mean((np.dot(h, params["out"]) - y) ** 2)
        return total

    gradient = grad(cost)
    return lambda: gradient(params)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def valley():
    gradient, x = grad(rosenbrock), np.linspace(-1.0, 1.0, 10)
    return lambda: gradient(x)


def curvature():
    product, x, v = hessian_vector_product(rosenbrock), np.linspace(-1.0, 1.0, 10), np.ones(10)
    return lambda: product(x, v)


def scalars():
    def sine(x):
        total = term = x
        for i in range(12):
            term = -term * x**2 / ((2 * i + 3) * (2 * i + 2))
            total = total + term
        return total

    gradient = grad(sine)
    return lambda: gradient(1.5)


def elementwise(n):
    x = npr.RandomState(0).uniform(0.5, 1.5, n)
    gradient = grad(lambda x: np.sum(np.log(1.0 + np.exp(np.sin(x) * x)) / np.sqrt(x)))
    return lambda: gradient(x)


def products(n):
    a, b = npr.RandomState(0).randn(n, n), npr.RandomState(1).randn(n, n)
    gradient = grad(lambda a, b: np.sum(np.dot(a, np.dot(b, a))), (0, 1))
    return lambda: gradient(a, b)


def contraction(n):
    rs = npr.RandomState(0)
    a, b, c = rs.randn(n, n), rs.randn(n, n), rs.randn(n)
    gradient = grad(lambda a, b, c: np.sum(np.einsum("ij,ij,j->i", a, b, c) ** 2), (0, 1, 2))
    return lambda: gradient(a, b, c)


def joined(n):
    parts = [npr.RandomState(i).randn(n) for i in range(10)]
    gradient = grad(lambda parts: np.sum(np.concatenate(parts) ** 2))
    return lambda: gradient(parts)


def indexed(n):
    x, order = npr.RandomState(0).randn(n), npr.RandomState(1).randint(0, n, n)
    gradient = grad(lambda x: np.sum(x[order] * x[::-1]) + np.sum(x[: n // 2] ** 2))
    return lambda: gradient(x)


PROGRAMS = {
    "network, batch 16": lambda: network([10, 16, 16, 4], 16),
    "RNN, 10 steps": lambda: recurrent(10, 8, 4),
    "Rosenbrock": valley,
    "Rosenbrock, H · v": curvature,
    "sine series, scalars": scalars,
    "network, width 500": lambda: network([500, 500, 500, 500], 1000),
    "chain, 10⁶ numbers": lambda: elementwise(10**6),
    "products of 500 × 500": lambda: products(500),
    "einsum of 1000 × 1000": lambda: contraction(1000),
    "concatenation, 10⁶": lambda: joined(10**5),
    "indexing, 10⁵": lambda: indexed(10**5),
}
