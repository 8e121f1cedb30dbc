"""Sound: waveforms from WAV files, and their log-mel spectrograms."""

import io
import math
import os
import re
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["log_mel", "read_wav", "trim_silence"]


def read_wav(file: str | os.PathLike | bytes, rate: int | None = None) -> tuple[int, np.ndarray]:
    """Read a WAV file of one channel: its sampling rate in Hz, and the waveform, float32 in [-1, 1].

    PCM of 8, 16, 24 or 32 bits is divided by its largest magnitude; floats stay what they are. It is read by
    `scipy.io.wavfile` (extra: train). Several channels are an error rather than a mean that nobody asked for.

    Args:
        file: a path, or the bytes of a file.
        rate: the samples per second that are wanted; a file with others is an error.

    Returns:
        rate: samples per second.
        waveform: (n,) float32, n ≥ 1.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is empty, cut off, no WAV file, compressed, stereo, of another rate than wanted, holds no
            samples, or samples that are not finite.
        ModuleNotFoundError: SciPy is not installed.

    >>> from scipy.io import wavfile
    >>> file = io.BytesIO()
    >>> wavfile.write(file, 8000, np.array([0, 16384, -32768], np.int16))
    >>> read_wav(file.getvalue())
    (8000, array([ 0. ,  0.5, -1. ], dtype=float32))
    """
    name = "read_wav: the bytes" if isinstance(file, bytes) else f"read_wav: {os.fspath(file)}"
    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    wavfile = _scipy("read_wav").io.wavfile
    if not content:
        raise ValueError(f"{name}: it is empty; wanted a WAV file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "Chunk")  # notes and titles, which are no sound
            found, samples = wavfile.read(io.BytesIO(content))
    except (wavfile.WavFileWarning, struct.error, EOFError, ValueError) as error:
        if content[:4] not in (b"RIFF", b"RIFX", b"RF64"):
            raise ValueError(f"{name}: it is no WAV file, for it begins {content[:12]!r}. Convert it, as by: "
                             "ffmpeg -i FILE NEW.wav") from None
        if not isinstance(error, ValueError) or re.search("end of file|buffer size", str(error)):
            raise ValueError(f"{name}: it is cut off after {len(content)} bytes; wanted all of it") from None
        raise ValueError(f"{name}: {error} Convert it, as by: ffmpeg -i FILE -c:a pcm_s16le NEW.wav") from None
    if samples.ndim != 1:
        raise ValueError(f"{name}: it has {samples.shape[1]} channels; wanted 1. Convert it, as by: "
                         "ffmpeg -i FILE -ac 1 NEW.wav")
    if rate not in (None, found):
        common = math.gcd(rate, found)
        raise ValueError(f"{name}: it has {found} samples per second; wanted {rate}. Convert it, as by: ffmpeg -i FILE "
                         f"-ar {rate} NEW.wav, or scipy.signal.resample_poly(waveform, {rate // common}, "
                         f"{found // common})")
    if not samples.size:
        raise ValueError(f"{name}: it holds no samples; wanted one at least")
    if samples.dtype == np.uint8:
        samples = (samples ^ 0x80).view(np.int8)  # bytes have their zero at 128
    full = 2.0 ** (8 * samples.itemsize - 1) if samples.dtype.kind == "i" else 1.0
    waveform = (samples / full).astype(np.float32)
    if not np.isfinite(waveform).all():
        raise ValueError(f"{name}: sample {int(np.argmin(np.isfinite(waveform)))} is not finite")
    return int(found), waveform


def log_mel(waveform: ArrayLike, rate: int, *, bands: int = 40, window: float = 0.032, step: float = 0.016,
            floor: float = 1e-8) -> np.ndarray:
    """The log-mel spectrogram: how loud each band of frequencies is, from moment to moment, as the ear spaces them.

        out[t, b] = ln( Σ_f M[b, f] |X[t, f]|² + floor )

    X[t] is the discrete Fourier transform of the t-th window of the waveform, weighted by Hann's, whose weights are
    scaled to the sum 1 (`scipy.signal.stft`). M are triangles: band b rises from 0 at the centre of band b - 1 to 1 at
    its own and falls to 0 at that of band b + 1; the centres are evenly spaced on the mel scale,

        mel(f) = 2595 log10(1 + f / 700),   f in Hz,

    between 60 Hz and rate / 2. Each window lies inside the waveform: nothing is padded.

    Args:
        waveform: (n,) floats in [-1, 1].
        rate: samples per second.
        bands: columns of the result.
        window: length of a window in seconds.
        step: from one window to the next, in seconds.
        floor: power below which all is alike, so that silence has a logarithm.

    Returns:
        (1 + ⌊(n - w) / s⌋, bands) float32, with w and s the samples of a window and of a step.

    Raises:
        TypeError: integers, where floats are wanted.
        ValueError: a waveform that is not (n,), shorter than a window, or not finite; a number that is not positive; or
            more bands than the frequencies of a window can tell apart.
        ModuleNotFoundError: SciPy is not installed.

    Source: S. B. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
    continuously spoken sentences", 1980; the formula for mel is D. O'Shaughnessy's, 1987.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)
    >>> spectrogram = log_mel(tone, 8000)
    >>> spectrogram.shape, int(spectrogram[0].argmax())
    ((30, 40), 8)
    """
    waveform = _waveform(waveform, "log_mel")
    for name, number in (("rate", rate), ("bands", bands), ("window", window), ("step", step), ("floor", floor)):
        if not 0 < number < np.inf:
            raise ValueError(f"log_mel: {name} must be positive; got {number}")
    width, hop = round(window * rate), round(step * rate)
    if not 1 <= hop <= width:
        raise ValueError(f"log_mel: step must be between a sample, {1 / rate:g} s, and a window, {window:g} s; got "
                         f"{step:g}")
    if len(waveform) < width:
        raise ValueError(f"log_mel: the waveform has {len(waveform)} samples, {len(waveform) / rate:.3f} s; a window "
                         f"needs {width}, {window:g} s")
    points = 2 << (width - 1).bit_length()  # twice the window, so that narrow bands have a frequency of their own
    frequencies, _, spectrum = _scipy("log_mel").signal.stft(
        waveform, rate, "hann", width, width - hop, points, boundary=None, padded=False, scaling="spectrum")
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(_mel_filters(bands, frequencies) @ power + floor).T.astype(np.float32)


def trim_silence(waveform: ArrayLike, rate: int, decibels: float = 40.0) -> np.ndarray:
    """The part of a recording from its first loud moment to its last, with 32 ms of margin on both sides.

    Loud is a window of 32 ms whose power is within ``decibels`` of the loudest one's. What lies between stays.

    Args:
        waveform: (n,) floats.
        rate: samples per second.
        decibels: 10 log10 of a ratio of powers.

    Returns:
        A view of the waveform; all of it where it is shorter than a window.

    Raises:
        TypeError, ValueError: as in `log_mel`; or a waveform that is silent, as no part of it is louder than another.

    >>> click = np.concatenate([np.zeros(4000), np.ones(800), np.zeros(4000)])
    >>> len(trim_silence(click, rate=8000))
    1536
    """
    waveform = _waveform(waveform, "trim_silence")
    width = round(0.032 * rate)
    if not waveform.any():
        raise ValueError(f"trim_silence: the waveform is silent: all of its {len(waveform)} samples are 0")
    windows = len(waveform) // width
    if windows == 0:
        return waveform
    power = np.square(waveform[: windows * width]).reshape(windows, width).mean(axis=1)
    loud = np.flatnonzero(power >= power.max() * 10 ** (-decibels / 10))
    return waveform[max(0, loud[0] - 1) * width : (loud[-1] + 2) * width]


def _waveform(waveform: ArrayLike, who: str) -> np.ndarray:
    array = np.asarray(waveform)
    if array.dtype.kind != "f":
        raise TypeError(f"{who}: the waveform must be floats in [-1, 1]; got {array.dtype}. "
                        "For samples of 16 bits, write waveform / 32768")
    if array.ndim != 1:
        raise ValueError(f"{who}: the waveform must have the shape (n,); got {array.shape}. "
                         "For channels in columns, write waveform.mean(axis=1)")
    if not np.isfinite(array).all():
        raise ValueError(f"{who}: sample {int(np.argmin(np.isfinite(array)))} of the waveform is not finite")
    return array


def _mel_filters(bands: int, frequencies: np.ndarray) -> np.ndarray:
    """The triangles (bands, frequencies) of `log_mel`."""
    top = 2595 * np.log10(1 + frequencies[-1] / 700)
    bottom = 2595 * np.log10(1 + 60 / 700)
    edges = 700 * (10 ** (np.linspace(bottom, top, bands + 2) / 2595) - 1)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    filters = np.maximum(0, np.minimum(rising, falling))
    if not filters.any(axis=1).all():
        raise ValueError(f"log_mel: bands is {bands}, more than the {len(frequencies)} frequencies of a window can "
                         "tell apart: ask for fewer, or for a longer window")
    return filters


def _scipy(who: str) -> Any:
    try:
        import scipy.io.wavfile
        import scipy.signal
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"nn.data.{who} uses SciPy, which is not installed: pip install 'nudgegrad[train]'",
                                  name=error.name) from error
    return scipy
