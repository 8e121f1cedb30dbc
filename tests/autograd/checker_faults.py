"""The faults that a checker of gradients has to find: each is planted in one operation amid others that are right.

They are written for NumPy, and for any package with its names (``xp``), so that each checker gets the same faults.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd import defjvp, defvjp, primitive

__all__ = ["FAULTS", "Fault", "Operation", "around", "as_primitive", "inputs"]


class Operation(NamedTuple):
    """A function of arrays, and for each argument the gradient and the tangent: ``vjps[i](xp, g, *args)``."""

    function: Callable
    vjps: Sequence[Callable]
    jvps: Sequence[Callable]


class Fault(NamedTuple):
    """A fault, and the shapes of the arguments of the operation that has it.

    ``plant()`` makes the operation anew, because some keep state; ``right()`` the same without the fault. ``argument``
    is the one whose gradient is wrong, ``order`` and ``mode`` say where it shows, and ``damages`` that an array is
    changed in place, which not every package allows.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    plant: Callable[[], Operation]
    right: Callable[[], Operation]
    argument: int = 0
    order: int = 1
    mode: str = "reverse"
    dtype: str = "float64"
    damages: bool = False

    @property
    def size(self) -> int:
        """The number of elements that a checker has to look at."""
        return sum(prod(shape) for shape in self.shapes)

    def __str__(self) -> str:
        return f"{self.name}, {' and '.join(map(str, self.shapes))}"


def inputs(fault: Fault) -> list[np.ndarray]:
    """Where it is checked: numbers of both signs, the first of them negative, away from slopes of 0."""
    rng = np.random.default_rng(fault.size)
    arrays = [rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 1.2, shape) for shape in fault.shapes]
    for x in arrays:
        x.flat[0] = -0.4
    return [x.astype(fault.dtype) for x in arrays]


def around(xp: Any, planted: Callable, x: Any, *others: Any) -> Any:
    """A cost made of right operations and the planted one, whose incoming gradient goes to another one as well."""
    h = xp.sin(x) + 0.5 * x
    z = planted(h, *others) + h
    return xp.sum(xp.tanh(0.5 * z) * z)


def as_primitive(operation: Operation) -> Callable:
    """The operation as a primitive with rules of its own."""
    @primitive
    def planted(*xs: Any) -> Any:
        return operation.function(np, *xs)

    defvjp(planted, *(lambda y, *xs, vjp=vjp: lambda g: vjp(np, g, *xs) for vjp in operation.vjps))
    defjvp(planted, *(lambda g, y, *xs, jvp=jvp: jvp(np, g, *xs) for jvp in operation.jvps))
    return planted


# Right operations: elementwise, with a parameter that is broadcast, along an axis, a mean over the batch, a product

def cubic(change: Callable | None = None, forward: Callable | None = None) -> Operation:
    """x + x³/3, whose slope is 1 + x²; ``change(xp, slope, x)`` is what becomes of that backward, or forward."""
    def slope(xp: Any, x: Any, changed: Callable | None) -> Any:
        right = 1 + x * x
        return changed(xp, right, x) if changed else right

    return Operation(lambda xp, x: x + x * x * x / 3, [lambda xp, g, x: g * slope(xp, x, change)],
                     [lambda xp, g, x: g * slope(xp, x, forward)])


def shifted(summed: Callable | None = None) -> Operation:
    """x² + b, with b broadcast along the rows."""
    return Operation(lambda xp, x, b: x * x + b,
                     [lambda xp, g, x, b: 2 * g * x, summed or (lambda xp, g, x, b: xp.sum(g, axis=0))],
                     [lambda xp, g, x, b: 2 * g * x, lambda xp, g, x, b: g + 0 * x])


def centred(axis: int = 1) -> Operation:
    """x minus the mean of its row."""
    def less_mean(xp: Any, x: Any, axis: int) -> Any:
        return x - xp.sum(x, axis=axis, keepdims=True) / x.shape[axis]

    return Operation(lambda xp, x: less_mean(xp, x, 1), [lambda xp, g, x: less_mean(xp, g, axis)],
                     [lambda xp, g, x: less_mean(xp, g, 1)])


def batch_mean(wrong: bool = False) -> Operation:
    """The mean over the batch of x²/2."""
    return Operation(lambda xp, x: xp.sum(x * x, axis=0) / (2 * x.shape[0]),
                     [lambda xp, g, x: g * x if wrong else g * x / x.shape[0]],
                     [lambda xp, g, x: xp.sum(g * x, axis=0) / x.shape[0]])


def product(weights: Callable | None = None) -> Operation:
    """x W."""
    return Operation(lambda xp, x, w: x @ w, [lambda xp, g, x, w: g @ w.T, weights or (lambda xp, g, x, w: x.T @ g)],
                     [lambda xp, g, x, w: g @ w, lambda xp, g, x, w: x @ g])


def transposed_cubic() -> Operation:
    """``cubic`` whose gradient has been transposed on the way, and put into the shape that was wanted."""
    right = cubic()
    return right._replace(vjps=[lambda xp, g, x: right.vjps[0](xp, g, x).T.reshape(x.shape)])


# What is wrong

def negated(xp: Any, slope: Any, x: Any) -> Any:
    return -slope


def slightly_off(xp: Any, slope: Any, x: Any) -> Any:
    return slope * (1 + 1e-4)


def term_dropped(xp: Any, slope: Any, x: Any) -> Any:
    return slope - x * x


def wrong_where_negative(xp: Any, slope: Any, x: Any) -> Any:
    return slope * xp.where(x < 0, 1.05, 1.0)


def wrong_at_one(xp: Any, slope: Any, x: Any) -> Any:
    n = prod(x.shape)
    return slope * xp.where(xp.arange(n).reshape(x.shape) == 7 * n // 10, 1.01, 1.0)


def wrong_in_single(xp: Any, slope: Any, x: Any) -> Any:
    return slope * 1.001 if "float32" in str(x.dtype) else slope


def constant_slope(xp: Any, slope: Any, x: Any) -> Any:
    """The right number, which the second derivative takes for a constant."""
    if hasattr(slope, "detach"):
        return slope.detach()
    return sys.modules["jax"].lax.stop_gradient(slope) if xp.__name__ == "jax.numpy" else slope


def damaging_function() -> Operation:
    def function(xp: Any, x: Any) -> Any:
        y = x + x * x * x / 3
        x *= 0.9
        return y

    return cubic()._replace(function=function)


def damaging_rule() -> Operation:
    def vjp(xp: Any, g: Any, x: Any) -> Any:
        x *= 0.9
        return g * (1 + x * x)

    return cubic()._replace(vjps=[vjp])


def rule_damaging_the_gradient() -> Operation:
    def vjp(xp: Any, g: Any, x: Any) -> Any:
        g *= 1 + x * x
        return g

    return cubic()._replace(vjps=[vjp])


def counting_function() -> Operation:
    calls = []

    def function(xp: Any, x: Any) -> Any:
        calls.append(1)
        return (x + x * x * x / 3) * (1 + 0.01 * len(calls))

    return cubic()._replace(function=function)


def accumulating_rule() -> Operation:
    """Adds up the gradients of all calls: only that of the first is right."""
    total = []

    def vjp(xp: Any, g: Any, x: Any) -> Any:
        total.append(g * (1 + x * x))
        return sum(total)

    return cubic()._replace(vjps=[vjp])


def _elementwise(name: str, plant: Callable[[], Operation], sizes: Sequence[int] = (1, 10, 10_000),
                 **options: Any) -> list[Fault]:
    shapes = {1: (1,), 10: (2, 5), 10_000: (100, 100)}
    return [Fault(name, (shapes[n],), plant, cubic, **options) for n in sizes]


FAULTS = [
    *_elementwise("wrong sign", lambda: cubic(negated)),
    *_elementwise("factor 1 + 1e-4", lambda: cubic(slightly_off)),
    *_elementwise("a dropped term", lambda: cubic(term_dropped)),
    *_elementwise("transposed", transposed_cubic, [10, 10_000]),
    *(Fault("transposed weights", shapes, lambda: product(lambda xp, g, x, w: g.T @ x), product, argument=1)
      for shapes in [((2, 3), (3, 3)), ((2, 100), (100, 100))]),
    *(Fault("missing unbroadcast", shapes, lambda: shifted(lambda xp, g, x, b: g[0]), shifted, argument=1)
      for shapes in [((4, 1), (1,)), ((5, 2), (2,)), ((100, 100), (100,))]),
    *(Fault("mean for sum in unbroadcast", shapes, lambda: shifted(lambda xp, g, x, b: xp.sum(g, axis=0) / x.shape[0]),
            shifted, argument=1) for shapes in [((4, 1), (1,)), ((5, 2), (2,)), ((100, 100), (100,))]),
    *(Fault("unbroadcast along the wrong axis", shapes, lambda: shifted(lambda xp, g, x, b: xp.sum(g, axis=1)),
            shifted, argument=1) for shapes in [((3, 3), (3,)), ((100, 100), (100,))]),
    *(Fault("wrong axis", (shape,), lambda: centred(0), centred) for shape in [(2, 5), (100, 100)]),
    *_elementwise("wrong only for negative inputs", lambda: cubic(wrong_where_negative)),
    *_elementwise("wrong only at one element", lambda: cubic(wrong_at_one), [10, 10_000]),
    *_elementwise("wrong only in the second derivative", lambda: cubic(constant_slope), order=2),
    *_elementwise("wrong only in float32", lambda: cubic(wrong_in_single), dtype="float32"),
    *(Fault("off by the batch size", (shape,), lambda: batch_mean(wrong=True), batch_mean)
      for shape in [(4, 1), (5, 2), (100, 100)]),
    *_elementwise("the function damages its input", damaging_function, damages=True),
    *_elementwise("the rule damages its input", damaging_rule, damages=True),
    *_elementwise("the rule damages the gradient that comes in", rule_damaging_the_gradient, damages=True),
    *_elementwise("the function keeps state between calls", counting_function),
    *_elementwise("the rule keeps state between calls", accumulating_rule),
    *_elementwise("forward, wrong sign", lambda: cubic(None, negated), mode="forward"),
    *_elementwise("forward, factor 1 + 1e-4", lambda: cubic(None, slightly_off), mode="forward"),
    *_elementwise("forward, a dropped term", lambda: cubic(None, term_dropped), mode="forward"),
    *_elementwise("forward, wrong only for negative inputs", lambda: cubic(None, wrong_where_negative), mode="forward"),
    *_elementwise("forward, wrong only at one element", lambda: cubic(None, wrong_at_one), [10, 10_000],
                  mode="forward"),
]
