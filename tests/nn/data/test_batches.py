"""`minibatches` and `one_hot`: what they give, that rows stay together, and the text of every error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.data import Digits, minibatches, one_hot

ARRAYS = st.integers(0, 40)


@given(n=ARRAYS, size=st.integers(1, 50), drop_last=st.booleans(), seed=st.none() | st.integers(0, 5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_an_epoch_has_each_row_once_and_keeps_rows_together(n, size, drop_last, seed):
    x, y = np.arange(3 * n).reshape(n, 3), np.arange(n)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = list(minibatches(x, y, size=size, rng=rng, drop_last=drop_last))
    whole, rest = divmod(n, size)
    assert [len(b) for _, b in batches] == [size] * whole + [rest] * (rest > 0 and not drop_last)
    for a, b in batches:
        np.testing.assert_array_equal(a, x[b])
    seen = [row for _, b in batches for row in b.tolist()]
    if rng is None:
        assert seen == list(range(len(seen)))
    else:
        expected = np.random.default_rng(seed).permutation(n)[: len(seen)]
        assert seen == expected.tolist()


def test_each_epoch_has_another_order_from_a_generator():
    rng = np.random.default_rng(0)
    first, second = ([b.tolist() for b in minibatches(np.arange(50), size=10, rng=rng)] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("seed", [7, np.int64(7)])
def test_a_seed_gives_the_same_order_at_each_call(seed):
    first, second = (np.concatenate(list(minibatches(np.arange(50), size=8, rng=seed))) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, np.random.default_rng(7).permutation(50))


def test_the_order_is_drawn_at_the_call():
    rng = np.random.default_rng(3)
    batches = minibatches(np.arange(9), size=3, rng=rng)
    assert rng.random() == after_a_permutation(3, 9)
    np.testing.assert_array_equal(np.concatenate(list(batches)), np.random.default_rng(3).permutation(9))


def after_a_permutation(seed: int, n: int) -> float:
    rng = np.random.default_rng(seed)
    rng.permutation(n)
    return rng.random()


def test_one_array_gives_bare_batches_and_more_give_tuples():
    a = np.arange(4)
    assert [type(batch) for batch in minibatches(a, size=2)] == [np.ndarray] * 2
    assert [(type(batch), len(batch)) for batch in minibatches(a, a, a, size=2)] == [(tuple, 3)] * 2


@pytest.mark.parametrize("rng", [None, 0])
def test_batches_are_copies_of_the_same_type(rng):
    x = np.ones((6, 2), dtype=np.float32)
    for batch in minibatches(x, size=4, rng=rng):
        assert batch.dtype == np.float32
        batch += 1
    assert (x == 1).all()


def test_lists_digits_and_a_numpy_size_are_welcome():
    digits = Digits(np.zeros((3, 784), dtype=np.float32), np.array([5, 0, 4]))
    assert [y.tolist() for _, y in minibatches(*digits, size=np.int64(2))] == [[5, 0], [4]]
    ((numbers, letters),) = minibatches([1, 2], ["a", "b"], size=5)
    assert numbers.tolist() == [1, 2] and letters.tolist() == ["a", "b"]


A3, A4 = np.zeros((3, 2)), np.zeros(4)
MISUSES = [  # arguments, error, its text
    ((), {"size": 1}, TypeError, "give at least one array, as in"),
    ((A3, A4), {"size": 1}, ValueError, r"array 0 has 3 rows and array 1 has 4; the rows belong together"),
    ((A3, A3, A4), {"size": 1}, ValueError, "array 0 has 3 rows and array 2 has 4"),
    ((A3, 10), {"size": 1}, ValueError, "argument 1 has no rows to cut; it is the single value array"),
    ((Digits(A3, A4),), {"size": 1}, TypeError, r"argument 0 is a Digits of arrays; unpack it with a star"),
    (([A3, A4],), {"size": 1}, TypeError, "argument 0 is a list of arrays"),
    ((A3,), {}, TypeError, "size"),
    ((A3,), {"size": 0}, ValueError, "size must be 1 or more; got 0"),
    ((A3,), {"size": -2}, ValueError, "size must be 1 or more; got -2"),
    ((A3,), {"size": 2.0}, TypeError, "size must be an integer; got 2.0 of type float"),
    ((A3,), {"size": True}, TypeError, "size must be an integer; got True of type bool"),
    ((A3,), {"size": None}, TypeError, "size must be an integer; got None"),
    ((A3,), {"size": 1, "rng": "0"}, TypeError, r"rng must be a numpy.random.Generator .* got '0' of type"),
    ((A3,), {"size": 1, "rng": True}, TypeError, "got True of type bool"),
    ((A3,), {"size": 1, "rng": 1.0}, TypeError, "got 1.0 of type float"),
    ((A3,), {"size": 1, "rng": np.random.RandomState(0)}, TypeError, "of type RandomState"),
    ((A3,), {"size": 1, "rng": -1}, ValueError, "a seed must be 0 or more; got -1"),
]


@pytest.mark.parametrize(("arrays", "options", "kind", "says"), MISUSES, ids=[row[3][:40] for row in MISUSES])
def test_misuse_is_told_at_the_call(arrays, options, kind, says):
    with pytest.raises(kind, match=says):
        minibatches(*arrays, **options)  # not iterated


def test_misuse_draws_nothing():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="size must be"):
        minibatches(A3, size=0, rng=rng)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_one_hot_is_rows_of_the_identity(kind, dtype):
    labels = np.array([3, 0, 9, 9], dtype=kind)
    rows = one_hot(labels, 10, dtype)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows, np.eye(10, dtype=dtype)[labels])


def test_one_hot_is_float32_unless_asked_otherwise():
    assert one_hot([1], 2).dtype == np.float32


def test_one_hot_of_nothing_and_of_one_class():
    assert one_hot(np.array([], dtype=int), 10).shape == (0, 10)
    assert one_hot([0, 0], np.int64(1)).tolist() == [[1], [1]]


LABELS = [
    ([0, 1, -1, 5], 3, ValueError, "label -1 at position 2 is not one of the 3 classes, 0 to 2"),
    ([0, 3, 4], 3, ValueError, "label 3 at position 1 is not one of the 3 classes"),
    (np.array([255], dtype=np.uint8), 10, ValueError, "label 255 at position 0"),
    ([0.0, 1.0], 3, TypeError, r"labels must be integers; got float64. .* write labels.astype\(int\)"),
    ([True, False], 2, TypeError, "labels must be integers; got bool"),
    ([[0], [1]], 2, ValueError, r"labels must have the shape \(n,\); got \(2, 1\)"),
    (3, 10, ValueError, r"labels must have the shape \(n,\); got \(\)"),
    ([0], 0, ValueError, "classes must be 1 or more; got 0"),
    ([0], 10.0, TypeError, "classes must be an integer; got 10.0 of type float"),
]


@pytest.mark.parametrize(("labels", "classes", "kind", "says"), LABELS, ids=[row[3][:40] for row in LABELS])
def test_one_hot_misuse(labels, classes, kind, says):
    with pytest.raises(kind, match=says):
        one_hot(labels, classes)
