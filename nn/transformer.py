"""``TransformerEncoderLayer``: attention, then a small network at each place, each beside the identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import functions

from .attention import MultiheadAttention
from .checks import array
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm
from .random import Randomness, generator

__all__ = ["TransformerEncoderLayer"]

_ACTIVATIONS = {"relu": functions.relu, "gelu": functions.gelu}


class TransformerEncoderLayer(Module):
    """y = norm(x + attention(x, x, x)), then norm(y + W₂ activation(W₁ y)) (Vaswani et al., 2017).

    With ``norm_first`` y = x + attention(norm(x)), then y + W₂ activation(W₁ norm(y)) (Xiong et al., 2020).
    ``activation`` is ``"relu"``, ``"gelu"`` or a function. In training, numbers are dropped with the probability
    ``dropout`` within attention, behind the activation and before each sum.

    Shapes: input and output (L, N, d_model), or (N, L, d_model) with ``batch_first``, or (L, d_model); masks as those
    of ``MultiheadAttention``.

    Raises ``ValueError`` for heads that do not divide ``d_model``, and for other shapes.

    >>> layer = TransformerEncoderLayer(8, 2, 16, batch_first=True, rng=np.random.default_rng(0))
    >>> layer(np.ones((3, 5, 8), np.float32)).shape
    (3, 5, 8)
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: str | Callable[[Any], Any] = "relu", layer_norm_eps: float = 1e-5,
                 batch_first: bool = False, norm_first: bool = False, bias: bool = True, *, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        rng = generator(rng, "TransformerEncoderLayer")
        if not callable(activation) and activation not in _ACTIVATIONS:
            raise ValueError("TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function, got "
                             f"{activation!r}")
        self.d_model, self.norm_first = d_model, norm_first
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng,
                                            dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, rng=rng, dtype=dtype)
        self.linear2 = Linear(dim_feedforward, d_model, bias, rng=rng, dtype=dtype)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout = Dropout(dropout, rng=rng)
        self.activation = activation if callable(activation) else _ACTIVATIONS[activation]

    def __call__(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None,
                 is_causal: bool = False) -> Any:
        x = array(src)
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model or 0 in x.shape:
            axes = "(N, L" if self.self_attn.batch_first else "(L, N"
            raise ValueError(f"TransformerEncoderLayer({self.d_model}, {self.self_attn.num_heads}): src must have the "
                             f"shape {axes}, {self.d_model}) or (L, {self.d_model}), and not be empty, got {x.shape}")

        def attended(x: Any) -> Any:
            return self.dropout(self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0])

        def fed(x: Any) -> Any:
            return self.dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = x + attended(self.norm1(x))
            return x + fed(self.norm2(x))
        x = self.norm1(x + attended(x))
        return self.norm2(x + fed(x))
