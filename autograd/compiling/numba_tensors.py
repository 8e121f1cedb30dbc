"""Products of matrices and tensors as loops: the indices of the result, then those that are summed."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .numba_scalars import Formula
from .numba_steps import Here, View, contiguous, is_good, size_of
from .program import Var

__all__ = ["TRANSLATORS"]


def _matmul(here: Here, a: Any, b: Any, **kwargs: Any) -> bool:
    if kwargs or not (is_good(a, b) and all(isinstance(v, (Var, np.ndarray)) for v in (a, b))):
        return False
    if any(isinstance(v, Var) and v.python is not None for v in (a, b)):
        return False
    out = here.op.out
    left, right = here.operand(a, a.shape), here.operand(b, b.shape)
    if out.dtype.kind == "b":
        return False
    target = here.result()
    m, k = (left.shape[-2] if left.shape[1:] else 1), left.shape[-1]
    n = right.shape[-1] if right.shape[1:] else 1
    if not left.shape[1:]:
        left = View(left.root, (1, k), (0, *left.strides), left.offset)
    if not right.shape[1:]:
        right = View(right.root, (k, 1), (*right.strides, 0), right.offset)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left, right = left.to((*batch, m, k)), right.to((*batch, k, n))
    target = View(target.root, (*batch, m, n), contiguous((*batch, m, n)))
    if batch and not any(right.strides[:-2]) and _one_axis(left.shape[:-1], left.strides[:-1]):  # one tall matrix
        rows = size_of((*batch, m))
        left = View(left.root, (rows, k), left.strides[-2:], left.offset)
        right = View(right.root, (k, n), right.strides[-2:], right.offset)
        target, batch, m = View(target.root, (rows, n), (n, 1)), (), rows
    formula = Formula("{0} * {1}", (out.dtype,) * 3)
    d = len(batch)
    domain = (*batch, m, n, k)
    operands = (View(left.root, domain, (*left.strides[:d], left.strides[d], 0, left.strides[d + 1]), left.offset),
                View(right.root, domain, (*right.strides[:d], 0, right.strides[d + 1], right.strides[d]), right.offset))
    here.loop(target, domain, formula, operands, "sum", (d + 2,))
    return True


def _one_axis(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether axes are one in memory."""
    return all(s == n * t for s, t, n in zip(strides, strides[1:], shape[1:], strict=False))


def _dot(here: Here, a: Any, b: Any, **kwargs: Any) -> bool:
    ndims = [v.ndim if isinstance(v, (Var, np.ndarray)) else 0 for v in (a, b)]
    return min(ndims) > 0 and max(ndims) <= 2 and _matmul(here, a, b, **kwargs)


def _einsum(here: Here, subscripts: Any, *operands: Any, **kwargs: Any) -> bool:
    """One or two operands, letters only: a loop over all letters, those that the result lacks summed."""
    kwargs.pop("optimize", None)
    if kwargs or not isinstance(subscripts, str) or "." in subscripts or len(operands) not in (1, 2):
        return False
    if not all(isinstance(v, Var) and v.python is None for v in operands) or here.op.out.dtype.kind == "b":
        return False
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if not arrow:
        output = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    summed = sorted(set(inputs) - {","} - set(output))
    letters = [*output, *summed]
    sizes = {c: n for term, v in zip(terms, operands, strict=True) for c, n in zip(term, v.shape, strict=True)
             if n != 1}
    domain = tuple(sizes.get(c, 1) for c in letters)
    views = []
    for term, v in zip(terms, operands, strict=True):
        view = here.view(v).to(v.shape)
        strides = tuple(sum(s for t, s in zip(term, view.strides, strict=True) if t == c) for c in letters)
        views.append(View(view.root, domain, strides, view.offset))
    if len(views) == 2 and len(letters) == 3 and views[0].strides[1]:
        views.reverse()  # rows on the left, columns on the right: a product of matrices
    dtype = here.op.out.dtype
    formula = Formula("{0} * {1}" if len(views) == 2 else "{0}", (dtype,) * (len(views) + 1))
    axes = tuple(range(len(output), len(letters)))
    here.loop(here.result(), domain, formula, tuple(views), "sum" if axes else "", axes)
    return True


TRANSLATORS: dict[Any, Callable[..., bool]] = {
    np.matmul: _matmul, operator.matmul: _matmul, np.dot: _dot, np.einsum: _einsum,
}
