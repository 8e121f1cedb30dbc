"""Every layer, loss, optimizer and schedule gives PyTorch's numbers, which are kept in files."""

import functools
import inspect
import re

import numpy as np
import pytest

import nn
from nn.files import read_tensors
from tests.reference.compare import (
    DTYPES,
    FAMILIES,
    HERE,
    Namespace,
    differences,
    file_of,
    ours,
    rows,
    small_cnn,
    state_of,
)

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


def test_a_model_that_was_saved_in_pytorch():
    model = small_cnn(Namespace("float32"))
    model.load_state_dict(file_of("saved_model"))
    known = read_tensors(file_of("saved_model_output"))[0]
    np.testing.assert_allclose(model.eval()(known["x"]).data, known["y"], rtol=0, atol=1e-5)
    assert model[1].num_batches_tracked == 1


def test_the_files_hold_nothing_else():
    assert {family: set(recorded(family)) for family in FAMILIES} == {
        family: {row.name for row in rows(family)} for family in FAMILIES}


def test_everything_has_a_row():
    text = "".join((HERE / f"rows_{family}.py").read_text() for family in FAMILIES)
    kinds = (nn.Module, nn.Optimizer, nn.Schedule)
    public = [name for name in nn.__all__ if inspect.isclass(x := getattr(nn, name)) and issubclass(x, kinds)]
    costs = [name for name in nn.losses.__all__ if name != "quadratic_cost"] + ["ctc_loss"]
    ours_alone = {"MLP", "Module", "Optimizer", "Schedule", "Sequential"}
    assert {name for name in (*public, *costs) if not re.search(rf"\b{name}\b", text)} - ours_alone == set()
