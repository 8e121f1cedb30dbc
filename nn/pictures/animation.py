"""``animate_training``: a network that learns, as a GIF of what it makes of one example."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..callbacks import Callback
from ..files import written
from ..fit import fit
from ..history import History
from ..module import Module
from .layers import Cost, activity
from .network import NetworkPicture, costing
from .style import colours

if TYPE_CHECKING:
    from ..fit import Training

__all__ = ["animate_training"]

_GROWTH = 1.15  # of the number of steps from a frame to the next
_DPI = 72
_MILLISECONDS, _LAST = 150, 3000  # that each frame is seen, and the last


def animate_training(model: Module, cost: Cost, train: Any, path: str | os.PathLike, x: Any = None, target: Any = None,
                     **options: Any) -> History:
    """``nn.fit(model, cost, train, **options)``, which draws the network as it learns, to a GIF at ``path``.

    Each frame is the picture that ``nn.draw_network`` makes of ``x``: with its weights; or where there is a ``target``,
    with the nudges of its cost, relative to the largest so far, so that they fade as the cost falls. There is one
    after each of the first steps, where most happens, and then one whenever the number of steps has grown by 15 %: 62
    for three epochs of MNIST in mini-batches of 10, which take 4 MB.

    It is ``fit`` and not a loop of its own, so that what ``fit`` can do, from ``validation`` to ``resume``, is there;
    ``train`` may be a function that yields mini-batches. Ctrl-C, or an error, ends the training and leaves the GIF of
    what was drawn so far. The file is there from the start, and is replaced as a whole at the end.

    Args:
        train: as ``fit`` takes it.
        path: of the GIF, such as ``"learning.gif"``.
        x, target: as ``nn.draw_network`` takes them; ``x`` is by default the first example of ``train``.
        options: those of ``fit``, such as ``optimizer``, ``epochs`` and ``rng``.

    Returns the history of ``fit``. Raises what ``draw_network`` and ``fit`` do, and ``ValueError`` for a path that
    does not end in .gif.

    >>> import nn, tempfile
    >>> model = nn.MLP([64, 4, 2], nn.Sigmoid, nn.Sigmoid, rng=0)
    >>> train = np.eye(2, 64, dtype=np.float32), np.eye(2, dtype=np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = animate_training(model, nn.quadratic_cost, train, f"{folder}/learning.gif", jit=False, rng=0,
    ...                                optimizer=nn.SGD(model.parameters(), lr=1))
    ...     Path(f"{folder}/learning.gif").read_bytes()[:6]
    b'GIF89a'
    """
    if Path(path).suffix.lower() != ".gif":
        raise ValueError(f"animate_training: path must end in .gif, got {os.fspath(path)!r}")
    if x is None:
        if not isinstance(train, (tuple, list)) or len(train) != 2 or isinstance(train[0], tuple):
            raise ValueError("animate_training: x must be given where train is no pair of arrays: it is the example "
                             "to draw")
        x = train[0][0]
    callbacks = [*options.pop("callbacks", ()), _Frames(path, x, target, cost)]
    return fit(model, cost, train, callbacks=callbacks, **options)


class _Frames(Callback):
    """What draws frames between the steps of ``fit``: one figure, coloured anew, of which small images are kept."""

    def __init__(self, path: str | os.PathLike, x: Any, target: Any, cost: Cost) -> None:
        self.path, self.x, self.target, self.cost = path, x, target, cost
        self.picture: NetworkPicture | None = None
        self.images: list[Any] = []
        self.step, self.drawn = 0, 0

    def on_train_begin(self, run: Training) -> None:
        self._draw(run)
        self._write()

    def on_step_end(self, run: Training) -> None:
        self.step += 1
        if self.step >= max(self.drawn * _GROWTH, self.drawn + 1):
            self._draw(run)

    def on_train_end(self, run: Training) -> None:
        if self.images:
            if self.step > self.drawn and np.isfinite(run.last_cost):
                self._draw(run)
            self._write()

    def _draw(self, run: Training) -> None:
        found = activity("animate_training", run.model, self.x, self.target, self.cost)
        if self.picture is None:
            self.picture, self.palette = NetworkPicture(found), _palette()
        self.drawn = self.step
        cost = costing(found) or (f": cost {run.mean_cost:.3g} in this epoch" if run.step else "")
        when = f"after {self.step:,} step{'s' * (self.step > 1)}" if self.step else "before the first step"
        self.picture.show(found, when + cost)
        self.images.append(self.picture.image(_DPI).quantize(palette=self.palette, dither=0))

    def _write(self) -> None:
        first, *others = self.images
        with written(self.path) as file:
            first.save(file, format="GIF", save_all=True, append_images=others, loop=0, optimize=True,
                       duration=[_MILLISECONDS] * len(others) + [_LAST])


def _palette() -> Any:
    """The colours that pictures consist of, as an image: what a GIF holds is small where all frames have the same."""
    from matplotlib.colors import to_rgb
    from PIL import Image

    c = colours()
    ends = [("black", "white", 32), (c.background, c.text, 8), (c.background, c.positive, 12),
            (c.background, c.negative, 12), (c.background, c.alarm, 8)]
    mixed = [np.linspace(to_rgb(a), to_rgb(b), steps) for a, b, steps in ends]
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * np.concatenate(mixed)).round().astype(np.uint8).tobytes())
    return palette
