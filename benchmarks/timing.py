"""How benchmarks measure: contestants take turns in one process, and the medians of their times are compared."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib import metadata

import numpy as np

__all__ = ["machine", "medians", "table"]


def machine(*packages: str) -> str:
    """One line on the machine and the versions at work; a package that is missing is said to be."""
    with open("/proc/cpuinfo", encoding="utf-8") if platform.system() == "Linux" else open("/dev/null") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    versions = [f"NumPy {np.__version__}"]
    for package in packages:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    cpu = f"{len(names)} × {names[0]}" if names else platform.processor() or platform.machine()
    return f"{cpu}, Python {platform.python_version()}, {', '.join(versions)}"


def medians(contestants: Mapping[str, Callable[[], object]], rounds: int, repeats: int = 1) -> dict[str, float]:
    """Seconds of one call of each: the median over ``rounds`` in which each is timed for ``repeats`` calls in turn."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        for _ in range(repeats):
            run()
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            for _ in range(repeats):
                run()
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(ts) for name, ts in times.items()}


def table(title: str, seconds: Mapping[str, float], ours: str, unit: float = 1e-6, name: str = "µs") -> str:
    """Times, and how long ours takes as a part of each."""
    lines = [title]
    for contestant, s in seconds.items():
        lines.append(f"  {contestant:<28}{s / unit:>10.1f} {name}   ours / this {seconds[ours] / s:>6.2f}")
    return "\n".join(lines)
