"""What the generated code calls for products of matrices: sums of products over blocks of constant size, unrolled.

A block's numbers are a tuple, which compiles to registers. Each function is written straight in LLVM's instructions;
``i`` steps of ``step`` elements from ``offset`` say where the numbers lie.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .numba_math import ANY_ORDER

__all__ = ["gemm", "inner", "inner_plus", "keep", "outer_plus", "take", "zeros"]


class _Code:
    """Loads, stores and sums, with a cast where the numbers have another type."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context, self.builder, self.dtype = context, builder, dtype

    def place(self, pointer: Any, offset: Any, k: int, step: Any) -> Any:
        b = self.builder
        further = b.mul(ir.Constant(ir.IntType(64), k), step, flags=("nsw",))
        return b.gep(pointer, [b.add(offset, further, flags=("nsw",))], inbounds=True)

    def load(self, kind: Any, pointer: Any, offset: Any, k: int, step: Any) -> Any:
        value = self.builder.load(self.place(pointer, offset, k, step), align=kind.dtype.bitwidth // 8)
        return self.context.cast(self.builder, value, kind.dtype, self.dtype)

    def muladd(self, total: Any, a: Any, b: Any) -> Any:
        product = self.builder.fmul(a, b, flags=ANY_ORDER)
        return product if total is None else self.builder.fadd(total, product, flags=ANY_ORDER)

    def numbers(self, block: Any, count: int) -> list:
        return cgutils.unpack_tuple(self.builder, block, count)

    def block(self, numbers: list) -> Any:
        return self.context.make_tuple(self.builder, types.UniTuple(self.dtype, len(numbers)), numbers)


def _constant(*args: Any) -> bool:
    return all(isinstance(a, types.IntegerLiteral) for a in args)


I = types.int64  # noqa: E741


@intrinsic
def zeros(typing: Any, zero: Any, count: Any) -> Any:
    """A block of zeros."""
    if not _constant(count):
        return None

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _Code(context, builder, zero).block([args[0]] * count.literal_value)
    return types.UniTuple(zero, count.literal_value)(zero, count), code


@intrinsic
def take(typing: Any, zero: Any, pointer: Any, offset: Any, step: Any, count: Any) -> Any:
    """The numbers ``pointer[offset + i step]``, of the type of ``zero``."""
    if not _constant(count):
        return None

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        c = _Code(context, builder, zero)
        return c.block([c.load(pointer, args[1], args[2], k, args[3]) for k in range(count.literal_value)])
    return types.UniTuple(zero, count.literal_value)(zero, pointer, I, I, count), code


@intrinsic
def inner(typing: Any, a: Any, b: Any) -> Any:
    """Σ_i a[i] b[i]"""
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        c, total = _Code(context, builder, a.dtype), None
        for left, right in zip(c.numbers(args[0], a.count), c.numbers(args[1], a.count), strict=True):
            total = c.muladd(total, left, right)
        return total
    return a.dtype(a, a), code


@intrinsic
def inner_plus(typing: Any, total: Any, a: Any, b: Any) -> Any:
    """total + Σ_i a[i] b[i]"""
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        c, total = _Code(context, builder, a.dtype), args[0]
        for left, right in zip(c.numbers(args[1], a.count), c.numbers(args[2], a.count), strict=True):
            total = c.muladd(total, left, right)
        return total
    return a.dtype(a.dtype, a, a), code


@intrinsic
def outer_plus(typing: Any, sums: Any, a: Any, a_offset: Any, a_step: Any, rows: Any, b: Any, b_offset: Any,
               b_step: Any, columns: Any) -> Any:
    """sums[r, c] + a[a_offset + r a_step] b[b_offset + c b_step], row by row"""
    if not _constant(rows, columns):
        return None
    m, n = rows.literal_value, columns.literal_value

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        c = _Code(context, builder, sums.dtype)
        left = [c.load(a, args[1], args[2], r, args[3]) for r in range(m)]
        right = [c.load(b, args[5], args[6], k, args[7]) for k in range(n)]
        totals = c.numbers(args[0], m * n)
        return c.block([c.muladd(totals[r * n + k], left[r], right[k]) for r in range(m) for k in range(n)])
    return sums(sums, a, I, I, rows, b, I, I, columns), code


@intrinsic
def keep(typing: Any, sums: Any, pointer: Any, offset: Any, row_step: Any, column_step: Any, columns: Any) -> Any:
    """pointer[offset + r row_step + c column_step] = sums[r, c]"""
    if not _constant(columns):
        return None
    n = columns.literal_value

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        c = _Code(context, builder, sums.dtype)
        for k, total in enumerate(c.numbers(args[0], sums.count)):
            row = builder.mul(ir.Constant(ir.IntType(64), k // n), args[3], flags=("nsw",))
            place = c.place(args[1], builder.add(args[2], row, flags=("nsw",)), k % n, args[4])
            builder.store(total, place, align=sums.dtype.bitwidth // 8)
        return context.get_dummy_value()
    return types.void(sums, pointer, I, I, I, columns), code


@intrinsic
def gemm(typing: Any, address: Any, transpose_a: Any, transpose_b: Any, m: Any, n: Any, k: Any, alpha: Any, a: Any,
         lda: Any, b: Any, ldb: Any, beta: Any, c: Any, ldc: Any) -> Any:
    """C = alpha op(A) op(B) + beta C of matrices in column order, by the BLAS routine at an address."""
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, int32 = ir.IntType(8), ir.IntType(32)
        number = context.get_value_type(a.dtype)

        def cell(value: Any, kind: Any) -> Any:
            with builder.goto_entry_block():
                place = builder.alloca(kind)
            if isinstance(kind, ir.IntType):
                value = builder.trunc(value, kind)
            builder.store(value, place)
            return place
        kinds = [byte, byte, int32, int32, int32, number, None, int32, None, int32, number, None, int32]
        places = [v if kind is None else cell(v, kind) for v, kind in zip(args[1:], kinds, strict=True)]
        function = ir.FunctionType(ir.VoidType(), [p.type for p in places])
        builder.call(builder.inttoptr(args[0], function.as_pointer()), places)
        return context.get_dummy_value()
    return types.void(I, I, I, I, I, I, a.dtype, a, I, b, I, a.dtype, c, I), code
