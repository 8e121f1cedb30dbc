"""WAV files and spectrograms: what is read, what is computed, and what is refused."""

import io
import struct
import sys

import numpy as np
import pytest

from nn.data import log_mel, read_wav, trim_silence

wavfile = pytest.importorskip("scipy.io.wavfile", reason="SciPy (extra: train) is not installed")

TONE = np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)


def wav(samples, rate=8000):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


SIXTEEN = (TONE * 32767).astype(np.int16)
GOOD = wav(SIXTEEN)


# ---- WAV files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "scale", "zero"), [(np.uint8, 127, 128), (np.int16, 32767, 0),
                                                       (np.int32, 2147483647, 0), (np.float32, 1, 0),
                                                       (np.float64, 1, 0)])
def test_samples_of_each_kind_become_floats_in_one_range(dtype, scale, zero):
    rate, waveform = read_wav(wav((TONE * scale + zero).astype(dtype), 11025))
    assert rate == 11025 and waveform.dtype == np.float32 and waveform.shape == TONE.shape
    np.testing.assert_allclose(waveform, TONE, atol=1e-7 if scale == 1 else 2 / scale)


def test_24_bits():
    samples = np.array([0, 1 << 22, -(1 << 23)])
    content = bytearray(wav(np.zeros(3, np.int16)))
    data = b"".join(int(s).to_bytes(3, "little", signed=True) for s in samples)
    content[28:36] = struct.pack("<IHH", 24000, 3, 24)
    content[40:] = struct.pack("<I", 9) + data
    content[4:8] = struct.pack("<I", len(content) - 8)
    assert read_wav(bytes(content))[1].tolist() == [0.0, 0.5, -1.0]


def test_a_path_and_notes_in_the_file(tmp_path):
    path = tmp_path / "sound.wav"
    path.write_bytes(GOOD + b"LIST" + struct.pack("<I", 4) + b"abcd" + b"note" + struct.pack("<I", 2) + b"xy")
    rate, waveform = read_wav(path)
    assert rate == 8000 and waveform.tolist() == read_wav(GOOD)[1].tolist()


BROKEN = {
    "empty": (b"", "it is empty; wanted a WAV file"),
    "text": (b"hello, this is text", "it is no WAV file, for it begins b'hello, this '. Convert it, as by: ffmpeg"),
    "mp3": (b"ID3\x04" + bytes(100), "it is no WAV file"),
    "half": (GOOD[:3000], "it is cut off after 3000 bytes; wanted all of it"),
    "half a sample": (GOOD[:3001], "it is cut off after 3001 bytes"),
    "half a header": (GOOD[:30], "it is cut off after 30 bytes"),
    "four bytes": (GOOD[:4], "it is cut off after 4 bytes"),
    "no data": (GOOD[:36], "it is cut off after 36 bytes"),
    "compressed": (GOOD[:20] + struct.pack("<H", 7) + GOOD[22:], "Unknown wave file format: MULAW.*pcm_s16le"),
    "RIFF of another form": (b"RIFF" + GOOD[4:8] + b"AVI " + GOOD[12:], "Not a WAV file"),
    "rate 0": (GOOD[:24] + bytes(4) + GOOD[28:], "WAV header is invalid"),
    "stereo": (wav(np.stack([SIXTEEN, SIXTEEN], 1)), "it has 2 channels; wanted 1. Convert it, as by: ffmpeg .* -ac 1"),
    "no samples": (wav(SIXTEEN[:0]), "it holds no samples; wanted one at least"),
    "nan": (wav(np.array([0, np.nan], np.float32)), "sample 1 is not finite"),
}


@pytest.mark.parametrize(("content", "text"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_an_error_that_names_it(tmp_path, content, text):
    path = tmp_path / "sound.wav"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=text) as caught:
        read_wav(path)
    assert str(caught.value).startswith(f"read_wav: {path}: ")
    with pytest.raises(ValueError, match=text) as caught:
        read_wav(content)
    assert str(caught.value).startswith("read_wav: the bytes: ")


def test_another_rate_than_wanted():
    assert read_wav(GOOD, rate=8000)[0] == 8000
    with pytest.raises(ValueError) as caught:
        read_wav(wav(SIXTEEN, 44100), rate=8000)
    assert str(caught.value) == (
        "read_wav: the bytes: it has 44100 samples per second; wanted 8000. Convert it, as by: ffmpeg -i FILE -ar 8000 "
        "NEW.wav, or scipy.signal.resample_poly(waveform, 80, 441)")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_wav(tmp_path / "none.wav")
    with pytest.raises(OSError):
        read_wav(tmp_path)


def test_without_scipy_the_error_says_what_to_install(monkeypatch):
    for name in ("scipy.io.wavfile", "scipy.signal"):
        monkeypatch.setitem(sys.modules, name, None)
    for call in (lambda: read_wav(GOOD), lambda: log_mel(TONE, 8000)):
        with pytest.raises(ModuleNotFoundError, match=r"uses SciPy.*pip install 'nudgegrad\[train\]'"):
            call()


# ---- Spectrograms ----------------------------------------------------------------------------------------


def by_hand(waveform, rate, bands, width, hop, floor):
    """The formula of the docstring, sum by sum."""
    points = 2 << (width - 1).bit_length()
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)
    hann /= hann.sum()
    frequencies = np.arange(points // 2 + 1) * rate / points
    mel = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + rate / 2 / 700), bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    rows = []
    for start in range(0, len(waveform) - width + 1, hop):
        part = waveform[start : start + width] * hann
        n = np.arange(width)
        power = [abs(np.sum(part * np.exp(-2j * np.pi * k * n / points))) ** 2 for k in range(points // 2 + 1)]
        rows.append([np.log(floor + sum(p * np.interp(f, edges[b : b + 3], [0, 1, 0])
                                        for f, p in zip(frequencies, power, strict=True))) for b in range(bands)])
    return np.array(rows)


def test_log_mel_is_its_formula():
    waveform = TONE[:700] + np.random.default_rng(0).normal(0, 0.1, 700)
    ours = log_mel(waveform, 8000, bands=6, window=0.032, step=0.016, floor=1e-8)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, by_hand(waveform, 8000, 6, 256, 128, 1e-8), atol=1e-4)


@pytest.mark.parametrize("samples", [256, 257, 383, 384, 4000])
def test_how_many_frames(samples):
    assert log_mel(TONE[:samples], 8000).shape == (1 + (samples - 256) // 128, 40)


def test_the_band_of_a_tone_and_the_loudness():
    for hertz in (200, 1000, 3500):
        tone = np.sin(2 * np.pi * hertz * np.arange(4000) / 8000).astype(np.float32)
        centres = 700 * (10 ** (np.linspace(np.log10(1 + 60 / 700), np.log10(1 + 4000 / 700), 42)[1:-1]) - 1)
        found = log_mel(tone, 8000)[3]
        assert abs(int(found.argmax()) - int(np.abs(centres - hertz).argmin())) <= 1
        band = int(found.argmax())
        assert log_mel(tone / 10, 8000, floor=1e-30)[3, band] == pytest.approx(found[band] - np.log(100), abs=1e-3)
    assert (log_mel(np.zeros(1000), 8000, floor=1e-8) == np.float32(np.log(1e-8))).all()


REFUSED = [
    (lambda: log_mel(SIXTEEN, 8000), TypeError, "must be floats in .-1, 1.; got int16.*write waveform / 32768"),
    (lambda: log_mel([[0.5, 0.5]], 8000), ValueError, r"must have the shape \(n,\); got \(1, 2\).*mean\(axis=1\)"),
    (lambda: log_mel(TONE[:255], 8000), ValueError, "has 255 samples, 0.032 s; a window needs 256, 0.032 s"),
    (lambda: log_mel(np.array([0.0, np.inf]), 8000), ValueError, "sample 1 of the waveform is not finite"),
    (lambda: log_mel(TONE, 0), ValueError, "rate must be positive; got 0"),
    (lambda: log_mel(TONE, 8000, bands=0), ValueError, "bands must be positive; got 0"),
    (lambda: log_mel(TONE, 8000, window=-1), ValueError, "window must be positive; got -1"),
    (lambda: log_mel(TONE, 8000, step=0.05), ValueError, "step must be between a sample, 0.000125 s, and a window, "
                                                         "0.032 s; got 0.05"),
    (lambda: log_mel(TONE, 8000, floor=float("nan")), ValueError, "floor must be positive; got nan"),
    (lambda: log_mel(TONE, 8000, bands=500), ValueError, "bands is 500, more than the 257 frequencies"),
    (lambda: trim_silence(SIXTEEN, 8000), TypeError, "trim_silence: the waveform must be floats"),
    (lambda: trim_silence(np.zeros(500), 8000), ValueError, "the waveform is silent: all of its 500 samples are 0"),
    (lambda: trim_silence(np.zeros(0), 8000), ValueError, "the waveform is silent: all of its 0 samples are 0"),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED)
def test_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_silence_is_cut_from_both_ends_and_nothing_within():
    sound = np.concatenate([np.zeros(3000), TONE[:1000], np.zeros(2000), TONE[:1000], np.zeros(3000)]) + 1e-4
    trimmed = trim_silence(sound, 8000)
    assert 4000 <= len(trimmed) <= 4000 + 4 * 256
    start = (len(sound) - len(trimmed)) // 2
    assert np.abs(trimmed).sum() > 0.999 * np.abs(sound).sum() - 1 and start > 0
    assert trim_silence(TONE, 8000).tolist() == TONE.tolist()
    assert trim_silence(TONE[:100], 8000).tolist() == TONE[:100].tolist()
