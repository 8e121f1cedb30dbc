"""Programs written by hand for the tests of the Numba backend, and what they mean: NumPy's functions one by one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.compiling.numba_backend import compile_program
from autograd.compiling.program import Input, Op, Output, Program, Var, map_vars

F32, F64, I64, I32, U8, BOOL = map(np.dtype, ["float32", "float64", "int64", "int32", "uint8", "bool"])


class Builder:
    """Writes a program by calling functions on variables; shapes and dtypes are what NumPy gives for ones."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.inputs: list[Input] = []

    def input(self, shape: tuple[int, ...] = (), dtype: Any = F32, python: Any = None, name: str | None = None) -> Var:
        var = Var(shape, np.dtype(dtype), python)
        self.inputs.append(Input(var, name or f"input{len(self.inputs)}"))
        return var

    def __call__(self, function: Callable, *args: Any, **kwargs: Any) -> Var:
        def example(v: Var) -> Any:
            one = v.python(1) if v.python else v.dtype.type(1) if v.dtype.kind != "O" else None
            if v.dtype.kind in "iu":
                return np.ones(v.shape, v.dtype) if v.shape else one
            return (np.random.default_rng(1).random(v.shape) * 2).astype(v.dtype) if v.shape else one
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            results = function(*map_vars(example, args), **{k: map_vars(example, v) for k, v in kwargs.items()})
        several = results if isinstance(results, tuple) else (results,)
        outs = tuple(Var((), np.dtype(type(r)), type(r)) if type(r) in (float, int, bool)
                     else Var(np.shape(r), np.asarray(r).dtype) for r in several)
        self.ops.append(Op(function, args, kwargs, outs, several=isinstance(results, tuple)))
        return outs if isinstance(results, tuple) else outs[0]  # type: ignore[return-value]

    def effect(self, function: Any, *args: Any, outs: tuple[Var, ...] = ()) -> Any:
        self.ops.append(Op(function, args, {}, outs))
        return outs[0] if outs else None

    def write(self, var: Var, value: Var) -> None:
        next(e for e in self.inputs if e.var is var).written = value

    def program(self, *outputs: Var, fresh: bool = True) -> Program:
        return Program(self.inputs, self.ops, [Output(v, fresh=fresh) for v in outputs])


def interpret(program: Program, inputs: list) -> list:
    """What the program means: NumPy's functions one by one, then the inputs that it writes."""
    values: dict[Var, Any] = {e.var: v for e, v in zip(program.inputs, inputs, strict=True)}

    def get(x: Any) -> Any:
        return map_vars(lambda v: values[v], x)
    with np.errstate(all="ignore"):
        for op in program.ops:
            result = op.function(*map(get, op.args), **{k: get(v) for k, v in op.kwargs.items()})
            values.update(zip(op.outs, result if op.several else (result,), strict=False))
    results = [np.array(values[o.var]) if o.var.python is None else values[o.var] for o in program.outputs]
    new = [(v, np.array(values[e.written])) for e, v in zip(program.inputs, inputs, strict=True) if e.written]
    for array, numbers in new:
        array[...] = numbers
    return results


def copies(inputs: list) -> list:
    return [np.array(v) if isinstance(v, np.ndarray) else v for v in inputs]


def same(got: Any, expected: Any, ulps: float, what: str = "") -> None:
    assert type(got) is type(expected) or np.ndim(expected) == 0, what
    a, b = np.asarray(got), np.asarray(expected)
    assert a.shape == b.shape and a.dtype == b.dtype, f"{what}: {a.dtype}{a.shape} for {b.dtype}{b.shape}"
    if b.dtype.kind != "f":
        assert np.array_equal(a, b), f"{what}: {a} for {b}"
        return
    error, size = ulps * float(np.finfo(b.dtype).eps), np.max(np.abs(b[np.isfinite(b)]), initial=0)
    np.testing.assert_allclose(a, b, rtol=error, atol=error * size, err_msg=what)


def agrees(builder: Builder, outputs: list[Var], inputs: list, ulps: float = 8, times: int = 2) -> Any:
    """Run compiled and one by one, several times, on the same inputs, and compare all that comes out and changes."""
    program = builder.program(*outputs)
    compiled = compile_program(program)
    ours, theirs = copies(inputs), copies(inputs)
    for _ in range(times):
        with np.errstate(all="ignore"):
            got, expected = compiled.run(*ours), interpret(program, theirs)
        producer = {v: op for op in program.ops for v in op.outs}
        for g, e, v in zip(got, expected, outputs, strict=True):
            same(g, e, ulps, f"{producer.get(v)}")
        for g, e, entry in zip(ours, theirs, program.inputs, strict=True):
            same(g, e, ulps, f"input {entry.source}")
    return compiled


def numbers(shape: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype.kind == "f":
        x = rng.normal(size=shape) * 3
        if x.size > 6:
            x.flat[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0]
        return x.astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    low = 0 if dtype.kind == "u" else -100
    return rng.integers(low, 100, shape).astype(dtype)
