"""Scalar graphs: micrograd's two-layer network on 50 points, built and differentiated, per node of the graph.

Run as ``python -m benchmarks.scalar_graph``. The garbage collector is left as users have it. Each package runs in a
process of its own, because what one leaves behind is walked by the collector of the other.
"""

import json
import random
import statistics
import subprocess
import sys
import time

from .timing import machine, table

ROUNDS = 9
TURNS = 3  # of each package, since a machine is not equally busy all the time


def modules(package):
    if package == "micrograd":
        from micrograd.engine import Value
        from micrograd.nn import MLP
    else:
        from autograd import Value
        from nn.neuron import MLP
    return Value, MLP


def measure(package):
    """Seconds per node of one loss and its backward pass, and the number of nodes."""
    Value, MLP = modules(package)
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    points = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(50)]
    labels = [1 if x * y > 0 else -1 for x, y in points]

    def loss():
        scores = [model([Value(x), Value(y)]) for x, y in points]
        losses = [(1 + -yi * score).relu() for yi, score in zip(labels, scores, strict=True)]
        regularisation = 1e-4 * sum(p * p for p in model.parameters())
        return sum(losses) * (1.0 / len(losses)) + regularisation

    times = []
    for _ in range(ROUNDS):
        model.zero_grad()
        start = time.perf_counter()
        total = loss()
        total.backward()
        times.append(time.perf_counter() - start)
    nodes = count(total)
    return statistics.median(times) / nodes, nodes, total.data


def count(root):
    seen, stack = {root}, [root]
    while stack:
        node = stack.pop()
        for parent in node._prev if hasattr(node, "_prev") else node.parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return len(seen)


def main():
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    print(machine("micrograd"))
    measured: dict[str, list[float]] = {}
    for package in ("nudge", "micrograd") * TURNS:
        run = subprocess.run([sys.executable, "-m", "benchmarks.scalar_graph", package], capture_output=True, text=True)
        if run.returncode:
            print(f"{package} did not run: {run.stderr.strip().splitlines()[-1]}")
            continue
        seconds, nodes, cost = json.loads(run.stdout)
        measured.setdefault(package, []).append(seconds)
        print(f"{package}: {nodes:,} nodes, loss {cost:.12f}, {1e6 * seconds:.1f} µs per node")
    seconds = {package: statistics.median(times) for package, times in measured.items()}
    print(table("two-layer network of scalars on 50 points, per node", seconds, "nudge"))


if __name__ == "__main__":
    main()
