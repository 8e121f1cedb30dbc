"""The table of derivative rules: which function has which, and the ways to declare one.

A rule is one line of NumPy. It is called as ``rule(g, y, *args, **kwargs)`` with the gradient ``g`` that came
in, the output ``y``, then the arguments of the function, and returns the gradient of one argument; forward, ``g`` is
the tangent of that argument, and the rule returns that of the output. Broadcasting is undone by the reverse pass, and
done by the forward one, never here; ``None`` means "no gradient".
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

import numpy as np

__all__ = ["NONDIFFERENTIABLE", "REFUSED", "RULES", "Rule", "definition", "defjvp", "defvjp", "elementwise_rule",
           "for_any_argument", "joining_rule", "linear_rule", "load_rules", "name_of", "nondifferentiable", "refuse",
           "replaced", "rule"]


class _Each(Sequence):
    """The maps of a function of any number of arrays: ``each(i, g, y, *args)`` is the one of argument ``i``."""

    def __init__(self, each: Callable) -> None:
        self.each = each

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, i: Any) -> Callable:
        return partial(self.each, i)

    def __iter__(self) -> NoReturn:
        raise TypeError("there is no end to the arguments")


class Rule:
    """How one function is differentiated, with respect to each of its arguments.

    ``vjps[i](g, y, *args, **kwargs)`` is the gradient of argument ``i``, given that of the output, and
    ``jvps[i](g, y, *args, **kwargs)`` the tangent of the output, given that of argument ``i``; the tangents of all
    arguments add up. A function with a ``definition`` needs neither: it is equal to ``definition(*args, **kwargs)``,
    which consists of functions with rules. ``joins`` says that the first argument is a list of arrays, ``expands``
    that a call is replaced by that of the definition when it is made, because arguments are functions themselves, and
    ``check(*args, **kwargs)`` raises where a call is made that the definition does not cover.
    """

    __slots__ = ("check", "complete", "definition", "expands", "joins", "jvps", "keywords", "kind", "most", "variadic",
                 "vjps")

    def __init__(self, kind: str, vjps: Sequence[Callable | None] = (), jvps: Sequence[Callable | None] = (),
                 joins: bool = False, definition: Callable | None = None, expands: bool = False,
                 check: Callable | None = None) -> None:
        self.kind, self.joins, self.definition, self.expands, self.check = kind, joins, definition, expands, check
        self.vjps: Any = vjps
        self.jvps: Any = jvps
        # Up to which argument all have a map, so that most calls need no look at each.
        self.variadic = isinstance(vjps, _Each) or isinstance(jvps, _Each)
        self.complete = math.inf if self.variadic or definition else [*map(bool, vjps), False].index(False)

    def __getattr__(self, name: str) -> Any:
        """``most`` and ``keywords``: what every map accepts; a call outside of it is refused.

        They are found when they are first asked for, because an import of all rules would be slow otherwise.
        """
        if name not in ("most", "keywords"):
            raise AttributeError(name)
        accepts: Any = self.definition or next(f for maps in (self.vjps, self.jvps) for f in (
            [maps[0]] if isinstance(maps, _Each) else maps) if f is not None)
        signature = inspect.signature(accepts).parameters.values()
        kinds = {p.kind for p in signature}
        positions = sum(p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in signature)
        positions -= 0 if self.definition else 2  # g and y
        self.most = math.inf if inspect.Parameter.VAR_POSITIONAL in kinds else positions
        self.keywords = None if inspect.Parameter.VAR_KEYWORD in kinds else {
            p.name for p in signature if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        return getattr(self, name)

    def unknown(self, keywords: Iterable[str]) -> list[str]:
        """The keywords that the rule does not cover."""
        return [] if self.keywords is None else [k for k in keywords if k not in self.keywords]

    def reaches(self, i: int) -> bool:
        """Whether there is a derivative with respect to argument ``i``, in either mode."""
        if self.definition is not None:
            return True
        return (i < len(self.vjps) and self.vjps[i] is not None) or (i < len(self.jvps) and self.jvps[i] is not None)


RULES: dict[Callable, Rule] = {}
NONDIFFERENTIABLE: set[Callable] = set()
REFUSED: dict[Callable, str] = {}  # with what to write instead


def elementwise_rule(function: Callable, *vjps: Callable | None) -> None:
    """Declare ``function`` elementwise: each ``g -> g · ∂y/∂x`` is its own transpose, so it serves both modes."""
    _register(function, Rule("elementwise", vjps, vjps))


def linear_rule(function: Callable, *transposes: Callable | None, each: Callable | None = None) -> None:
    """Declare ``function`` linear in each array argument on its own, and give its transposes.

    Forward, the tangent takes the place of the argument.
    """
    vjps = _Each(each) if each else transposes
    jvps = _Each(partial(replaced, function)) if each else [
        t and partial(replaced, function, i) for i, t in enumerate(transposes)]
    _register(function, Rule("linear", vjps, jvps))


def replaced(function: Callable, i: int, g: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args[:i], g, *args[i + 1:], **kwargs)


def joining_rule(function: Callable, transpose: Callable) -> None:
    """Declare a function that joins a list of arrays, linear in each: ``transpose`` returns the list of gradients."""
    _register(function, Rule("linear", (transpose,), (partial(replaced, function, 0),), joins=True))


def rule(function: Callable, *vjps: Callable | None, jvps: Sequence[Callable | None],
         check: Callable | None = None) -> None:
    """Declare the vjps and the jvps of a function that is neither elementwise nor linear.

    ``check`` is called with the arguments of every recorded call, and raises for options that leave no derivative.
    """
    _register(function, Rule("general", vjps, jvps, check=check))


def for_any_argument(function: Callable, vjp: Callable | None = None, jvp: Callable | None = None) -> None:
    """Declare ``vjp(i, g, y, *args, **kwargs)``, or ``jvp`` with the same, of any argument ``i``; the other stays."""
    load_rules(function)
    before = RULES.get(function)
    vjps, jvps = (before.vjps, before.jvps) if before is not None and before.definition is None else ((), ())
    _register(function, Rule("general", _Each(vjp) if vjp else vjps, _Each(jvp) if jvp else jvps))


def definition(function: Callable, formula: Callable, joins: bool = False, expands: bool = False,
               check: Callable | None = None, vjp: Callable | None = None) -> None:
    """Declare that ``function(*args, **kwargs)`` equals ``formula(*args, **kwargs)``, made of functions with rules.

    A call is still one node, and NumPy computes its value; the formula is recorded when a derivative is asked for.

    ``vjp(g, y, *args, **kwargs)`` of the first argument, which is then the only one with a derivative, is quicker than
    the graph of the formula, and takes its place where gradients are not to be differentiated again. It may return
    ``NotImplemented`` to leave a call to the formula; of several results, those without a gradient have ``None`` in
    ``g``.
    """
    _register(function, Rule("definition", (vjp,) if vjp else (), joins=joins, definition=formula, expands=expands,
                             check=check))


def nondifferentiable(*functions: Callable) -> None:
    """Declare functions whose results are constants: they return plain arrays, and no gradient flows through."""
    NONDIFFERENTIABLE.update(functions)


def refuse(instead: str, *functions: Callable) -> None:
    """Declare functions that take no Values, with what the error of a call tells to write instead."""
    REFUSED.update(dict.fromkeys(functions, instead))


def load_rules(function: Callable) -> None:
    """Import the families of rules that only some programs use, when a function without a rule is met."""
    import_module(".rules.special" if name_of(function).startswith("scipy.special.") else ".rules.more", __package__)


def _register(function: Callable, new: Rule) -> None:
    NONDIFFERENTIABLE.discard(function)
    REFUSED.pop(function, None)
    RULES[function] = new


def defvjp(function: Callable, *vjpmakers: Callable | None, argnums: int | Iterable[int] | None = None) -> None:
    """Give ``function`` (NumPy's, or one made with ``primitive``) its vector-Jacobian products, for reverse mode.

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
    vjps = _placed("defvjp", "lambda y, x: lambda g: ...", function, vjpmakers, argnums)
    before = RULES.get(function)
    jvps = before.jvps if before is not None and before.kind == "general" else ()
    _register(function, Rule("general", [maker and partial(_made, maker) for maker in vjps], jvps))


def defjvp(function: Callable, *jvps: Callable | str | None, argnums: int | Iterable[int] | None = None) -> None:
    """Give ``function`` (NumPy's, or one made with ``primitive``) its Jacobian-vector products, for forward mode.

    ``jvps[i](g, y, *args, **kwargs)`` is the tangent of the output ``y`` that comes from the tangent ``g`` of argument
    ``argnums[i]``, in the form of the established ``autograd`` package for NumPy; ``"same"`` says that the function is
    linear in that argument. The tangents of the arguments are added up for you.

    >>> from autograd import defjvp, make_jvp, primitive
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defjvp(cube, lambda g, y, x: g * 3 * x**2)
    >>> make_jvp(cube)(2.0)(1.0)
    (8.0, 12.0)

    Raises ``TypeError`` as ``defvjp`` does.
    """
    maps = _placed("defjvp", "lambda g, y, x: ...", function, jvps, argnums)
    maps = [partial(replaced, function, i) if m == "same" else m for i, m in enumerate(maps)]
    before = RULES.get(function)
    vjps = before.vjps if before is not None and before.definition is None else ()
    _register(function, Rule("general", vjps, maps))


def _placed(what: str, example: str, function: Callable, maps: Sequence, argnums: int | Iterable[int] | None) -> list:
    """The maps by argument, ``None`` for those without."""
    name = name_of(function)
    known = isinstance(function, np.ufunc) or hasattr(function, "is_primitive")
    if not known and not (getattr(function, "__module__", None) or "").startswith("numpy"):
        raise TypeError(f"{what} of {name}: it is not a primitive, so its rule would never be used; "
                        "decorate it with @primitive first")
    positions = list(range(len(maps))) if argnums is None else [argnums] if isinstance(argnums, int) else list(argnums)
    if any(i < 0 for i in positions):
        raise TypeError(f"{what} of {name}: argnums must be at least 0, got {positions}")
    if len(positions) != len(maps):
        raise TypeError(f"{what} of {name}: {len(maps)} rules came for {len(positions)} argnums")
    load_rules(function)  # before, so that the user's rule is the later one
    placed: list[Any] = [None] * (max(positions, default=-1) + 1)
    for i, given in zip(positions, maps, strict=True):
        if not (given is None or callable(given) or (given == "same" and what == "defjvp")):
            raise TypeError(f"{what} of {name}: rule {i} is {given!r}, not a function; write {example}")
        placed[i] = given
    if not any(placed):
        raise TypeError(f"{what} of {name}: no rule was given; write {example}")
    return placed


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
    ufunc = getattr(function, "__self__", None)
    if isinstance(ufunc, np.ufunc):  # one of its methods
        return f"{name_of(ufunc)}.{function.__name__}"
    if isinstance(function, np.ufunc) and "scipy.special" in sys.modules:  # whose ufuncs do not say where they are from
        for place in ("scipy.special", "scipy.special._ufuncs"):
            if getattr(sys.modules.get(place), function.__name__, None) is function:
                return f"scipy.special.{function.__name__.lstrip('_')}"
    module = getattr(function, "__module__", None) or "numpy"
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or repr(function)
    if module.startswith("numpy"):
        package = module.split(".")[1:2]
        module = f"np.{package[0]}" if package and package[0] in ("fft", "linalg", "random") else "np"
    if module.startswith("scipy"):  # whose files have names that nobody writes
        module = ".".join(part for part in module.split(".") if not part.startswith("_"))
    if module in ("__main__", "builtins"):
        return name
    return "indexing" if module == "_operator" else f"{module}.{name}"
