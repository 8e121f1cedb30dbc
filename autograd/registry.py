"""The table of derivative rules: which function has which, and the ways to declare one.

A rule is one line of NumPy. It is called as ``rule(g, y, *args, **kwargs)`` with the gradient ``g`` that came
in, the output ``y``, then the arguments of the function, and returns the gradient of one argument. Broadcasting
is undone by the reverse pass, never here; ``None`` means "no gradient".
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

__all__ = ["NONDIFFERENTIABLE", "RULES", "Rule", "defvjp", "elementwise_rule", "joining_rule", "linear_rule",
           "name_of", "nondifferentiable", "rule"]


class _Each(Sequence):
    """The vjps of a function of any number of arrays: ``each(i, g, y, *args)`` is the gradient of argument ``i``."""

    def __init__(self, each: Callable) -> None:
        self.each = each

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, i: Any) -> Callable:
        return partial(self.each, i)


class Rule:
    """How one function is differentiated: ``vjps[i](g, y, *args, **kwargs)`` is the gradient of argument ``i``."""

    __slots__ = ("complete", "joins", "keywords", "kind", "most", "variadic", "vjps")

    def __init__(self, kind: str, vjps: Sequence[Callable | None], joins: bool = False) -> None:
        self.kind = kind
        self.joins = joins  # whether the first argument is a list of arrays
        self.vjps: Any = vjps
        # Up to which argument all have a vjp, so that most calls need no look at each.
        self.variadic = isinstance(vjps, _Each)
        self.complete = math.inf if self.variadic else [*map(bool, vjps), False].index(False)
        # What every vjp accepts, so that a call outside the rule's reach is refused when it is made.
        signature = inspect.signature(next(f for f in vjps if f is not None)).parameters.values()
        kinds = {p.kind for p in signature}
        positions = sum(p.kind is not p.KEYWORD_ONLY for p in signature) - 2
        self.most = math.inf if inspect.Parameter.VAR_POSITIONAL in kinds else positions
        self.keywords = None if inspect.Parameter.VAR_KEYWORD in kinds else {
            p.name for p in signature if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}

    def unknown(self, keywords: Iterable[str]) -> list[str]:
        """The keywords that the rule does not cover."""
        return [] if self.keywords is None else [k for k in keywords if k not in self.keywords]

    def reaches(self, i: int) -> bool:
        """Whether there is a derivative with respect to argument ``i``."""
        return i < len(self.vjps) and self.vjps[i] is not None


RULES: dict[Callable, Rule] = {}
NONDIFFERENTIABLE: set[Callable] = set()


def elementwise_rule(function: Callable, *vjps: Callable | None) -> None:
    """Declare ``function`` elementwise: each ``g -> g · ∂y/∂x`` is its own transpose, in either direction."""
    _register(function, Rule("elementwise", vjps))


def linear_rule(function: Callable, *transposes: Callable | None, each: Callable | None = None) -> None:
    """Declare ``function`` linear in each array argument on its own, and give its transposes."""
    _register(function, Rule("linear", _Each(each) if each else transposes))


def joining_rule(function: Callable, transpose: Callable) -> None:
    """Declare a function that joins a list of arrays, linear in each: ``transpose`` returns the list of gradients."""
    _register(function, Rule("linear", (transpose,), joins=True))


def rule(function: Callable, *vjps: Callable | None) -> None:
    """Declare the vjps of a function that is neither elementwise nor linear."""
    _register(function, Rule("general", vjps))


def nondifferentiable(*functions: Callable) -> None:
    """Declare functions whose results are constants: they return plain arrays, and no gradient flows through."""
    NONDIFFERENTIABLE.update(functions)


def _register(function: Callable, new: Rule) -> None:
    NONDIFFERENTIABLE.discard(function)
    RULES[function] = new


def defvjp(function: Callable, *vjpmakers: Callable | None, argnums: int | Iterable[int] | None = None) -> None:
    """Give ``function`` (NumPy's, or one made with ``primitive``) its vector-Jacobian products.

    ``vjpmakers[i](y, *args, **kwargs)`` returns the map ``g -> gradient of argument argnums[i]``, in the form of
    the established ``autograd`` package for NumPy. The gradient may have the broadcast shape: it is summed for you.

    >>> import numpy as np
    >>> from autograd import defvjp, grad, primitive
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defvjp(cube, lambda y, x: lambda g: g * 3 * x**2)
    >>> float(grad(cube)(2.0))
    12.0

    Raises ``TypeError`` where a maker is not a function, and where ``function`` is a plain one that ``primitive`` was
    not applied to, whose rule would never be used.
    """
    known = isinstance(function, np.ufunc) or hasattr(function, "is_primitive")
    if not known and not (getattr(function, "__module__", None) or "").startswith("numpy"):
        raise TypeError(f"defvjp of {name_of(function)}: it is not a primitive, so its rule would never be used; "
                        "decorate it with @primitive first")
    if argnums is None:
        positions = list(range(len(vjpmakers)))
    else:
        positions = [argnums] if isinstance(argnums, int) else list(argnums)
    if any(i < 0 for i in positions):
        raise TypeError(f"defvjp of {name_of(function)}: argnums must be at least 0, got {positions}")
    if len(positions) != len(vjpmakers):
        raise TypeError(f"defvjp of {name_of(function)}: {len(vjpmakers)} rules came for {len(positions)} argnums")
    vjps: list[Callable | None] = [None] * (max(positions, default=-1) + 1)
    for i, maker in zip(positions, vjpmakers, strict=True):
        if maker is not None and not callable(maker):
            raise TypeError(f"defvjp of {name_of(function)}: rule {i} is {maker!r}, "
                            "not a function; write lambda y, x: lambda g: ...")
        vjps[i] = maker and partial(_made, maker)
    if not any(vjps):
        raise TypeError(f"defvjp of {name_of(function)}: no rule was given; write lambda y, x: lambda g: ...")
    _register(function, Rule("general", vjps))


def _made(maker: Callable, g: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    vjp = maker(y, *args, **kwargs)
    return None if vjp is None else vjp(g)


def name_of(function: Callable | None) -> str:
    """How a user writes a function: ``np.sum``, ``np.linalg.inv``, ``autograd.functions.relu``.

    >>> import numpy as np
    >>> name_of(np.exp), name_of(np.linalg.inv)
    ('np.exp', 'np.linalg.inv')
    """
    if function is None:
        return "leaf"
    module = getattr(function, "__module__", None) or "numpy"
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or repr(function)
    if module.startswith("numpy"):
        package = module.split(".")[1:2]
        module = f"np.{package[0]}" if package and package[0] in ("fft", "linalg", "random") else "np"
    if module in ("__main__", "builtins"):
        return name
    return "indexing" if module == "_operator" else f"{module}.{name}"
