"""np.linalg at special points: norms at 0, singular and degenerate matrices, empty ones; what is refused, and types."""

from typing import Any

import numpy as np
import pytest

from autograd import Value, grad, hessian, make_jvp
from autograd.registry import NONDIFFERENTIABLE, RULES, name_of
from tests.autograd.numeric import assert_close
from tests.autograd.rows import project

la: Any = np.linalg
INF, NAN = np.inf, np.nan
EYE, ONES, ZEROS = np.eye(2), np.ones((2, 2)), np.zeros((2, 2))


def test_every_function_is_covered():
    assert [name for name in la.__all__ if callable(f := getattr(la, name)) and not isinstance(f, type)
            and f not in RULES and f not in NONDIFFERENTIABLE] == []


GRADIENTS = [
    *[(f"matrix norm {p} at 0", lambda a, p=p: la.norm(a, p), ZEROS, ZEROS)
      for p in (None, "fro", "nuc", 2, -2, 1, -1, INF, -INF)],
    *[(f"vector norm {p} at 0", lambda x, p=p: la.norm(x, p), [0.0, 0.0], [0, 0])
      for p in (None, 2, 1, 0, 3, 0.5, INF, -INF)],
    *[(f"vector norm {p} with a zero", lambda x, p=p: la.norm(x, p), [0.0, -2.0], [0, -1])
      for p in (2, 1, 3, 0.5, INF)],
    ("norm of zero rows", lambda x: la.norm(x, axis=1), [[3.0, 4.0], [0.0, 0.0]], [[0.6, 0.8], [0, 0]]),
    ("norm of a float", la.norm, -3.0, -1),
    ("ties in a norm share", lambda x: la.norm(x, INF), [2.0, -2.0], [0.5, -0.5]),
    ("ties in a matrix norm share", lambda a: la.norm(a, 1), [[1.0, 1.0], [1.0, -1.0]], [[0.5, 0.5], [0.5, -0.5]]),
    ("equal singular values share", lambda a: la.norm(a, 2), EYE, EYE / 2),
    ("nuclear norm of a singular matrix", lambda a: la.norm(a, "nuc"), np.diag([2.0, 0.0]), np.diag([1.0, 0.0])),
    ("cond is least at I", la.cond, EYE, ZEROS),
    ("det of a singular matrix", la.det, [[1.0, 2.0], [2.0, 4.0]], [[4, -2], [-2, 1]]),
    ("det of a matrix of rank n - 2", la.det, np.ones((3, 3)), np.zeros((3, 3))),
    ("det in a stack with a singular matrix", la.det, np.stack([EYE, ONES]), [EYE, [[1, -1], [-1, 1]]]),
    ("eigvalsh of equal values", lambda a: np.sum(la.eigvalsh(a)), EYE, EYE),
    ("eigh, values alone", lambda a: np.sum(la.eigh(a)[0]), EYE, EYE),
    ("eigh, the triangle that is read", lambda a: la.eigh(a)[0][0], [[1.0, 9.0], [2.0, 1.0]], [[0.5, 0], [-1, 0.5]]),
    ("eigh, the other triangle", lambda a: la.eigh(a, "u")[0][0], [[1.0, 2.0], [9.0, 1.0]], [[0.5, -1], [0, 0.5]]),
    ("eigenvectors of equal values", lambda a: np.sum(la.eigh(a)[1]), EYE, np.full((2, 2), NAN)),
    ("another eigenvector", lambda a: la.eigh(a)[1][1, 0], np.diag([1.0, 2.0, 2.0]),
     [[0, 0, 0], [-1, 0, 0], [0, 0, 0]]),
    ("eig of I, values alone", lambda a: np.sum(la.eig(a)[0]), EYE, EYE),
    ("eigenvectors of I", lambda a: np.sum(la.eig(a)[1]), EYE, np.full((2, 2), NAN)),
    ("eigvals of I", lambda a: np.sum(la.eigvals(a)), EYE, EYE),
    ("svdvals of equal values", lambda a: np.sum(la.svdvals(a)), EYE, EYE),
    ("singular vectors of equal values", lambda a: np.sum(la.svd(a)[0]), EYE, np.full((2, 2), NAN)),
    ("svd, hermitian, of opposite values", lambda a: np.sum(la.svd(a, hermitian=True)[1]), [[0.0, 9.0], [1.0, 0.0]],
     [[0, 0], [2, 0]]),
    ("cholesky, the triangle that is read", lambda a: la.cholesky(a)[1, 0], [[4.0, 9.0], [2.0, 5.0]],
     [[-0.125, 0], [0.5, 0]]),
    ("pinv of a matrix of low rank", lambda a: np.sum(la.pinv(a)), ONES, -ONES / 4),
    ("pinv of zeros", lambda a: np.sum(la.pinv(a)), ZEROS, ZEROS),
    ("pinv with rtol=None", lambda a: np.sum(la.pinv(a=a, rtol=None)), EYE, -ONES),
    ("lstsq, exact", lambda a: np.sum(la.lstsq(a, np.ones(2))[0]), EYE, -ONES),
    ("lstsq, the residual of an exact solution", lambda b: la.lstsq(ONES[:, :1], b)[1][0], [1.0, 1.0], [0, 0]),
    ("lstsq with a list", lambda b: np.sum(la.lstsq([[2.0, 0.0], [0.0, 1.0]], b, rcond=-1)[0]), [1.0, 1.0], [0.5, 1]),
    ("solve with a list", lambda b: np.sum(la.solve([[2.0, 0.0], [0.0, 1.0]], b)), [1.0, 1.0], [0.5, 1]),
    ("tensordot with a list", lambda b: np.sum(la.tensordot([[2.0, 1.0]], b, axes=([-1], [0]))), [1.0, 1.0], [2, 1]),
    ("cross with a list", lambda b: np.sum(la.cross([1.0, 0.0, 0.0], b)), [1.0, 1.0, 1.0], [0, 1, -1]),
    ("matrix_power 0", lambda a: np.sum(la.matrix_power(a, 0)), ONES, ZEROS),
    ("trace with a dtype", lambda a: la.trace(a, dtype=np.float32), ONES, EYE),
    ("diagonal outside", lambda a: np.sum(la.diagonal(a, offset=5)), ONES, ZEROS),
]


@pytest.mark.parametrize(("f", "x", "wanted"), [row[1:] for row in GRADIENTS], ids=[row[0] for row in GRADIENTS])
def test_gradients_at_special_points(f, x, wanted):
    got = grad(lambda x: np.sum(f(x)))(np.array(x, float)[()])
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-15)


def test_second_order_at_special_points():
    minors = np.zeros((2, 2, 2, 2))
    minors[0, 0, 1, 1] = minors[1, 1, 0, 0] = 1
    minors[0, 1, 1, 0] = minors[1, 0, 0, 1] = -1
    np.testing.assert_allclose(hessian(la.det)(EYE), minors, atol=1e-15)
    np.testing.assert_array_equal(hessian(la.norm)(np.zeros(2)), ZEROS)
    # The gradient of a sum of squares of eigenvalues turns with the eigenvectors: there is no silent 0.
    assert np.isnan(hessian(lambda a: np.sum(la.eigvalsh(a) ** 2))(EYE)[1, 0, 1, 0])


def test_a_negative_norm_of_a_zero():
    with np.errstate(divide="ignore"):  # of NumPy itself
        np.testing.assert_array_equal(grad(lambda x: la.norm(x, -1))(np.array([0.0, 2.0])), 0)


EMPTY = [(la.inv, (0, 0)), (la.inv, (0, 3, 3)), (la.det, (0, 0)), (la.det, (0, 3, 3)), (la.slogdet, (2, 0, 0)),
         (la.pinv, (0, 2)), (la.pinv, (0, 3, 2)), (la.cholesky, (0, 0)), (la.qr, (0, 2)), (la.qr, (3, 0)),
         (la.qr, (0, 2, 2)), (la.eigh, (0, 0)), (la.eigh, (0, 3, 3)), (la.eig, (0, 3, 3)), (la.eigvals, (0, 0)),
         (la.svd, (0, 0)), (la.svdvals, (0, 2)), (la.svdvals, (0, 2, 3)), (la.norm, (0,)), (la.matrix_norm, (0, 2)),
         (lambda a: la.norm(a, "nuc"), (0, 2)), (lambda a: la.norm(a, INF), (0,)),
         (lambda a: la.lstsq(a, np.ones((3, 2)))[0], (3, 0)), (la.diagonal, (0, 2)), (la.trace, (2, 0, 0)),
         (lambda a: la.solve(a, np.ones((3, 2))), (0, 3, 3))]


@pytest.mark.parametrize(("f", "shape"), EMPTY, ids=[f"{name_of(f)} {shape}" for f, shape in EMPTY])
def test_empty_arrays(f, shape):
    a = np.zeros(shape)
    assert grad(lambda a: project(f(a)))(a).shape == shape
    assert np.all(hessian(lambda a: project(f(a)))(a) == 0)
    make_jvp(f)(a)(a)


REFUSED = [
    (lambda: la.svd(Value(np.ones((2, 3)))), TypeError, r"np\.linalg\.svd with full_matrices=True.*matrices=False"),
    (lambda: la.qr(Value(np.ones((3, 2))), "complete"), TypeError, r"np\.linalg\.qr with mode='complete'.*'reduced'"),
    (lambda: la.qr(Value(EYE), mode="raw"), TypeError, r"np\.linalg\.qr with mode='raw'.*'reduced'"),
    (lambda: grad(lambda a: np.sum(la.eig(a)[0]))(np.array([[1.0, 1.0], [0.0, 1.0]])), la.LinAlgError, "defective"),
    (lambda: grad(lambda a: np.sum(la.eigvals(a)))(np.array([[1.0, 1.0], [0.0, 1.0]])), la.LinAlgError, "defective"),
    (lambda: make_jvp(la.eig)(np.array([[0.0, 1.0], [0.0, 0.0]]))(EYE), la.LinAlgError, "defective"),
    (lambda: grad(lambda a: np.sum(la.qr(a)[1]))(ONES), la.LinAlgError, r"np\.linalg\.qr.*linearly dependent"),
    (lambda: grad(lambda a: la.slogdet(a)[1])(ONES), la.LinAlgError, "Singular"),
    (lambda: hessian(la.det)(ONES), la.LinAlgError, "Singular"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_has_no_derivative_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_named_results_and_ranks():
    for f in (la.eigh, la.eig, la.svd, la.qr, la.slogdet):
        got, wanted = f(Value(np.diag([1.0, 2.0]))), f(np.diag([1.0, 2.0]))
        assert type(got) is type(wanted)
        assert all(isinstance(part, Value) for part in got)
    x, residuals, rank, s = la.lstsq(Value(np.ones((3, 1))), np.ones(3))
    assert (type(x), type(residuals), type(s), int(rank)) == (Value, Value, Value, 1)
    assert not isinstance(la.matrix_rank(Value(EYE)), Value)


def test_eigenvalues_in_another_order_than_those_of_eig():
    a = np.random.default_rng(39).normal(size=(160, 160))  # for a large matrix LAPACK takes another way
    assert_close(grad(lambda a: np.real(np.sum(la.eigvals(a) ** 2)))(a), 2 * a.T)


def test_pinv_of_what_is_cut_off_in_one_matrix_of_a_stack():
    a = np.stack([np.diag([3.0, 1.0]), np.diag([3.0, 2.0])]) + 0.1
    got = grad(lambda a: np.sum(la.pinv(a, rcond=0.5)))(a)
    for one, part in zip(a, got, strict=True):
        assert_close(part, grad(lambda a: np.sum(la.pinv(a, rcond=0.5)))(one))
