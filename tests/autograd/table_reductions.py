"""Rows of reductions along every kind of axis, and of the normalised exponentials."""

import numpy as np

from autograd.functions import log_softmax, logsumexp, softmax
from tests.autograd.rows import apart, complex_numbers, real, row

__all__ = ["ROWS"]

REDUCTIONS = [(np.sum, real), (np.mean, real), (np.max, apart), (np.min, apart), (np.prod, real), (np.var, real),
              (np.std, real), (logsumexp, real)]
AXES = [
    (float, None), ((4,), None), ((4,), 0), ((5,), -1), ((2, 3), None), ((2, 3), 0), ((3, 2), 1), ((2, 3), (0, 1)),
    ((2, 3, 2), (0, 2)), ((2, 3, 2), (-1, 0)), ((3, 2, 2), (2, 1)), ((2, 3, 2), 1), ((2, 3), -2), ((1, 3), 0),
    ((3, 1), (1,)),
]
METHODS = ["sum", "mean", "max", "min", "prod", "var", "std"]
MOMENTS = [("var", np.var), ("std", np.std)]
SPECIAL = [
    ("sum over no axes", lambda x: np.sum(x, axis=()), (2, 3)),
    ("mean over no axes", lambda x: np.mean(x, axis=()), (2, 3)),
    ("prod over no axes", lambda x: np.prod(x, axis=()), (2, 3)),
    ("var over no axes", lambda x: np.var(x, axis=()), (2, 3)),
    ("sum axis by position", lambda x: np.sum(x, 1), (2, 3)),
    ("sum dtype by position", lambda x: np.sum(x, 0, np.float64), (2, 3)),
    ("sum dtype", lambda x: np.sum(x, axis=0, dtype=np.complex128), (2, 3)),
    ("mean dtype", lambda x: np.mean(x, axis=0, dtype=np.float64), (2, 3)),
    ("prod dtype", lambda x: np.prod(x, axis=0, dtype=np.float64), (2, 3)),
    ("var dtype", lambda x: np.var(x, axis=0, dtype=np.float64), (2, 3)),
    ("std dtype", lambda x: np.std(x, axis=0, dtype=np.float64), (2, 3)),
    ("amax", lambda x: np.amax(x, axis=0), (2, 3)),
    ("amin", lambda x: np.amin(x, axis=1, keepdims=True), (2, 3)),
    ("prod of 7", lambda x: np.prod(x), (7,)),
    ("prod of 2 x 6", lambda x: np.prod(x, axis=1), (2, 6)),
    ("prod with one zero", lambda x: np.prod(x * np.array([1.0, 0.0, 1.0])), (3,)),
    ("prod with two zeros", lambda x: np.prod(x * np.array([1.0, 0.0, 1.0, 0.0])), (4,)),
    ("prod with three zeros", lambda x: np.prod(x * np.array([1.0, 0.0, 0.0, 0.0, 1.0])), (5,)),
    ("prod with zeros in rows", lambda x: np.prod(x * np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), axis=1), (2, 3)),
]
NORMALISED = [
    (f"{f.__name__} {'default' if axis is None else axis} {shape}",
     (lambda x, f=f: f(x)) if axis is None else (lambda x, f=f, axis=axis: f(x, axis=axis)), shape)
    for f in (softmax, log_softmax)
    for shape, axis in [((4,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), -2), ((2, 3, 2), 1), ((2, 3, 2), (0, 2)),
                        ((2, 3), (0, 1)), ((3, 1), -1)]
]

ROWS = [
    *[row(f"{f.__name__} axis={axis} keepdims={keepdims} of {shape}",
          lambda x, f=f, axis=axis, keepdims=keepdims: f(x, axis=axis, keepdims=keepdims), shape, domain=domain)
      for f, domain in REDUCTIONS for shape, axis in AXES for keepdims in (False, True)
      if not (shape is float and keepdims)],
    *[row(f"{f.__name__} of {shape}", f, shape, domain=domain) for f, domain in REDUCTIONS for shape in ((2, 3), (5,))],
    *[row(f"{name} method axis={axis} keepdims={keepdims}",
          lambda x, name=name, axis=axis, keepdims=keepdims: getattr(x, name)(axis=axis, keepdims=keepdims), (2, 3),
          domain=apart)
      for name in METHODS for axis, keepdims in [(None, False), (0, True), ((0, 1), False)]],
    *[row(f"{name} ddof={ddof} axis={axis}", lambda x, f=f, ddof=ddof, axis=axis: f(x, axis=axis, ddof=ddof), (3, 4))
      for name, f in MOMENTS for ddof in (1, 0.5) for axis in (None, 0, (0, 1))],
    *[row(f"{name} method ddof", lambda x, name=name: getattr(x, name)(axis=1, ddof=1, keepdims=True), (3, 4))
      for name, _ in MOMENTS],
    *[row(name, f, shape) for name, f, shape in SPECIAL],
    *[row(name, f, shape) for name, f, shape in NORMALISED],
    *[row(f"complex {f.__name__} axis={axis}", lambda z, f=f, axis=axis: f(z, axis=axis), (2, 3),
          domain=complex_numbers)
      for f in (np.sum, np.mean, np.prod, np.var, np.std) for axis in (None, 0, (0, 1))],
]
