"""The Free Spoken Digit Dataset: 3,000 recordings of the ten digits, verified each time they are read."""

import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .audio import read_wav
from .sources import DataCorrupt, Source

__all__ = ["SPEAKERS", "Recordings", "spoken_digits"]

RATE = 8000  # samples per second
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES, TEST_TAKES = 50, 5  # of each digit by each speaker; the first of them are the test set
_BYTES = 21_128_848  # of all recordings
# Of the recordings: archives made by different hands hold the same files in other bytes.
_SHA256 = "997e451901d158bdf09dde66b240f3f19310fdbf4d9c056ebd806254df4a672c"
_MIRRORS = (
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
    "https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/zip/refs/tags/v1.0.10",
)


@dataclass(frozen=True, eq=False)
class Recordings:
    """Spoken digits: what was said, by whom, and the sound of it.

    Attributes:
        waveforms: n arrays (samples,) float32 in [-1, 1], of different lengths.
        labels: (n,) int64, the digit, from 0 to 9.
        speakers: (n,) str, a name.
        takes: (n,) int64, which of a speaker's recordings of the digit it is.
        rate: samples per second.

    A mask, a slice or an array of indices picks some of them:

    >>> sounds = [np.zeros(800, np.float32), np.ones(900, np.float32)]
    >>> both = Recordings(sounds, np.array([7, 1]), np.array(["theo", "lucas"]), np.array([0, 0]))
    >>> len(both), both[both.speakers == "theo"].labels.tolist()
    (2, [7])
    """

    waveforms: list[np.ndarray]
    labels: np.ndarray
    speakers: np.ndarray
    takes: np.ndarray
    rate: int = RATE

    def __len__(self) -> int:
        return len(self.waveforms)

    def __getitem__(self, rows: Any) -> "Recordings":
        index = np.atleast_1d(np.arange(len(self))[rows])
        return Recordings([self.waveforms[i] for i in index], self.labels[index], self.speakers[index],
                          self.takes[index], self.rate)


def spoken_digits(leave_out: str | None = None) -> tuple[Recordings, Recordings]:
    """The Free Spoken Digit Dataset: 2,700 recordings to train on and 300 to test with.

    `train, test = nn.data.spoken_digits()` is the data set's own split: six speakers say each digit 50 times; the takes
    0 to 4 are the test set. The harder split asks how a stranger is understood: with ``leave_out="theo"`` his 500
    recordings are the test set, and the 2,500 of the others the training set. The order is by digit, speaker, take.

    The recordings, of 0.14 to 2.3 s at 8,000 samples a second, are read from one zip file of 16 MB. It is looked for at
    `$NUDGE_DATA/fsdd/fsdd.zip` when the environment variable NUDGE_DATA is set, and then nowhere else. Otherwise it is
    read from the user's cache directory, and if it is missing or damaged there, it is downloaded into it first. The
    SHA-256 of the recordings in it is compared with the original's at every call. Needs the extra `train`.

    Raises:
        ValueError: ``leave_out`` is none of the speakers.
        DataUnavailable: the file is missing in NUDGE_DATA, or no mirror gives it.
        DataCorrupt: the file in NUDGE_DATA does not hold the original recordings.
        ModuleNotFoundError: SciPy is not installed; or NUDGE_DATA is not set, and pooch is not installed.

    Source: Z. Jackson and others, "Free Spoken Digit Dataset", v1.0.10, under CC BY-SA 4.0.
    """
    if leave_out is not None and leave_out not in SPEAKERS:
        raise ValueError(f"spoken_digits: leave_out must be one of {', '.join(SPEAKERS)}; got {leave_out!r}")
    source = Source("Spoken digits", "nn.data.spoken_digits", "fsdd", ("fsdd.zip",), list(_MIRRORS))
    recordings = source.read("fsdd.zip", _decode, stacklevel=2)
    test = recordings.takes < TEST_TAKES if leave_out is None else recordings.speakers == leave_out
    return recordings[~test], recordings[test]


def _decode(packed: bytes) -> Recordings:
    """The recordings in a zip file that is proved to hold the originals; DataCorrupt says why it does not."""
    files = _unpack(packed)
    names = [f"{digit}_{speaker}_{take}.wav" for digit in range(10) for speaker in SPEAKERS for take in range(TAKES)]
    if missing := sorted(set(names) - set(files)):
        raise DataCorrupt(f"{len(missing)} of the {len(names)} recordings are missing, such as {missing[0]}")
    sha256 = _digest(files)
    if sha256 != _SHA256:
        raise DataCorrupt(f"its recordings have the SHA-256 {sha256}; wanted {_SHA256}")
    waveforms = [read_wav(files[name], RATE)[1] for name in names]
    labels, speakers, takes = (np.array(part) for part in zip(*(name[:-4].split("_") for name in names), strict=True))
    return Recordings(waveforms, labels.astype(np.int64), speakers, takes.astype(np.int64))


def _unpack(packed: bytes) -> dict[str, bytes]:
    """The recordings in a zip file by name, in whichever folder they are; but not more than the originals' bytes."""
    if not packed.startswith(b"PK"):
        kind = f"no zip file (it begins {packed[:16]!r})" if packed else "nothing"
        raise DataCorrupt(f"it holds {kind}; wanted a zip file of recordings")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            found = [entry for entry in archive.infolist()
                     if re.fullmatch(r"(.*/)?recordings/\d_[a-z]+_\d+\.wav", entry.filename)]
            size = sum(entry.file_size for entry in found)
            if size > _BYTES:
                raise DataCorrupt(f"its {len(found)} recordings have {size} bytes; wanted {_BYTES}")
            return {entry.filename.rpartition("/")[2]: archive.read(entry) for entry in found}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataCorrupt(f"the zip file is cut off or damaged ({error}); wanted an intact one") from None


def _digest(files: dict[str, bytes]) -> str:
    """The SHA-256 of names, lengths and contents, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()
