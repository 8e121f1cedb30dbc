"""One line on the machine and the versions at work, without which times mean nothing."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

__all__ = ["machine"]


def machine(*packages: str) -> str:
    """The processors, Python, and the versions of NumPy and of ``packages``; one that is missing is said to be."""
    names = []
    if platform.system() == "Linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = []
    for package in ("numpy", *packages):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    cpu = f"{len(names)} × {names[0]}" if names else platform.processor() or platform.machine()
    return f"{cpu}, Python {platform.python_version()}, {', '.join(versions)}"
