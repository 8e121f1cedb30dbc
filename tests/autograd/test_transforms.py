"""``grad`` and ``value_and_grad``: arguments, containers, nesting to any order, and what the results are made of."""

import warnings
from collections import namedtuple

import numpy as np
import pytest

from autograd import Value, defvjp, grad, no_grad, primitive, value_and_grad
from autograd.functions import log_softmax, sigmoid
from autograd.registry import RULES
from tests.autograd.numeric import assert_close, numeric_gradient

Point = namedtuple("Point", "x y")
W = np.arange(1.0, 7.0).reshape(2, 3)


def product(a, b, c=1.0):
    return np.sum(a * b * c)


ARGNUMS = [(0, 2.0), (1, 3.0), (-1, 3.0), (-2, 2.0), ((0,), (2.0,)), ((0, 1), (2.0, 3.0)), ((1, 0), (3.0, 2.0)),
           ((-1, 0), (3.0, 2.0)), ((0, 0), (2.0, 2.0)), (np.int64(1), 3.0), ([0, 1], (2.0, 3.0))]


@pytest.mark.parametrize(("argnum", "wanted"), ARGNUMS, ids=[str(a) for a, _ in ARGNUMS])
def test_argnum(argnum, wanted):
    gradient = grad(product, argnum)(3.0, 2.0)
    assert gradient == wanted
    assert type(gradient) is type(wanted)
    assert value_and_grad(product, argnum=argnum)(3.0, 2.0) == (6.0, wanted)


def test_keywords_reach_the_function_as_they_are():
    assert grad(product)(3.0, 2.0, c=5.0) == 10
    seen = []
    grad(lambda x, *rest, **named: seen.append((rest, named)) or x)(1.0, "a", None, flag=True, array=[1])
    assert seen == [(("a", None), {"flag": True, "array": [1]})]


def total(tree) -> Value:
    if isinstance(tree, dict):
        return total(list(tree.values()))
    if isinstance(tree, (list, tuple)):
        return sum((i + 1) * total(item) for i, item in enumerate(tree))
    return np.sum(tree * tree)


TREES = [
    ({"w": W, "b": 1.0}, {"w": 2 * W, "b": 4.0}),
    ([1.0, [2.0, W]], [2.0, [8.0, 8 * W]]),
    ((1.0, (2.0,)), (2.0, (8.0,))),
    (Point(1.0, [3.0]), Point(2.0, [12.0])),
    ({"layers": [{"w": W}, {"w": -W, "b": 2.0}]}, {"layers": [{"w": 2 * W}, {"w": -4 * W, "b": 16.0}]}),
    ([], []), ({}, {}),
]


@pytest.mark.parametrize(("tree", "wanted"), TREES, ids=[str(t)[:30] for t, _ in TREES])
def test_containers(tree, wanted):
    got = grad(lambda t, x: total(t) + x)(tree, Value(1.0)) if not tree else grad(total)(tree)
    assert_same(got, wanted)


def assert_same(got, wanted):
    assert type(got) is type(wanted)
    if isinstance(wanted, dict):
        assert list(got) == list(wanted)
        got, wanted = list(got.values()), list(wanted.values())
    if isinstance(wanted, (list, tuple)):
        assert len(got) == len(wanted)
        for g, w in zip(got, wanted, strict=True):
            assert_same(g, w)
    else:
        np.testing.assert_array_equal(got, wanted)


def test_containers_in_several_arguments():
    def f(p, q, s):
        return np.sum(p["w"] * q[0]) * s

    gp, gs = grad(f, (0, 2))({"w": W}, [W], 3.0)
    np.testing.assert_array_equal(gp["w"], 3 * W)
    assert gs == np.sum(W * W)


@pytest.mark.parametrize(("x", "kind"), [
    (2.0, float), (np.float64(2), float), (np.float32(2), np.float32), (np.array(2.0), float),
    (np.ones(3), np.ndarray), (np.ones(3, np.float32), np.ndarray),
])
def test_what_the_gradient_is_made_of(x, kind):
    value, gradient = value_and_grad(lambda v: np.sum(v * v))(x)
    assert type(gradient) is kind
    assert np.shape(gradient) == np.shape(x)
    assert np.result_type(gradient) == (np.float32 if np.result_type(x) == np.float32 else np.float64)
    assert not isinstance(value, Value)
    np.testing.assert_array_equal(gradient, 2 * np.asarray(x))


def test_the_result_is_not_the_input():
    x, a = np.ones(3), np.ones(3)
    for f in (lambda v: np.sum(v), lambda v: np.sum(v * a), lambda v: v @ a, lambda v: v[0], lambda v: v.sum() + v[1]):
        gradient = grad(f)(x)
        gradient += 1
        assert x.tolist() == a.tolist() == [1, 1, 1]
    first, second = grad(lambda u, v: np.sum(u + v), (0, 1))(x, x)
    assert not np.shares_memory(first, second)
    assert first.flags.writeable
    assert not np.shares_memory(*grad(lambda t: np.sum(t[0] + t[1]))([x, x]))


@pytest.mark.parametrize(("f", "derivatives"), [
    (lambda x: x**3, [lambda x: 3 * x**2, lambda x: 6 * x, lambda x: 6.0, lambda x: 0.0]),
    (np.sin, [np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin]),
    (np.exp, [np.exp] * 4),
    (np.tanh, [lambda x: 1 - np.tanh(x) ** 2, lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
               lambda x: (6 * np.tanh(x) ** 2 - 2) * (1 - np.tanh(x) ** 2)]),
    (lambda x: 1 / x, [lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4, lambda x: 24 / x**5]),
    (np.log, [lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3]),
    (sigmoid, [lambda x: sigmoid(x) * sigmoid(-x), lambda x: sigmoid(x) * sigmoid(-x) * (1 - 2 * sigmoid(x))]),
    (lambda x: np.prod(np.stack([x, x, x, x])), [lambda x: 4 * x**3, lambda x: 12 * x**2, lambda x: 24 * x]),
    (lambda x: (lambda p: np.sum(p @ p.T))(np.reshape(np.stack([x, 2 * x]), (1, 2))),
     [lambda x: 10 * x, lambda x: 10.0, lambda x: 0.0]),
    (lambda x: x * 3, [lambda x: 3.0, lambda x: 0.0, lambda x: 0.0]),
])
def test_nesting(f, derivatives):
    for x in (0.7, np.float32(0.7)):
        g = f
        for derivative in derivatives:
            g = grad(g)
            got = g(x)
            assert type(got) is type(x)
            np.testing.assert_allclose(got, derivative(x), rtol=1e-12 if type(x) is float else 1e-4, atol=1e-15)


def test_third_order_of_tensors():
    def f(w):
        return np.sum(np.tanh(w @ np.array([1.0, 0.5, -1.0])) ** 2) + np.sum(w[0] * w[1, ::-1] ** 2)

    d = np.linspace(0.5, 1.5, 6).reshape(2, 3)
    def along(g):
        return lambda w: np.sum(g(w) * d)

    second = grad(along(grad(f)))
    assert_close(grad(along(second))(W / 5), numeric_gradient(lambda w: float(np.sum(second(w) * d)), [W / 5])[0])


CONFUSION = [  # a nested derivative in a closure, at x = 2, and the right answer
    ("outer factor", lambda x: x * grad(lambda y: x * y)(1.0), 4.0),
    ("Siskind and Pearlmutter", lambda x: x * grad(lambda y: x + y)(1.0), 1.0),
    ("square inside", lambda x: grad(lambda y: x * y * y)(3.0), 6.0),
    ("both squared", lambda x: grad(lambda y: (x * y) ** 2)(x), 24.0),
    ("inner at outer", lambda x: grad(lambda y: y**3)(x), 12.0),
    ("three levels", lambda x: grad(lambda y: grad(lambda z: x * y * z**2)(y))(x), 16.0),
    ("unused outer", lambda x: x + grad(lambda y: y * y)(3.0), 1.0),
    ("the same name", lambda x: grad(lambda x: x * x)(x) * x, 8.0),
]


@pytest.mark.parametrize(("f", "wanted"), [row[1:] for row in CONFUSION], ids=[row[0] for row in CONFUSION])
def test_perturbations_are_not_confused(f, wanted):
    got = grad(f)(2.0)
    assert type(got) is float
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


def test_one_value_passed_in_twice():
    v = Value(3.0)
    first, second = grad(lambda a, b: a * a * b, (0, 1))(v, v)
    assert (first.data, second.data) == (18.0, 9.0)
    (first + second).backward()
    assert v.grad == 4 * 3 + 2 * 3
    assert float(grad(lambda a: a * v)(v)) == 3


def test_a_value_that_comes_in_gives_a_value():
    x = Value([1.0, 2.0], name="x")
    y, g = value_and_grad(lambda v: np.sum(v**3))(x)
    assert type(y) is type(g) is Value
    np.testing.assert_array_equal(g.data, [3, 12])
    assert x.grad is None
    assert type(grad(lambda v: 3 * np.sum(v))(x)) is Value
    (np.sum(g * np.array([1.0, 10.0])) + y).backward()
    np.testing.assert_array_equal(x.grad, [6 + 3, 120 + 12])


def test_a_closure_over_a_value_gives_a_value():
    w = Value(4.0)
    g = grad(lambda x: w * x * x)(3.0)
    assert type(g) is Value
    assert g.data == 24
    g.backward()
    assert w.grad == 6
    assert type(grad(lambda x: w.data * x)(3.0)) is float


def test_gradients_of_values_land_nowhere_else():
    w = Value(4.0)
    grad(lambda x: w * x)(3.0)
    assert w.grad is None


@pytest.mark.usefixtures("temporary_rules")
def test_branches_that_lead_elsewhere_are_not_visited():
    visits = []

    @primitive
    def counted(x):
        return x * 1.0

    defvjp(counted, lambda y, x: lambda g: visits.append(y) or g)
    w = Value(2.0)
    with no_grad():
        assert grad(lambda x: x * counted(w) + np.sum(np.stack([x, counted(w * 2)])))(3.0) == 3
    assert visits == []
    assert grad(lambda x: counted(x) * w)(3.0).data == 2
    assert len(visits) == 1


@pytest.mark.parametrize("wanted", [0, 1])
def test_an_operand_that_leads_elsewhere_is_not_visited(wanted, monkeypatch):
    calls = [0, 0]

    def counting(i):
        return lambda g, y, a, b: calls.__setitem__(i, calls[i] + 1) or g * (b, a)[i]

    monkeypatch.setattr(RULES[np.multiply], "vjps", (counting(0), counting(1)))
    w = Value(2.0)
    assert grad(lambda x: (x * w, w * x)[wanted])(3.0).data == 2
    assert calls[wanted] == 1
    assert calls[1 - wanted] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_that_are_values_have_the_dtype_of_the_argument(dtype):
    x = Value(np.ones(3, dtype))
    for f in (lambda v: np.sum(v * np.arange(3.0)), lambda v: np.sum(np.abs(v * (1 + 2j))), lambda v: v[0] * 2.0):
        g = grad(f)(x)
        assert type(g) is Value
        assert g.dtype == dtype
        assert grad(lambda v, f=f: np.sum(grad(f)(v)) * np.float64(2))(x).dtype == dtype


def test_inside_no_grad():
    w = Value(4.0)
    with no_grad():
        value, g = value_and_grad(lambda x: w * x * x)(3.0)
        assert (type(value), type(g)) == (float, float)
        assert grad(grad(lambda x: w * x**3))(1.0) == 24
        assert (w * 2).op is None
    assert (value, g) == (36, 24)


def test_no_grad_inside_makes_a_constant():
    def f(x):
        with no_grad():
            c = x * x
        return c * x

    assert grad(f)(3.0) == 9


def test_recording_is_restored_after_an_exception():
    def fails(x):
        raise KeyError

    with no_grad():
        with pytest.raises(KeyError):
            grad(fails)(1.0)
        assert (Value(1.0) * 2).op is None
    with pytest.raises(KeyError):
        grad(fails)(1.0)
    assert (Value(1.0) * 2).op is np.multiply


INDEPENDENT = [lambda x: 3.0, lambda x: 7, lambda x: np.float32(2), lambda x: float(x), lambda x: np.sum(np.floor(x))]


@pytest.mark.parametrize("f", INDEPENDENT)
def test_an_output_that_does_not_depend_on_the_input_warns_and_gives_0(f):
    with pytest.warns(UserWarning, match="does not depend on its argument 0") as caught:
        assert value_and_grad(f)(2.0)[1] == 0
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="does not depend") as caught:
        assert grad(f)(2.0) == 0.0
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="does not depend"):
        got = grad(lambda t: 1.0)({"w": W, "b": 1.0})
    np.testing.assert_array_equal(got["w"], np.zeros((2, 3)))


def test_an_argument_that_is_not_used_gets_0_without_a_warning():
    first, second = grad(lambda a, b: np.sum(a), (0, 1))(W, np.ones(2, np.float32))
    assert first.tolist() == [[1, 1, 1]] * 2
    assert second.tolist() == [0, 0]
    assert second.dtype == np.float32
    assert grad(lambda t: t["a"] * 2)({"a": 1.0, "b": 5.0}) == {"a": 2.0, "b": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(grad(lambda x: 3 * x))(1.0) == 0


def test_complex_arguments():
    z = np.array([1 + 2j, -3j])
    got = grad(lambda v: np.sum(np.abs(v) ** 2))(z)
    np.testing.assert_allclose(got, 2 * np.conj(z), rtol=1e-15)
    assert got.dtype == np.complex128
    assert grad(lambda v: np.real(v * v))(1 + 2j) == 2 + 4j


def test_a_jacobian_by_rows():
    a, x = W / 3, np.array([0.3, -0.2, 0.5])
    def f(v):
        return log_softmax(np.concatenate([np.tanh(a @ v), v]))

    got = np.stack([grad(lambda v, i=i: f(v)[i])(x) for i in range(5)])
    wanted = np.stack([numeric_gradient(lambda v, i=i: f(v)[i], [x])[0] for i in range(5)])
    assert_close(got, wanted)


def test_gradient_functions_say_what_they_are():
    def cost(x):
        """The cost."""
        return x

    assert grad(cost).__name__ == "grad_cost"
    assert grad(cost).__doc__ == "The cost."
    assert grad(np.sin)(0.0) == 1.0


SCALARS = [lambda v: v[0], lambda v: np.sum(v), lambda v: np.reshape(v[0], (1, 1)), lambda v: v[:1],
           lambda v: np.max(v, keepdims=True)]


@pytest.mark.parametrize("f", SCALARS)
def test_outputs_of_one_element_are_scalars(f):
    assert grad(f)(np.array([3.0, 2.0])).shape == (2,)
    assert grad(lambda v: np.sum(grad(f)(v * v)))(np.array([3.0, 2.0])).shape == (2,)
