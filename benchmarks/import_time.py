"""What ``import autograd`` adds to NumPy's own import. Run as ``python -m benchmarks.import_time``."""

import statistics
import subprocess
import sys

from .timing import machine

PROGRAM = """
import time
import numpy
start = time.perf_counter()
import {package}
print(time.perf_counter() - start)
"""


def main():
    print(machine())
    for package in ("autograd", "nn"):
        times = [float(subprocess.run([sys.executable, "-c", PROGRAM.format(package=package)], capture_output=True,
                                      text=True, check=True).stdout) for _ in range(15)]
        print(f"import {package:<10} adds {1e3 * statistics.median(times):6.1f} ms to NumPy's own import")


if __name__ == "__main__":
    main()
