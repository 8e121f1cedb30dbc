"""Pictures of training: what is in them, in light and dark, that nothing of the model changes, and every error."""

import re
import sys

import numpy as np
import pytest
from matplotlib import style
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import nn
from nn import pictures
from nn.pictures import landscape, outputs
from tests.nn.looking import LABELS, X, looked_at, mlp, texts

rng = np.random.default_rng(0)


class Residual(nn.Module):
    """It calls activations as functions, inside and outside of modules, and a layer twice."""

    def __init__(self):
        self.inner, self.outer = nn.Linear(4, 4, rng=0), nn.Linear(4, 3, rng=1)

    def __call__(self, x):
        for _ in range(2):
            x = x + np.tanh(self.inner(x))
        return self.outer(x)


MAKE = {
    "weight_images": lambda: pictures.weight_images(mlp()[0]),
    "activation_histograms": lambda: pictures.activation_histograms(mlp(), X),
    "gradient_histograms": lambda: pictures.gradient_histograms(mlp(), nn.cross_entropy, X, LABELS),
    "unit_health": lambda: pictures.unit_health(mlp(), X),
    "cost_along_gradient": lambda: pictures.cost_along_gradient(mlp(), nn.cross_entropy, X, LABELS),
    "cost_plane": lambda: pictures.cost_plane(mlp(), nn.cross_entropy, X, LABELS),
    "descent_path": lambda: pictures.descent_path(lambda x, y: 1.5 * x**2 + 0.5 * y**2, (1.0, 2.0), 0.3, 5),
    "nudges": lambda: nn.nudges(mlp(), nn.cross_entropy, X, LABELS).plot(),
}


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(landscape, "GRID", 7)
    monkeypatch.setattr(landscape, "POINTS", 9)


@pytest.mark.parametrize("name", MAKE)
def test_a_figure_in_the_style_that_is_set(name):
    assert isinstance(looked_at(MAKE[name]()), Figure)
    with style.context("dark_background"):
        dark = MAKE[name]()
    assert to_hex(dark.get_facecolor()) == "#000000"
    on_colours = {t for axes in dark.axes for t in axes.texts} if name == "cost_plane" else set()
    shown = [t for t in dark.findobj(Text) if t.get_text() and t not in on_colours]
    assert shown and not any(to_hex(t.get_color()) == "#000000" for t in shown)


def test_all_names_have_a_picture_here():
    assert set(pictures.__all__) <= set(MAKE)


class Stateful(nn.Module):
    """Numbers, arrays of two dtypes, running means and noise."""

    def __init__(self):
        self.scale, self.gain = nn.Parameter(2.0), nn.Parameter(np.ones(3))
        self.layers = [nn.Linear(4, 3, rng=0), nn.BatchNorm1d(3), nn.Dropout(0.5, rng=1), nn.ReLU()]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale * self.gain


@pytest.mark.parametrize("name", [name for name in MAKE if name not in ("weight_images", "descent_path", "nudges")])
def test_the_model_is_what_it_was(name):
    model, picture = Stateful(), getattr(pictures, name)
    arguments = (X,) if name in ("activation_histograms", "unit_health") else (nn.cross_entropy, X, LABELS)
    held, state = [(p, p.data) for p in model.parameters()], model.state_dict()
    for p in model.parameters():
        p.grad = np.ones_like(p.data)
    picture(model, *arguments)
    assert all(p.data is data and np.all(p.grad == 1) for p, data in held)
    assert all(np.array_equal(state[path], array) for path, array in model.state_dict().items())
    assert all(m.training for m in model.modules())


@pytest.mark.parametrize("name", MAKE)
def test_without_matplotlib_it_is_said_what_to_install(name, monkeypatch):
    for module in [module for module in sys.modules if module.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=r"pictures need matplotlib: pip install 'nudgegrad\[train\]'"):
        MAKE[name]()


# The table of nudges


def test_nudges_are_drawn_under_their_images():
    model, images = nn.Linear(64, 3, rng=0), rng.random((3, 64)).astype(np.float32)
    table = nn.nudges(model, nn.cross_entropy, images, np.array([2, 0, 1]))[:4]
    axes = looked_at(table.plot()).axes[0]
    assert [image.get_array().shape for image in axes.images] == [(8, 8)] * 3
    said = [t.get_text() for t in axes.texts]
    assert said[1:5] == ["2", "0", "1", "average"] and table[0].weight in said
    assert not MAKE["nudges"]().axes[0].images


def test_nudges_that_are_not_finite_are_red():
    table = nn.nudges(nn.Linear(2, 1, rng=0), nn.mse_loss, np.array([[1.0, np.nan]]), np.ones((1, 1)))
    axes = looked_at(table.plot()).axes[0]
    assert any(to_hex(patch.get_facecolor()) == "#cc0000" for patch in axes.patches)
    assert any("are not finite" in t.get_text() for t in axes.texts)


# Weights


@pytest.mark.parametrize("layer, shape, count, size", [
    (nn.Linear(9, 4, rng=0), None, 4, (3, 3)), (nn.Linear(6, 4, rng=0), (2, 3), 4, (2, 3)),
    (nn.Linear(4, 100, rng=0), None, 64, (2, 2)), (nn.Conv2d(1, 3, 5, rng=0), None, 3, (5, 5)),
    (nn.Conv2d(2, 3, (2, 4), rng=0), None, 6, (2, 4)), (nn.Conv1d(2, 3, 5, rng=0), None, 3, (2, 5)),
    (nn.LSTM(4, 2, rng=0).weight_ih_l0, None, 8, (2, 2)), (np.eye(4), None, 4, (2, 2)),
])
def test_weights_are_images_on_one_scale(layer, shape, count, size):
    axes = looked_at(pictures.weight_images(layer, shape)).axes[0]
    assert len(axes.images) == count
    assert {image.get_array().shape for image in axes.images} == {size}
    assert len({image.get_clim() for image in axes.images}) == 1
    weight = np.asarray(getattr(layer, "weight", layer).data)
    np.testing.assert_array_equal(axes.images[1].get_array().ravel(), weight.reshape(-1, *size)[1].ravel())
    assert ("the first 64 of 100" in axes.get_title(loc="left")) == (count == 64)


def test_a_few_large_weights_do_not_hide_the_others():
    weight = np.linspace(-1, 1, 400).reshape(4, 100)
    weight[0, 0] = -2.0
    few, *_ = pictures.weight_images(weight).axes[0].images
    assert 0.9 < few.get_clim()[1] < 1.1
    weight[0, 0] = -1.0
    assert pictures.weight_images(weight).axes[0].images[0].get_clim() == (-1, 1)


def test_weights_that_are_not_finite_are_said():
    picture = looked_at(pictures.weight_images(np.array([[1.0, np.nan, np.inf, 0.0]])))
    assert "red: 2 weights are nan or infinite" in texts(picture)


# Activations, gradients, units


@pytest.mark.parametrize("model, x, names", [
    (mlp(), X, ["0 Linear", "1 ReLU", "2 Linear"]),
    (nn.Linear(4, 2, rng=0), X, ["Linear"]),
    (Residual(), X, ["inner Linear", "tanh after inner Linear", "outer Linear"]),
    (nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.Softplus(), nn.Dropout(rng=0), nn.Flatten(), nn.Linear(8, 2, rng=0)),
     X.reshape(2, 1, 4, 4), ["0 Conv2d", "1 Softplus", "4 Linear"]),
    (nn.LSTM(4, 3, rng=0), X[None], ["LSTM"]),
    (nn.Sequential(nn.LSTMCell(4, 3, rng=0)), X, ["sigmoid in 0 LSTMCell", "tanh in 0 LSTMCell", "0 LSTMCell"]),
])
def test_layers_are_found_in_the_order_of_the_data(model, x, names):
    assert [layer.name for layer in outputs.outputs("here", model, x)] == names


def test_activations_are_counted():
    model = mlp()
    hidden = np.maximum(X @ model[0].weight.data.T + model[0].bias.data, 0)
    axes = pictures.activation_histograms(model, X).axes[1]
    assert sum(bar.get_height() for bar in axes.patches) == (hidden > 0).sum()
    assert f"{100 * np.mean(hidden == 0):.0f} % are 0" in axes.get_title()
    first = pictures.activation_histograms(model, X).axes[0].patches
    assert {to_hex(bar.get_facecolor()) for bar in first if bar.get_x() < -1e-6} == {"#d55e00"}
    assert {to_hex(bar.get_facecolor()) for bar in first if bar.get_x() > 1e-6} == {"#0072b2"}


def test_a_layer_that_is_called_twice_is_one_histogram():
    axes = pictures.activation_histograms(Residual(), X).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == 2 * X.size


@pytest.mark.parametrize("model, x, said", [
    (mlp(), np.where(X > 1, np.nan, X), r"\d+ nan"), (mlp(), np.full_like(X, np.nan), "none is finite"),
    (nn.Linear(4, 2, bias=False, rng=0), 0 * X, "all are 0"),
])
def test_activations_that_are_not_finite_or_all_0_are_said(model, x, said):
    assert any(re.search(said, t) for t in texts(looked_at(pictures.activation_histograms(model, x))))


def test_gradients_are_counted_by_layer():
    model = mlp()
    said = texts(pictures.gradient_histograms(model, nn.cross_entropy, X, LABELS))
    nn.cross_entropy(model(X), LABELS).backward()
    sizes = np.abs(np.concatenate([p.grad.ravel() for p in model[2].parameters()]))
    assert any(f"median {np.median(sizes[sizes > 0]):.1e}" in t for t in said)
    assert any(f"C = {float(nn.cross_entropy(model(X), LABELS)):.3g} over 8 examples" in t for t in said)


@pytest.mark.parametrize("factor, said", [(0.0, "no gradient"), (np.nan, "43 nan"), (1e30, "median")])
def test_gradients_that_are_0_or_not_finite_are_said(factor, said):
    def cost(output, y):
        return factor * nn.cross_entropy(output, y)

    picture = looked_at(pictures.gradient_histograms(nn.Linear(42, 1, rng=0), lambda a, y: factor * np.sum(a),
                                                     np.ones((1, 42)), LABELS[:1]))
    assert any(said in t for t in texts(picture))


def test_dead_units_are_those_that_are_0_for_all():
    model = mlp()
    model[0].bias.data[[1, 3]] = -100
    assert "2 dead: 1, 3" in texts(pictures.unit_health(model, X))
    model[0].bias.data[[1, 3]] = 100
    assert "all 5 at work" in texts(pictures.unit_health(model, X))


def test_a_maximum_with_0_is_a_relu():
    model = nn.Sequential(nn.Linear(4, 3, rng=0), lambda x: np.maximum(x, 0), nn.Linear(3, 1, rng=0))
    model[0].bias.data[2] = -100
    assert {"1 dead: 2", "relu after 0 Linear"} <= set(texts(pictures.unit_health(model, X)))


@pytest.mark.parametrize("function", [np.tanh, nn.Sigmoid(), nn.Tanh()])
def test_saturated_units_are_near_a_limit_for_nearly_all(function):
    layer = nn.Linear(1, 3, bias=False, rng=0)
    layer.weight.data[:] = [[0.1], [50.0], [50.0]]
    model = nn.Sequential(layer, function)
    x = np.linspace(-1, 1, 101)[:, None]
    assert "2 saturated: 1, 2" in texts(pictures.unit_health(model, x + 1.5))
    assert "all 3 at work" in texts(pictures.unit_health(model, 0.02 * x))
    rarely = np.where(np.arange(100)[:, None] < 6, 0.001, 2.0)  # 6 of 100 are between the limits
    assert "all 3 at work" in texts(pictures.unit_health(model, rarely))
    assert "2 saturated: 1, 2" in texts(pictures.unit_health(model, rarely[2:]))
    layer.weight.data[:] = [[0.1], [50.0], [np.nan]]
    assert "1 saturated: 1\n1 nan or inf: 2" in texts(pictures.unit_health(model, x + 1.5))


def test_units_of_maps_are_channels_and_of_sequences_features():
    x = X.reshape(2, 1, 4, 4)
    model = nn.Sequential(nn.Conv2d(1, 3, 3, rng=0), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())
    model[1].bias.data[1] = -100
    assert "1 dead: 1" in texts(pictures.unit_health(model, x))
    line = nn.Sequential(nn.Conv1d(1, 3, 2, rng=0), nn.ReLU())
    line[0].bias.data[2] = -100
    assert "1 dead: 2" in texts(pictures.unit_health(line, X[:, None]))
    words = nn.Sequential(nn.Linear(4, 5, rng=0), nn.ReLU())
    words[0].bias.data[4] = -100
    assert "1 dead: 4" in texts(pictures.unit_health(words, X[None]))


# What is refused

TAKES_X = ["activation_histograms", "unit_health"]
TAKES_COST = ["gradient_histograms", "cost_along_gradient", "cost_plane"]
WEIGHTS, PATH = pictures.weight_images, pictures.descent_path
ERRORS = [
    *[(TypeError, f"{name}: model must be a module, got 3", getattr(pictures, name), (3, X)) for name in TAKES_X],
    *[(ValueError, f"{name}: model has no parameters: ReLU()", getattr(pictures, name), (nn.ReLU(), X))
      for name in TAKES_X],
    *[(ValueError, f"{name}: there are no examples: x has no rows", getattr(pictures, name), (mlp(), X[:0]))
      for name in TAKES_X],
    *[(TypeError, f"{name}: model must be a module, got 3", getattr(pictures, name), (3, nn.cross_entropy, X, LABELS))
      for name in TAKES_COST],
    *[(TypeError, f"{name}: cost must be a function of output and target", getattr(pictures, name), (mlp(), 3, X, X))
      for name in TAKES_COST],
    *[(ValueError, f"{name}: x has 8 rows and y has 7", getattr(pictures, name),
       (mlp(), nn.cross_entropy, X, LABELS[1:])) for name in TAKES_COST],
    (TypeError, "gradient_histograms: the cost must be a Value computed from the model, got float",
     pictures.gradient_histograms, (mlp(), lambda a, y: 1.0, X, LABELS)),
    (ValueError, "cost_along_gradient: the gradient is 0 in all components", pictures.cost_along_gradient,
     (mlp(), lambda a, y: 0 * np.sum(a), X, LABELS)),
    (ValueError, "cost_plane: the cost must be one number, the mean over the examples; got the shape (8, 3)",
     pictures.cost_plane, (mlp(), lambda a, y: a, X, LABELS)),
    (TypeError, "cost_plane: rng must be a numpy.random.Generator", pictures.cost_plane,
     (mlp(), nn.cross_entropy, X, LABELS, None)),
    (ValueError, "unit_health: Linear computes no ReLU, sigmoid or tanh", pictures.unit_health,
     (nn.Linear(4, 2, rng=0), X)),
    (TypeError, "weight_images: MLP has no weight of its own; pass one of its layers: 0, 2", WEIGHTS, (mlp(),)),
    (TypeError, "weight_images: ReLU has no weight of its own; pass a module that has one, or a parameter", WEIGHTS,
     (nn.ReLU(),)),
    (TypeError, "weight_images: layer must be a module with a weight, or an array of weights, got 3", WEIGHTS, (3,)),
    (ValueError, "weight_images: Linear.weight has 6 inputs, which are no square: pass shape=(height, width) with "
                 "height · width = 6, such as shape=(1, 6)", WEIGHTS, (nn.Linear(6, 2, rng=0),)),
    (ValueError, "weight_images: shape must be (height, width) with height · width = 6, the inputs of Linear.weight; "
                 "got (2, 2)", WEIGHTS, (nn.Linear(6, 2, rng=0), (2, 2))),
    (ValueError, "weight_images: Conv2d.weight has images of (5, 5) already; leave out shape=(28, 28)", WEIGHTS,
     (nn.Conv2d(1, 2, 5, rng=0), (28, 28))),
    (ValueError, "weight_images: LayerNorm.weight has the shape (3,); expected (neurons, inputs)", WEIGHTS,
     (nn.LayerNorm(3),)),
    (TypeError, "descent_path: cost must be a function of two numbers, cost(x, y), got 3", PATH, (3, (0, 0), 1, 1)),
    (TypeError, "descent_path: cost must give one number for two, got array([1., 2.])", PATH,
     (lambda x, y: np.array([1.0, 2.0]), (0, 0), 1, 1)),
    (ValueError, "descent_path: start must be two finite numbers, such as (1.0, 2.0), got (0, 0, 0)", PATH,
     (abs, (0, 0, 0), 1, 1)),
    (ValueError, "descent_path: start must be two finite numbers, such as (1.0, 2.0), got (0, nan)", PATH,
     (abs, (0, np.nan), 1, 1)),
    (ValueError, "descent_path: lr must be above 0, got 0", PATH, (abs, (0, 0), 0, 1)),
    (ValueError, "descent_path: steps must be a positive integer, got 0", PATH, (abs, (0, 0), 1, 0)),
]


@pytest.mark.parametrize("kind, text, picture, arguments", ERRORS, ids=[text[:50] for _, text, *_ in ERRORS])
def test_errors(kind, text, picture, arguments):
    *given, last = arguments
    with pytest.raises(kind, match=re.escape(text)):
        picture(*given, rng=last) if picture is pictures.cost_plane and last is None else picture(*arguments)
