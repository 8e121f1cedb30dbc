"""``Value``: a number or an array that remembers the NumPy call which made it."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from .lines import ours, users_frame
from .methods import ArrayMethods
from .numerics import as_data, show
from .registry import REFUSED
from .trees import tree_map

__all__ = ["CALL", "NO_KWARGS", "UNRECORDED", "Value", "creation", "holds_value", "leaf", "locate", "new", "unwrap"]

new = object.__new__
creation = itertools.count()  # creation order is a topological order of every graph
NO_KWARGS: Mapping[str, Any] = {}
UNRECORDED: Mapping[str, Any] = {}  # the keywords of results that no_grad or detach cut off
CALL: Any = object()  # see Value.__slots__
_UPDATES = {np.add: ("+=", "add(x)"), np.subtract: ("-=", "add(-x)"), np.multiply: ("*=", "multiply(x)"),
            np.divide: ("/=", "multiply(1 / x)")}


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
    # The line that made it is kept as its code and instruction (lines.py), also in two slots. ``_part`` is there only
    # where an object, such as a layer, gave the Value (parts.py).
    __slots__ = ("__weakref__", "_code", "_first", "_instruction", "_order", "_part", "_second", "data", "grad",
                 "kwargs", "name", "op")

    data: Any
    grad: Any
    op: Callable | None
    kwargs: Mapping[str, Any]
    name: str | None

    # Given by the modules that implement them: record.py (all that records a call), backward.py, functions.py and
    # updates.py.
    at: ClassVar[Any]
    __array_ufunc__: ClassVar[Callable[..., Any]]
    astype: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., None]]
    relu: ClassVar[Callable[[Value], Value]]

    def __init__(self, data: Any, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name: expected a string, got {name!r}")
        if isinstance(data, Value):
            raise TypeError("data is a Value already: use it as it is, or v.detach() for a new leaf")
        if holds_value(data):
            raise TypeError("data is a list that holds Values: write np.stack([...]) or np.concatenate([...]) "
                            "to keep their gradients")
        self.data = as_data(data)
        self.name = name
        self.grad = self.op = None
        self._first, self._second, self.kwargs = (), CALL, NO_KWARGS
        self._order = next(creation)
        locate(self, sys._getframe(1))

    @property
    def args(self) -> tuple:
        return self._first if self._second is CALL else (self._first, self._second)

    @property
    def parents(self) -> tuple[Value, ...]:
        found: list[Value] = []
        for arg in self.args:
            if isinstance(arg, Value):
                found.append(arg)
            elif isinstance(arg, (list, tuple, dict)):
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

    @property
    def _value(self) -> Any:
        """``data`` under the name that code for HIPS autograd reads it by."""
        return self.data

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

    def detach(self) -> Value:
        """A leaf with the same data (not copied): no gradient flows from it to what this was computed from."""
        return leaf(self.data, UNRECORDED)

    def __reduce__(self) -> Any:
        if self.op is not None:
            raise TypeError("only a leaf Value can be copied or pickled: a graph would lose its gradients; "
                            "write v.detach() for the numbers alone")
        return _copied, (type(self), self.data, self.name, self.grad, getattr(self, "__dict__", {}))

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        what = _numpy_caller()
        refused: Any = getattr(np, what.removeprefix("np."), None)
        instead = REFUSED.get(refused)
        if instead:
            raise TypeError(f"{what} does not take Values: {instead}")
        raise TypeError(f"{what}: a Value is not turned into an array silently, because its gradient would be lost: "
                        "write v.data for the numbers, np.stack([...]) to make one Value of several, or "
                        "a = Value(a).at[i].set(v) for a[i] = v")

    # Operators

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
        def __neg__(self) -> Value: ...
        def __pos__(self) -> Value: ...
        def __abs__(self) -> Value: ...
        def __getitem__(self, index: Any) -> Value: ...
        def __iter__(self) -> Iterator[Value]: ...

    __hash__ = object.__hash__  # by identity: == compares numbers

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        changed = "a Value is not changed in place, because recorded operations hold its numbers: write "
        if isinstance(value, Value) and value.op in _UPDATES and isinstance(value.args[0], Value) and (
                value.args[0].op is operator.getitem and value.args[0].args[0] is self):
            symbol, update = _UPDATES[value.op]
            raise TypeError(f"{changed}v = v.at[i].{update} for v[i] {symbol} x")
        raise TypeError(f"{changed}v = v.at[i].set(x) or np.where(mask, new, v) for a Value with some elements "
                        "replaced, or v.data[i] = x on a leaf before it is used")

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


def leaf(data: Any, kwargs: Mapping[str, Any] = NO_KWARGS) -> Value:
    """A Value around data that is already in its final form, without a copy."""
    node = new(Value)
    node.data = data
    node.grad = node.name = node.op = None
    node._first, node._second, node.kwargs = (), CALL, kwargs
    node._order = next(creation)
    locate(node, sys._getframe(1))
    return node


def locate(node: Value, frame: Any) -> None:
    """Keep in the node which line of the user, outwards from this frame, made it."""
    if ours.get(frame.f_code.co_filename, 2):
        frame = users_frame(frame)
        if frame is None:
            node._code = None
            return
    node._code, node._instruction = frame.f_code, frame.f_lasti


def _copied(kind: type, data: Any, name: str | None, grad: Any, attributes: dict[str, Any]) -> Value:
    node = new(kind)
    Value.__init__(node, data, name)
    node.grad = grad
    for key, value in attributes.items():
        setattr(node, key, value)
    return node


def _numpy_caller() -> str:
    """The function of NumPy that asks for an array; those that are not written in Python leave no trace."""
    name, frame = "np.array, np.asarray or the like", sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith("numpy"):
        name, frame = f"np.{frame.f_code.co_qualname.partition('.')[0]}", frame.f_back
    return name


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def unwrap(x: Any, parents: list[Value]) -> Any:
    """``x`` with the data of its Values, which are added to ``parents``."""
    if isinstance(x, Value):
        parents.append(x)
        return x.data
    if type(x) is list:
        return [unwrap(item, parents) for item in x]
    if isinstance(x, (list, tuple, dict)) and holds_value(x):
        return tree_map(lambda item: unwrap(item, parents), x)
    return x


def holds_value(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(holds_value, x))
    return isinstance(x, Value) or (isinstance(x, dict) and any(map(holds_value, x.values())))
