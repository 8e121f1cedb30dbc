"""The NumPy backend: a program as straight-line Python that computes into arrays it keeps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..lines import line_at
from ..numerics import divide, power
from .memory import Memory
from .program import Draw, Op, Program, Var, added_at, cast, check, constant, filled, updated

__all__ = ["Compiled", "compile_program"]

_SAFE = {operator.truediv: divide, operator.pow: power}  # inf or nan where Python raises
_SYMBOLS = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.mod: "%", operator.floordiv: "//",
            operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==",
            operator.ne: "!=", operator.and_: "&", operator.or_: "|", operator.xor: "^"}
_REDUCTIONS = {np.sum: np.add, np.prod: np.multiply, np.max: np.maximum, np.min: np.minimum, np.amax: np.maximum,
               np.amin: np.minimum}
_WITH_OUT = {np.mean, np.any, np.all, np.cumsum, np.cumprod, np.concatenate, np.stack, np.dot, np.einsum, np.clip,
             np.var, np.std, np.argmax, np.argmin, np.take, np.round, np.trace}
_FILLING = {"random", "standard_normal", "standard_exponential"}  # draws that can be made into an array


class Compiled:
    """A program that runs: ``run(*inputs)`` gives the list of its outputs; ``source`` is its text."""

    def __init__(self, run: Callable[..., list], source: str) -> None:
        self.run, self.source = run, source


def compile_program(program: Program) -> Compiled:
    source, names = _Writer(program).write()
    exec(compile(source, "<jit>", "exec"), names)
    return Compiled(names["run"], source)


class _Writer:
    """Writes the function ``run``; ``names`` are the functions, constants and arrays that it refers to."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[str, Any] = {}
        self.by_id: dict[int, str] = {}
        self.lines: list[str] = []
        self.name: dict[Var, str] = {}
        self.ops, self.delayed = _ordered(program)
        self.memory = Memory(program, [*self.ops, *self.delayed], {op.out for op in self.delayed})

    def write(self) -> tuple[str, dict[str, Any]]:
        inputs = []
        for n, i in enumerate(self.program.inputs):
            self.name[i.var] = f"x{n}"
            inputs.append(f"x{n}")
        place = None
        for op in self.ops:
            line = str(line_at(*op.line)) if op.line else place
            if line != place:
                place = line
                self.lines.append(f"# {line}")
            self.op(op)
        last = {op.out: op for op in self.delayed}
        for i in self.program.inputs:
            if i.written is not None and i.written not in last:
                self.lines.append(f"{self.use(np.copyto)}({self.name[i.var]}, {self.text(i.written)})")
        for op in self.delayed:
            target = next(i.var for i in self.program.inputs if i.written is op.out)
            self.name[op.out] = self.name[target]
            self.into(op, self.name[target])
        results = ", ".join(self.results())
        body = f"\n    with {self.use(np.errstate)}(all='ignore'):\n        "  # the trace has warned, as f does
        body += "\n        ".join([*self.lines, f"return [{results}]"])
        legend = "".join(f"# {self.name[i.var]}: {i.source!r}, {i.var}\n" for i in self.program.inputs)
        legend += "".join(f"# {name} = {x!r}\n" for name, x in self.names.items() if isinstance(x, np.generic))
        return f"{legend}def run({', '.join(inputs)}):{body}\n", self.names

    def results(self) -> Iterator[str]:
        """The outputs, each an array of its own."""
        given = {i.var for i in self.program.inputs}
        for o in self.program.outputs:
            yield f"{self.text(o.var)}.copy()" if o.var in given and o.var.shape else self.text(o.var)
            given.add(o.var)

    # Text

    def use(self, x: Any, prefix: str = "") -> str:
        """A name for an object."""
        if id(x) not in self.by_id:
            base = prefix or getattr(x, "__name__", type(x).__name__)
            if isinstance(getattr(x, "__self__", None), np.ufunc):
                base = f"{x.__self__.__name__}_{base}"
            base = base if base.isidentifier() else "f"
            name, n = base, 1
            while name in self.names or name in ("run", "lambda"):
                n += 1
                name = f"{base}{n}"
            self.names[name] = x
            self.by_id[id(x)] = name
        return self.by_id[id(x)]

    def text(self, x: Any) -> str:
        """An argument as it is written."""
        if isinstance(x, Var):
            return self.name[x]
        if type(x) is tuple:
            return f"({''.join(self.text(item) + ', ' for item in x)})"
        if type(x) is list:
            return f"[{', '.join(map(self.text, x))}]"
        if isinstance(x, slice):
            return f"{self.use(slice)}({self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)})"
        if type(x) in (int, bool, str, type(None), type(Ellipsis)) or (type(x) is float and np.isfinite(x)):
            return "..." if x is Ellipsis else repr(x)
        return self.use(x, "c" if isinstance(x, (np.ndarray, np.generic, float, complex)) else "")

    def call(self, function: Callable, *args: Any, **kwargs: Any) -> str:
        given = [*map(self.text, args), *(f"{k}={self.text(x)}" for k, x in kwargs.items())]
        return f"{self.use(function)}({', '.join(given)})"

    # Operations

    def op(self, op: Op) -> None:
        f, outs = op.function, op.outs
        if f is check:
            condition, error, *values = op.args
            self.lines.append(f"if not {self.call(np.all, condition)}: raise {self.call(error, *values)}")
            return
        for var in outs:
            self.name[var] = f"t{len(self.name)}"
        if isinstance(f, Draw):
            self.draw(op)
        elif f in _SAFE:
            self.assign(op, self.call(_SAFE[f], *op.args))
        elif f in _SYMBOLS and len(op.args) == 2:
            self.assign(op, f"{self.text(op.args[0])} {_SYMBOLS[f]} {self.text(op.args[1])}")
        elif f is operator.neg:
            self.assign(op, f"-{self.text(op.args[0])}")
        elif f is constant:
            self.assign(op, self.text(op.args[0]) + (".copy()" if op.out.shape else ""))
        elif f is filled:
            array = filled(*op.args)
            array.flags.writeable = False
            self.names[self.name[op.out]] = array
            if op.out in self.memory.fresh:
                self.assign(op, f"{self.name[op.out]}.copy()", known=True)
        elif f is operator.getitem:
            scalar = "[()]" if _may_have_no_axes(op, op.out) else ""
            self.assign(op, f"{self.text(op.args[0])}[{self.text(op.args[1])}]{scalar}")
        elif not op.out.shape or op.several or op.out.dtype == object:
            self.single(op)
        elif op.out in self.memory.views:
            self.view(op)
        elif self.has_out(op):
            self.into(op, self.target(op))
        else:
            self.assign(op, self.call(f, *op.args, **op.kwargs))

    def assign(self, op: Op, expression: str, known: bool = False) -> None:
        name = self.name[op.out]
        if known:
            name = self.name[op.out] = f"t{len(self.names)}_{name}"
        if op.out in self.memory.fresh and op.out in self.memory.views:
            expression = f"{expression}.copy()"  # a result of its own
        self.lines.append(f"{name} = {expression}")

    def single(self, op: Op) -> None:
        """One with a number, or several arrays, for results."""
        if op.function is cast and op.out.python is None:
            expression = f"{self.use(op.out.dtype.type)}({self.text(op.args[0])})"
        else:
            expression = self.call(_reduction(op) or op.function, *op.args, **_reduced(op))
        names = ", ".join(self.name[v] for v in op.outs)
        self.lines.append(f"[{names}] = {expression}" if op.several else f"{names} = {expression}")
        for v in op.outs:
            if _may_have_no_axes(op, v):
                self.lines.append(f"{self.name[v]} = {self.name[v]}[()]")
            elif v in self.memory.fresh and v in self.memory.views:
                self.lines.append(f"{self.name[v]} = {self.name[v]}.copy()")  # a result of its own

    def view(self, op: Op) -> None:
        f, (x, *rest) = op.function, op.args
        plain = isinstance(x, Var) and not op.kwargs
        if f is np.transpose and plain:
            axes = rest[0] if rest else None
            self.assign(op, f"{self.text(x)}.transpose({'' if axes is None else self.text(axes)})")
        elif f is np.reshape and plain and len(rest) == 1:
            self.assign(op, f"{self.text(x)}.reshape({self.text(rest[0])})")
        else:
            self.assign(op, self.call(f, *op.args, **op.kwargs))

    def draw(self, op: Op) -> None:
        generator, *args = op.args
        method = f"{self.text(generator)}.{op.function.method}"
        if op.function.method in _FILLING and op.out.shape:
            given = {**dict(zip(("size", "dtype", "method"), args, strict=False)), **op.kwargs, "size": None}
            named = "".join(f"{k}={self.text(x)}, " for k, x in given.items())
            self.lines.append(f"{method}({named}out={self.target(op)})")
        else:
            given = [*map(self.text, args), *(f"{k}={self.text(x)}" for k, x in op.kwargs.items())]
            self.assign(op, f"{method}({', '.join(given)})")

    def has_out(self, op: Op) -> bool:
        f = op.function
        if isinstance(f, np.ufunc):
            return f.nout == 1 and not op.kwargs
        if f is np.where:
            return len(op.args) == 3 and getattr(op.args[0], "dtype", np.dtype(object)).kind == "b"
        return f in _REDUCTIONS or (f in _WITH_OUT and "dtype" not in op.kwargs) or f in (cast, updated, added_at) or (
            _is_reduce(f))

    def target(self, op: Op) -> str:
        """The array that takes the result: kept from call to call, or new where the caller gets it."""
        out = op.out
        if out in self.memory.fresh:
            self.lines.append(f"{self.name[out]} = {self.use(np.empty)}({out.shape}, {self.use(out.dtype, 'dtype')})")
        else:
            self.names[self.name[out]] = self.memory.array(out)
        return self.name[out]

    def into(self, op: Op, target: str) -> None:
        """The result of an operation, computed into an array."""
        f, args, copyto = op.function, op.args, self.use(np.copyto)
        if isinstance(f, np.ufunc):
            out = "out=" if f in (np.maximum, np.minimum) else ""  # which NumPy wants there
            self.lines.append(f"{self.use(f)}({', '.join(map(self.text, args))}, {out}{target})")
        elif f is cast:
            self.lines.append(f"{copyto}({target}, {self.text(args[0])}, 'unsafe')")
        elif f is np.where:
            condition, a, b = map(self.text, args)
            self.lines += [f"{copyto}({target}, {b}, 'unsafe')", f"{copyto}({target}, {a}, 'unsafe', {condition})"]
        elif f in (updated, added_at):
            x, index, values, *ufunc = map(self.text, args)
            if x != target:
                self.lines.append(f"{copyto}({target}, {x})")
            self.lines.append(f"{self.use(args[3].at)}({target}, {index}, {values})" if ufunc else
                              f"{target}[{index}] = {values}")
        else:
            kwargs = {**_reduced(op), "out": None}
            text = self.call(_reduction(op) or f, *args, **kwargs)
            self.lines.append(text.removesuffix("None)") + f"{target})")


def _reduction(op: Op) -> Any:
    """``np.add.reduce`` for ``np.sum``, which comes to it after some checks, and so on."""
    ufunc: Any = _REDUCTIONS.get(op.function)
    simple = ufunc is not None and 1 <= len(op.args) <= 2 and op.kwargs.keys() <= {"axis", "keepdims"}
    x: Any = op.args[0] if simple else None
    return None if ufunc is None else ufunc.reduce if isinstance(x, Var) and x.shape else None


def _reduced(op: Op) -> dict[str, Any]:
    if _reduction(op) is None or len(op.args) == 2:
        return dict(op.kwargs)
    return {"axis": None, **op.kwargs}


def _is_reduce(f: Any) -> bool:
    return isinstance(getattr(f, "__self__", None), np.ufunc) and f.__name__ in ("reduce", "accumulate", "outer")


def _may_have_no_axes(op: Op, out: Var) -> bool:
    """Whether a number might come as an array without axes, which lies in the memory of another."""
    if out.shape or out.python is not None or out.dtype == object or op.function is cast:
        return False
    if op.function is operator.getitem:
        index = op.args[1]
        return index is Ellipsis or (type(index) is tuple and any(i is Ellipsis for i in index))
    return not isinstance(op.function, np.ufunc) and _reduction(op) is None


def _ordered(program: Program) -> tuple[list[Op], list[Op]]:
    """The operations, and apart those that can compute straight into what is overwritten, when all else is done."""
    written = {i.written: i.var for i in program.inputs if i.written is not None}
    uses: dict[Var, int] = {}
    for op in program.ops:
        for v in set(op.reads):
            uses[v] = uses.get(v, 0) + 1
    for v in program.results:
        uses[v] = uses.get(v, 0) + 1
    delayed = []
    for op in program.ops:
        if len(op.outs) == 1 and op.out in written and uses[op.out] == 1 and isinstance(op.function, np.ufunc) and (
                op.function.nout == 1 and op.function.signature is None and not op.kwargs) and op.out.shape and (
                op.out.shape == written[op.out].shape):
            others = set(written.values()) - {written[op.out]}
            if others.isdisjoint(op.reads):  # else it would read what another has overwritten
                delayed.append(op)
    chosen = set(map(id, delayed))
    return [op for op in program.ops if id(op) not in chosen], delayed
