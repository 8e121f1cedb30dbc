"""Metrics: how good outputs are, as numbers that are looked at and not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["accuracy"]


def accuracy(output: Any, target: Any) -> float:
    """The part of the rows of ``output``, shape (n, classes), whose largest number is at the label.

    ``target`` holds labels, shape (n,), or rows such as one-hot ones, shape (n, classes), with the label at the
    largest number. A row with a nan has no largest one, and is wrong. Raises ``ValueError`` for other shapes, and for
    no rows.

    >>> round(accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 1, 1])), 2)
    0.67
    """
    output, target = np.asarray(output), np.asarray(target)
    if output.ndim != 2 or 0 in output.shape or target.shape not in (output.shape, output.shape[:1]):
        raise ValueError("accuracy: output must have the shape (n, classes), and target (n,) or (n, classes); got "
                         f"{output.shape} and {target.shape}")
    labels = target if target.ndim == 1 else np.argmax(target, axis=1)
    return float(np.mean((np.argmax(output, axis=1) == labels) & ~np.isnan(output).any(axis=1)))
