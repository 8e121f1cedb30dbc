"""``step_sweep``: the errors follow the theory, float32 is computed in float32, and wrong input is refused."""

import sys

import numpy as np
import pytest

from autograd import StepSweep, Value, defvjp, primitive, step_sweep
from autograd.functions import relu

FORWARD, CENTRAL, EXTRAPOLATED, COMPLEX = METHODS = (
    "forward difference", "central difference", "central with Richardson extrapolation", "complex step")
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in ("float64", "float32")}


def wavy(x):
    return np.exp(np.sin(x)) * x


@pytest.fixture(scope="module")
def sweep() -> StepSweep:
    return step_sweep(wavy, 1.3)


def test_steps_and_curves(sweep):
    assert sweep.steps[0] == pytest.approx(0.1) and sweep.steps[-1] == pytest.approx(1e-16)
    np.testing.assert_allclose(sweep.steps[4:] / sweep.steps[:-4], 0.1)
    assert set(sweep.errors) == set(sweep.best) == {(m, d) for m in METHODS for d in EPS}
    assert all(curve.shape == sweep.steps.shape for curve in sweep.errors.values())
    assert sweep.derivative == pytest.approx(np.exp(np.sin(1.3)) * (1 + 1.3 * np.cos(1.3)), rel=1e-15)
    assert sweep.name == "wavy" and sweep.notes == ()


@pytest.mark.parametrize(("method", "order"), [(FORWARD, 1), (CENTRAL, 2), (EXTRAPOLATED, 6), (COMPLEX, 2)])
def test_a_large_step_errs_by_a_power_of_the_step(sweep, method, order):
    errors = sweep.errors[method, "float64"]
    slope = np.polyfit(np.log(sweep.steps[1:5]), np.log(errors[1:5]), 1)[0]
    assert slope == pytest.approx(order, rel=0.1)


@pytest.mark.parametrize("method", METHODS[:3])
def test_a_small_step_errs_by_rounding_over_the_step(sweep, method):
    errors = sweep.errors[method, "float64"]
    slope = np.polyfit(np.log(sweep.steps[36:57]), np.log(errors[36:57]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.25)


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize(("method", "power"), [(FORWARD, 1 / 2), (CENTRAL, 1 / 3), (EXTRAPOLATED, 1 / 7)])
def test_the_best_step_is_near_that_of_theory(sweep, method, power, dtype):
    best = sweep.best[method, dtype]
    assert EPS[dtype] ** power / 10 < best.step < 10 * EPS[dtype] ** power
    assert best.error < 30 * EPS[dtype] ** (1 - power)
    i = int(np.argmin(np.abs(sweep.steps - best.step)))
    assert best.error == max(sweep.errors[method, dtype][i - 1:i + 2])


def test_the_complex_step_has_no_step_that_is_too_small(sweep):
    for dtype, eps in EPS.items():
        assert np.all(sweep.errors[COMPLEX, dtype][32:] < 4 * eps)


def test_float32_is_computed_in_float32():
    seen = set()

    def f(x):
        seen.add((x.dtype, type(x.data)))
        y = x * x
        seen.add((y.dtype, type(y.data)))
        return y

    sweep = step_sweep(f, 0.7)
    assert seen == {(np.dtype(float), float), (np.dtype(np.float32), np.float32), (np.dtype(float), np.float64)}
    for each in (sweep, step_sweep(f, np.array([0.7, -0.1]))):
        assert np.all(each.errors[FORWARD, "float32"][-20:] == 1)  # x + h is x


def test_float32_is_compared_at_the_rounded_number():
    sweep = step_sweep(lambda x: (x - 0.25) ** 2, 0.25001)  # rounding it alone changes the derivative by a thousandth
    assert sweep.best[COMPLEX, "float32"].error < 1e-6


def test_a_dtype_that_the_function_does_not_keep_is_noted():
    factors = np.array([1.0, 2.0])
    assert step_sweep(lambda x: x * factors, np.ones(2)).notes == ("f computes in float64 where x is float32.",)


def test_arrays_move_along_a_direction_and_outputs_are_summed():
    x = np.linspace(-1, 2, 6).reshape(2, 3)
    sweep = step_sweep(lambda x: {"a": np.tanh(x), "b": np.sum(x**3)}, x)
    assert sweep.best[CENTRAL, "float64"].error < 1e-8
    assert sweep.derivative == step_sweep(lambda x: {"a": np.tanh(x), "b": np.sum(x**3)}, Value(x)).derivative


@pytest.mark.parametrize("x", [3e-5, 4e5, -2.0])
def test_steps_are_relative_to_the_number(x):
    sweep = step_sweep(lambda v: np.sin(v / x) * x, x)  # the same function in other units
    assert sweep.derivative == pytest.approx(np.cos(1.0), rel=1e-15)
    assert 1e-9 < sweep.best[FORWARD, "float64"].step < 1e-7


def test_a_wrong_rule_shows_as_a_floor():
    @primitive
    def cube(x):
        return x**3

    defvjp(cube, lambda y, x: lambda g: g * 3 * x**2 * 1.001)
    errors = step_sweep(cube, 1.5).errors[CENTRAL, "float64"]
    assert np.all(np.abs(errors[8:32] - 1e-3 / 1.001) < 1e-5)


def test_no_complex_step_where_the_function_is_not_analytic():
    for f in (np.abs, lambda x: x * float(x)):
        sweep = step_sweep(f, 0.3)
        assert not [key for key in sweep.errors if key[0] == COMPLEX]
        assert sweep.notes == ("The complex step is left out: the recorded graph is not analytic, as far as can be "
                               "told.",)
    assert (COMPLEX, "float32") in step_sweep(lambda x: relu(x) * x, 0.5).errors


def test_a_derivative_of_0_gives_absolute_errors():
    sweep = step_sweep(lambda x: x**2, 0.0)
    np.testing.assert_allclose(sweep.errors[FORWARD, "float64"], 0.01 * sweep.steps)  # h² / h, moved by 0.1 h
    assert sweep.notes[-1] == "The errors are absolute, because the derivative is 0."


def test_bad_steps_are_nan_without_a_warning():
    def careful(x):
        if x.data > 0.95 or x.data < 0.85:
            raise ValueError("out of reach")
        return np.log(x)

    for x, ends in ((0.9, 8), (0.95, None)):
        sweep = step_sweep(careful, x)
        assert np.all(np.isnan(sweep.errors[CENTRAL, "float64"][:2]))
        assert ends is None or np.all(np.isfinite(sweep.errors[CENTRAL, "float64"][ends:]))
    sweep = step_sweep(careful, 0.9)
    assert np.isnan(sweep.errors[FORWARD, "float64"][0]) and sweep.best[FORWARD, "float64"].error < 1e-7
    at_the_end = step_sweep(lambda x: np.sqrt(1.0 + 1e-12 - x), 1.0)
    assert np.all(np.isnan(at_the_end.errors[CENTRAL, "float64"][:40]))
    beyond = step_sweep(lambda x: x / 1e100, 1e100)  # infinite in float32
    assert all(np.all(np.isnan(e)) for (_, dtype), e in beyond.errors.items() if dtype == "float32")
    assert np.isnan(beyond.best[CENTRAL, "float32"].step) and "nan" in str(beyond)


def test_prints_a_table(sweep):
    lines = str(sweep).splitlines()
    assert lines[0] == "step_sweep: the derivative of wavy is 3.5324567"
    assert lines[1].split("  ")[0] == "method" and lines[1].endswith("error  best step in theory")
    rows = {line.partition("  ")[0]: line for line in lines[2:]}
    assert list(rows) == [f"{m}, {d}" for m in METHODS for d in ("float64", "float32")]
    for name, theory in {"forward difference, float64": "√ε = 1.5e-08", "central difference, float32": "∛ε = 4.9e-03",
                         "central with Richardson extrapolation, float64": "ε^(1/7) = 5.8e-03",
                         "complex step, float64": "any below √ε = 1.5e-08"}.items():
        assert rows[name].endswith(theory) and rows[name].index(theory) == lines[1].index("best step in theory")
        best = sweep.best[tuple(name.split(", "))]
        assert [cell.strip() for cell in rows[name].split("  ")[-3:-1]] == [f"{best.step:.1e}", f"{best.error:.1e}"]
    assert str(step_sweep(wavy, 1.3)) == str(sweep)


def test_is_frozen(sweep):
    with pytest.raises(AttributeError):
        sweep.name = "other"


def test_plots_the_curves(sweep, tmp_path):
    figure_module = pytest.importorskip("matplotlib.figure", reason="the extra train is not installed")
    figure = sweep.plot()
    assert isinstance(figure, figure_module.Figure)
    (ax,) = figure.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel().startswith("step size h") and ax.get_ylabel().startswith("relative error")
    assert "wavy" in ax.get_title()
    assert {t.get_text() for t in ax.get_legend().get_texts()} == {", ".join(key) for key in sweep.errors}
    assert {"∝ h", "∝ h²", "∝ h⁶", "∝ ε/h"} <= {t.get_text() for t in ax.texts}
    figure.savefig(tmp_path / "sweep.svg")
    own = figure_module.Figure()
    axes = own.subplots()
    assert sweep.plot(ax=axes) is own and len(axes.lines) == len(ax.lines)
    flat = step_sweep(lambda x: x**2, 0.0).plot().axes[0]
    assert flat.get_ylabel().startswith("absolute error")


def test_plots_where_curves_are_missing(tmp_path):
    pytest.importorskip("matplotlib", reason="the extra train is not installed")
    step_sweep(np.abs, 0.3).plot().savefig(tmp_path / "sweep.svg")
    step_sweep(lambda x: x / 1e100, 1e100).plot().savefig(tmp_path / "sweep.svg")


def test_a_plot_names_the_extra_to_install(sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"draws with Matplotlib: pip install 'nudgegrad\[train\]'"):
        sweep.plot()


@pytest.mark.parametrize(("f", "x", "error", "text"), [
    (np.sin(1.0), 1.0, TypeError, "f: expected a function, got .*; write step_sweep.f, x., not step_sweep.f.x., x."),
    (np.sin, 1, TypeError, "x: expected a float or an array of floats, got 1; write 1.0$"),
    (np.sin, np.arange(3), TypeError, r"got array\(\[0, 1, 2\]\); write np.array\(x, dtype=float\)"),
    (np.sin, 1j, TypeError, "x: expected a float or an array of floats, got 1j"),
    (np.sin, {"a": 1.0}, TypeError, "x: expected a float or an array of floats, got {'a': 1.0}"),
    (np.sin, np.zeros(0), ValueError, r"x: expected finite numbers, got array\(\[\], dtype=float64\)"),
    (np.sin, np.inf, ValueError, "x: expected finite numbers, got inf"),
    (lambda x: x.data, 1.0, TypeError, "f must return a Value that depends on its inputs, but returned float"),
    (lambda x: None, 1.0, TypeError, "f must return a Value that depends on its inputs, but returned NoneType"),
    (lambda x: Value(1.0), 1.0, TypeError, "f must return a Value that depends on x by recorded operations; "
                                           r"gradcheck\(f, x\) says where the path ends"),
    (lambda x: x * 1j, 1.0, TypeError, "f must return real numbers, but returned complex128"),
    (np.sqrt, 0.0, ValueError, "x: the derivative there is inf; choose a point where it is finite"),
])
def test_errors(f, x, error, text):
    with pytest.raises(error, match=text):
        step_sweep(f, x)
