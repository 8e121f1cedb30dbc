"""``per_example_gradients``: what each example would like to do to the parameters, before the average is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .batched import Batched
from .transforms import grad
from .trees import leaves, tree_map
from .value import Value

__all__ = ["per_example_gradients"]


def per_example_gradients(f: Callable, params: Any, *batch: Any) -> Any:
    """The gradients ∂Cₖ/∂params of the cost Cₖ of each example, stacked.

    ``f(params, *example)`` is the cost of one example, a scalar; each of ``batch`` holds one row for each example.
    The result has the structure of ``params``, and for a parameter of shape ``s`` the shape ``(examples, *s)``; its
    mean over the first axis is the gradient of the average cost.

    ``f`` runs once, for all examples at once, where it consists of NumPy calls; where it asks for the number of one
    example (an ``if``, ``float()``, ``np.asarray``), it runs once for each. So it must be a function of the numbers in
    its arguments alone: random numbers drawn inside may be the same for all examples, and the rows that it sees may be
    of a class of their own, which ``isinstance`` and ``np.isscalar`` do not know: ask for ``x.shape``.

    Raises ``TypeError`` as ``grad`` does, and ``ValueError`` where the numbers of examples differ.

    >>> x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([2.0, 6.0])
    >>> per_example_gradients(lambda w, x, y: (w @ x - y) ** 2, np.ones(2), x, y)
    array([[2., 4.],
           [6., 8.]])
    """
    if not batch:
        raise TypeError("per_example_gradients needs the examples: per_example_gradients(f, params, x, y)")
    columns = leaves(batch)
    for column in columns:
        if not getattr(column, "shape", ()):
            raise TypeError(f"batch: expected arrays with one row for each example, got {type(column).__name__} "
                            f"{column!r:.60}; write np.array(...)")
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"batch: the numbers of examples differ: {', '.join(map(str, lengths))}")
    n = lengths[0]
    if not n:
        return tree_map(lambda p: np.zeros_like(p, shape=(0, *np.shape(p))), params)
    gradient = grad(f)
    if not any(isinstance(x, Value) for x in (*leaves(params), *columns)):
        try:
            together = gradient(params, *tree_map(_together, batch))
            return tree_map(lambda g: _rows(g, n), together)
        except Exception:  # example by example, where an error of f itself comes up again, and is about one example
            pass
    rows = [gradient(params, *tree_map(lambda column, k=k: column[k], batch)) for k in range(n)]
    return tree_map(lambda *parts: np.stack(parts), *rows)


def _together(column: Any) -> Batched:
    """All examples; not to be written to, because what this run changes would be changed again by those one by one."""
    array = np.asarray(column).view()
    array.flags.writeable = False
    return Batched(array)


def _rows(g: Any, n: int) -> Any:
    """A gradient that may be the same for all examples, with a row for each."""
    if isinstance(g, Value):
        raise TypeError("the cost refers to Values from outside")
    return g.array if isinstance(g, Batched) else np.broadcast_to(g, (n, *np.shape(g))).copy()
