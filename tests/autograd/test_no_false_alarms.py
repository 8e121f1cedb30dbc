"""``gradcheck`` accepts random graphs that are right, in both precisions, with kinks among them and without."""

import numpy as np
import pytest

from autograd import gradcheck
from autograd.testing import random_expression


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kinks", [False, True], ids=["smooth", "kinks"])
def test_right_graphs_pass(kinks, dtype):
    for seed in range(125):
        f = random_expression(np.random.default_rng(seed), kinks=kinks, scalar=seed % 5 == 0, dtype=dtype)
        report = gradcheck(f, *f.inputs)
        assert report, f"seed {seed}\n{f}\n{report}"
