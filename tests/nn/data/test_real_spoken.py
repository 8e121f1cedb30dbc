"""The Free Spoken Digit Dataset itself, where `$NUDGE_DATA/fsdd/` has it."""

import os
from pathlib import Path

import numpy as np
import pytest

from nn.data import SPEAKERS, log_mel, spoken_digits

pytest.importorskip("scipy", reason="SciPy (extra: train) is not installed")
PATH = Path(os.environ.get("NUDGE_DATA", "")).expanduser() / "fsdd" / "fsdd.zip"
pytestmark = pytest.mark.skipif(not (os.environ.get("NUDGE_DATA") and PATH.is_file()),
                                reason="$NUDGE_DATA/fsdd/fsdd.zip is not there")


def test_the_original_recordings():
    train, test = spoken_digits()
    assert (len(train), len(test)) == (2700, 300)
    for part, takes in ((train, 45), (test, 5)):
        assert np.bincount(part.labels).tolist() == [6 * takes] * 10
        assert sorted(set(part.speakers.tolist())) == list(SPEAKERS)
        assert all(1000 < len(waveform) < 20_000 and 0 < np.abs(waveform).max() <= 1 for waveform in part.waveforms)
    assert log_mel(test.waveforms[0], test.rate).shape == (17, 40)
    train, test = spoken_digits(leave_out="theo")
    assert (len(train), len(test)) == (2500, 500) and set(test.speakers) == {"theo"}
