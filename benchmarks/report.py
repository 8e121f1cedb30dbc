"""The report of a run: the table of ratios, what was to be reached, the JSON beside it, and the plots of growth."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nn.files import written

from .contestants import CONTESTANTS, OURS
from .machine import machine
from .runner import Results
from .targets import TARGETS
from .workloads import GROWTH, WORKLOADS

__all__ = ["text", "write"]

FIRST, COLUMN = 42, 9  # widths
START, END = "<!-- table -->", "<!-- end -->"


def head(results: Results) -> list[str]:
    versions = [f"{name} {version}" for name, version in results.versions.items() if name != "numpy"]
    lines = [", ".join([machine(), *versions])]
    reasons: dict[str, list[str]] = {}
    for name, reason in results.missing.items():
        reasons.setdefault(reason, []).append(name)
    return [*lines, *(f"left out: {', '.join(names)}: {reason}" for reason, names in reasons.items())]


def table(results: Results) -> list[str]:
    """For each workload a line with the times of the peers, and one for each of ours with its ratio to each of them."""
    peers = [c.name for c in CONTESTANTS if c.name not in OURS
             and any(c.name in results.measured.get(w.name, {}) for w in WORKLOADS if w not in GROWTH)]
    lines = ["Medians, each at its better count of threads; under the peers' times: ours, and its ratio to each.",
             "", *heading(peers)]
    for workload in WORKLOADS:
        measured = results.measured.get(workload.name)
        if measured and workload not in GROWTH:
            times = [amount(measured[peer].median) if peer in measured else "" for peer in peers]
            lines.append(line(f"{workload.name} [{workload.unit}]", "", times))
            for name in OURS:
                if name in measured:
                    ours = measured[name].median
                    ratios = [ratio(ours / measured[peer].median) if peer in measured else "" for peer in peers]
                    lines.append(line(f"  {name}", amount(ours), ratios))
    return lines


def heading(peers: list[str]) -> list[str]:
    """Names in two lines, since columns are narrow."""
    halves = [peer.replace("-", "- ").replace("microg", "micro- g").rpartition(" ") for peer in peers]
    return [line("", "", [first for first, _, _ in halves]), line("", "ours", [last for _, _, last in halves])]


def line(first: str, ours: str, cells: Iterable[str]) -> str:
    return (f"{first:<{FIRST}}{ours:>{COLUMN}}" + "".join(f"{cell:>{COLUMN}}" for cell in cells)).rstrip()


def amount(x: float) -> str:
    """Three digits, or all those before the point."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def ratio(x: float) -> str:
    return f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def reached(results: Results) -> list[str]:
    """What was to be reached, and whether it was."""
    lines = []
    for target in TARGETS:
        value = target.reached(results)
        if value is not None:
            verdict = "reached" if value <= target.limit else "NOT REACHED"
            against = f"{target.ours} / {target.against}" if target.against else f"{target.ours}, s"
            lines.append(f"{target.workload:<36}{against:<34}{ratio(value):>8}  at most {target.limit:<6g}{verdict}")
    return ["To be reached:", *lines] if lines else []


def notes(results: Results) -> list[str]:
    return [f"{text} ({', '.join(dict.fromkeys(names))})" if names else text for text, names in results.notes.items()]


def text(results: Results) -> str:
    parts = [head(results), table(results), reached(results), notes(results)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def write(results: Results, folder: Path) -> list[Path]:
    """``table.txt``, ``results.json`` and, where growth was measured, ``growth.png``; each whole or not at all.

    A ``README.md`` in the folder gets the table between its two comments.
    """
    content = {"machine": machine(), **results.as_json(),
               "units": {w.name: w.unit for w in WORKLOADS if w.name in results.measured},
               "targets": [{"workload": t.workload, "ours": t.ours, "against": t.against, "limit": t.limit,
                            "value": t.reached(results)} for t in TARGETS]}
    paths = [folder / "table.txt", folder / "results.json"]
    contents = [text(results), json.dumps(content, ensure_ascii=False)]
    readme = folder / "README.md"
    if readme.exists() and START in readme.read_text(encoding="utf-8"):
        before, _, rest = readme.read_text(encoding="utf-8").partition(START)
        paths.append(readme)
        contents.append(f"{before}{START}\n```\n{contents[0]}\n```\n{END}{rest.partition(END)[2].rstrip()}")
    for path, new in zip(paths, contents, strict=True):
        with written(path) as temporary:
            temporary.write_text(new + "\n", encoding="utf-8")
    if any(w.name in results.measured for w in GROWTH):
        paths.append(folder / "growth.png")
        with written(paths[-1]) as path:
            plot(results, path)
    return paths


PANELS = {"width": ("784-n-n-10, batch 32", "neurons in a hidden layer, n"),
          "depth": ("784-16-…-16-10, batch 32", "hidden layers of 16 neurons"),
          "batch": ("784-16-16-10", "examples in a batch"),
          "points": ("micrograd's network of scalars", "points in the graph, about 360 nodes each")}
COLOURS = {"jit, Numba": "#c0392b", "jit, NumPy": "#e59866", "eager": "#7b241c", "by hand": "#7f8c8d",
           "PyTorch": "#2e86c1", "JAX jit": "#28b463", "micrograd": "#8e44ad"}


def plot(results: Results, path: Path) -> None:
    """Time of a step against width, depth, batch and the size of the graph."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(15, 4.4), layout="constrained")
    names: dict[str, Any] = {}
    for panel, (key, (title, label)) in zip(axes, PANELS.items(), strict=True):
        for name, colour in COLOURS.items():
            points = [(w.growth[1], results.measured[w.name][name].median) for w in GROWTH
                      if w.growth and w.growth[0] == key and name in results.measured.get(w.name, {})]
            if points:
                ours = name in OURS
                names[name], = panel.loglog(*zip(*points, strict=True), color=colour, marker="o", markersize=4,
                                            linewidth=2.2 if ours else 1.4, linestyle="-" if ours else "--")
        at = sorted({w.growth[1] for w in GROWTH if w.growth and w.growth[0] == key})
        panel.set_xticks(at, [f"{x:,}" for x in at])
        panel.minorticks_off()
        panel.yaxis.set_major_formatter(duration)
        panel.set_title(title, fontsize=11)
        panel.set_xlabel(label)
        panel.grid(True, which="major", color="#dddddd", linewidth=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("training step, one thread")
    figure.legend(names.values(), names.keys(), loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def duration(microseconds: float, _: Any) -> str:
    unit, name = next((u, n) for u, n in ((1e6, "s"), (1e3, "ms"), (0, "µs")) if microseconds >= u)
    return f"{microseconds / (unit or 1):g} {name}"


