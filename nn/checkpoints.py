"""Parameters and training checkpoints as safetensors files, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .module import Module
from .optimizers import Optimizer
from .schedules import Schedule

__all__ = ["load_checkpoint", "load_parameters", "read_progress", "save_checkpoint", "save_parameters",
           "written"]

_FORMAT = "nudge-checkpoint-1"


@contextmanager
def written(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary file beside ``path`` to write to, which takes its name at the end, or vanishes after an error.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written(Path(folder) / "notes.txt") as file:
    ...         _ = file.write_text("whole")
    ...     (Path(folder) / "notes.txt").read_text()
    'whole'
    """
    path = Path(path).resolve()  # a link keeps pointing to the file
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}-", suffix=".part" + path.suffix, dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # as an ordinary file, not a private temporary one
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def save_parameters(model: Module, path: str | os.PathLike) -> None:
    """Write the model's ``state_dict`` to a safetensors file, which PyTorch and others read.

    >>> from nn import Linear
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_parameters(Linear(2, 1, rng=0), f"{folder}/model.safetensors")
    ...     load_parameters(Linear(2, 1, rng=1), f"{folder}/model.safetensors")
    """
    _write(path, model.state_dict(), {"format": "np"})


def load_parameters(model: Module, path: str | os.PathLike) -> None:
    """Copy the parameters in a safetensors file into the model.

    Of a training checkpoint, the model's parameters are taken. Raises ``FileNotFoundError``, or ``ValueError`` where
    the file is not safetensors or does not fit the model, which then is unchanged.
    """
    arrays, metadata = _read(path)
    if metadata.get("format") == _FORMAT:
        arrays = _under("model.", arrays)
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def save_checkpoint(path: str | os.PathLike, *, model: Module, optimizer: Optimizer, schedule: Schedule | None = None,
                    rng: np.random.Generator | None = None, **progress: Any) -> None:
    """Write all that training needs to go on bit for bit, in one safetensors file.

    That is the parameters, the state of optimizer and schedule, the generator's state, and ``progress``, such as
    ``epoch=3``: anything that JSON holds.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    state = optimizer.state_dict()
    tensors |= {f"optimizer.{k}": v for k, v in state.items() if isinstance(v, np.ndarray)}
    numbers = {
        "optimizer": {k: v for k, v in state.items() if not isinstance(v, np.ndarray)},
        "schedule": schedule.state_dict() if schedule else None,
        "rng": rng.bit_generator.state if rng else None,
        "progress": progress,
    }
    _write(path, tensors, {"format": _FORMAT, "state": json.dumps(numbers, default=_listed)})


def load_checkpoint(path: str | os.PathLike, *, model: Module, optimizer: Optimizer, schedule: Schedule | None = None,
                    rng: np.random.Generator | None = None) -> dict[str, Any]:
    """Set model, optimizer, schedule and generator to what ``save_checkpoint`` wrote, and return the progress.

    Raises ``FileNotFoundError``, or ``ValueError`` where the file is not a checkpoint or does not fit; then all is
    as it was.
    """
    arrays, numbers = _read_checkpoint(path)
    for name, given in (("schedule", schedule), ("rng", rng)):
        if (numbers[name] is None) != (given is None):
            has, passed = ("no", "one was") if given is not None else ("a", "none was")
            raise ValueError(f"{path}: the checkpoint holds {has} state of {name}, but {passed} passed")
    before = (model.state_dict(), optimizer.state_dict(), schedule and schedule.state_dict(),
              rng and rng.bit_generator.state)
    try:
        _load(model, optimizer, schedule, rng, _under("model.", arrays),
              numbers["optimizer"] | _under("optimizer.", arrays), numbers["schedule"], numbers["rng"])
    except Exception as error:
        _load(model, optimizer, schedule, rng, *before)
        raise ValueError(f"{path}: {error}") from error
    return numbers["progress"]


def _load(model: Module, optimizer: Optimizer, schedule: Schedule | None, rng: np.random.Generator | None,
          parameters: Mapping[str, Any], state: Mapping[str, Any], scheduled: Any, drawn: Any) -> None:
    model.load_state_dict(parameters)
    if schedule is not None:
        schedule.load_state_dict(scheduled)
    optimizer.load_state_dict(state)  # after the schedule, which sets the learning rate
    if rng is not None:
        kind = type(rng.bit_generator).__name__
        if drawn["bit_generator"] != kind:
            raise ValueError(f"the checkpoint's generator is {drawn['bit_generator']}, but rng is {kind}")
        rng.bit_generator.state = drawn


def read_progress(path: str | os.PathLike) -> dict[str, Any]:
    """The progress that ``save_checkpoint`` wrote, without loading anything; raises as ``load_checkpoint``."""
    return _read_checkpoint(path)[1]["progress"]


def _read_checkpoint(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays, metadata = _read(path)
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is not a training checkpoint; for parameters alone use nn.load_parameters")
    try:
        numbers = json.loads(metadata["state"])
        if not {"optimizer", "schedule", "rng", "progress"} <= numbers.keys():
            raise ValueError("a part is missing")
    except (KeyError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from error
    return arrays, numbers


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _listed(x: Any) -> Any:
    """NumPy's numbers and arrays as JSON knows them."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x.tolist()
    raise TypeError(f"progress: cannot be saved: {type(x).__name__} {x!r:.60}")


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ModuleNotFoundError("saving and loading parameters needs safetensors: "
                                  "pip install 'nudgegrad[train]'") from None
    return safetensors


def _write(path: str | os.PathLike, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    safetensors = _safetensors()
    try:
        data = safetensors.numpy.save({k: np.asarray(v, order="C") for k, v in tensors.items()}, metadata)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path}: cannot be written as safetensors: {error}") from error
    with written(path) as file:
        file.write_bytes(data)


def _read(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    safetensors = _safetensors()
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    except TypeError as error:
        raise ValueError(f"{path} holds numbers of a kind that NumPy lacks ({error}); save them as float32") from None
