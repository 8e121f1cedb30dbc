"""The modules that give programs for HIPS autograd their names: what each takes, gives and refuses."""

import builtins as python
import subprocess
import sys
import warnings
from collections import namedtuple
from pathlib import Path

import numpy as onp
import pytest

import autograd
import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import Value, builtins, core, extend, grad, misc, numpy, test_util, tracer, util, wrap_util
from autograd.differential_operators import make_jvp_reversemode
from autograd.misc import fixed_points, flatten, optimizers
from autograd.numpy import numpy_vjps, numpy_wrapper

pytestmark = pytest.mark.usefixtures("temporary_rules")
Point = namedtuple("Point", "x y")
ROOT = Path(autograd.__file__).parents[1]


def run(program):
    return subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout.split()


# Names


@pytest.mark.parametrize("program", [
    "import autograd.numpy as np; from autograd.numpy.linalg import inv; import autograd.numpy.random as npr",
    "from autograd.numpy import *; assert exp(0.0) == 1 and pi > 3 and random.rand(2).shape == (2,)",
    "from autograd import numpy as np; np.linalg.norm, np.fft.fft, np.random.randn, np.ndarray, np.float32, np.newaxis",
    "from autograd import grad, dict, list, tuple, isinstance, type",
    "from autograd.extend import primitive, defvjp, defjvp, def_linear, vspace, VSpace, Box, register_notrace, VJPNode",
    "from autograd.core import make_vjp, vspace; from autograd.tracer import getval, isbox, primitive, trace, Node",
    "from autograd.misc import flatten; from autograd.misc.flatten import flatten, flatten_func",
    "from autograd.misc.optimizers import adam, sgd, rmsprop; from autograd.misc.fixed_points import fixed_point",
    "from autograd.numpy.numpy_vjps import unbroadcast_f, unbroadcast, repeat_to_match_shape",
    "from autograd.util import subvals, subval, func, toposort; from autograd.wrap_util import unary_to_nary, wraps",
    "from autograd.differential_operators import vector_jacobian_product, make_hvp, hessian_tensor_product",
])
def test_programs_find_their_names(program):
    exec(program, {"__builtins__": vars(python)})


def test_names_of_hips_are_loaded_when_asked_for():
    loaded = run("import sys, autograd; print(*(m for m in sys.modules if m.startswith('autograd.')))")
    assert not {f"autograd.{name}" for name in ("numpy", "builtins", "core", "extend", "misc", "tracer")} & set(loaded)
    run("import autograd; autograd.numpy.numpy_boxes.ArrayBox; autograd.isinstance([], autograd.list)")
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'gradd'"):
        autograd.gradd  # noqa: B018


def test_all_of_numpy_is_there_as_it_is():
    for name in onp.__all__:
        assert name in dir(np)
        if name not in numpy.creation.__all__ and name not in ("linalg", "fft", "random"):
            assert getattr(np, name) is getattr(onp, name)
    assert np.linalg.inv is onp.linalg.inv and np.fft.fft is onp.fft.fft and npr.randn is onp.random.randn
    with pytest.raises(AttributeError, match="no attribute 'sinn'"):
        np.sinn  # noqa: B018


# autograd.numpy


@pytest.mark.parametrize("make", [
    lambda x, y: np.array([x, y]),
    lambda x, y: np.array((x, [y][0])),
    lambda x, y: np.asarray([x, y]),
    lambda x, y: np.asanyarray([x, y]),
    lambda x, y: np.asarray_chkfinite([x, y]),
    lambda x, y: np.ascontiguousarray([x, y]),
    lambda x, y: np.asfortranarray([x, y]),
    lambda x, y: np.array_from_args((), {}, x, y),
    lambda x, y: np.append(np.array([x]), y),
    lambda x, y: np.append([x], [y], axis=0),
    lambda x, y: np.r_[x, y],
    lambda x, y: np.r_[np.array([x]), y],
    lambda x, y: np.c_[np.array([x]), np.array([y])][0],
    lambda x, y: np.array([[x], [y]])[:, 0],
    lambda x, y: np.array(np.array([x, y])),
    lambda x, y: np.diag(np.make_diagonal(np.array([x, y])).data) * 0 + np.array([x, y]),
    lambda x, y: np.make_diagonal(np.array([x, y]))[[0, 1], [0, 1]],
])
def test_arrays_are_made_of_values(make):
    x, y = 2.0, 3.0
    value = make(Value(x), Value(y))
    assert isinstance(value, Value)
    onp.testing.assert_array_equal(value.data, [x, y])
    assert grad(lambda x, y: np.sum(make(x, y) * np.array([10.0, 1.0])), (0, 1))(x, y) == (10.0, 1.0)
    test_util.check_grads(lambda x, y: make(x, y) ** 2, (0, 1))(x, y)


@pytest.mark.parametrize("make", [np.array, np.asarray, np.asanyarray])
@pytest.mark.parametrize("data", [3, 2.5, [1, 2], ((1.0, 2.0), (3.0, 4.0)), onp.ones((2, 3), "f4"), [], "text"])
def test_arrays_of_anything_else_are_numpys(make, data):
    ours, theirs = make(data), getattr(onp, make.__name__)(data)
    onp.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_options_of_array():
    v = Value([1.0, 2.0])
    assert np.array(v, ndmin=3).shape == (1, 1, 2)
    assert np.array([v, v], dtype=np.float32).dtype == onp.float32
    assert np.array(v, dtype=int).tolist() == [1, 2] and not isinstance(np.array(v, dtype=int), Value)
    assert np.array([1, 2], ndmin=2).shape == (1, 2)
    assert np.array([1.0, 2.0], "f4").dtype == onp.float32
    assert np.asarray(v) is v
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.array([v, Value(1.0)])


def test_full():
    assert grad(lambda x: np.sum(np.full((2, 3), x)))(1.5) == 6.0
    assert grad(lambda x: np.sum(np.full_like(onp.ones((2, 2)), x)))(1.5) == 4.0
    assert np.full_like(onp.ones(2, "f4"), Value(1.0)).dtype == onp.float32
    assert np.full_like(Value([1.0, 2.0]), 3.0).tolist() == [3.0, 3.0]
    assert np.full(2, 7).dtype == onp.full(2, 7).dtype
    onp.testing.assert_array_equal(grad(lambda x: np.sum(np.full((2, 3), x) * 2))(onp.ones(3)), [4.0] * 3)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "std", "var", "max", "amax", "min", "amin"])
def test_reductions_take_lists_of_values(name):
    f, x = getattr(np, name), onp.array([1.0, 4.0])
    expected = grad(lambda x: f(np.stack([x, 3 * x]) ** 2))(2.0)
    assert grad(lambda x: f([x**2, 9 * x**2]))(2.0) == pytest.approx(expected)
    assert f(Value(x)).data == getattr(onp, name)(x) == f(x)


def test_what_joiners_refuse():
    with pytest.raises(TypeError, match=r"np\.r_\['0,2', \.\.\.\] of Values: write np\.concatenate or np\.stack"):
        np.r_["0,2", Value([1.0])]
    assert np.r_[1:3, 5].tolist() == [1, 2, 5] and np.c_[[1, 2], [3, 4]].tolist() == [[1, 3], [2, 4]]
    assert np.r_[Value(1.0), 1:3].data.tolist() == [1.0, 1.0, 2.0]
    with pytest.raises(TypeError, match="make_diagonal is for offset=0"):
        np.make_diagonal(onp.ones(2), offset=1)


def test_rules_may_undo_broadcasting_themselves():
    @extend.primitive
    def product(x, y):
        return x * y

    extend.defvjp(product,
                  lambda ans, x, y: numpy_vjps.unbroadcast_f(x, lambda g: y * g),
                  lambda ans, x, y: lambda g: numpy_vjps.unbroadcast(x * g, numpy_wrapper.metadata(y)))
    test_util.check_grads(product, (0, 1), modes=["rev"])(npr.RandomState(0).randn(3, 1), onp.ones((2, 3, 4)))
    repeated, count = numpy_vjps.repeat_to_match_shape(2.0, (2, 3), float, None, False)
    assert repeated.tolist() == [[2.0] * 3] * 2 and count == 6


def test_wrapping_a_namespace():
    wrapped = {}
    numpy_wrapper.wrap_namespace({"f": str.upper, "g": str.upper, "x": 1, "exp": onp.exp, "T": float, "s": ""}, wrapped)
    assert set(wrapped) == {"f", "g", "x", "exp", "T"} and wrapped["f"] is wrapped["g"] and wrapped["exp"] is onp.exp


# autograd.builtins and autograd.tracer


def test_builtins_look_at_the_data():
    v = Value([1.0])
    assert builtins.isinstance(v, onp.ndarray) and not builtins.isinstance(v, (float, list))
    assert builtins.isinstance([v], list) and builtins.isinstance({"a": v}, builtins.dict)
    assert builtins.type(v) is onp.ndarray and builtins.type(Value(2.0)) is float and builtins.type("a") is str


def test_tracer_tells_boxes():
    v = Value(2.0)
    assert tracer.isbox(v) and not tracer.isbox(2.0)
    assert v._value == tracer.getval(v) == tracer.getval(2.0) == 2.0
    assert tracer.getval({"a": (v, 3.0)}) == {"a": (2.0, 3.0)}
    assert isinstance(v, numpy.numpy_boxes.ArrayBox) and tracer.Box is Value


def test_constant_primitives():
    @extend.notrace_primitive
    def count(x, above=0.0):
        return float(onp.sum(x > above))

    assert count(Value([1.0, -1.0]), above=Value(0.0)) == 1.0
    assert grad(lambda x: x * count(x))(3.0) == 1.0

    @extend.primitive
    def rounded(x):
        return onp.round(x) * 1.0

    extend.register_notrace(extend.VJPNode, rounded)
    assert grad(lambda x: x * rounded(x))(2.6) == 3.0


class Names(tracer.Node):
    calls: list = []  # noqa: RUF012

    def initialize_root(self, *args):
        self.root = args

    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        assert all(isinstance(parent, Names) for parent in parents)
        assert not any(map(tracer.isbox, (value, *args)))
        Names.calls.append((fun.__name__, parent_argnums, kwargs))


def test_tracing():
    Names.calls.clear()
    root = Names.new_root("x")
    assert root.root == ("x",)
    value, node = tracer.trace(root, lambda x: np.sum(2 * np.sin(x), axis=0), onp.ones(2))
    assert value == onp.sum(2 * onp.sin(onp.ones(2))) and isinstance(node, Names)
    assert Names.calls == [("sin", (0,), {}), ("multiply", (1,), {}), ("sum", (0,), {"axis": 0})]
    assert tracer.trace(root, lambda x: x, 3.0) == (3.0, root)
    with pytest.warns(UserWarning, match="independent of input"):
        assert tracer.trace(root, lambda x: 1.0, 3.0) == (1.0, None)
    with pytest.raises(NotImplementedError, match="Node must define initialize_root"):
        tracer.Node.new_root()
    with pytest.raises(NotImplementedError, match="Half must define __init__"):
        type("Half", (tracer.Node,), {"initialize_root": lambda self: None})(1.0, None, (), {}, (), ())


def test_traces_nest():
    Names.calls.clear()
    value, _ = tracer.trace(Names.new_root(), grad(lambda x: x**3), 2.0)
    assert value == 12.0 and ("power", (0,), {}) in Names.calls


# autograd.extend and autograd.core


def test_rules_for_any_argument():
    def total(*xs):
        return sum(i * x for i, x in enumerate(xs, 1))

    one, many = extend.primitive(total), extend.primitive(total)
    extend.defvjp_argnum(one, lambda argnum, ans, args, kwargs: lambda g: (argnum + 1) * g)
    extend.defjvp_argnum(one, lambda argnum, g, ans, args, kwargs: (argnum + 1) * g)
    extend.defvjp_argnums(many, lambda argnums, ans, args, kwargs: lambda g: tuple((i + 1) * g for i in argnums))
    extend.defjvp_argnums(many, lambda argnums, gs, ans, args, kwargs: sum(
        (i + 1) * g for i, g in zip(argnums, gs, strict=True)))
    for f in (one, many):
        assert grad(f, (0, 2))(1.0, 2.0, 3.0) == (1.0, 3.0)
        test_util.check_grads(f, (0, 1, 2))(1.0, 2.0, 3.0)
    linear = extend.primitive(total)
    extend.def_linear(linear)
    assert core.make_jvp(lambda x: linear(1.0, x), 2.0)(1.0) == (5.0, linear(1.0, 1.0))


def test_none_in_a_rule_means_zero():
    @extend.primitive
    def scaled(x, times, shift):
        return x * round(times) + shift

    extend.defvjp(scaled, lambda ans, x, times, shift: lambda g: g * round(times), None, argnums=[0, 1])
    extend.defjvp(scaled, lambda g, ans, x, times, shift: g * round(times), None)
    assert grad(scaled, (0, 1))(2.0, 3.0, 1.0) == (3.0, 0.0)
    assert core.make_jvp(lambda times: scaled(2.0, times, 1.0), 3.0)(1.0) == (7.0, 0.0)
    with pytest.raises(TypeError, match="no derivative rule with respect to argument 2"):
        grad(scaled, 2)(2.0, 3.0, 1.0)


def test_rules_and_their_argnums():
    @extend.primitive
    def f(x, y):
        return x * y

    extend.defvjp(f, lambda ans, x, y: lambda g: g * x, argnums=iter([1]))
    assert grad(f, 1)(2.0, 3.0) == 2.0
    extend.defvjp(f, lambda ans, x, y: lambda g: g * y, argnums=0)
    assert grad(f)(2.0, 3.0) == 3.0
    with pytest.raises(TypeError, match="rule 0 is 3, not a function"):
        extend.defvjp(f, 3)
    with pytest.raises(TypeError, match="it is not a primitive"):
        extend.defvjp(lambda x: x, lambda ans, x: lambda g: g)


def test_primitives_take_containers():
    @extend.primitive
    def cost(params, scale):
        assert type(params) is dict and type(params["layers"][0]) is Point
        return scale * sum(onp.sum(layer.x * layer.y) for layer in params["layers"]) + params["b"] ** 2

    extend.defvjp(
        cost,
        lambda ans, params, scale: lambda g: {
            "b": 2 * g * params["b"],
            "layers": [Point(g * scale * layer.y, g * scale * layer.x) for layer in params["layers"]]},
        lambda ans, params, scale: lambda g: g * (ans - params["b"] ** 2) / scale)
    extend.defjvp(
        cost,
        lambda g, ans, params, scale: 2 * g["b"] * params["b"] + scale * sum(
            np.sum(t.x * layer.y + t.y * layer.x) for t, layer in zip(g["layers"], params["layers"], strict=True)),
        lambda g, ans, params, scale: g * (ans - params["b"] ** 2) / scale)
    params = {"layers": [Point(onp.ones(2), onp.arange(2.0)), Point(2.0, 3.0)], "b": 4.0}
    test_util.check_grads(cost, (0, 1))(params, 0.5)
    test_util.check_grads(lambda b: cost({"layers": params["layers"], "b": b}, 0.5))(4.0)
    gradient = grad(cost)(params, 0.5)
    assert gradient["b"] == 8.0 and gradient["layers"][1] == Point(1.5, 1.0)
    extend.defvjp(cost, lambda ans, params, scale: lambda g: {"b": g, "layers": [None, Point(g, None)]})
    assert grad(cost)(params, 0.5)["layers"][1] == Point(1.0, 0.0)


def test_products_of_one_argument():
    vjp, y = core.make_vjp(lambda p: p["a"] * p["b"], {"a": 2.0, "b": onp.array([1.0, 3.0])})
    assert y.tolist() == [2.0, 6.0]
    gradient = vjp(onp.array([1.0, 10.0]))
    assert gradient["a"] == 31.0 and gradient["b"].tolist() == [2.0, 20.0]
    y, tangent = core.make_jvp(lambda x: x**2, onp.array([1.0, 2.0]))(onp.array([1.0, 10.0]))
    assert tangent.tolist() == [2.0, 40.0]


def test_a_product_kept_is_of_the_numbers_then():
    x = onp.array([1.0, 2.0])
    vjp, _ = core.make_vjp(lambda x: np.sum(x**2), x)
    jvp = core.make_jvp(lambda x: np.sum(x**2), x)
    x += 100.0
    assert vjp(1.0).tolist() == [2.0, 4.0] and jvp(onp.ones(2)) == (5.0, 6.0)


def test_a_product_differentiated_with_respect_to_what_it_is_applied_to():
    vjp, _ = core.make_vjp(lambda x: np.sin(x) * x, 2.0)
    slope = grad(vjp)(1.0)
    assert type(slope) is float and slope == pytest.approx(vjp(1.0))
    jvp = autograd.make_jvp(lambda x: np.sin(x) * x)(2.0)
    assert grad(lambda t: jvp(t)[1] ** 2)(3.0) == pytest.approx(6 * slope**2)


def test_jvps_by_reverse_mode():
    @extend.primitive
    def cube(x):
        return x**3

    extend.defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2)
    x, v = onp.array([1.0, 2.0]), onp.array([1.0, 10.0])
    assert make_jvp_reversemode(cube)(x)(v).tolist() == [3.0, 120.0]
    pushed = make_jvp_reversemode(lambda p, q: [p["a"] * q, q], (0, 1))({"a": 2.0}, 3.0)
    assert pushed(({"a": 1.0}, 10.0)) == [23.0, 10.0]


@pytest.mark.parametrize("value, size", [
    (1.5, 1), (onp.ones((2, 3)), 6), (onp.ones(2, "f4"), 2), (1j, 2), (onp.ones((2, 1)) * 1j, 4),
    ([1.0, onp.zeros((2, 1))], 3), ({"x": [0.0, onp.zeros(3)], "y": (Point(1j, 1.0),)}, 7), ([], 0),
])
def test_vector_spaces(value, size):
    space = extend.vspace(value)
    x, y = space.randn(), space.randn()
    basis = list(space.standard_basis())
    assert space.size == size == len(basis)
    assert space == extend.vspace(x) == extend.vspace(space.zeros()) == extend.vspace(space.add(x, y))
    zero = space.add(x, space.scalar_mul(x, -1.0))
    assert space.inner_prod(zero, zero) == 0 == space.inner_prod(space.zeros(), y)
    assert space.inner_prod(x, y) == pytest.approx(space.inner_prod(y, x))
    parts = [space.inner_prod(e, x) for e in basis]
    assert sum(parts) == pytest.approx(space.inner_prod(space.ones(), x))
    assert space.inner_prod(x, x) == pytest.approx(sum(part**2 for part in parts))
    assert space.mut_add(None, x) is x and space == extend.vspace(space.mut_add(x, y))
    assert space.inner_prod(space.covector(space.covector(x)), y) == pytest.approx(space.inner_prod(x, y))
    if size and space.dtype != onp.float32:  # too coarse for differences
        test_util.check_grads(space.inner_prod, (0, 1))(x, y)
        test_util.check_grads(space.scalar_mul, (0, 1))(x, 2.0)


def test_what_vector_spaces_say():
    space = extend.vspace(Value([1.0, 2.0]))
    assert (space.shape, space.ndim, space.dtype, space.iscomplex) == ((2,), 1, onp.dtype(float), False)
    assert extend.vspace([1.0, 1j]).shape[0].shape == () and extend.vspace([1.0, 1j]).iscomplex
    assert extend.vspace([1.0]) != extend.vspace((1.0,)) and extend.vspace(1.0) != extend.vspace(onp.ones(1))
    assert repr(space) == "VSpace(((2,), dtype('float64')))"
    with pytest.raises(TypeError, match="no vector space of int 3: expected floats"):
        extend.vspace({"a": 3})

    class Half(extend.VSpace):
        def __init__(self, value):
            super().__init__(value.x)

    Half.register(Point)
    try:
        assert isinstance(extend.vspace(Point(1.0, 2.0)), Half)
    finally:
        del extend.VSpace.mappings[Point]


# autograd.test_util


def test_checks_pass_what_is_right_and_say_what_is_wrong():
    test_util.check_grads(lambda x, y: np.sin(x) * y, (0, 1), order=3)(onp.ones(2), 2.0)
    test_util.combo_check(lambda x, p: x**p, (0,), modes=["rev"])([1.0, onp.ones(2)], p=[2, 3])
    test_util.check_equivalent({"a": 1.0}, {"a": 1.0})
    wrong = extend.primitive(lambda x: x * 2.0)
    extend.defvjp(wrong, lambda ans, x: lambda g: g * 2.001)
    extend.defjvp(wrong, lambda g, ans, x: g * 2.001)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of <lambda> failed with arg 1.0:\nanalytic"):
        test_util.check_grads(wrong, modes=["rev"])(1.0)
    with pytest.raises(AssertionError, match=r"\(JVP\) check of <lambda> failed with arg 1.0:\nValue mismatch"):
        test_util.check_grads(wrong, modes=["fwd"])(1.0)
    with pytest.raises(AssertionError, match="check of <lambda> failed"):
        test_util.combo_check(lambda f, x: f(x), 1)([wrong], [1.0])
    with pytest.raises(AssertionError, match="VSpace mismatch"):
        test_util.check_equivalent([1.0], (1.0,))
    with pytest.raises(AssertionError, match="Value mismatch"):
        test_util.check_equivalent([1.0], [2.0])
    with pytest.raises(ValueError, match="modes: expected 'fwd' and 'rev', got 'back'"):
        test_util.check_grads(np.sin, modes=["back"])(1.0)


def test_second_order_is_checked():
    outer, inner = extend.primitive(lambda x: x * 2.0), extend.primitive(lambda x: x * 1.0)
    extend.defvjp(outer, lambda ans, x: lambda g: inner(g) * 2)
    extend.defvjp(inner, lambda ans, x: lambda g: g * 1.001)
    test_util.check_grads(outer, modes=["rev"], order=1)(1.0)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of vjp_<lambda> failed"):
        test_util.check_grads(outer, modes=["rev"])(1.0)


# autograd.misc


def test_flatten_goes_by_sorted_keys_and_back():
    tree = {"b": (onp.ones((2, 2)), [3.0, {}]), "a": Point(4.0, onp.array([5.0])), "c": ()}
    vector, unflatten = misc.flatten(tree)
    assert vector.tolist() == [4.0, 5.0, 1.0, 1.0, 1.0, 1.0, 3.0]
    back = unflatten(2 * vector)
    assert list(back) == ["b", "a", "c"] and back["a"] == Point(8.0, onp.array([10.0])) and back["c"] == ()
    assert back["b"][0].shape == (2, 2) and back["b"][1] == [6.0, {}]
    assert misc.flatten([])[0].shape == (0,) and misc.flatten(2 + 1j)[0].tolist() == [2 + 1j]
    with pytest.raises(ValueError, match=r"expected a vector of 7 numbers, got the shape \(6,\)"):
        unflatten(vector[:6])


def test_flatten_is_differentiable_both_ways():
    test_util.check_grads(lambda x, y: flatten([x, {"y": y}])[0] ** 2, (0, 1))(1.0, onp.ones((2, 1)))
    _, unflatten = flatten([1.0, onp.ones((2, 1))])
    test_util.check_grads(lambda v: [part**2 for part in unflatten(v)])(onp.arange(3.0))


@pytest.mark.parametrize("optimize", [optimizers.sgd, optimizers.rmsprop, optimizers.adam])
def test_optimizers_go_downhill_and_call_back(optimize):
    seen = []
    x0 = {"a": onp.array([2.0, -1.0]), "b": [3.0]}

    def cost(x, i=0):
        return np.sum(x["a"] ** 2) + x["b"][0] ** 2

    x = optimize(grad(cost), x0, lambda x, i, g: seen.append((cost(x), i, g)), num_iters=50, step_size=0.05)
    assert [i for _, i, _ in seen] == list(range(50)) and seen[0][0] == cost(x0)
    assert seen[0][2]["a"].tolist() == [4.0, -2.0] and set(x) == set(x0)
    assert cost(x) < 0.5 * seen[0][0]
    assert x0["a"].tolist() == [2.0, -1.0]
    assert optimize(lambda x, i: 2 * x, onp.ones(1), num_iters=0).tolist() == [1.0]


def test_fixed_points_of_containers():
    def step(params):
        return lambda x: 0.5 * (x + params["a"] / x)

    def root(params):
        return fixed_points.fixed_point(step, params, onp.ones(2), lambda x, y: np.max(np.abs(x - y)), 1e-12)

    params = {"a": onp.array([4.0, 9.0])}
    onp.testing.assert_allclose(root(params), [2.0, 3.0])
    onp.testing.assert_allclose(autograd.jacobian(lambda a: root({"a": a}))(params["a"]), [[0.25, 0.0], [0.0, 1 / 6]])


def test_graphs_run_again():
    calls = []

    def f(x, y, scale):
        calls.append(x)
        return {"product": np.sum(x * y) * scale, "parts": [np.concatenate([x, y]), 7.0]}

    again = misc.const_graph(f, onp.array([1.0, 2.0]), scale=2.0)
    for y in (onp.array([1.0, 1.0]), onp.array([3.0, 4.0])):
        found = again(y)
        assert found["product"] == f(onp.array([1.0, 2.0]), y, 2.0)["product"]
        assert found["parts"][0].tolist() == [1.0, 2.0, *y] and found["parts"][1] == 7.0
    assert len(calls) == 3  # once for the graph, and twice above
    assert grad(lambda y: again(y)["product"])(onp.ones(2)).tolist() == [2.0, 4.0]


# Small helpers


def test_helpers():
    assert util.subvals((1, 2, 3), [(0, "a"), (2, "c")]) == ("a", 2, "c") and util.subval([1, 2], 1, 5) == (1, 5)
    assert util.func(len) is len
    assert list(util.toposort(3, lambda n: range(n))) == [3, 2, 1, 0]

    @wrap_util.unary_to_nary
    def slope(f, x, step=1e-6):
        """Of f."""
        return (f(x + step) - f(x - step)) / (2 * step)

    assert slope.__name__ == "slope" and slope.__doc__ == "Of f."
    assert slope(lambda a, b: a * b, 1, step=0.5)(3.0, 4.0) == 3.0
    assert slope(divmod).__name__ == "slope_of_divmod_wrt_argnum_0"
    assert wrap_util.unary_to_nary(lambda f, x: f(x))(lambda a, b, c: (a, c), (0, 2))("x", "y", "z") == ("x", "z")
    with pytest.raises(TypeError, match="argnum: expected an integer or a tuple"):
        slope(len, "x")


def test_no_warning_on_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in np.__all__:
            if name not in ("row_stack", "trapz", "in1d"):  # which NumPy itself has deprecated
                getattr(np, name)
