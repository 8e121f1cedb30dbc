"""What ``gradcheck`` says of calls that it cannot make sense of: which argument, what came, and the line to write."""

from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value

gradcheck: Any = autograd.gradcheck  # of which a type checker refuses the calls

X = np.array([0.5, 0.3, -0.2])
MODEL = nn.Linear(3, 2, rng=np.random.default_rng(0))
MASKED: Any = np.ma.masked_greater(X, 0.4)
BATCH, TARGET = np.ones((4, 3)), np.zeros((4, 2))


def changing_shape(x):
    return x[:1 if x.data[0] > 0.5 else 2]


def only_here(x):
    if not np.array_equal(x.data, X):
        raise ValueError("somewhere else")
    return x * x


ERRORS = [  # name, call, exception, phrases wanted in its text and notes
    ("modes", lambda: gradcheck(np.sin, X, modes="backward"), ValueError, ["modes: expected 'reverse' or 'forward'"]),
    ("no modes", lambda: gradcheck(np.sin, X, modes=()), ValueError, ["modes: expected at least one"]),
    ("modes of None", lambda: gradcheck(np.sin, X, modes=None), TypeError, ["modes: expected", "got None"]),
    ("wrt", lambda: gradcheck(lambda x: x, X, wrt="z"), ValueError, ["wrt: there is no 'z'", "one of x"]),
    ("wrt of 5", lambda: gradcheck(lambda x: x, X, wrt=5), ValueError, ["wrt: there is no 5"]),
    ("wrt of True", lambda: gradcheck(lambda x: x, X, wrt=True), ValueError, ["wrt: there is no True"]),
    ("wrt of 1.5", lambda: gradcheck(lambda x: x, X, wrt=1.5), TypeError, ["wrt: expected positions", "write wrt=0"]),
    ("wrt of nothing", lambda: gradcheck(lambda x: x, X, wrt=[]), TypeError, ["wrt: it chooses nothing"]),
    ("rng", lambda: gradcheck(np.sin, X, rng="a"), TypeError, ["rng: expected", "got 'a'", "write rng=0"]),
    ("rng of -1", lambda: gradcheck(np.sin, X, rng=-1), TypeError, ["rng: expected", "got -1"]),
    ("directions", lambda: gradcheck(np.sin, X, directions=0), ValueError, ["directions: expected a positive integer"]),
    ("directions of True", lambda: gradcheck(np.sin, X, directions=True), ValueError, ["directions: ", "got True"]),
    ("order", lambda: gradcheck(np.sin, X, order=3), ValueError, ["order: expected 1 or 2, got 3"]),
    ("order of True", lambda: gradcheck(np.sin, X, order=True), ValueError, ["order: expected 1 or 2, got True"]),
    ("order of an array", lambda: gradcheck(np.sin, X, order=np.array([1, 2])), ValueError, ["order: expected 1 or 2"]),
    ("rtol", lambda: gradcheck(np.sin, X, rtol=-1.0), ValueError, ["rtol: expected a number that is not negative"]),
    ("rtol of nan", lambda: gradcheck(np.sin, X, rtol=float("nan")), ValueError, ["rtol: ", "got nan"]),
    ("rtol of text", lambda: gradcheck(np.sin, X, rtol="a"), ValueError, ["rtol: ", "got 'a'"]),
    ("atol of infinity", lambda: gradcheck(np.sin, X, atol=float("inf")), ValueError, ["atol: ", "got inf"]),
    ("loss", lambda: gradcheck(MODEL, BATCH, TARGET, loss="mse"), TypeError, ["loss: expected a function",
     "got 'mse'"]),
    ("loss, no target", lambda: gradcheck(MODEL, BATCH, loss=nn.mse_loss), TypeError,
     ["loss: needs an input and a target, got 1 input;", "gradcheck(model, x, y, loss=...)"]),
    ("target, no loss", lambda: gradcheck(MODEL, BATCH, TARGET), TypeError,
     ["called f with 2 inputs; a network with a target needs loss=..."]),
    ("the class of a network", lambda: gradcheck(nn.Linear, X), TypeError, ["the class Linear",
     "gradcheck(Linear(...), x)"]),
    ("f called already", lambda: gradcheck(np.sin(Value(X)), X), TypeError, ["f: expected a function",
     "gradcheck(f, x)"]),
    *((f"f gives {what}", lambda y=y: gradcheck(lambda x: y(x), X), TypeError, ["f must return a Value",
     f"returned {what}"])
      for what, y in [("NoneType", lambda x: None), ("int", lambda x: 3), ("float", lambda x: float(x.data[0])),
                      ("ndarray", lambda x: x.data * 2), ("str", lambda x: "a"), ("tuple", lambda x: (None, 3, "a")),
                      ("list", lambda x: []), ("generator", lambda x: (part for part in x))]),
    ("f gives complex", lambda: gradcheck(lambda x: x * 1j, X), TypeError, ["real numbers", "complex128",
     "np.real(...)"]),
    ("no inputs", lambda: gradcheck(np.sin), TypeError, ["no inputs; gradcheck needs the inputs",
     "gradcheck(f, x, ...)"]),
    ("nothing in the inputs", lambda: gradcheck(np.sum, []), TypeError, ["inputs: they hold no floats"]),
    *((f"input of {name}", lambda x=x: gradcheck(lambda x: x * x, x), TypeError, ["x: expected floats, got", better])
      for name, x, better in [
          ("int", 3, "write 3.0"), ("bool", True, "write 1.0"), ("ints", np.arange(3), "np.array(x, dtype=float)"),
          ("text", "a", "got 'a'"), ("None", None, "name the others in wrt="), ("range", range(3),
           "np.array(x, dtype=float)"),
          ("objects", np.array([1.0], object), "np.array(x, dtype=float)"), ("complex", 1j,
           "f(a + 1j * b), x.real, x.imag"),
          ("complex numbers", X + 1j, "x.imag"), ("a complex Value", Value(1j), "x.imag"),
          ("a masked array", MASKED, "x.filled(0.0)"),
          ("a generator", (0.5 for _ in range(3)), "np.array(list(x), dtype=float)")]),
    ("an int in a dict", lambda: gradcheck(lambda d: d["a"], {"a": 1}), TypeError, ["d['a']: expected floats, got 1"]),
    ("shapes that change", lambda: gradcheck(changing_shape, X), ValueError,
     ["at one point and of", "at another: its outputs must keep their shapes"]),
    ("f that raises", lambda: gradcheck(lambda x: {}["mine"], X), KeyError, ["mine",
     "gradcheck called f with 1 input"]),
    ("f that raises beside", lambda: gradcheck(only_here, X), ValueError,
     ["somewhere else", "at a point near the inputs: it must be defined around them"]),
    ("too few inputs", lambda: gradcheck(lambda x, y: x * y, X), TypeError, ["'y'", "gradcheck called f with 1 input"]),
]


@pytest.mark.parametrize(("call", "kind", "phrases"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_the_error_names_the_argument_and_what_to_write(call, kind, phrases):
    with pytest.raises(kind) as caught:
        call()
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    for phrase in phrases:
        assert phrase in text


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_is_no_array():  # its * is another one
    with pytest.raises(TypeError, match=r"x: expected floats, got matrix(.|\n)*write np.array\(x, dtype=float\)"):
        gradcheck(lambda x: x * x, np.asmatrix(X))


def test_numpy_integers_are_integers():
    assert gradcheck(lambda x, y: x * y, X, X, wrt=np.int64(1)).verdicts == {"y": "right"}
    assert gradcheck(lambda x, y: x * y, X, X, wrt=np.array([0])).verdicts == {"x": "right"}
    assert len(gradcheck(np.sin, X, directions=np.int64(3)).elements) == 3


class Interrupted(nn.Module):
    """A network that fails at one of its calls."""

    def __init__(self, error):
        self.layer = nn.Linear(3, 2, rng=np.random.default_rng(0), dtype=float)
        self.error, self.left = error, 7

    def __call__(self, x):
        self.left -= 1
        if not self.left:
            raise self.error
        return self.layer(x)


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()], ids=["an error", "an interrupt"])
def test_a_network_has_its_parameters_back_when_f_raises(error):
    model = Interrupted(error)
    before = [(p, p.data, p.data.copy()) for p in model.parameters()]
    with pytest.raises(type(error)):
        gradcheck(model, BATCH, TARGET, loss=nn.mse_loss)
    for p, data, numbers in before:
        assert p.data is data
        assert p.grad is None
        np.testing.assert_array_equal(data, numbers)
