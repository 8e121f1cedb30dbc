"""Scalar operations laid out for vectorised calls: which run together, and where each number lies.

A group is the operations with one function on one level (the longest path to them). Its results lie one after the
other among the ``cells``, one flat array of float64, in the order in which they are used first, so that most operands
are slices. A chain of additions whose partial sums nothing else reads, ``((x + a) + b) + c``, is one operation, a fold:
it is added up in that order, so that the result is the same, and a sum of a hundred terms is one level, not a hundred.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .levels_codes import CODES, FOLD, NO_INDEX

__all__ = ["CONSTANT", "INPUT", "LOAD", "Levels", "plan"]

_ADD = CODES.index(np.add)
_WHERE = CODES.index(np.where)
_UNARY = CODES.index(np.logical_not)  # from here on

# The codes of numbers that are not computed here: given to the call, an element of array i (LOAD - i), or constant.
CONSTANT, INPUT, LOAD = -1, -2, -3

# The columns of the table: code, number of operations, additions of each (for a fold), first cell of the results, and
# for each operand its first cell and stride, or where its cells are listed in ``index``.
OPERANDS = (4, 7, 10)

CHUNK = 1024  # operations of a group at a time, in the compiled loop: what it gathers stays in the first cache
SPARE = 3 * CHUNK  # cells behind all others, for that


class Levels:
    """A function of numbers and arrays that computes very many scalars in few vectorised calls.

    Called with a list of the numbers, and the arrays of which it reads elements, it gives the list of the results, or
    the only one. Everything is computed in float64, where a truth value is 0 or 1; where Python's floats would raise,
    there is inf or nan. A program may have several, of which the later ones also read the cells of the earlier ones.
    The cells are kept from call to call, so that two threads may not call it at once.
    """

    def __init__(self, cells: np.ndarray, table: np.ndarray, index: np.ndarray, first: int, inputs: int,
                 loads: Sequence[np.ndarray], results: np.ndarray, types: Sequence[tuple[type, int]]) -> None:
        self.cells, self.table, self.index = cells, table, index
        self.loads, self.results, self.types = loads, results, types
        self.first, self.inputs = first, inputs  # the first cell that is given, and how many numbers are
        self._steps: list[Callable[[], Any]] | None = None
        self._pack = struct.Struct(f"{inputs}d").pack_into
        self._loaded: list[np.ndarray] = []
        first += inputs
        for flat in loads:
            self._loaded.append(cells[first: first + len(flat)])
            first += len(flat)

    __name__ = "levels"

    def __reduce__(self) -> Any:
        return Levels, (self.cells, self.table, self.index, self.first, self.inputs, self.loads, self.results,
                        self.types)

    def __call__(self, numbers: list, *arrays: Any) -> Any:
        """One call of NumPy for each group."""
        if self._steps is None:
            self._steps = self._prepared()
        self._fill(numbers, arrays)
        with np.errstate(all="ignore"):
            for step in self._steps:
                step()
        return self._given()

    def compiled(self, numbers: list, *arrays: Any) -> Any:
        """The same by one compiled loop over the groups, for which Numba must be there."""
        from .levels_kernel import run

        self._fill(numbers, arrays)
        run(self.cells, self.index, self.table, CHUNK)
        return self._given()

    def _fill(self, numbers: list, arrays: tuple) -> None:
        cells: Any = self.cells
        self._pack(cells, 8 * self.first, *numbers)
        for x, flat, elements in zip(arrays, self.loads, self._loaded, strict=True):
            x.take(flat, None, elements, "clip")

    def _given(self) -> Any:
        numbers, given, at = self.cells.take(self.results), [], 0
        for kind, n in self.types:
            part, at = numbers[at: at + n], at + n
            if kind is np.ndarray:
                given.append(part.copy())
            else:
                given += part.tolist() if kind is float else map(kind, part.tolist())
        return given if len(given) > 1 else given[0]

    def _prepared(self) -> list[Callable[[], Any]]:
        """The calls of NumPy, each with its views of the cells."""
        steps: list[Callable[[], Any]] = []
        cells, index = self.cells, self.index.astype(np.intp)
        sizes = self.table[:, 1].astype(np.intp) * np.maximum(self.table[:, 2], 1)
        scratch = np.empty((3, sizes.max(initial=0)))

        def view(row: list[int], slot: int, n: int) -> np.ndarray:
            start, stride, at = row[OPERANDS[slot]: OPERANDS[slot] + 3]
            if at != NO_INDEX:
                gathered = scratch[slot, :n]
                steps.append(partial(cells.take, index[at: at + n], None, gathered, "clip"))
                return gathered
            if not stride:
                return np.broadcast_to(cells[start: start + 1], (n,))
            return cells[start: start + (n - 1) * stride + 1: stride]

        for row in self.table.tolist():
            code, n, rows, out = row[:4]
            y = cells[out: out + n]
            if code == FOLD:
                first, terms = view(row, 0, n), view(row, 1, n * rows).reshape(rows, n)
                if rows <= n:
                    steps.append(partial(np.add, first, terms[0], y))
                    steps += [partial(np.add, y, term, y) for term in terms[1:]]
                else:  # np.add.reduce might add in another order
                    sums = scratch[2, : n * rows].reshape(rows, n)
                    steps += [partial(np.copyto, sums, terms), partial(np.add, first, terms[0], sums[0]),
                              partial(np.add.accumulate, sums, 0, None, sums), partial(np.copyto, y, sums[-1])]
            elif code == _WHERE:
                steps.append(partial(_where, view(row, 0, n), view(row, 1, n), view(row, 2, n), y))
            else:
                arity = 1 if code >= _UNARY else 2
                steps.append(partial(CODES[code], *(view(row, slot, n) for slot in range(arity)), out=y))
        return steps

    def __str__(self) -> str:
        """The groups, one on each line; a fold adds to its first operand row after row of the second."""
        lines = []
        for row in self.table.tolist():
            code, n, rows, out = row[:4]
            arity = 2 if code == FOLD or code < _WHERE else 3 if code == _WHERE else 1
            name = "fold" if code == FOLD else CODES[code].__name__
            shown = [_shown(row[i: i + 3], n * rows if rows and i > OPERANDS[0] else n) for i in OPERANDS[:arity]]
            lines.append(f"cells[{out}:{out + n}] = {name}({', '.join(shown)})")
        return "\n".join(lines)


def _shown(operand: list[int], n: int) -> str:
    start, stride, at = operand
    if at != NO_INDEX:
        return f"cells[index[{at}:{at + n}]]"
    if n == 1 or not stride:
        return f"cells[{start}]"
    return f"cells[{start}:{start + (n - 1) * stride + 1}{f':{stride}' if stride > 1 else ''}]"


def _where(condition: np.ndarray, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=condition != 0)


def plan(codes: list[int], columns: tuple[list[int], ...], values: dict[int, Any],
         parts: list[tuple[list[int], list[tuple[type, int]]]]) -> list[tuple[Levels, list[int]]]:
    """The ``Levels`` of numbered scalars, one for each part, and the inputs of each in the order that it takes.

    Scalar ``i`` is computed by ``codes[i]`` from scalars with smaller numbers: ``columns`` are the first, second and
    third operands, -1 where there is none, and the part that each belongs to. ``values`` has the constants, and of
    elements of an array which one each is, in C order. ``parts`` has the results of each and their types. All parts
    share the cells, so that a later one reads what an earlier one has computed.
    """
    code, part = np.array(codes), np.array(columns[3])
    operands = [np.array(column) for column in columns[:3]]
    results = [i for given, _ in parts for i in given]
    terms, inner = _folds(code, operands, results)
    groups = _groups(code, operands, part, terms, inner)

    # From the last group to the first: the scalars of each in the order in which they are read first.
    first_read = np.zeros(len(codes), int)  # counted backwards from 0
    first_read[results] = np.arange(len(results))
    before = 0
    reads: list[list[np.ndarray]] = []
    for at in reversed(range(len(groups))):
        members = groups[at]
        if len(members) > 1:
            members = groups[at] = members[np.argsort(first_read[members], kind="stable")]
        if members[0] in terms:
            rows = np.array([terms[i] for i in members.tolist()]).T
            reads.append([rows[0], rows[1:].ravel()])
        else:
            reads.append([column[members] for column in operands if column[members[0]] >= 0])
        for read in reversed(reads[-1]):
            before -= len(read)
            first_read[read[::-1]] = np.arange(before + len(read) - 1, before - 1, -1)
    reads.reverse()

    given = np.flatnonzero(code < 0)
    given = given[np.lexsort((first_read[given], -code[given], part[given], code[given] == CONSTANT))]
    order = np.concatenate([given, *groups])
    cell = np.zeros(len(codes), int)
    cell[order] = np.arange(len(order))
    cells = np.zeros(len(order) + SPARE)
    constants = given[code[given] == CONSTANT]
    cells[cell[constants]] = [values[i] for i in constants.tolist()]

    table, lists, listed = [], [], 0
    for members, read in zip(groups, reads, strict=True):
        one = int(members[0])
        rows = len(terms[one]) - 1 if one in terms else 0
        row = [FOLD if rows else codes[one], len(members), rows, int(cell[one])]
        for numbers in read:
            at = cell[numbers]
            start, stride = int(at[0]), _stride(at)
            if stride is not None:
                row += [start, stride, NO_INDEX]
                continue
            row += [0, 0, listed]
            lists.append(at)
            listed += len(at)
        table.append(row + [0] * (13 - len(row)))
    index = np.concatenate([np.zeros(0, int), *lists]).astype(np.uint32)

    levels = []
    for n, (results, types) in enumerate(parts):
        inputs = given[(part[given] == n) & (code[given] == INPUT)]
        loaded = given[(part[given] == n) & (code[given] < INPUT)]
        loads = [np.array([values[i] for i in loaded[code[loaded] == load].tolist()])
                 for load in sorted(set(code[loaded].tolist()), reverse=True)]
        rows = [row for row, members in zip(table, groups, strict=True) if part[members[0]] == n]
        first = int(cell[[*inputs, *loaded, 0]][0])
        levels.append((Levels(cells, np.array(rows, np.uint32).reshape(-1, 13), index, first, len(inputs), loads,
                              cell[results], types), inputs.tolist()))
    return levels


def _stride(at: np.ndarray) -> int | None:
    """The one step by which the numbers rise, if there is one; 0 where all are equal."""
    if len(at) == 1:
        return 1
    stride = int(at[1] - at[0])
    return stride if stride >= 0 and (at[1:] - at[:-1] == stride).all() else None


def _folds(code: np.ndarray, operands: list[np.ndarray], results: list[int]) -> tuple[dict[int, list[int]], set[int]]:
    """The terms of each chain of additions, by its last one, and the others, whose sums only the next one reads."""
    size = len(code)
    uses = np.zeros(size, int)
    for column in operands:
        uses += np.bincount(column[column >= 0], minlength=size)
    uses[results] = size
    once, first, second = (uses == 1).tolist(), operands[0].tolist(), operands[1].tolist()
    length = [0] * size  # of the chain that ends here
    summands: dict[int, tuple[int, int]] = {}
    inner: set[int] = set()
    for i in np.flatnonzero(code == _ADD).tolist():
        total, term = first[i], second[i]
        m, n = length[total] if once[total] else 0, length[term] if once[term] else 0
        if n > m:
            total, term, m = term, total, n
        if m:
            inner.add(total)
        summands[i] = total, term
        length[i] = m + 1
    terms: dict[int, list[int]] = {}
    for i in summands:
        if length[i] > 1 and i not in inner:
            chain, n, total = [], length[i], i
            for _ in range(n):
                total, term = summands[total]
                chain.append(term)
            terms[i] = [total, *reversed(chain)]
    return terms, inner


def _groups(code: np.ndarray, operands: list[np.ndarray], part: np.ndarray, terms: dict[int, list[int]],
            inner: set[int]) -> list[np.ndarray]:
    """The computed scalars that can run together, in an order that works."""
    level, rows = [0] * len(code), np.zeros(len(code), int)
    first, second, third = (column.tolist() for column in operands)
    computed = [i for i in np.flatnonzero(code >= 0).tolist() if i not in inner]
    for i in computed:
        if i in terms:
            level[i] = 1 + max([level[j] for j in terms[i]])
            rows[i] = len(terms[i])
            continue
        n = level[first[i]]
        if second[i] >= 0 and level[second[i]] > n:
            n = level[second[i]]
        if third[i] >= 0 and level[third[i]] > n:
            n = level[third[i]]
        level[i] = n + 1
    numbers = np.array(computed, int)
    keys = np.array([part[numbers], np.array(level)[numbers], code[numbers], rows[numbers]])
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    return np.split(numbers[order], np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(0)) + 1) if len(numbers) else []
