"""The picture of a network: what is read from the recorded graph, how it is drawn, and the animation of a training."""

import sys
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the extra train is not installed")

import matplotlib
import matplotlib.style
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

import nn
from autograd import no_grad
from nn.pictures import animation, style
from nn.pictures.layers import activity
from nn.pictures.network import NetworkPicture

RNG = np.random.default_rng(0)
PIXELS = RNG.random(64).astype(np.float32)
VECTOR = np.array([0.5, -1.0, 2.0], np.float32)


def digits(**options):
    return nn.MLP([64, 5, 3], nn.Sigmoid, nn.Sigmoid, rng=0, **options)


def small(output=nn.Sigmoid):
    return nn.MLP([3, 4, 2], nn.Sigmoid, output, rng=0)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def read(model, x, *args):
    return activity("test", model, x, *args)


def drawn(found):
    picture = NetworkPicture(found)
    picture.show(found, "")
    return picture


# What is read


def test_columns_and_nudges_are_those_of_the_formulas():
    model, y = small(), np.array([0.0, 1.0])
    found = read(model, VECTOR, 1)
    (w1, b1), (w2, b2) = ((layer.weight.data, layer.bias.data) for layer in (model[0], model[2]))
    a1 = 1 / (1 + np.exp(-(w1 @ VECTOR + b1)))
    a2 = 1 / (1 + np.exp(-(w2 @ a1 + b2)))
    for mine, theirs in zip(found.columns, (VECTOR, a1, a2), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    assert [w.shape for w in found.weights] == [(4, 3), (2, 4)] and found.image is None and found.reads_input
    assert found.ranges == [(-1, 2), (0, 1), (0, 1)]
    nudge = -2 * (a2 - y)
    delta = nudge * a2 * (1 - a2)
    np.testing.assert_allclose(found.output_nudge, nudge, rtol=1e-5)
    np.testing.assert_allclose(found.nudges[1], np.outer(delta, a1), rtol=1e-5)
    np.testing.assert_allclose(found.nudges[0], np.outer(w2.T @ delta * a1 * (1 - a1), VECTOR), rtol=1e-5)
    np.testing.assert_allclose(found.target, y)
    assert found.cost == ("quadratic_cost", pytest.approx(np.sum((a2 - y) ** 2)))


def test_modes_and_gradients_stay():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=0), nn.Linear(4, 2, rng=1),
                          nn.Softmax())
    model[1].eval()
    kept = model[0].weight.grad = np.ones((4, 3), np.float32)
    state = model.state_dict()
    found = read(model, VECTOR, 1)
    assert found.ranges[-1] == (0, 1) and np.abs(found.nudges[0]).max() > 0
    np.testing.assert_array_equal(found.nudges[0][:, 1], -2 * found.nudges[0][:, 0])  # as those of VECTOR, alone
    assert model[0].weight.grad is kept and np.all(kept == 1) and model[3].weight.grad is None
    assert [module.training for module in model] == [True, False, True, True, True]
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


class Own(nn.Module):
    """Layers without a module of their own, with a residual connection, and sums with a reused weight."""

    def __init__(self):
        self.first = nn.Parameter(RNG.standard_normal((3, 4)))
        self.last = nn.Parameter(RNG.standard_normal((2, 4)))
        self.inner = nn.Linear(4, 4, rng=0)

    def __call__(self, x):
        code = np.tanh(x @ self.first)
        code = code + self.inner(code)
        return np.maximum(code @ self.last.T, 0)


def test_layers_of_ones_own():
    model = Own()
    found = read(model, VECTOR, [1.0, 0.0], nn.mse_loss)
    for mine, weight in zip(found.weights, (model.first.data.T, model.inner.weight.data, model.last.data), strict=True):
        np.testing.assert_array_equal(mine, weight)
    assert [nudge.shape for nudge in found.nudges] == [(4, 3), (4, 4), (2, 4)]
    code = np.tanh(VECTOR @ model.first.data)
    np.testing.assert_allclose(found.columns[1], code, rtol=1e-6)
    assert found.ranges[1] == (-1, 1)
    np.testing.assert_allclose(found.columns[2], code + model.inner(code).data, rtol=1e-6)


def test_a_convolutional_network_is_drawn_from_its_first_linear_layer_on():
    model = nn.Sequential(nn.Conv2d(3, 2, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(72, 4, rng=0))
    for x in (np.ones((3, 8, 8)), np.ones((1, 3, 8, 8), np.uint8)):
        found = read(model, x, 3, nn.cross_entropy)
        assert found.image.shape == (8, 8, 3) and not found.reads_input and found.pixels is None
        assert [column.size for column in found.columns] == [72, 4]
        assert found.target.tolist() == [0, 0, 0, 1] and found.cost[0] == "cross_entropy"
    assert {"72 features\n16 shown", "8 × 8", "4 outputs", "⋮"} <= set(texts(nn.draw_network(model, x)))


@pytest.mark.parametrize("shape", [(9,), (1, 9), (1, 1, 9), (1, 1, 1, 9)])
def test_an_example_may_be_a_batch_of_one(shape):
    signal = nn.Sequential(nn.Conv1d(1, 2, 2, rng=0), nn.Flatten(), nn.Linear(16, 3, rng=0))
    image = nn.Sequential(nn.Conv2d(1, 2, (1, 2), rng=0), nn.Flatten(), nn.Linear(16, 3, rng=0))
    for model, axes in (signal, (2, 3)), (image, (3, 4)):
        if len(shape) in axes:
            assert [column.size for column in read(model, np.ones(shape)).columns] == [16, 3]


@pytest.mark.parametrize(("shape", "image"), [
    ((64,), (8, 8)), ((63,), None), ((49,), None), ((1, 64), (8, 8)), ((8, 8), (8, 8)), ((4, 16), (4, 16)),
    ((1, 8, 8), (8, 8)), ((3, 4, 5), (4, 5, 3)), ((5, 2, 3), (6, 9)), ((1, 5, 2, 3), (6, 9)),
])
def test_which_inputs_are_images(shape, image):
    x = np.arange(np.prod(shape)).reshape(shape)
    found = read(nn.Sequential(nn.Flatten(), nn.Linear(x.size, 2, rng=0)), x)
    assert (None if found.image is None else found.image.shape) == image
    if image in [(8, 8), (4, 16)]:
        np.testing.assert_array_equal(found.image[tuple(found.pixels.T)], x.ravel())
    assert (found.pixels is None) == (shape[-3:] == (5, 2, 3) or image is None)


@pytest.mark.parametrize(("target", "cost", "aim"), [
    (1, None, [0, 1]), (np.int64(1), None, [0, 1]), ([0.25, 0.5], None, [0.25, 0.5]), ([[0, 1]], None, [0, 1]),
    (0, nn.nll_loss, [1, 0]), (np.array([1]), nn.cross_entropy, [0, 1]),
    (np.array([7.0]), lambda output, y: np.sum(output - y), None),
])
def test_targets(target, cost, aim):
    found = read(small(), VECTOR, target, cost)
    assert (None if found.target is None else found.target.tolist()) == aim
    assert found.output_nudge.shape == (2,)


def test_a_single_output_takes_a_number():
    model = nn.MLP([3, 1], output=nn.Sigmoid, rng=0)
    found = read(model, VECTOR, 0.25)
    np.testing.assert_allclose(found.output_nudge, 2 * (0.25 - found.columns[-1]), rtol=1e-6)


class Two(nn.Module):
    def __init__(self):
        self.one, self.other = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)

    def __call__(self, x):
        return self.one(x) * self.other(x)


class Summed(Two):
    def __call__(self, x):
        return np.sum(self.one(x), axis=-1)


class Joined(Two):
    def __call__(self, x):
        return np.concatenate([self.one(x), x[:, :1]], axis=1) @ self.other.weight.T


class Pair(Two):
    def __call__(self, x):
        return self.one(x), self.other(x)


@pytest.mark.parametrize(("model", "x", "options", "kind", "message"), [
    ("mlp", VECTOR, {}, TypeError, "model must be a module, such as nn.MLP([784, 16, 10], rng=0), got 'mlp'"),
    (small, VECTOR, {}, TypeError, "model must be a module"),
    (nn.Tanh(), VECTOR, {}, ValueError, "Tanh computed its output without a recorded Linear layer, so there are no"),
    (Pair(), VECTOR, {}, ValueError, "Pair computed its output without"),
    (nn.Conv1d(1, 1, 1, rng=0), [[[1.0]]], {}, ValueError, "Conv1d computed its output without"),
    (small(), "three", {}, TypeError, "x must be an array of real numbers, got one of dtype <U5"),
    (small(), 1j * VECTOR, {}, TypeError, "x must be an array of real numbers, got one of dtype complex"),
    (small(), 3.0, {}, ValueError, "x must be one example, got an array of shape ()"),
    (small(), [], {}, ValueError, "x must be one example, got an array of shape (0,)"),
    (small(), np.ones((2, 3)), {}, ValueError, "the model must give a vector for one example, but gives an array of "
     "shape (1, 2, 2) for x of shape (2, 3); of several examples write x[0] for one"),
    (small(), np.ones((5, 1, 2, 2)), {}, ValueError, "x must be one example, got 5 of them, of shape (5, 1, 2, 2); "
     "write x[0] for one"),
    (small(), np.ones(4), {}, ValueError, "the model does not take x of shape (4,) as one example: Linear(3, 4): "),
    (Two(), VECTOR, {}, ValueError, "the layers must follow one another, but layer 2 reads 3 numbers that are not the "
     "2 of layer 1"),
    (Joined(), VECTOR, {}, ValueError, "but layer 2 reads 3 numbers that are not the 2 of layer 1"),
    (Summed(), VECTOR, {}, ValueError, "the last layer has 2 neurons, but the model gives 1 outputs"),
    (nn.Sequential(nn.Linear(3, 2, rng=0), nn.Flatten()), np.ones((2, 3)), {}, ValueError,
     "the last layer is applied at 2 places at once"),
    (small(), VECTOR, {"target": 2}, ValueError, "target must be a label from 0 to 1, since there are 2 outputs"),
    (small(), VECTOR, {"target": -1}, ValueError, "target must be a label from 0 to 1"),
    (small(), VECTOR, {"target": 1.0}, TypeError, "target must be a label, from 0 to 1, or a vector of 2 numbers, got"),
    (small(), VECTOR, {"target": True}, TypeError, "target must be a label, from 0 to 1"),
    (small(), VECTOR, {"target": "1"}, TypeError, "target must be a label or an array of numbers, got"),
    (small(), VECTOR, {"target": [0, 1, 0]}, ValueError, "or a vector of 2 numbers, got an array of shape (3,)"),
    (small(None), VECTOR, {"target": 1}, ValueError, "the outputs do not come from a sigmoid or softmax, so the cost "
     "that they were trained with is not plain: pass it, such as cost=nn.cross_entropy or cost=nn.mse_loss"),
    (small(), VECTOR, {"target": 1, "cost": lambda output, y: output - y}, TypeError,
     "the cost must be a number computed from the outputs, but cost gave Value(data="),
])
def test_errors(model, x, options, kind, message):
    with pytest.raises(kind) as raised:
        nn.draw_network(model, x, **options)
    assert str(raised.value).startswith("draw_network: ") and message in str(raised.value)


def test_without_a_recording_the_error_says_so():
    with no_grad(), pytest.raises(ValueError, match=r"outside of no_grad\(\)"):
        nn.draw_network(small(), VECTOR)


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"pictures need matplotlib: pip install 'nudgegrad\[train\]'"):
        nn.draw_network(small(), VECTOR)


# How it is drawn


def test_svg_and_png(tmp_path):
    figure = nn.draw_network(digits(), PIXELS, target=2)
    assert isinstance(figure, Figure) and figure._repr_png_().startswith(b"\x89PNG")
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(tmp_path / "network.svg")
    labels = ["".join(e.itertext()).strip() for e in ElementTree.parse(tmp_path / "network.svg").iter()
              if e.tag.endswith("}text")]
    found = read(digits(), PIXELS, 2)
    title = f"MLP 64-5-3: quadratic_cost {found.cost[1]:.3g} for the target 2"
    widest = f"widest {np.abs(found.nudges[1]).max():.2g}"
    wanted = {title, "64 inputs", "16 shown", "⋮", "8 × 8", "5 neurons", "3 outputs", "0", "1", "2", "target",
              "nudge", "activation 0", "weight should rise", "should fall", widest,
              *(f"{a:.2f}" for a in found.columns[-1])}
    assert wanted <= set(labels)


def test_edges_are_coloured_by_sign_and_as_wide_as_the_weight():
    model = small()
    model[2].weight.data[...] = [[1, -2, 0, 0.5], [4, np.nan, -1, 0]]
    picture = drawn(read(model, VECTOR))
    edges, c = picture.edges[1], style.colours()
    widths = np.array(edges.get_linewidth())
    assert widths[7] == 1  # which is nan
    np.testing.assert_allclose(widths[:7], 0.2 + 2.8 * np.array([0, 0, 0.125, 0.25, 0.25, 0.5, 1]), rtol=1e-6)
    wanted = [c.positive, c.positive, c.negative, c.negative, c.positive, c.alarm]
    for rgba, colour in zip(edges.get_color()[2:], wanted, strict=True):
        assert tuple(rgba[:3]) == to_rgba(colour)[:3]
    (start, end), places = edges.get_segments()[5], picture.places  # the weight -2, from neuron 1 to output 0
    np.testing.assert_allclose([start, end], [places[1][1], places[2][0]])
    assert picture.title.get_text() == "\n2 numbers are nan or infinite"
    assert to_rgba(picture.title.get_color()) == to_rgba(c.alarm)
    assert "widest 4" in texts(picture.figure) and "nan" in texts(picture.figure)


def test_neurons_are_as_bright_as_they_are_active():
    found = read(small(nn.Tanh), VECTOR)
    assert found.ranges == [(-1, 2), (0, 1), (-1, 1)]
    columns = [[-1, 0.5, np.inf], [0, 0.2, 0.4, 1], [-1, 0.5]]
    picture = drawn(found._replace(columns=[np.array(column) for column in columns]))
    fills = picture.neurons.get_facecolor()
    np.testing.assert_allclose(fills[[0, 1, *range(3, 9)], 0], [0, 0.5, 0, 0.2, 0.4, 1, 0, 0.75], atol=0.005)
    assert tuple(fills[2]) == to_rgba(style.RED)
    assert {"−1.00 to 2.00", "0.00 to 1.00", "−1.00 to 1.00"} <= set(texts(picture.figure))


def test_arrows_show_the_nudges_of_the_outputs():
    found = read(small(), VECTOR, 0)._replace(output_nudge=np.array([2.0, -1.0]))
    picture = drawn(found)
    np.testing.assert_allclose(picture.arrows.V, [0.9, -0.45])
    blue, orange = picture.arrows.get_facecolor()
    assert tuple(blue) == to_rgba(style.BLUE) and tuple(orange) == to_rgba(style.ORANGE)


def test_nudges_fade_while_weights_are_relative_to_each_other():
    for target in (None, 0):
        found = read(small(), VECTOR, target)
        fainter = found._replace(weights=[w / 2 for w in found.weights])
        if target is not None:
            fainter = fainter._replace(nudges=[n / 2 for n in found.nudges], output_nudge=found.output_nudge / 2)
        picture = drawn(found)
        before = np.array(picture.edges[0].get_linewidth())
        picture.show(fainter, "")
        part = 1 if target is None else 0.5
        np.testing.assert_allclose(picture.edges[0].get_linewidth(), 0.2 + part * (before - 0.2), rtol=1e-5)
    np.testing.assert_allclose(np.abs(picture.arrows.V).max(), 0.45)


def test_long_layers_show_the_neurons_that_count_most():
    model = nn.MLP([20, 40, 30], nn.Sigmoid, nn.Sigmoid, rng=0)
    x = np.zeros(20, np.float32)
    x[[19, 3]] = 1
    model[0].weight.data[:, 5] = 100  # counts nothing where the input is 0
    found = read(model, x, 29)
    found.output_nudge[:20] = 0
    found.output_nudge[29] = 0
    picture = drawn(found)
    assert [len(shown) for shown in picture.shown] == [16, 16, 16]
    assert {3, 19} <= set(picture.shown[0]) and {*range(20, 30)} <= set(picture.shown[2])  # 29 is the target
    assert "20 inputs\n16 shown" in texts(picture.figure) and texts(picture.figure).count("⋮") == 3
    heights = picture.places[1][:, 1]
    assert heights[7] - heights[8] == 2 and heights[0] == -heights[-1] == 8


def test_of_an_image_one_pixel_of_each_part_is_shown():
    found = read(nn.Sequential(nn.Flatten(), nn.Linear(192, 2, rng=0)), RNG.random((3, 8, 8)))
    (shown, _), counts = drawn(found).shown, np.abs(found.weights[0] * found.columns[0]).sum(0)
    parts = np.arange(192) % 64 // 16 * 4 + np.arange(192) % 8 // 2
    assert sorted(shown) == sorted(max(np.flatnonzero(parts == k), key=counts.__getitem__) for k in range(16))
    narrow = drawn(read(nn.Sequential(nn.Flatten(), nn.Linear(64, 2, rng=0)), np.ones((2, 32)))).shown[0]
    assert len(set(narrow)) == 16
    few = drawn(read(nn.Sequential(nn.Flatten(), nn.Linear(4, 2, rng=0)), nn.Parameter(np.eye(2)))).shown[0]
    assert few.tolist() == [0, 1, 2, 3]


def test_a_recurrent_network_is_drawn_from_its_last_state_on():
    class Last(nn.Module):
        def __init__(self):
            self.cells, self.head = nn.LSTM(3, 5, rng=0, batch_first=True), nn.Linear(5, 2, rng=0)

        def __call__(self, x):
            return self.head(self.cells(x)[0][:, -1])

    found = read(Last(), np.ones((4, 3), np.float32), 1, nn.cross_entropy)
    assert found.image.shape == (4, 3) and [column.size for column in found.columns] == [5, 2]


def test_the_style_is_the_current_one():
    with matplotlib.style.context("dark_background"):
        figure, c = nn.draw_network(small(), VECTOR), style.colours()
    assert c == ("#ffffff", "#000000", style.SKY, style.ORANGE, style.RED)
    assert to_rgba(figure.get_facecolor()) == to_rgba("black")
    assert all(to_rgba(text.get_color()) == to_rgba("white") for text in figure.axes[0].texts)
    assert style.colours()[:3] == ("#000000", "#ffffff", style.BLUE)


def test_texts_do_not_overlap():
    deep = nn.MLP([70, *[20] * 11, 12], nn.ReLU, nn.Softmax, rng=0)
    deep[2].weight.data[0] = np.inf
    for model, x, target in [(digits(), PIXELS, 1), (deep, np.linspace(-10, 10, 70), None),
                             (nn.MLP([2, 1], nn.Tanh, rng=0), [-1, 2], None)]:
        figure = nn.draw_network(model, x, target)
        figure.savefig("/dev/null", format="png")
        axes = figure.axes[0]
        boxes = [text.get_window_extent() for text in [*axes.texts, *axes.get_legend().get_texts(), figure._suptitle]
                 if text.get_text()]
        for i, box in enumerate(boxes):
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
            assert not any(box.overlaps(other) for other in boxes[:i])


# The animation


IMAGES, LABELS = RNG.random((40, 64)).astype(np.float32), np.eye(3, dtype=np.float32)[np.arange(40) % 3]


def animate(path, train=(IMAGES, LABELS), model=None, **options):
    model = model or digits()
    settings = {"optimizer": nn.SGD(model.parameters(), lr=0.5), "rng": 0, "jit": False, "batch_size": 10} | options
    return nn.animate_training(model, nn.quadratic_cost, train, path, **settings)


def test_a_training_is_animated_and_is_that_of_fit(tmp_path):
    model, twin = digits(), digits()
    history = animate(tmp_path / "learning.gif", model=model, x=PIXELS, target=1, epochs=4,
                      metrics=[nn.metrics.accuracy])
    plain = nn.fit(twin, nn.quadratic_cost, (IMAGES, LABELS), optimizer=nn.SGD(twin.parameters(), lr=0.5), rng=0,
                   epochs=4, batch_size=10, jit=False)
    assert history == plain
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, twin.state_dict()[name])
    assert [path.name for path in tmp_path.iterdir()] == ["learning.gif"]
    with Image.open(tmp_path / "learning.gif") as gif:
        assert gif.n_frames == 1 + 7 + 5  # at 0, after each of the first, then 9, 11, 13, 15, and the last
        assert gif.info["duration"] == animation._MILLISECONDS and gif.info["loop"] == 0
        gif.seek(gif.n_frames - 1)
        assert gif.info["duration"] == animation._LAST


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_was_drawn_stays_where_the_training_ends_early(tmp_path, capsys, error):
    class Ends(nn.Callback):
        def on_step_end(self, run):
            if run.step == 3:
                raise error

    if error is KeyboardInterrupt:
        assert "Interrupted" in animate(tmp_path / "a.gif", callbacks=[Ends()]).stopped
    else:
        with pytest.raises(error):
            animate(tmp_path / "a.gif", callbacks=[Ends()])
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames >= 3


@pytest.mark.parametrize(("path", "options", "message"), [
    ("learning.mp4", {}, r"path must end in .gif, got '.*learning.mp4'"),
    ("a.gif", {"train": lambda rng: [(IMAGES, LABELS)]}, "x must be given where train is no pair of arrays"),
    ("a.gif", {"x": np.ones(3)}, r"animate_training: the model does not take x of shape \(3,\)"),
    ("a.gif", {"x": PIXELS, "target": 3}, "animate_training: target must be a label from 0 to 2"),
])
def test_errors_of_the_animation(tmp_path, path, options, message):
    with pytest.raises(ValueError, match=message):
        animate(tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


def test_a_function_may_give_the_mini_batches(tmp_path):
    animate(tmp_path / "a.gif", train=lambda rng: iter([(IMAGES, LABELS)] * 2), x=IMAGES[0], target=LABELS[0])
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3
