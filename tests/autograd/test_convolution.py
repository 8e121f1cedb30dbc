"""Convolution and pooling against loops over every number, at any sizes; the other array types; and every error."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, explain_nan, grad, jacobian, jit, make_hvp, make_jvp, per_example_gradients
from autograd.compiling.tracer import Tracer
from autograd.functions import avg_pool, convolve, convolve_filters, convolve_input, max_pool
from autograd.pooling import avg_pool_input, max_pool_along, max_pool_input
from autograd.windows import chunks, output_sizes, taps
from tests.autograd.compiling.same import EVERY_BACKEND, assert_same

RNG = np.random.default_rng(0)
PLAIN = (1, 1), ((0, 0), (0, 0)), (1, 1), 1


def padded(x, padding, value=0.0):
    """With rows added, or cropped where the padding is negative."""
    x = np.pad(x, ((0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in padding)), constant_values=value)
    return x[(..., *(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape[2:], padding, strict=True)))]


def places(x, kernel, stride, dilation):
    """Each place of a window, with the numbers that it sees, (N, C, *kernel)."""
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)]
    for place in np.ndindex(*counts):
        yield place, x[(..., *(slice(p * s, p * s + d * (k - 1) + 1, d) for p, s, d, k in zip(
            place, stride, dilation, kernel, strict=True)))]


def by_hand(x, w, stride, padding, dilation, groups):
    x = padded(x, padding)
    seen = dict(places(x, w.shape[2:], stride, dilation))
    y = np.zeros((len(x), len(w), *np.add(max(seen), 1)))
    inside, outside = w.shape[1], len(w) // groups
    for place, window in seen.items():
        for o in range(len(w)):
            first = o // outside * inside
            y[(slice(None), o, *place)] = np.sum(window[:, first: first + inside] * w[o], tuple(range(1, x.ndim)))
    return y


def sizes(axes, least=1, most=3):
    return st.tuples(*[st.integers(least, most)] * axes)


@st.composite
def convolutions(draw, paddings=(0, 3)):
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel, stride, dilation = draw(sizes(axes)), draw(sizes(axes)), draw(sizes(axes))
    padding = draw(st.tuples(*[st.tuples(*[st.integers(*paddings)] * 2)] * axes))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    shape = tuple(max(span - sum(pad), 1) + draw(st.integers(0, 3)) for span, pad in zip(spans, padding, strict=True))
    n, c, o = draw(sizes(3))
    x, w = RNG.normal(size=(n, c * groups, *shape)), RNG.normal(size=(o * groups, c, *kernel))
    return x, w, stride, padding, dilation, groups


@settings(derandomize=True, deadline=None, database=None, max_examples=150)
@given(convolutions())
def test_convolution_is_sums_by_hand(problem):
    x, w, *settings = problem
    y = by_hand(*problem)
    np.testing.assert_allclose(convolve(*problem), y, rtol=1e-12, atol=1e-12)
    g = RNG.normal(size=y.shape)
    total = np.sum(g * y)
    back = convolve_input(g, w, x.shape[2:], *settings)
    filters = convolve_filters(g, x, w.shape[2:], *settings)
    assert (back.shape, filters.shape) == (x.shape, w.shape)
    np.testing.assert_allclose([np.sum(back * x), np.sum(filters * w)], total, rtol=1e-10, atol=1e-10)
    for same in (np.asfortranarray(x), np.ascontiguousarray(x.T).T):
        np.testing.assert_allclose(convolve(same, w, *settings), y, rtol=1e-12, atol=1e-12)


@settings(derandomize=True, deadline=None, database=None, max_examples=30)
@given(convolutions(paddings=(-1, 1)))
def test_negative_padding_crops(problem):
    np.testing.assert_allclose(convolve(*problem), by_hand(*problem), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_many_examples_go_in_chunks(dtype):
    """More than fit into one, the last of which is smaller."""
    x, w = RNG.normal(size=(17, 2, 40, 40)).astype(dtype), RNG.normal(size=(3, 2, 5, 5)).astype(dtype)
    assert len(list(chunks(17, 2, 5, 5, 40, 40, dtype=dtype))) > 2
    y = convolve(x, w, (1, 1), ((2, 2), (2, 2)), (1, 1), 1)
    assert y.dtype == dtype
    some = [0, 8, 16]
    np.testing.assert_allclose(y[some], convolve(x[some], w, (1, 1), ((2, 2), (2, 2)), (1, 1), 1), rtol=1e-5, atol=1e-4)
    back = convolve_input(y, w, (40, 40), (1, 1), ((2, 2), (2, 2)), (1, 1), 1)
    filters = convolve_filters(y, x, (5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1)
    assert back.dtype == filters.dtype == dtype
    total = np.sum(y * y)
    np.testing.assert_allclose([np.sum(back * x), np.sum(filters * w)], total, rtol=1e-4)


def test_no_examples_give_no_results():
    x, w, g = np.zeros((0, 2, 5, 5)), np.ones((3, 2, 3, 3)), np.zeros((0, 3, 3, 3))
    assert convolve(x, w, *PLAIN).shape == g.shape
    assert convolve_input(g, w, (5, 5), *PLAIN).shape == x.shape
    np.testing.assert_array_equal(convolve_filters(g, x, (3, 3), *PLAIN), np.zeros(w.shape))


# Pooling


@st.composite
def pools(draw):
    axes = draw(st.integers(1, 3))
    kernel, stride, dilation = draw(sizes(axes)), draw(sizes(axes)), draw(sizes(axes, most=2))
    padding = draw(st.tuples(*[st.tuples(*[st.integers(0, 2)] * 2)] * axes))
    padding = tuple((min(a, k - 1), min(b, k - 1)) for (a, b), k in zip(padding, kernel, strict=True))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    shape = tuple(span + draw(st.integers(0, 4)) for span in spans)
    x = RNG.permutation(2 * int(np.prod(shape))).reshape(1, 2, *shape) / 10
    return x, kernel, stride, padding, dilation


@settings(derandomize=True, deadline=None, database=None, max_examples=100)
@given(pools())
def test_pooling_is_the_largest_and_the_mean_by_hand(problem):
    x, kernel, stride, padding, dilation = problem
    y, tangent = max_pool(*problem), RNG.normal(size=x.shape)
    found = dict(places(padded(x, padding, -np.inf), kernel, stride, dilation))
    assert y.shape == (1, 2, *np.add(max(found), 1))
    along, moves = padded(tangent, padding), max_pool_along(tangent, x, y, kernel, stride, padding, dilation)
    for (place, window), (_, moving) in zip(found.items(), places(along, kernel, stride, dilation), strict=True):
        for c in range(2):
            assert y[(0, c, *place)] == window[0, c].max()
            assert moves[(0, c, *place)] == moving[0, c].ravel()[window[0, c].argmax()]
    g = RNG.normal(size=y.shape)
    np.testing.assert_allclose(np.sum(max_pool_input(g, x, y, kernel, stride, padding, dilation) * tangent),
                               np.sum(g * moves), rtol=1e-10, atol=1e-12)
    ones = (1,) * len(kernel)
    for include in (True, False):
        means = avg_pool(x, kernel, stride, padding, include)
        there = places(padded(np.ones(x.shape), padding), kernel, stride, ones)
        for (place, window), (_, real) in zip(places(padded(x, padding), kernel, stride, ones), there, strict=True):
            count = window[0, 0].size if include else real[0, 0].sum()
            np.testing.assert_allclose(means[(0, 0, *place)], window[0, 0].sum() / count, rtol=1e-12, atol=1e-12)


def test_ties_share_the_gradient():
    x = Value(np.array([[[0.0, 0.0, 3.0, 1.0, 2.0, 2.0]]]))
    settings = (3,), (1,), ((0, 0),), (1,)
    y = max_pool(x, *settings)
    y.sum().backward()
    np.testing.assert_array_equal(y.data, [[[3, 3, 3, 2]]])
    np.testing.assert_array_equal(x.grad, [[[0, 0, 3, 0, 0.5, 0.5]]])
    _, moved = make_jvp(lambda x: max_pool(x, *settings))(x.data)(np.arange(6.0).reshape(1, 1, 6))
    np.testing.assert_array_equal(moved, [[[2, 2, 2, 4.5]]])


def test_nan_and_infinities_in_windows():
    x = np.array([[[np.nan, 1.0, -np.inf, -np.inf, np.inf, 2.0]]])
    settings = (2,), (2,), ((0, 0),), (1,)
    np.testing.assert_array_equal(max_pool(x, *settings), [[[np.nan, -np.inf, np.inf]]])
    np.testing.assert_array_equal(grad(lambda x: np.sum(max_pool(x, *settings)))(x), [[[1, 0, 0.5, 0.5, 1, 0]]])
    padded = (3,), (2,), ((1, 1),), (1,)
    np.testing.assert_array_equal(max_pool(np.full((1, 1, 3), -np.inf), *padded), np.full((1, 1, 2), -np.inf))
    gradient = grad(lambda x: np.sum(max_pool(x, *padded)))(np.full((1, 1, 2), -5.0))
    np.testing.assert_array_equal(gradient, [[[0.5, 0.5]]])


def test_whole_numbers_are_pooled_as_floats():
    x = np.array([[[1, 5, -2, -3]]])
    y = max_pool(x, (2,), (2,), ((0, 0),), (1,))
    np.testing.assert_array_equal(y, [[[5.0, -2.0]]], strict=True)
    np.testing.assert_array_equal(avg_pool(x, (2,), (2,), ((0, 0),), True), [[[3.0, -2.5]]], strict=True)


# Derivatives


def cost(x, w):
    """Of one image, through all primitives."""
    y = convolve(np.reshape(x, (1, *x.shape)), w, (1, 1), ((1, 1), (0, 1)), (1, 1), 1)
    y = max_pool(np.tanh(y), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    return np.sum(avg_pool(y, (2, 2), (1, 1), ((1, 1), (1, 1)), False) ** 2)


def test_gradients_of_each_example():
    x, w = RNG.normal(size=(4, 2, 6, 5)), RNG.normal(size=(3, 2, 3, 2))
    got = per_example_gradients(lambda w, x: cost(x, w), w, x)
    np.testing.assert_allclose(got, [grad(lambda w, x=row: cost(x, w))(w) for row in x], rtol=1e-12)


def test_jacobians_and_products_with_hessians():
    x, w = RNG.normal(size=(1, 2, 4, 3)), RNG.normal(size=(2, 2, 2, 2))
    matrix = jacobian(lambda w: convolve(x, w, *PLAIN))(w)
    np.testing.assert_allclose(np.tensordot(matrix, w, 4), convolve(x, w, *PLAIN), rtol=1e-12)
    settings = (2, 2), (1, 1), ((0, 0), (0, 0)), True
    matrix = jacobian(lambda x: avg_pool(x, *settings))(x)
    np.testing.assert_allclose(np.tensordot(matrix, x, 4), avg_pool(x, *settings), rtol=1e-12)
    y = max_pool(x, *settings[:3], (1, 1))
    matrix = jacobian(lambda x: max_pool(x, *settings[:3], (1, 1)))(x)
    np.testing.assert_allclose(np.tensordot(matrix, x, 4), y, rtol=1e-12)
    v, step = RNG.normal(size=w.shape), 1e-5
    product = make_hvp(lambda w: cost(x[0], w))(w)[0](v)
    slope = grad(lambda w: cost(x[0], w))
    np.testing.assert_allclose(product, (slope(w + step * v) - slope(w - step * v)) / (2 * step), rtol=1e-6, atol=1e-8)


@EVERY_BACKEND
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_jitted_they_are_the_same(backend, dtype):
    x, w = RNG.normal(size=(2, 6, 5)).astype(dtype), RNG.normal(size=(3, 2, 3, 2)).astype(dtype)
    slopes = grad(cost, (0, 1))
    jitted = jit(slopes, backend=backend)
    for _ in range(2):
        assert_same(list(jitted(x, w)), list(slopes(x, w)), 256)


class Device(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that only NumPy's protocols reach, as one on a GPU."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array__(self, *_, **__):
        raise TypeError("it lies elsewhere")

    def __getattr__(self, name):
        if name not in ("shape", "ndim", "dtype", "size"):
            raise AttributeError(name)
        return getattr(self.array, name)

    def __len__(self):
        return len(self.array)

    def __bool__(self):
        return bool(self.array)

    def __getitem__(self, index):
        return Device(self.array[index])

    def __setitem__(self, index, x):
        self.array[index] = raw(x)

    def copy(self):
        return Device(self.array.copy())

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        y = getattr(ufunc, method)(*map(raw, inputs), **kwargs, **({"out": tuple(map(raw, out))} if out else {}))
        return out[0] if out else Device(y)

    def __array_function__(self, function, types, args, kwargs):
        if any(hasattr(t, "parents") for t in types) or not function.__module__.startswith("numpy"):
            return NotImplemented
        y = function(*map(raw, args), **{k: raw(x) for k, x in kwargs.items()})
        return Device(y) if isinstance(y, (np.ndarray, np.generic)) else y


def raw(x):
    return x.array if isinstance(x, Device) else x


def test_other_arrays_than_numpys():
    x, w = RNG.normal(size=(2, 6, 5)), RNG.normal(size=(3, 2, 3, 2))
    there = Value(Device(x)), Value(Device(w))
    cost(*there).backward()
    for v, wanted in zip(there, grad(cost, (0, 1))(x, w), strict=True):
        np.testing.assert_array_equal(v.grad.array, wanted)


def test_a_trace_sees_each_as_one_call():
    seen = []

    class Seen(Tracer):
        """A Tracer that writes down what is called."""

        def __array_function__(self, function, types, args, kwargs):
            seen.append(function)
            return np.zeros(1)

    traced = object.__new__(Seen)
    sizes = (1, 1), (1, 1), ((0, 0), (0, 0))
    convolve(traced, np.ones(1), *PLAIN)
    convolve_input(np.ones(1), traced, (1, 1), *PLAIN)
    convolve_filters(np.ones(1), traced, (1, 1), *PLAIN)
    max_pool(traced, *sizes, (1, 1))
    max_pool_input(np.ones(1), traced, traced, *sizes, (1, 1))
    max_pool_along(np.ones(1), traced, traced, *sizes, (1, 1))
    avg_pool(traced, *sizes, True)
    avg_pool_input(traced, (1, 1), *sizes, True)
    assert seen == [convolve, convolve_input, convolve_filters, max_pool, max_pool_input, max_pool_along, avg_pool,
                    avg_pool_input]


def test_an_explanation_of_nan_lists_no_sizes():
    x, w = np.ones((1, 1, 3, 3)), Value(np.ones((1, 1, 2, 2)), name="w")
    x[0, 0, 1, 2] = np.nan
    report = explain_nan(np.sum(convolve(x, w, *PLAIN)))
    assert str(report).startswith("explain_nan: the constant argument_0, argument 0 of autograd.convolution.convolve, "
                                  "holds nan at [0, 0, 1, 2]")
    assert [given.place for given in report.inputs] == [0, 1, 5]  # the image, the filters, groups


# The slices that all of them use


def test_taps_join_what_windows_see():
    shape, kernel, stride, padding, dilation = (5, 4), (3, 2), (2, 1), ((2, 0), (1, 3)), (1, 2)
    out = output_sizes(shape, kernel, stride, padding, dilation)
    found = {k: (at, seen) for k, at, seen in taps(shape, kernel, stride, padding, dilation)}
    for k in itertools.product(*map(range, kernel)):
        y, x = np.indices(out), np.full((2, *out), -1)
        if k in found:
            at, seen = found[k]
            x[(slice(None), *at)] = np.indices(shape)[(slice(None), *seen)]
        for axis in range(2):
            wanted = y[axis] * stride[axis] + k[axis] * dilation[axis] - padding[axis][0]
            inside = (x != -1).all(0)
            np.testing.assert_array_equal(x[axis][inside], wanted[inside])
        wanted = [y[i] * stride[i] + k[i] * dilation[i] - padding[i][0] for i in range(2)]
        np.testing.assert_array_equal(inside, (wanted[0] >= 0) & (wanted[0] < 5) & (wanted[1] >= 0) & (wanted[1] < 4))


# Errors

IMAGE, FILTERS = np.ones((2, 4, 5, 6)), np.ones((6, 2, 3, 3))
PADDED = ((0, 0), (0, 0))
ONES = (1, 1)
POOLED = np.ones((2, 4, 5, 6))


@pytest.mark.parametrize(("call", "text"), [
    (lambda: convolve(np.ones((4, 5)), FILTERS, ONES, PADDED, ONES, 2),
     "convolve: the image must have the shape (N, C, *spatial) and the filters the shape (O, C/groups, *kernel), with "
     "as many spatial axes; got (4, 5) and (6, 2, 3, 3)"),
    (lambda: convolve(np.ones(5), FILTERS, ONES, PADDED, ONES, 2), "got (5,) and (6, 2, 3, 3)"),
    (lambda: convolve_input(np.ones(5), FILTERS, (5, 6), ONES, PADDED, ONES, 2),
     "convolve_input: an image of shape (5, 4, 5, 6) and filters of shape (6, 2, 3, 3) give an output of shape (5, 6, "
     "3, 4), got (5,)"),
    (lambda: convolve_input(IMAGE, np.ones(6), (5, 6), ONES, PADDED, ONES, 2), "got (2, 5, 6) and (6,)"),
    (lambda: convolve_filters(np.ones(5), IMAGE, (3, 3), ONES, PADDED, ONES, 2), "got (2, 4, 5, 6) and (2, 3, 3)"),
    (lambda: convolve(IMAGE, np.ones((6, 2, 3)), ONES, PADDED, ONES, 2),
     "with as many spatial axes; got (2, 4, 5, 6) and (6, 2, 3)"),
    (lambda: convolve(IMAGE, FILTERS, 1, PADDED, ONES, 2),
     "convolve: stride must be a tuple of 2 positive integers, one for each spatial axis; got 1"),
    (lambda: convolve(IMAGE, FILTERS, (1,), PADDED, ONES, 2),
     "convolve: stride must be a tuple of 2 positive integers, one for each spatial axis; got (1,)"),
    (lambda: convolve(IMAGE, FILTERS, (1, 0), PADDED, ONES, 2),
     "convolve: stride must be a tuple of 2 positive integers, got (1, 0)"),
    (lambda: convolve(IMAGE, FILTERS, ONES, (1, 1), ONES, 2),
     "convolve: padding must be a tuple of 2 pairs (before, after) of integers, got (1, 1)"),
    (lambda: convolve(IMAGE, FILTERS, ONES, PADDED, (1, -1), 2),
     "convolve: dilation must be a tuple of 2 positive integers, got (1, -1)"),
    (lambda: convolve(IMAGE, FILTERS, ONES, PADDED, ONES, 0),
     "convolve: groups must be a positive integer that divides the 4 channels of the image and the 6 filters, got 0"),
    (lambda: convolve(IMAGE, FILTERS, ONES, PADDED, ONES, 4), "and the 6 filters, got 4"),
    (lambda: convolve(IMAGE, FILTERS, ONES, PADDED, ONES, 1),
     "convolve: filters of shape (6, 2, 3, 3) in 1 groups need an image of 2 channels, got one of shape (2, 4, 5, 6)"),
    (lambda: convolve(IMAGE, FILTERS, ONES, PADDED, (3, 1), 2),
     "convolve: a kernel of (3, 3) with dilation (3, 1) does not fit into an image of (5, 6) with padding ((0, 0), (0, "
     "0))"),
    (lambda: convolve_input(np.ones((2, 6, 3, 3)), FILTERS, (5, 6), ONES, PADDED, ONES, 2),
     "convolve_input: an image of shape (2, 4, 5, 6) and filters of shape (6, 2, 3, 3) give an output of shape (2, 6, "
     "3, 4), got (2, 6, 3, 3)"),
    (lambda: convolve_filters(np.ones((2, 6, 3, 4)), IMAGE, (3, 2), ONES, PADDED, ONES, 2),
     "convolve_filters: an image of shape (2, 4, 5, 6) and filters of shape (6, 2, 3, 2) give an output of shape (2, "
     "6, 3, 5), got (2, 6, 3, 4)"),
    (lambda: convolve_filters(np.ones((2, 6, 3, 4)), IMAGE, (3, 3), ONES, PADDED, ONES, 0),
     "convolve_filters: groups must be a positive integer"),
    (lambda: max_pool(np.ones((2, 3)), ONES, ONES, PADDED, ONES),
     "max_pool: x must have the shape (N, C, *spatial), got (2, 3)"),
    (lambda: max_pool(POOLED, (7, 1), ONES, PADDED, ONES),
     "max_pool: a window of (7, 1) with dilation (1, 1) does not fit into an input of (5, 6) with padding ((0, 0), (0, "
     "0))"),
    (lambda: max_pool(POOLED, (0, 1), ONES, PADDED, ONES),
     "max_pool: kernel must be a tuple of 2 positive integers, got (0, 1)"),
    (lambda: avg_pool(POOLED, 2, ONES, PADDED, True),
     "avg_pool: kernel must be a tuple of 2 positive integers, one for each spatial axis; got 2"),
    (lambda: avg_pool(POOLED, ONES, ONES, ((1, 1), 0), True), "avg_pool: padding must be a tuple of 2 pairs"),
    (lambda: avg_pool_input(np.ones((2, 4, 2, 2)), (5, 6), (2, 2), (2, 2), PADDED, True),
     "avg_pool_input: an input of (5, 6) gives an output of (2, 3), got g of (2, 4, 2, 2)"),
])
def test_errors(call, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        call()
