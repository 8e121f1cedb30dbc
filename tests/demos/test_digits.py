"""The digits demo: its files, its errors, and that an interrupted run ends with the same bits."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rich", reason="the extra train is not installed")

from safetensors.numpy import load_file

import nn
from demos import digits, digits_networks, digits_report

FILES = {"checkpoint.safetensors", "confusion.png", "curves.png", "history.csv", "mistakes.png", "model.safetensors",
         "weights.png"}


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    """Few digits, and no MNIST, whatever the machine has."""

    def missing():
        raise nn.data.DataUnavailable("MNIST: no mirror gives a file:\n  one\n  two")

    strokes = nn.data.strokes
    monkeypatch.setattr(nn.data, "mnist", missing)
    monkeypatch.setattr(nn.data, "strokes", lambda n, rng: strokes(n // 100, rng))


@pytest.fixture
def without_pictures(monkeypatch):
    """For tests of other things, since the pictures take longer than the training."""
    monkeypatch.setattr(digits_report, "write_pictures", lambda *_, **__: [])


def run(folder, *args):
    return digits.main(["--out", str(folder), *map(str, args)])


def test_writes_its_files_and_prints_the_table(tmp_path, capsys):
    assert run(tmp_path, "--epochs", 2) == 0
    assert {p.name for p in tmp_path.iterdir()} == FILES
    printed = capsys.readouterr().out
    line = "MNIST is not at hand (no mirror gives a file): training on drawn strokes instead."
    assert line in printed.splitlines()
    for text in ("test accuracy", "digit 9", "training time", "13,002"):
        assert text in printed
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["cost"]) < float(rows[0]["cost"])
    model = nn.MLP([784, 16, 16, 10], rng=0)
    nn.load_parameters(model, tmp_path / "model.safetensors")
    images, labels = nn.data.strokes(10_000, 2)
    assert nn.accuracy(model, images, labels) == pytest.approx(float(rows[1]["test_accuracy"]))
    for name in ("confusion.png", "curves.png", "mistakes.png", "weights.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "parameters"), [("cnn", "29,434"), ("small", "7,074")])
def test_a_convolutional_network_shows_its_filters_and_maps(tmp_path, capsys, name, parameters):
    assert run(tmp_path, "--model", name, "--epochs", 2, "--batch-size", 50, "--no-jit") == 0
    assert {p.name for p in tmp_path.iterdir()} == FILES - {"weights.png"} | {"filters.png", "maps.png"}
    for picture in ("filters.png", "maps.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert f"convolutional network on strokes, recipe {name}" in printed and parameters in printed
    rows = (tmp_path / "history.csv").read_text().splitlines()
    assert rows[0] == "epoch,lr,cost,test_cost,test_accuracy" and float(rows[-1].split(",")[-1]) > 0.4
    assert run(tmp_path, "--resume", "--model", "plain") == 1
    assert f"has --model {name}, not" in capsys.readouterr().err


def test_the_maps_are_those_of_the_stages():
    model = digits_networks.Convolutional((2, 3, 4), np.random.default_rng(0))
    assert [m.shape for m in model.maps(np.zeros((5, 784), np.float32))] == [(5, 2, 14, 14), (5, 3, 7, 7), (5, 4, 3, 3)]
    pictures = np.arange(12.0).reshape(3, 2, 2)
    nan = np.nan
    np.testing.assert_array_equal(digits_report.mosaic(pictures, 2), [
        [0, 1, nan, 4, 5], [2, 3, nan, 6, 7], [nan] * 5, [8, 9, nan, nan, nan], [10, 11, nan, nan, nan]])


def test_learns_the_strokes(tmp_path, capsys, without_pictures):
    assert run(tmp_path, "--data", "strokes", "--epochs", 30, "--batch-size", 20, "--lr", 0.005) == 0
    rows = (tmp_path / "history.csv").read_text().splitlines()
    assert float(rows[-1].split(",")[-1]) > 0.6  # of 600 digits alone; chance is 0.1


class Killed(BaseException):
    """What ends a process on the spot."""


def interrupted(folder, options, how, capsys):
    if how is KeyboardInterrupt:
        assert run(folder, *options) == 130
        again = f"Interrupted after epoch 1 of 3. Go on with: python -m demos.digits --resume --out {folder}\n"
        assert capsys.readouterr().err == again
    else:
        with pytest.raises(Killed):
            run(folder, *options)


@pytest.mark.parametrize(("how", "network", "pictures"), [
    (KeyboardInterrupt, ["--recipe", "relu"], ["confusion.png"]),
    (Killed, ["--recipe", "relu"], []),
    (KeyboardInterrupt, ["--recipe", "notes"], []),
    (KeyboardInterrupt, ["--model", "small", "--no-jit"], []),
])
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, request, monkeypatch, capsys, how, network, pictures):
    if not pictures:
        request.getfixturevalue("without_pictures")
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    options = [*network, "--epochs", 3, "--batch-size", 50, "--seed", 7]
    assert run(whole, *options) == 0

    class Interrupting(nn.ProgressBar):
        def on_step_end(self, run):
            if (run.epoch, run.step) == (2, 7):  # of 12 steps
                raise how

    with monkeypatch.context() as patch:
        patch.setattr(nn, "ProgressBar", Interrupting)
        interrupted(parted, options, how, capsys)
    assert {p.name for p in parted.iterdir()} == {"checkpoint.safetensors"}
    assert run(parted, *options) == 1  # starting anew would lose an epoch
    assert "holds this run unfinished; go on with it by --resume" in capsys.readouterr().err
    assert run(parted, "--resume") == 0
    for name in ("model.safetensors", "history.csv", *pictures):
        assert (whole / name).read_bytes() == (parted / name).read_bytes()


def test_a_finished_run_can_be_resumed_and_repeated(tmp_path, capsys, without_pictures):
    assert run(tmp_path, "--epochs", 1) == 0
    before = (tmp_path / "model.safetensors").read_bytes()
    assert run(tmp_path, "--resume") == 0
    assert run(tmp_path, "--epochs", 1) == 0
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_the_default_folder_tells_the_settings_apart():
    def folder(**given):
        options = dict.fromkeys(["model", "recipe", "epochs", "batch_size", "lr", "seed", "jit"]) | given
        return str(digits.folder_of(digits.settings_of(SimpleNamespace(**options), "mnist")))

    assert folder() == "output/digits-relu"
    assert folder(recipe="notes", seed=2, epochs=1) == "output/digits-notes-epochs1-seed2"
    assert folder(model="cnn") == "output/digits-cnn"
    assert folder(jit=False) == "output/digits-relu-nojit"


def test_jit_is_said_and_can_be_turned_off(tmp_path, capsys, without_pictures):
    assert run(tmp_path / "jit", "--epochs", 1) == 0
    assert "Each step runs as a program, by num" in capsys.readouterr().out
    assert run(tmp_path / "plain", "--epochs", 1, "--no-jit") == 0
    assert "Each step runs as it is written, without jit." in capsys.readouterr().out
    with_jit, without = (load_file(tmp_path / name / "model.safetensors") for name in ("jit", "plain"))
    for name, array in with_jit.items():
        np.testing.assert_allclose(array, without[name], rtol=1e-3, atol=1e-4)
    assert run(tmp_path / "jit", "--resume", "--no-jit") == 1
    assert "has no --no-jit" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "text"), [
    (["--resume"], "there is no run to go on with in"),
    (["--data", "mnist"], "no mirror gives a file"),
    (["--epochs", 2, "--lr", 1e30], "use a smaller lr"),
    (["--recipe", "notes", "--epochs", 1, "--lr", 1e39], "use a smaller lr"),
])
def test_errors(tmp_path, capsys, options, text):
    assert run(tmp_path / "run", *options) == 1
    assert text in capsys.readouterr().err


def test_resuming_or_repeating_with_other_settings_is_an_error_and_loses_nothing(tmp_path, capsys):
    assert run(tmp_path, "--epochs", 1) == 0
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert run(tmp_path, "--resume", "--epochs", 2) == 1
    assert "has --epochs 1, not 2" in capsys.readouterr().err
    assert run(tmp_path, "--epochs", 1, "--seed", 1) == 1
    assert "holds a run with other settings" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_damaged_checkpoint_is_named(tmp_path, capsys):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"not a checkpoint")
    assert run(tmp_path, "--resume") == 1
    assert str(path) in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_shows_at_once(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "run", "--epochs", 1) == 1
    error = capsys.readouterr().err
    assert "--out: cannot write to" in error and "file" in error


@pytest.mark.parametrize("options", [["--epochs", 0], ["--epochs", "two"], ["--lr", "-1"], ["--lr", "nan"],
                                     ["--seed", "-1"], ["--recipe", "best"], ["--batch-size", 1.5],
                                     ["--model", "large"], ["--model", "cnn", "--recipe", "relu"]])
def test_wrong_options_are_refused_by_the_parser(tmp_path, capsys, options):
    with pytest.raises(SystemExit) as exit_:
        run(tmp_path / "run", *options)
    assert exit_.value.code == 2
    assert not (tmp_path / "run").exists()
