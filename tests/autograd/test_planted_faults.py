"""``gradcheck`` finds every planted fault, in operations of every size, and blames the operation that has it."""

import numpy as np
import pytest

from autograd import defvjp, gradcheck, primitive
from autograd.checking import GradientReport
from tests.autograd.checker_faults import FAULTS, Fault, Operation, around, as_primitive, cubic, inputs

pytestmark = pytest.mark.usefixtures("temporary_rules")


def checked(fault: Fault, operation: Operation) -> tuple[GradientReport, object]:
    planted = as_primitive(operation)
    return gradcheck(lambda *xs: around(np, planted, *xs), *inputs(fault), order=fault.order), planted


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_found_and_the_operation_that_has_it_is_named(fault):
    report, planted = checked(fault, fault.plant())
    assert not report
    assert report.faults, str(report)
    assert report.faults[0].operation is planted, str(report)
    assert report.faults[0].argument == fault.argument
    with pytest.raises(AssertionError, match="planted"):
        report.raise_if_wrong()


# Each right operation once for each size
RIGHT = list({(fault.right, fault.shapes, fault.order, fault.dtype): fault for fault in FAULTS}.values())


@pytest.mark.parametrize("fault", RIGHT, ids=[str(fault).replace(fault.name, fault.right.__name__) for fault in RIGHT])
def test_without_its_fault_the_operation_passes(fault):
    report, _ = checked(fault, fault.right())
    assert report, str(report)
    assert not report.faults


def test_the_table_has_every_fault_at_every_size_where_it_is_one():
    sizes = {}
    for fault in FAULTS:
        sizes.setdefault(fault.name, set()).add("many" if fault.size >= 10_000 else "few" if fault.size > 5 else "one")
    everywhere = {"one", "few", "many"}
    # With one element there is nothing to transpose, no other axis, and no other element
    assert {name: has for name, has in sizes.items() if has != everywhere} == {
        name: {"few", "many"} for name in (
            "transposed", "transposed weights", "unbroadcast along the wrong axis", "wrong axis",
            "wrong only at one element", "forward, wrong only at one element")}


# Where what is damaged, or has a state, is what is checked itself

@pytest.mark.parametrize("size", [1, 10, 10_000])
def test_a_function_that_damages_what_is_checked(size):
    def damaging(x):
        y = x * x
        x *= 0.9
        return y

    planted = primitive(damaging)
    defvjp(planted, lambda y, x: lambda g: 2 * g * x)
    x = np.linspace(0.5, 1.5, size)
    before = x.copy()
    report = gradcheck(lambda x: np.sum(np.tanh(planted(x))), x)
    assert not report
    assert report.faults[0].operation is planted
    np.testing.assert_array_equal(x, before)  # a check leaves what it is given as it was


def test_a_rule_that_calls_another_whose_rule_is_wrong():
    slope = as_primitive(Operation(lambda xp, x: 1 + x * x, [lambda xp, g, x: -2 * g * x],
                                   [lambda xp, g, x: 2 * g * x]))
    planted = as_primitive(cubic()._replace(vjps=[lambda xp, g, x: g * slope(x)]))

    def cost(x):
        return around(np, planted, x)

    x = np.array([[-0.4, 0.7], [1.1, -0.9]])
    assert gradcheck(cost, x)
    report = gradcheck(cost, x, order=2)
    assert not report
    assert report.faults[0].operation is slope
