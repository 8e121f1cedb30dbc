"""A graph as equations: which nodes have a line of their own, each with its expression as a tree, and its slopes."""

from __future__ import annotations

import ast
import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..functions import softmax
from ..graph import raw, reverse_topological
from ..record import output
from ..registry import name_of
from ..sources import arguments
from ..value import Value, holds_value
from .forms import form_of
from .names import names
from .notation import applied, index_text, simplified, template
from .numbers import is_array

__all__ = ["Equations", "Given", "Slope", "inside"]

_DEPTH = 12  # operations in an operation
_TERMS = 4  # of a sum over all that a node is used in


class Given(NamedTuple):
    """A constant that is not written as a number: what the user calls it, and what tells it from others."""

    name: str
    key: Any


class Slope(NamedTuple):
    """The derivative of the value with respect to a node."""

    node: Value


class Equations:
    """The last equations of a graph, each a node with its expression.

    A node is a ``symbol``, with an equation of its own, if it has a name, is used several times, or would make an
    expression too long, as ``width`` measures; any other is written into the one that uses it.
    """

    def __init__(self, value: Value, most: int, width: int, measure: Any) -> None:
        self.value, self.nodes = value, reverse_topological(value)
        self.names = names(self.nodes)
        self.users: dict[Value, list[tuple[Value, tuple[int, ...]]]] = {}
        for node in self.nodes:
            for place, x in _values(node.args):
                self.users.setdefault(x, []).append((node, place))
        self.forced: set[Value] = set()
        self.given: dict[Given, Any] = {}
        self.trees: dict[Value, Any] = {}  # from the value back
        self.owner: dict[Value, Value] = {}  # in whose equation a node is
        self._written: dict[Value, list[str]] = {}
        waiting = [(-value._order, value)]
        seen = {value}
        while waiting and len(self.trees) < most:
            node = heapq.heappop(waiting)[1]
            self.trees[node] = self._equation(node, width, measure)
            for x in inside(self.trees[node]):
                if isinstance(x, Value) and x not in seen:
                    seen.add(x)
                    if x.op is not None:
                        heapq.heappush(waiting, (-x._order, x))
        self.symbols = sorted(seen, key=lambda node: node._order)
        self.more = sum(n.op is not None and type(n.data) is not tuple for n in self.nodes if n not in self.owner)

    def is_symbol(self, node: Value) -> bool:
        if type(node.data) is tuple:
            return False
        return (node.op is None or node in self.names or node is self.value or node in self.forced
                or node.op is softmax or len(self.users[node]) > 1)  # whose slope has it twice

    def _equation(self, node: Value, width: int, measure: Any) -> Any:
        while True:
            inner: list[tuple[Value, Any]] = []
            tree = self._tree(node, 0, inner)
            sizes = [(len(measure(part)), x) for x, part in inner if type(x.data) is not tuple]
            if not sizes or len(measure(tree)) <= width:
                break
            self.forced.add(max(sizes, key=lambda pair: (pair[0] <= width, pair[0]))[1])
        self.owner.update((x, node) for x, _ in inner)
        self.owner[node] = node
        return tree

    def _tree(self, node: Any, depth: int, inner: list[tuple[Value, Any]]) -> Any:
        """The expression of a node; those of the nodes that are written into it are added to ``inner``."""
        if node.op is output:
            whole, i = node.args
            tree = self._tree(whole, depth, inner)
            inner.append((whole, tree))
            return ast.Subscript(tree, ast.Constant(str(i)))
        form = form_of(node)
        parts = self._arguments(node, depth, inner)
        if form is not None and form.expression:
            return applied(template(form.expression), self._by_name(node, parts))
        name = name_of(node.op).rpartition(".")[2].lstrip("_")
        if name == "indexing":
            return ast.Subscript(parts[0], ast.Constant(index_text(node.args[1])))
        settings = [ast.keyword(k, ast.Constant(_short(x))) for k, x in node.kwargs.items() if _tells(k, x)]
        return ast.Call(ast.Name(name), [p for p, x in zip(parts, node.args, strict=True) if x is not None], settings)

    def _by_name(self, node: Value, parts: list[Any]) -> dict[str, Any]:
        form = form_of(node)
        return dict(zip(form.parameters if form is not None else "", parts, strict=False))

    def _arguments(self, node: Value, depth: int, inner: list[tuple[Value, Any]]) -> list[Any]:
        if node not in self._written:
            self._written[node] = arguments(node)
        return [self._argument(x, text, depth, inner) for x, text in zip(node.args, self._written[node], strict=True)]

    def _argument(self, x: Any, text: str, depth: int, inner: list[tuple[Value, Any]]) -> Any:
        if isinstance(x, Value):
            if depth >= _DEPTH and type(x.data) is not tuple and not all(map(self.is_symbol, x.parents)):
                self.forced.add(x)
            if self.is_symbol(x):
                return ast.Name(x)  # type: ignore[arg-type]
            tree = self._tree(x, depth + 1, inner)
            inner.append((x, tree))
            return tree
        if isinstance(x, (list, tuple)) and holds_value(x):
            return ast.List([self._argument(item, "", depth, inner) for item in x])
        known = text if text.replace(".", "").isidentifier() and not text.startswith("argument_") else ""
        if isinstance(x, (int, float, complex, np.number)) and not isinstance(x, bool):
            if known and np.isfinite(x):
                return self._constant(Given(known, repr(x)), x)
            negative = not isinstance(x, (complex, np.complexfloating)) and x < 0
            return ast.UnaryOp(ast.USub(), ast.Constant(-x)) if negative else ast.Constant(x)  # type: ignore[arg-type]
        if is_array(x):
            return self._constant(Given(known, id(x)), x)
        return ast.Constant(_short(x))

    def _constant(self, given: Given, data: Any) -> Any:
        self.given.setdefault(given, data)
        return ast.Name(given)  # type: ignore[arg-type]

    # Backward

    def slope(self, node: Value) -> Any:
        """The derivative with respect to a node, in terms of those with respect to the symbols that use it."""
        uses = self.users.get(node, ())
        total = _total([self._sent(*use) for use in uses[: _TERMS if len(uses) > _TERMS + 2 else None]])
        if total is None:
            return None
        total = _bare(simplified(total))
        left = len(uses) - _TERMS if len(uses) > _TERMS + 2 else 0
        return ast.BinOp(total, ast.Add(), ast.Name(f"… ({left:,} more terms)")) if left else total

    def _incoming(self, node: Value) -> Any:
        if node is self.value and not node.shape:
            return ast.Constant(1)
        return ast.Name(Slope(node)) if self.is_symbol(node) else self._sent(*self.users[node][0])  # type: ignore

    def _sent(self, node: Any, place: tuple[int, ...]) -> Any:
        """What the rule of an operation sends back to one place of its arguments; ``None`` for nothing."""
        if type(node.data) is tuple:
            picked = [(self._incoming(x), x.args[1]) for x, _ in self.users[node]]
            return _total([ast.BinOp(g, ast.Mult(), self._partial(node, place, i)) for g, i in picked if g is not None])
        g = self._incoming(node)
        form = form_of(node)
        if g is None:
            return None
        i, *deeper = place
        if form is None or deeper or i >= len(form.back):
            return ast.BinOp(g, ast.Mult(), self._partial(node, place))
        text = form.back[i]
        if text is None:
            return None
        parts = self._by_name(node, self._arguments(node, 0, []))
        result = ast.Name(node) if self.is_symbol(node) else self._tree(node, 0, [])  # type: ignore[arg-type]
        sent = applied(template(text), {**parts, "g": g, "y": result})
        x = node.args[i]
        return _summed(sent, node.shape, np.shape(raw(x))) if form.shaped else sent

    def _partial(self, node: Value, place: tuple[int, ...], result: int | None = None) -> Any:
        """∂f/∂xᵢ of any function f, of its result of that number."""
        name = name_of(node.op).rpartition(".")[2].lstrip("_") + ("" if result is None else f"[{result}]")
        which = f"{place[0] + 1}" + "".join(f"[{i}]" for i in place[1:])
        parts = [p for p, x in zip(self._arguments(node, 0, []), node.args, strict=True) if x is not None]
        return ast.Call(ast.Name("partial"), [ast.Constant(name), ast.Constant(which), *parts], [])


def _values(args: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Value]]:
    """The Values among arguments, also in lists, each with its place."""
    for i, x in enumerate(args.values() if isinstance(args, dict) else args):
        if isinstance(x, Value):
            yield (*place, i), x
        elif isinstance(x, (list, tuple, dict)):
            yield from _values(x, (*place, i))


def inside(tree: Any) -> Iterator[Any]:
    """What the names in a tree stand for, from left to right."""
    if isinstance(tree, ast.Name):
        yield tree.id
    elif isinstance(tree, ast.Call):
        for x in tree.args:
            yield from inside(x)
    elif isinstance(tree, ast.AST):
        for child in ast.iter_child_nodes(tree):
            yield from inside(child)


def _summed(tree: Any, came: tuple[int, ...], wanted: tuple[int, ...]) -> Any:
    """A gradient summed over the axes along which an argument was broadcast."""
    if came == wanted:
        return tree
    added = len(came) - len(wanted)
    kept = tuple(k for k, n in enumerate(wanted) if n == 1 and came[added + k] != 1)
    if added:
        said = [] if not wanted else [_setting("axis", 0 if added == 1 else tuple(range(added)))]
        tree = ast.Call(ast.Name("sum"), [tree], said)
    if kept:
        said = [_setting("axis", kept[0] if len(kept) == 1 else kept), _setting("keepdims", True)]
        tree = ast.Call(ast.Name("sum"), [tree], said)
    return tree


def _setting(name: str, x: Any) -> ast.keyword:
    return ast.keyword(name, ast.Constant(str(x)))


def _total(terms: list[Any]) -> Any:
    """A sum; ``None`` where there is nothing to add."""
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else ast.BinOp(total, ast.Add(), term)
    return total


def _bare(tree: Any) -> Any:
    """A number that is the same for every element needs no word for that."""
    if isinstance(tree, ast.UnaryOp):
        return ast.UnaryOp(tree.op, _bare(tree.operand))
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div):
        return ast.BinOp(_bare(tree.left), tree.op, tree.right)
    if isinstance(tree, ast.Call) and getattr(tree.func, "id", "") == "fill" and isinstance(tree.args[0], ast.Constant):
        return tree.args[0]
    return tree


def _tells(keyword: str, setting: Any) -> bool:
    """Whether a setting is another than the usual one."""
    return setting is not None and setting is not False and (keyword, setting) != ("order", "C")


def _short(x: Any) -> str:
    text = getattr(x, "__name__", None) or str(x)
    return text if len(text) <= 30 else text[:29] + "…"
