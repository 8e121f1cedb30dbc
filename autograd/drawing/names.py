"""What Values are called in drawings: by their names, their paths in a module, or the user's variables."""

from __future__ import annotations

import ast
import linecache
import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from ..lines import ours
from ..record import output
from ..value import Value
from .calls import Calls, paths_from

__all__ = ["names"]

_OPERATORS: dict[type, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    ast.MatMult: np.matmul, ast.Mod: np.remainder, ast.FloorDiv: np.floor_divide, ast.USub: np.negative,
    ast.UAdd: np.positive}


def names(nodes: Iterable[Value], paths: Mapping[Value, str] | None = None) -> dict[Value, str]:
    """The nodes that have a name, in their order, each with it.

    That is ``Value.name``; its path in a module, from ``paths`` or else from the objects whose calls are in the graph,
    where the name is no other than the path's last part; and otherwise the variable to which the user's line assigned
    the result, if the source can be found. Of several nodes that a call made, only its result has the name; a line that
    runs many times gives it to each of its results.

    >>> a, b = Value(2.0, name="a"), Value(3.0, name="bias")
    >>> list(names([a, b, a * b], {b: "layers.0.bias"}).values())
    ['a', 'layers.0.bias']
    """
    nodes = list(nodes)
    if paths is None:
        found = paths_from(Calls(sorted(nodes, key=attrgetter("_order"))))
        paths = {node: found[id(node)] for node in nodes if id(node) in found}
    variables = _variables(nodes)
    named: dict[Value, str] = {}
    for node in nodes:
        own, path = node.name, paths.get(node)
        name = path if path and f".{path}".endswith(f".{own or path}") else own or variables.get(node)
        if name:
            named[node] = name
    return named


def _variables(nodes: list[Value]) -> dict[Value, str]:
    """The nodes that are what a line of the user assigned, each with the variable."""
    found: dict[Value, str] = {}
    unsure: set[Value] = set()
    for target, run in _runs(nodes):
        results = list(filter(target.is_made_by, run))
        if not results:
            parts = [run] if target.folds else _executions(run)
            results = [node for part in parts for node in (_results(part) if len(part) > 1 else part)]
            unsure.update(results)
        found.update((node, name) for node in results if (name := target.name_of(node)))
    if unsure:  # what a package of ours computes with, as the neurons of the next layer do, was no result yet
        for node in nodes:
            if node._code is not None and ours.get(node._code.co_filename):
                for parent in node.parents:
                    if parent in unsure:
                        found.pop(parent, None)
    return found


def _runs(nodes: list[Value]) -> Iterable[tuple[_Target, list[Value]]]:
    """The nodes that one instruction of the user made in its turn, before another one of the same code."""
    targets: dict[tuple[int, int], _Target | None] = {}
    open_runs: dict[int, tuple[int, list[Value]]] = {}
    runs, files, positions = [], {}, {}
    for node in sorted(nodes, key=attrgetter("_order")):
        code = node._code
        if code is None:
            continue
        me, instruction = id(code), node._instruction  # not the code itself, whose hash is slow
        place = me, instruction
        if place not in targets:
            targets[place] = _target(code, instruction, files, positions)
        last, run = open_runs.get(me, (None, []))
        if last != instruction:
            run = []
            open_runs[me] = instruction, run
            target = targets[place]
            if target is not None:
                runs.append((target, run))
        run.append(node)
    return runs


def _executions(run: list[Value]) -> list[list[Value]]:
    """A run as the executions that it consists of, such as the time steps of a loop that does nothing else.

    They are told by the operations that come again with the same weights.
    """
    if len(run) == 1:
        return [run]
    inputs = [{p for p in node.parents if p.op is None} for node in run]
    counts = Counter(chain.from_iterable(inputs))
    shared = {p for p, count in counts.items() if count > 1}
    if not shared:
        return [run]
    steps = [(node.op, node.args[1] if node.op is output else None, shared.intersection(leaves))
             for node, leaves in zip(run, inputs, strict=True)]
    period = _period(steps[::-1])
    return [run[max(end - period, 0): end] for end in range(len(run), 0, -period)][::-1]


def _period(steps: list) -> int:
    """After how many steps the same come again; the last of them, which began it all, may be different in part."""
    n, borders, found = len(steps), [0] * len(steps), len(steps)
    for i in range(1, n):
        k = borders[i - 1]
        while k and steps[i] != steps[k]:
            k = borders[k - 1]
        borders[i] = k + (steps[i] == steps[k])
        period = i + 1 - borders[i]
        if 2 * period <= i + 1 and n - i - 1 <= period:
            found = period
    return found


def _results(part: list[Value]) -> list[Value]:
    """Of the nodes that one execution made, those that no other of them was computed from."""
    first = part[0]._order
    used: set[Value] = set()
    stack = list(part)
    while stack:
        for parent in stack.pop().parents:
            if parent._order >= first and parent not in used:
                used.add(parent)
                stack.append(parent)
    return [node for node in part if node not in used]


# What the source says


class _Target(NamedTuple):
    """The variable that an expression is assigned to, or those of its several results.

    ``each`` says that it is the variable of a loop over them.
    """

    expression: ast.AST
    name: str | None
    parts: tuple[str | None, ...] = ()
    each: bool = False

    def name_of(self, node: Value) -> str | None:
        if node.op is not output:
            return None if self.each or type(node.data) is tuple else self.name
        i = node.args[1]
        if self.parts:
            return self.parts[i] if i < len(self.parts) else None
        return self.name if self.each or self.name is None else f"{self.name}[{i}]"

    @property
    def folds(self) -> bool:
        """Whether the expression is a call of Python's that makes one of many, by one operation again and again."""
        function = getattr(self.expression, "func", None)
        return (getattr(function, "attr", None) or getattr(function, "id", "")) in ("prod", "reduce", "sum")

    def is_made_by(self, node: Value) -> bool:
        """Whether the expression is a call of that very operation, so that the node is all that it made."""
        op, tree = node.args[0].op if node.op is output else node.op, self.expression
        if isinstance(tree, (ast.BinOp, ast.UnaryOp, ast.AugAssign)):
            return op is not None and _OPERATORS.get(type(tree.op)) is op
        if isinstance(tree, ast.Subscript):
            return op is operator.getitem
        if not isinstance(tree, ast.Call):
            return False
        called = getattr(tree.func, "attr", None) or getattr(tree.func, "id", "")
        if op is None:
            return called == type(node).__name__
        return called == getattr(op, "__name__", "") or getattr(np, called, None) is op


def _target(code: CodeType, instruction: int, files: dict[str, Any], positions: dict[int, list]) -> _Target | None:
    """What the expression that this instruction computes is assigned to; ``None`` where that is not the user's."""
    file = code.co_filename
    if ours.get(file):
        return None
    if file not in files:
        files[file] = _targets("".join(linecache.getlines(file)))
    if not files[file]:
        return None
    if id(code) not in positions:
        positions[id(code)] = list(code.co_positions())
    return files[file].get(positions[id(code)][instruction // 2])


@lru_cache(maxsize=64)
def _targets(source: str) -> dict[tuple, _Target]:
    """For each expression of a source that is assigned, by its lines and columns, what to."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[tuple, _Target] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _assign(target, node.value, found)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            _assign(node.target, node.value, found)
        elif isinstance(node, ast.AugAssign):
            found[_span(node)] = _Target(node, _text(node.target))
        elif isinstance(node, ast.For):
            for place in (node.iter, node):  # Python 3.11 begins a loop at the place of all of it
                found.setdefault(_span(place), _Target(node.iter, _text(node.target), each=True))
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            first = node.generators[0]
            for place in (first.iter, node):
                found[_span(place)] = _Target(first.iter, _text(first.target), each=True)
    return found


def _assign(target: ast.expr, value: ast.expr, found: dict[tuple, _Target]) -> None:
    if isinstance(value, ast.IfExp):
        _assign(target, value.body, found)
        _assign(target, value.orelse, found)
    elif isinstance(target, (ast.Tuple, ast.List)):
        items = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        if len(items) == len(target.elts) and not any(isinstance(x, ast.Starred) for x in (*items, *target.elts)):
            for one, item in zip(target.elts, items, strict=True):
                _assign(one, item, found)
        else:
            _unpack(target, value, found)
    elif isinstance(value, (ast.Tuple, ast.List)):
        for i, item in enumerate(value.elts):
            found.setdefault(_span(item), _Target(item, f"{_text(target)}[{i}]"))
    else:
        if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):  # one of several results
            i = value.slice.value
            if isinstance(i, int) and 0 <= i < 100:
                parts = (*[None] * i, _text(target))
                found.setdefault(_span(value.value), _Target(value.value, None, parts))
        found.setdefault(_span(value), _Target(value, _text(target)))


def _unpack(target: ast.Tuple | ast.List, value: ast.expr, found: dict[tuple, _Target]) -> None:
    """Several variables for what one expression gives; Python itself takes it apart at the place of the variables."""
    parts: list[str | None] = []
    for one in target.elts:
        if isinstance(one, ast.Starred):
            break
        if isinstance(one, (ast.Tuple, ast.List)):
            _unpack(one, one, found)
        parts.append(_text(one))
    for tree in (value, target):
        found.setdefault(_span(tree), _Target(tree, None, tuple(parts)))


def _text(target: ast.expr) -> str | None:
    """A variable as it is written; none for what is thrown away."""
    text = ast.unparse(target)
    return None if text == "_" or isinstance(target, (ast.Tuple, ast.List)) else text


def _span(tree: Any) -> tuple:
    return tree.lineno, tree.end_lineno, tree.col_offset, tree.end_col_offset
