"""``Value``: a number or an array that remembers the NumPy call which made it."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

import numpy as np

from .calls import by_name, check_rule, floating, is_floating, positional, without_out
from .methods import ArrayMethods
from .numerics import as_data, divide, power, show
from .registry import NONDIFFERENTIABLE, RULES, name_of

__all__ = ["CALL", "UNRECORDED", "Value", "apply", "astype", "no_grad", "output", "outputs", "primitive", "recording",
           "unstack", "unwrap"]

F = TypeVar("F", bound=Callable)

_recording: ContextVar[bool] = ContextVar("recording", default=True)
_creation = itertools.count()  # creation order is a topological order of every graph
_NO_KWARGS: Mapping[str, Any] = {}
UNRECORDED: Mapping[str, Any] = {}  # the keywords of results that no_grad or detach cut off
_NUMBERS = frozenset([float, int, bool, complex, np.ndarray, np.float64, np.float32])
CALL = object()  # see Value.__slots__


class Value(ArrayMethods):
    """A node of a computation graph: a number or an array, and the operation that computed it.

    ``Value`` speaks NumPy's protocols, so any NumPy function of Values gives a Value, and ``backward`` applies the
    chain rule to the recorded calls. A Value is differentiable; a plain array or number is a constant.

    Attributes:
        data: the number (a Python float, or NumPy's scalar of another dtype; never a 0-d array) or the array.
        grad: the gradient that ``backward`` has accumulated, shaped like ``data``; ``None`` until one has.
        op: the NumPy function that made this node; ``None`` for a leaf.
        args, kwargs: what ``op`` was called with, Values and constants alike.
        parents: the Values among ``args``, in order, with repeats.
        name: a name to show in drawings.

    Args:
        data: a number, list or array, which is copied. Integers and booleans become float64; float32, float64 and
            complex stay what they are.
        name: optional.

    Raises ``TypeError`` for data that is not numeric, and for data that already is, or holds, a Value.

    >>> x, y = Value(1.0), Value(1.0)
    >>> cost = 3/2 * x**2 + 1/2 * y**2
    >>> cost.backward()
    >>> x.grad, y.grad
    (3.0, 1.0)
    """

    # An operator's two operands have slots of their own, because a tuple for each node would double what the
    # garbage collector walks; any other call keeps its arguments as a tuple in ``_first``, with CALL as ``_second``.
    __slots__ = ("__weakref__", "_first", "_order", "_second", "data", "grad", "kwargs", "name", "op")

    data: Any
    grad: Any
    op: Callable | None
    kwargs: Mapping[str, Any]
    name: str | None

    # Given by the modules that implement them: backward.py and functions.py.
    backward: ClassVar[Callable[..., None]]
    relu: ClassVar[Callable[[Value], Value]]

    def __init__(self, data: Any, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name: expected a string, got {name!r}")
        if isinstance(data, Value):
            raise TypeError("data is a Value already: use it as it is, or v.detach() for a new leaf")
        if _holds_value(data):
            raise TypeError("data is a list that holds Values: write np.stack([...]) or np.concatenate([...]) "
                            "to keep their gradients")
        self.data = as_data(data)
        self.name = name
        self.grad = self.op = None
        self._first, self._second, self.kwargs = (), CALL, _NO_KWARGS
        self._order = next(_creation)

    @property
    def args(self) -> tuple:
        return self._first if self._second is CALL else (self._first, self._second)

    @property
    def parents(self) -> tuple[Value, ...]:
        found: list[Value] = []
        for arg in self.args:
            if isinstance(arg, Value):
                found.append(arg)
            elif isinstance(arg, (list, tuple)):
                unwrap(arg, found)
        return tuple(found)

    # What it looks like

    @property
    def shape(self) -> tuple[int, ...]:
        return getattr(self.data, "shape", ())

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return getattr(self.data, "size", 1)

    @property
    def dtype(self) -> np.dtype:
        return getattr(self.data, "dtype", None) or np.dtype(type(self.data))

    def __repr__(self) -> str:
        start = f"{type(self).__name__}(data="
        name = "" if self.name is None else f", name={self.name!r}"
        return f"{start}{show(self.data, start)}, grad={show(self.grad, start)}{name})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a scalar Value")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        if not self.shape:
            raise TypeError("iteration over a scalar Value")
        return iter(unstack(self))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __bool__(self) -> bool:
        return bool(self.data)

    def item(self, *index: int) -> Any:
        """The element as a Python number, as ``ndarray.item``."""
        return self.data.item(*index) if hasattr(self.data, "item") else self.data

    def astype(self, dtype: Any) -> Any:
        """As another dtype; an integer or boolean one gives a plain array, which has no gradient."""
        if np.dtype(dtype).kind not in "fc":
            return (self.data if hasattr(self.data, "astype") else np.float64(self.data)).astype(dtype)
        return astype(self, dtype)

    def detach(self) -> Value:
        """A leaf with the same data (not copied): no gradient flows from it to what this was computed from."""
        return _leaf(self.data, UNRECORDED)

    def __reduce__(self) -> Any:
        if self.op is not None:
            raise TypeError("only a leaf Value can be copied or pickled: a graph would lose its gradients; "
                            "write v.detach() for the numbers alone")
        return _copied, (type(self), self.data, self.name, self.grad, getattr(self, "__dict__", {}))

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise TypeError(f"np.{ufunc.__name__}.{method} has no derivative rule; for a reduction write the "
                            "function itself, such as np.sum for np.add.reduce; or pass v.data for a constant")
        return apply(ufunc, inputs, kwargs)

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        return apply(function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError("a Value is not turned into an array silently, because its gradient would be lost: write "
                        "v.data for the numbers, or np.stack([...]) to make one Value of several")

    # Operators: those that compute are made below, by ``_binary``

    if TYPE_CHECKING:
        def __add__(self, other: Any) -> Value: ...
        def __radd__(self, other: Any) -> Value: ...
        def __sub__(self, other: Any) -> Value: ...
        def __rsub__(self, other: Any) -> Value: ...
        def __mul__(self, other: Any) -> Value: ...
        def __rmul__(self, other: Any) -> Value: ...
        def __truediv__(self, other: Any) -> Value: ...
        def __rtruediv__(self, other: Any) -> Value: ...
        def __pow__(self, other: Any) -> Value: ...
        def __rpow__(self, other: Any) -> Value: ...
        def __matmul__(self, other: Any) -> Value: ...
        def __rmatmul__(self, other: Any) -> Value: ...

    __hash__ = object.__hash__  # by identity: == compares numbers

    def __getitem__(self, index: Any) -> Value:
        if isinstance(index, Value) or (isinstance(index, tuple) and any(isinstance(i, Value) for i in index)):
            raise TypeError("an index must be integers, not a Value, which holds floats: write "
                            "v[i.data.astype(int)]")
        data: Any = self.data if hasattr(self.data, "dtype") else np.float64(self.data)
        return _result(data[index], operator.getitem, (self, index))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError("a Value is not changed in place, because recorded operations hold its numbers: write "
                        "np.where(mask, new, v) for a Value with some elements replaced, or v.data[i] = x on a leaf "
                        "before it is used")

    def __lt__(self, other: Any) -> Any:
        return self.data < _data(other)

    def __le__(self, other: Any) -> Any:
        return self.data <= _data(other)

    def __gt__(self, other: Any) -> Any:
        return self.data > _data(other)

    def __ge__(self, other: Any) -> Any:
        return self.data >= _data(other)

    def __eq__(self, other: Any) -> Any:
        return self.data == _data(other)

    def __ne__(self, other: Any) -> Any:
        return self.data != _data(other)

    def __neg__(self) -> Value:
        return _result(-self.data, np.negative, (self,))

    def __pos__(self) -> Value:
        return _result(+self.data, np.positive, (self,))

    def __abs__(self) -> Value:
        return _result(abs(self.data), np.absolute, (self,))


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


def apply(op: Callable, args: Sequence[Any], kwargs: Mapping[str, Any] = _NO_KWARGS,
          compute: Callable | None = None) -> Any:
    """Call ``op`` on the data of the Values among ``args`` and record the call: what NumPy's protocols lead to.

    ``compute`` is what to call in its place, where ``op`` would first look for Values.
    """
    if kwargs:
        if "out" in kwargs:
            kwargs = without_out(op, kwargs)
        for x in kwargs.values():
            if _holds_value(x):
                args, kwargs = positional(op, args, kwargs, _holds_value)
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
        raw = [unwrap(a, []) for a in args]
    if op in NONDIFFERENTIABLE:
        return op(*raw, **kwargs)
    if _recording.get():
        rule = RULES.get(op)
        if rule is not None and len(args) > rule.most:
            args, kwargs = by_name(op, args, kwargs, rule.most)
            raw = raw[: len(args)]
        check_rule(op, args, kwargs, _holds_value)
    data = (compute or op)(*raw, **kwargs)
    if type(data) is np.ndarray and data.ndim and data.dtype.kind == "f":
        return _result(data, op, tuple(args), CALL, kwargs)
    if compute is not None and not isinstance(data, (tuple, list)):
        data = floating(data, op)  # what a primitive returns is differentiable, also where it is whole
    elif type(data) is np.ndarray and not data.ndim:
        data = data[()]
    if type(data) is np.float64 and all(type(x) in (float, int) for x in raw):
        data = float(data)
    return _result(data, op, tuple(args), CALL, kwargs)


def _arrays(op: Callable, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments, with lists as the arrays they stand for: a list of Values becomes one Value."""
    rule = RULES.get(op)
    for a in args:
        if isinstance(a, dict) and _holds_value(a):
            raise TypeError(f"{name_of(op)}: a dict that holds Values came; pass them as arguments of their own")
    if rule is not None and rule.joins:
        items, *others = args
        return ([_stacked(x) for x in items] if isinstance(items, (list, tuple)) else items, *others)
    if rule is not None and rule.kind == "general" and hasattr(op, "is_primitive"):
        return args  # a user's function says itself what a list means
    stands_for_array = [rule is not None and not rule.variadic and rule.reaches(i) for i in range(len(args))]
    return [np.asarray(a) if array and isinstance(a, (list, tuple)) and not _holds_value(a) else _stacked(a)
            for a, array in zip(args, stands_for_array, strict=True)]


def _stacked(x: Any) -> Any:
    return np.stack([_stacked(item) for item in x]) if isinstance(x, (list, tuple)) and _holds_value(x) else x


def _result(data: Any, op: Callable, first: Any, second: Any = CALL, kwargs: Mapping[str, Any] = _NO_KWARGS) -> Any:
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
    node = _new(Value)
    node.data = data
    node.grad = node.name = None
    if _recording.get():
        node.op, node._first, node._second, node.kwargs = op, first, second, kwargs
    else:
        node.op, node._first, node._second, node.kwargs = None, (), CALL, UNRECORDED
    node._order = next(_creation)
    return node


_new = object.__new__


def _several(data: Any, op: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """One node holds all the results of ``op``; each result is a node of its own that picks one of them."""
    parts = tuple(x[()] if isinstance(x, np.ndarray) and not x.ndim else x for x in data)
    if not any(is_floating(x, op) for x in parts):
        return data
    if _recording.get():
        whole = _leaf(parts)
        whole.op, whole._first, whole.kwargs = op, args, kwargs
        results = outputs(whole)
    else:
        results = [_leaf(x, UNRECORDED) if is_floating(x, op) else x for x in parts]
    return type(data)(*results) if hasattr(data, "_fields") else type(data)(results)


def outputs(whole: Value) -> tuple:
    """The results that a node holds together: Values that pick one each, and bare integers."""
    return tuple(_result(x, output, whole, i) for i, x in enumerate(whole.data))


def output(results: Any, i: int) -> Any:
    """The operation of a node that is result ``i`` of a function with several."""
    return results[i]


def _leaf(data: Any, kwargs: Mapping[str, Any] = _NO_KWARGS) -> Value:
    """A Value around data that is already in its final form, without a copy."""
    node = _new(Value)
    node.data = data
    node.grad = node.name = node.op = None
    node._first, node._second, node.kwargs = (), CALL, kwargs
    node._order = next(_creation)
    return node


def _copied(kind: type, data: Any, name: str | None, grad: Any, attributes: dict[str, Any]) -> Value:
    node = _new(kind)
    Value.__init__(node, data, name)
    node.grad = grad
    for key, value in attributes.items():
        setattr(node, key, value)
    return node


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def unwrap(x: Any, parents: list[Value]) -> Any:
    """``x`` with the data of its Values, which are added to ``parents``."""
    if isinstance(x, Value):
        parents.append(x)
        return x.data
    if isinstance(x, (list, tuple)) and _holds_value(x):
        return [unwrap(item, parents) for item in x]
    return x


def _holds_value(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_holds_value, x))
    return isinstance(x, Value) or (isinstance(x, dict) and any(map(_holds_value, x.values())))


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
            if isinstance(a, Value):
                return apply(wrapper, args, kwargs, function)
        if any(map(_holds_value, args)) or any(map(_holds_value, kwargs.values())):
            return apply(wrapper, args, kwargs, function)
        return function(*args, **kwargs)

    wrapper.is_primitive = True  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


@primitive
def unstack(x: Any) -> tuple:
    """The rows of ``x``, as a tuple: what iterating over a Value gives."""
    return tuple(x)


@primitive
def astype(x: Any, dtype: Any) -> Any:
    """``x`` as another dtype of floats, as ``ndarray.astype``."""
    return (x if hasattr(x, "astype") else np.float64(x)).astype(dtype)


@contextmanager
def recording(on: bool) -> Iterator[bool]:
    """Record operations inside, or not; gives what held before, and restores it."""
    before = _recording.get()
    token = _recording.set(on)
    try:
        yield before
    finally:
        _recording.reset(token)


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
