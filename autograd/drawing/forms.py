"""What operations are in mathematics: how each is written, and what its rule sends back to each argument.

All is written as Python would. ``x``, or ``a, b, c``, are the arguments, ``y`` is the result, and ``g`` the gradient
that comes in. These texts are only shown: numbers come from the rules.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..functions import (
    affine,
    elu,
    erf,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from ..graph import raw
from ..record import astype
from ..value import Value
from .notation import index_text

__all__ = ["FORMS", "Form", "form_of"]


class Form(NamedTuple):
    """The expression, ``None`` for a plain call; then what is sent back to each argument, ``None`` for nothing.

    ``shaped`` says that these have the shape of the result, and are summed where an argument was broadcast;
    ``parameters`` are the letters that stand for the arguments.
    """

    expression: str | None
    back: tuple[str | None, ...]
    shaped: bool = True
    parameters: str = "x"


def _form(expression: str | None, *back: str | None, shaped: bool = True) -> Form:
    return Form(expression, back, shaped, "x" if len(back) == 1 else "abc"[: len(back)])


# Elementwise functions
FORMS: dict[Any, Form] = {
    np.add: _form("a + b", "g", "g"),
    np.subtract: _form("a - b", "g", "-g"),
    np.multiply: _form("a * b", "g * b", "g * a"),
    np.divide: _form("a / b", "g / b", "-(g * a / b**2)"),
    np.negative: _form("-x", "-g"),
    np.positive: _form("x", "g"),
    np.reciprocal: _form("1 / x", "-(g / x**2)"),
    np.square: _form("x**2", "g * (2 * x)"),
    np.sqrt: _form("sqrt(x)", "g / (2 * y)"),
    np.cbrt: _form("cbrt(x)", "g / (3 * y**2)"),
    np.exp: _form("exp(x)", "g * y"),
    np.expm1: _form("exp(x) - 1", "g * exp(x)"),
    np.exp2: _form("2**x", "g * (y * log(2))"),
    np.log: _form("log(x)", "g / x"),
    np.log1p: _form("log(1 + x)", "g / (1 + x)"),
    np.log2: _form("log2(x)", "g / (x * log(2))"),
    np.log10: _form("log10(x)", "g / (x * log(10))"),
    np.sin: _form("sin(x)", "g * cos(x)"),
    np.cos: _form("cos(x)", "-(g * sin(x))"),
    np.tan: _form("tan(x)", "g * (1 + y**2)"),
    np.arcsin: _form("arcsin(x)", "g / sqrt(1 - x**2)"),
    np.arccos: _form("arccos(x)", "-(g / sqrt(1 - x**2))"),
    np.arctan: _form("arctan(x)", "g / (1 + x**2)"),
    np.sinh: _form("sinh(x)", "g * cosh(x)"),
    np.cosh: _form("cosh(x)", "g * sinh(x)"),
    np.tanh: _form("tanh(x)", "g * (1 - y**2)"),
    np.arcsinh: _form("arcsinh(x)", "g / sqrt(1 + x**2)"),
    np.arccosh: _form("arccosh(x)", "g / sqrt(x**2 - 1)"),
    np.arctanh: _form("arctanh(x)", "g / (1 - x**2)"),
    np.absolute: _form("abs(x)", "g * sign(x)"),
    np.fabs: _form("abs(x)", "g * sign(x)"),
    np.hypot: _form("sqrt(a**2 + b**2)", "g * a / y", "g * b / y"),
    np.arctan2: _form("arctan2(a, b)", "g * b / (a**2 + b**2)", "-(g * a / (a**2 + b**2))"),
    np.logaddexp: _form("log(exp(a) + exp(b))", "g * sigmoid(a - b)", "g * sigmoid(b - a)"),
    np.maximum: _form("max(a, b)", "g * ((a > b) + 0.5 * (a == b))", "g * ((b > a) + 0.5 * (a == b))"),
    np.minimum: _form("min(a, b)", "g * ((a < b) + 0.5 * (a == b))", "g * ((b < a) + 0.5 * (a == b))"),
    np.where: _form("where(a, b, c)", None, "where(a, g, 0)", "where(a, 0, g)"),
    np.sign: _form("sign(x)", "0 * g"),
    relu: _form("relu(x)", "g * (x > 0)"),
    sigmoid: _form("sigmoid(x)", "g * dsigmoid(x)"),
    softplus: _form("log(1 + exp(x))", "g * sigmoid(x)"),
    silu: _form("x * sigmoid(x)", "g * (sigmoid(x) + x * dsigmoid(x))"),
    leaky_relu: _form("where(x > 0, x, 0.01 * x)", "g * where(x > 0, 1, 0.01)"),
    elu: _form("where(x > 0, x, exp(x) - 1)", "g * where(x > 0, 1, exp(x))"),
    erf: _form("erf(x)", "g * (2 * exp(-x**2) / sqrt(pi))"),
}
_BUILDERS: dict[Any, Callable[[Value], Form | None]] = {}


def form_of(node: Value) -> Form | None:
    """How a node's operation is written; ``None`` where there is no other way than its name."""
    build = _BUILDERS.get(node.op)
    if build is not None:
        return build(node)
    form = FORMS.get(node.op)
    return form if form is not None and len(form.back) == len(node.args) and not node.kwargs else None


def _builds(*functions: Any) -> Callable[[Callable[[Value], Form | None]], Callable[[Value], Form | None]]:
    def keep(build: Callable[[Value], Form | None]) -> Callable[[Value], Form | None]:
        _BUILDERS.update(dict.fromkeys(functions, build))
        return build
    return keep


def _of_rest(expression: str | None, node: Value, back: str, shaped: bool = False) -> Form:
    """That of a function of one array and settings."""
    return Form(expression, (back, *[None] * (len(node.args) - 1)), shaped)


@_builds(np.power, np.float_power)
def _power(node: Value) -> Form:
    b: Any = node.args[1]
    if isinstance(b, (int, float)) and b == b and abs(b) < 1e6:
        n: Any = int(b) if b == int(b) else b
        back = {0: "0 * g", 1: "g", 2: "g * (2 * a)"}.get(n, f"g * ({n} * a**{n - 1})")
        return _form("a**b", back, None)
    return _form("a**b", "g * (b * a**(b - 1))", "g * (y * log(a))")


@_builds(np.matmul, np.dot)
def _matmul(node: Value) -> Form | None:
    a, b = (np.ndim(raw(x)) for x in node.args[:2])
    back = {(1, 1): ("g * b", "g * a"), (2, 1): ("outer(g, b)", "T(a) @ g"), (1, 2): ("g @ T(b)", "outer(a, g)"),
            (2, 2): ("g @ T(b)", "T(a) @ g")}.get((a, b))
    return None if back is None or node.kwargs else _form("a @ b", *back, shaped=False)


@_builds(affine)
def _affine(node: Value) -> Form | None:
    if node.kwargs:
        return None
    x = raw(node.args[0])
    batches = {1: "outer(g, a)", 2: "T(g) @ a"}
    if np.ndim(x) not in batches:
        return None
    back = ("g @ b", batches[np.ndim(x)], "sum(g, axis='0')" if np.ndim(x) == 2 else "g")
    if len(node.args) == 2:
        return _form("a @ T(b)", *back[:2], shaped=False)
    return _form("a @ T(b) + c", *back, shaped=False)


def _axis(node: Value) -> Any:
    usual = 0 if node.op == np.add.reduce else None
    return node.kwargs.get("axis", node.args[1] if len(node.args) > 1 else usual)


def _spread(node: Value, what: str) -> str:
    """What has the shape of a reduced result, along the axes that it was reduced by."""
    x: Any = node.args[0]
    if node.shape == () or node.kwargs.get("keepdims"):
        return f"fill({what}, {str(x.shape)!r})"
    return f"broadcast({what}, axis={str(_axis(node))!r})"


@_builds(np.sum, np.add.reduce)
def _sum(node: Value) -> Form | None:
    if set(node.kwargs) - {"axis", "keepdims"} or len(node.args) > 2:
        return None
    return _of_rest(None, node, _spread(node, "g"))


@_builds(np.mean)
def _mean(node: Value) -> Form | None:
    x: Any = node.args[0]
    if set(node.kwargs) - {"axis", "keepdims"} or len(node.args) > 2 or not node.size:
        return None
    return _of_rest(None, node, f"{_spread(node, 'g')} / {x.size // node.size}")


@_builds(np.max, np.min)
def _extreme(node: Value) -> Form | None:
    x, *rest = node.args
    if node.shape or set(node.kwargs) - {"axis", "keepdims"} or len(rest) > 1:
        return None
    ties = int(np.sum(x.data == node.data))
    return _of_rest(None, node, _spread(node, "g") + " * (x == y)" + (f" / {ties}" if ties > 1 else ""))


@_builds(np.reshape, np.ravel, np.squeeze, np.expand_dims)
def _reshape(node: Value) -> Form:
    x: Any = node.args[0]
    return _of_rest(None, node, f"reshape(g, {str(x.shape)!r})")


@_builds(np.transpose)
def _transpose(node: Value) -> Form | None:
    if node.ndim > 2 or any(x is not None for x in (*node.args[1:], *node.kwargs.values())):
        return None
    return _of_rest("T(x)", node, "T(g)")


@_builds(operator.getitem)
def _getitem(node: Value) -> Form:
    return _of_rest(None, node, f"scatter(g, {index_text(node.args[1])!r})")


@_builds(astype, np.copy)
def _same(node: Value) -> Form | None:
    x: Any = node.args[0]
    if node.dtype.kind != x.dtype.kind:  # of a complex gradient only the real part counts
        return None
    return _of_rest("x" if node.op is np.copy else None, node, "g")


@_builds(softmax)
def _softmax(node: Value) -> Form:
    axis = str(-1 if _axis(node) is None else _axis(node))
    return _of_rest(None, node, f"y * (g - sum(g * y, axis={axis!r}, keepdims='True'))")


@_builds(log_softmax)
def _log_softmax(node: Value) -> Form:
    axis = str(-1 if _axis(node) is None else _axis(node))
    return _of_rest(None, node, f"g - exp(y) * sum(g, axis={axis!r}, keepdims='True')")


@_builds(logsumexp)
def _logsumexp(node: Value) -> Form | None:
    if node.shape:
        return None
    return _of_rest(None, node, _spread(node, "g") + " * exp(x - y)")
