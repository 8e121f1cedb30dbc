"""np.fft at its special points: the frequencies that are real, several Values, precision, and what has no gradient."""

import numpy as np
import pytest

from autograd import Value, grad, make_jvp


def test_every_function_of_np_fft_has_a_rule_or_takes_no_array():
    from autograd.registry import RULES
    without = {name for name in np.fft.__all__ if getattr(np.fft, name) not in RULES}
    assert without == {"fftfreq", "rfftfreq"}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_real_transforms_are_matrices_and_their_gradients_the_transposes(n):
    rfft = np.fft.rfft(np.eye(n), axis=0)
    rng = np.random.default_rng(0)
    g = rng.normal(size=n // 2 + 1) + 1j * rng.normal(size=n // 2 + 1)
    got = grad(lambda x: np.real(np.sum(np.fft.rfft(x) * g)))(np.ones(n))
    np.testing.assert_allclose(got, np.real(rfft.T @ g), atol=1e-12)


def test_irfft_ignores_the_imaginary_part_of_the_frequencies_that_are_their_own_mirror_image():
    z = np.array([1 + 2j, 3 - 1j, 2 + 5j])
    even = grad(lambda z: np.sum(np.fft.irfft(z) * [1.0, 2.0, 4.0, 8.0]))(z)
    np.testing.assert_allclose(even, [15 / 4, -3 / 2 - 3j, -5 / 4], atol=1e-15)
    odd = grad(lambda z: np.sum(np.fft.irfft(z[:2], 3) * [1.0, 2.0, 4.0]))(z)
    assert odd[0] == pytest.approx(7 / 3) and odd[0].imag == 0
    assert odd[1].imag != 0 == odd[2]


def test_frequencies_that_are_cut_off_have_gradient_zero():
    assert grad(lambda x: np.real(np.fft.fft(x, 2)[0]))(np.ones(4)).tolist() == [1, 1, 0, 0]
    assert grad(lambda x: np.real(np.fft.fft(x, 8)[0]))(np.ones(4)).tolist() == [1, 1, 1, 1]


def test_single_precision_stays():
    x = np.ones(4, np.float32)
    for f in (np.fft.fft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft, np.fft.fftn, np.fft.irfftn):
        assert grad(lambda x, f=f: np.real(np.sum(f(x) ** 2)))(x).dtype == np.float32
        y, t = make_jvp(f)(x)(x)
        assert t.dtype == y.dtype == f(x).dtype


def test_arguments_by_position_out_of_none_and_no_axes():
    x = Value([2.0, 3.0])
    np.real(np.fft.fft(x, None, -1, None, None))[1].backward()
    assert x.grad.tolist() == [1, -1]
    x = Value([1.0, 2.0])
    np.sum(np.fft.fftn(x, axes=())).backward()
    assert x.grad.tolist() == [1, 1]


def test_out_is_refused():
    with pytest.raises(TypeError, match=r"np.fft.fft\(..., out=...\)"):
        np.fft.fft(Value(np.ones(3)), out=np.ones(3, complex))
