"""``jit`` of training steps: every optimizer, schedules, clipping, modes, and what a user does between the calls."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, jit
from tests.autograd.compiling.same import BACKENDS, TOLERANCE, assert_same

OPTIMIZERS: dict[str, Callable] = {
    "SGD": lambda ps: nn.SGD(ps, lr=0.5),
    "momentum": lambda ps: nn.SGD(ps, lr=0.1, momentum=0.9),
    "Nesterov": lambda ps: nn.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "weight decay": lambda ps: nn.SGD(ps, lr=0.1, weight_decay=0.1),
    "all of SGD": lambda ps: nn.SGD(ps, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda ps: nn.Adam(ps, lr=0.01),
    "Adam with decay": lambda ps: nn.Adam(ps, lr=0.01, weight_decay=0.1),
    "AdamW": lambda ps: nn.AdamW(ps, lr=0.01, weight_decay=0.1),
    "amsgrad": lambda ps: nn.AdamW(ps, lr=0.01, amsgrad=True),
    "NAdam": lambda ps: nn.NAdam(ps, lr=0.01, weight_decay=0.1),
    "NAdam decoupled": lambda ps: nn.NAdam(ps, lr=0.01, weight_decay=0.1, decoupled_weight_decay=True),
    "RMSprop": lambda ps: nn.RMSprop(ps, lr=0.01),
    "all of RMSprop": lambda ps: nn.RMSprop(ps, lr=0.01, weight_decay=0.1, momentum=0.5, centered=True),
    "Adagrad": lambda ps: nn.Adagrad(ps, lr=0.1, lr_decay=0.1, weight_decay=0.1),
    "Adadelta": lambda ps: nn.Adadelta(ps, weight_decay=0.1),
    "groups": lambda ps: grouped([*ps]),
}


def grouped(ps: list) -> nn.Optimizer:
    return nn.SGD([{"params": [p for p in ps if p.ndim < 2], "lr": 0.2, "weight_decay": 0.0},
                   {"params": [p for p in ps if p.ndim > 1], "momentum": 0.5}], lr=0.1, weight_decay=0.1)


class Run:
    """A model, its optimizer and a step, with random mini-batches that are always the same."""

    def __init__(self, wrapped: Callable = lambda f: f, optimizer: Any = "SGD", dtype: Any = np.float32,
                 model: Any = None, step: Any = None) -> None:
        self.model = model() if model else nn.MLP([4, 5, 3], nn.Tanh, rng=3, dtype=dtype)
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.rng = np.random.default_rng(5)
        self.dtype = dtype
        if step is None:
            def step(x: Any, y: Any) -> Any:
                cost = nn.mse_loss(self.model(x), y)
                self.optimizer.zero_grad()
                cost.backward()
                self.optimizer.step()
                return cost
        else:
            step = step(self)
        self.step = wrapped(step)

    def batch(self, n: int = 6) -> tuple[Any, Any]:
        return self.rng.normal(size=(n, 4)).astype(self.dtype), self.rng.normal(size=(n, 3)).astype(self.dtype)

    def state(self) -> list:
        """All that a step may change."""
        buffers = {k: [np.copy(b) for b in bs] for k, bs in self.optimizer.buffers.items()}
        return [[np.copy(p.data) if p.shape else p.data for p in self.model.parameters()],
                [None if p.grad is None else np.copy(p.grad) if p.shape else p.grad for p in self.model.parameters()],
                buffers, self.optimizer.steps, self.optimizer.counts[:], self.optimizer.lr,
                [type(p.data) for p in self.model.parameters() if not p.shape]]


def compared(use: Callable[[Run], Any], backend: str = "numpy", ulps: float | None = None, traces: int | None = None,
             **options: Any) -> None:
    """``use(run)`` gives the same, and leaves the same, where the step is jitted."""
    outside = Run(**options)
    wanted = [use(outside), outside.state()]
    inside = Run(wrapped=lambda f: jit(f, backend=backend), **options)
    got = [use(inside), inside.state()]
    assert_same(got, wanted, TOLERANCE[backend] if ulps is None else ulps)
    assert inside.step._traces == traces if traces else inside.step._traces


def several(run: Run, n: int = 3) -> list:
    seen = []
    for _ in range(n):
        result = run.step(*run.batch())
        seen += [result.data * 1 if isinstance(result, Value) else result, run.state()]
    return seen


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer(optimizer, dtype):
    compared(several, optimizer=optimizer, dtype=dtype, traces=1)


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
@pytest.mark.parametrize("optimizer", ["all of SGD", "AdamW"])
def test_every_optimizer_compiled(optimizer):
    compared(several, "numba", 64, optimizer=optimizer, traces=1)


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
def test_the_other_optimizers_compiled():
    """All in one program, since each takes a second to compile."""
    def use(wrapped: Callable) -> list:
        runs = [Run(optimizer=o, model=lambda: nn.Linear(4, 3, rng=3)) for o in (
            "amsgrad", "NAdam decoupled", "all of RMSprop", "Adagrad", "Adadelta", "groups")]

        def step(x: Any, y: Any) -> list:
            return [run.step(x, y) for run in runs]

        step = wrapped(step)
        return [([v.data * 1 for v in step(*runs[0].batch())], [run.state() for run in runs]) for _ in range(3)]

    assert_same(use(lambda f: jit(f, backend="numba")), use(lambda f: f), 64)


def test_no_array_is_replaced():
    """Parameters and buffers are updated where they are, so that whoever holds them sees it."""
    run = Run(lambda f: jit(f, backend="numpy"), "all of SGD")

    def arrays() -> list:
        return [p.data for p in run.model.parameters()] + run.optimizer.buffers["momentum"]

    before = arrays()
    several(run)
    assert all(a is b for a, b in zip(before, arrays(), strict=True))


# Schedules and clipping

SCHEDULES: dict[str, Callable] = {
    "Step": lambda o: nn.Step(o, 2, 0.5), "Cosine": lambda o: nn.Cosine(o, 7, 0.01),
    "OneCycle": lambda o: nn.OneCycle(o, 0.5, 9), "Warmup": lambda o: nn.Warmup(o, 4),
    "Warmup of Cosine": lambda o: nn.Warmup(nn.Cosine(o, 5), 3),
    "Warmup of Step": lambda o: nn.Warmup(nn.Step(o, 2), 3),
}


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, inside):
    def step_of(run: Run) -> Callable:
        run.schedule = SCHEDULES[name](run.optimizer)

        def step(x: Any, y: Any) -> Any:
            cost = nn.mse_loss(run.model(x), y)
            run.optimizer.zero_grad()
            cost.backward()
            run.optimizer.step()
            if inside:
                run.schedule.step()
            return cost
        return step

    def use(run: Run) -> Any:
        seen = []
        for _ in range(10):
            seen += [run.step(*run.batch()).data * 1, run.optimizer.lr, run.schedule.steps]
            if not inside:
                run.schedule.step()
        assert type(run.optimizer.lr) is float
        return seen

    compared(use, step=step_of, optimizer="momentum", traces=1 if inside else 2)  # its count is found to change


@pytest.mark.parametrize("clip", [lambda ps: nn.clip_grad_norm(ps, 0.1), lambda ps: nn.clip_grad_norm(ps, 1e6),
                                  lambda ps: nn.clip_grad_value(ps, 0.05)])
def test_clipping(clip):
    def step_of(run: Run) -> Callable:
        def step(x: Any, y: Any) -> Any:
            run.optimizer.zero_grad()
            nn.mse_loss(run.model(x), y).backward()
            norm = clip(run.model.parameters())
            run.optimizer.step()
            return norm
        return step

    compared(several, step=step_of, ulps=4)


def test_a_norm_that_is_not_finite_changes_nothing():
    def step_of(run: Run) -> Callable:
        def step(x: Any, y: Any) -> Any:
            run.optimizer.zero_grad()
            nn.mse_loss(run.model(x), y).backward()
            nn.clip_grad_norm(run.model.parameters(), 1.0)
            run.optimizer.step()
        return step

    run = Run(lambda f: jit(f, backend="numpy"), "Adam", step=step_of)
    several(run, 2)
    before = run.state()
    before.pop(1)  # the gradient itself is that which is not finite, as without jit
    x, y = run.batch()
    with pytest.raises(FloatingPointError, match="the gradient's norm is nan"):
        run.step(x * np.float32(np.nan), y)
    after = run.state()
    after.pop(1)
    assert_same(after, before)


def test_a_cost_that_is_not_finite_changes_nothing():
    def step_of(run: Run) -> Callable:
        return lambda x, y: nn.train_step(run.model, nn.mse_loss, run.optimizer, x, y)

    compared(several, step=step_of, optimizer="Adam", traces=1)
    run = Run(lambda f: jit(f, backend="numpy"), "Adam", step=step_of)
    several(run, 2)
    before = run.state()
    before.pop(1)  # the arrays of gradients belong to the plan
    x, y = run.batch()
    for _ in range(2):
        with pytest.raises(FloatingPointError, match=r"the cost is inf at step 3 with lr=0\.01"):
            run.step(x, y + np.float32(1e30))
        after = run.state()
        after.pop(1)
        assert_same(after, before)


# What a user does between the calls

@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_of_groups(name):
    def step_of(run: Run) -> Callable:
        schedule = SCHEDULES[name](run.optimizer)

        def step(x: Any, y: Any) -> Any:
            nn.train_step(run.model, nn.mse_loss, run.optimizer, x, y)
            schedule.step()
        return step

    def use(run: Run) -> Any:
        for _ in range(8):
            run.step(*run.batch())
        return [group["lr"] for group in run.optimizer.param_groups]

    compared(use, step=step_of, optimizer="groups")


def test_the_settings_of_a_group_by_hand():
    def use(run: Run) -> Any:
        seen = several(run, 2)
        run.optimizer.param_groups[0]["lr"] = 0.5
        seen += several(run, 2)
        run.optimizer.param_groups[1]["weight_decay"] = 0.5
        seen += several(run, 2)
        run.optimizer.momentum = 0.25
        return seen + several(run, 2)

    compared(use, optimizer="groups")


def test_averages():
    def step_of(run: Run) -> Callable:
        run.ema = nn.EMA(run.model, decay=0.75)

        def step(x: Any, y: Any) -> Any:
            nn.train_step(run.model, nn.mse_loss, run.optimizer, x, y)
            run.ema.update()
        return step

    def use(run: Run) -> Any:
        seen: list = []
        for _ in range(3):
            run.step(*run.batch())
            seen.append(run.ema.state_dict())
            with run.ema.averaged():
                seen += [run.model.state_dict(), nn.predict(run.model, np.ones((2, 4), np.float32))]
        return seen

    compared(use, step=step_of, optimizer="Adam")


def test_lbfgs_jits_the_closure():
    def use(wrapped: Callable) -> list:
        run = Run()
        x, y = run.batch()
        optimizer = nn.LBFGS(run.model.parameters(), lr=0.5)

        def closure() -> Any:
            optimizer.zero_grad()
            cost = nn.mse_loss(run.model(x), y)
            cost.backward()
            return cost

        closure = wrapped(closure)
        return [optimizer.step(closure).data * 1, closure().data * 1, run.model.state_dict()]

    assert_same(use(lambda f: jit(f, backend="numpy")), use(lambda f: f))
    run = Run()
    optimizer = nn.LBFGS(run.model.parameters())
    with pytest.raises(TypeError, match="LBFGS: how many moves a step makes depends on the numbers, which jit cannot "
                                        "know: jit the closure, not the step"):
        jit(lambda x: optimizer.step(lambda: nn.mse_loss(run.model(x), x[:, :3])), backend="numpy")(run.batch()[0])


def test_the_learning_rate_by_hand():
    def use(run: Run) -> Any:
        seen = several(run, 1)
        for lr in (0.25, 1, np.float32(0.5), 0.0, 0.125):
            run.optimizer.lr = lr
            seen += several(run, 2)
        return seen

    compared(use, optimizer="all of SGD", traces=1)


def test_parameters_changed_and_replaced():
    def use(run: Run) -> Any:
        seen = several(run, 2)
        p, *_, q = run.model.parameters()
        p.data[...] = 0.5
        seen += several(run, 1)
        q.data = np.zeros_like(q.data)
        seen += several(run, 2)
        run.model.load_state_dict({k: v * 0.5 for k, v in run.model.state_dict().items()})
        seen += several(run, 1)
        state = run.optimizer.state_dict()
        seen += several(run, 2)
        run.optimizer.load_state_dict(state)
        return seen + several(run, 2)

    compared(use, optimizer="Adam")


def test_accumulated_gradients():
    """Two backward passes for one step; the second adds to what the first left."""
    def step_of(run: Run) -> Callable:
        def step(x: Any, y: Any) -> Any:
            cost = nn.mse_loss(run.model(x), y)
            cost.backward()
            return cost
        return step

    def use(run: Run) -> Any:
        seen = []
        for _ in range(3):
            seen += several(run, 3)
            run.optimizer.step()
            seen += several(run, 1)
            run.optimizer.zero_grad()
            seen += several(run, 1)
        return seen

    compared(use, step=step_of, optimizer="momentum")


def test_zero_grad_outside_and_two_passes_inside():
    def step_of(run: Run) -> Callable:
        def step(x: Any, y: Any) -> Any:
            nn.mse_loss(run.model(x), y).backward()
            nn.mse_loss(run.model(-x), y).backward()
            run.optimizer.step()
        return step

    def use(run: Run) -> Any:
        seen = []
        for _ in range(3):
            run.optimizer.zero_grad()
            seen += several(run, 1)
        return seen

    compared(use, step=step_of)


def test_gradients_that_were_there_are_overwritten():
    def use(run: Run) -> Any:
        for p in run.model.parameters():
            p.grad = np.full_like(p.data, 100)
        return several(run, 2)

    compared(use, traces=1)
