"""The same programs with Nudge and with HIPS autograd: gradients of small models, where each call counts, and of large
arrays, where only the arithmetic should.

Run as ``python -m benchmarks.against_hips --hips .venv-hips/bin/python``, where that Python has HIPS autograd:
``python3 -m venv .venv-hips && .venv-hips/bin/pip install autograd scipy``. Both packages are named ``autograd``, so
each runs in a process of its own, in turns, on one thread.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import grad, hessian_vector_product

TURNS = 5  # of each package
SECONDS = 0.4  # of each turn of a workload


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


SMALL = {
    "3-layer network, batch 16": lambda: network([10, 16, 16, 4], 16),
    "RNN, 10 steps": lambda: recurrent(10, 8, 4),
    "Rosenbrock in 10 variables": valley,
    "Rosenbrock, Hessian-vector product": curvature,
    "series of a sine, scalars": scalars,
}
LARGE = {
    "3-layer network, batch 1000, width 500": lambda: network([500, 500, 500, 500], 1000),
    "elementwise chain, 10⁶ numbers": lambda: elementwise(10**6),
    "products of 500 × 500 matrices": lambda: products(500),
    "einsum of 1000 × 1000": lambda: contraction(1000),
    "concatenation, 10 × 10⁵": lambda: joined(10**5),
    "indexing, 10⁵ numbers": lambda: indexed(10**5),
}


def measure(name):
    """Seconds of one call: the median over repeated batches of calls, after a first that does not count."""
    run = {**SMALL, **LARGE}[name]()
    run()
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    batch = max(1, int(0.02 / once))
    times, end = [], time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(batch):
            run()
        times.append((time.perf_counter() - start) / batch)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hips", default=".venv-hips/bin/python", help="the Python that has HIPS autograd")
    parser.add_argument("--only", default="", help="only workloads whose name has this in it")
    parser.add_argument("--measure", metavar="NAME", help="measure one workload with the autograd at hand")
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    from .timing import machine

    print(machine())
    version = subprocess.run([chosen.hips, "-c", "from importlib import metadata; print(metadata.version('autograd'))"],
                             capture_output=True, text=True, check=True)
    print(f"HIPS autograd {version.stdout.strip()}")
    commands = {"nudge": [sys.executable, "-m", "benchmarks.against_hips"], "HIPS": [chosen.hips, __file__]}
    for group, names in (("small", SMALL), ("large", LARGE)):
        for name in names:
            if chosen.only not in name:
                continue
            times = {package: [] for package in commands}
            for package in [*commands] * TURNS:
                ran = subprocess.run([*commands[package], "--measure", name], capture_output=True, text=True)
                if ran.returncode:
                    raise SystemExit(f"{package} failed at {name}:\n{ran.stderr}")
                times[package].append(json.loads(ran.stdout))
            ours, theirs = (1e6 * statistics.median(times[package]) for package in commands)
            print(f"{group}  {name:<42}{ours:>11.1f} µs   HIPS {theirs:>11.1f} µs   {theirs / ours:>5.2f} times as "
                  "fast")


if __name__ == "__main__":
    main()
