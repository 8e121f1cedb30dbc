"""Files that are broken or missing, and writes that fail: every error names the path, and nothing half-done stays."""

import gzip
import json
import os
import re
import stat
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

from nn import SGD, Linear, Step, load_checkpoint, load_parameters, save_checkpoint, save_parameters
from nn.checkpoints import read_progress
from nn.files import written


def parts(seed=0):
    model = Linear(3, 2, rng=seed)
    return {"model": model, "optimizer": SGD(model.parameters(), lr=0.1, momentum=0.5)}


def load_both(path):
    """Each way to load, as a call that must leave its model alone."""
    these = parts(1)
    return [(these["model"], lambda: load_parameters(these["model"], path)),
            (these["model"], lambda: load_checkpoint(path, **these))]


def whole():
    return safetensors.numpy.save({"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)})


def header(**tensors):
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


# Files that cannot be read


@pytest.mark.parametrize("content", [
    b"", b"x", b"weight,bias\n1,2\n" * 40, gzip.compress(whole()), whole()[:-1], whole()[:len(whole()) // 2],
    whole()[:7], whole() + b"\0", whole().replace(b"F32", b"F99"), b"\0" * 1000, b"\xff" * 1000,
    b"PK\x03\x04" + b"\0" * 100,
    header(weight={"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}),
], ids=["empty", "one byte", "text", "gzip", "cut by 1", "cut in half", "cut in its length", "too long", "dtype",
        "zeros", "ones", "zip", "header alone"])
def test_a_file_that_is_not_whole(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    for model, load in load_both(path):
        before = repr(model.state_dict())
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))} is not a whole safetensors file: "):
            load()
        assert repr(model.state_dict()) == before
    assert path.read_bytes() == content


@pytest.mark.parametrize("at", [0, 5, 8, 20, 60, 100])
def test_a_bit_that_flipped_in_the_header(tmp_path, at):
    path, content = tmp_path / "m", bytearray(whole())
    content[at] ^= 0x80
    path.write_bytes(content)
    for _, load in load_both(path):
        with pytest.raises(ValueError, match=re.escape(str(path))):
            load()


def test_numbers_that_numpy_does_not_have(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(header(weight={"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
                            bias={"dtype": "F32", "shape": [2], "data_offsets": [12, 20]}) + bytes(20))
    for _, load in load_both(path):
        with pytest.raises(ValueError, match=re.escape(str(path))):
            load()


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.symlink_to("nowhere"),
                                  lambda path: path.parent.rmdir()], ids=["none", "folder", "dangling", "no folder"])
def test_there_is_no_file(tmp_path, make):
    path = tmp_path / "inside" / "model.safetensors"
    path.parent.mkdir()
    make(path)
    for _, load in load_both(path):
        with pytest.raises(FileNotFoundError, match=f"^there is no file {re.escape(str(path))}$"):
            load()


def test_a_file_whose_parent_is_a_file(tmp_path):
    (tmp_path / "file").write_text("text")
    for _, load in load_both(tmp_path / "file" / "model"):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            load()


def test_parameters_alone_are_no_checkpoint(tmp_path):
    path = tmp_path / "m"
    save_parameters(Linear(3, 2, rng=0), path)
    text = f"{path} is not a training checkpoint; for parameters alone use nn.load_parameters"
    with pytest.raises(ValueError, match=re.escape(text)):
        load_checkpoint(path, **parts())


@pytest.mark.parametrize("change", [
    lambda numbers: None, lambda numbers: "{", lambda numbers: "[]", lambda numbers: "{}",
    lambda numbers: json.dumps({**numbers, "optimizer": {"kind": "SGD", "lr": 0.1}}),
    lambda numbers: json.dumps({**numbers, "rng": {"bit_generator": "PCG64", "state": {}}}),
    lambda numbers: json.dumps({**numbers, "schedule": {"kind": "Step"}}),
], ids=["none", "broken", "a list", "empty", "optimizer", "rng", "schedule"])
def test_a_checkpoint_whose_numbers_are_broken_changes_nothing(tmp_path, change):
    path, these = tmp_path / "c", parts(0)
    these |= {"schedule": Step(these["optimizer"], 3), "rng": np.random.default_rng(0)}
    save_checkpoint(path, **these)
    with safetensors.safe_open(path, framework="np") as file:
        names = file.keys()
        arrays, metadata = {name: file.get_tensor(name) for name in names}, file.metadata()
    state = change(json.loads(metadata["state"]))
    safetensors.numpy.save_file(arrays, path, {"format": metadata["format"]} | ({"state": state} if state else {}))
    these = parts(1)
    these |= {"schedule": Step(these["optimizer"], 3), "rng": np.random.default_rng(1)}

    def held():
        return repr([these["model"].state_dict(), these["optimizer"].state_dict(), these["schedule"].state_dict(),
                     these["rng"].bit_generator.state])

    before = held()
    with pytest.raises(ValueError, match=re.escape(str(path))):
        load_checkpoint(path, **these)
    assert held() == before


def test_progress_can_be_read_alone(tmp_path):
    save_checkpoint(tmp_path / "c", **parts(), epoch=3, best=0.5)
    assert read_progress(tmp_path / "c") == {"epoch": 3, "best": 0.5}
    save_parameters(Linear(3, 2, rng=0), tmp_path / "m")
    with pytest.raises(ValueError, match="is not a training checkpoint"):
        read_progress(tmp_path / "m")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_progress(tmp_path / "none")


# Writes that fail


def fail(*args, **kwargs):
    raise OSError(28, "No space left on device")


def interrupt(*args, **kwargs):
    raise KeyboardInterrupt


SAVES = [lambda path: save_parameters(Linear(3, 2, rng=7), path), lambda path: save_checkpoint(path, **parts(7))]


@pytest.mark.parametrize("save", SAVES, ids=["parameters", "checkpoint"])
@pytest.mark.parametrize("failure", [fail, interrupt])
@pytest.mark.parametrize("place", ["os.replace", "os.fsync", "os.chmod", "pathlib.Path.write_bytes"])
@pytest.mark.parametrize("before", [b"old", None])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, place, failure, save, before):
    path = tmp_path / "model.safetensors"
    if before:
        path.write_bytes(before)
    with monkeypatch.context() as patch, pytest.raises((OSError, KeyboardInterrupt)) as caught:
        patch.setattr(place, failure)
        save(path)
    assert caught.type is (OSError if failure is fail else KeyboardInterrupt)
    assert os.listdir(tmp_path) == (["model.safetensors"] if before else [])
    assert not before or path.read_bytes() == before
    save(path)
    load_parameters(Linear(3, 2, rng=0), path)
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_the_new_file_appears_at_once(tmp_path, monkeypatch):
    path, seen = tmp_path / "m", []
    save_parameters(Linear(3, 2, rng=0), path)
    old, replace = path.read_bytes(), os.replace

    def look(source, target):
        seen.append((path.read_bytes() == old, os.path.dirname(source) == str(tmp_path), os.stat(source).st_size))
        replace(source, target)

    monkeypatch.setattr("os.replace", look)
    save_parameters(Linear(3, 2, rng=1), path)
    assert seen == [(True, True, path.stat().st_size)] and path.read_bytes() != old


@pytest.mark.parametrize("save", SAVES, ids=["parameters", "checkpoint"])
def test_where_nothing_can_be_written(tmp_path, save):
    (tmp_path / "file").write_text("text")
    with pytest.raises((FileExistsError, NotADirectoryError), match=re.escape(str(tmp_path / "file"))):
        save(tmp_path / "file" / "model")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path / "folder"))):
        save(tmp_path / "folder")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"] and os.listdir(tmp_path / "folder") == []
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize(("progress", "text"), [
    ({"rest": {1, 2}}, "set {1, 2}"), ({"model_": Linear(1, 1, rng=0)}, "Linear"), ({"z": 1j}, "complex 1j"),
    ({"deep": {"er": [object]}}, "type"), ({"z": np.array([1j])}, "complex"), ({"when": b"now"}, "bytes b'now'"),
])
def test_progress_that_json_does_not_hold(tmp_path, progress, text):
    path = tmp_path / "c"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match=f"progress: cannot be saved: .*{re.escape(text)}"):
        save_checkpoint(path, **parts(), **progress)
    assert os.listdir(tmp_path) == ["c"] and path.read_bytes() == b"old"


@pytest.mark.parametrize("progress", [{"pairs": {(1, 2): 3}}, {"keys": {b"k": 3}}])
def test_progress_with_keys_that_json_does_not_hold(tmp_path, progress):
    with pytest.raises(TypeError, match="keys must be str"):
        save_checkpoint(tmp_path / "new" / "c", **parts(), **progress)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000, 0o027])
def test_a_file_has_the_mode_of_any_new_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        save_parameters(Linear(3, 2, rng=0), tmp_path / "m")
        assert os.umask(umask) == umask  # left as it was
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "m").st_mode) == 0o666 & ~umask


def test_written_gives_a_file_beside_with_the_same_ending(tmp_path):
    with written(tmp_path / "plot.png") as file:
        assert file.parent == tmp_path and file.suffix == ".png" and file.name.startswith(".")
        assert not (tmp_path / "plot.png").exists()
        file.write_bytes(b"new")
    assert os.listdir(tmp_path) == ["plot.png"]


def test_without_safetensors_the_error_says_what_to_install(tmp_path):
    program = ("import sys; sys.modules['safetensors'] = None; import nn\n"
               "try: nn.save_parameters(nn.Linear(1, 1, rng=0), 'm')\n"
               "except ModuleNotFoundError as error: print(error)")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment,
                         check=True)
    assert run.stdout.strip() == "saving and loading parameters needs safetensors: pip install 'nudgegrad[train]'"
    assert os.listdir(tmp_path) == []


def test_a_flipped_bit_in_a_checkpoint_is_noticed(tmp_path):
    path = tmp_path / "c"
    model = Linear(3, 2, rng=0)
    save_checkpoint(path, model=model, optimizer=SGD(model.parameters(), lr=0.1))
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"is damaged.*not those that were written"):
        load_checkpoint(path, model=model, optimizer=SGD(model.parameters(), lr=0.1))


def test_a_seed_in_place_of_the_generator_is_refused(tmp_path):
    model = Linear(3, 2, rng=0)
    with pytest.raises(TypeError, match="save_checkpoint: rng must be the numpy"):
        save_checkpoint(tmp_path / "c", model=model, optimizer=SGD(model.parameters(), lr=0.1), rng=0)
