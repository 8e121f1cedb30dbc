"""Data to train on: MNIST, digits drawn by strokes, and the cutting of arrays into minibatches."""

from .augment import shift
from .batches import minibatches, one_hot
from .mnist_files import Digits, mnist
from .sources import DataCorrupt, DataUnavailable
from .stroke_digits import strokes

__all__ = ["DataCorrupt", "DataUnavailable", "Digits", "minibatches", "mnist", "one_hot", "shift", "strokes"]
