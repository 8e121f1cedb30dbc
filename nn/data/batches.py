"""From data sets to what a training step takes: shuffled minibatches, and labels as one-hot rows."""

import operator
from collections.abc import Iterator
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..random import Randomness, generator

AT_ONCE = 2**18  # bytes of rows that are copied by one call, where a batch has fewer: calls take time of their own


@overload
def minibatches(
    array: ArrayLike,
    /,
    *,
    size: SupportsIndex,
    rng: Randomness | None = None,
    drop_last: bool = False,
) -> Iterator[np.ndarray]: ...
@overload
def minibatches(
    first: ArrayLike,
    second: ArrayLike,
    /,
    *others: ArrayLike,
    size: SupportsIndex,
    rng: Randomness | None = None,
    drop_last: bool = False,
) -> Iterator[tuple[np.ndarray, ...]]: ...
def minibatches(
    *arrays: Any, size: SupportsIndex, rng: Randomness | None = None, drop_last: bool = False
):
    """Cut arrays of equal length n into batches of `size` rows: one epoch, each row once, in a random order.

    The arrays are cut alike, so that images stay with their labels. The arguments are checked and the order
    is drawn at the call, by one `rng.permutation(n)`; the batches are copies, made as the loop asks for them,
    of small ones several at a time.

    Args:
        arrays: of shapes (n, …). Two or more give tuples of batches; a single one gives bare batches,
            `for x in minibatches(images, size=10)`.
        size: rows per batch.
        rng: a `numpy.random.Generator`, which moves on, so that each epoch has another order; or an int that
            seeds one, for the same order at every call; or None to keep the rows as they lie.
        drop_last: leave out the last batch when it has fewer than `size` rows. (None is left if n < size.)

    Returns:
        An iterator over ⌈n / size⌉ batches of shapes (size, …), or ⌊n / size⌋ with `drop_last`.

    Raises:
        TypeError: no array, a tuple in place of its arrays, `size` no integer, or `rng` of another kind.
        ValueError: lengths that differ, an array without an axis, or `size` below 1.

    >>> images, labels = np.arange(10).reshape(5, 2), np.array([0, 1, 2, 3, 4])
    >>> [y.tolist() for x, y in minibatches(images, labels, size=2)]
    [[0, 1], [2, 3], [4]]
    >>> [y.tolist() for x, y in minibatches(images, labels, size=2, rng=0, drop_last=True)]
    [[2, 4], [3, 0]]
    """
    if not arrays:
        raise TypeError("minibatches: give at least one array, as in minibatches(images, labels, size=10)")
    data = [_rows(array, position) for position, array in enumerate(arrays)]
    n = len(data[0])
    for position, array in enumerate(data):
        if len(array) != n:
            raise ValueError(
                f"minibatches: array 0 has {n} rows and array {position} has {len(array)}; "
                "the rows belong together, so both must have as many"
            )
    size = _positive(size, "minibatches: size")
    order = None if rng is None else generator(rng, "minibatches").permutation(n)
    return _batches(data, order, size, n - n % size if drop_last else n)


def _batches(data: list[np.ndarray], order: np.ndarray | None, size: int, stop: int) -> Iterator[Any]:
    # Apart from `minibatches`, because a generator function would check nothing before the first batch.
    batch_bytes = size * sum(getattr(array, "nbytes", 0) for array in data) // max(1, len(data[0]))
    several = size * max(1, AT_ONCE // max(1, batch_bytes))
    for start in range(0, stop, several):
        end = min(start + several, stop)
        if order is None:
            rows = [array[start:end].copy() for array in data]
        else:
            rows = [np.take(array, order[start:end], axis=0) for array in data]
        for first in range(0, end - start, size):
            batch = [array[first : first + size] for array in rows]
            yield tuple(batch) if len(batch) > 1 else batch[0]


def one_hot(labels: ArrayLike, classes: SupportsIndex, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Rows with a 1 at the label and 0 elsewhere: y[i, j] = 1 if j = labels[i], else 0.

    Args:
        labels: (n,) integers from 0 to `classes` - 1.
        classes: the number of columns.
        dtype: of the result; float32 is what parameters have.

    Returns:
        (n, classes).

    Raises:
        TypeError: labels that are no integers, or `classes` no integer.
        ValueError: labels that are not (n,), a label out of range, or `classes` below 1.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = _positive(classes, "one_hot: classes")
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"one_hot: labels must have the shape (n,); got {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(
            f"one_hot: labels must be integers; got {labels.dtype}. "
            "If they hold whole numbers, write labels.astype(int)"
        )
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        first = int(outside.argmax())
        raise ValueError(
            f"one_hot: label {labels[first]} at position {first} is not one of the {classes} classes, "
            f"0 to {classes - 1}"
        )
    rows = np.zeros((len(labels), classes), dtype=dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def _rows(array: Any, position: int) -> Any:
    """The argument as an array of one or more axes; an array of any library stays what it is."""
    if isinstance(array, (tuple, list)) and any(getattr(item, "shape", ()) for item in array):
        raise TypeError(
            f"minibatches: argument {position} is a {type(array).__name__} of arrays; "
            "unpack it with a star, minibatches(*data, size=…)"
        )
    rows: Any = array if hasattr(array, "shape") else np.asarray(array)
    if not rows.shape:
        raise ValueError(
            f"minibatches: argument {position} has no rows to cut; it is the single value {rows!r}"
        )
    return rows


def _positive(number: Any, what: str) -> int:
    try:
        if isinstance(number, (bool, np.bool)):
            raise TypeError
        value = operator.index(number)
    except TypeError:
        raise TypeError(
            f"{what} must be an integer; got {number!r} of type {type(number).__name__}"
        ) from None
    if value < 1:
        raise ValueError(f"{what} must be 1 or more; got {value}")
    return value
