"""The family of transforms beyond ``grad``: Jacobians, Hessians, products, structures, nesting, and their errors."""

import warnings
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from autograd import (
    Value,
    defjvp,
    defvjp,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    no_grad,
    primitive,
    tensor_jacobian_product,
    value_and_grad,
)
from tests.autograd.numeric import assert_close, difference

A = np.array([[1.0, -2.0, 0.5], [0.3, 0.8, -1.0]])
X = np.array([0.3, -0.5, 0.8])
V = np.array([1.0, 2.0, -1.0])
Point = namedtuple("Point", "x y")


@dataclass
class Layer:
    weight: Any
    bias: Any


@dataclass(frozen=True)
class Frozen:
    weight: Any


def vector(x):
    """Of three numbers two."""
    return np.tanh(A @ x) * x[0]


def scalar(x):
    return np.sum(vector(x) ** 2) + np.prod(x)


def matrix(x):
    return np.outer(x, x**2)


def columns(f, x):
    """The Jacobian by central differences, one column after another."""
    x = np.asarray(x)
    return np.stack([difference(lambda t, k=k: f(x + t * np.eye(x.size)[k].reshape(x.shape))) for k in range(x.size)],
                    axis=-1).reshape(*np.shape(f(x)), *x.shape)


def test_jacobian():
    assert_close(jacobian(vector)(X), columns(vector, X))
    assert_close(jacobian(matrix)(X), columns(matrix, X))
    assert jacobian(matrix)(X).shape == (3, 3, 3)
    assert_close(jacobian(scalar)(X), grad(scalar)(X), rtol=1e-14)
    assert_close(jacobian(lambda x: x * X)(2.0), X)
    assert jacobian(lambda x: x * 3)(2.0) == 3.0
    assert_close(jacobian(lambda m: m.T @ m)(A), columns(lambda m: m.T @ m, A))


def test_jacobian_of_several_arguments_and_containers():
    first, second = jacobian(lambda a, b: a * b[0], (0, 1))(X, V)
    assert_close(first, np.eye(3) * V[0])
    assert_close(second, np.outer(X, [1, 0, 0]))
    got = jacobian(lambda p: {"sum": p["w"] + p["b"], "total": np.sum(p["w"])})({"w": X, "b": 2.0})
    assert_close(got["sum"]["w"], np.eye(3))
    assert_close(got["sum"]["b"], np.ones(3))
    assert_close(got["total"]["w"], np.ones(3))
    assert got["total"]["b"] == 0.0


def test_jacobian_of_nothing():
    assert jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert jacobian(lambda x: x * 2)(np.zeros((0, 2))).shape == (0, 2, 0, 2)


def test_hessian():
    assert_close(hessian(scalar)(X), columns(grad(scalar), X))
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert_close(hessian(vector)(X), columns(jacobian(vector), X))
    blocks = hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 3.0, "b": X})
    assert blocks["a"]["a"] == pytest.approx(2 * np.sum(X))
    assert_close(blocks["a"]["b"], 6 * np.ones(3))
    assert_close(blocks["b"]["b"], np.zeros((3, 3)))


@pytest.mark.parametrize("product", [
    lambda f, x, v: hessian_vector_product(f)(x, v), lambda f, x, v: hessian_tensor_product(f)(x, v),
    lambda f, x, v: make_hvp(f)(x)[0](v), lambda f, x, v: make_jvp(grad(f))(x)(v)[1],
    lambda f, x, v: make_vjp(grad(f))(x)[0](v), lambda f, x, v: grad(lambda z: np.sum(grad(f)(z) * v))(x),
    lambda f, x, v: grad(lambda z: make_jvp(f)(z)(v)[1])(x), lambda f, x, v: jacobian(grad(f))(x) @ v,
    lambda f, x, v: deriv(lambda t: grad(f)(x + t * v))(0.0),
])
def test_hessian_vector_products(product):
    assert_close(product(scalar, X, V), hessian(scalar)(X) @ V, rtol=1e-12)


def test_hessian_tensor_product_of_a_matrix_and_of_a_later_argument():
    def f(c, m):
        return c * np.sum(np.sin(m) * m[0])

    got = hessian_tensor_product(f, 1)(2.0, A, A + 1)
    assert_close(got, np.tensordot(hessian(f, 1)(2.0, A), A + 1, 2), rtol=1e-12)
    assert_close(make_hvp(f, 1)(2.0, A)[1], grad(f, 1)(2.0, A), rtol=1e-14)


def test_tensor_jacobian_product():
    u = np.array([2.0, -1.0])
    assert_close(tensor_jacobian_product(vector)(X, u), u @ jacobian(vector)(X), rtol=1e-13)
    assert_close(tensor_jacobian_product(matrix)(X, V), np.tensordot(V, jacobian(matrix)(X), 1), rtol=1e-13)
    assert_close(tensor_jacobian_product(lambda c, x: c * matrix(x), 1)(2.0, X, np.ones((3, 3))),
                 2 * np.sum(jacobian(matrix)(X), axis=(0, 1)), rtol=1e-13)


def test_make_vjp_and_make_jvp_are_transposes():
    vjp, y = make_vjp(vector)(X)
    jvp = make_jvp(vector)(X)
    assert_close(y, vector(X), rtol=1e-15)
    u = np.array([2.0, -1.0])
    assert_close(vjp(u), u @ jacobian(vector)(X), rtol=1e-13)
    value, moved = jvp(V)
    assert_close(value, vector(X), rtol=1e-15)
    assert_close(moved, jacobian(vector)(X) @ V, rtol=1e-13)
    assert_close(vjp([1, 0]), jacobian(vector)(X)[0], rtol=1e-13)


def test_a_value_that_is_changed_in_place_changes_no_product():
    vjp, y = make_vjp(np.exp)(np.zeros(2))
    y -= 5.0
    assert_close(vjp(y), [-4.0, -4.0])
    jvp = make_jvp(lambda x: np.exp(np.zeros(2)) * x)(np.ones(2))
    jvp(np.ones(2))[0][:] = 7.0
    assert_close(jvp(np.ones(2))[0], [1.0, 1.0])


def test_products_of_several_arguments():
    vjp, _ = make_vjp(lambda a, b: a * b, (0, 1))(X, V)
    assert isinstance(vjp(np.ones(3)), tuple)
    assert_close(vjp(np.ones(3))[0], V)
    assert_close(make_jvp(lambda a, b: a * b, (1, 0))(X, V)((X, V))[1], X * X + V * V)


def test_structures():
    layer = Layer(A, {"b": [np.ones(2)], "pair": Point(1.0, (2.0,))})

    def f(p):
        return np.sum((p.weight @ X + p.bias["b"][0]) ** 2) * p.bias["pair"].x * p.bias["pair"].y[0]

    g = grad(f)(layer)
    assert type(g) is Layer
    assert type(g.bias["pair"]) is Point
    assert_close(g.weight, 4 * np.outer(A @ X + 1, X))
    assert g.bias["pair"].y[0] == pytest.approx(np.sum((A @ X + 1) ** 2))
    assert layer.bias["b"][0].tolist() == [1, 1]
    assert_close(grad(lambda p: np.sum(p.weight**2))(Frozen(X)).weight, 2 * X)
    ordered = OrderedDict(b=1.0, a=2.0)
    assert list(grad(lambda p: p["a"] * p["b"])(ordered).items()) == [("b", 2.0), ("a", 1.0)]
    value, tangent = make_jvp(lambda p: {"y": p.weight @ X, "n": (p.weight, 3.0)})(Layer(A, 1.0))(Layer(A, 0.0))
    assert_close(tangent["y"], A @ X)
    assert_close(tangent["n"][0], A)
    assert tangent["n"][1] == 0.0
    assert value["n"][1] == 3.0
    vjp, _ = make_vjp(lambda p: {"y": p.weight @ X, "z": p.weight * 2})(Layer(A, 1.0))
    assert_close(vjp({"y": np.ones(2), "z": A}).weight, np.outer(np.ones(2), X) + 2 * A)


def test_one_output_twice():
    def f(x):
        y = x * x
        return y, y

    vjp, _ = make_vjp(f)(X)
    assert_close(vjp((V, X)), 2 * X * (V + X))
    assert_close(make_jvp(f)(X)(V)[1][1], 2 * X * V)


def test_elementwise_grad_and_deriv():
    assert_close(elementwise_grad(np.tanh)(X), 1 - np.tanh(X) ** 2)
    g = np.tanh
    for _ in range(4):
        g = elementwise_grad(g)
    t = np.tanh(X)
    assert_close(g(X), 8 * t * (1 - t**2) * (2 - 3 * t**2), rtol=1e-12)
    assert elementwise_grad(lambda a, b: a * b, 1)(X, V).tolist() == X.tolist()
    d = np.sin
    for _ in range(5):
        d = deriv(d)
    assert d(0.3) == pytest.approx(np.cos(0.3), rel=1e-14)
    assert type(d(0.3)) is float
    assert type(deriv(lambda x: deriv(lambda y: y**x)(x + 1))(1.3)) is float
    assert_close(deriv(lambda a, t: np.array([1.0, 2.0]) * a * t**3, 1)(2.0, 3.0), [54, 108])


def test_holomorphic_grad():
    assert holomorphic_grad(np.exp)(0.3 + 0.4j) == pytest.approx(np.exp(0.3 + 0.4j))
    assert holomorphic_grad(lambda z: (z**3) * 1j)(1 + 2j) == pytest.approx(3j * (1 + 2j) ** 2)
    with pytest.warns(UserWarning, match=r"not complex: write x \+ 0j") as caught:
        holomorphic_grad(np.exp)(0.3)
    assert caught[0].filename == __file__


def test_grad_and_aux():
    g, aux = grad_and_aux(lambda x: (np.sum(x**2), {"x": x, "note": "text"}))(X)
    assert_close(g, 2 * X)
    assert aux["note"] == "text"
    assert type(aux["x"]) is np.ndarray
    assert grad_and_aux(lambda x: Point(np.sum(x), x))(X)[0].tolist() == [1, 1, 1]
    second = grad(lambda x: np.sum(grad_and_aux(lambda z: (np.sum(z**3), z))(x)[0]))(X)
    assert_close(second, 6 * X)


def test_grad_named_and_multigrad_dict():
    def f(x, y=2.0, *rest, scale=1.0):
        return x * y * scale + sum(rest)

    assert grad_named(f, "y")(3.0) == 3.0
    assert grad_named(f, "y")(3.0, 5.0, scale=2.0) == 6.0
    assert grad_named(f, "scale")(3.0, y=4.0) == 12.0
    assert grad_named(np.exp, "x")(0.0) == 1.0
    assert multigrad_dict(f)(3.0, 5.0, 7.0) == {"x": 5.0, "y": 3.0, "rest": (1.0,), "scale": 15.0}
    assert multigrad_dict(lambda x, w: np.sum(x * w))(X, V)["x"].tolist() == V.tolist()


def test_gauss_newton():
    def f(x):
        return np.tanh(A @ x)

    j = jacobian(f)(X)
    assert_close(make_ggnvp(f)(X)(V), j.T @ j @ V, rtol=1e-12)
    h = hessian(lambda y: np.sum(np.exp(y)))(f(X))
    assert_close(make_ggnvp(f, lambda y: np.sum(np.exp(y)))(X)(V), j.T @ h @ j @ V, rtol=1e-12)
    assert_close(make_ggnvp(lambda c, x: c * f(x), f_argnum=1)(2.0, X)(V), 4 * j.T @ j @ V, rtol=1e-12)


NESTED = [
    ("forward in forward", lambda x: make_jvp(lambda y: x * make_jvp(lambda z: x * z)(y)(1.0)[1] * y)(x)(1.0)[1], 4.0),
    ("forward in reverse", lambda x: x * make_jvp(lambda y: x * y)(1.0)(1.0)[1], 4.0),
    ("reverse in forward", lambda x: x * grad(lambda y: x + y)(1.0), 1.0),
    ("tangent of the outer", lambda x: make_jvp(lambda y: y * y)(3.0)(x)[1], 6.0),
    ("deriv in deriv", lambda x: x * deriv(lambda y: x * deriv(lambda z: x * y * z)(1.0))(1.0), 12.0),
]


@pytest.mark.parametrize("transform", [grad, deriv], ids=["reverse", "forward"])
@pytest.mark.parametrize(("f", "wanted"), [row[1:] for row in NESTED], ids=[row[0] for row in NESTED])
def test_perturbations_are_not_confused(f, wanted, transform):
    h = 1e-5
    numeric = (f(2 + h) - f(2 - h)) / (2 * h)
    assert transform(f)(2.0) == pytest.approx(float(numeric), rel=1e-8)
    assert transform(f)(2.0) == pytest.approx(wanted, rel=1e-13)


def test_results_are_values_where_values_come_in():
    w = Value(2.0)
    value, tangent = make_jvp(lambda x: w * x)(3.0)(1.0)
    assert type(value) is type(tangent) is Value
    tangent.backward()
    assert w.grad == 1.0
    v = Value(V)
    _, tangent = make_jvp(lambda x: x**2)(X)(v)
    np.sum(tangent).backward()
    assert_close(v.grad, 2 * X)
    with no_grad():
        assert type(make_jvp(lambda x: w * x)(3.0)(1.0)[1]) is float


def test_float32_stays():
    x = X.astype(np.float32)
    assert jacobian(vector)(x).dtype == hessian(scalar)(x).dtype == np.float32
    assert make_jvp(np.sin)(x)(V)[1].dtype == make_vjp(np.sin)(x)[0](V).dtype == np.float32
    assert type(deriv(np.sin)(np.float32(1))) is np.float32


def test_no_change_of_what_came_in():
    x = X.copy()
    _, tangent = make_jvp(lambda z: z)(x)(x)
    tangent += 1
    assert x.tolist() == X.tolist()


def test_a_primitive_with_both_rules():
    @primitive
    def f(x, y):
        return x**2 * y

    defvjp(f, lambda ans, x, y: lambda g: g * 2 * x * y, lambda ans, x, y: lambda g: g * x**2)
    defjvp(f, lambda g, ans, x, y: g * 2 * x * y, "same")
    assert make_jvp(f, (0, 1))(3.0, 2.0)((1.0, 10.0))[1] == 12 + 90
    assert grad(f, (0, 1))(3.0, 2.0) == (12, 9)
    assert deriv(deriv(f))(3.0, 2.0) == 4.0
    assert grad(deriv(f))(3.0, 2.0) == deriv(grad(f))(3.0, 2.0) == 4.0


def test_a_primitive_without_a_jvp_and_one_without_a_vjp():
    @primitive
    def one_way(x):
        return x * 2.0

    defvjp(one_way, lambda ans, x: lambda g: 2 * g)
    with pytest.raises(TypeError, match=r"one_way has no jvp with respect to argument 0: forward mode needs one.*defj"):
        deriv(one_way)(1.0)

    @primitive
    def other_way(x, y):
        return x * 2.0 * y

    defjvp(other_way, lambda g, ans, x, y: 2 * g * y, argnums=0)
    assert deriv(other_way)(3.0, 1.0) == 2.0
    with pytest.raises(TypeError, match=r"other_way has no vjp with respect to argument 0: reverse mode.*defvjp"):
        grad(other_way)(3.0, 1.0)
    with pytest.raises(TypeError, match=r"other_way has no derivative rule with respect to argument 1"):
        grad(other_way, 1)(3.0, 1.0)


ERRORS = [
    ("argnum", lambda: jacobian(vector, 1)(X), TypeError, r"argnum: there is no argument 1: vector was called with 1"),
    ("no function", lambda: jacobian(3.0), TypeError, r"f: expected a function, got 3\.0"),
    ("argnum of text", lambda: make_jvp(vector, "x"), TypeError, r"argnum: expected an integer or a tuple.*'x'"),
    ("a float argnum", lambda: hessian(vector, 1.0), TypeError, r"argnum: expected an integer"),
    ("integer", lambda: grad(lambda x: x**2)(3), TypeError, r"argument 0: expected floats, got int 3.*write 3\.0"),
    ("a bool", lambda: grad(lambda x: x * 2)(True), TypeError, r"expected floats, got bool True"),
    ("integers", lambda: jacobian(vector)(np.arange(3)), TypeError,
     r"argument 0: expected floats, got an array of dtype int64.*x\.astype\(float\)"),
    ("integers inside", lambda: grad(lambda p: p["w"])({"w": 1.0, "n": 3}), TypeError, r"expected floats, got int 3"),
    ("text", lambda: deriv(np.sin)("1"), TypeError, r"argument 0: cannot differentiate with respect to str '1'"),
    ("None", lambda: grad(lambda p: p[0])([1.0, None]), TypeError, r"with respect to NoneType None"),
    ("objects", lambda: grad(np.sum)(np.array([None])), TypeError, r"argument 0: cannot differentiate"),
    ("a vector", lambda: grad(vector)(X), TypeError, r"vector returned shape \(2,\).*see jacobian"),
    ("a container", lambda: grad(lambda x: (x, x))(1.0), TypeError, r"returned tuple"),
    ("text out", lambda: grad(lambda x: "text")(1.0), TypeError, r"returned str 'text'"),
    ("complex", lambda: grad(lambda x: x * 1j)(1.0), TypeError, r"see holomorphic_grad"),
    ("complex rows", lambda: jacobian(lambda x: x * 1j)(X), TypeError, r"take np\.real\(\.\.\.\) and np\.imag"),
    ("complex elements", lambda: elementwise_grad(lambda x: x * 1j)(X), TypeError, r"see holomorphic_grad"),
    ("gradient of another shape", lambda: make_vjp(vector)(X)[0](np.ones(3)), ValueError,
     r"gradient: expected the shape \(2,\).*got \(3,\)"),
    ("gradient in another structure", lambda: make_vjp(lambda x: {"a": x})(X)[0](X), TypeError,
     r"structures differ: expected dict with a, got ndarray"),
    ("tangent of another shape", lambda: make_jvp(vector)(X)(np.ones(2)), ValueError,
     r"tangent: expected the shape \(3,\).*got \(2,\)"),
    ("tangent in another structure", lambda: make_jvp(lambda p: p["a"])({"a": X})({"b": X}), TypeError,
     r"structures differ: expected dict with a, got dict with b"),
    ("tangent that is no number", lambda: make_jvp(np.sin)(1.0)("1"), TypeError, r"tangent: expected numbers, got str"),
    ("tangents of one argument of two", lambda: make_jvp(lambda a, b: a * b, (0, 1))(1.0, 2.0)(1.0), TypeError,
     r"tangent: expected a tuple of 2.*got 1\.0"),
    ("no tangent", lambda: make_jvp(np.sin)(X)(None), TypeError, r"tangent: expected numbers, got NoneType None"),
    ("no Jacobian of nothing", lambda: jacobian(lambda x: None)(X), TypeError,
     r"jacobian needs .* numbers or arrays: <lambda> returned NoneType None"),
    ("no derivative of text", lambda: deriv(lambda x: [x, "a"])(X), TypeError, r"deriv needs .* returned str 'a'"),
    ("no derivatives of nothing", lambda: elementwise_grad(lambda x: None)(X), TypeError, r"elementwise_grad needs"),
    ("no tensor", lambda: tensor_jacobian_product(vector)(X), TypeError, r"and, last, a tensor, got 1 positional"),
    ("no vector", lambda: hessian_vector_product(scalar)(X), TypeError, r"and, last, a tensor, got 1 positional"),
    ("tensor of another shape", lambda: tensor_jacobian_product(vector)(X, V), ValueError,
     r"tensor: expected the leading axes of what vector returned, shape \(2,\), got the shape \(3,\)"),
    ("tensor for a dict", lambda: tensor_jacobian_product(lambda x: {"a": x})(X, V), ValueError, r"dict \{.a"),
    ("complex tangent", lambda: make_jvp(np.sin)(1.0)(1j), TypeError, r"tangent: expected real numbers"),
    ("no auxiliary", lambda: grad_and_aux(lambda x: x)(1.0), TypeError, r"returns \(scalar, auxiliary\)"),
    ("no such name", lambda: grad_named(lambda x, y: x, "z"), TypeError,
     "argname: <lambda> has no argument 'z'; it has x, y"),
    ("defjvp of text", lambda: defjvp(np.sin, "different"), TypeError, r"rule 0 is 'different', not a function"),
    ("defjvp of a plain function", lambda: defjvp(vector, lambda g, y, x: g), TypeError, r"not a primitive"),
]


@pytest.mark.parametrize(("call", "kind", "text"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_names_and_docs():
    assert jacobian(vector).__name__ == "jacobian_vector"
    assert make_vjp(vector).__doc__ == "Of three numbers two."


def test_an_independent_output_has_zero_derivatives():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert jacobian(lambda x: np.ones(2))(X).tolist() == [[0, 0, 0]] * 2
        assert make_jvp(lambda x: np.ones(2))(X)(V)[1].tolist() == [0, 0]
        assert deriv(lambda x: 3.0)(2.0) == 0.0
    with pytest.warns(UserWarning, match="does not depend"):
        assert value_and_grad(lambda x: 3.0)(2.0) == (3.0, 0.0)
