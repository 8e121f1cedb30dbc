"""How reports say things, and what they read from the source."""

import numpy as np
import pytest

from autograd import Value
from autograd.checking.local import consumers_of, numeric_arguments, sent_back
from autograd.describe import Report, elements, html_table, indices, number, operation, range_of, table
from autograd.sources import arguments, call, grouped, name_in, written

x, y = Value([1.0, 2.0], name="x"), Value([3.0, 4.0])

RANGES = [
    (2.5, "2.5"),
    (np.float32(0.1), "0.1 float32"),
    (3, "3"),
    (float("nan"), "nan"),
    (-np.inf, "inf"),
    (np.array([1.0, -2.0]), "(2,) float64, -2 … 1"),
    (np.array([[0.0], [np.inf]]), "(2, 1) float64, 0 … 0, 1 zero, 1 inf"),
    (np.full(3, np.nan), "(3,) float64, 3 nan"),
    (np.array([3 + 4j, 0]), "(2,) complex128, 0 … 5, 1 zero"),
    (np.array([True, False]), "(2,) bool, 0 … 1, 1 zero"),
    (np.zeros((0, 2)), "(0, 2) float64, empty"),
    (x, "(2,) float64, 1 … 2"),
]


@pytest.mark.parametrize(("data", "text"), RANGES, ids=[row[1] for row in RANGES])
def test_what_an_array_holds(data, text):
    assert str(range_of(data)) == text


def test_elements_and_indices():
    mask = np.array([[True, False], [False, True]])
    assert elements(mask) == "[0, 0], [1, 1] (2 of 4 elements)"
    assert elements(np.array([True])) == "[0] (1 of 1 element)"
    assert indices(mask) == [(0, 0), (1, 1)]
    assert (indices(True), indices(False)) == ([()], [])
    assert number(123456.0) == "1.235e+05"


def test_operations():
    values, _ = np.linalg.eigh(Value(np.eye(2)))
    assert operation(values) == "np.linalg.eigh"
    assert (operation(y * 2), operation(x), operation(y)) == ("np.multiply", "x", "an unnamed Value")


def test_tables():
    rows = [["a < b", "1", ""], ["c", "-22", "yes"]]
    assert table(["name", "size", "note"], rows) == "name   size  note\na < b     1\nc       -22  yes"
    assert html_table(["name"], [["a < b"]]) == "<table><tr><th>name</th></tr><tr><td>a &lt; b</td></tr></table>"


def test_a_report_is_its_text():
    class Note(Report):
        def __str__(self):
            return "1 < 2"

    assert repr(Note()) == "1 < 2"
    assert Note()._repr_html_() == "<pre>1 &lt; 2</pre>"


def augmented():
    z = x
    z *= y + 1
    return z


ARGUMENTS = [
    (lambda: x * (y + 1), ["x", "y + 1"]),
    (lambda: -x[1:], ["x[1:]"]),
    (lambda: +y, ["y"]),
    (lambda: x[..., 0], ["x", "..., 0"]),
    (lambda: np.exp(x - 1), ["x - 1"]),
    (lambda: x.sum(axis=0), ["x"]),
    (lambda: np.sum(x, 0), ["x", "0"]),
    (lambda: np.where(y.data > 3, x, y), ["y.data > 3", "x", "y"]),
    (lambda: np.hypot(*[x, y]), ["x", "y"]),
    (lambda: np.abs(x), ["x"]),
    (lambda: abs(x), ["x"]),
    (augmented, ["z", "y + 1"]),
    (lambda: (lambda f: f(x, 2.0))(np.power), ["x", "2.0"]),
    (lambda: (lambda f: f(x, np.ones(2)))(np.add), ["x", "argument_1"]),
    (lambda: (lambda f: f(np.zeros((15, 2)), y))(np.add), ["argument_0", "y"]),
    (lambda: np.concatenate([x, y]), ["[x, y]"]),
]


@pytest.mark.parametrize(("compute", "said"), ARGUMENTS, ids=[", ".join(row[1]) for row in ARGUMENTS])
def test_arguments_as_they_are_written(compute, said):
    assert arguments(compute()) == said


def test_without_a_source_arguments_are_told_by_name_or_place():
    scope = {}
    exec("import numpy as np\nfrom autograd import Value\nx = Value([1.0], name='given')\n"
         "y = np.add(x, 2.0)\nz = np.arctan2(y, y)\ne = np.einsum('i->i', x)", {"__name__": "nowhere"}, scope)
    assert arguments(scope["y"]) == ["given", "2.0"]
    assert arguments(scope["z"]) == ["x", "y"]
    assert arguments(scope["e"]) == ["'i->i'", "given"]
    assert written(scope["y"]) == ""


def test_a_call_as_it_is_written():
    assert call(x - y, ["a + b", "c"]) == "(a + b) - c"
    assert call(np.exp(x), ["a + b"]) == "np.exp(a + b)"
    assert grouped("a if b else c", summed=True) == "(a if b else c)"
    assert grouped("not python (") == "(not python ()"
    assert written(x * 2) == "x * 2"
    assert written((lambda f: f(x))(np.exp)) == ""


def test_a_value_is_named_as_in_the_first_operation_that_takes_it():
    data = Value([1.0])
    z = np.exp(data) + 1.0
    consumers = consumers_of([z.parents[0], z])
    assert (name_in(data, consumers), name_in(z, consumers), name_in(x, {})) == ("data", "", "x")


def test_one_operation_on_its_own():
    v = Value(2.0)
    assert [(place, share) for place, _, share in sent_back(v**3.0, 1.0)] == [(0, 12.0)]
    joined = np.concatenate([x, y, x])
    shares = [(place, value is x, share.tolist()) for place, value, share in sent_back(joined, np.arange(6.0))]
    assert shares == [(0, True, [0.0, 1.0]), (0, False, [2.0, 3.0]), (0, True, [4.0, 5.0])]
    assert [place for place, _, _ in sent_back(joined, np.arange(6.0), {y})] == [0]
    assert v.grad is None
    assert [place for place, _ in numeric_arguments(np.clip(x, 0, None))] == [0, 1]
