"""``MultiheadAttention``: each query takes a weighted mean of values, by how well their keys fit it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.functions import affine, softmax

from . import initializers
from .checks import array, floating_dtype, plain, positive_integer
from .dropout import Dropout
from .linear import Linear
from .module import Module, Parameter
from .random import Randomness, generator

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """softmax(q kᵀ / √d + mask) v in each of ``num_heads`` heads, side by side (Vaswani et al., 2017).

    q, k and v are linear maps of the query, the key and the value, d = embed_dim / num_heads numbers for each head;
    ``out_proj`` maps the heads' results, side by side, to the output. In training, weights of the mean are dropped with
    the probability ``dropout``.

    Shapes: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), output (L, N, embed_dim); N comes first with
    ``batch_first``, and is left out for a single example. ``kdim`` and ``vdim`` are ``embed_dim`` unless given.

    Raises ``ValueError`` for heads that do not divide ``embed_dim``, and for other shapes.

    >>> layer = MultiheadAttention(8, 2, batch_first=True, rng=np.random.default_rng(0))
    >>> x = np.ones((3, 5, 8), np.float32)
    >>> output, weights = layer(x, x, x, is_causal=True)
    >>> output.shape, weights.data[0, 1].tolist()
    ((3, 5, 8), [0.5, 0.5, 0.0, 0.0, 0.0])
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, *,
                 kdim: int | None = None, vdim: int | None = None, batch_first: bool = False, rng: Randomness,
                 dtype: Any = np.float32) -> None:
        def size(name: str, n: int | None) -> int:
            return positive_integer("MultiheadAttention", name, embed_dim if n is None else n)

        self.embed_dim, self.num_heads = size("embed_dim", embed_dim), size("num_heads", num_heads)
        self.kdim, self.vdim, self.batch_first = size("kdim", kdim), size("vdim", vdim), batch_first
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: num_heads must divide embed_dim, got {num_heads} heads for "
                             f"{embed_dim}")
        rng, dtype = generator(rng, "MultiheadAttention"), floating_dtype("MultiheadAttention", dtype)

        def start(*shape: int) -> Parameter:
            return Parameter(initializers.glorot_uniform(shape, rng, dtype))

        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = start(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = start(embed_dim, embed_dim)
            self.k_proj_weight, self.v_proj_weight = start(embed_dim, self.kdim), start(embed_dim, self.vdim)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng, dtype=dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.data[...] = 0
        self.dropout = Dropout(dropout, rng=rng)

    def __call__(self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
                 attn_mask: Any = None, average_attn_weights: bool = True,
                 is_causal: bool = False) -> tuple[Any, Any]:
        """The output, and the weights (N, L, S), or (N, num_heads, L, S) without ``average_attn_weights``.

        Without ``need_weights`` the second is ``None``. Masks are of bools, where ``True`` forbids to look, or of
        numbers that are added before the softmax: ``key_padding_mask`` (N, S) for keys, ``attn_mask`` (L, S) or
        (N · num_heads, L, S) for each query and key. ``is_causal`` forbids a query to look at later keys, besides what
        the masks say. A query that may look at no key at all gets weights of 0, which pass no gradient on.
        """
        query, key, value = array(query), array(key), array(value)
        self._check(query.shape, key.shape, value.shape)
        single = query.ndim == 2
        q, k, v = (x[None] if single else x if self.batch_first else x.swapaxes(0, 1) for x in (query, key, value))
        n, length, keys = q.shape[0], q.shape[1], k.shape[1]
        q, k, v = (self._heads(affine(x, *maps)) for x, maps in zip((q, k, v), self._maps(), strict=True))
        scores = q / math.sqrt(self.embed_dim // self.num_heads) @ k.swapaxes(-1, -2)
        if single and key_padding_mask is not None:
            key_padding_mask = array(key_padding_mask)[None]
        mask = self._mask(attn_mask, key_padding_mask, is_causal, (n, length, keys), scores.dtype)
        if mask is None:
            weights = softmax(scores)
        else:
            blind = np.all(plain(mask) == -np.inf, axis=-1, keepdims=True)  # where a softmax would be nan
            weights = np.where(blind, 0, softmax(scores + np.where(blind, 0, mask)))
        weights = self.dropout(weights)
        y = self.out_proj((weights @ v).swapaxes(1, 2).reshape(n, length, self.embed_dim))
        y = y[0] if single else y if self.batch_first else y.swapaxes(0, 1)
        if not need_weights:
            return y, None
        if average_attn_weights:
            weights = np.mean(weights, axis=1)
        return y, weights[0] if single else weights

    def _maps(self) -> list[tuple[Any, ...]]:
        """Weight and bias of query, key and value."""
        weights = (np.split(self.in_proj_weight, 3) if hasattr(self, "in_proj_weight")
                   else [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight])
        biases = [()] * 3 if self.in_proj_bias is None else [(b,) for b in np.split(self.in_proj_bias, 3)]
        return [(w, *b) for w, b in zip(weights, biases, strict=True)]

    def _heads(self, x: Any) -> Any:
        """(N, L, embed_dim) as (N, num_heads, L, d)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).swapaxes(1, 2)

    def _check(self, query: tuple, key: tuple, value: tuple) -> None:
        length, keys = ("N, L", "N, S") if self.batch_first else ("L, N", "S, N")
        wanted = [(query, "query", length, self.embed_dim), (key, "key", keys, self.kdim),
                  (value, "value", keys, self.vdim)]
        for shape, name, axes, features in wanted:
            if len(shape) != len(query) or len(shape) not in (2, 3) or shape[-1] != features or 0 in shape:
                raise ValueError(f"{self._who()}: {name} must have the shape ({axes}, {features}), or "
                                 f"({axes.replace('N', '').strip(', ')}, {features}) as all three of a single example, "
                                 f"and not be empty, got {shape}")
        batch = 0 if self.batch_first else 1
        if key[:-1] != value[:-1] or (len(query) == 3 and query[batch] != key[batch]):
            raise ValueError(f"{self._who()}: query, key and value must have the same N, and key and value the same S, "
                             f"got {query}, {key} and {value}")

    def _mask(self, attn_mask: Any, padding: Any, is_causal: bool, sizes: tuple[int, int, int], dtype: Any) -> Any:
        """What is added to the scores, in a shape that broadcasts to (N, num_heads, L, S); ``None`` for nothing."""
        n, length, keys = sizes
        many = (n, self.num_heads, length, keys)
        parts = [self._added("attn_mask", attn_mask, dtype, {(length, keys): (length, keys),
                                                             (many[0] * many[1], length, keys): many}),
                 self._added("key_padding_mask", padding, dtype, {(n, keys): (n, 1, 1, keys)})]
        if is_causal:
            parts.append(self._added("", np.triu(np.ones((length, keys), bool), 1), dtype, {(length, keys): many[2:]}))
        parts = [part for part in parts if part is not None]
        return sum(parts[1:], parts[0]) if parts else None

    def _added(self, name: str, mask: Any, dtype: Any, shapes: dict[tuple, tuple]) -> Any:
        if mask is None:
            return None
        mask = array(mask)
        if mask.dtype.kind not in "bf":
            raise TypeError(f"{self._who()}: {name} must be of bools (True forbids to look) or of floats (added), got "
                            f"{mask.dtype}; write {name}.astype(bool)")
        if mask.shape not in shapes:
            raise ValueError(f"{self._who()}: {name} must have the shape {' or '.join(map(str, shapes))}, got "
                             f"{mask.shape}")
        if mask.dtype == bool:
            mask = np.where(mask, -np.inf, 0.0)
        return mask.astype(dtype).reshape(shapes[mask.shape])

    def _who(self) -> str:
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads})"
