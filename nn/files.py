"""Files that are written whole or not at all, and safetensors files of arrays."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["read_tensors", "write_tensors", "written"]


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


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ModuleNotFoundError("saving and loading parameters needs safetensors: "
                                  "pip install 'nudgegrad[train]'") from None
    return safetensors


def write_tensors(path: str | os.PathLike, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write arrays by name, and ``metadata``, to a safetensors file, whole or not at all."""
    safetensors = _safetensors()
    try:
        data = safetensors.numpy.save({k: np.asarray(v, order="C") for k, v in tensors.items()}, metadata)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path}: cannot be written as safetensors: {error}") from error
    with written(path) as file:
        file.write_bytes(data)


def read_tensors(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays in a safetensors file by name, and its metadata.

    Raises ``FileNotFoundError``, and ``ValueError`` where the file is broken or holds numbers that NumPy lacks.
    """
    safetensors = _safetensors()
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            names = file.keys()  # it is no dict, and cannot be iterated itself
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    except TypeError as error:
        raise ValueError(f"{path} holds numbers of a kind that NumPy lacks ({error}); save them as float32") from None
