"""``jit`` of functions that draw random numbers: new ones at each call, in the stream of the run without jit."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, jit
from autograd.compiling.tracer import TracingError
from tests.autograd.compiling.same import BACKENDS, TOLERANCE, assert_same

x3 = np.array([0.5, -1.0, 2.0])
matrix = np.arange(12.0).reshape(4, 3)
single = np.float32

DRAWS: dict[str, Callable] = {
    "random": lambda rng: rng.random((2, 3)),
    "random, one": lambda rng: rng.random(),
    "random, single": lambda rng: rng.random((2, 3), single),
    "random, by name": lambda rng: rng.random(size=4, dtype=single),
    "standard_normal": lambda rng: rng.standard_normal((2, 3)),
    "standard_normal, single": lambda rng: rng.standard_normal(5, dtype=single),
    "standard_normal, by position": lambda rng: rng.standard_normal(5, single),
    "standard_exponential": lambda rng: rng.standard_exponential(5, np.float64, "inv"),
    "standard_exponential, single": lambda rng: rng.standard_exponential((5,), dtype=single, method="zig"),
    "standard_gamma": lambda rng: rng.standard_gamma(2.0, 5, single),
    "normal": lambda rng: rng.normal(1.0, 2.0, (2, 3)),
    "normal, one": lambda rng: rng.normal(),
    "normal, by name": lambda rng: rng.normal(scale=3.0, size=4),
    "uniform": lambda rng: rng.uniform(-1, 1, size=(3, 2)),
    "integers": lambda rng: rng.integers(10, size=5),
    "integers, one": lambda rng: rng.integers(0, 10),
    "integers, small": lambda rng: rng.integers(0, 9, 5, np.int8, endpoint=True),
    "permutation": lambda rng: rng.permutation(6),
    "permutation of an array": lambda rng: rng.permutation(matrix, axis=1),
    "permuted": lambda rng: rng.permuted(matrix, axis=0),
    "choice": lambda rng: rng.choice(6, 4),
    "choice without replacement": lambda rng: rng.choice(x3, 2, replace=False),
    "choice with weights": lambda rng: rng.choice(3, 5, p=[0.2, 0.3, 0.5]),
    "binomial": lambda rng: rng.binomial(5, 0.3, 6),
    "poisson": lambda rng: rng.poisson(2.5, 6),
    "exponential": lambda rng: rng.exponential(2.0, 4),
    "beta": lambda rng: rng.beta(1.0, 2.0, 4),
    "multivariate_normal": lambda rng: rng.multivariate_normal(np.zeros(2), np.eye(2), 3),
    "dirichlet": lambda rng: rng.dirichlet([1.0, 2.0], 3),
    "multinomial": lambda rng: rng.multinomial(5, [0.5, 0.5], 2),
    "several": lambda rng: [rng.random(2), rng.normal(), rng.integers(5, size=2), rng.random(3)],
}


def stream(rng: np.random.Generator) -> Any:
    return rng.bit_generator.state


@pytest.mark.parametrize("name", DRAWS)
def test_every_draw(name):
    """The same numbers of the same types, and the generator stands at the same place after each call."""
    inside, outside = np.random.default_rng(3), np.random.default_rng(3)
    f = jit(lambda: DRAWS[name](inside), backend="numpy")
    for _ in range(4):
        got, wanted = f(), DRAWS[name](outside)
        assert_same(got, wanted)
        assert type(got) is type(wanted)
        assert stream(inside) == stream(outside)
    assert f._traces == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_draws_in_one_program(backend):
    """In their order, though some are used late, twice or never."""
    inside, outside = np.random.default_rng(3), np.random.default_rng(3)

    def f(rng: Any, x: Any) -> Any:
        drawn = [draw(rng) for draw in DRAWS.values()]
        rng.random(7)  # nobody reads these
        late = rng.standard_normal(3)
        return [drawn[0] * drawn[0], drawn[1] + x, late * 2 + x, drawn[::-1]]

    jitted = jit(functools.partial(f, inside), backend=backend)
    for k in range(3):
        assert_same(jitted(float(k)), f(outside, float(k)), TOLERANCE[backend])
        assert stream(inside) == stream(outside)


def test_draws_with_traced_parameters():
    inside, outside = np.random.default_rng(3), np.random.default_rng(3)

    def f(rng: Any, x: Any, scale: Any) -> Any:
        return rng.normal(x, scale), rng.permutation(x), rng.choice(x, 2), rng.uniform(0, scale, 3), x[rng.integers(3)]

    jitted = jit(functools.partial(f, inside), backend="numpy")
    for scale in (1.0, 2.0, 0.5):
        assert_same(jitted(x3 * scale, scale), f(outside, x3 * scale, scale))
    assert stream(inside) == stream(outside)


def test_where_a_generator_can_be():
    """In an attribute, a closure, a global, a list, an argument; two names of one are one stream."""
    def make(seed: int) -> tuple:
        class Noise(nn.Module):
            def __init__(self) -> None:
                self.rng = np.random.default_rng(seed)
                self.more = [self.rng, {"a": np.random.default_rng(seed + 1)}]
                self.draw = self.rng.normal

            def __call__(self, x: Any) -> Any:
                return x + self.rng.random(3) + self.more[0].random() + self.more[1]["a"].random() + self.draw()

        noise, other = Noise(), np.random.default_rng(seed + 2)

        def f(x: Any, rng: Any) -> Any:
            return noise(x) * other.random() + rng.normal(size=3)
        return f, noise, other

    f, noise, other = make(0)
    g, plain, another = make(0)
    jitted = jit(f, backend="numpy")
    given, taken = np.random.default_rng(9), np.random.default_rng(9)
    for _ in range(3):
        assert_same(jitted(x3, given), g(x3, taken))
        for a, b in [(noise.rng, plain.rng), (noise.more[1]["a"], plain.more[1]["a"]), (other, another),
                     (given, taken)]:
            assert stream(a) == stream(b)
    noise.rng, plain.rng = np.random.default_rng(77), np.random.default_rng(77)  # ``draw`` is still of the old
    given, taken = np.random.default_rng(5), np.random.default_rng(5)
    assert_same(jitted(x3, given), g(x3, taken))
    assert stream(given) == stream(taken)


def test_a_generator_that_is_moved_in_between():
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    f = jit(lambda: rng.random(3), backend="numpy")
    for _ in range(2):
        assert_same(f(), twin.random(3))
        assert_same(rng.normal(), twin.normal())
        rng.bit_generator.state = twin.bit_generator.state = np.random.default_rng(8).bit_generator.state


class Dropout(nn.Module):
    """Written by a user."""

    def __init__(self, p: float, rng: np.random.Generator) -> None:
        self.p, self.rng = p, rng

    def __call__(self, x: Any) -> Any:
        if not self.training:
            return x
        kept = self.rng.random(x.shape, np.float32) >= self.p
        return x * kept / (1 - self.p)


@pytest.mark.parametrize("backend", BACKENDS)
def test_training_with_dropout_and_noise(backend):
    def run(wrapped: Callable) -> list:
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(4, 8, rng=rng), nn.Tanh(), Dropout(0.5, rng), nn.Linear(8, 2, rng=rng))
        optimizer = nn.Adam(model.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            cost = nn.mse_loss(model(x + rng.normal(0, np.float32(0.1), x.shape).astype(np.float32)), y)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            return cost.data * 1

        step, seen = wrapped(step), []
        data = np.random.default_rng(1)
        for k in range(6):
            model.train(k != 3)
            seen.append(step(data.random((5, 4), np.float32), data.random((5, 2), np.float32)))
        return [seen, *model.state_dict().values(), stream(rng)]

    assert_same(run(lambda f: jit(f, backend=backend)), run(lambda f: f), 0 if backend == "numpy" else 512)


def test_draws_have_no_gradient_and_are_the_same_forward_and_backward():
    inside, outside = np.random.default_rng(0), np.random.default_rng(0)

    def f(rng: Any, x: Any) -> Any:
        v = Value(x)
        (v * v * rng.random(3)).sum().backward()
        return v.grad

    jitted = jit(functools.partial(f, inside), backend="numpy")
    for _ in range(3):
        assert_same(jitted(x3), f(outside, x3))


def test_a_failed_trace_and_a_plan_leave_the_stream():
    rng = np.random.default_rng(0)
    before = stream(rng)

    def f(x: Any) -> Any:
        if rng.random() > 0.5:
            return x
        return -x

    for _ in range(2):
        with pytest.raises(TracingError, match="the truth"):
            jit(f, backend="numpy")(x3)
        assert stream(rng) == before
    jit(lambda x: x + rng.random(3), backend="numpy").plan(x3)
    assert stream(rng) == before


def test_what_a_traced_generator_refuses():
    rng = np.random.default_rng(0)
    a = np.arange(4.0)
    for f, text in [(lambda: rng.shuffle(a), r"rng.shuffle of a traced generator.*\n.*x = rng.permutation\(x\)"),
                    (lambda: rng.spawn(2), r"rng.spawn of a traced generator.*\n.*outside"),
                    (lambda: rng.random(out=np.zeros(3)), r"rng.random\(out=...\).*\n.*x = rng.random\(...\)"),
                    (lambda: rng.bytes(3), "which is no array")]:
        before = stream(rng)
        with pytest.raises(TracingError, match=text):
            jit(f, backend="numpy")()
        assert stream(rng) == before
    assert_same(a, np.arange(4.0))
