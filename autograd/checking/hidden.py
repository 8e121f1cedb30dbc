"""What an output owes to its inputs besides recorded operations: constants that change when the inputs do.

Two records of the same function are compared operation by operation. Where a constant differs, a gradient was lost on
the way to it, or a branch was chosen: a mask, an index, the rounding of a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import unwrap
from typing import Any, NamedTuple

import numpy as np

from ..lines import Line, line_of
from ..registry import name_of
from ..value import Value

__all__ = ["Change", "Trail", "changed", "same"]


class Trail(NamedTuple):
    """What is kept of a record to compare it with another: its nodes in topological order, and their constants."""

    nodes: list[Value]
    constants: list[tuple[Value, int, Any]]


class Change(NamedTuple):
    """A constant that differs between two records: whose it is, and whether it jumped or moved with the inputs."""

    operation: str
    argument: int
    line: Line | None
    jumped: bool
    detached: bool
    branch: bool = False

    @property
    def place(self) -> str:
        """Which argument of which operation it is, and the line."""
        of = f"what was computed before {self.operation}" if self.branch else (
            "a detached Value" if self.detached else f"argument {self.argument} of {self.operation}")
        return of + (f", at {self.line}" if self.line else "")

    @property
    def switch(self) -> str:
        """What bends or jumps, where a branch is chosen."""
        if self.branch:
            return f"a branch before {self.operation}"
        if self.operation in ("np.where", "indexing"):
            return self.operation
        return f"the mask, index or rounded number that is argument {self.argument} of {self.operation}"

    @property
    def what(self) -> str:
        if self.detached:
            return "a Value that was detached, or computed under no_grad"
        what = "a value that jumps, such as a mask, an index or a rounded number" if self.jumped else (
            "plain numbers that were computed from it, by .data, float() or .item()")
        return f"argument {self.argument} of {self.operation}, {what}"

    def __str__(self) -> str:
        return self.what + (f", at {self.line}" if self.line else "")


def changed(before: Trail, after: Trail, move: float) -> Change | None:
    """The first constant that differs after the inputs have moved by ``move``; ``None`` where all are the same."""
    for (node, i, old), (other, _, new) in zip(before.constants, after.constants, strict=False):
        if not _same_operation(node.op, other.op):
            return Change(name_of(node.op), i, line_of(node), True, False, True)
        if not _equal(old, new):
            exact = np.asarray(old).dtype.kind not in "fc" or np.shape(old) != np.shape(new)
            with np.errstate(all="ignore"):
                jumped = exact or float(np.nanmax(np.abs(np.subtract(new, old)))) > 1e3 * move
            return Change(name_of(node.op), i, line_of(node), jumped, i < 0)
    for node, other in zip(before.nodes, after.nodes, strict=False):
        if not _same_operation(node.op, other.op):
            return Change(name_of(node.op), 0, line_of(node), True, False, True)
    return None


def _same_operation(a: Any, b: Any) -> bool:
    """Whether two nodes call the same function: methods of ufuncs, and what ``f`` defines, are made anew each time."""
    return a == b or getattr(unwrap(a), "__code__", 0) == getattr(unwrap(b), "__code__", 1) if a and b else a is b


def _equal(a: Any, b: Any) -> bool:
    if np.shape(a) != np.shape(b):
        return False
    floats = np.asarray(a).dtype.kind in "fc" and np.asarray(b).dtype.kind in "fc"
    return bool(np.array_equal(a, b, equal_nan=floats))


def same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    """Whether two lists of arrays are equal to the last bit, nan included."""
    return len(a) == len(b) and all(map(_equal, a, b))
