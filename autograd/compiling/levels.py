"""Scalar graphs in vectorised form: where a program has many operations on numbers, a few calls of ``Levels`` do them.

An operation counts as scalar if it has one result, of shape () and of float64 or bool, if ``Levels`` knows the
function, and if it computes in float64. All others stay as they are: the operations are put in stages, which alternate,
first those that need no scalar operation, then the scalar ones that need only those, and so on.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from typing import Any

import numpy as np

from .levels_codes import CODES
from .levels_plan import CONSTANT, INPUT, LOAD, Levels, plan
from .program import Op, Program, Var, cast

__all__ = ["FEWEST", "Levels", "vectorised"]

FEWEST = 300  # scalar operations in a program: fewer stay as they are
_FEWEST_AT_ONCE = 100  # in one stage
_LARGEST = 1 << 20  # elements of an array that is read one by one

# What the operands of a function have to be, that it computes as if all were float64, and truth values 0.0 and 1.0
_REAL, _COMPARED, _TRUTH = "numbers, one of them float64", "float64 and truth values", "truth values"
_NUMBERS: Any = (float, int, np.bool_, np.integer, np.float32, np.float16)
_ALLOWED = {_REAL: "d?fe" + np.typecodes["AllInteger"], _COMPARED: "d?", _TRUTH: "?"}

_COMPARISONS = (np.less, np.less_equal, np.equal, np.not_equal)
_LOGIC = (np.logical_and, np.logical_or, np.logical_not)
_FUNCTIONS: dict[Any, tuple[int, str]] = {
    f: (code, _COMPARED if f in _COMPARISONS else _TRUTH if f in _LOGIC else _REAL)
    for code, f in enumerate(CODES) if f is not np.where}
for _function, _others in [
    (np.add, [operator.add]), (np.subtract, [operator.sub]), (np.multiply, [operator.mul]),
    (np.divide, [operator.truediv]), (np.remainder, [operator.mod]), (np.floor_divide, [operator.floordiv]),
    (np.power, [operator.pow, np.float_power]), (np.negative, [operator.neg]), (np.absolute, [operator.abs, np.fabs]),
    (np.less, [operator.lt]), (np.less_equal, [operator.le]), (np.equal, [operator.eq]), (np.not_equal, [operator.ne]),
    (np.logical_and, [operator.and_, np.bitwise_and]), (np.logical_or, [operator.or_, np.bitwise_or]),
    (np.logical_not, [np.invert]),
]:
    _FUNCTIONS.update(dict.fromkeys(_others, _FUNCTIONS[_function]))
_MULTIPLY, _DIVIDE, _NOT_EQUAL, _WHERE = map(CODES.index, (np.multiply, np.divide, np.not_equal, np.where))
_FUNCTIONS.update(dict.fromkeys([np.logical_xor, np.bitwise_xor, operator.xor], (_NOT_EQUAL, _TRUTH)))
_SWAPPED = {np.greater: np.less, operator.gt: np.less, np.greater_equal: np.less_equal, operator.ge: np.less_equal}
_FUNCTIONS.update({f: _FUNCTIONS[less] for f, less in _SWAPPED.items()})
_ALIAS, _STACK = len(CODES) + 1, len(CODES) + 2  # what changes nothing, and an array of scalars
_UNCHANGED = (np.positive, operator.pos, np.conjugate)

_VIEWS = {operator.getitem, np.reshape, np.transpose, np.ravel, np.squeeze, np.expand_dims, np.swapaxes, np.moveaxis}
_TYPES: dict[Any, type] = {("d", float): float, ("d", None): np.float64, ("?", bool): bool, ("?", None): np.bool_}


def vectorised(program: Program) -> Program:
    """The program with its scalar operations in vectorised form, or the program itself where they are few.

    Sums, products, quotients, comparisons and the like are those of the operations one by one, bit by bit; other
    functions are as accurate as NumPy's on arrays, or Numba's. Where Python's floats raise, there is inf or nan.
    """
    if len(program.ops) < FEWEST:
        return program
    views = _Views()
    stage: dict[Any, int] = {}
    # An even stage has no scalar operations, an odd one only those, with their codes and operands.
    stages: dict[int, list[tuple[Op, Any]]] = defaultdict(list)
    latest_effect = 0
    for op in program.ops:
        scalar = _scalar(op) or views.element(op)
        if scalar is None:
            at = max([stage.get(v, 0) for v in op.reads], default=0)
            at += at & 1
            if op.effect:
                at = latest_effect = max(at, latest_effect)
        else:
            if scalar[0] == _STACK:
                views.stacks[op.out] = scalar[1]
            at = max([stage.get(x, 0) for x in scalar[1]]) | 1
        for out in op.outs:
            stage[out] = at
        stages[at].append((op, scalar))
    many = sorted(at for at, ops in stages.items() if at & 1 and len(ops) >= _FEWEST_AT_ONCE)
    if sum(len(stages[at]) for at in many) < FEWEST:
        return program
    wanted = set(program.results).union(*(op.reads for at in stages.keys() - set(many) for op, _ in stages[at]))
    together = dict(zip(many, _together([stages[at] for at in many], wanted), strict=True))
    ops = []
    for at in sorted(stages):
        ops += [together[at]] if at in together else [op for op, _ in stages[at]]
    return Program(program.inputs, views.without_unread(ops, program.results), program.outputs)


def _scalar(op: Op) -> tuple[int, tuple] | None:
    """The code and the operands, variables and floats, of an operation that ``Levels`` can do."""
    if len(op.outs) != 1:
        return None
    function, args, out = op.function, op.args, op.outs[0]
    kind = out.dtype.char
    if function is np.stack and out.ndim == 1 and kind == "d" and op.kwargs.keys() <= {"axis"}:
        operands = _operands(tuple(args[0]), _REAL) if isinstance(args[0], (list, tuple)) else None
        return None if operands is None else (_STACK, operands)
    if out.shape or kind not in "d?" or op.kwargs:
        return None
    real = kind == "d"
    known = _FUNCTIONS.get(function)
    if known is not None:
        code, need = known
        operands = _operands(args, need) if real == (need is _REAL) else None
        if operands is None:
            return None
        return code, operands[::-1] if function in _SWAPPED else operands
    if function is np.where and len(args) == 3:
        condition, chosen = _operands(args[:1], _TRUTH), _operands(args[1:], _REAL if real else _TRUTH)
        return None if condition is None or chosen is None else (_WHERE, condition + chosen)
    if function is cast or function is float:
        x = args[0]
        if isinstance(x, Var) and not x.shape and x.dtype.char in _ALLOWED[_REAL]:
            if real:
                return _ALIAS, (x,)
            if x.dtype.char in "d?":
                return _NOT_EQUAL, (x, 0.0)
        return None
    operands = _operands(args, _REAL) if real else None
    if operands is None:
        return None
    if function in _UNCHANGED:
        return _ALIAS, operands
    if function is np.square:
        return _MULTIPLY, operands * 2
    if function is np.reciprocal:
        return _DIVIDE, (1.0, *operands)
    return None


def _operands(args: tuple, need: str) -> tuple | None:
    """Variables and floats, if they are what is needed."""
    found, real = [], False
    for x in args:
        if isinstance(x, Var):
            kind = x.dtype.char
            if x.shape or kind not in _ALLOWED[need]:
                return None
            if kind == "d":
                real = True
            found.append(x)
            continue
        if isinstance(x, np.ndarray) and not x.shape:
            x = x[()]
        if not isinstance(x, _NUMBERS):
            return None
        try:
            number = float(x)
        except OverflowError:
            return None
        truth = isinstance(x, (bool, np.bool_))
        if need is _TRUTH and not truth:
            return None
        if need is _COMPARED and not (truth or isinstance(x, float) or (isinstance(x, int) and number == x)):
            return None
        real |= isinstance(x, float)
        found.append(number)
    return tuple(found) if real or need is not _REAL else None


def _together(stages: list[list[tuple[Op, tuple[int, tuple]]]], wanted: set[Var]) -> list[Op]:
    """For each of the stages one operation, which computes all scalars of it and gives those that are wanted."""
    number: dict[Any, int] = {}  # of a variable, a constant, or an element of an array
    codes: list[int] = []
    columns: tuple[list[int], ...] = ([], [], [], [])  # the operands, and the stage
    values: dict[int, Any] = {}
    variable: dict[int, Var] = {}
    parts: list[tuple[list[int], list[tuple[type, int]]]] = []
    arrays: dict[tuple[Var, int], int] = {}
    outs: list[list[Var]] = []

    def numbered(key: Any, code: int, a: int = -1, b: int = -1, c: int = -1) -> int:
        i = number[key] = len(codes)
        codes.append(code)
        columns[0].append(a)
        columns[1].append(b)
        columns[2].append(c)
        columns[3].append(len(parts))
        return i

    def operand(x: Any) -> int:
        key = x if isinstance(x, Var) else (x, str(x))  # 0.0 and -0.0 are equal
        i = number.get(key)
        if i is None:
            i = numbered(key, INPUT if key is x else CONSTANT)
            (variable if key is x else values)[i] = x
        return i

    for scalars in stages:
        if parts:  # the numbers of the stage before are read where they lie: one of them, as an argument, says so
            results, types = parts[-1]
            results.append(0)
            types.append((float, 1))
            outs[-1].append(Var((), np.dtype(float), float))
            operand(outs[-1][-1])
        given: dict[type, list[Var]] = {kind: [] for kind in _TYPES.values()}
        stacks: dict[Var, list[int]] = {}
        for op, (code, operands) in scalars:
            out = op.outs[0]
            if code == _STACK:
                stacks[out] = [operand(x) for x in operands]
                continue
            if code == _ALIAS:
                number[out] = operand(operands[0])
            elif code == LOAD:
                x, element = operands
                i = number.get(operands)
                if i is None:
                    i = numbered(operands, LOAD - arrays.setdefault((x, len(parts)), len(arrays)))
                    values[i] = element
                number[out] = i
            else:
                numbered(out, code, *map(operand, operands))
            if out in wanted:
                given[_TYPES[out.dtype.char, out.python]].append(out)
        parts.append(([number[out] for group in given.values() for out in group],
                      [(kind, len(group)) for kind, group in given.items() if group]))
        outs.append([out for group in given.values() for out in group])
        for out, elements in stacks.items():
            parts[-1][0].extend(elements)
            parts[-1][1].append((np.ndarray, len(elements)))
            outs[-1].append(out)

    ops = []
    for n, (levels, inputs) in enumerate(plan(codes, columns, values, parts)):
        args = [variable[i] for i in inputs], *(x for x, part in arrays if part == n)
        ops.append(Op(levels, args, {}, tuple(outs[n]), several=len(outs[n]) > 1))
    return ops


class _Views:
    """Which elements of arrays the views of them are, so that a scalar is read from the array itself."""

    def __init__(self) -> None:
        self.made: dict[Var, Op] = {}
        self.stacks: dict[Var, tuple] = {}  # of which scalars
        self.elements: dict[Var, tuple[Any, Any]] = {}

    def element(self, op: Op) -> tuple[int, tuple] | None:
        """An element of an array, as an operation for ``Levels``, if ``op`` gives one; other views are noted."""
        if op.function not in _VIEWS or len(op.outs) != 1:
            return None
        x, out = op.args[0], op.outs[0]
        if not isinstance(x, Var) or not x.shape or x.dtype.char != "d" or len(op.reads) != 1:
            return None
        if out.shape:
            self.made[out] = op
            return None
        if op.function is not operator.getitem:
            return None
        array, elements = self._of(x)
        if array is None:
            return None
        element = int(elements[op.args[1]])
        return (_ALIAS, (self.stacks[array][element],)) if array in self.stacks else (LOAD, (array, element))

    def _of(self, x: Var) -> tuple[Any, Any]:
        """The array that ``x`` shows elements of, and which; None where that is too large."""
        known = self.elements.get(x)
        if known is None:
            op = self.made.get(x)
            if op is not None:
                array, elements = self._of(op.args[0])
                known = array, array and op.function(elements, *op.args[1:], **op.kwargs)
            elif x.size > _LARGEST:
                known = None, None
            else:
                known = x, np.arange(x.size).reshape(x.shape)
            self.elements[x] = known
        return known

    def without_unread(self, ops: list[Op], results: list[Var]) -> list[Op]:
        """The operations without views that nothing reads any more."""
        read, kept = set(results), []
        for op in reversed(ops):
            if len(op.outs) != 1 or op.out not in self.made or op.out in read:
                read.update(op.reads)
                kept.append(op)
        return kept[::-1]
