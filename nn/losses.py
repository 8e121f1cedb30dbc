"""Costs of a network's output against the target, each a scalar: the mean over the batch.

The two arguments have the same shape. One that differs is an error: ``(n, 1)`` against ``(n,)`` would broadcast to
``(n, n)`` and give a wrong number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, check, defjvp, defvjp, primitive
from autograd.functions import log_softmax, softplus

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "mse_loss", "quadratic_cost"]


@primitive
def _quadratic(a: Any, y: Any) -> Any:
    difference = a - y
    return np.sum(difference * difference) / _examples(a)


def _examples(a: Any) -> int:
    shape = _shape(a)
    return shape[0] if len(shape) > 1 else 1


defvjp(_quadratic,
       lambda cost, a, y: lambda g: g * (2 / _examples(a)) * (a - y),
       lambda cost, a, y: lambda g: g * (2 / _examples(a)) * (y - a))
defjvp(_quadratic,
       lambda g, cost, a, y: np.sum(g * (a - y)) * (2 / _examples(a)),
       lambda g, cost, a, y: np.sum(g * (y - a)) * (2 / _examples(a)))


def quadratic_cost(output: Any, target: Any) -> Any:
    """Σ_j (a_j - y_j)² of each example, averaged over the batch: the cost of the lecture notes.

    Shapes: (batch, outputs) for both, or (outputs,) for a single example.

    >>> float(quadratic_cost(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])))
    1.0
    """
    return _quadratic(*_pair("quadratic_cost", output, target))


def mse_loss(output: Any, target: Any) -> Any:
    """The mean of (a - y)² over all elements.

    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    output, target = _pair("mse_loss", output, target)
    return np.mean(np.square(output - target))


def cross_entropy(logits: Any, target: Any) -> Any:
    """-Σ_j y_j log softmax(z)_j of each example, averaged over the batch.

    Args:
        logits: z, shape (batch, classes), before any softmax.
        target: integer labels, shape (batch,), each in 0 … classes - 1; or probabilities such as one-hot rows,
            shape (batch, classes).

    Raises ``ValueError`` for other shapes and for labels out of range, ``TypeError`` for labels that are not
    integers.

    >>> logits = np.array([[0.0, 0.0], [0.0, 0.0]])
    >>> round(float(cross_entropy(logits, np.array([0, 1]))), 4)
    0.6931
    """
    shape = _shape(logits)
    if len(shape) != 2:
        raise ValueError(f"cross_entropy: logits must have the shape (batch, classes), got {shape}")
    if not shape[0]:
        raise ValueError("cross_entropy: the batch is empty")
    if np.ndim(target) == 1:
        picks = _labels(_plain(target), *shape)
        return -np.mean(log_softmax(logits)[np.arange(shape[0]), picks])
    logits, target = _pair("cross_entropy", logits, target)
    return -np.sum(log_softmax(logits) * target) / shape[0]


def _labels(labels: Any, batch: int, classes: int) -> Any:
    labels = np.asarray(labels) if isinstance(labels, (list, tuple)) else labels
    if len(labels) != batch:
        raise ValueError(f"cross_entropy: logits are for {batch} examples, but there are {len(labels)} labels")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: labels must be integers, got {labels.dtype}; write labels.astype(int), "
                        "or pass probabilities of shape (batch, classes)")
    check((labels >= 0) & (labels < classes), _outside, labels, classes)
    return labels


def _outside(labels: np.ndarray, classes: int) -> ValueError:
    i = int(np.flatnonzero((labels < 0) | (labels >= classes))[0])
    return ValueError(f"cross_entropy: labels must lie in 0 … {classes - 1}, but label {i} is {labels[i]}")


@primitive
def _binary_entropy(p: Any, y: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -(y * np.maximum(np.log(p), -100) + (1 - y) * np.maximum(np.log1p(-p), -100))


@primitive
def _log_odds(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100) - np.maximum(np.log1p(-p), -100)


def _log_odds_slope(g: Any, p: Any) -> Any:
    return g / np.maximum(p * (1 - p), 1e-12)


defvjp(_log_odds, lambda _, p: lambda g: _log_odds_slope(g, p))
defjvp(_log_odds, lambda g, _, p: _log_odds_slope(g, p))
defvjp(_binary_entropy,
       lambda _, p, y: lambda g: _log_odds_slope(g * (p - y), p),
       lambda _, p, y: lambda g: -g * _log_odds(p))
defjvp(_binary_entropy,
       lambda g, _, p, y: _log_odds_slope(g * (p - y), p),
       lambda g, _, p, y: -g * _log_odds(p))


def binary_cross_entropy(output: Any, target: Any) -> Any:
    """-(y log p + (1 - y) log(1 - p)), averaged over all elements, for probabilities p = ``output``.

    The logarithms are cut off at -100, as in PyTorch, so that a confident mistake costs much but not infinity.
    Where p comes from a sigmoid, ``binary_cross_entropy_with_logits`` loses no digits.

    Raises ``ValueError`` for a probability outside 0 … 1.

    >>> round(float(binary_cross_entropy(np.array([0.5, 0.5]), np.array([0.0, 1.0]))), 4)
    0.6931
    """
    output, target = _pair("binary_cross_entropy", output, target)
    p = _plain(output)
    check((p >= 0) & (p <= 1), lambda p: ValueError(
        f"binary_cross_entropy: output must be probabilities between 0 and 1, but reaches from {np.min(p)} to "
        f"{np.max(p)}; for logits use binary_cross_entropy_with_logits"), p)
    return np.mean(_binary_entropy(output, target))


def binary_cross_entropy_with_logits(logits: Any, target: Any) -> Any:
    """``binary_cross_entropy`` of σ(z): y softplus(-z) + (1 - y) softplus(z), averaged over all elements.

    >>> round(float(binary_cross_entropy_with_logits(np.array([0.0]), np.array([1.0]))), 4)
    0.6931
    """
    logits, target = _pair("binary_cross_entropy_with_logits", logits, target)
    return np.mean(target * softplus(-logits) + (1 - target) * softplus(logits))


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if hasattr(x, "shape") else np.shape(x)


def _pair(who: str, output: Any, target: Any) -> tuple[Any, Any]:
    """Both as arrays or Values, of the same shape."""
    output, target = (np.asarray(x) if isinstance(x, (list, tuple)) else x for x in (output, target))
    came, wanted = _shape(output), _shape(target)
    if 0 in came:
        raise ValueError(f"{who}: the batch is empty: the output has shape {came}")
    if came != wanted:
        remedy = ""
        if len(wanted) == 1 and len(came) == 2:
            remedy = ("; write target[:, None] for a column" if came[1] == 1
                      else f"; write nn.data.one_hot(labels, {came[1]}) for labels")
        raise ValueError(f"{who}: the output has shape {came}, but the target has shape {wanted}: "
                         f"they must be equal{remedy}")
    return output, target
