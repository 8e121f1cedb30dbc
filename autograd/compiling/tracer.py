"""``Tracer``: one more array type; NumPy's functions of it are computed, and written down in its trace."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from ..lines import users_line
from ..methods import ArrayMethods
from ..registry import name_of
from .program import Changed, added_at, cast, masked, updated

__all__ = ["Number", "Tracer", "TracingError", "concrete"]

_NUMBERS = (bool, int, float, complex)
# What is known of every call alike: shapes and dtypes are part of the signature.
_KNOWN = {np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.common_type,
          np.may_share_memory, np.shares_memory, np.isscalar}
_LIKE = {np.zeros_like: 0, np.ones_like: 1, np.empty_like: 0, np.full_like: None}
# What gives as many numbers as its arguments' values tell.
_SIZED_BY_VALUES = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_all, np.unique_counts, np.extract,
                    np.unique_inverse, np.unique_values, np.compress, np.intersect1d, np.union1d, np.setdiff1d,
                    np.setxor1d, np.trim_zeros, np.bincount}
_POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}
# Where integers behind the first argument are sizes or axes: the shape of what follows hangs on them.
_SHAPING = {np.reshape, np.broadcast_to, np.tile, np.repeat, np.resize, np.split, np.array_split, np.pad, np.transpose,
            np.expand_dims, np.squeeze, np.swapaxes, np.moveaxis}
_IN_PLACE = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}


class TracingError(TypeError):
    """The function does what a replay could not repeat; the text names the line and what to write instead."""

    def __init__(self, what: str, remedy: str, depth: int = 2, line: Any = None) -> None:
        line = line or users_line(sys._getframe(depth))
        super().__init__(f"jit: {what}{f' at {line}' if line else ''}\n{remedy}")


class Tracer(ArrayMethods):
    """An array (or number) of a trace: the variable that it is in the program, and what it is in this run.

    A Tracer can change in place, as an array can: it then stands for another variable. One that is a view of another
    looks at it again after a change.
    """

    __slots__ = ("_trace", "_value", "_var", "_view", "_watched", "mutable", "version")

    def __init__(self, trace: Any, value: Any, var: Any, mutable: bool = False) -> None:
        self._trace, self._value, self._var, self.version = trace, value, var, 0
        self.mutable = mutable or bool(var.shape)  # an array without axes is, a number is not
        self._view: Any = None  # the call that gave it, where it is a view of the first argument
        self._watched = 0  # the version of that which it shows

    def _fresh(self) -> None:
        if self._view is not None:
            function, args, kwargs = self._view
            base = args[0]
            base._fresh()
            if base.version != self._watched:
                again = self._trace.record(function, args, kwargs)
                self._value, self._var, self._watched = again._value, again._var, base.version
                self.version += 1

    @property
    def value(self) -> Any:
        self._fresh()
        return self._value

    @property
    def variable(self) -> Any:
        self._fresh()
        return self._var

    def assign(self, new: Tracer) -> None:
        """Become ``new`` in this dtype and shape: what ``a[...] = new`` does to an array."""
        self._fresh()
        if self._view is not None:
            function, args, _ = self._view
            if function is not operator.getitem or not _basic(args[1]):
                raise TracingError("an array is changed in place through a view of it", "Write to the array itself, as "
                                   "in a[i] = x or a += x.", 3)
            args[0][args[1]] = new
            return
        if new.dtype != self.dtype:
            if not np.can_cast(new.dtype, self.dtype, "same_kind"):
                raise np.exceptions.DTypePromotionError(f"cannot cast {new.dtype} to {self.dtype} in place")
            new = self._trace.record(cast, (new, self.dtype), {})
        if new.shape != self.shape:
            new = self._trace.record(np.broadcast_to, (new, self.shape), {})
        self._value, self._var = new.value, new.variable
        self.version += 1

    # What is the same at every call

    @property
    def shape(self) -> tuple[int, ...]:
        return self._var.shape

    @property
    def ndim(self) -> int:
        return len(self._var.shape)

    @property
    def size(self) -> int:
        return self._var.size

    @property
    def dtype(self) -> np.dtype:
        return self._var.dtype

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def flags(self) -> Any:
        return np.asarray(self.value).flags

    @property
    def nbytes(self) -> int:
        return self.itemsize * self.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a number")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # What would need the numbers

    def _number(self, what: str, remedy: str) -> Any:
        """The number, where it follows from Python numbers of the model alone: then the plan holds for those."""
        if not self.shape and self._trace.depends_on_numbers(self.variable, what):
            return self.value
        raise TracingError(f"{what} of a traced value, which the next call may have another number in", remedy, 3)

    def __bool__(self) -> bool:
        return bool(self._number("the truth (if, while, and, or, not, assert, min, max)", "Write np.where(condition, "
                                 "a, b) for `a if condition else b`, np.maximum for max; or return the condition, "
                                 "and branch outside of the jitted function."))

    def __float__(self) -> float:
        return float(self._number("float()", "Return the value, and convert it outside; or use NumPy's function, as "
                                  "np.sqrt(x) for math.sqrt(x). To store it, make the array by np.zeros_like(x) of a "
                                  "traced array, or write np.stack([...])."))

    def __int__(self) -> int:
        return int(self._number("int()", "Return the value, and convert it outside."))

    def __index__(self) -> int:
        return operator.index(self._number("an integer (an index, range, a size)", "A size must be a Python integer "
                                           "argument; to pick an element at a traced position write np.take(a, i)."))

    def __complex__(self) -> complex:
        return complex(self._number("complex()", "Return the value, and convert it outside."))

    def __round__(self, *digits: Any) -> Any:
        return round(self._number("round()", "Write np.round(x)."), *digits)

    def item(self, *index: Any) -> Any:
        return self._number(".item()", "Return the value, and call .item() outside of the jitted function.")

    def tolist(self) -> NoReturn:
        raise TracingError(".tolist() of a traced value", "Return the value, and call .tolist() outside.")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TracingError("np.asarray, np.array, or storing into a plain array, of a traced value, whose numbers the "
                           "next call would not have", "Use the value as it is: it is an array already. Write "
                           "np.stack([...]) for a list, np.zeros_like(x) for an array to store traced values into, and "
                           "NumPy's functions where another library's were used.")

    def __str__(self) -> str:
        raise TracingError("print or str() of a traced value", "Return the value, and print it outside; the shape and "
                           "dtype can be printed here.")

    def __repr__(self) -> str:
        if _is_integer(self):  # np.zeros(n) shows what is no size to it
            raise TracingError("an integer (an index, range, a size), print or repr() of a traced value", "A size must "
                               "be a Python integer argument; return the value, and print it outside.")
        raise TracingError("print or repr() of a traced value", "Return the value, and print it outside; the shape and "
                           "dtype can be printed here.")

    def __format__(self, spec: str) -> str:
        raise TracingError("print or formatting of a traced value", "Return the value, and print it outside; the shape "
                           "and dtype can be printed here.")

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    def __reduce__(self) -> NoReturn:
        raise TracingError("copying or pickling of a traced value", "Write x.copy() for a copy.")

    # NumPy's protocols, and the operators

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if any(hasattr(x, "parents") for x in inputs):
            return NotImplemented  # a Value records the call
        if method == "at":
            target, *others = inputs
            _check_target(target, name_of(ufunc.at))
            return target.assign(self._trace.record(added_at, (target, *others, ufunc), {}))
        if "where" in kwargs and out is not None and method == "__call__" and ufunc.nout == 1:
            _check_target(out[0], f"{name_of(ufunc)}(out=...)")
            out[0].assign(self._trace.record(masked, (out[0], kwargs.pop("where"), ufunc, *inputs), kwargs))
            return out[0]
        y = self._trace.record(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)
        return y if out is None else _into(out, y, name_of(ufunc))

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        if any(hasattr(t, "parents") for t in types):
            return NotImplemented
        if function in _KNOWN:
            return function(*concrete(args), **{k: concrete(x) for k, x in kwargs.items()})
        if function is np.copy:
            return Tracer(self._trace, self.value, self.variable, True)
        if function in _LIKE:
            return self._trace.like(function, _LIKE[function], args, kwargs)
        if function in _IN_PLACE:
            target, *others = args
            _check_target(target, name_of(function))
            return target.assign(self._trace.record(Changed(function), (target, *others), kwargs))
        if function is np.nan_to_num and not (*args, kwargs.get("copy", True))[1]:
            target: Any = next(iter(args))
            target.assign(self._trace.record(Changed(function), (target,), {**kwargs, "copy": False}))
            return target
        if function in _SIZED_BY_VALUES or (function is np.where and len(args) == 1) or (
                function is np.repeat and not isinstance(concrete(args)[1], int) and isinstance(args[1], Tracer)):
            raise TracingError(f"{name_of(function)} of a traced value, whose result's size depends on the numbers",
                               "Write np.where(mask, a, b), or do it outside of the jitted function.", 2)
        if function in _SHAPING:
            args = (*args[:1], *map(_sizes, args[1:]))
            kwargs = {k: _sizes(x) for k, x in kwargs.items()}
        if function in (np.ravel, np.reshape):
            parameters = ("a", "order") if function is np.ravel else ("a", "shape", "order")
            named = {**dict(zip(parameters, args, strict=False)), **kwargs}
            args, kwargs = tuple(named.pop(k) for k in ("a", "shape") if k in named), named
            order = _plain_order(args[0], named.pop("order", "C"))
            if order != "C":
                named["order"] = order
        out = kwargs.pop("out", None)
        y = self._trace.record(function, args, kwargs)
        return y if out is None else _into((out,), y, name_of(function))

    def __getitem__(self, index: Any) -> Any:
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, Tracer) and part.dtype == bool:
                raise TracingError("indexing by a traced mask, whose result's size depends on the numbers",
                                   "Write np.where(mask, a, 0), or sum(a * mask).", 2)
        x = self._trace.record(cast, (self, self.dtype), {}) if self._var.python else self  # as np.float64(x)[None]
        return self._trace.record(operator.getitem, (x, index), {})

    def __setitem__(self, index: Any, values: Any) -> None:
        if hasattr(values, "parents"):
            values = values.data
        if index is Ellipsis and isinstance(values, Tracer):
            self.assign(values)
        else:
            self.assign(self._trace.record(updated, (self, index, values), {}))

    def astype(self, dtype: Any, *_: Any, copy: bool = True) -> Any:
        return self._trace.record(cast, (self, np.dtype(dtype)), {})

    def copy(self, order: Any = "C") -> Any:
        return type(self)(self._trace, self.value, self.variable, self.mutable)

    def flatten(self, order: Any = "C") -> Any:
        return self.ravel(order).copy()

    def fill(self, value: Any) -> None:
        self[...] = value

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    __hash__ = None  # type: ignore[assignment]  # as that of an array

    def of_numbers(self, args: Any) -> Any:
        """This result of ``args`` as a Python number, where they all are: what a Value makes of it."""
        python = all(x._var.python if isinstance(x, Tracer) else type(x) in _NUMBERS for x in args)
        is_other = self.shape or self.dtype != float or self._var.python or not python
        return self if is_other else self._trace.record(float, (self,), {})

    def like_number(self, g: Any) -> Any:
        """``g`` as a Python number, if this is one."""
        if not self._var.python:
            return g
        return g.of_numbers(()) if isinstance(g, Tracer) else self._var.python(g)

    def as_one(self, function: Callable, args: Any, kwargs: dict, error: Exception) -> Any:
        """A call as one operation, whatever it does inside with the arrays that it then gets."""
        with self._trace.opaque(error):
            if function(*concrete(list(args)), **kwargs) is None:
                return None
            return self._trace.record(function, tuple(args), kwargs)

    def checked(self, check: Callable, error: Callable[..., Exception], values: tuple) -> None:
        """Test at each call that all elements hold; this run, too, cannot go on where one does not."""
        if not np.all(self.value):
            raise error(*concrete(values))
        self._trace.effect(check, (self, error, *values))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TracingError("an array is sorted, partitioned or resized in place", "Write a = np.sort(a) and the like.")

    sort = partition = put = resize = _refuse


class Number(Tracer):
    """A Python number of a trace, which takes part in dtype promotion as one."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(self._number("the hash (a key of a dict, an item of a set)", "Use np.where, or do it outside."))


def concrete(x: Any) -> Any:
    """``x`` with what its Tracers are in this run."""
    if isinstance(x, Tracer):
        return x.value
    if type(x) in (tuple, list):
        return type(x)([concrete(item) for item in x])
    if isinstance(x, slice):
        return slice(concrete(x.start), concrete(x.stop), concrete(x.step))
    return x


def _basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, np.integer, slice)) for i in parts)


def _sizes(x: Any) -> Any:
    """Sizes as plain integers; one that a later call may have otherwise is an error."""
    if _is_integer(x):
        return operator.index(x)
    if type(x) in (tuple, list):
        return type(x)([_sizes(item) for item in x])
    return x


def _is_integer(x: Any) -> bool:
    return isinstance(x, Tracer) and not x.shape and x.dtype.kind in "iu"


def _plain_order(x: Tracer, order: str) -> str:
    """The order "A" or "K" of a layout that a replay need not have, as one that is the same in every layout."""
    if order in ("A", "K"):
        flags = x.flags
        if not flags.forc and order == "K":
            raise TracingError("order='K' of an array that is neither in C nor in Fortran order", "Write order='C'.", 3)
        return "F" if flags.fnc else "C"
    return order


def _check_target(target: Any, name: str) -> None:
    if not isinstance(target, Tracer):
        raise TracingError(f"{name} stores traced numbers into an array made outside of the trace",
                           "Make the array by np.zeros_like(x) of a traced x.", 3)


def _into(outs: Any, y: Any, name: str) -> Any:
    results = y if isinstance(y, tuple) else (y,)
    for out, result in zip(outs, results, strict=True):
        if out is not None:
            _check_target(out, f"{name}(out=...)")
            out.assign(result)
    given = tuple(result if out is None else out for out, result in zip(outs, results, strict=True))
    return given if isinstance(y, tuple) else given[0]


def _operator(compute: Callable, ufunc: Callable, reflected: bool) -> Callable:
    """Python's operator of Python numbers, NumPy's function of all else."""

    def method(self: Tracer, other: Any) -> Any:
        if isinstance(other, Tracer):
            other_python = other._var.python
        elif type(other) in _NUMBERS:
            other_python = type(other)
        elif hasattr(other, "parents") or not isinstance(other, (np.ndarray, np.generic, list, tuple)):
            return NotImplemented
        else:
            other_python = None
            if isinstance(other, (list, tuple)) and compute is operator.mul and _is_integer(self):
                return other * operator.index(self)  # repeated
        args = (other, self) if reflected else (self, other)
        if ufunc is np.power and not reflected and self._var.shape and self.dtype.kind == "f" and (
                type(other) in (int, float) and other in _POWERS):
            ufunc_of_power = _POWERS[other]  # as NumPy's ** does
            return self._trace.record(ufunc_of_power, (self,), {})
        return self._trace.record(compute if self._var.python and other_python else ufunc, args, {})

    return method


def _in_place(ufunc: Callable, name: str) -> Callable:
    def method(self: Tracer, other: Any) -> Any:
        if hasattr(other, "parents") and self.mutable:  # which an array refuses, as it does where nothing is traced
            return other.__array_ufunc__(ufunc, "__call__", self, other, out=(self,))
        if hasattr(other, "parents"):
            return NotImplemented
        if not self.mutable:  # a number is replaced, not changed
            return getattr(self, name)(other)
        self.assign(self._trace.record(ufunc, (self, other), {}))
        return self

    return method


for _name, _ufunc, _compute in [
    ("add", np.add, operator.add), ("sub", np.subtract, operator.sub), ("mul", np.multiply, operator.mul),
    ("truediv", np.divide, operator.truediv), ("pow", np.power, operator.pow), ("mod", np.remainder, operator.mod),
    ("floordiv", np.floor_divide, operator.floordiv), ("matmul", np.matmul, operator.matmul),
    ("and", np.bitwise_and, operator.and_), ("or", np.bitwise_or, operator.or_), ("xor", np.bitwise_xor, operator.xor),
    ("lshift", np.left_shift, operator.lshift), ("rshift", np.right_shift, operator.rshift),
]:
    setattr(Tracer, f"__{_name}__", _operator(_compute, _ufunc, False))
    setattr(Tracer, f"__r{_name}__", _operator(_compute, _ufunc, True))
    setattr(Tracer, f"__i{_name}__", _in_place(_ufunc, f"__{_name}__"))
for _name, _ufunc, _compute in [
    ("lt", np.less, operator.lt), ("le", np.less_equal, operator.le), ("gt", np.greater, operator.gt),
    ("ge", np.greater_equal, operator.ge), ("eq", np.equal, operator.eq), ("ne", np.not_equal, operator.ne),
]:
    setattr(Tracer, f"__{_name}__", _operator(_compute, _ufunc, False))


def _unary(compute: Callable, ufunc: Callable) -> Callable:
    def method(self: Tracer) -> Any:
        return self._trace.record(compute if self._var.python else ufunc, (self,), {})

    return method


for _name, _ufunc, _compute in [("neg", np.negative, operator.neg), ("pos", np.positive, operator.pos),
                                ("abs", np.absolute, operator.abs), ("invert", np.invert, operator.invert)]:
    setattr(Tracer, f"__{_name}__", _unary(_compute, _ufunc))
