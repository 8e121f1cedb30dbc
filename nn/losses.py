"""Costs of a network's output against the target, each a scalar: the mean over the batch.

The two arguments have the same shape. One that differs is an error: ``(n, 1)`` against ``(n,)`` would broadcast to
``(n, n)`` and give a wrong number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import check, defjvp, defvjp, primitive
from autograd.functions import log_softmax, relu, softplus

from .checks import above_zero, plain

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
           "hinge_embedding_loss", "hinge_loss", "huber_loss", "kl_div", "l1_loss", "mse_loss", "multi_margin_loss",
           "nll_loss", "quadratic_cost"]


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


def l1_loss(output: Any, target: Any) -> Any:
    """The mean of |a - y| over all elements.

    >>> float(l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    output, target = _pair("l1_loss", output, target)
    return np.mean(np.abs(output - target))


def huber_loss(output: Any, target: Any, delta: float = 1.0) -> Any:
    """½ d² where |d| ≤ ``delta``, else ``delta`` · (|d| - ½ ``delta``), of d = a - y, averaged over all elements.

    A square near 0 and straight lines beyond, which far outliers pull no harder than near ones (Huber, 1964).

    >>> float(huber_loss(np.array([1.0, 2.0]), np.array([1.5, 5.0])))
    1.3125
    """
    output, target = _pair("huber_loss", output, target)
    above_zero("huber_loss", "delta", delta)
    difference = output - target
    inner = np.clip(difference, -delta, delta)
    return np.mean(inner * (difference - inner / 2))


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
    batch, _ = _table("cross_entropy", "logits", logits)
    if np.ndim(target) == 1:
        picks = _labels("cross_entropy", "logits", logits, target, "or pass probabilities of shape (batch, classes)")
        return -np.mean(log_softmax(logits)[np.arange(batch), picks])
    logits, target = _pair("cross_entropy", logits, target)
    return -np.sum(log_softmax(logits) * target) / batch


def nll_loss(log_probs: Any, target: Any) -> Any:
    """-log p of each example's label, averaged over the batch: ``cross_entropy`` of what a ``log_softmax`` gave.

    Args:
        log_probs: logarithms of probabilities, shape (batch, classes).
        target: integer labels, shape (batch,), each in 0 … classes - 1.

    Raises ``ValueError`` for other shapes and for labels out of range, ``TypeError`` for labels that are not
    integers.

    >>> round(float(nll_loss(np.log([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1]))), 4)
    0.4904
    """
    log_probs = _array(log_probs)
    batch, _ = _table("nll_loss", "log_probs", log_probs)
    picks = _labels("nll_loss", "log_probs", log_probs, target, "or use cross_entropy for probabilities")
    return -np.mean(log_probs[np.arange(batch), picks])


def kl_div(log_probs: Any, target: Any) -> Any:
    """Σ_j y_j (log y_j - log p_j) of each example, averaged over the batch: the divergence of p from y.

    The first argument holds log p, such as ``log_softmax`` gives, the second y; both (batch, classes), or (classes,)
    for a single example, and 0 log 0 = 0. It is PyTorch's with ``reduction="batchmean"``; its default is an average
    over the classes too.

    Raises ``ValueError`` for shapes that differ, and for a probability y below 0.

    >>> round(float(kl_div(np.log([[0.5, 0.5]]), np.array([[0.0, 1.0]]))), 4)
    0.6931
    """
    log_probs, target = _pair("kl_div", log_probs, target)
    y = plain(target)
    check(y >= 0, lambda y: ValueError(f"kl_div: target must be probabilities, but reaches down to {np.min(y)}; for "
                                       "logarithms write np.exp(target)"), y)
    return np.sum(target * (np.log(np.where(y > 0, target, 1)) - log_probs)) / _examples(log_probs)


def hinge_loss(output: Any, target: Any) -> Any:
    """max(0, 1 - y · a), averaged over all elements, for scores a and labels y of 1 or -1: that of SVMs.

    For more than two classes see ``multi_margin_loss``, for distances ``hinge_embedding_loss``. At the kink the
    gradient is 0.

    >>> float(hinge_loss(np.array([2.0, 0.5]), np.array([1, -1])))
    0.75
    """
    output, target = _pair("hinge_loss", output, target)
    return np.mean(relu(1 - np.where(_positive("hinge_loss", target), output, -output)))


def hinge_embedding_loss(distance: Any, target: Any, margin: float = 1.0) -> Any:
    """d where y is 1, max(0, ``margin`` - d) where it is -1, averaged over all elements, of distances d.

    Pairs with the label 1 are pulled together, and others pushed apart until they are ``margin`` away.

    >>> float(hinge_embedding_loss(np.array([0.5, 0.25]), np.array([1, -1])))
    0.625
    """
    distance, target = _pair("hinge_embedding_loss", distance, target)
    together = _positive("hinge_embedding_loss", target)
    return np.mean(np.where(together, distance, relu(margin - distance)))


def multi_margin_loss(output: Any, target: Any, p: int = 1, margin: float = 1.0) -> Any:
    """Σ_j max(0, ``margin`` - a_y + a_j)^p / classes over all j but the label y, averaged over the batch.

    The hinge of many classes: scores a, shape (batch, classes), integer labels y, shape (batch,), p of 1 or 2.

    >>> float(multi_margin_loss(np.array([[2.0, 1.5, 0.0]]), np.array([0]))).__round__(4)
    0.1667
    """
    output = _array(output)
    batch, classes = _table("multi_margin_loss", "output", output)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, got {p!r}")
    picks = _labels("multi_margin_loss", "output", output, target)
    others = np.arange(classes) != picks[:, None]
    short = relu(margin - output[np.arange(batch), picks][:, None] + output)
    return np.sum(np.where(others, short**p, 0)) / (batch * classes)


def cosine_embedding_loss(x1: Any, x2: Any, target: Any, margin: float = 0.0) -> Any:
    """1 - cos(x1, x2) where y is 1, max(0, cos(x1, x2) - ``margin``) where it is -1, averaged over the pairs.

    Shapes: (batch, size) for both and (batch,) for the labels y; or (size,) and ().

    >>> float(cosine_embedding_loss(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]), np.array([1]))).__round__(4)
    0.04
    """
    x1, x2 = _pair("cosine_embedding_loss", x1, x2, "x1", "x2")
    if _shape(x1)[:-1] != _shape(target) or not _shape(x1):
        raise ValueError(f"cosine_embedding_loss: x1 has shape {_shape(x1)}, but the target has shape "
                         f"{_shape(target)}: there must be one label for each vector")
    together = _positive("cosine_embedding_loss", target)
    cosine = np.sum(x1 * x2, -1) / np.sqrt((np.sum(x1 * x1, -1) + 1e-12) * (np.sum(x2 * x2, -1) + 1e-12))
    return np.mean(np.where(together, 1 - cosine, relu(cosine - margin)))


def _positive(who: str, target: Any) -> Any:
    """Which of the labels, all of them 1 or -1, are 1."""
    y = plain(_array(target))
    check((y == 1) | (y == -1), lambda y: ValueError(
        f"{who}: target must be 1 or -1 everywhere, but holds {np.ravel(y)[np.ravel(np.abs(y)) != 1][0]}; write "
        "2 * y - 1 for labels of 0 and 1"), y)
    return y > 0


def _table(who: str, name: str, x: Any) -> tuple[int, int]:
    """How many examples and how many classes there are."""
    shape = _shape(x)
    if len(shape) != 2:
        raise ValueError(f"{who}: {name} must have the shape (batch, classes), got {shape}")
    if not shape[0]:
        raise ValueError(f"{who}: the batch is empty")
    return shape


def _labels(who: str, name: str, scores: Any, labels: Any, instead: str = "") -> Any:
    batch, classes = _shape(scores)
    labels = plain(_array(labels))
    if len(_shape(labels)) != 1:
        raise ValueError(f"{who}: labels must have the shape ({batch},), got {_shape(labels)}"
                         + (f"; {instead.removeprefix('or ')}" if instead else ""))
    if len(labels) != batch:
        raise ValueError(f"{who}: {name} are for {batch} examples, but there are {len(labels)} labels")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{who}: labels must be integers, got {labels.dtype}; write labels.astype(int)"
                        + (f", {instead}" if instead else ""))
    check((labels >= 0) & (labels < classes), _outside, who, labels, classes)
    return labels


def _outside(who: str, labels: np.ndarray, classes: int) -> ValueError:
    i = int(np.flatnonzero((labels < 0) | (labels >= classes))[0])
    return ValueError(f"{who}: labels must lie in 0 … {classes - 1}, but label {i} is {labels[i]}")


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
    p = plain(output)
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


def _array(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if hasattr(x, "shape") else np.shape(x)


def _pair(who: str, output: Any, target: Any, first: str = "the output",
          second: str = "the target") -> tuple[Any, Any]:
    """Both as arrays or Values, of the same shape."""
    output, target = _array(output), _array(target)
    came, wanted = _shape(output), _shape(target)
    if 0 in came:
        raise ValueError(f"{who}: the batch is empty: {first} has shape {came}")
    if came != wanted:
        remedy = ""
        if len(wanted) == 1 and len(came) == 2:
            remedy = ("; write target[:, None] for a column" if came[1] == 1
                      else f"; write nn.data.one_hot(labels, {came[1]}) for labels")
        raise ValueError(f"{who}: {first} has shape {came}, but {second} has shape {wanted}: "
                         f"they must be equal{remedy}")
    return output, target
