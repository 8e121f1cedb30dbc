"""Measuring: a process for each contestant and count of threads, which take turns; medians are compared."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .contestants import CONTESTANTS, Contestant
from .workloads import Workload

__all__ = ["Measured", "Results", "Runner"]

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300  # seconds that an answer may take
EPOCHS = 40  # at most
SETTLE = 0.25  # seconds after a turn on several threads, in which these go on waiting for work: OpenMP's for 0.2
TOLERANCE = 2e-3  # of float32 numbers after a step
PACKAGES = {"eager": "nn", "by hand": "numpy", "PyTorch": "torch", "JAX jit": "jax", "HIPS autograd": "autograd.numpy",
            "scikit-learn": "sklearn.neural_network", "micrograd": "micrograd.nn"}  # what is imported


@dataclass
class Measured:
    """Of one contestant at a workload: the median at its better count of threads, in the workload's unit."""

    median: float
    threads: int
    turns: list[float]
    at: dict[int, float] = field(default_factory=dict)  # medians by the count of threads
    epochs: list[int] = field(default_factory=list)  # that a training took, one for each turn


@dataclass
class Results:
    """What was measured by workload and contestant, and why something was not."""

    measured: dict[str, dict[str, Measured]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)  # by what is to be said, of whom

    def note(self, workload: Workload, name: str, text: str) -> None:
        self.notes.setdefault(f"{workload.name}: {text}", []).append(name)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Ended(Exception):
    """A process ended, or did not answer in time."""


class Worker:
    """The process of a contestant; ``ask`` is answered at once, ``send`` and ``answer`` let several work at a time."""

    def __init__(self, python: str, contestant: Contestant, threads: int, log: Any,
                 environment: dict[str, str] | None = None) -> None:
        self.contestant, self.threads = contestant, threads
        limits = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        command = [python, "-m", "benchmarks.worker", json.dumps(asdict(contestant))]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=log,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        env={**os.environ, **limits, **(environment or {})})
        self.first: dict[str, Any] | None = None

    def send(self, **request: Any) -> None:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # the answer will say so
            self.process.stdin.write(json.dumps(request).encode() + b"\n")

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(LIMIT) else b""
        if not line:
            self.close()
            raise Ended(f"the process ended, or took more than {LIMIT} s")
        return json.loads(line)

    def ask(self, **request: Any) -> dict[str, Any]:
        self.send(**request)
        return self.answer()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class Runner:
    """Measures workloads one after the other; a worker that was started stays for the next one."""

    def __init__(self, log: Any, hips: str | None = None, quick: bool = False, say: Callable[[str], None] = print,
                 contestants: Iterable[Contestant] = CONTESTANTS) -> None:
        self.log, self.hips, self.say = log, hips, say
        self.rounds, self.seconds, self.fresh = (3, 0.01, 1) if quick else (15, 0.05, 3)
        self.counts = sorted({1, min(2, 1 if quick else os.cpu_count() or 1)})
        self.contestants = list(contestants)
        self.workers: dict[tuple[str, int], Worker] = {}
        self.caches: tempfile.TemporaryDirectory | None = None  # of first calls
        self.results = Results()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *error: Any) -> None:
        for worker in self.workers.values():
            worker.close()
        if self.caches:
            self.caches.cleanup()

    # Processes

    def start(self, contestant: Contestant, threads: int, **environment: str) -> Worker | None:
        """A new process, or ``None`` where the contestant's package is missing."""
        python = self.hips if contestant.module == "hips" else sys.executable
        if python is None:
            self.results.missing[contestant.name] = "it has an environment of its own: --hips PYTHON"
            return None
        if contestant.name in self.results.missing:
            return None
        return Worker(python, contestant, threads, self.log, environment)

    def greeted(self, worker: Worker) -> bool:
        """Whether the process has what it needs; its first line says so."""
        if worker.first is None:
            worker.first = worker.answer()
            if "missing" in worker.first:
                self.results.missing[worker.contestant.name] = worker.first["missing"]
                worker.close()
            else:
                self.results.versions[worker.contestant.package] = worker.first["version"]
                if worker.contestant.module == "hips":
                    self.results.versions["NumPy with HIPS"] = worker.first["numpy"]
        return "missing" not in worker.first

    def takes_part(self, workload: Workload) -> list[Contestant]:
        return [c for c in self.contestants if not workload.only or c.name in workload.only]

    def prepared(self, workload: Workload, **more: Any) -> list[Worker]:
        """Workers that are ready for a workload. All get ready at the same time, since nothing is timed yet."""
        counts = {c.name: self.threads_for(workload, c.name) for c in self.takes_part(workload)}
        for contestant in self.takes_part(workload):
            for threads in counts[contestant.name]:
                key = (contestant.name, threads)
                if key not in self.workers:
                    worker = self.start(contestant, threads)
                    if worker:
                        self.workers[key] = worker
        asked = [w for (name, threads), w in self.workers.items() if threads in counts.get(name, ())]
        for worker in asked:
            worker.send(do="prepare", workload=workload.name, **more)
        ready, norms = [], {}
        for worker in asked:
            reply = self.reply(workload, worker)
            if reply is not None:
                ready.append(worker)
                norms[worker.contestant.name] = reply.get("norms")
        self.compare(workload, norms)
        return ready

    def threads_for(self, workload: Workload, name: str) -> list[int]:
        known = self.results.measured.get(workload.like, {}).get(name)
        return [known.threads] if known else [n for n in self.counts if n in workload.threads]

    def reply(self, workload: Workload, worker: Worker) -> dict[str, Any] | None:
        """The answer, or ``None`` after a note on why there is none."""
        name = worker.contestant.name
        try:
            if not self.greeted(worker):
                self.forget(worker)
                return None
            reply = worker.answer()
        except Ended as error:
            self.forget(worker)
            self.results.note(workload, name, str(error))
            return None
        if "unable" in reply:
            if reply["unable"]:
                self.results.note(workload, name, reply["unable"])
            return None
        if "error" in reply:
            self.results.note(workload, name, f"failed: {reply['error']}")
            return None
        return reply

    def forget(self, worker: Worker) -> None:
        self.workers = {key: w for key, w in self.workers.items() if w is not worker}

    def compare(self, workload: Workload, norms: dict[str, Any]) -> None:
        """A note on every contestant whose first step changes the parameters by other amounts than the first's."""
        known = {name: norm for name, norm in norms.items() if norm}
        for name, norm in known.items():
            reference = next(iter(known.values()))
            if any(abs(a - b) > TOLERANCE * abs(b) for a, b in zip(norm, reference, strict=True)):
                self.results.note(workload, name, f"computes other numbers than {next(iter(known))}")

    # Measurements

    def measure(self, workload: Workload) -> None:
        start = time.perf_counter()
        how = {"step": self.steps, "epochs": self.epochs, "memory": self.memories, "import": self.imports,
               "first call": self.first_calls}[workload.measure]
        for name, threads, turns, *epochs in how(workload):
            self.add(workload, name, threads, turns, *epochs)
        self.say(f"{workload.name}: {time.perf_counter() - start:.0f} s")

    def add(self, workload: Workload, name: str, threads: int, turns: list[float], epochs: Iterable[int] = ()) -> None:
        """Keep what was measured if it is better than with another count of threads."""
        measured = self.results.measured.setdefault(workload.name, {})
        median = statistics.median(turns)
        best = measured.get(name)
        at = {**(best.at if best else {}), threads: median}
        if best is None or median < best.median:
            best = measured[name] = Measured(median, threads, [float(f"{t:.5g}") for t in turns], epochs=[*epochs])
        best.at = at

    def steps(self, workload: Workload) -> Iterable[tuple[str, int, list[float]]]:
        workers = self.prepared(workload)
        turns: dict[Worker, list[float]] = {w: [] for w in workers}
        rounds = self.rounds if not workload.growth else min(self.rounds, 5)
        for number in range(rounds + 1):
            for worker in list(turns):
                try:
                    seconds = worker.ask(do="run", seconds=self.seconds)["seconds"]
                except (Ended, KeyError) as error:
                    self.results.note(workload, worker.contestant.name, f"failed: {error}")
                    del turns[worker]
                    continue
                if number:  # the first round tells how many calls a turn has
                    turns[worker].append(1e6 * seconds)
                if worker.threads > 1:
                    time.sleep(SETTLE)
        return [(w.contestant.name, w.threads, times) for w, times in turns.items()]

    def epochs(self, workload: Workload) -> Iterable[tuple[str, int, list[float], list[int]]]:
        """Seconds, and epochs, that each contestant needs from each seed; the epochs are its turns."""
        runs: dict[tuple[str, int], list[list[float]]] = {}
        for seed in workload.seeds:
            going: dict[Worker, list[float]] = {worker: [] for worker in self.prepared(workload, seed=seed)}
            for _ in range(EPOCHS):
                for worker in list(going):
                    reply = worker.ask(do="epoch")
                    if "seconds" not in reply:
                        self.results.note(workload, worker.contestant.name, f"failed: {reply}")
                        del going[worker]
                        continue
                    going[worker].append(reply["seconds"])
                    if reply["accuracy"] >= workload.settings["target"]:
                        runs.setdefault((worker.contestant.name, worker.threads), []).append(going.pop(worker))
            for worker in going:
                self.results.note(workload, worker.contestant.name, f"not reached in {EPOCHS} epochs from seed {seed}")
        for (name, threads), times in runs.items():
            yield name, threads, [sum(seconds) for seconds in times], [len(seconds) for seconds in times]

    def alone(self, workload: Workload, do: str, key: str, **environment: str) -> Iterable[tuple[str, float]]:
        """A number from a new process of each contestant, one after the other."""
        for contestant in self.takes_part(workload):
            worker = self.start(contestant, 1, **environment)
            if worker:
                worker.send(do=do, workload=workload.name)
                reply = self.reply(workload, worker)
                worker.close()
                if reply and key in reply:
                    yield contestant.name, reply[key]

    def memories(self, workload: Workload) -> Iterable[tuple[str, int, list[float]]]:
        for name, size in self.alone(workload, "memory", "bytes"):
            yield name, 1, [size / 1e6]

    def first_calls(self, workload: Workload) -> Iterable[tuple[str, int, list[float]]]:
        """With caches that are empty, or that a process before has filled."""
        cold = "cold" in workload.name
        if cold or self.caches is None:
            self.caches = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            first = list(self.alone(workload, "prepare", "first", **self.cached()))
            if cold:
                return [(name, 1, [seconds]) for name, seconds in first]
        times: dict[str, list[float]] = {}
        for _ in range(self.fresh):
            for name, seconds in self.alone(workload, "prepare", "first", **self.cached()):
                times.setdefault(name, []).append(seconds)
        return [(name, 1, turns) for name, turns in times.items()]

    def cached(self) -> dict[str, str]:
        """Where contestants keep what they compiled, as variables of the environment."""
        assert self.caches
        return {"NUDGE_CACHE": f"{self.caches.name}/nudge", "TORCHINDUCTOR_CACHE_DIR": f"{self.caches.name}/torch"}

    def imports(self, workload: Workload) -> Iterable[tuple[str, int, list[float]]]:
        """Imports in new processes."""
        times: dict[str, list[float]] = {}
        for _ in range(self.fresh):
            for name, package in PACKAGES.items():
                python = self.hips if name == "HIPS autograd" else sys.executable
                if python is None or name in self.results.missing:
                    continue
                program = f"import time; t = time.perf_counter(); import {package}; print(time.perf_counter() - t)"
                done = subprocess.run([python, "-c", program], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                      cwd=ROOT if name == "eager" else "/")
                if not done.returncode:
                    times.setdefault(name, []).append(1e3 * float(done.stdout))
        return [(name, 1, turns) for name, turns in times.items()]


