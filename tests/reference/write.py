"""Write the reference files: ``python -m tests.reference.write [FAMILY ...]``, where PyTorch is installed."""

from __future__ import annotations

import sys

import numpy as np
import safetensors.torch
import torch

from nn.files import write_tensors
from tests.reference import pytorch
from tests.reference.compare import DTYPES, FAMILIES, file_of, rows, small_cnn
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
    if not families:
        save_model()


def save_model() -> None:
    """A model as PyTorch's users save it, and beside it what it gives."""
    torch.manual_seed(0)
    model, x = small_cnn(pytorch.Namespace()), torch.randn(3, 1, 8, 8)
    model(x)  # whose statistics are kept
    safetensors.torch.save_file(model.state_dict(), file_of("saved_model"))
    safetensors.torch.save_file({"x": x, "y": model.eval()(x).detach()}, file_of("saved_model_output"))


if __name__ == "__main__":
    main(sys.argv[1:])
