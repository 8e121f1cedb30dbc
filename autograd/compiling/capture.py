"""``capture``: run a function once on Tracers, and bring what it read, computed and changed into a program."""

from __future__ import annotations

import operator
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..value import Value
from .program import Output, Program, Var, constant
from .random import MAKE, Stream, TracedGenerator, no_generator
from .state import MISSING, Slot, State
from .trace import Trace, tracing
from .tracer import Tracer, TracingError

__all__ = ["Argument", "Captured", "Leaf", "capture", "one_at_a_time", "share"]


one_at_a_time = threading.RLock()


class Argument:
    """Where an argument's array or number is: an expression in ``args`` and ``kwargs``."""

    __slots__ = ("expression",)

    guardable = False

    def __init__(self, expression: str) -> None:
        self.expression = expression

    def source(self, bind: Callable[[Any], str]) -> str:
        return self.expression

    def __repr__(self) -> str:
        return self.expression


class Leaf:
    """A place in a result that a program's output fills, as an array or as the data of a Value."""

    __slots__ = ("grad", "index", "value")

    def __init__(self, index: int, value: bool = False, grad: Any = None) -> None:
        self.index, self.value, self.grad = index, value, grad


class Captured:
    """A program, and what ties it to the function's surroundings.

    ``conditions`` are the arguments' constants, as (expression, constant); ``asked`` are (source, number) of the
    numbers that decided what was called; ``writes`` say what slots hold afterwards, as trees with Leaf in the place of
    arrays, and ``result`` is what the function returns.
    """

    def __init__(self, trace: Trace, state: State, program: Program) -> None:
        self.trace, self.state, self.program = trace, state, program
        self.conditions: list[tuple[str, Any]] = []
        self.objects: list[tuple[str, Any]] = []
        self.asked: list[tuple[Any, Any]] = []
        self.writes: list[tuple[Slot, Any]] = []
        self.result: Any = None
        self.fakes: set[Var] = set()
        self.kinds: dict[Var, type] = {}  # of what each input was
        self.usual: dict[Var, np.ndarray] = {}  # the arrays of the state, which are most often the same
        self.variables: list[Var] = []  # those of the outputs, as the trace has them
        self.positional, self.named = 0, {}.keys()

    def leaves_of(self, leaf: Leaf) -> tuple[Value, ...]:
        """The Values in reach that a result depends on."""
        sources = [self.trace.inputs[v].source for v in self.trace.sources(self.variables[leaf.index])]
        return tuple({id(s.holder): s.holder for s in sources if isinstance(s, Slot) and isinstance(
            s.holder, Value) and s.key == "data"}.values())



def capture(f: Callable, args: tuple, kwargs: dict, moving: set, gradients: bool) -> Captured:
    """Run ``f`` on Tracers of its arguments and of the state that it reaches; everything is as before afterwards.

    ``moving`` are the slots of integers that calls change; it grows where more are found. Without ``gradients``, what
    ``.grad`` held before is taken to be unimportant, and the program shows whether it is.
    """
    while True:
        known = len(moving)
        with one_at_a_time:  # because another would see the Tracers of this one in what both reach
            captured = _Run(f, moving, gradients).run(args, kwargs)
        if len(moving) == known:
            return captured


class _Run:
    def __init__(self, f: Callable, moving: set, gradients: bool) -> None:
        self.f, self.moving, self.trace = f, moving, Trace()
        self.boxes: dict[Var, tuple[Tracer, Any]] = {}  # by the variable that it began as
        self.state = State(self.lift, moving, None if gradients else self.fake)
        self.captured = Captured(self.trace, self.state, Program([], [], []))
        self.indices: dict[Var, int] = {}
        self.arguments: list[tuple[Any, Any, str]] = []  # the lists and dicts among them, and what was in them

    # What stands for what is there

    def lift(self, x: Any, source: Any) -> Any:
        if x is MAKE:
            return no_generator
        if isinstance(x, np.random.Generator):
            generator = TracedGenerator(self.trace, x, source)
            self.captured.kinds[generator.var] = type(x)
            return generator
        tracer = self.trace.input(x, source)
        self.boxes[tracer.variable] = tracer, x
        self.captured.kinds[tracer.variable] = type(x)
        if isinstance(source, Slot) and isinstance(x, np.ndarray):
            self.captured.usual[tracer.variable] = x
        return tracer

    def fake(self, x: Any, slot: Slot) -> Any:
        """A gradient of zeros, to see whether what was in ``.grad`` matters."""
        data = slot.holder.data
        tracer = self.trace.input(np.zeros_like(data.value) if data.shape else data.value * 0, slot)
        self.captured.fakes.add(tracer.variable)
        return tracer

    def argument(self, x: Any, expression: str) -> Callable[[], Any]:
        """What gives the argument to call with: objects are walked when all lists, which they may hold, are read."""
        kind = getattr(getattr(x, "dtype", None), "kind", "O") if isinstance(x, (np.ndarray, np.generic)) else "O"
        if type(x) in (float, complex) or kind in "biufc" or isinstance(x, np.random.Generator):
            lifted = self.lift(x, Argument(expression))
            return lambda: lifted
        if type(x) is list or (isinstance(x, tuple) and (type(x) is tuple or hasattr(x, "_fields"))):
            self.captured.conditions.append((f"len({expression})", len(x)))
            self.captured.objects.append((f"type({expression})", type(x)))
            items = [self.argument(item, f"{expression}[{i}]") for i, item in enumerate(x)]
            if type(x) is list:
                return lambda: self.given([item() for item in items], expression)
            kind: Any = type(x)
            return lambda: tuple(item() for item in items) if kind is tuple else kind(*(item() for item in items))
        if type(x) is dict:
            self.captured.objects.append((f"type({expression})", dict))
            self.captured.conditions.append((f"list({expression})", list(x)))
            entries = {k: self.argument(item, f"{expression}[{k!r}]") for k, item in x.items()}
            return lambda: self.given({k: item() for k, item in entries.items()}, expression)
        if isinstance(x, (int, str, bytes, np.dtype, slice, range)) or x is None or x is Ellipsis:
            self.captured.objects.append((f"type({expression})", type(x)))
            self.captured.conditions.append((expression, x))
            return lambda: x
        self.captured.objects.append((expression, x))
        return lambda: self.state.walk(x, Slot(self, expression, "item", expression))

    def given(self, container: Any, expression: str) -> Any:
        """A list or dict of an argument, which the function must leave as it is, because it is a copy."""
        self.arguments.append((container, container.copy(), expression))
        return container

    # The run

    def run(self, args: tuple, kwargs: dict) -> Captured:
        token = tracing.set(self.trace)
        np.random.default_rng = no_generator
        self.captured.positional, self.captured.named = len(args), dict.fromkeys(kwargs).keys()
        streams = [Stream(random), Stream(np.random)]
        try:
            positional = [self.argument(x, f"args[{i}]") for i, x in enumerate(args)]
            named = {k: self.argument(x, f"kwargs[{k!r}]") for k, x in kwargs.items()}
            f = self.state.walk(self.f, Slot(self, "f", "item", getattr(self.f, "__name__", "f")))
            result = f(*(x() for x in positional), **{k: x() for k, x in named.items()})
            self.captured.result = self.tree(result, "what it returns")
            self.collect()
        finally:
            np.random.default_rng = MAKE
            tracing.reset(token)
            self.state.restore()
            self.trace.closed = True
            drew = [stream for stream in [*streams, *self.state.streams] if stream.rewound()]
        if drew:
            raise TracingError("random numbers from np.random.rand and its like, a RandomState, or Python's random, "
                               "which the next call would repeat", "Draw from a generator that is made outside: "
                               "rng = np.random.default_rng(0), rng.random(n).", 1)
        if self.state.entered:
            raise TracingError(f"a backward pass goes on through {self.state.entered!r}, a result of operations that "
                               "were recorded before", "Compute it inside of the jitted function, or cut it off: "
                               ".detach().", 1)
        program = self.captured.program
        program.ops = self.trace.ops
        program.inputs = list(self.trace.inputs.values())
        return self.captured

    def collect(self) -> None:
        """What has changed, as writes of the program."""
        for now, before, expression in self.arguments:
            if len(now) != len(before) or any(map(operator.is_not, _items(now), _items(before))):
                raise TracingError(f"{expression} is changed, a {type(now).__name__} that the caller passed",
                                   "Return what is new, and put it there outside.", 1)
        for var, (tracer, original) in self.boxes.items():
            if tracer.mutable and tracer.variable is not var:
                self._written(tracer, original)
                if var.shape:
                    self.trace.inputs[var].written = tracer.variable
                else:  # an array without axes: a number for the program
                    self.captured.writes.append((Slot(original, (), "item"), self.tree(tracer, "", state=True)))
        for slot, before, now in self.state.changes():
            if slot.how == "item" and now is slot.holder:
                raise TracingError(f"a {type(now).__name__} changes its length",
                                   "A replay would not repeat that: return the value, and "
                                   "append it outside of the jitted function.", 1)
            if now is MISSING:
                raise TracingError(f"{slot!r} is deleted", "A replay would not repeat that: do it outside.", 1)
            if type(now) is int and type(before) is int:
                self.moving.add(slot.identity)
                continue
            asked = isinstance(before, Tracer) and self.trace.asked.get(before.variable)
            if asked:
                what, line = asked
                raise TracingError(f"{what} of {slot!r}, a number which each call changes",
                                   "Use NumPy's functions or operators of it, as (1 - b**n) ** 0.5 for math.sqrt and "
                                   "np.where for if, or do it outside of the jitted function.", 1, line)
            fresh = not (self.captured.fakes and slot.key == "grad" and isinstance(slot.holder, Value))
            self.captured.writes.append((slot, self.tree(now, f"{slot!r}", fresh, state=True)))
        self.captured.asked = [(self.trace.inputs[var].source, self.boxes[var][1]) for var in self.trace.asked]

    def _written(self, tracer: Tracer, original: Any) -> None:
        if not original.flags.writeable:
            raise ValueError("assignment destination is read-only")
        for other, array in self.boxes.values():
            if other is not tracer and isinstance(array, np.ndarray) and share(array, original):
                raise TracingError("an array is changed in place that shares memory with another one that is used",
                                   "Pass or keep copies: a.copy().", 1)

    def tree(self, x: Any, what: str, fresh: bool = True, state: bool = False) -> Any:
        """``x`` with Leaf in the place of traced arrays and Values."""
        if isinstance(x, Value) and isinstance(x.data, Tracer):
            if any(x is leaf for leaf in self.state.leaves):
                return x
            grad = None if x.grad is None else self.tree(x.grad, what)
            return Leaf(self.output(x.data, what, True, state), True, grad)
        if isinstance(x, np.ndarray):  # made inside: each call gives one of its own
            x = self.trace.record(constant, (x,), {})
        if isinstance(x, Tracer):
            return Leaf(self.output(x, what, fresh, state))
        if type(x) is list or type(x) is tuple:
            return type(x)([self.tree(item, what, fresh, state) for item in x])
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*(self.tree(item, what, fresh, state) for item in x))
        if type(x) is dict:
            return {k: self.tree(item, what, fresh, state) for k, item in x.items()}
        return x

    def output(self, x: Tracer, what: str, fresh: bool, state: bool) -> int:
        var, outputs = x.variable, self.captured.program.outputs
        base: Any = x
        while base._view is not None:
            base = base._view[1][0]
        owner = next((v for v, (box, _) in self.boxes.items() if box is base), None)
        if not state and base.mutable and owner is not None:
            raise TracingError(f"{what} is {self.trace.inputs[owner].source!r} itself or a view of it, which a later "
                               "call may overwrite", "Write .copy() after it.", 1)
        if var not in self.indices or (fresh and not outputs[self.indices[var]].fresh):
            self.indices[var] = len(outputs)
            outputs.append(Output(var, what, fresh))
            self.captured.variables.append(var)
        return self.indices[var]


def _items(x: Any) -> Any:
    return [*x, *x.values()] if isinstance(x, dict) else x


def share(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have an element in common."""
    try:
        work: Any = 10_000
        return np.shares_memory(a, b, max_work=work)
    except np.exceptions.TooHardError:
        return True
