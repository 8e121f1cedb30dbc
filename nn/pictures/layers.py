"""What a feed-forward network computes for one example, layer by layer, read from the graph that it records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import ceil, isqrt, sqrt
from typing import Any, NamedTuple

import numpy as np

from autograd import Value
from autograd.functions import affine, sigmoid, softmax

from ..checks import array, plain
from ..losses import cross_entropy, multi_margin_loss, nll_loss, quadratic_cost
from ..module import Module, Parameter

__all__ = ["Activity", "Cost", "activity", "input_range"]

Cost = Callable[[Any, Any], Any]
_TAKE_LABELS = (cross_entropy, multi_margin_loss, nll_loss)
_RANGES = {sigmoid: (0.0, 1.0), softmax: (0.0, 1.0), np.tanh: (-1.0, 1.0)}
_SMALLEST_IMAGE = 64  # a vector of fewer numbers is no image, even where it could be a square


class Activity(NamedTuple):
    """One example in a network of L layers.

    Attributes:
        image: the example as numbers (height, width) or colours (height, width, 3); ``None`` for a mere vector.
        pixels: where in the image lies what the first layer reads, as (row, column), (inputs, 2); ``None`` where that
            is no such image.
        columns: L + 1 vectors: what the first layer reads, what each of the next ones reads, and the outputs.
        ranges: the numbers between which those of each column lie.
        weights: of each layer, (out, in).
        reads_input: whether the first layer reads the example itself, and not what other layers made of it.
        nudges: of each weight, that is, the negative gradient of the cost; ``None`` without a target.
        output_nudge: of each output; ``None`` without a target.
        target: what each output should be; ``None`` where there is no target of that form.
        cost: of this example, and the name of the function; ``None`` without a target.
    """

    image: np.ndarray | None
    pixels: np.ndarray | None
    columns: list[np.ndarray]
    ranges: list[tuple[float, float]]
    weights: list[np.ndarray]
    reads_input: bool
    nudges: list[np.ndarray] | None = None
    output_nudge: np.ndarray | None = None
    target: np.ndarray | None = None
    cost: tuple[str, float] | None = None


class _Layer(NamedTuple):
    node: Value
    input: Any
    weight: Value
    transposed: bool

    def oriented(self, x: Any) -> np.ndarray:
        return x.T if self.transposed else x


def activity(who: str, model: Module, x: Any, target: Any = None, cost: Cost | None = None) -> Activity:
    """Run the model, in evaluation mode, on one example, and its cost backward where there is a target.

    ``who`` opens the text of errors. Modes and gradients are afterwards what they were.
    """
    if not isinstance(model, Module):
        raise TypeError(f"{who}: model must be a module, such as nn.MLP([784, 16, 10], rng=0), got {model!r:.60}")
    x = _example(who, x)
    with np.errstate(all="ignore"), _evaluation(model):  # what is not finite is shown
        example, output = _ran(who, model, x)
        layers = _layers(who, model, output)
        read = [layer.input for layer in layers] + [output]
        columns = [np.ravel(plain(x)) for x in read]
        reads_input, image = np.array_equal(columns[0], example.ravel(), equal_nan=True), _image(example)
        found = Activity(image, _pixels(example, image) if reads_input else None, columns,
                         [input_range(columns[0]), *map(_range, read[1:])],
                         [layer.oriented(layer.weight.data) for layer in layers], reads_input)
        return found if target is None else _with_nudges(who, found, layers, output, target, cost)


def _example(who: str, x: Any) -> np.ndarray:
    x = array(plain(x))
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{who}: x must be an array of real numbers, got one of dtype {x.dtype}")
    if not x.size or not x.ndim:
        raise ValueError(f"{who}: x must be one example, got an array of shape {x.shape}")
    if x.ndim > 3 and len(x) > 1:
        raise ValueError(f"{who}: x must be one example, got {len(x)} of them, of shape {x.shape}; write x[0] for one")
    return x


def _ran(who: str, model: Module, x: np.ndarray) -> tuple[np.ndarray, Value]:
    """The example and the model's output for a batch of it; ``x`` may be that batch already."""
    batches = [x, x[None]] if x.ndim > 1 and len(x) == 1 else [x[None]]
    several = "; of several examples write x[0] for one" if x.ndim > 1 else ""
    errors = []
    for batch in batches:
        try:
            output = model(batch)
            break
        except ValueError as error:
            errors.append(error)
    else:
        raise ValueError(f"{who}: the model does not take x of shape {x.shape} as one example: {errors[0]}"
                         f"{several}") from errors[0]
    if not isinstance(output, Value):
        raise ValueError(_no_layer(who, model))
    if output.dtype.kind != "f":
        raise TypeError(f"{who}: the outputs must be real numbers, got {output.dtype}")
    if not output.shape or output.size != output.shape[-1]:
        raise ValueError(f"{who}: the model must give a vector for one example, but gives an array of shape "
                         f"{output.shape} for x of shape {x.shape}{several}")
    return batch[0], output


def _no_layer(who: str, model: Module) -> str:
    return (f"{who}: {type(model).__name__} computed its output without a recorded Linear layer, so there are no "
            "neurons to draw; it draws nn.Linear and x @ W of a Parameter W, outside of no_grad()")


@contextmanager
def _evaluation(model: Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _layers(who: str, model: Module, output: Value) -> list[_Layer]:
    """The layers at the end in the order in which they were computed, each reading what the one before it gave."""
    layers = [layer for node in _computed(output) if (layer := _as_layer(node))]
    if not layers:
        raise ValueError(_no_layer(who, model))
    spread = [i for i, layer in enumerate(layers, 1) if layer.node.size != layer.node.shape[-1]]
    if spread and spread[-1] == len(layers):
        raise ValueError(f"{who}: the last layer is applied at {layers[-1].node.size // layers[-1].node.shape[-1]} "
                         "places at once, so its neurons have no single activation to draw")
    layers = layers[spread[-1] if spread else 0:]  # as with convolutions, it is drawn from behind them on
    for i, (before, layer) in enumerate(pairwise(layers), 1):
        follows = isinstance(layer.input, Value) and any(node is before.node for node in _computed(layer.input))
        if not follows or layer.input.size != before.node.size:
            raise ValueError(f"{who}: the layers must follow one another, but layer {i + 1} reads "
                             f"{np.size(plain(layer.input))} numbers that are not the {before.node.size} of layer {i}")
    if output.size != layers[-1].node.size:
        raise ValueError(f"{who}: the last layer has {layers[-1].node.size} neurons, but the model gives "
                         f"{output.size} outputs: they must be those neurons' activations")
    return layers


def _as_layer(node: Value) -> _Layer | None:
    if node.op is affine:
        x, weight = node.args[:2]
        if isinstance(weight, Parameter):
            return _Layer(node, x, weight, False)
    elif node.op in (np.matmul, np.dot) and np.ndim(plain(node.args[1])) == 2:
        x, weight = node.args
        parameter = weight.args[0] if isinstance(weight, Value) and weight.op is np.transpose else weight
        if isinstance(parameter, Parameter):
            return _Layer(node, x, weight, True)
    return None


def _computed(output: Value) -> list[Value]:
    """All that a value was computed from, and itself: each once, after its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in reversed(node.parents))
    return order


def input_range(x: Any) -> tuple[float, float]:
    """Between 0 and 1 where all numbers are, else between the smallest and the largest."""
    finite = np.ravel(x)[np.isfinite(np.ravel(x))]
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    within = lowest >= 0 and highest <= 1
    return (0.0, 1.0) if within or lowest == highest else (lowest, highest)


def _range(column: Value) -> tuple[float, float]:
    """That of the activation function where it is known, else as far from 0 as the numbers reach."""
    if column.op in _RANGES:
        return _RANGES[column.op]
    finite = np.ravel(column.data)[np.isfinite(np.ravel(column.data))]
    bound = float(np.abs(finite).max(initial=0)) or 1.0
    return (-bound if np.any(finite < 0) else 0.0), bound


def _image(example: np.ndarray) -> np.ndarray | None:
    if example.ndim == 1:
        side = isqrt(example.size)
        return example.reshape(side, side) if side * side == example.size >= _SMALLEST_IMAGE else None
    if example.ndim == 2:
        return example
    channels, height, width = example.shape
    if channels == 3:
        lowest, highest = input_range(example)
        return np.clip((np.moveaxis(example, 0, -1) - lowest) / (highest - lowest), 0, 1)
    side = ceil(sqrt(channels))  # a square of pictures, of which the last may be empty
    squares = np.full((side * side, height, width), input_range(example)[0], example.dtype)
    squares[:channels] = example
    return squares.reshape(side, side, height, width).swapaxes(1, 2).reshape(side * height, side * width)


def _pixels(example: np.ndarray, image: np.ndarray | None) -> np.ndarray | None:
    """The place in the image of each number, unless channels lie beside each other there."""
    if image is None or example.size % (places := image.shape[0] * image.shape[1]) or (
            example.ndim == 3 and example.shape[1:] != image.shape[:2]):
        return None
    return np.column_stack(np.divmod(np.arange(example.size) % places, image.shape[1]))


# The nudges


def _with_nudges(who: str, found: Activity, layers: list[_Layer], output: Value, target: Any,
                 cost: Cost | None) -> Activity:
    if cost is None:
        if output.op not in (sigmoid, softmax):
            raise ValueError(f"{who}: the outputs do not come from a sigmoid or softmax, so the cost that they were "
                             "trained with is not plain: pass it, such as cost=nn.cross_entropy or cost=nn.mse_loss")
        cost = quadratic_cost
    wanted = _target(who, target, output, cost)
    total = cost(output, wanted)
    name = getattr(cost, "__name__", "cost").replace("<lambda>", "cost")
    if not isinstance(total, Value) or total.size != 1:
        raise TypeError(f"{who}: the cost must be a number computed from the outputs, but {name} gave {total!r:.60}")
    leaves = [(node, node.grad) for node in _computed(total) if node.op is None]
    try:
        for leaf, _ in leaves:
            leaf.grad = None
        total.backward(np.ones_like(total.data))
        nudges = [_nudge(layer.weight) for layer in layers]
    finally:
        for leaf, before in leaves:
            leaf.grad = before
    vector = _vector(wanted, output)
    return found._replace(nudges=[layer.oriented(nudge) for layer, nudge in zip(layers, nudges, strict=True)],
                          output_nudge=_nudge(output).ravel(), target=vector, cost=(name, float(total.item())))


def _nudge(x: Value) -> np.ndarray:
    return np.zeros_like(x.data) if x.grad is None else -x.grad


def _target(who: str, target: Any, output: Value, cost: Cost) -> np.ndarray:
    """The target as the cost takes it for a batch of one."""
    target, n = array(plain(target)), output.size
    if target.dtype.kind not in "biuf":
        raise TypeError(f"{who}: target must be a label or an array of numbers, got {target!r:.60}")
    if not target.ndim and n == 1:
        return target.reshape(output.shape)
    if not target.ndim:
        if target.dtype.kind not in "iu":
            raise TypeError(f"{who}: target must be a label, from 0 to {n - 1}, or a vector of {n} numbers, got "
                            f"{target.item()!r}")
        if not 0 <= target < n:
            raise ValueError(f"{who}: target must be a label from 0 to {n - 1}, since there are {n} outputs, got "
                             f"{target.item()}")
        if cost in _TAKE_LABELS:
            return target[None]
        return (np.arange(n) == target).astype(output.dtype).reshape(output.shape)
    if target.shape == (n,):
        return target.reshape(output.shape)
    if len(target) != 1:
        raise ValueError(f"{who}: target must be a label, from 0 to {n - 1}, or a vector of {n} numbers, got an array "
                         f"of shape {target.shape}")
    return target


def _vector(wanted: np.ndarray, output: Value) -> np.ndarray | None:
    if wanted.size == output.size:
        return wanted.ravel()
    labels = wanted.shape == (1,) and wanted.dtype.kind in "iu"
    return (np.arange(output.size) == wanted[0]).astype(output.dtype) if labels else None
