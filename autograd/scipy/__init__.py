"""SciPy's modules with the names that code for HIPS autograd uses; each is loaded when it is asked for."""

from importlib import import_module
from typing import Any

try:
    import scipy as _scipy  # noqa: F401
except ImportError as error:
    raise ImportError("autograd.scipy needs SciPy: pip install 'nudgegrad[scipy]'") from error

_MODULES = {"integrate", "linalg", "signal", "special", "stats"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return import_module(f".{name}", __name__)
