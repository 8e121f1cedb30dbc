"""Same results: every function with a rule, random graphs, layers, costs and training runs, jitted and as written.

The NumPy backend makes the same calls. Where its numbers differ at all, a memory layout or a number in the place of
an array without axes rounds otherwise: by 4 units in the last place of the largest number of an array at most. The
compiled backend sums in another order and has functions of its own: 64 such units, and more where numbers cancel.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import nn
from autograd import functions, grad, jit, value_and_grad
from autograd.compiling.tracer import TracingError
from autograd.testing import Expression, expressions
from tests.autograd.compiling.same import BACKENDS, EVERY_BACKEND, assert_same, flat
from tests.autograd.rows import outputs, single
from tests.autograd.test_cases import CASES, NAMES
from tests.autograd.test_rules import ROWS

ULPS = 4
# What cannot be traced, or is not fit for it: sizes that depend on numbers, functions of SciPy that are no ufuncs on
# plain arrays, slow ones.
REFUSED = ("mask", "np.True_", "np.unique", "np.union1d", "np.trim_zeros", "np.setdiff1d", "np.setxor1d", "np.extract",
           "np.intersect1d", "np.compress", "np.bincount", "np.polyfit", "np.piecewise", "np.ravel K", "np.exp where",
           "np.divide where", "np.multiply where", "np.apply_along_axis matrices", "bessel_i", "scipy.linalg.",
           "scipy.stats.", "scipy.special.comb", "scipy.special.perm", "scipy.special.multigammaln", "softmax axis",
           "scipy.special.polygamma", "scipy.special.spherical", "scipy.special.logsumexp")
SLOW = ("scipy.special.pro_", "scipy.special.obl_")
TABLE = [(f"{row.name}", row.function, row.inputs) for row in ROWS]
TABLE += [(f"{name} case", case.call, [single(x) for x in case.sample()] if "float32" in case.checks else case.sample())
          for name, case in zip(NAMES, CASES, strict=True) if not any(s in name for s in SLOW)]
TABLE += [(f"{name} complex", case.call, case.sample(complex_ones=True))
          for name, case in zip(NAMES, CASES, strict=True) if "complex" in case.checks]


def with_gradients(f: Callable, inputs: Any) -> Callable:
    """A function that gives the results of ``f`` and the gradients of their sum with fixed weights."""
    rng = np.random.default_rng(0)
    weights = []
    for y in outputs(f(*inputs)):
        w = rng.uniform(0.5, 1.5, np.shape(y)) + (1j * rng.uniform(0.5, 1.5, np.shape(y)) if np.iscomplexobj(y) else 0)
        dtype = np.result_type(y)
        weights.append(np.asarray(w, dtype if dtype.kind in "fc" else float)[()])

    def total(*arrays: Any) -> Any:
        return sum(np.real(np.sum(y * w)) for y, w in zip(outputs(f(*arrays)), weights, strict=True))

    slopes = grad(total, tuple(range(len(inputs))))
    return lambda *arrays: ([_own(y) for y in outputs(f(*arrays))], slopes(*arrays))


def _own(x: Any) -> Any:
    """A result that is no argument, nor a view of one."""
    return x if getattr(x, "dtype", np.dtype(float)).kind == "b" else x + 0


def scalars(x: Any) -> list:
    """Arrays without axes as the numbers they are."""
    return [y[()] if isinstance(y, np.ndarray) and not y.ndim else y for y in flat(x)]


@pytest.mark.parametrize("part", range(8))
def test_every_rule_gives_the_same_value_and_gradient(part):
    """In parts, not one test each: pytest's own time for 2,500 tests would be more than theirs."""
    refused, wrong = [], []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, f, inputs in TABLE[part::8]:
            both = with_gradients(f, inputs)
            jitted = jit(both, backend="numpy")
            wanted = scalars(both(*inputs))
            try:
                assert_same(scalars(jitted(*inputs)), wanted, ULPS)
                assert_same(scalars(jitted(*inputs)), wanted, ULPS)
            except TracingError as error:
                refused.append((name, str(error)))
            except Exception as error:
                wrong.append((name, repr(error)))
    assert not wrong, wrong
    unexpected = [x for x in refused if not any(r in x[0] for r in REFUSED)]
    assert not unexpected, unexpected


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
def test_some_rules_compiled_give_the_same_value_and_gradient():
    """Thirty of all families, in one program."""
    chosen = [(with_gradients(f, inputs), inputs) for name, f, inputs in TABLE[3::80]
              if not any(r in name for r in REFUSED)]

    def everything(*arguments: Any) -> list:
        return [f(*inputs) for (f, _), inputs in zip(chosen, arguments, strict=True)]

    arguments = [tuple(inputs) for _, inputs in chosen]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        wanted, jitted = everything(*arguments), jit(everything, backend="numba")
        for _ in range(2):
            assert_same(scalars(jitted(*arguments)), scalars(wanted), 64)


# Random graphs

def check_graph(f: Expression, backend: str, ulps: float) -> None:
    everything = tuple(range(len(f.inputs)))
    both = value_and_grad(lambda *inputs: np.sum(f(*inputs)), everything)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted, jitted = both(*f.inputs), jit(both, backend=backend)
        for _ in range(2):
            assert_same(scalars(jitted(*f.inputs)), scalars(wanted), ulps)


@settings(derandomize=True, deadline=None, database=None, max_examples=150)
@given(st.sampled_from([np.float64, np.float32]).flatmap(lambda dtype: expressions(kinks=True, dtype=dtype)))
def test_random_graphs_in_numpy_are_the_same(f: Expression):
    check_graph(f, "numpy", ULPS)


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
@settings(derandomize=True, deadline=None, database=None, max_examples=10,
          phases=[Phase.generate])
@given(st.sampled_from([np.float64, np.float32]).flatmap(lambda dtype: expressions(dtype=dtype)))
def test_random_graphs_in_numba_are_the_same(f: Expression):
    check_graph(f, "numba", 1024)  # graphs cancel and divide: what matters is that no number is simply wrong


# Layers and costs



def spatial(rng: np.random.Generator, dtype: Any, shape: tuple, *layers: nn.Module, size: int) -> nn.Module:
    """Layers of images or signals of ``shape``, which give ``size`` numbers, between two linear ones."""
    return nn.Sequential(nn.Linear(5, int(np.prod(shape)), rng=rng, dtype=dtype),
                         lambda x: np.reshape(x, (-1, *shape)), *layers, nn.Flatten(),
                         nn.Linear(size, 4, rng=rng, dtype=dtype))


LAYERS = {
    "Linear": lambda rng, dtype: nn.Linear(5, 4, rng=rng, dtype=dtype),
    "Linear without bias": lambda rng, dtype: nn.Linear(5, 4, bias=False, rng=rng, dtype=dtype),
    "MLP": lambda rng, dtype: nn.MLP([5, 6, 4], rng=rng, dtype=dtype),
    **{kind.__name__: lambda rng, dtype, kind=kind: nn.Sequential(nn.Linear(5, 4, rng=rng, dtype=dtype), kind())
       for kind in (nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Softmax,
                    nn.LogSoftmax)},
    "GELU by tanh": lambda rng, dtype: nn.Sequential(nn.Linear(5, 4, rng=rng, dtype=dtype), nn.GELU("tanh")),
    "images": lambda rng, dtype: spatial(
        rng, dtype, (2, 6, 6), nn.Conv2d(2, 3, 3, padding="same", rng=rng, dtype=dtype), nn.MaxPool2d(3, 2, 1),
        nn.ConvTranspose2d(3, 4, 2, 2, groups=1, rng=rng, dtype=dtype), nn.AvgPool2d(2, ceil_mode=True, padding=1),
        nn.Conv2d(4, 6, (3, 2), (1, 2), dilation=(1, 2), groups=2, bias=False, rng=rng, dtype=dtype),
        nn.AdaptiveAvgPool2d((1, 1)), size=6),
    "signals": lambda rng, dtype: spatial(
        rng, dtype, (2, 9), nn.Conv1d(2, 3, 3, padding=1, rng=rng, dtype=dtype), nn.MaxPool1d(2),
        nn.ConvTranspose1d(3, 2, 3, 2, rng=rng, dtype=dtype), nn.AvgPool1d(2, count_include_pad=False, padding=1),
        nn.AdaptiveAvgPool1d(3), size=6),
}
COSTS = {
    "quadratic_cost": nn.quadratic_cost, "mse_loss": nn.mse_loss, "cross_entropy": nn.cross_entropy,
    "cross_entropy of labels": lambda z, y: nn.cross_entropy(z, np.argmax(y, axis=1)),
    "binary_cross_entropy": lambda z, y: nn.binary_cross_entropy(1 / (1 + np.exp(-z)), y),
    "binary_cross_entropy_with_logits": nn.binary_cross_entropy_with_logits,
    "l1_loss": nn.l1_loss, "huber_loss": nn.huber_loss,
    "nll_loss": lambda z, y: nn.nll_loss(functions.log_softmax(z), np.argmax(y, axis=1)),
    "kl_div": lambda z, y: nn.kl_div(functions.log_softmax(z), y),
    "hinge_loss": lambda z, y: nn.hinge_loss(z, 2 * y - 1),
    "hinge_embedding_loss": lambda z, y: nn.hinge_embedding_loss(z, 2 * y - 1),
    "multi_margin_loss": lambda z, y: nn.multi_margin_loss(z, np.argmax(y, axis=1), p=2),
    "cosine_embedding_loss": lambda z, y: nn.cosine_embedding_loss(z, y, 2 * y[:, 0] - 1, margin=-0.5),
    "ctc_loss": lambda z, y: nn.ctc_loss(functions.log_softmax(z)[:, None], 1 + np.argmax(y[:2, 1:], axis=1)[None],
                                         [6], [2]),
}


def step_of(model: nn.Module, cost: Callable, optimizer: nn.Optimizer | None) -> Callable:
    def step(x: Any, y: Any) -> Any:
        c = cost(model(x), y)
        model.zero_grad()
        c.backward()
        if optimizer:
            optimizer.step()
        return c.data * 1.0
    return step


def compared(make: Callable, backend: str, ulps: float, calls: int = 2, dtype: Any = np.float32) -> None:
    """The same cost, gradients and parameters after each call, with and without jit."""
    results = []
    for wrapped in (lambda f: f, lambda f: jit(f, backend=backend)):
        model, cost, optimizer = make()
        step, rng = wrapped(step_of(model, cost, optimizer)), np.random.default_rng(7)
        seen: list = []
        for _ in range(calls):
            x, y = rng.normal(size=(6, 5)).astype(dtype), np.eye(4, dtype=dtype)[rng.integers(0, 4, 6)]
            seen += [step(x, y), *(np.copy(p.grad) for p in model.parameters()), *model.state_dict().values()]
        results.append(seen)
    assert_same(results[1], results[0], ulps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer(layer, dtype):
    def make() -> Any:
        model = LAYERS[layer](np.random.default_rng(1), dtype)
        return model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1)
    compared(make, "numpy", ULPS, dtype=dtype)


@pytest.mark.parametrize("cost", COSTS)
def test_every_cost(cost):
    def make() -> Any:
        model = LAYERS["MLP"](np.random.default_rng(1), np.float32)
        return model, COSTS[cost], nn.SGD(model.parameters(), lr=0.1)
    compared(make, "numpy", ULPS)


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
def test_every_layer_and_cost_compiled():
    """All in one program, since each takes a second to compile."""
    def make() -> Any:
        rng = np.random.default_rng(1)
        layers = [layer(rng, np.float32) for layer in LAYERS.values()]
        costs = list(COSTS.values())

        class All(nn.Module):
            def __init__(self) -> None:
                self.layers = layers

            def __call__(self, x: Any) -> Any:
                return x

        def cost(x: Any, y: Any) -> Any:
            return sum(costs[i % len(costs)](layers[i % len(layers)](x), y)
                       for i in range(max(len(costs), len(layers))))

        model = All()
        return model, cost, nn.SGD(model.parameters(), lr=0.1)
    compared(make, "numba", 64)


# Training

OPTIMIZERS: dict[str, Callable] = {
    "SGD": lambda ps: nn.SGD(ps, lr=0.5),
    "SGD with momentum": lambda ps: nn.SGD(ps, lr=0.1, momentum=0.9),
    "SGD with Nesterov's momentum and decay": lambda ps: nn.SGD(ps, 0.1, 0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda ps: nn.Adam(ps, lr=0.01),
    "AdamW": lambda ps: nn.AdamW(ps, lr=0.01, weight_decay=0.1),
}


def trained(optimizer: str, wrapped: Callable, steps: int = 1000) -> tuple[list, nn.Module, nn.Optimizer]:
    """A small digit network after a thousand steps."""
    rng = np.random.default_rng(0)
    model = nn.MLP([20, 8, 8, 4], nn.Sigmoid, nn.Sigmoid, rng=rng)
    x = rng.random((200, 20), np.float32)
    y = np.eye(4, dtype=np.float32)[np.argmax(x[:, :4], axis=1)]
    chosen = OPTIMIZERS[optimizer](model.parameters())
    step = wrapped(step_of(model, nn.quadratic_cost, chosen))
    costs = [float(step(x[at], y[at])) for at in (rng.integers(0, 200, 10) for _ in range(steps))]
    return costs, model, chosen


@EVERY_BACKEND
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_thousand_steps(optimizer, backend):
    """NumPy's are the same to the last bit; compiled ones drift apart slowly, and end equally well."""
    wanted, model, outside = trained(optimizer, lambda f: f)
    costs, jitted, inside = trained(optimizer, lambda f: jit(f, backend=backend))
    assert (inside.steps, inside.counts) == (outside.steps, outside.counts)
    assert costs[-1] < costs[0]
    for p, q in zip(jitted.parameters(), model.parameters(), strict=True):
        if backend == "numpy":
            np.testing.assert_array_equal(p.data, q.data)
        else:
            np.testing.assert_allclose(p.data, q.data, rtol=2e-2, atol=2e-2)
    if backend == "numpy":
        assert costs == wanted
    np.testing.assert_allclose(costs[:50], wanted[:50], rtol=1e-4)


@EVERY_BACKEND
def test_every_run_gives_the_same_bits(backend):
    first, model, _ = trained("Adam", lambda f: jit(f, backend=backend), 200)
    again, other, _ = trained("Adam", lambda f: jit(f, backend=backend), 200)
    assert first == again
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
