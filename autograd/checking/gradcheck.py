"""``gradcheck``: the gradients of a function or a network against differences, with a verdict and who is at fault."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ..describe import count
from ..trees import leaves, tree_map
from ..value import Value
from .check import Check
from .judge import Options
from .report import Elements, GradientReport
from .subject import Gradient, Leaf, Subject

__all__ = ["assert_gradients", "gradcheck"]


def gradcheck(f: Callable, *inputs: Any, order: int = 1, modes: Sequence[str] = ("reverse", "forward"),
              wrt: int | str | Iterable[int | str] | None = None, rng: np.random.Generator | int | None = None,
              directions: int | None = None, loss: Callable | None = None, rtol: float | None = None,
              atol: float | None = None) -> GradientReport:
    """Check the derivatives of ``f`` at the inputs, and say of each input what is right or wrong with its gradient.

    Every element of the gradient is compared with a numeric derivative: by the complex step Im f(x + ih) / h where the
    recorded graph is analytic, else by central differences with two Richardson extrapolations. An element is right when
    its error is at most ``rtol`` times its own size, and what rounding explains: that of ``f`` and of the gradient are
    both measured. An array-valued ``f`` is checked through the sum of its elements, each weighted by a random number.

    Each input gets one of these verdicts; the last three make the report false:

    - *right*;
    - *detached*: the output does not depend on it by recorded operations; the report says where the path ends;
    - *precision*: right within what the dtype and the differences can show, but not to 6 digits;
    - *kink*: it comes within 6e-6 of its size to a point where ``f`` has no derivative; the report names the operation;
    - *wrong*: the report names the first operation whose rule is wrong, and the line that called it;
    - *not finite*: an output or a gradient is nan or infinite;
    - *not deterministic*: a second call gave other numbers.

    Args:
        f: a function of as many Values as there are inputs, that returns a Value, or containers that hold Values; or a
            network, of which all parameters are checked by their names.
        inputs: numbers or arrays of floats, or dicts, lists, tuples and dataclasses of them. Of a network with a
            ``loss`` they are constants, the last one being the target.
        order: 2 to check the gradient of the gradient too.
        modes: which of "reverse" and "forward" to check. One that an operation has no rule for is noted.
        wrt: the inputs to check, by position or name; the others are constants of any type. All unless given.
        rng: a generator, or a seed, of the random numbers; a fixed seed unless given.
        directions: how many random directions to check along, instead of every element: quick for large inputs.
        loss: a function of the output and the last input: ``loss(f(*inputs[:-1]), inputs[-1])`` is checked.
        rtol: allowed relative error; 1e-6 unless given, 3e-5 more for inputs of float32.
        atol: allowed absolute error, in place of what is measured.

    Returns:
        A ``GradientReport``: true when all holds, prints as a table.

    Raises ``TypeError`` where ``f`` does not return a Value of real floats, and for inputs to check that are not real
    floats; ``ValueError`` for unknown names and modes, and where the shapes of the outputs change between calls.

    >>> bool(gradcheck(lambda x, y: x * np.exp(y), 2.0, np.array([0.5, 1.0])))
    True
    """
    if not callable(f):
        raise TypeError(f"f: expected a function or a network, got {f!r:.60}; write gradcheck(f, x), not "
                        "gradcheck(f(x))")
    if isinstance(f, type) and hasattr(f, "named_parameters"):
        raise TypeError(f"f: expected a network, got the class {f.__name__}; write gradcheck({f.__name__}(...), x)")
    if type(order) is not int or order not in (1, 2):
        raise ValueError(f"order: expected 1 or 2, got {order!r}")
    if directions is not None and (not isinstance(directions, (int, np.integer)) or isinstance(directions, bool)
                                   or directions < 1):
        raise ValueError(f"directions: expected a positive integer, got {directions!r}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not (isinstance(tolerance, (int, float, np.number)) and 0 <= tolerance < np.inf):
            raise ValueError(f"{name}: expected a number that is not negative, got {tolerance!r}")
    if loss is not None and not callable(loss):
        raise TypeError(f"loss: expected a function of the output and the target, got {loss!r:.60}; write "
                        "loss=nn.mse_loss")
    subject = _subject(f, inputs, wrt, loss)
    chosen = _modes(modes)
    generator = _generator(rng)
    parts: list[Check] = []
    buffers = [(b, np.copy(b)) for b in f.buffers()] if hasattr(f, "named_buffers") else []
    try:
        for n in range(1, order + 1):
            if n == 2:
                subject = Gradient(subject, parts[0].weights)
            parts.append(Check(subject, Options(chosen, generator, directions, rtol, atol, n),
                               parts[0] if parts else None))
            parts[-1].run()
            if any(one.summary().verdict in ("wrong", "not finite", "not deterministic") for one in parts[-1].inputs):
                break
    finally:
        for buffer, before in buffers:  # such as running means, which each call has moved
            buffer[...] = before
    every = [one for part in parts for one in part.inputs]
    return GradientReport(
        tuple(one.summary() for one in every), Elements(block for one in every for block in one.blocks()),
        tuple(e for one in every for e in one.crosschecks), tuple(fault for part in parts for fault in part.faults),
        "; ".join(dict.fromkeys(m for part in parts for m in part.methods)),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        any(leaf.parameter is not None for leaf in subject.leaves))


def assert_gradients(f: Callable, *inputs: Any, **options: Any) -> None:
    """Raise ``AssertionError`` with the report of ``gradcheck``, which takes the same arguments, unless all holds.

    >>> assert_gradients(np.tanh, np.array([-1.0, 0.5]), order=2)
    """
    gradcheck(f, *inputs, **options).raise_if_wrong()


def _generator(rng: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(0 if rng is None else rng)
    except (TypeError, ValueError):
        raise TypeError(f"rng: expected a numpy.random.Generator or a seed, got {rng!r:.60}; write rng=0") from None


def _modes(modes: Any) -> tuple[str, ...]:
    if not isinstance(modes, Iterable):
        raise TypeError(f"modes: expected 'reverse' and 'forward' or one of them, got {modes!r}")
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    for mode in modes:
        if mode not in ("reverse", "forward"):
            raise ValueError(f"modes: expected 'reverse' or 'forward', got {mode!r}")
    if not modes:
        raise ValueError("modes: expected at least one of 'reverse' and 'forward'")
    return modes


def _subject(f: Any, inputs: tuple, wrt: Any, loss: Callable | None) -> Subject:
    """What is checked: the leaves among the inputs, and the parameters of a network."""
    parameters = dict(f.named_parameters()) if hasattr(f, "named_parameters") else {}
    if loss is not None and len(inputs) < 2:
        raise TypeError(f"loss: needs an input and a target, got {count(len(inputs), 'input')}; "
                        "write gradcheck(model, x, y, loss=...)")
    names = _names(f.__call__ if parameters else f, len(inputs))
    candidates = [] if loss is not None and parameters else names if loss is None else names[:-1]
    if wrt is not None:
        if not isinstance(wrt, (int, np.integer, str, Iterable)):
            raise TypeError(f"wrt: expected positions or names of inputs, got {wrt!r:.60}; write wrt=0, or wrt=[0, 1]")
        picked = list(wrt) if isinstance(wrt, Iterable) and not isinstance(wrt, str) else [wrt]
        positions = range(-len(names), len(names))
        wanted = {names[w] if isinstance(w, (int, np.integer)) and not isinstance(w, bool) and w in positions else w
                  for w in picked}
        unknown = wanted - {*names, *parameters}
        if unknown:
            raise ValueError(f"wrt: there is no {', '.join(map(repr, sorted(unknown, key=str)))}; expected a position, "
                             f"or one of {', '.join([*names, *parameters])}")
        candidates = [name for name in names if name in wanted]
        parameters = {name: p for name, p in parameters.items() if name in wanted}
    found: list[Leaf] = []
    arguments = [_placed(x, name, i, found) if name in candidates else _plain(x)
                 for i, (name, x) in enumerate(zip(names, inputs, strict=True))]
    found += [Leaf(name, p.data, p) for name, p in parameters.items()]
    if not found:
        which = ("wrt: it chooses nothing" if wrt is not None else
                 "inputs: they hold no floats" if inputs else "no inputs")
        raise TypeError(f"{which}; gradcheck needs the inputs at which to check: gradcheck(f, x, ...)")
    call = f if loss is None else (lambda *args: loss(f(*args[:-1]), args[-1]))
    return Subject(call, arguments, found)


def _names(f: Any, count: int) -> list[str]:
    """The names of the arguments, as the function has them; "input 0" where it has none."""
    try:
        known = [p.name for p in inspect.signature(f).parameters.values() if p.kind in (
            p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)] if not isinstance(f, np.ufunc) else []
    except (TypeError, ValueError):
        known = []
    return [known[i] if i < len(known) else f"input {i}" for i in range(count)]


def _plain(x: Any) -> Any:
    return x


def _placed(x: Any, path: str, i: int, found: list[Leaf]) -> Any:
    """An input with leaves in the places of its numbers."""
    if isinstance(x, (list, tuple)) and not any(hasattr(part, "shape") for part in leaves(x)):
        with suppress(ValueError):  # of lists that differ in length, each is a leaf
            x = np.asarray(x) if leaves(x) and all(isinstance(part, (int, float)) for part in leaves(x)) else x
    if isinstance(x, dict):
        return {k: _placed(v, f"{path}[{k!r}]", i, found) for k, v in x.items()}
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)(_placed(v, f"{path}[{k}]", i, found) for k, v in enumerate(x))
    if not isinstance(x, (Value, np.ndarray, np.generic, int, float, complex)):
        count = len(found)
        return tree_map(lambda part: part if part is x else _placed(part, f"{path}.{len(found) - count}", i, found), x
                        ) if leaves(x) != [x] else _refused(x, path)
    data = x.data if isinstance(x, Value) else x
    if np.asarray(data).dtype.kind != "f" or isinstance(data, (np.matrix, np.ma.MaskedArray)):
        return _refused(x, path)
    found.append(Leaf(path, data))
    return found[-1]


def _refused(x: Any, path: str) -> Any:
    data = x.data if isinstance(x, Value) else x
    if isinstance(data, complex) or getattr(getattr(data, "dtype", None), "kind", "") == "c":
        raise TypeError(f"{path}: expected floats, got {x!r:.60}; write gradcheck(lambda a, b: f(a + 1j * b), x.real, "
                        "x.imag) to check a function of complex numbers")
    better = (f"{float(x)}" if isinstance(x, (int, np.integer)) else "x.filled(0.0)" if isinstance(
        x, np.ma.MaskedArray) else "np.array(list(x), dtype=float)" if isinstance(x, Iterator) else
        "np.array(x, dtype=float)")
    raise TypeError(f"{path}: expected floats, got {x!r:.60}; write {better}; or name the others in wrt=")
