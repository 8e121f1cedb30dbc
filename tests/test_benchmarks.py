"""The benchmarks measure the same work of every peer, and their report says what was measured and what was not."""

import importlib.util
import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.contestants import CONTESTANTS, OURS, Contestant
from benchmarks.peers import Unable
from benchmarks.runner import Measured, Results, Runner
from benchmarks.targets import BEST, TARGETS, best_of
from benchmarks.workloads import WORKLOADS, Workload, digits

pytest.importorskip("safetensors", reason="the extra train is not installed")

SIGMOID = {"sizes": (20, 6, 5, 3), "batch": 7, "hidden": "sigmoid", "output": "sigmoid"}
RELU = {**SIGMOID, "hidden": "relu", "output": "linear"}
WORK = [("network", SIGMOID), ("network", RELU), ("scalars", {"count": 3}),
        ("hessian_vector", {"sizes": (20, 6, 3), "batch": 7})]
MODULES = {"pytorch": "torch", "scikit_learn": "sklearn", "jax": "jax", "micrograd": "micrograd"}
HERE = [c for c in CONTESTANTS  # but for those that compile for many seconds, or have an environment of their own
        if c.name not in ("jit, Numba", "PyTorch compile", "PyTorch whole", "HIPS autograd")
        and importlib.util.find_spec(MODULES.get(c.module, "numpy"))]


def numbers_of(contestant, kind, settings):
    """What the peer has computed after three steps; ``None`` where it does not do that, or tells no numbers."""
    function = getattr(importlib.import_module(f"benchmarks.peers.{contestant.module}"), kind, None)
    try:
        prepared = function(contestant.variant, **settings) if function else None
    except Unable:
        return None
    if prepared is None or prepared.numbers is None or prepared.steps > 1:
        return None
    for _ in range(3):
        prepared.step()
    prepared.wait()
    return [np.array(x) for x in prepared.numbers()]


@pytest.mark.parametrize(("kind", "settings"), WORK, ids=["sigmoid", "relu", "scalars", "hessian"])
def test_every_peer_computes_the_same(kind, settings):
    found = {c.name: numbers for c in HERE if (numbers := numbers_of(c, kind, settings)) is not None}
    assert len(found) >= 2 and "eager" in found
    for name, numbers in found.items():
        for ours, theirs in zip(found["eager"], numbers, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-6, err_msg=name)


def test_products_are_the_eight_of_a_step(monkeypatch):
    from benchmarks.peers import products

    calls, matmul = [], np.matmul
    prepared = products.network("", (784, 16, 16, 10), 4, "sigmoid", "sigmoid")
    monkeypatch.setattr(np, "matmul", lambda a, b, out: calls.append((a.shape, b.shape)) or matmul(a, b, out))
    prepared.step()
    assert calls == [((4, 784), (784, 16)), ((4, 16), (16, 16)), ((4, 16), (16, 10)),
                     ((10, 4), (4, 16)), ((4, 10), (10, 16)), ((16, 4), (4, 16)), ((4, 16), (16, 16)),
                     ((16, 4), (4, 784))]


def test_tables_fit_together():
    names = [w.name for w in WORKLOADS]
    contestants = [c.name for c in CONTESTANTS]
    assert len(set(names)) == len(names) and len(set(contestants)) == len(contestants)
    assert {w.like for w in WORKLOADS} <= {"", *names}
    assert {name for w in WORKLOADS for name in w.only} <= set(contestants)
    assert {t.workload for t in TARGETS} <= set(names)
    assert {t.against for t in TARGETS} <= {"", BEST, *contestants}


@pytest.fixture
def run(tmp_path):
    """Measures a workload quickly by some contestants, each in its process."""
    def measure(workload, *contestants):
        with (tmp_path / "log").open("w") as log, Runner(log, quick=True, say=lambda text: None,
                                                         contestants=contestants) as runner:
            runner.measure(workload)
        return runner.results

    return measure


TINY = digits("a tiny network", 5, (8, 4, 3))


def test_peers_take_turns_in_processes(run, monkeypatch):
    known = {c.name: c for c in CONTESTANTS}
    workload = next(w for w in WORKLOADS if w.name == "digit network, batch 10")
    lost = Contestant("lost", "products", "no-such-package")
    broken = Contestant("broken", "no_such_module", "numpy")
    results = run(workload, known["eager"], known["by hand"], known["HIPS autograd"], lost, broken)
    assert results.measured[workload.name].keys() == {"eager", "by hand"}
    assert all(len(m.turns) == 3 and m.median > 0 for m in results.measured[workload.name].values())
    assert results.missing == {"lost": "no-such-package is not installed",
                               "HIPS autograd": "it has an environment of its own: --hips PYTHON"}
    assert results.notes == {f"{workload.name}: the process ended, or took more than 300 s": ["broken"]}


def test_numbers_that_differ_are_told(run):
    runner = Runner(None, contestants=())
    runner.compare(TINY, {"eager": [1.0, 2.0], "right": [1.0, 2.001], "wrong": [1.0, 2.1], "silent": None})
    assert runner.results.notes == {"a tiny network: computes other numbers than eager": ["wrong"]}


def measured(**medians):
    return {name: Measured(median, 1, [median]) for name, median in medians.items()}


def test_report_shows_ratios_and_who_is_missing(tmp_path):
    results = Results({"digit network, batch 10": {"jit, Numba": Measured(20.0, 1, [20.0]), **measured(products=25.0),
                                                   "PyTorch": Measured(150.0, 2, [150.0])}},
                      {"JAX jit": "jax is not installed", "JAX scan": "jax is not installed"},
                      {"torch": "2.0"}, {"digit network, batch 10: no such thing": ["eager"]})
    text = report.text(results)
    assert "torch 2.0" in text
    assert "left out: JAX jit, JAX scan: jax is not installed" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["products", "PyTorch"] in [row[-2:] for row in rows]
    assert ["[µs]", "25", "150"] in [row[-3:] for row in rows]
    assert ["jit,", "Numba", "20", "0.80", "0.13"] in rows
    assert ["jit,", "Numba", "/", "products", "0.80", "at", "most", "1", "reached"] in [row[-9:] for row in rows]
    assert "0.13  at most 0.1   NOT REACHED" in text
    assert "no such thing (eager)" in text
    folder = tmp_path / "out"
    assert [path.name for path in report.write(results, folder)] == ["table.txt", "results.json"]
    assert (folder / "table.txt").read_text(encoding="utf-8") == text + "\n"
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert content["measured"]["digit network, batch 10"]["PyTorch"]["threads"] == 2
    assert content["units"] == {"digit network, batch 10": "µs"}
    assert {"workload": "digit network, batch 10", "ours": "jit, Numba", "against": "products", "limit": 1.0,
            "value": 0.8} in content["targets"]
    assert sorted(path.name for path in folder.iterdir()) == ["results.json", "table.txt"]


def test_readme_takes_the_table(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Before\n{report.START}\nold\n{report.END}\nafter\n", encoding="utf-8")
    results = Results({"import": measured(eager=1.5)})
    for _ in range(2):
        assert readme in report.write(results, tmp_path)
    new = readme.read_text(encoding="utf-8")
    assert new == f"# Before\n{report.START}\n```\n{report.text(results)}\n```\n{report.END}\nafter\n"
    readme.write_text("no place for it\n", encoding="utf-8")
    assert readme not in report.write(results, tmp_path)


def test_growth_is_plotted(tmp_path):
    pytest.importorskip("matplotlib", reason="the extra train is not installed")
    results = Results({w.name: {**measured(eager=10.0 * n)} for n, w in enumerate(WORKLOADS, 1) if w.growth})
    assert [path.name for path in report.write(results, tmp_path)] == ["table.txt", "results.json", "growth.png"]
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_best_of_all_peers_is_another_package():
    results = Results({"w": {**measured(products=1.0, eager=2.0), "by hand": Measured(1.5, 1, []),
                             "JAX jit": Measured(3.0, 1, []), "PyTorch": Measured(4.0, 1, [])}})
    assert best_of(results, "w") == "JAX jit"
    assert best_of(results, "other") == ""


def test_better_count_of_threads_is_taken():
    runner, workload = Runner(None), Workload("w", "network")
    runner.add(workload, "PyTorch", 1, [5.0, 4.0, 6.0])
    runner.add(workload, "PyTorch", 2, [3.0, 3.0, 9.0])
    runner.add(workload, "eager", 1, [1.0])
    runner.add(workload, "eager", 2, [2.0])
    best = runner.results.measured["w"]
    assert (best["PyTorch"].median, best["PyTorch"].threads, best["PyTorch"].at) == (3.0, 2, {1: 5.0, 2: 3.0})
    assert (best["eager"].median, best["eager"].threads, best["eager"].at) == (1.0, 1, {1: 1.0, 2: 2.0})


def test_a_name_that_no_workload_has(capsys, tmp_path):
    assert command.main(["--only", "no such workload", "--out", str(tmp_path / "new")]) == 2
    assert "No workload has 'no such workload' in its name; there are:\n  digit network, batch 10\n" in \
        capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_command_prints_and_writes(capsys, tmp_path, monkeypatch):
    workload = next(w for w in WORKLOADS if w.name == "digit network, batch 10")
    monkeypatch.setattr(command, "Runner", lambda log, hips, quick, say: Runner(
        log, hips, quick, say, [c for c in CONTESTANTS if c.name in ("products", "eager")]))
    assert command.main(["--only", workload.name, "--quick", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "digit network, batch 10 [µs]" in out and OURS[2] == "eager" and "\n  eager" in out
    assert {"table.txt", "results.json"} == {path.name for path in tmp_path.iterdir()}
