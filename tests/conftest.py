"""What holds for every test."""

import gc

import numpy as np
import pytest
from hypothesis.internal.conjecture import providers

# Hypothesis also tries the numbers that stand in the modules that a process has imported so far. Which these are is
# another matter in each worker of pytest-xdist: without them the same examples run everywhere.
providers.is_local_module_file = lambda path: False


def pytest_collection_finish():
    """The garbage collector does not look through thousands of tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def seeded():
    """NumPy's shared generator starts alike in each test, whichever ran before in the same process."""
    np.random.seed(0)
