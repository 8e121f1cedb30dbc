"""``formula``: how expressions are written, the steps of the chain rule, and that they say what the rules compute."""

import ast
import re
from functools import partial

import numpy as np
import pytest

import nn
from autograd import Value, formula, functions, no_grad
from autograd.drawing.equations import Equations, Given, Slope
from autograd.drawing.forms import FORMS
from autograd.drawing.notation import Latex, Text, simplified, template
from autograd.drawing.numbers import gradients
from autograd.functions import sigmoid


def neuron() -> Value:
    w, b, a0, y = Value(1.5), Value(-0.25), Value(0.5), 1.0
    z = w * a0 + b
    a1 = sigmoid(z)
    C0 = (a1 - y) ** 2
    return C0


NEURON = """\
w = 1.5    b = −0.25    a0 = 0.5    y = 1

z  = w·a0 + b = 0.5
a1 = σ(z) = 0.6225
C0 = (a1 − y)² = 0.1425

∂C0/∂a1 = 2(a1 − y) = −0.7551
∂C0/∂z  = ∂C0/∂a1 · σ′(z) = −0.1774
∂C0/∂w  = ∂C0/∂z · a0 = −0.08872
∂C0/∂a0 = ∂C0/∂z · w = −0.2662
∂C0/∂b  = ∂C0/∂z = −0.1774

σ′(x) = σ(x)(1 − σ(x))"""

NEURON_LATEX = r"""\begin{aligned}
w &= 1.5 \\
b &= -0.25 \\
a_{0} &= 0.5 \\
y &= 1 \\
z &= w \cdot a_{0} + b = 0.5 \\
a_{1} &= \sigma\left(z\right) = 0.6225 \\
C_{0} &= {\left(a_{1} - y\right)}^{2} = 0.1425 \\
\frac{\partial C_{0}}{\partial a_{1}} &= 2 \left(a_{1} - y\right) = -0.7551 \\
\frac{\partial C_{0}}{\partial z} &= \frac{\partial C_{0}}{\partial a_{1}} \cdot \sigma'\left(z\right) = -0.1774 \\
\frac{\partial C_{0}}{\partial w} &= \frac{\partial C_{0}}{\partial z} \cdot a_{0} = -0.08872 \\
\frac{\partial C_{0}}{\partial a_{0}} &= \frac{\partial C_{0}}{\partial z} \cdot w = -0.2662 \\
\frac{\partial C_{0}}{\partial b} &= \frac{\partial C_{0}}{\partial z} = -0.1774 \\
&\sigma'(x) = \sigma(x)\left(1 - \sigma(x)\right)
\end{aligned}"""


def test_the_neuron_of_the_notes():
    said = formula(neuron())
    assert str(said) == repr(said) == said.text == NEURON
    assert said.latex == NEURON_LATEX
    assert said._repr_latex_() == f"$$\n{NEURON_LATEX}\n$$"
    assert said.equations[0] == ("z", "w·a0 + b", " = 0.5")
    assert said.steps[1] == ("∂C0/∂z", "∂C0/∂a1 · σ′(z)", " = −0.1774")


def test_a_layer_with_its_shapes():
    x = np.arange(8.0).reshape(4, 2) / 8
    W, b = Value([[1.0, -1.0], [0.5, 0.25], [2.0, 1.0]]), Value([0.0, 0.5, -1.0])
    h = np.tanh(x @ W.T + b)
    cost = (h * h).mean()
    assert str(formula(cost)) == """\
W   (3, 2), −1 … 2    b   (3,), −1 … 0.5    x   (4, 2), 0 … 0.875

h    = tanh(x @ Wᵀ + b)   (4, 3), −0.7039 … 0.8798
cost = mean(h·h) = 0.2854

∂cost/∂h = 1/12·h + 1/12·h   (4, 3), −0.1173 … 0.1466
∂cost/∂W = (xᵀ @ (∂cost/∂h · (1 − h²)))ᵀ   (3, 2), −0.04081 … 0.11
∂cost/∂b = sum(∂cost/∂h · (1 − h²), axis=0)   (3,), −0.08162 … 0.2317"""


def test_time_steps_are_numbered():
    w, h = Value(0.5), Value(1.0)
    for _ in range(2):
        h = np.tanh(h * w)
    assert str(formula(h)) == """\
w = 0.5    h₁ = 1

h₂ = tanh(h₁·w) = 0.4621
h₃ = tanh(h₂·w) = 0.227

∂h₃/∂h₂ = (1 − h₃²)·w = 0.4742
∂h₃/∂h₁ = ∂h₃/∂h₂ · (1 − h₂²) · w = 0.1865
∂h₃/∂w  = (1 − h₃²)·h₂ + ∂h₃/∂h₂ · (1 − h₂²) · h₁ = 0.8113"""


def test_nan_and_infinities_are_marked():
    x = Value([1.0, np.nan], name="x")
    said = formula((x * np.inf).sum())
    assert str(said) == """\
x   (2,), 1, 1 nan!

f = sum(x·inf!) = nan!

∂f/∂x = inf!   (2,), 2 inf!"""
    assert r"\textcolor{#CC0000}{\mathrm{nan!}}" in said.latex
    assert said.latex.count(r"\textcolor") == 5


@pytest.mark.parametrize("name", ['a "quoted" name', "a\\b", "<angle>", "{brace|bar}", "x & y", "50%", "a^b_c~d$#"])
def test_names_of_every_kind(name):
    said = formula(Value(2.0, name=name) * 3)
    assert said.text.splitlines()[2] == f"f = ⟨{name}⟩·3 = 6"
    line = next(line for line in said.latex.splitlines() if line.startswith("f &="))
    inside = re.fullmatch(r"f &= \\mathrm\{(.*)\} \\cdot 3 = 6 \\\\", line)[1]
    bare = re.sub(r"\\[a-z]+(\{\})? ?|\\.", "", inside)  # what LaTeX reads as characters
    assert not set(bare) & set("{}_^~&%$#\\")


LINES = [  # written with x, y, and z, which are Values; the expression, and its LaTeX
    (lambda x, y, z: x - (y - z), "x − (y − z)", "x - \\left(y - z\\right)"),
    (lambda x, y, z: x - y - z, "x − y − z", "x - y - z"),
    (lambda x, y, z: x + (y - z), "x + y − z", "x + y - z"),
    (lambda x, y, z: x * (y + z), "x·(y + z)", "x \\cdot \\left(y + z\\right)"),
    (lambda x, y, z: x / (y * z), "x/(y·z)", "\\frac{x}{y \\cdot z}"),
    (lambda x, y, z: x / y / z, "x/y/z", "\\frac{\\frac{x}{y}}{z}"),
    (lambda x, y, z: x * (y / z), "x·y/z", "x \\cdot \\frac{y}{z}"),
    (lambda x, y, z: -x * y, "(−x)·y", "\\left(-x\\right) \\cdot y"),
    (lambda x, y, z: -(x * y), "−x·y", "-x \\cdot y"),
    (lambda x, y, z: x * -y, "x·(−y)", "x \\cdot \\left(-y\\right)"),
    (lambda x, y, z: x + -y, "x + (−y)", "x + \\left(-y\\right)"),
    (lambda x, y, z: -np.negative(x), "−(−x)", "-\\left(-x\\right)"),
    (lambda x, y, z: (x**2) ** 3, "(x²)³", "{\\left({x}^{2}\\right)}^{3}"),
    (lambda x, y, z: (-x) ** 2, "(−x)²", "{\\left(-x\\right)}^{2}"),
    (lambda x, y, z: -(x**2), "−x²", "-{x}^{2}"),
    (lambda x, y, z: x**-2, "x⁻²", "{x}^{-2}"),
    (lambda x, y, z: x**0.5, "x^0.5", "{x}^{0.5}"),
    (lambda x, y, z: x ** (y + z), "x^(y + z)", "{x}^{y + z}"),
    (lambda x, y, z: 2 * x, "2x", "2 x"),
    (lambda x, y, z: 2 * (x + y), "2(x + y)", "2 \\left(x + y\\right)"),
    (lambda x, y, z: x * 2, "x·2", "x \\cdot 2"),
    (lambda x, y, z: 2 * np.sin(x), "2·sin(x)", "2 \\sin\\left(x\\right)"),
    (lambda x, y, z: x * -1.5, "x·(−1.5)", "x \\cdot \\left(-1.5\\right)"),
    (lambda x, y, z: 3 - x, "3 − x", "3 - x"),
    (lambda x, y, z: np.sqrt(x) ** 2, "(√x)²", "{\\sqrt{x}}^{2}"),
    (lambda x, y, z: np.sqrt(x + y), "√(x + y)", "\\sqrt{x + y}"),
    (lambda x, y, z: abs(x - y) * z, "|x − y|·z", "\\left|x - y\\right| \\cdot z"),
    (lambda x, y, z: np.exp(-x) * y, "exp(−x)·y", "e^{-x} \\cdot y"),
    (lambda x, y, z: np.where(True, x, y), "where(True, x, y)", "\\operatorname{where}\\left(True, x, y\\right)"),
    (lambda x, y, z: np.maximum(x, 0), "max(x, 0)", "\\max\\left(x, 0\\right)"),
    (lambda x, y, z: x / 3e-9, "x/3e-09", "\\frac{x}{3 \\cdot 10^{-9}}"),
    (lambda x, y, z: np.stack([x, y])[0], "stack([x, y])[0]", "\\operatorname{stack}\\left([x, y]\\right)[0]"),
]


@pytest.mark.parametrize(("function", "text", "latex"), LINES, ids=[row[1] for row in LINES])
def test_how_an_expression_is_written(function, text, latex):
    said = formula(function(Value(2.0, name="x"), Value(3.0, name="y"), Value(4.0, name="z")))
    assert said.equations[-1][1] == text
    assert f"f &= {latex} = " in said.latex.replace(r"\mathrm{True}", "True")


@pytest.mark.parametrize(("text", "wanted"), [
    ("1 * x", "x"), ("x * 1", "x"), ("x / 1", "x"), ("-x * y", "−x·y"), ("x * -y", "−x·y"), ("-x * -y", "x·y"),
    ("-(-x)", "x"), ("x + -y", "x − y"), ("x - -y", "x + y"), ("x + -(y * z)", "x − y·z"), ("1 @ x", "1 @ x"),
    ("fill(x, '(2,)') * y", "x·y"), ("fill(1, '(2,)') / 4 * y", "1/4·y"), ("x @ (y @ z)", "x @ (y @ z)"),
    ("(x * y) @ z", "(x·y) @ z"),
    ("x * (y @ z)", "x·(y @ z)"), ("T(x @ y)", "(x @ y)ᵀ"), ("T(T(x))", "(xᵀ)ᵀ"), ("g * (x > 0)", "g·[x > 0]")])
def test_how_a_slope_is_simplified(text, wanted):
    assert Text(str)(simplified(template(text))) == wanted


# What is written is what the rules compute

A, B, C = (Value(np.random.default_rng(i).uniform(0.2, 0.8, shape), name)
           for i, (name, shape) in enumerate([("A", (2, 3)), ("B", (3,)), ("C", (2, 1))]))
V, S = Value([0.5, -0.25, 2.0], name="V"), Value(0.75, name="S")
MASK = np.array([True, False, True])



def applied(op, arguments: int):
    if arguments == 3:
        return op(MASK, A, B)
    return op(A, B) if arguments == 2 else op(A + 1 if op is np.arccosh else A)


GRAPHS = [(op.__name__, partial(applied, op, len(form.back))) for op, form in FORMS.items()]
GRAPHS += [  # what stands for several forms, or has one of its own
    ("ties", lambda: np.maximum(V, V * 1.0) * np.minimum(B, B * 1.0)),
    ("powers", lambda: A**3 * A**2 + A**1 * A**0 + A**-1),
    ("more powers", lambda: A**0.5 + A**B + 2.0**A),
    ("one element", lambda: A + C * S),
    ("vectors", lambda: (B @ V) * S),
    ("matrix by vector", lambda: A @ V),
    ("vector by matrix", lambda: V @ A.T),
    ("matrices", lambda: A @ A.T @ C),
    ("affine", lambda: functions.affine(A, np.ones((4, 3)) * S, np.ones(4) * S)),
    ("affine weight", lambda: functions.affine(np.eye(3), A, C[:, 0]) * S),
    ("affine of a vector", lambda: functions.affine(V, A)),
    ("sum", lambda: np.sum(A * B) * S),
    ("sum over rows", lambda: np.sum(A * B, axis=0)),
    ("sum over columns", lambda: np.sum(A * B, axis=1) * 2.0),
    ("sum that keeps", lambda: np.sum(A * B, axis=1, keepdims=True) * A),
    ("sum of a product", lambda: np.sum(A @ A.T)),
    ("mean", lambda: np.mean(A**2)),
    ("mean over rows", lambda: np.mean(A, 0) * B),
    ("max", lambda: np.max(A) * S + np.min(B)),
    ("max with ties", lambda: np.max(np.sign(A * 1.0) * S)),
    ("reshape", lambda: A.reshape(3, 2) @ C),
    ("softmax", lambda: functions.softmax(A) * B),
    ("softmax over rows", lambda: functions.softmax(A, axis=0) * B),
    ("log_softmax", lambda: functions.log_softmax(A) * B),
    ("logsumexp", lambda: functions.logsumexp(A) * S),
    ("getitem", lambda: A[1] * B[0] + V[::-1]),
    ("a chain", lambda: np.log(1 + np.exp(-(A * B).sum() / S)) ** 2),
    ("a neuron", neuron),
]


class Evaluated:
    """The number that a tree of a formula stands for; ``shape`` is that of the node whose slope it is."""

    def __init__(self, names, shape) -> None:
        self.names, self.shape = names, shape

    def __call__(self, tree):
        if isinstance(tree, ast.Name):
            return self.names(tree.id)
        if isinstance(tree, ast.Constant):
            return tree.value
        if isinstance(tree, ast.UnaryOp):
            return -self(tree.operand)
        if isinstance(tree, ast.BinOp):
            left, right = np.asarray(self(tree.left), float), np.asarray(self(tree.right), float)
            return {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
                    ast.Pow: np.power, ast.MatMult: np.matmul}[type(tree.op)](left, right)
        if isinstance(tree, ast.Compare):
            compare = {ast.Gt: np.greater, ast.Lt: np.less, ast.Eq: np.equal}[type(tree.ops[0])]
            return compare(self(tree.left), self(tree.comparators[0]))
        if isinstance(tree, ast.Subscript):
            return self(tree.value)[eval(f"np.s_[{tree.slice.value}]")]
        if tree.func.id == "scatter":
            zeros = np.zeros(self.shape)
            np.add.at(zeros, eval(f"np.s_[{tree.args[1].value}]"), self(tree.args[0]))
            return zeros
        settings = {k.arg: ast.literal_eval(k.value.value) for k in tree.keywords}
        name, args = tree.func.id, [self(x) for x in tree.args]
        if name == "reshape":
            return np.reshape(args[0], ast.literal_eval(args[1]))
        if name in ("max", "min") and len(args) == 2:
            name += "imum"
        if name == "mean":
            args = [ast.literal_eval(x) if isinstance(x, str) else x for x in args]
        return MEANING.get(name, getattr(np, name, None) or getattr(functions, name, None))(*args, **settings)


MEANING = {"T": np.transpose, "pi": np.pi, "dsigmoid": lambda x: sigmoid(x) * (1 - sigmoid(x)),
           "fill": lambda g, shape: np.broadcast_to(g, ast.literal_eval(shape)), "broadcast": np.expand_dims}


@pytest.mark.parametrize("build", [row[1] for row in GRAPHS], ids=[row[0] for row in GRAPHS])
def test_what_is_written_is_what_the_rules_compute(build):
    value = build()
    equations = Equations(value, 50, 1000, Text(lambda x: "v"))
    found = dict.fromkeys(equations.symbols)
    found.update((node, g) for node, g in gradients(value, equations.nodes) if node in found)

    def names(x):
        if isinstance(x, Slope):
            return found[x.node]
        return x.data if isinstance(x, Value) else equations.given[x] if isinstance(x, Given) else MEANING[x]

    for node, tree in equations.trees.items():
        np.testing.assert_allclose(Evaluated(names, ())(tree), node.data, rtol=1e-12)
    for node, g in found.items():
        if node is not value:
            tree = equations.slope(node)
            said = Text(lambda x: "v")(tree) + Latex(lambda x: "v")(tree)
            assert "partial" not in said and "∂" not in said
            np.testing.assert_allclose(np.broadcast_to(Evaluated(names, node.shape)(tree), node.shape), g, rtol=1e-10)


@pytest.mark.parametrize(("build", "step"), [
    (lambda x: np.cumsum(x).sum(), "∂cumsum/∂x₁(x)"),
    (lambda x: np.linalg.norm(x), "∂norm/∂x₁(x)"),
    (lambda x: np.concatenate([np.ones(2), x]).sum(), "∂concatenate/∂x₁[1]([k1, x])"),
    (lambda x: np.einsum("i,i->", np.ones(3), x), "∂einsum/∂x₃(i,i->, k1, x)"),
    (lambda x: np.linalg.eigh(np.diag(x))[0].sum(), "∂eigh[0]/∂x₁(diag(x)) · ∂diag/∂x₁(x)"),
])
def test_any_other_function_has_partial_derivatives(build, step):
    said = formula(build(Value([1.0, 2.0, 3.0], name="x")))
    assert said.steps[-1][:2] == ("∂f/∂x", step)


def test_a_long_expression_is_cut_into_lines():
    x = Value(2.0)
    terms = [np.sin(x * k) for k in range(1, 13)]
    total = sum(terms[1:], terms[0])
    assert str(formula(total)) == """\
x = 2

v1    = sin(x·1) + sin(x·2) + sin(x·3) + sin(x·4) + sin(x·5) + sin(x·6) = −0.2182
total = v1 + sin(x·7) + sin(x·8) + sin(x·9) + sin(x·10) + sin(x·11) + sin(x·12) = −0.2679

∂total/∂v1 = 1
∂total/∂x  = cos(x·12)·12 + cos(x·11)·11 + cos(x·10)·10 + cos(x·9)·9 + … (8 more terms) = −1.147"""


def test_a_long_step_is_broken_between_its_terms():
    a_long_name, another_name, x = Value(2.0), Value(3.0), Value(0.5)
    said = formula(np.sin(a_long_name * x + another_name) * np.cos(another_name * x) + x * a_long_name)
    assert str(said).splitlines()[4:] == [
        "∂f/∂a_long_name  = x + cos(another_name·x)·cos(a_long_name·x + another_name)·x = 0.4769",
        "∂f/∂x            = a_long_name",
        "                 − sin(a_long_name·x + another_name)·sin(another_name·x)·another_name",
        "                 + cos(another_name·x)·cos(a_long_name·x + another_name)·a_long_name = 4.172",
        "∂f/∂another_name = −sin(a_long_name·x + another_name)·sin(another_name·x)·x",
        "                 + cos(another_name·x)·cos(a_long_name·x + another_name) = 0.3312"]


def test_a_long_graph_is_cut_off():
    w, h = Value(0.5), Value(1.0)
    for _ in range(500):
        h = h * w
        h = h + 1
    said = formula(h)
    lines = str(said).splitlines()
    assert (len(said.equations), len(said.steps)) == (25, 24)
    assert lines[2] == "… 975 more; draw(value) folds them"
    assert lines[-1] == "… 975 more; draw(value) folds them"
    assert lines[3] == "h₉₇₇  = h₉₇₆ + 1 = 2"
    assert not any("∂w" in name for name, *_ in said.steps)  # whose other uses are not shown


def test_gradients_of_the_user_stay():
    x = Value(2.0)
    y = x * x
    y.backward()
    formula(y)
    assert (x.grad, y.grad) == (4.0, 1.0)


def test_what_no_gradient_flows_to():
    x, mask = Value([1.0, 2.0], name="x"), Value([0.0, 1.0], name="mask")
    said = formula(np.where(mask, x, 0.0).sum())
    assert "∂f/∂mask = none: no gradient flows back to it" in str(said)


@pytest.mark.parametrize(("value", "text"), [
    (Value(3.0, name="x"), "x = 3\nit was not computed from anything"),
    (Value([1.0, 2.0]), "f   (2,), 1 … 2\nit was not computed from anything"),
    ((Value(3.0, name="x") * 2).detach(), "f = 6\nit was detached or computed under no_grad, so that nothing leads to "
                                          "what it was computed from"),
])
def test_a_leaf(value, text):
    assert str(formula(value)) == text
    assert formula(value).steps == ()


def test_what_was_computed_under_no_grad():
    with no_grad():
        y = Value(3.0) * 2
    assert "no_grad" in str(formula(y))


@pytest.mark.parametrize(("other", "said"), [
    (3.0, "float 3.0"), (np.ones(2), "ndarray array([1., 1.])"), ([Value(1.0)], "list [Value(data=1.0, grad=None)]"),
    (None, "NoneType None")])
def test_only_values_have_a_formula(other, said):
    with pytest.raises(TypeError, match=re.escape(f"formula: expected a Value, such as a cost computed from Values, "
                                                  f"got {said}")):
        formula(other)


def test_a_network():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Sigmoid(), nn.Linear(2, 1, rng=1))
    x = np.ones((4, 3), np.float32)
    out = model(x)
    said = str(formula((out**2).sum()))
    assert "out = σ(k1 @ 0.weightᵀ + 0.bias) @ 2.weightᵀ + 2.bias   (4, 1)" in said
    assert "∂f/∂2.weight = (∂f/∂out)ᵀ @ σ(k1 @ 0.weightᵀ + 0.bias)   (1, 2)" in said
    assert "∂f/∂2.bias   = sum(∂f/∂out, axis=0)   (1,)" in said
