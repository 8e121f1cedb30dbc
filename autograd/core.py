"""HIPS autograd's core: derivatives of functions of one argument, rules for all arguments at once, vector spaces."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np

from . import registry, transforms
from .record import primitive
from .tracer import Node
from .trees import leaves, tree_map
from .value import Value

__all__ = ["JVPNode", "VJPNode", "VSpace", "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp",
           "defvjp_argnum", "defvjp_argnums", "make_jvp", "make_vjp", "primitive", "vspace"]


def make_vjp(fun: Callable, x: Any) -> tuple[Callable, Any]:
    """``(vjp, fun(x))``, where ``vjp(g)`` is the gradient of ``x`` if ``g`` is that of ``fun(x)``.

    >>> vjp, y = make_vjp(lambda x: x**2, 3.0)
    >>> y, vjp(1.0)
    (9.0, 6.0)
    """
    return transforms.make_vjp(fun)(x)


def make_jvp(fun: Callable, x: Any) -> Callable:
    """``jvp``, where ``jvp(v)`` is ``fun(x)`` and how it moves if ``x`` moves by ``v``.

    >>> y, t = make_jvp(lambda x: x**2, 3.0)(1.0)
    >>> y, float(t)
    (9.0, 6.0)
    """
    return transforms.make_jvp(fun)(x)


class VJPNode(Node):
    """Stands for reverse mode in ``register_notrace``."""


class JVPNode(Node):
    """Stands for forward mode in ``register_notrace``."""


# Rules


def _zero(g: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> None:
    """The map of an argument that has no influence."""


def defvjp(fun: Callable, *vjpmakers: Callable | None, argnums: int | Iterable[int] | None = None) -> None:
    """As ``autograd.defvjp``; and ``None`` says that the gradient of an argument is zero.

    >>> from autograd import grad
    >>> @primitive
    ... def scaled(x, times):
    ...     return x * round(times)
    >>> defvjp(scaled, lambda y, x, times: lambda g: g * round(times), None)
    >>> grad(scaled)(1.0, 3.0), grad(scaled, 1)(1.0, 3.0)
    (3.0, 0.0)
    """
    makers = [(lambda y, *args, **kwargs: _zero) if maker is None else maker for maker in vjpmakers]
    registry.defvjp(fun, *makers, argnums=_counted(argnums, makers))


def defjvp(fun: Callable, *jvps: Callable | str | None, argnums: int | Iterable[int] | None = None) -> None:
    """As ``autograd.defjvp``; and ``None`` says that the output does not move with an argument."""
    maps = [_zero if jvp is None else jvp for jvp in jvps]
    registry.defjvp(fun, *maps, argnums=_counted(argnums, maps))


def _counted(argnums: Any, maps: list) -> Any:
    """As many of ``argnums``, which may be endless, as there are maps."""
    return argnums if argnums is None or isinstance(argnums, int) else list(itertools.islice(argnums, len(maps)))


def defvjp_argnum(fun: Callable, vjpmaker: Callable) -> None:
    """One rule for every argument: ``vjpmaker(argnum, y, args, kwargs)`` is the map ``g -> gradient of argument``.

    >>> from autograd import grad
    >>> @primitive
    ... def total(*xs):
    ...     return sum(i * x for i, x in enumerate(xs))
    >>> defvjp_argnum(total, lambda argnum, y, args, kwargs: lambda g: argnum * g)
    >>> grad(total, 2)(1.0, 1.0, 1.0)
    2.0
    """
    registry.for_any_argument(fun, vjp=lambda i, g, y, *args, **kwargs: vjpmaker(i, y, args, kwargs)(g))


def defvjp_argnums(fun: Callable, vjpmaker: Callable) -> None:
    """One rule for all arguments: ``vjpmaker(argnums, y, args, kwargs)`` is the map ``g -> their gradients``."""
    registry.for_any_argument(
        fun, vjp=lambda i, g, y, *args, **kwargs: next(iter(vjpmaker((i,), y, args, kwargs)(g))))


def defjvp_argnum(fun: Callable, jvpmaker: Callable) -> None:
    """One rule for every argument: ``jvpmaker(argnum, g, y, args, kwargs)`` is the tangent that comes from ``g``."""
    registry.for_any_argument(fun, jvp=lambda i, g, y, *args, **kwargs: jvpmaker(i, g, y, args, kwargs))


def defjvp_argnums(fun: Callable, jvpmaker: Callable) -> None:
    """One rule for all arguments: ``jvpmaker(argnums, gs, y, args, kwargs)`` is the tangent that comes from ``gs``."""
    registry.for_any_argument(fun, jvp=lambda i, g, y, *args, **kwargs: jvpmaker((i,), [g], y, args, kwargs))


def def_linear(fun: Callable) -> None:
    """Declare ``fun`` linear in each argument on its own, for forward mode."""
    registry.for_any_argument(fun, jvp=partial(registry.replaced, fun))


# Vector spaces


class VSpace:
    """The space of a value: of all numbers, arrays or nested containers of the same shapes and dtypes.

    Of complex numbers it is the real one, of twice as many dimensions. Random vectors come from NumPy's global
    generator, so ``numpy.random.seed`` rules them.

    Raises ``TypeError`` where the value is not made of real or complex floats.

    >>> space = vspace({"w": np.ones((2, 3)), "b": 1.0})
    >>> space.size, space.zeros()["b"], space.add({"w": np.ones((2, 3)), "b": 1.0}, space.ones())["b"]
    (7, 0.0, 2.0)
    """

    mappings: ClassVar[dict[type, Callable]] = {}

    def __init__(self, value: Any) -> None:
        self._zeros = tree_map(_zeros, value)

    @property
    def shape(self) -> Any:
        """The shape; for a container, the same container of the spaces inside."""
        arrays = leaves(self._zeros)
        return np.shape(self._zeros) if arrays and arrays[0] is self._zeros else tree_map(VSpace, self._zeros)

    @property
    def dtype(self) -> np.dtype:
        return np.result_type(*leaves(self._zeros))

    @property
    def iscomplex(self) -> bool:
        return any(map(np.iscomplexobj, leaves(self._zeros)))

    @property
    def ndim(self) -> int:
        return np.ndim(self._zeros)

    @property
    def size(self) -> int:
        return sum(np.size(z) * (2 if np.iscomplexobj(z) else 1) for z in leaves(self._zeros))

    def zeros(self) -> Any:
        return tree_map(lambda z: +z, self._zeros)

    def ones(self) -> Any:
        """1 everywhere, in complex numbers 1 + 1j: the sum of the standard basis."""
        return tree_map(lambda z: z + (1 + 1j if np.iscomplexobj(z) else 1), self._zeros)

    def randn(self) -> Any:
        def random(z: Any) -> Any:
            x = np.random.standard_normal(np.shape(z))
            return z + (x + 1j * np.random.standard_normal(np.shape(z)) if np.iscomplexobj(z) else x).astype(z.dtype)

        return tree_map(random, tree_map(np.asarray, self._zeros))

    def standard_basis(self) -> Iterator:
        """Every vector with one 1, or one 1j, and zeros elsewhere."""
        for k, z in enumerate(leaves(self._zeros)):
            for index in np.ndindex(np.shape(z)):
                for unit in (1.0, 1j) if np.iscomplexobj(z) else (1.0,):
                    one = np.zeros_like(z)
                    one[index] = unit
                    parts = leaves(self.zeros())
                    parts[k] = one[()]
                    rest = iter(parts)
                    yield tree_map(lambda _, rest=rest: next(rest), self._zeros)

    def add(self, x: Any, y: Any) -> Any:
        return tree_map(lambda _, x, y: x + y, self._zeros, x, y)

    def mut_add(self, x_prev: Any, x_new: Any) -> Any:
        """``add``, where ``None`` stands for zeros."""
        return x_new if x_prev is None else self.add(x_prev, x_new)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        return tree_map(lambda _, x: x * a, self._zeros, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        parts = tree_map(lambda z, x, y: np.sum(np.real(np.conj(x) * y) if np.iscomplexobj(z) else x * y),
                         self._zeros, x, y)
        return sum(leaves(parts))

    def covector(self, x: Any) -> Any:
        """The gradient that belongs to a vector: its conjugate."""
        return tree_map(lambda z, x: np.conj(x) if np.iscomplexobj(z) else x, self._zeros, x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VSpace) and self._described() == other._described()

    __hash__ = None  # type: ignore[assignment]

    def _described(self) -> Any:
        return tree_map(lambda z: (np.shape(z), np.result_type(z)), self._zeros)

    def __repr__(self) -> str:
        return f"VSpace({self._described()})"

    @classmethod
    def register(cls, value_type: type, vspace_maker: Callable | None = None) -> None:
        """Let ``vspace`` of a ``value_type`` be made by ``vspace_maker``, or this class."""
        VSpace.mappings[value_type] = vspace_maker or cls


def _zeros(x: Any) -> Any:
    data = x.data if isinstance(x, Value) else x
    if np.result_type(data).kind not in "fc" if hasattr(data, "dtype") else not isinstance(data, (float, complex)):
        raise TypeError(f"there is no vector space of {type(data).__name__} {data!r:.60}: expected floats, or "
                        "containers of them")
    return 0.0 if type(data) is float else np.zeros_like(data)[()]


def vspace(value: Any) -> VSpace:
    """The vector space of a value; see ``VSpace``."""
    data = value.data if isinstance(value, Value) else value
    return VSpace.mappings.get(type(data), VSpace)(value)
