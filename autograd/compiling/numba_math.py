"""What the generated Numba code calls: pointers to arrays, sums in any order, and exp and its kin that vectorise.

Each is written straight in LLVM's instructions, so that it costs no compilation of its own and becomes part of the
loop around it. Only sums and products over an axis may be reordered; every other number is rounded as NumPy rounds it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["at", "ceil", "exp", "expm1", "flat", "floor", "fmax", "fmin", "greatest", "least", "log", "log1p",
           "maximum", "minimum", "plus", "rint", "sqrt", "tanh", "times", "trunc", "within"]

ANY_ORDER = ("reassoc", "contract")


# Memory


@intrinsic
def flat(typing: Any, array: Any) -> Any:
    """The address of an array's first element; bools are bytes."""
    element = types.uint8 if array.dtype == types.boolean else array.dtype
    pointer = types.CPointer(element)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.bitcast(data, context.get_value_type(pointer))
    return pointer(array), code


@intrinsic
def at(typing: Any, pointer: Any, offset: Any) -> Any:
    """The address ``offset`` elements further."""
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])
    return pointer(pointer, types.int64), code


@intrinsic
def within(typing: Any, index: Any, length: Any) -> Any:
    """An index as NumPy takes it, from the end where it is negative; 0 for one that is out of bounds."""
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i, n = args
        zero = ir.Constant(i.type, 0)
        i = builder.select(builder.icmp_signed("<", i, zero), builder.add(i, n), i)
        return builder.select(builder.icmp_unsigned("<", i, n), i, zero)
    return types.int64(types.int64, types.int64), code


# Reductions, whose terms may come in any order


def _reduction(name: str, floating: str, integer: str) -> Any:
    def function(typing: Any, total: Any, x: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            if isinstance(total, types.Float):
                return getattr(builder, floating)(*args, flags=ANY_ORDER)
            return getattr(builder, integer)(*args)
        return total(total, total), code
    function.__name__ = name
    return intrinsic(function)


def _extreme(name: str) -> Any:
    """The greatest or the least of floats, or NaN: LLVM knows how to find it in many lanes at once."""
    def function(typing: Any, total: Any, x: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            m = _Maths(builder, args[0].type)
            return m.call("maximum" if name == "greatest" else "minimum", *args)
        return total(total, total), code
    function.__name__ = name
    return intrinsic(function)


greatest, least = _extreme("greatest"), _extreme("least")
plus, times = _reduction("plus", "fadd", "add"), _reduction("times", "fmul", "mul")


# Functions of one or two numbers


class _Maths:
    """LLVM's floating-point instructions on values of one type."""

    def __init__(self, builder: Any, kind: Any) -> None:
        self.builder, self.type = builder, kind
        self.double = isinstance(kind, ir.DoubleType)
        self.bits = ir.IntType(64 if self.double else 32)
        self.mantissa, self.bias = (52, 1023) if self.double else (23, 127)

    def number(self, x: Any) -> Any:
        if not isinstance(x, (int, float)):
            return x
        return ir.Constant(self.type, float(x) if self.double else float(np.float32(x)))

    def call(self, name: str, *args: Any) -> Any:
        kind = ir.FunctionType(self.type, [self.type] * len(args))
        function = self.builder.module.declare_intrinsic(f"llvm.{name}", (self.type,), kind)
        return self.builder.call(function, [self.number(a) for a in args])

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(self.number(a), self.number(b))

    def sub(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(self.number(a), self.number(b))

    def mul(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(self.number(a), self.number(b))

    def div(self, a: Any, b: Any) -> Any:
        return self.builder.fdiv(self.number(a), self.number(b))

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.call("fmuladd", a, b, c)

    def polynomial(self, x: Any, coefficients: tuple[float, ...]) -> Any:
        """By Horner's rule, from the highest power down."""
        y: Any = coefficients[0]
        for c in coefficients[1:]:
            y = self.fma(y, x, c)
        return y

    def where(self, a: Any, relation: str, b: Any, yes: Any, no: Any) -> Any:
        """``yes if a relation b else no``; no relation but ``nan`` holds for a NaN."""
        a, b = self.number(a), self.number(b)
        if relation == "nan":
            condition = self.builder.fcmp_unordered("uno", a, b)
        else:
            condition = self.builder.fcmp_ordered(relation, a, b)
        return self.builder.select(condition, self.number(yes), self.number(no))

    def integer(self, n: int) -> Any:
        return ir.Constant(self.bits, n)

    def power_of_two(self, k: Any) -> Any:
        """2^k of a small integer, its bits put together."""
        raised = self.builder.add(k, self.integer(self.bias))
        return self.builder.bitcast(self.builder.shl(raised, self.integer(self.mantissa)), self.type)


# The rational approximations are those of the Cephes library (S. L. Moshier), with fused multiply-adds.
EXP_32 = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
EXP_P = (1.26177193074810590878e-4, 3.02994407707441961300e-2, 9.99999999999999999910e-1)
EXP_Q = (3.00198505138664455042e-6, 2.52448340349684104192e-3, 2.27265548208155028766e-1, 2.0)
LOG_32 = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
          2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
LOG_P = (1.01875663804580931796e-4, 4.97494994976747001425e-1, 4.70579119878881725854, 1.44989225341610930846e1,
         1.79368678507819816313e1, 7.70838733755885391666)
LOG_Q = (1.0, 1.12873587189167450590e1, 4.52279145837532221105e1, 8.29875266912776603211e1, 7.11544750618563894466e1,
         2.31251620126765340583e1)
LOG1P_P = (4.5270000862445199635215e-5, 4.9854102823193375972212e-1, 6.5787325942061044846969,
           2.9911919328553073277375e1, 6.0949667980987787057556e1, 5.7112963590585538103336e1,
           2.0039553499201281259648e1)
LOG1P_Q = (1.0, 1.5062909083469192043167e1, 8.3047565967967209469434e1, 2.2176239823732856465394e2,
           3.0909872225312059774938e2, 2.1642788614495947685003e2, 6.0118660497603843919306e1)
TANH_32 = (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
TANH_P = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
TANH_Q = (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3)
LOG2_HIGH, LOG2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6
SQRT_HALF = math.sqrt(0.5)


def _exp(m: _Maths, x: Any) -> Any:
    """2^n · exp(x - n log 2) with n the nearest integer; the power of two in two halves, for subnormal results."""
    highest, lowest = (709.782712893384, -745.2) if m.double else (88.72283935546875, -103.98)
    z = m.where(x, "<", highest, x, highest)
    z = m.where(z, ">", lowest, z, lowest)
    n = m.call("rint", m.mul(z, 1 / math.log(2)))
    r = m.fma(n, -LOG2_LOW, m.fma(n, -LOG2_HIGH, z))
    if m.double:
        square = m.mul(r, r)
        p = m.mul(r, m.polynomial(square, EXP_P))
        y = m.fma(m.div(p, m.sub(m.polynomial(square, EXP_Q), p)), 2.0, 1.0)
    else:
        y = m.fma(m.polynomial(r, EXP_32), m.mul(r, r), m.add(r, 1.0))
    k = m.builder.fptosi(n, m.bits)
    half = m.builder.ashr(k, m.integer(1))
    y = m.mul(m.mul(y, m.power_of_two(half)), m.power_of_two(m.builder.sub(k, half)))
    y = m.where(x, ">", highest, math.inf, y)
    return m.where(x, "nan", x, x, y)


def _log(m: _Maths, x: Any) -> Any:
    """log(f) + e log 2 with x = f · 2^e, f between √½ and √2."""
    tiny = 2.0 ** -1022 if m.double else 2.0 ** -126
    lift = float(m.mantissa + 2)
    scaled = m.where(x, "<", tiny, m.mul(x, 2.0 ** lift), x)
    bits = m.builder.bitcast(scaled, m.bits)
    exponent = m.builder.ashr(bits, m.integer(m.mantissa))
    e = m.builder.sitofp(m.builder.sub(exponent, m.integer(m.bias - 1)), m.type)
    e = m.where(x, "<", tiny, m.sub(e, lift), e)
    low_bits = m.builder.and_(bits, m.integer((1 << m.mantissa) - 1))
    f = m.builder.bitcast(m.builder.or_(low_bits, m.integer((m.bias - 1) << m.mantissa)), m.type)
    small = m.builder.fcmp_ordered("<", f, m.number(SQRT_HALF))
    e = m.builder.select(small, m.sub(e, 1.0), e)
    f = m.sub(m.builder.select(small, m.add(f, f), f), 1.0)
    z = m.mul(f, f)
    p = m.div(m.polynomial(f, LOG_P), m.polynomial(f, LOG_Q)) if m.double else m.polynomial(f, LOG_32)
    y = m.fma(e, -2.121944400546905827679e-4, m.mul(f, m.mul(z, p)))
    y = m.fma(e, 0.693359375, m.add(f, m.fma(z, -0.5, y)))
    y = m.where(x, "==", math.inf, math.inf, y)
    y = m.where(x, ">", 0.0, y, m.where(x, "==", 0.0, -math.inf, math.nan))
    return m.where(x, "nan", x, x, y)


def _expm1(m: _Maths, x: Any) -> Any:
    z = m.where(m.call("fabs", x), "<", 0.5, x, 0.5)
    square = m.mul(z, z)
    p = m.mul(z, m.polynomial(square, EXP_P))
    y = m.div(p, m.sub(m.polynomial(square, EXP_Q), p))
    y = m.where(m.call("fabs", x), "<", 0.5, m.add(y, y), m.sub(_exp(m, x), 1.0))
    return m.where(x, "==", 0.0, x, y)


def _log1p(m: _Maths, x: Any) -> Any:
    near = m.builder.and_(m.builder.fcmp_ordered(">", x, m.number(SQRT_HALF - 1)),
                          m.builder.fcmp_ordered("<", x, m.number(math.sqrt(2) - 1)))
    z = m.mul(x, x)
    y = m.mul(x, m.mul(z, m.div(m.polynomial(x, LOG1P_P), m.polynomial(x, LOG1P_Q))))
    y = m.add(x, m.fma(z, -0.5, y))
    y = m.builder.select(near, y, _log(m, m.add(x, 1.0)))
    return m.where(x, "==", 0.0, x, y)


def _tanh(m: _Maths, x: Any) -> Any:
    size = m.call("fabs", x)
    z = m.mul(x, x)
    p = m.div(m.polynomial(z, TANH_P), m.polynomial(z, TANH_Q)) if m.double else m.polynomial(z, TANH_32)
    near = m.fma(m.mul(p, z), x, x)
    far = m.sub(1.0, m.div(2.0, m.add(_exp(m, m.add(size, size)), 1.0)))
    y = m.where(size, "<", 0.625, near, m.call("copysign", far, x))
    return m.where(x, "==", 0.0, x, y)


def _unary(name: str, formula: Any) -> Any:
    def function(typing: Any, x: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return formula(_Maths(builder, args[0].type), args[0])
        return x(x), code
    function.__name__ = name
    return intrinsic(function)


def _binary(name: str, relation: str, keeps_nan: bool) -> Any:
    """The greater or the lesser of two numbers; a NaN wins, or loses."""
    def function(typing: Any, a: Any, b: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            m, (a, b) = _Maths(builder, args[0].type), args
            if keeps_nan:
                return m.where(a, "nan", a, a, m.where(a, relation, b, a, b))
            return m.where(b, "nan", b, a, m.where(a, relation, b, a, b))
        return a(a, a), code
    function.__name__ = name
    return intrinsic(function)


exp, expm1, log, log1p, tanh = (_unary(n, f) for n, f in [("exp", _exp), ("expm1", _expm1), ("log", _log),
                                                          ("log1p", _log1p), ("tanh", _tanh)])
sqrt, floor, ceil, trunc, rint = (_unary(n, lambda m, x, n=n: m.call(n, x))
                                  for n in ("sqrt", "floor", "ceil", "trunc", "rint"))
maximum, minimum = _binary("maximum", ">=", True), _binary("minimum", "<=", True)
fmax, fmin = _binary("fmax", ">=", False), _binary("fmin", "<=", False)
