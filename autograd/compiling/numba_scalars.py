"""Elementwise NumPy functions as Python expressions of numbers, with NumPy's dtypes and meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .program import Var

__all__ = ["SUPPORTED", "Formula", "elementwise", "is_number", "literal"]

SUPPORTED = frozenset(map(np.dtype, ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                                     "float32", "float64"]))


class Formula(NamedTuple):
    """An expression of ``{0}``, ``{1}``, …, each first turned into its dtype; its value has the last dtype."""

    text: str
    dtypes: tuple[np.dtype, ...]


# Function -> (kinds of dtype that it holds for: b i u f, expression). The first that fits holds.
FORMULAS: dict[Any, list[tuple[str, str]]] = {
    np.add: [("b", "{0} | {1}"), ("iuf", "{0} + {1}")],
    np.subtract: [("iuf", "{0} - {1}")],
    np.multiply: [("b", "{0} & {1}"), ("iuf", "{0} * {1}")],
    np.true_divide: [("f", "{0} / {1}")],
    np.negative: [("iuf", "-{0}")],
    np.positive: [("iuf", "{0}")],
    np.square: [("iuf", "{0} * {0}")],
    np.reciprocal: [("f", "ONE / {0}")],
    np.absolute: [("b", "{0}"), ("u", "{0}"), ("if", "abs({0})")],
    np.fabs: [("f", "abs({0})")],
    np.maximum: [("b", "{0} | {1}"), ("iu", "max({0}, {1})"), ("f", "maximum({0}, {1})")],
    np.minimum: [("b", "{0} & {1}"), ("iu", "min({0}, {1})"), ("f", "minimum({0}, {1})")],
    np.fmax: [("b", "{0} | {1}"), ("iu", "max({0}, {1})"), ("f", "fmax({0}, {1})")],
    np.fmin: [("b", "{0} & {1}"), ("iu", "min({0}, {1})"), ("f", "fmin({0}, {1})")],
    np.equal: [("biuf", "{0} == {1}")],
    np.not_equal: [("biuf", "{0} != {1}")],
    np.less: [("biuf", "{0} < {1}")],
    np.less_equal: [("biuf", "{0} <= {1}")],
    np.greater: [("biuf", "{0} > {1}")],
    np.greater_equal: [("biuf", "{0} >= {1}")],
    np.logical_and: [("biuf", "({0} != 0) & ({1} != 0)")],
    np.logical_or: [("biuf", "({0} != 0) | ({1} != 0)")],
    np.logical_xor: [("biuf", "({0} != 0) != ({1} != 0)")],
    np.logical_not: [("biuf", "{0} == 0")],
    np.bitwise_and: [("biu", "{0} & {1}")],
    np.bitwise_or: [("biu", "{0} | {1}")],
    np.bitwise_xor: [("b", "{0} != {1}"), ("iu", "{0} ^ {1}")],
    np.invert: [("b", "{0} == 0"), ("iu", "~{0}")],
    np.isnan: [("f", "{0} != {0}")],
    np.isinf: [("f", "abs({0}) == INF")],
    np.isfinite: [("f", "abs({0}) < INF")],
    np.signbit: [("f", "copysign(ONE, {0}) < ZERO")],
    np.sign: [("u", "{0} != 0"), ("i", "({0} > 0) - ({0} < 0)"),
              ("f", "{0} if {0} != {0} else (ONE if {0} > ZERO else (-ONE if {0} < ZERO else ZERO))")],
    np.heaviside: [("f", "{0} if {0} != {0} else (ONE if {0} > ZERO else (ZERO if {0} < ZERO else {1}))")],
    np.copysign: [("f", "copysign({0}, {1})")],
    np.exp: [("f", "exp({0})")],
    np.exp2: [("f", "math.pow(ONE + ONE, {0})")],
    np.expm1: [("f", "expm1({0})")],
    np.log: [("f", "log({0})")],
    np.log1p: [("f", "log1p({0})")],
    np.log2: [("f", "math.log2({0})")],
    np.log10: [("f", "math.log10({0})")],
    np.tanh: [("f", "tanh({0})")],
    np.sqrt: [("f", "sqrt({0})")],
    np.floor: [("f", "floor({0})"), ("biu", "{0}")],
    np.ceil: [("f", "ceil({0})"), ("biu", "{0}")],
    np.trunc: [("f", "trunc({0})"), ("biu", "{0}")],
    np.rint: [("f", "rint({0})")],
    np.sin: [("f", "math.sin({0})")],
    np.cos: [("f", "math.cos({0})")],
    np.tan: [("f", "math.tan({0})")],
    np.arcsin: [("f", "math.asin({0})")],
    np.arccos: [("f", "math.acos({0})")],
    np.arctan: [("f", "math.atan({0})")],
    np.sinh: [("f", "math.sinh({0})")],
    np.cosh: [("f", "math.cosh({0})")],
    np.arcsinh: [("f", "math.asinh({0})")],
    np.arccosh: [("f", "math.acosh({0})")],
    np.arctanh: [("f", "math.atanh({0})")],
    np.arctan2: [("f", "math.atan2({0}, {1})")],
    np.hypot: [("f", "math.hypot({0}, {1})")],
    np.logaddexp: [("f", "{0} + log1p(ONE) if {0} == {1} else maximum({0}, {1}) + log1p(exp(-abs({0} - {1})))")],
}


def is_number(x: Any) -> bool:
    """Whether ``x`` is a constant of a dtype that compiled code has: a Python number, or a NumPy scalar."""
    return type(x) in (bool, int, float) or (isinstance(x, np.generic) and x.dtype in SUPPORTED)


def kind_of(x: Any) -> Any:
    """What NumPy's promotion takes ``x`` for: a dtype, or the type of a Python number."""
    if isinstance(x, Var):
        return x.python if x.python not in (None, bool) else x.dtype
    return type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype


def elementwise(function: Callable, args: tuple) -> Formula | None:
    """The formula of a ufunc for these arguments, or ``None`` when only NumPy has it."""
    if not isinstance(function, np.ufunc) or function.nout != 1 or len(args) != function.nin:
        return None
    if function is np.power:
        return power(args)
    if function not in FORMULAS:
        return None
    try:
        dtypes = function.resolve_dtypes((*map(kind_of, args), None))
    except TypeError:
        return None
    if any(d not in SUPPORTED for d in dtypes) or len(set(dtypes[:-1])) != 1 or not all(map(fits, args, dtypes)):
        return None
    text = next((text for kinds, text in FORMULAS[function] if dtypes[0].kind in kinds), None)
    return Formula(text, dtypes) if text else None


def fits(x: Any, dtype: np.dtype) -> bool:
    """Whether a Python integer has no chance of being too large for its dtype: NumPy would raise an error."""
    if dtype.kind not in "iu" or kind_of(x) is not int:
        return True
    if isinstance(x, Var):
        return dtype == np.int64
    return np.iinfo(dtype).min <= x <= np.iinfo(dtype).max


def power(args: tuple) -> Formula | None:
    """A power: of a small constant exponent by products, otherwise of floats only."""
    x, exponent = args
    try:
        dtypes = np.power.resolve_dtypes((kind_of(x), kind_of(exponent), None))
    except TypeError:
        return None
    if dtypes[2] not in SUPPORTED or not (dtypes[0] == dtypes[1] == dtypes[2]) or dtypes[0].kind not in "iuf":
        return None
    n = exponent.item() if isinstance(exponent, np.generic) else exponent
    if isinstance(n, (int, float)) and not isinstance(x, (int, float)):
        if n in (1, 2, 3):
            return Formula(" * ".join(["{0}"] * int(n)), dtypes)
        if dtypes[0].kind == "f" and n in (0.5, -1):
            return Formula("sqrt({0})" if n == 0.5 else "ONE / {0}", dtypes)
    return Formula("math.pow({0}, {1})", dtypes) if dtypes[0].kind == "f" else None


def literal(x: Any, dtype: np.dtype) -> str:
    """A constant of a dtype, as Python text."""
    value = np.asarray(x).astype(dtype).item()
    if dtype.kind == "f" and value - value != 0:
        return f'{dtype}("{value}")'
    return repr(value) if dtype.kind == "b" else f"{dtype}({value!r})"
