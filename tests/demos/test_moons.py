"""The two moons of scalar neurons: learned to the last point, and drawn."""

import re

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the extra train is not installed")

from demos import moons


def test_the_moons_are_told_apart_and_drawn(tmp_path, capsys):
    picture = tmp_path / "new" / "moons.png"
    assert moons.main(["--points", "24", "--steps", "60", "--out", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "24 points, and a 2-16-16-1 network of scalar neurons with 337 numbers" in printed
    assert str(picture) in printed
    assert re.search(r"^step  60  loss 0\.0\d+  accuracy 100%$", printed, re.MULTILINE)


def test_the_picture_shows_the_scores_of_the_neurons():
    rng = np.random.default_rng(0)
    points, side = moons.moons(10, rng)
    model = moons.MLP(2, [4, 1], rng=rng)
    axes = moons.boundary(model, points, side).axes[0]
    assert [len(dots.get_offsets()) for dots in axes.collections[-2:]] == [5, 5]


@pytest.mark.parametrize("n", [2, 7, 500])
def test_the_points_lie_on_half_circles(n):
    points, side = moons.moons(n, np.random.default_rng(0), noise=0)
    centre = np.where(side[:, None] < 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.hypot(*(points - centre).T), 1)
    assert np.all((points[:, 1] >= centre[:, 1]) == (side < 0)) and abs(side.sum()) <= 1


@pytest.mark.parametrize("options", [["--seed", "-1"], ["--points", "1"], ["--steps", "0"], ["--points", "many"]])
def test_wrong_options_are_refused(options, capsys):
    with pytest.raises(SystemExit) as exit_:
        moons.main(options)
    assert exit_.value.code == 2 and "usage" in capsys.readouterr().err
