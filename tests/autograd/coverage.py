"""The coverage page: what is differentiable, by namespace and function, with a mark for every check that passed.

``python -m tests.autograd.coverage`` runs the checks of every case and writes ``docs/coverage.md``. A test asserts that
the page has just the marks of the checks that the test suite runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.special

from autograd import functions, recurrence
from autograd.registry import NONDIFFERENTIABLE, RULES
from autograd.rules import more, special
from tests.autograd.cases import Case
from tests.autograd.checks import CHECKS
from tests.autograd.test_cases import CASES

__all__ = ["NAMESPACES", "PAGE", "declared", "functions_of", "page", "passing"]

COMPLETE = more, special  # without these, the table of rules lacks what is registered when it is first needed
PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
COLUMNS = ["reverse", "forward", "second", "complex", "float32"]
NAMESPACES: list[tuple[str, ModuleType]] = [
    ("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft), ("scipy.special", scipy.special),
    ("autograd.functions", functions), ("autograd.recurrence", recurrence),
]


def declared() -> dict[Callable, set[str]]:
    """By function: the checks that the tests run."""
    found: dict[Callable, set[str]] = defaultdict(set)
    for case in CASES:
        found[case.function].update(case.checks)
    return found


def passing() -> dict[Callable, set[str]]:
    """By function: the checks that some case names and that all cases which name them pass, run now."""
    found = declared()
    for case in CASES:
        for check in case.checks:
            if not _passes(case, check):
                found[case.function].discard(check)
    return found


def _passes(case: Case, check: str) -> bool:
    try:
        CHECKS[check](case, case.sample(complex_ones=check == "complex"))
    except Exception as error:
        print(f"{case.function} {case.name}: {check} failed: {error!r:.200}")
        return False
    return True


def functions_of(name: str, module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public functions of a namespace, each with its other names, in alphabetic order."""
    names: dict[Any, list[str]] = defaultdict(list)
    for key in sorted(getattr(module, "__all__", None) or dir(module)):
        f = getattr(module, key, None)
        if callable(f) and not isinstance(f, type) and not key.startswith("_"):
            names[f].append(f"`{name}.{key}`" if not names[f] else f"`{key}`")
    for f, found in names.items():
        yield ", ".join(found), f


def page(marks: dict[Callable, set[str]]) -> str:
    """The page, in Markdown."""
    total = sum(f in RULES or f in marks for name, module in NAMESPACES for _, f in functions_of(name, module))
    lines = [
        "# What is differentiable",
        "",
        f"{total} functions have a derivative rule. A mark says that a check passed: **reverse** and **forward** mode "
        "against central differences, where the function is analytic against the complex step, and against each other; "
        "the **second** order in three orders of the modes; with **complex** inputs; and **float32** in and out. "
        "Without a mark the function does not take such inputs, or there is nothing to check. This page is written by "
        "`python -m tests.autograd.coverage`, and the tests fail where it claims more or less than they check.",
    ]
    for name, module in NAMESPACES:
        lines += ["", f"## {name}", "", f"| function | {' | '.join(COLUMNS)} |", f"|---|{':-:|' * len(COLUMNS)}"]
        constant = []
        for written, f in functions_of(name, module):
            if f in RULES or f in marks:
                cells = ["✓" if column in marks.get(f, ()) else "" for column in COLUMNS]
                lines.append(f"| {written} | {' | '.join(cells)} |")
            elif f in NONDIFFERENTIABLE:
                constant.append(written)
        if constant:
            lines += ["", f"Of Values, these give plain arrays, since they are piecewise constant or no numbers: "
                          f"{', '.join(constant)}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(passing()), encoding="utf-8")
    print(f"wrote {PAGE.name}")
