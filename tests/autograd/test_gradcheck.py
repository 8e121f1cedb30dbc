"""``gradcheck``: right gradients pass, planted wrong ones fail, and the report names the element that is wrong."""

import numpy as np
import pytest

from autograd import GradientReport, Value, defvjp, gradcheck, no_grad, primitive
from autograd.functions import affine, logsumexp, sigmoid

RNG = np.random.default_rng(0)
MATRIX, VECTOR = RNG.normal(size=(3, 4)), RNG.normal(size=4)

RIGHT = [
    ("a float", lambda x: x**3 - np.sin(x), [0.7]),
    ("floats", lambda x, y: x * np.exp(y), [2.0, -0.5]),
    ("a vector", lambda x: np.sum(np.tanh(x)), [VECTOR]),
    ("a vector of results", np.tanh, [VECTOR]),
    ("a matrix and a vector", lambda a, x: sigmoid(a @ x), [MATRIX, VECTOR]),
    ("three", affine, [MATRIX, RNG.normal(size=(2, 4)), RNG.normal(size=2)]),
    ("axes", lambda a: logsumexp(a, axis=1), [MATRIX]),
    ("large numbers", lambda x: x * x, [1e6]),
    ("small numbers", lambda x: x * x, [1e-6]),
    ("a large value beside a small slope", lambda x: 1e6 + x, [0.3]),
    ("zero", lambda x: x * x * x, [0.0]),
    ("a slope of 0", lambda x: 0 * x, [1.0]),
    ("an input that is not used", lambda x, y: x * 2, [1.0, VECTOR]),
    ("a Value as input", lambda x: x * x, [Value(3.0)]),
    ("a list as input", lambda x: np.sum(x * x), [[3.0, 4.0]]),
    ("one element", lambda a: a[1, 2], [MATRIX]),
    ("1,000 elements", lambda x: np.sum(np.cos(x) * x), [RNG.normal(size=1000)]),
    ("float32", lambda a, x: sigmoid(a @ x), [MATRIX.astype(np.float32), VECTOR.astype(np.float32)]),
    ("a float32 number", lambda x: np.exp(x) * x, [np.float32(0.7)]),
    ("float32 and float64", lambda a, x: a @ x, [MATRIX.astype(np.float32), VECTOR]),
    ("float32 of many", lambda x: np.sum(x * x), [RNG.normal(size=300).astype(np.float32)]),
]


@pytest.mark.parametrize(("f", "inputs"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_right_gradients_pass(f, inputs):
    report = gradcheck(f, *inputs)
    assert isinstance(report, GradientReport)
    assert report, str(report)
    assert report.raise_if_wrong() is report
    assert len(report.elements) == sum(np.size(x.data if isinstance(x, Value) else x) for x in inputs)
    assert "WRONG" not in str(report)


def only_at(place, factor):
    """1 everywhere but at one place."""
    def scale(x):
        weights = np.ones(np.shape(x))
        weights[place] = factor
        return weights
    return scale


PLANTED = [  # name, function, its wrong rules, inputs, and the element that is worst
    ("sign", np.sin, [lambda g, y, x: -g * np.cos(x)], [0.7], ("input 0", ())),
    ("factor of 1 + 1e-4", np.sin, [lambda g, y, x: g * np.cos(x) * (1 + 1e-4)], [0.7], ("input 0", ())),
    ("factor of 1 + 1e-5", np.exp, [lambda g, y, x: g * y * (1 + 1e-5)], [VECTOR[:1]], ("input 0", (0,))),
    ("factor of 1 + 3e-6", np.exp, [lambda g, y, x: g * y * (1 + 3e-6)], [0.1], ("input 0", ())),
    ("factor of 1.01 in float32", np.exp, [lambda g, y, x: g * y * np.float32(1.01)], [np.float32(0.5)],
     ("input 0", ())),
    ("dropped term", lambda x: x * np.exp(x), [lambda g, y, x: g * y], [0.7], ("input 0", ())),
    ("forgotten inner slope", lambda x: np.tanh(3 * x), [lambda g, y, x: g * (1 - y * y)], [0.2], ("input 0", ())),
    ("second argument", lambda a, b: a * b, [lambda g, y, a, b: g * b, lambda g, y, a, b: g * b], [2.0, 3.0],
     ("input 1", ())),
    ("swapped", lambda a, b: a * b, [lambda g, y, a, b: g * a, lambda g, y, a, b: g * b],
     [np.array([1.0, 1.0, 1.0]), np.array([1.0, 5.0, 1.0])], None),
    ("one element of 1,000", lambda x: x * x, [lambda g, y, x: g * 2 * x * only_at(617, 1.01)(x)],
     [RNG.uniform(0.5, 1.5, 1000)], ("input 0", (617,))),
    ("one element of a matrix", lambda x: x * x, [lambda g, y, x: g * 2 * x * only_at((2, 1), -1.0)(x)], [MATRIX],
     ("input 0", (2, 1))),
    ("one element is 0", lambda x: x * x, [lambda g, y, x: g * 2 * x * only_at((1,), 0.0)(x)], [VECTOR],
     ("input 0", (1,))),
    ("one element is nan", lambda x: x * x, [lambda g, y, x: g * 2 * x * only_at((3,), np.nan)(x)], [VECTOR],
     ("input 0", (3,))),
    ("one element is inf", lambda x: x * x, [lambda g, y, x: g * 2 * x * only_at((3,), np.inf)(x)], [VECTOR],
     ("input 0", (3,))),
    ("transposed", lambda a: a * 1.0, [lambda g, y, a: np.reshape(g.T, np.shape(a))], [np.arange(1.0, 7).reshape(2, 3)],
     None),
    ("mean as sum", np.mean, [lambda g, y, x: g * np.ones_like(x)], [VECTOR], None),
    ("no gradient", lambda x: x * x, [lambda g, y, x: None], [3.0], ("input 0", ())),
]


@pytest.mark.parametrize(("f", "rules", "inputs", "worst"), [row[1:] for row in PLANTED],
                         ids=[row[0] for row in PLANTED])
@pytest.mark.usefixtures("temporary_rules")
def test_planted_errors_fail_and_the_worst_is_named(f, rules, inputs, worst):
    wrong = primitive(lambda *args: f(*args))
    defvjp(wrong, *(lambda y, *args, rule=rule: lambda g: rule(g, y, *args) for rule in rules))
    report = gradcheck(wrong, *inputs)
    assert not report
    assert gradcheck(f, *inputs)
    finite = all(np.isfinite(e.analytic) for e in report.elements)
    with pytest.raises(AssertionError, match="NOT FINITE" if finite is False else "WRONG in"):
        report.raise_if_wrong()
    if worst:
        assert (report.worst.argument, report.worst.index) == worst
        name = worst[0] + (f"[{', '.join(map(str, worst[1]))}]" if worst[1] else "")
        assert f"worst: {name}" in str(report) or not finite
        assert str(report).splitlines()[2].startswith(name + " ")
        assert ("WRONG" if finite else "NOT FINITE") in str(report).splitlines()[2]


@pytest.mark.usefixtures("temporary_rules")
def test_a_rule_that_ignores_a_setting():
    @primitive
    def scaled(x, by=1.0):
        return x * by

    defvjp(scaled, lambda y, x, by=1.0: lambda g: g)
    assert gradcheck(scaled, VECTOR)
    assert not gradcheck(lambda x: scaled(x, by=2.0), VECTOR)


def test_the_gradient_of_a_detached_part_is_missed():
    assert not gradcheck(lambda x: x * x.detach(), 3.0)

    def halfway(x):
        with no_grad():
            y = x * x
        return y * x

    assert not gradcheck(halfway, 3.0)


@pytest.mark.usefixtures("temporary_rules")
def test_tolerances():
    @primitive
    def almost(x):
        return x * 2.0

    defvjp(almost, lambda y, x: lambda g: g * 2.002)
    assert not gradcheck(almost, 1.0)
    assert gradcheck(almost, 1.0, rtol=2e-3)
    assert gradcheck(almost, 1.0, atol=2e-3)
    assert not gradcheck(almost, 1.0, rtol=0.0, atol=1e-3)
    assert not gradcheck(almost, 1.0, rtol=0.0, atol=0.0)


def test_a_slope_of_exactly_0_with_no_tolerance_prints():
    report = gradcheck(lambda x: 0 * x, 1.0, atol=0.0)
    assert report
    assert report.worst.error == 0
    assert "all 1 elements right" in str(report)


def test_numbers_of_the_report():
    report = gradcheck(lambda x, y: x * y, 2.0, np.array([3.0, 4.0]))
    assert [(e.argument, e.index) for e in report.elements] == [("x", ()), ("y", (0,)), ("y", (1,))]
    for e in report.elements:
        assert all(isinstance(number, float) for number in (e.analytic, e.numeric, e.error, e.allowed))
        assert e.right
        assert e.error == abs(e.analytic - e.numeric) < 1e-8
    weights = np.array([e.analytic for e in report.elements[1:]]) / 2
    assert report.elements[0].analytic == pytest.approx(weights @ [3.0, 4.0])
    assert np.all(np.abs(weights) >= 0.5)
    signs = {np.sign(e.analytic) for e in gradcheck(lambda x: +x, np.zeros(25)).elements}
    assert signs == {-1, 1}
    assert report == gradcheck(lambda x, y: x * y, 2.0, np.array([3.0, 4.0]))


def test_printing():
    lines = str(gradcheck(np.tanh, VECTOR)).splitlines()
    assert lines[0] == "gradcheck: all 4 elements right"
    assert lines[1].split() == ["element", "analytic", "numeric", "error", "allowed"]
    assert [line.split()[-1] for line in lines[2:6]] == ["right"] * 4
    assert lines[6:] == ["numeric side: complex step on the recorded graph, which subtracts nothing"]
    lines = str(gradcheck(np.tanh, RNG.normal(size=25))).splitlines()
    assert len(lines) == 14
    assert lines[-2] == "... and 15 more that are less far off"
    assert "nothing to check" in str(gradcheck(np.sum, np.zeros(0)))
    assert not gradcheck(np.sum, np.zeros((0, 3)))  # never a pass where nothing was checked
    assert gradcheck(np.sum, np.zeros(0)).worst is None


def test_the_inputs_are_left_alone():
    x = np.array([1.0, 2.0])
    v = Value(x)
    (v * 5).sum().backward()
    gradcheck(lambda a, b: a * b, x, v)
    assert x.tolist() == v.data.tolist() == [1, 2]
    assert v.grad.tolist() == [5, 5]


def test_it_records_also_inside_no_grad():
    with no_grad():
        assert gradcheck(np.sin, 1.0)
        assert (Value(1.0) * 2).op is None


def test_a_kink_inside_the_step_is_seen():
    report = gradcheck(np.abs, 1e-9)
    assert report.verdicts == {"input 0": "kink"}
    assert "1.0e-09 from a kink or tie of np.absolute" in report.inputs[0].detail
    assert report
