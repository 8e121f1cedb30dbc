"""The other side of a row: what comes out of it in PyTorch."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import torch

from tests.reference import compare
from tests.reference.compare import LR, UPDATES, Numbers, Row

__all__ = ["started", "theirs"]


class Namespace:
    """``torch.nn``, with ``torch.nn.functional``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.nn, name, None) or getattr(torch.nn.functional, name)


def built(row: Row, dtype: str) -> Any:
    """The module, with PyTorch's initial values, which are drawn in float32."""
    torch.manual_seed(0)
    make = compare.network if row.kind == "optimizer" else row.theirs or row.make
    return make(Namespace()).to(getattr(torch, dtype))


def started(row: Row) -> Numbers:
    """The state that a row starts from."""
    if row.kind not in ("layer", "optimizer"):
        return {}
    return {k: v.numpy().copy() for k, v in built(row, "float32").state_dict().items()}


def theirs(row: Row, dtype: str) -> Numbers:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {k: np.asarray(v, order="C") for k, v in run(row, dtype).items()}


def run(row: Row, dtype: str) -> Numbers:
    if row.kind == "schedule":
        sgd = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        made = row.theirs(torch.optim.lr_scheduler, sgd)
        return {"lr": compare.scheduled(made, lambda: sgd.param_groups[0]["lr"], row)}
    if row.kind == "optimizer":
        return optimized(row, dtype)
    inputs = [torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in row.arrays(dtype)]
    for given, x in zip(row.inputs, inputs, strict=True):
        if compare.is_shape(given):
            x.requires_grad_()
    if row.kind == "function":
        model, learned = partial(row.theirs or row.make, Namespace()), {"input 0": inputs[0]}
    else:
        model = built(row, dtype).train(row.training)
        learned = dict(model.named_parameters())
    numbers: Numbers = {}
    for i in range(UPDATES):
        outputs = list(compare.flat(model(*inputs)))
        cost = sum(torch.mean((y - torch.from_numpy(compare.aim(tuple(y.shape), k, dtype))) ** 2)
                   for k, y in enumerate(outputs))
        cost.backward()
        variables = {f"input {k}": x for k, x in enumerate(inputs) if getattr(x, "requires_grad", False)}
        if i == 0:
            numbers |= {f"output {k}": y.detach().numpy() for k, y in enumerate(outputs)}
            numbers |= {f"gradient {k}": v.grad.numpy().copy() for k, v in (learned | variables).items()
                        if v.grad is not None}
        with torch.no_grad():
            for v in learned.values():
                if v.grad is not None:
                    v -= LR * v.grad
        for v in (learned | variables).values():
            v.grad = None
    numbers |= {f"updated {k}": v.detach().numpy() for k, v in learned.items()}
    if row.kind == "layer":
        numbers |= {f"updated {k}": v.numpy() for k, v in model.named_buffers()}
    return numbers


def optimized(row: Row, dtype: str) -> Numbers:
    model = built(row, dtype)
    x, y = map(torch.from_numpy, compare.problem(dtype))
    optimizer = (row.theirs or row.make)(torch.optim, model)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        cost = torch.nn.functional.mse_loss(model(x), y)
        cost.backward()
        return cost

    costs = np.array([optimizer.step(closure).detach().numpy() for _ in range(UPDATES)])
    return {"costs": costs} | {f"updated {k}": p.detach().numpy() for k, p in model.named_parameters()}
