"""The Numba backend: a program as compiled loops, with calls of NumPy between them where there is no loop for it."""

from __future__ import annotations

import importlib.metadata
import keyword
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..numerics import divide, power
from ..registry import name_of
from .program import Draw, Program, Var

__all__ = ["Compiled", "available", "compile_program"]

OLDEST = (0, 60)
SAFE = {operator.truediv: divide, operator.pow: power}  # inf or nan where Python raises an error
SYMBOLS = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.mod: "%", operator.floordiv: "//",
           operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==",
           operator.ne: "!="}


def available() -> str | None:
    """Why Numba cannot be used, or ``None``. Numba is not imported."""
    try:
        version = importlib.metadata.version("numba")
    except importlib.metadata.PackageNotFoundError:
        return "Numba is not installed"
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    return None if numbers >= OLDEST else f"Numba {version} is older than {'.'.join(map(str, OLDEST))}"


class Compiled:
    """A program that is ready to run, and its source."""

    def __init__(self, run: Callable[..., list], source: str) -> None:
        self.run, self.source = run, source


def compile_program(program: Program) -> Compiled:
    """Compile a program, or load it from the cache on disk."""
    from .numba_cache import load
    from .numba_kernels import Kernels
    from .numba_lower import lower
    from .numba_products import continues
    from .numba_schedule import schedule

    lowered = lower(program)
    order = schedule(lowered, [e.var for e in program.inputs], continues)
    kernels = Kernels(program, lowered, order)
    driver = _Driver(kernels)
    text = driver.text()
    functions = load(kernels.source, {k.name: _signature(k) for k in kernels.kernels}) if kernels.kernels else {}
    namespace = driver.namespace
    namespace.update(functions)
    source = f"{kernels.source}\n\n# The Python around it\n{text}" if kernels.kernels else text
    exec(compile(text, "<jit>", "exec"), namespace)
    return Compiled(namespace["run"], source)


def _signature(kernel: Any) -> Any:
    """The types of a kernel's arguments."""
    from numba.core import types
    from numba.np.numpy_support import from_dtype
    kinds = []
    for _, what in kernel.arguments:
        if isinstance(what, str):
            kinds.append(types.Array(from_dtype(np.dtype(what.split()[1])), 1, "C") if " " in what else types.int64)
        elif what.python:
            kinds.append({float: types.float64, int: types.int64, bool: types.boolean}[what.python])
        else:
            kinds.append(types.Array(from_dtype(what.dtype), max(1, what.ndim), "C"))
    return (types.int64 if kernel.checks else types.void)(*kinds)


class _Driver:
    """The Python function that calls NumPy and the kernels in order."""

    def __init__(self, kernels: Any) -> None:
        from .numba_memory import block
        from .numba_steps import Constant
        from .numba_threads import one_thread, together
        self.kernels, self.lowered, self.program = kernels, kernels.lowered, kernels.program
        self.namespace: dict[str, Any] = {"empty": np.empty, "asarray": np.asarray, "copy": np.array, "dense": _dense,
                                          "own": _own, "again": self.again, "contiguous": self.contiguous,
                                          "one_thread": one_thread, "together": together}
        self.blocks = {str(d): block(n, d) for d, n in kernels.sizes.items()}
        for d, memory in self.blocks.items():
            self.namespace[f"memory_{d}"] = memory
        for var, name in kernels.names.items():
            if isinstance(var, Constant):
                self.namespace[name] = np.array(var.value, order="C")  # that may be written: kernels take no others
        self.lines: list[str] = []
        self.calls = False
        self.here: dict[Var, str] = {}
        self.objects: dict[int, str] = {}
        self.arrays = [(k, e) for k, e in enumerate(self.program.inputs) if e.var in self.lowered.views]
        self.outer_kernel: set[Var] = {w for k in kernels.kernels for _, w in k.arguments if isinstance(w, Var)}

    def text(self) -> str:
        names = [self.kernels.names[e.var] for e in self.program.inputs]
        signature = ", ".join(names)
        effects = any(h.op.effect for h in self.kernels.order.prelude)
        simple = self.kernels.sequence[:1] == self.kernels.kernels and not effects  # one kernel, and nothing before it
        for entry, name in zip(self.program.inputs, names, strict=True):
            self.here[entry.var] = name
        for host in self.kernels.order.prelude:
            self.call(host)
        for var, root in self.lowered.fresh.items():
            self.line(f"{self.kernels.names[root]} = empty({var.shape!r}, {self.object(var.dtype, str(var.dtype))})")
            self.here[root] = self.kernels.names[root]
        for part in self.kernels.sequence:
            if part in self.kernels.kernels:
                self.kernel(part, signature if simple else None)
            else:
                self.call(part)
        for entry in self.program.inputs:
            if entry.written is not None and entry.written is not entry.var and entry.var not in self.lowered.views:
                self.line(f"{self.here[entry.var]}[...] = {self.value(entry.written)}")
        results = ", ".join(self.output(o) for o in self.program.outputs)
        self.line(f"return [{results}]")
        head = [*(f"# {name}: {e.source!r}, {e.var}" for name, e in zip(names, self.program.inputs, strict=True)),
                f"def run({signature}):"]
        if self.calls:  # the trace has warned
            self.lines = [f"    with {self.object(np.errstate, 'errstate')}(all='ignore'):",
                          *("    " + line for line in self.lines)]
        if not simple and self.outer_kernel and signature:
            head += [f"    if not contiguous(({signature},)):", f"        return again({signature})"]
        return "\n".join([*head, *self.lines]) + "\n"

    def line(self, text: str) -> None:
        self.lines.append("    " + text)

    def object(self, x: Any, name: str) -> str:
        """A name for an object that text cannot say."""
        name = "".join(c if c.isalnum() else "_" for c in name).strip("_")
        name = "function" if keyword.iskeyword(name) or not name.isidentifier() else name
        known = self.objects.get(id(x))
        if known:
            return known
        while name in self.namespace or name in self.kernels.names.values():
            name += "_"
        self.namespace[name] = x
        self.objects[id(x)] = name
        return name

    # Calls of NumPy

    def call(self, host: Any) -> None:
        op = host.op
        self.calls |= not all(v.python for v in op.outs) and not isinstance(op.function, Draw)
        if isinstance(op.function, Draw):
            head, *rest = op.args
            call = f"{self.value(head)}.{op.function.method}"
        else:
            function = self.kernels.recurrences.get(op)
            function = function or getattr(op.function, "compiled", op.function)  # what Levels has for this backend
            function = SAFE.get(function, function)
            named = op.function if op in self.kernels.recurrences else function
            rest, call = op.args, self.object(function, name_of(named).removeprefix("operator."))
        args = [self.value(a) for a in rest] + [f"{k}={self.value(v)}" for k, v in op.kwargs.items()]
        if op in self.kernels.recurrences:
            self.line(f"{call}([{', '.join(map(self.array, op.outs))}], {', '.join(args)})")
            return
        call = f"{call}({', '.join(args)})"
        if op.function in SYMBOLS and len(args) == 2:
            call = f"{args[0]} {SYMBOLS[op.function]} {args[1]}"
        outs = [self.kernels.names[v] for v in op.outs]
        given = f"[{', '.join(outs)}]" if op.several else ", ".join(outs)
        self.line(f"{given}{' = ' if outs else ''}{call}")
        for var, name in zip(op.outs, outs, strict=True):
            self.here[var] = name
            if var.shape and not isinstance(op.function, (Draw, np.ufunc)):
                self.line(f"{name} = own({name})")
            if var in self.outer_kernel and var.python is None:
                self.line(f"{name}_dense = dense({name}, {self.object(var.dtype, str(var.dtype))})")

    def value(self, x: Any) -> str:
        """The text of an argument."""
        if isinstance(x, Var):
            return self.array(x)
        if type(x) in (tuple, list):
            items = ", ".join(map(self.value, x))
            return f"[{items}]" if isinstance(x, list) else f"({items},)" if x else "()"
        if isinstance(x, slice):
            return f"slice({self.value(x.start)}, {self.value(x.stop)}, {self.value(x.step)})"
        if x is None or type(x) in (bool, int, str) or x is Ellipsis or (type(x) is float and x - x == 0):
            return "..." if x is Ellipsis else repr(x)
        return self.object(x, getattr(x, "__name__", type(x).__name__))

    def array(self, var: Var) -> str:
        """The name of a variable's array: what came in, what NumPy gave, or a view of memory made once."""
        if var in self.here:
            return self.here[var]
        view, op = self.lowered.views[var], self.lowered.viewed.get(var)
        root = view.root
        if op is not None and (root in self.here or hasattr(root, "value")):  # a view of such an array
            name = f"view{len(self.here)}"
            args = [self.value(a) for a in op.args] + [f"{k}={self.value(v)}" for k, v in op.kwargs.items()]
            self.line(f"{name} = {self.object(op.function, name_of(op.function))}({', '.join(args)})")
        elif hasattr(root, "value"):
            return self.kernels.names[root]
        else:
            name = f"view{len(self.here)}"
            memory = self.blocks[str(root.dtype)]
            start, step = self.kernels.offsets[root] + view.offset, root.dtype.itemsize
            self.namespace[name] = np.lib.stride_tricks.as_strided(
                memory[start:], view.shape, [s * step for s in view.strides])
            if not var.shape:
                return f"{name}[()]"
        self.here[var] = name
        return name

    # Calls of kernels

    def kernel(self, kernel: Any, again: str | None) -> None:
        from .numba_products import blas_address
        args = []
        for name, what in kernel.arguments:
            if what == "":
                continue  # which part it is
            if isinstance(what, str) and " " not in what:
                self.namespace[name] = blas_address(what)
            elif isinstance(what, Var) and what.python is None and what in self.here:
                if self.here[what] == name and what not in self.entries():
                    name = name if what in self.lowered.fresh.values() else f"{name}_dense"
                elif not what.shape:
                    name = f"dense({name}, {self.object(what.dtype, str(what.dtype))})"
            args.append(name)
        call = f"{kernel.name}({', '.join(args)})"
        if kernel.share and kernel.share.names:
            call = f"together({', '.join([kernel.name, str(kernel.share.count), str(kernel.share.parts), *args])})"
        if again is not None:
            self.line("try:")
        indent = "    " if again is not None else ""
        if kernel.blas and any(k.share and k.share.names for k in self.kernels.kernels):
            self.line(f"{indent}with one_thread:")
            indent += "    "
        self.line(f"{indent}{'status = ' if kernel.checks else ''}{call}")
        if again is not None:
            self.line("except TypeError:  # an array that is not in C order, or read-only")
            self.line(f"    return again({again})")
        for k, check in enumerate(kernel.checks, start=1):
            self.line(f"if status == {k}:")
            before, self.here = self.here, dict(self.here)
            mark = len(self.lines)
            text = ", ".join(map(self.value, check.arguments))
            self.lines[mark:] = ["    " + line for line in self.lines[mark:]]
            self.line(f"    raise {self.value(check.error)}({text})")
            self.here = before

    def entries(self) -> set[Var]:
        return {e.var for _, e in self.arrays}

    def contiguous(self, inputs: tuple) -> bool:
        """Whether kernels can take the arrays as they are."""
        return all(inputs[k].flags.carray for k, e in self.arrays if e.var.shape and e.var in self.outer_kernel)

    def again(self, *inputs: Any) -> list:
        """Run with copies of the arrays that kernels cannot take as they are."""
        copies = list(inputs)
        for k, entry in self.arrays:
            x = inputs[k]
            if entry.var.shape and entry.var in self.outer_kernel and not x.flags.carray:
                if entry.written is not None and entry.written is not entry.var and not x.flags.writeable:
                    raise ValueError("assignment destination is read-only")
                copies[k] = np.array(x, order="C")
        if all(a is b for a, b in zip(copies, inputs, strict=True)):
            raise TypeError(f"a compiled step was called with other arguments: {[type(x).__name__ for x in inputs]}")
        results = self.namespace["run"](*copies)
        for k, entry in self.arrays:
            if copies[k] is not inputs[k] and entry.written is not None and entry.written is not entry.var:
                inputs[k][...] = copies[k]
        return results

    # Results

    def output(self, output: Any) -> str:
        var = output.var
        if var in self.lowered.fresh:
            return self.kernels.names[self.lowered.fresh[var]]
        if var.python or var not in self.lowered.views:
            name = self.value(var)
            return name if var.python or not output.fresh else f"copy({name}){'' if var.shape else '[()]'}"
        view = self.lowered.views[var]
        if not var.shape and view.root in self.kernels.offsets:
            return f"memory_{var.dtype}[{self.kernels.offsets[view.root] + view.offset}]"
        name = self.value(var)
        return f"copy({name}){'' if var.shape else '[()]'}" if output.fresh or view.root in self.entries() else name


def _own(x: Any) -> Any:
    """An array with memory of its own: that which a view of another lies in may be used again."""
    return x.copy() if isinstance(x, np.ndarray) and x.base is not None else x


def _dense(x: Any, dtype: np.dtype) -> np.ndarray:
    """An array that kernels can take; a number is an array of one."""
    if isinstance(x, np.ndarray) and x.ndim and x.flags.carray and x.dtype == dtype:
        return x
    if isinstance(x, np.ndarray) and not x.ndim and x.dtype == dtype:
        return x.reshape(1)
    return np.require(np.atleast_1d(x), dtype, ["C", "A", "W", "O"] if not np.ndim(x) else ["C", "A", "W"])
