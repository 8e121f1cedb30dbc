"""Losses, besides those in ``rows_basics``."""

import numpy as np

from tests.reference.compare import function

LABELS = np.array([2, 0, 1, 2])
SIGNS = np.array([[1, -1, -1], [-1, 1, 1], [1, 1, -1], [-1, -1, 1]])
PROBABILITIES = np.array([[0.5, 0.25, 0.25], [1, 0, 0], [0, 0.5, 0.5], [0.125, 0.125, 0.75]])
STRINGS = (np.array([[1, 1, 2], [2, 1, 2], [0, 0, 0], [2, 0, 0]]), np.array([6, 3, 4, 2]), np.array([3, 3, 0, 1]))
JOINED = (np.array([1, 0, 2, 0, 1]), np.array([5, 6]), np.array([3, 2]))
TOO_LONG = (np.array([[1, 1, 2], [2, 1, 2]]), np.array([6, 2]), np.array([3, 3]))


def log_softmax(nn, x):
    return nn.LogSoftmax(-1)(x)


ROWS = [
    function("l1_loss", lambda nn, a, y: nn.l1_loss(a, y), (4, 3), (4, 3)),
    function("huber_loss", lambda nn, a, y: nn.huber_loss(a, y), (4, 3), (4, 3)),
    function("huber_loss delta", lambda nn, a, y: nn.huber_loss(a, y, delta=0.5), (4, 3), (4, 3)),
    function("nll_loss", lambda nn, a, y: nn.nll_loss(log_softmax(nn, a), y), (4, 3), LABELS),
    function("kl_div", lambda nn, a, y: nn.kl_div(log_softmax(nn, a), y), (4, 3), PROBABILITIES,
             theirs=lambda nn, a, y: nn.kl_div(log_softmax(nn, a), y, reduction="batchmean")),
    function("hinge_loss", lambda nn, a, y: nn.hinge_loss(a, y), (4, 3), SIGNS,
             theirs=lambda nn, a, y: nn.relu(1 - y * a).mean()),
    function("hinge_embedding_loss", lambda nn, a, y: nn.hinge_embedding_loss(a, y), (4, 3), SIGNS),
    function("hinge_embedding_loss margin", lambda nn, a, y: nn.hinge_embedding_loss(a, y, margin=0.3), (4, 3), SIGNS),
    function("multi_margin_loss", lambda nn, a, y: nn.multi_margin_loss(a, y), (4, 3), LABELS),
    function("multi_margin_loss squared", lambda nn, a, y: nn.multi_margin_loss(a, y, p=2, margin=0.5), (4, 3), LABELS),
    function("cosine_embedding_loss", lambda nn, a, b, y: nn.cosine_embedding_loss(a, b, y), (4, 3), (4, 3),
             SIGNS[:, 0]),
    function("cosine_embedding_loss margin", lambda nn, a, b, y: nn.cosine_embedding_loss(a, b, y, margin=-0.5),
             (4, 3), (4, 3), SIGNS[:, 0]),
    function("ctc_loss", lambda nn, a, *batch: nn.ctc_loss(log_softmax(nn, a), *batch), (6, 4, 3), *STRINGS),
    function("ctc_loss joined", lambda nn, a, *batch: nn.ctc_loss(log_softmax(nn, a), *batch, blank=3), (6, 2, 4),
             *JOINED),
    function("ctc_loss zero_infinity", lambda nn, a, *batch: nn.ctc_loss(log_softmax(nn, a), *batch,
                                                                         zero_infinity=True), (6, 2, 3), *TOO_LONG),
]
