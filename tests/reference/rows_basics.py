"""Layers, costs, optimizers and schedules that a plain network is made of."""

import numpy as np

from tests.reference.compare import function, layer, optimizer, schedule

LABELS = np.array([2, 0, 1, 2])
PROBABILITIES = np.array([[0.5, 0.25, 0.25], [1, 0, 0], [0, 0.5, 0.5], [0.125, 0.125, 0.75]])

ROWS = [
    layer("Linear", lambda nn: nn.Linear(3, 2), (4, 3)),
    layer("Linear without bias", lambda nn: nn.Linear(3, 2, bias=False), (2, 4, 3)),
    layer("network", lambda nn: nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2), nn.Sigmoid()), (4, 3)),
    *(layer(name, lambda nn, name=name: getattr(nn, name)(), (4, 3))
      for name in ("ELU", "GELU", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Softplus", "Tanh")),
    layer("GELU tanh", lambda nn: nn.GELU(approximate="tanh"), (4, 3)),
    layer("Softmax", lambda nn: nn.Softmax(-1), (4, 3)),
    layer("LogSoftmax", lambda nn: nn.LogSoftmax(1), (4, 3, 2)),
    function("mse_loss", lambda nn, a, y: nn.mse_loss(a, y), (4, 3), (4, 3)),
    function("cross_entropy", lambda nn, a, y: nn.cross_entropy(a, y), (4, 3), LABELS),
    function("cross_entropy probabilities", lambda nn, a, y: nn.cross_entropy(a, y), (4, 3), PROBABILITIES),
    function("binary_cross_entropy", lambda nn, a, y: nn.binary_cross_entropy(nn.Sigmoid()(a), y),
             (4, 3), PROBABILITIES),
    function("binary_cross_entropy_with_logits", lambda nn, a, y: nn.binary_cross_entropy_with_logits(a, y),
             (4, 3), PROBABILITIES),
    optimizer("SGD", lambda optim, model: optim.SGD(model.parameters(), lr=0.1)),
    optimizer("SGD momentum", lambda optim, model: optim.SGD(model.parameters(), lr=0.1, momentum=0.9)),
    optimizer("SGD nesterov", lambda optim, model: optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True,
                                                             weight_decay=0.01)),
    optimizer("Adam", lambda optim, model: optim.Adam(model.parameters(), lr=0.1)),
    optimizer("Adam decay", lambda optim, model: optim.Adam(model.parameters(), lr=0.1, betas=(0.8, 0.9), eps=1e-3,
                                                            weight_decay=0.1)),
    optimizer("AdamW", lambda optim, model: optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)),
    schedule("Step", lambda nn, optimizer: nn.Step(optimizer, 10, gamma=0.5),
             lambda lr_scheduler, optimizer: lr_scheduler.StepLR(optimizer, 10, gamma=0.5)),
    schedule("Cosine", lambda nn, optimizer: nn.Cosine(optimizer, 30, min_lr=0.01),
             lambda lr_scheduler, optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 30, eta_min=0.01)),
    schedule("OneCycle", lambda nn, optimizer: nn.OneCycle(optimizer, 1.0, 40),
             lambda lr_scheduler, optimizer: lr_scheduler.OneCycleLR(optimizer, 1.0, 40)),
]
