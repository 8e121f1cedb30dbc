"""Small random changes of images that leave the label as it is."""

import math

import numpy as np

from ..random import Randomness, generator

__all__ = ["shift"]


def shift(images: np.ndarray, rng: Randomness, pixels: int = 1) -> np.ndarray:
    """Move each square image by up to ``pixels`` rows and columns, each direction as likely, filling in zeros.

    Args:
        images: (n, side · side), such as (n, 784).
        rng: a `numpy.random.Generator`, or an int that seeds one.
        pixels: how far at most, along either axis.

    Returns:
        A new array of the same shape and dtype.

    Raises:
        ValueError: images that are not rows of square images, or ``pixels`` below 0.

    >>> image = np.zeros((1, 9), np.float32)
    >>> image[0, 4] = 1
    >>> shift(image, rng=0).reshape(3, 3)
    array([[0., 1., 0.],
           [0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    if images.ndim != 2 or math.isqrt(images.shape[1]) ** 2 != images.shape[1]:
        raise ValueError(f"shift: images must have the shape (n, side · side); got {images.shape}")
    if pixels < 0:
        raise ValueError(f"shift: pixels must be 0 or more; got {pixels}")
    n, side = len(images), math.isqrt(images.shape[1])
    wide = np.zeros((n, side + 2 * pixels, side + 2 * pixels), images.dtype)
    wide[:, pixels : pixels + side, pixels : pixels + side] = images.reshape(n, side, side)
    views = np.lib.stride_tricks.sliding_window_view(wide, (side, side), axis=(1, 2))
    down, right = generator(rng, "shift").integers(0, 2 * pixels + 1, (2, n))
    return views[np.arange(n), down, right].reshape(n, -1)
