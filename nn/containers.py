"""Modules made of modules: ``Sequential`` and ``MLP``, and ``summary``, a table of what is in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .activations import ReLU
from .initializers import Initializer
from .linear import Linear
from .module import Module
from .random import Randomness, generator

__all__ = ["MLP", "Sequential", "summary"]


class Sequential(Module):
    """Modules applied one after the other. Their names are "0", "1", …, so that a path reads ``0.weight``.

    >>> model = Sequential(Linear(4, 3, rng=0), ReLU(), Linear(3, 2, rng=1))
    >>> model(np.ones((5, 4))).shape
    (5, 2)
    >>> [path for path, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not callable(module):
                raise TypeError(f"Sequential: item {i} must be a module or a function, got {module!r}")
            if isinstance(module, type):
                raise TypeError(f"Sequential: item {i} is the class {module.__name__}, not a module; "
                                f"write {module.__name__}()")
            setattr(self, str(i), module)

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, x) for name, x in vars(self).items() if name.isdigit())
        yield from ((name, x) for name, x in self.named_children() if not name.isdigit())

    def _modules(self) -> list[Any]:
        return [x for name, x in vars(self).items() if name.isdigit()]

    def __call__(self, x: Any) -> Any:
        for module in self._modules():
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._modules())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules())

    def __getitem__(self, i: int | slice) -> Any:
        if not isinstance(i, slice):
            return self._modules()[i]
        part = Sequential()
        names = [name for name in vars(self) if name.isdigit()][i]
        vars(part).update({name: vars(self)[name] for name in names})  # under the same names, as in PyTorch
        return part


class MLP(Sequential):
    """A multilayer perceptron: ``Linear`` layers of the given sizes with an activation after each but the last.

    ``output`` makes the activation after the last, where there is one. ``init`` is that of the layers.

    >>> model = MLP([784, 16, 16, 10], rng=np.random.default_rng(0))
    >>> sum(p.size for p in model.parameters())
    13002
    """

    def __init__(self, sizes: Sequence[int], activation: Callable[[], Module] = ReLU,
                 output: Callable[[], Module] | None = None, *, rng: Randomness,
                 init: Initializer | None = None, dtype: Any = np.float32) -> None:
        if not isinstance(sizes, Sequence) or len(sizes) < 2:
            raise ValueError("MLP: sizes must be a list of at least the inputs and the outputs, such as "
                             f"[784, 16, 10], got {sizes!r}")
        for name, make in (("activation", activation), ("output", output)):
            if isinstance(make, Module):
                raise TypeError(f"MLP: {name} must be a class or function that makes a module, got {make!r}; "
                                f"write {type(make).__name__}, or lambda: {make!r}")
        rng = generator(rng, "MLP")
        modules: list[Module] = []
        for fan_in, fan_out in pairwise(sizes):
            modules += [Linear(fan_in, fan_out, rng=rng, init=init, dtype=dtype), activation()]
        modules.pop()
        super().__init__(*modules, *([output()] if output else []))


def summary(model: Module) -> str:
    """A table of the modules that hold parameters of their own: path, kind, shapes and how many numbers.

    >>> print(summary(MLP([3, 2, 1], rng=0)))
    path   module  parameters                     count
    0      Linear  weight (2, 3), bias (2,)           8
    2      Linear  weight (1, 2), bias (1,)           3
    total                                            11
    """
    rows: list[tuple[str, str, str, Any]] = []
    home = {id(p): path for path, p in model.named_parameters()}  # a shared one counts where its path says
    for path, module in model.named_modules():
        own = [(name, p) for name, p in module.own_parameters() if home[id(p)] == (f"{path}.{name}" if path else name)]
        if own:
            lines = [", ".join(f"{name} {p.shape}" for name, p in own[i:i + 4]) for i in range(0, len(own), 4)]
            rows.append((path or "-", type(module).__name__, lines[0], sum(p.size for _, p in own)))
            rows += [("", "", line, "") for line in lines[1:]]
    head = ("path", "module", "parameters")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(3)]
    widths[0], widths[2] = max(widths[0], 5), max(widths[2], 24)

    def line(path: str, kind: str, shapes: str, count: Any) -> str:
        start = f"{path:<{widths[0]}}  {kind:<{widths[1]}}  {shapes:<{widths[2]}}"
        return f"{start}  {count if isinstance(count, str) else format(count, ','):>10}"

    total = sum(p.size for p in model.parameters())
    table = [line(*head, "count"), *(line(*row).rstrip() for row in rows), line("total", "", "", total)]
    return "\n".join(table)
