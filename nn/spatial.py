"""What layers of images and signals share: settings that are one number or one for each axis, and the input's shape."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_batch", "check_fits", "numbers_of", "per_axis"]

AXES = {1: "L", 2: "H, W"}  # as PyTorch writes them


def per_axis(who: str, name: str, n: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """``n``, an integer or a tuple of one for each axis, as a tuple; ``who`` and ``name`` are for the error."""
    several = tuple(n) if isinstance(n, (tuple, list)) else (n,) * axes
    if len(several) == axes and all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) and k >= least
                                    for k in several):
        return tuple(map(int, several))
    wanted = "an integer" if axes == 1 else f"an integer or a tuple of {axes}"
    raise ValueError(f"{who}: {name} must be {wanted}, at least {least}, got {n!r}")


def numbers_of(sizes: tuple[int, ...]) -> str:
    """A setting as one writes it: one number where all are equal."""
    return str(sizes[0] if len(set(sizes)) == 1 else sizes)


def as_batch(who: str, x: Any, axes: int, channels: int | None = None) -> tuple[Any, bool]:
    """``x`` as (N, C, *spatial), and whether it came as (C, *spatial), a single example.

    Raises ``ValueError`` for another number of axes or of channels, and for an input without elements.
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    shape = x.shape
    if len(shape) not in (axes + 1, axes + 2) or (channels is not None and shape[-axes - 1] != channels):
        example = f"{'C' if channels is None else channels}, {AXES[axes]}"
        raise ValueError(f"{who}: expected an input of shape (N, {example}) or ({example}), got {shape}")
    if 0 in shape:
        raise ValueError(f"{who}: the input is empty, of shape {shape}: each axis must have at least one element")
    return (x, False) if len(shape) == axes + 2 else (np.reshape(x, (1, *shape)), True)


def check_fits(who: str, shape: tuple[int, ...], kernel: tuple[int, ...], padding: tuple[tuple[int, int], ...],
               dilation: tuple[int, ...]) -> None:
    """Raise ``ValueError`` where a kernel is larger than what it has to lie in."""
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if any(span > n + sum(pad) for span, n, pad in zip(spans, shape, padding, strict=True)):
        padded = tuple(n + sum(pad) for n, pad in zip(shape, padding, strict=True))
        dilated = f", {spans} with dilation {numbers_of(dilation)}," if spans != kernel else ""
        with_padding = f", {padded} with padding" if padded != shape else ""
        raise ValueError(f"{who}: kernel_size {kernel}{dilated} is larger than the input of {shape}{with_padding}")
