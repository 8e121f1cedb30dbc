"""``python -m benchmarks`` measures Nudge against those of its peers that are installed: one table of ratios."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import report
from .runner import Runner
from .workloads import WORKLOADS


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", nargs="+", default=[""],
                        help="only workloads whose name has one of these in it")
    parser.add_argument("--quick", action="store_true", help="few short turns on one thread, and no training")
    parser.add_argument("--hips", metavar="PYTHON", help="the Python of an environment that has HIPS autograd")
    parser.add_argument("--out", metavar="FOLDER", default="output/benchmarks",
                        help="where table.txt, results.json and growth.png go; the README in benchmarks takes the "
                             "table (default: output/benchmarks)")
    args = parser.parse_args(argv)
    wanted = [w for w in WORKLOADS if any(text in w.name for text in args.only)]
    chosen = [w for w in wanted if not (args.quick and w.measure == "epochs")]
    if not chosen:
        print(f"No workload has {' or '.join(map(repr, args.only))} in its name; there are:",
              *(w.name for w in WORKLOADS), sep="\n  ", file=sys.stderr)
        return 2
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile("w+") as log:
        with Runner(log, args.hips, args.quick, progress) as runner:
            for workload in chosen:
                runner.measure(workload)
        if any("failed" in note or "ended" in note for note in runner.results.notes):
            log.seek(0)
            progress("What the processes said last:\n" + "".join(log.readlines()[-50:]))
    print(report.text(runner.results))
    print("\nWritten:", *report.write(runner.results, folder))
    return 0


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
