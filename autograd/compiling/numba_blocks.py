"""What the generated code calls for products of matrices: sums of products over blocks of constant size, unrolled.

A block's numbers are a tuple, which compiles to registers. Each function is written straight in LLVM's instructions;
``i`` steps of ``step`` elements from ``offset`` say where the numbers lie.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba.core import cgutils, types
from numba.extending import intrinsic

from .numba_math import ANY_ORDER

__all__ = ["gemm", "inner", "inner_plus", "keep", "outer_plus", "registers", "take", "tile", "zeros"]


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
def tile(typing: Any, c: Any, c_offset: Any, c_row: Any, a: Any, a_offset: Any, a_row: Any, a_term: Any, b: Any,
         b_offset: Any, b_term: Any, rows: Any, vectors: Any, lanes: Any, terms: Any) -> Any:
    """c[r, j] = Σ_k a[r, k] b[k, j]: the sums of ``rows`` times ``vectors`` times ``lanes`` numbers are registers.

    Columns of b and c lie side by side; the other steps are given.
    """
    if not _constant(rows, vectors, lanes):
        return None
    m, v, width = rows.literal_value, vectors.literal_value, lanes.literal_value

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        k_type, number = ir.IntType(64), context.get_value_type(c.dtype)
        vector, align = ir.VectorType(number, width), c.dtype.bitwidth // 8
        zeros = ir.Constant(vector, [0.0] * width)
        spread = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        help_ = _Code(context, builder, c.dtype)

        def columns(pointer: Any, offset: Any, row: int, step: Any) -> list:
            """Where the vectors of a row begin."""
            first = help_.place(pointer, offset, row, step)
            cast = builder.bitcast(first, vector.as_pointer())
            return [builder.gep(cast, [ir.Constant(k_type, k)], inbounds=True) for k in range(v)]

        before = builder.block
        loop = builder.append_basic_block("terms")
        after = builder.append_basic_block("sums")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(k_type)
        sums = [builder.phi(vector) for _ in range(m * v)]
        a_here = builder.add(args[4], builder.mul(k, args[6], flags=("nsw",)), flags=("nsw",))
        b_here = builder.add(args[8], builder.mul(k, args[9], flags=("nsw",)), flags=("nsw",))
        right = [builder.load(p, align=align) for p in columns(args[7], b_here, 0, ir.Constant(k_type, 0))]
        totals = []
        for r in range(m):
            one = builder.insert_element(zeros, help_.load(a, args[3], a_here, r, args[5]),
                                         ir.Constant(ir.IntType(32), 0))
            left = builder.shuffle_vector(one, zeros, spread)
            totals += [help_.muladd(sums[r * v + j], left, right[j]) for j in range(v)]
        further = builder.add(k, ir.Constant(k_type, 1), flags=("nsw",))
        builder.cbranch(builder.icmp_signed("<", further, args[13]), loop, after)
        k.add_incoming(ir.Constant(k_type, 0), before)
        k.add_incoming(further, builder.block)
        for old, new in zip(sums, totals, strict=True):
            old.add_incoming(zeros, before)
            old.add_incoming(new, loop)
        builder.position_at_end(after)
        for r in range(m):
            for total, place in zip(totals[r * v:r * v + v], columns(args[0], args[1], r, args[2]), strict=True):
                builder.store(total, place, align=align)
        return context.get_dummy_value()
    return types.void(c, I, I, a, I, I, I, b, I, I, rows, vectors, lanes, I), code


@cache
def registers() -> tuple[int, int]:
    """How many vectors this machine's processor holds, and of how many bytes."""
    features = get_host_cpu_features()
    if features.get("avx512f"):
        return 32, 64
    return (16, 32) if features.get("avx") else (32 if "neon" in features or "asimd" in features else 16, 16)


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
