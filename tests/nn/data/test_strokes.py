"""`strokes`: what comes out, that seeds decide it, that the digits are digits, and every error's text."""

import numpy as np
import pytest

from nn.data import strokes


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    return strokes(3000, rng=0)


@pytest.mark.parametrize("n", [0, 1, 7, np.int64(130), 300])
def test_shapes_types_and_range(n):
    images, labels = strokes(n, rng=1)
    assert images.shape == (n, 784) and images.dtype == np.float32
    assert labels.shape == (n,) and labels.dtype == np.int64
    assert ((images >= 0) & (images <= 1)).all()
    assert ((labels >= 0) & (labels <= 9)).all()


@pytest.mark.parametrize("of", [int, np.int64, np.random.default_rng])
def test_the_same_seed_gives_the_same_digits(of):
    images, labels = strokes(200, of(3))
    again, labels_again = strokes(200, 3)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, labels_again)


def test_another_seed_gives_other_digits():
    assert not np.array_equal(strokes(50, 0)[0], strokes(50, 1)[0])


@pytest.mark.parametrize("sizes", [(1, 299), (128, 172), (100, 0, 77, 123)])
def test_a_generator_continues_its_stream(sizes):
    rng = np.random.default_rng(4)
    parts = [strokes(n, rng) for n in sizes]
    images, labels = strokes(sum(sizes), 4)
    np.testing.assert_allclose(np.concatenate([part[0] for part in parts]), images, atol=1e-5)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), labels)


def test_no_two_digits_are_alike(sample):
    images, _ = sample
    assert len(np.unique(images, axis=0)) == len(images)


def test_labels_are_balanced(sample):
    _, labels = sample
    expected = len(labels) / 10
    chi_squared = ((np.bincount(labels, minlength=10) - expected) ** 2 / expected).sum()
    assert chi_squared < 27.9  # 9 degrees of freedom: exceeded by 1 fair draw in 1,000


@pytest.mark.parametrize("digit", range(10))
def test_every_digit_is_ink_inside_the_frame(sample, digit):
    images, labels = sample
    images = images[labels == digit].reshape(-1, 28, 28)
    ink = images.sum(axis=(1, 2))
    assert (ink > 15).all() and (ink < 250).all()  # pixels: a thin 1, and no blot
    assert (images.max(axis=(1, 2)) > 0.8).all()
    border = np.ones((28, 28), dtype=bool)
    border[1:-1, 1:-1] = False
    assert images[:, border].max() < 0.01


def test_size_and_place_are_mnists(sample):
    images = sample[0].reshape(-1, 28, 28)
    sides = []
    for axis in (1, 2):
        mass = images.sum(axis=axis)
        centre = (mass * np.arange(28)).sum(axis=1) / mass.sum(axis=1)
        assert np.abs(centre - 13.5).max() < 2.5
        inked = images.max(axis=axis) > 0.5
        sides.append(28 - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1))
    longer = np.maximum(*sides)
    assert longer.min() >= 13 and longer.max() <= 21


def test_edges_are_anti_aliased_and_strokes_are_solid(sample):
    images, _ = sample
    inked = images[images > 0]
    assert 0.25 < ((inked > 0.05) & (inked < 0.95)).mean() < 0.75
    assert (inked >= 0.95).mean() > 0.2


def test_the_task_is_neither_trivial_nor_hopeless(sample):
    """The nearest mean misses more than one digit in ten; the nearest neighbour shows they can be told."""
    images, labels = sample
    unseen, answers = strokes(1000, rng=12345)

    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])
    by_mean = (unseen @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)
    assert 0.6 < (by_mean == answers).mean() < 0.9

    by_neighbour = labels[(unseen @ images.T - (images**2).sum(axis=1) / 2).argmax(axis=1)]
    assert (by_neighbour == answers).mean() > 0.95


@pytest.mark.parametrize(
    ("n", "rng", "error", "text"),
    [
        (-1, 0, ValueError, r"n must be 0 or more; got -1"),
        (2.0, 0, TypeError, r"n must be an int, the number of digits to draw; got 2\.0 of type float"),
        ("3", 0, TypeError, r"n must be an int, the number of digits to draw; got '3' of type str"),
        (True, 0, TypeError, r"n must be an int, the number of digits to draw; got True of type bool"),
        (None, 0, TypeError, r"n must be an int, the number of digits to draw; got None of type NoneType"),
        (3, None, TypeError, r"rng must be a .*Generator or an int that seeds one; got None"),
        (3, 1.5, TypeError, r"rng must be a .*Generator or an int that seeds one; got 1\.5 of type float"),
        (3, False, TypeError, r"rng must be a .*Generator or an int that seeds one; got False"),
        (
            3,
            np.random.RandomState(0),
            TypeError,
            r"rng must be a numpy\.random\.Generator .* type RandomState",
        ),
        (3, -5, ValueError, r"rng: a seed must be 0 or more; got -5"),
    ],
)
def test_errors_name_the_argument_what_came_and_what_was_wanted(n, rng, error, text):
    with pytest.raises(error, match=text):
        strokes(n, rng)
