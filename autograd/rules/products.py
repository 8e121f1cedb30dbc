"""Rules of matrix and tensor products: each is linear in every factor."""

import math
import string
from collections import Counter

import numpy as np

from ..registry import linear_rule


def _matmul_a(g, y, a, b):
    if np.ndim(a) == 2 == np.ndim(b):
        return g @ np.transpose(b)
    if np.ndim(b) == 1:
        return np.expand_dims(g, -1) * b
    if np.ndim(a) == 1:
        return (np.expand_dims(g, -2) @ np.swapaxes(b, -1, -2))[..., 0, :]
    return g @ np.swapaxes(b, -1, -2)


def _matmul_b(g, y, a, b):
    if np.ndim(a) == 2 == np.ndim(b):
        return np.transpose(a) @ g
    if np.ndim(a) == 1:
        return g * a if np.ndim(b) == 1 else np.expand_dims(a, -1) * np.expand_dims(g, -2)
    if np.ndim(b) == 1:
        return (np.swapaxes(a, -1, -2) @ np.expand_dims(g, -1))[..., 0]
    return np.swapaxes(a, -1, -2) @ g


linear_rule(np.matmul, _matmul_a, _matmul_b)


def _as_matrices(g, a, b):
    """The factors of a dot product, and its gradient, as matrices: rows of ``a`` by columns of ``b``."""
    *outer_a, inner = np.shape(a)
    outer_b = np.shape(b)[:-2] + np.shape(b)[-1:] if np.ndim(b) > 1 else ()
    m, n = math.prod(outer_a), math.prod(outer_b)
    columns = np.reshape(b if np.ndim(b) == 1 else np.moveaxis(b, -2, 0), (inner, n))
    return np.reshape(g, (m, n)), np.reshape(a, (m, inner)), columns


def _dot_a(g, y, a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return g * b
    g, _, columns = _as_matrices(g, a, b)
    return np.reshape(g @ columns.T, np.shape(a))


def _dot_b(g, y, a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return g * a
    g, rows, _ = _as_matrices(g, a, b)
    shape = np.shape(b)
    if len(shape) == 1:
        return np.reshape(rows.T @ g, shape)
    return np.moveaxis(np.reshape(rows.T @ g, (shape[-2], *shape[:-2], shape[-1])), 0, -2)


linear_rule(np.dot, _dot_a, _dot_b)
linear_rule(np.outer, lambda g, y, a, b: np.reshape(g @ np.ravel(b), np.shape(a)),
            lambda g, y, a, b: np.reshape(np.ravel(a) @ g, np.shape(b)))


def _spelled(args):
    """Subscripts with one letter per axis, for every operand and the result, and the operands."""
    if isinstance(args[0], str):
        subscripts, operands = args[0].replace(" ", ""), list(args[1:])
    else:  # the form einsum(a, [0, 1], b, [1, 2], [0, 2])
        def letters(axes):  # in the order in which einsum sorts the axes of an implicit result
            return "".join("..." if i is Ellipsis else (string.ascii_uppercase + string.ascii_lowercase)[i]
                           for i in axes)

        pairs = len(args) // 2
        operands = list(args[0 : 2 * pairs : 2])
        subscripts = ",".join(letters(axes) for axes in args[1 : 2 * pairs : 2])
        if len(args) % 2:
            subscripts += "->" + letters(args[-1])
    left, arrow, right = subscripts.partition("->")
    inputs = left.split(",")
    if not arrow:
        once = sorted(k for k, n in Counter(left.replace(",", "").replace(".", "")).items() if n == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    spare = [k for k in string.ascii_letters if k not in subscripts]
    ranks = [np.ndim(x) - len(s.replace("...", "")) for s, x in zip(inputs, operands, strict=True)]
    dots = "".join(spare[: max([n for s, n in zip(inputs, ranks, strict=True) if "..." in s], default=0)])
    inputs = [s.replace("...", dots[len(dots) - n :]) if "..." in s else s
              for s, n in zip(inputs, ranks, strict=True)]
    return inputs, right.replace("...", dots), operands, spare[len(dots) :]


def _einsum(i, g, y, *args, **kwargs):
    """The operands change places: ``g`` takes that of operand ``k``, whose subscripts become the result's."""
    inputs, out, operands, spare = _spelled(args)
    k = i - 1 if isinstance(args[0], str) else i // 2
    dtype = np.result_type(y)
    others = [j for j in range(len(operands)) if j != k]
    terms, factors = [out, *(inputs[j] for j in others)], [g, *(operands[j] for j in others)]
    wanted = ""
    for letter, n in zip(inputs[k], np.shape(operands[k]), strict=True):
        if letter in wanted:  # a diagonal was taken: its gradient goes back onto the diagonal
            other = spare.pop()
            terms.append(letter + other)
            factors.append(np.eye(n, dtype=dtype))
            wanted += other
            continue
        wanted += letter
        lengths = [m for t, f in zip(terms, factors, strict=True) for s, m in zip(t, np.shape(f), strict=True)
                   if s == letter]
        if n not in lengths:  # the sum ran along this axis of this operand alone
            terms.append(letter)
            factors.append(np.ones(n, dtype=dtype))
    if isinstance(kwargs.get("optimize"), (list, tuple)):  # a path for other operands
        kwargs["optimize"] = True
    return np.einsum(",".join(terms) + "->" + wanted, *factors, **kwargs)


linear_rule(np.einsum, each=_einsum)
