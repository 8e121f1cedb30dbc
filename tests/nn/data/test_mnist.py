"""`mnist`: where it is found, what happens when it is not, and that only the original is taken."""

import contextlib
import gzip
import hashlib
import http.server
import importlib
import os
import socket
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

from nn.data import DataCorrupt, DataUnavailable, Digits, mnist

module = importlib.import_module("nn.data.mnist_files")
sources = importlib.import_module("nn.data.sources")

NAMES = [
    TRAIN_X := "train-images-idx3-ubyte",
    TRAIN_Y := "train-labels-idx1-ubyte",
    TEST_X := "t10k-images-idx3-ubyte",
    TEST_Y := "t10k-labels-idx1-ubyte",
]
PIXELS = np.arange(10 * 28 * 28).reshape(10, 28, 28) % 256
ARRAYS = {TRAIN_X: PIXELS[:6], TRAIN_Y: np.arange(6), TEST_X: PIXELS[6:], TEST_Y: np.arange(6, 10)}


def idx(array: np.ndarray) -> bytes:
    lengths = np.array(array.shape, dtype=">u4").tobytes()
    return bytes((0, 0, 8, array.ndim)) + lengths + array.astype(np.uint8).tobytes()


PLAIN = {name: idx(array) for name, array in ARRAYS.items()}
PACKED = {name: gzip.compress(plain, mtime=0) for name, plain in PLAIN.items()}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Ten digits in place of MNIST's 70,000, mirrors of the test's own, no NUDGE_DATA, and an empty cache."""
    files = [module._File(n, ARRAYS[n].shape, hashlib.sha256(PLAIN[n]).hexdigest()) for n in NAMES]
    monkeypatch.setattr(module, "_FILES", (tuple(files[:2]), tuple(files[2:])))
    monkeypatch.setattr(module, "_MIRRORS", ("http://127.0.0.1:9/first/", "http://127.0.0.1:9/second/"))
    monkeypatch.setattr(sources.Source, "_cache", lambda self: tmp_path / "cache")
    monkeypatch.delenv("NUDGE_DATA", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    return tmp_path / "cache" / "mnist"


def put(folder: Path, changed: dict[str, bytes | None] | None = None) -> Path:
    """Write the four files into the folder, but those in `changed` with that content; None leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in (PACKED | (changed or {})).items():
        if packed is not None:
            (folder / f"{name}.gz").write_bytes(packed)
    return folder


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Where $NUDGE_DATA/mnist is: empty yet. Whoever asks the network fails."""
    monkeypatch.setenv("NUDGE_DATA", str(tmp_path / "given"))
    monkeypatch.setattr(sources.Source, "fetch", lambda self, url: pytest.fail(f"asked for {url}"))
    return tmp_path / "given" / "mnist"


@pytest.fixture
def asked(monkeypatch):
    """A fake network: `asked.urls` were wanted, `asked.answers[url]` comes (exceptions are raised)."""
    answers = {f"{mirror}{name}.gz": PACKED[name] for mirror in module._MIRRORS for name in NAMES}
    fake = types.SimpleNamespace(urls=[], answers=answers)

    def fetch(self, url: str) -> bytes:
        fake.urls.append(url)
        if isinstance(fake.answers[url], BaseException):
            raise fake.answers[url]
        return fake.answers[url]

    monkeypatch.setattr(sources.Source, "fetch", fetch)
    return fake


def url(name: str, mirror: int = 0) -> str:
    return f"{module._MIRRORS[mirror]}{name}.gz"


def check_digits(train: Digits, test: Digits) -> None:
    for digits, images, labels in ((train, TRAIN_X, TRAIN_Y), (test, TEST_X, TEST_Y)):
        assert digits.images.dtype == np.float32 and digits.labels.dtype == np.int64
        assert digits.images.flags.writeable and digits.labels.flags.writeable
        np.testing.assert_array_equal(digits.images, (ARRAYS[images] / 255).astype("f").reshape(-1, 784))
        np.testing.assert_array_equal(digits.labels, ARRAYS[labels])


def check_cache(cache: Path) -> None:
    """The four verified files, under their names, and nothing else."""
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == {f"{n}.gz": PACKED[n] for n in NAMES}


# ---- NUDGE_DATA ------------------------------------------------------------------------------------------


def test_reads_the_given_folder_without_pooch(given, monkeypatch):
    put(given)
    monkeypatch.setitem(sys.modules, "pooch", None)
    train, test = mnist()
    check_digits(train, test)
    assert train.images.min() == 0 and train.images.max() == 1
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(given.parent.parent))
    monkeypatch.setenv("NUDGE_DATA", os.path.join("~", "given"))
    check_digits(*mnist())


@pytest.mark.parametrize("packed", [gzip.compress(PLAIN[TRAIN_Y], 0, mtime=5), PLAIN[TRAIN_Y]])
def test_only_the_decompressed_bytes_matter(given, packed):
    put(given, {TRAIN_Y: packed})
    check_digits(*mnist())


@pytest.mark.parametrize("name", [TRAIN_X, TEST_Y])
def test_a_missing_file_is_named_with_what_to_do(given, cache, name):
    put(given, {name: None})
    put(cache)  # not looked into
    with pytest.raises(DataUnavailable) as caught:
        mnist()
    text = str(caught.value)
    assert f"cannot read {name}.gz in the folder {given} (No such file or directory)" in text
    assert f"NUDGE_DATA is set to {given.parent}, so it is looked for there alone" in text
    assert all(f"mnist/{name}.gz" in text for name in NAMES)
    assert "unset NUDGE_DATA" in text and "nn.data.strokes" in text and isinstance(caught.value, OSError)


def flipped(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


CORRUPT = [  # what stands in the place of which file, and what the error says of it
    (TRAIN_X, PACKED[TRAIN_X][:-20], r"its gzip stream is cut off after \d+ bytes; wanted all of it"),
    (TRAIN_Y, PACKED[TRAIN_Y][:5], "its gzip stream is cut off after 5 bytes"),
    (TEST_Y, flipped(PACKED[TEST_Y], -6), "its gzip stream is damaged .CRC check failed"),
    (TEST_X, PACKED[TEST_X] + b"more", "its gzip stream is damaged"),
    (TRAIN_X, b"", r"it holds nothing; wanted IDX bytes of shape \(6, 28, 28\)"),
    (TRAIN_Y, b"<!DOCTYPE html><title>Hello", "neither gzip nor IDX data .it begins b'<!DOCTYPE html><'"),
    (TEST_X, gzip.compress(b"\0\0\x08", mtime=0), "neither gzip nor IDX data"),
    (TEST_X, gzip.compress(b"\0\0\x08\x03\0\0", mtime=0), "neither gzip nor IDX data"),
    (TEST_X, gzip.compress(b"\0\0\x0d" + PLAIN[TEST_X][3:], mtime=0), "neither gzip nor IDX data"),
    (TRAIN_X, PACKED[TRAIN_Y], r"IDX bytes of shape \(6,\); wanted IDX bytes of shape \(6, 28, 28\)"),
    (TRAIN_Y, PACKED[TRAIN_X], r"IDX bytes of shape \(6, 28, 28\); wanted IDX bytes of shape \(6,\)"),
    (TEST_Y, PACKED[TRAIN_Y], r"IDX bytes of shape \(6,\); wanted IDX bytes of shape \(4,\)"),
    (TEST_Y, gzip.compress(PLAIN[TEST_Y][:-1], mtime=0), "11 bytes came, decompressed; wanted 12"),
    (TEST_Y, gzip.compress(PLAIN[TEST_Y] + bytes(10_000_000), mtime=0), "more bytes came, decompressed; wanted 12"),
    (TEST_X, gzip.compress(flipped(PLAIN[TEST_X], -1), mtime=0), "contents have the SHA-256 [0-9a-f]{64}; wanted"),
]
each_corrupt = pytest.mark.parametrize(("name", "content", "says"), CORRUPT)


@each_corrupt
def test_a_corrupt_given_file_is_named_with_what_to_do(given, name, content, says):
    put(given, {name: content})
    path = given / f"{name}.gz"
    with pytest.raises(DataCorrupt, match=says) as caught:
        mnist()
    text = str(caught.value)
    assert text.startswith(f"{path} is not the original {name}.gz: ") and isinstance(caught.value, ValueError)
    assert all(mirror in text for mirror in module._MIRRORS) and "unset NUDGE_DATA" in text
    assert path.read_bytes() == content  # the user's files are left as they are


def test_a_huge_file_is_not_unpacked_whole():
    assert len(module._unpack(gzip.compress(bytes(10_000_000), mtime=0), size=100)) == 164


# ---- The cache, with a fake network ----------------------------------------------------------------------


def test_a_full_cache_asks_nobody(cache, asked, monkeypatch):
    put(cache)
    monkeypatch.setenv("NUDGE_DATA", "")  # as if it were not set
    check_digits(*mnist())
    assert asked.urls == []


def test_an_empty_cache_is_filled_from_the_first_mirror(cache, asked):
    check_digits(*mnist())
    assert asked.urls == [url(name) for name in NAMES]
    check_cache(cache)
    check_digits(*mnist())
    assert len(asked.urls) == 4  # the second time, the cache had them


@each_corrupt
def test_a_corrupt_cached_file_is_downloaded_anew_once(cache, asked, name, content, says):
    put(cache, {name: content})
    check_digits(*mnist())
    assert asked.urls == [url(name)]
    check_cache(cache)


@each_corrupt
def test_a_corrupt_download_leads_to_the_second_mirror(cache, asked, name, content, says):
    put(cache, {name: None})
    asked.answers[url(name)] = content
    check_digits(*mnist())
    assert asked.urls == [url(name), url(name, mirror=1)]
    check_cache(cache)


def test_the_mirror_that_answered_is_asked_first_from_then_on(asked):
    asked.answers |= {url(name): OSError("gone") for name in NAMES}
    check_digits(*mnist())
    assert asked.urls == [url(TRAIN_X)] + [url(name, mirror=1) for name in NAMES]


def test_corrupt_downloads_alone_leave_nothing_in_the_cache(cache, asked):
    put(cache, {TRAIN_X: PACKED[TRAIN_Y]})
    asked.answers |= {url(TRAIN_X, mirror): b"<html>" for mirror in (0, 1)}
    with pytest.raises(DataUnavailable) as caught:
        mnist()
    text = str(caught.value)
    assert text.count("it holds neither gzip nor IDX data (it begins b'<html>')") == 2
    assert f"The copy in the cache, {cache / TRAIN_X}.gz, is damaged: it holds IDX bytes of" in text
    assert not (cache / f"{TRAIN_X}.gz").exists()
    assert len(asked.urls) == 2


@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_the_first_file_that_does_not_come_ends_the_search(cache, asked, stop):
    asked.answers |= {url(TRAIN_Y, mirror): stop() for mirror in (0, 1)}
    with pytest.raises((DataUnavailable, KeyboardInterrupt)):
        mnist()
    assert not [wanted for wanted in asked.urls if "t10k" in wanted]
    assert [path.name for path in cache.iterdir()] == [f"{TRAIN_X}.gz"]  # what was verified is kept


def test_an_interrupt_while_saving_leaves_no_part(cache, asked, monkeypatch):
    def replace(source, target):
        assert Path(source).read_bytes() == PACKED[TRAIN_X]
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        mnist()
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_a_warning(cache, asked):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.warns(UserWarning) as caught:
        check_digits(*mnist())
    assert {str(warning.message) for warning in caught} == {
        f"MNIST cannot be kept in {cache} (File exists), so it is downloaded at each call. "
        "Set NUDGE_DATA to a folder that holds mnist/*.gz to read it from there."
    }
    assert {warning.filename for warning in caught} == {__file__}


def test_without_pooch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.undo()  # the real cache
    monkeypatch.delenv("NUDGE_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        mnist()
    assert "pip install 'nudgegrad[train]'" in str(caught.value) and "set NUDGE_DATA" in str(caught.value)


def test_the_cache_and_the_mirrors_are_the_real_ones(monkeypatch):
    pytest.importorskip("pooch", reason="pooch (extra: train) is not installed")
    monkeypatch.undo()
    monkeypatch.delenv("NUDGE_DATA", raising=False)
    path = sources.Source("MNIST", "nn.data.mnist", "mnist", (), []).path
    assert path.name == "mnist" and "nudgegrad" in path.parts
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in module._MIRRORS)


# ---- A server on this machine ----------------------------------------------------------------------------


class Answer(http.server.BaseHTTPRequestHandler):
    """Gives what the server's `pages` has for the path: bytes, or (headers, bytes); else 404 with a body."""

    def do_GET(self):
        found = self.server.pages.get(self.path)
        headers, body = found if isinstance(found, tuple) else ({}, found)
        self.send_response(404 if body is None else 200)
        body = b"x" * 100_000 if body is None else body
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the other side may hang up after the headers
            self.wfile.write(body)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def pages(monkeypatch):
    """The pages of two mirrors, /first/ and /second/, that hold MNIST, on a server of this machine."""
    pytest.importorskip("pooch", reason="pooch (extra: train) is not installed")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setattr(module, "_MIRRORS", (f"{address}/first/", f"{address}/second/"))
        filled = {f"/{mirror}/{name}.gz": PACKED[name] for mirror in ("first", "second") for name in NAMES}
        server.pages = filled
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield filled
        finally:
            server.shutdown()
            thread.join()


def test_downloads_in_silence(pages, cache, capfd):
    check_digits(*mnist())
    check_cache(cache)
    assert capfd.readouterr() == ("", "")


BROKEN = {
    "missing": None,
    "cut off, and says so": PACKED[TRAIN_X][:-20],
    "cut off on the way": ({"Content-Length": str(len(PACKED[TRAIN_X]))}, PACKED[TRAIN_X][:-20]),
    "a page": ({"Content-Type": "text/html"}, b"<html>Please log in to this network</html>"),
    "an encoding that it is not in": ({"Content-Encoding": "gzip"}, b"<html>"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_first_mirror_leads_to_the_second(pages, cache, content):
    pages[f"/first/{TRAIN_X}.gz"] = content
    check_digits(*mnist())
    check_cache(cache)


def test_a_server_that_undoes_the_gzip_is_fine(pages):
    pages |= {f"/first/{name}.gz": ({"Content-Encoding": "gzip"}, PACKED[name]) for name in NAMES}
    check_digits(*mnist())
    pages.clear()
    check_digits(*mnist())  # from the cache


def test_the_error_lists_what_was_tried_and_why(pages, cache):
    pages |= {f"/first/{TRAIN_X}.gz": None, f"/second/{TRAIN_X}.gz": PACKED[TRAIN_Y]}
    with pytest.raises(DataUnavailable) as caught:
        try:
            raise OSError("what the caller was busy with, and no reason of ours")
        except OSError:
            mnist()
    assert str(caught.value).splitlines() == [
        f"MNIST: no mirror gives {TRAIN_X}.gz:",
        f"  {url(TRAIN_X)}: 404 Client Error: Not Found",
        f"  {url(TRAIN_X, 1)}: it holds IDX bytes of shape (6,); wanted IDX bytes of shape (6, 28, 28)",
        "Set NUDGE_DATA to a folder that has the files. It must hold "
        f"mnist/{TRAIN_X}.gz, mnist/{TRAIN_Y}.gz, mnist/{TEST_X}.gz and mnist/{TEST_Y}.gz.",
        "Or use nn.data.strokes(n, rng), which draws digits and needs no file.",
    ]
    assert not cache.exists()


@pytest.mark.parametrize(("listens", "says"), [(False, "refused"), (True, "timed out")])
def test_without_a_network_the_error_is_short(monkeypatch, listens, says):
    pytest.importorskip("pooch", reason="pooch (extra: train) is not installed")
    monkeypatch.setattr(sources, "TIMEOUT", 0.1)  # seconds
    with socket.socket() as place:  # bound for the whole test, so that nobody else can answer there
        place.bind(("127.0.0.1", 0))
        if listens:
            place.listen()
        address = f"http://127.0.0.1:{place.getsockname()[1]}"
        monkeypatch.setattr(module, "_MIRRORS", (f"{address}/first/", f"{address}/second/"))
        start = time.monotonic()
        with pytest.raises(DataUnavailable) as caught:
            mnist()
        assert time.monotonic() - start < 20  # pooch's own timeout would make it 60 s
    for line, mirror in zip(str(caught.value).splitlines()[1:3], (0, 1), strict=True):
        assert line.startswith(f"  {url(TRAIN_X, mirror)}: ") and says in line and len(line) < 120
