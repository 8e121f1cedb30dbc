"""The place where numbers stopped being finite: which operation, in which pass, at which elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..graph import raw
from ..numerics import is_numeric
from ..sources import arguments
from ..value import Value
from .local import is_elementwise, is_finite

__all__ = ["Site", "untaken_branch"]


@dataclass(frozen=True, eq=False)
class Site:
    """An operation, the pass in which it gave what is not finite, and the elements where it did.

    Forward these are elements of the result; backward, of the gradient that the rule sent back to argument ``place``,
    where ``gradient`` is the one that came in.
    """

    node: Value
    phase: str
    wrong: np.ndarray
    place: int | None = None
    gradient: Any = None

    @cached_property
    def names(self) -> list[str]:
        return arguments(self.node)

    @property
    def result(self) -> np.ndarray:
        """What the operation gave; of several results the first that is not finite."""
        data = self.node.data
        parts = data if isinstance(data, tuple) else (data,)
        return np.asarray(next((x for x in parts if not is_finite(x)), parts[0]))

    def at(self, i: int) -> np.ndarray:
        """The numbers of argument ``i`` at the elements that went wrong; all of them unless that is elementwise."""
        args = self.node.args
        x = np.asarray(raw(args[i])) if i < len(args) and is_numeric(raw(args[i])) else np.zeros(0)
        return self.chosen(x)

    def chosen(self, x: Any) -> np.ndarray:
        """The elements of an array that correspond to those that went wrong."""
        x = np.asarray(x)
        if is_elementwise(self.node) and x.size:
            try:
                x, wrong = np.broadcast_arrays(x, self.wrong)
            except ValueError:  # in a list, or broadcast in both directions
                return x.ravel()
            return x[wrong]
        return x.ravel()

    def any(self, i: int, test: Callable[[np.ndarray], Any]) -> bool:
        """Whether ``test`` holds for one of the numbers of argument ``i`` that went wrong."""
        return bool(np.any(test(self.at(i))))

    @property
    def masked(self) -> bool:
        """Whether the gradient that came in was 0 wherever the rule made it nan."""
        g = self.gradient
        return self.phase == "backward" and is_elementwise(self.node) and not np.any(self.chosen(g))


def untaken_branch(site: Site, consumers: dict[Value, list[Value]]) -> tuple[Value, int] | None:
    """The first ``np.where`` that leaves out the elements that went wrong, and which of its branches they are in."""
    seen, queue = {site.node}, [site.node]
    for node in queue:
        for consumer in consumers.get(node, ()):
            if consumer.op is np.where:
                for branch in (1, 2):
                    if consumer.args[branch] is node and _leaves_out(site, consumer, branch):
                        return consumer, branch
            if consumer not in seen:
                seen.add(consumer)
                queue.append(consumer)
    return None


def _leaves_out(site: Site, where: Value, branch: int) -> bool:
    condition = np.asarray(raw(where.args[0]), bool)
    left_out = condition if branch == 2 else ~condition
    x = raw(where.args[branch])
    if site.phase == "forward":  # what is not finite in the branch is gone from the result
        return not is_finite(x) and bool(np.any(~np.isfinite(x) & left_out))
    if np.shape(site.wrong) == left_out.shape:
        left_out = left_out & site.wrong
    return site.masked and bool(left_out.any())
