"""Parameters and training checkpoints as safetensors files, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .files import read_tensors, write_tensors
from .module import Module
from .optimizers import Optimizer
from .schedules import Schedule

__all__ = ["load_checkpoint", "load_parameters", "read_progress", "save_checkpoint", "save_parameters"]

_FORMAT = "nudge-checkpoint-1"


def save_parameters(model: Module, path: str | os.PathLike) -> None:
    """Write the model's ``state_dict`` to a safetensors file, which PyTorch and others read.

    >>> from nn import Linear
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_parameters(Linear(2, 1, rng=0), f"{folder}/model.safetensors")
    ...     load_parameters(Linear(2, 1, rng=1), f"{folder}/model.safetensors")
    """
    write_tensors(path, model.state_dict(), {"format": "np"})


def load_parameters(model: Module, path: str | os.PathLike) -> None:
    """Copy the parameters in a safetensors file into the model; see ``save_parameters``.

    Of a training checkpoint, the model's parameters are taken. Raises ``FileNotFoundError``, or ``ValueError`` where
    the file is not safetensors or does not fit the model, which then is unchanged.
    """
    arrays, metadata = read_tensors(path)
    if metadata.get("format") == _FORMAT:
        arrays = _under("model.", arrays)
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def save_checkpoint(path: str | os.PathLike, *, model: Module, optimizer: Optimizer, schedule: Schedule | None = None,
                    rng: np.random.Generator | None = None, **progress: Any) -> None:
    """Write all that training needs to go on bit for bit, in one safetensors file.

    That is the model's state, with that of generators which its modules hold (as of dropout), the state of optimizer
    and schedule, the generator's state, and ``progress``, such as ``epoch=3``: anything that JSON holds.

    >>> from nn import SGD, Linear
    >>> model = Linear(2, 1, rng=0)
    >>> parts = {"model": model, "optimizer": SGD(model.parameters(), lr=0.1), "rng": np.random.default_rng(0)}
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/last", **parts, epoch=3)
    ...     load_checkpoint(f"{folder}/last", **parts)
    {'epoch': 3}
    """
    _check_rng("save_checkpoint", rng)
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    state = optimizer.state_dict()
    tensors |= {f"optimizer.{k}": v for k, v in state.items() if isinstance(v, np.ndarray)}
    numbers = {
        "optimizer": {k: v for k, v in state.items() if not isinstance(v, np.ndarray)},
        "schedule": schedule.state_dict() if schedule else None,
        "rng": None if rng is None else rng.bit_generator.state,
        "generators": {path: held.bit_generator.state for path, held in _generators(model, rng).items()},
        "progress": progress,
    }
    state = json.dumps(numbers, default=_listed)
    write_tensors(path, tensors, {"format": _FORMAT, "state": state, "sha256": _digest(tensors, state)})


def load_checkpoint(path: str | os.PathLike, *, model: Module, optimizer: Optimizer, schedule: Schedule | None = None,
                    rng: np.random.Generator | None = None) -> dict[str, Any]:
    """Set model, optimizer, schedule and generator to what ``save_checkpoint`` wrote, and return the progress.

    Raises ``FileNotFoundError``, or ``ValueError`` where the file is not a checkpoint or does not fit; then all is
    as it was.
    """
    _check_rng("load_checkpoint", rng)
    arrays, numbers = _read_checkpoint(path)
    for name, given in (("schedule", schedule), ("rng", rng)):
        if (numbers[name] is None) != (given is None):
            has, passed = ("no", "one was") if given is not None else ("a", "none was")
            raise ValueError(f"{path}: the checkpoint holds {has} state of {name}, but {passed} passed")
    generators = {"rng": rng, **_generators(model, rng)} if rng else _generators(model, rng)
    drawn = {"rng": numbers["rng"]} if rng else {}
    drawn |= numbers.get("generators", {})
    before = (model.state_dict(), optimizer.state_dict(), schedule and schedule.state_dict(),
              {path: held.bit_generator.state for path, held in generators.items()})
    try:
        _load(model, optimizer, schedule, generators, _under("model.", arrays),
              numbers["optimizer"] | _under("optimizer.", arrays), numbers["schedule"], drawn)
    except Exception as error:
        _load(model, optimizer, schedule, generators, *before)
        raise ValueError(f"{path}: {error}") from error
    return numbers["progress"]


def _check_rng(who: str, rng: Any) -> None:
    if not (rng is None or isinstance(rng, np.random.Generator)):
        raise TypeError(f"{who}: rng must be the numpy.random.Generator that training draws from, got {rng!r}")


def _load(model: Module, optimizer: Optimizer, schedule: Schedule | None, generators: dict[str, np.random.Generator],
          parameters: Mapping[str, Any], state: Mapping[str, Any], scheduled: Any, drawn: Mapping[str, Any]) -> None:
    model.load_state_dict(parameters)
    if schedule is not None:
        schedule.load_state_dict(scheduled)
    optimizer.load_state_dict(state)  # after the schedule, which sets the learning rate
    if generators.keys() != drawn.keys():
        raise ValueError(f"the checkpoint holds the generators {sorted(drawn)}, but there are {sorted(generators)}")
    for path, held in generators.items():
        kind = type(held.bit_generator).__name__
        if drawn[path]["bit_generator"] != kind:
            raise ValueError(f"the checkpoint's generator is {drawn[path]['bit_generator']}, but {path} is {kind}")
        held.bit_generator.state = drawn[path]


def _generators(model: Module, rng: np.random.Generator | None) -> dict[str, np.random.Generator]:
    """The generators that modules hold, by their paths, each once, without ``rng``."""
    found: dict[int, tuple[str, np.random.Generator]] = {}
    for path, module in model.named_modules():
        for name, held in vars(module).items():
            if isinstance(held, np.random.Generator) and held is not rng:
                found.setdefault(id(held), (f"model.{path}.{name}" if path else f"model.{name}", held))
    return dict(found.values())


def read_progress(path: str | os.PathLike) -> dict[str, Any]:
    """The progress that ``save_checkpoint`` wrote, without loading anything; raises as ``load_checkpoint``."""
    return _read_checkpoint(path)[1]["progress"]


def _read_checkpoint(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays, metadata = read_tensors(path)
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is not a training checkpoint; for parameters alone use nn.load_parameters")
    try:
        if _digest(arrays, metadata["state"]) != metadata["sha256"]:
            raise ValueError("its contents are not those that were written")
        numbers = json.loads(metadata["state"])
        if not {"optimizer", "schedule", "rng", "progress"} <= numbers.keys():
            raise ValueError("a part is missing")
    except (KeyError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from error
    return arrays, numbers


def _digest(arrays: Mapping[str, np.ndarray], state: str) -> str:
    """A fingerprint of all that a checkpoint holds, which tells where a bit has flipped."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(arrays):
        digest.update(name.encode() + np.asarray(arrays[name], order="C").tobytes())
    return digest.hexdigest()


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _listed(x: Any) -> Any:
    """NumPy's numbers and arrays as JSON knows them."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x.tolist()
    raise TypeError(f"progress: cannot be saved: {type(x).__name__} {x!r:.60}")
