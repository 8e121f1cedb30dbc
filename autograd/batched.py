"""``Batched``: an array for each of many examples, on which NumPy code written for one example runs for all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Batched", "NotVectorisedError"]


class NotVectorisedError(TypeError):
    """The code asks for the number of one example, which differs from example to example."""


class Batched(np.lib.mixins.NDArrayOperatorsMixin):
    """Arrays of one shape, one for each example, held in one with the examples along its first axis.

    ``shape`` is that of one example. NumPy's functions of it do for each example what they do for an array: in one call
    where the table below says how, else example by example.
    """

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape[1:]

    @property
    def ndim(self) -> int:
        return self.array.ndim - 1

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def T(self: Any) -> Any:
        return np.transpose(self)

    @property
    def real(self) -> Batched:
        return Batched(self.array.real)

    @property
    def imag(self) -> Batched:
        return Batched(self.array.imag)

    def astype(self, dtype: Any) -> Batched:
        return Batched(self.array.astype(dtype))

    def copy(self) -> Batched:
        return Batched(self.array.copy())

    def reshape(self: Any, *shape: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def sum(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.mean(self, axis=axis, keepdims=keepdims)

    def max(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.max(self, axis=axis, keepdims=keepdims)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a number for each example")
        return self.shape[0]

    def __iter__(self) -> Iterator[Batched]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Batched:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(i, Batched) for i in parts):
            first: Any = parts[0]
            if len(parts) == 1 and first.dtype.kind in "iu":
                rows = np.arange(len(self.array)).reshape(-1, *[1] * first.ndim)
                return Batched(self.array[rows, first.array])
            return _one_by_one(lambda x, i: x[i], (self, index), {})
        picking = [i for i in parts if not (i is None or i is Ellipsis or isinstance(i, slice))]
        if len(picking) > 1 and not all(isinstance(i, (int, np.integer)) for i in picking):
            # NumPy may move the axes of arrays, and of integers beside them, to the front
            return _one_by_one(lambda x, i: x[i], (self, index), {})
        return Batched(self.array[(slice(None), *parts)])

    def __setitem__(self, index: Any, value: Any) -> None:
        for k, row in enumerate(self.array):
            row[_example(index, k)] = _example(value, k)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NotVectorisedError("this number differs from example to example")

    __bool__ = __float__ = __int__ = __complex__ = __index__ = __array__ = __contains__ = _refuse
    __str__ = __format__ = _refuse

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(x, "parents") for x in inputs):
            return NotImplemented  # a Value records the call
        if kwargs.get("out") is not None or "where" in kwargs:
            self._refuse()
        if method == "at":
            target, *others = inputs
            if not isinstance(target, Batched):
                self._refuse()
            for k, row in enumerate(target.array):
                ufunc.at(row, *_example(others, k))
            return None
        if ufunc is np.matmul and method == "__call__" and not kwargs:
            return _matmul(*inputs)
        if ufunc.signature is None and method == "__call__":
            return _wrapped(ufunc(*_aligned(inputs), **kwargs))
        return _one_by_one(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        if any(hasattr(t, "parents") for t in types):
            return NotImplemented
        handler = _FUNCTIONS.get(function)
        result = NotImplemented if handler is None else handler(*args, **kwargs)
        return _one_by_one(function, args, kwargs) if result is NotImplemented else result


def _wrapped(y: Any) -> Any:
    return tuple(map(Batched, y)) if isinstance(y, tuple) else Batched(y)


def _example(x: Any, k: int) -> Any:
    """What example ``k`` has in the place of ``x``."""
    if isinstance(x, Batched):
        return x.array[k]
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)(_example(item, k) for item in x)
    return x


def _examples(args: Any) -> int:
    """How many examples there are."""
    if isinstance(args, Batched):
        return len(args.array)
    return max(map(_examples, args), default=0) if isinstance(args, (list, tuple)) else 0


def _one_by_one(function: Callable, args: Any, kwargs: dict) -> Any:
    rows = [function(*_example(tuple(args), k), **{name: _example(x, k) for name, x in kwargs.items()})
            for k in range(_examples([*args, *kwargs.values()]))]
    if rows[0] is rows[-1] and len(rows) > 1 and (isinstance(rows[0], np.ndarray) or not isinstance(args[0], Batched)):
        raise NotVectorisedError("one array is written to for all examples")
    if isinstance(rows[0], (list, tuple)):
        parts = [Batched(np.stack(part)) for part in zip(*rows, strict=True)]
        return type(rows[0])(*parts) if hasattr(rows[0], "_fields") else type(rows[0])(parts)
    return Batched(np.stack(rows))


def _aligned(inputs: Any) -> list:
    """The arrays with the axes of one example aligned to the right, as NumPy broadcasts them."""
    rank = max(np.ndim(x) for x in inputs)
    return [x.array.reshape(len(x.array), *[1] * (rank - x.ndim), *x.shape) if isinstance(x, Batched) else x
            for x in inputs]


def _matmul(a: Any, b: Any) -> Batched:
    if 0 in (np.ndim(a), np.ndim(b)):
        raise NotVectorisedError("np.matmul of a number for each example")
    if isinstance(a, Batched) and not isinstance(b, Batched) and np.ndim(b) <= 2:
        return Batched(a.array @ b)
    if isinstance(b, Batched) and not isinstance(a, Batched) and np.ndim(a) == 2 and b.ndim == 1:
        return Batched(b.array @ a.T)
    row, column = np.ndim(a) == 1, np.ndim(b) == 1
    a, b = (a[None, :] if row else a), (b[:, None] if column else b)
    y = np.matmul(*_aligned([a, b]))
    return Batched(y[..., 0, 0] if row and column else y[..., 0, :] if row else y[..., 0] if column else y)


def _shifted(axis: Any, ndim: int) -> Any:
    """An axis of one example, or several, as an axis of all."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, (tuple, list)):
        return tuple(_shifted(i, ndim) for i in axis)
    return axis + 1 if axis >= 0 else axis


def _along(function: Callable) -> Callable:
    """For a function with an ``axis``, of which ``None`` stands for all."""
    def handler(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(a, Batched) or any(isinstance(x, Batched) for x in (*args, *kwargs.values())):
            return NotImplemented
        return Batched(function(a.array, _shifted(axis, a.ndim), *args, **kwargs))

    return handler


def _moving(function: Callable) -> Callable:
    """For a function whose further arguments are axes."""
    def handler(a: Any, *axes: Any) -> Any:
        return Batched(function(a.array, *(_shifted(axis, a.ndim) for axis in axes)))

    return handler


def _reshape(a: Any, shape: Any, order: str = "C", **kwargs: Any) -> Any:
    if order != "C" or kwargs:
        return NotImplemented
    shape = np.empty(a.shape, np.bool_).reshape(shape).shape  # what -1 stands for
    return Batched(a.array.reshape(len(a.array), *shape))


def _transpose(a: Any, axes: Any = None) -> Batched:
    axes = range(a.ndim)[::-1] if axes is None else axes
    return Batched(np.transpose(a.array, (0, *(i % a.ndim + 1 for i in axes))))


def _squeeze(a: Any, axis: Any = None) -> Batched:
    axes = tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis
    return Batched(np.squeeze(a.array, _shifted(axes, a.ndim)))


def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Batched:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    full = array.array.reshape(len(array.array), *[1] * (len(shape) - array.ndim), *array.shape)
    return Batched(np.broadcast_to(full, (len(array.array), *shape)))


def _joined(function: Callable) -> Callable:
    def handler(arrays: Any, axis: Any = 0, **kwargs: Any) -> Any:
        if axis is None or isinstance(arrays, Batched):
            return NotImplemented
        n = _examples(list(arrays))
        full = [a.array if isinstance(a, Batched) else np.broadcast_to(a, (n, *np.shape(a))) for a in arrays]
        return Batched(function(full, axis=axis + 1 if axis >= 0 else axis, **kwargs))

    return handler


def _filled(function: Callable) -> Callable:
    def handler(a: Any, *args: Any, dtype: Any = None, shape: Any = None, **kwargs: Any) -> Any:
        if not isinstance(a, Batched) or any(isinstance(x, Batched) for x in args):
            return NotImplemented
        shape = a.shape if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        return Batched(function(a.array, *args, dtype=dtype, shape=(len(a.array), *shape)))

    return handler


def _where(condition: Any, *choices: Any) -> Any:
    return Batched(np.where(*_aligned([condition, *choices]))) if choices else NotImplemented


def _clip(a: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Any:
    if kwargs:
        return NotImplemented
    low, high = (-np.inf if a_min is None else a_min), (np.inf if a_max is None else a_max)
    clipped = np.minimum(np.maximum(a, low), high)
    return clipped.astype(np.result_type(a, *(x for x in (a_min, a_max) if x is not None)))


def _dot(a: Any, b: Any) -> Any:
    return NotImplemented if max(np.ndim(a), np.ndim(b)) > 2 else a * b if 0 in (np.ndim(a), np.ndim(b)) else a @ b


def _outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    if not isinstance(subscripts, str) or "." in subscripts or "->" not in subscripts:
        return NotImplemented
    letter = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in subscripts)
    left, right = subscripts.replace(" ", "").split("->")
    terms = [(letter if isinstance(x, Batched) else "") + term
             for term, x in zip(left.split(","), operands, strict=True)]
    arrays = [x.array if isinstance(x, Batched) else x for x in operands]
    return Batched(np.einsum(f"{','.join(terms)}->{letter}{right}", *arrays, **kwargs))


_FUNCTIONS: dict[Callable, Callable] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.result_type: lambda *args: np.result_type(*(x.dtype if isinstance(x, Batched) else x for x in args)),
    np.copy: lambda a, **kwargs: a.copy(),
    np.real: lambda val: val.real,
    np.imag: lambda val: val.imag,
    np.reshape: _reshape,
    np.ravel: lambda a, order="C": _reshape(a, -1, order),
    np.transpose: _transpose,
    np.squeeze: _squeeze,
    np.swapaxes: _moving(np.swapaxes),
    np.moveaxis: _moving(np.moveaxis),
    np.expand_dims: lambda a, axis: Batched(np.expand_dims(a.array, _shifted(axis, a.ndim))),
    np.broadcast_to: _broadcast_to,
    np.concatenate: _joined(np.concatenate),
    np.stack: _joined(np.stack),
    np.where: _where,
    np.clip: _clip,
    np.dot: _dot,
    np.outer: _outer,
    np.einsum: _einsum,
    **{f: _along(f) for f in (np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.var, np.std, np.all,
                              np.any, np.flip)},
    **{f: _filled(f) for f in (np.zeros_like, np.ones_like, np.empty_like, np.full_like)},
}
