"""Optimizers: from the gradients of parameters to their next values, in place; and gradient clipping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Value, check

from .checks import at_least_zero, below_one, check_same, is_traced, number, settings
from .module import Module

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "clip_grad_norm", "clip_grad_value"]


class Optimizer:
    """What optimizers share: the parameters, the learning rate ``lr`` and the state to save.

    A subclass says in ``_update`` how a parameter's array changes, in ``_buffers`` which arrays it keeps for each, and
    in ``_counted`` whether an update depends on how many the parameter has had.
    """

    _buffers: tuple[str, ...] = ()
    _counted = False

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        name = type(self).__name__
        given = _listed(name, parameters)
        for p in given:
            if not isinstance(p, Value) or p.op is not None:
                raise TypeError(f"{name}: parameters must be leaf Values, got {p!r:.80}")
        self.parameters = list(dict.fromkeys(given))
        if not self.parameters:
            raise ValueError(f"{name}: there are no parameters; was an iterator such as model.parameters() used up?")
        self.lr = lr
        self.steps = 0
        self.counts = [0] * len(self.parameters) if self._counted else []  # how often each was updated
        self.buffers = {b: [np.zeros_like(p.data) for p in self.parameters] for b in self._buffers}

    @property
    def lr(self) -> float:
        """The learning rate: at least 0."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = number(at_least_zero(type(self).__name__, "lr", lr))

    def zero_grad(self) -> None:
        """Forget all gradients, so that the next ``backward`` starts anew."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient.

        Raises ``ValueError`` where none has: then ``backward`` was not called, or not on what they computed.
        """
        ready = [(i, p) for i, p in enumerate(self.parameters) if p.grad is not None]
        if not ready:
            raise ValueError(f"{type(self).__name__}: no parameter has a gradient; call cost.backward() before step(), "
                             "on a cost computed from these parameters")
        for i, p in ready:
            if getattr(p.grad, "shape", ()) != p.shape:
                raise ValueError(f"{type(self).__name__}: parameter {i} has shape {p.shape}, but its gradient "
                                 f"{np.shape(p.grad)}")
        self.steps += 1
        for i, p in ready:
            if self._counted:
                self.counts[i] += 1
            if p.shape:
                self._update(i, p.data, p.grad)
            else:  # a number cannot change in place
                data = np.copy(p.data)
                self._update(i, data, p.grad)
                p.data = type(p.data)(data) if isinstance(p.data, (float, np.generic)) else data

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that the next step depends on, besides the parameters: numbers, and arrays by name."""
        arrays = {f"{b}.{i}": array.copy() for b, arrays in self.buffers.items() for i, array in enumerate(arrays)}
        return {"kind": type(self).__name__, "settings": settings(self, "parameters", "counts", "steps", "buffers"),
                "lr": self.lr, "steps": self.steps, "counts": list(self.counts), **arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state that ``state_dict`` gave.

        Raises ``ValueError``, and changes nothing, where the state is that of another optimizer or other parameters.
        """
        name = type(self).__name__
        mine = self.state_dict()
        check_same(self, state, mine["settings"])
        if mine.keys() != state.keys():
            raise ValueError(f"{name}: the state does not fit: missing {sorted(mine.keys() - state.keys())}, "
                             f"unknown {sorted(state.keys() - mine.keys())}")
        for key, array in mine.items():
            if key != "settings" and np.shape(array) != np.shape(state[key]):
                raise ValueError(f"{name}: {key} has shape {np.shape(state[key])} in the state, expected "
                                 f"{np.shape(array)}")
        counts = [int(n) for n in state["counts"]]
        new = {key: np.asarray(state[key]).astype(array.dtype) for key, array in mine.items()
               if isinstance(array, np.ndarray)}
        steps = int(state["steps"])
        self.lr = state["lr"]
        self.steps, self.counts = steps, counts
        for b, arrays in self.buffers.items():
            for i, array in enumerate(arrays):
                array[...] = new[f"{b}.{i}"]


class SGD(Optimizer):
    """Gradient descent: w ← w - lr · g on each mini-batch.

    With ``weight_decay`` λ, g ← g + λ w. With ``momentum`` μ, v ← μ v + g takes the place of g, and with ``nesterov``
    g + μ v does, where v is 0 at first (Sutskever et al., 2013; as in PyTorch).

    >>> w = Value(1.0)
    >>> optimizer = SGD([w], lr=0.5)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.0
    """

    def __init__(self, parameters: Iterable[Value], lr: float, momentum: float = 0.0, *, weight_decay: float = 0.0,
                 nesterov: bool = False) -> None:
        self.momentum = at_least_zero("SGD", "momentum", momentum)
        self.weight_decay = at_least_zero("SGD", "weight_decay", weight_decay)
        self.nesterov = nesterov
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum above 0")
        self._buffers = ("momentum",) if momentum else ()
        super().__init__(parameters, lr)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * data
        if self.momentum:
            v = self.buffers["momentum"][i]
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        data -= self.lr * g


class Adam(Optimizer):
    """Adaptive moments: w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g² (Kingma and Ba, 2015).

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g² start at 0, which m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at
    step t correct. With ``weight_decay`` λ, g ← g + λ w.

    >>> w = Value([1.0, -2.0])
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.9, -1.9])
    """

    _buffers = ("mean", "square")
    _counted = True

    def __init__(self, parameters: Iterable[Value], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0) -> None:
        name = type(self).__name__
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"{name}: betas must be two numbers, got {betas!r}")
        self.betas = (below_one(name, "betas[0]", betas[0]), below_one(name, "betas[1]", betas[1]))
        self.eps = at_least_zero(name, "eps", eps)
        self.weight_decay = at_least_zero(name, "weight_decay", weight_decay)
        super().__init__(parameters, lr)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * data
        self._adapt(i, data, g)

    def _adapt(self, i: int, data: np.ndarray, g: Any) -> None:
        b1, b2 = self.betas
        m, v = self.buffers["mean"][i], self.buffers["square"][i]
        m *= b1
        m += (1 - b1) * g
        v *= b2
        v += (1 - b2) * (g * g)
        change = np.sqrt(v)
        change /= (1 - b2 ** self.counts[i]) ** 0.5
        change += self.eps
        data -= self.lr / (1 - b1 ** self.counts[i]) * (m / change)


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← (1 - lr · λ) w before the step (Loshchilov and Hutter, 2019).

    >>> w = Value([1.0, -2.0])
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.85, -1.8 ])
    """

    def __init__(self, parameters: Iterable[Value], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        data *= 1 - self.lr * self.weight_decay
        self._adapt(i, data, g)


def clip_grad_norm(parameters: Iterable[Value], max_norm: float) -> float:
    """Scale all gradients together to a Euclidean norm of at most ``max_norm``; returns the norm before.

    Raises ``FloatingPointError``, and changes nothing, where the norm is not finite.

    >>> w = Value([3.0, 4.0])
    >>> w.grad = np.array([3.0, 4.0])
    >>> clip_grad_norm([w], 1.0), w.grad
    (5.0, array([0.6, 0.8]))
    """
    max_norm = float(at_least_zero("clip_grad_norm", "max_norm", max_norm))
    parameters = _with_gradient("clip_grad_norm", parameters)
    norm = np.sqrt(sum(np.sum(np.square(np.abs(p.grad).astype(float))) for p in parameters))
    check(np.isfinite(norm), lambda norm: FloatingPointError(f"clip_grad_norm: the gradient's norm is {norm}"), norm)
    if is_traced(norm) or norm > max_norm:
        scale = number(max_norm / np.maximum(norm, max_norm))
        for p in parameters:
            p.grad = p.grad * scale
    return number(norm)


def clip_grad_value(parameters: Iterable[Value], max_value: float) -> None:
    """Clip every element of every gradient to ±``max_value``.

    >>> w = Value([3.0, -4.0])
    >>> w.grad = np.array([0.5, -4.0])
    >>> clip_grad_value([w], 1.0)
    >>> w.grad
    array([ 0.5, -1. ])
    """
    max_value = float(at_least_zero("clip_grad_value", "max_value", max_value))
    for p in _with_gradient("clip_grad_value", parameters):
        clipped = np.clip(p.grad, -max_value, max_value)
        p.grad = clipped if p.shape else type(p.data)(clipped)


def _with_gradient(who: str, parameters: Iterable[Value]) -> list[Value]:
    return [p for p in _listed(who, parameters) if p.grad is not None]


def _listed(who: str, parameters: Iterable[Value]) -> list[Value]:
    if isinstance(parameters, Value):
        raise TypeError(f"{who}: parameters must be a list of parameters; write [p] for one")
    if isinstance(parameters, Module):
        raise TypeError(f"{who}: parameters must be a list of parameters; write model.parameters()")
    return list(parameters)
