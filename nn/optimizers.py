"""Optimizers: from the gradients of parameters to their next values, in place; SGD, and gradient clipping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Value, check

from .checks import at_least_zero, check_same, is_traced, number, settings
from .module import Module

__all__ = ["SGD", "Optimizer", "Setting", "clip_grad_norm", "clip_grad_value", "decay_groups"]


class Setting:
    """A setting of an optimizer: that of its first group; assigned, that of all. ``check(who, name, x)`` returns x."""

    def __init__(self, check: Callable[[str, str, Any], Any]) -> None:
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type) -> Any:
        return self if optimizer is None else optimizer.param_groups[0][self.name]

    def __set__(self, optimizer: Any, x: Any) -> None:
        x = self.check(type(optimizer).__name__, self.name, x)
        for group in optimizer.param_groups:
            group[self.name] = x


class Optimizer:
    """What optimizers share: groups of parameters with their settings, and the state to save.

    ``parameters`` is a list of parameters, or of groups: dicts of ``params`` and the settings in which they differ,
    such as ``{"params": model.layers[0].parameters(), "lr": 0.1}``. ``param_groups`` holds them, each with all
    settings, which may be changed there.

    A subclass declares a ``Setting`` for each, which it passes on by name, says in ``_update`` how a parameter's array
    changes, in ``_buffers`` which arrays it keeps for each, and in ``_counted`` whether an update depends on how many
    the parameter has had.
    """

    _buffers: tuple[str, ...] = ()
    _counted = False

    def __init__(self, parameters: Iterable[Any], lr: float, **settings: Any) -> None:
        self.param_groups, self._ratios = self._grouped(parameters, lr, settings)
        self.parameters = [p for group in self.param_groups for p in group["params"]]
        self.group_of = [group for group in self.param_groups for _ in group["params"]]
        self.steps = 0
        self.counts = [0] * len(self.parameters) if self._counted else []  # how often each was updated
        self.buffers = {b: [self._start(b, p.data, group) for p, group in zip(
            self.parameters, self.group_of, strict=True)] for b in self._buffers}

    def _grouped(self, parameters: Iterable[Any], lr: float,
                 defaults: dict[str, Any]) -> tuple[list[dict[str, Any]], list[float]]:
        """The groups, and the lr of each as a multiple of that of the groups that have none of their own."""
        name = type(self).__name__
        given = _listed(name, parameters)
        grouped = bool(given) and all(isinstance(group, dict) for group in given)
        defaults = {"lr": lr, **defaults}
        groups, seen = [], set()
        for i, own in enumerate(given if grouped else [{"params": given}]):
            unknown = sorted(own.keys() - defaults.keys() - {"params"})
            if unknown or "params" not in own:
                what = f"the unknown setting {unknown[0]!r}" if unknown else "no params"
                raise ValueError(f"{name}: group {i} has {what}; a group has params, and any of {', '.join(defaults)}")
            found = list(dict.fromkeys(_leaves(name, own["params"])))
            if not seen.isdisjoint(found):
                raise ValueError(f"{name}: group {i} has a parameter that an earlier group has too")
            seen.update(found)
            group = {"params": found, **defaults, **{k: x for k, x in own.items() if k != "params"}}
            for k in defaults:
                declared = getattr(type(self), k, None)
                group[k] = declared.check(name, k, group[k]) if isinstance(declared, Setting) else group[k]
            group["lr"] = number(at_least_zero(name, "lr", group["lr"]))
            self._check(group)
            groups.append(group)
        if not seen:
            raise ValueError(f"{name}: there are no parameters; was an iterator such as model.parameters() used up?")
        self._main = next((i for i, own in enumerate(given) if grouped and "lr" not in own), 0)
        base = groups[self._main]["lr"]
        for i, group in enumerate(groups):
            if group["lr"] and not base:
                raise ValueError(f"{name}: group {i} has lr={group['lr']}, which cannot be a multiple of lr=0; leave "
                                 "out the parameters that are not to change")
        return groups, [group["lr"] / base if base else 1.0 for group in groups]

    def _check(self, group: dict[str, Any]) -> None:
        """Raise ``ValueError`` for settings that do not go together."""

    def _start(self, buffer: str, data: Any, group: dict[str, Any]) -> np.ndarray:
        """A buffer of a parameter before the first update."""
        return np.zeros_like(data)

    @property
    def lr(self) -> float:
        """The learning rate, at least 0: that of the groups that were given none of their own.

        Where it is set, as schedules do, the others stay the same multiples of it.
        """
        return self.param_groups[self._main]["lr"]

    @lr.setter
    def lr(self, lr: float) -> None:
        lr = number(at_least_zero(type(self).__name__, "lr", lr))
        for group, ratio in zip(self.param_groups, self._ratios, strict=True):
            group["lr"] = lr * ratio

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
        """Change the array of parameter ``i``, whose settings are ``self.group_of[i]``, by its gradient."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that the next step depends on, besides the parameters: numbers, and arrays by name."""
        arrays = {f"{b}.{i}": array.copy() for b, arrays in self.buffers.items() for i, array in enumerate(arrays)}
        rates = [group["lr"] for group in self.param_groups]
        return {"kind": type(self).__name__, "settings": self._settings(), "lr": rates if len(rates) > 1 else rates[0],
                "steps": self.steps, "counts": list(self.counts), **arrays}

    def _settings(self) -> dict[str, Any]:
        """The numbers that the optimizer was made with, of each group."""
        found = settings(self, "parameters", "counts", "steps", "buffers", "param_groups", "group_of")
        several = len(self.param_groups) > 1
        for i, group in enumerate(self.param_groups):
            own = {**group, "params": len(group["params"])} if several else group
            found |= {f"group {i}: {k}" if several else k: list(x) if isinstance(x, tuple) else x
                      for k, x in own.items() if k != "lr" and (several or k != "params")}
        return found

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state that ``state_dict`` gave.

        Raises ``ValueError``, and changes nothing, where the state is that of another optimizer or other parameters.
        """
        name = type(self).__name__
        mine, groups = self.state_dict(), np.size(state.get("lr", 0.0))
        if state.get("kind") == name and groups != len(self.param_groups):
            raise ValueError(f"{name}: the state is that of {groups} groups of parameters, not of "
                             f"{len(self.param_groups)}")
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
        rates = [number(at_least_zero(name, "lr", lr)) for lr in np.ravel(state["lr"]).tolist()]
        self.steps, self.counts = steps, counts
        for group, lr in zip(self.param_groups, rates, strict=True):
            group["lr"] = lr
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

    momentum = Setting(at_least_zero)
    weight_decay = Setting(at_least_zero)
    nesterov = Setting(lambda who, name, x: bool(x))

    def __init__(self, parameters: Iterable[Any], lr: float, momentum: float = 0.0, *, weight_decay: float = 0.0,
                 nesterov: bool = False) -> None:
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)

    def _check(self, group: dict[str, Any]) -> None:
        if group["nesterov"] and not group["momentum"]:
            raise ValueError("SGD: nesterov needs a momentum above 0")
        if group["momentum"]:
            self._buffers = ("momentum",)

    def _update(self, i: int, data: np.ndarray, g: Any) -> None:
        group = self.group_of[i]
        momentum = group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * data
        if momentum:
            v = self.buffers["momentum"][i]
            v *= momentum
            v += g
            g = g + momentum * v if group["nesterov"] else v
        data -= group["lr"] * g


def decay_groups(model: Module, exempt: Callable[[str, Value], bool] = lambda name, p: p.ndim < 2) -> list[dict]:
    """The parameters of ``model`` in two groups for an optimizer, of which the second has no weight decay.

    ``exempt(name, parameter)`` says which are in the second: those with fewer than two axes unless given, which are
    biases, and the gains of normalizations.

    >>> from nn import AdamW, Linear
    >>> optimizer = AdamW(decay_groups(Linear(3, 2, rng=0)), weight_decay=0.1)
    >>> [(group["weight_decay"], [p.shape for p in group["params"]]) for group in optimizer.param_groups]
    [(0.1, [(2, 3)]), (0.0, [(2,)])]
    """
    free = {name: exempt(name, p) for name, p in model.named_parameters()}
    groups = [{"params": [p for name, p in model.named_parameters() if not free[name]]},
              {"params": [p for name, p in model.named_parameters() if free[name]], "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


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


def _leaves(who: str, parameters: Iterable[Value]) -> list[Value]:
    given = _listed(who, parameters)
    for p in given:
        if not isinstance(p, Value) or p.op is not None:
            raise TypeError(f"{who}: parameters must be leaf Values, got {p!r:.80}")
    return given


def _listed(who: str, parameters: Iterable[Any]) -> list[Any]:
    if isinstance(parameters, dict):
        raise TypeError(f"{who}: parameters must be a list of parameters, or of groups; write [group] for one")
    if isinstance(parameters, Value):
        raise TypeError(f"{who}: parameters must be a list of parameters; write [p] for one")
    if isinstance(parameters, Module):
        raise TypeError(f"{who}: parameters must be a list of parameters; write model.parameters()")
    return list(parameters)
