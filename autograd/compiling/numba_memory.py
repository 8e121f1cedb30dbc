"""Where temporaries lie: in one block of memory per dtype, each from its first writing to its last reading."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .program import Var

__all__ = ["allocate", "block"]

ALIGN = 64  # bytes: a line of the cache, and the widest vector


def allocate(lives: Mapping[Var, tuple[int, int]]) -> tuple[dict[Var, int], dict[np.dtype, int]]:
    """The offset of each variable in its dtype's block, and each block's size, in elements: first fit, by first use."""
    offsets: dict[Var, int] = {}
    sizes: dict[np.dtype, int] = {}
    held: dict[np.dtype, list[tuple[int, int, int]]] = {}  # (start, end, last use), by start
    for var, (begin, end) in sorted(lives.items(), key=lambda item: item[1][0]):
        unit = max(1, ALIGN // var.dtype.itemsize)
        length = -(-max(var.size, 1) // unit) * unit
        taken = held[var.dtype] = sorted(entry for entry in held.get(var.dtype, []) if entry[2] >= begin)
        start = 0
        for left, right, _ in taken:
            if start + length <= left:
                break
            start = max(start, right)
        taken.append((start, start + length, end))
        offsets[var] = start
        sizes[var.dtype] = max(sizes.get(var.dtype, 0), start + length)
    return offsets, sizes


def block(size: int, dtype: np.dtype) -> np.ndarray:
    """Memory for ``size`` elements, aligned."""
    spare = max(1, ALIGN // dtype.itemsize)
    memory = np.zeros(size + spare, dtype)
    shift = -memory.ctypes.data % ALIGN // dtype.itemsize
    return memory[shift:shift + size]
