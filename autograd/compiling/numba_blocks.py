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

__all__ = ["gemm", "inner", "inner_plus", "keep", "outer_plus", "registers", "take", "tile", "turn", "window", "zeros"]


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


def _turned(builder: Any, rows: list, lanes: int) -> list[tuple[list, int]]:
    """The vectors that lie across rows of ``lanes`` numbers, for ever so many rows, and how many numbers count."""
    def shuffle(x: Any, y: Any, places: list[int]) -> Any:
        return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places))
    parts = []
    for start in range(0, len(rows), lanes):
        block, half = rows[start:start + lanes], lanes // 2
        count = len(block)
        block += [ir.Constant(block[0].type, ir.Undefined)] * (lanes - count)
        while half:  # swap the quarters beside the diagonal, then those of each quarter
            low = [j if not j & half else lanes + j - half for j in range(lanes)]
            high = [j + half if not j & half else lanes + j for j in range(lanes)]
            for i in (i for i in range(lanes) if not i & half):
                x, y = block[i], block[i + half]
                block[i], block[i + half] = shuffle(x, y, low), shuffle(x, y, high)
            half //= 2
        parts.append(([shuffle(x, x, list(range(count))) for x in block], count))
    return parts


@intrinsic
def turn(typing: Any, c: Any, c_offset: Any, a: Any, a_offset: Any, a_row: Any, rows: Any, columns: Any,
         lanes: Any) -> Any:
    """c[j, r] = a[r, j] for a few rows and columns; rows of c have ``lanes`` numbers, and end with zeros."""
    if not _constant(rows, columns, lanes):
        return None
    m, n, width = rows.literal_value, columns.literal_value, lanes.literal_value

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        help_, align = _Code(context, builder, c.dtype), c.dtype.bitwidth // 8
        given, whole = (ir.VectorType(context.get_value_type(c.dtype), k) for k in (n, width))
        block = []
        for r in range(m):
            place = help_.place(args[2], args[3], r, args[4])
            x = builder.load(builder.bitcast(place, given.as_pointer()), align=align)
            places = ir.Constant(ir.VectorType(ir.IntType(32), width), [k if k < n else 0 for k in range(width)])
            block.append(builder.shuffle_vector(x, x, places))
        block += [ir.Constant(whole, [0.0] * width)] * (width - m)
        for j, x in enumerate(_turned(builder, block, width)[0][0][:n]):
            place = help_.place(args[0], args[1], j, ir.Constant(ir.IntType(64), width))
            builder.store(x, builder.bitcast(place, whole.as_pointer()), align=align)
        return context.get_dummy_value()
    return types.void(c, I, a, I, I, rows, columns, lanes), code


@intrinsic
def window(typing: Any, c: Any, c_offset: Any, c_row: Any, a: Any, a_offset: Any, a_outer: Any, a_inner: Any, b: Any,
           b_offset: Any, n0: Any, a0: Any, b0: Any, n1: Any, a1: Any, b1: Any, n2: Any, a2: Any, b2: Any, outer: Any,
           inner: Any, lanes: Any, columns: Any) -> Any:
    """c[j, r] = Σ_t a[r, t] b[t, j]: sums of ``outer`` times ``inner`` rows and ``lanes`` columns are registers.

    A term t is three indices, of which the k-th counts to ``nk``, by steps of ``ak`` and ``bk``. Only so many columns
    are kept; with 0 for ``columns`` the sums are added to c[r, j], a vector for each row.
    """
    if not _constant(outer, inner, lanes, columns):
        return None
    m, m_inner, width, kept = (x.literal_value for x in (outer, inner, lanes, columns))
    m *= m_inner

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        k_type, number = ir.IntType(64), context.get_value_type(c.dtype)
        vector, align = ir.VectorType(number, width), c.dtype.bitwidth // 8
        zeros = ir.Constant(vector, [0.0] * width)
        spread = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        help_ = _Code(context, builder, c.dtype)

        def plus(offset: Any, k: Any, step: Any) -> Any:
            k = ir.Constant(k_type, k) if isinstance(k, int) else k
            return builder.add(offset, builder.mul(k, step, flags=("nsw",)), flags=("nsw",))

        def across(pointer: Any, offset: Any, kind: Any = vector) -> Any:
            place = builder.gep(pointer, [offset], inbounds=True)
            return builder.bitcast(place, kind.as_pointer())

        def term(sums: list, a_here: Any, b_here: Any) -> list:
            right, totals = builder.load(across(args[7], b_here), align=align), []
            for r, total in enumerate(sums):
                row = plus(a_here, r // m_inner, args[5])
                one = builder.insert_element(zeros, help_.load(a, args[3], row, r % m_inner, args[6]),
                                             ir.Constant(ir.IntType(32), 0))
                totals.append(help_.muladd(total, builder.shuffle_vector(one, zeros, spread), right))
            return totals

        def terms(levels: list, sums: list, a_here: Any, b_here: Any) -> list:
            if not levels:
                return term(sums, a_here, b_here)
            count, a_step, b_step = levels[0]
            before, loop, after = (builder.block, builder.append_basic_block("terms"),
                                   builder.append_basic_block("sums"))
            builder.branch(loop)
            builder.position_at_end(loop)
            k, old = builder.phi(k_type), [builder.phi(vector) for _ in sums]
            new = terms(levels[1:], old, plus(a_here, k, a_step), plus(b_here, k, b_step))
            further = builder.add(k, ir.Constant(k_type, 1), flags=("nsw",))
            builder.cbranch(builder.icmp_signed("<", further, count), loop, after)
            for phi, first, next_ in zip([k, *old], [ir.Constant(k_type, 0), *sums], [further, *new], strict=True):
                phi.add_incoming(first, before)
                phi.add_incoming(next_, builder.block)
            builder.position_at_end(after)
            return new

        sums = terms([args[k:k + 3] for k in (9, 12, 15)], [zeros] * m, args[4], args[8])
        if not kept:
            for r, total in enumerate(sums):
                place = across(args[0], plus(args[1], r, args[2]))
                builder.store(builder.fadd(builder.load(place, align=align), total), place, align=align)
        start = 0
        for part, count in _turned(builder, sums, width) if kept else ():
            for j, x in enumerate(part[:kept]):
                place = plus(builder.add(args[1], ir.Constant(k_type, start)), j, args[2])
                builder.store(x, across(args[0], place, x.type), align=align)
            start += count
        return context.get_dummy_value()
    return types.void(c, I, I, a, I, I, I, b, I, *[I] * 9, outer, inner, lanes, columns), code


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
