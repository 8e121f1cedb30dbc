"""What makes a number that is not finite, operation by operation, and what to write instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..graph import raw
from ..record import astype
from ..registry import name_of
from ..sources import arguments, grouped
from ..value import Value
from .local import is_finite
from .site import Site

__all__ = ["GUARDED", "cause_of"]

_LOGS = (np.log, np.log2, np.log10)
_POWERS = (np.power, np.float_power)
_CIRCULAR = (np.arcsin, np.arccos)
_AVERAGES = (np.mean, np.average, np.median)

# Which argument to replace where its result is not used, and by what, so that the function and its slope are finite
GUARDED: dict[Any, tuple[int, float]] = {
    np.divide: (1, 1.0), np.remainder: (1, 1.0), np.fmod: (1, 1.0), np.arccosh: (0, 2.0),
    **dict.fromkeys([*_CIRCULAR, np.arctanh, np.exp, np.exp2, np.expm1, np.cosh, np.sinh, np.log1p], (0, 0.0))}


class Known(NamedTuple):
    """A cause that is recognised: for which operations, in which pass, when, and what to say and to write.

    In the texts, ``{0}`` and ``{1}`` are the arguments as the user wrote them, ``{a}`` and ``{b}`` the same as
    operands, ``{s}`` the first as a summand, ``{root}`` what the second is the root of, ``{f}`` the function,
    ``{dtype}`` that of the result and ``{largest}`` the largest number of that, ``{limit}`` the largest argument that
    the function takes and ``{within}`` a round number below it.
    """

    ops: tuple[Any, ...]
    phase: str
    when: Callable[[Site], bool]
    cause: str
    rewrite: str


def _zero(i: int) -> Callable[[Site], bool]:
    return lambda site: site.any(i, lambda x: x == 0)


def _negative(i: int) -> Callable[[Site], bool]:
    return lambda site: site.any(i, lambda x: np.real(x) < 0)


def _beyond_one(site: Site) -> bool:
    return site.any(0, lambda x: np.abs(x) > 1)


def _at_one(site: Site) -> bool:
    return site.any(0, lambda x: np.abs(x) == 1)


def _overflows(site: Site) -> bool:
    """Whether the numbers that went in were finite and what came out is too large."""
    return _of_finite(site) and bool(np.isinf(site.result[site.wrong]).all())


def _of_finite(site: Site) -> bool:
    return all(is_finite(site.at(i)) for i in range(len(site.node.args)))


def _of_root(site: Site) -> bool:
    return site.place == 0 and site.any(0, lambda x: x == 0) and site.any(1, lambda p: np.real(p) < 1)


def _made_by(x: Any, *ops: Callable) -> bool:
    return isinstance(x, Value) and x.op in ops


def _by_zero_of(*ops: Callable) -> Callable[[Site], bool]:
    """Whether it divides by a 0 that one of the operations gave."""
    return lambda site: site.any(1, lambda b: b == 0) and _made_by(site.node.args[1], *ops)


_EPS = "1e-12"
_SPREAD = "it divides by a standard deviation or variance of 0: the numbers that this is of are all equal"

_KNOWN = [
    Known(_LOGS, "forward", _negative(0), "{f} of a negative number is nan", f"{{f}}(np.maximum({{0}}, {_EPS}))"),
    Known(_LOGS, "forward", _zero(0), "{f}(0) is -inf", f"{{f}}({{s}} + {_EPS})"),
    Known((np.log1p,), "forward", lambda s: s.any(0, lambda x: x <= -1),
          "np.log1p(x) is the log of 1 + x, which is -inf at x = -1 and nan below",
          f"np.log1p(np.maximum({{0}}, -1 + {_EPS}))"),
    Known((np.sqrt,), "forward", _negative(0), "np.sqrt of a negative number is nan",
          f"np.sqrt(np.maximum({{0}}, {_EPS}))"),
    Known((np.sqrt,), "backward", _zero(0), "the slope of np.sqrt at 0 is inf", f"np.sqrt({{s}} + {_EPS})"),
    Known(_POWERS, "forward", lambda s: s.any(0, lambda x: x == 0) and s.any(1, lambda p: np.real(p) < 0),
          "0 to a negative power is inf", f"({{s}} + {_EPS}) ** {{b}}"),
    Known(_POWERS, "forward", lambda s: s.any(0, lambda x: np.real(x) < 0) and s.any(1, lambda p: p != np.round(p)),
          "a negative number to a power that is not whole is nan", "np.abs({0}) ** {b}"),
    Known(_POWERS, "backward", _of_root, "the slope of x ** p at x = 0 is inf for powers p below 1",
          f"({{s}} + {_EPS}) ** {{b}}"),
    Known(_POWERS, "backward", lambda s: s.place == 1 and s.any(0, lambda x: np.real(x) < 0),
          "the slope of a ** b along b holds the log of a, which is nan where a is negative", "np.abs({0}) ** {b}"),
    Known((np.cbrt,), "backward", _zero(0), "the slope of np.cbrt at 0 is inf", f"np.cbrt({{s}} + {_EPS})"),
    Known((np.divide,), "forward", _by_zero_of(np.std, np.var, np.nanstd, np.nanvar), _SPREAD,
          "{a} / ({1} + 1e-8)"),
    Known((np.divide,), "forward", lambda s: _by_zero_of(np.sqrt)(s) and _made_by(s.node.args[1].args[0], np.var),
          _SPREAD, "{a} / np.sqrt({root} + 1e-8)"),
    Known((np.divide,), "forward", _by_zero_of(np.sqrt), "it divides by the square root of 0",
          f"{{a}} / np.sqrt({{root}} + {_EPS})"),
    Known((np.divide,), "forward", _by_zero_of(np.linalg.norm, np.linalg.vector_norm, np.linalg.matrix_norm),
          "it divides by a norm of 0", f"{{a}} / np.maximum({{1}}, {_EPS})"),
    Known((np.divide,), "forward", lambda s: s.any(0, lambda a: a == 0) and s.any(1, lambda b: b == 0),
          "0/0 is nan", "{a} / np.where({b} == 0, 1.0, {1})"),
    Known((np.divide,), "forward", _zero(1), "a number divided by 0 is inf", "{a} / np.where({b} == 0, 1.0, {1})"),
    Known((np.reciprocal,), "forward", _zero(0), "1/0 is inf", "np.reciprocal(np.where({a} == 0, 1.0, {0}))"),
    Known((np.remainder, np.fmod), "forward", _zero(1), "a remainder of a division by 0 is nan",
          "{f}({0}, np.where({b} == 0, 1.0, {1}))"),
    Known(_CIRCULAR, "forward", _beyond_one, "{f} of a number beyond ±1 is nan",
          "{f}(np.clip({0}, -1 + 1e-7, 1 - 1e-7))"),
    Known(_CIRCULAR, "backward", _at_one, "the slope of {f} at ±1 is inf", "{f}(np.clip({0}, -1 + 1e-7, 1 - 1e-7))"),
    Known((np.arctanh,), "forward", lambda s: s.any(0, lambda x: np.abs(x) >= 1),
          "{f} is inf at ±1, and nan beyond", "{f}(np.clip({0}, -1 + 1e-7, 1 - 1e-7))"),
    Known((np.arccosh,), "forward", lambda s: s.any(0, lambda x: np.real(x) < 1), "{f} of a number below 1 is nan",
          "{f}(np.maximum({0}, 1 + 1e-7))"),
    Known((np.arccosh,), "backward", _at_one, "the slope of {f} at 1 is inf", "{f}(np.maximum({0}, 1 + 1e-7))"),
    Known((np.exp, np.exp2, np.expm1), "forward", _overflows,
          "overflow: {f} of more than {limit} is inf in {dtype}", "{f}(np.minimum({0}, {within}))"),
    Known((np.cosh, np.sinh), "forward", _overflows, "overflow: {f} of more than ±{limit} is inf in {dtype}",
          "{f}(np.clip({0}, -{within}, {within}))"),
    Known((np.square,), "forward", _overflows, "overflow: the square of more than ±{limit} is inf in {dtype}",
          "np.square({a} / np.max(np.abs({0})))"),
    Known(_POWERS, "forward", _overflows, "overflow: the power is beyond {largest}, the largest {dtype}",
          "({a} / np.max(np.abs({0}))) ** {b}"),
    Known((np.prod, np.multiply.reduce), "forward", _overflows,
          "overflow: the product is beyond {largest}, the largest {dtype}", "np.sum(np.log(np.abs({0})))"),
    Known((np.linalg.det,), "forward", _overflows, "overflow: the determinant is beyond {largest}, the largest {dtype}",
          "np.linalg.slogdet({0})"),
    Known((astype,), "forward", _overflows, "overflow: the largest {dtype} is {largest}", "{0}"),
    Known(_AVERAGES, "forward", lambda s: not np.size(raw(s.node.args[0])), "the mean of no elements is 0/0",
          "{f}({0}) if np.size({0}) else 0.0"),
    Known((np.var, np.std), "forward", lambda s: is_finite(s.at(0)) and not _overflows(s),
          "it divides by the number of elements less ddof, which is not above 0", "{f}({0}, ddof=0)"),
    Known((np.linalg.svd, np.linalg.eigh, np.linalg.eig), "backward", lambda s: True,
          "vectors that belong to equal values have no derivative: it divides by the difference of the values",
          "{f}({s} + 1e-6 * np.diag(np.arange(len({0}))))"),
    Known((np.add, np.subtract), "forward", lambda s: True, "inf - inf is nan", ""),
    Known((np.multiply,), "forward", lambda s: s.any(0, np.isinf) and s.any(1, lambda b: b == 0),
          "0 · inf is nan: a product with 0 does not remove an infinity", "np.where({b} == 0, 0.0, {0})"),
    Known((np.multiply,), "forward", lambda s: s.any(1, np.isinf) and s.any(0, lambda a: a == 0),
          "0 · inf is nan: a product with 0 does not remove an infinity", "np.where({a} == 0, 0.0, {1})"),
    Known((np.divide,), "forward", lambda s: s.any(0, np.isinf) and s.any(1, np.isinf), "inf / inf is nan", ""),
]


def cause_of(site: Site) -> tuple[str, str]:
    """Why an operation gave what is not finite, and what to write in its place, or nothing where that is not known."""
    for known in _KNOWN:
        if site.node.op in known.ops and site.phase == known.phase and known.when(site):
            said = _said(site)
            cause, rewrite = known.cause.format(*site.names, **said), known.rewrite.format(*site.names, **said)
            break
    else:
        cause, rewrite = _unknown(site), ""
    return cause, rewrite


def _unknown(site: Site) -> str:
    name = name_of(site.node.op)
    if site.phase == "backward" and not is_finite(site.result):
        return f"the rule of {name} computes with its result, which is not finite"
    if site.phase == "backward":
        return f"the derivative of {name} is not finite at these numbers, or too large for {site.node.dtype}"
    if not _of_finite(site):
        return "what goes in is infinite: inf - inf, 0 · inf and inf / inf are nan"
    if _overflows(site):
        return "overflow: the result is beyond {largest}, the largest {dtype}".format(**_said(site))
    return f"{name} is not finite at these numbers"


def _said(site: Site) -> dict[str, Any]:
    """The words that a known cause may use."""
    op, names, divisor, dtype = site.node.op, site.names, site.node.args[-1], site.result.dtype
    largest = float(np.finfo(dtype).max)
    limits = {np.exp2: math.log2(largest), np.square: math.sqrt(largest),
              **dict.fromkeys([np.cosh, np.sinh], math.log(largest) + math.log(2))}
    limit = limits.get(op, math.log(largest)) if op else largest
    return {"a": grouped(names[0]), "b": grouped(names[-1]), "s": grouped(names[0], summed=True), "f": name_of(op),
            "root": arguments(divisor)[0] if _made_by(divisor, np.sqrt) else "", "dtype": str(dtype),
            "largest": f"{largest:.4g}", "limit": f"{limit:.2f}" if limit < 1e4 else f"{limit:.4g}",
            "within": math.ceil(limit) - 1.0}
