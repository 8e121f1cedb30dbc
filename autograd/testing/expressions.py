"""Random expression graphs: functions made of NumPy's and of ``autograd.functions``, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf, prod
from typing import Any, NamedTuple

import numpy as np

from .. import functions

__all__ = ["Expression", "composed", "random_expression"]

_LARGEST = 8.0  # what is larger than this is bounded by a tanh
_MOST = 24  # elements of an array; larger ones are averaged
_NAMES: dict[str, Any] = {"__name__": "expression", "np": np,
                          **{name: getattr(functions, name) for name in functions.__all__}}


class Expression:
    """A function made of differentiable functions, with ``inputs`` where it is defined and of moderate size.

    It prints as the source code that it is. ``assert_gradients(f, *f.inputs)`` checks it.

    >>> f = Expression("def f(a):\\n    return np.sqrt(a)\\n", (4.0,))
    >>> f
    def f(a):
        return np.sqrt(a)
    f(4.0)
    >>> float(f(*f.inputs))
    2.0
    """

    def __init__(self, source: str, inputs: Sequence[Any]) -> None:
        self.source, self.inputs = source, tuple(inputs)
        made: dict[str, Any] = {}
        exec(compile(source, "<expression>", "exec"), _NAMES, made)
        self.function: Callable = made["f"]
        self.__name__ = "f"

    def __call__(self, *inputs: Any) -> Any:
        return self.function(*inputs)

    def __repr__(self) -> str:
        return f"{self.source}f({', '.join(map(repr, self.inputs))})"


class _Step(NamedTuple):
    """The text of a call, and to what it may be applied.

    In the text, ``{x}`` is an operand with elements from ``low`` to ``high`` and at least ``ndim`` axes, ``{y}`` one
    with elements from ``low_y`` to ``high_y`` that fits it: whose shape broadcasts, is the same, or whose rows are as
    many as the columns of ``{x}``. ``{axis}``, ``{side}``, ``{shape}`` are an axis of ``{x}``, the length of its last
    one, and some other shape of as many elements.
    """

    text: str
    low: float = -inf
    high: float = inf
    ndim: int = 0
    low_y: float = -inf
    high_y: float = inf
    fits: str = "broadcast"


# Simpler ones first: hypothesis shrinks towards them.
_SMOOTH = [
    _Step("{x} + {y}"), _Step("{x} * {y}"), _Step("-{x}"), _Step("2 * {x}"), _Step("{x} - {y}"), _Step("np.sin({x})"),
    _Step("np.tanh({x})"), _Step("np.exp({x})", high=2), _Step("np.log({x})", low=0.3), _Step("np.sqrt({x})", low=0.3),
    _Step("1 / {x}", low=0.3), _Step("{x} / {y}", low_y=0.3), _Step("1.5 - {x}"), _Step("{x} / 3"), _Step("{x} ** 2"),
    _Step("np.sum({x})", ndim=1), _Step("np.sum({x}, axis={axis})", ndim=1), _Step("np.mean({x}, axis={axis})", ndim=1),
    _Step("{x} @ {y}", ndim=1, fits="matmul"), _Step("{x}.T", ndim=2), _Step("{x}[0]", ndim=1),
    _Step("np.cos({x})"), _Step("np.arctan({x})"), _Step("np.arcsinh({x})"), _Step("np.square({x})"),
    _Step("np.expm1({x})", high=2), _Step("np.cosh({x})", low=-2, high=2), _Step("np.sinh({x})", low=-2, high=2),
    _Step("np.log1p({x})", low=-0.5), _Step("np.cbrt({x})", low=0.3), _Step("{x} ** 1.5", low=0.3),
    _Step("{x} ** -2", low=0.5), _Step("np.arcsin({x})", low=-0.8, high=0.8), _Step("np.tan({x})", low=-1, high=1),
    _Step("np.arctanh({x})", low=-0.8, high=0.8), _Step("np.sqrt(1 + {x} * {x})"), _Step("np.log1p(np.square({x}))"),
    _Step("sigmoid({x})"), _Step("softplus({x})"), _Step("silu({x})"), _Step("gelu({x})"), _Step("erf({x})"),
    _Step("{x} ** {y}", low=0.3, low_y=-2, high_y=2), _Step("np.logaddexp({x}, {y})"),
    _Step("{x} / (1 + {y} * {y})"), _Step("np.arctan2({x}, 2 + np.cos({y}))"), _Step("np.hypot({x}, 1 + {y} * {y})"),
    _Step("{x} * np.tanh({y} - {x})"), _Step("np.where(np.arange({side}) % 2 == 0, {x}, {y})", ndim=1, fits="same"),
    _Step("np.prod({x}, axis={axis})", ndim=1), _Step("np.var({x}, axis={axis})", ndim=1),
    _Step("np.cumsum({x}, axis={axis})", ndim=1), _Step("logsumexp({x}, axis={axis})", ndim=1),
    _Step("softmax({x}, axis={axis})", ndim=1), _Step("log_softmax({x}, axis={axis})", ndim=1),
    _Step("{x} - np.mean({x}, axis={axis}, keepdims=True)", ndim=1), _Step("np.ravel({x})", ndim=1),
    _Step("np.reshape({x}, {shape})", ndim=1), _Step("{x}[..., ::-1]", ndim=1), _Step("{x}[..., [0, -1, 0]]", ndim=1),
    _Step("{x}[None]", ndim=1), _Step("np.expand_dims({x}, -1)", ndim=1), _Step("np.swapaxes({x}, 0, {axis})", ndim=2),
    _Step("np.roll({x}, 1, axis={axis})", ndim=1), _Step("np.repeat({x}, 2, axis={axis})", ndim=1),
    _Step("np.tile({x}, 2)", ndim=1), _Step("np.stack([{x}, {y}])", ndim=1, fits="same"),
    _Step("np.outer({x}, {y})", ndim=1), _Step("np.concatenate([{x}, {y}], axis={axis})", ndim=1, fits="same"),
    _Step("np.einsum('...i,...i->...', {x}, {y})", ndim=1, fits="same"), _Step("np.linalg.norm({x})", low=0.3),
]
_KINKS = [
    _Step("relu({x})"), _Step("np.abs({x})"), _Step("np.maximum({x}, {y})"), _Step("np.minimum({x}, {y})"),
    _Step("np.where({x} > 0.5, {x}, 2 * {x})"), _Step("np.maximum({x}, 0)"), _Step("np.clip({x}, -0.5, 0.5)"),
    _Step("leaky_relu({x})"), _Step("elu({x})"), _Step("np.fmax({x}, {y})"), _Step("np.max({x}, axis={axis})", ndim=1),
    _Step("np.min({x}, axis={axis})", ndim=1), _Step("np.sort({x}, axis={axis})", ndim=1),
    _Step("np.median({x}, axis={axis})", ndim=1), _Step("np.where({x} > {y}, {x} * {y}, {x})"),
    _Step("{x} - np.floor({x})"), _Step("np.sign({x}) * {y}"), _Step("np.linalg.norm({x})"),
    _Step("np.linalg.norm({x}, 1, axis={axis})", ndim=1), _Step("np.hypot({x}, {y})"),
]


class _Variable(NamedTuple):
    """A name in the source, and what its value is."""

    name: str
    value: Any
    shape: tuple[int, ...]
    low: float
    high: float


class _Body:
    """The lines of a function while they are written, and the values at the inputs."""

    def __init__(self) -> None:
        self.names, self.known, self.used, self.lines = _names(), [], set(), []

    def name(self, value: Any) -> None:
        self.known.append(_Variable(next(self.names), value, np.shape(value), float(np.min(value)),
                                    float(np.max(value))))

    def add(self, text: str, *operands: _Variable) -> None:
        """A line, and lines that bring a value that is too large, in number or in size, back to a moderate one."""
        self.used |= {v.name for v in operands}
        self.name(eval(text, _NAMES, {v.name: v.value for v in self.known}))
        made = self.known[-1]
        self.lines.append(f"{made.name} = {text}")
        if prod(made.shape) > _MOST:
            self.add(f"np.mean({made.name}, axis=0)", made)
        elif max(-made.low, made.high) > _LARGEST:
            self.add(f"{_LARGEST:g} * np.tanh({made.name} / {_LARGEST:g})", made)


def random_expression(rng: np.random.Generator, *, kinks: bool = False, scalar: bool = False, dtype: Any = np.float64,
                      max_operations: int = 8) -> Expression:
    """A random expression from NumPy's generator: as those of ``expressions``, but quick, for many thousands.

    >>> random_expression(np.random.default_rng(1), scalar=True, max_operations=3)
    def f(a, b):
        c = np.sqrt(a)
        d = np.logaddexp(c, b)
        return d
    f(1.8018547853037412, -1.423361549121465)
    """

    def numbers(shape: tuple[int, ...]) -> np.ndarray:
        x = rng.uniform(-2, 2, shape)
        return np.asarray(np.round(2 * x) / 2 if kinks and rng.integers(2) else x, dtype)

    return composed(lambda n: int(rng.integers(n)), numbers, kinks, scalar, max_operations)


def composed(pick: Callable[[int], int], numbers: Callable[[tuple[int, ...]], np.ndarray], kinks: bool, scalar: bool,
             max_operations: int) -> Expression:
    """The expression that follows from the choices: ``pick(n)`` is one of 0, …, n - 1, ``numbers(shape)`` an input."""
    steps = [*_SMOOTH, *_KINKS] if kinks else _SMOOTH
    body = _Body()
    for shape in _shapes(pick, scalar):
        x = numbers(shape)
        body.name(x if shape else x.item() if x.dtype == np.float64 else x[()])
    inputs, known = list(body.known), body.known
    for _ in range(1 + pick(max_operations)):
        x = known[-1 - (pick(2) and pick(len(known)))]  # the last one as often as any, so that graphs grow deep
        fitting = [(step, ys) for step in steps if (ys := _operands(step, x, known)) is not None]
        step, ys = fitting[pick(len(fitting))]
        y = ys[-1 - pick(len(ys))] if ys else x
        body.add(step.text.format(x=x.name, y=y.name, axis=pick(len(x.shape)) if x.shape else 0,
                                  side=x.shape[-1] if x.shape else 1, shape=_other_shape(x.shape, pick)), x, y)
    ends = [v for v in reversed(known) if v.name not in body.used]
    tensor = pick(2)
    parts = [f"np.sum({v.name})" if v.shape and not (tensor and v is ends[0]) else v.name for v in ends]
    lines = "".join(f"    {line}\n" for line in [*body.lines, f"return {' + '.join(parts)}"])
    return Expression(f"def f({', '.join(v.name for v in inputs)}):\n{lines}", [v.value for v in inputs])


def _names() -> Iterator[str]:
    yield from "abcdeghijklmnopqrstuvwxyz"  # f is the function
    i = 0
    while True:
        yield f"v{i}"
        i += 1


def _shapes(pick: Callable[[int], int], scalar: bool) -> list[tuple[int, ...]]:
    """Of one to three inputs, which broadcast against each other more often than not."""
    count = 1 + pick(3)
    if scalar:
        return [()] * count
    base = tuple(1 + pick(3) for _ in range(pick(4)))
    shapes = [base]
    while len(shapes) < count:
        kept = base[pick(len(base) + 1):]
        shapes.append(tuple(1 if pick(4) == 3 else n for n in kept) if pick(4) else kept[::-1])
    return shapes


def _operands(step: _Step, x: _Variable, known: list[_Variable]) -> list[_Variable] | None:
    """What may be the second operand, an empty list where there is none; ``None`` where the step does not apply."""
    if len(x.shape) < step.ndim or x.low < step.low or x.high > step.high:
        return None
    if "{y}" not in step.text:
        return []
    return [y for y in known if y.low >= step.low_y and y.high <= step.high_y
            and _FITS[step.fits](x.shape, y.shape)] or None


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b), strict=False))


def _matmul(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return bool(b) and a[-1] == b[-2:][0] and _broadcast(a[:-2], b[:-2])


_FITS: dict[str, Callable] = {"broadcast": _broadcast, "same": lambda a, b: a == b, "matmul": _matmul}


def _other_shape(shape: tuple[int, ...], pick: Callable[[int], int]) -> tuple[int, ...]:
    size = prod(shape)
    sides = [n for n in range(1, size + 1) if size % n == 0]
    rows = sides[pick(len(sides))]
    return (rows, size // rows)
