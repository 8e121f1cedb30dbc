"""What is measured: a table of workloads, and the numbers that every peer starts from. Needs NumPy alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["DIGITS", "GROWTH", "LENET", "LR", "LSTM", "WIDE", "WORKLOADS", "Workload", "drawn", "images", "labelled",
           "layers", "points", "with_name"]

DIGITS, WIDE = (784, 16, 16, 10), (784, 512, 512, 10)
LR = 0.1
# The parameters' shapes. LeNet-5: 6 and 16 kernels of 5 × 5, the first padded by 2, each with ReLU and the maximum of
# 2 × 2, then 120, 84 and 10 neurons. LSTM: 28 rows of 28 pixels, 128 units (gates as in PyTorch), then 10 neurons.
LENET = ((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84), (10,))
LSTM = ((512, 28), (512, 128), (512,), (512,), (10, 128), (10,))


@dataclass(frozen=True)
class Workload:
    """One thing to measure. ``kind`` names the function that a peer's module has for it, ``settings`` its arguments.

    ``measure`` says how: "step" in turns of many calls; "epochs" in turns of one, until the network is good enough;
    and in a process of its own each time, "memory", "import" and "first call".
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    measure: str = "step"
    only: tuple[str, ...] = ()  # the contestants; all that have the kind where it is empty
    threads: tuple[int, ...] = (1, 2)
    growth: tuple[str, float] | None = None  # the plot that it is a point of, and where
    seeds: tuple[int, ...] = ()  # of training, whose epochs depend on the last digits' luck
    like: str = ""  # the workload whose better count of threads is taken

    @property
    def unit(self) -> str:
        return {"step": "µs", "epochs": "s", "memory": "MB", "import": "ms", "first call": "s"}[self.measure]


# What the peers start from


def layers(sizes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """A weight (fan_out, fan_in) and a bias for each layer of a network."""
    return drawn([shape for m, n in itertools.pairwise(sizes) for shape in ((n, m), (n,))], seed)


def drawn(shapes: Sequence[tuple[int, ...]], seed: int = 0) -> list[np.ndarray]:
    """Weights (fan_out, …) and biases uniform between ±1/√fan_in, where a bias has that of the weight before it."""
    rng, parameters, bound = np.random.default_rng(seed), [], 1.0
    for shape in shapes:
        bound = np.prod(shape[1:]) ** -0.5 if len(shape) > 1 else bound
        parameters.append(rng.uniform(-bound, bound, shape).astype(np.float32))
    return parameters


def images(batch: int, sizes: tuple[int, ...] = DIGITS) -> tuple[np.ndarray, np.ndarray]:
    """A batch of inputs between 0 and 1, and targets that are one-hot rows."""
    rng = np.random.default_rng(1)
    return (rng.random((batch, sizes[0])).astype(np.float32),
            np.eye(sizes[-1], dtype=np.float32)[rng.integers(0, sizes[-1], batch)])


def labelled(batch: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The same images in another shape, and their labels."""
    x, y = images(batch)
    return x.reshape(batch, *shape), y.argmax(axis=1)


def points(count: int) -> tuple[list[list[float]], list[int]]:
    """Points of the plane, and ±1 by the quadrant, as Python numbers."""
    rng = np.random.default_rng(2)
    xs = rng.uniform(-1, 1, (count, 2)).tolist()
    return xs, [1 if x * y > 0 else -1 for x, y in xs]


# The table


def network(name: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str, **more: Any) -> Workload:
    settings = {"sizes": sizes, "batch": batch, "hidden": hidden, "output": output}
    return Workload(name, "network", settings, **more)


def digits(name: str, batch: int, sizes: tuple[int, ...] = DIGITS, **more: Any) -> Workload:
    """A training step of a network like the lecture notes': sigmoid, quadratic cost, gradient descent."""
    return network(name, sizes, batch, "sigmoid", "sigmoid", **more)


def wide(name: str, batch: int, **more: Any) -> Workload:
    """A training step of a wide network: ReLU, no activation at the end, quadratic cost, gradient descent."""
    return network(name, WIDE, batch, "relu", "linear", **more)


STEPS = [
    *(digits(f"digit network, batch {n}", n) for n in (10, 32, 100, 1000)),
    *(wide(f"784-512-512-10, batch {n}", n) for n in (32, 128)),
    *(Workload(f"LeNet-5, batch {n}", "lenet", {"batch": n}) for n in (32, 128)),
    *(Workload(f"LSTM, batch {n}", "lstm", {"batch": n}) for n in (32, 128)),
    Workload("scalar network, 100 points", "scalars", {"count": 100}, threads=(1,)),
    Workload("Hessian-vector product, batch 32", "hessian_vector", {"sizes": DIGITS, "batch": 32}),
]
FEW = ("jit, Numba", "jit, NumPy", "eager", "by hand", "PyTorch", "JAX jit")  # so that a run ends
TRAINED = [
    Workload("time to 94 %, recipe of the notes", "training", {"recipe": "notes", "target": 0.94}, "epochs",
             only=FEW, threads=(1,), seeds=(0, 1, 2), like="digit network, batch 10"),
    Workload("time to 96.5 %, ReLU recipe", "training", {"recipe": "relu", "target": 0.965}, "epochs",
             only=FEW, threads=(1,), seeds=(0,), like="digit network, batch 100"),
]
COMPILED = ("jit, Numba", "jit, NumPy", "PyTorch compile", "PyTorch whole", "JAX jit")
FRESH = [
    wide("memory, 784-512-512-10, batch 10,000", 10_000, measure="memory", threads=(1,),
         only=(*FEW, "HIPS autograd")),
    Workload("memory, LeNet-5, batch 1,000", "lenet", {"batch": 1000}, "memory", threads=(1,), only=FEW),
    Workload("memory, LSTM, batch 1,000", "lstm", {"batch": 1000}, "memory", threads=(1,), only=FEW),
    Workload("import", "imports", measure="import", threads=(1,)),
    digits("first call, cold", 10, measure="first call", threads=(1,), only=COMPILED),
    digits("first call, from the cache", 10, measure="first call", threads=(1,), only=COMPILED),
]
PROGRAMS = [
    Workload(f"program: {name}", "program", {"name": name}, only=("eager", "HIPS autograd"), threads=(1,))
    for name in ("network, batch 16", "RNN, 10 steps", "Rosenbrock", "Rosenbrock, H · v", "sine series, scalars",
                 "network, width 500", "chain, 10⁶ numbers", "products of 500 × 500", "einsum of 1000 × 1000",
                 "concatenation, 10⁶", "indexing, 10⁵")
]
GROWTH = [
    *(digits(f"width {n}", 32, (784, n, n, 10), only=FEW, threads=(1,), growth=("width", n))
      for n in (4, 16, 64, 256, 1024)),
    *(digits(f"depth {n}", 32, (784, *[16] * n, 10), only=FEW, threads=(1,), growth=("depth", n))
      for n in (1, 3, 10, 30)),
    *(digits(f"batch {n}", n, only=FEW, threads=(1,), growth=("batch", n)) for n in (1, 10, 100, 1000, 10_000)),
    *(Workload(f"graph of {n} points", "scalars", {"count": n}, only=("jit, Numba", "jit, NumPy", "eager", "micrograd"),
               threads=(1,), growth=("points", n)) for n in (1, 10, 100, 300)),
]
WORKLOADS = [*STEPS, *TRAINED, *FRESH, *PROGRAMS, *GROWTH]


def with_name(name: str) -> Workload:
    return next(w for w in WORKLOADS if w.name == name)
