"""A gallery of gradient-checking experiments: what is right, wrong, out of reach or lost, with pictures.

``python -m demos.gradient_checking`` runs them all, in a quarter of a minute, and writes their pictures and reports to
one page.
"""

from __future__ import annotations

import argparse
import functools
import html
import sys
from collections.abc import Sequence
from pathlib import Path

import nn
from nn.files import written

try:
    from rich.console import Console
    from threadpoolctl import threadpool_limits

    from .digits import mnist_or_none
    from .gradient_experiments import EXPERIMENTS, Found
    from .runs import DemoError, Interrupted, say
except ModuleNotFoundError as error:
    sys.exit(f"This demo needs {error.name}: pip install 'nudgegrad[train]'")

PAGE = "index.html"
DPI = 130  # of the pictures
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.9rem; } h2 { margin-top: 3rem; border-top: 1px solid #ddd; padding-top: 1.5rem; }
figure { margin: 1.5rem 0; } img { max-width: 100%; } figcaption { color: #555; font-size: .9rem; }
pre, table { font: 13px/1.45 ui-monospace, monospace; } pre { overflow-x: auto; }
.found { background: #f3f6f8; border-left: 4px solid #0072B2; padding: .7rem 1rem; }
summary { cursor: pointer; font-weight: 600; } details { margin: .8rem 0; }
table { border-collapse: collapse; margin: .7rem 0; } th { text-align: left; border-bottom: 1px solid #999; }
td, th { padding: .1rem 1rem .1rem 0; } nav a { margin-right: 1.2rem; }
"""


def page(found: dict[str, Found]) -> str:
    """The page: every experiment with its findings, pictures and reports."""
    links = "".join(f'<a href="#{name}">{html.escape(each.title)}</a> ' for name, each in found.items())
    return (f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Checking gradients</title>\n'
            f"<style>{STYLE}</style>\n<h1>Checking gradients</h1>\n<nav>{links}</nav>\n"
            + "".join(section(name, each) for name, each in found.items()) + "</html>\n")


def section(name: str, found: Found) -> str:
    """An experiment on the page."""
    parts = [f'<h2 id="{name}">{html.escape(found.title)}</h2>', f"<p>{html.escape(found.about)}</p>",
             f'<pre class="found">{html.escape(chr(10).join(found.lines))}</pre>']
    for file, (_, caption) in found.pictures.items():
        text = html.escape(caption)
        parts.append(f'<figure><img src="{file}" alt="{text}"><figcaption>{text}</figcaption></figure>')
    for caption, report in found.reports.items():
        shown = report._repr_html_() if hasattr(report, "_repr_html_") else f"<pre>{html.escape(str(report))}</pre>"
        parts.append(f"<details><summary>{html.escape(caption)}</summary>{shown}</details>")
    return "\n".join(parts) + "\n"


def write_page(folder: Path, found: dict[str, Found]) -> None:
    with written(folder / PAGE) as path:
        path.write_text(page(found), encoding="utf-8")


def some_digits(console: Console) -> nn.data.Digits:
    """MNIST's test images where they can be had, else drawn ones."""
    mnist = mnist_or_none("auto", console, "taking drawn strokes instead.")
    return mnist[1] if mnist else nn.data.Digits(*nn.data.strokes(100, 2))


def start(names: Sequence[str], folder: Path, console: Console) -> None:
    """Run the experiments that are asked for, each written as soon as it is done."""
    found: dict[str, Found] = {}
    try:
        write_page(folder, found)  # so that a folder that cannot be written to shows now
    except OSError as error:
        raise DemoError(f"--out: cannot write to {folder}: {error}") from error
    digits = functools.cache(lambda: some_digits(console))
    for number, name in enumerate(names, 1):
        try:
            with threadpool_limits(1), console.status(f"{name} ..."):  # the products are too small to share
                one = EXPERIMENTS[name](digits)
                for file, (figure, _) in one.pictures.items():
                    with written(folder / file) as path:
                        figure.savefig(path, dpi=DPI, format="png")
                found[name] = one
                write_page(folder, found)
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {folder / PAGE} shows the {len(found)} of {len(names)} experiments that "
                              "were done.") from None
        say(console, "\n".join([f"{number}. {one.title}", *(f"   {line}" for text in one.lines
                                                            for line in text.splitlines()), ""]))
    say(console, f"Written to {folder / PAGE}, with {sum(len(one.pictures) for one in found.values())} pictures.")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demos.gradient_checking", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=[*EXPERIMENTS], metavar="NAME",
                        help=f"the experiments to run: {', '.join(EXPERIMENTS)} (default: all)")
    parser.add_argument("--out", default="output/gradient-checking", metavar="FOLDER",
                        help="output folder (default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        start(list(dict.fromkeys(args.only)), Path(args.out), Console())
    except (DemoError, OSError) as error:
        text = str(error) if isinstance(error, DemoError) else f"Cannot read or write: {error}"
        print(text, file=sys.stderr)
        return 130 if isinstance(error, Interrupted) else 1
    except KeyboardInterrupt:
        print("Interrupted before the first experiment.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
