"""The process of one contestant, given as JSON on the command line: it does what lines on its input ask for.

Requests and answers are lines of JSON. ``{"do": "prepare", "workload": …}`` builds a workload and makes its first call,
and ``{"do": "run", "seconds": …}`` makes about as many calls as fit and tells the time of one; ``epoch`` and ``memory``
do as they say. The answer is ``{"error": …}`` or ``{"unable": …}`` where that cannot be done. A line before any request
tells the version of the package, or that it is missing.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from .contestants import Contestant
from .peers import Prepared, Unable
from .workloads import with_name

ROOT = Path(__file__).resolve().parent.parent


class Process:
    """What is prepared, and the answers to requests, by their name."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self.peer = importlib.import_module(f"benchmarks.peers.{contestant.module}")
        self.current: Any = None
        self.latest = 0.0  # seconds of a call

    def build(self, kind: str, settings: dict[str, Any]) -> Any:
        function = getattr(self.peer, kind, None)
        if function is None:
            raise Unable
        return function(self.contestant.variant, **settings)

    def prepare(self, workload: str, seed: int | None = None) -> dict[str, Any]:
        self.current = None
        gc.collect()  # what the last workload left is not to slow this one down
        chosen = with_name(workload)
        settings = {**chosen.settings} if seed is None else {**chosen.settings, "seed": seed}
        self.current = self.build(chosen.kind, settings)
        if not isinstance(self.current, Prepared):
            self.current.step(*next(self.current.batches()))  # fills the cache of a peer that has one on disk
            self.current = self.build(chosen.kind, settings)
            return {}
        before = taken(self.current)
        first = self.run(0.0)["seconds"] * self.current.steps
        if before is None or self.current.steps != 1:
            return {"first": first}
        after = taken(self.current) or []
        changes = [a - b for a, b in zip(after, before, strict=True)] if before else after
        return {"first": first, "norms": [float(np.linalg.norm(x)) for x in changes]}

    def run(self, seconds: float) -> dict[str, Any]:
        calls = max(1, int(seconds / self.latest)) if self.latest else 1
        step, wait = self.current.step, self.current.wait
        start = time.perf_counter()
        for _ in range(calls):
            step()
        wait()
        self.latest = (time.perf_counter() - start) / calls
        return {"seconds": self.latest / self.current.steps}

    def epoch(self) -> dict[str, Any]:
        seconds, accuracy = self.current.epoch()
        return {"seconds": seconds, "accuracy": accuracy}

    def memory(self, workload: str) -> dict[str, Any]:
        """Bytes that steps take at most, above what the process takes after steps on a few examples."""
        chosen = with_name(workload)
        if not Path("/proc/self/clear_refs").exists():
            raise Unable("the peak of the memory can be reset on Linux alone")
        few = self.build(chosen.kind, {**chosen.settings, "batch": 10})
        several(few)
        del few
        gc.collect()
        base = status("VmRSS")
        many = self.build(chosen.kind, dict(chosen.settings))
        several(many, 1)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        several(many)
        return {"bytes": status("VmHWM") - base}


def several(prepared: Prepared, calls: int = 3) -> None:
    for _ in range(calls):
        prepared.step()
    prepared.wait()


def status(key: str) -> int:
    """A size of this process in bytes, as the operating system has it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def taken(prepared: Prepared) -> list[np.ndarray] | None:
    """Copies of the numbers, which the next step may overwrite."""
    return None if prepared.numbers is None else [np.array(x, np.float64) for x in prepared.numbers()]


def start(contestant: Contestant) -> tuple[Process | None, dict[str, Any]]:
    """The process, and the first line: a package that is missing is no error."""
    if contestant.module == "hips":  # its import name is ours too, which lies nearer
        sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != ROOT]
    if contestant.module == "jax" and os.environ.get("OMP_NUM_THREADS") == "1":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # XLA heeds no other limit
    try:
        version = metadata.version(contestant.package)
        return Process(contestant), {"version": version, "numpy": np.__version__}
    except metadata.PackageNotFoundError:
        return None, {"missing": f"{contestant.package} is not installed"}
    except Unable as error:
        return None, {"missing": str(error)}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a package prints is no answer

    def answer(**content: Any) -> None:
        print(json.dumps(content), file=answers, flush=True)

    process, first = start(Contestant(**json.loads(sys.argv[1])))
    answer(**first)
    for line in sys.stdin if process else ():
        request = json.loads(line)
        try:
            answer(**getattr(process, request.pop("do"))(**request))
        except Unable as error:
            answer(unable=str(error))
        except Exception as error:
            traceback.print_exc()
            answer(error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
