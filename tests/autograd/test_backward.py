"""``backward``: what it adds up, where it leaves the gradients, and that graphs of any size are passed and freed."""

import gc
import weakref

import numpy as np
import pytest

from autograd import Value, defvjp, grad, primitive, value_and_grad
from autograd.functions import affine, softmax

# The chain rule over shared values: each row is a cost of x and y, with its gradient written by hand

COSTS = [
    ("x*x", lambda x, y: x * x, lambda x, y: (2 * x, 0)),
    ("x*x*x", lambda x, y: x * x * x, lambda x, y: (3 * x * x, 0)),
    ("x + x", lambda x, y: x + x, lambda x, y: (2, 0)),
    ("x - x", lambda x, y: x - x, lambda x, y: (0, 0)),
    ("x / x", lambda x, y: x / x, lambda x, y: (0, 0)),
    ("x**x", lambda x, y: x**x, lambda x, y: (x**x * (np.log(x) + 1), 0)),
    ("shared", lambda x, y: (lambda a: a * a + a * y)(x * y),
     lambda x, y: (2 * x * y * y + y * y, 2 * x * x * y + 2 * x * y)),
    ("shared through another", lambda x, y: (lambda a: a * np.exp(a) * x)(x + y),
     lambda x, y: ((x + y) * np.exp(x + y) * (1 + x) + x * np.exp(x + y),
                   (x + y) * np.exp(x + y) * x + x * np.exp(x + y))),
    ("constants on every side", lambda x, y: 3 * (x * 2 + 1) / 4 - 5 / y,
     lambda x, y: (1.5, 5 / (y * y))),
    ("only y", lambda x, y: y * 2, lambda x, y: (0, 2)),
    ("itself", lambda x, y: x, lambda x, y: (1, 0)),
]


@pytest.mark.parametrize(("cost", "by_hand"), [row[1:] for row in COSTS], ids=[row[0] for row in COSTS])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_chain_rule_by_hand(cost, by_hand, shape):
    rng = np.random.default_rng(0)
    x, y = (Value(rng.uniform(0.5, 2, shape)[()]) for _ in range(2))
    cost(x, y).backward(np.ones(shape))
    for v, wanted in zip((x, y), by_hand(x.data, y.data), strict=True):
        np.testing.assert_allclose(np.zeros(shape) if v.grad is None else v.grad, np.broadcast_to(wanted, shape),
                                   rtol=1e-12, atol=1e-15)


def test_what_is_not_reached_has_no_gradient():
    x, y = Value(2.0), Value(3.0)
    unused = x * y
    (x * 2).backward()
    assert x.grad == 2
    assert y.grad is unused.grad is None


def test_several_results_of_one_function():
    x = Value(np.arange(6.0))
    a, b, c = np.split(x, 3)
    (a * c).sum().backward()
    assert x.grad.tolist() == [4, 5, 0, 0, 0, 1]
    assert (a.grad.tolist(), b.grad, c.grad.tolist()) == ([4, 5], None, [0, 1])
    x.grad = None
    (a * 2).backward(np.ones(2))
    assert x.grad.tolist() == [2, 2, 0, 0, 0, 0]
    b.backward(np.ones(2))
    assert x.grad.tolist() == [2, 2, 1, 1, 0, 0]


def test_intermediates_keep_their_gradients():
    x = Value([1.0, 2.0])
    a = x * 3
    b = a.sum()
    cost = b * b
    cost.backward()
    assert (cost.grad, b.grad, a.grad.tolist(), x.grad.tolist()) == (1, 18, [18, 18], [54, 54])


def test_backward_twice_adds_up_and_counts_nothing_twice():
    x = Value([1.0, 2.0])
    a = np.exp(x)
    cost = (a * a).sum()
    cost.backward()
    first = {v: v.grad for v in (x, a, cost)}
    cost.backward()
    for v, g in first.items():
        np.testing.assert_array_equal(v.grad, 2 * g)
    other = (a * 3).sum()
    other.backward()
    np.testing.assert_allclose(x.grad, 2 * first[x] + 3 * np.exp(x.data), rtol=1e-15)


def test_adding_up_leaves_an_earlier_gradient_alone():
    x = Value([1.0, 2.0])
    (x * 2).sum().backward()
    first = x.grad
    (x * 5).sum().backward()
    assert (first.tolist(), x.grad.tolist()) == ([2, 2], [7, 7])


@pytest.mark.parametrize(("data", "gradient"), [
    (2.0, 3), (2.0, 3.0), (2.0, np.float64(3)), (2.0, np.array(3.0)), ([1.0, 2.0], [3, 4]),
    ([1.0, 2.0], np.array([3, 4])), ([[1.0], [2.0]], ((3,), (4,))), (np.float32(2), 3.0),
    (np.ones(2, np.float32), np.array([3.0, 4.0])), (1j, 2 + 1j), ([1j, 2], np.array([1.0, 1j])),
])
def test_a_gradient_that_comes_in(data, gradient):
    x = Value(data)
    y = x * 2
    y.backward(gradient)
    np.testing.assert_array_equal(x.grad, 2 * np.asarray(gradient))
    for v in (x, y):
        assert np.result_type(v.grad) == v.dtype
        assert np.shape(v.grad) == v.shape
        assert type(v.grad) is type(v.data)


def test_the_gradient_that_comes_in_stays_the_callers():
    x, gradient = Value([1.0, 2.0]), np.array([3.0, 4.0])
    y = +x
    y.backward(gradient)
    x.grad += 100
    assert gradient.tolist() == [3, 4]
    gradient[:] = 7
    assert y.grad.tolist() == [3, 4]


def test_a_leaf_can_be_differentiated():
    for data, one in [(2.0, 1.0), ([[5.0]], [[1.0]]), (np.float32(2), np.float32(1))]:
        x = Value(data)
        x.backward()
        np.testing.assert_array_equal(x.grad, one)
        assert type(x.grad) is type(x.data)


SHARING = [  # each gives several parameters what could be one array, or a view
    ("sum", lambda a, b: (a + b).sum()), ("a + b", lambda a, b: (a + b + a).sum()),
    ("a - b", lambda a, b: (a - b).sum()), ("transposed", lambda a, b: (a.T * b.T).sum()),
    ("broadcast", lambda a, b: np.broadcast_to(a + b, (4, 3, 3)).sum()),
    ("stacked", lambda a, b: np.stack([a, b]).sum()), ("joined", lambda a, b: np.concatenate([a, b]).sum()),
    ("flipped", lambda a, b: (np.flip(a) + b[::-1]).sum()), ("reshaped", lambda a, b: (a.ravel() + b.ravel()).sum()),
    ("mean", lambda a, b: np.mean(a) + np.mean(b)), ("affine", lambda a, b: affine(a, b, a[0]).sum()),
    ("product", lambda a, b: (a @ b).sum()), ("positive", lambda a, b: (+a + +b).sum()),
    ("leaf alone", lambda a, b: (a + 0).sum() + b.sum()),
]


@pytest.mark.parametrize("cost", [row[1] for row in SHARING], ids=[row[0] for row in SHARING])
def test_gradients_of_leaves_own_their_memory(cost):
    a, b = Value(np.ones((3, 3))), Value(np.asfortranarray(np.ones((3, 3))))
    y = cost(a, b)
    for _ in range(2):
        y.backward()
        for v in (a, b):
            assert v.grad.flags.c_contiguous
            assert v.grad.flags.writeable
            assert v.grad.flags.owndata
            assert not np.shares_memory(v.grad, v.data)
        assert not np.shares_memory(a.grad, b.grad)
    before = b.grad.copy()
    a.grad += 1
    np.testing.assert_array_equal(b.grad, before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_gradient_has_the_dtype_of_its_value(dtype):
    x, other = Value(np.ones((2, 3), dtype)), Value(np.ones(3))
    cost = (x * other).sum() + (x * np.float64(2)).sum() + x[0, 1] * other[0]
    cost.backward()
    assert x.grad.dtype == dtype
    assert other.grad.dtype == np.float64
    single = Value(dtype(2))
    (single * other).sum().backward()
    assert type(single.grad) is (float if dtype is np.float64 else dtype)


def test_real_values_in_complex_graphs_get_real_gradients():
    x, z = Value([1.0, 2.0]), Value([1j, 2.0])
    np.sum(np.abs(x * z) ** 2).backward()
    assert (x.grad.dtype, z.grad.dtype) == (np.float64, np.complex128)
    np.testing.assert_allclose(x.grad, 2 * x.data * np.abs(z.data) ** 2)
    np.testing.assert_allclose(z.grad, 2 * x.data**2 * np.conj(z.data))  # ∂C/∂Re - i ∂C/∂Im
    y = Value(2.0)
    np.real(y * 1j * 1j).backward()
    assert y.grad == -1
    assert type(y.grad) is float


# Graphs of any size

def test_a_chain_of_a_million_operations():
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward()
    assert (y.data, x.grad) == (1_000_001.0, 1.0)
    watch = weakref.ref(y)
    del y
    assert watch() is None


def test_a_chain_of_tensors_and_of_calls():
    x = Value(np.ones(2))
    y = x
    for _ in range(5_000):
        y = np.concatenate([np.exp(y * 0.0), y])[2:]
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_paths_that_double_at_each_of_100_levels():
    x = Value(1.0)
    y = x
    for _ in range(100):
        y = y + y
    y.backward()
    assert x.grad == y.data == 2.0**100
    f = grad(lambda v: np.sum(diamond(v) ** 2))
    assert f(np.ones(1)) == 2.0**201
    assert grad(lambda v: np.sum(f(v)))(np.ones(1)) == 2.0**201


def diamond(v):
    for _ in range(100):
        v = v + v
    return v


GRAPHS = [
    ("scalar", lambda x: np.exp(x * x) / (x + 1) - x, 0.5),
    ("tensor", lambda x: (np.exp(x) @ x.T).sum() + np.concatenate([x, x]).mean(), np.ones((2, 2))),
    ("several results", lambda x: (lambda a, b: (a * b).sum())(*x), np.ones((2, 2))),
    ("one of several results", lambda x: np.split(x, 2)[0].sum(), np.ones((2, 2))),
    ("keywords", lambda x: softmax(np.sum(x, axis=0, keepdims=True), axis=1).max(), np.ones((2, 2))),
    ("lists", lambda x: np.stack([x, 2 * x], axis=1).sum(), np.ones(3)),
]
PASSES = [
    ("graph alone", lambda f, x: f(Value(x))),
    ("backward", lambda f, x: f(Value(x)).backward()),
    ("grad", lambda f, x: grad(f)(x)),
    ("value_and_grad", lambda f, x: value_and_grad(f)(x)),
    ("second order", lambda f, x: grad(lambda v: np.sum(grad(f)(v)))(x)),
]


@pytest.mark.parametrize("use", [row[1] for row in PASSES], ids=[row[0] for row in PASSES])
@pytest.mark.parametrize(("f", "x"), [row[1:] for row in GRAPHS], ids=[row[0] for row in GRAPHS])
def test_graphs_are_freed_by_reference_counts_alone(f, x, use):
    gc.disable()
    gc.freeze()  # what there was before
    try:
        use(f, x)
        assert [o for o in gc.get_objects() if isinstance(o, Value)] == []
        assert gc.collect() == 0
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_leaf_and_its_graph_die_when_let_go():
    gc.disable()
    try:
        x = Value(np.ones((2, 3)))
        parts = list(x)
        y = np.stack([parts[0], parts[1] * 2]).sum()
        y.backward()
        watches = [weakref.ref(v) for v in (x, y, *parts, parts[0].parents[0])]
        del x, y, parts
        assert [w() for w in watches] == [None] * len(watches)
    finally:
        gc.enable()


# A rule that is wrong in form

WRONG_SHAPES = [((3,), (2,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), ())]


@pytest.mark.parametrize(("shape", "came"), WRONG_SHAPES)
@pytest.mark.usefixtures("temporary_rules")
def test_a_gradient_of_a_wrong_shape_names_function_and_argument(shape, came):
    @primitive
    def strange(a, x):
        return x * 1.0

    defvjp(strange, None, lambda y, a, x: lambda g: np.ones(came)[()])
    y = np.sum(strange(0, Value(np.ones(shape)[()])))
    with pytest.raises(ValueError, match=rf"strange.*gradient of shape \({', '.join(map(str, came))}.*argument 1"):
        y.backward()


@pytest.mark.usefixtures("temporary_rules")
def test_an_error_in_a_rule_says_where():
    @primitive
    def failing(x):
        return x * 1.0

    defvjp(failing, lambda y, x: lambda g: g @ "nothing")
    with pytest.raises(Exception) as caught:
        failing(Value([1.0])).backward()
    assert any("failing with respect to argument 0" in note for note in caught.value.__notes__)


@pytest.mark.usefixtures("temporary_rules")
def test_a_rule_may_say_that_there_is_no_gradient():
    @primitive
    def flat(x):
        return x * 0.0

    defvjp(flat, lambda y, x: lambda g: None)
    x = Value(2.0)
    (flat(x) + x).backward()
    assert x.grad == 1
