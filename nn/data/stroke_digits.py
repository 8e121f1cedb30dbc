"""Handwritten digits without a download: loops and lines, written by a pen that never repeats itself."""

import math
from types import SimpleNamespace

import numpy as np

from ..random import Randomness, generator

SIDE = 28  # pixels, as in MNIST
POINTS = 72  # samples of a digit's path: about a pixel apart in an 8, which is the longest
MARGIN = 1.5  # pixels at the edge of the image that stay free of ink
CHUNK = 128  # images drawn at a time: more would not stay in the cache


# ---- The digits ---------------------------------------------------------------------------------------
# x points right and y down, as in an image, and a digit reaches from about -1 to 1. Angles are in degrees:
# 0 is right, 90 the bottom, 180 left, -90 the top, so that a positive turn is clockwise.


def loop(cx: float, cy: float, rx: float, ry: float, start: float, turn: float) -> np.ndarray:
    """Points (k, 2) along an ellipse, from the angle `start` on for `turn` degrees."""
    angle = np.radians(start + turn * np.linspace(0, 1, 60))
    return np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1)


def line(*corners: tuple[float, float]) -> np.ndarray:
    """Points (k, 2) of a line from corner to corner."""
    return np.array(corners, dtype=float)


def path(*pieces: np.ndarray) -> np.ndarray:
    """One stroke through several pieces; where they do not meet, a straight line leads to the next."""
    return np.concatenate(pieces)


# The ways to write each digit. A way is a list of strokes, and the pen is lifted between them.
WAYS: dict[int, list[list[np.ndarray]]] = {
    0: [
        [loop(0, 0, 0.65, 1, -90, -360)],
        [path(loop(0, 0, 0.62, 1, -60, -350), line((-0.1, -0.75)))],
        [loop(0, 0, 0.55, 1, -110, 375)],
    ],
    1: [
        [line((0, -1), (0, 1))],
        [loop(-4, 0, 4, 4, -15, 30)],
        [line((-0.35, -0.6), (0.05, -1), (0.05, 1))],
        [line((-0.3, -0.65), (0, -1), (0, 1)), line((-0.45, 1), (0.45, 1))],
    ],
    2: [
        [path(loop(0, -0.45, 0.55, 0.55, -165, 195), line((-0.6, 1), (0.65, 1)))],
        [path(loop(0, -0.5, 0.5, 0.5, -160, 200), loop(-0.38, 0.75, 0.24, 0.22, 40, 270), line((0.8, 0.95)))],
        [line((-0.6, -0.85), (0.5, -0.95), (-0.55, 0.95), (0.7, 0.9))],
        [path(loop(-0.1, -0.4, 0.6, 0.6, -130, 170), line((-0.5, 0.85)), loop(0.1, 1.3, 0.7, 0.5, -130, 80))],
    ],
    3: [
        [path(loop(-0.05, -0.5, 0.5, 0.5, -155, 235), loop(-0.05, 0.45, 0.6, 0.55, -85, 235))],
        [path(line((-0.55, -0.95), (0.45, -1), (-0.1, -0.2)), loop(-0.1, 0.4, 0.6, 0.6, -85, 225))],
        [
            path(
                loop(-0.05, -0.52, 0.5, 0.48, -150, 220),
                loop(-0.2, 0.02, 0.15, 0.1, 60, 240),
                loop(-0.05, 0.5, 0.6, 0.5, -70, 220),
            )
        ],
    ],
    4: [
        [line((-0.45, -0.9), (-0.55, 0.15), (0.65, 0.1)), line((0.3, -0.85), (0.25, 1))],
        [line((0.3, 1), (0.35, -1), (-0.85, 0.4), (0.8, 0.4))],
        [line((-0.05, -1), (-0.8, 0.3), (0.8, 0.25)), line((0.45, -0.4), (0.35, 1))],
        [path(line((-0.5, -0.9)), loop(-0.05, -0.3, 0.45, 0.4, 180, -150), line((0.45, -1), (0.35, 1)))],
    ],
    5: [
        [path(line((0.55, -1), (-0.4, -0.95), (-0.45, -0.15)), loop(-0.05, 0.4, 0.6, 0.6, -125, 275))],
        [
            path(line((-0.3, -0.9), (-0.4, -0.1)), loop(-0.05, 0.42, 0.55, 0.58, -120, 260)),
            line((-0.3, -0.9), (0.6, -1)),
        ],
        [path(line((0.75, -1), (-0.1, -0.8), (-0.35, -0.2)), loop(-0.2, 0.45, 0.5, 0.55, -80, 230))],
    ],
    6: [
        [path(loop(0.55, 0.4, 1.1, 1.4, -100, -80), loop(0, 0.45, 0.55, 0.55, 180, -350))],
        [path(line((0.25, -1), (-0.4, 0.1)), loop(0, 0.5, 0.5, 0.5, 200, -380))],
        [path(loop(0.3, 0, 0.8, 1, -75, -190), loop(0.05, 0.5, 0.5, 0.45, 90, -260))],
    ],
    7: [
        [line((-0.55, -0.9), (0.55, -0.95), (-0.1, 1))],
        [line((-0.6, -0.95), (0.6, -1), (-0.1, 1)), line((-0.35, 0.15), (0.55, 0.05))],
        [path(line((-0.55, -0.6), (-0.5, -0.95), (0.5, -0.95)), loop(0.8, 1, 0.8, 1.6, -120, -60))],
    ],
    8: [
        [loop(0, -0.5, 0.48, 0.5, 90, 360), loop(0, 0.5, 0.58, 0.5, -90, 360)],
        [
            path(
                loop(0, -0.5, 0.48, 0.5, -30, -240),
                loop(0, 0.5, 0.55, 0.5, -90, 360),
                loop(0, -0.5, 0.48, 0.5, 90, -120),
            )
        ],
        [path(loop(0, -0.58, 0.45, 0.42, 0, -200), loop(0, 0.55, 0.5, 0.45, -20, 220), line((0.5, -0.7)))],
    ],
    9: [
        [loop(-0.05, -0.45, 0.5, 0.5, 0, 360), line((0.45, -0.8), (0.35, 1))],
        [path(loop(0, -0.45, 0.52, 0.52, -20, -345), line((0.5, -0.5), (0.3, 1)))],
        [path(loop(0, -0.5, 0.5, 0.48, -10, -350), loop(-0.1, 0.35, 0.6, 0.65, -30, 170))],
        [path(loop(0, -0.45, 0.55, 0.45, -50, -265), line((0.5, -0.8), (0.1, 1)))],
    ],
}

# ---- What chance decides ------------------------------------------------------------------------------
# Everything is uniform within bounds: no draw is so far out that a digit leaves the frame or cannot be read.
HAND = {
    "size": (16, 20),  # longer side of the box around the ink, px
    "width": (1.6, 2.8),  # of a stroke, px; below 1.4 the paper would turn grey
    "right": (-1, 1),  # from the centre of the image to the digit's centre of mass, px
    "down": (-1, 1),
    "slant": (-0.2, 0.55),  # to the right for each step up: most hands lean right
    "turn": (-0.12, 0.12),  # radians, clockwise
    "stretch": (0.8, 1.3),  # width for its height
    "belly": (-0.2, 0.2),  # above 0: wide below and narrow above
    "waist": (-0.2, 0.2),  # how far the middle sinks
    "haste": (0, 1),  # 0 leaves corners sharp, 1 rounds them off
}
# Unsteadiness along a stroke, t from 0 at its start to 1 at its end: the largest amplitudes of cos(π k t).
# k = 0 moves the stroke, k = 1 stretches and turns it, the others bend it.
WOBBLE = (0.08, 0.10, 0.08, 0.06, 0.04)
PRESSURE = 1.2  # the same waves, times this, press the pen: where they are positive the stroke is wider


def _sample(way: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A way of writing as P evenly spaced points.

    Returns them with sharp corners, (2, P), and with rounded ones, (2, P); the waves that displace them,
    (K, P); and for each step from one to the next whether the pen is down, 1, or lifted, 0, (P - 1,).
    """
    travels = [np.append(0, np.hypot(*np.diff(stroke, axis=0).T).cumsum()) for stroke in way]
    ends = np.cumsum([travel[-1] for travel in travels])
    stops = np.append(0, np.rint(POINTS * ends / ends[-1])).astype(int)

    sharp, rounded = np.empty((2, 2, POINTS))
    waves = np.zeros((MOST_STROKES, len(WOBBLE), POINTS))
    pen_down = np.ones(POINTS - 1)
    for i, (stroke, travel) in enumerate(zip(way, travels, strict=True)):
        part = slice(stops[i], stops[i + 1])
        t = np.linspace(0, 1, stops[i + 1] - stops[i])
        piece = np.array([np.interp(t * travel[-1], travel, axis) for axis in stroke.T])
        sharp[:, part] = piece
        for _ in range(12):
            piece[:, 1:-1] = (piece[:, :-2] + 2 * piece[:, 1:-1] + piece[:, 2:]) / 4
        rounded[:, part] = piece
        stray = min(1, travel[-1] / 4)  # less on a short line than round a loop
        for k, amplitude in enumerate(WOBBLE):
            waves[i, k, part] = stray * amplitude * np.cos(np.pi * k * t)
        pen_down[stops[i + 1] - 1 : stops[i + 1]] = 0
    return sharp, rounded, waves.reshape(-1, POINTS), pen_down


COUNTS = np.array([len(ways) for ways in WAYS.values()])
FIRSTS = COUNTS.cumsum() - COUNTS  # the index of each digit's first way
MOST_STROKES = max(len(way) for ways in WAYS.values() for way in ways)
_samples = zip(*(_sample(way) for ways in WAYS.values() for way in ways), strict=True)
SHARP, ROUNDED, WAVES, PEN_DOWN = (np.array(each, dtype=np.float32) for each in _samples)

LOWEST, HIGHEST = np.array(list(HAND.values())).T
DRAWS = 2 + len(HAND) + 3 * WAVES.shape[1]  # a label and a way; the hand; waves in x, y and pressure


# ---- Writing ------------------------------------------------------------------------------------------


def strokes(n: int, rng: Randomness) -> tuple[np.ndarray, np.ndarray]:
    """Draw `n` handwritten digits, each one new: an endless data set that needs no file.

    A digit is written as the lecture notes on neural networks see it: a 9 is a loop and a line, an 8 two
    loops, a 4 three lines. Chance picks the digit, one of a few ways to write it, and the hand: slant, size,
    place, width of the pen, how it wobbles and presses. Ink is an integral along the path, all in pixels,

        density(pixel) = ∫ pressure(s) exp(-|pixel - path(s)|² / (2 sigma²)) ds / (√(2π) sigma)
        ink(pixel)     = clip(½ + 1.7 sigma (density - ½), 0, 1),    sigma = width / √(8 ln 2).

    Across a straight stroke the density is a Gaussian that is ½ at the two edges, and there the factor
    1.7 sigma lets the ink fall from 1 to 0 within one pixel: solid strokes, anti-aliased edges. Size and
    place follow MNIST (LeCun et al., 1998): scaled by the longer side, placed by the centre of mass.

    Args:
        n: How many digits, 0 or more.
        rng: A `numpy.random.Generator`, which moves on, so that the next call gives other digits; or an int
            that seeds one. The same state gives the same digits, drawn in one call or in several.

    Returns:
        images: float32 of shape (n, 784), rows of 28 by 28 pixels from 0, paper, to 1, ink.
        labels: int64 of shape (n,), from 0 to 9, each as likely.

    Raises:
        TypeError: `n` is not an integer, or `rng` is neither a Generator nor an int.
        ValueError: `n` or the seed is negative.

    >>> images, labels = strokes(1000, rng=0)
    >>> images.shape, labels.shape, sorted(set(labels.tolist()))
    ((1000, 784), (1000,), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    n = _natural(n, "n must be an int, the number of digits to draw", "n must be 0 or more")
    rng = generator(rng, "strokes")

    images = np.empty((n, SIDE * SIDE), dtype=np.float32)
    labels = np.empty(n, dtype=np.int64)
    for start in range(0, n, CHUNK):
        part = slice(start, min(start + CHUNK, n))
        # A digit is one row of uniform numbers: neither chunks nor calls change what the stream gives.
        chance = rng.random((part.stop - start, DRAWS))
        labels[part] = digit = (len(WAYS) * chance[:, 0]).astype(np.int64)
        way = FIRSTS[digit] + (COUNTS[digit] * chance[:, 1]).astype(np.int64)
        images[part] = _ink(PEN_DOWN[way], *_trace(way, chance[:, 2:]))
    return images, labels


def _natural(value: object, kind: str, least: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"strokes: {kind}; got {value!r} of type {type(value).__name__}")
    if value < 0:
        raise ValueError(f"strokes: {least}; got {value}")
    return int(value)


def _trace(way: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where the pen goes: x and y in pixels and its pressure, (B, P) each; its width in pixels, (B, 1)."""
    drawn = LOWEST + (HIGHEST - LOWEST) * chance[:, : len(HAND)]
    hand = SimpleNamespace(**dict(zip(HAND, drawn.T[:, :, None].astype(np.float32), strict=True)))
    signs = 2 * chance[:, len(HAND) :].astype(np.float32) - 1
    wobble = signs.reshape(len(way), 3, -1) @ WAVES[way]

    shape = SHARP[way] + hand.haste[:, :, None] * (ROUNDED[way] - SHARP[way]) + wobble[:, :2]
    x, y = shape[:, 0], shape[:, 1]
    x = hand.stretch * (1 + hand.belly * y) * x
    y = y + hand.waist * (1 - y * y)
    x = x - hand.slant * y
    cos, sin = np.cos(hand.turn), np.sin(hand.turn)
    x, y = cos * x - sin * y, sin * x + cos * y

    # The points are evenly spaced, or nearly so, and that makes their mean the centre of mass.
    scale = (hand.size - hand.width) / np.maximum(np.ptp(x, 1, keepdims=True), np.ptp(y, 1, keepdims=True))
    x = _place(scale * (x - x.mean(1, keepdims=True)), hand.right, hand.width)
    y = _place(scale * (y - y.mean(1, keepdims=True)), hand.down, hand.width)
    return x, y, 1 + PRESSURE * wobble[:, 2], hand.width


def _place(x: np.ndarray, shift: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Pixel coordinates for coordinates from the centre of mass, shifted as far as the margin allows."""
    centre = (SIDE - 1) / 2
    room = centre - MARGIN - width / 2
    return centre + x + np.clip(shift, -room - x.min(1, keepdims=True), room - x.max(1, keepdims=True))


def _ink(
    pen_down: np.ndarray, x: np.ndarray, y: np.ndarray, pressure: np.ndarray, width: np.ndarray
) -> np.ndarray:
    """The images (B, 784) of the paths, by the formula of `strokes`."""
    sigma = width / math.sqrt(8 * math.log(2))
    step = pen_down * np.hypot(np.diff(x), np.diff(y))
    weight = step * _middle(pressure) / (math.sqrt(2 * math.pi) * sigma)

    # A Gaussian in the plane is one in x times one in y: the sum over the path becomes a product of matrices.
    unit = math.sqrt(0.5) / sigma
    pixels = (unit * np.arange(SIDE, dtype=np.float32))[:, None, :]
    columns = np.exp(-np.square(pixels - (unit * _middle(x))[:, :, None]))
    rows = np.exp(-np.square(pixels - (unit * _middle(y))[:, :, None])) * weight[:, :, None]
    density = (rows.transpose(0, 2, 1) @ columns).reshape(len(x), -1)
    return np.clip(0.5 + 1.7 * sigma * (density - 0.5), 0, 1)


def _middle(points: np.ndarray) -> np.ndarray:
    return (points[:, 1:] + points[:, :-1]) / 2
