"""Normalization, dropout, activations with their options, embeddings, bilinear maps, attention and transformers."""

import numpy as np

from tests.reference.compare import layer

NORMS = {
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(3), (6, 3)),
    "BatchNorm1d rows": (lambda nn: nn.BatchNorm1d(3), (2, 3, 4)),
    "BatchNorm1d average": (lambda nn: nn.BatchNorm1d(3, momentum=None), (6, 3)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(2), (3, 2, 4, 5)),
    "BatchNorm2d options": (lambda nn: nn.BatchNorm2d(2, eps=0.1, momentum=0.3, affine=False), (3, 2, 4, 5)),
    "BatchNorm2d without statistics": (lambda nn: nn.BatchNorm2d(2, track_running_stats=False), (3, 2, 4, 5)),
    "LayerNorm": (lambda nn: nn.LayerNorm(4), (3, 4)),
    "LayerNorm axes": (lambda nn: nn.LayerNorm((3, 4), eps=0.1), (2, 3, 4)),
    "LayerNorm without bias": (lambda nn: nn.LayerNorm(4, bias=False), (2, 3, 4)),
    "LayerNorm plain": (lambda nn: nn.LayerNorm(4, elementwise_affine=False), (2, 3, 4)),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), (3, 4, 5)),
    "GroupNorm of all": (lambda nn: nn.GroupNorm(1, 4, eps=0.1), (3, 4)),
    "GroupNorm images": (lambda nn: nn.GroupNorm(4, 4, affine=False), (2, 4, 3, 3)),
    "RMSNorm": (lambda nn: nn.RMSNorm(4), (3, 4)),
    "RMSNorm axes": (lambda nn: nn.RMSNorm((3, 4), eps=0.1), (2, 3, 4)),
    "RMSNorm plain": (lambda nn: nn.RMSNorm(4, elementwise_affine=False), (2, 3, 4)),
}

WORDS = np.array([[1, 4, 1], [0, 2, 2]])
PADDED = np.array([[False, False, False, True], [False, True, False, False]])  # keys of two examples
LATER = np.triu(np.ones((3, 4), bool), 1)
ADDED = np.where(LATER, -np.inf, np.linspace(-1, 1, 12).reshape(3, 4))
OF_HEADS = np.stack([np.eye(3, 4, k) for k in range(-1, 3)]) > 0  # two examples of two heads each
QUERY, KEY = (3, 2, 4), (4, 2, 4)

ROWS = [
    *(layer(name, *norm) for name, norm in NORMS.items()),
    *(layer(f"{name}, evaluation", *norm, training=False) for name, norm in NORMS.items() if "Batch" in name),
    layer("network with BatchNorm1d", lambda nn: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh()), (5, 3)),
    layer("Dropout of nothing", lambda nn: nn.Dropout(0.0), (4, 3)),
    layer("Dropout of all", lambda nn: nn.Dropout(1.0), (4, 3)),
    layer("Dropout, evaluation", lambda nn: nn.Dropout(0.5), (4, 3), training=False),
    layer("PReLU", lambda nn: nn.PReLU(), (4, 3)),
    layer("PReLU channels", lambda nn: nn.PReLU(3, init=0.1), (4, 3)),
    layer("PReLU images", lambda nn: nn.PReLU(2), (3, 2, 4, 5)),
    layer("Hardtanh", lambda nn: nn.Hardtanh(), (4, 5)),
    layer("Hardtanh bounds", lambda nn: nn.Hardtanh(-0.5, 2.0), (4, 5)),
    layer("LeakyReLU slope", lambda nn: nn.LeakyReLU(0.3), (4, 5)),
    layer("ELU alpha", lambda nn: nn.ELU(0.7), (4, 5)),
    layer("Softplus options", lambda nn: nn.Softplus(2.0, threshold=1.0), (4, 5)),
    layer("Embedding", lambda nn: nn.Embedding(6, 3), WORDS),
    layer("Embedding padded", lambda nn: nn.Embedding(6, 3, padding_idx=2), WORDS),
    layer("Embedding padded from the end", lambda nn: nn.Embedding(5, 3, -1), WORDS),
    layer("Bilinear", lambda nn: nn.Bilinear(3, 4, 2), (5, 3), (5, 4)),
    layer("Bilinear without bias", lambda nn: nn.Bilinear(3, 4, 2, bias=False), (2, 5, 3), (2, 5, 4)),
    layer("attention", lambda nn: nn.MultiheadAttention(4, 2), QUERY, KEY, KEY),
    layer("attention of one head", lambda nn: nn.MultiheadAttention(4, 1, bias=False, batch_first=True),
          *[(2, 3, 4)] * 3),
    layer("attention of other sizes", lambda nn: nn.MultiheadAttention(4, 2, kdim=3, vdim=5), QUERY, (4, 2, 3),
          (4, 2, 5)),
    layer("attention of one example", lambda nn: nn.MultiheadAttention(4, 2), (3, 4), (4, 4), (4, 4), PADDED[0]),
    layer("attention, keys left out", lambda nn: nn.MultiheadAttention(4, 2), QUERY, KEY, KEY, PADDED),
    layer("attention, causal", lambda nn: nn.MultiheadAttention(4, 2), QUERY, KEY, KEY, None, True, LATER, True, True),
    layer("attention, no weights", lambda nn: nn.MultiheadAttention(4, 2), QUERY, KEY, KEY, PADDED, False, LATER),
    layer("attention, mask added", lambda nn: nn.MultiheadAttention(4, 2), QUERY, KEY, KEY, None, True, ADDED, False),
    layer("attention, mask of heads", lambda nn: nn.MultiheadAttention(4, 2), QUERY, KEY, KEY, None, True, OF_HEADS,
          False),
    layer("attention, evaluation", lambda nn: nn.MultiheadAttention(4, 2, 0.5), QUERY, KEY, KEY, training=False),
    layer("transformer", lambda nn: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0), KEY),
    layer("transformer, norm first", lambda nn: nn.TransformerEncoderLayer(
        4, 2, 6, 0.0, "gelu", 0.1, batch_first=True, norm_first=True, bias=False), (2, 4, 4), None, PADDED),
    layer("transformer, causal", lambda nn: nn.TransformerEncoderLayer(4, 1, 6, 0.0, batch_first=True), (2, 3, 4),
          LATER[:, :3], None, True),
    layer("transformer, evaluation", lambda nn: nn.TransformerEncoderLayer(4, 2, 6), (3, 4), training=False),
]
