"""``Module``: an object whose attributes hold parameters and other modules, found by walking them."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from autograd import Value, part

from .files import read_tensors

__all__ = ["Module", "Parameter"]


class Parameter(Value):
    """A Value that a module learns: a leaf, found by walking the module's attributes.

    >>> Parameter([0.0, 1.0])
    Parameter(data=[0., 1.], grad=None)
    """

    __slots__ = ()


class Module:
    """A part of a network. A subclass assigns parameters and modules in ``__init__``, and computes in ``__call__``.

    Parameters and modules are found in attributes, also inside lists, tuples and dicts; their names are the paths
    to them, such as ``layers.0.weight``. Arrays that belong to the state but are not learned, such as running means,
    are attributes named in ``_buffers``, and are changed in place.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Parameter(2.0)
    ...     def __call__(self, x):
    ...         return self.factor * x
    >>> Scale().state_dict()
    {'factor': array(2.)}
    """

    training: bool = True
    _buffers: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """What each ``__call__`` computes is a part of the graph, which ``draw`` shows as one."""
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls):
            cls.__call__ = part(cls.__call__)

    def __call__(self, *inputs: Any) -> Any:
        remedy = "rename forward to __call__" if hasattr(self, "forward") else "define __call__(self, x)"
        raise TypeError(f"{type(self).__name__} does not say what it computes: {remedy}")

    # Walking

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module, whose path is ``""``, and all modules in it, with their paths, each once."""
        for path, x in _walk(self, prefix):
            if isinstance(x, Module):
                yield path, x

    def modules(self) -> Iterator[Module]:
        """This module and all in it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths, in the order in which they were assigned, each once."""
        for path, x in _walk(self, ""):
            if isinstance(x, Parameter):
                yield path, x

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, each once: what an optimizer takes."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, np.ndarray]]:
        """All buffers with their paths: the arrays that the state holds besides the parameters."""
        for path, module in self.named_modules():
            for name in module._buffers:
                array = getattr(module, name)
                if array is not None:
                    yield f"{path}.{name}" if path else name, array

    def buffers(self) -> Iterator[np.ndarray]:
        """All buffers."""
        return (array for _, array in self.named_buffers())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules held directly, with their names."""
        for name, attribute in vars(self).items():
            for path, x in _items(attribute, name):
                if isinstance(x, Module):
                    yield path, x

    # State

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter's and buffer's array by its path."""
        return {path: np.array(_data(x)) for path, x in self._by_path().items()}

    def load_state_dict(self, state: Mapping[str, Any] | str | os.PathLike) -> None:
        """Copy arrays into the parameters and buffers of the same paths, in their dtypes.

        ``state`` is a dict, or the path of a safetensors file such as PyTorch's users write. A parameter that is shared
        may be under any of its paths, or, as in PyTorch's states, under all. Raises ``ValueError``, and changes
        nothing, where a path is missing or unknown, or a shape differs.
        """
        if isinstance(state, (str, os.PathLike)):
            file, state = state, read_tensors(state)[0]
            try:
                return self.load_state_dict(state)
            except ValueError as error:
                raise ValueError(f"{file}: {error}") from None
        if not isinstance(state, Mapping):
            raise TypeError(f"state: expected a dict of arrays by path, or the path of a safetensors file, got "
                            f"{type(state).__name__}")
        mine = self._by_path()
        state, faults = self._without_repeats(state, mine)
        faults += [f"missing: {path}" for path in mine if path not in state]
        faults += [f"unknown: {path}" for path in state if path not in mine]
        arrays = {}
        for path in (path for path in mine if path in state):
            array, wanted = np.asarray(state[path]), np.asarray(_data(mine[path]))
            if array.shape != wanted.shape:
                faults.append(f"{path}: expected shape {wanted.shape}, got {array.shape}")
            elif array.dtype.kind not in "biuf" and array.dtype.kind != wanted.dtype.kind:
                faults.append(f"{path}: expected {wanted.dtype}, got {array.dtype}")
            arrays[path] = array
        if faults:
            raise ValueError(f"the state does not fit {type(self).__name__}: " + "; ".join(faults))
        for path, array in arrays.items():
            x = mine[path]
            if isinstance(x, np.ndarray):
                x[...] = array
            elif x.shape:
                x.data[...] = array
            else:
                x.data = type(x.data)(array)

    def _without_repeats(self, state: Mapping[str, Any],
                         mine: Mapping[str, Parameter | np.ndarray]) -> tuple[dict[str, Any], list[str]]:
        """``state`` with what is shared under its first path alone, and what is wrong with that."""
        found, faults = dict(state), []
        if found.keys() <= mine.keys():
            return found, faults
        first = {id(x): path for path, x in mine.items()}
        for path, x in _walk(self, "", again=True):
            held = {path: x} if not isinstance(x, Module) else {
                f"{path}.{name}" if path else name: getattr(x, name) for name in x._buffers}
            for other, y in held.items():
                own = first.get(id(y), other)
                if other == own or other not in found:
                    continue
                array = found.pop(other)
                if own in found and not np.array_equal(found[own], array):
                    faults.append(f"{other}: differs from {own}, which is the same array here")
                found.setdefault(own, array)
        return found, faults

    def _by_path(self) -> dict[str, Parameter | np.ndarray]:
        found: dict[str, Parameter | np.ndarray] = {}
        for path, x in (*self.named_parameters(), *self.named_buffers()):
            if path in found:
                raise ValueError(f"{type(self).__name__}: two parameters have the path {path}; rename one")
            found[path] = x
        return found

    def zero_grad(self) -> None:
        """Forget all gradients, so that the next ``backward`` starts anew."""
        for p in self.parameters():
            p.grad = None

    def train(self, mode: bool = True) -> Self:
        """Set this module and all in it to training, where layers like dropout are at work."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set this module and all in it to evaluation: the opposite of ``train``."""
        return self.train(False)

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self._parts()]
        settings = ", ".join(f"{k}={v!r}" for k, v in vars(self).items()
                             if _is_setting(v) and k != "training")
        inside = "".join(f"\n  {line}" for line in lines) + "\n" if lines else settings
        return f"{type(self).__name__}({inside})"

    def own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters held directly, with their names."""
        for name, attribute in vars(self).items():
            for path, x in _items(attribute, name):
                if isinstance(x, Parameter):
                    yield path, x

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """What ``repr`` shows in lines of their own."""
        return self.named_children()


def _is_setting(x: Any) -> bool:
    """Whether ``repr`` shows an attribute: a number, a text, or a number for each axis."""
    return isinstance(x, (int, float, str)) or (isinstance(x, tuple) and bool(x)
                                                and all(n is None or isinstance(n, (int, float)) for n in x))


def _data(x: Parameter | np.ndarray) -> Any:
    return x if isinstance(x, np.ndarray) else x.data


def _walk(x: Any, path: str, seen: set[int] | None = None,
          again: bool = False) -> Iterator[tuple[str, Module | Parameter]]:
    """``x`` and every module and parameter in it, depth first, each once, or with ``again`` on each of its paths."""
    seen = set() if seen is None else seen
    if id(x) in seen:
        return
    if again:
        seen = seen | {id(x)}  # what is above, not what was seen elsewhere
    else:
        seen.add(id(x))
    yield path, x
    if isinstance(x, Module):
        for name, attribute in vars(x).items():
            for inner, item in _items(attribute, f"{path}.{name}" if path else name):
                yield from _walk(item, inner, seen, again)


def _items(attribute: Any, path: str) -> Iterator[tuple[str, Module | Parameter]]:
    """The modules and parameters in an attribute: itself, or those in a list, tuple or dict."""
    if isinstance(attribute, (Module, Parameter)):
        yield path, attribute
    elif isinstance(attribute, (list, tuple)):
        for i, item in enumerate(attribute):
            yield from _items(item, f"{path}.{i}")
    elif isinstance(attribute, dict):
        for key, item in attribute.items():
            yield from _items(item, f"{path}.{key}")
