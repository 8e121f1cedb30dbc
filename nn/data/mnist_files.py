"""MNIST from a folder, from the user's cache or from its public mirrors, verified each time it is read."""

import contextlib
import gzip
import hashlib
import io
import math
import os
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import written


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


class DataUnavailable(OSError):
    """A data set is not here, and no mirror gave it; the text says what was tried and what to do."""


class DataCorrupt(ValueError):
    """A file is not the one it is named after; the text says what came, what was wanted, and what to do."""


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
_TIMEOUT = 10.0  # seconds to connect, and between any two bytes


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
    given = os.environ.get("NUDGE_DATA")
    folder = Path(given).expanduser() / "mnist" if given else _cache_folder()
    mirrors: list[str] = list(_MIRRORS)

    def read(file: _File) -> np.ndarray:
        path = folder / f"{file.name}.gz"
        return _read_given(path, file) if given else _read_cached(path, file, mirrors)

    train, test = (
        Digits(read(images).reshape(images.shape[0], -1) / np.float32(255), read(labels).astype(np.int64))
        for images, labels in _FILES
    )
    return train, test


# ---- Where a file comes from -----------------------------------------------------------------------------


def _cache_folder() -> Path:
    return Path(_pooch().os_cache("nudgegrad")) / "mnist"


def _read_given(path: Path, file: _File) -> np.ndarray:
    """The array in a file that the user provides: nothing is downloaded, and nothing is changed."""
    try:
        return _decode(path.read_bytes(), file)
    except OSError as error:
        raise DataUnavailable(
            f"MNIST: cannot read {path.name} in the folder {path.parent} ({_reason(error)}).\n"
            f"NUDGE_DATA is set to {os.environ['NUDGE_DATA']}, so it is looked for there alone. "
            f"{_wanted_files()}\n"
            "Put them there, or unset NUDGE_DATA to have them downloaded, or use nn.data.strokes(n, rng)."
        ) from error
    except DataCorrupt as error:
        raise DataCorrupt(
            f"{path} is not the original {file.name}.gz: {error}.\n"
            f"Replace it with the one from {' or '.join(_MIRRORS)}, "
            "or unset NUDGE_DATA to have it downloaded."
        ) from None


def _read_cached(path: Path, file: _File, mirrors: list[str]) -> np.ndarray:
    """The array in a file of the cache, downloaded if the cache lacks it or has it damaged."""
    damage = ""
    try:
        return _decode(path.read_bytes(), file)
    except DataCorrupt as error:
        damage = f"\nThe copy in the cache, {path}, is damaged: {error}."
        with contextlib.suppress(OSError):
            path.unlink()
    except OSError:
        pass  # not there, or not to be read; should the cache be at fault, saving into it will tell
    packed, array = _download(file, mirrors, damage)
    try:
        with written(path) as temporary:
            temporary.write_bytes(packed)
    except OSError as error:
        # The data is here and verified: a cache that cannot be written is no reason to withhold it.
        warnings.warn(
            f"MNIST cannot be kept in {path.parent} ({_reason(error)}), so it is downloaded at each call. "
            "Set NUDGE_DATA to a folder that holds mnist/*.gz to read it from there.",
            stacklevel=5,  # the user's line: out of here, `read`, the expression of the pairs, and `mnist`
        )
    return array


def _download(file: _File, mirrors: list[str], damage: str) -> tuple[bytes, np.ndarray]:
    """The file's bytes as they came, and its array, from the first mirror that gives the right ones."""
    failures = []
    for mirror in tuple(mirrors):
        url = f"{mirror}{file.name}.gz"
        try:
            packed = _fetch(url)
            array = _decode(packed, file)
        except (OSError, DataCorrupt) as error:
            failures.append(f"  {url}: {_reason(error)}")
        else:
            mirrors.sort(key=lambda other: other != mirror)  # ask this one first for the other files
            return packed, array
    tried = "\n".join(failures)
    raise DataUnavailable(
        f"MNIST: no mirror gives {file.name}.gz:\n{tried}{damage}\n"
        f"Set NUDGE_DATA to a folder that has the files. {_wanted_files()}\n"
        "Or use nn.data.strokes(n, rng), which draws digits and needs no file."
    )


def _fetch(url: str) -> bytes:
    # Its downloader alone: `pooch.retrieve` logs to the terminal, and can verify only the compressed bytes.
    # Into memory, so that nothing unverified touches the disk.
    received = io.BytesIO()
    download = _pooch().HTTPDownloader(timeout=_TIMEOUT, chunk_size=1 << 20)
    download(url, received, None)
    return received.getvalue()


def _pooch():
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "nn.data.mnist finds and fills the user's cache with pooch, which is not installed: "
            "pip install 'nudgegrad[train]'. Without it, set NUDGE_DATA to a folder that has the files. "
            + _wanted_files(),
            name=error.name,
        ) from error
    return pooch


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


# ---- What an error says ----------------------------------------------------------------------------------


def _reason(error: BaseException) -> str:
    """The root of an error in one short line: requests wraps urllib3's errors, and those the system's."""
    while True:
        within = (error.__cause__, getattr(error, "reason", None), *error.args[:1])
        inner = next((cause for cause in within if isinstance(cause, BaseException)), None)
        if inner is None:
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0].split(" for url: ")[0][:200]


def _wanted_files() -> str:
    names = [f"mnist/{file.name}.gz" for pair in _FILES for file in pair]
    return f"It must hold {', '.join(names[:-1])} and {names[-1]}."
