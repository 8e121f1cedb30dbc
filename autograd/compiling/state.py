"""``State``: all that a function reaches besides its arguments, found by walking what it refers to, and put back."""

from __future__ import annotations

import functools
import io
import operator
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NoReturn

import numpy as np

from ..graph import reverse_topological
from ..value import Value
from .random import MAKE, Stream
from .tracer import TracingError

__all__ = ["KNOWN", "MISSING", "Slot", "State"]

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "nothing"})()
# Packages whose functions refer to nothing that a user changes, and whose objects have no arrays of a user.
KNOWN = {*sys.stdlib_module_names, "autograd", "numpy", "scipy", "numba", "graphviz", "matplotlib", "rich", "pytest",
          "_pytest", "pluggy", "hypothesis", "threadpoolctl"} - {"__main__"}
_PACKAGES = {*KNOWN, "nn"}
_CONSTANTS = (bool, str, bytes, type(None), np.dtype)


class Slot:
    """A place that holds something: an attribute, an item of a dict or list, a variable of an enclosing function."""

    __slots__ = ("holder", "how", "key", "path")

    guardable = True  # where Python asks for a number of the state, the plan may hold for this number alone

    def __init__(self, holder: Any, key: Any, how: str, path: str = "") -> None:
        self.holder, self.key, self.how = holder, key, how
        self.path = path  # how a user would write it

    @property
    def identity(self) -> tuple:
        return id(self.holder), self.key, self.how

    def get(self) -> Any:
        if self.how == "attribute":
            return getattr(self.holder, self.key, MISSING)
        if self.how == "cell":
            try:
                return self.holder.cell_contents
            except ValueError:
                return MISSING
        try:
            return self.holder[self.key]
        except (KeyError, IndexError):
            return MISSING

    def set(self, x: Any) -> None:
        if self.how == "item":
            if x is MISSING:
                self.holder.pop(self.key, None)
            else:
                self.holder[self.key] = x
        elif self.how == "attribute":
            of: Any = type if isinstance(self.holder, type) else object  # also where the class is frozen
            if x is MISSING:
                of.__delattr__(self.holder, self.key)
            else:
                of.__setattr__(self.holder, self.key, x)
        elif x is MISSING:
            del self.holder.cell_contents
        else:
            self.holder.cell_contents = x

    def source(self, bind: Callable[[Any], str]) -> str:
        """The expression that reads it; ``bind`` gives a name for an object."""
        holder = bind(self.holder)
        if self.how == "attribute":
            return f"{holder}.{self.key}"
        key = repr(self.key) if type(self.key) in (int, str) else bind(self.key)
        return f"{holder}.cell_contents" if self.how == "cell" else f"{holder}[{key}]"

    def __repr__(self) -> str:
        return self.path or str(self.key)


class State:
    """The slots that a function reaches. ``lift`` is asked for each array, float, moving integer and generator.

    ``originals`` holds for each slot what it held. ``shapes`` are dicts and lists with their lengths: one that gains an
    entry is another state. While the trace runs, the slots hold what ``lift`` gave; ``restore`` puts everything back.
    """

    def __init__(self, lift: Callable[[Any, Slot], Any], moving: set,
                 gradients: Callable[[Any, Slot], Any] | None) -> None:
        self.lift, self.moving, self.gradients = lift, moving, gradients
        self.originals: dict[tuple, tuple[Slot, Any]] = {}
        self.replaced: dict[tuple, Any] = {}
        self.integers: list[tuple[Slot, int]] = []  # which are constants
        self.containers: list[tuple[Any, Any]] = []
        self.streams: list[Stream] = []
        self.leaves: list[Value] = []
        self.upstream: list[tuple[Value, Any, Slot]] = []  # what recorded results came from, with gradients
        self.entered: Slot | None = None  # such a result, into whose graph a backward pass went
        self.aliases: list[tuple[Slot, Slot]] = []  # places that hold the same array
        self._seen: dict[int, tuple[Any, Slot]] = {}
        self._keep: list[Any] = []  # what is seen must not be freed, since ids would be used again

    # Walking

    def visit(self, slot: Slot, lift: Callable[[Any, Slot], Any] | None = None) -> None:
        """Walk what a slot holds, and put what stands for it in its place."""
        x = slot.get()
        if x is MISSING or slot.identity in self.originals:
            return
        self.originals[slot.identity] = slot, x
        new = lift(x, slot) if lift else self.walk(x, slot)
        self.replaced[slot.identity] = new
        if new is not x:
            slot.set(new)

    def walk(self, x: Any, slot: Slot) -> Any:
        """What to put in the place of ``x``: itself, changed inside, or what stands for it."""
        if isinstance(x, _CONSTANTS):
            return x
        if isinstance(x, np.generic) or type(x) in (int, float, complex):
            lifted = not isinstance(x, np.generic) or x.dtype.kind in "biufc"
            if type(x) is int and slot.identity not in self.moving:
                self.integers.append((slot, x))
                return x
            return self.lift(x, slot) if lifted else x
        if id(x) in self._seen:
            new, first = self._seen[id(x)]
            if new is not x:
                self.aliases.append((first, slot))
            return new
        self._keep.append(x)
        self._seen[id(x)] = x, slot
        new = self._inside(x, slot)
        self._seen[id(x)] = new, slot
        return new

    def _inside(self, x: Any, slot: Slot) -> Any:
        if isinstance(x, np.ndarray):
            return self.lift(x, slot) if x.dtype.kind in "biufc" else x
        if isinstance(x, np.random.Generator) or x is MAKE:
            return self.lift(x, slot)
        if isinstance(x, (random.Random, np.random.RandomState)):
            self.streams.append(Stream(x))
        elif isinstance(x, Value):
            if x.op is not None:
                self.upstream += [(node, node.grad, slot) for node in reverse_topological(*x.parents)]
            self.leaves.append(x)
            self.visit(Slot(x, "data", "attribute", f"{slot}.data"))
            self.visit(Slot(x, "grad", "attribute", f"{slot}.grad"), self.gradients)
        elif isinstance(x, dict):
            self._contents(x, [(key, f"{slot}[{key!r}]") for key in x])
        elif isinstance(x, list):
            self._contents(x, [(i, f"{slot}[{i}]") for i in range(len(x))])
        elif isinstance(x, (set, frozenset, deque)):
            self.containers.append((x, list(x)))
            if any([self.walk(item, slot) is not item for item in x]):
                raise TracingError(f"{slot} is a {type(x).__name__} that holds arrays or numbers",
                                   "Keep them in a list.")
        elif isinstance(x, Iterator) and _is_known(type(x)) and not isinstance(x, io.IOBase):
            return _Stopped(slot)
        elif isinstance(x, tuple):
            items = [self.walk(item, Slot(x, i, "item", f"{slot}[{i}]")) for i, item in enumerate(x)]
            if any(a is not b for a, b in zip(items, x, strict=True)):
                return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
        elif isinstance(x, types.FunctionType):
            self._function(x)
        elif isinstance(x, (types.MethodType, types.BuiltinMethodType)):
            self.walk(getattr(x, "__func__", None), slot)
            owner = self.walk(x.__self__, Slot(x, "__self__", "attribute"))
            if owner is not x.__self__:  # a generator, or an array
                return getattr(owner, x.__name__)
        elif isinstance(x, functools.partial):
            parts = [self.walk(part, Slot(x, k, "attribute", str(slot))) for k, part in
                     (("func", x.func), ("args", x.args), ("keywords", x.keywords))]
            if parts[0] is not x.func or parts[1] is not x.args:
                return functools.partial(parts[0], *parts[1], **parts[2])
        elif isinstance(x, type):
            if not _is_known(x, "nn"):
                self._class(x)
        elif hasattr(x, "__wrapped_function__"):  # a jitted function, which runs as it is inside of another
            self.walk(vars(x)["__wrapped_function__"], Slot(x, "__wrapped_function__", "attribute", str(slot)))
        elif not isinstance(x, types.ModuleType) and not _is_known(type(x)):
            self._object(x, slot)
        return x

    def _contents(self, holder: Any, entries: list[tuple[Any, str]]) -> None:
        self.containers.append((holder, dict(holder) if isinstance(holder, dict) else list(holder)))
        for key, path in entries:
            self.visit(Slot(holder, key, "item", path))

    def _object(self, x: Any, slot: Slot) -> None:
        attributes = getattr(x, "__dict__", None)
        if isinstance(attributes, dict):
            self._contents(attributes, [(key, f"{slot}.{key}") for key in attributes])
        for cls in type(x).__mro__:
            if not _is_known(cls):
                slots = vars(cls).get("__slots__", ())
                for name in [slots] if isinstance(slots, str) else slots:
                    if name.startswith("__") and not name.endswith("__"):
                        name = f"_{cls.__name__.lstrip('_')}{name}"
                    if name not in ("__dict__", "__weakref__"):
                        self.visit(Slot(x, name, "attribute", f"{slot}.{name}"))
        self.walk(type(x), Slot(x, "__class__", "attribute", type(x).__name__))

    def _class(self, cls: type) -> None:
        for base in cls.__mro__:
            if _is_known(base) or issubclass(base, Enum):
                continue
            for name, x in list(vars(base).items()):
                for function in (x, getattr(x, "__func__", None), getattr(x, "fget", None)):
                    if isinstance(function, types.FunctionType):
                        self.walk(function, Slot(base, name, "attribute"))
                if not name.startswith("__") and not callable(x) and not hasattr(x, "__get__"):
                    self.visit(Slot(base, name, "attribute", f"{base.__name__}.{name}"))

    def _function(self, f: types.FunctionType) -> None:
        names = list(dict.fromkeys(_names(f.__code__)))
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            slot = Slot(cell, "cell_contents", "cell", name)
            self.visit(slot)
            self._module(slot.get(), names, name, [])
        if f.__defaults__:
            self.visit(Slot(f, "__defaults__", "attribute"))
        if f.__kwdefaults__:
            self.visit(Slot(f, "__kwdefaults__", "attribute"))
        if hasattr(f, "__wrapped__") and isinstance(f.__wrapped__, types.FunctionType):
            self.walk(f.__wrapped__, Slot(f, "__wrapped__", "attribute"))
        if (f.__module__ or "").partition(".")[0] in _PACKAGES:
            return
        self._named(f.__globals__, names, "", [])

    def _named(self, namespace: dict[str, Any], names: list[str], path: str, inside: list[Any]) -> None:
        """What the names stand for in a module."""
        for name in names:
            if name in namespace:
                self.visit(Slot(namespace, name, "item", path + name))
                self._module(namespace[name], names, path + name, inside)

    def _module(self, x: Any, names: list[str], path: str, inside: list[Any]) -> None:
        if isinstance(x, types.ModuleType) and x not in inside and x.__name__.partition(".")[0] not in _PACKAGES:
            self._named(vars(x), names, f"{path}.", [*inside, x])

    # Afterwards

    def changes(self) -> Iterator[tuple[Slot, Any, Any]]:
        """Every slot that holds something else than before the run: the slot, what stood in it, what it holds now."""
        for holder, before in self.containers:
            if isinstance(holder, dict):
                for key in [key for key in holder if key not in before]:
                    yield Slot(holder, key, "item"), MISSING, holder[key]
            elif len(holder) != len(before) or (
                    not isinstance(holder, list) and any(map(operator.is_not, holder, before))):
                yield Slot(holder, len(before), "item"), MISSING, holder
        for identity, (slot, _) in self.originals.items():
            now = slot.get()
            if now is not self.replaced.get(identity):
                yield slot, self.replaced.get(identity), now

    def restore(self) -> None:
        for node, grad, slot in self.upstream:
            if node.grad is not grad and (id(node), "grad", "attribute") not in self.originals:
                node.grad, self.entered = grad, slot
        for holder, before in self.containers:
            if isinstance(holder, dict):
                for key in [key for key in holder if key not in before]:
                    del holder[key]
            elif isinstance(holder, list):
                holder[:] = before
            elif not isinstance(holder, frozenset):
                holder.clear()
                holder.extend(before) if isinstance(holder, deque) else holder.update(before)
        for slot, x in self.originals.values():
            if slot.get() is not x:
                slot.set(x)


class _Stopped:
    """What stands for an iterator: a replay would not move it on."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot

    def __iter__(self) -> _Stopped:
        return self

    def __next__(self) -> NoReturn:
        raise TracingError(f"next() of the iterator {self.slot}, of which each call would see the same item",
                           "Take the item outside, and pass it as an argument.", 2)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _is_known(cls: type, *others: str) -> bool:
    return cls.__module__.partition(".")[0] in {*KNOWN, *others} and not issubclass(cls, types.SimpleNamespace)
