"""The demos of spoken digits and of strings of them: files, errors, `--record`, and going on after Ctrl-C."""

import io
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rich", reason="the extra train is not installed")
pytest.importorskip("scipy.io.wavfile", reason="the extra train is not installed")

from matplotlib.figure import Figure
from safetensors.numpy import load_file
from scipy.io import wavfile

import nn
from demos import speech, spoken_digits, spoken_strings

RATE = 8000


def tone(digit, speaker, take):
    """A digit of an easy language: a pitch of its own, a little higher for the second speaker, between silences."""
    rng = np.random.default_rng(100 * digit + 10 * speaker + take)
    time = np.arange(1200 + 200 * take) / RATE
    sound = 0.3 * np.sin(2 * np.pi * (300 + 300 * digit + 20 * speaker) * time)
    return np.concatenate([np.zeros(400), sound + rng.normal(0, 0.01, len(time)), np.zeros(400)]).astype(np.float32)


def recordings(takes):
    said = [(d, s, t) for d in range(10) for s in range(2) for t in takes]
    digits, speakers, numbers = map(np.array, zip(*said, strict=True))
    return nn.data.Recordings([tone(*which) for which in said], digits, np.array(["ann", "bob"])[speakers], numbers)


@pytest.fixture(autouse=True)
def small(monkeypatch, request):
    """Tones for words, few strokes, and small networks."""
    strokes = nn.data.strokes
    if "drawn" not in request.fixturenames:  # which takes most of the time
        monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).write_bytes(b"a picture"))
    monkeypatch.setattr(nn.data, "spoken_digits", lambda: (recordings(range(1, 4)), recordings(range(1))))
    monkeypatch.setattr(nn.data, "strokes", lambda n, rng: strokes(n // 25, rng))
    monkeypatch.setattr(spoken_digits, "HIDDEN", 16)
    monkeypatch.setattr(spoken_digits, "BATCH", 20)
    for name, value in {"HIDDEN": 12, "BATCH": 10, "STRINGS": 20, "TEST_STRINGS": 10, "FRAMES": 160, "MOST": 4}.items():
        monkeypatch.setattr(spoken_strings, name, value)


@pytest.fixture
def drawn():
    """Pictures are drawn in this test."""


@pytest.fixture
def nothing(monkeypatch):
    """No data set at hand."""
    def missing():
        raise nn.data.DataUnavailable("Spoken digits: no mirror gives fsdd.zip:\n  one")
    monkeypatch.setattr(nn.data, "spoken_digits", missing)


def run(demo, folder, *args):
    return demo.run(["--out", str(folder), *map(str, args)])


PICTURES = {"spectrograms.png", "confusion.png", "gates.png", "curves.png"}
DIGITS_FILES = PICTURES | {"checkpoint.safetensors", "model.safetensors"}
STRANGERS = {"without-ann.safetensors", "without-bob.safetensors"}


def names(folder):
    return {path.name for path in folder.iterdir()}


# ---- Spoken digits ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("drawn")
def test_learns_and_asks_strangers_and_understands_a_recording(tmp_path, capsys):
    assert run(spoken_digits, tmp_path, "--epochs", 20) == 0
    printed = capsys.readouterr().out
    for text in ("Training on 60 spoken digits, 20 epochs, seed 0.", "Training without bob, who then is a stranger.",
                 "test accuracy", "digit 9", "accuracy on a speaker left out", "  ann", "parameters",
                 "--record FILE.wav --out"):
        assert text in printed
    assert names(tmp_path) == DIGITS_FILES | STRANGERS
    for name in PICTURES:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    history = nn.checkpoints.read_progress(tmp_path / "checkpoint.safetensors")["history"]
    assert history[-1]["val_accuracy"] >= 0.5  # of twenty; chance is 0.1
    wavfile.write(tmp_path / "seven.wav", RATE, tone(7, 0, 2))
    assert run(spoken_digits, tmp_path, "--record", tmp_path / "seven.wav") == 0
    assert re.search(r"seven\.wav: (six|seven|eight) \(\d+\.\d%\), or \w+ \(", capsys.readouterr().out)


def test_without_the_data_it_trains_on_drawn_digits_and_says_so(tmp_path, capsys, nothing):
    assert run(spoken_digits, tmp_path, "--epochs", 1, "--no-jit") == 0
    printed = capsys.readouterr().out
    assert "The spoken digits are not at hand (no mirror gives fsdd.zip): training on drawn ones instead" in printed
    assert "Training on 108 drawn digits" in printed and "left out" not in printed and "--record" not in printed
    assert names(tmp_path) == DIGITS_FILES
    wavfile.write(tmp_path / "a.wav", RATE, tone(7, 0, 2))
    assert run(spoken_digits, tmp_path, "--record", tmp_path / "a.wav") == 1
    assert "was trained on drawn digits and has never heard one" in capsys.readouterr().err
    assert run(spoken_digits, tmp_path / "other", "--data", "spoken") == 1
    assert "no mirror gives fsdd.zip" in capsys.readouterr().err


@pytest.mark.parametrize("call", [5, 12])  # in the second epoch of the first training, in the second of the next one
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, monkeypatch, capsys, call):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    options = ["--epochs", 3, "--seed", 7, "--no-jit"]
    assert run(spoken_digits, whole, *options) == 0
    varied, calls = speech.varied, []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return varied(*args, **kwargs)

    monkeypatch.setattr(speech, "varied", interrupted)
    assert run(spoken_digits, parted, *options) == 130
    error = capsys.readouterr().err
    assert "Interrupted after epoch" in error and f"python -m demos.spoken_digits --resume --out {parted}" in error
    assert run(spoken_digits, parted, *options) == 1  # starting anew would lose an epoch
    assert "holds this run unfinished; go on with it by --resume" in capsys.readouterr().err
    assert run(spoken_digits, parted, "--resume", "--seed", 8) == 1
    assert "has --seed 7, not 8" in capsys.readouterr().err
    assert run(spoken_digits, parted, "--resume") == 0
    for name in ("model.safetensors", "confusion.png", "gates.png", *sorted(STRANGERS)):
        mine, other = ((folder / name).read_bytes() for folder in (whole, parted))
        if name.startswith("without"):
            one, two = (load_file(folder / name) for folder in (whole, parted))
            assert all((two[name] == array).all() for name, array in one.items())
        else:
            assert mine == other
    assert run(spoken_digits, parted, *options) == 0  # a finished run can be done anew


@pytest.mark.parametrize("demo", [spoken_digits, spoken_strings])
@pytest.mark.parametrize(("options", "text"), [
    (["--resume"], "there is no run to go on with in"),
    (["--seed", 1], "holds a run with other settings"),
])
def test_a_folder_with_another_run_or_none(tmp_path, capsys, demo, options, text):
    if "--seed" in options:
        assert run(demo, tmp_path, "--epochs", 1, "--no-jit", "--data", "strokes") == 0
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert run(demo, tmp_path, "--data", "strokes", "--no-jit", "--epochs", 1, *options) == 1
    assert text in capsys.readouterr().err
    if "--seed" in options:
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("demo", [spoken_digits, spoken_strings])
def test_a_damaged_checkpoint_and_a_folder_that_cannot_be_written(tmp_path, capsys, demo):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    assert run(demo, tmp_path, "--resume") == 1
    assert "checkpoint.safetensors is not a checkpoint of this demo" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert run(demo, tmp_path / "file" / "run", "--epochs", 1, "--data", "strokes") == 1
    assert "--out: cannot write to" in capsys.readouterr().err


def test_a_corrupt_archive_is_said(tmp_path, monkeypatch, capsys):
    def corrupt():
        raise nn.data.DataCorrupt("fsdd.zip is not the original")
    monkeypatch.setattr(nn.data, "spoken_digits", corrupt)
    assert run(spoken_digits, tmp_path) == 1
    assert "fsdd.zip is not the original" in capsys.readouterr().err


# ---- A recording of the user's own -----------------------------------------------------------------------


@pytest.fixture
def network(tmp_path):
    """A folder with a network of no training to speak of."""
    folder = tmp_path / "network"
    model = spoken_digits.Listener(np.zeros(40, np.float32), np.ones(40, np.float32), np.random.default_rng(0))
    nn.save_checkpoint(folder / "checkpoint.safetensors", model=model, optimizer=nn.SGD(model.parameters(), lr=1),
                       settings={"data": "spoken", "epochs": 1, "seed": 0, "jit": True}, history=[{"epoch": 1}])
    return folder


def wav(samples, rate=RATE):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


WORD = tone(3, 0, 1)
FILES = {
    "another rate": (wav(WORD, 44100), "own.wav: it has 44100 samples per second; wanted 8000. Convert it"),
    "stereo": (wav(np.stack([WORD, WORD], 1)), "own.wav: it has 2 channels; wanted 1.*ffmpeg"),
    "empty": (b"", "own.wav: it is empty; wanted a WAV file"),
    "broken": (wav(WORD)[:900], "own.wav: it is cut off after 900 bytes"),
    "no sound file": (b"%PDF-1.4 and so on", "own.wav: it is no WAV file"),
    "no samples": (wav(WORD[:0]), "own.wav: it holds no samples"),
    "silent": (wav(np.zeros(8000, np.int16)), "own.wav: it is silent, no sample is beyond 0; wanted one spoken digit"),
    "nearly silent": (wav(WORD / 1000), "own.wav: it is silent, no sample is beyond 0.0003"),
    "too short": (wav(WORD[600:1000]), "own.wav: it has 0.05 s of sound, .* wanted one spoken digit, of 0.1 to 2.5 s"),
    "too long": (wav(np.tile(WORD, 20)), "own.wav: it has .* s of sound, .* wanted one spoken digit"),
}


@pytest.mark.parametrize(("content", "text"), FILES.values(), ids=FILES)
def test_a_wrong_recording_is_an_error_that_says_what_to_do(tmp_path, capsys, network, content, text):
    (tmp_path / "own.wav").write_bytes(content)
    assert run(spoken_digits, network, "--record", tmp_path / "own.wav") == 1
    error = capsys.readouterr().err
    assert error.startswith("--record: ") and re.search(text, error) and error.count("\n") == 1


def test_a_missing_recording_or_network(tmp_path, capsys, network):
    assert run(spoken_digits, network, "--record", tmp_path / "none.wav") == 1
    assert f"--record: there is no file {tmp_path / 'none.wav'}" in capsys.readouterr().err
    (tmp_path / "own.wav").write_bytes(wav(WORD))
    assert run(spoken_digits, network, "--record", tmp_path / "own.wav") == 0
    assert run(spoken_digits, tmp_path / "other", "--record", tmp_path / "own.wav") == 1
    error = capsys.readouterr().err
    assert "there is no trained network in" in error and "python -m demos.spoken_digits --out" in error


# ---- Strings ---------------------------------------------------------------------------------------------


def test_strings_are_trained_on_and_shown(tmp_path, capsys):
    assert run(spoken_strings, tmp_path, "--epochs", 2) == 0
    printed = capsys.readouterr().out
    for text in ("Training on 20 strings of 3 to 4 spoken digits", "digit error rate", "strings without a mistake"):
        assert text in printed
    assert names(tmp_path) == {"checkpoint.safetensors", "model.safetensors", "curves.png", "moments.png"}
    rows = nn.checkpoints.read_progress(tmp_path / "checkpoint.safetensors")["history"]
    assert rows[1]["cost"] < rows[0]["cost"] and all(row["digit_error_rate"] >= 0 for row in rows)


def test_strings_of_drawn_digits_and_resuming(tmp_path, capsys, nothing, monkeypatch):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert run(spoken_strings, whole, "--epochs", 2, "--no-jit") == 0
    assert "training on drawn ones instead, column by column" in capsys.readouterr().out
    varied, calls = speech.varied, []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return varied(*args, **kwargs)

    monkeypatch.setattr(speech, "varied", interrupted)
    assert run(spoken_strings, parted, "--epochs", 2, "--no-jit") == 130
    assert f"python -m demos.spoken_strings --resume --out {parted}" in capsys.readouterr().err
    assert run(spoken_strings, parted, "--resume") == 0
    for name in ("model.safetensors", "moments.png"):
        assert (whole / name).read_bytes() == (parted / name).read_bytes()


@pytest.mark.parametrize(("a", "b", "distance"), [
    ([], [], 0), ([1], [], 1), ([], [1, 2], 2), ([1, 2, 3], [1, 2, 3], 0), ([1, 2, 3], [1, 3], 1), ([1, 2], [2, 1], 2),
    ([3, 1, 4, 1, 5], [1, 4, 4, 5], 2),
])
def test_edit_distance(a, b, distance):
    assert spoken_strings.edit_distance(a, b) == spoken_strings.edit_distance(b, a) == distance


# ---- Parts -----------------------------------------------------------------------------------------------


def test_words_varied_keep_shape_dtype_and_their_place():
    frames, lengths = speech.padded([np.ones((20, 40), np.float32), np.ones((60, 40), np.float32)], 48)
    assert lengths.tolist() == [20, 48] and frames[0, 20:].max() == 0
    out, now = speech.varied((frames, lengths), np.random.default_rng(0), np.zeros(40, np.float32))
    assert out.shape == frames.shape and out.dtype == np.float32 and now.min() >= 1 and now.max() <= 48
    values = np.unique(out).tolist()
    assert values == [0.0, 1.0]  # between equal numbers there are no others, and gaps are 0
    again = speech.varied((frames, lengths), np.random.default_rng(0), np.zeros(40, np.float32))
    assert (again[0] == out).all()
