"""The experiments of the gradient-checking gallery: each gives what it found as lines, reports and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import nn
from autograd import Value, defjvp, defvjp, explain_nan, grad, gradcheck, primitive, step_sweep, why_zero
from autograd.functions import relu

from . import gradient_pictures as pictures

__all__ = ["EXPERIMENTS", "Found"]


Digits = Callable[[], nn.data.Digits]  # called by the experiments that need some


@dataclass(frozen=True)
class Found:
    """What an experiment found: lines to print, and reports and pictures, each with a caption."""

    title: str
    about: str
    lines: list[str]
    reports: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, tuple[Figure, str]] = field(default_factory=dict)


# A right rule and a wrong one

@primitive
def softsign(x):
    return x / (1 + np.abs(x))


@primitive
def hasty_softsign(x):
    return x / (1 + np.abs(x))


defvjp(softsign, lambda y, x: lambda g: g / (1 + np.abs(x)) ** 2)
defjvp(softsign, lambda g, y, x: g / (1 + np.abs(x)) ** 2)
defvjp(hasty_softsign, lambda y, x: lambda g: g / (1 + np.abs(x)))  # the square is forgotten
defjvp(hasty_softsign, lambda g, y, x: g / (1 + np.abs(x)) ** 2)


def right_cost(x):
    return np.sum(softsign(x))


def wrong_cost(x):
    return np.sum(hasty_softsign(x))


def rules(digits: Digits) -> Found:
    x = np.linspace(-3.9, 4.7, 32)
    right, wrong = gradcheck(right_cost, x), gradcheck(wrong_cost, x)
    return Found(
        "A right rule and a wrong one",
        "Two primitives compute x / (1 + |x|). In the vjp of the second the denominator is not squared; its jvp is "
        "right. The report blames reverse mode, the operation, and the line that called it.",
        [f"softsign: {str(right).splitlines()[0].partition(': ')[2]}",
         f"hasty_softsign: {str(wrong).splitlines()[0].partition(': ')[2]}",
         *(str(fault) for fault in wrong.faults)],
        {"The right rule": right, "The wrong rule": wrong},
        {"rules.png": (pictures.rules(x, {"softsign": right, "hasty_softsign": wrong}),
                       "The gradient of Σ x / (1 + |x|) by each rule, and the numeric one.")})


# A kink

AT_A_KINK: dict[str, Callable] = {
    "np.abs(x)": np.abs,
    "relu(x)": relu,
    "np.maximum(x, 0)": lambda x: np.maximum(x, 0.0),
    "np.where(x > 0, x, 0)": lambda x: np.where(x > 0, x, 0.0),
    "np.clip(x, 0, 1)": lambda x: np.clip(x, 0.0, 1.0),
}


def distance(x):
    return np.abs(x)


def kink(digits: Digits) -> Found:
    h, point = 1e-6, 3e-7
    x = np.linspace(-2, 2, 27) * h
    near, around = gradcheck(distance, point), [gradcheck(distance, float(v)).elements[0] for v in x]
    rows = [f"{'':24}gradient  left  right  verdict"]
    for name, f in AT_A_KINK.items():
        (element,) = gradcheck(f, 0.0).elements
        left, right = (abs(f(side * h) - f(0.0)) / h * side for side in (-1.0, 1.0))
        rows.append(f"{name:24}{element.analytic:8.3g}  {left + 0:4.2g}  {right:5.2g}  {element.verdict}")
    fixed = (abs(point + h) - abs(point - h)) / (2 * h)
    return Found(
        "A kink",
        "At a kink there are two slopes and no derivative; beside it, a difference whose step straddles it is wrong. "
        "gradcheck takes steps that do not, measures how far the kink is, says which operation has it, and does not "
        "call the gradient wrong.",
        [f"|x| at {point:g}: verdict {near.verdicts['x']}, gradient {near.elements[0].analytic:g}; a central "
         f"difference with step {h:g} gives {fixed:.2g}", "at 0:", *rows],
        {f"|x| at {point:g}": near, "At 0: the gradient, the slopes to both sides, and the verdict": "\n".join(rows)},
        {"kink.png": (pictures.kink(x, around, point, 6e-7, h),
                      "Left: |x| within millionths of its kink. Right: its gradients there. What gradcheck calls a "
                      "kink is shaded.")})


# float32 and float64

def wavy(x):
    return np.exp(np.sin(x)) * x


def cancelling(x):
    return np.sqrt(x + 1) - np.sqrt(x)


def stable(x):
    return 1 / (np.sqrt(x + 1) + np.sqrt(x))


def precision(digits: Digits) -> Found:
    sweep = step_sweep(wavy, 1.3)
    x = np.logspace(0, 6, 19).astype(np.float32)
    exact = grad(lambda x: np.sum(stable(x)))(x.astype(float))
    reports = {formula: gradcheck(lambda x, f=f: np.sum(f(x)), x)
               for formula, f in (("√(x + 1) - √x", cancelling), ("1 / (√(x + 1) + √x)", stable))}
    off = {formula: np.abs(np.array([e.analytic for e in report.elements]) / exact - 1)
           for formula, report in reports.items()}
    best = sweep.best
    return Found(
        "float32 and float64",
        "Every difference has a best step: a larger one sees the bend of the function, a smaller one its rounding. The "
        "complex step has none that is too small. And a gradient can be right without being precise: √(x + 1) - √x "
        "cancels where x is large, and float32 keeps few digits of it.",
        [*(f"{method}, {dtype}: best step {best[method, dtype].step:.0e}, error {best[method, dtype].error:.0e}"
           for method, dtype in best if dtype == "float64" or method == "central difference"),
         *(f"{formula} in float32: verdict {report.verdicts['x']}, relative error up to {off[formula].max():.0e}"
           for formula, report in reports.items())],
        {"The best step of each method": sweep, **{f"{name} in float32": report for name, report in reports.items()}},
        {"steps.png": (sweep.plot(), "The error of numeric derivatives of x exp(sin x) at 1.3, over the step size."),
         "precision.png": (pictures.conditioning(x, off, 3e-5),
                           "The gradients of two formulas for one function, computed in float32, against float64.")})


# A vanishing gradient

DEPTH = 10
NETWORKS: dict[str, tuple] = {
    "sigmoid, weights within ±1/√fan_in": (nn.Sigmoid, None),
    "sigmoid, four times Glorot's": (nn.Sigmoid, lambda *args: 4 * nn.initializers.glorot_uniform(*args)),
    "ReLU, He's": (nn.ReLU, nn.initializers.he_uniform),
}


def vanishing(digits: Digits) -> Found:
    images, labels = (part[:8] for part in digits())
    x, sizes, reasons = images.astype(float), {}, {}
    for name, (activation, init) in NETWORKS.items():
        model = nn.MLP([x.shape[1], *[16] * DEPTH, 10], activation, rng=0, init=init, dtype=float)
        cost = nn.cross_entropy(model(x), labels)
        biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
        reasons[name] = why_zero(cost, biases[0])
        cost.backward()
        sizes[name] = [float(np.sqrt(np.mean(np.square(b.grad)))) for b in biases]
    return Found(
        "A vanishing gradient",
        f"{DEPTH} layers of 16 neurons, and one of 10 for the digits, before any training. The slope of the sigmoid is "
        "at most 1/4, and every layer multiplies the gradient by that and by its weights: what is left for the first "
        "is too small to learn from. Larger initial weights help, ReLU cures it.",
        [f"{name}: gradient of the biases {values[0]:.0e} in the first layer, {values[-1]:.0e} in the last"
         for name, values in sizes.items()] + [str(next(iter(reasons.values()))).splitlines()[0]],
        {f"The first biases: {name}": reason for name, reason in reasons.items()},
        {"vanishing.png": (pictures.gradients_by_layer(sizes),
                           "The root mean square of the biases' gradient in every layer; initial weights as named.")})


# A gradient that is nan

def root(x):
    return np.where(x > 0, np.sqrt(x), 0.0)


def safe_root(x):
    return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)


def nan(digits: Digits) -> Found:
    x = np.linspace(0, 4, 17)
    report = explain_nan(np.sum(root(Value(x, name="x"))))
    with np.errstate(invalid="ignore"):  # 0 / 0, in the rule of the square root
        gradients = {text: grad(lambda x, f=f: np.sum(f(x)))(x) for text, f in (
            (report.replaces, root), (report.rewrite, safe_root))}
    return Found(
        "A gradient that is nan",
        "The value is finite everywhere. At 0 np.where leaves the square root out, but its slope there is infinite, "
        "and 0 times infinity is nan. explain_nan names the operation and the line, and writes what is safe instead.",
        [f"{report.replaces}: gradient {gradients[report.replaces][0]} at 0",
         f"{report.rewrite}: gradient {gradients[report.rewrite][0]:g} at 0", str(report).splitlines()[0]],
        {"What explain_nan says": report},
        {"nan.png": (pictures.nan(x, gradients), "The gradient as it was written, and with the line that the report "
                                                 "says to write.")})


# The digit network

SIZES = (784, 16, 16, 10)


def network(digits: Digits) -> Found:
    model = nn.MLP(SIZES, nn.Sigmoid, nn.Sigmoid, rng=0, dtype=float)
    images, labels = (part[:8] for part in digits())
    x, y = images.astype(float), nn.data.one_hot(labels, 10, float)
    start = time.perf_counter()
    report = gradcheck(model, x, y, loss=nn.quadratic_cost)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    quick = gradcheck(model, x, y, loss=nn.quadratic_cost, directions=1)
    less = time.perf_counter() - start
    gradient = np.array([e.analytic for e in report.elements[:model[0].weight.size]]).reshape(model[0].weight.shape)
    name = "-".join(map(str, SIZES))
    return Found(
        f"The digit network, all {len(report.elements):,} parameters",
        f"The gradient of the quadratic cost of {len(x)} digits with respect to every weight and bias of the {name} "
        "network, each against the complex step, one at a time, in float64.",
        [f"{str(report).splitlines()[0].partition(': ')[2]}, in {seconds:.1f} s",
         *(f"{i.name} {i.shape}: {i.verdict}, largest error {i.error:.1e}" for i in report.inputs),
         f"along one random direction for each parameter: {'right' if quick else 'wrong'}, in {less:.2f} s"],
        {"Every parameter": report, "Along random directions": quick},
        {"errors.png": (pictures.errors(report), "How many gradients are how far from the complex step."),
         "neurons.png": (pictures.neurons(gradient, round(x.shape[1] ** 0.5)),
                         "White is no gradient: there is no ink in any of the digits.")})


EXPERIMENTS: dict[str, Callable[[Digits], Found]] = {
    "rules": rules, "kink": kink, "precision": precision, "vanishing": vanishing, "nan": nan,
    "network": network}
