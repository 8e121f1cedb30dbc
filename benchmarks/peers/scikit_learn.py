"""scikit-learn: ``MLPClassifier.partial_fit``; its output is always a softmax, and its cost the cross-entropy."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from ..workloads import LR, images
from . import Prepared


def network(variant: str, sizes: tuple[int, ...], batch: int, hidden: str, output: str) -> Prepared:
    x, y = images(batch, sizes)
    labels, classes = y.argmax(axis=1), np.arange(sizes[-1])
    model = MLPClassifier(sizes[1:-1], activation={"sigmoid": "logistic", "relu": "relu"}[hidden], solver="sgd",
                          alpha=0.0, batch_size=batch, learning_rate_init=LR, momentum=0.0, random_state=0)
    warnings.simplefilter("ignore")
    return Prepared(lambda: model.partial_fit(x, labels, classes=classes))
