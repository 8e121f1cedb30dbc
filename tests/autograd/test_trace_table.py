"""``trace_table`` and ``draw_text``: a graph as a table of its nodes, and as a tree of lines."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from autograd import Value, draw_text, formula, functions, no_grad, trace_table
from autograd.registry import name_of
from autograd.trees import leaves
from tests.autograd import cases_indexing
from tests.autograd.test_cases import CASES


def neuron() -> Value:
    w, b, y = Value(1.5), Value(-0.25, name="bias"), 1.0
    z = w * np.float64(0.5) + b
    a = functions.sigmoid(z)
    cost = (a - y) ** 2
    return cost


def several() -> Value:
    x = Value([[2.0, 1.0], [1.0, 3.0]])
    e, _ = np.linalg.eigh(x)
    return np.concatenate([e[:1], x[0], np.ones(2)]).sum(axis=0, keepdims=True)


def chain(steps: int) -> Value:
    w, h = Value(0.5), Value(1.0)
    for _ in range(steps):
        h = h * w
    return h


def without_lines(table: str) -> list[str]:
    """The lines of a table, without the last column, which is the place in this file."""
    at = table.index("  line\n")
    return [line[:at].rstrip() for line in table.splitlines()]


def test_a_table():
    cost = neuron()
    cost.backward()
    table = str(trace_table(cost))
    assert without_lines(table) == """\
row  name  operation                         shape  dtype      value  gradient
#1   w     input                             ()     float64      1.5  -0.08872
#2   bias  input                             ()     float64    -0.25   -0.1774
#3         np.multiply(w #1, 0.5)            ()     float64     0.75   -0.1774
#4   z     np.add(#3, bias #2)               ()     float64      0.5   -0.1774
#5   a     autograd.functions.sigmoid(z #4)  ()     float64   0.6225   -0.7551
#6         np.subtract(a #5, 1)              ()     float64  -0.3775   -0.7551
#7   cost  np.power(#6, 2)                   ()     float64   0.1425         1""".splitlines()
    assert re.search(r"test_trace_table\.py:\d+: z = w \* np\.float64\(0\.5\) \+ b$", table.splitlines()[4])


def test_a_gradient_that_was_not_computed_is_no_zero():
    x, mask = Value([1.0, 2.0]), Value([0.0, 1.0])
    y = np.where(mask, x, 0.0).sum()
    assert {row.gradient for row in trace_table(y).rows} == {"—"}
    y.backward()
    assert [(row.name, row.gradient) for row in trace_table(y).rows] == [
        ("x", "0 … 1"), ("mask", "—"), ("", "1"), ("y", "1")]


def test_functions_with_several_results_lists_and_settings():
    rows = trace_table(several()).rows
    assert [row[:5] for row in rows] == [
        (1, "x", "input", "(2, 2)", "float64"),
        (2, "e", "np.linalg.eigh(x #1)[0]", "(2,)", "float64"),
        (3, "", "e #2[:1]", "(1,)", "float64"),
        (4, "", "x #1[0]", "(2,)", "float64"),
        (5, "", "np.concatenate([#3, #4, float64[2]])", "(5,)", "float64"),
        (6, "", "np.sum(#5, axis=0, keepdims=True)", "(1,)", "float64")]
    assert rows[0].node.op is None


def test_a_long_table_has_its_first_and_last_rows():
    table = trace_table(chain(1000))
    lines = str(table).splitlines()
    assert len(table.rows) == 1002
    assert len(lines) == 52
    assert lines[31] == "… 952 more"
    assert (lines[30].split()[0], lines[32].split()[0]) == ("#30", "#983")
    assert "… 952 more" in table._repr_html_()
    assert [row.row for row in table.rows[-2:]] == [1001, 1002]


class Cells(HTMLParser):
    """The text of every cell, and of what is red."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.cells, self.red = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.cells[-1:] = [(self.cells or [""])[-1] + data]
        if ("b", {"style": "color:#CC0000"}) in self.open:
            self.red.append(data)


def test_a_table_in_a_notebook():
    x = Value([1.0, np.nan], name='<x & "y">')
    page = Cells(trace_table(x * np.inf)._repr_html_())
    assert page.cells[9] == '<x & "y">'
    assert page.red == ["1 nan!", "1 nan!", "1 inf!"]
    assert page.cells[8:16][5] == "1, 1 nan!"


NAMES = ['a "quoted" name', "a\\b", "<angle>", "{brace|bar}", "σ² & 漢字", "two\nlines\t"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_kind(name):
    shown = name.replace("\n", "\\n").replace("\t", "\\t")
    y = Value(1.0, name=name) * 2
    lines = str(trace_table(y)).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"#1   {shown:<4}  input")
    assert Cells(trace_table(y)._repr_html_()).cells[9] == shown
    drawing = draw_text(y)
    assert str(drawing).splitlines()[1].startswith(f"├─ {shown}  ")
    assert Cells(drawing._repr_html_()).cells == [str(drawing)]


# The tree


def test_a_tree():
    cost = neuron()
    cost.backward()
    assert str(draw_text(cost)) == """\
cost = power           0.1425   grad 1
├─ subtract            -0.3775   grad -0.7551
│  ├─ a = sigmoid      0.6225   grad -0.7551
│  │  └─ z = add       0.5   grad -0.1774
│  │     ├─ multiply   0.75   grad -0.1774
│  │     │  ├─ w       1.5   grad -0.08872
│  │     │  └─ 0.5
│  │     └─ bias       -0.25   grad -0.1774
│  └─ 1
└─ 2"""


def test_a_tree_of_arrays():
    assert str(draw_text(several())) == """\
sum(axis=0, keepdims=True)   (1,) 6.382   grad —
└─ concatenate               (5,) 1 … 2   grad —
   ├─ indexing               (1,) 1.382   grad —
   │  ├─ e = eigh[0]         (2,) 1.382 … 3.618   grad —
   │  │  └─ x                (2, 2) 1 … 3   grad —
   │  └─ :1
   ├─ indexing               (2,) 1 … 2   grad —
   │  ├─ ↑ x
   │  └─ 0
   └─ constant (2,) 1"""


def test_what_is_used_twice_is_drawn_once():
    x = Value(2.0)
    q = x - 1
    for _ in range(2):
        q = q * q
    assert [re.sub(r"\s{3,}\S+\s+grad —", "", line) for line in str(draw_text(q)).splitlines()] == [
        "q = multiply",
        "├─ q = multiply #2",
        "│  ├─ q = subtract #1",
        "│  │  ├─ x",
        "│  │  └─ 1",
        "│  └─ ↑ q #1",
        "└─ ↑ q #2"]


def test_a_deep_tree_is_folded():
    lines = str(draw_text(chain(1000))).splitlines()
    assert len(lines) == 2 * 13 + 2
    assert lines[-1] == "… 987 more; draw(value) folds them"
    assert sum("h = multiply …" in line for line in lines) == 1


def test_a_wide_tree_is_folded():
    parts = [Value([1.0]) * i for i in range(50)]
    lines = str(draw_text(np.concatenate(parts))).splitlines()
    assert "├─ … 41 more" in lines
    assert lines[-1] == "… 82 more; draw(value) folds them"


def test_nan_and_infinities_are_marked():
    x = Value([1.0, np.nan, -np.inf], name="x")
    x.grad = np.array([np.inf, 0.0, 0.0])
    drawing = draw_text(x)
    assert str(drawing).splitlines()[0] == "x   (3,) 1, 1 nan!, 1 inf!   grad 0, 1 inf!"
    assert Cells(drawing._repr_html_()).red == ["1 nan!", "1 inf!", "1 inf!"]
    assert str(draw_text(Value(float("nan")))).splitlines()[0] == "input   nan!   grad —"


@pytest.mark.parametrize(("data", "text"), [
    (np.ones((2, 3), np.float32), "(2, 3) float32 1"), (np.zeros((0, 2)), "(0, 2) empty"),
    (np.array([3 + 4j, 0]), "(2,) complex128 |z| 0 … 5"), (np.float32(0.5), "float32 0.5"), (1 + 2j, "complex128 1+2j"),
])
def test_what_a_line_says_of_data(data, text):
    assert str(draw_text(Value(data, name="x"))).splitlines()[0] == f"x   {text}   grad —"


def test_a_value_without_a_graph_says_so():
    assert str(draw_text(Value(3.0, name="x"))) == "x   3   grad —\nIt was not computed from anything."
    with no_grad():
        y = Value(3.0, name="x") * 2
    assert str(draw_text(y)).endswith(
        "It was detached or computed under no_grad: nothing leads to what it was computed from.")
    assert [row.operation for row in trace_table(y).rows] == ["input"]


@pytest.mark.parametrize("view", [trace_table, draw_text])
@pytest.mark.parametrize("other", [3.0, np.ones(2), [Value(1.0)], None])
def test_only_values_are_shown(view, other):
    wanted = f"{view.__name__}: expected a Value, such as a cost computed from Values, got {type(other).__name__} "
    with pytest.raises(TypeError, match=f"^{re.escape(wanted)}"):
        view(other)


@pytest.mark.parametrize("view", [trace_table, draw_text])
def test_they_show_themselves(view):
    shown = view(neuron())
    assert repr(shown) == str(shown)


SOME = [*cases_indexing.CASES, *CASES[::16]]


@pytest.mark.parametrize("case", SOME, ids=[f"{name_of(case.function)} {case.name}" for case in SOME])
def test_graphs_of_every_function(case):
    for y in leaves(case.call(*(Value(x, f"x{i}") for i, x in enumerate(case.sample())))):
        if isinstance(y, Value):
            texts = [str(view(y)) for view in (trace_table, draw_text, formula)]
            assert all("x0" in text for text in texts) or y.op is None
            assert not re.search(r" object at 0x|Value\(data", "".join(texts))
