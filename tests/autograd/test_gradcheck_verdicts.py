"""The verdicts of ``gradcheck`` on right functions at hostile inputs, and on wrong rules that hide well."""

import numpy as np
import pytest

from autograd import Value, defjvp, defvjp, gradcheck, primitive
from autograd.functions import erf, relu

RNG = np.random.default_rng(3)
VECTOR, CUBE = RNG.normal(size=5), RNG.normal(size=(2, 4, 3))
DECADES = 10.0 ** np.arange(-12, 13)
HILBERT = 1 / (np.arange(8)[:, None] + np.arange(8) + 1)
NAN = np.array([0.3, np.nan, -1.2, 0.8])
SHARES = np.array([0.5, 0.5, 0.0, 0.0])
SLANTED = np.asfortranarray(RNG.normal(size=(300, 40)))
SLANTED -= SLANTED.mean(0)
TIED = np.array([[0.0, 0, 5], [9, 12, 12]])


def made_anew(x):
    """An operation that is defined each time anew is no branch."""
    @primitive
    def cube(x):
        return x**3

    defvjp(cube, lambda y, x: lambda g: 3 * g * x**2)
    return cube(x)


def picked(x):
    return x[:2 if x.data[0] < 1e6 else 1] * 2


RIGHT = [  # name, function, inputs, options, wanted verdicts, phrases wanted in the text
    ("a view of the input", lambda x: np.swapaxes(x, 0, 2), [CUBE], {}, {"right"}, ["all 24 elements right"]),
    ("a view, and more", lambda x: (x[::-1], x.T, x), [CUBE], {}, {"right"}, []),
    ("an input in Fortran order", np.tanh, [np.asfortranarray(CUBE)], {}, {"right"}, []),
    ("the input itself", lambda x: x, [VECTOR], {"order": 2}, {"right"}, ["all 10 elements right"]),
    ("a linear function, order 2", np.sum, [VECTOR], {"order": 2}, {"right"}, ["all 10 elements right"]),
    ("detached at both orders", lambda x, y: x * y.detach(), [2.0, 3.0], {"order": 2, "wrt": "y"}, {"detached"}, []),
    ("nan among the inputs", np.nansum, [NAN], {}, {"right"}, []),
    ("nan, order 2", lambda x: np.nansum(x) ** 2, [NAN], {"order": 2}, {"right"}, []),
    ("an infinite input", np.tanh, [np.array([1.0, np.inf])], {}, {"right"}, []),
    ("sums that cancel, of copies in another order", lambda x: SLANTED.T @ x, [np.ones((300, 2))], {}, {"right"}, []),
    ("integers among the results", lambda x: np.frexp(x)[0], [VECTOR], {}, {"right"}, []),
    ("counts among the results", lambda x: np.unique(x, return_counts=True)[0], [VECTOR], {"order": 2}, {"right"}, []),
    ("shapes that change far away", picked, [VECTOR], {"order": 2}, {"right"}, []),
    ("no operation between", lambda x: np.tile(x, ()), [VECTOR], {}, {"right"}, []),
    ("methods of ufuncs", lambda x: np.subtract.accumulate(x), [VECTOR], {"order": 2}, {"right"}, []),
    ("operations made anew", made_anew, [VECTOR], {"modes": "reverse"}, {"right"}, []),
    ("24 decades, reciprocal", lambda x: 1 / x, [DECADES], {}, {"right", "precision"}, []),
    ("24 decades, logarithm", lambda x: np.sum(np.log(x)), [DECADES], {}, {"right"}, []),
    ("24 decades, root", np.sqrt, [DECADES], {}, {"right", "precision"}, []),
    ("12 decades in float32", lambda x: 1 / x, [DECADES[6:19].astype(np.float32)], {}, {"right", "precision"}, []),
    ("a wave far from 0", np.sin, [1e12], {}, {"right", "precision"}, []),
    ("short waves", lambda x: np.sin(1e6 * x), [VECTOR], {"order": 2}, {"right"}, []),
    ("saturated", erf, [np.array([0.0, 5.0, -7.0])], {}, {"precision"}, []),
    ("flat but for rounding", lambda x: np.sin(x)**2 + np.cos(x)**2, [VECTOR], {"order": 2}, {"precision"}, []),
    ("in steps of float32", lambda x: (x.astype("f") * x.astype("f")).astype(float), [VECTOR], {"order": 2},
     {"right"}, []),
    ("an ill-conditioned matrix", np.linalg.solve, [HILBERT, np.ones(8)], {}, {"right", "precision"},
     []),
    ("its determinant", lambda a: np.linalg.slogdet(a)[1], [HILBERT], {}, {"precision"}, []),
    ("near the edge of the domain", np.arcsin, [1 - 1e-9], {}, {"right"}, []),
    ("near another", np.arccosh, [1 + 1e-9], {}, {"right"}, []),
    ("on one side only", lambda p: -np.sum(p * np.log(p + 1e-300)), [SHARES], {}, {"precision"},
     ["p: precision, around it the function is not defined on both sides"]),
    ("near overflow", np.exp, [700.0], {}, {"precision"}, ["so near to numbers that are not finite"]),
    ("a saturated tanh beside one that is not", np.tanh, [np.array([0.3, 15.0])], {}, {"precision"}, []),
    ("one small beside rounding", erf, [np.array([0.0, -7.0])], {}, {"precision"},
     ["one of its derivatives is small beside what rounding hides"]),
    ("entropy", lambda p: -np.sum(p * np.log(p + 1e-12)), [SHARES], {}, {"precision"}, []),
    ("no factor beside", lambda a: np.linalg.cholesky((a + a.T) / 2), [HILBERT[:7, :7]], {}, {"right", "precision"},
     []),
    ("cancellation", lambda x: (1 - np.cos(x)) / x**2, [1e-4], {}, {"precision"}, []),
    ("denormal numbers", lambda x: x * x, [1e-160], {}, {"precision"}, []),
    ("lists of other lengths", lambda x: (x[0] * 2, x[1] * 3), [[[1.0, 2.0], [3.0]]], {}, {"right"}, []),
    ("ties that do not matter to ptp", np.ptp, [np.array([0.0, 5, 5, 9])], {}, {"right"}, []),
    ("ties that do not matter to a median", np.median, [TIED], {}, {"right"}, []),
    ("a heaviside step off 0", lambda x: np.heaviside(x, 5.0) * x, [np.array([5.0])], {}, {"right"}, []),
    ("a sort of all", lambda x: np.sort(x, axis=None) * np.arange(6.0), [TIED], {}, {"kink"},
     ["a kink or tie of np.sort"]),
    ("a partition of all", lambda x: np.partition(x, 1, axis=None) * np.arange(6.0), [TIED], {}, {"kink"},
     ["a kink or tie of np.partition"]),
    ("the range of some axes", lambda x: np.ptp(x, axis=(0, 1)), [TIED], {}, {"kink"}, ["a kink or tie of np.ptp"]),
    ("a mask exactly where it switches", lambda x: np.where(x > 5, x * x, x), [np.array([5.0, 7.0])], {}, {"kink"},
     ["element (0,) is at a kink or tie of np.where"]),
    ("nodes of an interpolation", np.interp, [np.array([0.5, 1.5]), np.arange(4.0), VECTOR[:4]], {"wrt": [0, 2]},
     {"right"}, []),
]


@pytest.mark.parametrize(("f", "inputs", "options", "verdicts", "phrases"), [row[1:] for row in RIGHT],
                         ids=[row[0] for row in RIGHT])
@pytest.mark.usefixtures("temporary_rules")
def test_right_functions_at_hostile_inputs(f, inputs, options, verdicts, phrases):
    report = gradcheck(f, *inputs, **options)
    assert report, str(report)
    assert set(report.verdicts.values()) <= verdicts, str(report)
    for phrase in phrases:
        assert phrase in str(report)
    numbers = [e for e in report.elements if e.verdict == "right"]
    assert all(e.error <= e.allowed for e in numbers), str(report)  # the table is true


def planted(function, *vjps, jvps=()):
    operation = primitive(lambda *args: function(*args))
    defvjp(operation, *(lambda y, *args, vjp=vjp: lambda g: vjp(g, y, *args) for vjp in vjps))
    if jvps:
        defjvp(operation, *(lambda g, y, *args, jvp=jvp: jvp(g, y, *args) for jvp in jvps))
    return operation


def kinky(x):
    return np.sum(np.abs(x[:30])) + np.sum(x[30:]**2)


def detaching(g, y, x):
    return g * (1 + (x.detach() if isinstance(x, Value) else x)**2)


BAD_BESIDE_KINKS = [lambda g, y, x: g * np.concatenate([np.sign(x[:30]), 2.0002 * x[30:]])]

WRONG = [  # name, function, its wrong rules, inputs, options, phrases wanted in the text
    ("beside many kinks", kinky, BAD_BESIDE_KINKS, [np.append(np.full(30, 1e-4), np.ones(10))], {}, []),
    ("beside many that lie at them", kinky, BAD_BESIDE_KINKS, [np.append(np.zeros(30), np.ones(10))], {}, []),
    ("a view with a wrong rule", lambda x: np.swapaxes(x, 0, 2), [lambda g, y, x: 1.5 * np.swapaxes(g, 0, 2)], [CUBE],
     {},
     ["WRONG in 24 of 24 elements"]),
    ("a slope that is detached", lambda x: x + x**3 / 3, [detaching], [VECTOR[:2]], {"order": 2},
     ["x, second order: wrong, its second derivative is lost", "the second derivative is"]),
    ("one small element beside large ones", lambda x: x * x,
     [lambda g, y, x: 2 * g * x * np.where(np.abs(x) < 1e-5, 1.01, 1.0)], [np.array([1e8, 1, 1e-6, 1e-3])], {},
     ["WRONG in 1 of 4 elements; worst: x[2]"]),
    ("24 decades, wrong by 1e-4", lambda x: 1 / x, [lambda g, y, x: -1.0001 * g / x**2], [DECADES], {}, []),
    ("short waves, wrong by 1e-5", lambda x: np.sin(1e5 * x), [lambda g, y, x: 1.00001e5 * g * np.cos(1e5 * x)],
     [VECTOR],
     {}, ["WRONG in 5 of 5 elements"]),
    ("a wave far from 0", np.sin, [lambda g, y, x: g * np.cos(x) * 1.05], [1e10], {"rtol": 1e-6}, []),
    ("an ill-conditioned matrix", lambda a: np.linalg.solve(a, np.ones(8)),
     [lambda g, y, a: -1.01 * np.outer(np.linalg.solve(a.T, g), y)], [HILBERT], {}, []),
    ("near the edge of the domain", np.arcsin, [lambda g, y, x: 1.001 * g / np.sqrt(1 - x * x)], [1 - 1e-9], {}, []),
    ("at the edge", lambda x: x * np.sqrt(x), [lambda g, y, x: g * (1.5 * np.sqrt(x) + 1)], [np.array([0.0, 1.0])],
     {}, []),
    ("nan among the inputs", np.nansum, [lambda g, y, x: 1.01 * g * np.isfinite(x)], [NAN], {}, ["WRONG in 3 of 4"]),
]


@pytest.mark.parametrize(("f", "rules", "inputs", "options", "phrases"), [row[1:] for row in WRONG],
                         ids=[row[0] for row in WRONG])
@pytest.mark.usefixtures("temporary_rules")
def test_wrong_rules_that_hide(f, rules, inputs, options, phrases):
    operation = planted(f, *rules)
    report = gradcheck(lambda x: operation(x), *inputs, modes="reverse", **options)
    assert not report, str(report)
    for phrase in phrases:
        assert phrase in str(report)


@pytest.mark.usefixtures("temporary_rules")
def test_what_a_number_was_allowed_is_what_it_was_judged_by():
    worst = gradcheck(np.arcsin, 1 - 1e-9).worst
    assert worst is not None
    assert worst.error <= worst.allowed < 1


def test_an_intermediate_changed_in_place():
    def f(x):
        y = x * x
        z = np.sin(y)
        y.data[...] *= 0.5
        return z

    report = gradcheck(f, VECTOR)
    assert not report
    assert "np.multiply gives other numbers when it is called again, at " in str(report)
    assert "f changed its argument or its result in place, or it is not deterministic" in str(report)


def test_a_layer_is_listed_once_for_both_orders():
    class Model:
        def __init__(self):
            self.w = Value(np.array([0.5, -0.2]))

        def named_parameters(self):
            return [("first.w", self.w)]

        def __call__(self, x):
            return np.sum(relu(self.w * x) ** 2)

    report = gradcheck(Model(), np.array([1.0, 2.0]), order=2)
    assert report
    assert str(report).count("w (2,)") == 1
