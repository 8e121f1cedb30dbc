"""The source of products of matrices: blocks of rows whose sums stay in registers, or BLAS when both sides are wide."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from .numba_loops import Source, elements, index_text
from .numba_lower import Loop, View, contiguous
from .numba_schedule import Nest
from .program import Var

__all__ = ["Plan", "plan", "product_source"]

ROWS, COLUMNS, TERMS = 4, 4, 8
LONG = 64  # sums of at least so many terms that lie side by side are vectorised along the sum


class Plan:
    """How a product is computed: ``dot`` products of rows, ``rows`` as sums of rows of the right side, or ``blas``."""

    def __init__(self, kind: str, scratch: Var | None = None) -> None:
        self.kind, self.scratch = kind, scratch


def plan(loop: Loop) -> Plan:
    m, n, k = loop.domain
    left, right = loop.operands
    dense = left.strides[2] == 1 and right.strides[2] == 1
    if min(m, n) >= 48 and k >= 8 and has_blas() and _blas(loop):
        return Plan("blas")
    if k == 0:
        return Plan("rows")
    if dense and k >= LONG or (k > 1 and n == 1 and dense):
        return Plan("dot")
    if right.strides[1] == 1 or n == 1:
        return Plan("rows")
    return Plan("rows", Var((k, n), loop.formula.dtypes[-1]))


def _blas(loop: Loop) -> bool:
    """Whether BLAS can read both sides and write the result: one stride of 1 each."""
    dtype = loop.formula.dtypes[-1]
    left, right = loop.operands
    return all(v.root.dtype == dtype and 1 in s and max(s) >= low and min(s) > 0 for v, s, low in [
        (left, (left.strides[0], left.strides[2]), min(loop.domain[0], loop.domain[2])),
        (right, (right.strides[1], right.strides[2]), min(loop.domain[1], loop.domain[2]))]) and (
        loop.target.strides[1] == 1)


def continues(loop: Loop) -> bool:
    """Whether elementwise steps can follow in the product's own loop."""
    how = plan(loop)
    return how.kind == "rows" and loop.domain[1] >= 16 and loop.domain[2] > 0


def product_source(out: Source, nest: Nest, stored: set[Var], how: Plan) -> None:
    loop = nest.product
    assert loop is not None
    m, n, k = loop.domain
    left, right = loop.operands
    out.line(f"# {', '.join(dict.fromkeys(s.comment for s in nest.loops))}: [{m}, {k}] @ [{k}, {n}]")
    if 0 in (m, n):
        return
    if how.kind == "blas":
        return blas(out, loop)
    if how.kind == "dot":
        return dot(out, loop)
    if how.scratch is not None:
        packed = View(how.scratch, loop.domain, (0, 1, n))
        with out.block(f"for k in range({k}):"), out.block(f"for j in range({n}):"):
            out.line(f"{out.array(how.scratch)}[{index_text((n, 1), 'kj')}] = {_read(out, right, ('', 'j', 'k'))}")
        right = packed
    rows(out, loop, left, right, [s for s in nest.loops if s is not loop], stored)


def _read(out: Source, view: View, letters: tuple[str, str, str], offset: int = 0) -> str:
    text = f"{out.array(view.root)}[{index_text(view.strides, letters, view.offset + offset)}]"
    return f"({text} != 0)" if view.root.dtype.kind == "b" else text


def _number(out: Source, loop: Loop, view: View, letters: tuple[str, str, str], offset: int = 0) -> str:
    dtype = loop.formula.dtypes[-1]
    text = _read(out, view, letters, offset)
    return text if view.root.dtype == dtype else f"{dtype}({text})"


def _prefix(loop: Loop) -> str:
    return "s" if loop.formula.dtypes[-1].itemsize == 4 else "d"


def _parts(total: int, size: int) -> list[tuple[int, int, int]]:
    """(start, stop, size) of equal blocks, and of what is left."""
    main = total - total % size
    parts = [(0, main, size)] if main else []
    return [*parts, (main, total, total - main)] if total > main else parts


def dot(out: Source, loop: Loop) -> None:
    """Each element a sum along both sides' rows; a block of rows times a block of columns at once."""
    m, n, k = loop.domain
    left, right = loop.operands
    s, zero = _prefix(loop), out.constant(0.0, loop.formula.dtypes[-1])
    height = next((r for r in (4, 5, 3) if m % r == 0), ROWS) if m > 3 else m
    if m % 5 == 0:
        height = 5
    for i0, i1, rows_ in _parts(m, height):
        for j0, j1, columns in _parts(n, COLUMNS):
            cells = [(r, c) for r in range(rows_) for c in range(columns)]
            with out.block(f"for i in range({i0}, {i1}, {rows_}):"), out.block(f"for j in range({j0}, {j1}, {columns}):"):
                for r, c in cells:
                    out.line(f"{s}{r}_{c} = {zero}")
                with out.block(f"for k in range({k}):"):
                    for r in range(rows_):
                        out.line(f"{s}a{r} = {_number(out, loop, left, ('i', '', 'k'), r * left.strides[0])}")
                    for c in range(columns):
                        out.line(f"{s}b{c} = {_number(out, loop, right, ('', 'j', 'k'), c * right.strides[1])}")
                    for r, c in cells:
                        out.line(f"{s}{r}_{c} = muladd({s}{r}_{c}, {s}a{r}, {s}b{c})")
                for r, c in cells:
                    offset = r * loop.target.strides[0] + c * loop.target.strides[1] + loop.target.offset
                    out.line(f"{out.array(loop.target.root)}[{index_text(loop.target.strides, ('i', 'j', ''), offset)}]"
                             f" = {s}{r}_{c}")


def rows(out: Source, loop: Loop, left: View, right: View, rest: list[Loop], stored: set[Var]) -> None:
    """Rows of the result as sums of rows of the right side, a few terms at a time; the other steps follow at the end.

    The terms that a block of rows needs of the left side are numbers in registers.
    """
    m, n, k = loop.domain
    s, target = _prefix(loop), loop.target
    array, zero = out.array(target.root), out.constant(0.0, loop.formula.dtypes[-1])
    if k == 0:
        with out.block(f"for i in range({m * n}):"):
            out.line(f"{array}[i] = {zero}")
        return
    terms = k if k <= 2 * TERMS else TERMS
    chunks = _parts(k, terms)
    if len(chunks) == 1 and chunks[0][1] > terms:  # the last chunk stands by itself: it ends the sums
        chunks = [(0, k - terms, terms), (k - terms, k, terms)]
    first = chunks[0]
    if first[1] - first[0] > first[2]:  # and so does the first: it begins them
        chunks[:1] = [(0, terms, terms), (terms, first[1], terms)]
    for c, (k0, k1, count) in enumerate(chunks):
        begins, ends = c == 0, c == len(chunks) - 1
        several = k1 - k0 > count
        if several:
            out.line(f"for k in range({k0}, {k1}, {count}):")
            out.depth += 1
        base = "k" if several else ""
        start = 0 if several else k0
        for i0, i1, height in _parts(m, ROWS):
            with out.block(f"for i in range({i0}, {i1}, {height}):"):
                for r in range(height):
                    for t in range(count):
                        offset = r * left.strides[0] + (start + t) * left.strides[2]
                        out.line(f"{s}a{r}_{t} = {_number(out, loop, left, ('i', '', base), offset)}")
                with out.block(f"for j in range({n}):"):
                    for t in range(count):
                        offset = (start + t) * right.strides[2]
                        out.line(f"{s}b{t} = {_number(out, loop, right, ('', 'j', base), offset)}")
                    for r in range(height):
                        place = index_text((*target.strides[:2], 0), ("i", "j", ""),
                                           target.offset + r * target.strides[0])
                        total = f"{s}{r}"
                        out.line(f"{total} = {s}a{r}_0 * {s}b0" if begins else
                                 f"{total} = muladd({array}[{place}], {s}a{r}_0, {s}b0)")
                        for t in range(1, count):
                            out.line(f"{total} = muladd({total}, {s}a{r}_{t}, {s}b{t})")
                        if not ends or target.root in stored:
                            out.line(f"{array}[{place}] = {total}")
                        if ends and rest:
                            _rest(out, rest, loop, total, r, stored)
        if several:
            out.depth -= 1


def _rest(out: Source, rest: list[Loop], loop: Loop, total: str, row: int, stored: set[Var]) -> None:
    def at(view: View) -> str:
        return index_text(view.strides[:2], "ij", view.offset + row * view.strides[0])
    elements(out, rest, at, {loop.target.root: total}, stored)


def needs_memory(loop: Loop) -> bool:
    """Whether the sums go through memory even when nothing else reads them."""
    return plan(loop).kind != "rows" or loop.domain[2] > 2 * TERMS


def blas(out: Source, loop: Loop) -> None:
    """C = A B in rows is Cᵀ = Bᵀ Aᵀ in BLAS's columns."""
    m, n, k = loop.domain
    left, right = loop.operands
    dtype = loop.formula.dtypes[-1]
    one, zero = out.constant(1.0, dtype), out.constant(0.0, dtype)
    array = out.array(loop.target.root)
    b_plain, a_plain = right.strides[1] == 1, left.strides[2] == 1
    ldb = right.strides[2] if b_plain else right.strides[1]
    lda = left.strides[0] if a_plain else left.strides[2]
    no, yes = ord("N"), ord("T")
    routine = "sgemm" if dtype.itemsize == 4 else "dgemm"
    out.line(f"gemm({routine}, {no if b_plain else yes}, {no if a_plain else yes}, {n}, {m}, {k}, {one}, "
             f"{_pointer(out, right)}, {max(ldb, 1)}, {_pointer(out, left)}, {max(lda, 1)}, {zero}, "
             f"{array}, {contiguous((m, n))[0]})")


def _pointer(out: Source, view: View) -> str:
    name = out.array(view.root)
    return f"at({name}, {view.offset})" if view.offset else name


@cache
def has_blas() -> bool:
    """Whether SciPy is there, whose BLAS compiled code can call."""
    return find_spec("scipy") is not None


def blas_address(routine: str) -> int:
    from numba.extending import get_cython_function_address
    return get_cython_function_address("scipy.linalg.cython_blas", routine)
