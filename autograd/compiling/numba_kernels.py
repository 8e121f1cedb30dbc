"""A schedule as the source of functions for Numba: their arguments, their memory, and the loops in them."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .numba_loops import LETTERS, Source, nest_source, share_of
from .numba_memory import allocate
from .numba_products import Plan, needs_memory, plan, product_share, product_source
from .numba_recurrence import recurrence
from .numba_schedule import Nest, Schedule, sources
from .numba_sharing import Piece, shared
from .numba_steps import Check, Constant, Host, Loop, Lowered
from .numba_threads import PART, Share
from .numba_windows import Window
from .program import Op, Program, Var

__all__ = ["HEAD", "Kernel", "Kernels"]

HEAD = '''"""Generated from a trace: loops over numbers in memory, compiled by Numba."""

import math
from math import copysign

from numba import float32, float64, int8, int16, int32, int64, njit, uint8, uint16, uint32, uint64

from autograd.compiling.numba_blocks import gemm, inner, inner_plus, keep, outer_plus, take, tile, turn, window, zeros
from autograd.compiling.numba_math import (at, ceil, exp, expm1, flat, floor, fmax, fmin, greatest, least, log, log1p,
                                           maximum, minimum, plus, rint, sqrt, tanh, times, trunc, within)
'''

# What a name in generated code must not be
RESERVED = {*LETTERS, *"bcuv", *PART, *dir(builtins), *re.findall(r"\w+", HEAD),
            "again", "asarray", "own", "contiguous", "copy", "dense", "empty", "one_thread", "run", "status",
            "together"}


class Kernel:
    """One compiled function: a run of nests without a call of NumPy between them."""

    def __init__(self, name: str, nests: list[Nest], share: Share | None = None) -> None:
        self.name, self.nests, self.share = name, nests, share
        self.arguments: list[tuple[str, Var | str]] = []  # name, and the variable, or what else it is
        self.arrays: dict[Var, None] = {}
        self.parts: dict[str, tuple[Var, int]] = {}  # places inside of arrays
        self.numbers: dict[tuple[Var, str], str] = {}
        self.blas: set[str] = set()
        self.checks: list[Check] = []
        self.text = ""


class Kernels:
    """All of a program's compiled functions, and the memory that they share."""

    def __init__(self, program: Program, lowered: Lowered, order: Schedule) -> None:
        self.program, self.lowered, self.order = program, lowered, order
        self.constants: dict[str, str] = {}
        self.names: dict[Var, str] = {}
        self.plans: dict[int, Plan] = {}
        self.outer: set[Var] = {e.var for e in program.inputs}
        self.fresh = {root: var for var, root in lowered.fresh.items()}
        for number, entry in enumerate(program.inputs):
            self.name(entry.var, _readable(entry.source, number, set(self.names.values())))
        steps = [*order.prelude, *(n.steps[0] for n in order.nests)]
        self.recurrences: dict[Op, Any] = {}  # calls that write to memory of the program
        for k, step in enumerate(s for s in steps if isinstance(s, Host)):
            made = recurrence(step.op) if k >= len(order.prelude) else None
            if made is not None:
                self.recurrences[step.op] = made
            for j, out in enumerate(step.op.outs):
                self.name(out, f"h{k}" if len(step.op.outs) == 1 else f"h{k}_{j}")
                if made is None:
                    self.outer.add(out)
        self.memory()
        self.kernels: list[Kernel] = []
        self.sequence: list[Kernel | Host] = []  # what runs after the prelude
        # BLAS's threads stay awake for a while, on processors of ours: one of us has all the work in a program
        own = bool(self.recurrences) or any(isinstance(n.head, Window) for n in order.nests)
        shares = own or not any(how.kind == "blas" for how in self.plans.values())
        for nest in order.nests:
            if nest.host:
                step = nest.steps[0]
                assert isinstance(step, Host)
                self.sequence.append(step)
            else:
                first = nest.steps[0]  # a window is on its own, since smaller functions compile in less time
                share = first.share if isinstance(first, Window) else None
                if share is None and shares:
                    share = (product_share(nest.head, self.plans[id(nest)]) if nest.head
                             else share_of(nest, self.stored))
                last = self.sequence[-1] if self.sequence else None
                if share or not isinstance(last, Kernel) or last.share:
                    name = f"{'part' if share and share.names else 'window' if share else 'kernel'}_{len(self.kernels)}"
                    self.kernels.append(Kernel(name, [], share))
                    self.sequence.append(self.kernels[-1])
                self.kernels[-1].nests.append(nest)
        written = [[self.write(kernel, nest) for nest in kernel.nests] for kernel in self.kernels]
        self.functions, texts = shared([piece for pieces in written for piece in pieces])
        rest = iter(texts)
        for kernel, pieces in zip(self.kernels, written, strict=True):
            self.assemble(kernel, [line for _ in pieces for line in next(rest)])

    @property
    def source(self) -> str:
        head = HEAD + "".join(f"\n{name} = {text}" for text, name in self.constants.items())
        functions = [self.functions] if self.functions else []
        return "\n\n\n".join([head.rstrip("\n"), *functions, *(k.text for k in self.kernels)]) + "\n"

    def name(self, var: Var, name: str) -> None:
        self.names[var] = name

    def memory(self) -> None:
        """Which arrays need memory beyond the nest that computes them, and where it is."""
        lives: dict[Var, tuple[int, int]] = {}
        home: dict[Var, Nest] = {}
        self.stored: set[Var] = set()
        end = len(self.order.nests)
        kept = {self.lowered.views[o.var].root for o in self.program.outputs if o.var in self.lowered.views}
        kept |= set(self.lowered.fresh.values())
        kept |= {self.lowered.views[e.written].root for e in self.program.inputs if e.written in self.lowered.views
                 and e.var not in self.lowered.views}
        writers: dict[Var, list[int]] = {}
        for at, nest in enumerate(self.order.nests):
            for step in nest.loops:
                if not step.final:
                    writers.setdefault(step.target.root, []).append(at)
                    home[step.target.root] = nest
            first = nest.steps[0]
            for out in first.op.outs if isinstance(first, Host) and first.op in self.recurrences else ():
                writers[out], home[out] = [at], nest
                self.stored.add(out)
        for at, nest in enumerate(self.order.nests):
            for step in nest.steps:
                for var in sources(step, self.lowered):
                    if isinstance(var, Constant) and var not in self.names:
                        self.name(var, f"a{len(self.names)}")
                    if var in writers and (home[var] is not nest or len(writers[var]) > 1 or var in kept
                                           or self.through_memory(step, var)):
                        self.stored.add(var)
                    lives[var] = (lives.get(var, (at, at))[0], at)
        for var, places in writers.items():
            if var in kept:
                self.stored.add(var)
            last = end if var in kept else max([*places, lives.get(var, (0, 0))[1]])
            lives[var] = (min(places), last)
        for at, nest in enumerate(self.order.nests):
            loop, scratch = nest.head, []
            if isinstance(loop, Window):
                scratch = loop.memory(loop.target.root in self.stored)
            elif loop is not None:
                how = self.plans[id(nest)] = plan(loop)
                scratch = [how.scratch] if how.scratch is not None else []
                if needs_memory(loop):
                    self.stored.add(loop.target.root)
            for var in scratch:
                lives[var], writers[var] = (at, at), [at]
                self.stored.add(var)
            for step in nest.loops:
                if step.axes and not step.heads:
                    self.stored.add(step.target.root)
        for number, var in enumerate(writers):
            self.names.setdefault(var, f"out{number}" if var in self.fresh else f"t{number}")
        needed = {v: span for v, span in lives.items() if v in self.stored and v in writers and v not in self.fresh}
        self.offsets, self.sizes = allocate(needed)

    def through_memory(self, step: Any, var: Var) -> bool:
        """Whether a step reads in memory what its own nest computes."""
        return not (isinstance(step, Loop) and step.reads_elements(var))

    def write(self, kernel: Kernel, nest: Nest) -> Piece:
        """The lines of a nest; the kernel comes to know the arrays and numbers in it."""
        memory: set[str] = set()
        others: set[str] = set()
        numbers: set[str] = set()

        def array(var: Var, offset: int = 0) -> str:
            name = self.names[var]
            if var in self.stored or var in self.outer or isinstance(var, Constant):
                kernel.arrays[var] = None
                if offset:
                    name = f"{name}_{offset}"
                    kernel.parts[name] = (var, offset)
                memory.add(name)
            others.add(name)
            return name

        def number(var: Var, dtype: np.dtype) -> str:
            name = kernel.numbers.setdefault((var, str(dtype)), f"{self.names[var]}_{dtype}")
            numbers.add(name)
            return name

        out = Source(array, number, self.constants)
        first = nest.steps[0]
        if isinstance(first, Check):
            kernel.checks.append(first)
            with out.block(f"if {out.pointer(first.condition)}[0] == 0:"):
                out.line(f"return {len(kernel.checks)}")
        elif isinstance(nest.head, Window):
            nest.head.source(out, [s for s in nest.loops if s is not nest.head], self.stored)
        elif nest.head is not None:
            how = self.plans[id(nest)]
            if how.kind == "blas":
                kernel.blas.add("sgemm" if nest.head.formula.dtypes[-1].itemsize == 4 else "dgemm")
            product_source(out, nest, self.stored, how, kernel.share)
        else:
            nest_source(out, nest, self.stored, kernel.share)
        if kernel.share:
            numbers.update(kernel.share.names)
        return Piece(out.lines, memory, others, numbers)

    def assemble(self, kernel: Kernel, lines: list[str]) -> None:
        """The text of a kernel: its arguments, where arrays are, and its nests."""
        if kernel.checks:
            lines.append("    return 0")
        blocks = dict.fromkeys(str(v.dtype) for v in kernel.arrays if v in self.offsets)
        kernel.arguments = [(self.names[v], v) for v in kernel.arrays if v not in self.offsets]
        kernel.arguments += [(f"memory_{d}", f"memory {d}") for d in blocks]
        pointers = [name for name, _ in kernel.arguments]
        kernel.arguments += [(self.names[v], v) for v in dict.fromkeys(v for v, _ in kernel.numbers)]
        kernel.arguments += [(routine, routine) for routine in sorted(kernel.blas)]
        kernel.arguments += [(name, "") for name in (kernel.share.names if kernel.share else ())]
        head = [f"def {kernel.name}({', '.join(name for name, _ in kernel.arguments)}):"]
        head += [f"    {name} = flat({name})" for name in pointers]
        head += [f"    {self.names[v]} = at(memory_{v.dtype}, {self.offsets[v]})"
                 for v in kernel.arrays if v in self.offsets]
        head += [f"    {name} = at({self.names[v]}, {offset})" for name, (v, offset) in kernel.parts.items()]
        head += [f"    {name} = {f'{self.names[v]} != 0' if d == 'bool' else f'{d}({self.names[v]})'}"
                 for (v, d), name in kernel.numbers.items()]
        if all(line.lstrip().startswith("#") for line in lines):  # all arrays are empty
            lines = [*lines, "    pass"]
        kernel.text = "\n".join([*head, *lines])


def _readable(source: Any, number: int, taken: Sequence[str] | set[str]) -> str:
    """A name for an input: its own where that is one."""
    text = source if isinstance(source, str) else ""
    if not text.isidentifier() or keyword.iskeyword(text) or text in taken or text in RESERVED:
        return f"x{number}"
    generated = re.fullmatch(r"([achpqnstv]|out|sums|view|kernel_|part_|window_|nest_|memory_).*\d.*", text)
    return f"x{number}" if generated else text
