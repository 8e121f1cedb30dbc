"""``draw``: which boxes, operations, constants and arrows a graph has, and what they say."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from autograd import Value, draw, grad, no_grad
from autograd.functions import softmax

BOX, OPERATION, CONSTANT = "shape=box", "shape=ellipse", "shape=plaintext"


def parts(value) -> tuple[dict, list]:
    """The nodes with their attributes, and the edges with their labels, of a drawing."""
    lines = draw(value).body
    nodes = dict(m.groups() for line in lines if (m := re.fullmatch(r"\t(\w+) \[(.*)\]\n", line, re.DOTALL)))
    edges = [m.groups() for line in lines if (m := re.fullmatch(r"\t(\w+) -> (\w+)(?: \[label=(\d+).*\])?\n", line))]
    assert len(nodes) + len(edges) == len(lines)
    return nodes, edges


def count(nodes: dict, shape: str) -> int:
    return sum(shape in attributes for attributes in nodes.values())


X, W, B = Value(3.0, name="x"), Value([[1.0, 2.0]], name="w"), Value(-1.0)
GRAPHS = [  # name, value, boxes, operations, constants, arrows
    ("a leaf", X, 1, 0, 0, 0),
    ("x*x", X * X, 2, 1, 0, 3),
    ("a constant", X * 2, 2, 1, 1, 3),
    ("a constant first", 2 * X, 2, 1, 1, 3),
    ("two operations", X * X + B, 4, 2, 0, 6),
    ("shared", (lambda a: a * a + a)(X + B), 5, 3, 0, 9),
    ("settings", np.sum(W, axis=0), 2, 1, 0, 2),
    ("positional settings", np.sum(W, 0), 2, 1, 1, 3),
    ("a list", np.concatenate([W, W]), 2, 1, 0, 3),
    ("a list with constants", np.concatenate([W, np.ones((1, 2)), np.zeros((3, 2))]), 2, 1, 2, 4),
    ("None is left out", np.clip(W, None, X), 3, 1, 0, 3),
    ("subscripts", np.einsum("ij,kj->ik", W, W), 2, 1, 1, 4),
    ("several results", (lambda a, b: a * b)(*W[0]), 5, 5, 3, 13),
    ("one of several results", next(iter(W)), 2, 2, 1, 4),
]


@pytest.mark.parametrize(("value", "boxes", "operations", "constants", "arrows"), [row[1:] for row in GRAPHS],
                         ids=[row[0] for row in GRAPHS])
def test_counts(value, boxes, operations, constants, arrows):
    nodes, edges = parts(value)
    assert (count(nodes, BOX), count(nodes, OPERATION), count(nodes, CONSTANT), len(edges)) == (
        boxes, operations, constants, arrows)
    assert draw(value).source.count(" -> ") == arrows
    assert {end for a, b, _ in edges for end in (a, b)} <= set(nodes)


def test_the_same_graph_gives_the_same_text():
    def build():
        x, w = Value(3.0, "x"), Value([1.0, 2.0], "w")
        first, second = w
        y = softmax(x * w) @ np.array([1.0, 2.0]) + first * second
        y.backward()
        return y

    one, other = draw(build()).source, draw(build()).source
    assert one == other


def labels(value) -> list[str]:
    nodes, _ = parts(value)
    return [re.match(r'label="?(.*?)"? (?:fillcolor|fontcolor|shape)', a, re.DOTALL)[1] for a in nodes.values()]


def test_what_a_box_says():
    x, y = Value(3.0, name="x"), Value(4.0)
    assert labels(x * y) == [r"x\ndata 3\ngrad not computed", r"data 4\ngrad not computed",
                             r"data 12\ngrad not computed", "multiply"]
    (x * y).backward()
    assert labels(x) == [r"x\ndata 3\ngrad 4"]
    x.grad = 0.0
    assert labels(x) == [r"x\ndata 3\ngrad 0"]
    x.grad = None
    assert labels(x) == [r"x\ndata 3\ngrad not computed"]


@pytest.mark.parametrize(("data", "text"), [
    (np.array([1.0, -2.5]), r"(2,) float64\ndata -2.5 … 1\ngrad not computed"),
    (np.ones((2, 3), np.float32), r"(2, 3) float32\ndata 1 … 1\ngrad not computed"),
    (np.zeros((0, 2)), r"(0, 2) float64\ndata empty\ngrad not computed"),
    (np.array([3 + 4j, 0]), r"(2,) complex128\ndata |z| 0 … 5\ngrad not computed"),
    (np.float32(0.5), r"data 0.5\ngrad not computed"), (3.14159265, r"data 3.142\ngrad not computed"),
    (np.nan, r"data nan\ngrad not computed"), (1 + 2j, r"data 1+2j\ngrad not computed"),
])
def test_what_a_box_says_of_data(data, text):
    assert labels(Value(data)) == [text]


def test_the_gradient_of_an_array():
    w = Value([1.0, 2.0], "w")
    (w * np.array([3.0, -1.0])).sum().backward()
    assert labels(w) == [r"w\n(2,) float64\ndata 1 … 2\ngrad -1 … 3"]


def test_what_an_operation_says():
    text = labels(np.mean(W, axis=(0, 1), keepdims=True) ** 2)
    assert "power" in text
    assert any(t.startswith("mean") and "axis=(0, 1)" in t and "keepdims=True" in t for t in text)
    assert "2" in text
    assert "keepdims" not in " ".join(labels(W.sum(axis=0)))
    assert "(3,) float64" in labels(Value([1.0, 2.0, 3.0]) * np.ones(3))


def test_arguments_are_numbered_in_order():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    for y, order in [(a - b, ["v0", "v1"]), (b - a, ["v1", "v0"]), (a - a, ["v0", "v0"])]:
        _, edges = parts(y)
        into = [(source, number) for source, end, number in edges if end.endswith("_op")]
        assert into == [(source, str(i)) for i, source in enumerate(order)]
    _, edges = parts(np.exp(a))
    assert [number for *_, number in edges] == [None, None]
    _, edges = parts(np.power(2, a))
    assert ("v1_op_0_0", "v1_op", "0") in edges
    assert ("v0", "v1_op", "1") in edges


def test_a_shared_value_is_drawn_once():
    a = X + B
    nodes, edges = parts(a * a + a)
    assert sum("data 2" in attributes for attributes in nodes.values()) == 1
    me = next(end for source, end, _ in edges if source.endswith("_op"))
    assert sum(source == me for source, *_ in edges) == 3


def test_names_of_every_kind_are_kept():
    for name in ['a "quoted" name', "a\\b", "<angle>", "{brace|bar}", "σ²", "a: b", "&amp;", "x\\n"]:
        source = draw(Value(1.0, name=name) * 2).source
        assert name.replace("\\", "\\\\").replace('"', '\\"') in source


def test_second_order_graphs_can_be_drawn():
    x = Value(2.0, "x")
    assert draw(grad(lambda v: v**3)(x)).source.count("label=power") >= 1


def test_what_is_not_recorded_is_a_leaf():
    with no_grad():
        assert parts(X * 2)[1] == []


def test_a_graph_that_is_too_large():
    y = X
    for _ in range(499):
        y = y + 1
    draw(y)
    with pytest.raises(ValueError, match=r"501 nodes, more than the 500 that can be read; draw a smaller one"):
        draw(y + 1)


@pytest.mark.parametrize("other", [3.0, np.ones(2), [X], None])
def test_only_values_are_drawn(other):
    with pytest.raises(TypeError, match=f"expected a Value, got {type(other).__name__}"):
        draw(other)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program `dot` is not installed")
@pytest.mark.parametrize("value", [row[1] for row in GRAPHS] + [Value(1.0, name='<a "b" {c}\\d>') * 2],
                         ids=[row[0] for row in GRAPHS] + ["a strange name"])
def test_rendering(value, tmp_path):
    path = draw(value).render("graph", directory=tmp_path, format="svg")
    text = Path(path).read_text(encoding="utf-8")
    nodes, edges = parts(value)
    assert text.count('class="node"') == len(nodes)
    assert text.count('class="edge"') == len(edges)
