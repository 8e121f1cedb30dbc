"""HIPS autograd's checks of derivatives: along random directions, against central differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .core import make_jvp, make_vjp, vspace
from .wrap_util import get_name, unary_to_nary

__all__ = ["check_equivalent", "check_grads", "check_jvp", "check_vjp", "combo_check", "make_numerical_jvp",
           "scalar_close"]

TOL = RTOL = EPS = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    return abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL


def make_numerical_jvp(f: Callable, x: Any) -> Callable:
    """How ``f(x)`` moves if ``x`` moves by ``v``, as (f(x + v ε/2) - f(x - v ε/2)) / ε."""
    inputs, outputs = vspace(x), vspace(f(x))

    def jvp(v: Any) -> Any:
        above = f(inputs.add(x, inputs.scalar_mul(v, EPS / 2)))
        below = f(inputs.add(x, inputs.scalar_mul(v, -EPS / 2)))
        return outputs.scalar_mul(outputs.add(above, outputs.scalar_mul(below, -1.0)), 1 / EPS)

    return jvp


def check_vjp(f: Callable, x: Any) -> None:
    """Raise ``AssertionError`` unless reverse mode at ``x`` agrees with differences."""
    vjp, y = make_vjp(f, x)
    inputs, outputs = vspace(x), vspace(y)
    v, g = inputs.randn(), outputs.randn()
    gradient = inputs.covector(vjp(outputs.covector(g)))
    if vspace(gradient) != inputs:
        raise AssertionError(f"the gradient of {get_name(f)} is of {vspace(gradient)}, its argument of {inputs}")
    exact, numeric = inputs.inner_prod(v, gradient), outputs.inner_prod(g, make_numerical_jvp(f, x)(v))
    if not scalar_close(numeric, exact):
        raise AssertionError(f"Derivative (VJP) check of {get_name(f)} failed with arg {x}:\n"
                             f"analytic: {exact}\nnumeric:  {numeric}")


def check_jvp(f: Callable, x: Any) -> None:
    """Raise ``AssertionError`` unless forward mode at ``x`` agrees with differences."""
    v = vspace(x).randn()
    try:
        check_equivalent(make_jvp(f, x)(v)[1], make_numerical_jvp(f, x)(v))
    except AssertionError as error:
        raise AssertionError(f"Derivative (JVP) check of {get_name(f)} failed with arg {x}:\n{error}") from error


def check_equivalent(x: Any, y: Any) -> None:
    """Raise ``AssertionError`` unless both are of the same structure, shapes and dtypes, and about equal.

    >>> check_equivalent([1.0, 2.0], [1.0, 2.0 + 1e-9])
    """
    space = vspace(x)
    if space != vspace(y):
        raise AssertionError(f"VSpace mismatch:\nx: {space}\ny: {vspace(y)}")
    v = space.randn()
    if not scalar_close(space.inner_prod(x, v), space.inner_prod(y, v)):
        raise AssertionError(f"Value mismatch:\nx: {x}\ny: {y}")


@unary_to_nary
def check_grads(f: Callable, x: Any, modes: Sequence[str] = ("fwd", "rev"), order: int = 2) -> None:
    """``check_grads(f, argnum=0)(*args)`` raises ``AssertionError`` unless the derivatives of ``f`` are right.

    Args:
        modes: "fwd", "rev", or both.
        order: up to which order.

    >>> import numpy as np
    >>> check_grads(lambda x: np.sin(x) * x)(np.ones(3))
    """
    wrong = set(modes) - {"fwd", "rev"}
    if wrong:
        raise ValueError(f"modes: expected 'fwd' and 'rev', got {', '.join(map(repr, sorted(wrong)))}")
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            def pushed(x: Any, v: Any) -> Any:
                return make_jvp(f, x)(v)[1]

            pushed.__name__ = f"jvp_{get_name(f)}"
            check_grads(pushed, (0, 1), modes, order=order - 1)(x, vspace(x).randn())
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            def pulled(x: Any, v: Any) -> Any:
                return make_vjp(f, x)[0](v)

            pulled.__name__ = f"vjp_{get_name(f)}"
            check_grads(pulled, (0, 1), modes, order=order - 1)(x, vspace(f(x)).randn())


def combo_check(fun: Callable, *args: Any, **kwargs: Any) -> Callable:
    """``check_grads(fun, *args, **kwargs)`` for every combination of the arguments and keywords that are listed.

    >>> combo_check(lambda x, scale: scale * x)([1.0, 2.0], scale=[3.0, 4.0])
    """

    def check(*arguments: Iterable, **keywords: Iterable) -> None:
        for chosen in itertools.product(*arguments):
            for named in itertools.product(*keywords.values()):
                check_grads(fun, *args, **kwargs)(*chosen, **dict(zip(keywords, named, strict=True)))

    return check
