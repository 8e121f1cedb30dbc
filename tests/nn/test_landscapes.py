"""Pictures of costs: along the gradient, on a plane, and under the path of gradient descent."""

import numpy as np
import pytest

import nn
from autograd import Value
from nn import pictures
from nn.pictures import landscape
from tests.nn.looking import LABELS, X, looked_at, mlp, texts


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(landscape, "GRID", 7)
    monkeypatch.setattr(landscape, "POINTS", 9)


def test_parameters_come_back_after_an_error():
    model, calls = mlp(), iter(range(5))

    def cost(output, y):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return nn.cross_entropy(output, y)

    held = [(p, p.data) for p in model.parameters()]
    for picture in (pictures.cost_along_gradient, pictures.cost_plane):
        calls = iter(range(5))
        with pytest.raises(KeyboardInterrupt):
            picture(model, cost, X, LABELS)
        assert all(p.data is data for p, data in held) and model.training


def quadratic(curvature):
    """A model of one parameter w, and a cost curvature/2 · w²."""
    class Point(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(np.array([2.0]))

        def __call__(self, x):
            return self.w * x

    return Point(), lambda output, y: curvature / 2 * np.mean(output * output)


@pytest.mark.parametrize("curvature", [1e-6, 1.0, 1e6])
def test_the_line_shows_the_valley_whatever_its_width(curvature):
    model, cost = quadratic(curvature)
    axes = pictures.cost_along_gradient(model, cost, np.ones((3, 1)), np.ones(3)).axes[0]
    curve, tangent, here, lowest = axes.lines
    t, costs = curve.get_data()
    np.testing.assert_allclose(costs, curvature / 2 * (2 - t * 2 * curvature) ** 2, rtol=1e-9)
    assert t[0] < 0 < t[-1] and 1 < t[-1] * curvature < 5  # the lowest is at 1 / curvature, as high again at 2 / ...
    np.testing.assert_allclose(tangent.get_ydata(), 2 * curvature - t * (2 * curvature) ** 2, rtol=1e-9)
    assert here.get_data() == ([0], [2 * curvature])
    assert abs(lowest.get_xdata()[0] * curvature - 1) < t[-1] * curvature / 4


def test_a_cost_that_is_not_finite_somewhere_is_said():
    class Root(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(np.array([1.0]))

        def __call__(self, x):
            return np.sqrt(self.w - 0.5) * x

    line = looked_at(pictures.cost_along_gradient(Root(), lambda a, y: np.mean(a), np.ones((3, 1)), np.ones(3)))
    assert any("nan or infinite at" in t for t in texts(line))
    plane = looked_at(pictures.cost_plane(Root(), lambda a, y: np.mean(a), np.ones((3, 1)), np.ones(3)))
    assert any("red: nan or infinite at" in t for t in texts(plane))
    bad = looked_at(pictures.cost_along_gradient(mlp(), nn.cross_entropy, np.nan * X, LABELS))
    assert "The cost is nan here:\nautograd.explain_nan(cost(model(x), y)) says why" in texts(bad)
    looked_at(pictures.cost_plane(mlp(), nn.cross_entropy, np.nan * X, LABELS))


def test_directions_have_the_norms_of_the_filters():
    own = [p.data for p in nn.Sequential(nn.Conv2d(2, 3, 2, rng=0), nn.Linear(4, 2, rng=1)).parameters()]
    first, *others = landscape.directions(own, np.random.default_rng(0))
    assert first.shape == own[0].shape and not np.any(others[0]) and not np.any(others[2])
    for d, p in ((first, own[0]), (others[1], own[2])):
        np.testing.assert_allclose(np.linalg.norm(d.reshape(len(d), -1), axis=1),
                                   np.linalg.norm(p.reshape(len(p), -1), axis=1), rtol=1e-5)
    vectors = landscape.directions([np.array([3.0, 4.0]), 2.0], np.random.default_rng(0))
    np.testing.assert_allclose([np.linalg.norm(vectors[0]), abs(vectors[1])], [5, 2])


def test_the_plane_goes_through_the_parameters():
    seen = []

    def cost(output, y):
        seen.append(float(nn.cross_entropy(output, y)))
        return nn.cross_entropy(output, y)

    model = mlp()
    picture = pictures.cost_plane(model, cost, X, LABELS)
    assert len(seen) == 7 * 7 + 1 and np.isclose(seen[24], seen[-1], rtol=1e-6)
    assert f"here: C = {seen[-1]:.4g}" in texts(picture)
    again = list(seen)
    seen.clear()
    pictures.cost_plane(model, cost, X, LABELS, rng=np.random.default_rng(0))
    assert seen == again


# Descent


def test_the_path_is_that_of_gradient_descent():
    axes = looked_at(pictures.descent_path(lambda x, y: 1.5 * x**2 + 0.5 * y**2, (1.0, 2.0), 0.3, 5)).axes[0]
    path = next(line for line in axes.lines if len(line.get_xdata()) == 6)
    k = np.arange(6)
    np.testing.assert_allclose(path.get_xdata(), (1 - 3 * 0.3) ** k, rtol=1e-9)
    np.testing.assert_allclose(path.get_ydata(), 2 * (1 - 0.3) ** k, rtol=1e-9)
    assert {"0", "1", "5"} <= set(texts(axes))


@pytest.mark.parametrize("cost, start, said", [
    (lambda x, y: x**4 + y**4, (3.0, 3.0), "It ends: the"),
    (lambda x, y: np.log(x) + y, (1e-3, 0.0), "It ends: the cost is nan"),
    (lambda x, y: np.exp(x) + y, (1000.0, 0.0), "It ends: the cost is inf after 0 steps"),
])
def test_a_path_that_leaves_the_finite_numbers_ends_and_says_so(cost, start, said):
    assert any(t.startswith(said) for t in texts(looked_at(pictures.descent_path(cost, start, 1.0, 20))))


@pytest.mark.parametrize("cost", [
    lambda x, y: x * x if x > y else y * y, lambda x, y: 3.0, lambda x, y: np.maximum(x, y), lambda x, y: Value(1.0) * x
])
def test_any_function_of_two_numbers_will_do(cost):
    looked_at(pictures.descent_path(cost, [1, 2], 0.1, 3))
