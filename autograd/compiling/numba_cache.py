"""Generated source as compiled functions, each compiled once per machine and kept on disk.

Numba's own cache is not used: it loads all that could type and compile other functions, SciPy among it, before it runs
the one that is ready, which takes half a second.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

__all__ = ["directory", "load"]

OWN = ("numba_blocks.py", "numba_cache.py", "numba_math.py")  # files that decide what a source becomes


def directory() -> Path:
    """``$NUDGE_CACHE``, else a folder in the user's cache directory."""
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


def load(source: str, signatures: Mapping[str, Any]) -> dict[str, Any]:
    """The functions of a source, by name, compiled for one signature each."""
    key = hashlib.sha256(f"{_versions()}\n{signatures}\n{source}".encode()).hexdigest()[:40]
    try:
        functions = _defined(source, signatures, key)
        for name, parts in _read(key).items():
            context = functions[name].targetctx
            rtsys.initialize(context)  # what counts references to arrays, in the code that calls a kernel from Python
            functions[name].add_overload(CompileResult._rebuild(context, *parts))
            functions[name].disable_compile()
    except Exception:  # there is no file, or a damaged one, or one that this Numba cannot read
        functions = _defined(source, signatures, key)
        for name, signature in signatures.items():
            functions[name].compile(signature)
            functions[name].disable_compile()
        with contextlib.suppress(Exception):  # what cannot be kept runs all the same
            _write(key, {name: next(iter(f.overloads.values()))._reduce() for name, f in functions.items()})
    return functions


@cache
def _versions() -> str:
    """All that the compiled code depends on but its source."""
    own = b"".join(Path(__file__).with_name(name).read_bytes() for name in OWN)
    parts = [numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.platform(),
             llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten(),
             sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_"))]
    return f"{parts} {hashlib.sha256(own).hexdigest()}"


def _defined(source: str, names: Iterable[str], key: str) -> dict[str, Any]:
    """Numba's functions of a source, not compiled yet."""
    # Numba wants a module that can be imported
    namespace: dict[str, Any] = {"__name__": f"{__package__}.numba_math", "__package__": __package__}
    exec(compile(source, "<jit>", "exec"), namespace)
    for function in [getattr(f, "py_func", f) for f in namespace.values()]:
        if getattr(function, "__globals__", None) is namespace:
            # what is loaded is linked by name, and Numba tells equal names apart only within one process
            function.__qualname__ += f"_{key}"
    return {name: numba.njit(error_model="numpy", nogil=name.startswith(("part", "several")))(namespace[name])
            for name in names}


def _read(key: str) -> dict[str, tuple]:
    """The parts of the functions that were kept under a key; any error when they are not all there."""
    content = (directory() / f"{key}.nudge").read_bytes()
    sum_, data = content[:32], content[32:]
    if hashlib.sha256(data).digest() != sum_:
        raise ValueError("damaged")
    return pickle.loads(data)


def _write(key: str, parts: dict[str, tuple]) -> None:
    """Keep them, complete however many processes do so at once."""
    data = dumps(parts)
    folder = directory()
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=key, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(temporary, folder / f"{key}.nudge")
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
