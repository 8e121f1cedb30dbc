"""Write the reference files: ``python -m tests.reference.write [FAMILY ...]``, where PyTorch is installed."""

from __future__ import annotations

import sys

import numpy as np
import torch

from nn.files import write_tensors
from tests.reference.compare import DTYPES, FAMILIES, file_of, rows
from tests.reference.pytorch import started, theirs


def main(families: list[str]) -> None:
    torch.set_num_threads(1)
    for family in families or FAMILIES:
        tensors: dict[str, np.ndarray] = {}
        for row in rows(family):
            tensors |= {f"{row.name}|state {k}": v for k, v in started(row).items()}
            tensors |= {f"{row.name}|{dtype}|{k}": v for dtype in DTYPES for k, v in theirs(row, dtype).items()}
        write_tensors(file_of(family), tensors, {"torch": torch.__version__})
        print(f"{file_of(family).name}: {len(rows(family))} rows, {file_of(family).stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
