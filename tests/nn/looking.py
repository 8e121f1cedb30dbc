"""What tests of pictures share: a small network with its examples, and what a picture says."""

import warnings

import numpy as np
from matplotlib.text import Text

import nn

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
LABELS = np.arange(8) % 3


def mlp(activation=nn.ReLU):
    return nn.MLP([4, 5, 3], activation, rng=0)


def texts(picture):
    """All that a picture says."""
    return [t.get_text() for t in picture.findobj(Text) if t.get_text()]


def looked_at(picture):
    """A picture that is drawn, at which matplotlib has nothing to warn of."""
    picture.set_dpi(40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture.canvas.draw()
    return picture
