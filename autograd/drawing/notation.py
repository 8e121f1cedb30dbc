"""Expressions as mathematics is written, in plain text and in LaTeX; each is a tree of Python's own ``ast``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["Latex", "Text", "applied", "index_text", "latex_name", "latex_number", "number", "simplified", "template"]

SUM, NEGATIVE, PRODUCT, POWER, ATOM = range(1, 6)  # how tightly an expression holds together
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RELATIONS: dict[type, tuple[str, str]] = {
    ast.Gt: (">", ">"), ast.Lt: ("<", "<"), ast.Eq: ("=", "="), ast.GtE: ("≥", r"\ge"), ast.LtE: ("≤", r"\le")}
_GREEK = ("alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|"
          "psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega")
_KNOWN = {"cos", "cosh", "exp", "log", "max", "min", "sin", "sinh", "tan", "tanh"}
_ESCAPED = {"\\": r"\backslash ", "{": r"\{", "}": r"\}", "_": r"\_", "^": r"\hat{}", "~": r"\sim ", "&": r"\&",
            "%": r"\%", "$": r"\$", "#": r"\#", "<": "<", ">": ">", " ": r"\ "}


@lru_cache(maxsize=1024)
def template(text: str) -> ast.expr:
    """The tree of a formula that is written as Python would, such as ``g * (1 - tanh(x)**2)``."""
    return ast.parse(text, mode="eval").body


def applied(tree: Any, parts: Mapping[str, ast.expr]) -> Any:
    """A copy of a tree with others in the place of names."""
    if isinstance(tree, ast.Name):
        return parts.get(tree.id, tree)
    if isinstance(tree, ast.Call):
        return ast.Call(tree.func, [applied(x, parts) for x in tree.args], tree.keywords)
    if isinstance(tree, ast.AST):
        copy = type(tree)()
        for field, x in ast.iter_fields(tree):
            setattr(copy, field, [applied(item, parts) for item in x] if isinstance(x, list) else applied(x, parts))
        return copy
    return tree


def _plain(tree: Any) -> Any:
    """A factor of an elementwise product, where nothing needs to be said of the broadcasting of a number."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div):
        return ast.BinOp(_plain(tree.left), tree.op, tree.right)
    return _plain(tree.args[0]) if isinstance(tree, ast.Call) and getattr(tree.func, "id", "") == "fill" else tree


def _is(tree: Any, number: float) -> bool:
    return isinstance(tree, ast.Constant) and type(tree.value) in (int, float) and tree.value == number


def simplified(tree: Any) -> Any:
    """Without factors of 1, with minus signs in front of products, and with differences in place of sums with them."""
    if isinstance(tree, ast.UnaryOp):
        x = simplified(tree.operand)
        return x.operand if isinstance(x, ast.UnaryOp) else ast.UnaryOp(tree.op, x)
    if isinstance(tree, ast.Call):
        return ast.Call(tree.func, [simplified(x) for x in tree.args], tree.keywords)
    if not isinstance(tree, ast.BinOp):
        return tree
    left, right = simplified(tree.left), simplified(tree.right)
    minus = ast.USub()
    if isinstance(tree.op, (ast.Mult, ast.Div)):
        if isinstance(tree.op, ast.Mult):
            left, right = _plain(left), _plain(right)
            if _is(left, 1):
                return right
        if _is(right, 1):
            return left
        signs = [x for x in (left, right) if isinstance(x, ast.UnaryOp)]
        if signs:
            bare = [x.operand if isinstance(x, ast.UnaryOp) else x for x in (left, right)]
            product = simplified(ast.BinOp(bare[0], tree.op, bare[1]))
            return product if len(signs) == 2 else ast.UnaryOp(minus, product)
    if isinstance(tree.op, (ast.Add, ast.Sub)) and isinstance(right, ast.UnaryOp):
        return ast.BinOp(left, ast.Sub() if isinstance(tree.op, ast.Add) else ast.Add(), right.operand)
    return ast.BinOp(left, tree.op, right)


def number(x: Any) -> str:
    """A number of a formula: whole where it is, else in at most four digits unless it is short.

    >>> number(2.0), number(0.0625), number(1 / 3), number(-1e-30)
    ('2', '0.0625', '0.3333', '−1e-30')
    """
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (complex, np.complexfloating)):
        return f"({x:.4g})"
    x = float(x)
    if not np.isfinite(x):
        return f"{x}!".replace("-", "−")
    if x == int(x) and abs(x) < 1e6:
        return f"{int(x)}".replace("-", "−", 1)
    text = repr(x) if len(repr(abs(x))) <= 6 else f"{x:.4g}"
    return "−" + text[1:] if text.startswith("-") else text


def index_text(index: Any) -> str:
    """An index as it is written between brackets.

    >>> index_text((0, slice(None, 3), ..., None))
    '0, :3, ..., None'
    """
    if isinstance(index, tuple):
        return ", ".join(map(index_text, index))
    if isinstance(index, slice):
        ends = ["" if x is None else str(x) for x in (index.start, index.stop)]
        return ":".join(ends if index.step is None else [*ends, str(index.step)])
    if index is Ellipsis:
        return "..."
    if isinstance(index, (list, np.ndarray)):
        index = np.asarray(index)
        kind = "mask" if index.dtype == bool else "indices"
        return f"{kind} {index.shape}" if index.size > 6 else str(index.tolist())
    return str(index)


class Text:
    """How a tree is written as text; ``label`` gives what stands for a name."""

    times, open, close, minus = " · ", "(", ")", "−"

    def __init__(self, label: Callable[[Any], str]) -> None:
        self.label = label

    def __call__(self, tree: Any, least: int = 0) -> str:
        text, level = self.visit(tree)
        return f"{self.open}{text}{self.close}" if level < least else text

    def visit(self, tree: Any) -> tuple[str, int]:
        if isinstance(tree, ast.Name):
            return self.label(tree.id), ATOM
        if isinstance(tree, ast.Constant):
            if isinstance(tree.value, str):
                return self.literal(tree.value), ATOM
            text = number(tree.value)
            return self.marked(text), NEGATIVE if text.startswith("−") else ATOM
        if isinstance(tree, ast.List):
            return f"[{', '.join(map(self, tree.elts))}]", ATOM
        if isinstance(tree, ast.Subscript):
            return f"{self(tree.value, ATOM)}[{self.literal(tree.slice.value)}]", ATOM  # type: ignore[attr-defined]
        if isinstance(tree, ast.Compare):
            return f"[{self(tree.left)} {self.relation(tree.ops[0])} {self(tree.comparators[0])}]", ATOM
        if isinstance(tree, ast.UnaryOp):
            return self.minus + self(tree.operand, PRODUCT), NEGATIVE
        if isinstance(tree, ast.BinOp):
            return self.binary(tree)
        name = tree.func.id
        special = getattr(self, f"_{name}", None)
        if special is not None:
            return special(*tree.args)
        settings = [self.literal(f"{k.arg}={k.value.value}") for k in tree.keywords]
        arguments = ", ".join([*map(self, tree.args), *settings])
        return f"{self.function('broadcast' if name == 'fill' else name)}{self.open}{arguments}{self.close}", ATOM

    def binary(self, tree: ast.BinOp) -> tuple[str, int]:
        op = tree.op
        if isinstance(op, (ast.Add, ast.Sub)):
            plus = isinstance(op, ast.Add)
            right = self(tree.right, SUM if plus and _is_sum(tree.right) else PRODUCT)
            return f"{self(tree.left, SUM)} {'+' if plus else self.minus} {right}", SUM
        if isinstance(op, ast.Mult):
            return self.product(self.factor(tree.left), self.factor(tree.right), tree), PRODUCT
        if isinstance(op, ast.MatMult):
            mixed = [isinstance(x, ast.BinOp) and not isinstance(x.op, (ast.MatMult, ast.Pow))
                     for x in (tree.left, tree.right)]
            left = self(tree.left, ATOM if mixed[0] else PRODUCT)
            right = self(tree.right, ATOM if mixed[1] or isinstance(tree.right, ast.BinOp) else PRODUCT)
            return self.matrix_product(left, right), PRODUCT
        if isinstance(op, ast.Div):
            return self.quotient(tree)
        return self.power(tree)

    def factor(self, tree: Any) -> str:
        inner = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult)
        return self(tree, ATOM if inner else PRODUCT)

    def product(self, left: str, right: str, tree: ast.BinOp) -> str:
        if isinstance(tree.left, ast.Constant) and re.match(r"\(|[^\W\d][₀-₉′⁰-⁹²³]*(?![\w(\[.])", right):
            return left + right
        return f"{left} · {right}" if "∂" in left + right else f"{left}·{right}"

    def matrix_product(self, left: str, right: str) -> str:
        return f"{left} @ {right}"

    def quotient(self, tree: ast.BinOp) -> tuple[str, int]:
        left, right = self.factor(tree.left), self(tree.right, POWER)
        return f"{left} / {right}" if "∂" in left + right else f"{left}/{right}", PRODUCT

    def power(self, tree: ast.BinOp) -> tuple[str, int]:
        base, exponent = self(tree.left, ATOM), tree.right
        sign = isinstance(exponent, ast.UnaryOp)
        inner = exponent.operand if isinstance(exponent, ast.UnaryOp) else exponent
        if isinstance(inner, ast.Constant) and type(inner.value) in (int, float) and number(inner.value).isdigit():
            return base + ("-" * sign + number(inner.value)).translate(_RAISED), POWER
        return f"{base}^{self(exponent, ATOM)}", POWER

    # What is written in a way of its own

    def _abs(self, x: Any) -> tuple[str, int]:
        return f"|{self(x)}|", ATOM

    def _sqrt(self, x: Any) -> tuple[str, int]:
        return f"√{self(x, ATOM)}" if isinstance(x, (ast.Name, ast.Constant)) else f"√({self(x)})", POWER

    def _T(self, x: Any) -> tuple[str, int]:
        text = self(x, ATOM)
        return (f"({text})ᵀ" if "∂" in text and not text.startswith("(") else f"{text}ᵀ"), POWER

    def _sigmoid(self, x: Any) -> tuple[str, int]:
        return f"σ({self(x)})", ATOM

    def _dsigmoid(self, x: Any) -> tuple[str, int]:
        return f"σ′({self(x)})", ATOM

    def _partial(self, name: Any, place: Any, *args: Any) -> tuple[str, int]:
        first, *rest = re.split(r"(?=\[)", place.value, maxsplit=1)
        place = "".join([first.translate(_LOWERED), *rest])
        return f"∂{name.value}/∂x{place}({', '.join(map(self, args))})", ATOM

    def literal(self, text: str) -> str:
        return text

    def function(self, name: str) -> str:
        return name

    def relation(self, op: ast.cmpop) -> str:
        return _RELATIONS[type(op)][0]

    def marked(self, text: str) -> str:
        return text


def _is_sum(tree: Any) -> bool:
    return isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Add, ast.Sub))


class Latex(Text):
    """The same as LaTeX."""

    open, close, minus = r"\left(", r"\right)", "-"

    def product(self, left: str, right: str, tree: ast.BinOp) -> str:
        if isinstance(tree.left, ast.Constant) and not right[:1].isdigit():
            return f"{left} {right}"
        return rf"{left} \cdot {right}"

    def matrix_product(self, left: str, right: str) -> str:
        return rf"{left} \, {right}"

    def quotient(self, tree: ast.BinOp) -> tuple[str, int]:
        return rf"\frac{{{self(tree.left)}}}{{{self(tree.right)}}}", POWER

    def power(self, tree: ast.BinOp) -> tuple[str, int]:
        return f"{{{self(tree.left, ATOM)}}}^{{{self(tree.right)}}}", POWER

    def _abs(self, x: Any) -> tuple[str, int]:
        return rf"\left|{self(x)}\right|", ATOM

    def _sqrt(self, x: Any) -> tuple[str, int]:
        return rf"\sqrt{{{self(x)}}}", ATOM

    def _exp(self, x: Any) -> tuple[str, int]:
        return f"e^{{{self(x)}}}", POWER

    def _T(self, x: Any) -> tuple[str, int]:
        return rf"{{{self(x, ATOM)}}}^\top", POWER

    def _sigmoid(self, x: Any) -> tuple[str, int]:
        return rf"\sigma\left({self(x)}\right)", ATOM

    def _dsigmoid(self, x: Any) -> tuple[str, int]:
        return rf"\sigma'\left({self(x)}\right)", ATOM

    def _partial(self, name: Any, place: Any, *args: Any) -> tuple[str, int]:
        return (rf"\frac{{\partial {self.function(name.value)}}}{{\partial x_{{{place.value}}}}}"
                rf"\left({', '.join(map(self, args))}\right)"), ATOM

    def literal(self, text: str) -> str:
        return rf"\mathrm{{{escaped(text)}}}" if re.search(r"[^\d.,: -]", text) else text

    def function(self, name: str) -> str:
        return rf"\{name}" if name in _KNOWN else rf"\operatorname{{{escaped(name)}}}"

    def relation(self, op: ast.cmpop) -> str:
        return _RELATIONS[type(op)][1]

    def marked(self, text: str) -> str:
        return latex_number(text)


def latex_number(text: str) -> str:
    """Numbers as they are said in text, with NaN and infinities in red."""
    text = re.sub(r"(\d)e([+-])0*(\d+)", lambda m: rf"{m[1]} \cdot 10^{{{m[2].strip('+')}{m[3]}}}", text)
    text = re.sub(r"−?(?:nan|inf)!", lambda m: rf"\textcolor{{#CC0000}}{{\mathrm{{{m[0].replace('−', '-')}}}}}", text)
    return text.replace("−", "-").replace("…", r"\ldots")


def escaped(text: str) -> str:
    return "".join(_ESCAPED.get(c, c) for c in text)


def latex_name(name: str) -> str:
    """A variable: one letter or a Greek one in italics, what follows it lowered, any other upright.

    >>> latex_name("z"), latex_name("a1"), latex_name("sigma_x"), latex_name("layers.0.weight")
    ('z', 'a_{1}', '\\\\sigma_{x}', '\\\\mathrm{layers.0.weight}')
    """
    stem = name.rstrip("₀₁₂₃₄₅₆₇₈₉")
    if stem and stem != name:
        base, low = latex_name(stem), "".join(str("₀₁₂₃₄₅₆₇₈₉".index(c)) for c in name[len(stem):])
        return f"{base if len(base) == 1 else f'{{{base}}}'}_{{{low}}}"
    found = re.fullmatch(rf"(?P<stem>[^\W\d_]|{_GREEK})(?:_?(?P<low>\d+)|_(?P<word>\w+))?", name)
    if found is None:
        return rf"\mathrm{{{escaped(name)}}}"
    stem = rf"\{found['stem']}" if len(found["stem"]) > 1 else found["stem"]
    low = found["low"] or (found["word"] and (found["word"] if len(found["word"]) == 1 else
                                             rf"\mathrm{{{escaped(found['word'])}}}"))
    return f"{stem}_{{{low}}}" if low else stem
