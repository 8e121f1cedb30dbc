"""Special points of what moves, joins, picks or sorts: ties, layouts, empty arrays, repeats, options, and refusals."""

import numpy as np
import pytest

from autograd import Value, grad, make_jvp

MATRIX = np.array([[1.0, 2.0, 2.0], [0.0, 5.0, 1.0]])
WEIGHTS = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0])


def weighted(f):
    """``f`` with each of its elements times a power of ten of its own, summed."""
    return lambda *xs: np.sum(np.ravel(y := f(*xs)) * WEIGHTS[: np.size(y)])


TIES = [
    ("sort", np.sort, [2.0, 1.0, 2.0, 3.0, 2.0], [370, 1, 370, 10000, 370]),
    ("sort of equal numbers", np.sort, [4.0, 4.0], [5.5, 5.5]),
    ("sort along an axis", lambda x: np.sort(x, axis=0), [[1.0, 3.0], [1.0, 2.0]], [[50.5, 1000], [50.5, 10]]),
    ("sort of all", lambda x: np.sort(x, axis=None), [[1.0, 3.0], [1.0, 2.0]], [[5.5, 1000], [5.5, 100]]),
    ("sort of ties in different rows", np.sort, [[1.0, 2.0], [2.0, 1.0]], [[1, 10], [1000, 100]]),
    ("sort with nan", np.sort, [1.0, np.nan, 1.0], [5.5, 100, 5.5]),
    ("partition", lambda x: np.partition(x, 1), [2.0, 1.0, 2.0], [55, 1, 55]),
    ("sort of one number", lambda x: np.sort(x, axis=None), 3.0, 1),
    ("sort of nothing", np.sort, [], []),
    ("sort of empty rows", np.sort, [[], []], [[], []]),
    ("unique", np.unique, [2.0, 1.0, 2.0, 1.0, 3.0], [5, 0.5, 5, 0.5, 100]),
    ("unique with places", lambda x: np.unique(x, return_inverse=True)[0], [2.0, 2.0], [0.5, 0.5]),
    ("unique rows", lambda x: np.unique(x, axis=0), [[3.0, 1.0], [0.0, 2.0], [3.0, 1.0]],
     [[50, 500], [1, 10], [50, 500]]),
    ("union1d", lambda x: np.union1d(x, [1.0]), [2.0, 1.0, 2.0], [5, 0.5, 5]),
    ("intersect1d", lambda x: np.intersect1d(x[:2], x[1:]), [2.0, 1.0, 3.0], [0, 1, 0]),
    ("setdiff1d", lambda x: np.setdiff1d(x, [1.0]), [2.0, 1.0, 3.0], [1, 0, 10]),
    ("setxor1d", lambda x: np.setxor1d([1.0, 5.0], x), [2.0, 1.0, 3.0], [1, 0, 10]),
    ("unique_values", lambda x: np.sort(np.unique_values(x)), [2.0, 1.0, 2.0], [5, 1, 5]),
    ("pad maximum", lambda x: np.pad(x, (0, 1), "maximum"), [2.0, 1.0, 2.0], [501, 10, 600]),
    ("pad median", lambda x: np.pad(x, (0, 1), "median"), [2.0, 2.0, 1.0], [501, 510, 100]),
]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in TIES], ids=[row[0] for row in TIES])
def test_equal_elements_share_equally(f, x, wanted):
    x = np.array(x) if isinstance(x, list) else x
    np.testing.assert_allclose(grad(weighted(f))(x), wanted)
    for i, direction in enumerate(np.eye(np.size(x))):  # and the same, forward
        slope = make_jvp(weighted(f))(x)(np.reshape(direction, np.shape(x))[()])[1]
        np.testing.assert_allclose(slope, np.ravel(wanted)[i])


EXACT = [
    ("a row taken three times", lambda x: x[[1, 1, 1, 0]], np.ones((2, 1)), [[1000], [111]]),
    ("negative rows", lambda x: x[np.array([-1, 1])], np.ones((2, 2)), [[0, 0], [101, 1010]]),
    ("rows by a matrix of places", lambda x: x[[[0], [1]], [[0, 0]]], np.ones((2, 2)), [[11, 0], [1100, 0]]),
    ("no rows", lambda x: x[[]], np.ones((2, 2)), [[0, 0], [0, 0]]),
    ("rows of nothing", lambda x: x[[0, 1, 1]], np.ones((2, 0)), np.ones((2, 0))),
    ("rows as a mask in a list", lambda x: x[[[True, False], [False, True]]], np.ones((2, 2)), [[1, 0], [0, 10]]),
    ("a tuple of one list", lambda x: x[([1, 1],)], np.ones(2), [0, 11]),
    ("slices and places apart", lambda x: x[[0, 0], :, [0, 1]], np.ones((1, 1, 2)), [[[1, 10]]]),
    ("take clip", lambda x: np.take(x, [-3, 9, 9], mode="clip"), np.ones(2), [1, 110]),
    ("take one", lambda x: np.take(x, 1), np.ones((2, 2)), [[0, 1], [0, 0]]),
    ("a float, as its own element", lambda x: (1 * x)[...], 3.0, 1),
    ("a new axis of a float", lambda x: (1 * x)[None], 3.0, 1),
    ("ravel a float in its own order", lambda x: np.ravel(x, order="A"), 3.0, 1),
    ("reshape a float in its own order", lambda x: np.reshape(x, (1, 1), order="A"), 3.0, 1),
    ("pad nothing to an empty array", lambda x: np.pad(x, 0, "maximum"), np.ones(0), []),
    ("pad along one axis, where the other is empty", lambda x: np.pad(x, ((1, 0), (0, 0)), "mean"), np.ones((2, 0)),
     np.ones((2, 0))),
    ("take of a float", lambda x: np.take(x, [0, 0]), 2.0, 11),
    ("repeat none", lambda x: np.repeat(x, 0), np.ones(2), [0, 0]),
    ("repeat a float", lambda x: np.repeat(x, 2), 2.0, 11),
    ("tile a float", lambda x: np.tile(x, (2, 2)), 2.0, 1111),
    ("resize to more", lambda x: np.resize(x, 5), np.ones(2), [10101, 1010]),
    ("resize of nothing", lambda x: np.resize(x, 3), np.ones(0), []),
    ("diag of nothing", np.diag, np.ones(0), []),
    ("diagonal beyond", lambda x: np.diagonal(x, 5), np.ones((2, 2)), [[0, 0], [0, 0]]),
    ("trim_zeros inside", np.trim_zeros, np.array([0.0, 1.0, 0.0, 2.0, 0.0]), [0, 1, 10, 100, 0]),
    ("trim_zeros of zeros", np.trim_zeros, np.zeros(3), [0, 0, 0]),
    ("insert nothing", lambda x: np.insert(x, [], []), np.ones(2), [1, 10]),
    ("insert at the end", lambda x: np.insert(x, 2, x[0]), np.ones(2), [101, 10]),
    ("delete a mask", lambda x: np.delete(x, [True, False, True]), np.ones(3), [0, 1, 0]),
    ("extract with a short mask", lambda x: np.extract([True, False], x[:2]), np.ones(3), [1, 0, 0]),
    ("choose a number", lambda x: np.choose(1, [x, 2 * x]), 3.0, 2),
    ("select none", lambda x: np.select([x > 5], [x]), np.ones(2), [0, 0]),
    ("select of floats", lambda x: np.select([True], [x], 0.0), 3.0, 1),
    ("block of floats", lambda x: np.block([[x, 1.0], [2.0, x]]), 3.0, 1001),
    ("append to a float", lambda x: np.append(x, x), 3.0, 11),
    ("append a list", lambda x: np.append(x, [x[0], 3.0]), np.ones(2), [101, 10]),
    ("hstack of floats", lambda x: np.hstack([x, 1, x]), 3.0, 101),
    ("atleast_3d of a float", np.atleast_3d, 3.0, 1),
    ("atleast_1d of two", lambda x: np.atleast_1d(1, x)[1], 3.0, 1),
    ("broadcast with integers", lambda x: np.broadcast_arrays(x, np.arange(3))[0], np.ones(1), [111]),
    ("meshgrid with integers", lambda x: np.meshgrid(x, [1, 2])[0], np.ones(2), [101, 1010]),
    ("split, overlapping", lambda x: np.concatenate(np.split(x, [2, 1])), np.ones(3), [1, 110, 1000]),
    ("unstack of no axis", lambda x: np.unstack(x)[0], np.ones(1), [1]),
    ("roll an empty array", lambda x: np.roll(x, 1), np.ones(0), []),
    ("pad an array of one by reflection", lambda x: np.pad(x, 2, "reflect"), np.ones(1), [11111]),
    ("pad far by odd reflection", lambda x: np.pad(x, (0, 3), "reflect", reflect_type="odd"), np.ones(2),
     [-100 - 2000 - 30000 + 1, 10 + 200 + 3000 + 40000]),
    ("pad empty", lambda x: np.pad(x, 1, "empty")[1:-1], np.ones(2), [1, 10]),
    ("windows", lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), np.ones(3), [1, 110, 1000]),
    ("flat", lambda x: x.flat[2:], np.ones((2, 2)), [[0, 0], [1, 10]]),
]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in EXACT], ids=[row[0] for row in EXACT])
def test_gradients_are_exact(f, x, wanted):
    got = grad(weighted(f))(x)
    np.testing.assert_array_equal(got, wanted)
    assert np.shape(got) == np.shape(x)
    direction = np.reshape(np.arange(1.0, np.size(x) + 1), np.shape(x))[()]
    np.testing.assert_allclose(make_jvp(weighted(f))(x)(direction)[1], np.sum(direction * np.asarray(wanted)))


LAYOUTS = [MATRIX, MATRIX.T, np.ones((2, 3, 2)).transpose(1, 2, 0), np.ones((2, 3, 2)).transpose(1, 0, 2)[::-1],
           np.broadcast_to(np.ones(3), (2, 3)), MATRIX[:, ::2], np.ones((2, 1, 3)).transpose(2, 1, 0)]


@pytest.mark.parametrize("order", ["C", "F", "A", "K", "k"])
@pytest.mark.parametrize("x", LAYOUTS, ids=[f"{x.shape} {x.strides}" for x in LAYOUTS])
def test_ravel_of_any_layout_in_memory(x, order):
    numbers = np.empty_like(x)
    numbers[...] = np.reshape(np.arange(x.size), x.shape)
    v = Value(0.0) + numbers
    g = np.arange(1.0, x.size + 1)
    y = np.ravel(v, order=order)
    wanted = np.empty(x.size)
    wanted[y.data.astype(int)] = g
    y.backward(g)
    np.testing.assert_array_equal(v.grad, wanted.reshape(x.shape))


@pytest.mark.parametrize("order", ["A", "K"])
def test_forward_follows_the_layout_of_the_argument_not_that_of_the_tangent(order):
    x, t = np.asfortranarray(MATRIX), np.ascontiguousarray(MATRIX + 1)
    f = {"A": lambda x: np.reshape(x, (-1,), order="A"), "K": lambda x: np.ravel(x, order="K")}[order]
    np.testing.assert_array_equal(make_jvp(f)(x)(t)[1], f(np.asfortranarray(t)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex64, np.longdouble])
@pytest.mark.parametrize("f", [lambda x: x[[0, 0, 1]], lambda x: np.insert(x, 1, 1.0, 0), lambda x: np.sort(x, 0),
                               lambda x: np.pad(x, 1, "linear_ramp"), lambda x: np.block([x, x])])
def test_dtypes_are_kept(f, dtype):
    x = np.ones((2, 2), dtype)
    assert grad(lambda x: np.real(np.sum(f(x))))(x).dtype == dtype
    y, t = make_jvp(f)(x)(x)
    assert y.dtype == t.dtype == dtype


def test_many_rows_are_added_one_to_the_other_exactly():
    rng = np.random.default_rng(0)
    places = rng.integers(-50, 50, (40, 30))
    weights = rng.integers(0, 10, (40, 30, 7)).astype(float)
    wanted = np.zeros((50, 7))
    np.add.at(wanted, places, weights)
    for f in (lambda x: x[places], lambda x: np.take(x, places, axis=0, mode="wrap"), lambda x: x[places, :]):
        np.testing.assert_array_equal(grad(lambda x, f=f: np.sum(f(x) * weights))(np.ones((50, 7))), wanted)


METHODS = [("take", ([0, 2],)), ("take", ([0, 1], 1)), ("repeat", (2,)), ("repeat", ([1, 2], 0)), ("diagonal", ()),
           ("diagonal", (1,)), ("trace", ()), ("trace", (-1,)), ("compress", ([True, False],)), ("argsort", ()),
           ("compress", ([True, False, True], 1)), ("argsort", (0,)), ("argpartition", (1,)), ("nonzero", ()),
           ("round", (1,)), ("conjugate", ()), ("flatten", ("F",)), ("copy", ())]


@pytest.mark.parametrize(("name", "args"), METHODS, ids=[f"{n}{a}" for n, a in METHODS])
def test_methods_are_those_of_arrays(name, args):
    got, wanted = getattr(Value(MATRIX), name)(*args), getattr(MATRIX, name)(*args)
    np.testing.assert_array_equal(getattr(got, "data", got), wanted)
    assert isinstance(got, Value) == (name not in ("argsort", "argpartition", "nonzero", "round"))


def test_a_row_can_be_searched():
    np.testing.assert_array_equal(Value([1.0, 2.0, 3.0]).searchsorted([2.0, 2.5], side="right"), [2, 2])


@pytest.mark.parametrize("name", ["sort", "partition", "fill", "put", "resize"])
def test_methods_that_change_an_array_are_refused(name):
    with pytest.raises(TypeError, match=rf"v\.{name} changes an array in place.*write np\."):
        getattr(Value(MATRIX), name)(1)


def test_strides_of_a_value_are_refused():
    with pytest.raises(TypeError, match="not turned into an array silently"):
        np.lib.stride_tricks.as_strided(Value(MATRIX), (2, 2), (8, 8))
