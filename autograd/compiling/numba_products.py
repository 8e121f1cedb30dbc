"""The source of products of matrices: blocks of rows whose sums stay in registers, or BLAS when both sides are wide."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec

from .numba_blocks import registers
from .numba_loops import LETTERS, Source, elements, fix, index_text
from .numba_schedule import LANES, Nest
from .numba_steps import Loop, View, size_of
from .numba_threads import Share
from .program import Var

__all__ = ["Plan", "plan", "product_share", "product_source"]

TERMS = 4  # of a sum at a time, when there are more than
FEW = 16
WIDE = 48  # from so many rows and columns on, BLAS is faster than the loops here
MANY_TERMS = 1024  # of a sum, from which on half of that is enough: BLAS takes it in parts, and with threads
MANY = 16_384  # multiplications that are worth blocks of sums in registers
LONG = 64  # sums of at least so many terms that lie side by side are vectorised along the sum


class Plan:
    """How a product is computed: ``dot`` products of rows, ``rows`` as sums of rows of the right side, or ``blas``.

    ``tiles`` are such sums where many of them are registers from the first term to the last.
    """

    def __init__(self, kind: str, scratch: Var | None = None) -> None:
        self.kind, self.scratch = kind, scratch


def plan(loop: Loop) -> Plan:
    m, n, k = loop.domain[-3:]
    left, right = loop.operands
    dense = left.strides[-1] == 1 and right.strides[-1] == 1
    if min(m, n) >= (WIDE if k < MANY_TERMS else WIDE // 2) and k >= 8 and has_blas() and _blas(loop):
        return Plan("blas")
    if k == 0:
        return Plan("rows")
    if (dense and k >= LONG) or (k > 1 and n == 1 and dense):
        return Plan("dot")
    tiled = k > FEW and n >= LANES and m * n * k >= MANY and _one_dtype(loop) and loop.target.strides[-2] == 1
    kind = "tiles" if tiled else "rows"
    if right.strides[-2] == 1 or n == 1:
        return Plan(kind)
    return Plan(kind, Var((k, n), loop.formula.dtypes[-1]))


def _one_dtype(loop: Loop) -> bool:
    dtype = loop.formula.dtypes[-1]
    return all(v.root.dtype == dtype for v in [*loop.operands, loop.target])


def _blas(loop: Loop) -> bool:
    """Whether BLAS can read both sides and write the result: one stride of 1 each."""
    dtype = loop.formula.dtypes[-1]
    left, right = loop.operands
    return all(v.root.dtype == dtype and 1 in s and max(s) >= low and min(s) > 0 for v, s, low in [
        (left, (left.strides[-3], left.strides[-1]), min(loop.domain[-3], loop.domain[-1])),
        (right, (right.strides[-2], right.strides[-1]), min(loop.domain[-2:]))]) and loop.target.strides[-2] == 1


def product_share(loop: Loop, how: Plan) -> Share | None:
    """How threads can share the rows of a product by BLAS, whose own threads would be in the way of others."""
    if how.kind != "blas":
        return None
    share = Share(loop.domain[-3], size_of(loop.domain))
    return share if share.parts > 1 else None


def continues(loop: Loop) -> bool:
    """Whether elementwise steps can follow in the own loop of a product, or of a window."""
    if loop.window:
        return loop.followed
    how = plan(loop)
    return len(loop.domain) == 3 and how.kind in ("rows", "tiles") and loop.domain[1] >= LANES and loop.domain[2] > 0


def product_source(out: Source, nest: Nest, stored: set[Var], how: Plan, share: Share | None) -> None:
    loop = nest.head
    assert loop is not None
    m, n, k = loop.domain[-3:]
    left, right = loop.operands
    out.line(f"# {', '.join(dict.fromkeys(s.comment for s in nest.loops))}: [{m}, {k}] @ [{k}, {n}]")
    if 0 in (*loop.domain[:-3], m, n):
        return
    with ExitStack() as batch:
        for letter, count in zip(LETTERS[3:], loop.domain[:-3], strict=False):
            batch.enter_context(out.block(f"for {letter} in range({count}):"))
        if how.kind == "blas":
            blas(out, loop, share)
        elif how.kind == "dot":
            dot(out, loop)
        else:
            if how.scratch is not None:
                right = pack(out, loop, right, how.scratch)
            write = tiles if how.kind == "tiles" else rows
            write(out, loop, left, right, [s for s in nest.loops if s is not loop], stored)


def pack(out: Source, loop: Loop, right: View, scratch: Var) -> View:
    """A copy of the right side whose rows lie in order."""
    n, k = loop.domain[-2:]
    with out.block(f"for j in range({n}):"), out.block(f"for k in range({k}):"):
        out.line(f"{out.array(scratch)}[{index_text((n, 1), 'kj')}] = {_read(out, right, ('', 'j', 'k'))}")
    return View(scratch, loop.domain, (*(0,) * (len(loop.domain) - 2), 1, n))


def _at(view: View, letters: tuple[str, str, str], offset: int = 0) -> str:
    """The index of a number: ``letters`` count rows, columns and terms, and others before them count the batch."""
    return index_text(view.strides, (*LETTERS[3:len(view.strides)], *letters), offset)


def _read(out: Source, view: View, letters: tuple[str, str, str]) -> str:
    return f"{out.pointer(view)}[{_at(view, letters)}]"


def _from(out: Source, view: View, letters: tuple[str, str, str], offset: int = 0) -> str:
    """Where numbers lie, as two arguments: an array, and the index of the first."""
    return f"{out.pointer(view)}, {_at(view, letters, offset)}"


def _parts(total: int, size: int) -> list[tuple[int, int, int]]:
    """(start, stop, size) of equal blocks, and of what is left."""
    main = total - total % size
    parts = [(0, main, size)] if main else []
    return [*parts, (main, total, total - main)] if total > main else parts


def _divisor(n: int, sizes: tuple[int, ...]) -> int:
    """The first of some sizes that divides ``n``, or 4: what is left over costs code of its own."""
    return next((size for size in sizes if n % size == 0), 4)


def dot(out: Source, loop: Loop) -> None:
    """Each element a sum along both sides' rows; a block of rows times a block of columns at once."""
    m, n, k = loop.domain[-3:]
    left, right = loop.operands
    zero, (down, across, _) = out.constant(0.0, loop.formula.dtypes[-1]), loop.target.strides[-3:]
    for i0, i1, tall in _parts(m, _divisor(m, (5, 4, 3))):
        for j0, j1, wide in _parts(n, _divisor(n, (4, 3, 5))):
            sums = f"sums{tall}x{wide}_{loop.formula.dtypes[-1]}"
            with out.block(f"for i in range({i0}, {i1}, {tall}):"), out.block(f"for j in range({j0}, {j1}, {wide}):"):
                out.line(f"{sums} = zeros({zero}, {tall * wide})")
                with out.block(f"for k in range({k}):"):
                    rows_ = f"{_from(out, left, ('i', '', 'k'))}, {left.strides[-3]}, {tall}"
                    columns = f"{_from(out, right, ('', 'j', 'k'))}, {right.strides[-2]}, {wide}"
                    out.line(f"{sums} = outer_plus({sums}, {rows_}, {columns})")
                out.line(f"keep({sums}, {_from(out, loop.target, ('i', 'j', ''))}, {down}, {across}, {wide})")


def tiles(out: Source, loop: Loop, left: View, right: View, rest: list[Loop], stored: set[Var]) -> None:
    """A block of the result at a time, whose sums are registers; the other steps follow after each block of rows."""
    m, n, k = loop.domain[-3:]
    target, dtype = loop.target, loop.formula.dtypes[-1]
    count, size = registers()
    lanes = size // dtype.itemsize
    for i0, i1, height in _parts(m, _divisor(m, (8, 6, 5, 7))):
        vectors = max(1, (count - 2) // (height + 1))
        with out.block(f"for i in range({i0}, {i1}, {height}):"):
            for j0, j1, v, width in _columns(n, vectors, lanes):
                several = j1 - j0 > v * width
                if several:
                    out.line(f"for j in range({j0}, {j1}, {v * width}):")
                    out.depth += 1
                j, first = ("j", 0) if several else ("", j0)
                c = f"{_from(out, target, ('i', j, ''), first)}, {target.strides[-3]}"
                a = f"{_from(out, left, ('i', '', ''))}, {left.strides[-3]}, {left.strides[-1]}"
                b = f"{_from(out, right, ('', j, ''), first)}, {right.strides[-1]}"
                out.line(f"tile({c}, {a}, {b}, {height}, {v}, {width}, {k})")
                if several:
                    out.depth -= 1
            if rest:
                with out.block(f"for r in range(i, i + {height}):"), out.block(f"for j in range({n}):"):
                    elements(out, rest, lambda view: index_text(view.strides[:2], "rj"), {}, stored)


def _columns(n: int, vectors: int, lanes: int) -> list[tuple[int, int, int, int]]:
    """(start, stop, vectors, numbers in each) of the parts of a row: blocks, whole vectors, and ever shorter ones."""
    parts, start = [], 0
    while start < n:
        lanes = min(lanes, 1 << (n - start).bit_length() - 1)
        v = min(vectors, (n - start) // lanes)
        stop = n - (n - start) % (v * lanes)
        parts.append((start, stop, v, lanes))
        start = stop
    return parts


def rows(out: Source, loop: Loop, left: View, right: View, rest: list[Loop], stored: set[Var]) -> None:
    """Rows of the result as sums of rows of the right side, a few terms at a time; the other steps follow at the end.

    The terms that a block of rows needs of the left side are numbers in registers.
    """
    m, n, k = loop.domain[-3:]
    target, dtype = loop.target, loop.formula.dtypes[-1]
    array, zero = out.array(target.root), out.constant(0.0, dtype)
    if k == 0:
        with out.block(f"for i in range({m}):"), out.block(f"for j in range({n}):"):
            out.line(f"{array}[{_at(target, ('i', 'j', ''))}] = {zero}")
        return
    chunks = _chunks(k, bool(rest))
    for c, (k0, k1, count) in enumerate(chunks):
        begins, ends = c == 0, c == len(chunks) - 1
        several = k1 - k0 > count
        if several:
            out.line(f"for k in range({k0}, {k1}, {count}):")
            out.depth += 1
        letter, first = ("k", 0) if several else ("", k0)
        for i0, i1, height in _parts(m, _divisor(m, (4, 5, 3))):
            with out.block(f"for i in range({i0}, {i1}, {height}):"):
                for r in range(height):
                    place = _from(out, left, ("i", "", letter), r * left.strides[-3] + first * left.strides[-1])
                    out.line(f"a{r}_{count}_{dtype} = take({zero}, {place}, {left.strides[-1]}, {count})")
                computed = {target.root, *(e.target.root for e in rest if not e.final)}
                fixed = [fix(out, rest, computed, 1, _row(r), f"_{r}") for r in range(height)] if ends and rest else []
                with out.block(f"for j in range({n}):"):
                    place = _from(out, right, ("", "j", letter), first * right.strides[-1])
                    terms = f"b_{count}_{dtype}"
                    out.line(f"{terms} = take({zero}, {place}, {right.strides[-1]}, {count})")
                    for r in range(height):
                        place = f"{array}[{_at(target, ('i', 'j', ''), r * target.strides[-3])}]"
                        total, block = f"s{r}_{dtype}", f"a{r}_{count}_{dtype}"
                        out.line(f"{total} = inner({block}, {terms})" if begins else
                                 f"{total} = inner_plus({place}, {block}, {terms})")
                        if not ends or target.root in stored:
                            out.line(f"{place} = {total}")
                        if ends and rest:
                            out.fixed = fixed[r]
                            elements(out, rest, _row(r), {target.root: total}, stored)
        if several:
            out.depth -= 1
    out.fixed = {}


def _chunks(k: int, followed: bool) -> list[tuple[int, int, int]]:
    """(start, stop, size) of the chunks of a sum: the first, which begins it, and the last, if steps follow, alone."""
    size = k if k <= FEW else TERMS
    chunks = _parts(k, size)
    start, stop, _ = chunks[-1]
    if followed and stop - start > size:
        chunks[-1:] = [(start, stop - size, size), (stop - size, stop, size)]
    start, stop, _ = chunks[0]
    if stop - start > size:
        chunks[:1] = [(start, size, size), (size, stop, size)]
    return chunks


def _row(row: int) -> Callable[[View], str]:
    """The place of an element in the rth row of a block."""
    return lambda view: index_text(view.strides[:2], "ij", row * view.strides[0])


def needs_memory(loop: Loop) -> bool:
    """Whether the sums go through memory even when nothing else reads them."""
    return plan(loop).kind != "rows" or loop.domain[-1] > FEW


def blas(out: Source, loop: Loop, share: Share | None) -> None:
    """C = A B in rows is Cᵀ = Bᵀ Aᵀ in BLAS's columns."""
    m, n, k = loop.domain[-3:]
    left, right = loop.operands
    dtype = loop.formula.dtypes[-1]
    one, zero = out.constant(1.0, dtype), out.constant(0.0, dtype)
    b_plain, a_plain = right.strides[-2] == 1, left.strides[-1] == 1
    ldb = right.strides[-1] if b_plain else right.strides[-2]
    lda = left.strides[-3] if a_plain else left.strides[-1]
    no, yes = ord("N"), ord("T")
    routine = "sgemm" if dtype.itemsize == 4 else "dgemm"
    first, rows_ = (share.first, f"{share.last} - {share.first}") if share else ("", str(m))
    out.line(f"gemm({routine}, {no if b_plain else yes}, {no if a_plain else yes}, {n}, {rows_}, {k}, {one}, "
             f"{_pointer(out, right)}, {max(ldb, 1)}, {_pointer(out, left, first)}, {max(lda, 1)}, {zero}, "
             f"{_pointer(out, loop.target, first)}, {loop.target.strides[-3]})")


def _pointer(out: Source, view: View, row: str = "") -> str:
    name, index = out.pointer(view), _at(view, (row, "", ""))
    return f"at({name}, {index})" if index != "0" else name


@cache
def has_blas() -> bool:
    """Whether SciPy is there, whose BLAS compiled code can call, and what keeps it to one thread."""
    return find_spec("scipy") is not None and find_spec("threadpoolctl") is not None


def blas_address(routine: str) -> int:
    from numba.extending import get_cython_function_address
    return get_cython_function_address("scipy.linalg.cython_blas", routine)
