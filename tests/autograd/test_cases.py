"""Every case passes every check that it names, at inputs that hypothesis draws."""

import zlib

import hypothesis
import pytest
from hypothesis import strategies as st

from autograd.registry import name_of
from tests.autograd import (
    cases_convolution,
    cases_elementwise,
    cases_fft,
    cases_functions,
    cases_indexing,
    cases_linalg,
    cases_products,
    cases_recurrence,
    cases_reductions,
    cases_shaping,
    cases_special,
    cases_ufuncs,
)
from tests.autograd.cases import Case
from tests.autograd.checks import CHECKS

CASES: list[Case] = [
    *cases_elementwise.CASES, *cases_shaping.CASES, *cases_indexing.CASES, *cases_reductions.CASES,
    *cases_products.CASES, *cases_linalg.CASES, *cases_fft.CASES, *cases_special.CASES, *cases_ufuncs.CASES,
    *cases_functions.CASES, *cases_convolution.CASES, *cases_recurrence.CASES,
]
NAMES = [f"{name_of(case.function)} {case.name}".strip() for case in CASES]


def test_the_names_of_the_cases_differ():
    assert len(set(NAMES)) == len(NAMES), sorted({n for n in NAMES if NAMES.count(n) > 1})


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_case(case: Case):
    """All checks of a case are one test: pytest's own time for each would be as long as theirs."""
    for check in case.checks:
        run(case, check)


def run(case: Case, check: str) -> None:
    @hypothesis.settings(max_examples=2, deadline=None, database=None, phases=[hypothesis.Phase.generate],
                         suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.seed(zlib.crc32(f"{name_of(case.function)} {case.name}".encode()))
    @hypothesis.given(st.data())
    def drawn(data: st.DataObject) -> None:
        CHECKS[check](case, data.draw(case.inputs(check == "complex")))

    drawn()
