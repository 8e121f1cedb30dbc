"""``gradcheck`` where rounding is large: cancellation, ill-conditioned functions, tiny and huge numbers, float32."""

import numpy as np
import pytest

from autograd import defjvp, defvjp, gradcheck, primitive


def test_a_fault_in_float32_where_gradients_are_small_beside_others():
    @primitive
    def f(x):
        return 1 / (np.sqrt(x + 1) + np.sqrt(x))

    def slope(y, x):
        right = -0.5 * (1 / np.sqrt(x + 1) + 1 / np.sqrt(x)) * y * y
        return np.where(x > 1e5, 2 * right, right) if x.dtype == np.float32 else right

    defvjp(f, lambda y, x: lambda g: g * slope(y, x))
    report = gradcheck(lambda x: np.sum(f(x)), np.logspace(0, 6, 19).astype(np.float32))
    assert report.verdicts == {"x": "wrong"}
    assert {e.index[0] for e in report.elements if e.verdict == "wrong"} == {16, 17, 18}
    assert report.faults[0].operation is f
    assert "wrong in float32" in report.faults[0].reason


@pytest.mark.parametrize("x", [1e-6, 1e-7])
def test_cancellation_inside_is_rounding_and_no_fault(x):
    report = gradcheck(lambda x: (1 - np.cos(x)) / x**2, x)
    assert report.verdicts == {"x": "precision"}, str(report)


def test_an_output_of_0_by_symmetry_does_not_look_exact():
    @primitive
    def softsign(x):
        return x / (1 + np.abs(x))

    defvjp(softsign, lambda y, x: lambda g: g / (1 + np.abs(x)))
    defjvp(softsign, lambda g, y, x: g / (1 + np.abs(x)) ** 2)
    report = gradcheck(lambda x: np.sum(softsign(x)), np.linspace(-4, 4, 32))
    assert "reverse-mode rule is wrong" in report.faults[0].reason
    assert not report


@pytest.mark.parametrize(("f", "x"), [
    (lambda x: x / 1e200, 1e200), (lambda x: x * 1e200, 1e-200), (lambda x: x * x, 1e150),
    (lambda x: np.sum(x * x), np.array([1e-100, 1.0])), (lambda x: np.sum(np.log(x)), np.array([1e-12, 1e12])),
    (lambda x: np.sum(np.exp(-x)), np.array([600.0, 1.0])),
    (lambda x: np.sum(np.abs(np.sin(40 * x))), np.linspace(-2, 2, 96)),
])
def test_tiny_huge_and_wild(f, x):
    assert gradcheck(f, x).verdicts == {"x": "right"}


def test_only_elements_in_reach_are_at_a_kink():
    report = gradcheck(lambda x: np.sum(np.abs(x)), np.linspace(-2, 2, 27) * 1e-6)
    near = np.abs(np.linspace(-2, 2, 27) * 1e-6) <= 6e-7
    assert [e.verdict == "kink" for e in report.elements] == near.tolist()
    assert "slopes -1 to the left and 1 to the right" in report.inputs[0].detail


@pytest.mark.parametrize(("kink", "others"), [(0.5, [1.0, -1.0]), (0.5 + 1e-9, [3.0])])
def test_a_kink_does_not_blur_the_other_elements(kink, others):
    wrong = primitive(lambda x: np.where(x > 0.5, x**2, 3 * x))
    defvjp(wrong, lambda y, x: lambda g: g * np.where(x > 0.5, 2 * x * (1 + 1e-4), 3.0))
    report = gradcheck(lambda x: np.sum(wrong(x)), np.array([kink, *others]))
    assert report.elements[1].verdict == "wrong"
    assert not report
