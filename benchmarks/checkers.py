"""Checkers of gradients: how many planted faults each finds, whom it blames, and how often it alarms at what is right.

Run as ``python -m benchmarks.checkers [--graphs 10000] [--peer-graphs 1000]``; PyTorch, JAX and SciPy take part where
they are installed. The faults are those of ``tests/autograd/checker_faults.py``, the graphs random ones of
``autograd.testing``, every other one with kinks, at which inputs often lie exactly. One thread.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import argparse
import statistics
import time
import warnings

import numpy as np

from autograd import gradcheck
from autograd.testing import random_expression
from tests.autograd.checker_faults import FAULTS, around, as_primitive, inputs

from .checker_peers import PEERS
from .machine import machine


class Nudge:
    """Our checker, with its defaults, as one of those that are compared."""

    name = "Nudge, gradcheck"
    right_blame = 0

    def inexpressible(self, fault):
        return ""

    def fault(self, fault, operation):
        planted = as_primitive(operation)
        report = gradcheck(lambda *xs: around(np, planted, *xs), *inputs(fault), order=fault.order)
        self.right_blame += bool(report.faults) and report.faults[0].operation is planted
        return bool(report)

    def graph(self, f):
        return bool(gradcheck(f, *f.inputs))


def timed(check, *args):
    start = time.perf_counter()
    accepted = check(*args)
    return accepted, time.perf_counter() - start


def compare_faults(checker):
    """How many faults are found, and told apart from the same operation without the fault; the times, by size."""
    found = apart = 0
    missed, reasons, times = [], {}, {}
    for fault in FAULTS:
        reason = checker.inexpressible(fault)
        if reason:
            reasons.setdefault(reason, []).append(fault)
            continue
        accepted, seconds = timed(checker.fault, fault, fault.plant())
        blame = getattr(checker, "right_blame", 0)
        right, _ = timed(checker.fault, fault, fault.right())
        if hasattr(checker, "right_blame"):
            checker.right_blame = blame  # nobody is to be blamed for what is right
        found += not accepted
        apart += right and not accepted
        if accepted or not right:
            missed.append(f"{fault}: {'not found' if accepted else 'the right one is also refused'}")
        times.setdefault("10,000" if fault.size > 1000 else "up to 20", []).append(seconds)
    expressed = len(FAULTS) - sum(map(len, reasons.values()))
    print(f"  faults found {found} of {expressed}, and the same without the fault accepted {apart} of {expressed}")
    if hasattr(checker, "right_blame"):
        print(f"  the operation at fault named {checker.right_blame} of {expressed}")
    else:
        print("  names no operation")
    for size, seconds in times.items():
        print(f"  {1e3 * statistics.median(seconds):,.1f} ms per check of {size} elements")
    for reason, faults in reasons.items():
        print(f"  {len(faults)} faults cannot be expressed: {reason}")
    for text in missed:
        print(f"    {text}")


def compare_graphs(checker, count, shown=5):
    """How many random right graphs it refuses."""
    for dtype in (np.float64, np.float32):
        alarms, took = [], 0.0
        for seed in range(count):
            f = random_expression(np.random.default_rng(seed), kinks=bool(seed % 2), scalar=seed % 5 == 0, dtype=dtype)
            accepted, seconds = timed(checker.graph, f)
            took += seconds
            if not accepted:
                alarms.append(seed)
        smooth = sum(seed % 2 == 0 for seed in alarms)
        print(f"  {np.dtype(dtype)}: {len(alarms):,} false alarms at {count:,} right graphs, {smooth:,} of them "
              f"at those without kinks; {1e3 * took / count:.2f} ms per check; seeds {alarms[:shown]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=10_000, help="random graphs for our checker")
    parser.add_argument("--peer-graphs", type=int, default=1000, help="random graphs for each of the others")
    chosen = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)
    print(machine("torch", "jax", "scipy"))
    for make in [Nudge, *PEERS]:
        try:
            checker = make()
        except ImportError as error:
            print(f"{make.name}: not compared, {error}")
            continue
        print(checker.name)
        compare_faults(checker)
        compare_graphs(checker, chosen.graphs if make is Nudge else chosen.peer_graphs)


if __name__ == "__main__":
    main()
