"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["written"]


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
