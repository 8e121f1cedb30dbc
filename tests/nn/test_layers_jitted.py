"""Layers that normalize, drop, look up and attend, jitted: outputs, gradients, states and draws of the eager run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, jit
from tests.autograd.compiling.same import BACKENDS, assert_same
from tests.nn.gradients import numbers

PADDING = np.array([[0, 0, 0, 1], [0, 1, 1, 0], [1, 1, 1, 1]], bool)


def three(layer: nn.Module, x: Any, **options: Any) -> Any:
    """Attention of an input to itself."""
    y, weights = layer(x, x, x, **options)
    return y + np.mean(weights * weights)


# (how the layer is made, the shape of its input, how it is called)
ROWS: dict[str, tuple[Callable, tuple[int, ...], Callable]] = {
    "BatchNorm1d": (lambda **k: nn.BatchNorm1d(4), (6, 4), nn.BatchNorm1d.__call__),
    "BatchNorm1d, average": (lambda **k: nn.BatchNorm1d(4, momentum=None), (3, 4, 2), nn.BatchNorm1d.__call__),
    "BatchNorm2d": (lambda **k: nn.BatchNorm2d(2), (3, 2, 3, 4), nn.BatchNorm2d.__call__),
    "BatchNorm2d, plain": (lambda **k: nn.BatchNorm2d(2, affine=False, track_running_stats=False), (3, 2, 3, 4),
                           nn.BatchNorm2d.__call__),
    "LayerNorm": (lambda **k: nn.LayerNorm((2, 4)), (3, 2, 4), nn.LayerNorm.__call__),
    "GroupNorm": (lambda **k: nn.GroupNorm(2, 4), (3, 4, 2), nn.GroupNorm.__call__),
    "RMSNorm": (lambda **k: nn.RMSNorm(4), (3, 2, 4), nn.RMSNorm.__call__),
    "Dropout": (lambda **k: nn.Dropout(0.4, **k), (6, 4), nn.Dropout.__call__),
    "PReLU": (lambda **k: nn.PReLU(4), (6, 4), nn.PReLU.__call__),
    "Hardtanh": (lambda **k: nn.Hardtanh(-0.5, 0.7), (6, 4), nn.Hardtanh.__call__),
    "Softplus": (lambda **k: nn.Softplus(2.0, 1.0), (6, 4), nn.Softplus.__call__),
    "Embedding": (lambda **k: nn.Embedding(5, 3, 1, **k), (6, 4),
                  lambda layer, x: layer(np.astype(np.abs(2 * x.data), int) % 5) * x[..., None]),
    "Bilinear": (lambda **k: nn.Bilinear(4, 4, 3, **k), (6, 4), lambda layer, x: layer(x, np.sin(x))),
    "MultiheadAttention": (lambda **k: nn.MultiheadAttention(4, 2, 0.3, **k), (4, 3, 4), three),
    "MultiheadAttention, masked": (
        lambda **k: nn.MultiheadAttention(4, 2, bias=False, **k), (4, 3, 4),
        lambda layer, x: three(layer, x, key_padding_mask=PADDING, is_causal=True)),
    "MultiheadAttention, traced mask": (
        lambda **k: nn.MultiheadAttention(4, 2, batch_first=True, **k), (3, 4, 4),
        lambda layer, x: three(layer, x, attn_mask=x.data[0] > 0.5)),
    "TransformerEncoderLayer": (lambda **k: nn.TransformerEncoderLayer(4, 2, 5, **k), (3, 2, 4),
                                nn.TransformerEncoderLayer.__call__),
    "TransformerEncoderLayer, norm first": (
        lambda **k: nn.TransformerEncoderLayer(4, 2, 5, activation="gelu", norm_first=True, **k), (4, 3, 4),
        lambda layer, x: layer(x, src_key_padding_mask=PADDING, is_causal=True)),
}


# Left out when all are compiled, which takes long enough: what others consist of
ALIKE = ("BatchNorm1d", "BatchNorm2d, plain", "LayerNorm", "MultiheadAttention", "MultiheadAttention, masked",
         "MultiheadAttention, traced mask", "TransformerEncoderLayer")


def run(names: list[str], wrapped: Callable, modes: tuple[bool, ...]) -> list:
    """Costs, gradients and states of the layers after each step, in training or not."""
    layers = [ROWS[name][0](rng=np.random.default_rng(3)) for name in names]
    model = nn.Sequential(*layers)
    optimizer = nn.SGD(model.parameters(), lr=0.1) if list(model.parameters()) else None

    def step(*inputs: Any) -> list:
        inputs = tuple(map(Value, inputs))
        costs = [np.sum(np.sin(ROWS[name][2](layer, x)))
                 for name, layer, x in zip(names, layers, inputs, strict=True)]
        model.zero_grad()
        sum(costs).backward()
        if optimizer:
            optimizer.step()
        return [*(c.data * 1 for c in costs), *(x.grad * 1 for x in inputs)]

    step, seen = wrapped(step), []
    for call, mode in enumerate(modes):
        model.train(mode)
        seen += step(*(numbers(*ROWS[name][1], seed=call, dtype=np.float32) for name in names))
        seen += [np.copy(p.grad) for p in model.parameters()]
        seen += model.state_dict().values()
    return seen


@pytest.mark.parametrize("name", ROWS)
def test_by_numpy(name):
    modes = (True, True, False)
    ulps = 64 if "Attention" in name or "Transformer" in name else 4  # products of other layouts, one after the other
    assert_same(run([name], lambda f: jit(f, backend="numpy"), modes), run([name], lambda f: f, modes), ulps)


@pytest.mark.skipif("numba" not in BACKENDS, reason="needs Numba")
def test_compiled():
    """All in one program, since each takes a second to compile."""
    names, modes = [name for name in ROWS if name not in ALIKE], (True, True)
    assert_same(run(names, lambda f: jit(f, backend="numba"), modes), run(names, lambda f: f, modes), 64)
