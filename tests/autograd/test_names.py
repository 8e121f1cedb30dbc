"""What Values are called: their own name, their path in a module, or the variable that a line assigned them to."""

import doctest
import linecache
import textwrap

import numpy as np
import pytest

import nn
from autograd import Value
from autograd.drawing.names import names
from autograd.graph import reverse_topological

ROWS = [  # what is written, and the names of the nodes of `y` in the order in which they were made
    ("y = Value(1.0) * 2", "- y"),
    ("x = Value(1.0); y = x * 2 + x", "x - y"),
    ("x: Value = Value(1.0); y: Value = -x", "x y"),
    ("y = (x := Value(1.0)) * 2", "x y"),
    ("y = Value(1.0); y += 1; y *= y", "y y y"),
    ("a, b = Value(1.0), Value(2.0); y = a @ b if False else a / b", "a b y"),
    ("(a, b), [c] = (Value(1.0), Value(2.0)), [Value(3.0)]; y = a * b * c", "a b c - y"),
    ("ws = [Value(1.0), Value(2.0)]; y = ws[0] * ws[1]", "ws[0] ws[1] y"),
    ("a = b = Value(1.0); y = a * b", "a y"),
    ("self.w = Value(1.0); y = self.w * 2", "self.w y"),
    ("d = {}; d['a'] = Value(1.0); y = d['a'] ** 2", "d['a'] y"),
    ("_ = Value(1.0); y = _ * 2", "- y"),
    ("σ = Value(1.0); größe = σ + 1; y = größe * 2", "σ größe y"),
    ("w = Value([1.0, 2.0]); a, b = w; y = a * b", "w - a b y"),
    ("w = Value([1.0, 2.0]); a, *rest = w; y = a * rest[0]", "w - a - y"),
    ("w = Value([1.0, 2.0]); y = 0\nfor x in w: y += x", "w - x x y y"),
    ("w = Value([1.0, 2.0]); y = sum([x * x for x in w])", "w - x x - - - y"),
    ("w = Value([1.0, 2.0]); ys = [x * x for x in w]; y = ys[0] + ys[1]", "w - x x - - y"),
    ("a = Value(1.0); y = sum([a] * 4)", "a - - - y"),
    ("w = Value([[2.0]]); e, v = np.linalg.eigh(w); y = e * v", "w - e v y"),
    ("w = Value([[2.0]]); u = np.linalg.eigh(w); y = u[0] * u[1]", "w - u[0] u[1] y"),
    ("w = Value([[2.0]]); r = np.linalg.qr(w)[1]; y = -r", "w - r y"),
    ("w = Value([[2.0, 1.0]]); t = w.T; s = w[0]; y = t.sum() * s.sum()", "w t s - - y"),
    ("x = Value(1.0, name='σ(z) <&|{}\">'); y = np.exp(\n    x\n    + 1)", "σ(z)_<&|{}\"> - y"),
    # A call that makes several nodes: only its result is what is assigned
    ("a, b = Value(1.0), Value(2.0); y = sum([a, b, a])", "a b - - y"),
    ("p = Value([0.5]); y = nn.quadratic_cost(p * p, np.ones(1))", "p - y"),
    ("p = Value([[0.5]]); y = nn.GRUCell(1, 1, rng=0)(p, p)", f"p weight_ih weight_hh bias_ih bias_hh{' -' * 20} y"),
    ("net = nn.Sequential(nn.Tanh(), nn.Tanh()); x = Value([1.0]); y = net(x)", "x - y"),
    # A line that runs many times
    ("h = Value(1.0)\nfor t in range(3): h = np.tanh(h)", "h h h h"),
    ("h = Value(1.0); f = np.tanh\nfor t in range(3): h = f(h)", "h - - h"),
    ("h = Value(1.0)\nfor t in range(2):\n    z = h * 2\n    h = z + t", "h z h z h"),
]


def run(source: str, file: str, **scope) -> dict:
    """The variables that a source leaves, which is found under the name of a file, as that of a notebook's cell is."""
    text = textwrap.dedent(source).replace("; ", "\n")
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope |= {"__name__": "__main__", "Value": Value, "np": np, "nn": nn}
    exec(compile(text, file, "exec"), scope)
    return scope


def said(value: Value) -> str:
    nodes = reverse_topological(value)[::-1]
    found = names(nodes)
    assert list(found) == [node for node in nodes if node in found]
    return " ".join(found.get(node, "-").replace(" ", "_") for node in nodes)


@pytest.mark.parametrize(("source", "wanted"), ROWS, ids=[row[0] for row in ROWS])
def test_names(source, wanted):
    scope = run(source, f"<ipython-input-{abs(hash(source))}>", self=type("Me", (), {})())
    value = scope.get("y", scope.get("h"))
    assert said(value) == wanted


CELLS = [("RNNCell", "h = cell(x, h)"), ("GRUCell", "h = cell(x, h)")]


@pytest.mark.parametrize(("cell", "step"), CELLS)
def test_the_state_of_a_cell_has_its_name_at_each_step(cell, step):
    x = np.ones((1, 2), np.float32)
    scope = run(f"h = Value(x)\nfor t in range(4): {step}", f"<{cell}>", cell=getattr(nn, cell)(2, 2, rng=0), x=x)
    h = scope["h"]
    found = names(reverse_topological(h))
    states = [node for node, name in found.items() if name == "h"]
    assert len(states) == 5
    assert states[0] is h


def test_a_layer_of_the_users_in_a_network_is_no_result_of_it():
    source = """
    class Double(nn.Module):
        def __call__(self, x):
            z = x + x
            return z
    layers = [nn.Linear(2, 2, rng=0), Double(), nn.Linear(2, 1, rng=0)]
    net = nn.Sequential(*layers)
    y = net(np.ones((1, 2), np.float32))
    """
    assert said(run(source, "<a network>")["y"]) == "0.weight 0.bias 2.weight 2.bias - z y"


def test_a_path_wins_over_a_name_that_is_its_last_part():
    model = nn.Sequential(nn.Linear(2, 1, rng=0))
    w, b = model.parameters()
    other, mine = Value(1.0), Value(2.0, name="mine")
    paths = {p: path for path, p in model.named_parameters()} | {other: "layers.other", mine: "layers.1.weight"}
    assert names([w, b, other, mine], paths) == {w: "0.weight", b: "0.bias", other: "layers.other", mine: "mine"}
    b.name = "my bias"
    assert names([w, b], paths) == {w: "0.weight", b: "my bias"}


def test_a_changed_source_is_read_anew():
    file = "<a cell that is run twice>"
    first = run("y = Value(1.0)", file)["y"]
    assert names([first]) == {first: "y"}
    second = run("longer = Value(1.0)", file)["longer"]
    assert names([second]) == {second: "longer"}


@pytest.mark.parametrize("text", ["", "not python at all", "y = Value(1.0", "\0"])
def test_without_a_source_that_fits_there_are_no_names(text):
    y = run("y = Value(1.0) * 2", "<gone>")["y"]
    linecache.cache["<gone>"] = (len(text), None, text.splitlines(True), "<gone>")
    assert names(reverse_topological(y)) == {}


def test_lines_of_our_own_packages_name_nothing():
    y = nn.neuron.MLP(2, [2, 1], rng=0)([1.0, 2.0])
    assert set(names(reverse_topological(y)).values()) == {
        "w0", "w1", "layers.0.neurons.0.b", "layers.0.neurons.1.b", "layers.1.neurons.0.b"}


def test_the_lines_of_a_doctest():
    said = []

    def tell(value):
        said.append(list(names(reverse_topological(value)[::-1]).values()))

    text = ">>> x = Value(2.0)\n>>> y = x * 3\n>>> tell(y)\n"
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "theirs", "Value": Value, "tell": tell}, "t", None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0
    assert said == [["x", "y"]]
