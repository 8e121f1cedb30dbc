"""Rules of matrix and tensor products: each is linear in every factor, some after its conjugate was taken."""

import math

import numpy as np

from ..registry import linear_rule

# Products along the last axes, or along those that ``axes`` names


def _tuple(axes):
    return axes if isinstance(axes, tuple) else (axes,)


def _from_right(axes, ndim):
    """Negative axes, which stay the same when broadcasting adds axes on the left."""
    return tuple(i - ndim if i >= 0 else i for i in _tuple(axes))


def _to_end(x, axes):
    return np.moveaxis(x, axes, tuple(range(-len(axes), 0)))


def _anywhere(transpose, place):
    """The rule of argument ``place`` of a product, given its transpose along the last axes."""

    def at(g, y, a, b, *, axes=None, axis=None, keepdims=False, dtype=None, order="K"):
        if axes is None and axis is None and not keepdims:
            return transpose(g, a, b)
        if axis is not None:
            axes = [axis] * 3
        ours, theirs, *rest = axes or (-1, -1)
        both = _from_right(ours, np.ndim(a)), _from_right(theirs, np.ndim(b))
        results = _tuple(rest[0]) if rest else (-1,)
        if keepdims:
            g = np.squeeze(g, results)
        elif rest and axis is None:
            g = _to_end(g, results)
        found = transpose(g, _to_end(a, both[0]), _to_end(b, both[1]))
        return np.moveaxis(found, tuple(range(-len(both[place]), 0)), both[place])

    return at


def _product_rule(function, a, b):
    linear_rule(function, _anywhere(a, 0), _anywhere(b, 1))


def _times_column(matrix, vector):
    return (matrix @ np.expand_dims(vector, -1))[..., 0]


def _outer(a, b):
    return np.expand_dims(a, -1) * np.expand_dims(b, -2)


def _rows(x):
    *outer, inner = np.shape(x)
    return np.reshape(x, (math.prod(outer), inner))


def _matmul_a(g, a, b):
    if np.ndim(a) == 2 == np.ndim(b):
        return g @ np.transpose(b)
    if np.ndim(b) == 1:
        return np.expand_dims(g, -1) * b
    if np.ndim(a) == 1:
        return _times_column(b, g)
    return g @ np.swapaxes(b, -1, -2)


def _matmul_b(g, a, b):
    if np.ndim(a) == 2 == np.ndim(b):
        return np.transpose(a) @ g
    if np.ndim(a) == 1:
        return g * a if np.ndim(b) == 1 else _outer(a, g)
    if np.ndim(b) == 1:
        return np.ravel(g) @ _rows(a)
    if np.ndim(b) == 2:  # one matrix for many: the sum over them is one product
        return np.transpose(_rows(a)) @ _rows(g)
    return np.swapaxes(a, -1, -2) @ g


_product_rule(np.matmul, _matmul_a, _matmul_b)
_product_rule(np.vecdot, lambda g, a, b: np.conj(np.expand_dims(g, -1) * b),
              lambda g, a, b: np.expand_dims(g, -1) * np.conj(a))
if hasattr(np, "matvec"):  # since NumPy 2.2
    _product_rule(np.matvec, lambda g, a, b: _outer(g, b), lambda g, a, b: _times_column(np.swapaxes(a, -1, -2), g))
    _product_rule(np.vecmat, lambda g, a, b: np.conj(_times_column(b, g)), lambda g, a, b: _outer(np.conj(a), g))


# Tensor products: any axes of one by any of the other

def _axes(a, b, axes):
    """For both factors: the axes that are summed, and the others."""
    m, n = np.ndim(a), np.ndim(b)
    try:
        ours, theirs = axes
    except TypeError:
        ours, theirs = range(m - axes, m), range(axes)
    ours, theirs = ([int(i) % k for i in (s if np.iterable(s) else [s])] for s, k in ((ours, m), (theirs, n)))
    return ours, theirs, [i for i in range(m) if i not in ours], [i for i in range(n) if i not in theirs]


def _arranged(x, order):
    return x if order == sorted(order) else np.transpose(x, order)


def _tensordot_a(g, y, a, b, axes=2):
    ours, theirs, outer_a, outer_b = _axes(a, b, axes)
    b = _arranged(b, [j for _, j in sorted(zip(ours, theirs, strict=True))] + outer_b)
    found = np.tensordot(g, b, (range(len(outer_a), np.ndim(g)), range(len(ours), np.ndim(b))))
    places = outer_a + sorted(ours)
    return _arranged(found, [places.index(i) for i in range(len(places))])


def _tensordot_b(g, y, a, b, axes=2):
    ours, theirs, outer_a, outer_b = _axes(a, b, axes)
    a = _arranged(a, outer_a + [i for _, i in sorted(zip(theirs, ours, strict=True))])
    found = np.tensordot(a, g, (range(len(outer_a)), range(len(outer_a))))
    places = sorted(theirs) + outer_b
    return _arranged(found, [places.index(i) for i in range(len(places))])


def _dot(product, tensor_product):
    """The transpose of ``np.dot``: multiplication by a number, a product of matrices, or one of tensors."""

    def transpose(g, y, a, b):
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            return tensor_product(g, y, a, b, 0)
        return product(g, a, b) if np.ndim(b) <= 2 else tensor_product(g, y, a, b, (-1, -2))

    return transpose


def _inner(transpose):
    return lambda g, y, a, b: transpose(g, y, a, b, 0 if np.ndim(a) == 0 or np.ndim(b) == 0 else (-1, -1))


linear_rule(np.tensordot, _tensordot_a, _tensordot_b)
linear_rule(np.dot, _dot(_matmul_a, _tensordot_a), _dot(_matmul_b, _tensordot_b))
linear_rule(np.vdot, lambda g, y, a, b: np.conj(g * np.reshape(b, np.shape(a))),
            lambda g, y, a, b: g * np.conj(np.reshape(a, np.shape(b))))
linear_rule(np.inner, _inner(_tensordot_a), _inner(_tensordot_b))
linear_rule(np.outer, lambda g, y, a, b: np.reshape(g @ np.ravel(b), np.shape(a)),
            lambda g, y, a, b: np.reshape(np.ravel(a) @ g, np.shape(b)))


def _kron(place):
    """The gradient of one factor: that of each block, times the other factor or summed against it."""

    def transpose(g, y, *factors):
        ndim = max(map(np.ndim, factors))
        shapes = [(1,) * (ndim - np.ndim(x)) + np.shape(x) for x in factors]
        blocks = np.reshape(g, [n for pair in zip(*shapes, strict=True) for n in pair])
        other, ours, theirs = 1 - place, list(range(place, 2 * ndim, 2)), list(range(1 - place, 2 * ndim, 2))
        found = np.einsum(blocks, list(range(2 * ndim)), np.reshape(factors[other], shapes[other]), theirs, ours)
        return np.reshape(found, np.shape(factors[place]))

    return transpose


linear_rule(np.kron, _kron(0), _kron(1))


def _three(x, axis):
    """``x`` with the vectors along its last axis, and a third component of 0 where there are two."""
    x = np.moveaxis(x, axis, -1)
    return x if np.shape(x)[-1] == 3 else np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1)


def _cross_a(g, y, a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    size = np.shape(a)[axisa]
    flat = size == 2 == np.shape(b)[axisb]  # the product is the third component alone
    g = np.expand_dims(g, -1) * np.array([0, 0, 1]) if flat else np.moveaxis(g, axisc, -1)
    found = np.cross(_three(b, axisb), g)[..., :size]
    return np.moveaxis(found, -1, _from_right(axisa, np.ndim(a))[0])


def _cross_b(g, y, a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    return _cross_a(-g, y, b, a, axisb, axisa, axisc, axis)


linear_rule(np.cross, _cross_a, _cross_b)
