"""Convolution along any axes, and dot products along others: ``convolve`` of HIPS autograd; the rest is SciPy's."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.signal

from ..record import primitive
from ..registry import linear_rule

__all__ = ["convolve"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.signal, name)


def convolve(A: Any, B: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """Convolve ``A`` with ``B`` along pairs of ``axes`` (all by default), and multiply and add along ``dot_axes``.

    Both are two sequences of axes, those of ``A`` and those of ``B``. The axes of the result are the other axes of
    ``A``, then those of ``B``, then the convolved ones. These have the sizes that ``mode`` says: "full" has every
    overlap, "valid" only those where one lies within the other, and "same" as many as ``A`` from the middle.

    >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]), mode="same")
    array([0., 1., 2.])
    """
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"mode: expected 'full', 'valid' or 'same', got {mode!r}")
    axes = (range(np.ndim(A)), range(np.ndim(A))) if axes is None else axes
    axes, dot_axes = [tuple(tuple(int(i) % np.ndim(x) for i in chosen) for x, chosen in zip((A, B), pair, strict=True))
                      for pair in (axes, dot_axes)]
    if len(axes[0]) != len(axes[1]) or len(dot_axes[0]) != len(dot_axes[1]):
        raise ValueError(f"axes and dot_axes must be as many of A as of B, got {axes} and {dot_axes}")
    sizes = [(np.shape(A)[i], np.shape(B)[j]) for i, j in zip(*axes, strict=True)]
    if mode == "valid" and len({m > n for m, n in sizes if m != n}) > 1:
        raise ValueError("one array must be at least as large as the other along all convolved axes")
    part = {"full": [(0, m + n - 1) for m, n in sizes], "same": [((n - 1) // 2, m) for m, n in sizes],
            "valid": [(min(m, n) - 1, abs(m - n) + 1) for m, n in sizes]}[mode]
    return _convolve(A, B, axes, dot_axes, part)


@primitive
def _convolve(A: Any, B: Any, axes: Any, dot_axes: Any, part: Sequence[tuple[int, int]]) -> Any:
    """Of the full convolution, the ``part``: from where on, and how many, along each convolved axis."""
    widths, inside = [(0, 0)] * A.ndim, [slice(None)] * A.ndim
    for i, j, (start, size) in zip(*axes, part, strict=True):
        before = B.shape[j] - 1 - start
        after = size + B.shape[j] - 1 - A.shape[i] - before
        widths[i] = (max(before, 0), max(after, 0))
        inside[i] = slice(max(-before, 0), max(-before, 0) + size + B.shape[j] - 1)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(A, widths)[tuple(inside)], [B.shape[j] for j in axes[1]], axes[0])
    # Labels: those of A, which are those of the result, of its windows, and of B, which shares some of them.
    of_a = list(range(A.ndim))
    of_windows = [A.ndim + k for k in range(len(axes[0]))]
    of_b = [A.ndim + len(axes[0]) + j for j in range(B.ndim)]
    for j, label in [*zip(axes[1], of_windows, strict=True), *zip(dot_axes[1], dot_axes[0], strict=True)]:
        of_b[j] = label
    out = [*_others(A, axes[0], dot_axes[0]), *(of_b[j] for j in _others(B, axes[1], dot_axes[1])), *axes[0]]
    return np.einsum(windows, of_a + of_windows, _flipped(B, axes[1]), of_b, out, optimize=True)


def _others(x: Any, *chosen: Any) -> list[int]:
    return [i for i in range(np.ndim(x)) if not any(i in axes for axes in chosen)]


def _flipped(x: Any, axes: Any) -> Any:
    return np.flip(x, axes) if axes else x


def _transpose_a(g, y, A, B, axes, dot_axes, part):
    """The gradient of ``A``: ``g`` convolved with the flipped ``B``, with the axes brought into the order of ``A``."""
    free_a, free_b = _others(A, axes[0], dot_axes[0]), _others(B, axes[1], dot_axes[1])
    convolved = tuple(range(len(free_a) + len(free_b), np.ndim(g)))
    back = _convolve(g, _flipped(B, axes[1]), (convolved, axes[1]),
                     (tuple(range(len(free_a), len(free_a) + len(free_b))), tuple(free_b)),
                     [(np.shape(B)[j] - 1 - start, np.shape(A)[i])
                      for i, j, (start, _) in zip(*axes, part, strict=True)])
    dots = [i for _, i in sorted(zip(dot_axes[1], dot_axes[0], strict=True))]  # in the order in which B has them
    return np.moveaxis(back, range(np.ndim(A)), [*free_a, *dots, *axes[0]])


def _transpose_b(g, y, A, B, axes, dot_axes, part):
    free_a, free_b = _others(A, axes[0], dot_axes[0]), _others(B, axes[1], dot_axes[1])
    first = np.moveaxis(g, range(len(free_a), len(free_a) + len(free_b)), range(len(free_b)))
    return _transpose_a(first, y, B, A, axes[::-1], dot_axes[::-1], part)


linear_rule(_convolve, _transpose_a, _transpose_b)
