"""Where the files of a data set come from: $NUDGE_DATA, the user's cache, or a public mirror; verified each time."""

import contextlib
import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..files import written

T = TypeVar("T")
TIMEOUT = 10.0  # seconds to connect, and between any two bytes


class DataUnavailable(OSError):
    """A data set is not here, and no mirror gave it; the text says what was tried and what to do."""


class DataCorrupt(ValueError):
    """A file is not the one it is named after; the text says what came, what was wanted, and what to do."""


@dataclass
class Source:
    """A data set's files, in a folder of its name, and the mirrors that have them.

    Attributes:
        title: what errors call the data set.
        function: the function that reads it.
        folder: under $NUDGE_DATA and in the cache.
        files: the names of all files in the folder.
        mirrors: addresses; one that ends in a slash is a folder, to which a file's name is added.
        instead: what to use without any data, for the last line of an error.
    """

    title: str
    function: str
    folder: str
    files: tuple[str, ...]
    mirrors: list[str]
    instead: str = ""
    given: str | None = field(init=False)
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.mirrors = list(self.mirrors)
        self.given = os.environ.get("NUDGE_DATA")
        self.path = (Path(self.given).expanduser() if self.given else self._cache()) / self.folder

    def read(self, name: str, decode: Callable[[bytes], T], stacklevel: int = 1) -> T:
        """What ``decode`` makes of the bytes of a file; it raises `DataCorrupt` unless they are the original's.

        A folder that the user gives is only read. In the cache a file that is missing or damaged is replaced.
        A warning names the line ``stacklevel`` calls up, 1 being that which calls this.
        """
        if self.given:
            return self._read_given(name, decode)
        return self._read_cached(name, decode, stacklevel)

    def _cache(self) -> Path:
        return Path(self._pooch().os_cache("nudgegrad"))

    def _read_given(self, name: str, decode: Callable[[bytes], T]) -> T:
        path = self.path / name
        try:
            return decode(path.read_bytes())
        except OSError as error:
            instead = f", or {self.instead}" if self.instead else ""
            raise DataUnavailable(
                f"{self.title}: cannot read {path.name} in the folder {path.parent} ({reason(error)}).\n"
                f"NUDGE_DATA is set to {self.given}, so it is looked for there alone. {self._wanted()}\n"
                f"Put {'them' if len(self.files) > 1 else 'it'} there, or unset NUDGE_DATA to have "
                f"{'them' if len(self.files) > 1 else 'it'} downloaded{instead}."
            ) from error
        except DataCorrupt as error:
            raise DataCorrupt(
                f"{path} is not the original {name}: {error}.\n"
                f"Replace it with the one from {' or '.join(self.mirrors)}, "
                "or unset NUDGE_DATA to have it downloaded."
            ) from None

    def _read_cached(self, name: str, decode: Callable[[bytes], T], stacklevel: int) -> T:
        path, damage = self.path / name, ""
        try:
            return decode(path.read_bytes())
        except DataCorrupt as error:
            damage = f"\nThe copy in the cache, {path}, is damaged: {error}."
            with contextlib.suppress(OSError):
                path.unlink()
        except OSError:
            pass  # not there, or not to be read; should the cache be at fault, saving into it will tell
        packed, content = self._download(name, decode, damage)
        try:
            with written(path) as temporary:
                temporary.write_bytes(packed)
        except OSError as error:
            # The data is here and verified: a cache that cannot be written is no reason to withhold it.
            warnings.warn(
                f"{self.title} cannot be kept in {path.parent} ({reason(error)}), so it is downloaded at each call. "
                f"Set NUDGE_DATA to a folder that holds {self.folder}/*{path.suffix} to read it from there.",
                stacklevel=stacklevel + 2,
            )
        return content

    def _download(self, name: str, decode: Callable[[bytes], T], damage: str) -> tuple[bytes, T]:
        """The file's bytes as they came, and its content, from the first mirror that gives the right ones."""
        failures = []
        for mirror in tuple(self.mirrors):
            url = mirror + name if mirror.endswith("/") else mirror
            try:
                packed = self.fetch(url)
                content = decode(packed)
            except (OSError, DataCorrupt) as error:
                failures.append(f"  {url}: {reason(error)}")
            else:
                self.mirrors.sort(key=lambda other: other != mirror)  # ask this one first for the other files
                return packed, content
        tried = "\n".join(failures)
        instead = f"\nOr {self.instead}." if self.instead else ""
        raise DataUnavailable(
            f"{self.title}: no mirror gives {name}:\n{tried}{damage}\n"
            f"Set NUDGE_DATA to a folder that has the file{'s' * (len(self.files) > 1)}. {self._wanted()}{instead}"
        )

    def fetch(self, url: str) -> bytes:
        """The bytes at an address, into memory, so that nothing unverified touches the disk."""
        # Pooch's downloader alone: `pooch.retrieve` logs to the terminal, and can verify only bytes as they came.
        received = io.BytesIO()
        download = self._pooch().HTTPDownloader(timeout=TIMEOUT, chunk_size=1 << 20)
        download(url, received, None)
        return received.getvalue()

    def _pooch(self):
        try:
            import pooch
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{self.function} finds and fills the user's cache with pooch, which is not installed: "
                "pip install 'nudgegrad[train]'. Without it, set NUDGE_DATA to a folder that has the "
                f"file{'s' * (len(self.files) > 1)}. {self._wanted()}",
                name=error.name,
            ) from error
        return pooch

    def _wanted(self) -> str:
        names = [f"{self.folder}/{name}" for name in self.files]
        return f"It must hold {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}."


def reason(error: BaseException) -> str:
    """The root of an error in one short line: requests wraps urllib3's errors, and those the system's."""
    while True:
        within = (error.__cause__, getattr(error, "reason", None), *error.args[:1])
        inner = next((cause for cause in within if isinstance(cause, BaseException)), None)
        if inner is None:
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0].split(" for url: ")[0][:200]
