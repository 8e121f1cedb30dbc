"""``jit`` of pure functions: arguments, constants, signatures, gradients, nesting, threads."""

import copy
import functools
import pickle
import threading
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, elementwise_grad, grad, hessian, jacobian, jit, make_jvp, make_vjp, value_and_grad
from autograd.compiling.tracer import TracingError
from tests.autograd.compiling.same import EVERY_BACKEND, assert_same

x3 = np.array([0.5, -1.0, 2.0])
Point = namedtuple("Point", "x y")


def traces(f: Any) -> int:
    return f._traces


# Values and gradients

FUNCTIONS = {
    "value": (lambda x: np.sum(np.sin(x) ** 2), (x3,)),
    "grad": (grad(lambda x: np.sum(np.sin(x) ** 2)), (x3,)),
    "value_and_grad": (value_and_grad(lambda x: np.sum(np.sin(x) ** 2)), (x3,)),
    "grad of two": (grad(lambda x, y: np.sum(x * np.exp(y)), (0, 1)), (x3, 0.5)),
    "grad of a dict": (grad(lambda p: np.sum(p["w"] * p["b"][0])), ({"w": x3, "b": [2.0]},)),
    "elementwise_grad": (elementwise_grad(np.tanh), (x3,)),
    "jacobian": (jacobian(lambda x: x * np.sum(x * x)), (x3,)),
    "hessian": (hessian(lambda x: np.sum(x**3) * x[0]), (x3,)),
    "third derivative": (grad(grad(grad(lambda x: x**4 + np.sin(x)))), (0.7,)),
    "vjp": (lambda x, g: make_vjp(np.sin)(x)[0](g), (x3, x3)),
    "jvp": (lambda x, t: make_jvp(np.sin)(x)(t), (x3, x3)),
    "Hessian times a vector": (lambda x, v: grad(lambda z: np.sum(grad(lambda y: np.sum(y**3))(z) * v))(x), (x3, x3)),
    "a Python float": (lambda x: (x * 2 + 1) / 3 - x**2, (1.5,)),
    "float32": (grad(lambda x: np.sum(np.exp(x) / (1 + x * x))), (x3.astype(np.float32),)),
    "complex": (lambda z: np.abs(z) ** 2 + np.real(np.exp(1j * z)), (x3 + 1j,)),
    "integers": (lambda n: n * 3 // 2 % 4, (np.arange(5),)),
    "booleans": (lambda a: (a > 0) & ~(a > 1), (x3,)),
    "a mixture of dtypes": (lambda a, b: a * b + 1, (x3.astype(np.float32), np.arange(3))),
    "a float of float32 arrays": (lambda w, a: grad(np.sqrt)(w) * a, (2.0, x3.astype(np.float32))),
    "no arguments": (lambda: np.ones(2) * 3, ()),
    "constants": (lambda x: (x * 1, 3, "text", None, True, np.zeros(2), [1, {"a": 2.0}]), (x3,)),
}


@EVERY_BACKEND
def test_values_and_gradients(backend):
    """In one program, because each takes a while to compile."""
    def everything(*arguments: Any) -> list:
        return [f(*a) for (f, _), a in zip(FUNCTIONS.values(), arguments, strict=True)]

    arguments = [a for _, a in FUNCTIONS.values()]
    f, wanted = jit(everything, backend=backend), everything(*arguments)
    for _ in range(3):
        assert_same(f(*arguments), wanted, 64 if backend == "numba" else 4)
    assert traces(f) == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_one_by_one(name):
    f, arguments = FUNCTIONS[name]
    jitted = jit(f, backend="numpy")
    for _ in range(3):
        assert_same(jitted(*arguments), f(*arguments), 4)


def test_a_python_float_stays_one():
    f = jit(lambda x, n: (x * 2, x > 1, x, n, -x, 1 / x), backend="numpy")
    for _ in range(2):
        results = f(1.5, 3)
        assert results == (3.0, True, 1.5, 3, -1.5, 1 / 1.5)
        assert [type(r) for r in results] == [float, bool, float, int, float, float]
    assert type(jit(grad(np.sqrt), backend="numpy")(2.0)) is float


def test_results_are_new_at_each_call():
    f = jit(lambda x: (x * 2, np.zeros(3), x[:2] + 0, np.split(x * 3, 3), np.squeeze(x[:1] * 5)), backend="numpy")
    first = f(x3)
    before = copy.deepcopy(first)
    f(x3 + 1)
    assert_same(first, before)
    first[1][:] = 7
    assert_same(f(x3), before)


def test_a_result_that_occurs_twice_is_one_object():
    f = jit(lambda x: (lambda y: (y, y, [y]))(x * 2), backend="numpy")
    a, b, [c] = f(x3)
    assert a is b is c


# Arguments

def test_structures_of_arguments():
    def f(a: Any, b: Any = 2.0, *rest: Any, c: Any = None, **others: Any) -> Any:
        total = a["x"] + sum(a["l"]) + a["p"].x * b
        total = total + sum(rest) + sum(others.values())
        return {"total": total, "point": Point(total, [c, a["t"][0][0] * 1])}

    a = {"x": x3, "l": [1.0, x3], "p": Point(2.0, 1.0), "t": ((x3,), ())}
    jitted = jit(f, backend="numpy")
    for _ in range(2):
        for args, kwargs in [((a,), {}), ((a, 3.0), {}), ((a, 3.0, 4.0, x3), {}), ((a,), {"c": 5.0}),
                             ((a,), {"c": 5.0, "d": x3}), ((a,), {"b": x3})]:
            got, wanted = jitted(*args, **kwargs), f(*args, **kwargs)
            assert_same(got, wanted)
            assert type(got["point"]) is Point
    assert traces(jitted) == 6


def test_floats_are_traced_and_the_rest_are_constants():
    def f(x: Any, n: Any, how: Any = "sum", option: Any = None) -> Any:
        y = x * n
        return np.sum(y) if how == "sum" else (y if option is None else -y)

    jitted = jit(f, backend="numpy")
    for x in (1.0, 2.0, -3.5, np.inf):
        assert jitted(x, 2) == x * 2
    assert traces(jitted) == 1
    assert jitted(1.0, 3) == 3.0
    assert jitted(x3, 2, how="all").tolist() == (2 * x3).tolist()
    assert jitted(x3, 2, "all", option=True).tolist() == (-2 * x3).tolist()
    assert traces(jitted) == 4
    jitted(2.0, 2)
    jitted(2.0, 3)
    assert traces(jitted) == 4


def test_lists_that_are_arguments_and_state():
    batches = [{"x": x3, "n": [1.0]}, {"x": x3 + 1, "n": [2.0]}]
    f = jit(lambda batch: batch["x"] * batch["n"][0] + len(batches), backend="numpy")
    for batch in [*batches, *batches]:
        assert_same(f(batch), batch["x"] * batch["n"][0] + 2)
    assert traces(f) == 1


def test_one_and_true_are_different_constants():
    f = jit(lambda x, n: x * n, backend="numpy")
    assert f(np.array([1, 2]), 1).dtype == int
    assert f(np.array([True]), True).dtype == bool
    assert f(np.array([1, 2]), 1.0).dtype == float


def test_shapes_and_dtypes_are_part_of_the_signature():
    f = jit(lambda x: np.sum(x * 2, axis=0), backend="numpy")
    for x in (np.ones(3), np.ones(4), np.ones((2, 3)), np.ones(3, np.float32), np.ones(3, int), np.ones(3, bool),
              np.ones((0, 2)), np.array(3.0)[None], np.ones((3, 2)).T, np.ones(6)[::2]):
        for _ in range(2):
            assert_same(f(x), np.sum(x * 2, axis=0))
    assert traces(f) == 8


def test_layouts_and_arrays_that_cannot_be_written():
    f = jit(lambda x, y: (x @ y, x.reshape(-1) * 2, x.ravel()[::2] + 1, np.sum(x, axis=1)), backend="numpy")
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    frozen = x.copy()
    frozen.flags.writeable = False
    big = np.arange(100.0).reshape(10, 10)
    for a, b in [(x, y), (np.asfortranarray(x), y.copy("F")), (frozen, y), (big[:4:2, :9:3], y), (x[::-1], y[:, ::-1])]:
        assert_same(f(a, b), f.__wrapped__(a, b))
    assert traces(f) == 1


def test_dictionaries_of_other_kinds_and_slices():
    f = jit(lambda d, part: d["a"][part] * 2, backend="numpy")
    for d in (OrderedDict(a=x3), defaultdict(list, a=x3), {"a": x3}):
        for _ in range(2):
            assert_same(f(d, slice(0, 2)), x3[:2] * 2)
    assert traces(f) == 3
    d["a"] = x3 + 1
    assert_same(f(d, slice(0, 2)), x3[:2] * 2 + 2)


def test_functions_and_methods_as_arguments():
    class Scale:
        def __init__(self) -> None:
            self.factor = np.full(3, 2.0)

        def by(self, x: Any) -> Any:
            return self.factor * x

    scale = Scale()
    f = jit(lambda g, x: g(x), backend="numpy")
    assert_same(f(np.tanh, x3), np.tanh(x3))
    assert_same(f(scale.by, x3), 2 * x3)
    scale.factor[0] = 5.0
    assert_same(f(scale.by, x3), scale.by(x3))


def test_an_object_as_an_argument_is_state():
    f = jit(lambda model, x: model(x).data * 1, backend="numpy")
    first, second = (nn.Linear(3, 2, rng=seed, dtype=float) for seed in (0, 1))
    for model in (first, second, first):
        assert_same(f(model, x3), model(x3).data)
    first.weight.data[0] = 0
    assert_same(f(first, x3), first(x3).data)
    assert traces(f) == 2


def test_arguments_that_share_memory():
    f = jit(lambda a, b: a * 2 + b, backend="numpy")
    f(x3, x3.copy())
    assert_same(f(x3, x3), 3 * x3)
    big = np.arange(4.0)
    assert_same(f(big[:3], big[1:]), big[:3] * 2 + big[1:])


# What can be jitted

def test_methods_partials_callables_classes():
    class Model:
        def __init__(self) -> None:
            self.w = np.ones(3)

        @jit
        def decorated(self, x: Any) -> Any:
            return self.w * x

        def plain(self, x: Any) -> Any:
            return self.w * x

        def __call__(self, x: Any, power: int = 1) -> Any:
            return (self.w * x) ** power

        @staticmethod
        def static(x: Any) -> Any:
            return x + 1

    model, other = Model(), Model()
    other.w = np.full(3, 3.0)
    checks = [(model.decorated, x3), (other.decorated, 3 * x3), (jit(model.plain, backend="numpy"), x3),
              (jit(model, backend="numpy"), x3), (jit(Model.static, backend="numpy"), x3 + 1),
              (jit(functools.partial(model, power=2), backend="numpy"), x3**2),
              (jit(np.exp, backend="numpy"), np.exp(x3))]
    for f, wanted in checks:
        for _ in range(2):
            np.testing.assert_allclose(f(x3), wanted, rtol=1e-15)
    model.w[1] = 10.0
    assert_same(model.decorated(x3), model.w * x3)
    assert_same(checks[2][0](x3), model.w * x3)
    assert_same(checks[3][0](x3), model.w * x3)


def test_it_looks_like_the_function():
    def f(x: Any) -> Any:
        """Twice."""
        return 2 * x

    jitted = jit(f)
    assert (jitted.__name__, jitted.__doc__, jitted.__wrapped__) == ("f", "Twice.", f)
    assert repr(jitted).startswith("jit(<function")


def test_jit_in_jit_and_recursion():
    @functools.partial(jit, backend="numpy")
    def power(x: Any, n: int) -> Any:
        return x if n == 0 else x * power(x, n - 1)

    outer = jit(lambda x: power(x, 3) + jit(np.sin)(x), backend="numpy")
    for _ in range(2):
        assert_same(outer(x3), x3**3 * x3 + np.sin(x3), 4)
        assert_same(power(x3, 2), x3**3, 4)


@EVERY_BACKEND
def test_gradients_through_a_jitted_function(backend):
    """Given Values it runs as it is written, so that the gradient is there."""
    def f(x: Any, a: Any = 2.0) -> Any:
        return np.sum(np.sin(x) * a)

    inner = jit(f, backend=backend)
    inner(x3)  # there is a plan already
    assert_same(grad(inner)(x3), grad(f)(x3))
    assert_same(jit(grad(inner), backend=backend)(x3), grad(f)(x3), 16)
    assert_same(grad(jit(grad(lambda x: x**3), backend=backend))(2.0), 12.0)
    assert_same(make_jvp(inner)(x3)(x3)[1], make_jvp(f)(x3)(x3)[1])
    w = Value(x3)
    inner({"a": w}["a"]).backward()
    assert_same(w.grad, grad(f)(x3))


def test_a_value_in_the_result_has_no_graph():
    w = Value(x3)
    f = jit(lambda x: (w * x).sum(), backend="numpy")
    for _ in range(2):
        cost = f(x3)
        assert isinstance(cost, Value)
        with pytest.raises(TypeError, match="what a jitted function returned, which has no graph behind it"):
            cost.backward()
        with pytest.raises(TypeError, match=r"call\s+backward inside of that function"):
            (2 * cost).backward()
        assert w.grad is None


def test_gradients_of_a_result_are_given_too():
    def f(x: Any) -> Any:
        v = Value(x)
        cost = (v * v).sum()
        cost.backward()
        return v

    v = jit(f, backend="numpy")(x3)
    assert_same([v.data * 1, v.grad], [x3, 2 * x3])


# Others

def test_threads_that_call_one_function():
    f = jit(lambda x: np.sum(np.sin(x) * np.arange(1000.0)) + x[0], backend="numpy")
    inputs = [np.full(1000, float(i)) for i in range(8)]
    wanted = [f.__wrapped__(x) for x in inputs]
    wrong = []

    def work(i: int) -> None:
        for _ in range(30):
            if f(inputs[i]) != wanted[i]:
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_threads_that_trace_what_they_share():
    """While one traces, the model holds Tracers, and np.random.default_rng is another function."""
    make = np.random.default_rng
    model = nn.MLP([3, 4, 2], rng=0, dtype=float)
    wanted, failed = model(x3).data, []

    def work() -> None:
        try:
            for _ in range(5):
                np.testing.assert_allclose(jit(lambda x: model(x).data * 1, backend="numpy")(x3), wanted, rtol=1e-12)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    assert np.random.default_rng is make
    assert all(type(p.data) is np.ndarray for p in model.parameters())


def test_plan_and_source_run_nothing():
    rng, w = np.random.default_rng(0), np.zeros(3)
    before = rng.bit_generator.state

    def f(x: Any) -> Any:
        w[...] = w + x
        return rng.random(3) * x

    jitted = jit(f, backend="numpy")
    plan = jitted.plan(x3)
    assert "def run" in jitted.source(x3)
    assert plan.program.ops
    assert rng.bit_generator.state == before
    assert not w.any()


def test_copies_and_pickles():
    """A copy is of the function: plans stay with the one that made them."""
    f = jit(np.sin, backend="numpy")
    f(x3)
    for other in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert_same(other(x3), np.sin(x3))
        assert other.backend == "numpy"

    class Model(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter(x3)
            self.run = jit(self.__call__, backend="numpy")

        def __call__(self, x: Any) -> Any:
            return (self.w * x).data * 1

    model = Model()
    model.run(x3)
    twin = copy.deepcopy(model)
    model.w.data[:] = 0
    assert_same(twin.run(x3), x3 * x3)


def test_a_float_that_is_not_a_number_and_signed_zeros():
    f = jit(lambda x, y: (x * 2, np.copysign(1.0, y)), backend="numpy")
    for x, y in [(1.0, 0.0), (np.nan, -0.0), (2.0, 0.0), (np.nan, -0.0)]:
        assert_same(f(x, y), f.__wrapped__(x, y))
    assert traces(f) == 1


def test_other_kinds_of_arrays_are_refused():
    with pytest.raises(TracingError, match=r"args\[0\] is a MaskedArray.*\n.*np.where\(mask, 0, a\)"):
        jit(lambda x: x * 2)(np.ma.array(x3, mask=[True, False, False]))


@EVERY_BACKEND
def test_programs_of_empty_arrays_alone(backend):
    empty, w, b = np.zeros((0, 3)), np.ones((3, 2)), np.ones(2)
    for f, x in [(lambda x: np.tanh(x) + 1, empty), (lambda x: x * 2, empty.T), (lambda x: x[::-1].copy(), empty),
                 (lambda x: np.tanh(x @ w + b), empty), (lambda x: np.where(x > 0, x, 0), empty),
                 (lambda x: x[:0] * 2, np.ones(3)), (lambda x: [x + 1, (x * 2).T], empty)]:
        jitted = jit(f, backend=backend)
        for _ in range(2):
            assert_same(jitted(x), f(x))
