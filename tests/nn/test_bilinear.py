"""`Bilinear`: against its sums by loops, gradients, initial values, and every error."""

import math
import re

import numpy as np
import pytest

import nn
from autograd import Value
from tests.nn.gradients import check_layer, numbers


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_sums_of_weighted_products(batch, bias):
    layer = nn.Bilinear(3, 4, 2, bias, rng=0, dtype=np.float64)
    x1, x2 = numbers(*batch, 3), numbers(*batch, 4, seed=1)
    wanted = np.einsum("...i,kij,...j->...k", x1, layer.weight.data, x2) + (layer.bias.data if bias else 0)
    for given in ((x1, x2), (Value(x1), x2), (x1.tolist(), Value(x2))):
        y = layer(*given)
        assert type(y) is Value and y.shape == (*batch, 2)
        np.testing.assert_allclose(y.data, wanted, rtol=1e-12, atol=1e-14)
    assert list(layer.state_dict()) == ["weight", "bias"][:1 + bias]


@pytest.mark.parametrize("bias", [True, False])
def test_gradients(bias):
    check_layer(lambda dtype: nn.Bilinear(2, 3, 2, bias, rng=0, dtype=dtype), (2, 2), (2, 3))


def test_weights_and_biases_start_between_plus_and_minus_one_over_root_of_the_first_inputs():
    layer = nn.Bilinear(16, 5, 300, rng=0)
    for p, shape in ((layer.weight, (300, 16, 5)), (layer.bias, (300,))):
        assert (p.shape, p.dtype) == (shape, np.float32)
        assert 0.97 / 4 < p.data.max() <= 1 / 4 and p.data.std() == pytest.approx(1 / 4 / math.sqrt(3), rel=0.06)


@pytest.mark.parametrize(("one", "two"), [((5, 3), (5, 3)), ((5, 2), (5, 4)), ((5, 3), (4, 4)), ((3,), (1, 4)),
                                          ((), (4,)), ((0, 3), (0, 4))])
def test_inputs_that_do_not_fit(one, two):
    text = ("Bilinear(3, 4, 2): expected inputs of shapes (..., 3) and (..., 4), alike in all other axes and not "
            f"empty, got {one} and {two}")
    with pytest.raises(ValueError, match=re.escape(text)):
        nn.Bilinear(3, 4, 2, rng=0)(np.ones(one), np.ones(two))


@pytest.mark.parametrize(("arguments", "text"), [
    ((0, 2, 1), "Bilinear: in1_features must be a positive integer, got 0"),
    ((2, -2, 1), "Bilinear: in2_features must be a positive integer, got -2"),
    ((2, 2, 1.0), "Bilinear: out_features must be a positive integer, got 1.0"),
])
def test_arguments_that_are_wrong(arguments, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        nn.Bilinear(*arguments, rng=0)
    with pytest.raises(TypeError, match=re.escape("Bilinear: rng must be a numpy.random.Generator or an int")):
        nn.Bilinear(2, 2, 1, rng=None)
