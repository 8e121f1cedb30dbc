"""Parts: which nodes of a graph an object computed, such as a layer of a network, so that it is drawn as one thing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar, cast

from .value import Value, creation

__all__ = ["Part", "part", "parts"]

F = TypeVar("F", bound=Callable)


class Part(NamedTuple):
    """One call of an object: the nodes behind the Value that it gave, as far back as ``since``.

    ``inner`` is the call, inside of this one, that gave the same Value, if one did.
    """

    owner: Any
    since: int
    inner: Part | None

    def holds(self, node: Value) -> bool:
        """Whether a node, one that the Value was computed from, was made in this call, and not before it."""
        return node._order > self.since


def part(call: F) -> F:
    """Make a method one whose calls are parts of the graph: what it computes belongs to its object.

    ``nn.Module`` does so with every ``__call__``. Nothing else changes: a part has no effect on numbers or gradients.

    >>> class Scale:
    ...     @part
    ...     def __call__(self, x):
    ...         return 2 * x
    >>> y = Scale()(Value(3.0))
    >>> [type(p.owner).__name__ for p in parts(y)]
    ['Scale']
    """

    @functools.wraps(call, assigned=("__name__", "__qualname__", "__doc__"))  # the module stays this one, not a user's
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        since = next(creation)
        y = call(self, *args, **kwargs)
        _mark(y, self, since)
        return y

    return cast(F, wrapper)


def _mark(y: Any, owner: Any, since: int) -> None:
    if isinstance(y, Value):
        if y._order > since:  # and not an input that is given back
            y._part = Part(owner, since, getattr(y, "_part", None))
    elif isinstance(y, (list, tuple)):
        for item in y:
            _mark(item, owner, since)
    elif isinstance(y, dict):
        for item in y.values():
            _mark(item, owner, since)


def parts(value: Value) -> Iterator[Part]:
    """The calls that gave a Value, the outermost first."""
    found = getattr(value, "_part", None)
    while found is not None:
        yield found
        found = found.inner
