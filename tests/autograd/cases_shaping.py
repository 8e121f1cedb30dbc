"""Cases of functions that move, join, split, repeat or pad."""

import numpy as np

from tests.autograd.cases import case
from tests.autograd.rows import apart, positive

__all__ = ["CASES"]

windows = np.lib.stride_tricks.sliding_window_view


def uneven(rng, shape):
    """All different, and so are their means."""
    return np.exp(apart(rng, shape))


SHAPE = [
    case(np.reshape, lambda n, m: [(n, m)], lambda x: np.reshape(x.T, (-1,), order="A"), name="A", complex=True),
    case(np.reshape, lambda n, m: [(n, m)], lambda x: np.reshape(x, np.shape(x)[::-1], "F"), name="F"),
    case(np.ravel, lambda n, m: [(n, m)], lambda x: np.ravel(x.T, "A"), name="A"),
    case(np.ravel, lambda n, m, k: [(n, m, k)], lambda x: np.ravel(np.transpose(x, (1, 0, 2)), order="K"), name="K",
         complex=True),
    case(np.squeeze, lambda n: [(1, n, 1)], lambda x: np.squeeze(x, (0, -1)), name="axes"),
    case(np.expand_dims, lambda n: [(n,)], lambda x: np.expand_dims(x, (0, -1, 2)), name="axes"),
    case(np.atleast_1d, 2, complex=True),
    case(np.atleast_2d, 3, complex=True),
    *[case(np.atleast_3d, n, name=f"{n}") for n in (1, 2)],
    case(np.swapaxes, lambda n, m: [(2, n, m)], lambda x: np.swapaxes(x, 0, -1)),
    case(np.matrix_transpose, lambda n, m: [(2, n, m)], complex=True),
    case(np.transpose, lambda n, m: [(2, n, m)], lambda x: np.permute_dims(x, (2, -3, 1)), complex=True),
    case(np.moveaxis, lambda n, m: [(2, n, m)], lambda x: np.moveaxis(x, (0, -1), (1, 0))),
    *[case(np.rollaxis, lambda n, m: [(2, n, m, 3)], lambda x, args=args: np.rollaxis(x, *args), name=f"{args}")
      for args in ((2,), (0, 3), (-1, -2), (1, 4))],
    case(np.flip, lambda n, m: [(2, n, m)], lambda x: np.flip(x, (0, -1)), complex=True),
    case(np.fliplr, lambda n, m: [(2, n, m)], complex=True),
    case(np.flipud, lambda n, m: [(n, m)]),
    case(np.rot90, lambda n, m: [(n, m)], complex=True),
    case(np.rot90, lambda n, m: [(2, n, m)], lambda x: np.rot90(x, k=-3, axes=(2, 0)), name="axes"),
    case(np.rot90, lambda n, m: [(n, m)], lambda x: np.rot90(x, 2), name="twice"),
    case(np.roll, lambda n, m: [(n, m)], lambda x: np.roll(x, 1), name="all", complex=True),
    case(np.roll, lambda n, m: [(n, m)], lambda x: np.roll(x, (1, -2), axis=(0, -1)), name="axes"),
    case(np.roll, lambda n, m: [(n, m)], lambda x: np.roll(x, 5, (0, 1)), name="one shift"),
]
REPEAT = [
    case(np.broadcast_to, lambda n, m: [(n, 1, m)], lambda x: np.broadcast_to(x, (2, len(x), 3, np.shape(x)[-1])),
         complex=True),
    case(np.broadcast_arrays, 3, complex=True),
    case(np.meshgrid, lambda n, m: [(n,), (m,), ()], complex=True),
    case(np.meshgrid, lambda n, m: [(n,), (m,)], lambda a, b: np.meshgrid(a, b, sparse=True, indexing="ij"),
         name="sparse"),
    case(np.tile, lambda n, m: [(n, m)], lambda x: np.tile(x, 2), name="number", complex=True),
    case(np.tile, lambda n, m: [(n, m)], lambda x: np.tile(x, (2, 3, 1)), name="more axes"),
    case(np.tile, lambda n, m: [(2, n, m)], lambda x: np.tile(x, [0, 3]), name="none"),
    case(np.repeat, lambda n, m: [(n, m)], lambda x: np.repeat(x, 3), name="number", complex=True),
    case(np.repeat, lambda n, m: [(2, n, m)], lambda x: np.repeat(x, [2], axis=-2), name="axis"),
    case(np.repeat, lambda n, m: [(n, m)], lambda x: np.repeat(x, np.arange(np.shape(x)[1]), axis=1), name="each",
         complex=True),
    case(np.repeat, lambda n, m: [(n, m)], lambda x: x.repeat(np.arange(x.size)[::-1]), name="each of all"),
    case(np.resize, lambda n, m: [(n, m)], lambda x: np.resize(x, (3, 4)), complex=True),
    case(np.diag, lambda n: [(n,)], lambda x: np.diag(x, -1), name="made", complex=True),
    case(np.diag, lambda n, m: [(n, m)], lambda x: np.diag(x, k=1), name="taken"),
    case(np.diagflat, lambda n, m: [(n, m)], lambda x: np.diagflat(x, 2), complex=True),
    case(np.diagonal, lambda n, m: [(n, 2, m)], lambda x: np.diagonal(x, -1, axis1=2, axis2=0), complex=True),
    case(np.trace, lambda n, m: [(n, 2, m)], lambda x: np.trace(x, 1, -1, 0), complex=True),
    case(np.trace, lambda n, m: [(n, m)], lambda x: np.trace(x, dtype=complex), name="dtype"),
    *[case(f, lambda n, m: [(2, n, m)], lambda x, f=f: f(x, -1), complex=True) for f in (np.tril, np.triu)],
    case(np.tril, lambda n: [(n,)], lambda x: np.tril(x, k=1), name="of a row"),
    case(np.trim_zeros, lambda n: [(n,)], lambda x: np.trim_zeros(np.pad(x, (2, 1))), complex=True),
    case(np.trim_zeros, lambda n: [(n,)], lambda x: np.trim_zeros(np.pad(x, (2, 1)), "f"), name="front"),
    case(np.trim_zeros, lambda n, m: [(n, m)], lambda x: np.trim_zeros(np.pad(x, (2, 1)), "b", axis=-1), name="axis"),
    case(windows, lambda n, m: [(n + 1, m)], lambda x: windows(x, 2, axis=0), name="axis", complex=True),
    case(windows, lambda n, m: [(n + 1, m + 2)], lambda x: windows(x, (2, 3)), name="all"),
    case(windows, lambda n, m: [(m, n + 2)], lambda x: windows(x, window_shape=(2, 2), axis=(-1, 1)), name="twice"),
]
JOIN = [
    *[case(f, lambda n: [(n,), (n,), (n,)], lambda a, b, c, f=f: f([a, b, c]), name="rows", complex=True)
      for f in (np.vstack, np.hstack, np.dstack, np.column_stack)],
    case(np.concatenate, lambda n, m: [(n, m), (n, 2)], lambda a, b: np.concat((a, b, np.ones_like(b)), -1)),
    case(np.concatenate, 2, lambda a, b: np.concatenate([a, 3.0, b], None), name="of all", complex=True),
    case(np.stack, lambda n, m: [(n, m), (n, m)], lambda a, b: np.stack([a, b], axis=-2), complex=True),
    case(np.vstack, lambda n, m: [(m,), (n, m)], lambda a, b: np.vstack([a, b, [0.5] * np.shape(a)[0]]), name="mixed"),
    case(np.vstack, lambda n, m: [(2, n, m)], name="one array"),
    case(np.hstack, lambda n: [(), (n,)], lambda a, b: np.hstack((a, 1.0, b)), name="numbers"),
    case(np.hstack, lambda n, m: [(n, m), (n, 2)], lambda a, b: np.hstack([a, b, b]), name="matrices"),
    case(np.dstack, lambda n, m: [(n, m), (n, m, 2)], lambda a, b: np.dstack((a, b)), name="mixed"),
    case(np.dstack, lambda n: [(), (1, n)[:1]], lambda a, b: np.dstack([a, b]), name="numbers"),
    case(np.column_stack, lambda n, m: [(n,), (n, m)], lambda a, b: np.column_stack([a, b]), name="mixed"),
    case(np.append, 2, np.append, name="of all", complex=True),
    case(np.append, lambda n, m: [(n, m), (n, 2)], lambda a, b: np.append(a, b, axis=-1), name="axis"),
    case(np.block, lambda n, m: [(n, m), (n, 1), (m,)], lambda a, b, c: np.block([[a, b], [c, 2.0]]), name="matrix",
         complex=True),
    case(np.block, lambda n, m: [(n, m), (n, m)], lambda a, b: np.block([[[a], [b]], [[b], [np.ones_like(a)]]]),
         name="three deep"),
    case(np.block, 1, name="one array"),
    case(np.block, lambda n: [(), (n,)], lambda a, b: np.block([a, b, a]), name="row"),
]
SPLIT = [
    case(np.split, lambda n: [(2 * n,)], lambda x: np.split(x, 2), complex=True),
    case(np.split, lambda n, m: [(n, m)], lambda x: np.split(x, [3, 1], -1), name="overlapping", complex=True),
    case(np.split, lambda n, m: [(n, m)], lambda x: np.split(x, (1, -1, 5)), name="decreasing"),
    case(np.array_split, lambda n, m: [(n, m)], lambda x: np.array_split(x, 3, axis=1)),
    case(np.array_split, lambda n, m: [(n, m)], lambda x: np.array_split(x, [2, 2, 1, 3]), name="overlapping"),
    case(np.hsplit, lambda n: [(3 * n,)], lambda x: np.hsplit(x, 3), name="of a row"),
    case(np.hsplit, lambda n, m: [(n, m)], lambda x: np.hsplit(x, [2, 1]), complex=True),
    case(np.vsplit, lambda n, m: [(2 * n, m)], lambda x: np.vsplit(x, 2), complex=True),
    case(np.dsplit, lambda n, m: [(n, m, 4)], lambda x: np.dsplit(x, [1, 2]), complex=True),
    case(np.unstack, lambda n, m: [(n, m, 2)], lambda x: np.unstack(x, axis=-2), complex=True),
]
WIDTHS = ((1, 2), (0, 3))
PAD = [
    *[case(np.pad, lambda n, m: [(n, m)], lambda x, options=options: np.pad(x, WIDTHS, **options),
           name=" ".join(map(str, options.values())), complex=options["mode"] == "linear_ramp",
           domain=uneven if options["mode"] in ("maximum", "minimum", "median") else positive)
      for options in (
          {"mode": "constant", "constant_values": ((1.0, 2.0), (3.0, 4.0))}, {"mode": "edge"}, {"mode": "wrap"},
          {"mode": "linear_ramp", "end_values": (1.0, 2.0)}, {"mode": "reflect"}, {"mode": "symmetric"},
          {"mode": "reflect", "reflect_type": "odd"}, {"mode": "symmetric", "reflect_type": "odd"},
          {"mode": "maximum"}, {"mode": "minimum", "stat_length": 2}, {"mode": "mean"}, {"mode": "median"},
          {"mode": "mean", "stat_length": ((1, 2), (3, 1))}, {"mode": "median", "stat_length": ((2,), (3,))})],
    case(np.pad, lambda n, m: [(n, m)], lambda x: np.pad(x, {-1: (1, 2)}, "empty")[:, 1:1 + np.shape(x)[1]],
         name="empty"),
]
CASES = [*SHAPE, *REPEAT, *JOIN, *SPLIT, *PAD]
