"""``gradcheck`` finds every planted fault, in operations of every size, and blames the operation that has it."""

import numpy as np
import pytest

from autograd import Value, defvjp, gradcheck, make_jvp, make_vjp, primitive
from autograd.checking import GradientReport
from autograd.graph import reverse_topological
from autograd.registry import RULES, name_of
from autograd.testing import random_expression
from tests.autograd.checker_faults import FAULTS, Fault, Operation, around, as_primitive, cubic, inputs, negated
from tests.autograd.test_planted_errors import holds, plant

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


@pytest.mark.parametrize("kink", [np.abs, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 2 * x)],
                         ids=["abs", "maximum", "where"])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_kink_elsewhere_does_not_hide_a_wrong_rule(kink, mode):
    planted = as_primitive(cubic(negated) if mode == "reverse" else cubic(None, negated))
    report = gradcheck(lambda x: planted(x) + kink(x - 0.5), 0.5)
    assert not report
    assert report.faults[0].operation is planted
    right = as_primitive(cubic())
    assert gradcheck(lambda x: right(x) + kink(x - 0.5), 0.5)


@pytest.mark.parametrize("mode", ["vjps", "jvps"])
def test_an_error_in_a_rule_that_a_random_graph_uses_is_found_and_named(mode, monkeypatch):
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        f = random_expression(rng, scalar=seed % 5 == 0)
        everything = tuple(range(len(f.inputs)))
        nodes = [node for node in reverse_topological(f(*map(Value, f.inputs))) if node.op is not None
                 and node.op is not np.sum and RULES[node.op].definition is None]  # definitions use np.sum themselves
        node = nodes[rng.integers(len(nodes))]
        place = rng.choice([i for i, arg in enumerate(node.args) if holds(arg)])

        def derivatives(f=f, everything=everything):
            if mode == "jvps":
                return [make_jvp(f, i)(*f.inputs)(np.ones_like(x)[()])[1] for i, x in enumerate(f.inputs)]
            vjp, y = make_vjp(f, everything)(*f.inputs)
            return vjp(np.cos(np.arange(np.size(y))).reshape(np.shape(y))[()])

        right = derivatives()
        with monkeypatch.context() as patched:
            plant(RULES[node.op], mode, place, patched)
            if all(np.allclose(x, y, rtol=0, atol=3e-6 * np.max(np.abs(y), initial=1e-3))
                   for x, y in zip(derivatives(), right, strict=True)):
                continue  # it makes no difference here
            report = gradcheck(f, *f.inputs)
        assert not report, f"{name_of(node.op)}, argument {place}\n{f}\n{report}"
        assert report.faults[0].operation is node.op, f"{name_of(node.op)}, argument {place}\n{f}\n{report}"
        found += 1
    assert found > 20
