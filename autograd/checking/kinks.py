"""Where operations bend or jump: how far each is from the nearest such point, and which inputs can reach it.

A function of the table gives, for the arguments of its operation, the distance of every element to the nearest kink,
in the units of that element: of ``relu`` it is |x|, of ``maximum`` the difference of its two arguments, of ``sort``
that to the nearest neighbour. A distance of 0 is a kink or a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy._core import umath

from ..backward import reverse_pass
from ..functions import elu, hardtanh, leaky_relu, relu
from ..graph import leading_to, raw, reverse_topological
from ..lines import line_of
from ..pooling import max_pool
from ..registry import name_of
from ..value import Value
from ..windows import taps
from .recorded import Recorded

__all__ = ["KINKS", "Kink", "kink_distance", "kinks_within"]


class Kink(NamedTuple):
    """A kink that an element of an input reaches when it moves by ``distance``."""

    operation: str
    distance: float
    line: Any

    def __str__(self) -> str:
        where = f" at {self.line}" if self.line else ""
        how = "at a kink or tie" if not self.distance else f"{self.distance:.1e} from a kink or tie"
        return f"{how} of {self.operation}{where}"


def _size(x, *args, **kwargs):
    return np.abs(x)


def _apart(a, b, *args, **kwargs):
    return np.abs(np.subtract(a, b))


def _bounds(x, low=None, high=None, *args, **kwargs):
    low, high = kwargs.get("min", kwargs.get("a_min", low)), kwargs.get("max", kwargs.get("a_max", high))
    return np.minimum(np.inf if low is None else np.abs(x - low), np.inf if high is None else np.abs(x - high))


def _neighbours(x, axis: int | tuple[int, ...] | None = -1, *args, **kwargs):
    """The distance to the nearest other element along an axis or several, or of all."""
    x = np.asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    order = np.argsort(rows, -1)
    gaps = np.diff(np.take_along_axis(rows, order, -1), axis=-1)
    end = np.full((*rows.shape[:-1], 1), np.inf)
    nearest = np.minimum(np.concatenate([end, gaps], -1), np.concatenate([gaps, end], -1))
    found = np.empty_like(nearest)
    np.put_along_axis(found, order, nearest, -1)
    return np.moveaxis(found.reshape(moved.shape), range(-len(axes), 0), axes)


def _from_best(sign, default=None):
    """From the best element to the second best, and from each other one to the best."""
    def distance(x, axis=default, *args, **kwargs):
        z = sign * np.asarray(x)
        best = np.fmax.reduce(z, axis=axis, keepdims=True)
        first = z == best
        tied = np.sum(first, axis=axis, keepdims=True) > 1
        second = np.fmax.reduce(np.where(first, -np.inf, z), axis=axis, keepdims=True)
        return np.where(first, np.where(tied, 0.0, best - second), best - z)
    return distance


def _from_both_ends(x, axis=None, *args, **kwargs):
    return np.minimum(_from_best(1)(x, axis), _from_best(-1)(x, axis))


def _norm(x, ord=None, axis=None, *args, **kwargs):
    """Where the 2-norm is 0; of the norms by absolute values also each element."""
    if ord in (1, np.inf, -np.inf):
        return np.abs(x) if ord == 1 else np.minimum(np.abs(x), _neighbours(np.abs(x), axis))
    if ord not in (None, 2, "fro"):
        return np.full(np.shape(x), np.inf)
    return np.broadcast_to(np.linalg.norm(x, axis=axis, keepdims=True), np.shape(x))


def _vector_norm(x, *, axis=None, ord=2, **kwargs):
    if axis is None:
        return _norm(np.ravel(x), ord).reshape(np.shape(x))
    return _norm(x, ord, axis)


def _deviation(x, axis=None, *args, **kwargs):
    """Where all are equal, the standard deviation has a kink as the norm has at 0."""
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return np.broadcast_to(np.sqrt(np.sum(np.square(centred), axis=axis, keepdims=True)), np.shape(x))


def _eigenvalues(a, *args, **kwargs):
    """Half the distance between the two nearest eigenvalues: so much can an element move before two meet."""
    gaps = np.diff(np.linalg.eigvalsh(a), axis=-1)
    least = np.min(gaps, axis=-1) if gaps.shape[-1] else np.full(np.shape(a)[:-2], np.inf)
    return np.broadcast_to(least[..., None, None] / 2, np.shape(a))


def _singular_values(a, *args, **kwargs):
    """The smallest singular value, or half the distance between the two nearest."""
    s = np.linalg.svd(a, compute_uv=False)
    least = np.min(np.concatenate([-np.diff(s, axis=-1) / 2, s[..., -1:]], axis=-1), axis=-1)
    return np.broadcast_to(least[..., None, None], np.shape(a))


def _cut(y, x, *args, **kwargs):
    """The angle jumps by 2π where y changes its sign, left of 0."""
    return np.where(np.less(x, 0), np.abs(y), np.hypot(x, y))


def _fraction(x, *args, **kwargs):
    return np.abs(x - np.round(x))


def _both_zero(a, b, *args, **kwargs):
    return np.sqrt(np.square(a) + np.square(b))


def _quotient(a, b, *args, **kwargs):
    ratio = np.divide(a, b)
    return np.abs(ratio - np.round(ratio)) * np.abs(b)


def _nodes_of_interp(x, xp, fp, *args, **kwargs):
    return np.min(np.abs(np.subtract.outer(x, xp)), axis=-1)


def _among_all(x, *args, **kwargs):
    return _neighbours(x, None)


def _median(x, axis=None, *args, **kwargs):
    return _quantile(x, 0.5, axis)


def _percentile(x, q, axis=None, *args, **kwargs):
    return _quantile(x, np.divide(q, 100), axis)


def _quantile(x, q, axis=None, *args, **kwargs):
    """Of the elements that are taken, to the nearest other one; of others, to one of those."""
    x = np.asarray(x, float)
    axis = axis if axis is None or isinstance(axis, int) else tuple(axis)
    taken = [np.nanquantile(x, part, axis=axis, keepdims=True, method=method)
             for part in np.ravel(q) for method in ("lower", "higher")]
    apart = np.min([np.abs(x - t) for t in taken], axis=0)
    return np.where(apart == 0, _neighbours(x, axis), apart)


def _second(x, kth, axis=-1, *args, **kwargs):
    return _neighbours(x, axis)


def _running(x, axis=0, *args, **kwargs):
    return _neighbours(x, axis)


def _either_size(a, b, *args, **kwargs):
    return np.minimum(np.abs(a), np.abs(b))


def _pooled(x, kernel, stride, padding, dilation):
    """The least distance in any of the windows that see an element: as that of the maximum of each."""
    x = np.asarray(x)
    y = max_pool(x, kernel, stride, padding, dilation)
    seen = np.full((*kernel, *y.shape), -np.inf)
    joined = [((*k, slice(None), slice(None), *at), (slice(None), slice(None), *part))
              for k, at, part in taps(x.shape[2:], kernel, stride, padding, dilation)]
    for inside, part in joined:
        seen[inside] = x[part]
    apart = _from_best(1)(seen, tuple(range(len(kernel))))
    distance = np.full(x.shape, np.inf)
    for inside, part in joined:
        distance[part] = np.fmin(distance[part], apart[inside])
    return distance


KINKS: dict[Callable, Callable] = {}


def _declare(distance: Callable, *functions: Any) -> None:
    KINKS.update(dict.fromkeys(functions, distance))


_declare(_size, relu, leaky_relu, elu, np.absolute, np.fabs, np.sign, np.heaviside)
_declare(_apart, np.maximum, np.minimum, np.fmax, np.fmin)
_declare(_from_best(1), np.max, np.amax, np.nanmax)
_declare(_pooled, max_pool)
_declare(_from_best(-1), np.min, np.amin, np.nanmin)
_declare(_from_best(1, 0), np.maximum.reduce)
_declare(_from_best(-1, 0), np.minimum.reduce)
_declare(_from_both_ends, np.ptp)
_declare(_neighbours, np.sort)
_declare(_second, np.partition)
_declare(_among_all, np.unique, np.unique_values)
_declare(_median, np.median, np.nanmedian)
_declare(_quantile, np.quantile, np.nanquantile)
_declare(_percentile, np.percentile, np.nanpercentile)
_declare(_running, np.maximum.accumulate, np.minimum.accumulate)
_declare(_quotient, np.mod, np.fmod, np.remainder, np.divmod)
_declare(_fraction, np.modf)
_declare(lambda x, min_val=-1.0, max_val=1.0: _bounds(x, min_val, max_val), hardtanh)
_declare(_bounds, np.clip, vars(umath)["clip"])  # the second is what ndarray.clip calls
_declare(_norm, np.linalg.norm)
_declare(_vector_norm, np.linalg.vector_norm)
_declare(_deviation, np.std, np.nanstd)
_declare(_eigenvalues, np.linalg.eigvalsh, np.linalg.eigh)
_declare(_singular_values, np.linalg.svd, np.linalg.svdvals)
_declare(_both_zero, np.hypot)
_declare(_cut, np.arctan2)
_declare(_either_size, np.copysign)
_declare(_nodes_of_interp, np.interp)


def kink_distance(node: Value) -> np.ndarray | None:
    """How far each element of a node's first argument is from a kink of its operation; ``None`` where it has none."""
    found = KINKS.get(node.op) if node.op is not None else None
    if found is None:
        return None
    with np.errstate(all="ignore"):
        return np.asarray(found(*(raw(a) for a in node.args), **node.kwargs), float)


_NEAR = 1e-3  # of the size of an argument: what is farther from its kink is not looked at
_EACH = 8  # elements nearest to a kink that are followed back one by one


def kinks_within(record: Recorded, reach: Sequence[np.ndarray]) -> list[dict[int, Kink]]:
    """For every leaf the elements that come to a kink when they move by at most ``reach``, with the nearest one.

    A distance at an operation becomes one of the leaf by the derivative between the two.
    """
    found: list[dict[int, Kink]] = [{} for _ in record.leaves]
    for node in reversed(record.nodes):
        distance = kink_distance(node) if node in record.useful else None
        if distance is None or not distance.size:
            continue
        for arg in node.args:
            if not isinstance(arg, Value) or arg not in record.useful:
                continue
            try:
                shape = np.broadcast_shapes(distance.shape, arg.shape)
            except ValueError:  # such as the nodes of np.interp, whose kinks lie elsewhere
                continue
            flat = np.broadcast_to(distance, shape).ravel()
            near = np.flatnonzero(flat <= _NEAR * max(1.0, float(np.max(np.abs(arg.data)))))
            near = near[np.argsort(flat[near], kind="stable")]
            rest = near[_EACH:]
            with np.errstate(divide="ignore"):
                sizes = np.floor(np.log2(flat[rest]))  # the others are followed together where they are about as far
            groups = [rest[sizes == size] for size in np.unique(sizes)]
            for group in [*np.split(near[:_EACH], range(1, len(near[:_EACH]))), *groups]:
                if group.size:
                    _add(found, record, reach, node, arg, shape, flat, group)
    return found


def _add(found: list[dict[int, Kink]], record: Recorded, reach: Sequence[np.ndarray], node: Value, arg: Value,
         shape: tuple, flat: np.ndarray, group: np.ndarray) -> None:
    """Note which elements of the leaves reach the kinks of a group of elements."""
    seed = np.zeros(shape)
    seed.ravel()[group] = 1.0 if len(group) == 1 else np.random.default_rng(0).uniform(0.9, 1.0, len(group))
    distance = float(flat[group].max())
    axes = tuple(range(len(shape) - arg.ndim)) + tuple(
        len(shape) - arg.ndim + i for i, n in enumerate(arg.shape) if n != shape[len(shape) - arg.ndim + i])
    seed = np.sum(seed, axis=axes).reshape(arg.shape)
    start = float(seed) if type(arg.data) is float else seed.astype(arg.dtype)[()]
    nodes = reverse_topological(arg)
    targets = set(record.leaves)
    slopes = {leaf: g for leaf, g in reverse_pass(nodes, {arg: start}, leading_to(targets, nodes)) if leaf in targets}
    for i, leaf in enumerate(record.leaves):
        if leaf not in slopes:
            continue
        with np.errstate(all="ignore"):
            away = np.asarray(distance / np.abs(slopes[leaf]), float).ravel()
        away = np.where(np.ravel(slopes[leaf]) == 0, np.inf, away)
        for k in np.flatnonzero(away <= np.ravel(reach[i])).tolist():
            if k not in found[i] or away[k] < found[i][k].distance:
                found[i][k] = Kink(name_of(node.op), float(away[k]), line_of(node))
