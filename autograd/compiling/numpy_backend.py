"""The NumPy backend: a program as straight-line Python that computes into arrays it keeps."""

from __future__ import annotations

import contextvars
import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..lines import line_at
from ..numerics import divide, power
from .memory import Memory, lies_in
from .program import Draw, Input, Op, Output, Program, Var, added_at, cast, check, constant, filled, updated

__all__ = ["Compiled", "compile_program"]

_SAFE = {operator.truediv: divide, operator.pow: power}  # inf or nan where Python raises
_SYMBOLS = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.mod: "%", operator.floordiv: "//",
            operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==",
            operator.ne: "!=", operator.and_: "&", operator.or_: "|", operator.xor: "^"}
_REDUCTIONS = {np.sum: np.add, np.prod: np.multiply, np.max: np.maximum, np.min: np.minimum, np.amax: np.maximum,
               np.amin: np.minimum}
_WITH_OUT = {np.mean, np.any, np.all, np.cumsum, np.cumprod, np.concatenate, np.stack, np.dot, np.einsum, np.clip,
             np.var, np.std, np.argmax, np.argmin, np.take, np.round, np.trace}
_SCALAR = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}
_FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
_OF_ONE_DTYPE = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.power, np.less, np.less_equal,
                 np.greater, np.greater_equal, np.equal, np.not_equal, np.fmax, np.fmin, np.arctan2, np.hypot}
_VIEWING = {np.transpose, np.reshape, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to,
            operator.getitem}  # functions that may give a view, which is the same at every call
_FILLING = {"random", "standard_normal", "standard_exponential"}  # draws that can be made into an array


class Compiled:
    """A program that runs: ``run(*inputs)`` gives the list of its outputs; ``source`` is its text."""

    def __init__(self, run: Callable[..., list], source: str) -> None:
        self.run, self.source = run, source


def compile_program(program: Program) -> Compiled:
    source, names = _Writer(_apart(program)).write()
    exec(compile(source, "<jit>", "exec"), names)
    quiet = contextvars.Context()  # a tenth of the time of np.errstate, which would be entered at every call
    quiet.run(np.seterr, all="ignore")  # the trace has warned, as the function does
    return Compiled(functools.partial(quiet.run, names["run"]), source)


class _Writer:
    """Writes the function ``run``; ``names`` are the functions, constants and arrays that it refers to."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[str, Any] = {}
        self.by_id: dict[Any, str] = {}
        self.lines: list[str] = []
        self.name: dict[Var, str] = {}
        self.numbers: dict[Any, str] = {}  # the arrays without axes of numbers
        self.ops, self.delayed = _ordered(program)
        self.memory = Memory(program, [*self.ops, *self.delayed], {op.out for op in self.delayed})
        self.dense = {i.var for i in program.inputs}  # the arrays without gaps; arguments are taken for such
        for op in self.ops:
            if self.memory.views.isdisjoint(op.outs) or (
                    op.function in (np.transpose, np.reshape) and self.dense.issuperset(op.reads)):
                self.dense.update(op.outs)

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
        body = "\n    ".join(["", *self.lines, f"return [{results}]"])
        legend = "".join(f"# {self.name[i.var]}: {i.source!r}, {i.var}\n" for i in self.program.inputs)
        legend += "".join(f"# {name} = {x!r}\n" for name, x in self.names.items()
                          if isinstance(x, np.generic) or (isinstance(x, np.ndarray) and not x.ndim))
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
        key: Any = id(x)
        if isinstance(getattr(x, "__self__", None), np.ufunc):  # a method, of which each look gives another object
            prefix = key = f"{x.__self__.__name__}_{x.__name__}"
        if key not in self.by_id:
            base = prefix or getattr(x, "__name__", type(x).__name__)  # but x0, t1 are names of variables
            base = base if base.isidentifier() and not (base[0] in "xt" and base[1:].isdigit()) else "f"
            name, n = base, 1
            while name in self.names or name in ("run", "lambda"):
                n += 1
                name = f"{base}{n}"
            self.names[name] = x
            self.by_id[key] = name
        return self.by_id[key]

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
        elif self.fixed_view(op):
            pass
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
        elif op.function in _SCALAR and op.out.dtype in _FLOATS and not op.kwargs and all(
                a.dtype == op.out.dtype if isinstance(a, Var) and not a.python else not isinstance(a, np.ndarray)
                for a in op.args):  # NumPy's scalars have operators that are quicker than its functions
            expression = f" {_SCALAR[op.function]} ".join(map(self.text, op.args))
        else:
            expression = self.reduction(op, "None") or self.call(op.function, *op.args, **op.kwargs)
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

    def fixed_view(self, op: Op) -> bool:
        """Make a view of an array that is kept from call to call once, here; whether it is one."""
        out = op.out
        if op.function not in _VIEWING or op.several or not out.shape or out in self.memory.fresh:
            return False
        x: Any = op.args[0] if op.args else None
        array = self.names.get(self.name[x]) if isinstance(x, Var) and len(op.reads) == 1 else None
        if array is None:
            return False
        y = op.function(array, *op.args[1:], **op.kwargs)
        if not np.may_share_memory(y, array):  # a copy, of numbers that are not there yet
            return False
        self.names[self.name[out]] = y
        return True

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
        return f in _REDUCTIONS or (f in _WITH_OUT and "dtype" not in op.kwargs) or f in (
            cast, updated, added_at) or (f is np.copy and not op.kwargs) or _is_reduce(f)

    def target(self, op: Op) -> str:
        """The array that takes the result: kept from call to call, or new where the caller gets it."""
        out = op.out
        if out in self.memory.fresh:
            self.lines.append(f"{self.name[out]} = {self.use(np.empty)}({out.shape}, {self.use(out.dtype, 'dtype')})")
        else:
            array = self.memory.array(out)
            self.name[out] = self.by_id.setdefault(id(array), self.name[out])  # one name for one place
            self.names[self.name[out]] = array
        return self.name[out]

    def operands(self, op: Op) -> list[str]:
        """The arguments of a ufunc, with numbers as arrays without axes, for which NumPy takes half the time."""
        dtypes = {v.dtype for v in op.reads if not v.python}
        if op.function not in _OF_ONE_DTYPE or len(dtypes) != 1 or not dtypes <= _FLOATS:
            return [self.text(a) for a in op.args]
        return [self.number(a, *dtypes) for a in op.args]

    def number(self, x: Any, dtype: np.dtype) -> str:
        is_number = x.python in (int, float) if isinstance(x, Var) else type(x) in (int, float, dtype.type)
        if not is_number or (type(x) is int and abs(x) > 2**53):
            return self.text(x)
        key = x if isinstance(x, Var) else repr(x), dtype
        if key not in self.numbers:
            if isinstance(x, Var):
                name = self.numbers[key] = f"{self.name[x]}_{dtype}"
                self.lines.append(f"{name} = {self.use(np.array)}({self.name[x]}, {self.use(dtype.type)})")
            else:
                with np.errstate(all="ignore"):
                    name = self.numbers[key] = self.use(np.array(x, dtype), f"c{len(self.numbers)}")
        return self.numbers[key]

    def into(self, op: Op, target: str) -> None:
        """The result of an operation, computed into an array."""
        f, args, copyto = op.function, op.args, self.use(np.copyto)
        if f is np.matmul and all(map(self.is_matrix, args)) and args[0].dtype == args[1].dtype:
            a, b = map(self.text, args)
            self.lines.append(f"{a}.dot({b}, {target})")  # np.matmul takes twice as long to come to the same BLAS
        elif isinstance(f, np.ufunc):
            out = "out=" if f in (np.maximum, np.minimum) else ""  # which NumPy wants there
            self.lines.append(f"{self.use(f)}({', '.join(self.operands(op))}, {out}{target})")
        elif f is cast:
            self.lines.append(f"{copyto}({target}, {self.text(args[0])}, 'unsafe')")
        elif f is np.copy:
            self.lines.append(f"{copyto}({target}, {self.text(args[0])})")
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
            text = self.call(f, *args, **op.kwargs, out=None).removesuffix("None)")
            self.lines.append(self.reduction(op, target) or f"{text}{target})")

    def is_matrix(self, x: Any) -> bool:
        """Whether BLAS multiplies it as a matrix: one row or column, or one with gaps, it takes in other ways."""
        return isinstance(x, Var) and x.ndim == 2 and min(x.shape) > 1 and x.dtype in _FLOATS and x in self.dense

    def reduction(self, op: Op, target: str) -> str | None:
        """``np.sum`` and so on as ``np.add.reduce``, which they come to after some checks."""
        ufunc = _REDUCTIONS.get(op.function)
        x: Any = next(iter(op.args), None)
        simple = len(op.args) <= 2 and op.kwargs.keys() <= {"axis", "keepdims"} and isinstance(x, Var) and x.shape
        if ufunc is None or not simple:
            return None
        axis = op.args[1] if len(op.args) == 2 else op.kwargs.get("axis")
        text = f"{self.use(ufunc.reduce)}({self.text(x)}, {self.text(axis)}, None, {target}"
        return f"{text}, True)" if op.kwargs.get("keepdims") else f"{text})"


def _is_reduce(f: Any) -> bool:
    return isinstance(getattr(f, "__self__", None), np.ufunc) and f.__name__ in ("reduce", "accumulate", "outer")


def _may_have_no_axes(op: Op, out: Var) -> bool:
    """Whether a number might come as an array without axes, which lies in the memory of another."""
    if out.shape or out.python is not None or out.dtype == object or op.function is cast:
        return False
    if op.function is operator.getitem:
        index = op.args[1]
        return index is Ellipsis or (type(index) is tuple and any(i is Ellipsis for i in index))
    return not isinstance(op.function, np.ufunc) and op.function not in _REDUCTIONS


def _apart(program: Program) -> Program:
    """The program with copies of what is wanted of arrays as they were: they are overwritten before it returns."""
    overwritten = {i.var for i in program.inputs if i.written not in (None, i.var)}
    owners, copies = lies_in(program.ops), {}

    def kept(v: Any, own: Var | None = None) -> Any:
        if v is None or v is own or (owners.get(v, {v}) & overwritten) <= {own}:  # NumPy copies what overlaps itself
            return v
        if v not in copies:
            copies[v] = Op(np.copy, (v,), {}, (Var(v.shape, v.dtype),))
        return copies[v].out
    inputs = [Input(i.var, i.source, kept(i.written, i.var)) for i in program.inputs]
    outputs = [Output(kept(o.var), o.target, o.fresh) for o in program.outputs]
    return Program(inputs, [*program.ops, *copies.values()], outputs)


def _ordered(program: Program) -> tuple[list[Op], list[Op]]:
    """The operations, and apart those that can compute straight into what is overwritten, when all else is done."""
    written = {i.written: i.var for i in program.inputs if i.written is not None}
    owners = lies_in(program.ops)
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
            # else it would read what another has overwritten
            if all(others.isdisjoint(owners.get(v, (v,))) for v in op.reads):
                delayed.append(op)
    chosen = set(map(id, delayed))
    return [op for op in program.ops if id(op) not in chosen], delayed
