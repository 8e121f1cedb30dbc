"""EMA: its averages, evaluating with them, in nn.fit and its checkpoints, states, and the text of every error."""

import re

import numpy as np
import pytest

from autograd import Value
from nn import (
    EMA,
    MLP,
    SGD,
    Checkpoint,
    Linear,
    Module,
    Parameter,
    fit,
    load_parameters,
    mse_loss,
    predict,
    save_parameters,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2)).astype(np.float32)


class Mixed(Module):
    """Parameters of all shapes, a number among them."""

    def __init__(self):
        self.scale, self.shift, self.inner = Parameter(2.0), Parameter(np.float32(1.0)), Linear(2, 1, rng=0)

    def __call__(self, x):
        return self.inner(x) * self.scale + self.shift


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_averages_follow_their_formula(decay):
    model = Mixed()
    ema, wanted = EMA(model, decay), {k: v.astype(float) for k, v in model.state_dict().items()}
    for _ in range(5):
        for p in model.parameters():
            if p.shape:
                p.data += rng.normal(size=p.shape).astype(np.float32)
            else:
                p.data = p.data + type(p.data)(1)
        ema.update()
        wanted = {k: decay * wanted[k] + (1 - decay) * v for k, v in model.state_dict().items()}
    for k, average in ema.state_dict().items():
        assert average.dtype == model.state_dict()[k].dtype
        np.testing.assert_allclose(average, wanted[k], rtol=1e-6)


def test_inside_the_model_has_the_averages_and_afterwards_its_own():
    model = Mixed()
    ema, first = EMA(model), model.state_dict()
    arrays = [p.data for p in model.parameters() if p.shape]
    y = predict(model, X)
    for p in model.parameters():
        if p.shape:
            p.data *= 3
        else:
            p.data = p.data * 3
    own = model.state_dict()
    with ema.averaged() as same:
        assert same is model
        np.testing.assert_array_equal(predict(model, X), y)
        assert (type(model.scale.data), type(model.shift.data)) == (float, np.float32)
    with pytest.raises(RuntimeError, match="inside"), ema.averaged():
        raise RuntimeError("inside")
    for k, array in model.state_dict().items():
        np.testing.assert_array_equal(array, own[k], strict=True)
        np.testing.assert_array_equal(ema.state_dict()[k], first[k], strict=True)
    assert all(a is p.data for a, p in zip(arrays, (p for p in model.parameters() if p.shape), strict=True))


def test_a_state_is_one_that_the_model_loads(tmp_path):
    model, other = MLP([2, 3, 1], rng=0), MLP([2, 3, 1], rng=1)
    ema = EMA(model, 0.5)
    for p in model.parameters():
        p.data *= 2
    ema.update()
    save_parameters(ema, tmp_path / "averages.safetensors")
    load_parameters(other, tmp_path / "averages.safetensors")
    with ema.averaged():
        np.testing.assert_array_equal(predict(other, X), predict(model, X))
    fresh = EMA(MLP([2, 3, 1], rng=2), 0.5)
    state = ema.state_dict()
    fresh.load_state_dict(state)
    ema.update()
    for k, array in state.items():  # copies, both
        np.testing.assert_array_equal(fresh.state_dict()[k], array)
        assert not np.array_equal(ema.state_dict()[k], array)


@pytest.mark.parametrize("jit", [True, False])
def test_fit_updates_it_and_its_checkpoint_goes_on(tmp_path, jit):
    def run(epochs, **options):
        model = MLP([2, 3, 1], rng=0)
        ema = EMA(model, 0.9)
        fit(model, mse_loss, (X, X[:, :1]), None, SGD(model.parameters(), lr=0.1), None, epochs, rng=0, batch_size=10,
            jit=jit, callbacks=[ema, Checkpoint(tmp_path / f"{epochs}")], **options)
        return model.state_dict(), ema.state_dict()

    whole = run(5)
    run(3)
    again = run(5, resume=tmp_path / "3")
    for wanted, got in zip(whole, again, strict=True):
        for k, array in wanted.items():
            np.testing.assert_array_equal(got[k], array, strict=True)
    name = next(iter(whole[0]))
    assert not np.array_equal(whole[1][name], whole[0][name])


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: EMA(Linear(2, 1, rng=0), 1.0), ValueError, "EMA: decay must be at least 0 and less than 1, got 1.0"),
    (lambda: EMA([Value(1.0)]), TypeError, "EMA: model must be a module, got [Value("),
    (lambda: EMA(Module()), ValueError, "EMA: model has no parameters"),
    (lambda: EMA(Linear(2, 1, rng=0)).load_state_dict({"weight": np.ones((1, 2))}), ValueError,
     "EMA: the state does not fit: missing ['bias'], unknown []"),
    (lambda: EMA(Linear(2, 1, rng=0)).load_state_dict({"weight": np.ones(2), "bias": [1.0]}), ValueError,
     "EMA: weight has shape (2,) in the state, expected (1, 2)"),
])
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()
