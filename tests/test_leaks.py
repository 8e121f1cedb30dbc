"""Memory stays flat in training, and graphs are freed by reference counting alone, without the garbage collector."""

import gc
import sys
import tracemalloc
import types
import weakref

import numpy as np
import pytest

import nn
from autograd import Value, checkpoint, defvjp, deriv, functions, grad, hessian, no_grad, primitive, value_and_grad
from autograd.graph import reverse_topological
from autograd.registry import RULES


@pytest.fixture(autouse=True, scope="module")
def others_frozen():
    """The collector does not look at what other tests have left: that takes longer than these tests."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def collector_off():
    """Nothing but reference counting frees memory in these tests."""
    on, flags = gc.isenabled(), gc.get_debug()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()
        if on:
            gc.enable()


def is_ours(x):
    module = getattr(x, "__module__", None) if isinstance(x, types.FunctionType) else type(x).__module__
    return (module or "").split(".")[0] in ("autograd", "nn", "numpy")


def garbage():
    """What only the collector could free, of our types, functions and frames."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = [type(x).__name__ for x in gc.garbage
             if is_ours(x) or isinstance(x, (types.FrameType, types.TracebackType, BaseException))]
    gc.garbage.clear()
    gc.collect()
    return found


def growth(step, steps, warm_up=200):
    """How many blocks of memory are held after ``steps`` more steps than before."""
    for _ in range(warm_up):
        step()
    before = sys.getallocatedblocks()
    for _ in range(steps):
        step()
    return sys.getallocatedblocks() - before


RNG = np.random.default_rng(0)
X, Y = RNG.uniform(0, 1, (4, 20)).astype(np.float32), nn.data.one_hot(np.array([0, 1, 2, 3]), 4)


def digit_step(optimizer, loss=nn.quadratic_cost):
    """A step of training on a small digit network: 20-8-8-4 neurons."""
    model = nn.MLP([20, 8, 8, 4], nn.Sigmoid, nn.Sigmoid, rng=0)
    optimizer = optimizer(model.parameters())
    return lambda: nn.train_step(model, loss, optimizer, X, Y)


def neuron_step():
    """A step of training on scalar neurons, as in micrograd's demo."""
    model = nn.neuron.MLP(3, [4, 4, 1], rng=0)

    def step():
        scores = [model(x) for x in ([2.0, 3.0, -1.0], [3.0, -1.0, 0.5])]
        cost = sum((1 + -y * score).relu() for y, score in zip((1.0, -1.0), scores, strict=True))
        cost = cost + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        cost.backward()
        for p in model.parameters():
            p.data -= 0.05 * p.grad

    return step


def second_order_step():
    x = np.linspace(-1, 1, 5)
    f = grad(lambda v: np.sum(grad(lambda u: np.sum(np.tanh(u) ** 3 * x))(v) ** 2))
    return lambda: (f(x), value_and_grad(lambda v: np.sum(v * np.exp(v)))(x))


def predicting_step():
    model = nn.MLP([20, 8, 4], rng=0)
    return lambda: (nn.predict(model, X, 2), nn.accuracy(model, X, [0, 1, 2, 3]))


def scheduled_step():
    model = nn.MLP([20, 8, 4], rng=0)
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    schedule, rng = nn.OneCycle(optimizer, 0.1, 100), np.random.default_rng(0)

    def step():
        for x, y in nn.data.minibatches(X, Y, size=2, rng=rng):
            nn.cross_entropy(model(x), y).backward()
            nn.clip_grad_norm(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()

    return step


STEPS = [
    (lambda: digit_step(lambda p: nn.SGD(p, lr=1.0)), 20_000),
    (lambda: digit_step(nn.Adam), 3000),
    (lambda: digit_step(nn.AdamW, nn.cross_entropy), 1000),
    (lambda: digit_step(nn.Adam, nn.binary_cross_entropy), 1000),
    (neuron_step, 300),
    (second_order_step, 300),
    (predicting_step, 1000),
    (scheduled_step, 500),
]
NAMES = ["digits", "Adam", "AdamW", "binary", "neurons", "second order", "predict", "schedule"]
EVERY_STEP = pytest.mark.parametrize(("make", "steps"), STEPS, ids=NAMES)


@EVERY_STEP
def test_blocks_of_memory_do_not_grow_with_steps(make, steps):
    assert growth(make(), steps) < 100


@EVERY_STEP
def test_bytes_do_not_grow_with_steps(make, steps):
    step = make()
    for _ in range(50):
        step()
    tracemalloc.start()
    try:
        for _ in range(50):
            step()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 5000


@EVERY_STEP
def test_the_collector_finds_nothing(make, steps):
    step = make()
    gc.collect()
    for _ in range(5):
        step()
    assert garbage() == []


# Graphs


@pytest.mark.parametrize("backward", [False, True])
def test_a_graph_is_freed_with_its_last_value(backward):
    model = nn.MLP([20, 8, 4], nn.Tanh, rng=0)
    cost = nn.cross_entropy(model(X), np.array([0, 1, 2, 3]))
    if backward:
        cost.backward()
    nodes = reverse_topological(cost)
    parameters = set(model.parameters())
    references = [weakref.ref(node) for node in nodes if node not in parameters]
    assert len(references) > 5 and all(r() is not None for r in references)
    del nodes, cost
    assert [r() for r in references] == [None] * len(references)


def test_a_value_keeps_only_what_it_was_computed_from():
    x = Value([1.0, 2.0])
    y = x * 3
    z = np.sum(np.exp(y))
    reference = weakref.ref(z)
    z.backward()
    del z
    assert reference() is None and y.grad is not None
    with no_grad():
        constant = weakref.ref(y)
        free = y + 1
    del y
    assert constant() is None and free.parents == ()


def test_a_long_chain_is_freed():
    x = v = Value(1.0)
    for _ in range(20_000):
        v = v + 1.0
    first = weakref.ref(v.parents[0])
    v.backward()
    assert x.grad == 1.0
    del v
    assert first() is None
    assert garbage() == []


@pytest.mark.parametrize("transform", [grad, deriv, hessian])
def test_a_pass_through_a_definition_leaves_nothing(transform):
    derivative = transform(lambda v: np.average(v) * checkpoint(lambda u: np.sum(u**3))(v))
    derivative(np.ones(3))
    gc.collect()
    derivative(np.ones(3))
    assert garbage() == []


# Exceptions


def refusing(error):
    """A function whose derivative raises."""

    @primitive
    def fragile(x):
        return x * 1.0

    def refuse(g):
        raise error

    defvjp(fragile, lambda y, x: refuse)
    return fragile


@pytest.fixture
def rules():
    """The table of rules, put back afterwards."""
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


@pytest.mark.parametrize("kind", [ValueError, ZeroDivisionError])
def test_an_exception_in_the_middle_of_a_backward_pass_leaves_nothing(kind, rules):
    w, fragile = Value(np.ones((3, 3))), refusing(kind("refused"))

    def step():
        cost = np.sum(np.tanh(fragile(np.tanh(w @ np.ones((3, 3)))) * 2))
        references = [weakref.ref(node) for node in reverse_topological(cost) if node is not w]
        try:
            cost.backward()
        except kind as error:
            error.__traceback__ = None  # the test's own error outlives the step
        assert cost.grad is None and w.grad is None  # all or nothing
        return references

    assert [r() for r in step()] == [None] * 6
    assert garbage() == []


def test_an_exception_in_the_middle_of_a_pass_of_neurons_leaves_nothing(rules):
    model, fragile = nn.neuron.MLP(2, [3, 1], rng=0), refusing(ValueError("refused"))
    parameters = set(model.parameters())

    def step():
        cost = fragile(model([1.0, -2.0])) * 2.0
        references = [weakref.ref(node) for node in reverse_topological(cost) if node not in parameters]
        try:
            cost.backward()
        except ValueError as error:
            error.__traceback__ = None
        return references

    references = step()
    assert len(references) > 10 and [r() for r in references] == [None] * len(references)
    assert garbage() == []


MISTAKES = [
    lambda v: functions.affine(v, np.ones((2, 5))),
    lambda v: np.busday_count(v, v),
    lambda v: np.asarray(v),
    lambda v: (v * 2).backward(),
    lambda v: grad(lambda u: u * 2)(v),
    lambda v: nn.mse_loss(v, np.ones(3)),
    lambda v: nn.cross_entropy(v, np.array([0, 1, 9])),
    lambda v: nn.train_step(lambda x: v, lambda a, b: np.sum(a) * np.inf, nn.SGD([Value(1.0)], lr=1.0), 0, 0),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_error_leaves_nothing(mistake):
    w = Value(np.ones((3, 3)))

    def step():
        v = np.tanh(w)
        reference = weakref.ref(v)
        try:
            mistake(v)
        except Exception as error:
            return reference, type(error)
        return reference, None

    reference, kind = step()
    assert kind in (TypeError, ValueError, FloatingPointError)
    assert reference() is None
    assert growth(step, 200, warm_up=100) < 100
    assert garbage() == []


def test_a_failed_pass_does_not_disturb_the_next(rules):
    w = Value([1.0, 2.0])
    with pytest.raises(ValueError, match="refused"):
        refusing(ValueError("refused"))(w * 2).sum().backward()
    w.grad = None
    (w * 3).sum().backward()
    np.testing.assert_array_equal(w.grad, [3.0, 3.0])
    assert (w * 2).op is not None
