"""MNIST from a folder, from the user's cache or from its public mirrors, verified each time it is read."""

import gzip
import hashlib
import io
import math
import zlib
from typing import NamedTuple

import numpy as np

from .sources import DataCorrupt, Source


class Digits(NamedTuple):
    """Images of digits, and which digit each one shows.

    Attributes:
        images: (n, 784) float32, a row of pixels per image, from 0 (paper) to 1 (ink).
        labels: (n,) int64, from 0 to 9.

    It unpacks, and its fields go together into `minibatches(*digits, size=…)`:

    >>> images, labels = Digits(np.zeros((3, 784), dtype=np.float32), np.array([5, 0, 4]))
    >>> images[0].reshape(28, 28).shape
    (28, 28)
    """

    images: np.ndarray
    labels: np.ndarray


class _File(NamedTuple):
    """One of MNIST's files: its name without .gz, the shape of its array of bytes, and what it holds."""

    name: str
    shape: tuple[int, ...]
    sha256: str  # of the decompressed file: the compressed bytes differ from mirror to mirror

    @property
    def header(self) -> bytes:
        """Two zeros, 8 for unsigned bytes, the number of axes, then each length in four bytes."""
        return bytes((0, 0, 8, len(self.shape))) + b"".join(n.to_bytes(4, "big") for n in self.shape)

    @property
    def size(self) -> int:
        """Bytes of the decompressed file."""
        return len(self.header) + math.prod(self.shape)


_FILES = (  # the pair of the training set, then the pair of the test set
    (
        _File(
            "train-images-idx3-ubyte",
            (60000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        _File(
            "train-labels-idx1-ubyte",
            (60000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
    ),
    (
        _File(
            "t10k-images-idx3-ubyte",
            (10000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        _File(
            "t10k-labels-idx1-ubyte",
            (10000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
)
_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def mnist() -> tuple[Digits, Digits]:
    """The MNIST handwritten digits: 60,000 to train on and 10,000 to test with.

    `train, test = nn.data.mnist()`; then `train.images` is (60000, 784) float32 in [0, 1] (byte / 255) and
    `train.labels` is (60000,) int64. The order is the original one. The two sets take 220 MB.

    The four files `NAME.gz` (11 MB) are looked for in `$NUDGE_DATA/mnist/` when the environment variable
    NUDGE_DATA is set, and then nowhere else. Otherwise they are read from the user's cache directory, and
    those that are missing or damaged there are downloaded into it first. The cache needs the extra `train`.
    Each file's SHA-256 is compared with the original's at every call.

    Raises:
        DataUnavailable: a file is missing in NUDGE_DATA, or no mirror gives it.
        DataCorrupt: a file in NUDGE_DATA is not the original.
        ModuleNotFoundError: NUDGE_DATA is not set, and pooch is not installed.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
    """
    source = Source(
        "MNIST", "nn.data.mnist", "mnist", tuple(f"{file.name}.gz" for pair in _FILES for file in pair),
        list(_MIRRORS), "use nn.data.strokes(n, rng), which draws digits and needs no file",
    )

    def read(file: _File) -> np.ndarray:
        return source.read(f"{file.name}.gz", lambda packed: _decode(packed, file), stacklevel=4)

    train, test = (
        Digits(read(images).reshape(images.shape[0], -1) / np.float32(255), read(labels).astype(np.int64))
        for images, labels in _FILES
    )
    return train, test


# ---- What a file holds -----------------------------------------------------------------------------------


def _decode(packed: bytes, file: _File) -> np.ndarray:
    """The array of bytes in an IDX file that is proved to be the original; DataCorrupt says why it is not."""
    unpacked = _unpack(packed, file.size)
    if not unpacked.startswith(file.header):
        raise DataCorrupt(f"it holds {_kind(unpacked)}; wanted IDX bytes of shape {file.shape}")
    if len(unpacked) != file.size:
        more = "more" if len(unpacked) > file.size else f"{len(unpacked)}"
        raise DataCorrupt(f"{more} bytes came, decompressed; wanted {file.size}")
    sha256 = hashlib.sha256(unpacked).hexdigest()
    if sha256 != file.sha256:
        raise DataCorrupt(f"its contents have the SHA-256 {sha256}; wanted {file.sha256}")
    return np.frombuffer(unpacked, dtype=np.uint8, offset=len(file.header)).reshape(file.shape)


def _unpack(packed: bytes, size: int) -> bytes:
    """Decompress, but little more than `size` bytes: no file can fill the memory."""
    if not packed.startswith(b"\x1f\x8b"):
        return packed  # browsers and web servers sometimes undo the gzip; the SHA-256 decides
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            return stream.read(size + 64)  # enough to see that there is more, or another header
    except EOFError:
        raise DataCorrupt(f"its gzip stream is cut off after {len(packed)} bytes; wanted all of it") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DataCorrupt(f"its gzip stream is damaged ({error}); wanted an intact one") from None


def _kind(unpacked: bytes) -> str:
    """Say what a file is that does not begin as it should."""
    if not unpacked:
        return "nothing"
    axes = unpacked[3] if unpacked[:3] == b"\0\0\x08" and len(unpacked) > 3 else 0
    lengths = unpacked[4 : 4 + 4 * axes]
    if not 1 <= axes <= 4 or len(lengths) < 4 * axes:
        return f"neither gzip nor IDX data (it begins {unpacked[:16]!r})"
    return f"IDX bytes of shape {tuple(np.frombuffer(lengths, dtype='>u4').tolist())}"
