"""Every row of the tables: its value against plain NumPy, its gradients of both orders against numbers."""

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, grad
from autograd.graph import reverse_topological
from autograd.registry import RULES, name_of
from tests.autograd import table_elementwise, table_products, table_reductions, table_shaping, table_updates
from tests.autograd.cases import Case
from tests.autograd.checks import check_forward
from tests.autograd.numeric import assert_close, difference, numeric_gradient
from tests.autograd.rows import Row, outputs, project, single
from tests.autograd.test_cases import CASES

# Those of the thin modules and of nn have tests of their own.
REGISTERED = {f: rule for f, rule in RULES.items()
              if not name_of(f).startswith(("nn.", "autograd.numpy.", "autograd.misc."))}
ROWS = [*table_elementwise.ROWS, *table_reductions.ROWS, *table_shaping.ROWS, *table_products.ROWS,
        *table_updates.ROWS]


def gradients(function: Callable, inputs: Any, differentiable: Any = None) -> list:
    """The gradients of the projected function, with the inputs at the given places as Values, the rest constants."""
    chosen = range(len(inputs)) if differentiable is None else differentiable
    arguments = [Value(x) if i in chosen else x for i, x in enumerate(inputs)]
    project(function(*arguments)).backward()
    return [arguments[i].grad for i in chosen]


def as_case(row: Row) -> Case:
    return Case(row.function, row.name, row.function, None, (), (), (), analytic=False, exact=True)


def zero_for_none(g: Any, x: Any) -> Any:
    return x * 0 if g is None else g


def test_the_names_of_the_rows_differ():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)


def check_value(row: Row, precision: type = np.float64) -> None:
    inputs = row.inputs if precision is np.float64 else [single(x) for x in row.inputs]
    got, wanted = row.function(*map(Value, inputs)), row.function(*inputs)
    assert type(got) is Value or type(got) is type(wanted)
    for y, raw in zip(outputs(got), outputs(wanted), strict=True):
        assert type(y) is Value
        np.testing.assert_array_equal(y.data, raw)
        assert y.shape == np.shape(raw)
        assert y.dtype == np.asarray(raw).dtype
        assert isinstance(y.data, np.ndarray) == (y.ndim > 0)
        if not y.ndim and all(type(x) is float for x in row.inputs) and precision is np.float64 and y.dtype == float:
            assert isinstance(y.data, float)


def check_first_order(row: Row) -> None:
    wanted = numeric_gradient(lambda *arrays: project(row.function(*arrays)), row.inputs)
    places = range(len(row.inputs))
    for chosen in {(i,) for i in places} | {tuple(places)}:
        for i, g in zip(chosen, gradients(row.function, row.inputs, chosen), strict=True):
            g = zero_for_none(g, row.inputs[i])
            assert type(g) is type(row.inputs[i])
            assert np.result_type(g) == np.result_type(row.inputs[i])
            assert_close(g, wanted[i], what=f"argument {i} with the Values {chosen}")


def check_second_order(row: Row) -> None:
    rng = np.random.default_rng(1)
    directions = [rng.uniform(0.5, 1.5, np.shape(x)) * (1 + 1j if np.iscomplexobj(x) else 1) for x in row.inputs]
    places = tuple(range(len(row.inputs)))
    for chosen in {(i,) for i in places} | {places}:
        first = grad(lambda *arrays: project(row.function(*arrays)), chosen)

        def along(*arrays: Any, first: Callable = first, chosen: tuple = chosen) -> Any:
            return sum(np.real(np.sum(g * directions[i])) for i, g in zip(chosen, first(*arrays), strict=True))

        def at(t: float, first: Callable = first, chosen: tuple = chosen) -> np.ndarray:
            moved = [x + t * directions[i] if i in chosen else x for i, x in enumerate(row.inputs)]
            return np.concatenate([np.ravel(g) for g in first(*moved)])

        got = grad(along, chosen)(*row.inputs)
        for i, g in zip(chosen, got, strict=True):
            assert np.shape(g) == np.shape(row.inputs[i])
            assert np.result_type(g) == np.result_type(row.inputs[i])
        assert_close(np.concatenate([np.ravel(g) for g in got]), difference(at), what=f"with the Values {chosen}")


PAIRS = [(row, i, j) for row in ROWS for i, j in itertools.combinations(range(len(row.inputs)), 2)
         if np.shape(row.inputs[i]) == np.shape(row.inputs[j])]


@pytest.mark.parametrize(("row", "i", "j"), PAIRS, ids=[f"{row.name} {i} {j}" for row, i, j in PAIRS])
def test_the_same_value_twice(row: Row, i: int, j: int):
    inputs = [row.inputs[i] if k == j else x for k, x in enumerate(row.inputs)]
    separate = gradients(row.function, inputs)
    values = [Value(x) for x in inputs]
    values[j] = values[i]
    project(row.function(*values)).backward()
    total = zero_for_none(separate[i], inputs[i]) + zero_for_none(separate[j], inputs[j])
    assert_close(values[i].grad, total, rtol=1e-13)


def check_float32(row: Row) -> None:
    inputs = [single(x) for x in row.inputs]
    for g32, g64, x in zip(gradients(row.function, inputs), gradients(row.function, row.inputs), inputs, strict=True):
        g32, g64 = zero_for_none(g32, x), zero_for_none(g64, x)
        assert np.result_type(g32) == x.dtype
        assert_close(g32, g64, rtol=1e-3)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_row(row: Row):
    """All checks of a row are one test: pytest's own time for each would be as long as theirs."""
    check_value(row)
    check_value(row, np.float32)
    check_first_order(row)
    check_second_order(row)
    check_forward(as_case(row), row.inputs)
    check_float32(row)


@functools.cache
def direct_calls() -> dict[Callable, list[Value]]:
    """By function: the calls of it, in rows and cases, on the inputs themselves and on constants."""
    found: dict[Callable, list[Value]] = defaultdict(list)
    for f, inputs in [*((row.function, row.inputs) for row in ROWS), *((case.call, case.sample()) for case in CASES)]:
        results = [y for y in outputs(f(*map(Value, inputs))) if isinstance(y, Value)]
        for node in reverse_topological(*results):
            if node.op in REGISTERED and all(p.op is None for p in node.parents):
                found[node.op].append(node)
    return found


def called_with(y: Value, place: int, x: Any) -> np.ndarray:
    """The operation of ``y`` called again, on raw arrays, with ``x`` for one of its arguments; results in a row."""
    args = [x if i == place else raw(arg) for i, arg in enumerate(y.args)]
    return np.concatenate([np.ravel(part) for part in outputs(y.op(*args, **y.kwargs))])


def raw(x: Any) -> Any:
    if isinstance(x, Value):
        return x.data
    return type(x)([raw(item) for item in x]) if type(x) in (list, tuple) else x


def functions_of_kind(kind: str) -> Any:
    chosen = [f for f, rule in REGISTERED.items() if rule.kind == kind]
    return pytest.mark.parametrize("function", chosen, ids=map(name_of, chosen))


@functions_of_kind("linear")
def test_rules_declared_linear_are_linear_in_each_argument(function: Callable):
    rng = np.random.default_rng(2)
    checked = set()
    for y in direct_calls()[function]:
        for place, arg in enumerate(y.args):
            items = list(arg) if type(arg) in (list, tuple) else [arg]
            if not items or not all(isinstance(a, Value) for a in items):
                continue
            p, q = ([rng.normal(size=a.shape) for a in items] for _ in range(2))
            sums = [2 * a - 3 * b for a, b in zip(p, q, strict=True)]
            at_sum, at_p, at_q = (called_with(y, place, x if type(arg) in (list, tuple) else x[0])
                                  for x in (sums, p, q))
            assert_close(at_sum, 2 * at_p - 3 * at_q, rtol=1e-12, what=f"argument {place} of {y.args} {y.kwargs}")
            checked.add(place)
    assert checked >= {i for i in range(min(len(REGISTERED[function].vjps), 2)) if REGISTERED[function].reaches(i)
                       and (function, i) != (np.einsum, 0)}  # the subscripts


@functions_of_kind("elementwise")
def test_rules_declared_elementwise_are_elementwise_in_each_argument(function: Callable):
    checked = set()
    for y in direct_calls()[function]:
        for place, arg in enumerate(y.args):
            if not isinstance(arg, Value):
                continue
            full = np.array(np.broadcast_to(arg.data, y.shape))
            before = called_with(y, place, full)
            for k in range(full.size):
                moved = full.copy()
                moved.flat[k] *= 1.01
                assert set(np.flatnonzero(called_with(y, place, moved) != before)) <= {k}
            checked.add(place)
    assert checked == {i for i in range(len(REGISTERED[function].vjps)) if REGISTERED[function].reaches(i)}
