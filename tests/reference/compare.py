"""Rows that build the same thing here and in PyTorch, and what is compared: outputs, gradients and ten updates.

A row is one line that serves both packages, since names and arguments are the same. ``python -m tests.reference.write``
runs every row in PyTorch and writes what comes out to small files, with the state that it starts from; the tests run it
here from that state, and against PyTorch itself where that is installed.
"""

from __future__ import annotations

import inspect
import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import Value

__all__ = ["DTYPES", "FAMILIES", "Namespace", "Row", "differences", "file_of", "function", "layer", "optimizer", "ours",
           "rows", "schedule", "small_cnn", "state_of"]

HERE = Path(__file__).parent
FAMILIES = sorted(path.stem.removeprefix("rows_") for path in HERE.glob("rows_*.py"))
DTYPES = {"float32": 1e-5, "float64": 1e-10}  # with how far numbers may differ, as a part of an array's largest or of 1
UPDATES, LR = 10, 0.1
Numbers = dict[str, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One line of a table; ``kind`` says how it is run, ``make`` what is built, ``theirs`` that where PyTorch differs.

    An input is the shape of normal numbers, with respect to which gradients are compared, or a constant: an array, or
    anything else that is passed as it is.
    """

    name: str
    kind: str
    make: Callable[..., Any]
    inputs: tuple[Any, ...] = ()
    theirs: Callable[..., Any] | None = None
    training: bool = True

    def arrays(self, dtype: str) -> list[Any]:
        """The inputs; a RandomState gives the same numbers with every version of NumPy."""
        rng = np.random.RandomState(zlib.crc32(self.name.encode()))
        return [rng.standard_normal(x).astype(np.float32).astype(dtype) if is_shape(x)
                else x.astype(dtype) if getattr(x, "dtype", np.dtype(int)).kind == "f" else x for x in self.inputs]


def is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(type(n) is int for n in x)


def layer(name: str, make: Callable[[Any], Any], *inputs: Any, theirs: Callable[[Any], Any] | None = None,
          training: bool = True) -> Row:
    """``make(nn)`` gives a module, such as ``lambda nn: nn.Linear(3, 2)``: dtype and generator are added where it has
    them. Its parameters are updated. A module that is called otherwise in PyTorch is wrapped in ``theirs``."""
    return Row(name, "layer", make, inputs, theirs, training)


def function(name: str, call: Callable[..., Any], *inputs: Any, theirs: Callable[..., Any] | None = None) -> Row:
    """``call(nn, *inputs)``, where ``nn`` has PyTorch's functions too. The first input is updated."""
    return Row(name, "function", call, inputs, theirs)


def optimizer(name: str, make: Callable[[Any, Any], Any], theirs: Callable[[Any, Any], Any] | None = None) -> Row:
    """``make(optim, model)`` gives the optimizer of a small network's parameters."""
    return Row(name, "optimizer", make, (), theirs)


def schedule(name: str, make: Callable[[Any, Any], Any], theirs: Callable[[Any, Any], Any],
             metrics: tuple[float, ...] = ()) -> Row:
    """``make(nn, optimizer)`` and ``theirs(lr_scheduler, optimizer)`` give a schedule, of an lr of 0.5.

    It is stepped 30 times, or with each of the ``metrics``.
    """
    return Row(name, "schedule", make, (metrics,), theirs)


def rows(family: str) -> list[Row]:
    """The rows in ``rows_FAMILY.py``."""
    found: list[Row] = import_module(f"tests.reference.rows_{family}").ROWS
    assert len({row.name for row in found}) == len(found), "two rows have the same name"
    return found


def file_of(family: str) -> Path:
    return HERE / f"{family}.safetensors"


# Running a row here


class Namespace:
    """``nn``, whose classes are given a generator and a dtype where they take them."""

    def __init__(self, dtype: str) -> None:
        self._settings = {"rng": 0, "dtype": np.dtype(dtype)}

    def __getattr__(self, name: str) -> Any:
        found = getattr(nn, name)
        if not inspect.isclass(found):
            return found
        accepted = inspect.signature(found).parameters
        return partial(found, **{k: v for k, v in self._settings.items() if k in accepted})


def state_of(numbers: Numbers) -> Numbers:
    """What a row starts from."""
    return {k.removeprefix("state "): v for k, v in numbers.items() if k.startswith("state ")}


def ours(row: Row, dtype: str, state: Numbers) -> Numbers:
    """What comes out of a row here, by names such as ``gradient 0.weight``."""
    namespace = Namespace(dtype)
    if row.kind == "schedule":
        return {"lr": scheduled(row.make(namespace, (sgd := nn.SGD([Value(0.0)], lr=0.5))), lambda: sgd.lr, row)}
    if row.kind == "optimizer":
        return optimized(row, namespace, state, dtype)
    inputs = row.arrays(dtype)
    values = [Value(x) if is_shape(given) else x for given, x in zip(row.inputs, inputs, strict=True)]
    if row.kind == "function":
        model, learned = partial(row.make, namespace), {"input 0": values[0]}
    else:
        model = row.make(namespace)
        model.load_state_dict(state)
        model.train(row.training)
        learned = dict(model.named_parameters())
    numbers: Numbers = {}
    for i in range(UPDATES):
        outputs = list(flat(model(*values)))
        sum(np.mean((y - aim(y.shape, k, dtype)) ** 2) for k, y in enumerate(outputs)).backward()
        if i == 0:
            numbers |= {f"output {k}": np.asarray(y.data) for k, y in enumerate(outputs)}
            named = learned | {f"input {k}": v for k, v in enumerate(values) if isinstance(v, Value)}
            numbers |= {f"gradient {k}": np.asarray(v.grad) for k, v in named.items() if v.grad is not None}
        for v in learned.values():
            if v.grad is not None:
                v.data = v.data - np.asarray(LR, dtype) * v.grad
        for v in (*values, *learned.values()):
            if isinstance(v, Value):
                v.grad = None
    numbers |= {f"updated {k}": np.asarray(v.data) for k, v in learned.items()}
    if row.kind == "layer":
        numbers |= {f"updated {k}": v for k, v in model.named_buffers()}
    return numbers


def optimized(row: Row, namespace: Namespace, state: Numbers, dtype: str) -> Numbers:
    model = network(namespace)
    model.load_state_dict(state)
    x, y = problem(dtype)
    optimizer, costs = row.make(nn, model), []

    def closure() -> Value:
        optimizer.zero_grad()
        cost = nn.mse_loss(model(x), y)
        cost.backward()
        return cost

    for _ in range(UPDATES):
        if "closure" in inspect.signature(optimizer.step).parameters:
            cost = optimizer.step(closure)
        else:
            cost = closure()
            optimizer.step()
        costs.append(getattr(cost, "data", cost))
    return {"costs": np.array(costs)} | {f"updated {k}": p.data for k, p in model.named_parameters()}


def differences(got: Numbers, wanted: Numbers, tolerance: float) -> Iterator[str]:
    """A line for each name that is missing or whose array differs."""
    for name in sorted(got.keys() ^ wanted.keys()):
        yield f"{name}: only {'here' if name in got else 'in PyTorch'}"
    for name in got.keys() & wanted.keys():
        a, b = got[name], wanted[name]
        if a.shape != b.shape or (a.dtype != b.dtype and b.dtype.kind == "f" and name != "lr"):
            yield f"{name}: {a.dtype} {a.shape} here, {b.dtype} {b.shape} in PyTorch"
        elif not np.allclose(a, b, rtol=0, atol=tolerance * max(1, np.max(np.abs(b), initial=0)), equal_nan=True):
            yield f"{name}: differs by {np.max(np.abs(a - b)):.1e}"


# What both sides share


def network(namespace: Any) -> Any:
    """The network that optimizers train."""
    return namespace.Sequential(namespace.Linear(3, 4), namespace.Tanh(), namespace.Linear(4, 2))


def small_cnn(namespace: Any) -> Any:
    """The network that a user saved in PyTorch."""
    return namespace.Sequential(namespace.Conv2d(1, 4, 3, padding=1), namespace.BatchNorm2d(4), namespace.ReLU(),
                                namespace.MaxPool2d(2), namespace.Flatten(), namespace.Linear(64, 5))


def problem(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.RandomState(0)
    x, y = (rng.standard_normal(shape).astype(np.float32).astype(dtype) for shape in ((8, 3), (8, 2)))
    return x, y


def aim(shape: tuple[int, ...], k: int, dtype: str) -> np.ndarray:
    """What output ``k`` is pulled to: the cost is the mean squared distance."""
    return np.random.RandomState(k).standard_normal(shape).astype(np.float32).astype(dtype)


def flat(x: Any) -> Iterator[Any]:
    """The arrays in nested tuples, without those of integers."""
    if isinstance(x, (list, tuple)):
        yield from itertools.chain.from_iterable(map(flat, x))
    elif x is not None and "int" not in str(x.dtype) and "bool" not in str(x.dtype):
        yield x


def scheduled(schedule: Any, lr: Callable[[], float], row: Row) -> np.ndarray:
    rates = [lr()]
    for metric in row.inputs[0] or [None] * 30:
        schedule.step() if metric is None else schedule.step(metric)
        rates.append(lr())
    return np.array(rates)
