"""Parameters and checkpoints: round trips, training that goes on bit for bit, what does not fit, and failed writes."""

import math
import os
import re

import numpy as np
import pytest
import safetensors.numpy

import nn
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Cosine,
    Linear,
    Module,
    OneCycle,
    Parameter,
    Step,
    Tanh,
    load_checkpoint,
    load_parameters,
    save_checkpoint,
    save_parameters,
)


class Mixed(Module):
    """Numbers, arrays that are not contiguous, empty ones, and three dtypes."""

    def __init__(self, seed):
        numbers = np.random.default_rng(seed).standard_normal
        self.number = Parameter(float(numbers()))
        self.single = Parameter(np.float32(numbers()))
        self.layers = [Linear(3, 2, rng=seed), {"é": Parameter(numbers((4, 3)).T)}]
        self.half = Parameter(numbers((2, 1, 2)).astype(np.float16))
        self.empty = Parameter(np.zeros((0, 3)))
        self.strided = Parameter(numbers(6))
        self.strided.data = numbers(12)[::2]


def assert_same(model, other):
    for (path, x), (other_path, y) in zip(model.state_dict().items(), other.state_dict().items(), strict=True):
        assert path == other_path
        np.testing.assert_array_equal(x, y, strict=True)


def everything(seed=0, optimizer=SGD, schedule=None, bits=np.random.PCG64, **settings):
    """A model and all that trains it, as keywords of ``save_checkpoint``."""
    model = MLP([3, 4, 2], Tanh, rng=seed)
    o = optimizer(model.parameters(), **({"lr": 0.05} | settings))
    return {"model": model, "optimizer": o, "schedule": schedule and schedule(o),
            "rng": np.random.Generator(bits(seed + 100))}


def state(parts):
    model, optimizer, schedule, rng = (parts[k] for k in ("model", "optimizer", "schedule", "rng"))
    numbers = optimizer.state_dict(), schedule and schedule.state_dict(), rng and rng.bit_generator.state
    return repr((model.state_dict(), numbers))


DATA = np.random.default_rng(9).standard_normal((25, 3)).astype(np.float32)
TARGETS = np.tanh(DATA[:, :2] * DATA[:, 1:])


def train(parts, epochs):
    for _ in range(epochs):
        for x, y in nn.data.minibatches(DATA, TARGETS, size=10, rng=parts["rng"]):
            nn.train_step(parts["model"], nn.mse_loss, parts["optimizer"], x, y)
            if parts["schedule"]:
                parts["schedule"].step()


# Round trips


@pytest.mark.parametrize("as_path", [str, lambda path: path, os.fspath])
def test_parameters_come_back_bit_for_bit(tmp_path, as_path):
    path = as_path(tmp_path / "new folder" / "deep" / "model.safetensors")
    model, other = Mixed(0), Mixed(1)
    save_parameters(model, path)
    load_parameters(other, path)
    assert_same(other, model)
    assert type(other.number.data) is float and type(other.single.data) is np.float32
    assert os.listdir(tmp_path / "new folder" / "deep") == ["model.safetensors"]


def test_saving_again_replaces_the_file(tmp_path):
    path = tmp_path / "model"
    for seed in (0, 1):
        save_parameters(Linear(3, 2, rng=seed), path)
    other = Linear(3, 2, rng=2)
    load_parameters(other, path)
    assert_same(other, Linear(3, 2, rng=1))


def test_a_file_that_safetensors_wrote(tmp_path):
    arrays = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.array([7.0, 8.0], np.float16)}
    safetensors.numpy.save_file(arrays, tmp_path / "plain.safetensors")
    layer = Linear(3, 2, rng=0)
    load_parameters(layer, tmp_path / "plain.safetensors")
    np.testing.assert_array_equal(layer.weight.data, arrays["weight"].astype(np.float32), strict=True)
    np.testing.assert_array_equal(layer.bias.data, np.float32([7, 8]), strict=True)


def test_safetensors_reads_what_was_written(tmp_path):
    model = MLP([3, 4, 2], rng=0)
    save_parameters(model, tmp_path / "model.safetensors")
    arrays = safetensors.numpy.load_file(tmp_path / "model.safetensors")
    assert arrays.keys() == model.state_dict().keys() == {"0.weight", "0.bias", "2.weight", "2.bias"}
    for path, x in model.state_dict().items():
        np.testing.assert_array_equal(arrays[path], x, strict=True)


def test_a_checkpoint_gives_its_parameters(tmp_path):
    parts = everything(optimizer=Adam)
    train(parts, 1)
    save_checkpoint(tmp_path / "c", **parts)
    other = MLP([3, 4, 2], rng=5)
    load_parameters(other, tmp_path / "c")
    assert_same(other, parts["model"])


@pytest.mark.parametrize("settings", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {}])
@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
@pytest.mark.parametrize("schedule", [lambda o: OneCycle(o, 0.2, 21), lambda o: Cosine(o, 20), lambda o: Step(o, 4),
                                      None], ids=["OneCycle", "Cosine", "Step", "constant"])
def test_training_goes_on_bit_for_bit(tmp_path, kind, schedule, settings):
    if kind is not SGD:
        settings = {"weight_decay": 0.1} if settings else {}
    through = everything(0, kind, schedule, **settings)
    train(through, 3)
    save_checkpoint(tmp_path / "c", **through, epoch=3)
    at_saving = state(through)
    train(through, 4)

    resumed = everything(1, kind, schedule, **{**settings, "lr": 0.05 if schedule else 7.0})
    train(resumed, 1)
    assert load_checkpoint(tmp_path / "c", **resumed) == {"epoch": 3}
    assert state(resumed) == at_saving
    train(resumed, 4)
    assert state(resumed) == state(through)


def test_a_learning_rate_that_was_set_by_hand_comes_back(tmp_path):
    parts, fresh = everything(lr=0.1), everything(lr=0.2)
    parts["optimizer"].lr = 0.0375
    save_checkpoint(tmp_path / "c", **parts)
    load_checkpoint(tmp_path / "c", **fresh)
    assert fresh["optimizer"].lr == 0.0375


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox,
                                  np.random.SFC64])
def test_every_generator_goes_on(tmp_path, bits):
    parts, fresh = everything(bits=bits), everything(seed=1, bits=bits)
    rng = parts["rng"]
    rng.random(5)
    rng.integers(0, 9, 3, dtype=np.int32)  # leaves half of a number for later
    save_checkpoint(tmp_path / "c", **parts)
    load_checkpoint(tmp_path / "c", **fresh)
    for draw in (lambda g: g.integers(0, 9, 5, dtype=np.int32), lambda g: g.random(700), lambda g: g.permutation(9)):
        np.testing.assert_array_equal(draw(fresh["rng"]), draw(rng))


def test_numbers_as_parameters_go_on(tmp_path):
    def parts(start):
        model = Mixed(3)
        model.number.data = start
        return {"model": model, "optimizer": Adam([model.number, model.single], lr=0.1)}

    through, resumed = parts(2.0), parts(5.0)
    for half in (0, 1):
        for _ in range(3):
            for each in (through, resumed) if half else (through,):
                model = each["model"]
                each["optimizer"].zero_grad()
                (model.number**2 * (model.single + 1) ** 2).backward()
                each["optimizer"].step()
        if not half:
            save_checkpoint(tmp_path / "c", **through)
            load_checkpoint(tmp_path / "c", **resumed)
    assert type(resumed["model"].number.data) is float
    assert_same(resumed["model"], through["model"])


@pytest.mark.parametrize(("given", "wanted"), [
    ({}, {}),
    ({"epoch": 3, "best": 0.1 + 0.2, "name": "σ", "done": False, "none": None}, ...),
    ({"epoch": np.int64(3), "best": np.float32(0.5), "costs": np.array([[1.0, 2.0]])},
     {"epoch": 3, "best": 0.5, "costs": [[1.0, 2.0]]}),
    ({"past": {"costs": [0.1, math.inf], "steps": (1, 2)}}, {"past": {"costs": [0.1, math.inf], "steps": [1, 2]}}),
])
def test_progress_comes_back(tmp_path, given, wanted):
    save_checkpoint(tmp_path / "c", **everything(), **given)
    assert load_checkpoint(tmp_path / "c", **everything(1)) == (given if wanted is ... else wanted)


def test_loading_writes_into_the_arrays_that_are_there(tmp_path):
    parts = everything(optimizer=Adam)
    train(parts, 1)
    save_checkpoint(tmp_path / "c", **parts)
    held = [p.data for p in parts["model"].parameters()] + parts["optimizer"].buffers["mean"]
    train(parts, 1)
    load_checkpoint(tmp_path / "c", **parts)
    now = [p.data for p in parts["model"].parameters()] + parts["optimizer"].buffers["mean"]
    assert all(a is b for a, b in zip(held, now, strict=True))


# What does not fit


def without(name, seed=1, **settings):
    return {**everything(seed, **settings), name: None}


def with_model(model, kind=SGD):
    return {"model": model, "optimizer": kind(model.parameters(), lr=0.1), "schedule": None,
            "rng": np.random.default_rng(4)}


def step_of_3(o):
    return Step(o, 3)


@pytest.mark.parametrize(("saved", "parts", "text"), [
    ({}, lambda: with_model(MLP([3, 5, 2], rng=0)), "0.weight: expected shape (5, 3), got (4, 3)"),
    ({}, lambda: with_model(MLP([3, 4, 2, 2], rng=0)), "missing: 4.weight"),
    ({}, lambda: with_model(Linear(3, 2, rng=0)), "unknown: 0.weight"),
    ({}, lambda: everything(1, Adam), "Adam: the state is that of 'SGD'"),
    ({}, lambda: everything(1, momentum=0.9), "SGD: the state was made with momentum=0.0, not 0.9"),
    ({"optimizer": Adam}, lambda: everything(1, AdamW), "AdamW: the state is that of 'Adam'"),
    ({"schedule": step_of_3}, lambda: everything(1, schedule=lambda o: Cosine(o, 9)),
     "Cosine: the state is that of 'Step'"),
    ({"schedule": step_of_3}, lambda: everything(1), "the checkpoint holds a state of schedule, but none was passed"),
    ({}, lambda: everything(1, schedule=step_of_3), "the checkpoint holds no state of schedule, but one was passed"),
    ({}, lambda: without("rng"), "the checkpoint holds a state of rng, but none was passed"),
    ({"no": "rng"}, lambda: everything(1), "the checkpoint holds no state of rng, but one was passed"),
    ({}, lambda: everything(1, bits=np.random.Philox), "the checkpoint's generator is PCG64, but rng is Philox"),
])
def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path, saved, parts, text):
    path = tmp_path / "c"
    saved = dict(saved)
    save_checkpoint(path, **(without("rng", 0) if saved.pop("no", None) else everything(0, **saved)))
    parts = parts()
    if len(parts["model"].state_dict()) == 4:
        train({**parts, "rng": parts["rng"] or 0}, 1)
    before, arrays = state(parts), [p.data for p in parts["model"].parameters()]
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: ')}.*{re.escape(text)}"):
        load_checkpoint(path, **parts)
    assert state(parts) == before
    assert all(p.data is array for p, array in zip(parts["model"].parameters(), arrays, strict=True))


@pytest.mark.parametrize(("model", "text"), [
    (Linear(3, 3, rng=0), "weight: expected shape (3, 3), got (2, 3); bias: expected shape (3,), got (2,)"),
    (MLP([3, 2], rng=0), "missing: 0.weight; missing: 0.bias; unknown: "),
    (Linear(3, 2, bias=False, rng=0), "the state does not fit Linear: unknown: bias"),
])
def test_parameters_of_another_model_change_nothing(tmp_path, model, text):
    save_parameters(Linear(3, 2, rng=1), tmp_path / "m")
    before = repr(model.state_dict())
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path / 'm'))}: ") as caught:
        load_parameters(model, tmp_path / "m")
    assert all(part in str(caught.value) for part in text.split("; "))
    assert repr(model.state_dict()) == before
