"""Products, numerical calculus and polynomials at their special points, with exact numbers, and what they refuse."""

import numpy as np
import pytest

from autograd import Value, grad, jacobian, make_jvp


def gradient(f, *points):
    """The gradients of the sum of ``f``, as lists."""
    found = grad(lambda *args: np.sum(f(*args)), tuple(range(len(points))))(
        *(np.array(p, complex if np.iscomplexobj(p) else float)[()] for p in points))
    return [np.asarray(g).tolist() for g in found]


EXACT = [
    ("vdot of numbers", np.vdot, [2.0, 3.0], [3, 2]),
    ("vdot conjugates", lambda a, b: np.real(np.vdot(a, b)), [[1 + 2j], [3 - 1j]], [[3 + 1j], [1 - 2j]]),
    ("vecdot conjugates", lambda a, b: np.imag(np.vecdot(a, b)), [[1j], [2 + 0j]], [[2j], [-1]]),
    ("inner with a number", np.inner, [2.0, [1.0, 3.0]], [4, [2, 2]]),
    ("tensordot of numbers", lambda a, b: np.tensordot(a, b, 0), [2.0, 3.0], [3, 2]),
    ("kron of numbers", np.kron, [2.0, 3.0], [3, 2]),
    ("kron with itself", lambda a: np.kron(a, a), [[1.0, 2.0]], [[6, 6]]),
    ("outer of numbers", np.outer, [2.0, 3.0], [3, 2]),
    ("cross with itself", lambda a: np.cross(a, a), [[1.0, 2.0, 3.0]], [[0, 0, 0]]),
    ("einsum of one number", lambda a: np.einsum("->", a), [3.0], [1]),
    ("einsum of the same twice", lambda a: np.einsum("i,i->", a, a), [[1.0, 2.0]], [[2, 4]]),
    ("einsum of a diagonal", lambda a: np.einsum("ii->i", a), [[[1.0, 2.0], [3.0, 4.0]]], [[[1, 0], [0, 1]]]),
    ("einsum widens an axis of 1", lambda a, b: np.einsum("i,i->", a, b), [[2.0], [3.0, 4.0]], [[7], [2, 2]]),
    ("diff of one", np.diff, [[3.0]], [[0]]),
    ("diff of order 0", lambda a: np.diff(a, 0), [[3.0, 4.0]], [[1, 1]]),
    ("diff of too high an order", lambda a: np.diff(a, 5), [[3.0, 4.0]], [[0, 0]]),
    ("diff between two", lambda a, p, q: np.diff(a, prepend=p, append=q), [[1.0], 5.0, [2.0, 7.0]], [[0], -1, [0, 1]]),
    ("diff with nothing but a number in front", lambda p: np.diff([1.0, 2.0], prepend=p), [5.0], [-1]),
    ("diff of order 0 forgets what is in front", lambda a, p: np.diff(a, 0, prepend=p), [[1.0], [2.0]], [[1], [0]]),
    ("ediff1d of one", np.ediff1d, [[3.0]], [[0]]),
    ("gradient of two", np.gradient, [[3.0, 5.0]], [[-2, 2]]),
    ("gradient for a spacing", lambda f, h: np.gradient(f, h), [[0.0, 3.0, 8.0], 2.0], [[-0.75, 0, 0.75], -3]),
    ("trapezoid of one", np.trapezoid, [[3.0]], [[0]]),
    ("trapezoid for x", np.trapezoid, [[1.0, 3.0], [0.0, 2.0]], [[1, 1], [-2, 2]]),
    ("bincount", lambda w: np.bincount([0, 2, 2], w, minlength=5) * np.arange(5.0), [[1.0, 2.0, 3.0]], [[0, 2, 2]]),
    ("interp between", np.interp, [0.25, [0.0, 1.0], [0.0, 4.0]], [4, [-3, -1], [0.75, 0.25]]),
    ("interp at a knot", lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]), [1.0], [2]),
    ("interp at the ends", lambda x: np.interp(x, [0.0, 1.0], [0.0, 4.0]), [[0.0, 1.0]], [[2, 2]]),
    ("interp beyond", lambda x, fp: np.interp(x, [0.0, 1.0], fp), [[-1.0, np.inf], [3.0, 4.0]], [[0, 0], [1, 1]]),
    ("interp with one knot", lambda x, fp: np.interp(x, [0.0], fp), [[-1.0, 2.0], [3.0]], [[0, 0], [2]]),
    ("interp to a value", lambda x, a: np.interp(x, [0.0, 1.0], [1.0, 2.0], a), [[-1.0, 0.5], 7.0], [[0, 1], 1]),
    ("convolve of one by one", np.convolve, [[2.0], [3.0]], [[3], [2]]),
    ("correlate conjugates the second", lambda a, v: np.imag(np.correlate(a, v)), [[1j], [2 + 0j]], [[-2j], [1]]),
    ("linspace of one", lambda a, b: np.linspace(a, b, 1), [1.0, 2.0], [1, 0]),
    ("linspace of none", lambda a, b: np.linspace(a, b, 0), [1.0, 2.0], [0, 0]),
    ("linspace", lambda a, b: np.linspace(a, b, 3), [1.0, 2.0], [1.5, 1.5]),
    ("linspace to a constant", lambda a: np.linspace(a, 5, num=3, endpoint=False), [1.0], [2]),
    ("vander at 0", lambda x: np.vander(x, 3), [[0.0, 2.0]], [[1, 5]]),
    ("polyval of a constant", np.polyval, [[3.0], 2.0], [[1], 0]),
    ("polyval of nothing", lambda x: np.polyval([], x), [2.0], [0]),
    ("polyadd of numbers", np.polyadd, [2.0, [1.0, 3.0]], [1, [1, 1]]),
    ("polymul leaves out leading zeros", np.polymul, [[0.0, 1.0], [1.0, 2.0]], [[2, 3], [1, 1]]),
    ("polymul with 0", np.polymul, [[0.0, 0.0], [3.0]], [[0, 3], [0]]),
    ("polyder of a constant", np.polyder, [[3.0]], [[0]]),
    ("polyder of order 0", lambda p: np.polyder(p, 0), [[3.0, 4.0]], [[1, 1]]),
    ("polyint", lambda p: np.polyint(p, 2), [[6.0]], [[0.5]]),
    ("polydiv by more", lambda u, v: np.polydiv(u, v)[1], [[1.0, 2.0], [1.0, 1.0, 1.0]], [[1, 1], [0, 0, 0]]),
    ("poly of nothing", lambda p: np.poly(p * 1.0)[0], [[3.0]], [[0]]),
    ("squares of roots", lambda p: np.roots(p) ** 2, [[1.0, 0.0, -4.0]], [[-8, 0, -2]]),
    ("roots at 0", lambda p: np.roots(p)[-1], [[1.0, -1.0, 0.0]], [[0, 0, 1]]),
]


@pytest.mark.parametrize(("f", "points", "wanted"), [row[1:] for row in EXACT], ids=[row[0] for row in EXACT])
def test_exact_gradients(f, points, wanted):
    for got, expected in zip(gradient(f, *points), wanted, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-14)


def test_vectors_of_two_components():
    with pytest.warns(DeprecationWarning, match="2-dimensional vectors"):
        assert gradient(np.cross, [1.0, 2.0], [3.0, 5.0]) == [[5, -3], [-2, 1]]
    with pytest.warns(DeprecationWarning, match="2-dimensional vectors"):
        a, b = gradient(np.cross, [1.0, 2.0], [3.0, 5.0, 7.0])
    assert (a, b) == ([-7 + 5, 7 - 3], [-2, 1, 2 - 1])


EMPTY = [
    ("matmul", lambda x: x @ np.ones((3, 2))), ("matmul of many", lambda x: np.ones((2, 4, 0)) @ x),
    ("matmul of none by one", lambda x: x[:, None] @ np.ones((3, 2))), ("inner", lambda x: np.inner(x, x)),
    ("tensordot", lambda x: np.tensordot(x, x, (0, 0))), ("kron", lambda x: np.kron(x, np.ones((2, 2)))),
    ("vdot", lambda x: np.vdot(x, x)), ("outer", lambda x: np.outer(x, x)), ("cross", lambda x: np.cross(x, x)),
    ("vecdot", lambda x: np.vecdot(x, x)), ("diff", np.diff), ("ediff1d", np.ediff1d),
    ("trapezoid", np.trapezoid), ("einsum of a diagonal", lambda x: np.einsum("ij,ij,kk->k", x, x, np.ones((2, 2)))),
    ("polyval", lambda x: np.polyval([1.0, 2.0], x)), ("linspace", lambda x: np.linspace(x, 1.0, 4)),
    ("interp", lambda x: np.interp(x, [0.0, 1.0], [2.0, 3.0])), ("vander", lambda x: np.vander(x[:, 0])),
]


@pytest.mark.parametrize("f", [row[1] for row in EMPTY], ids=[row[0] for row in EMPTY])
def test_empty_arrays(f):
    x = np.zeros((0, 3))
    assert grad(lambda v: np.sum(f(v)))(x).shape == (0, 3)
    value, tangent = make_jvp(f)(x)(x)
    assert np.shape(value) == np.shape(tangent) == np.shape(f(x))


@pytest.mark.parametrize("size", [4, 40])
@pytest.mark.parametrize("optimize", [False, True, "greedy", ["einsum_path", (1, 2), (0, 1)]])
def test_einsum_finds_the_same_in_any_order_of_multiplication(size, optimize):
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, size, size))
    wanted = [(b @ c).sum(1)[None] + 0 * a, a.sum(0)[:, None] * c.sum(1), (a @ b).sum(0)[:, None] + 0 * c]
    got = grad(lambda *factors: np.sum(np.einsum("ij,jk,kn->in", *factors, optimize=optimize)), (0, 1, 2))(a, b, c)
    for g, w in zip(got, wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-11, atol=1e-10)


@pytest.mark.filterwarnings("ignore:Casting complex values")
def test_einsum_that_drops_imaginary_parts():
    assert gradient(lambda a, b: np.einsum("i,i->", a, b, dtype=float, casting="unsafe"), [1.0], [2 + 5j]) == [[2], [1]]


def test_roots_move_as_their_coefficients_say():
    p = np.array([1.0, 2.0, 5.0])  # whose roots are -1 ± 2i
    z = np.roots(p)
    _, moved = make_jvp(np.roots)(p)(np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(moved, -1 / (2 * z + 2), rtol=1e-14)
    np.testing.assert_allclose(gradient(lambda p: np.roots(p)[:1], [0.0, 2.0, -6.0]), [[-9 / 2, -3 / 2, -1 / 2]])


def test_a_characteristic_polynomial_holds_the_trace_and_the_determinant():
    a = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]])
    leading, trace, _, determinant = jacobian(np.poly)(a)
    np.testing.assert_allclose(leading, 0 * a)
    np.testing.assert_allclose(trace, -np.eye(3), atol=1e-14)
    np.testing.assert_allclose(determinant, -np.linalg.det(a) * np.linalg.inv(a).T, rtol=1e-12)


def test_single_precision_stays():
    x = np.array([1.0, 2.0, 4.0], np.float32)
    for f in (np.diff, np.gradient, np.trapezoid, lambda v: np.convolve(v, v), lambda v: np.vdot(v, v),
              lambda v: np.kron(v, v), lambda v: np.einsum("i,i", v, v), lambda v: np.polyval(v, v)):
        assert grad(lambda v, f=f: np.sum(f(v)))(x).dtype == np.float32
        y, t = make_jvp(f)(x)(x)
        assert t.dtype == y.dtype == np.float32


V = Value([1.0, 2.0, 4.0])
REFUSED = [
    ("out of einsum", lambda: np.einsum("i,i->i", V, V, out=np.zeros(3)), r"np.einsum\(..., out=...\) cannot record"),
    ("out of dot", lambda: np.dot(V, V, out=np.zeros(())), r"np.dot\(..., out=...\)"),
    ("casting of matmul", lambda: np.matmul(V, V, casting="unsafe"), "np.matmul does not cover casting="),
    ("histogram", lambda: np.histogram(V), "np.histogram does not take Values: counts have"),
    ("counts of floats", lambda: np.bincount(V), "np.bincount has no derivative rule with respect to argument 0"),
    ("full polyfit", lambda: np.polyfit(V, V, 1, full=True), "np.polyfit with full=True has no derivative"),
    ("polyfit of too few", lambda: np.polyfit([1.0, 1.0, 2.0], V, 2), "needs 3 different x"),
]


@pytest.mark.parametrize(("call", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_has_no_derivative_is_refused_when_it_is_called(call, text):
    with pytest.raises(TypeError, match=text):
        call()


def test_steps_are_plain_arrays():
    assert np.digitize(V, [1.5, 3.0]).tolist() == np.searchsorted([1.5, 3.0], V).tolist() == [0, 1, 2]
    assert np.einsum_path("i,i", V, V)[0] == ["einsum_path", (0, 1)]
    assert type(np.linspace(V, 3.0, 4, dtype=int)) is np.ndarray
