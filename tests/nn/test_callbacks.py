"""Callbacks of `fit`, each alone: what they write, show and count; and the history."""

import csv
import io
import math
import re

import numpy as np
import pytest

import nn
from nn import MLP, SGD, CSVLogger, EarlyStopping, GradientNorms, History, HistoryPlot, ProgressBar, fit

X = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
LABELS = np.arange(20) % 2


def run(callbacks, epochs=2, jit=False, **options):
    model = MLP([3, 4, 2], rng=0)
    return fit(model, nn.cross_entropy, (X, LABELS), (X, LABELS), SGD(model.parameters(), lr=0.1), epochs=epochs, rng=0,
               batch_size=10, callbacks=callbacks, metrics=[nn.metrics.accuracy], jit=jit, **options)


class Rows:
    """A training whose history is made up."""

    def __init__(self, **columns):
        self.history, self.rows = History(), [dict(zip(columns, row, strict=True))
                                              for row in zip(*columns.values(), strict=True)]

    def epochs_with(self, callback):
        callback.on_train_begin(self)
        for row in self.rows:
            if self.history.stopped:
                break
            self.history.append(row)
            callback.on_epoch_end(self)
        return len(self.history)

    def stop(self, why):
        self.history.stopped = why


NAN = math.nan


@pytest.mark.parametrize(("options", "columns", "epochs"), [
    ({"patience": 2}, {"val_cost": [3, 2, 2, 2, 1]}, 4),
    ({"patience": 2, "min_delta": 0.5}, {"val_cost": [3, 2.6, 2.4, 2, 1.7, 0]}, 6),
    ({"patience": 1}, {"val_cost": [NAN, NAN]}, 1),
    ({"patience": 2}, {"val_cost": [NAN, 5, NAN, 4, 4.5, NAN, 1]}, 6),
    ({"patience": 2, "monitor": "val_accuracy"}, {"val_accuracy": [0.1, 0.3, 0.2, 0.3, 0.9]}, 4),
    ({"patience": 2, "monitor": "score", "mode": "max"}, {"score": [1, 2, 1, 3, 3]}, 5),
    ({"patience": 2, "monitor": "val_accuracy", "mode": "min"}, {"val_accuracy": [3, 4, 5, 1]}, 3),
])
def test_early_stopping_waits(options, columns, epochs):
    assert Rows(**columns).epochs_with(EarlyStopping(**options)) == epochs


def test_early_stopping_goes_on_with_more_patience():
    rows, short, longer = Rows(val_cost=[1, 2, 2]), EarlyStopping(patience=2), EarlyStopping(patience=3)
    assert rows.epochs_with(short) == 3
    assert rows.history.stopped == "val_cost has not become better for 2 epochs; its best is 1"
    longer.load_state_dict(short.state_dict())
    rows.history.stopped = None
    longer.on_train_begin(rows)
    assert rows.history.stopped is None
    rows.rows = [{"val_cost": 3}]
    rows.epochs_with(longer)
    assert rows.history.stopped.endswith("for 3 epochs; its best is 1")


def test_the_best_parameters_are_kept(tmp_path):
    seen = []

    class States(nn.Callback):
        def on_epoch_end(self, run):
            seen.append((run.history[-1]["val_accuracy"], run.model.state_dict()))

    run([nn.Checkpoint(tmp_path / "last", tmp_path / "best", "val_accuracy"), States()], epochs=8)
    best = max(accuracy for accuracy, _ in seen)
    state = next(state for accuracy, state in seen if accuracy == best)  # the first of equals
    model = MLP([3, 4, 2], rng=1)
    nn.load_parameters(model, tmp_path / "best")
    for path, x in model.state_dict().items():
        np.testing.assert_array_equal(x, state[path])


@pytest.mark.parametrize("jit", [True, False])
def test_gradient_norms_are_those_of_the_steps(jit):
    history = run([GradientNorms()], epochs=1, jit=jit)
    model, norms = MLP([3, 4, 2], rng=0), []
    optimizer = SGD(model.parameters(), lr=0.1)
    for x, y in nn.data.minibatches(X, LABELS, size=10, rng=0):
        nn.train_step(model, nn.cross_entropy, optimizer, x, y)
        norms.append([math.hypot(np.linalg.norm(layer.weight.grad), np.linalg.norm(layer.bias.grad))
                      for layer in (model[0], model[2])])
    assert history.columns[-2:] == ["gradient_norm/0", "gradient_norm/2"]
    np.testing.assert_allclose([history[0]["gradient_norm/0"], history[0]["gradient_norm/2"]], np.mean(norms, axis=0),
                               rtol=1e-5)


def test_the_log_keeps_every_digit(tmp_path):
    history = run([CSVLogger(tmp_path / "log.csv"), GradientNorms()])
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{k: float(x) for k, x in row.items()} for row in rows] == history


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_plot_is_drawn(tmp_path, suffix, start):
    pytest.importorskip("matplotlib")
    run([HistoryPlot(tmp_path / f"plot.{suffix}"), GradientNorms()])
    assert (tmp_path / f"plot.{suffix}").read_bytes().startswith(start)


def test_the_plot_has_a_panel_for_columns_of_a_kind():
    pytest.importorskip("matplotlib")
    panels = {axes.get_title(): [line.get_label() for line in axes.lines]
              for axes in run([GradientNorms()]).plot().axes}
    assert panels.keys() == {"lr", "cost", "accuracy", "gradient_norm"}
    assert panels["cost"] == ["cost", "val_cost"] and panels["gradient_norm"] == ["0", "2"]


def test_the_progress_bar_writes_a_line_per_epoch_into_a_file():
    rich = pytest.importorskip("rich.console")
    text = io.StringIO()
    history = run([ProgressBar(rich.Console(file=text)), GradientNorms()])
    assert text.getvalue().splitlines() == [
        f"epoch {row['epoch']}/2  cost {row['cost']:.4f}  val cost {row['val_cost']:.4f}  "
        f"val accuracy {row['val_accuracy']:.2%}" for row in history]


@pytest.mark.parametrize("as_function", [True, False])
def test_the_progress_bar_moves_on_a_terminal(as_function):
    rich, text = pytest.importorskip("rich.console"), io.StringIO()
    model = MLP([3, 4, 2], rng=0)
    train = (lambda rng: nn.data.minibatches(X, LABELS, size=5)) if as_function else (X, LABELS)
    fit(model, nn.cross_entropy, train, None, SGD(model.parameters(), lr=0.1), epochs=2, rng=0, batch_size=5, jit=False,
        callbacks=[ProgressBar(rich.Console(file=text, force_terminal=True, width=120))])
    assert re.search(r"epoch 2/2 .*cost 0\.\d{4}", text.getvalue())


def test_a_history_tells_its_columns():
    history = History([{"epoch": 1, "cost": 0.5}, {"epoch": 2, "cost": 0.25, "val_cost": 1.0}])
    np.testing.assert_array_equal(history.column("val_cost"), [NAN, 1])
    with pytest.raises(KeyError, match="history: there is no column 'acc'; there are: epoch, cost, val_cost"):
        history.column("acc")


@pytest.mark.parametrize(("make", "text"), [
    (lambda: EarlyStopping(patience=0), "EarlyStopping: patience must be a positive integer, got 0"),
    (lambda: EarlyStopping(min_delta=-1), "EarlyStopping: min_delta must be a finite number of at least 0, got -1"),
    (lambda: EarlyStopping(mode="up"), "EarlyStopping: mode must be 'min' or 'max', got 'up'"),
    (lambda: nn.Checkpoint("x", mode="up"), "Checkpoint: mode must be 'min' or 'max', got 'up'"),
])
def test_errors(make, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        make()


@pytest.mark.parametrize(("module", "use", "text"), [
    ("rich.console", ProgressBar, "nn.ProgressBar needs rich: pip install 'nudgegrad[train]'"),
    ("matplotlib.figure", History().plot, "plotting a history needs matplotlib: pip install 'nudgegrad[train]'"),
])
def test_what_is_not_installed_is_named(monkeypatch, module, use, text):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=re.escape(text)):
        use()


@pytest.mark.parametrize("target", [[0, 1, 1], np.eye(2)[[0, 1, 1]]])
def test_accuracy_takes_labels_and_rows(target):
    assert nn.metrics.accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), target) == pytest.approx(2 / 3)


def test_accuracy_counts_nan_as_wrong():
    assert nn.metrics.accuracy(np.array([[np.nan, np.nan], [0.2, np.nan], [0.7, 0.3]]), [0, 1, 0]) == 1 / 3


@pytest.mark.parametrize(("output", "target"), [(np.zeros((3, 2)), [0, 1]), (np.zeros(3), [0, 1, 1]),
                                                (np.zeros((3, 2)), np.zeros((3, 4))), (np.zeros((0, 2)), [])])
def test_accuracy_of_what_does_not_fit(output, target):
    text = "accuracy: output must have the shape (n, classes), and target (n,) or (n, classes); got "
    with pytest.raises(ValueError, match=re.escape(text)):
        nn.metrics.accuracy(output, target)
