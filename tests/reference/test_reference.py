"""Every layer, loss, optimizer and schedule gives PyTorch's numbers, which are kept in files."""

import functools

import pytest

from nn.files import read_tensors
from tests.reference.compare import DTYPES, FAMILIES, differences, file_of, ours, rows, state_of

ROWS = [(family, row) for family in FAMILIES for row in rows(family)]
NAMES = [f"{family}: {row.name}" for family, row in ROWS]


@functools.cache
def recorded(family):
    """What PyTorch gave, by row."""
    found = {}
    for name, array in read_tensors(file_of(family))[0].items():
        row, rest = name.split("|", 1)
        found.setdefault(row, {})[rest] = array
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("family", "row"), ROWS, ids=NAMES)
def test_the_numbers_of_the_files(family, row, dtype):
    assert row.name in recorded(family), f"write the file anew: python -m tests.reference.write {family}"
    numbers = recorded(family)[row.name]
    wanted = {k.removeprefix(f"{dtype}|"): v for k, v in numbers.items() if k.startswith(f"{dtype}|")}
    wrong = list(differences(ours(row, dtype, state_of(numbers)), wanted, DTYPES[dtype]))
    assert not wrong, "\n".join(wrong)


def test_the_files_hold_nothing_else():
    assert {family: set(recorded(family)) for family in FAMILIES} == {
        family: {row.name for row in rows(family)} for family in FAMILIES}
