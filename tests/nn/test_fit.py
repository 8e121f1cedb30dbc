"""`fit`: the numbers of a hand-written loop, resuming bit for bit, Ctrl-C, the first NaN, and every error."""

import re
import signal
import threading

import numpy as np
import pytest

import nn
from autograd import Value
from nn import MLP, SGD, Adam, Callback, Checkpoint, EarlyStopping, Module, OneCycle, Tanh, fit

RNG = np.random.default_rng(5)
X = RNG.standard_normal((25, 3)).astype(np.float32)
Y = np.tanh(X[:, :2] * X[:, 1:])


class Noisy(Module):
    """A network with a generator of its own, a running mean, and lengths beside its input."""

    _buffers = ("mean",)

    def __init__(self, seed=0):
        self.inner, self.rng = MLP([3, 6, 2], Tanh, rng=seed), np.random.default_rng(seed + 1)
        self.mean = np.zeros(3, np.float32)

    def __call__(self, x):
        x, lengths = x
        if self.training:
            self.mean *= 0.9
            self.mean += 0.1 * np.mean(x, axis=0)
            x = x + 0.1 * self.rng.standard_normal(x.shape)
        return self.inner(x - self.mean) * lengths[:, None]


PAIR = (X, np.arange(25, dtype=np.float32) / 25), Y


def parts(seed=0, make=Noisy):
    model = make(seed)
    optimizer = Adam(model.parameters(), lr=0.02)
    return {"model": model, "optimizer": optimizer, "schedule": OneCycle(optimizer, 0.05, 15)}


def jitter(x, rng):
    return (x[0] + rng.normal(0, 0.01, x[0].shape).astype(np.float32), *x[1:])


def assert_same(one, other):
    for (path, x), (_, y) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=path, strict=True)


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("as_function", [True, False])
def test_a_hand_written_loop_gives_the_same_bits(jit, as_function):
    by_hand, by_fit, rng = parts(), parts(), np.random.default_rng(3)
    model, schedule, costs = by_hand["model"], by_hand["schedule"], []
    step = nn.make_train_step(model, nn.mse_loss, by_hand["optimizer"], jit=jit, clip_norm=0.5)
    for _ in range(3):
        total = 0.0
        for x, lengths, y in nn.data.minibatches(*PAIR[0], Y, size=10, rng=rng):
            total += step(jitter((x, lengths), rng), y) * len(x)
            schedule.step()
        costs.append(total / 25)

    def batches(rng):
        for x, lengths, y in nn.data.minibatches(*PAIR[0], Y, size=10, rng=rng):
            yield jitter((x, lengths), rng), y

    options = {"train": batches} if as_function else {"train": PAIR, "transform": jitter, "batch_size": 10}
    history = fit(**by_fit, cost=nn.mse_loss, epochs=3, rng=3, jit=jit, clip_norm=0.5, validation=PAIR,
                  metrics={"largest": lambda output, y: np.abs(output - y).max()}, **options)
    assert_same(by_fit["model"], model)
    assert history.column("cost").tolist() == costs
    assert history.column("lr").tolist() == [schedule.lr_at(n) for n in (0, 3, 6)]
    assert by_fit["optimizer"].lr == by_hand["optimizer"].lr
    error = nn.predict(model, PAIR[0]) - Y
    assert history[-1]["val_cost"] == np.mean(np.square(error)) and history[-1]["val_largest"] == np.abs(error).max()
    assert history.columns == ["epoch", "lr", "cost", "val_cost", "val_largest"]
    assert history.stopped is None and history.seconds > 0


@pytest.mark.parametrize("jit", [True, False])
def test_resuming_gives_the_same_bits(tmp_path, jit):
    def training(folder, epochs, seed=0, **options):
        made = parts(seed)
        callbacks = [Checkpoint(tmp_path / folder / "last", tmp_path / folder / "best", note="mine"),
                     EarlyStopping("val_cost", patience=2, min_delta=1.0)]
        history = fit(**made, cost=nn.mse_loss, train=PAIR, validation=PAIR, epochs=epochs, callbacks=callbacks,
                      rng=seed, batch_size=10, transform=jitter, jit=jit, **options)
        return history, made, callbacks

    whole, one, callbacks = training("whole", 5)
    training("parted", 2)
    resumed, other, _ = training("parted", 5, seed=7, resume=tmp_path / "parted" / "last")
    assert whole == resumed and len(whole) == 3 and whole.stopped == resumed.stopped
    assert whole.stopped.startswith("val_cost has not become better for 2 epochs") and callbacks[1].waited == 2
    assert_same(one["model"], other["model"])
    for name in ("last", "best"):
        a, b = ((tmp_path / folder / name).read_bytes() for folder in ("whole", "parted"))
        assert a == b or name == "last"  # which holds the seconds
    assert nn.checkpoints.read_progress(tmp_path / "parted" / "last")["note"] == "mine"
    again, _, _ = training("parted", 9, resume=tmp_path / "whole" / "last")
    assert again == whole and again.stopped == whole.stopped  # its patience is at its end


class Presses(Callback):
    """Ctrl-C after the given number of steps."""

    def __init__(self, after, times=1):
        self.after, self.times, self.seen = after, times, 0

    def on_step_end(self, run):
        self.seen += 1
        if self.seen == self.after:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
            self.went_on = True


@pytest.fixture
def ctrl_c():
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals go to the main thread")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_after_the_step_and_keeps_the_work(tmp_path, capsys, ctrl_c, times):
    made, press = parts(), Presses(5, times)  # in the second epoch, of 3 steps
    options = {"cost": nn.mse_loss, "train": PAIR, "epochs": 4, "rng": 0, "batch_size": 10, "jit": False}
    history = fit(**made, **options, callbacks=[press, Checkpoint(tmp_path / "last")])
    assert len(history) == 1 and history.stopped == "Interrupted after epoch 1 of 4"
    text = f"Interrupted after epoch 1 of 4. Go on with: nn.fit(..., resume='{tmp_path / 'last'}')\n"
    assert capsys.readouterr().err == text
    assert made["optimizer"].steps == 5 and made["schedule"].steps == 5 and hasattr(press, "went_on") == (times == 1)
    resumed = fit(**made, **options, callbacks=[Checkpoint(tmp_path / "last")], resume=tmp_path / "last")
    whole = parts()
    assert resumed == fit(**whole, **options)
    assert_same(made["model"], whole["model"])


def test_ctrl_c_at_the_last_step_of_an_epoch_keeps_that_epoch(capsys, ctrl_c):
    history = fit(**parts(), cost=nn.mse_loss, train=PAIR, epochs=2, rng=0, jit=False, batch_size=10,
                  callbacks=[Presses(3)])
    assert len(history) == 1
    assert capsys.readouterr().err.endswith("There is no nn.Checkpoint among the callbacks to go on from.\n")


def test_a_handler_of_the_program_stays(ctrl_c):
    pressed = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    history = fit(**parts(), cost=nn.mse_loss, train=PAIR, epochs=2, rng=0, jit=False, callbacks=[Presses(1)])
    assert len(history) == 2 and pressed == [signal.SIGINT]
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Root(Module):
    """Its gradient is infinite where an input is 0, while its output is finite."""

    def __init__(self, seed=0):
        self.inner = MLP([3, 2], rng=seed)

    def __call__(self, x):
        return np.sqrt(np.abs(self.inner(x)) * x[:, :1])


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize(("make", "bad", "finding"), [
    (Noisy, np.inf, "the constant argument_0, argument 0 of autograd.functions.affine, holds nan"),
    (Root, 0.0, "the value is finite, but backward np.sqrt"),
])
def test_the_first_nan_stops_it_with_a_report(jit, make, bad, finding):
    made = parts(make=make)
    x = np.abs(X)
    x[12] = bad
    x = (x, np.ones(25, np.float32)) if make is Noisy else x

    def batches(rng):
        return nn.data.minibatches(x, Y, size=10) if make is Root else (
            ((a, b), y) for a, b, y in nn.data.minibatches(*x, Y, size=10))

    before = []

    class Last(Callback):
        def on_step_end(self, run):
            before.append((run.model.state_dict(), repr(run.optimizer.state_dict())))

    with pytest.raises(FloatingPointError) as caught:
        fit(**made, cost=nn.mse_loss, train=batches, rng=0, jit=jit, callbacks=[Last()])
    assert re.match(r"the (cost is nan|gradient of parameter 0 is not finite) at step 2 with lr=", str(caught.value))
    assert f"explain_nan: {finding}" in str(caught.value)
    assert len(before) == 1 and repr(made["optimizer"].state_dict()) == before[0][1]
    for path, array in made["model"].state_dict().items():
        np.testing.assert_array_equal(array, before[0][0][path])


def test_modes_are_left_alone_unless_all_is_in_evaluation():
    made = parts()
    made["model"].inner[0].eval()
    fit(**made, cost=nn.mse_loss, train=PAIR, validation=PAIR, rng=0, jit=False)
    assert made["model"].training and not made["model"].inner[0].training
    made["model"].eval()
    fit(**made, cost=nn.mse_loss, train=PAIR, validation=PAIR, rng=0, jit=False)
    assert made["model"].inner[0].training


def test_several_validation_sets_and_metrics():
    labels = np.arange(25) % 2
    model = MLP([3, 2], rng=0)
    history = fit(model, nn.cross_entropy, (X, labels), {"train": (X, labels), "test": (X[:5], labels[:5])},
                  SGD(model.parameters(), lr=0.1), rng=0, jit=False, metrics=[nn.metrics.accuracy])
    assert history.columns[3:] == ["train_cost", "train_accuracy", "test_cost", "test_accuracy"]


def test_lists_are_arrays():
    rows = []
    lists = [X.tolist(), Y.tolist()]
    for train, data in ((X, Y), (X, Y)), ((X, Y), lists), (lambda rng: [(X, Y)], lists), (lambda rng: [lists], lists):
        model = MLP([3, 2], rng=0)
        rows += fit(model, nn.mse_loss, train, data, SGD(model.parameters(), lr=0.1), rng=0, batch_size=25)
    assert all(row == pytest.approx(rows[0]) for row in rows)


def test_callbacks_are_called_in_their_order_with_the_checkpoint_last(tmp_path):
    calls = []

    class Note(Callback):
        def __getattribute__(self, name):
            if name.startswith(("on_", "columns")):
                calls.append(name)
            return super().__getattribute__(name)

        def columns(self, run):
            return {"mine": float(run.step)}

        def on_epoch_end(self, run):
            assert nn.checkpoints.read_progress(tmp_path / "last")["history"] == run.history[:-1]
            run.stop("enough")

    history = fit(**parts(), cost=nn.mse_loss, train=PAIR, rng=0, jit=False, batch_size=13, epochs=5,
                  callbacks=[Checkpoint(tmp_path / "last"), Note()])
    assert calls == ["on_train_begin", "on_step_end", "on_step_end", "columns", "on_epoch_end", "on_train_end"]
    assert history.stopped == "enough" and history[0]["mine"] == 2


def test_callbacks_end_also_after_an_error():
    ended = []

    class Ends(Callback):
        def on_train_end(self, run):
            ended.append(run.step)

        def on_step_end(self, run):
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fit(**parts(), cost=nn.mse_loss, train=PAIR, rng=0, jit=False, callbacks=[Ends()])
    assert ended == [1]


MODEL = MLP([3, 2], rng=0)
PAIR_ERROR = "must be a pair (x, y) of inputs and targets"
ERRORS = [
    ({"optimizer": None}, TypeError, "fit: optimizer must be an nn optimizer, such as nn.Adam(model.parameters(), "
                                     "lr=0.001), got None"),
    ({"model": lambda x: x}, TypeError, "fit: model must be a module, got <function"),
    ({"cost": "mse"}, TypeError, "fit: cost must be a function of output and target, such as nn.mse_loss, got 'mse'"),
    ({"schedule": nn.Cosine}, TypeError, "fit: schedule must be an nn schedule, such as nn.Cosine(optimizer, "
                                         "total_steps=1000), got <class"),
    ({"schedule": nn.Cosine(SGD([Value(1.0)], lr=0.1), 9)}, ValueError,
     "fit: schedule must be that of the optimizer passed, but was made with another"),
    ({"callbacks": nn.GradientNorms()}, TypeError, "fit: callbacks must be a list of callbacks, such as "
                                                   "nn.GradientNorms(); got <nn.callbacks.GradientNorms"),
    ({"callbacks": [nn.GradientNorms]}, TypeError, "nn.GradientNorms(); got <class 'nn.callbacks.GradientNorms'>"),
    ({"metrics": nn.metrics.accuracy}, TypeError, "fit: metrics must be a list of functions, or a dict of them by "
                                                  "name; got <function accuracy"),
    ({"metrics": ["accuracy"]}, TypeError, "by name; got 'accuracy'"),
    ({"metrics": [lambda a, y: 1.0, lambda a, y: 2.0]}, ValueError,
     "fit: metrics must have a name each, got ['<lambda>', '<lambda>']; pass a dict of them by name"),
    ({"metrics": {"cost": nn.mse_loss}}, ValueError, "fit: metrics: a metric cannot have the name of the column cost"),
    ({"metrics": {"m": lambda a, y: a}, "validation": (X, Y)}, TypeError, "fit: the metric m must give a number, got "),
    ({"callbacks": [nn.EMA(MLP([3, 2], rng=0))]}, ValueError, "EMA: model must be the one that is trained, or a part"),
    ({"epochs": 0}, ValueError, "fit: epochs must be a positive integer, got 0"),
    ({"batch_size": 2.5}, ValueError, "fit: batch_size must be a positive integer, got 2.5"),
    ({"rng": None}, TypeError, "fit: rng must be a numpy.random.Generator or an int"),
    ({"train": X}, TypeError, f"fit: train {PAIR_ERROR}, or a function of the generator that yields mini-batches; got "
                              "ndarray"),
    ({"train": (X, Y, Y)}, TypeError, "got tuple of 3"),
    ({"train": (X, Y[:7])}, ValueError, "fit: train must hold as many inputs as targets, and at least one; got arrays "
                                        "of [25, 7] rows"),
    ({"train": (X, None)}, TypeError, "fit: train must hold arrays with a row for each example, got one of no axes, "
                                      "array(None, dtype=object)"),
    ({"train": (X[:0], Y[:0])}, ValueError, "got arrays of [0, 0] rows"),
    ({"train": lambda rng: iter(())}, ValueError, "fit: train gave no mini-batch; a function must yield those of an "
                                                  "epoch each time it is called"),
    ({"validation": X}, TypeError, f"fit: validation 'val' {PAIR_ERROR}; got ndarray"),
    ({"validation": {"test": (X, Y[:2])}}, ValueError, "fit: validation 'test' must hold as many"),
    ({"callbacks": [EarlyStopping("val_cost")]}, ValueError,
     "EarlyStopping: monitor: the history has no column 'val_cost'; it has epoch, lr, cost"),
    ({"resume": "nowhere"}, FileNotFoundError, "there is no file nowhere"),
]


@pytest.mark.parametrize(("options", "kind", "text"), ERRORS, ids=range(len(ERRORS)))
def test_errors(options, kind, text):
    optimizer = SGD(MODEL.parameters(), lr=0.1)
    good = {"model": MODEL, "cost": nn.mse_loss, "train": (X, Y), "optimizer": optimizer, "rng": 0}
    with pytest.raises(kind, match=re.escape(text)):
        fit(**good | options)


def test_checkpoints_that_do_not_fit_change_nothing(tmp_path):
    made = parts()
    options = {"cost": nn.mse_loss, "train": PAIR, "rng": 0, "batch_size": 10, "epochs": 2, "jit": False}
    fit(**made, **options, callbacks=[Checkpoint(tmp_path / "last")])
    before = made["model"].state_dict()
    nn.save_checkpoint(tmp_path / "other", **made, rng=np.random.default_rng(0), epoch=1)
    for name, callbacks, text in [
        ("other", [], "was not written by nn.fit: it has no history"),
        ("last", [EarlyStopping("cost"), Checkpoint(tmp_path / "new")],
         "holds the state of the callbacks ['Checkpoint'], but those passed are ['EarlyStopping', 'Checkpoint']"),
    ]:
        with pytest.raises(ValueError, match=re.escape(f"resume: {tmp_path / name} {text}")):
            fit(**made, **options, callbacks=callbacks, resume=tmp_path / name)
    assert_same(made["model"], type("Before", (), {"state_dict": lambda self: before})())
