"""Random expressions, broadcasts and indices: gradients against central differences and against a plain scatter."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import Value, grad, value_and_grad
from autograd.functions import sigmoid, softmax, softplus
from tests.autograd.numeric import assert_close, difference, numeric_gradient
from tests.autograd.rows import project

repeatable = settings(derandomize=True, deadline=None, max_examples=150,
                      suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])

MATRIX = np.array([[0.5, -0.25, 0.5], [0.25, 0.5, -0.5], [-0.5, 0.25, 0.125]])

# Random expressions: a list of steps, each of which applies a smooth function to earlier results

UNARY: list[Callable] = [
    np.sin, np.cos, np.tanh, np.arctan, np.exp, sigmoid, softplus, operator.neg,
    lambda x: np.log1p(x * x), lambda x: np.sqrt(1 + x * x), lambda x: x**2, lambda x: 2 * x, lambda x: 1.5 - x,
    lambda x: x / 3, lambda x: (2 + np.sin(x)) ** 1.5,
]
BINARY: list[Callable] = [
    operator.add, operator.sub, operator.mul, np.multiply, lambda a, b: a / (1 + b * b),
    lambda a, b: (1 + a * a) ** np.tanh(b),
    lambda a, b: np.where(np.array([True, False, True]), a * b, a - b)[..., 1:2],
]
TENSOR_UNARY: list[Callable] = [
    np.mean, np.sum, lambda x: softmax(x * np.ones(3)), lambda x: np.flip(x), lambda x: x - np.mean(x, keepdims=True),
    lambda x: np.sum(x * np.ones((1, 3)), axis=-1, keepdims=True),
    lambda x: np.mean(x * np.ones((2, 1)), axis=-2, keepdims=True),
    lambda x: np.concatenate([x * np.ones(3), x * np.ones(3)], axis=-1)[..., 1:4],
    lambda x: (x * np.ones((2, 3)))[..., ::-1], lambda x: (x * np.ones((2, 3)))[..., [1, 0], :],
    lambda x: np.stack([x, 2 * x])[0], lambda x: np.einsum("...ij,kj->...ik", x * np.ones((2, 3)), MATRIX),
    lambda x: (x * np.ones((2, 3))) @ MATRIX, lambda x: np.swapaxes(x * np.ones((2, 3)), -1, -2)[..., 1:2, :1],
]


class Expression(NamedTuple):
    inputs: list
    constants: list
    steps: list  # of (function, places of its operands)

    def __call__(self, *inputs: Any) -> Any:
        known = [*inputs, *self.constants]
        for function, places in self.steps:
            known.append(function(*(known[i % len(known)] for i in places)))
        return project(known[-1]) + project(known[-2]) + project(inputs[0])


def expressions(inputs: st.SearchStrategy, unary: list[Callable]) -> st.SearchStrategy[Expression]:
    places = st.integers(0, 10**6)
    step = st.one_of(st.tuples(st.sampled_from(unary), st.tuples(places)),
                     st.tuples(st.sampled_from(BINARY), st.tuples(places, places)))
    return st.builds(Expression, st.lists(inputs, min_size=1, max_size=3), st.lists(inputs, min_size=1, max_size=2),
                     st.lists(step, min_size=2, max_size=12))


def numbers(shape: tuple, seed: int) -> Any:
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, shape)
    return x if x.ndim else float(x)


SHAPES = [(), (3,), (1, 3), (2, 1), (2, 3), (4, 1, 1), (4, 1, 3)]
SCALARS = expressions(st.floats(-1.5, 1.5, width=16), UNARY)
TENSORS = expressions(st.builds(numbers, st.sampled_from(SHAPES), st.integers(0, 999)), UNARY + TENSOR_UNARY)


def moderate(f: Expression) -> bool:
    """Whether all that is computed stays small enough for differences to be right to many digits."""
    known = [*f.inputs, *f.constants]
    with np.errstate(all="ignore"):
        for function, places in f.steps:
            known.append(function(*(known[i % len(known)] for i in places)))
    return all(np.all(np.abs(x) < 20) for x in known)


def check_first_order(f: Expression) -> None:
    assume(moderate(f))
    value, got = value_and_grad(f, tuple(range(len(f.inputs))))(*f.inputs)
    assert_close(value, f(*f.inputs), rtol=1e-12)
    values = [Value(x) for x in f.inputs]
    f(*values).backward()
    for g, v, wanted in zip(got, values, numeric_gradient(f, f.inputs, step=2e-4), strict=True):
        assert_close(g, wanted, rtol=1e-6)
        np.testing.assert_array_equal(v.grad if v.grad is not None else g * 0, g)


@repeatable
@given(SCALARS)
def test_scalar_expressions(f):
    check_first_order(f)


@repeatable
@given(TENSORS)
def test_tensor_expressions(f):
    check_first_order(f)


@settings(repeatable, max_examples=60)
@given(st.one_of(SCALARS, TENSORS))
def test_second_order_of_expressions(f):
    assume(moderate(f))
    first = grad(f, tuple(range(len(f.inputs))))
    got = grad(lambda *inputs: sum(project(g) for g in first(*inputs)), 0)(*f.inputs)
    direction = np.linspace(0.5, 1.5, np.size(got)).reshape(np.shape(got))

    def at(t):
        return float(sum(project(g) for g in first(f.inputs[0] + t * direction, *f.inputs[1:])))

    assert_close(np.sum(got * direction), difference(at, step=2e-4), rtol=1e-6)


# Broadcasting: what each element of an operand was used for is added up, one by one

BROADCASTING = {
    np.add: (lambda a, b: 1 + 0 * a * b, lambda a, b: 1 + 0 * a * b),
    np.subtract: (lambda a, b: 1 + 0 * a * b, lambda a, b: -1 + 0 * a * b),
    np.multiply: (lambda a, b: b + 0 * a, lambda a, b: a + 0 * b),
    np.divide: (lambda a, b: 1 / b + 0 * a, lambda a, b: -a / b**2),
    np.power: (lambda a, b: b * a ** (b - 1), lambda a, b: a**b * np.log(a)),
    np.maximum: (lambda a, b: 1.0 * (a > b) + 0.5 * (a == b), lambda a, b: 1.0 * (b > a) + 0.5 * (a == b)),
    np.minimum: (lambda a, b: 1.0 * (a < b) + 0.5 * (a == b), lambda a, b: 1.0 * (b < a) + 0.5 * (a == b)),
}


def gathered(contributions: np.ndarray, shape: tuple) -> np.ndarray:
    total = np.zeros(int(np.prod(shape)))
    places = np.broadcast_to(np.arange(total.size).reshape(shape), contributions.shape)
    np.add.at(total, places.ravel(), contributions.ravel())
    return total.reshape(shape)


@repeatable
@given(st.sampled_from(list(BROADCASTING)),
       hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=4, min_side=0, max_side=3),
       st.integers(0, 99))
def test_broadcasting(f, shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (Value(rng.integers(1, 5, shape) / 2) for shape in shapes.input_shapes)
    y = f(a, b)
    assert y.shape == shapes.result_shape
    g = rng.normal(size=y.shape)
    y.backward(g)
    for v, slope in zip((a, b), BROADCASTING[f], strict=True):
        assert_close(v.grad, gathered(g * slope(a.data, b.data), v.shape), rtol=1e-12)


# Indexing

@st.composite
def indexed_shapes(draw) -> tuple[tuple, Any]:
    """A shape and an index of that shape: slices, numbers, None, ..., lists, arrays and masks, in any mixture."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    kind = draw(st.sampled_from(["basic", "arrays", "mask", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "arrays":
        return shape, draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=4)))
    if kind == "mask":
        covered = draw(st.integers(1, len(shape)))
        return shape, draw(hnp.arrays(bool, shape[:covered]))
    length = draw(st.integers(0, 4))
    parts: list[Any] = []
    masked = False
    for n in shape[: draw(st.integers(1, len(shape)))]:
        places = st.lists(st.integers(-n, n - 1), min_size=length, max_size=length)
        options = [st.integers(-n, n - 1), st.slices(n), places, places.map(lambda p: np.array(p, int))]
        if length == 1 and not masked:
            options.append(st.integers(0, n - 1).map(lambda k, n=n: np.arange(n) == k))
        parts.append(draw(st.one_of(options)))
        masked = masked or (isinstance(parts[-1], np.ndarray) and parts[-1].dtype.kind == "b")
    whole = len(parts) == len(shape)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))) if whole else len(parts), ...)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return shape, tuple(parts)


@settings(repeatable, max_examples=400)
@given(indexed_shapes(), st.integers(0, 99))
def test_indexing(shape_and_index, seed):
    shape, index = shape_and_index
    rng = np.random.default_rng(seed)
    x = Value(rng.normal(size=shape))
    y = x[index]
    np.testing.assert_array_equal(y.data, x.data[index])
    assert y.shape == x.data[index].shape
    g = rng.normal(size=y.shape)
    y.backward(g)
    wanted = np.zeros(shape)
    np.add.at(wanted, index, g)
    np.testing.assert_allclose(x.grad, wanted, rtol=1e-12, atol=1e-14)
    slope = grad(lambda v: np.sum(grad(lambda u: np.sum(u[index] ** 3))(v)))(x.data)
    np.add.at(cubes := np.zeros(shape), index, 6 * x.data[index])
    np.testing.assert_allclose(slope, cubes, rtol=1e-12, atol=1e-14)
