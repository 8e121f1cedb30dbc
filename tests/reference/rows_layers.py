"""Normalization, dropout and activations with their options."""

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
]
