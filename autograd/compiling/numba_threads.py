"""Threads: one compiled function on ranges of images, or of filters, at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["threads", "together"]

_pools: dict[int, ThreadPoolExecutor] = {}  # by process: a fork has no threads


def threads() -> int:
    """As many as ``OMP_NUM_THREADS`` says, which BLAS heeds too, and at most one for each processor."""
    affinity = getattr(os, "sched_getaffinity", None)
    most = len(affinity(0)) if affinity else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(wanted), most) if wanted.isdigit() and int(wanted) else most


def together(function: Callable, count: int, parts: int, *args: Any) -> None:
    """``function(*args, first, last, part)`` for each of some equal parts of ``range(count)``, and wait for all."""
    pool = _pools.get(os.getpid())
    if pool is None:
        pool = _pools[os.getpid()] = ThreadPoolExecutor(parts, "nudge")
    ends = [count * part // parts for part in range(parts + 1)]
    others = [pool.submit(function, *args, ends[part], ends[part + 1], part) for part in range(1, parts)]
    function(*args, 0, ends[1], 0)
    for other in others:
        other.result()
