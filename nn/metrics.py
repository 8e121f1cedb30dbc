"""Metrics: how good outputs are, as numbers that are looked at and not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["accuracy"]


def accuracy(output: Any, labels: Any) -> float:
    """The part of the rows of ``output``, shape (n, classes), whose largest number is at the label, shape (n,).

    >>> round(accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 1, 1])), 2)
    0.67
    """
    labels = np.asarray(labels)
    if np.ndim(output) != 2 or labels.shape != (len(output),):
        raise ValueError("accuracy: output must have the shape (n, classes) and labels (n,), got "
                         f"{np.shape(output)} and {labels.shape}")
    return float(np.mean(np.argmax(output, axis=1) == labels))
