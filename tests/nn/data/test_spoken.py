"""`spoken_digits`: where it is found, how it is split, and that only the original recordings are taken."""

import importlib
import io
import zipfile

import numpy as np
import pytest

from nn.data import DataCorrupt, DataUnavailable, Recordings, spoken_digits

wavfile = pytest.importorskip("scipy.io.wavfile", reason="SciPy (extra: train) is not installed")
module, sources = (importlib.import_module(f"nn.data.{name}") for name in ("spoken", "sources"))

SPEAKERS = ("ann", "bob")


def wav(digit, speaker, take):
    file = io.BytesIO()
    wavfile.write(file, 8000, np.full(300 + 10 * take, 1000 * digit + 100 * SPEAKERS.index(speaker) + take, np.int16))
    return file.getvalue()


FILES = {f"{d}_{s}_{t}.wav": wav(d, s, t) for d in range(10) for s in SPEAKERS for t in range(3)}


def zipped(files, folder="free-spoken-digit-dataset/recordings/", method=zipfile.ZIP_STORED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(folder + name if "/" not in name else name, content)
    return packed.getvalue()


PACKED = zipped(FILES)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Sixty recordings by two speakers, three takes of which one is the test set; an empty cache; no NUDGE_DATA."""
    for name, value in {"SPEAKERS": SPEAKERS, "TAKES": 3, "TEST_TAKES": 1, "_SHA256": module._digest(FILES),
                        "_BYTES": sum(map(len, FILES.values()))}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(sources.Source, "_cache", lambda self: tmp_path / "cache")
    monkeypatch.delenv("NUDGE_DATA", raising=False)
    return tmp_path / "cache" / "fsdd" / "fsdd.zip"


@pytest.fixture
def given(monkeypatch, tmp_path):
    """The path of $NUDGE_DATA/fsdd/fsdd.zip, not there yet. Whoever asks the network fails."""
    monkeypatch.setenv("NUDGE_DATA", str(tmp_path / "given"))
    monkeypatch.setattr(sources.Source, "fetch", lambda self, url: pytest.fail(f"asked for {url}"))
    (tmp_path / "given" / "fsdd").mkdir(parents=True)
    return tmp_path / "given" / "fsdd" / "fsdd.zip"


def check(train, test):
    assert (len(train), len(test)) == (40, 20)
    assert set(test.takes) == {0} and set(train.takes) == {1, 2}
    for part in (train, test):
        assert part.rate == 8000 and part.labels.dtype == np.int64 and part.takes.dtype == np.int64
        for waveform, label, speaker, take in zip(part.waveforms, part.labels, part.speakers, part.takes, strict=True):
            assert waveform.dtype == np.float32 and waveform.shape == (300 + 10 * take,)
            assert set(waveform * 32768) == {1000 * label + 100 * SPEAKERS.index(speaker) + take}


def test_reads_the_given_file(given):
    given.write_bytes(PACKED)
    check(*spoken_digits())


@pytest.mark.parametrize("packed", [
    zipped(FILES, "another-1.0.10/recordings/", zipfile.ZIP_DEFLATED),
    zipped(dict(reversed(FILES.items()))),
    zipped(FILES | {"free-spoken-digit-dataset/README.md": b"read", "x/recordings/notes.txt": b"note"}),
    zipped(FILES, "recordings/"),
], ids=["another archive's folder, compressed", "another order", "more files", "no folder around"])
def test_only_the_recordings_matter(given, packed):
    given.write_bytes(packed)
    check(*spoken_digits())


def test_leaving_a_speaker_out(given):
    given.write_bytes(PACKED)
    train, test = spoken_digits(leave_out="bob")
    assert set(train.speakers) == {"ann"} and set(test.speakers) == {"bob"} and len(train) == len(test) == 30
    with pytest.raises(ValueError, match="spoken_digits: leave_out must be one of ann, bob; got 'eve'"):
        spoken_digits(leave_out="eve")


def test_recordings_are_picked_by_masks_slices_and_indices(given):
    given.write_bytes(PACKED)
    train, _ = spoken_digits()
    for rows in (train.labels == 3, slice(2, 9, 2), np.array([5, 1]), 4):
        some, labels = train[rows], np.atleast_1d(train.labels[rows])
        assert isinstance(some, Recordings) and some.labels.tolist() == labels.tolist() and len(some) == len(labels)
        assert some.waveforms[0] is train.waveforms[int(np.arange(len(train))[rows].flat[0])
                                                    if not isinstance(rows, int) else rows]


CHANGED = dict(FILES) | {"3_ann_1.wav": FILES["3_ann_1.wav"][:-1] + b"\x07"}
CORRUPT = {
    "nothing": (b"", "it holds nothing; wanted a zip file of recordings"),
    "a page": (b"<html>Please log in", "it holds no zip file .it begins b'<html>Please log'"),
    "cut off": (PACKED[: len(PACKED) // 2], "the zip file is cut off or damaged .File is not a zip file"),
    "damaged": (PACKED.replace(FILES["0_ann_0.wav"][44:], b"\1" * len(FILES["0_ann_0.wav"][44:])),
                "the zip file is cut off or damaged .Bad CRC-32"),
    "missing": (zipped({k: v for k, v in FILES.items() if k[0] != "9"}),
                "6 of the 60 recordings are missing, such as 9_ann_0.wav"),
    "empty": (zipped({}), "60 of the 60 recordings are missing"),
    "changed": (zipped(CHANGED), "its recordings have the SHA-256 [0-9a-f]{64}; wanted [0-9a-f]{64}"),
    "renamed": (zipped(FILES | {"3_ann_1.wav": FILES["3_ann_2.wav"], "3_ann_2.wav": FILES["3_ann_1.wav"]}),
                "its recordings have the SHA-256"),
    "too much": (zipped(FILES | {"1_eve_0.wav": bytes(10**7)}, method=zipfile.ZIP_DEFLATED),
                 r"its 61 recordings have \d+ bytes; wanted \d+"),
}
each_corrupt = pytest.mark.parametrize(("packed", "text"), CORRUPT.values(), ids=CORRUPT)


@each_corrupt
def test_a_corrupt_given_file_is_named_with_what_to_do(given, packed, text):
    given.write_bytes(packed)
    with pytest.raises(DataCorrupt, match=text) as caught:
        spoken_digits()
    assert str(caught.value).startswith(f"{given} is not the original fsdd.zip: ")
    assert module._MIRRORS[0] in str(caught.value) and "unset NUDGE_DATA" in str(caught.value)
    assert given.read_bytes() == packed


def test_a_missing_given_file_is_named_with_what_to_do(given):
    with pytest.raises(DataUnavailable) as caught:
        spoken_digits()
    assert str(caught.value).splitlines() == [
        f"Spoken digits: cannot read fsdd.zip in the folder {given.parent} (No such file or directory).",
        f"NUDGE_DATA is set to {given.parent.parent}, so it is looked for there alone. It must hold fsdd/fsdd.zip.",
        "Put it there, or unset NUDGE_DATA to have it downloaded.",
    ]


@pytest.fixture
def asked(monkeypatch):
    """A fake network: what it was asked for, and what it gives (exceptions are raised)."""
    urls, answers = [], dict.fromkeys(module._MIRRORS, PACKED)

    def fetch(self, url):
        urls.append(url)
        if isinstance(answers[url], Exception):
            raise answers[url]
        return answers[url]

    monkeypatch.setattr(sources.Source, "fetch", fetch)
    return urls, answers


def test_an_empty_cache_is_filled_once(small, asked):
    check(*spoken_digits())
    check(*spoken_digits(leave_out=None))
    assert asked[0] == [module._MIRRORS[0]] and small.read_bytes() == PACKED


@each_corrupt
def test_a_corrupt_cache_is_replaced_and_a_corrupt_download_tried_elsewhere(small, asked, packed, text):
    small.parent.mkdir(parents=True)
    small.write_bytes(packed)
    asked[1][module._MIRRORS[0]] = packed
    check(*spoken_digits())
    assert asked[0] == list(module._MIRRORS) and small.read_bytes() == PACKED


def test_without_a_network_the_error_lists_what_was_tried(small, asked):
    asked[1].update(dict.fromkeys(module._MIRRORS, OSError("no way out")))
    with pytest.raises(DataUnavailable) as caught:
        spoken_digits()
    assert str(caught.value).splitlines() == [
        "Spoken digits: no mirror gives fsdd.zip:",
        *(f"  {mirror}: no way out" for mirror in module._MIRRORS),
        "Set NUDGE_DATA to a folder that has the file. It must hold fsdd/fsdd.zip.",
    ]


def test_a_cache_that_cannot_be_written_is_a_warning(small, asked):
    small.parent.parent.mkdir()
    small.parent.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="Spoken digits cannot be kept in .*fsdd/\\*.zip") as caught:
        check(*spoken_digits())
    assert {warning.filename for warning in caught} == {__file__}


def test_the_hash_covers_names_and_contents():
    for other in ({"a": b"xb", "c": b""}, {"a": b"x", "b": b"c"}, {"ax": b"", "b": b""}):
        assert module._digest(other) != module._digest({"a": b"x", "b": b""})
