"""Every layer, loss, optimizer and schedule gives the numbers of PyTorch as it is installed, if it is."""

import pytest

from tests.reference.compare import DTYPES, FAMILIES, differences, ours, rows

pytest.importorskip("torch", reason="needs PyTorch")
from tests.reference.pytorch import started, theirs

ROWS = [(family, row) for family in FAMILIES for row in rows(family)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("family", "row"), ROWS, ids=[f"{family}: {row.name}" for family, row in ROWS])
def test_the_numbers_of_pytorch(family, row, dtype):
    wrong = list(differences(ours(row, dtype, started(row)), theirs(row, dtype), DTYPES[dtype]))
    assert not wrong, "\n".join(wrong)
