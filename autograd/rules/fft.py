"""Rules of np.fft: every transform is linear, and made of transforms along one axis, whose transposes are such again.

The matrix of a complex transform is symmetric, so it is its own transpose. A real transform keeps half of the
frequencies, which stand for the other half as well: in its transpose they count twice.
"""

from functools import partial
from typing import Any

import numpy as np

from ..registry import linear_rule

_OPPOSITE: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _fitted(g, n, axis):
    """``g`` cut off, or filled up with zeros, to the length ``n``: the transpose of what a transform does first."""
    length, ndim = np.shape(g)[axis], np.ndim(g)
    if length > n:
        return g[(slice(None),) * (axis % ndim) + (slice(n),)]
    return g if length == n else np.pad(g, [(0, n - length if i == axis % ndim else 0) for i in range(ndim)])


def _counts(g, n, axis):
    """How often each frequency of a real transform of length ``n`` counts: twice, unless it is its own mirror image."""
    counts = np.full(n // 2 + 1, 2, dtype=np.finfo(np.result_type(g)).dtype)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return np.reshape(counts, [-1 if i == axis % np.ndim(g) else 1 for i in range(np.ndim(g))])


# The transposes along one axis, of a transform of length ``n`` whose argument has the length ``m``

def _fft(g, m, n, axis, norm):
    return _fitted(np.fft.fft(g, axis=axis, norm=norm), m, axis)


def _ifft(g, m, n, axis, norm):
    return _fitted(np.fft.ifft(g, axis=axis, norm=norm), m, axis)


def _rfft(g, m, n, axis, norm):
    return _fitted(np.fft.irfft(np.conj(g) / _counts(g, n, axis), n, axis, _OPPOSITE[norm]), m, axis)


def _irfft(g, m, n, axis, norm):
    return _fitted(np.conj(np.fft.rfft(g, axis=axis, norm=_OPPOSITE[norm])) * _counts(g, n, axis), m, axis)


def _hfft(g, m, n, axis, norm):
    return np.conj(_irfft(g, m, n, axis, _OPPOSITE[norm]))


def _ihfft(g, m, n, axis, norm):
    return _rfft(np.conj(g), m, n, axis, _OPPOSITE[norm])


def _length(m, transpose):
    """How long a transform is by default."""
    return 2 * (m - 1) if transpose in (_irfft, _hfft) else m


def _along_axis(transpose, g, y, a, n=None, axis=-1, norm=None):
    m = np.shape(a)[axis]
    return transpose(g, m, _length(m, transpose) if n is None else n, axis, norm)


def _along_axes(others, last, g, y, a, s=None, axes=None, norm=None):
    """The transpose of a transform along several axes, ``last`` along the last one: step by step, in reverse order."""
    shape = list(np.shape(a))
    ndim = len(shape)
    axes = range(ndim - len(shape if s is None else s), ndim) if axes is None else [int(axis) % ndim for axis in axes]
    transposes = [*[others] * (len(axes) - 1), last]
    sizes = [_length(shape[axis], f) for axis, f in zip(axes, transposes, strict=False)] if s is None else [
        shape[axis] if n in (-1, None) else int(n) for axis, n in zip(axes, s, strict=True)]
    steps = list(zip(axes, transposes, sizes, strict=False))
    if last is not _irfft:  # NumPy begins at the last axis, but ends there where that makes the result real
        steps.reverse()
    before = []
    for axis, transpose, n in steps:
        before.append(shape[axis])
        shape[axis] = n // 2 + 1 if transpose is _rfft else n
    for (axis, transpose, n), m in zip(reversed(steps), reversed(before), strict=True):
        g = transpose(g, m, n, axis, norm)
    return g


for _function, _transpose in [(np.fft.fft, _fft), (np.fft.ifft, _ifft), (np.fft.rfft, _rfft),
                              (np.fft.irfft, _irfft), (np.fft.hfft, _hfft), (np.fft.ihfft, _ihfft)]:
    linear_rule(_function, partial(_along_axis, _transpose))
for _transposes, _in_two, _in_all in [((_fft, _fft), np.fft.fft2, np.fft.fftn),
                                      ((_ifft, _ifft), np.fft.ifft2, np.fft.ifftn),
                                      ((_fft, _rfft), np.fft.rfft2, np.fft.rfftn),
                                      ((_ifft, _irfft), np.fft.irfft2, np.fft.irfftn)]:
    linear_rule(_in_two, partial(_along_axes, *_transposes, axes=(-2, -1)))
    linear_rule(_in_all, partial(_along_axes, *_transposes))

linear_rule(np.fft.fftshift, lambda g, y, x, axes=None: np.fft.ifftshift(g, axes))
linear_rule(np.fft.ifftshift, lambda g, y, x, axes=None: np.fft.fftshift(g, axes))
