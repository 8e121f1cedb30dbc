"""Differentiable functions that NumPy lacks: activations, normalised exponentials, affine maps, convolution, pooling.

All are stable: no overflow and no nan for inputs up to ±1000 and beyond. They take and return plain arrays as well
as Values. At its kink, ``relu'(0) = 0`` (as are the slopes of
``leaky_relu`` and ``elu`` there those of the negative side); compare ``np.maximum(x, 0)``, whose gradient at 0 is ½
because ties share, and ``np.where(x > 0, x, 0)``, whose gradient at 0 is 0.
"""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from math import pi, prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from .record import primitive
from .registry import elementwise_rule, rule
from .rules.reductions import expand
from .value import Value

if TYPE_CHECKING:
    from .convolution import convolve, convolve_filters, convolve_input
    from .pooling import avg_pool, max_pool

__all__ = ["affine", "avg_pool", "convolve", "convolve_filters", "convolve_input", "elu", "erf", "gelu", "hardtanh",
           "leaky_relu", "log_softmax", "logsumexp", "max_pool", "relu", "sigmoid", "silu", "softmax", "softplus"]

# What is imported when it is asked for, so that an import of the package stays quick.
_LATER = {"avg_pool": ".pooling", "convolve": ".convolution", "convolve_filters": ".convolution",
          "convolve_input": ".convolution", "max_pool": ".pooling"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name], __package__), name)


@primitive
def relu(x: Any) -> Any:
    """max(x, 0), elementwise.

    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    if type(x) is float:
        return 0.0 if x <= 0 else x
    return np.maximum(x, 0)


elementwise_rule(relu, lambda g, y, x: g * (x > 0))
Value.relu = relu


@primitive
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where x > 0, else ``negative_slope`` · x, elementwise.

    >>> leaky_relu(np.array([-2.0, 3.0]))
    array([-0.02,  3.  ])
    """
    return np.where(x > 0, x, x * negative_slope)


elementwise_rule(leaky_relu, lambda g, y, x, negative_slope=0.01: np.where(x > 0, g, g * negative_slope))


@primitive
def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x between ``min_val`` and ``max_val``, elementwise, and beyond them these; its slope at both is 0.

    >>> hardtanh(np.array([-2.0, 0.5]))
    array([-1. ,  0.5])
    """
    return np.minimum(np.maximum(x, min_val), max_val)


elementwise_rule(hardtanh, lambda g, y, x, min_val=-1.0, max_val=1.0: g * ((x > min_val) & (x < max_val)))


@primitive
def sigmoid(x: Any) -> Any:
    """σ(x) = 1 / (1 + e^(-x)), elementwise.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    with np.errstate(over="ignore"):  # e^1000 is inf, and 1 / inf is the 0 that is wanted
        return 1 / (1 + np.exp(-x))


elementwise_rule(sigmoid, lambda g, y, x: g * (y * (1 - y)))


@primitive
def softplus(x: Any) -> Any:
    """log(1 + e^x), elementwise: a smooth ``relu``.

    >>> softplus(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


elementwise_rule(softplus, lambda g, y, x: g * sigmoid(x))


@primitive
def silu(x: Any) -> Any:
    """x · σ(x), elementwise, also called swish (Elfwing et al., 2017).

    >>> silu(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    return x * sigmoid(x)


def _silu(g: Any, y: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s + y * (1 - s))


elementwise_rule(silu, _silu)


@primitive
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else ``alpha`` · (e^x - 1), elementwise (Clevert et al., 2015).

    >>> elu(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


elementwise_rule(elu, lambda g, y, x, alpha=1.0: np.where(x > 0, g, g * (alpha * np.exp(np.where(x > 0, 0, x)))))

# erf as in fdlibm's s_erf.c (Sun Microsystems, 1993): a rational approximation for each of four intervals of |x|,
# of which the last stands for all beyond, within one unit in the last place. Coefficients from the lowest power.
_ERF_SMALL = (
    [1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
     -5.77027029648944159157e-03, -2.37630166566501626084e-05],
    [1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
     1.32494738004321644526e-04, -3.96022827877536812320e-06],
)
_ERF_ONE = 8.45062911510467529297e-01
_ERF_MIDDLE = (
    [-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
     3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
     -2.16637559486879084300e-03],
    [1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
     1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02],
)
_ERF_LARGE = (
    [-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e01,
     -6.23753324503260060396e01, -1.62396669462573470355e02, -1.84605092906711035994e02,
     -8.12874355063065934246e01, -9.81432934416914548592e00],
    [1.0, 1.96512716674392571292e01, 1.37657754143519042600e02, 4.34565877475229228821e02,
     6.45387271733267880336e02, 4.29008140027567833386e02, 1.08635005541779435134e02,
     6.57024977031928170135e00, -6.04244152148580987438e-02],
)
_ERF_TAIL = (
    [-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e01,
     -1.60636384855821916062e02, -6.37566443368389627722e02, -1.02509513161107724954e03,
     -4.83519191608651397019e02],
    [1.0, 3.03380607434824582924e01, 3.25792512996573918826e02, 1.53672958608443695994e03,
     3.19985821950859553908e03, 2.55305040643316442583e03, 4.74528541206955367215e02,
     -2.24409524465858183362e01],
)


def _polynomial(coefficients: list[float], x: Any) -> Any:
    return reduce(lambda y, c: y * x + c, reversed(coefficients))


def _ratio(coefficients: tuple[list[float], list[float]], x: Any) -> Any:
    return _polynomial(coefficients[0], x) / _polynomial(coefficients[1], x)


@primitive
def erf(x: Any) -> Any:
    """The error function 2/√π ∫₀ˣ e^(-t²) dt, elementwise, to the last digit or two of float64.

    >>> erf(np.array([-1000.0, 0.0, 1.0]))
    array([-1.        ,  0.        ,  0.84270079])
    """
    x = np.clip(x, -6.0, 6.0)  # beyond, it is ±1 to the last digit
    a = np.abs(x)
    s = a * a
    near = x + x * _ratio(_ERF_SMALL, np.minimum(s, 1.0))
    middle = _ERF_ONE + _ratio(_ERF_MIDDLE, a - 1)
    inverse = 1 / np.maximum(s, 1.0)
    tail = np.where(a < 1 / 0.35, _ratio(_ERF_LARGE, inverse), _ratio(_ERF_TAIL, np.minimum(inverse, 0.13)))
    far = 1 - np.exp(-s - 0.5625 + tail) / np.maximum(a, 1.0)
    return np.where(a < 0.84375, near, np.sign(x) * np.where(a < 1.25, middle, far))


def _gaussian(x: Any) -> Any:
    """e^(-x²), which is 0 long before x² overflows."""
    return np.exp(-np.square(np.clip(x, -40, 40)))


elementwise_rule(erf, lambda g, y, x: g * (2 / sqrt(pi) * _gaussian(x)))


@primitive
def gelu(x: Any, approximate: str = "none") -> Any:
    """x · Φ(x), elementwise, with Φ the normal distribution function (Hendrycks and Gimpel, 2016).

    ``approximate="tanh"`` takes ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) instead.

    >>> gelu(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    return x * _gelu_gate(x, approximate)


def _gelu_gate(x: Any, approximate: str) -> Any:
    if approximate == "none":
        return 0.5 * (1 + erf(x * sqrt(0.5)))
    if approximate == "tanh":
        x = np.clip(x, -10, 10)  # beyond, tanh is ±1 to the last digit, and x³ might overflow
        return 0.5 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))
    raise ValueError(f"approximate: expected 'none' or 'tanh', got {approximate!r}")


def _gelu(g: Any, y: Any, x: Any, approximate: str = "none") -> Any:
    gate = _gelu_gate(x, approximate)
    if approximate == "none":
        slope = sqrt(0.5 / pi) * _gaussian(x * sqrt(0.5))
    else:
        slope = 2 * gate * (1 - gate) * (sqrt(2 / pi) * (1 + 3 * 0.044715 * np.square(np.clip(x, -10, 10))))
    return g * (gate + x * slope)


elementwise_rule(gelu, _gelu)


@primitive
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log Σ e^x along ``axis`` (an integer, a tuple, or ``None`` for all), shifted by the largest element.

    >>> float(logsumexp(np.array([1000.0, 1000.0])))
    1000.6931471805599
    """
    if np.result_type(x).kind in "biu":
        x = np.asarray(x, dtype=float) if not hasattr(x, "astype") else x.astype(float)
    shift = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(shift), shift, 0)
    with np.errstate(divide="ignore"):  # the log of a sum of nothing but e^(-inf) is -inf
        y = shift + np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis=axis)


def _logsumexp(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    g, y = expand(g, x, axis, keepdims), expand(y, x, axis, keepdims)
    return g * np.exp(x - np.where(y == -np.inf, 0, y))


def _logsumexp_forward(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    y = expand(y, x, axis, keepdims)
    return np.sum(g * np.exp(x - np.where(y == -np.inf, 0, y)), axis=axis, keepdims=keepdims)


rule(logsumexp, _logsumexp, jvps=[_logsumexp_forward])


@primitive
def softmax(x: Any, axis: Any = -1) -> Any:
    """e^x / Σ e^x along ``axis``.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _softmax(g: Any, y: Any, x: Any, axis: Any = -1) -> Any:
    return y * (g - np.sum(g * y, axis=axis, keepdims=True))


rule(softmax, _softmax, jvps=[_softmax])  # its Jacobian is symmetric


@primitive
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """x - log Σ e^x along ``axis``.

    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


rule(log_softmax, lambda g, y, x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),
     jvps=[lambda g, y, x, axis=-1: g - np.sum(np.exp(y) * g, axis=axis, keepdims=True)])


@primitive
def affine(x: Any, weight: Any, bias: Any = 0.0) -> Any:
    """x Wᵀ + b: ``x`` (..., in), ``weight`` (out, in), ``bias`` (out,), result (..., out).

    >>> affine(np.array([1.0, 2.0]), np.array([[1.0, 1.0], [0.0, 3.0]]), np.array([10.0, 20.0]))
    array([13., 26.])
    """
    return x @ weight.T + bias


def _affine_weight(g: Any, y: Any, x: Any, weight: Any, bias: Any = 0.0) -> Any:
    if np.ndim(x) != 2:
        *batch, inner = np.shape(x)
        x, g = np.reshape(x, (prod(batch), inner)), np.reshape(g, (prod(batch), np.shape(g)[-1]))
    return g.T @ x


rule(affine,
     lambda g, y, x, weight, bias=0.0: g @ weight,
     _affine_weight,
     lambda g, y, x, weight, bias=0.0: g,
     jvps=[lambda g, y, x, weight, bias=0.0: g @ weight.T,
           lambda g, y, x, weight, bias=0.0: x @ g.T,
           lambda g, y, x, weight, bias=0.0: g])
