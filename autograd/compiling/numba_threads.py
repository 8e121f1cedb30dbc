"""Threads: one compiled function on parts of a loop, of images or filters or numbers, at the same time."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from threading import Lock, get_native_id
from typing import Any

__all__ = ["PART", "Share", "one_thread", "threads", "together"]

WORTH = 2**21  # multiplications that are worth a thread
PART = ("first", "last", "part")  # the arguments of a function that computes a part

_pools: dict[int, Pool] = {}  # by process: a fork has no threads


class Share:
    """Which part of ``range(count)`` a function computes, as text: one of ``parts``, if there is enough work."""

    def __init__(self, count: int, work: int) -> None:
        self.count, self.parts = count, max(1, min(threads(), count, work // WORTH))
        self.names = PART if self.parts > 1 else ()
        self.first, self.last, self.part = self.names or ("0", str(count), "0")


def threads() -> int:
    """As many as ``OMP_NUM_THREADS`` says, which BLAS heeds too, and at most one for each processor."""
    affinity = getattr(os, "sched_getaffinity", None)
    most = len(affinity(0)) if affinity else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(wanted), most) if wanted.isdigit() and int(wanted) else most


class Pool:
    """Threads that compute parts beside the caller's."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.away: int | None = None  # the processor that they keep away from
        self.executor = ThreadPoolExecutor(threads(), "nudge", self._started)

    def _started(self) -> None:
        self.ids.append(get_native_id())
        self.away = None

    def keep_away(self) -> None:
        """Let the threads run on any processor but the caller's: Linux would wake them there, to wait for the caller.

        It takes the scheduler some 50 ms to see that another processor is idle.
        """
        with suppress(OSError, AttributeError):  # where this is not allowed, or not known
            move = os.sched_setaffinity
            here = _libc().sched_getcpu()
            if here != self.away and (others := os.sched_getaffinity(0) - {here}):
                for thread in self.ids:
                    move(thread, others)
                self.away = here


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def together(function: Callable, count: int, parts: int, *args: Any) -> None:
    """``function(*args, first, last, part)`` for each of some equal parts of ``range(count)``, and wait for all."""
    pool = _pools.get(os.getpid())
    if pool is None:
        pool = _pools[os.getpid()] = Pool()
    pool.keep_away()
    ends = [count * part // parts for part in range(parts + 1)]
    others = [pool.executor.submit(function, *args, ends[part], ends[part + 1], part) for part in range(1, parts)]
    try:
        function(*args, 0, ends[1], 0)
    finally:
        wait(others)
    for other in others:
        other.result()


class OneThread:
    """A context in which SciPy's BLAS uses one thread: its others stay awake for a while, on a processor of ours."""

    def __init__(self) -> None:
        self.lock, self.users = Lock(), 0
        self.limits: list[tuple[Callable, Callable]] | None = None  # of the libraries: what gets it, and what sets it
        self.before: list[int] = []

    def __enter__(self) -> None:
        with self.lock:
            if self.limits is None:
                self.limits = _openblas()
            if not self.users:
                self.before = [get() for get, _ in self.limits]
                for _, set_ in self.limits:
                    set_(1)
            self.users += 1

    def __exit__(self, *error: Any) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                for (_, set_), count in zip(self.limits or (), self.before, strict=True):
                    set_(count)


def _openblas() -> list[tuple[Callable, Callable]]:
    from threadpoolctl import ThreadpoolController
    libraries = [c.dynlib for c in ThreadpoolController().lib_controllers if c.internal_api == "openblas"]
    names = [(f"{prefix}openblas_get_num_threads", f"{prefix}openblas_set_num_threads") for prefix in ("", "scipy_")]
    return [(library[get], library[set_]) for library in libraries for get, set_ in names if hasattr(library, set_)]


one_thread = OneThread()
