"""The table of nudges: its numbers against plain gradients, its rows, how it looks, and the text of every error."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import nn
from autograd import Value, per_example_gradients

rng = np.random.default_rng(0)
X = rng.normal(size=(6, 4)).astype(np.float32)
LABELS = np.array([2, 0, 1, 2, 1, 0])


class Odd(nn.Module):
    """A number, parameters that are shared and unused, noise and running means."""

    def __init__(self):
        self.scale, self.unused = nn.Parameter(2.0), nn.Parameter(np.ones(2))
        self.layers = [nn.Linear(4, 3, rng=0), nn.BatchNorm1d(3), nn.Dropout(0.5, rng=1)]
        self.again = self.layers[0]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale


class Recurrent(nn.Module):
    def __init__(self):
        self.lstm, self.output = nn.LSTM(2, 3, batch_first=True, rng=0), nn.Linear(3, 3, rng=1)

    def __call__(self, x):
        sequences, lengths = x
        return self.output(self.lstm(sequences, lengths=lengths)[1][0][-1])


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3, rng=1))


CASES = {
    "sigmoids": (nn.MLP([4, 5, 3], nn.Sigmoid, nn.Sigmoid, rng=0), nn.quadratic_cost, X, nn.data.one_hot(LABELS, 3)),
    "labels": (nn.MLP([4, 5, 3], rng=0), nn.cross_entropy, X, LABELS),
    "numbers": (nn.Linear(4, 1, rng=0), nn.mse_loss, X, X[:, :1]),
    "odd": (Odd(), nn.cross_entropy, X, LABELS),
    "images": (convolutional(), nn.cross_entropy, rng.normal(size=(6, 1, 4, 4)).astype(np.float32), LABELS),
    "sequences": (Recurrent(), nn.cross_entropy, (rng.normal(size=(6, 5, 2)), np.array([5, 1, 2, 3, 4, 5])), LABELS),
}


def by_name(table):
    return {row.weight: row for row in table}


@pytest.mark.parametrize("case", CASES)
def test_the_average_is_the_negative_gradient_of_the_mean_cost(case):
    model, cost, x, y = CASES[case]
    for p in model.parameters():
        p.grad = np.ones_like(p.data)  # from before
    table = by_name(nn.nudges(model, cost, x, y))
    model.eval()
    model.zero_grad()
    cost(model(x), y).backward()
    assert len(table) == sum(p.size for p in model.parameters())
    for path, p in model.named_parameters():
        for index in np.ndindex(p.shape):
            row = table[f"{path}[{', '.join(map(str, index))}]" if index else path]
            wanted = 0 if p.grad is None else -np.asarray(p.grad)[index]
            np.testing.assert_allclose(row.average, wanted, rtol=2e-4, atol=2e-7)
    model.zero_grad()
    model.train()


def test_the_columns_are_the_gradients_of_the_examples():
    model, cost, x, y = CASES["labels"]

    def one(weights, x, y):
        hidden = np.maximum(weights["0.weight"] @ x + weights["0.bias"], 0)
        logits = weights["2.weight"] @ hidden + weights["2.bias"]
        return np.log(np.sum(np.exp(logits))) - logits[y]

    table = by_name(nn.nudges(model, cost, x, y))
    for path, g in per_example_gradients(one, model.state_dict(), x, y).items():
        for index in np.ndindex(g.shape[1:]):
            row = table[f"{path}[{', '.join(map(str, index))}]"]
            np.testing.assert_allclose(row.examples, -g[(slice(None), *index)], rtol=1e-4, atol=1e-6)


def test_nothing_changes():
    model, cost, x, y = CASES["odd"]
    outside = Value(3.0)
    outside.grad = 7.0
    for p in model.parameters():
        p.grad = np.ones_like(p.data)
    model.layers[1].training = False
    before, state = [(p, p.data, p.grad) for p in model.parameters()], model.state_dict()
    nn.nudges(model, lambda output, y: cost(output, y) * outside, x, y)
    assert all(p.data is data and p.grad is grad for p, data, grad in before)
    assert all(np.array_equal(state[path], array) for path, array in model.state_dict().items())
    assert outside.grad == 7.0
    assert [m.training for m in model.modules()] == [True, True, False, True]
    model.zero_grad()
    model.train()
    with pytest.raises(ZeroDivisionError):
        nn.nudges(model, lambda output, y: 1 / 0, x, y)
    assert model.training and model.layers[1].training


def test_the_most_wanted_come_first_and_nan_before_them():
    model = nn.Linear(3, 1, rng=0)
    table = nn.nudges(model, nn.mse_loss, np.array([[1.0, 0.0, -5.0], [2.0, 0.0, 3.0]]), np.array([[9.0], [9.0]]))
    assert np.all(np.diff(np.abs(table.average)) <= 0)
    assert table[-1].weight == "weight[0, 1]" and not table[-1].average
    assert not np.signbit(table.examples[-1]).any()
    broken = nn.nudges(nn.Linear(1, 2, rng=0), nn.mse_loss, np.array([[1.0]]), np.array([[9.0, np.nan]]))
    assert np.isfinite(broken.average).tolist() == [False, False, True, True]
    text, page = str(broken), broken._repr_html_()
    assert "nan" in text and "are not finite: autograd.explain_nan" in text and "#CC0000" in page


def test_rows_slices_and_parts():
    model, cost, x, y = CASES["labels"]
    table = nn.nudges(model, cost, x, y)
    assert table[0].weight == table[-len(table)].weight and table[3:][0].weight == table[3].weight
    assert {row.weight.partition("[")[0] for row in table["2"]} == {"2.weight", "2.bias"}
    assert [row.weight for row in table["2.bias"]] == [row.weight for row in table if row.weight.startswith("2.bias")]
    assert len(str(table).splitlines()) == 1 + 1 + 15 + 2
    assert len(str(table[:20]).splitlines()) == 1 + 1 + 20 + 1
    assert len(str(table["2.bias"]).splitlines()) == 1 + 1 + 3 + 1
    assert "+ is up, - is down; " in str(table) and " times as much as " in str(table)
    assert table.average.shape == (43,) and table.examples.shape == (43, 6)
    with pytest.raises(IndexError, match=re.escape("nudges: row 43 of 43")):
        table[43]
    with pytest.raises(KeyError, match="nudges: there is no parameter or module '1'; there are: 0"):
        table["1"]


def test_parts_by_whole_names():
    model = nn.Sequential(*(nn.Linear(1, 1, rng=i) for i in range(11)))
    table = nn.nudges(model, nn.mse_loss, X[:1, :1], np.zeros((1, 1)))
    assert {row.weight for row in table["1"]} == {"1.weight[0, 0]", "1.bias[0]"}
    even = nn.nudges(nn.Linear(2, 1, bias=False, rng=0), nn.mse_loss, np.ones((1, 2)), np.zeros((1, 1)))
    assert "weight[0, 0] matters as much as weight[0, 1]" in str(even)


@pytest.mark.parametrize("y, heads", [
    (np.array([2, 7]), ("2", "7")), (np.eye(3)[[2, 0]], ("2", "0")), (np.array([0.5, 1.0]), ("#0", "#1")),
    (np.array([[1.0], [1.0]]), ("#0", "#1")), (np.array([[0.5, 0.5], [1.0, 0.0]]), ("#0", "#1")),
    ((np.array([1, 2]), np.array([1, 2])), ("#0", "#1")),
])
def test_heads(y, heads):
    table = nn.nudges(nn.Linear(4, 1, rng=0), lambda output, y: np.mean(output), X[:2], y)
    assert table.heads == heads


@pytest.mark.parametrize("size, shown", [
    (1.0, "+1.00"), (0.034, "+0.0340"), (-0.5, "-0.500"), (1234.0, "+1234"), (2e-9, "(in units of 1e-09)"),
    (4e7, "(in units of 1e+07)")])
def test_numbers_are_shown_with_three_digits(size, shown):
    w = nn.Linear(1, 1, bias=False, rng=0, dtype=float)
    assert shown in str(nn.nudges(w, lambda output, y: np.sum(output), np.array([[-size]]), np.array([[0.0]])))


class Cells(HTMLParser):
    """The texts of a table's cells, and the tags that are open at its end."""

    def __init__(self, page):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.texts[-1] += data


def test_html_says_what_the_text_says():
    model, cost, x, y = CASES["labels"]
    table = nn.nudges(model, cost, np.tile(x, (2, 1)), np.tile(y, 2))
    cells = Cells(table._repr_html_())
    assert not cells.open
    lines = str(table).splitlines()[1:17]
    assert len(cells.texts) == 16 * 13  # a column for each of ten examples, for those left out, and two more
    for line in lines:
        for word in line.replace(", ", ",").split():
            assert any(word in cell.replace(", ", ",") for cell in cells.texts)
    assert "rgba(0, 114, 178" in table._repr_html_() and "rgba(213, 94, 0" in table._repr_html_()


def test_html_is_escaped():
    class Named(nn.Module):
        def __init__(self):
            self.odd = {"<b>&\"": nn.Parameter([1.0])}

        def __call__(self, x):
            return x * self.odd["<b>&\""]

    page = nn.nudges(Named(), nn.mse_loss, np.ones((1, 1)), np.zeros((1, 1)))._repr_html_()
    assert "odd.&lt;b&gt;&amp;&quot;[0]" in page and "<b>" not in page


GOOD = CASES["labels"]
ERRORS = [
    (TypeError, "nudges: model must be a module, got <function", (lambda x: x, *GOOD[1:])),
    (ValueError, "nudges: model has no parameters: ReLU()", (nn.ReLU(), *GOOD[1:])),
    (TypeError, "nudges: cost must be a function of output and target, such as nn.mse_loss, got 'mse'",
     (GOOD[0], "mse", *GOOD[2:])),
    (ValueError, "nudges: x has 6 rows and y has 5: there must be a row for each example in both",
     (*GOOD[:3], LABELS[:5])),
    (ValueError, "nudges: there are no examples: x and y have no rows", (*GOOD[:2], X[:0], LABELS[:0])),
    (TypeError, "nudges: x must hold arrays with a row for each example, got array(1.)",
     (*GOOD[:2], np.array(1.0), LABELS)),
    (ValueError, "nudges: x holds arrays of 6 and 2 rows: there must be a row for each example in each",
     (*GOOD[:2], (X, X[:2]), LABELS)),
    (TypeError, "nudges: the cost must be a Value computed from the model, got float",
     (GOOD[0], lambda output, y: 1.0, *GOOD[2:])),
    (ValueError, "nudges: the cost must be one number, the mean over the examples; got the shape (1, 3)",
     (GOOD[0], lambda output, y: output, *GOOD[2:])),
    (TypeError, "nudges: weight is complex: a direction up or down is that of real numbers",
     (nn.Linear(4, 3, bias=False, rng=0, dtype=complex), lambda output, y: np.sum(np.abs(output)), *GOOD[2:])),
]


@pytest.mark.parametrize("kind, text, arguments", ERRORS, ids=[text[:40] for _, text, _ in ERRORS])
def test_errors(kind, text, arguments):
    with pytest.raises(kind, match=re.escape(text)):
        nn.nudges(*arguments)
