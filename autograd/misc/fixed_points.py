"""Fixed points of iterations, differentiated at the point alone, whatever the steps that led there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import defvjp, make_vjp, vspace
from ..record import primitive

__all__ = ["fixed_point"]


@primitive
def fixed_point(f: Callable, a: Any, x0: Any, distance: Callable, tol: float) -> Any:
    """The x with f(a)(x) = x, iterated from ``x0`` until ``distance`` between two steps is at most ``tol``.

    Differentiable with respect to ``a``. Its gradient is a fixed point too, that of g ← gᵀ ∂x + ȳ, as in HIPS autograd.

    >>> from autograd import grad
    >>> root = lambda a: fixed_point(lambda a: lambda x: (x + a / x) / 2, a, 1.0, lambda x, y: abs(x - y), 1e-9)
    >>> round(root(4.0), 6), round(grad(root)(4.0), 6)
    (2.0, 0.25)
    """
    step = f(a)
    x, before = step(x0), x0
    while distance(x, before) > tol:
        x, before = step(x), x
    return x


def _vjp(y: Any, f: Callable, a: Any, x0: Any, distance: Callable, tol: float) -> Callable:
    def pulled(params: tuple) -> Callable:
        a, at, incoming = params
        vjp, _ = make_vjp(f(a), at)
        return lambda g: vspace(at).add(vjp(g), incoming)

    vjp, _ = make_vjp(lambda a: f(a)(y), a)
    return lambda g: vjp(fixed_point(pulled, (a, y, g), vspace(x0).zeros(), distance, tol))


defvjp(fixed_point, None, _vjp, None)
