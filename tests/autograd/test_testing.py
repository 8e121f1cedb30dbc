"""``autograd.testing``: strategies keep to their domains, graphs are safe and readable, five lines test a primitive."""

import ast
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from hypothesis.strategies import tuples

from autograd import Value, defvjp, grad, primitive
from autograd.testing import (
    Expression,
    arrays,
    assert_gradients,
    broadcastable_shapes,
    expressions,
    random_expression,
)

repeatable = settings(derandomize=True, deadline=None, database=None, max_examples=60)


# A user's primitive, tested in five lines

@pytest.mark.usefixtures("temporary_rules")
@pytest.mark.parametrize(("slope", "passes"), [
    (lambda x: 1 / (1 + np.abs(x)) ** 2, True),
    (lambda x: 1 / (1 + np.abs(x)), False),
    (lambda x: np.where(x < 0, 1.001, 1) / (1 + np.abs(x)) ** 2, False),
])
def test_a_right_rule_passes_and_a_wrong_one_fails(slope, passes):
    @primitive
    def softsign(x):
        return x / (1 + np.abs(x))

    defvjp(softsign, lambda y, x: lambda g: g * slope(x))

    @settings(repeatable, phases=[Phase.generate])  # without making a failure simple, which takes time
    @given(arrays((2, 3), kinks=[0.0]))
    def test_softsign(x):
        assert_gradients(softsign, x)

    if passes:
        test_softsign()
    else:
        with pytest.raises(AssertionError, match="gradcheck"):
            test_softsign()


# Arrays

@repeatable
@given(arrays(array_shapes(max_dims=3, max_side=4)))
def test_arrays_are_floats_between_minus_2_and_2(x):
    assert x.dtype == np.float64
    assert np.all(np.abs(x) <= 2)


@repeatable
@given(arrays((2, 3), -1, 5, kinks=[3.0, 0.0, 4.95, 9.0], distance=0.25))
def test_arrays_stay_away_from_kinks(x):
    assert x.shape == (2, 3)
    assert np.all((x >= -1) & (x <= 5))
    assert all(np.all(np.abs(x - kink) >= 0.25) for kink in (0.0, 3.0, 4.95))


@repeatable
@given(arrays(array_shapes(max_dims=2, max_side=3), 0.1, 0.7, kinks=[0.3], dtype=np.float32))
def test_arrays_of_single_precision_stay_inside_too(x):
    assert x.dtype == np.float32
    assert np.all((x.astype(float) >= 0.1) & (x.astype(float) <= 0.7) & (np.abs(x - 0.3) >= 0.09999))


@repeatable
@given(arrays(st.sampled_from([4, (), (2, 2), (1, 3, 1)]), kinks=[0.0, 1.0], distance=0.2, distinct=True))
def test_distinct_elements_are_apart_from_each_other_and_from_kinks(x):
    near = np.abs(x.ravel()[:, None] - [*x.ravel(), 0.0, 1.0])
    np.fill_diagonal(near, 1.0)
    assert np.all(near >= 0.2 - 1e-12)


def test_distinct_elements_fill_their_domain():
    x = hypothesis.find(arrays(5, 0, 1, distance=0.25, distinct=True, dtype=np.float32), lambda x: True)
    assert x.dtype == np.float32
    assert sorted(x) == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(("error", "text", "make"), [
    (ValueError, r"no number from -0.05 to 0.05 is 0.1 away from \[0.0\]: pass a smaller distance",
     lambda: arrays(3, -0.05, 0.05, kinks=[0.0])),
    (ValueError, r"no number from 2 to 1 is", lambda: arrays(3, 2, 1)),
    (ValueError, r"shape \(10, 10\) has 100 elements, but only 41 numbers from -2 to 2 are 0.1 apart",
     lambda: arrays((10, 10), distinct=True)),
    (TypeError, "dtype: expected one of floats, because only of these there is a gradient, got 'int64'",
     lambda: arrays(3, dtype="int64")),
])
def test_what_cannot_be_drawn_is_refused(error, text, make):
    with pytest.raises(error, match=text):
        make()


@repeatable
@given(broadcastable_shapes(3, max_dims=2, max_side=4))
def test_shapes_broadcast(shapes):
    assert len(shapes) == 3
    assert len(np.broadcast_shapes(*shapes)) <= 2
    assert all(1 <= side <= 4 for shape in shapes for side in shape)


# Random graphs

def is_safe(f: Expression) -> None:
    """Finite, moderate, and the same by its source, wherever that is run."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        y = f(*f.inputs)
    assert np.all(np.isfinite(y))
    assert np.max(np.abs(y)) < 1000
    values = [Value(x) for x in f.inputs]
    assert type(f(*values)) is Value
    names: dict = {}
    exec("import numpy as np\nfrom numpy import array, float32\nfrom autograd.functions import *\n"
         + repr(f).replace("\nf(", "\ny = f("), names)
    np.testing.assert_allclose(names["y"], y, rtol=1e-5)


@repeatable
@given(tuples(st.booleans(), st.booleans(), st.sampled_from([np.float64, np.float32])).flatmap(
    lambda c: expressions(kinks=c[0], scalar=c[1], dtype=c[2])))
def test_expressions_are_safe_and_print_as_their_source(f):
    is_safe(f)


@pytest.mark.parametrize("kinks", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_random_expressions_are_safe_and_repeatable(kinks, dtype):
    for seed in range(50):
        f, same = (random_expression(np.random.default_rng(seed), kinks=kinks, dtype=dtype) for _ in range(2))
        is_safe(f)
        assert repr(f) == repr(same)
        assert {np.result_type(x) for x in f.inputs} == {np.dtype(dtype)}
        assert np.result_type(f(*f.inputs)) == dtype


def test_random_expressions_are_varied():
    fs = [random_expression(np.random.default_rng(seed), kinks=True) for seed in range(1000)]
    text = " ".join(f.source for f in fs)
    for name in ("np.exp(", "np.log(", " @ ", "np.sum(", "axis=1", "np.concatenate(", "np.where(", "np.reshape(", ".T",
                 "np.maximum(", "relu(", "np.sort(", "np.abs(", "np.clip(", "np.floor(", "[..., ::-1]", "softmax("):
        assert text.count(name) >= 10, name
    assert {np.ndim(x) for f in fs for x in f.inputs} == {0, 1, 2, 3}
    assert {np.ndim(f(*f.inputs)) > 0 for f in fs} == {True, False}
    assert {len(f.inputs) for f in fs} == {1, 2, 3}


def test_smooth_ones_have_no_kinks():
    text = " ".join(random_expression(np.random.default_rng(seed)).source for seed in range(300))
    assert not any(name in text for name in ("relu", "abs", "maximum", "sort", "floor", "sign(", "clip", " > "))


def test_scalar_ones_are_of_scalars_and_as_long_as_wanted():
    for seed in range(50):
        f = random_expression(np.random.default_rng(seed), scalar=True, max_operations=2)
        assert all(type(x) is float for x in f.inputs)
        assert np.ndim(f(*f.inputs)) == 0
        assert f.source.count("\n") <= 2 + 2 * 2  # each may need a line that bounds it


def test_every_input_counts():
    for seed in range(50):
        f = random_expression(np.random.default_rng(seed))
        function = ast.parse(f.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        names = [node.id for node in ast.walk(function) if isinstance(node, ast.Name)
                 and isinstance(node.ctx, ast.Load)]
        assert {a.arg for a in function.args.args} <= set(names)


def test_a_failing_expression_becomes_simple():
    f = hypothesis.find(expressions(scalar=True), lambda f: "np.tanh(" in f.source, settings=repeatable)
    assert f.source.count("\n") <= 6, f
    assert grad(lambda *xs: np.sum(f(*xs)))(*f.inputs) is not None


def test_without_hypothesis_the_error_names_the_extra():
    script = "import sys; sys.modules['hypothesis'] = None; import autograd.testing"
    ran = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert "ImportError: autograd.testing needs hypothesis: pip install 'nudgegrad[test]'" in ran.stderr


def test_the_engine_does_not_load_hypothesis():
    script = "import sys, autograd; autograd.gradcheck(abs, 1.0); print('hypothesis' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert ran.stdout.strip() == "False"
