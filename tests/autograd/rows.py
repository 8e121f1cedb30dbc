"""What a row of the rule tables is: a function, the arrays at which it is checked, and where those come from."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Value

__all__ = ["Row", "apart", "between", "complex_numbers", "outputs", "positive", "project", "real", "row", "single",
           "unit"]


class Row(NamedTuple):
    """A function that takes arrays as well as Values, and the inputs at which to compare it with numbers."""

    name: str
    function: Callable
    inputs: tuple


# Domains: each makes an array of a shape

def real(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Both signs, and away from 0, where many functions have a kink or a pole."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.2, 1.5, shape)


def positive(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return rng.uniform(0.5, 2.0, shape)


def unit(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Inside the unit interval around 0."""
    return rng.uniform(-0.8, 0.8, shape)


def apart(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """All different, at least 0.1 apart."""
    n = int(np.prod(shape))
    return 0.1 * rng.permutation(np.arange(n) - n // 2).reshape(shape)


def between(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """None equal to any of ``apart``."""
    return apart(rng, shape) + 0.05


def complex_numbers(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return positive(rng, shape) + 1j * real(rng, shape)


def row(name: str, function: Callable, *shapes: Any, domain: Any = real) -> Row:
    """A row with inputs drawn from one domain, or one for each. The shape ``float`` means a Python float."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    domains = domain if isinstance(domain, Sequence) else [domain] * len(shapes)
    inputs = [draw(rng, () if shape is float else shape) for draw, shape in zip(domains, shapes, strict=True)]
    return Row(name, function, tuple(x.item() if shape is float else x[()]
                                     for x, shape in zip(map(np.asarray, inputs), shapes, strict=True)))


def single(x: Any) -> Any:
    """The same number or array in single precision."""
    x = np.asarray(x)
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)[()]


def outputs(y: Any) -> list:
    """The results of a function with one or with several."""
    return list(y) if isinstance(y, (tuple, list)) else [y]


def project(y: Any) -> Any:
    """All results as one real number: their sum, each element times a fixed random weight of its own."""
    rng = np.random.default_rng(0)
    total = 0.0
    for part in outputs(y):
        raw = part.data if isinstance(part, Value) else part
        weights = rng.uniform(0.5, 1.5, np.shape(raw)) * rng.choice([-1.0, 1.0], np.shape(raw))
        if np.iscomplexobj(raw):
            weights = weights + 1j * rng.uniform(0.5, 1.5, np.shape(raw))
        kind = weights.dtype.kind if hasattr(weights, "dtype") else "f"
        if getattr(raw, "dtype", None) in (np.float32, np.complex64):
            weights = np.asarray(weights, np.complex64 if kind == "c" else np.float32)[()]
        elif not np.ndim(weights):
            weights = complex(weights) if kind == "c" else float(weights)
        total = total + np.real(np.sum(part * weights))
    return total
