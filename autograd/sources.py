"""What the user wrote: the sources of the arguments of an operation, from the line that made its node."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from .lines import line_of
from .registry import name_of
from .value import Value

__all__ = ["arguments", "call", "grouped", "name_in", "written"]

_MODULES = {"F", "anp", "autograd", "functions", "jnp", "np", "npa", "numpy", "scipy", "special"}
_OPERATORS: dict[type, np.ufunc] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    ast.MatMult: np.matmul, ast.Mod: np.remainder, ast.FloorDiv: np.floor_divide, ast.USub: np.negative,
    ast.UAdd: np.positive}
_SYMBOLS: dict[Any, str] = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**",
                            np.matmul: "@"}


def arguments(node: Value) -> list[str]:
    """What the user wrote for each argument of an operation: its source, else its name, or its place.

    >>> x = Value(1.0, name="x")
    >>> arguments(np.add(x, 1.0))
    ['x', '1.0']
    """
    written = _written(node)
    said = []
    for i, arg in enumerate(node.args):
        if i < len(written):
            said.append(written[i])
        elif isinstance(arg, Value):
            said.append(arg.name or "xyz"[i] if i < 3 else f"argument_{i}")
        else:
            text = repr(arg)
            said.append(text if len(text) <= 20 and isinstance(arg, (int, float, tuple, str)) else f"argument_{i}")
    return said


def call(node: Value, args: list[str]) -> str:
    """How a call of a node's function is written, as an operator where it is one.

    >>> call(np.divide(Value(1.0), 2.0), ["x + 1", "y"])
    '(x + 1) / y'
    """
    symbol = _SYMBOLS.get(node.op) if len(args) == 2 else None
    return f"{grouped(args[0])} {symbol} {grouped(args[1])}" if symbol else f"{name_of(node.op)}({', '.join(args)})"


def name_in(node: Value, consumers: dict[Value, list[Value]]) -> str:
    """The name of a Value: its own, else that of the variable in the first operation that takes it; or nothing."""
    if node.name:
        return node.name
    for consumer in consumers.get(node, ()):
        for said, arg in zip(_written(consumer), consumer.args, strict=False):
            if arg is node and said.replace(".", "").isidentifier():
                return said
    return ""


def written(node: Value) -> str:
    """The expression that made a node; nothing where its line does not show that very call."""
    line = line_of(node)
    return line.expression if line is not None and _written(node) else ""


def _written(node: Value) -> list[str]:
    """The sources of the first arguments of the call that made a node, where its line shows that very call."""
    line = line_of(node)
    if line is None or not line.expression:
        return []
    try:
        statement = ast.parse(line.expression).body[0]
    except (SyntaxError, IndexError):
        return []
    tree: Any = statement.value if isinstance(statement, ast.Expr) else statement
    found: list[ast.expr] = []
    if isinstance(tree, ast.Call):
        found = _passed(tree, node)
    elif isinstance(tree, ast.Subscript) and name_of(node.op) == "indexing":
        found = [tree.value, tree.slice]
    elif isinstance(tree, (ast.BinOp, ast.AugAssign)) and _OPERATORS.get(type(tree.op)) is node.op:
        found = [tree.left, tree.right] if isinstance(tree, ast.BinOp) else [tree.target, tree.value]
    elif isinstance(tree, ast.UnaryOp) and _OPERATORS.get(type(tree.op)) is node.op:
        found = [tree.operand]
    return [ast.get_source_segment(line.expression, part) or "" for part in found]


def _passed(call: ast.Call, node: Value) -> list[ast.expr]:
    """The arguments of a call in the source, if it is one of the node's function, or of the method of its name."""
    function = call.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    name = getattr(node.op, "__name__", "")
    if called != name and getattr(np, called, None) is not node.op:
        return []
    if any(isinstance(a, ast.Starred) for a in call.args):
        return []
    if isinstance(function, ast.Attribute) and ast.unparse(function.value).partition(".")[0] not in _MODULES:
        return [function.value, *call.args]
    return call.args


def grouped(text: str, summed: bool = False) -> str:
    """A source that can be an operand of any operator, or just be summed: in parentheses where it needs them.

    >>> grouped("x - 1"), grouped("np.exp(x)"), grouped("x - 1", summed=True)
    ('(x - 1)', 'np.exp(x)', 'x - 1')
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return f"({text})"
    alone = isinstance(tree, (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript))
    return text if alone or (summed and isinstance(tree, (ast.BinOp, ast.UnaryOp))) else f"({text})"
