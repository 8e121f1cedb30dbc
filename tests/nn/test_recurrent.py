"""Recurrent layers and cells: derivatives, lengths, states, gates, dropout, jit, and every error."""

import itertools
import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, grad, jit, per_example_gradients, recurrence_loops
from autograd.compiling.program import Op, Var
from autograd.functions import sigmoid
from tests.autograd.compiling.same import BACKENDS, EVERY_BACKEND, assert_same
from tests.nn.gradients import check_layer, numbers

if "numba" in BACKENDS:
    from autograd.compiling.numba_recurrence import recurrence

KINDS = [nn.RNN, nn.GRU, nn.LSTM]
CELLS = {nn.RNN: nn.RNNCell, nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
LENGTHS = np.array([1, 3, 2])


def states(h):
    """The final states, as a list."""
    return list(h) if isinstance(h, tuple) else [h]


def copied(layer, cell):
    """A cell with the weights of a layer's first layer."""
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items() if k.endswith("_l0")})
    return cell


def frozen(layer):
    """The layer with constants for parameters."""
    for name, p in list(layer.own_parameters()):
        setattr(layer, name, p.data)
    return layer


# Derivatives


@pytest.mark.parametrize(("make", "shapes", "call"), [
    (lambda dtype: nn.RNN(2, 2, rng=0, dtype=dtype), [(2, 2, 2)], lambda layer, x: layer(x)[0]),
    (lambda dtype: nn.GRU(2, 1, bidirectional=True, rng=0, dtype=dtype), [(3, 2, 2), (2, 2, 1)],
     lambda layer, x, h: layer(x, h, lengths=[3, 1])[1]),
    (lambda dtype: nn.LSTM(2, 1, 2, batch_first=True, rng=0, dtype=dtype), [(2, 3, 2)],
     lambda layer, x: layer(x, lengths=[1, 3])[0]),
    (lambda dtype: nn.LSTM(2, 2, bias=False, rng=0, dtype=dtype), [(2, 2), (1, 2), (1, 2)],
     lambda layer, x, h, c: layer(x, (h, c))),
    (lambda dtype: nn.LSTM(2, 2, rng=0, dtype=dtype), [(2, 1, 2)], lambda layer, x: layer.inside(x)[0]["f"]),
    (lambda dtype: nn.RNNCell(2, 2, rng=0, dtype=dtype), [(2, 2)], None),
    (lambda dtype: nn.GRUCell(2, 2, rng=0, dtype=dtype), [(2, 2), (2, 2)], None),
    (lambda dtype: nn.LSTMCell(2, 2, rng=0, dtype=dtype), [(2,)], lambda cell, x: cell(x)[0]),
], ids=["RNN", "GRU", "LSTM", "LSTM states", "LSTM gates", "RNNCell", "GRUCell", "LSTMCell"])
def test_gradcheck(make, shapes, call):
    check_layer(make, *shapes, call=call)


@EVERY_KIND
def test_a_gradient_takes_the_loop_and_a_second_one_the_steps(kind):
    """Both give the same first derivative; the loop's mistakes would not show in the second."""
    layer, x = frozen(kind(3, 2, bidirectional=True, rng=0, dtype=float)), numbers(4, 3, 3)

    def cost(x):
        return np.sum(np.sin(layer(x, lengths=LENGTHS)[0]))

    along = grad(lambda t: cost(x + t * np.ones_like(x)))
    np.testing.assert_allclose(along(0.0), np.sum(grad(cost)(x)), rtol=1e-10)
    np.testing.assert_allclose(grad(along)(0.0), (along(1e-5) - along(-1e-5)) / 2e-5, rtol=1e-6)


# Shapes, states, lengths


@EVERY_KIND
def test_parameters_are_named_ordered_and_drawn_as_in_pytorch(kind):
    layer = kind(3, 16, 2, bidirectional=True, rng=0)
    rows = {nn.RNN: 16, nn.GRU: 48, nn.LSTM: 64}[kind]
    wanted = [(f"{name}_l{k}{d}", (rows, *inputs)) for k in range(2) for d in ("", "_reverse")
              for name, inputs in (("weight_ih", (32 if k else 3,)), ("weight_hh", (16,)), ("bias_ih", ()),
                                   ("bias_hh", ()))]
    assert [(name, p.shape) for name, p in layer.named_parameters()] == wanted
    for p in layer.parameters():
        assert p.dtype == np.float32 and 0.15 < np.abs(p.data).max() <= 0.25
    assert [name for name, _ in kind(3, 2, bias=False, rng=0).named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]


@EVERY_KIND
def test_a_layer_is_its_cell_step_by_step(kind):
    layer, x = kind(3, 4, rng=0), numbers(5, 2, 3, dtype=np.float32)
    cell = copied(layer, CELLS[kind](3, 4, rng=1))
    output, last = layer(x)
    state, seen = None, []
    for row in x:
        state = cell(row, state)
        seen.append(states(state)[0])
    np.testing.assert_allclose(output.data, np.stack(seen).data, atol=1e-6)
    for a, b in zip(states(last), states(state), strict=True):
        np.testing.assert_allclose(a.data[0], b.data, atol=1e-6)


@EVERY_KIND
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_lengths_are_as_if_each_sequence_came_alone(kind, lengths, bidirectional, batch_first):
    layer = kind(3, 2, 2, bidirectional=bidirectional, batch_first=batch_first, rng=0, dtype=float)
    x = numbers(4, len(lengths), 3)
    alone = [layer(x[:n, k]) for k, n in enumerate(lengths)]
    for k, n in enumerate(lengths):
        x[n:, k] = np.nan  # has no influence
    given_ = Value(np.swapaxes(x, 0, 1).copy() if batch_first else x)
    output, last = layer(given_, lengths=lengths)
    (np.sum(output) + np.sum(states(last)[0])).backward()
    gradients = given_.grad
    if batch_first:
        output, gradients = np.swapaxes(output, 0, 1), np.swapaxes(gradients, 0, 1)
    for k, n in enumerate(lengths):
        np.testing.assert_allclose(output.data[:n, k], alone[k][0].data, atol=1e-12)
        assert not output.data[n:, k].any() and not gradients[n:, k].any()
        for a, b in zip(states(last), states(alone[k][1]), strict=True):
            np.testing.assert_allclose(a.data[:, k], b.data, atol=1e-12)
    assert all(np.isfinite(p.grad).all() for p in layer.parameters())


def test_inputs_of_another_precision_are_promoted():
    layer = nn.LSTM(3, 2, rng=0)
    output, (h, c) = layer(numbers(4, 2, 3))
    assert output.dtype == h.dtype == c.dtype == np.float64
    np.sum(output).backward()
    assert all(p.grad.dtype == np.float32 for p in layer.parameters())


def test_arrays_of_other_packages_go_through_the_steps_one_by_one():
    """As those that per_example_gradients makes."""
    layer, x = frozen(nn.LSTM(2, 2, rng=0, dtype=float)), numbers(3, 4, 2)
    weight = layer.weight_hh_l0

    def cost(w, x):
        layer.weight_hh_l0 = w
        return np.sum(layer(x)[0] ** 2)

    found = per_example_gradients(cost, weight, x)
    for row, example in zip(found, x, strict=True):
        np.testing.assert_allclose(row, grad(cost)(weight, example), atol=1e-12)


# Gates


def test_the_gates_over_time_are_those_of_the_steps():
    layer, x = nn.LSTM(3, 2, batch_first=True, rng=0, dtype=float), numbers(3, 4, 3)
    [inside] = layer.inside(x, lengths=LENGTHS)
    assert list(inside) == ["i", "f", "g", "o", "c", "h"]
    output, (h, c) = layer(x, lengths=LENGTHS)
    np.testing.assert_array_equal(np.swapaxes(inside["h"].data, 0, 1), output.data)
    before = np.concatenate([np.zeros((1, 3, 2)), inside["c"].data[:-1]])
    alive = np.arange(4)[:, None, None] < LENGTHS[:, None]
    i, f, g, c_ = (inside[name].data for name in "ifgc")
    np.testing.assert_allclose(c_, alive * (f * before + i * g))
    for k, n in enumerate(LENGTHS):
        np.testing.assert_allclose(inside["c"].data[n - 1, k], c.data[0, k])
        np.testing.assert_allclose(inside["h"].data[n - 1, k], h.data[0, k])
    assert all(not part.data[n:, k].any() for part in inside.values() for k, n in enumerate(LENGTHS))


def test_the_inside_of_each_layer_and_direction():
    parts = nn.GRU(3, 2, 2, bidirectional=True, rng=0).inside(numbers(4, 3, dtype=np.float32))
    assert [list(part) for part in parts] == [["r", "z", "n", "h"]] * 4
    assert all(x.shape == (4, 2) for part in parts for x in part.values())
    layer = nn.RNN(3, 2, rng=0)
    x = numbers(4, 1, 3, dtype=np.float32)
    np.testing.assert_array_equal(layer.inside(x)[0]["h"].data, layer(x)[0].data)


# Dropout


def test_dropout_lies_between_layers_in_training():
    layer, x = nn.GRU(3, 8, 2, dropout=0.5, rng=0), numbers(4, 2, 3, dtype=np.float32)
    assert not np.array_equal(layer(x)[0].data, layer(x)[0].data)
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)
    again = nn.GRU(3, 8, 2, rng=0)
    again.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(layer(x)[0].data, again(x)[0].data)
    one, other = (nn.GRU(3, 8, 2, dropout=0.5, rng=4) for _ in range(2))
    np.testing.assert_array_equal(one(x)[0].data, other(x)[0].data)


# jit


def trained(wrapped, kinds, lengths):
    """Costs, gradients and states of some layers over three steps."""
    rng = np.random.default_rng(0)
    layers = [make(rng=rng) for make in kinds]
    model = nn.Sequential(*layers)
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    def step(x, lengths, h, c):
        costs = []
        for layer in layers:
            hx = (h, c) if isinstance(layer, nn.LSTM) else h
            output, last = layer(x, hx if layer.num_layers == 1 else None, lengths=lengths)
            costs.append(np.mean(output**2) + sum(np.sum(np.sin(s)) for s in states(last)))
        optimizer.zero_grad()
        sum(costs).backward()
        optimizer.step()
        return [c.data * 1 for c in costs]

    step, seen = wrapped(step), []
    for seed in range(3):
        x, h, c = (numbers(*shape, seed=seed + k, dtype=np.float32)
                   for k, shape in enumerate([(4, 3, 5), (2, 3, 3), (2, 3, 3)]))
        seen += [step(x, lengths and np.roll(LENGTHS, seed), h, c), *(np.copy(p.grad) for p in model.parameters())]
    return [*seen, *model.state_dict().values()]


VARIANTS = [partial(kind, 5, 3, **options) for kind in KINDS for options in
            ({"bidirectional": True}, {"num_layers": 2, "dropout": 0.3, "bias": False})]
VARIANTS.append(partial(nn.RNN, 5, 3, nonlinearity="relu", bidirectional=True))


@EVERY_BACKEND
def test_jitted_and_eager_give_the_same_numbers(backend):
    for lengths in (True, None) if backend == "numpy" else (True,):  # a program takes seconds to compile
        variants = VARIANTS if backend == "numpy" else [partial(nn.LSTM, 5, 3, bidirectional=True)]
        assert_same(trained(lambda f: jit(f, backend=backend), variants, lengths),
                    trained(lambda f: f, variants, lengths), 4 if backend == "numpy" else 64)


@EVERY_BACKEND
def test_a_program_is_as_short_for_many_steps(backend):
    """And is traced once for all lengths."""
    layer = nn.LSTM(3, 2, rng=0)
    step = jit(lambda x, lengths: layer(x, lengths=lengths)[0], backend=backend)
    for steps in (3, 60):
        step(numbers(steps, 2, 3, dtype=np.float32), np.array([1, 3]))
        step(numbers(steps, 2, 3, dtype=np.float32), np.array([2, 1]))
    short, long = (plan.program for plan in step._plans[::-1])
    assert len(step._plans) == 2 and len(long.ops) == len(short.ops) < 30


@EVERY_BACKEND
def test_a_cell_of_ones_own(backend):
    """A plain loop over steps is traced as it is."""
    rng = np.random.default_rng(0)
    inner, outer = nn.Linear(3, 2, rng=rng), nn.Linear(2, 2, rng=rng)

    def run(x):
        h = np.zeros_like(x[0, :, :2])
        for row in x:
            gate = sigmoid(inner(row))
            h = gate * h + (1 - gate) * np.tanh(outer(h))
        return np.sum(h * h)

    x = numbers(4, 3, 3, dtype=np.float32)
    assert_same(jit(grad(run), backend=backend)(x), grad(run)(x), 64)


def calls(name, batch, hidden, start, lengths, reverse):
    """A loop forward and one backward, with their arguments."""
    def array(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    rng, steps = np.random.default_rng(0), 4
    rows = {"rnn": 1, "gru": 3, "lstm": 4}[name] * hidden
    weight, bias = array(rows, hidden), array(rows) if start else None
    before = [array(batch, hidden) if start else None for _ in range(2 if name == "lstm" else 1)]
    rest = (*(("relu" if start else "tanh",) if name == "rnn" else ()), lengths, reverse)
    first = (array(steps, batch, rows), weight, bias, *before, *rest)
    forward, backward = (getattr(recurrence_loops, f"{name}_{way}") for way in ("forward", "backward"))
    y, g = forward(*first), array(steps, batch, hidden)
    if name == "lstm":
        return [(forward, first), (backward, (g, g if start else None, *y[1:], weight, *before, *rest))]
    return [(forward, first), (backward, (g, *(y if name == "gru" else [y]), weight, *before, *rest))]


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_compiled_loops_give_the_numbers_of_the_plain_ones(name):
    """Blocks of examples and panels of weights that are full, and such that are not; from states and from zeros."""
    for batch, hidden, start, lengths, reverse in itertools.product(
            (1, 8, 19), (1, 20), (False, True), (False, True), (False, True)):
        ends = np.random.default_rng(1).integers(1, 5, batch) if lengths else None
        for loop, args in calls(name, batch, hidden, start, ends, reverse):
            wanted = loop(*args)
            wanted = wanted if isinstance(wanted, list) else [wanted]
            compiled = recurrence(Op(loop, tuple(Var(a.shape, a.dtype) if isinstance(a, np.ndarray) else a
                                                 for a in args), {}, ()))
            for _ in range(2):
                out = [np.full_like(y, np.nan) for y in wanted]
                compiled(out, *args)
                assert_same(out, wanted, 64)


# Errors


X = numbers(4, 3, 5, dtype=np.float32)
LAYER, BIDIRECTIONAL = nn.LSTM(5, 2, rng=0), nn.GRU(5, 2, 2, bidirectional=True, batch_first=True, rng=0)
CELL = nn.LSTMCell(5, 2, rng=0)


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: LAYER(X[0, 0]), ValueError, "LSTM(5, 2): expected an input of shape (steps, batch, 5), or (steps, 5) for "
     "one sequence, got (5,)"),
    (lambda: BIDIRECTIONAL(X[..., :4]), ValueError, "GRU(5, 2): expected an input of shape (batch, steps, 5), or "
     "(steps, 5) for one sequence, got (4, 3, 4)"),
    (lambda: LAYER(X[:0]), ValueError, "LSTM(5, 2): the sequence is empty: the input has 0 steps and a batch of 3"),
    (lambda: LAYER(X[:, :0]), ValueError, "LSTM(5, 2): the batch is empty: the input has 4 steps and a batch of 0"),
    (lambda: LAYER(X, np.zeros((1, 3, 2))), TypeError, "LSTM(5, 2): hx must be a pair (h, c), got ndarray"),
    (lambda: LAYER(X, (np.zeros((1, 3, 2)), np.zeros((1, 2)))), ValueError,
     "LSTM(5, 2): the initial state c must have the shape (1, 3, 2), got (1, 2)"),
    (lambda: LAYER(X[:, 0], (np.zeros((1, 3)), np.zeros((1, 3)))), ValueError,
     "LSTM(5, 2): the initial state h must have the shape (1, 2), got (1, 3)"),
    (lambda: BIDIRECTIONAL(X, np.zeros((2, 4, 2))), ValueError,
     "GRU(5, 2): the initial state h must have the shape (4, 4, 2), got (2, 4, 2)"),
    (lambda: LAYER(X, lengths=[1, 2]), ValueError,
     "LSTM(5, 2): lengths must have the shape (3,), one for each sequence, got (2,)"),
    (lambda: LAYER(X, lengths=[1.0, 2.0, 2.0]), TypeError,
     "LSTM(5, 2): lengths must be integers, got float64; write lengths.astype(int)"),
    (lambda: LAYER(X, lengths=[1, 0, 2]), ValueError,
     "LSTM(5, 2): lengths must lie in 1 … 4, the steps of the input, but they reach from 0 to 2"),
    (lambda: LAYER(X, lengths=np.array([1, 5, 2])), ValueError,
     "LSTM(5, 2): lengths must lie in 1 … 4, the steps of the input, but they reach from 1 to 5"),
    (lambda: LAYER(X[:, 0], lengths=[1, 2]), ValueError,
     "LSTM(5, 2): lengths must have the shape (1,), one for each sequence, got (2,)"),
    (lambda: nn.RNN(0, 2, rng=0), ValueError, "RNN: input_size must be a positive integer, got 0"),
    (lambda: nn.GRU(2, -1, rng=0), ValueError, "GRU: hidden_size must be a positive integer, got -1"),
    (lambda: nn.LSTM(2, 2, 1.5, rng=0), ValueError, "LSTM: num_layers must be a positive integer, got 1.5"),
    (lambda: nn.RNN(2, 2, 1, "sin", rng=0), ValueError, "RNN: nonlinearity must be 'tanh' or 'relu', got 'sin'"),
    (lambda: nn.RNNCell(2, 2, True, "sin", rng=0), ValueError,
     "RNNCell: nonlinearity must be 'tanh' or 'relu', got 'sin'"),
    (lambda: nn.LSTM(2, 2, 2, dropout=1, rng=0), ValueError, "LSTM: dropout must be at least 0 and less than 1, got 1"),
    (lambda: nn.LSTM(2, 2, dropout=0.5, rng=0), ValueError, "LSTM: dropout is applied between layers, and there is one "
     "layer: leave dropout at 0, or give num_layers of at least 2"),
    (lambda: nn.LSTM(2, 2, rng=None), TypeError, "LSTM: rng must be a numpy.random.Generator"),
    (lambda: nn.LSTM(2, 2, rng=0, dtype=int), TypeError, "LSTM: dtype must be one of floats"),
    (lambda: CELL(X), ValueError, "LSTMCell(5, 2): expected an input of shape (batch, 5) or (5,), got (4, 3, 5)"),
    (lambda: CELL(X[0], (np.zeros((3, 2)), np.zeros(2))), ValueError,
     "LSTMCell(5, 2): the initial state c must have the shape (3, 2), got (2,)"),
    (lambda: CELL(X[0, 0], np.zeros(2)), TypeError, "LSTMCell(5, 2): hx must be a pair (h, c), got ndarray"),
])
def test_errors_name_the_layer_and_the_argument(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()


@EVERY_BACKEND
def test_lengths_out_of_range_stop_a_program(backend):
    layer = nn.GRU(5, 2, rng=0)
    run = jit(lambda x, lengths: layer(x, lengths=lengths)[0], backend=backend)
    run(X, LENGTHS)
    with pytest.raises(ValueError, match="lengths must lie in 1 … 4"):
        run(X, np.array([1, 9, 2]))
