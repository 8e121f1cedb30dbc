"""Optimizers that adapt the step of each weight to the gradients that it has had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .checks import at_least_zero, below_one, number
from .optimizers import Optimizer, Setting

__all__ = ["Adadelta", "Adagrad", "Adam", "AdamW", "NAdam", "RMSprop"]


def _two_below_one(who: str, name: str, x: Any) -> tuple[float, float]:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{who}: {name} must be two numbers, got {x!r}")
    return below_one(who, f"{name}[0]", x[0]), below_one(who, f"{name}[1]", x[1])


def _truth(who: str, name: str, x: Any) -> bool:
    return bool(x)


class Adam(Optimizer):
    """Adaptive moments: w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g² (Kingma and Ba, 2015).

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g² start at 0, which m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at
    step t correct. With ``weight_decay`` λ, g ← g + λ w. With ``amsgrad``, v̂ is made from the largest v so far, so that
    steps do not grow again (Reddi et al., 2018).

    >>> from autograd import Value
    >>> w = Value([1.0, -2.0])
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.9, -1.9])
    """

    _buffers = ("mean", "square")
    _counted = True
    betas = Setting(_two_below_one)
    eps = Setting(at_least_zero)
    weight_decay = Setting(at_least_zero)
    amsgrad = Setting(_truth)

    def __init__(self, parameters: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def _check(self, group: dict[str, Any]) -> None:
        if group["amsgrad"]:
            self._buffers = ("mean", "square", "largest")

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        if self.group_of[i]["weight_decay"]:
            g = g + self.group_of[i]["weight_decay"] * data
        self._adapt(i, data, g)

    def _adapt(self, i: int, data: np.ndarray, g: Any) -> None:
        group, count = self.group_of[i], self.counts[i]
        b1, b2 = group["betas"]
        m, v = self.buffers["mean"][i], self.buffers["square"][i]
        m *= b1
        m += (1 - b1) * g
        v *= b2
        v += (1 - b2) * (g * g)
        if group["amsgrad"]:
            largest = self.buffers["largest"][i]
            largest[...] = v = np.maximum(largest, v)
        change = np.sqrt(v)
        change /= (1 - b2**count) ** 0.5
        change += group["eps"]
        data -= group["lr"] / (1 - b1**count) * (m / change)


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← (1 - lr · λ) w before the step (Loshchilov and Hutter, 2019).

    >>> from autograd import Value
    >>> w = Value([1.0, -2.0])
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.85, -1.8 ])
    """

    def __init__(self, parameters: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        data *= 1 - self.group_of[i]["lr"] * self.group_of[i]["weight_decay"]
        self._adapt(i, data, g)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: w ← w - lr · ((1 - μ) g / (1 - Π) + ν m / (1 - Π ν)) / (√v̂ + eps) (Dozat, 2016).

    m and v̂ are those of ``Adam``. The momentum grows: at step t it is μ = β₁ (1 - ½ · 0.96^(t · ``momentum_decay``)),
    at the next one ν, and Π is the product of all up to μ. ``weight_decay`` is that of ``Adam``, or with
    ``decoupled_weight_decay`` that of ``AdamW``.

    >>> from autograd import Value
    >>> w = Value([1.0, -2.0])
    >>> optimizer = NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(2)
    array([ 0.89, -1.89])
    """

    _buffers = ("mean", "square", "product")
    _counted = True
    betas = Setting(_two_below_one)
    eps = Setting(at_least_zero)
    weight_decay = Setting(at_least_zero)
    momentum_decay = Setting(at_least_zero)
    decoupled_weight_decay = Setting(_truth)

    def __init__(self, parameters: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0, momentum_decay: float = 4e-3,
                 decoupled_weight_decay: bool = False) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay,
                         momentum_decay=momentum_decay, decoupled_weight_decay=decoupled_weight_decay)

    def _start(self, buffer: str, data: Any, group: dict[str, Any]) -> np.ndarray:
        # The product is a float32 in PyTorch, whatever the dtype of the parameters.
        return np.ones((), np.float32) if buffer == "product" else np.zeros_like(data)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        group, count = self.group_of[i], self.counts[i]
        lr, (b1, b2), decay = group["lr"], group["betas"], group["weight_decay"]
        if decay and group["decoupled_weight_decay"]:
            data *= 1 - lr * decay
        elif decay:
            g = g + decay * data
        momentum, following = (b1 * (1 - 0.5 * 0.96 ** (n * group["momentum_decay"])) for n in (count, count + 1))
        m, v, product = (self.buffers[b][i] for b in self._buffers)
        product *= momentum
        product = number(product)
        m *= b1
        m += (1 - b1) * g
        v *= b2
        v += (1 - b2) * (g * g)
        change = np.sqrt(v / (1 - b2**count))
        change += group["eps"]
        data -= lr * (1 - momentum) / (1 - product) * (g / change)
        data -= lr * following / (1 - product * following) * (m / change)


class RMSprop(Optimizer):
    """Gradients over their root mean square: w ← w - lr · g / (√v + eps) (Tieleman and Hinton, 2012).

    v ← α v + (1 - α) g² starts at 0. If ``centered``, v - m² is taken for it, the variance, with the running mean m of
    g. With ``momentum`` μ, b ← μ b + g / (√v + eps) is what lr multiplies. With ``weight_decay`` λ, g ← g + λ w.

    >>> from autograd import Value
    >>> w = Value([1.0, -2.0])
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.9, -1.9])
    """

    alpha = Setting(below_one)
    eps = Setting(at_least_zero)
    weight_decay = Setting(at_least_zero)
    momentum = Setting(at_least_zero)
    centered = Setting(_truth)

    def __init__(self, parameters: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False) -> None:
        self._buffers = ("square",)
        super().__init__(parameters, lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
                         centered=centered)

    def _check(self, group: dict[str, Any]) -> None:
        wanted = {"square": True, "momentum": group["momentum"], "mean": group["centered"]}
        self._buffers = tuple(b for b in wanted if wanted[b] or b in self._buffers)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        group, v = self.group_of[i], self.buffers["square"][i]
        alpha = group["alpha"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * data
        v *= alpha
        v += (1 - alpha) * (g * g)
        if group["centered"]:
            m = self.buffers["mean"][i]
            m *= alpha
            m += (1 - alpha) * g
            v = np.maximum(v - m * m, 0)
        change = g / (np.sqrt(v) + group["eps"])
        if group["momentum"]:
            b = self.buffers["momentum"][i]
            b *= group["momentum"]
            b += change
            change = b
        data -= group["lr"] * change


class Adagrad(Optimizer):
    """Gradients over the root of all their squares: w ← w - lr · g / (√v + eps), v ← v + g² (Duchi et al., 2011).

    v starts at ``initial_accumulator_value``. With ``lr_decay`` δ, lr / (1 + (t - 1) δ) takes the place of lr at
    step t. With ``weight_decay`` λ, g ← g + λ w.

    >>> from autograd import Value
    >>> w = Value([1.0, -2.0])
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.9, -1.9])
    """

    _buffers = ("square",)
    lr_decay = Setting(at_least_zero)
    weight_decay = Setting(at_least_zero)
    initial_accumulator_value = Setting(at_least_zero)
    eps = Setting(at_least_zero)

    def __init__(self, parameters: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0.0, weight_decay: float = 0.0,
                 initial_accumulator_value: float = 0.0, eps: float = 1e-10) -> None:
        super().__init__(parameters, lr, lr_decay=lr_decay, weight_decay=weight_decay,
                         initial_accumulator_value=initial_accumulator_value, eps=eps)

    def _check(self, group: dict[str, Any]) -> None:
        self._counted = self._counted or bool(group["lr_decay"])

    def _start(self, buffer: str, data: Any, group: dict[str, Any]) -> np.ndarray:
        return np.full_like(data, group["initial_accumulator_value"])

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        group, v = self.group_of[i], self.buffers["square"][i]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * data
        v += g * g
        lr = group["lr"]
        if self._counted:
            lr = lr / (1 + (self.counts[i] - 1) * group["lr_decay"])
        data -= lr * (g / (np.sqrt(v) + group["eps"]))


class Adadelta(Optimizer):
    """Steps as large as the last ones were: w ← w - lr · d, d = √(u + eps) / √(v + eps) · g (Zeiler, 2012).

    v ← ρ v + (1 - ρ) g² and u ← ρ u + (1 - ρ) d² start at 0. With ``weight_decay`` λ, g ← g + λ w.

    >>> from autograd import Value
    >>> w = Value([1.0, -2.0])
    >>> optimizer = Adadelta([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 0.9968, -1.9968])
    """

    _buffers = ("square", "change")
    rho = Setting(below_one)
    eps = Setting(at_least_zero)
    weight_decay = Setting(at_least_zero)

    def __init__(self, parameters: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6,
                 weight_decay: float = 0.0) -> None:
        super().__init__(parameters, lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        group = self.group_of[i]
        rho, eps = group["rho"], group["eps"]
        v, u = self.buffers["square"][i], self.buffers["change"][i]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * data
        v *= rho
        v += (1 - rho) * (g * g)
        change = np.sqrt(u + eps)
        change /= np.sqrt(v + eps)
        change *= g
        u *= rho
        u += (1 - rho) * (change * change)
        data -= group["lr"] * change
