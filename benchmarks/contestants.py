"""Who takes part: each contestant's name, the module of ``peers`` that speaks for it, and in which way."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTESTANTS", "OURS", "Contestant"]


@dataclass(frozen=True)
class Contestant:
    """``variant`` says to the module which of its ways is meant; ``package`` must be installed where it runs."""

    name: str
    module: str
    package: str
    variant: str = ""


CONTESTANTS = [
    Contestant("jit, Numba", "nudge", "numba", "numba"),
    Contestant("jit, NumPy", "nudge", "numpy", "numpy"),
    Contestant("eager", "nudge", "numpy", "eager"),
    Contestant("products", "products", "numpy"),
    Contestant("by hand", "numpy_by_hand", "numpy"),
    Contestant("PyTorch", "pytorch", "torch", "eager"),
    Contestant("PyTorch compile", "pytorch", "torch", "compile"),
    Contestant("PyTorch whole", "pytorch", "torch", "whole"),
    Contestant("JAX jit", "jax", "jax", "jit"),
    Contestant("JAX scan", "jax", "jax", "scan"),
    Contestant("scikit-learn", "scikit_learn", "scikit-learn"),
    Contestant("HIPS autograd", "hips", "autograd"),
    Contestant("micrograd", "micrograd", "micrograd"),
]
OURS = [c.name for c in CONTESTANTS if c.module == "nudge"]
