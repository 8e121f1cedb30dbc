"""The schedules: PyTorch's learning rates, both ends and beyond, what is set on the optimizer, states, and errors."""

import math
import re

import numpy as np
import pytest

from autograd import Value, jit
from nn import (
    MLP,
    SGD,
    Adam,
    Cosine,
    OneCycle,
    ReduceLROnPlateau,
    Schedule,
    Step,
    Warmup,
    cross_entropy,
    fit,
    load_checkpoint,
    metrics,
    mse_loss,
    save_checkpoint,
)


def optimizer(lr=0.5):
    return SGD([Value([1.0])], lr=lr)


# (a schedule of an optimizer with lr 0.5, PyTorch's learning rate before each step)
PYTORCH = [
    (lambda o: OneCycle(o, 0.8, 20),
     [0.03200000000000003, 0.10533747416002026, 0.2973374741600202, 0.5346625258399798, 0.7266625258399798, 0.8,
      0.7899712049880699, 0.7603877056107791, 0.71273294205684, 0.6493965231598104, 0.5735544014330407,
      0.48900961754903144, 0.4000016, 0.3109935824509686, 0.22644879856695938, 0.1506066768401896, 0.08727025794316003,
      0.03961549438922103, 0.010031995011930044, 3.2e-06]),
    (lambda o: OneCycle(o, max_lr=2.0, total_steps=15, pct_start=0.45, div_factor=10.0, final_div_factor=100.0),
     [0.19999999999999996, 0.3310225359081602, 0.6859414660419629, 1.1614181720282037, 1.6190122899033803,
      1.9254901713549075, 1.9954764506505116, 1.8889466132062684, 1.65520587321134, 1.3277408953541043,
      0.9534656660920815, 0.5860004020111156, 0.27798969593303485, 0.0735604349169435, 0.002]),
    (lambda o: OneCycle(o, 1.0, 3, pct_start=1.0), [0.04, 0.52, 1.0]),
    (lambda o: Cosine(o, 12, min_lr=0.05),
     [0.5, 0.49233331091504035, 0.4698557158514987, 0.4340990257669731, 0.3875, 0.33323428514806713, 0.275,
      0.21676571485193286, 0.1625, 0.11590097423302684, 0.0801442841485013, 0.05766668908495966, 0.05]),
    (lambda o: Step(o, 4, gamma=0.3), [0.5] * 4 + [0.15] * 4 + [0.045] * 4 + [0.0135] * 2),
    (lambda o: Step(o, 1), [0.5, 0.05, 0.005, 0.0005]),
    (lambda o: Warmup(o, 2, start_factor=1 / 3), [1 / 6, 1 / 3, 0.5, 0.5]),
    (lambda o: Warmup(Cosine(o, 5), 3, start_factor=0.2),  # LinearLR and CosineAnnealingLR in a SequentialLR
     [0.1, 0.2333333333333333, 0.36666666666666664, 0.5, 0.45225424859373686, 0.32725424859373686, 0.17274575140626314,
      0.04774575140626316, 0.0]),
]
SCHEDULES = [make for make, _ in PYTORCH]


@pytest.mark.parametrize(("make", "wanted"), PYTORCH)
def test_every_step_equals_pytorch(make, wanted):
    o = optimizer()
    schedule = make(o)
    rates = [o.lr]
    for n in range(1, len(wanted)):
        schedule.step()
        assert schedule.steps == n and type(o.lr) is float and o.lr == schedule.lr_at(n)
        rates.append(o.lr)
    np.testing.assert_allclose(rates, wanted, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("total", [10, 33, 100, 1000])
@pytest.mark.parametrize("start", [0.2, 0.3, 0.5, 0.77])
def test_one_cycle_equals_its_formula(total, start):
    schedule = OneCycle(optimizer(), 3.0, total, pct_start=start)
    top, end = start * total - 1, total - 1
    for n in range(total):
        low, part = (0.12, (top - n) / top) if n <= top else (0.12e-4, (n - top) / (end - top))
        assert schedule.lr_at(n) == pytest.approx(low + (3.0 - low) * (1 + math.cos(math.pi * part)) / 2, rel=1e-9)


@pytest.mark.parametrize("total", [1, 2, 7, 1000])
def test_cosine_equals_its_formula(total):
    schedule = Cosine(optimizer(), total)
    for n in range(total + 1):
        assert schedule.lr_at(n) == pytest.approx(0.5 * math.cos(math.pi * n / total / 2) ** 2, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("make", "first", "last", "length"), [
    (lambda o: OneCycle(o, 0.8, 20), 0.8 / 25, 0.8 / 25 / 1e4, 19),
    (lambda o: Cosine(o, 12), 0.5, 0.0, 12),
    (lambda o: Cosine(o, 12, min_lr=0.125), 0.5, 0.125, 12),
    (lambda o: Cosine(o, 12, min_lr=0.75), 0.5, 0.75, 12),
])
def test_ends_and_beyond(make, first, last, length):
    o = optimizer()
    schedule = make(o)
    assert o.lr == pytest.approx(first, rel=1e-12)
    for _ in range(length):
        schedule.step()
    assert o.lr == pytest.approx(last, rel=1e-12, abs=1e-15)
    end = schedule.lr_at(length + 1)
    for _ in range(30):
        schedule.step()
        assert o.lr == end >= 0  # the rate stays: training may go on
    assert end == pytest.approx(last, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("total", "start"), [(10, 0.1), (2, 0.5), (1, 1.0), (1, 0.3), (2, 0.3), (5, 0.0), (4, 0.25)])
def test_one_cycle_with_no_room_to_rise(total, start):
    schedule = OneCycle(optimizer(), 1.0, total, pct_start=start)
    rates = [schedule.lr_at(n) for n in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
    assert rates == sorted(rates, reverse=True)  # nothing but the fall
    assert total == 1 or rates[-1] == pytest.approx(4e-6)


def test_one_cycle_rises_to_the_top_then_falls():
    schedule = OneCycle(optimizer(), 1.0, 101)
    rates = [schedule.lr_at(n) for n in range(101)]
    top = rates.index(max(rates))
    assert top in (29, 30) and max(rates) > 0.999
    assert rates[:top + 1] == sorted(rates[:top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)


def test_after_a_warm_up_the_schedule_is_as_it_would_be_without():
    for make in (lambda o: Step(o, 3, 0.3), lambda o: OneCycle(o, 0.7, 9), lambda o: Warmup(Step(o, 2), 3)):
        alone, warm = make(optimizer()), Warmup(make(optimizer()), 7)
        assert warm.lr_at(0) == pytest.approx(0.01 * alone.lr_at(0))
        assert [warm.lr_at(7 + n) for n in range(12)] == [alone.lr_at(n) for n in range(12)]


# A plateau

def test_a_plateau_waits_for_patience_and_cooldown():
    o = optimizer(1.0)
    schedule = ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=1, min_lr=0.2)
    rates = []
    for cost in (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        schedule.step(cost)
        rates.append(o.lr)
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2] and schedule.steps == 10
    o.lr = 0.1
    for _ in range(5):
        schedule.step(1.0)
    assert o.lr == 0.1  # which a min_lr above it does not raise


@pytest.mark.parametrize(("mode", "metrics", "wanted"), [
    ("min", [1.0, 0.95, 0.91, 0.89, 0.85], [1, 0.5, 0.25, 0.25, 0.125]),  # less than 0.9 of the best is better
    ("max", [1.0, 1.05, 1.09, 1.11, 1.15], [1, 0.5, 0.25, 0.25, 0.125]),
    ("min", [math.inf, 3.0, math.nan, 2.0], [0.5, 0.5, 0.25, 0.25]),
])
def test_a_plateau_s_threshold(mode, metrics, wanted):
    o = optimizer(1.0)
    schedule = ReduceLROnPlateau(o, mode, 0.5, 0, 0.1)
    rates = [schedule.step(metric) or o.lr for metric in metrics]
    assert rates == wanted


def test_a_plateau_s_checkpoint_goes_on(tmp_path):
    def parts():
        model = MLP([2, 1], rng=0)
        o = SGD(model.parameters(), lr=0.5)
        return {"model": model, "optimizer": o, "schedule": ReduceLROnPlateau(o, patience=1, cooldown=2)}

    first, second = parts(), parts()
    for cost in (3.0, 2.0, 2.5, 2.5, 2.5):
        first["schedule"].step(cost)
        save_checkpoint(tmp_path / "last", **first)
        load_checkpoint(tmp_path / "last", **second)
        assert second["schedule"].state_dict() == first["schedule"].state_dict()
        assert second["optimizer"].lr == first["optimizer"].lr
    assert first["optimizer"].lr == 0.05
    with pytest.raises(ValueError, match="ReduceLROnPlateau: the state was made with patience=1, not 2"):
        ReduceLROnPlateau(optimizer(), patience=2).load_state_dict(first["schedule"].state_dict())


def test_fit_steps_a_plateau_after_each_epoch():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 2)).astype(np.float32)

    def rates(cost, y, validation, **options):
        model = MLP([2, 2], rng=0)
        o = SGD(model.parameters(), lr=1.0)
        schedule = ReduceLROnPlateau(o, patience=1, threshold=0.0, **options.pop("plateau", {}))
        history = fit(model, lambda a, y: cost(a, y) * 1e-30, (x, y), validation, o, schedule, 5, rng=0, jit=False,
                      **options)  # with gradients so small that nothing becomes better
        return [row["lr"] for row in history]

    labels = (x[:, 0] > 0).astype(int)
    assert rates(mse_loss, x, (x, x)) == pytest.approx([1, 1, 1, 0.1, 0.1])
    assert rates(cross_entropy, labels, (x, labels), metrics=[metrics.accuracy],
                 plateau={"mode": "max"}) == pytest.approx([1, 1, 1, 0.1, 0.1])
    assert rates(mse_loss, x, None)[0] == pytest.approx(1)
    with pytest.raises(ValueError, match="mode='max' watches the column val_accuracy, but there are epoch, lr, cost;"):
        rates(mse_loss, x, None, plateau={"mode": "max"})


@pytest.mark.parametrize("make", SCHEDULES)
def test_any_optimizer_and_numbers_of_numpy(make):
    o = Adam([Value([1.0])], lr=np.float32(0.5))
    schedule = make(o)
    schedule.step()
    assert type(o.lr) is float
    o = optimizer()
    OneCycle(o, np.float32(0.5), np.int64(10), np.float32(0.5)).step()
    assert type(o.lr) is float


# States


@pytest.mark.parametrize("make", SCHEDULES)
def test_a_state_goes_on(make):
    o = optimizer()
    schedule = make(o)
    for _ in range(2):
        schedule.step()
    state = schedule.state_dict()
    kept = dict(state)
    other = optimizer(lr=99.0)
    fresh = make(other)
    fresh.load_state_dict(state)
    for _ in range(12):
        assert other.lr == o.lr and fresh.steps == schedule.steps
        schedule.step()
        fresh.step()
    assert state == kept


def test_a_state_is_made_of_numbers_and_the_kind():
    assert Step(optimizer(), 3).state_dict() == {"kind": "Step", "settings": {"step_size": 3, "gamma": 0.1}, "steps": 0,
                                                 "base_lr": 0.5}


@pytest.mark.parametrize(("make", "state", "text"), [
    (lambda o: Step(o, 3), {"kind": "Cosine", "steps": 1, "base_lr": 0.1}, "Step: the state is that of 'Cosine'"),
    (lambda o: OneCycle(o, 1.0, 9), {"kind": "Step", "steps": 1, "base_lr": 0.1},
     "OneCycle: the state is that of 'Step'"),
    (lambda o: Cosine(o, 3), {}, "Cosine: the state is that of None"),
    (lambda o: Cosine(o, 3), Cosine(optimizer(), 4).state_dict(),
     "Cosine: the state was made with total_steps=4, not 3"),
    (lambda o: Warmup(Cosine(o, 3), 2), Warmup(Cosine(optimizer(), 4), 2).state_dict(),
     "Warmup: the state was made with then={'kind': 'Cosine', 'total_steps': 4, 'min_lr': 0.0}, not {'kind':"),
])
def test_the_state_of_another_schedule_is_refused(make, state, text):
    o = optimizer()
    schedule = make(o)
    schedule.step()
    before = o.lr, schedule.state_dict()
    with pytest.raises(ValueError, match=re.escape(text)):
        schedule.load_state_dict(state)
    assert (o.lr, schedule.state_dict()) == before


# Errors


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda o: Step(o, 0), ValueError, "Step: step_size must be a positive integer, got 0"),
    (lambda o: Step(o, 2.5), ValueError, "Step: step_size must be a positive integer, got 2.5"),
    (lambda o: Cosine(o, -1), ValueError, "Cosine: total_steps must be a positive integer, got -1"),
    (lambda o: Cosine(o, True), ValueError, "Cosine: total_steps must be a positive integer, got True"),
    (lambda o: OneCycle(o, 1.0, 0), ValueError, "OneCycle: total_steps must be a positive integer, got 0"),
    (lambda o: OneCycle(o, 1.0, None), ValueError, "OneCycle: total_steps must be a positive integer, got None"),
    (lambda o: OneCycle(o, 1.0, 9, pct_start=1.5), ValueError, "OneCycle: pct_start must lie between 0 and 1, got 1.5"),
    (lambda o: OneCycle(o, 1.0, 9, pct_start=-0.1), ValueError, "OneCycle: pct_start must lie between 0 and 1"),
    (lambda o: OneCycle(o, 1.0, 9, pct_start=math.nan), ValueError, "OneCycle: pct_start must lie between 0 and 1"),
    (lambda o: OneCycle(o, -1.0, 9), ValueError, "must be a finite number of at least 0, got -"),
    (lambda o: OneCycle(o, math.inf, 9), ValueError, "must be a finite number of at least 0"),
    (lambda o: OneCycle(o, 1.0, 9, div_factor=0), ValueError, "OneCycle: div_factor"),
    (lambda o: OneCycle(o, 1.0, 9, final_div_factor=0), ValueError, "OneCycle: final_div_factor"),
    (lambda o: Step(o, 3, gamma=-1), ValueError, "Step: gamma"),
    (lambda o: Cosine(o, 3, min_lr=-1), ValueError, "Cosine: min_lr"),
    (lambda o: Step([o], 3), TypeError, "Step: optimizer must be an nn optimizer, got [<nn.optimizers.SGD"),
    (lambda o: Warmup(o, 0), ValueError, "Warmup: total_steps must be a positive integer, got 0"),
    (lambda o: Warmup(o, 3, start_factor=-1), ValueError, "Warmup: start_factor must be a finite number of at least 0"),
    (lambda o: Warmup([o], 3), TypeError, "Warmup: then must be an optimizer, or a schedule whose learning rate "
                                          "depends on the count of steps alone, got [<nn"),
    (lambda o: Warmup(ReduceLROnPlateau(o), 3), TypeError, "Warmup: then must be an optimizer, or a schedule whose"),
    (lambda o: ReduceLROnPlateau(o, "low"), ValueError, "ReduceLROnPlateau: mode must be 'min' or 'max', got 'low'"),
    (lambda o: ReduceLROnPlateau(o, factor=1), ValueError, "ReduceLROnPlateau: factor must be at least 0 and less"),
    (lambda o: ReduceLROnPlateau(o, patience=-1), ValueError, "ReduceLROnPlateau: patience must be an integer of at "
                                                               "least 0, got -1"),
    (lambda o: ReduceLROnPlateau(o, cooldown=0.5), ValueError, "ReduceLROnPlateau: cooldown must be an integer of"),
    (lambda o: ReduceLROnPlateau(o, threshold=-1), ValueError, "ReduceLROnPlateau: threshold must be a finite number"),
    (lambda o: ReduceLROnPlateau(o).step([1.0]), TypeError, "ReduceLROnPlateau: step takes a number, outside of jit, "
                                                            "got [1.0]"),
    (lambda o: jit(ReduceLROnPlateau(o).step)(1.0), TypeError, "outside of jit, got a traced one"),
    (lambda o: Cosine(o.parameters, 3), TypeError, "Cosine: optimizer must be an nn optimizer, got [Value("),
])
def test_wrong_arguments_leave_the_optimizer_alone(make, error, text):
    o = optimizer()
    with pytest.raises(error, match=re.escape(text)):
        make(o)
    assert o.lr == 0.5


def test_a_subclass_gives_the_rate():
    class Ramp(Schedule):
        def lr_at(self, n):
            return self.base_lr * min(1.0, (n + 1) / 4)

    o = optimizer(1.0)
    schedule, rates = Ramp(o), []
    for _ in range(5):
        rates.append(o.lr)
        schedule.step()
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert schedule.state_dict()["kind"] == "Ramp"
    with pytest.raises(NotImplementedError):
        Schedule(o)


def test_a_plateau_lowers_no_further_than_by_a_hundred_millionth_as_in_pytorch():
    o = optimizer()
    schedule = ReduceLROnPlateau(o, patience=0)
    o.lr = 5e-7
    rates = [(schedule.step(1.0), o.lr)[1] for _ in range(5)]
    assert rates == pytest.approx([5e-7, 5e-8, 5e-9, 5e-9, 5e-9], rel=1e-9)
