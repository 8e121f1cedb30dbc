"""Scalar operations in vectorised form give what they give one by one, by NumPy and in the compiled loop."""

import operator
import pickle
import random
import time
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value
from autograd.compiling import api, jit
from autograd.compiling.levels import FEWEST, Levels, vectorised
from autograd.compiling.levels_plan import CODES
from autograd.compiling.program import Input, Op, Output, Program, Var, cast, check, map_vars
from nn.neuron import MLP

FLOAT, BOOL = np.dtype(float), np.dtype(bool)
WAYS = ["numpy", pytest.param("numba", marks=pytest.mark.skipif(not find_spec("numba"), reason="needs numba"))]
EXACT = [operator.add, operator.sub, operator.mul, np.add, np.subtract, np.multiply, np.divide, np.negative,
         operator.neg, operator.abs, np.sqrt, np.square, np.reciprocal, np.sign, np.floor, np.positive, np.remainder,
         np.minimum, np.where, cast]
COMPARISONS = [np.less, operator.ge, np.greater, operator.eq, np.not_equal]
UNARY = {operator.neg, operator.abs} | {f for f in [*CODES, np.square, np.reciprocal, np.positive]
                                        if isinstance(f, np.ufunc) and f.nin == 1}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-300, 1e300, -1e300, np.inf, -np.inf, np.nan, 2.0, 7.25, -0.75]


def called(function, args, kwargs, way="numpy"):
    if way == "numba" and isinstance(function, Levels):
        function = function.compiled
    with np.errstate(all="ignore"):
        y = function(*args, **kwargs)
    return y[()] if isinstance(y, np.ndarray) else y


def results(program, values, way="numpy"):
    """What the operations give, one after the other."""
    state = dict(zip([i.var for i in program.inputs], values, strict=True))
    for op in program.ops:
        y = called(op.function, map_vars(state.__getitem__, op.args), op.kwargs, way)
        state.update(zip(op.outs, y if len(op.outs) > 1 else [y], strict=bool(op.outs)))
    return [state[v] for v in program.results]


def same(got, expected):
    """Equal in type and bit by bit, but for the sign of nan."""
    if type(got) is not type(expected) or not np.array_equal(got, expected, equal_nan=type(got) is not int):
        return False
    return isinstance(got, int | np.bool_) or (np.isnan(got) | (np.signbit(got) == np.signbit(expected))).all()


class Writer:
    """Writes a program, and runs each operation to know the type of its result."""

    def __init__(self):
        self.inputs, self.ops, self.values = [], [], {}

    def var(self, value):
        python = type(value) if type(value) in (float, int, bool) else None
        var = Var(np.shape(value), np.asarray(value).dtype, python)
        self.values[var] = value
        return var

    def input(self, value):
        self.inputs.append(Input(self.var(value), None))
        return self.inputs[-1].var

    def __call__(self, function, *args, **kwargs):
        out = self.var(called(function, map_vars(self.values.__getitem__, args), kwargs))
        self.ops.append(Op(function, args, kwargs, (out,)))
        return out

    def many(self, x, n=FEWEST):
        """That many more operations; the last result."""
        for _ in range(n):
            x = self(operator.mul, x, 1.0009765625)
        return x

    def check(self, way, *outputs):
        """That the vectorised program gives the same, also when it is called again; its operations."""
        program = Program(self.inputs, self.ops, [Output(v) for v in outputs])
        changed = vectorised(program)
        values = [self.values[i.var] for i in program.inputs]
        expected = results(program, values)
        for _ in range(2):
            for a, b in zip(results(changed, values, way), expected, strict=True):
                assert same(a, b), (a, b)
        return changed.ops


def levels_of(ops):
    return [op.function for op in ops if isinstance(op.function, Levels)]


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_random_programs_are_the_same_bit_by_bit(way, seed):
    rng, write = random.Random(seed), Writer()
    floats = [write.input(rng.choice([rng.uniform(-2, 2), rng.choice(SPECIAL)])) for _ in range(8)]
    floats.append(write.input(np.float64(rng.uniform(-2, 2))))
    truths = [write.input(True), write.input(np.bool_(False))]
    integer = write.input(rng.randint(-9, 9))
    array = write.input(np.array([[rng.choice(SPECIAL), rng.uniform(-1, 1)]]))
    outputs = []
    for _ in range(2 * FEWEST):
        x = rng.choice(floats[-rng.choice([3, 30, 300]):])
        y = rng.choice([rng.choice(floats[-30:]), rng.choice(floats), rng.choice(SPECIAL), rng.choice(truths)])
        if rng.random() < 0.1:
            out = write(operator.getitem, array, (0, rng.choice([0, 1, -1])))
        elif rng.random() < 0.15:
            out = write(rng.choice(COMPARISONS), x, y)
        else:
            f = rng.choice(EXACT)
            y = rng.choice([y, y, integer, 2, True])
            args = (x,) if f in UNARY else rng.choice([(x, y), (y, x)])
            if f is np.where:
                args = rng.choice(truths), *args
            if f is cast:
                args = rng.choice([x, rng.choice(truths)]), rng.choice([FLOAT, BOOL])
            out = write(f, *args)
        (floats if out.dtype == FLOAT else truths).append(out)
        if rng.random() < 0.05:
            outputs.append(out)
    assert len(write.check(way, *outputs, floats[-1], truths[-1])) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", [f for f in CODES if isinstance(f, np.ufunc)], ids=lambda f: f.__name__)
def test_every_function_at_special_points(way, function):
    rng = np.random.default_rng(0)
    points = [*SPECIAL, *rng.uniform(-3, 3, 20).tolist()]
    if "logical" in function.__name__:
        points = [True, False]
    if function is np.power:
        points.remove(-np.inf)  # of which the root is nan for NumPy as a number, and inf in an array
    write = Writer()
    xs = [write.input(x) for x in points]
    outs = [write(function, x, *rest) for x in xs for rest in ([()] if function.nin == 1 else [(y,) for y in xs])]
    write.many(write.input(1.0))
    program = Program(write.inputs, write.ops, [Output(v) for v in outs])
    changed = vectorised(program)
    assert len(changed.ops) == 1
    values = [write.values[i.var] for i in write.inputs]
    got, expected = results(changed, values, way), results(program, values)
    assert list(map(type, got)) == list(map(type, expected))
    got, expected = np.array(got, float), np.array(expected, float)
    finite = np.isfinite(expected)
    assert np.array_equal(got[~finite], expected[~finite], equal_nan=True)
    got, expected = got[finite], expected[finite]
    assert (np.abs(got - expected) <= 2 * np.spacing(np.abs(expected))).all()


@pytest.mark.parametrize("way", WAYS)
def test_sums_are_added_up_in_their_order(way):
    write = Writer()
    rng = np.random.default_rng(1)
    xs = [write.input(x) for x in (rng.normal(size=200) * 10.0 ** rng.integers(-9, 9, 200)).tolist()]
    sums = []
    for length, n in [(150, 1), (20, 7), (7, 20), (3, 3), (2, 60)]:  # terms of a sum, sums
        for _ in range(n):
            total = xs[rng.integers(200)]
            for i in rng.integers(0, 200, length - 1).tolist():
                total = write(operator.add, *((total, xs[i]) if rng.random() < 0.5 else (xs[i], total)))
            sums.append(total)
    x = xs[0]
    twice = write(operator.add, write(operator.add, x, x), write(operator.add, x, x))
    partial = write(operator.add, x, 0.1)  # read outside
    whole = write(operator.add, write(operator.add, partial, 0.2), 0.3)
    (one,) = levels_of(write.check(way, *sums, twice, partial, whole))
    assert len(one.table) < 12


@pytest.mark.parametrize("way", WAYS)
def test_scalars_and_arrays_mixed(way):
    write = Writer()
    rng = np.random.default_rng(2)
    table, w = write.input(rng.normal(size=(60, 3))), write.input(0.3)
    scores = []
    for i in range(60):
        row = write(operator.getitem, table, i)
        score = write(operator.mul, write(operator.getitem, row, 0), w)
        score = write(operator.add, score, write(operator.mul, write(operator.getitem, row, -1), 2.0))
        scores.append(write(np.maximum, write(operator.add, score, 0.1), 0))
    stacked = write(np.stack, scores)
    loss = write(np.sum, write(np.square, stacked))  # an array in between
    slopes = write(np.multiply, stacked, loss)
    slope = write(operator.getitem, slopes, 0)
    for i in range(1, 60):
        product = write(np.multiply, write(operator.getitem, slopes, i), write(operator.getitem, table, (i, 0)))
        slope = write(np.add, slope, write(np.add, product, write(np.maximum, scores[i], scores[i - 1])))
    again = write(operator.getitem, stacked, 3)
    new = write(np.subtract, w, write(np.multiply, slope, 0.1))
    ops = write.check(way, loss, new, scores[5], stacked, again)
    assert [getattr(op.function, "__name__", "") for op in ops] == ["levels", "square", "sum", "multiply", "levels"]
    first, second = levels_of(ops)
    assert first.cells is second.cells and ops[0].outs[-1] in ops[-1].args[0]  # and so the order is plain


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_expressed_stays_in_its_place(way):
    write = Writer()
    x, n = write.input(0.7), write.input(3)
    xs = [write(operator.add, x, k / 7) for k in range(150)]
    single = [write(cast, y, np.dtype(np.float32)) for y in xs[:2]]
    half = write(np.multiply, *single)  # float32
    counted = write(operator.add, n, 1)  # an integer
    whole = write(operator.mul, n, 10**30)
    step = write(np.multiply, write(cast, half, FLOAT), write(operator.add, x, counted))
    between = write(np.heaviside, step, 0.5)  # not known
    ys = [write(operator.mul, write(np.add, y, between), counted) for y in xs]
    unexact = write(operator.lt, x, 2**60 + 1)
    ops = write.check(way, *ys[:9], ys[-1], half, counted, whole, unexact)
    kinds = [getattr(op.function, "__name__", "") for op in ops]
    assert kinds.count("levels") == 2 and "heaviside" in kinds and kinds.index("heaviside") > kinds.index("levels")


@pytest.mark.parametrize("way", WAYS)
def test_checks_keep_their_order_and_come_first(way):
    write = Writer()
    x = write.input(1.0)
    y = write.many(x)
    positive = write(operator.gt, y, 0.0)

    def error():
        raise AssertionError

    for condition in (positive, write(operator.gt, x, 0.0)):
        write.ops.append(Op(check, (condition, error), {}, ()))
    z = write.many(y)
    ops = write.check(way, z)
    assert next(op.args[0] for op in ops if op.function is check) is positive


@pytest.mark.parametrize("way", WAYS)
def test_a_chain_of_fifty_thousand(way):
    x, w = (Var((), FLOAT, float) for _ in range(2))
    h, expected, ops = x, 0.3, []
    for k in range(50_000):
        f = (operator.mul, operator.add, operator.sub)[k % 3]
        b = 0.7 if k % 2 else 0.999
        ops.append(Op(f, (h, w if k % 2 else b), {}, (Var((), FLOAT, float),)))
        h, expected = ops[-1].out, f(expected, b)
    program = vectorised(Program([Input(x, None), Input(w, None)], ops, [Output(h)]))
    assert results(program, [0.3, 0.7], way) == [expected]
    (levels,) = levels_of(program.ops)
    assert len(levels.table) == 50_000
    if way == "numba":
        times = []
        for _ in range(9):
            start = time.perf_counter()
            levels.compiled([0.3, 0.7])
            times.append(time.perf_counter() - start)
        assert min(times) < 50_000 * 150e-9  # most often 30 ns


def test_written_numbers_and_types_of_results():
    write = Writer()
    numbers = [write.input(x) for x in (0.5, np.float64(1.5), True, np.bool_(False))]
    a = write.many(numbers[0])
    results_ = [write(operator.add, a, 1.0), write(np.add, numbers[1], a), write(operator.lt, a, 2.0),
                write(np.logical_or, numbers[3], numbers[2])]
    for i, v in zip(write.inputs, results_, strict=True):
        i.written = v
    program = vectorised(Program(write.inputs, write.ops, []))
    (op,) = program.ops
    got = dict(zip(op.outs, op.function([write.values[v] for v in op.args[0]]), strict=True))
    assert [type(got[i.written]) for i in program.inputs] == [float, np.float64, bool, np.bool_]


def test_few_operations_stay():
    write = Writer()
    write.many(write.input(1.0), FEWEST - 1)
    program = Program(write.inputs, write.ops, [Output(write.ops[-1].out)])
    assert vectorised(program) is program


def test_a_levels_can_be_shown_and_pickled():
    write = Writer()
    x = write.input(1.0)
    y = write.many(x)
    (levels,) = levels_of(write.check("numpy", y))
    assert str(levels).splitlines()[0] == "cells[2:3] = multiply(cells[0], cells[1])"
    assert pickle.loads(pickle.dumps(levels))([2.0]) == levels([2.0])


@pytest.mark.parametrize("way", WAYS)
def test_a_network_of_scalars_trains_as_without(way, monkeypatch):
    made = []

    def simplified(program, simplified=api.simplified):
        made.append(vectorised(simplified(program)))
        return made[-1]

    monkeypatch.setattr(api, "simplified", simplified)
    if way == "numba":
        monkeypatch.setattr(Levels, "__call__", Levels.compiled)

    def training():
        rng = random.Random(7)
        model = MLP(2, [8, 8, 1], rng=3)
        points = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(20)]
        labels = [1 if x * y > 0 else -1 for x, y in points]

        def step(lr):
            scores = [model([Value(x), Value(y)]) for x, y in points]
            losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
            cost = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
            for p in model.parameters():
                p.grad = None
            cost.backward()
            for p in model.parameters():
                p.data = p.data - lr * p.grad
            return cost.data

        return model, step

    (model, step), (jitted_model, jitted_step) = training(), training()
    jitted_step = jit(jitted_step, backend="numpy")
    for k in range(20):
        assert jitted_step(1.0 - k / 30) == step(1.0 - k / 30)
    assert [p.data for p in jitted_model.parameters()] == [p.data for p in model.parameters()]
    assert len(made) == 1 and len(levels_of(made[0].ops)) == 1 and len(made[0].ops) == 1
