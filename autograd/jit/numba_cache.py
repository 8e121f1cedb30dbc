"""Generated source as functions, compiled by Numba once per machine: kept on disk beside their source."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from . import numba_blocks, numba_math

__all__ = ["directory", "load"]


def directory() -> Path:
    """``$NUDGE_CACHE``, else the user's cache directory."""
    own = os.environ.get("NUDGE_CACHE")
    if own:
        return Path(own)
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "nudge" / "jit"


@cache
def _versions() -> str:
    """All that the compiled code depends on but its source."""
    own = b"".join(Path(module.__file__).read_bytes() for module in (numba_blocks, numba_math))
    return f"{numba.__version__} {np.__version__} {sys.version} {platform.machine()} {hashlib.sha256(own).hexdigest()}"


def load(source: str, signatures: Mapping[str, Any]) -> dict[str, Any]:
    """The functions of a source, by name, compiled for one signature each."""
    name = "step_" + hashlib.sha256(f"{_versions()}\n{source}".encode()).hexdigest()[:32]
    path = _written(name, source)
    if path is not None:
        try:
            return _cached(path, source, signatures)
        except Exception:  # whatever a damaged or vanishing file leads to; the source itself compiles below
            _remove(path)
    return _compiled(source, f"<{name}>", signatures, cache=False)


def _written(name: str, source: str) -> Path | None:
    """The source's file, complete however many processes write it; ``None`` where nothing can be written."""
    try:
        folder = directory()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.py"
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            _replace(path, source.encode())
        return path
    except (OSError, RuntimeError, ValueError):
        return None


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _cached(path: Path, source: str, signatures: Mapping[str, Any]) -> dict[str, Any]:
    """Load what Numba kept, if it is what was kept: a check sum stands beside it."""
    sums = path.with_suffix(".sum")
    before = _sum(path)
    if before and (not sums.exists() or sums.read_text() != before):
        _remove(path, source=False)
    functions = _compiled(source, str(path), signatures, cache=True)
    after = _sum(path)
    if after and (after != before or not sums.exists()):
        _replace(sums, after.encode())
    return functions


def _sum(path: Path) -> str:
    """A check sum of the files that Numba keeps for a source; empty without any."""
    files = sorted(p for p in (path.parent / "__pycache__").glob(f"{path.stem}.*") if p.suffix in (".nbi", ".nbc"))
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest() if files else ""


def _remove(path: Path, source: bool = True) -> None:
    files = [*(path.parent / "__pycache__").glob(f"{path.stem}.*"), path.with_suffix(".sum"), *([path] if source else [])]
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()


def _compiled(source: str, filename: str, signatures: Mapping[str, Any], cache: bool) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": numba_math.__name__}  # Numba's cache wants a module that can be imported
    exec(compile(source, filename, "exec"), namespace)
    return {name: numba.njit(signature, error_model="numpy", cache=cache)(namespace[name])
            for name, signature in signatures.items()}
