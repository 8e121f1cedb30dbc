"""Operators on functions of one argument, made to take functions of many, as HIPS autograd's own are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .util import subvals

__all__ = ["get_name", "unary_to_nary", "wraps"]


def get_name(f: Any) -> str:
    return getattr(f, "__name__", "[unknown name]")


def wraps(fun: Any, namestr: str = "{fun}", docstr: str = "{doc}", **kwargs: Any) -> Callable:
    """Give a function the name and the docstring of ``fun``, in formats in which they are ``{fun}`` and ``{doc}``."""

    def named(f: Any) -> Any:
        f.__name__ = namestr.format(fun=get_name(fun), **kwargs)
        f.__doc__ = docstr.format(fun=get_name(fun), doc=getattr(fun, "__doc__", ""), **kwargs)
        return f

    return named


def unary_to_nary(unary_operator: Callable) -> Callable:
    """From ``operator(f, x, *options)`` make ``operator(f, argnum=0, *options)``, a function of the arguments of ``f``.

    >>> unary_to_nary(lambda f, x: f(x + 1))(lambda a, b: a * b, 1)(10, 2)
    30
    """

    @wraps(unary_operator)
    def operator(fun: Callable, argnum: Any = 0, *options: Any, **named: Any) -> Callable:
        if not isinstance(argnum, (int, tuple, list)):
            raise TypeError(f"argnum: expected an integer or a tuple of integers, got {argnum!r}")

        @wraps(fun, f"{get_name(unary_operator)}_of_{{fun}}_wrt_argnum_{argnum}")
        def applied(*args: Any, **kwargs: Any) -> Any:
            @wraps(fun)
            def of_one(x: Any) -> Any:
                replacing = [(argnum, x)] if isinstance(argnum, int) else zip(argnum, x, strict=True)
                return fun(*subvals(args, replacing), **kwargs)

            x = args[argnum] if isinstance(argnum, int) else tuple(args[i] for i in argnum)
            return unary_operator(of_one, x, *options, **named)

        return applied

    return operator
