"""Other packages' checkers of gradients, with the same faults and random graphs as ours, as their users write them.

Each has ``fault(fault, operation)`` and ``graph(f)``: whether the checker, with its defaults, finds all right.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from autograd import grad, make_vjp
from autograd.testing import Expression
from tests.autograd.checker_faults import Fault, Operation, around, as_primitive, inputs

__all__ = ["PEERS", "Jax", "Peer", "SciPy", "Torch"]


class Peer:
    """A checker of another package; making one raises ``ImportError`` where the package is not installed."""

    name: str
    package: str

    @property
    def version(self) -> str:
        return metadata.version(self.package)

    def inexpressible(self, fault: Fault) -> str:
        """Why the package has no such fault; empty where it has."""
        return ""

    def fault(self, fault: Fault, operation: Operation) -> bool:
        raise NotImplementedError

    def graph(self, f: Expression) -> bool:
        raise NotImplementedError


class Torch(Peer):
    name, package = "PyTorch, torch.autograd.gradcheck", "torch"

    def __init__(self) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(1)
        self.pair = self.function(self.torch)

    @staticmethod
    def function(torch: Any) -> Any:
        """A function and its gradient, both of NumPy's arrays, as PyTorch's users write it."""
        class Pair(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, f: Callable, *xs: Any) -> Any:
                ctx.f = f
                ctx.save_for_backward(*xs)
                return torch.tensor(np.array(f(*(x.detach().numpy()[()] for x in xs))))

            @staticmethod
            def backward(ctx: Any, *gs: Any) -> Any:
                xs = [x.detach().numpy()[()] for x in ctx.saved_tensors]
                vjp, _ = make_vjp(ctx.f, tuple(range(len(xs))))(*xs)
                return None, *(torch.tensor(np.array(part)) for part in vjp(gs[0].numpy()[()]))

        return Pair

    def planted(self, operation: Operation) -> Callable:
        torch = self.torch

        class Planted(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                ctx.save_for_backward(*xs)
                ctx.save_for_forward(*xs)
                return operation.function(torch, *xs)

            @staticmethod
            def backward(ctx: Any, *gs: Any) -> Any:
                return tuple(vjp(torch, gs[0], *ctx.saved_tensors) for vjp in operation.vjps)

            @staticmethod
            def jvp(ctx: Any, *tangents: Any) -> Any:
                return sum(jvp(torch, g, *ctx.saved_tensors)
                           for jvp, g in zip(operation.jvps, tangents, strict=True) if g is not None)

        return Planted.apply

    def accepts(self, check: Callable, f: Callable, xs: Sequence[Any], **options: Any) -> bool:
        tensors = [self.torch.tensor(np.asarray(x), requires_grad=True) for x in xs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it wants double precision
            try:
                return bool(check(f, tensors, **options))
            except RuntimeError:  # the kind of GradcheckError too
                return False

    def fault(self, fault: Fault, operation: Operation) -> bool:
        torch, planted = self.torch, self.planted(operation)
        check = torch.autograd.gradgradcheck if fault.order == 2 else torch.autograd.gradcheck
        options = {"check_forward_ad": True} if fault.mode == "forward" else {}
        return self.accepts(check, lambda *xs: around(torch, planted, *xs), inputs(fault), **options)

    def graph(self, f: Expression) -> bool:
        return self.accepts(self.torch.autograd.gradcheck, functools.partial(self.pair.apply, f.function), f.inputs)


class Jax(Peer):
    name, package = "JAX, jax.test_util.check_grads", "jax"

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.check = importlib.import_module("jax.test_util").check_grads
        self.jax.config.update("jax_enable_x64", True)

    def inexpressible(self, fault: Fault) -> str:
        return "arrays cannot be changed in place" if fault.damages else ""

    def accepts(self, f: Callable, xs: Sequence[Any], order: int, mode: str) -> bool:
        try:
            self.check(f, tuple(map(self.jax.numpy.asarray, xs)), order, [mode])
        except AssertionError:
            return False
        return True

    def fault(self, fault: Fault, operation: Operation) -> bool:
        jax, xp = self.jax, self.jax.numpy

        def function(*xs: Any) -> Any:
            return operation.function(xp, *xs)

        if fault.mode == "forward":
            planted = jax.custom_jvp(function)
            planted.defjvp(lambda xs, ts: (function(*xs), sum(jvp(xp, t, *xs) for jvp, t in
                                                              zip(operation.jvps, ts, strict=True))))
        else:
            planted = jax.custom_vjp(function)
            planted.defvjp(lambda *xs: (function(*xs), xs),
                           lambda xs, g: tuple(vjp(xp, g, *xs) for vjp in operation.vjps))
        return self.accepts(lambda *xs: around(xp, planted, *xs), inputs(fault), fault.order,
                            "fwd" if fault.mode == "forward" else "rev")

    def graph(self, f: Expression) -> bool:
        jax = self.jax
        y = np.asarray(f(*f.inputs))
        like, likes = jax.ShapeDtypeStruct(y.shape, y.dtype), tuple(
            jax.ShapeDtypeStruct(np.shape(x), np.result_type(x)) for x in f.inputs)

        def pull(g: Any, *xs: Any) -> Any:
            vjp, _ = make_vjp(f, tuple(range(len(xs))))(*(np.asarray(x)[()] for x in xs))
            return tuple(map(np.asarray, vjp(np.asarray(g)[()])))

        @jax.custom_vjp
        def pair(*xs: Any) -> Any:
            return jax.pure_callback(lambda *xs: np.asarray(f(*(np.asarray(x)[()] for x in xs))), like, *xs)

        pair.defvjp(lambda *xs: (pair(*xs), xs), lambda xs, g: jax.pure_callback(pull, likes, g, *xs))
        return self.accepts(pair, f.inputs, 1, "rev")


class SciPy(Peer):
    """``check_grad`` returns the norm of the error, and leaves it to its user what is small.

    Here it is 5e-5 of the norm of the gradient, or of 1 where that is less: what tells most of these faults apart.
    """

    name, package = "SciPy, scipy.optimize.check_grad", "scipy"

    def __init__(self) -> None:
        self.check_grad = importlib.import_module("scipy.optimize").check_grad

    def inexpressible(self, fault: Fault) -> str:
        return "it checks a gradient" if fault.mode == "forward" else ""

    def accepts(self, f: Callable, xs: Sequence[Any]) -> bool:
        """``f`` gives a number; its gradient is by our engine, where a user would have one by hand."""
        xs = [np.asarray(x) for x in xs]
        ends = np.cumsum([x.size for x in xs])[:-1]

        def arrays(flat: np.ndarray) -> list:
            return [part.reshape(x.shape)[()] for part, x in zip(np.split(flat, ends), xs, strict=True)]

        def gradient(flat: np.ndarray) -> np.ndarray:
            return np.concatenate([np.ravel(g) for g in grad(f, tuple(range(len(xs))))(*arrays(flat))])

        start = np.concatenate([x.ravel() for x in xs])
        return bool(self.check_grad(lambda flat: float(f(*arrays(flat))), gradient, start)
                    <= 5e-5 * max(1.0, float(np.linalg.norm(gradient(start)))))

    def fault(self, fault: Fault, operation: Operation) -> bool:
        planted = as_primitive(operation)

        def cost(*xs: Any) -> Any:
            return around(np, planted, *xs)

        if fault.order == 1:
            return self.accepts(cost, inputs(fault))
        xs = inputs(fault)  # the gradient, along a direction, is checked as a function of its own
        direction = np.random.default_rng(0).normal(size=xs[0].shape)
        return self.accepts(lambda x: np.sum(grad(cost)(x) * direction), xs)

    def graph(self, f: Expression) -> bool:
        weights = np.random.default_rng(0).normal(size=np.shape(f(*f.inputs)))
        return self.accepts(lambda *xs: np.sum(f(*xs) * weights), f.inputs)


PEERS = [Torch, Jax, SciPy]
