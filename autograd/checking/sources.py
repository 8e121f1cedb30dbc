"""What the user wrote: the sources of the arguments of an operation, from the line that made its node."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ..lines import line_of
from ..registry import name_of
from ..value import Value

__all__ = ["arguments", "grouped"]

_MODULES = {"F", "anp", "autograd", "functions", "jnp", "np", "npa", "numpy", "scipy", "special"}
_OPERATORS: dict[type, np.ufunc] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    ast.MatMult: np.matmul, ast.Mod: np.remainder, ast.FloorDiv: np.floor_divide, ast.USub: np.negative,
    ast.UAdd: np.positive}


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
    return [ast.unparse(part) for part in found]


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


def grouped(text: str) -> str:
    """A source that can be an operand of any operator: in parentheses unless it is a name, number, call or the like.

    >>> grouped("x + 1"), grouped("np.exp(x)")
    ('(x + 1)', 'np.exp(x)')
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return f"({text})"
    return text if isinstance(tree, (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript)) else f"({text})"
