"""Rows of elementwise functions: arithmetic, powers, NumPy's functions of one number, choices, activations."""

import operator

import numpy as np

from autograd.functions import elu, erf, gelu, leaky_relu, relu, sigmoid, silu, softplus
from autograd.record import astype
from tests.autograd.rows import apart, between, complex_numbers, positive, real, row, unit

__all__ = ["ROWS"]

SHAPES = [float, (3,), (2, 3)]
UNARY = [
    (np.negative, real), (np.positive, real), (np.reciprocal, real), (np.square, real), (np.sqrt, positive),
    (np.exp, real), (np.expm1, real), (np.log, positive), (np.log1p, unit), (np.sin, real), (np.cos, real),
    (np.tan, unit), (np.arctan, real), (np.sinh, real), (np.cosh, real), (np.tanh, real), (np.absolute, real),
    (np.sign, real), (np.real, real), (np.imag, real), (np.conjugate, real),
    (operator.neg, real), (operator.pos, real), (operator.abs, real),
    (relu, real), (leaky_relu, real), (sigmoid, real), (softplus, real), (silu, real), (elu, real), (erf, real),
    (gelu, real),
]
SETTINGS = [
    ("leaky_relu slope", lambda x: leaky_relu(x, 0.3)),
    ("leaky_relu slope by name", lambda x: leaky_relu(x, negative_slope=0.3)),
    ("leaky_relu slope 0", lambda x: leaky_relu(x, negative_slope=0.0)),
    ("elu alpha", lambda x: elu(x, 0.7)),
    ("elu alpha by name", lambda x: elu(x, alpha=0.7)),
    ("gelu tanh", lambda x: gelu(x, approximate="tanh")),
    ("gelu none", lambda x: gelu(x, approximate="none")),
    ("gelu tanh by position", lambda x: gelu(x, "tanh")),
    ("astype same", lambda x: astype(x, np.float64)),
    ("astype complex", lambda x: astype(x, np.complex128)),
    ("real of complex", lambda x: np.real(x * (2 + 3j))),
    ("imag of complex", lambda x: np.imag(x * (2 + 3j))),
    ("abs of complex", lambda x: np.abs(x + 2j)),
]
# The four intervals of erf's approximation, each of which the rows of `real` need not meet.
ERF_POINTS = [0.3, 1.0, 2.0, 3.5, -0.5, -1.1, -2.2, -4.5]

BROADCASTS = [
    (float, float), ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 3), float),
    (float, (2, 3)), ((1,), (2, 3)), ((2, 3), (1, 1)), ((2, 1, 3), (4, 1)),
]
BINARY = [
    (np.add, real, real), (np.subtract, real, real), (np.multiply, real, real), (np.divide, real, real),
    (np.power, positive, real), (np.maximum, apart, between), (np.minimum, apart, between),
    (operator.add, real, real), (operator.sub, real, real), (operator.mul, real, real), (operator.truediv, real, real),
    (operator.pow, positive, real),
]
WITH_CONSTANT = [
    ("add", operator.add), ("sub", operator.sub), ("mul", operator.mul), ("truediv", operator.truediv),
    ("pow", operator.pow),
]
CONSTANTS = [3, 0.5, np.float64(0.5), np.array([0.5, 2.0, 3.0]), np.array([1, 2, 3]), np.array(2.0), True]

INTEGER_POWERS = [0, 1, 2, 3, -1, -2, 2.0, -3.0, np.float64(3), np.int64(2), np.array(2), np.array([2, 3, 0]),
                  np.array([0.0, 1.0, -2.0])]
REAL_POWERS = [0.5, 2.5, -0.5, 1.5, np.float64(0.25), np.array([0.5, 0.0, -1.5])]

COMPLEX = [np.negative, np.positive, np.reciprocal, np.square, np.sqrt, np.exp, np.expm1, np.log, np.log1p, np.sin,
           np.cos, np.tan, np.arctan, np.sinh, np.cosh, np.tanh, np.absolute, np.real, np.imag, np.conjugate]
COMPLEX_BINARY = [np.add, np.subtract, np.multiply, np.divide, np.power]


def label(x) -> str:
    if not callable(x):
        return " ".join(repr(x).split())
    return f"operator.{x.__name__}" if getattr(x, "__module__", None) == "_operator" else x.__name__


def below(rng, shape):
    return apart(rng, shape) - 0.25


def above(rng, shape):
    return apart(rng, shape) + 0.17


MASK = np.array([[True, False, True], [False, False, True]])
CHOICES = [
    ("clip", lambda x: np.clip(x, -0.15, 0.15), [(2, 3)], apart),
    ("clip of a float", lambda x: np.clip(x, -0.15, 0.15), [float], between),
    ("clip integers", lambda x: np.clip(x, 0, 1), [(2, 3)], between),
    ("clip below alone", lambda x: np.clip(x, -0.05, None), [(2, 3)], apart),
    ("clip above alone", lambda x: np.clip(x, None, 0.05), [(2, 3)], apart),
    ("clip a_min= a_max=", lambda x: np.clip(x, a_min=-0.15, a_max=0.15), [(2, 3)], apart),
    ("clip min= max=", lambda x: np.clip(x, min=-0.15, max=0.15), [(2, 3)], apart),
    ("clip min=", lambda x: np.clip(x, min=-0.15), [(2, 3)], apart),
    ("clip max=", lambda x: np.clip(x, max=0.15), [(2, 3)], apart),
    ("clip method", lambda x: x.clip(-0.15, 0.15), [(2, 3)], apart),
    ("clip by arrays", np.clip, [(2, 3), (2, 3), (2, 3)], (apart, below, above)),
    ("clip by broadcast arrays", np.clip, [(2, 3), (3,), (2, 1)], (apart, below, above)),
    ("clip by floats", np.clip, [(2, 3), float, float], (apart, below, above)),
    ("clip all floats", np.clip, [float, float, float], (apart, below, above)),
    ("clip bounds crossed", np.clip, [(2, 3), (3,), (3,)], (apart, above, below)),
    ("clip above array alone", lambda x, high: np.clip(x, None, high), [(2, 3), (3,)], (apart, above)),
    ("clip below array alone", lambda x, low: np.clip(x, low, None), [(2, 3), (3,)], (apart, below)),
    ("clip below array, number above", lambda x, low: np.clip(x, low, 0.13), [(2, 3), (3,)], (apart, below)),
    ("clip a_max by name", lambda x, high: np.clip(x, -0.13, a_max=high), [(2, 3), (3,)], (apart, above)),
    ("clip both by name", lambda x, low, high: np.clip(x, a_min=low, a_max=high), [(2, 3), (3,), (3,)],
     (apart, below, above)),
    ("where", lambda a, b: np.where(MASK, a, b), [(2, 3), (2, 3)], real),
    ("where broadcast", lambda a, b: np.where(MASK, a, b), [(3,), (2, 1)], real),
    ("where float and array", lambda a, b: np.where(MASK, a, b), [float, (3,)], real),
    ("where of floats", lambda a, b: np.where(MASK, a, b), [float, float], real),
    ("where true", lambda a, b: np.where(True, a, b), [float, float], real),
    ("where false", lambda a, b: np.where(False, a, b), [(3,), (3,)], real),
    ("where condition broadcast", lambda a, b: np.where(MASK[:, :1], a, b), [(3,), (2, 3)], real),
    ("where list condition", lambda a, b: np.where([True, False, True], a, b), [(3,), (2, 3)], real),
    ("where of its own sign", lambda a, b: np.where(a > 0, a * b, b), [(2, 3), (3,)], real),
    ("maximum with a number", lambda a: np.maximum(a, 0), [(2, 3)], real),
    ("minimum with a number", lambda a: np.minimum(0.0, a), [(2, 3)], real),
    ("maximum of floats", lambda a: np.maximum(0.3, a), [float], real),
    ("maximum with a list", lambda a: np.maximum(a, [0.01, 0.02, 0.03]), [(2, 3)], real),
]

ROWS = [
    *[row(f"{label(f)} {shape}", f, shape, domain=domain) for f, domain in UNARY for shape in SHAPES],
    *[row(f"{name} {shape}", f, shape) for name, f in SETTINGS for shape in SHAPES],
    *[row(f"{label(f)} at {x}", lambda v, f=f, x=x: f(v + x), float, domain=lambda rng, shape: np.zeros(shape))
      for f in (erf, gelu) for x in ERF_POINTS],
    *[row(f"{label(f)} {a} {b}", f, a, b, domain=domains) for f, *domains in BINARY for a, b in BROADCASTS],
    *[row(f"v {name} {label(c)} {shape}", lambda v, op=op, c=c: op(v, c), shape, domain=positive)
      for name, op in WITH_CONSTANT for c in CONSTANTS for shape in (float, (3,), (2, 3))],
    *[row(f"{label(c)} {name} v {shape}", lambda v, op=op, c=c: op(c, v), shape, domain=positive)
      for name, op in WITH_CONSTANT for c in CONSTANTS for shape in (float, (3,), (2, 3))],
    *[row(f"v {name} list", lambda v, op=op: op(v, [0.5, 2.0, 3.0]), (2, 3), domain=positive)
      for name, op in WITH_CONSTANT],
    *[row(f"list {name} v", lambda v, op=op: op([0.5, 2.0, 3.0], v), (2, 3), domain=positive)
      for name, op in WITH_CONSTANT],
    *[row(f"{label(f)} of a list", lambda v, f=f: f([0.5, 2.0, 3.0], v), (2, 3), domain=positive)
      for f in (np.add, np.multiply, np.divide, np.power)],
    *[row(f"v**{label(p)} {shape}", lambda v, p=p: v**p, shape) for p in INTEGER_POWERS for shape in (float, (3,))],
    *[row(f"power(v, {label(p)}) {shape}", lambda v, p=p: np.power(v, p), shape)
      for p in INTEGER_POWERS for shape in (float, (3,))],
    *[row(f"v**{label(p)} {shape}, v > 0", lambda v, p=p: v**p, shape, domain=positive)
      for p in REAL_POWERS for shape in (float, (3,))],
    *[row(name, f, *shapes, domain=domain) for name, f, shapes, domain in CHOICES],
    *[row(f"complex {label(f)} {shape}", f, shape, domain=complex_numbers) for f in COMPLEX for shape in ((), (3,))],
    *[row(f"complex {label(f)} {a} {b}", f, a, b, domain=complex_numbers)
      for f in COMPLEX_BINARY for a, b in [((3,), (3,)), ((2, 3), (1, 3)), ((), (2,))]],
    *[row(f"{label(f)} of complex and real", f, (2, 3), (3,), domain=(complex_numbers, positive))
      for f in COMPLEX_BINARY],
    *[row(f"{label(f)} of real and complex", f, (3,), (2, 3), domain=(positive, complex_numbers))
      for f in COMPLEX_BINARY],
    row("complex where", lambda a, b: np.where(MASK, a, b), (2, 3), (3,), domain=(complex_numbers, real)),
    row("complex v**2", lambda v: v**2, (3,), domain=complex_numbers),
    row("complex v**-1", lambda v: v**-1, (3,), domain=complex_numbers),
    row("complex scalar v**3", lambda v: v**3, (), domain=complex_numbers),
    row("complex std of real", lambda v: np.abs(v) ** 2, (3,), domain=complex_numbers),
    row("complex astype", lambda v: astype(v, np.complex128), (3,), domain=complex_numbers),
]
