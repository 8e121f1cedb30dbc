"""What holds for every test."""

import gc

import numpy as np
import pytest


def pytest_collection_finish():
    """The garbage collector does not look through thousands of tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def seeded():
    """NumPy's shared generator starts alike in each test, whichever ran before in the same process."""
    np.random.seed(0)
