"""Groups of parameters: their settings, the learning rates that schedules scale, decay_groups, states, errors."""

import math
import re

import numpy as np
import pytest

from autograd import Value
from nn import (
    LBFGS,
    SGD,
    Adam,
    AdamW,
    Cosine,
    Linear,
    OneCycle,
    ReduceLROnPlateau,
    RMSprop,
    Sequential,
    Step,
    Tanh,
    Warmup,
    cross_entropy,
    decay_groups,
    load_checkpoint,
    save_checkpoint,
)


def two(dtype=np.float64):
    return Value(np.array([1.0, 2.0], dtype)), Value(np.array([3.0], dtype))


def moved(optimizer, *values):
    """How far each parameter moves for a gradient of ones."""
    before = [np.copy(v.data) for v in values]
    for v in values:
        v.grad = np.ones_like(v.data)
    optimizer.step()
    return [float((b - v.data)[0]) for b, v in zip(before, values, strict=True)]


def test_each_group_has_all_settings():
    v, w = two()
    optimizer = SGD([{"params": [v], "lr": 0.5}, {"params": iter([w]), "weight_decay": 0.25}], lr=0.1, momentum=0.9)
    assert optimizer.param_groups == [
        {"params": [v], "lr": 0.5, "momentum": 0.9, "weight_decay": 0.0, "nesterov": False},
        {"params": [w], "lr": 0.1, "momentum": 0.9, "weight_decay": 0.25, "nesterov": False}]
    assert optimizer.parameters == [v, w]
    assert moved(optimizer, v, w) == pytest.approx([0.5, 0.1 * (1 + 0.25 * 3)])
    assert moved(optimizer, v, w)[0] == pytest.approx(0.5 * 1.9)


def test_settings_changed_by_hand():
    v, w = two()
    optimizer = SGD([{"params": [v]}, {"params": [w], "lr": 0.5}], lr=0.1)
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    assert moved(optimizer, v, w) == pytest.approx([0.05, 0.25]) and optimizer.lr == 0.05
    optimizer.weight_decay = 1.0
    assert [group["weight_decay"] for group in optimizer.param_groups] == [1.0, 1.0] and optimizer.weight_decay == 1.0
    with pytest.raises(ValueError, match="SGD: weight_decay must be a finite number of at least 0, got -1"):
        optimizer.weight_decay = -1


@pytest.mark.parametrize("place", [0, 1])
def test_lr_is_that_of_the_groups_without_one_and_the_other_keeps_its_multiple(place):
    v, w = two()
    groups = [{"params": [v]}, {"params": [w], "lr": 0.05}]
    optimizer = SGD(groups if place else groups[::-1], lr=0.5)
    assert optimizer.lr == 0.5
    for lr in (1.0, 0.0, 0.2):  # 0 is not forgotten
        optimizer.lr = lr
        assert optimizer.lr == lr
        assert moved(optimizer, v, w) == pytest.approx([lr, lr / 10])
    both = SGD([{"params": [v], "lr": 0.25}, {"params": [w], "lr": 0.5}], lr=7.0)
    assert both.lr == 0.25


@pytest.mark.parametrize("make", [
    lambda o: Step(o, 1, 0.5), lambda o: Cosine(o, 5), lambda o: OneCycle(o, 2.0, 9), lambda o: Warmup(o, 3),
    lambda o: Warmup(Cosine(o, 3), 2, start_factor=0.0), lambda o: Warmup(Warmup(Step(o, 2), 2), 2),
])
def test_schedules_scale_all_groups(make):
    v, w = two()
    single, groups = SGD([v], lr=0.5), SGD([{"params": [v], "lr": 2.0}, {"params": [w]}], lr=0.5)
    one, both = make(single), make(groups)
    for _ in range(8):
        assert [group["lr"] for group in groups.param_groups] == pytest.approx([4 * single.lr, single.lr])
        one.step()
        both.step()


def test_a_plateau_scales_all_groups():
    v, w = two()
    optimizer = SGD([{"params": [v], "lr": 2.0}, {"params": [w]}], lr=0.5)
    schedule = ReduceLROnPlateau(optimizer, patience=0)
    schedule.step(1.0)
    schedule.step(1.0)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.05])


# Weight decay exclusions

def test_decay_groups():
    model = Sequential(Linear(3, 4, rng=0), Tanh(), Linear(4, 2, rng=0))
    names = dict(model.named_parameters())
    optimizer = AdamW(decay_groups(model), lr=0.1, weight_decay=0.5)
    decayed, free = optimizer.param_groups
    assert decayed["params"] == [names["0.weight"], names["2.weight"]] and decayed["weight_decay"] == 0.5
    assert free["params"] == [names["0.bias"], names["2.bias"]] and free["weight_decay"] == 0
    first, second = decay_groups(model, exempt=lambda name, p: name.startswith("2."))
    assert first["params"] == [names["0.weight"], names["0.bias"]] and "weight_decay" not in first
    assert second["params"] == [names["2.weight"], names["2.bias"]]
    assert [len(group["params"]) for group in decay_groups(Linear(3, 2, bias=False, rng=0))] == [1]


# Errors

V, W = two()


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: SGD([{"params": [V], "weightdecay": 1}], lr=1), ValueError,
     "SGD: group 0 has the unknown setting 'weightdecay'; a group has params, and any of lr, momentum, weight_decay, "
     "nesterov"),
    (lambda: SGD([{"params": [V]}, {"lr": 1}], lr=1), ValueError, "SGD: group 1 has no params; a group has"),
    (lambda: SGD([{"params": [V]}, {"params": [W, V]}], lr=1), ValueError,
     "SGD: group 1 has a parameter that an earlier group has too"),
    (lambda: SGD([{"params": []}], lr=1), ValueError, "SGD: there are no parameters; was an iterator"),
    (lambda: SGD([{"params": V}], lr=1), TypeError, "SGD: parameters must be a list of parameters; write [p] for one"),
    (lambda: SGD([{"params": Linear(1, 1, rng=0)}], lr=1), TypeError, "write model.parameters()"),
    (lambda: SGD([{"params": [1.0]}], lr=1), TypeError, "SGD: parameters must be leaf Values, got 1.0"),
    (lambda: SGD([{"params": [V]}, W], lr=1), TypeError, "SGD: parameters must be leaf Values, got {'params'"),
    (lambda: SGD({"params": [V]}, lr=1), TypeError,
     "SGD: parameters must be a list of parameters, or of groups; write [group] for one"),
    (lambda: SGD([{"params": [V], "lr": -1}], lr=1), ValueError, "SGD: lr must be a finite number of at least 0"),
    (lambda: SGD([{"params": [V], "momentum": math.nan}], lr=1), ValueError, "SGD: momentum must be a finite number"),
    (lambda: SGD([{"params": [V], "nesterov": True}], lr=1), ValueError, "SGD: nesterov needs a momentum above 0"),
    (lambda: Adam([{"params": [V], "betas": (0.9, 1.0)}]), ValueError, "Adam: betas[1] must be at least 0 and less"),
    (lambda: SGD([{"params": [V], "lr": 0.5}, {"params": [W]}], lr=0), ValueError,
     "SGD: group 0 has lr=0.5, which cannot be a multiple of lr=0; leave out the parameters that are not to change"),
    (lambda: LBFGS([{"params": [V]}, {"params": [W]}]), ValueError,
     "LBFGS: there can be only one group, since all parameters move together"),
])
def test_wrong_groups(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()


# States

def network(groups, dtype=np.float32):
    model = Sequential(Linear(3, 4, rng=0, dtype=dtype), Tanh(), Linear(4, 2, rng=1, dtype=dtype))
    return model, groups(model)


KINDS = {
    "SGD": lambda model: SGD(decay_groups(model), lr=0.1, momentum=0.5, weight_decay=0.1),
    "RMSprop": lambda model: RMSprop([{"params": model[0].parameters(), "centered": True, "lr": 0.03},
                                      {"params": model[2].parameters(), "momentum": 0.5}]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_goes_on_bit_for_bit(kind, tmp_path):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(8, 3)).astype(np.float32), rng.integers(0, 2, 8)

    def run(parts, steps):
        for _ in range(steps):
            parts["optimizer"].zero_grad()
            cross_entropy(parts["model"](x), labels).backward()
            parts["optimizer"].step()
            parts["schedule"].step()

    def parts():
        model, optimizer = network(KINDS[kind])
        return {"model": model, "optimizer": optimizer, "schedule": Warmup(Cosine(optimizer, 9), 3)}

    whole, first, second = parts(), parts(), parts()
    run(whole, 7)
    run(first, 4)
    first["optimizer"].param_groups[1]["lr"] *= 1.0
    save_checkpoint(tmp_path / "last", **first)
    load_checkpoint(tmp_path / "last", **second)
    run(second, 3)
    for k, array in whole["model"].state_dict().items():
        np.testing.assert_array_equal(second["model"].state_dict()[k], array, strict=True)
    assert second["schedule"].state_dict() == whole["schedule"].state_dict()


@pytest.mark.parametrize(("groups", "weight_decay", "text"), [
    (decay_groups, 0.2, "SGD: the state was made with group 0: weight_decay=0.1, not 0.2"),
    (lambda m: decay_groups(m, lambda name, p: "0." in name), 0.1,
     "SGD: momentum.0 has shape (4, 3) in the state, expected (2, 4)"),
    (lambda m: m.parameters(), 0.1, "SGD: the state is that of 2 groups of parameters, not of 1"),
    (lambda m: [{"params": [p]} for p in m.parameters()], 0.1, "that of 2 groups of parameters, not of 4"),
    (lambda m: [{"params": [*m.parameters()][:1]}, {"params": [*m.parameters()][1:]}], 0.1, "group 0: params=2, not 1"),
])
def test_the_state_of_other_groups_is_refused(groups, weight_decay, text):
    model, optimizer = network(lambda m: SGD(decay_groups(m), 0.1, 0.5, weight_decay=0.1))
    fresh = SGD(groups(model), 0.1, 0.5, weight_decay=weight_decay)
    with pytest.raises(ValueError, match=re.escape(text)):
        fresh.load_state_dict(optimizer.state_dict())
