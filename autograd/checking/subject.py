"""What is checked: a function or a network, its inputs by name, and how to run it at other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..describe import count
from ..record import recording
from ..trees import leaves, tree_map
from ..value import Value, creation
from .hidden import same
from .recorded import Recorded

__all__ = ["UNDEFINED", "Gradient", "Leaf", "Subject"]


UNDEFINED = ArithmeticError, np.linalg.LinAlgError  # what says that a function is not defined at a point


class Leaf:
    """An array that is checked: its name, the user's data, and the parameter of a network, if one holds it."""

    def __init__(self, name: str, data: Any, parameter: Value | None = None) -> None:
        self.name, self.data, self.parameter = name, data, parameter

    @property
    def point(self) -> np.ndarray:
        """A copy of the user's numbers, in an order that ``ravel`` need not copy."""
        return np.array(self.data, order="C")

    def formed(self, x: np.ndarray) -> Any:
        """A copy of ``x`` as the data of a Value: of a Python float one, and never a 0-d array."""
        return float(x) if type(self.data) is float and x.dtype == float else x.copy() if x.ndim else x[()]


class Subject:
    """A function of leaves: runs it at points, which are lists of arrays, one for each leaf.

    ``inputs`` are the arguments of ``call``, with leaves in the places of what is checked. The parameters of a network
    are leaves that no argument holds: they get the numbers in place, and have their own back afterwards.
    """

    def __init__(self, call: Callable, inputs: Sequence[Any], leaves: Sequence[Leaf]) -> None:
        self.call, self.inputs, self.leaves = call, inputs, leaves

    @contextmanager
    def at(self, point: Sequence[np.ndarray]) -> Iterator[Recorded]:
        """The function recorded at a point. The record is of use inside of the ``with`` only."""
        since = next(creation)
        with self._placed(point) as values, recording(True):
            yield Recorded(list(values.values()), self._called(values), point, since)

    def outputs(self, point: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What the function gives at a point."""
        return self._outputs(point, True)

    def _outputs(self, point: Sequence[np.ndarray], record: bool) -> list[np.ndarray]:
        with self._placed(point) as values, recording(record):
            return [np.array(y.data) for y in self._called(values)]

    @contextmanager
    def _placed(self, point: Sequence[np.ndarray]) -> Iterator[dict[Leaf, Value]]:
        values = {leaf: Value(0.0, leaf.name) if leaf.parameter is None else leaf.parameter for leaf in self.leaves}
        before = [v.data for v in values.values()]
        try:
            for (leaf, v), x in zip(values.items(), point, strict=True):
                v.data = leaf.formed(x)
            yield values
        finally:
            for (leaf, v), data in zip(values.items(), before, strict=True):
                if leaf.parameter is not None:
                    v.data = data

    def _called(self, values: dict[Leaf, Value]) -> list[Value]:
        try:
            y = self.call(*tree_map(lambda x: values[x] if isinstance(x, Leaf) else x, list(self.inputs)))
        except Exception as error:
            moved = not all(same([v.data], [leaf.point.astype(v.dtype)]) for leaf, v in values.items())
            error.add_note("gradcheck called f at a point near the inputs: it must be defined around them" if moved else
                           f"gradcheck called f with {count(len(self.inputs), 'input')}" + (
                               "; a network with a target needs loss=..." if isinstance(error, TypeError) and any(
                                   leaf.parameter is not None for leaf in values) else ""))
            raise
        found = [part for part in leaves(y) if isinstance(part, Value)]
        if not found:
            raise TypeError(f"f must return a Value that depends on its inputs, but returned {type(y).__name__}: "
                            "was a Value turned into a plain number, by float() or .data?")
        for part in found:
            if part.dtype.kind != "f":
                raise TypeError(f"f must return real numbers, but returned {part.dtype}; write np.real(...), "
                                "np.imag(...) or np.abs(...) of it")
        return found


class Gradient(Subject):
    """The gradient of another subject's outputs, weighted and summed: what is checked at the second order."""

    def __init__(self, subject: Subject, weights: Sequence[np.ndarray]) -> None:
        super().__init__(subject.call, subject.inputs, subject.leaves)
        self.first, self.weights = subject, weights

    def outputs(self, point: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self._outputs(point, False)  # which spares a graph of the reverse pass

    def _called(self, values: dict[Leaf, Value]) -> list[Value]:
        since = next(creation)
        with recording(True) as outside:
            record = Recorded(list(values.values()), super()._called(values), [], since)
            found: dict[Value, Any] = dict.fromkeys(record.leaves)
            for node, g in record.backward(self.weights, outside):
                if node in found:
                    found[node] = g
        zero = (np.zeros(v.shape) for v in record.leaves)
        return [g if isinstance(g, Value) else Value(z if g is None else g)
                for g, z in zip(found.values(), zero, strict=True)]
