"""``draw``: which boxes, operations, constants and arrows a graph has, what they say, how large graphs are folded."""

import html
import re
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import nn
import nn.neuron
from autograd import Value, draw, grad, no_grad
from autograd.functions import softmax
from autograd.parts import part

BOX, OPERATION, CONSTANT = "shape=box", "shape=ellipse", "shape=plaintext"


def parts(value, **options) -> tuple[dict, list]:
    """The nodes with their attributes, and the edges with their labels, of a drawing."""
    lines = [line.strip() for line in draw(value, **options).body]
    nodes = dict(m.groups() for line in lines if (m := re.fullmatch(r"(\w+) \[(.*)\]", line, re.DOTALL))
                 and m[1] != "graph")
    edges = [(m[1], m[2], m[3] or m[4]) for line in lines
             if (m := re.match(r'(\w+) -> (\w+)(?: \[.*label=(?:"(.*?)"|(\d+)))?', line))]
    return nodes, edges


def count(nodes: dict, shape: str) -> int:
    return sum(shape in attributes for attributes in nodes.values())


def texts(value, **options) -> list[str]:
    """What the shapes say, their lines apart."""
    found = [re.match(r"label=<(.*?)> (?:color|fillcolor|fontcolor|shape|margin)", a, re.DOTALL)
             for a in parts(value, **options)[0].values()]
    return [html.unescape(re.sub(r"<[^>]*>", "", m[1].replace("<br/>", " / "))) for m in found if m]


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
    ("several results", (lambda a, b: a * b)(*W[0]), 5, 3, 1, 9),
    ("one of several results", next(iter(W)), 2, 1, 0, 2),
    ("several Values", [X * 2, {"y": (X + B,)}], 4, 2, 1, 6),
]


@pytest.mark.parametrize(("value", "boxes", "operations", "constants", "arrows"), [row[1:] for row in GRAPHS],
                         ids=[row[0] for row in GRAPHS])
def test_counts(value, boxes, operations, constants, arrows):
    nodes, edges = parts(value)
    assert (count(nodes, BOX), count(nodes, OPERATION), count(nodes, CONSTANT), len(edges)) == (
        boxes, operations, constants, arrows)
    assert draw(value).source.count(" -> ") == arrows
    assert {end for a, b, _ in edges for end in (a, b)} <= set(nodes)


def neuron():
    x = Value(3.0, name="x")
    w, b = Value(0.5), Value(-1.0)
    z = w * x + b
    a = np.tanh(z)
    a.backward()
    return a


def test_the_whole_text():
    assert draw(neuron()).source == '''digraph "graph" {
	graph [fontname=Helvetica rankdir=LR]
	node [fontname=Helvetica fontsize=12]
	edge [color="#3c4043" fontname=Helvetica fontsize=9]
	v0 [label=<<b>x</b><br/>3<br/><font point-size="10" color="#5f6368">grad 0.3932</font>> color="#b38600" \
fillcolor="#fff4d6" shape=box style="rounded,filled"]
	v1 [label=<<b>w</b><br/>0.5<br/><font point-size="10" color="#5f6368">grad 2.359</font>> color="#b38600" \
fillcolor="#fff4d6" shape=box style="rounded,filled"]
	v2 [label=<<b>b</b><br/>-1<br/><font point-size="10" color="#5f6368">grad 0.7864</font>> color="#b38600" \
fillcolor="#fff4d6" shape=box style="rounded,filled"]
	v3 [label=<1.5<br/><font point-size="10" color="#5f6368">grad 0.7864</font>> color="#5f6368" \
shape=box style=rounded]
	v3_op [label=<multiply> color="#5f6368" margin="0.05,0.02" shape=ellipse]
	v3_op -> v3
	v4 [label=<<b>z</b><br/>0.5<br/><font point-size="10" color="#5f6368">grad 0.7864</font>> color="#5f6368" \
shape=box style=rounded]
	v4_op [label=<add> color="#5f6368" margin="0.05,0.02" shape=ellipse]
	v4_op -> v4
	v5 [label=<<b>a</b><br/>0.4621<br/><font point-size="10" color="#5f6368">grad 1</font>> color="#5f6368" \
penwidth=2 shape=box style=rounded]
	v5_op [label=<tanh> color="#5f6368" margin="0.05,0.02" shape=ellipse]
	v5_op -> v5
	v1 -> v3_op [label=0]
	v0 -> v3_op [label=1]
	v3 -> v4_op [label=0]
	v2 -> v4_op [label=1]
	v4 -> v5_op
}
'''


def test_the_same_graph_gives_the_same_text():
    def build():
        x, w = Value(3.0, "x"), Value([1.0, 2.0], "w")
        first, second = w
        y = softmax(x * w) @ np.array([1.0, 2.0]) + first * second
        y.backward()
        return y

    one, other = draw(build()).source, draw(build()).source
    assert one == other


def test_what_a_box_says():
    x, y = Value(3.0, name="x"), Value(4.0)
    assert texts(x * y) == ["x / 3 / grad not computed", "y / 4 / grad not computed", "12 / grad not computed",
                            "multiply"]
    (x * y).backward()
    assert texts(x) == ["x / 3 / grad 4 / not computed from anything"]
    x.grad = 0.0
    assert "grad 0" in texts(x + 1)[0]
    x.grad = None
    assert "grad not computed" in texts(x + 1)[0]


@pytest.mark.parametrize(("data", "text"), [
    (np.array([1.0, -2.5]), "(2,) float64 / -2.5 … 1"), (np.ones((2, 3), np.float32), "(2, 3) float32 / 1"),
    (np.zeros((0, 2)), "(0, 2) float64 / empty"), (np.array([3 + 4j, 0]), "(2,) complex128 / |z| 0 … 5"),
    (np.float32(0.5), "float32 / 0.5"), (3.14159265, "3.142"), (np.nan, "nan"), (1 + 2j, "complex128 / 1+2j"),
    (np.array([1.0, np.nan, np.inf, -np.inf]), "(4,) float64 / 1, 1 nan, 2 inf"),
])
def test_what_a_box_says_of_data(data, text):
    assert texts(Value(data))[0].startswith(f"{text} / grad not computed")


def test_what_is_not_finite_is_red():
    red = '<font color="#cc0000"><b>'
    assert f"{red}nan</b></font>" in draw(Value(np.nan) * 2).source
    x = Value([1.0, 2.0], "x")
    x.grad = np.array([np.inf, 0.0])
    assert f"grad 0, {red}1 inf</b></font>" in draw(x + 1).source
    assert red not in draw(Value(1.0) * 2).source


def test_what_an_operation_says():
    text = texts(np.mean(W, axis=(0, 1), keepdims=True) ** 2)
    assert "power" in text
    assert any(t.startswith("mean") and "axis=(0, 1)" in t and "keepdims=True" in t for t in text)
    assert "2" in text
    assert "keepdims" not in " ".join(texts(W.sum(axis=0)))
    assert "(3,) float64" in texts(Value([1.0, 2.0, 3.0]) * np.ones(3))
    assert "(:, 1:2, ..., 0)" in texts(Value(np.ones((2, 3, 4, 5)))[:, 1:2, ..., 0])


def test_arguments_are_numbered_in_order():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    for y, order in [(a - b, ["v0", "v1"]), (b - a, ["v1", "v0"]), (a - a, ["v0", "v0"])]:
        _, edges = parts(y)
        into = [(source, number) for source, end, number in edges if end.endswith("_op")]
        assert into == [(source, str(i)) for i, source in enumerate(order)]
    _, edges = parts(np.exp(a))
    assert [number for *_, number in edges] == [None, None]
    assert {("v1_0", "v1_op", "0"), ("v0", "v1_op", "1")} <= set(parts(np.power(2, a))[1])
    assert {("v1", "v2_op", "[0]"), ("v0", "v2_op", "[1]")} <= set(parts(np.stack([b, a]))[1])


def test_a_shared_value_is_drawn_once():
    a = X + B
    nodes, edges = parts(a * a + a)
    me, = [name for name, attributes in nodes.items() if "<b>a</b>" in attributes]
    assert sum(source == me for source, *_ in edges) == 3


NAMES = ['a "quoted" name', "a\\b", "<angle>", "{brace|bar}", "σ² 🙂", "a: b", "&amp;", "x\\n", "line\nbreak",
         "\x00\x1b", "\ud800"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_every_kind_are_kept(name):
    shown = texts(Value(1.0, name=name) * 2)[0].split(" / ")[0]
    assert shown == "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def test_parameters_leaves_and_constants_look_different():
    nodes, _ = parts(nn.Linear(2, 1, rng=0)(Value(np.ones((1, 2), np.float32), "x") * 3))
    fills = {re.search(r"<b>(\w*)", a)[1]: re.search(r'fillcolor="(.*?)"', a)[1] for a in nodes.values()
             if "fillcolor" in a}
    assert fills == {"x": "#fff4d6", "weight": "#cfe3f5", "bias": "#cfe3f5"}
    assert count(nodes, CONSTANT) == 1


def test_second_order_graphs_can_be_drawn():
    x = Value(2.0, "x")
    assert "power" in texts(grad(lambda v: v**3)(x))


def test_what_is_not_recorded_is_a_leaf_that_says_so():
    with no_grad():
        y = X * 2
    assert parts(y)[1] == []
    assert texts(y)[0].endswith("not recorded: no_grad or detach")


# Parts and folding


def cost_of(model, features=10):
    x = np.random.default_rng(0).standard_normal((5, features)).astype(np.float32)
    return nn.cross_entropy(model(x), np.array([0, 1, 2, 0, 1]))


def test_layers_are_framed_and_their_parameters_named():
    cost = cost_of(nn.MLP([10, 4, 3], nn.Tanh, rng=0))
    source = draw(cost).source
    said = [html.unescape(re.sub("<.*?>", "", text)) for text in re.findall(r"label=<(.*?)> labeljust", source)]
    assert said == ["MLP", "0 Linear", "1 Tanh", "2 Linear"]
    assert [t.split(" / ")[0] for t in texts(cost) if "weight" in t] == ["0.weight", "2.weight"]


def test_depth_folds_layers():
    cost = cost_of(nn.MLP([10, 4, 3], nn.Tanh, rng=0))
    assert "MLP / 3 operations, 59 parameters / → (5, 3) float32" in texts(cost, depth=0)
    assert texts(cost, depth=1)[-3:] == ["0 Linear / 1 operation, 44 parameters / → (5, 4) float32",
                                         "1 Tanh / 1 operation / → (5, 4) float32",
                                         "2 Linear / 1 operation, 15 parameters / → (5, 3) float32"]
    assert texts(cost, depth=7) == texts(cost)


def unrolled():
    cell, state = nn.LSTMCell(4, 8, rng=0), None
    for x in np.random.default_rng(0).standard_normal((100, 2, 4)).astype(np.float32):
        state = cell(x, state)
    return np.sum(state[0] ** 2)


def test_steps_that_are_alike_fold_to_one():
    said = texts(unrolled())
    assert 20 < len(said) < 60
    assert "LSTMCell × 100" in html.unescape(re.sub("<.*?>", "", draw(unrolled()).source))
    assert sum("× 100" in t for t in said) >= 10
    assert len([t for t in said if t.startswith("weight_hh / ")]) == 1  # one and the same in all steps
    assert "style=dashed" in draw(unrolled()).source  # from one step to the next


def test_layers_that_are_alike_fold_to_one():
    said = texts(cost_of(nn.MLP([10, *[16] * 19, 3], nn.Tanh, rng=0)))
    assert "2…36.weight × 18 / (16, 16) float32" in " ".join(t for t in said)
    assert len(said) < 40


def test_lines_of_a_loop_fold_to_one():
    h, w = Value(np.ones(3), "start"), Value(np.eye(3), "w")
    for t in range(100):
        h = np.tanh(w @ h + t)
    said = texts(np.sum(h))
    assert "h × 100 / (3,) float64 / 0.762 … 1 / grad not computed" in said
    assert "100 constants" in said
    assert len(said) == 11


def test_elementwise_operations_fold_to_their_formula():
    x = Value(np.ones(3), "x")
    y = x
    for k in range(30):
        y = np.matmul(np.eye(3), np.exp(-y * 0.5) + k)
    said = texts([y], expand=lambda node: node.op is np.matmul)
    assert sum(t.startswith("exp(-x * 0.5) + 0") for t in said) == 1


def test_a_graph_of_any_kind_has_at_most_150_shapes():
    rng, pool = np.random.default_rng(0), [Value(np.ones(2)) for _ in range(300)]
    functions = [np.add, np.multiply, np.subtract, np.maximum, lambda a, b: np.stack([a, b]).sum(0),
                 lambda a, b: np.dot(a, b) * a, lambda a, b: np.concatenate([a, b])[1:3]]
    for _ in range(2000):
        i, j, k = (int(rng.integers(0, n)) for n in (len(pool), len(pool), len(functions)))
        pool.append(functions[k](pool[i], pool[j]) * 0.1)
    nodes, edges = parts(pool[-40:])
    assert 10 < len(nodes) <= 150
    assert {end for a, b, _ in edges for end in (a, b)} <= set(nodes)


def test_scalar_networks_are_folded():
    net = nn.neuron.MLP(2, [8, 8, 1], rng=0)
    cost = sum((net([x, x * x]) - x) ** 2 for x in np.linspace(-1, 1, 50).tolist())
    said = texts(cost)
    assert len(said) < 60
    assert "layers.0.neurons.0…7.b × 8 / 0" in " ".join(said)


def test_expand_opens_a_layer_or_a_name():
    cost = cost_of(nn.MLP([10, *[16] * 19, 3], nn.Tanh, rng=0))
    assert not any(t.startswith("4.weight / ") for t in texts(cost))
    said = texts(cost, expand="4")
    assert any(t.startswith("4.weight / ") for t in said)
    assert "2…36.weight × 17" in " ".join(said)
    assert any(t.startswith("8.bias / ") for t in texts(cost, expand=["8.bias", "4"]))
    assert texts(cost_of(nn.MLP([10, 4, 3], rng=0)), depth=0, expand="2")[0] != "2 Linear"


def test_derivatives_are_drawn_beside_the_graph():
    x, w = Value(3.0, "x"), Value(0.5, "w")
    y = x * x * w
    said = texts(y, derivatives=1)
    assert "∂y/∂x / 3 / grad not computed" in said
    assert "∂y/∂w / 9 / grad not computed" in said
    second = texts(y, derivatives=2)
    assert "∂(Σ∂y)/∂x / 7 / grad not computed" in second  # of 2xw + x²
    assert "∂(Σ∂y)/∂w / 6 / grad not computed" in second
    assert x.grad is w.grad is y.grad is None


def test_a_part_is_what_an_object_of_any_kind_computes():
    class Twice:
        @part
        def __call__(self, x):
            return 2 * x
    assert "<b>Twice</b>" in draw(Twice()(X) + 1).source


# Errors


@pytest.mark.parametrize(("value", "options", "error", "text"), [
    (3.0, {}, TypeError, "draw: expected a Value, a list, tuple or dict of Values, or a function of jit, got float"),
    ([], {}, TypeError, "got list$"), ([X, 3.0], {}, TypeError, "got list that holds float$"),
    (None, {}, TypeError, "got NoneType"),
    (np.ones(2), {}, TypeError, "got ndarray"),
    (nn.Linear(2, 3, rng=0), {}, TypeError, r"got Linear; draw what it computes: draw\(model\(x\)\)"),
    (np.sin, {}, TypeError, r"got ufunc; write draw\(f\(Value\(x\)\)\)"),
    (X * 2, {"depth": -1}, ValueError, "draw: depth must be a number of layers from 0 on, got -1"),
    (X * 2, {"derivatives": 3}, ValueError, "draw: derivatives must be 0, 1 or 2, got 3"),
    (X * 2, {"expand": "layer"}, ValueError,
     "draw: expand='layer' is the path of no layer and the name of no Value here$"),
])
def test_errors(value, options, error, text):
    with pytest.raises(error, match=text):
        draw(value, **options)


def test_a_wrong_layer_is_told_which_there_are():
    with pytest.raises(ValueError, match=r"expand='1.weight' is the path of no layer.*; the layers are 0, 1, 2$"):
        draw(cost_of(nn.MLP([10, 4, 3], nn.Tanh, rng=0)), expand="1.weight")


@pytest.mark.parametrize("use", [lambda d: d.render("graph"), lambda d: d.pipe("svg"), lambda d: d._repr_mimebundle_()])
def test_without_dot_the_error_says_how_to_install_it(use, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    drawing = draw(X * 2)
    assert "multiply" in drawing.source
    with pytest.raises(RuntimeError, match=r"apt install graphviz(.|\n)*dnf(.|\n)*brew(.|\n)*conda(.|\n)*winget"):
        use(drawing)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program `dot` is not installed")
def test_rendering(tmp_path):
    values = [row[1] for row in GRAPHS] + [Value(1.0, name=name) for name in NAMES] + [unrolled()]
    for value in values:
        path = draw(value).render("graph", directory=tmp_path, format="svg")
        nodes, edges = parts(value)
        groups = [g.get("class") for g in ET.parse(path).iter("{http://www.w3.org/2000/svg}g")]
        assert groups.count("node") == len(nodes)
        assert groups.count("edge") == len(edges)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program `dot` is not installed")
def test_what_is_rendered_says_what_was_drawn(tmp_path):
    path = draw(neuron()).render("graph", directory=tmp_path, format="svg")
    said = [t.text for t in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]
    assert {"x", "w", "b", "z", "a", "multiply", "add", "tanh", "0.4621", "grad 2.359"} <= set(said)
