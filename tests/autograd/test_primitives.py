"""Functions that users make differentiable: what they may return, what refuses them, and classes with operators."""

from collections import OrderedDict, namedtuple
from fractions import Fraction

import numpy as np
import pytest

from autograd import Value, defvjp, grad, no_grad, primitive
from autograd.functions import relu
from tests.autograd.numeric import assert_close

pytestmark = pytest.mark.usefixtures("temporary_rules")


def made(function, *makers, **options):
    function = primitive(function)
    defvjp(function, *makers, **options)
    return function


@pytest.mark.parametrize("step", [lambda x: 1 if x > 0 else 0, lambda x: np.int8(x > 0), lambda x: x > 0])
def test_a_whole_result_of_a_number_is_a_float_and_has_a_gradient(step):
    step, x = made(step, lambda y, x: lambda g: g), Value(0.3)
    (step(x) * 0.5).backward()
    assert type(step(x).data) is float and x.grad == 0.5


def test_a_whole_result_of_an_array_has_a_gradient():
    sign, x = made(lambda x: np.sign(x).astype(np.int8), lambda y, x: lambda g: g), Value([0.3, -2.0])
    (sign(x) * 0.5).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.5, 0.5])


Top = namedtuple("Top", "values positions")


@pytest.mark.parametrize("kind", [tuple, list, Top._make])
def test_of_several_results_the_integers_are_plain_and_the_floats_have_gradients(kind):
    def top(x):
        i = np.argsort(x)[::-1][:2]
        return kind([x[i], i])

    top = made(top, lambda y, x: lambda g: np.where(np.isin(np.arange(3), y[1]), 1.0, 0.0) * g[0].sum() / 2)
    x = Value([1.0, 3.0, 2.0])
    result = top(x)
    assert type(result) is type(top(x.data))
    values, positions = result
    assert type(positions) is np.ndarray and positions.tolist() == [1, 2]
    values.sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 1, 1])


def test_rules_may_use_the_results_of_a_function_with_several_to_any_order():
    both = made(lambda x: (np.sin(x), np.cos(x)), lambda y, x: lambda g: g[0] * y[1] - g[1] * y[0])
    f = grad(grad(lambda x: both(x)[0] * both(x)[1]))  # sin cos x = sin(2x) / 2
    assert_close(f(0.7), -2 * np.sin(1.4))


def test_a_list_of_arrays_of_any_shapes_gets_a_list_of_gradients():
    total = made(lambda xs, c: sum(np.sum(x) for x in xs) * c,
                 lambda y, xs, c: lambda g: [g * c * np.ones_like(x) for x in xs])
    a, b = Value([1.0, 2.0]), Value(np.ones((2, 2)))
    total([a, b, np.ones(3)], 3.0).backward()
    np.testing.assert_array_equal(a.grad, [3, 3])
    np.testing.assert_array_equal(b.grad, [[3, 3], [3, 3]])


def test_a_listed_function_becomes_differentiable_by_a_rule():
    defvjp(np.round, lambda y, x, *_: lambda g: g)
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.round(x) * [1.0, 2.0]))(np.array([0.2, 0.7])), [1, 2])


def test_a_rule_may_be_given_for_one_argument_by_its_number_and_a_maker_may_give_none():
    scale = made(lambda c, x: c * x, lambda y, c, x: lambda g: g * c, argnums=1)
    assert grad(scale, 1)(3.0, 2.0) == 3.0
    stop = made(lambda x: x * 1.0, lambda y, x: None)
    assert grad(lambda x: stop(x) + x)(2.0) == 1.0


w = Value(3.0)


@pytest.mark.parametrize(("use", "text"), [
    (lambda: defvjp(lambda x: x, lambda y, x: lambda g: g), "not a primitive.*decorate it with @primitive first"),
    (lambda: defvjp(np.cbrt, lambda y, x: lambda g: g, argnums=(-1,)), "argnums must be at least 0"),
    (lambda: made(lambda x: x * w, lambda y, x: lambda g: g)(Value(2.0)), "a Value that is not among its arguments"),
    (lambda: made(lambda x: None, lambda y, x: lambda g: g)(Value(2.0)), "gave a NoneType"),
    (lambda: made(lambda x: "a", lambda y, x: lambda g: g)(Value(2.0)), "gave a str"),
    (lambda: relu({"x": Value(2.0)}), "a dict that holds Values"),
    (lambda: made(lambda x: 2 * x, lambda y, x: lambda g: "g")(Value([1.0])).sum().backward(), "returned str 'g'"),
    (lambda: Value([2.0, 1.0]) * Fraction(1, 2), "unsupported operand"),
    (lambda: Value(2.0) * np.array([1.0, 2.0], dtype=object), "dtype object.*astype"),
    (lambda: Value(np.ones((2, 2))) * np.matrix(np.ones((2, 2))), "gave a matrix"),
    (lambda: Value(np.ones(2)) * np.ma.array([1.0, 2.0], mask=[True, False]), "gave a MaskedArray"),
])
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_what_would_lose_a_gradient_is_refused(use, text):
    with pytest.raises(TypeError, match=text):
        use()


class Vector:
    """A class with operators of its own."""

    def __init__(self, items):
        self.items = items

    def __rmul__(self, k):
        return Vector([k * item for item in self.items])


def test_operators_of_other_classes_are_asked():
    k = Value(2.0)
    product = k * Vector([Value(1.0), Value(3.0)])
    sum(product.items).backward()
    assert k.grad == 4.0


def test_data_set_to_integers_has_gradients_of_floats():
    x, v = Value(2.0), Value([2.0, 1.0])
    x.data, v.data = 3, np.array([1, 2])
    (x * 0.25).backward()
    np.sum(v * 0.25).backward()
    assert x.grad == 0.25
    np.testing.assert_array_equal(v.grad, [0.25, 0.25])


def test_backward_of_what_was_not_recorded_is_refused():
    x = Value(2.0)
    with no_grad():
        y = x * x
    for z in (y, (x * x).detach()):
        with pytest.raises(ValueError, match="detached or computed under no_grad"):
            z.backward()
    (y * 3.0).backward()  # a leaf like any other in what comes after
    assert y.grad == 3.0


@pytest.mark.parametrize(("call", "value"), [
    (lambda v: np.sum(v, 0, None, None, True), lambda x: np.sum(x, 0, keepdims=True)),
    (lambda v: np.max(v, 0, None, True), lambda x: np.max(x, 0, keepdims=True)),
    (lambda v: np.var(v, 1, None, None, 1), lambda x: np.var(x, 1, ddof=1)),
    (lambda v: np.var(v, correction=1), lambda x: np.var(x, ddof=1)),
    (lambda v: np.clip(v, 0.0, 1.0, None), lambda x: np.clip(x, 0.0, 1.0)),
    (lambda v: np.clip(v, min=Value(0.2)), lambda x: np.maximum(x, 0.2)),
    (lambda v: np.clip(v, max=Value(0.2)), lambda x: np.minimum(x, 0.2)),
    (lambda v: np.stack(Top(v, v)), lambda x: np.stack([x, x])),
    (lambda v: np.sum(Value(3.0), axis=-1) * v, lambda x: 3 * x),
    (lambda v: np.dot(v[:, :0], np.ones((0, 3))), lambda x: np.zeros((2, 3))),
    (lambda v: np.einsum("ij,jk,k->i", v, np.ones((3, 2)), np.ones(2), optimize=["einsum_path", (1, 2), (0, 1)]),
     lambda x: 2 * x.sum(axis=1)),
])
def test_every_form_of_a_call_is_understood(call, value):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3))
    v = Value(x)
    y = call(v)
    np.testing.assert_allclose(y.data, value(x))
    weights = np.random.default_rng(1).uniform(-1, 1, y.shape)
    np.sum(y * weights).backward()
    reference = Value(x)
    np.sum(value(reference) * weights).backward() if isinstance(value(reference), Value) else None
    assert_close(v.grad, np.zeros_like(x) if reference.grad is None else reference.grad)


def test_other_dicts_keep_their_kind():
    g = grad(lambda p: p["a"] * p["b"])(OrderedDict(a=2.0, b=3.0))
    assert type(g) is OrderedDict and g == {"a": 3.0, "b": 2.0}
