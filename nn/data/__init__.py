"""Data to train on: MNIST, digits drawn by strokes, spoken digits, and the cutting of arrays into minibatches."""

from .audio import log_mel, read_wav, trim_silence
from .augment import shift
from .batches import minibatches, one_hot
from .mnist_files import Digits, mnist
from .sources import DataCorrupt, DataUnavailable
from .spoken import SPEAKERS, Recordings, spoken_digits
from .stroke_digits import strokes

__all__ = [
    "SPEAKERS",
    "DataCorrupt",
    "DataUnavailable",
    "Digits",
    "Recordings",
    "log_mel",
    "minibatches",
    "mnist",
    "one_hot",
    "read_wav",
    "shift",
    "spoken_digits",
    "strokes",
    "trim_silence",
]
