"""MNIST itself, where it is at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from nn.data import mnist

HELD = Path(os.environ.get("NUDGE_DATA") or "nowhere").expanduser() / "mnist"


@pytest.mark.skipif(not HELD.is_dir(), reason="NUDGE_DATA is not set, or has no folder mnist")
def test_the_real_digits():
    train, test = mnist()
    assert train.images.shape == (60_000, 784) and test.images.shape == (10_000, 784)
    assert train.images.min() == 0 and train.images.max() == 1
    assert train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    np.testing.assert_allclose(train.images.mean(), 0.1307, atol=1e-4)  # the constant of many a tutorial
