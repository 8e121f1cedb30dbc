"""Random expressions, broadcasts and indices: gradients against central differences and against a plain scatter."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import Value, grad, value_and_grad
from autograd.testing import Expression, expressions
from tests.autograd.numeric import assert_close, difference, numeric_gradient
from tests.autograd.rows import project

repeatable = settings(derandomize=True, deadline=None, max_examples=300,
                      suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])

# Random expressions: scalars, and arrays whose results are added up with random weights

SCALARS, TENSORS = expressions(scalar=True, max_operations=12), expressions(max_operations=12)


def everything(f: Expression) -> tuple[int, ...]:
    return tuple(range(len(f.inputs)))


def cost(f: Expression) -> Callable:
    return lambda *inputs: project(f(*inputs))


@repeatable
@given(st.one_of(SCALARS, TENSORS))
def test_first_order_of_expressions(f):
    value, got = value_and_grad(cost(f), everything(f))(*f.inputs)
    assert_close(value, cost(f)(*f.inputs), rtol=1e-12)
    values = [Value(x) for x in f.inputs]
    cost(f)(*values).backward()
    for g, v, wanted in zip(got, values, numeric_gradient(cost(f), f.inputs, step=2e-4), strict=True):
        assert_close(g, wanted, rtol=1e-6)
        np.testing.assert_array_equal(v.grad if v.grad is not None else g * 0, g)


@settings(repeatable, max_examples=60)
@given(st.one_of(SCALARS, TENSORS))
def test_second_order_of_expressions(f):
    first = grad(cost(f), everything(f))
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
