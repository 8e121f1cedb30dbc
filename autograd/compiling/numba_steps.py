"""What a program is made of once it is loops: views of memory, loops over them, checks, and calls that stay calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..registry import name_of
from .numba_scalars import SUPPORTED, Formula, is_number
from .program import Op, Program, Var, updated

__all__ = ["Check", "Constant", "Here", "Host", "Loop", "Lowered", "Pick", "View", "contiguous", "is_array", "is_good",
           "is_known", "root_view", "size_of"]


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of a C-contiguous array."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


class Pick:
    """One index of an element that is a number in memory, or of the host: it counts ``stride`` elements a step."""

    __slots__ = ("index", "length", "stride")

    def __init__(self, index: View | Var, stride: int, length: int) -> None:
        self.index, self.stride, self.length = index, stride, length


class View:
    """Where the numbers of an array lie: element ``i`` at ``offset + Σ strides[d] i[d]`` of the variable ``root``.

    Each of ``picks`` adds what an array of integers says at ``i``.
    """

    __slots__ = ("offset", "picks", "root", "shape", "strides")

    def __init__(self, root: Var, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0,
                 picks: tuple[Pick, ...] = ()) -> None:
        self.root, self.shape, self.strides, self.offset, self.picks = root, shape, strides, offset, picks

    @property
    def whole(self) -> bool:
        """Whether it is all of its root, element by element."""
        return self.dense and self.offset == 0 and self.root.size == size_of(self.shape)

    @property
    def dense(self) -> bool:
        """Whether its elements lie side by side, in order."""
        return not self.picks and all(
            n == 1 or s == d for n, s, d in zip(self.shape, self.strides, contiguous(self.shape), strict=True))

    @property
    def indices(self) -> list[View]:
        """The arrays of integers that it reads."""
        return [p.index for p in self.picks if isinstance(p.index, View)]

    def to(self, shape: tuple[int, ...]) -> View:
        """Broadcast to a shape, as NumPy does."""
        pad = len(shape) - len(self.shape)
        strides = tuple(0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True))
        picks = tuple(Pick(p.index.to(shape) if isinstance(p.index, View) else p.index, p.stride, p.length)
                      for p in self.picks)
        return View(self.root, shape, (0,) * pad + strides, self.offset, picks)


class Loop:
    """``target[kept indices] = reduce over the others (formula(operands[all indices]))`` over a domain.

    Operands are views broadcast to the domain, constants, and numbers of the host. ``target`` has a stride of 0 along
    the axes that are reduced.
    """

    window = False  # whether it slides over images, and writes its own source: see numba_windows.py
    followed = False  # whether elementwise steps can follow in that

    def __init__(self, target: View, domain: tuple[int, ...], formula: Formula, operands: tuple,
                 reduction: str = "", axes: tuple[int, ...] = (), comment: str = "") -> None:
        self.target, self.domain, self.formula, self.operands = target, domain, formula, operands
        self.reduction, self.axes, self.comment = reduction, axes, comment
        self.final = False  # whether it overwrites an input

    @property
    def reads(self) -> list[View]:
        """What it reads of arrays; the indices among it are read as they are needed, never element by element."""
        views = [o for o in self.operands if isinstance(o, View)]
        return [*views, *(i for v in [*views, self.target] for i in v.indices)]

    @property
    def numbers(self) -> list[Var]:
        """The host's numbers that it reads."""
        views = [self.target, *(o for o in self.operands if isinstance(o, View))]
        return [*(o for o in self.operands if isinstance(o, Var)),
                *(p.index for v in views for p in v.picks if isinstance(p.index, Var))]

    @property
    def costly(self) -> bool:
        """Whether an element takes many instructions."""
        return re.search(r"\b(exp|expm1|log|log1p|tanh|math)\b", self.formula.text) is not None

    def reads_elements(self, root: Var) -> bool:
        """Whether it reads an array only at the element that it is at."""
        return not self.heads and all(
            v.whole and v in self.operands for v in self.reads if v.root is root)

    @property
    def product(self) -> bool:
        """Whether it is a product of matrices of floats: its domain is a batch, rows, columns, and the sum's index."""
        return (self.reduction == "sum" and len(self.domain) > 2 and self.axes == (len(self.domain) - 1,)
                and self.formula.text == "{0} * {1}" and self.formula.dtypes[-1].kind == "f"
                and self.operands[0].strides[-2] == self.operands[1].strides[-3] == 0)

    @property
    def heads(self) -> bool:
        """Whether it comes first in a nest, and others can at most follow it there."""
        return self.window or self.product


class Check:
    """Stop unless a number in memory is true; the values that tell why are kept until then."""

    def __init__(self, condition: View, values: list[View], error: Any, arguments: tuple = (),
                 effect: bool = True) -> None:
        self.condition, self.error, self.arguments = condition, error, arguments
        self.effect = effect  # whether it keeps its place among other effects
        self.reads = [condition.root, *(v.root for v in values)]


class Host:
    """An operation that stays a call from Python."""

    def __init__(self, op: Op) -> None:
        self.op = op


class Lowered:
    """What a program became: loops and calls in order, and where each array lies."""

    def __init__(self) -> None:
        self.steps: list[Loop | Check | Host] = []
        self.views: dict[Var, View] = {}
        self.viewed: dict[Var, Op] = {}  # the operation whose result is a view
        self.fresh: dict[Var, Var] = {}  # an array that the caller gets -> the variable that holds its memory

    def finish(self, program: Program) -> None:
        """Give fresh outputs memory of their own, then overwrite inputs: the last steps."""
        computed = {s.target.root for s in self.steps if isinstance(s, Loop)}
        for out in {o.var: o for o in program.outputs if o.fresh and o.var.shape and is_array(o.var)}.values():
            view = self.views[out.var]
            own = view.whole and view.shape == view.root.shape and view.root in computed
            if not own or view.root in self.fresh.values():
                view = Here(self, Op(np.copy, (), {}, (out.var,))).kept(view)
            self.fresh[out.var] = view.root
        written = [e for e in program.inputs if e.written not in (None, e.var) and is_array(e.var)]
        overwritten = {e.var for e in written}
        finals = []
        for entry in written:
            here = Here(self, Op(updated, (), {}, (entry.var,)))
            view = self.views[entry.written] if entry.written is not None and is_array(entry.written) else None
            if view is not None and view.root in overwritten:  # it may be overwritten before it is read
                view = here.kept(view)
            finals.append((here, view if view is not None else entry.written, entry.var))
        for here, source, var in finals:
            here.copy(source, root_view(var)).final = True


def root_view(var: Var) -> View:
    return View(var, var.shape, contiguous(var.shape))


def is_array(var: Var) -> bool:
    """Whether a variable is an array or a NumPy scalar that compiled code can hold."""
    return var.python is None and var.dtype in SUPPORTED


def is_known(var: Var) -> bool:
    return is_array(var) or var.python in (bool, int, float)


def size_of(shape: Sequence[int]) -> int:
    n = 1
    for k in shape:
        n *= k
    return n


class Here:
    """The operation that is being translated, and the few ways to say what it does."""

    def __init__(self, lowered: Lowered, op: Op) -> None:
        self.lowered, self.op = lowered, op

    def view(self, x: Var) -> View:
        return self.lowered.views[x]

    def operand(self, x: Any, shape: tuple[int, ...]) -> Any:
        """An argument, broadcast to a shape."""
        if isinstance(x, Var):
            return self.view(x).to(shape) if x.python is None else x
        return _constant(self.lowered, x).to(shape) if isinstance(x, np.ndarray) and x.ndim else _number(x)

    def loop(self, target: View, domain: tuple[int, ...], formula: Formula, operands: tuple, reduction: str = "",
             axes: tuple[int, ...] = ()) -> Loop:
        if axes:
            left = iter(target.strides)
            strides = tuple(0 if d in axes else next(left) for d in range(len(domain)))
            target = View(target.root, domain, strides, target.offset, target.picks)
        step = Loop(target, domain, formula, operands, reduction, axes, self.comment)
        self.lowered.steps.append(step)
        return step

    @property
    def comment(self) -> str:
        return name_of(self.op.function)

    def new(self, shape: tuple[int, ...], dtype: np.dtype) -> View:
        return root_view(Var(shape, dtype))

    def result(self, var: Var | None = None) -> View:
        var = var or self.op.out
        view = self.lowered.views[var] = root_view(var)
        return view

    def every(self, formula: Formula, operands: tuple, shape: tuple[int, ...]) -> View:
        """Whether a condition holds for all elements: one number in memory."""
        result = self.new((), np.dtype(bool))
        axes = tuple(range(len(shape)))
        self.loop(result, shape, formula, operands, "all" if axes else "", axes)
        return result

    def within(self, index: View | Var, length: int) -> None:
        """Stop unless integers are indices of an axis."""
        integer, truth = np.dtype(np.int64), np.dtype(bool)
        formula = Formula("({0} >= {1}) & ({0} < {2})", (integer, integer, integer, truth))
        shape = index.shape
        holds = self.every(formula, (index, -length, length), shape)
        self.lowered.steps.append(Check(holds, [], partial(_outside, length), effect=False))

    def see(self, view: View) -> bool:
        """The result is a view."""
        self.lowered.views[self.op.out] = view
        self.lowered.viewed[self.op.out] = self.op
        return True

    def copy(self, source: Any, target: View, dtype: np.dtype | None = None) -> Loop:
        """Write the numbers of ``source``, turned into the target's dtype, to a target."""
        dtype = dtype or target.root.dtype
        if isinstance(source, View):
            source = source.to(target.shape)
        return self.loop(target, target.shape, Formula("{0}", (dtype, dtype)), (source,))

    def kept(self, view: View) -> View:
        """A copy of a view."""
        copy = self.new(view.shape, view.root.dtype)
        self.copy(view, copy)
        return copy

    def dense(self, x: Var | np.ndarray) -> View:
        """An argument's view, or that of a copy in C order."""
        view = self.operand(x, x.shape)
        return view if view.dense else self.kept(view)


def _outside(length: int) -> IndexError:
    return IndexError(f"an index is out of bounds for an axis of size {length}")


def _number(x: Any) -> Any:
    return x[()] if isinstance(x, np.ndarray) else x


def _constant(lowered: Lowered, x: np.ndarray) -> View:
    """A constant array is one more variable, whose contents are known."""
    for var, view in lowered.views.items():
        if getattr(var, "value", None) is x:
            return view
    var = Constant(x)
    view = lowered.views[var] = root_view(var)
    return view


class Constant(Var):
    """A variable that is a constant array."""

    __slots__ = ("value",)

    def __init__(self, value: np.ndarray) -> None:
        super().__init__(value.shape, value.dtype)
        self.value = value


def is_good(*args: Any) -> bool:
    """Whether each argument is a number or an array that loops can read."""
    return all(is_known(a) if isinstance(a, Var) else
               a.dtype in SUPPORTED if isinstance(a, np.ndarray) else is_number(a) for a in args)
