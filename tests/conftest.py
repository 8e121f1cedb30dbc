"""What holds for every test."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def seeded():
    """NumPy's shared generator starts alike in each test, whichever ran before in the same process."""
    np.random.seed(0)
