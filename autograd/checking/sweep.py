"""``step_sweep``: how far numeric derivatives are off at every step size, by method and dtype, as table and plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..describe import table
from ..value import Value
from .differences import Line, central, complex_step, quotient
from .numeric import Numeric, scales
from .recorded import Replay
from .subject import Leaf, Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Best", "StepSweep", "step_sweep"]


class Method(NamedTuple):
    """A way to compute a derivative: its error grows as h to the ``order``, and it is best at ε to the 1 / (order + 1).

    Of order 0 is what has no rounding error, and so no step that is too small.
    """

    name: str
    order: int
    best: str
    colour: str  # of Okabe and Ito's palette, told apart by the colour-blind
    derivative: Callable[[Line, Sequence[np.ndarray], float], float]


METHODS = (
    Method("forward difference", 1, "√ε", "#E69F00", lambda line, w, h: quotient(line, w, 0.0, h)),
    Method("central difference", 2, "∛ε", "#0072B2", lambda line, w, h: quotient(line, w, -h, h)),
    Method("central with Richardson extrapolation", 6, "ε^(1/7)", "#009E73", lambda line, w, h: central(
        line, w, h).value),
    Method("complex step", 0, "any below √ε", "#CC79A7", lambda line, w, h: complex_step(line, w, h).value),
)
DTYPES = (np.float64, np.float32)
_LOWEST = 1e-17  # where an error of 0 is drawn


class Best(NamedTuple):
    """Where a curve is lowest: the step and the error; nan where it has no number."""

    step: float
    error: float


@dataclass(frozen=True, eq=False)
class StepSweep:
    """The errors of numeric derivatives over step sizes: prints as a table of where each curve is lowest.

    Attributes:
        name: of the function.
        derivative: by reverse mode in float64; of an array that along the direction.
        steps: the step sizes, relative to the size of ``x``.
        errors: for each method and name of a dtype, as ("central difference", "float32"), the error at every step as a
            part of the derivative, or as it is where that is 0; nan where the difference is not finite.
        notes: what else there is to know, such as why a method is missing.
    """

    name: str
    derivative: float
    steps: np.ndarray = field(repr=False)
    errors: dict[tuple[str, str], np.ndarray] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> dict[tuple[str, str], Best]:
        """For each curve the step at which it is lowest, and the error there.

        That is the largest error among the step and its neighbours, for a single one may be right by chance.
        """
        return {key: self._lowest(errors) for key, errors in self.errors.items()}

    def _lowest(self, errors: np.ndarray) -> Best:
        ends = np.concatenate([errors[:1], errors, errors[-1:]])
        around = np.max([ends[:-2], errors, ends[2:]], axis=0)
        if np.all(np.isnan(around)):
            return Best(np.nan, np.nan)
        i = int(np.nanargmin(around))
        return Best(float(self.steps[i]), float(around[i]))

    def __str__(self) -> str:
        best, rows = self.best, []
        for method in METHODS:
            for dtype in DTYPES:
                key = method.name, dtype.__name__
                if key in best:
                    theory = float(np.finfo(dtype).eps) ** (1 / (1 + (method.order or 1)))
                    rows.append((", ".join(key), f"{best[key].step:.1e}", f"{best[key].error:.1e}",
                                 f"{method.best} = {theory:.1e}"))
        return "\n".join([f"step_sweep: the derivative of {self.name} is {self.derivative:.8g}",
                          table(("method", "best step", "error", "best step in theory"), rows), *self.notes])

    def plot(self, ax: Any = None) -> Figure:
        """The V-shaped curves, in a figure of their own unless ``ax`` gives the axes; returns the figure.

        Raises ``ModuleNotFoundError`` where Matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ModuleNotFoundError:
            raise ModuleNotFoundError("StepSweep.plot draws with Matplotlib: pip install 'nudgegrad[train]'") from None
        figure = Figure(figsize=(9, 6), layout="constrained") if ax is None else ax.figure
        ax = figure.subplots() if ax is None else ax
        best = self.best
        for dtype, style in zip(DTYPES, ("-", (0, (3, 1.2))), strict=True):
            for method in METHODS:
                key = method.name, dtype.__name__
                if key in self.errors:  # the complex step goes below, for on the right it is central differences
                    ax.plot(self.steps, np.maximum(self.errors[key], _LOWEST), color=method.colour, linestyle=style,
                            linewidth=1.8 if method.order else 3.2, zorder=2 if method.order else 1,
                            label=", ".join(key))
                    if method.order:
                        ax.plot(best[key].step, max(best[key].error, _LOWEST), "o", color=method.colour, markersize=5)
            eps = float(np.finfo(dtype).eps)
            ax.axhline(eps, color="grey", linewidth=0.8, linestyle=":", zorder=0)
            ax.annotate(f"ε of\n{dtype.__name__}", (1, eps), (4, 0), xycoords=("axes fraction", "data"),
                        textcoords="offset points", va="center", color="grey", fontsize=8)
        ax.set(xscale="log", yscale="log", xlim=(self.steps[-1], self.steps[0]), ylim=(_LOWEST / 2, 1e4),
               xlabel="step size h, as a part of x",
               ylabel=f"{'relative' if self.derivative else 'absolute'} error (0 is drawn at the bottom)")
        ax.set_title(f"Numeric derivatives of {self.name}\non the right the bend of the function, a power of h; "
                     "on the left its rounding, divided by h", fontsize=10)
        ax.grid(alpha=0.25)
        ax.legend(fontsize=8, ncols=2, loc="upper center")
        self._slopes(ax)
        return figure

    def _slopes(self, ax: Any) -> None:
        """Write beside the curves of float64 what they are proportional to, on both sides of the best step."""
        written = [(method, f"∝ h{power}", 10 ** (2.5 / method.order), (8, -4))
                   for method, power in zip(METHODS, ("", "²", "⁶"), strict=False)]
        for method, text, far, offset in [*written, (METHODS[0], "∝ ε/h", 1e-4, (-8, -14))]:
            key = method.name, "float64"
            i = int(np.argmin(np.abs(np.log(self.steps / (self.best[key].step * far)))))
            if 0 < self.errors[key][i] < 1:
                ax.annotate(text, (self.steps[i], self.errors[key][i]), offset, textcoords="offset points", va="top",
                            ha="left" if far > 1 else "right", fontsize=11, color=method.colour if far > 1 else "black")


def step_sweep(f: Callable, x: Any) -> StepSweep:
    """Measure how far numeric derivatives of ``f`` at ``x`` are off, for step sizes from 1e-1 to 1e-16.

    A large step sees the bend of the function: the error grows with a power of the step h. A small one divides the
    rounding of ``f`` by h. Between them each method has its best step. The methods are the forward difference
    (f(x + h) - f(x)) / h; the central one (f(x + h) - f(x - h)) / 2h; that with two Richardson extrapolations, as in
    ``gradcheck``; and, where the recorded graph is analytic, the complex step Im f(x + ih) / h. ``f`` is computed in
    float64 and in float32, and the results compared with the gradient by reverse mode in float64 at the same numbers.

    Steps are relative: a number x is moved by h |x|, or 0.1 h where it is 0; an array along a fixed random direction,
    each element by about h times its size, or a tenth of the typical size if that is more. Of an array-valued ``f`` the
    sum is taken, each element times a fixed random number.

    Args:
        f: a function of one Value that returns a Value of real floats, or containers that hold such.
        x: a float or an array of floats.

    Returns:
        A ``StepSweep``: prints as a table, holds the errors, and plots them.

    Raises ``TypeError`` where ``f`` is no function, ``x`` is not made of real floats, or ``f`` does not return such
    Values that depend on it; ``ValueError`` where ``x`` is empty, or it or the derivative is not finite.

    >>> sweep = step_sweep(np.sin, 1.0)
    >>> sweep.best["forward difference", "float64"].step < sweep.best["central difference", "float64"].step
    True
    """
    data = _checked(f, x)
    name = getattr(f, "__name__", "f").replace("<lambda>", "f")
    steps = np.logspace(-1, -16, 61)
    with np.errstate(all="ignore"):
        runs = {dtype: _Run(f, data if dtype == np.float64 else np.asarray(data, dtype)[()]) for dtype in DTYPES}
        wide = runs[np.float64]
        if not np.isfinite(wide.derivative):
            raise ValueError(f"x: the derivative there is {wide.derivative}; choose a point where it is finite")
        errors = {(method.name, dtype.__name__): run.errors(method, steps.tolist())
                  for method in METHODS if method.order or wide.analytic() for dtype, run in runs.items()}
    notes = [f"f computes in {run.computed} where x is {dtype.__name__}." for dtype, run in runs.items()
             if run.computed != dtype]
    if len(errors) < len(METHODS) * len(DTYPES):
        notes.append("The complex step is left out: the recorded graph is not analytic, as far as can be told.")
    if not wide.derivative:
        notes.append("The errors are absolute, because the derivative is 0.")
    return StepSweep(name, wide.derivative / wide.unit, steps, errors, tuple(notes))


def _checked(f: Any, x: Any) -> Any:
    """The number or array that is ``x``, in float64."""
    if not callable(f):
        raise TypeError(f"f: expected a function, got {f!r:.60}; write step_sweep(f, x), not step_sweep(f(x), x)")
    data = x.data if isinstance(x, Value) else x
    array = np.asarray(data)
    if array.dtype.kind != "f":
        better = f"{float(data)}" if isinstance(data, (int, np.integer)) else "np.array(x, dtype=float)"
        raise TypeError(f"x: expected a float or an array of floats, got {x!r:.60}; write {better}")
    if not array.size or not np.all(np.isfinite(array)):
        raise ValueError(f"x: expected finite numbers, got {x!r:.60}")
    return data if type(data) is float else array.astype(float)[()]


class _Run:
    """A function in one dtype, along a line through a point, with its derivative by reverse mode in float64."""

    def __init__(self, f: Callable, data: Any) -> None:
        rng = np.random.default_rng(0)
        leaf = Leaf("x", data)
        subject, x = Subject(f, [leaf], [leaf]), leaf.point
        with subject.at([x]) as record:
            if not record.reached[0]:
                raise TypeError("f must return a Value that depends on x by recorded operations; gradcheck(f, x) says "
                                "where the path ends")
            self.weights = [rng.uniform(0.5, 1.5, y.shape) if y.shape else np.ones(()) for y in record.outputs]
            self.computed = np.result_type(*(y.dtype for y in record.outputs))
            replay = Replay(record, record.leaves[0])
        self.numeric = Numeric(subject, [x], self.weights, 0, replay)
        scale = scales(x)
        self.unit = 1.0 if x.ndim else float(scale)
        signs = rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape) if x.ndim else 1.0
        self.direction = (signs * scale).astype(x.dtype)
        self.called, self.replayed = self.numeric.calls(self.direction), self.numeric.replays(self.direction)
        with subject.at([x.astype(float)]) as record:
            (gradient,) = record.gradients(self.weights)
        self.derivative = float(np.sum(gradient * self.direction.astype(float)))

    def analytic(self) -> bool:
        """Whether the complex step gives what differences do."""
        with suppress(ArithmeticError, ValueError):
            self.numeric.prepare(self.direction)
        return self.numeric.complex

    def errors(self, method: Method, steps: list[float]) -> np.ndarray:
        """Of a method at each step, relative to the derivative; nan where it gives no finite number."""
        found = np.full(len(steps), np.nan)
        for i, h in enumerate(steps):
            with suppress(ArithmeticError, ValueError):  # of Python numbers and of functions that refuse some
                found[i] = method.derivative(self.called if method.order else self.replayed, self.weights, h)
        errors = np.abs(found - self.derivative) / (abs(self.derivative) or 1.0)
        return np.where(np.isfinite(errors), errors, np.nan)
