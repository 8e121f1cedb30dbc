"""Recording: how a call of a NumPy function on Values becomes a node, by an operator or by NumPy's protocols."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import numpy as np

from .calls import as_one, by_name, check_rule, floating, is_floating, positional, without_out
from .lines import ours
from .numerics import divide, power
from .registry import NONDIFFERENTIABLE, RULES, load_rules, name_of
from .value import CALL, NO_KWARGS, UNRECORDED, Value, creation, holds_value, leaf, locate, new, unwrap

__all__ = ["apply", "astype", "no_grad", "output", "outputs", "plain_index", "primitive", "recording",
           "stacked", "unstack"]

F = TypeVar("F", bound=Callable)

_recording: ContextVar[bool] = ContextVar("recording", default=True)
_NUMBERS = frozenset([float, int, bool, complex, np.ndarray, np.float64, np.float32])


class recording:
    """Record operations inside, or not; gives what held before, and restores it."""

    __slots__ = ("on", "token")

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> bool:
        before = _recording.get()
        self.token = _recording.set(self.on)
        return before

    def __exit__(self, *error: object) -> None:
        _recording.reset(self.token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Inside, operations are not recorded: their results are leaves.

    >>> v = Value(2.0)
    >>> with no_grad():
    ...     w = 3 * v
    >>> w, w.parents
    (Value(data=6.0, grad=None), ())
    """
    with recording(False):
        yield


def apply(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any] = NO_KWARGS,
          compute: Callable | None = None) -> Any:
    """Call ``op`` on the data of the Values among ``args`` and record the call: what NumPy's protocols lead to.

    ``compute`` is what to call in its place, where ``op`` would first look for Values.
    """
    rule = RULES.get(op)
    if rule is None and op not in NONDIFFERENTIABLE:
        load_rules(op)
        rule = RULES.get(op)
    if rule is not None and rule.expands:  # recorded or not, because a function may refer to other Values
        formula: Any = rule.definition
        return formula(*args, **kwargs)
    if kwargs:
        if "out" in kwargs:
            kwargs = without_out(op, kwargs)
        for x in kwargs.values():
            if holds_value(x):
                args, kwargs = positional(op, args, kwargs, holds_value)
                break
    raw, lists = [], False
    for a in args:
        if isinstance(a, Value):
            raw.append(a.data)
        else:
            raw.append(a)
            lists = lists or isinstance(a, (list, tuple, dict))
    if lists:
        args = _arrays(op, args)
        raw = [a.data if isinstance(a, Value) else unwrap(a, []) for a in args]
    if op in NONDIFFERENTIABLE:
        return op(*raw, **kwargs)
    if _recording.get():
        if rule is not None and len(args) > rule.most:
            args, kwargs = by_name(op, args, kwargs, rule.most, holds_value)
            raw = raw[: len(args)]
        check_rule(op, args, kwargs, holds_value)
    try:
        data = (compute or op)(*raw, **kwargs)
    except Exception as error:
        if compute is None:
            raise
        data = as_one(compute, raw, kwargs, error)
    if type(data) is np.ndarray and data.ndim and data.dtype.kind == "f":
        return _result(data, op, tuple(args), CALL, kwargs)
    if compute is not None and not isinstance(data, (tuple, list)) and (rule is None or rule.definition is None):
        data = floating(data, op)  # what a primitive returns is differentiable, also where it is whole
    elif type(data) is np.ndarray and not data.ndim:
        data = data[()]
    if type(data) is np.float64 and all(type(x) in (float, int, bool) for x in raw):
        data = float(data)
    elif hasattr(data, "of_numbers"):  # a traced number, of Python numbers perhaps
        traced: Any = data
        data = traced.of_numbers(raw)
    return _result(data, op, tuple(args), CALL, kwargs)


def _arrays(op: Callable, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments, with lists as the arrays they stand for: a list of Values becomes one Value."""
    rule = RULES.get(op)
    if rule is not None and rule.kind in ("general", "linear") and not rule.joins and hasattr(op, "is_primitive"):
        return args  # such a function says itself what a container means
    for a in args:
        if isinstance(a, dict) and holds_value(a):
            raise TypeError(f"{name_of(op)}: a dict that holds Values came; pass them as arguments of their own")
    if rule is not None and rule.joins:
        if rule.definition is not None:
            return args  # whose lists may be nested, and mean something
        items, *others = args
        return ([stacked(x) for x in items] if isinstance(items, (list, tuple)) else items, *others)
    stands_for_array = [rule is not None and not rule.variadic and rule.definition is None and rule.reaches(i)
                        for i in range(len(args))]
    return [np.asarray(a) if array and isinstance(a, (list, tuple)) and not holds_value(a) else stacked(a)
            for a, array in zip(args, stands_for_array, strict=True)]


def stacked(x: Any) -> Any:
    """``x``, or one Value of a list that holds Values."""
    return np.stack([stacked(item) for item in x]) if isinstance(x, (list, tuple)) and holds_value(x) else x


def _result(data: Any, op: Callable, first: Any, second: Any = CALL, kwargs: Mapping[str, Any] = NO_KWARGS) -> Any:
    """The node for a result; a tuple of nodes for several; the bare result where it holds integers."""
    if type(data) is not float and not (type(data) is np.ndarray and data.ndim and data.dtype.kind == "f"):
        if type(data) is np.ndarray:
            if not data.ndim:
                data = data[()]
        elif isinstance(data, (tuple, list)):
            return _several(data, op, first, kwargs)
        elif type(data) is complex:
            data = np.complex128(data)
        if not is_floating(data, op):
            return data
    node = new(Value)
    node.data = data
    node.grad = node.name = None
    if _recording.get():
        node.op, node._first, node._second, node.kwargs = op, first, second, kwargs
    else:
        node.op, node._first, node._second, node.kwargs = None, (), CALL, UNRECORDED
    node._order = next(creation)
    frame: Any = sys._getframe(2)  # of whoever wrote the operator; for a scalar, which is quick, that may be in nn
    if ours.get(frame.f_code.co_filename, 2) > (type(data) is float):
        locate(node, frame)
    else:
        node._code, node._instruction = frame.f_code, frame.f_lasti
    return node


def _several(data: Any, op: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """One node holds all the results of ``op``; each result is a node of its own that picks one of them."""
    parts = tuple(x[()] if isinstance(x, np.ndarray) and not x.ndim else x for x in data)
    if not any(is_floating(x, op) for x in parts):
        return data
    if _recording.get():
        whole = leaf(parts)
        whole.op, whole._first, whole.kwargs = op, args, kwargs
        results = outputs(whole)
    else:
        results = [leaf(x, UNRECORDED) if is_floating(x, op) else x for x in parts]
    return type(data)(*results) if hasattr(data, "_fields") else type(data)(results)


def outputs(whole: Value) -> tuple:
    """The results that a node holds together: Values that pick one each, and bare integers."""
    return tuple(_result(x, output, whole, i) for i, x in enumerate(whole.data))


def output(results: Any, i: int) -> Any:
    """The operation of a node that is result ``i`` of a function with several."""
    return results[i]


def primitive(function: F) -> F:
    """Make a function of arrays one node of the graph, with rules of its own (see ``defvjp``).

    Inside, it sees plain arrays. Called without Values it is just the function.

    >>> from autograd import defvjp, primitive
    >>> @primitive
    ... def double(x):
    ...     return 2 * x
    >>> defvjp(double, lambda y, x: lambda g: 2 * g)
    >>> double(Value(3.0))
    Value(data=6.0, grad=None)
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if isinstance(a, Value) or (isinstance(a, (list, tuple, dict)) and holds_value(a)):
                return apply(wrapper, args, kwargs, function)
        if kwargs and any(map(holds_value, kwargs.values())):
            return apply(wrapper, args, kwargs, function)
        try:
            return function(*args, **kwargs)
        except Exception as error:
            return as_one(function, args, kwargs, error)

    wrapper.__dict__["is_primitive"] = True  # what defvjp asks for
    return cast(F, wrapper)


@primitive
def unstack(x: Any) -> tuple:
    """The rows of ``x``, as a tuple: what iterating over a Value gives."""
    return tuple(x)


@primitive
def astype(x: Any, dtype: Any) -> Any:
    """``x`` as another dtype of floats, as ``ndarray.astype``."""
    return (x if hasattr(x, "astype") else np.float64(x)).astype(dtype)


# What Value gets: the operators, of which Python computes and NumPy's function is recorded, and NumPy's protocols


def _is_operand(x: Any) -> bool:
    """Whether NumPy computes with ``x``; any other class may have an operator of its own."""
    return isinstance(x, (list, tuple, np.generic, int, float, complex)) or hasattr(x, "__array_function__")


def _binary(op: Callable, compute: Callable) -> tuple[Callable, Callable]:
    """The method for ``self ∘ other`` and its reflection: Python's operator computes, NumPy's function is recorded."""

    def method(self: Value, other: Any) -> Value:
        if isinstance(other, Value):
            return _result(compute(self.data, other.data), op, self, other)
        if type(other) in _NUMBERS:
            return _result(compute(self.data, other), op, self, other)
        return apply(op, (self, other)) if _is_operand(other) else NotImplemented

    def reflected(self: Value, other: Any) -> Value:
        if type(other) in _NUMBERS:
            return _result(compute(other, self.data), op, other, self)
        return apply(op, (other, self)) if _is_operand(other) else NotImplemented

    return method, reflected


def plain_index(index: Any) -> Any:
    if holds_value(index):
        raise TypeError("an index must be integers, not a Value, which holds floats: write "
                        "v[i.data.astype(int)]")
    return index


def _getitem(self: Value, index: Any) -> Value:
    index = plain_index(index)
    data: Any = self.data if hasattr(self.data, "dtype") else np.float64(self.data)
    return _result(data[index], operator.getitem, (self, index))


def _iter(self: Value) -> Iterator[Value]:
    if not self.shape:
        raise TypeError("iteration over a scalar Value")
    return iter(unstack(self))


def _astype(self: Value, dtype: Any) -> Any:
    """As another dtype; an integer or boolean one gives a plain array, which has no gradient."""
    if np.dtype(dtype).kind not in "fc":
        return (self.data if hasattr(self.data, "astype") else np.float64(self.data)).astype(dtype)
    return astype(self, dtype)


def _negative(self: Value) -> Value:
    return _result(-self.data, np.negative, (self,))


def _positive(self: Value) -> Value:
    return _result(+self.data, np.positive, (self,))


def _absolute(self: Value) -> Value:
    return _result(abs(self.data), np.absolute, (self,))


def _array_function(self: Value, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    return apply(function, args, kwargs)


for _name, _op, _compute in [
    ("add", np.add, operator.add),
    ("sub", np.subtract, operator.sub),
    ("mul", np.multiply, operator.mul),
    ("truediv", np.divide, divide),
    ("pow", np.power, power),
    ("matmul", np.matmul, operator.matmul),
]:
    for _slot, _method in zip((f"__{_name}__", f"__r{_name}__"), _binary(_op, _compute), strict=True):
        _method.__name__ = _slot
        setattr(Value, _slot, _method)

for _slot, _method in [
    ("__getitem__", _getitem),
    ("__iter__", _iter),
    ("__neg__", _negative),
    ("__pos__", _positive),
    ("__abs__", _absolute),
    ("__array_function__", _array_function),
]:
    _method.__name__ = _slot
    setattr(Value, _slot, _method)
Value.astype = _astype
