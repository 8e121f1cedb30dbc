"""Connectionist temporal classification: the cost of strings whose place in time is not known, and their decoding."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Value, defjvp, defvjp, make_jvp, make_vjp, primitive

from .checks import plain

__all__ = ["ctc_greedy_decode", "ctc_loss"]


def ctc_loss(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0, *,
             zero_infinity: bool = False) -> Any:
    """-log p(string) / length of each string, averaged over the batch, where p sums over all ways to say it in time.

    At each time one class is said. A way to say ``c a t`` repeats labels and puts blanks between: ``- c c - a t -``;
    between two equal labels there must be one. All ways are summed by forward and backward variables
    (Graves et al., 2006), in logarithms and in float64, whatever the dtype of ``log_probs``.

    Args:
        log_probs: logarithms of probabilities, such as ``log_softmax`` gives, shape (T, N, classes): times, batch.
        targets: integer labels, none of them ``blank``, shape (N, S) where row n counts up to ``target_lengths[n]``;
            or the strings one after the other, shape (sum of target_lengths,).
        input_lengths: how many of the T times belong to each example, integers of shape (N,).
        target_lengths: how long each string is, integers of shape (N,); 0 is a string of blanks alone.
        blank: the class that stands for no label.
        zero_infinity: count 0 for a string that is impossible, because it is too long for its times or because its
            probability is 0. The first is otherwise an error, the second an infinite cost; neither has a gradient.

    The gradient is that with respect to ``log_probs``, minus the time that each class is expected to take. PyTorch
    gives another one, which is the same behind a ``log_softmax``.

    Raises ``ValueError`` for shapes that differ, an empty batch, lengths and labels out of range, and a string that is
    too long for its times; ``TypeError`` for labels and lengths that are not integers.

    >>> log_probs = np.log(np.full((3, 1, 2), 0.5))  # - - 1, - 1 1, 1 1 1, 1 1 -, 1 - -, - 1 -: six ways of eight
    >>> float(np.exp(-ctc_loss(log_probs, [[1]], [3], [1]))).__round__(4)
    0.75
    """
    log_probs = np.asarray(log_probs) if isinstance(log_probs, (list, tuple)) else log_probs
    shape = np.shape(log_probs)
    if len(shape) != 3 or 0 in shape:
        raise ValueError(f"ctc_loss: log_probs must have the shape (times, batch, classes), none of them 0, got {shape}"
                         + ("; write log_probs[:, None] for a single example" if len(shape) == 2 else ""))
    targets, input_lengths, target_lengths = _integers("ctc_loss", shape[1], targets=targets,
                                                       input_lengths=input_lengths, target_lengths=target_lengths)
    costs = _costs(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    if zero_infinity:
        costs = np.where(np.isfinite(costs), costs, 0)
    return np.mean(costs / np.maximum(target_lengths, 1).astype(costs.dtype))


def ctc_greedy_decode(log_probs: Any, lengths: Any, blank: int = 0) -> list[list[int]]:
    """The string of each example if the likeliest class is said at each time: repeats are one label, blanks are none.

    Args:
        log_probs: scores of the classes, shape (T, N, classes); only their order counts.
        lengths: how many of the T times belong to each example, integers of shape (N,).
        blank: the class that stands for no label.

    >>> said = np.array([0, 1, 1, 0, 1, 2, 2])
    >>> ctc_greedy_decode(np.eye(3)[said][:, None], [7]), ctc_greedy_decode(np.eye(3)[said][:, None], [3])
    ([[1, 1, 2]], [[1]])
    """
    scores = np.asarray(plain(log_probs))
    if scores.ndim != 3:
        raise ValueError(f"ctc_greedy_decode: log_probs must have the shape (times, batch, classes), got "
                         f"{scores.shape}")
    lengths, = _integers("ctc_greedy_decode", scores.shape[1], lengths=lengths)
    _check_between("ctc_greedy_decode", "lengths", lengths, 0, len(scores))
    said = np.argmax(scores, axis=2)
    new = (said != blank) & np.concatenate([np.ones_like(said[:1], bool), said[1:] != said[:-1]])
    return [said[:n, i][new[:n, i]].tolist() for i, n in enumerate(lengths)]


@primitive
def _costs(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int,
           zero_infinity: bool) -> Any:
    """-log p of each string."""
    log_probs = _whole(log_probs)
    strings = _strings(log_probs.shape, targets, input_lengths, target_lengths, blank, zero_infinity)
    states = _states(strings, blank)
    times = np.broadcast_to(np.arange(len(log_probs))[:, None], log_probs.shape[:2])
    emissions = _emissions(log_probs, times, states)
    log_p = _ends(_before(emissions, states) + emissions, input_lengths, target_lengths)
    return (-log_p).astype(np.result_type(log_probs, np.float32))


@primitive
def _occupied(log_probs: Any, *others: Any) -> Any:
    """∂ log p / ∂ log_probs: how long, of each time, each class is expected to be said, given the string."""
    return _occupation(_whole(log_probs), *others)


def _occupation(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int,
                zero_infinity: bool) -> Any:
    """As ``_occupied``, in differentiable steps.

    The variables of both directions are computed at once: those backward are those forward of the reversed string
    at reversed times.
    """
    many, batch, classes = plain(log_probs).shape
    strings = _strings((many, batch, classes), targets, input_lengths, target_lengths, blank, zero_infinity)
    reverse = np.maximum(target_lengths[:, None] - 1 - np.arange(strings.shape[1]), 0)
    states = _states(np.concatenate([strings, np.take_along_axis(strings, reverse, 1)]), blank)
    time, state, example = np.arange(many)[:, None], np.arange(states.shape[1]), np.arange(batch)
    back = np.maximum(input_lengths - 1 - time, 0)
    emissions = _emissions(log_probs, np.concatenate([np.broadcast_to(time, back.shape), back], axis=1), states)
    before = _before(emissions, states)
    forward = before[:, :batch] + emissions[:, :batch]
    log_p = _ends(forward, input_lengths, target_lengths)
    last = 2 * target_lengths[:, None]
    after = before[back[:, :, None], batch + example[:, None], np.maximum(last - state, 0)]
    inside = (time < input_lengths)[:, :, None] & (state <= last)
    paths = forward + after - np.where(np.isfinite(log_p), log_p, 0)[:, None]
    share = np.exp(np.where(inside, paths, -np.inf))
    says = states[:batch, :, None] == np.arange(classes)
    return np.swapaxes(np.swapaxes(share, 0, 1) @ says.astype(float), 0, 1).astype(log_probs.dtype)


defvjp(_costs, lambda y, x, *others: lambda g: -g[:, None] * _occupied(x, *others))
defjvp(_costs, lambda g, y, x, *others: -np.sum(g * _occupied(x, *others), axis=(0, 2)))
defvjp(_occupied, lambda y, x, *others: make_vjp(_occupation)(_whole(x), *others)[0])
defjvp(_occupied, lambda g, y, x, *others: make_jvp(_occupation)(_whole(x), *others)(g)[1])


def _whole(x: Any) -> Any:
    """``x``, but for what jit traces: that refuses to become a plain array, and all this is one operation instead."""
    return x if isinstance(x, Value) else np.asarray(x)


def _states(strings: Any, blank: int) -> Any:
    """The strings with blanks before, between and after their labels: the states that the ways lead through."""
    states = np.full((len(strings), 2 * strings.shape[1] + 1), blank)
    states[:, 1::2] = strings
    return states


def _emissions(log_probs: Any, times: Any, states: Any) -> Any:
    """The log-probability of each state at each time: (T, N or 2 N, states), in float64."""
    example = np.arange(len(states)) % plain(log_probs).shape[1]
    return log_probs.astype(float)[times[:, :, None], example[:, None], states]


def _before(emissions: Any, states: Any) -> Any:
    """The log-probability of all that leads to each state at each time, without the state itself.

    From one time to the next a way stays, goes on to the next state, or skips a blank between labels that differ.
    """
    edge = np.full((len(states), 2), -np.inf)
    skips = np.full(states.shape, -np.inf)
    skips[:, 2:][states[:, 2:] != states[:, :-2]] = 0
    before = np.broadcast_to(np.where(np.arange(states.shape[1]) < 2, 0, -np.inf), states.shape)
    rows = [before]
    for emission in list(emissions)[:-1]:
        here = np.concatenate([edge, before + emission], axis=1)
        before = np.logaddexp(np.logaddexp(here[:, 2:], here[:, 1:-1]), here[:, :-2] + skips)
        rows.append(before)
    return np.stack(rows)


def _ends(forward: Any, input_lengths: Any, target_lengths: Any) -> Any:
    """log p: every way ends in the last label or in the blank behind it."""
    last, example = input_lengths - 1, np.arange(len(input_lengths))
    in_label = np.where(target_lengths > 0, forward[last, example, np.maximum(2 * target_lengths - 1, 0)], -np.inf)
    return np.logaddexp(forward[last, example, 2 * target_lengths], in_label)


# Arguments


def _strings(shape: tuple[int, ...], targets: Any, input_lengths: Any, target_lengths: Any, blank: int,
             zero_infinity: bool) -> Any:
    """The labels, a row for each example, and blanks behind them; ``ValueError`` for what is out of range.

    It is checked in the gradient too, since where that alone is asked for, jit leaves out the cost.
    """
    many, batch, classes = shape
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank must lie in 0 … {classes - 1}, got {blank}")
    _check_between("ctc_loss", "input_lengths", input_lengths, 1, many)
    if targets.ndim == 2:
        _check_between("ctc_loss", "target_lengths", target_lengths, 0, targets.shape[1])
    else:
        _check_between("ctc_loss", "target_lengths", target_lengths, 0, len(targets))
        if np.sum(target_lengths) != len(targets):
            raise ValueError(f"ctc_loss: target_lengths add up to {np.sum(target_lengths)}, but there are "
                             f"{len(targets)} targets")
    width = targets.shape[1] if targets.ndim == 2 else np.max(target_lengths)
    inside = np.arange(width) < target_lengths[:, None]
    strings = np.full((batch, width), blank)
    strings[inside] = targets[inside] if targets.ndim == 2 else targets
    wrong = inside & ((strings < 0) | (strings >= classes) | (strings == blank))
    if np.any(wrong):
        i, k = np.argwhere(wrong)[0]
        raise ValueError(f"ctc_loss: targets must lie in 0 … {classes - 1} and not be the blank {blank}, but label {k} "
                         f"of example {i} is {strings[i, k]}")
    if not zero_infinity:
        _check_possible(strings, input_lengths, target_lengths)
    return strings


def _check_possible(strings: Any, input_lengths: Any, target_lengths: Any) -> None:
    """Each label takes a time, and so does a blank between two that are equal."""
    equal = (strings[:, 1:] == strings[:, :-1]) & (np.arange(1, strings.shape[1]) < target_lengths[:, None])
    needed = target_lengths + np.sum(equal, axis=1)
    wrong = np.flatnonzero(needed > input_lengths)
    if len(wrong):
        i = wrong[0]
        raise ValueError(f"ctc_loss: example {i} has {target_lengths[i]} labels, which take {needed[i]} times, but "
                         f"only {input_lengths[i]} in input_lengths; drop it, or pass zero_infinity=True to "
                         "count it as 0")


def _check_between(who: str, name: str, x: Any, low: int, high: int) -> None:
    wrong = np.flatnonzero((x < low) | (x > high))
    if len(wrong):
        raise ValueError(f"{who}: {name} must lie in {low} … {high}, but that of example {wrong[0]} is {x[wrong[0]]}")


def _integers(who: str, batch: int, **arguments: Any) -> list[Any]:
    """Labels and lengths as arrays of integers, those of lengths with one for each example."""
    found = []
    for name, x in arguments.items():
        x = np.asarray(x) if isinstance(x, (list, tuple)) else plain(x)
        if getattr(x, "size", 1) and np.result_type(x).kind not in "iu":
            raise TypeError(f"{who}: {name} must be integers, got {np.result_type(x)}; write {name}.astype(int)")
        shape = np.shape(x)
        if name == "targets" and len(shape) != 1 and shape[:-1] != (batch,):
            raise ValueError(f"{who}: targets must have the shape ({batch}, longest string) or (all labels,) for a "
                             f"batch of {batch}, got {shape}")
        if name != "targets" and shape != (batch,):
            raise ValueError(f"{who}: {name} must have the shape ({batch},), one for each example, got {shape}")
        found.append(x.astype(int))
    return found
