"""Every rule has rows or cases, in both modes, and an error planted in any of them makes one of those fail."""

import functools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value
from autograd.graph import reverse_topological
from autograd.registry import RULES, Rule, name_of
from tests.autograd.cases import Case
from tests.autograd.checks import check_forward, check_reverse
from tests.autograd.rows import outputs
from tests.autograd.test_cases import CASES
from tests.autograd.test_rules import ROWS, as_case

for _case in CASES:
    if _case.function not in RULES:  # the methods of ufuncs have theirs when a call first needs them
        _case.call(*map(Value, _case.sample()))
# Those of the thin modules and of nn have tests of their own; what a jitted function returns has an error for a rule.
REGISTERED = {f: rule for f, rule in RULES.items()
              if not name_of(f).startswith(("nn.", "autograd.numpy.", "autograd.misc.", "autograd.compiling."))}
# Each function with each of its arguments that has a derivative; some have any number of them
ARGUMENTS = [(f, i) for f, rule in REGISTERED.items()
             for i in range(1 if rule.definition else min(max(len(rule.vjps), len(rule.jvps)), 5)) if rule.reaches(i)]
EVERY_ARGUMENT = pytest.mark.parametrize(("function", "place"), ARGUMENTS,
                                         ids=[f"{name_of(f)} argument {i}" for f, i in ARGUMENTS])


@functools.cache
def users() -> dict[tuple[Callable, int], list[tuple[Case, Any]]]:
    """By function and argument: the cases and rows, with inputs, in which a Value is passed there."""
    found: dict[tuple[Callable, int], list] = defaultdict(list)
    for case in CASES:
        if case.function in RULES and RULES[case.function].expands:  # which leaves no node of its own
            found[case.function, 0].append((case, case.sample()))
    for case, inputs in [*((case, case.sample()) for case in CASES), *((as_case(row), row.inputs) for row in ROWS)]:
        results = [y for y in outputs(case.call(*map(Value, inputs))) if isinstance(y, Value)]
        for node in reverse_topological(*results):
            if node.op is None:
                continue
            for i, arg in enumerate(node.args):
                if holds(arg):
                    key = node.op, 0 if node.op in RULES and RULES[node.op].definition else i
                    if not any(case is other for other, _ in found[key]):
                        found[key].append((case, inputs))
    return found


def holds(arg: Any) -> bool:
    return any(map(holds, arg)) if isinstance(arg, (list, tuple)) else isinstance(arg, Value)


@EVERY_ARGUMENT
def test_every_rule_has_a_row_or_a_case(function: Callable, place: int):
    assert users()[function, place]


def wrong(part: Any, like: Any = 0.0) -> Any:
    """Wrong by one part in 100,000, and not 0 where it should be; a gradient also where there was none."""
    if part is None:
        return np.zeros_like(like) + 0.00001
    if part is NotImplemented:
        return part
    if isinstance(part, (list, tuple)):
        return [None if p is None else wrong(p) for p in part]
    return 1.00001 * part + 0.00001 * (part == 0)


class Planted:
    """The vjps or jvps of a rule, of which one is wrong."""

    def __init__(self, maps: Any, place: int, mode: str) -> None:
        self.maps, self.place, self.mode = maps, place, mode

    def __len__(self) -> int:
        return len(self.maps)

    def __getitem__(self, i: int) -> Callable:
        if i != self.place:
            return self.maps[i]
        return lambda g, y, *args, **kwargs: wrong(self.maps[i](g, y, *args, **kwargs),
                                                   args[i] if self.mode == "vjps" else y)


def plant(rule: Rule, mode: str, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if rule.definition is None or (mode == "vjps" and rule.vjps):
        monkeypatch.setattr(rule, mode, Planted(getattr(rule, mode), place, mode))
        return
    formula = rule.definition
    monkeypatch.setattr(rule, "definition", lambda *args, **kwargs: wrong(formula(*args, **kwargs)))


@pytest.mark.parametrize(("mode", "check"), [("vjps", check_reverse), ("jvps", check_forward)], ids=["vjp", "jvp"])
@EVERY_ARGUMENT
def test_an_error_planted_in_any_rule_is_found(function: Callable, place: int, mode: str, check: Callable,
                                               monkeypatch: pytest.MonkeyPatch):
    plant(RULES[function], mode, place, monkeypatch)
    with pytest.raises(AssertionError):
        for case, inputs in users()[function, place][:6]:
            check(case, inputs)
            if "complex" in case.checks:
                check(case, case.sample(complex_ones=True))
