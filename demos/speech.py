"""What both speech demos share: recordings as spectrograms of one loudness, and changes that leave the words."""

from __future__ import annotations

import numpy as np
from rich.console import Console

import nn

from .runs import DemoError, say

__all__ = ["BANDS", "STEP", "WINDOW", "heard", "loudness_of_one", "padded", "recordings_or_none", "statistics",
           "varied"]

BANDS = 40
WINDOW, STEP = 0.032, 0.016  # seconds
FLOOR = 1e-7  # of the power: at the loudness below, what is 50 dB softer is silence


def recordings_or_none(data: str, console: Console,
                       instead: str) -> tuple[nn.data.Recordings, nn.data.Recordings] | None:
    """The spoken digits if they are wanted and can be had; where "auto" cannot have them, it is said what is done."""
    if data == "strokes":
        return None
    try:
        return nn.data.spoken_digits()
    except (nn.data.DataUnavailable, ModuleNotFoundError) as error:
        if data == "spoken":
            raise DemoError(str(error)) from error
        reason = str(error).splitlines()[0].removeprefix("Spoken digits: ").rstrip(":.")
        say(console, f"The spoken digits are not at hand ({reason}): {instead}")
        return None
    except nn.data.DataCorrupt as error:
        raise DemoError(str(error)) from error


def loudness_of_one(waveform: np.ndarray, rate: int, decibels: float = 40.0) -> np.ndarray:
    """The sound of a recording without the silence around it, scaled to the root mean square 0.1."""
    sound = nn.data.trim_silence(waveform, rate, decibels)
    return sound * (0.1 / np.sqrt(np.mean(np.square(sound))))


def heard(sound: np.ndarray, rate: int) -> np.ndarray:
    """The log-mel spectrogram (frames, BANDS), with the mean 0. Sound shorter than a window is padded with silence."""
    short = max(0, round(WINDOW * rate) - len(sound))
    spectrogram = nn.data.log_mel(np.pad(sound, (0, short)), rate, bands=BANDS, window=WINDOW, step=STEP, floor=FLOOR)
    return spectrogram - spectrogram.mean()


def padded(spectrograms: list[np.ndarray], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectrograms as one array (n, frames, bands), and how many frames of each count (n,); longer ones are cut off."""
    lengths = np.array([min(len(s), frames) for s in spectrograms])
    together = np.zeros((len(spectrograms), frames, spectrograms[0].shape[1]), np.float32)
    for row, spectrogram, length in zip(together, spectrograms, lengths, strict=True):
        row[:length] = spectrogram[:length]
    return together, lengths


def statistics(frames: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale of each band over the frames that count."""
    present = frames[np.arange(frames.shape[1]) < lengths[:, None]]
    return present.mean(axis=0), np.maximum(present.std(axis=0), 0.1 * present.std())  # a band may hold nothing


def varied(x: tuple[np.ndarray, np.ndarray], rng: np.random.Generator, mean: np.ndarray,
           times: int = 2, colour: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The same words as if said faster or slower, by a smaller or larger mouth, into another microphone, with gaps.

    Time is stretched and the axis of bands is scaled, each by a factor of its own between e^-0.15 and e^0.15. The
    microphone makes band b of B louder by Σ_k a_k cos(π k (b + ½) / B), k = 1 … 4, where a_k has the standard deviation
    ``colour`` / k. ``times`` gaps of up to 6 frames, or a fifth of the word, and two of up to 5 bands are filled with
    the bands' ``mean`` (D. S. Park et al., "SpecAugment", 2019).
    """
    frames, lengths = x
    n, steps, bands = frames.shape
    slower, larger = np.exp(rng.uniform(-0.15, 0.15, (2, n, 1)))
    time = np.minimum(np.arange(steps) / slower, lengths[:, None] - 1)
    band = np.minimum(np.arange(bands) * larger, bands - 1)
    out = _between(_between(frames, time[:, :, None], 1), band[:, None, :], 2)
    k = np.arange(1, 5)
    waves = np.cos(np.pi * k[:, None] * (np.arange(bands) + 0.5) / bands)
    out += ((colour / k * rng.normal(size=(n, 4))) @ waves).astype(out.dtype)[:, None]
    lengths = np.clip(np.rint(lengths * slower[:, 0]).astype(int), 1, steps)
    for axis, size, count, most in ((1, lengths, times, 6), (2, bands, 2, 5)):
        index = np.arange(out.shape[axis])
        for _ in range(count):
            width = np.floor(rng.random(n) * (np.minimum(most, size // 5) + 1))
            start = np.floor(rng.random(n) * np.maximum(size - width, 1))
            gap = (index >= start[:, None]) & (index < (start + width)[:, None])
            out = np.where(np.expand_dims(gap, 3 - axis), mean, out)
    return out, lengths


def _between(x: np.ndarray, place: np.ndarray, axis: int) -> np.ndarray:
    """The values at places between the indices of an axis, on straight lines."""
    before = place.astype(int)
    part = (place - before).astype(x.dtype)
    after = np.minimum(before + 1, x.shape[axis] - 1)
    low, high = (np.take_along_axis(x, index, axis) for index in (before, after))
    return low + part * (high - low)
