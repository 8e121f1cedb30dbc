"""The way into a program and out of it, as generated Python: whether a plan is for this call, its reads and writes."""

from __future__ import annotations

import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..registry import for_any_argument
from ..value import CALL, NO_KWARGS, UNRECORDED, Value, creation, new
from .capture import Captured, Leaf, share
from .program import Input, Var
from .state import Slot

__all__ = ["MISS", "glue"]

_FEW = 12
FAILED = "(AttributeError, IndexError, KeyError, TypeError, ValueError)"  # state that has another form
_LITERAL = (int, str, bytes)  # what is the same when it is equal
MISS: Any = object()  # the plan is for another call


def glue(captured: Captured, run: Callable[..., list]) -> tuple[Callable[[tuple, dict], Any], Callable, str]:
    """The function of ``args`` and ``kwargs`` that runs the plan, or gives ``MISS``; that which only asks; the text."""
    source, names = _Writer(captured, run).write()
    exec(compile(source, "<jit call>", "exec"), names)
    return names["call"], names["fits"], source


def jitted(*leaves: Any) -> Any:
    """The operation of a Value that a plan has computed, of the Values in reach that it depends on."""
    raise NotImplementedError


def _no_graph(*_: Any, **__: Any) -> Any:
    raise TypeError("a gradient was asked for of what a jitted function returned, which has no graph behind it: call "
                    "backward inside of that function, write jit(grad(f)), or call f.__wrapped__, which is not jitted")


for_any_argument(jitted, vjp=_no_graph, jvp=_no_graph)


def result_value(data: Any, grad: Any, leaves: tuple[Value, ...]) -> Value:
    """A Value that a plan has computed: without a graph, which a gradient through it would need."""
    node: Any = new(Value)
    node.data, node.grad = data, grad
    node.name = node._code = None
    node.op, node.kwargs = (jitted, NO_KWARGS) if leaves else (None, UNRECORDED)
    node._first, node._second = leaves, CALL
    node._order = next(creation)
    return node


class _Writer:
    def __init__(self, captured: Captured, run: Callable[..., list]) -> None:
        self.captured = captured
        self.names: dict[str, Any] = {"MISS": MISS, "run": run, "ndarray": np.ndarray, "value": result_value,
                                      "Generator": np.random.Generator, "is_not": operator.is_not,
                                      "unlike": unlike, "overlap": overlap, "forget": forget, "kept": []}
        self.by_id: dict[int, str] = {}
        self.lines: list[str] = []

    def bind(self, x: Any) -> str:
        """A name, or a literal, for an object."""
        if type(x) in (bool, type(None)):
            return repr(x)
        if id(x) not in self.by_id:
            name = f"{type(x).__name__.strip('_')}{len(self.names)}"
            self.names[name] = x
            self.by_id[id(x)] = name
        return self.by_id[id(x)]

    def write(self) -> tuple[str, dict[str, Any]]:
        captured, state = self.captured, self.captured.state
        self.miss(f"len(args) != {captured.positional} or kwargs.keys() != {self.bind(captured.named)}")
        for expression, x in captured.objects:
            self.miss(f"{expression} is not {self.bind(x)}")
        for expression, x in captured.conditions:
            self.miss(f"{expression} != {self.bind(x)}")
        used = {i.var for i in captured.program.inputs}
        for i in captured.trace.inputs.values():
            if i.var not in used and i.var not in captured.fakes and captured.kinds[i.var] is np.ndarray:
                self.read(i, "_")  # its shape counts all the same
        lifted = {i.source.identity for i in captured.trace.inputs.values() if isinstance(i.source, Slot)}
        self.constants(lifted)
        for first, second in state.aliases:
            self.miss(f"{first.source(self.bind)} is not {second.source(self.bind)}")
        for n, i in enumerate(captured.program.inputs):
            self.read(i, f"x{n}")
        self.shared()
        for source, number in captured.asked:
            text = source.source(self.bind)
            self.miss(f"{text} == {text}" if number != number else f"{text} != {self.bind(number)}")
        conditions = ["try:", *(f"    {line}" for line in self.lines), f"except {FAILED}: return MISS"]
        self.lines = [*conditions]
        outs = [f"o{n}" for n in range(len(captured.program.outputs))]
        given = ", ".join(f"x{n}" for n in range(len(captured.program.inputs)))
        run = f"{'[' + ', '.join(outs) + '] = ' if outs else ''}run({given})"
        leaves = [slot.holder for slot, tree in captured.writes
                  if isinstance(tree, Leaf) and not captured.program.outputs[tree.index].fresh]
        self.lines += ["try:", f"    {run}", "except BaseException:", f"    forget({self.bind(leaves)}, kept)",
                       "    raise"] if leaves else [run]
        for slot, tree in captured.writes:
            self.lines.append(f"{slot.source(self.bind)} = {self.tree(tree, slot)}")
        if leaves:
            self.lines.append(f"kept or kept.extend([{', '.join(outs)}])")
        self.lines.append(f"return {self.tree(captured.result)}")
        call = "def call(args, kwargs):\n    " + "\n    ".join(self.lines) + "\n"
        return call + "\ndef fits(args, kwargs):\n    " + "\n    ".join(conditions) + "\n", self.names

    def miss(self, condition: str) -> None:
        self.lines.append(f"if {condition}: return MISS")

    def read(self, i: Input, name: str) -> None:
        """An array or number as the program expects it, or the plan is for another call."""
        self.lines.append(f"{name} = {i.source.source(self.bind)}")
        other, usual = _other(i.var, name, self.bind, self.captured.kinds[i.var]), self.captured.usual.get(i.var)
        self.miss(other if usual is None else f"{name} is not {self.bind(usual)} and ({other})")
        if self.captured.kinds[i.var] is np.ndarray and not i.var.shape:
            self.lines.append(f"{name} = {name}[()]")

    def shared(self) -> None:
        """Arrays that are overwritten share no memory with others, as the trace saw; arrays that are new may."""
        usual = self.captured.usual
        inputs = {f"x{n}": i for n, i in enumerate(self.captured.program.inputs) if i.var.shape}
        written = {name: i.var for name, i in inputs.items() if i.written is not None}
        if not written or len(inputs) < 2:
            return
        owners = self.bind({id(owner(usual[var])) for var in written.values() if var in usual})
        new = [f"{name} is not {self.bind(usual[i.var])}" if i.var in usual else
               "True" if i.written is not None else
               f"id({name} if {name}.base is None else {name}.base) in {owners}" for name, i in inputs.items()]
        self.miss(f"({' or '.join(new)}) and overlap([{', '.join(inputs)}], [{', '.join(written)}])")

    def constants(self, lifted: set) -> None:
        """The state that the trace took to be the same at every call."""
        state = self.captured.state
        whole = set()
        for holder, before in state.containers:
            name, keys = self.bind(holder), list(before) if isinstance(before, dict) else [*range(len(before))]
            self.miss(f"len({name}) != {len(before)}" if keys else name)
            slots = [Slot(holder, key, "item") for key in keys]
            if len(keys) > _FEW and not any(s.identity in lifted for s in slots):  # all at once is quicker then
                whole.update(s.identity for s in slots)
                if isinstance(before, dict):
                    self.miss(f"[*{name}] != {self.bind(keys)}")
                    values, name = list(before.values()), f"{name}.values()"
                else:
                    values = before
                self.miss(f"any(map(is_not, {name}, {self.bind(values)})) and any(map(unlike, {name}, "
                          f"{self.bind(values)}))")
        for identity, (slot, x) in state.originals.items():
            free = isinstance(slot.holder, Value) and slot.key == "grad" and self.captured.fakes
            if identity in lifted or identity in whole or free or isinstance(x, types.ModuleType):
                continue
            text, usual = slot.source(self.bind), self.bind(x)
            literal = type(x) in _LITERAL and type(x) not in (bool, type(None))
            self.miss(f"{text} is not {usual}" + (f" and unlike({text}, {usual})" if literal else ""))

    def tree(self, x: Any, slot: Slot | None = None) -> str:
        """The expression of a result, or of what a slot gets."""
        if isinstance(x, Leaf):
            name = f"o{x.index}"
            before = self.captured.state.originals.get(slot.identity, (None, None))[1] if slot else None
            var = self.captured.program.outputs[x.index].var
            if type(before) is float and not var.shape and var.python is None:
                name = f"float({name})"  # a Python number stays one
            if not x.value:
                return name
            grad = "None" if x.grad is None else self.tree(x.grad)
            return f"value({name}, {grad}, {self.bind(self.captured.leaves_of(x))})"
        if type(x) is tuple:
            return f"({''.join(self.tree(item) + ', ' for item in x)})"
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return f"{self.bind(type(x))}({', '.join(map(self.tree, x))})"
        if type(x) is list:
            return f"[{', '.join(map(self.tree, x))}]"
        if type(x) is dict:
            return f"{{{', '.join(f'{self.bind(k)}: {self.tree(item)}' for k, item in x.items())}}}"
        return self.bind(x)


def _other(var: Var, name: str, bind: Callable[[Any], str], kind: type) -> str:
    """The condition that something is not what the program expects."""
    if var.dtype == object:
        return f"type({name}) is not Generator"
    if kind is not np.ndarray:
        return f"type({name}) is not {bind(kind)}"
    dtype = bind(var.dtype)
    return (f"type({name}) is not ndarray or {name}.shape != {var.shape} or "
            f"({name}.dtype is not {dtype} and {name}.dtype != {dtype})")


def forget(leaves: list[Value], kept: list) -> None:
    """Gradients in arrays of the plan, which a step that failed may have overwritten, are none."""
    for leaf in leaves:
        if any(leaf.grad is array for array in kept):
            leaf.grad = None


def owner(x: np.ndarray) -> Any:
    return x if x.base is None else x.base


def overlap(arrays: list[np.ndarray], written: list[np.ndarray]) -> bool:
    """Whether one that is written shares memory with another."""
    return any(a is not b and owner(a) is owner(b) and share(a, b) for b in written for a in arrays) or any(
        sum(a is b for a in arrays) > 1 for b in written)


def unlike(a: Any, b: Any) -> bool:
    """Whether ``a`` is another object than ``b``, and another number or text."""
    return a is not b and (type(a) is not type(b) or type(a) not in _LITERAL or a != b)
