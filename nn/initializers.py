"""Initial values of weights: each function takes a shape and a generator and returns an array.

A shape is (fan_out, fan_in), as of ``Linear``'s weight; further axes are those of a kernel and count into both fans.
Numbers are drawn in float64 and rounded, so that a seed gives the same weights in every dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .checks import floating_dtype
from .random import Randomness, generator

__all__ = ["glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "normal",
           "uniform"]

Initializer = Callable[..., np.ndarray]


def normal(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32, *, std: float = 1.0) -> np.ndarray:
    """Normal with mean 0 and standard deviation ``std``.

    >>> normal((2,), np.random.default_rng(0))
    array([ 0.12573022, -0.13210486], dtype=float32)
    """
    dtype = floating_dtype("normal", dtype)
    return (std * generator(rng, "normal").standard_normal(shape)).astype(dtype)


def uniform(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32, *, bound: float = 1.0) -> np.ndarray:
    """Uniform between ``-bound`` and ``bound``.

    >>> bool(abs(uniform((1000,), 0, bound=0.5)).max() <= 0.5)
    True
    """
    dtype = floating_dtype("uniform", dtype)
    return generator(rng, "uniform").uniform(-bound, bound, shape).astype(dtype)


def glorot_normal(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32) -> np.ndarray:
    """Normal with variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot and Bengio, 2010).

    >>> round(float(glorot_normal((100, 100), 0).std()), 2)
    0.1
    """
    return normal(shape, rng, dtype, std=math.sqrt(2 / sum(_fans(shape))))


def glorot_uniform(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot and Bengio, 2010).

    >>> round(float(abs(glorot_uniform((100, 100), 0)).max()), 2)
    0.17
    """
    return uniform(shape, rng, dtype, bound=math.sqrt(6 / sum(_fans(shape))))


def he_normal(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32) -> np.ndarray:
    """Normal with variance 2 / fan_in, for ReLU (He et al., 2015).

    >>> round(float(he_normal((100, 200), 0).std()), 2)
    0.1
    """
    return normal(shape, rng, dtype, std=math.sqrt(2 / _fans(shape)[0]))


def he_uniform(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with variance 2 / fan_in, for ReLU (He et al., 2015).

    >>> round(float(abs(he_uniform((100, 200), 0)).max()), 2)
    0.17
    """
    return uniform(shape, rng, dtype, bound=math.sqrt(6 / _fans(shape)[0]))


def lecun_normal(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32) -> np.ndarray:
    """Normal with variance 1 / fan_in (LeCun et al., 1998).

    >>> round(float(lecun_normal((100, 100), 0).std()), 2)
    0.1
    """
    return normal(shape, rng, dtype, std=math.sqrt(1 / _fans(shape)[0]))


def lecun_uniform(shape: tuple[int, ...], rng: Randomness, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with variance 1 / fan_in (LeCun et al., 1998).

    >>> round(float(abs(lecun_uniform((100, 100), 0)).max()), 2)
    0.17
    """
    return uniform(shape, rng, dtype, bound=math.sqrt(3 / _fans(shape)[0]))


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) < 2:
        raise ValueError(f"shape: expected (fan_out, fan_in, ...), got {shape}: a vector has no fan-in; "
                         "use normal or uniform")
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel
