"""What is to be reached: a ratio of ours to another's time, or a time of ours, at most so large."""

from __future__ import annotations

from dataclasses import dataclass

from .runner import Results

__all__ = ["TARGETS", "Target", "best_of"]

BEST = "best of all peers"
PEERS = ("PyTorch", "PyTorch compile", "PyTorch whole", "JAX jit", "JAX scan", "scikit-learn", "HIPS autograd")


@dataclass(frozen=True)
class Target:
    """``against`` is a contestant, ``BEST``, or "" where the limit is an amount in the workload's unit."""

    workload: str
    against: str
    limit: float
    ours: str = "jit, Numba"

    def reached(self, results: Results) -> float | None:
        """The ratio or the amount in a run; ``None`` where one of the two was not measured."""
        measured = results.measured.get(self.workload, {})
        ours, theirs = measured.get(self.ours), measured.get(self.against)
        if self.against == BEST:
            theirs = measured.get(best_of(results, self.workload))
        if ours is None or (self.against and theirs is None):
            return None
        return ours.median / theirs.median if theirs else ours.median


def best_of(results: Results, workload: str) -> str:
    """The fastest of the other packages; NumPy by hand and the products alone are none."""
    measured = results.measured.get(workload, {})
    return min((name for name in PEERS if name in measured), key=lambda name: measured[name].median, default="")


def rows(batches: tuple[int, ...], against: tuple[str, ...], limits: tuple[float, ...],
         ours: str = "jit, Numba") -> list[Target]:
    return [Target(f"digit network, batch {batch}", name, limit, ours)
            for name in against for batch, limit in zip(batches, limits, strict=True)]


SMALL, ALL = (10, 32, 100), (10, 32, 100, 1000)
TARGETS = [
    *rows(ALL, ("products",), (1.0, 1.0, 1.5, 1.5)),
    *rows(SMALL, ("JAX jit",), (0.33, 0.4, 0.65)),
    *rows(SMALL, ("JAX scan",), (0.6, 0.65, 0.85)),
    *rows(SMALL, ("PyTorch", "PyTorch compile"), (0.1, 0.1, 0.3)),
    *rows(SMALL, ("PyTorch whole",), (0.2, 0.3, 0.7)),
    *rows(ALL, ("by hand",), (1.15,) * 4, ours="jit, NumPy"),
    *(Target(f"784-512-512-10, batch {batch}", name, limit)
      for batch in (32, 128) for name, limit in (("PyTorch", 1.0), (BEST, 1.2))),
    *(Target(f"LSTM, batch {batch}", name, limit, ours)
      for batch in (32, 128) for name, limit, ours in (("PyTorch", 1.0, "jit, Numba"), ("JAX jit", 0.8, "jit, Numba"),
                                                       ("PyTorch", 4.0, "jit, NumPy"))),
    Target("memory, LSTM, batch 1,000", "PyTorch", 1.0),
    Target("time to 94 %, recipe of the notes", "PyTorch", 0.15),
    Target("time to 94 %, recipe of the notes", "JAX jit", 0.5),
    Target("scalar network, 100 points", "micrograd", 0.005),
    *(Target(f"LeNet-5, batch {batch}", name, limit, ours)
      for batch in (32, 128) for name, limit, ours in (("PyTorch", 1.2, "jit, Numba"), ("JAX jit", 0.9, "jit, Numba"),
                                                       ("PyTorch", 4.0, "jit, NumPy"))),
    Target("memory, LeNet-5, batch 1,000", "PyTorch", 1.0),
    Target("first call, cold", "", 6.0),
    Target("first call, from the cache", "", 0.5),
]
