"""The gallery of gradient-checking experiments: its page, what the experiments find, and its errors."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rich", reason="the extra train is not installed")

import nn
from demos import gradient_checking as gallery
from demos.gradient_experiments import EXPERIMENTS, Found


def missing():
    raise nn.data.DataUnavailable("MNIST: no mirror gives a file:\n  one\n  two")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The strokes, whatever the machine has, and small pictures."""
    monkeypatch.setattr(nn.data, "mnist", missing)
    monkeypatch.setattr(gallery, "DPI", 30)


def run(folder: Path, *args: str) -> int:
    return gallery.main(["--out", str(folder), *args])


class Page(HTMLParser):
    """The links, pictures, headings and unclosed tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.pictures, self.ids, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.links += [attributes["href"]] if tag == "a" else []
        self.pictures += [attributes["src"]] if tag == "img" else []
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.open += [tag] if tag not in ("meta", "img") else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder, page and printed text of a run of all experiments."""
    folder = tmp_path_factory.mktemp("gallery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.data, "mnist", missing)
        patch.setattr(gallery, "DPI", 30)
        patch.setattr("demos.gradient_experiments.SIZES", (784, 2, 10))
        printed: list[str] = []
        patch.setattr(gallery, "say", lambda console, text: printed.append(text))
        patch.setattr("demos.digits.say", lambda console, text: printed.append(text))
        assert run(folder) == 0
    return folder, (folder / "index.html").read_text(encoding="utf-8"), "\n".join(printed)


def test_the_page_shows_every_experiment_and_its_pictures(whole):
    folder, text, _ = whole
    page = Page(text)
    assert page.open == []
    assert page.ids == list(EXPERIMENTS) and page.links == [f"#{name}" for name in EXPERIMENTS]
    files = {p.name for p in folder.iterdir()}
    assert files == {"index.html", *page.pictures} and len(page.pictures) == 8
    for name in page.pictures:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert "http" not in text  # it needs nothing from elsewhere


def test_what_the_experiments_find_is_printed(whole):
    folder, page, printed = whole
    assert "MNIST is not at hand (no mirror gives a file): taking drawn strokes instead." in printed
    for line in (
        "softsign: all 32 elements right", "hasty_softsign: WRONG in 32 of 32 elements",
        "hasty_softsign with respect to argument 0", "return np.sum(hasty_softsign(x))",
        "|x| at 3e-07: verdict kink, gradient 1; a central difference with step 1e-06 gives 0.3",
        "√(x + 1) - √x in float32: verdict precision", "1 / (√(x + 1) + √x) in float32: verdict right",
        "is not zero, but tiny", "np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0): gradient 0 at 0",
        "all 1600 elements right, in ", "along one random direction for each parameter: right",
    ):
        assert line in printed
    assert printed.splitlines()[-1] == f"Written to {folder / 'index.html'}, with 8 pictures."
    assert re.findall(r"^(\d)\. ", printed, re.MULTILINE) == [str(i + 1) for i in range(len(EXPERIMENTS))]
    for text in ("largest error", "The digit network, all 1,600 parameters", "best step in theory", "explain_nan:",
                 "why_zero:", "<td>0.weight[", "5.8e-03"):
        assert text in page


def test_the_gradient_of_ten_sigmoid_layers_vanishes_and_of_relu_does_not(whole):
    sizes = dict(re.findall(r"(\w+), .*: gradient of the biases (\S+) in the first", whole[2]))
    assert float(sizes["sigmoid"]) < 1e-2 and float(sizes["ReLU"]) > 1e-3
    assert "9e-" in whole[2]


def test_only_some_experiments(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(nn.data, "strokes", None)  # which these need not
    assert run(tmp_path, "--only", "nan", "rules", "nan") == 0
    assert {p.name for p in tmp_path.iterdir()} == {"index.html", "nan.png", "rules.png"}
    assert Page((tmp_path / "index.html").read_text(encoding="utf-8")).ids == ["nan", "rules"]
    assert "MNIST" not in capsys.readouterr().out


def test_an_interrupted_run_shows_what_was_done(tmp_path, capsys, monkeypatch):
    def interrupted(digits):
        raise KeyboardInterrupt

    monkeypatch.setitem(gallery.EXPERIMENTS, "nan", lambda digits: Found("First", "It is < 1.", ["a & b"]))
    monkeypatch.setitem(gallery.EXPERIMENTS, "kink", interrupted)
    assert run(tmp_path, "--only", "nan", "kink", "rules") == 130
    out, err = capsys.readouterr()
    assert err == f"Interrupted. {tmp_path / 'index.html'} shows the 1 of 3 experiments that were done.\n"
    assert out == "1. First\n   a & b\n\n"
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert Page(text).ids == ["nan"] and "It is &lt; 1." in text and "a &amp; b" in text


def test_reports_are_shown_as_tables_or_as_text(tmp_path, monkeypatch):
    class Shown:
        def _repr_html_(self):
            return "<table><tr><td>1</td></tr></table>"

    found = Found("Two", "", [], {"one & all": Shown(), "text": "a < b"})
    text = gallery.page({"two": found})
    assert "<summary>one &amp; all</summary><table><tr><td>1</td></tr></table>" in text
    assert "<summary>text</summary><pre>a &lt; b</pre>" in text


def test_a_folder_that_cannot_be_written_shows_at_once(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "gallery") == 1
    out, err = capsys.readouterr()
    assert err.startswith("--out: cannot write to") and "file" in err and out == ""


def test_a_full_disk_is_named(tmp_path, capsys, monkeypatch):
    def full(digits):
        raise OSError(28, os.strerror(28))

    monkeypatch.setitem(gallery.EXPERIMENTS, "nan", full)
    assert run(tmp_path, "--only", "nan") == 1
    assert "Cannot read or write: [Errno 28]" in capsys.readouterr().err


def test_damaged_data_is_named(tmp_path, capsys, monkeypatch):
    def damaged():
        raise nn.data.DataCorrupt("train-images.gz: it is cut off")

    monkeypatch.setattr(nn.data, "mnist", damaged)
    assert run(tmp_path, "--only", "vanishing") == 1
    assert capsys.readouterr().err == "train-images.gz: it is cut off\n"


def test_wrong_options_are_refused_by_the_parser(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        run(tmp_path / "gallery", "--only", "everything")
    assert exit_.value.code == 2 and not (tmp_path / "gallery").exists()
    assert "rules" in capsys.readouterr().err


def test_the_findings_are_the_same_in_every_run(whole):
    for name in ("rules", "kink", "precision", "nan"):
        again = gallery.section(name, EXPERIMENTS[name](None))
        assert again in whole[1]


def test_the_numbers_of_the_network(monkeypatch):
    monkeypatch.setattr("demos.gradient_experiments.SIZES", (784, 2, 10))
    digits = nn.data.Digits(*nn.data.strokes(8, 2))
    found = EXPERIMENTS["network"](lambda: digits)
    report = found.reports["Every parameter"]
    assert report and len(report.elements) == 1600 and {e.verdict for e in report.elements} == {"right"}
    assert len(found.reports["Along random directions"].elements) == 4
    figure, _ = found.pictures["neurons.png"]
    shown = np.stack([ax.images[0].get_array() for ax in figure.axes[:2]])
    assert shown.shape == (2, 28, 28)
    assert np.array_equal(shown.ravel(), [e.analytic for e in report.elements[:2 * 784]])
