"""scipy.special on Values: what has a rule, what has none, and the points where a formula is easily wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd import Value, grad, make_jvp
from autograd.registry import NONDIFFERENTIABLE, RULES, load_rules, name_of

sp = pytest.importorskip("scipy.special", reason="SciPy is not installed")
load_rules(sp.erf)

ROOT = Path(__file__).parents[2]
UFUNCS = {name: getattr(sp, name) for name in sp.__all__ if isinstance(getattr(sp, name), np.ufunc)}
WITHOUT = {
    "bdtrik", "bdtrin", "btdtria", "btdtrib", "chdtriv", "chndtridf", "chndtrinc", "elliprd", "elliprj", "fdtridfd",
    "gdtrib", "kolmogi", "kolmogorov", "log_wright_bessel", "mathieu_a", "mathieu_b", "nbdtrik", "nbdtrin",
    "ncfdtr", "ncfdtri", "ncfdtridfd", "ncfdtridfn", "ncfdtrinc", "nctdtr", "nctdtridf", "nctdtrinc", "nctdtrit",
    "obl_cv", "obl_rad2", "obl_rad2_cv", "pdtrik", "pro_cv", "pro_rad2", "pro_rad2_cv", "smirnov", "smirnovi",
    "stdtridf", "zetac",
}


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout


# What has a rule

def test_each_ufunc_has_a_rule_or_is_constant_or_has_none():
    with_rule = {name for name, f in UFUNCS.items() if f in RULES}
    constant = {name for name, f in UFUNCS.items() if f in NONDIFFERENTIABLE}
    assert constant == {"round", "gammasgn"}
    assert set(UFUNCS) - with_rule - constant == WITHOUT & set(UFUNCS)
    assert not with_rule & (constant | WITHOUT)


@pytest.mark.parametrize("name", sorted(WITHOUT & set(UFUNCS)))
def test_one_without_a_rule_says_so(name):
    f = UFUNCS[name]
    with pytest.raises(TypeError, match=rf"scipy\.special\.{name} has no derivative rule"):
        f(*[Value(1.0)] * f.nin)


def test_each_ufunc_with_a_rule_has_a_case():
    from tests.autograd.cases_special import CASES
    checked = {word for case in CASES for word in f"{name_of(case.function)[14:]} {case.name}".split()}
    aliases = {"jn": "jv", "digamma": "psi"}
    assert {aliases.get(name, name) for name, f in UFUNCS.items() if f in RULES} <= checked


@pytest.mark.parametrize(("call", "message"), [
    (lambda v: sp.gammainc(v, 1.0), "scipy.special.gammainc has no derivative rule with respect to argument 0"),
    (lambda v: sp.betainc(1.0, v, 0.5), "scipy.special.betainc has no derivative rule with respect to argument 1"),
    (lambda v: sp.jv(v, 1.0), "scipy.special.jv has no derivative rule with respect to argument 0"),
    (lambda v: sp.zeta(v, 2.0), "scipy.special.zeta has no derivative rule with respect to argument 0"),
    (lambda v: sp.zeta(v), "scipy.special.riemann_zeta has no derivative rule"),
    (lambda v: sp.erf(v, out=np.zeros(1)), r"scipy.special.erf\(..., out=...\)"),
])
def test_what_is_not_covered_is_refused_by_name(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(Value([0.5]))


@pytest.mark.parametrize("f", [sp.ive, sp.jve, sp.yve])
def test_scalings_that_are_not_analytic_are_refused(f):
    with pytest.raises(TypeError, match=f"scipy.special.{f.__name__} of complex numbers"):
        grad(lambda z: np.real(f(1.0, z)))(1 + 1j)


def test_constants_are_plain_arrays():
    assert type(sp.gammasgn(Value([1.5, -0.5]))) is np.ndarray
    assert type(sp.round(Value([1.5, -0.5]))) is np.ndarray


# When it is loaded

def test_scipy_is_not_imported_until_it_is_used():
    script = "import sys, autograd, numpy as np; autograd.grad(np.exp)(1.0); print('scipy' in sys.modules)"
    assert run(script) == "False\n"
    script = ("import sys, autograd, scipy.special; print('autograd.rules.special' in sys.modules); "
              "print(autograd.grad(scipy.special.erf)(0.0)); print('autograd.rules.special' in sys.modules)")
    before, slope, after = run(script).split()
    assert (before, float(slope), after) == ("False", pytest.approx(2 / np.pi**0.5), "True")


def test_a_users_rule_stays():
    script = ("from autograd import Value, defvjp, grad; import scipy.special as sp; "
              "defvjp(sp.zetac, lambda y, x: lambda g: g * 7); defvjp(sp.erf, lambda y, x: lambda g: g * 8); "
              "sp.ndtr(Value(1.0)); print(grad(sp.zetac)(2.0), grad(sp.erf)(2.0))")
    assert run(script) == "7.0 8.0\n"


def test_a_constant_is_plain_also_where_nothing_was_loaded_and_nothing_is_recorded():
    script = ("from autograd import Value, no_grad; import scipy.special as sp\n"
              "with no_grad(): print(type(sp.gammasgn(Value(1.0))).__name__)")
    assert run(script) == "float64\n"


def test_names():
    assert name_of(sp.erf) == "scipy.special.erf"
    assert (name_of(sp.log1p), name_of(np.log1p)) == ("scipy.special.log1p", "np.log1p")
    assert name_of(sp.zeta(Value(2.0).data, Value(1.0)).op) == "scipy.special.zeta"


# Points

FAR = sp.ndtri_exp(-5e7)
POINTS = [
    ("expit far out", sp.expit, -800.0, 0.0),
    ("expit nearly 1", sp.expit, 40.0, np.exp(-40)),
    ("log_expit far out", sp.log_expit, -800.0, 1.0),
    ("log_ndtr far out", sp.log_ndtr, -1e4, 1e4 + 1e-4),
    ("log_ndtr far right", sp.log_ndtr, 100.0, 0.0),
    ("ndtri_exp far out", sp.ndtri_exp, -5e7, 1 / abs(FAR + 1 / FAR)),
    ("exprel at 0", sp.exprel, 0.0, 0.5),
    ("boxcox at lmbda 0", lambda lmbda: sp.boxcox(np.e, lmbda), 0.0, 0.5),
    ("boxcox1p at lmbda 0", lambda lmbda: sp.boxcox1p(np.e - 1, lmbda), 0.0, 0.5),
    ("inv_boxcox at lmbda 0", lambda lmbda: sp.inv_boxcox(1.0, lmbda), 0.0, -np.e / 2),
    ("xlogy at 0, 0", lambda x: sp.xlogy(0.0, x), 0.0, 0.0),
    ("xlog1py at 0, -1", lambda x: sp.xlog1py(0.0, x), -1.0, 0.0),
    ("pseudo_huber at 0", lambda r: sp.pseudo_huber(1.0, r), 0.0, 0.0),
    ("huber at delta", lambda r: sp.huber(1.0, r), 1.0, 1.0),
    ("rgamma at its pole", sp.rgamma, 0.0, 1.0),
    ("rgamma at another", sp.rgamma, -3.0, -6.0),
    ("gamma of a whole number", sp.gamma, 1.0, -np.euler_gamma),
    ("digamma of 1", sp.digamma, 1.0, np.pi**2 / 6),
    ("trigamma", lambda x: sp.zeta(2, x), 1.0, -2 * sp.zeta(3.0)),
    ("sici at 0", lambda x: sp.sici(x)[0], 1e-300, 1.0),
    ("spence at 1", sp.spence, 1.0, -1.0),
    ("lambertw at 0", lambda x: np.real(sp.lambertw(x)), 0.0, 1.0),
    ("ellipk at 0", sp.ellipk, 0.0, np.pi / 8),
    ("ellipe at 0", sp.ellipe, 0.0, -np.pi / 8),
    ("ellipkinc by m at 0", lambda m: sp.ellipkinc(np.pi / 2, m), 0.0, np.pi / 8),
    ("ellipeinc by m at 0, backwards", lambda m: sp.ellipeinc(-np.pi, m), 0.0, np.pi / 4),
    ("ellipj by m at 0", lambda m: sp.ellipj(1.0, m)[3], 0.0, -(2 - np.sin(2)) / 8),
    ("elliprc of equal numbers", lambda x: sp.elliprc(x, 1.0), 1.0, -1 / 6),
    ("agm of equal numbers", lambda a: sp.agm(a, 1.0), 1.0, 0.5),
    ("i0e at its kink", sp.i0e, 0.0, 0.0),
    ("j1 at 0", sp.j1, 0.0, 0.5),
    ("jn of order 0", lambda x: sp.jn(0, x), 0.0, 0.0),
    ("chndtr without noncentrality", lambda x: sp.chndtr(x, 2.0, 0.0), 2.0, np.exp(-1) / 2),
    ("bdtr of all", lambda p: sp.bdtr(3, 3, p), 0.5, 0.0),
    ("tklmbda outside", lambda x: sp.tklmbda(x, 2.0), 3.0, 0.0),
    ("gammainc of shape 1 at 0", lambda x: sp.gammainc(1.0, x), 0.0, 1.0),
]


@pytest.mark.parametrize(("f", "x", "slope"), [row[1:] for row in POINTS], ids=[row[0] for row in POINTS])
def test_slope_at_a_point(f, x, slope):
    for at in (x, np.array([x])):
        got, (_, tangent) = grad(lambda x: np.sum(f(x)))(at), make_jvp(f)(at)(np.ones_like(at)[()])
        np.testing.assert_allclose([np.sum(got), np.sum(tangent)], slope, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("f", [sp.eval_chebyt, sp.eval_chebyu, sp.eval_chebyc, sp.eval_chebys, sp.eval_legendre,
                               sp.eval_laguerre, sp.eval_hermite, sp.eval_hermitenorm, sp.eval_sh_chebyt,
                               sp.eval_sh_chebyu, sp.eval_sh_legendre])
def test_polynomials_of_degrees_from_0_on(f):
    x = np.full(4, 0.3)
    step = 1e-6
    wanted = (f(np.arange(4), x + step) - f(np.arange(4), x - step)) / (2 * step)
    got = grad(lambda x: np.sum(f(np.arange(4), x)))(x)
    assert got[0] == 0
    np.testing.assert_allclose(got, wanted, rtol=1e-7)
    assert grad(lambda x: f(0, x))(0.3) == 0


def test_second_slopes_at_points():
    assert grad(grad(sp.rgamma))(0.0) == pytest.approx(2 * np.euler_gamma)
    assert grad(grad(sp.spence))(1.0) == pytest.approx(0.5)
    assert abs(grad(grad(lambda x: sp.sici(x)[0]))(1e-200)) < 1e-200
    assert grad(grad(sp.ellipk))(0.0) == pytest.approx(9 * np.pi / 64)
    assert grad(grad(sp.digamma))(1.0) == pytest.approx(-2 * sp.zeta(3.0))


def test_numbers_of_the_complex_trigamma_agree_with_the_real():
    x = np.array([0.3, 1.0, 5.0, -2.5, -30.4, 100.0])
    slopes = grad(lambda z: np.real(np.sum(sp.psi(z))))(x + 0j)
    np.testing.assert_allclose(slopes, sp.zeta(2, x), rtol=1e-13)


def test_python_functions_that_call_ufuncs_work_as_they_are():
    assert grad(lambda x: sp.jvp(1, x, 2))(0.7) == pytest.approx(sp.jvp(1, 0.7, 3))
    assert grad(lambda x: sp.kvp(1, x))(0.7) == pytest.approx(sp.kvp(1, 0.7, 2))
    assert grad(lambda x: sp.zeta(2.0, x))(0.7) == pytest.approx(-2 * sp.zeta(3.0, 0.7))


def test_no_arrays_of_size_0_are_a_trouble():
    x = np.zeros((0, 2))
    for f in (sp.erf, sp.psi, sp.rgamma, sp.spence, lambda x: sp.airy(x)[0], lambda x: sp.jv(1, x)):
        assert grad(lambda x, f=f: np.sum(f(x)))(x).shape == (0, 2)
    assert grad(lambda z: np.real(np.sum(sp.psi(z))))(x + 0j).shape == (0, 2)
