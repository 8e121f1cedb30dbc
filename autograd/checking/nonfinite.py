"""``explain_nan``: the first operation, forward or backward, that made a NaN or an infinity, and what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..backward import reverse_pass
from ..checkpoint import recomputed
from ..describe import Range, Report, elements, number, operation, range_of
from ..graph import raw, retraced, reverse_topological
from ..linearize import ones
from ..lines import Line, line_of
from ..registry import RULES
from ..sources import arguments, call, name_in, written
from ..trees import leaves
from ..value import UNRECORDED, Value
from .local import consumers_of, is_elementwise, is_finite, numeric_arguments, quiet, sent_back
from .rewrites import GUARDED, cause_of
from .site import Site, untaken_branch
from .stable import stable_form

__all__ = ["Input", "NonFinite", "explain_nan"]

_SHOWN = 3  # numbers of an input, where a result went wrong
_LABEL = 24  # characters of an expression that can stand for an argument


class Input(NamedTuple):
    """An argument of an operation: its place, what the user wrote for it, what it holds, and the numbers at fault."""

    place: int
    name: str
    range: Range
    at_fault: tuple

    @property
    def label(self) -> str:
        return self.name if len(self.name) <= _LABEL else f"argument {self.place}"


@dataclass(frozen=True, repr=False, eq=False)
class NonFinite(Report):
    """What ``explain_nan`` found: true when there is a NaN or an infinity to explain.

    Attributes:
        summary: the finding in a sentence.
        node, operation, line: the operation to blame, or the input, and the line of the user that made it.
        phase: ``"forward"`` where its result is not finite, ``"backward"`` where the gradient is that its rule sends
            back to ``argument``; ``None`` where all is finite.
        argument: the place of that argument; forward, of a constant that was not finite to begin with.
        wrong: a mask of the elements, of the result or of the gradient.
        gives: what the result, or the gradient that is sent back, holds.
        gradient: backward, what the gradient holds that comes in.
        inputs: the arguments that are numbers, each with what it holds.
        cause, rewrite, replaces: why, what to write, and for which expression; empty where that is not known.
        inside: of a function that is defined by others (``np.corrcoef``, one made with ``checkpoint``), the one of
            these to blame.
        later: how infinities turned into NaN afterwards, forward or backward, if they did.
    """

    summary: str
    node: Value | None = None
    operation: str = ""
    phase: str | None = None
    argument: int | None = None
    line: Line | None = None
    wrong: Any = None
    gives: Range | None = None
    gradient: Range | None = None
    inputs: tuple[Input, ...] = ()
    cause: str = ""
    rewrite: str = ""
    replaces: str = ""
    inside: NonFinite | None = None
    later: NonFinite | None = None

    def __bool__(self) -> bool:
        return self.node is not None

    def __str__(self) -> str:
        rows = [("line", self.line), ("gradient", self.gradient),
                *((x.label, x.range) for x in self.inputs if not _is_literal(x.name)), *self._advice()]
        for name, part in (("inside", self.inside), ("then", self.later)):
            if part is not None:
                line = part.line if part.line != self.line or part is self.later else None
                rows += [(name, part.summary), ("line", line), *part._advice()]
        shown = [(name, text) for name, text in rows if text not in ("", None)]
        width = max((len(name) for name, _ in shown), default=0)
        return "\n".join([f"explain_nan: {self.summary}", *(f"  {name:<{width}}  {text}" for name, text in shown)])

    def _advice(self) -> list[tuple[str, str]]:
        return [("cause", self.cause), ("write", self.rewrite), ("for", self.replaces if self.rewrite else "")]


def explain_nan(value: Any) -> NonFinite:
    """Which operation made the first NaN or infinity in a value, or in its gradients.

    The recorded graph is searched in the order in which it was computed, for the first operation that gave a NaN or
    an infinity, of those from which one came into ``value``. If ``value`` is finite, so is the reverse pass, of the
    sum of its elements, for the first rule that turned a finite gradient into one that is not. The report names the
    operation, its line, what went in, and, for the causes that are recognised, what to write instead. An infinity that
    does no harm, such as that of a mask before a softmax, is not blamed. No ``.grad`` is changed.

    Args:
        value: a Value, or a tuple, list or dict of Values.

    Returns:
        A ``NonFinite``: true when there is something to explain, and prints as text.

    Raises ``TypeError`` where ``value`` is, or holds, no Value.

    >>> x = Value([0.0, 1.0, 4.0], name="x")
    >>> report = explain_nan(np.sqrt(x).sum())
    >>> report.operation, report.phase, report.cause
    ('np.sqrt', 'backward', 'the slope of np.sqrt at 0 is inf')
    """
    roots = list(dict.fromkeys(x for x in leaves(value) if isinstance(x, Value)))
    if not roots:
        raise TypeError(f"value: expected a Value, got {type(value).__name__} {value!r:.60}; only of what was recorded "
                        "can be told how it was computed")
    nodes = reverse_topological(*roots)
    with quiet():
        return _explained(nodes, {root: ones(root) for root in roots}) or NonFinite(_all_finite(nodes, roots))


def _explained(nodes: list[Value], gradients: dict[Value, Any]) -> NonFinite | None:
    """What is not finite in a graph, or in the reverse pass from its roots and their gradients, if anything is."""
    broken = [root for root in gradients if not is_finite(root.data)]
    if broken:
        return _forward(broken, consumers_of(nodes))
    site = _first_backward(nodes, gradients)
    return None if site is None else _backward(site, consumers_of(nodes))


def _inside(site: Site) -> NonFinite | None:
    """The same of the functions that define the one at a site, which was recorded as one node."""
    node = site.node
    if node.op is None or node.op not in RULES or RULES[node.op].definition is None:
        return None
    fresh, y, _ = retraced(node, None, False)
    for place, x in numeric_arguments(node):
        if isinstance(x, Value):  # what is written inside of a checkpoint is closer than the names outside
            fresh[x].name = x.name or (None if node.op is recomputed else site.names[place])
    outs = list(y) if isinstance(node.data, tuple) else [y]
    given = site.gradient if isinstance(site.gradient, list) else [site.gradient] * len(outs)
    gradients = {out: ones(out) if g is None else g for out, g in zip(outs, given, strict=True)
                 if isinstance(out, Value)}
    report = _explained(reverse_topological(*gradients), gradients)
    if report is None or node.op is recomputed:
        return report
    return replace(report, line=line_of(node), rewrite="", later=None)  # where no line of the user's is


def _all_finite(nodes: list[Value], roots: list[Value]) -> str:
    if any(root.kwargs is UNRECORDED for root in roots):
        return ("the value is finite, but was detached or computed under no_grad, so that there are no gradients to "
                "look at")
    said = f"all is finite: the value, and the gradients of its graph of {len(nodes)} nodes"
    harmless = [node for node in nodes if not is_finite(node.data)]
    return f"{said}; {operation(harmless[-1])} is infinite or nan, but does no harm" if harmless else said


# The search


def _origin(starts: Iterable[Value], whole: Callable[[Any], bool] = is_finite) -> Value:
    """The first node, in the order of computing, from which what is not whole came into the starts."""
    stack = list(starts)
    seen, first = set(stack), stack[0]
    found = False
    while stack:
        node = stack.pop()
        broken = [p for p in node.parents if not whole(p.data)]
        if not broken and (not found or node._order < first._order):
            first, found = node, True
        stack.extend(p for p in dict.fromkeys(broken) if p not in seen)
        seen.update(broken)
    return first


def _no_nan(data: Any) -> bool:
    return all(map(_no_nan, data)) if isinstance(data, tuple) else not np.isnan(data).any()


def _first_backward(nodes: list[Value], gradients: dict[Value, Any]) -> Site | None:
    """The first rule, in the order of the reverse pass, that sends back what is not finite."""
    gradients = dict(gradients)
    for node in nodes:
        g = gradients.get(node)
        if g is None or node.op is None:
            continue
        for _ in reverse_pass([node], gradients):
            pass
        for parent in node.parents:
            if not is_finite(gradients.get(parent, 0.0)):
                for place, _, share in sent_back(node, g):
                    if not is_finite(share):
                        return Site(node, "backward", ~np.isfinite(share), place, g)
                return Site(node, "backward", ~np.isfinite(gradients[parent]), None, g)  # the sum of several overflows
    return None


# What it found


def _forward(broken: list[Value], consumers: dict[Value, list[Value]]) -> NonFinite:
    first = _origin(broken)
    report = _made(first, consumers, finite=False)
    with_nan = [root for root in broken if not _no_nan(root.data)]
    if with_nan and _no_nan(first.data):
        return replace(report, later=_made(_origin(with_nan, _no_nan), consumers, finite=False))
    return report


def _backward(site: Site, consumers: dict[Value, list[Value]]) -> NonFinite:
    broken = [x for x in (site.node, *site.node.parents) if not is_finite(x.data)]
    if not broken:
        return _sent(site, consumers)
    return replace(_made(_origin(broken[:1]), consumers, finite=True), later=_sent(site, consumers, advised=False))


def _made(node: Value, consumers: dict[Value, list[Value]], finite: bool) -> NonFinite:
    """The report of a node whose data is not finite; ``finite`` says whether the value in question is all the same."""
    site = Site(node, "forward", np.zeros(()))
    site = replace(site, wrong=~np.isfinite(site.result))
    what, where = _special(site.result), elements(site.wrong)
    common: dict[str, Any] = {"node": node, "phase": "forward", "line": line_of(node), "wrong": site.wrong,
                              "gives": range_of(site.result)}
    if node.op is None:
        cut = ", which was detached or computed under no_grad," if node.kwargs is UNRECORDED else ""
        name = name_in(node, consumers)
        text = f"the input {name or 'without a name'}{cut} holds"
        return NonFinite(f"{text} {what}{where and f' at {where}'}", operation="input", cause=cut and (
            "what it was computed from is not recorded: compute it again without no_grad or detach"), **common)
    common.update(operation=operation(node), inputs=_inputs(site))
    for place, x in numeric_arguments(node):
        if not isinstance(x, Value) and not is_finite(x):
            given = np.asarray(x)
            at = elements(~np.isfinite(given))
            return NonFinite(f"the constant {site.names[place]}, argument {place} of {operation(node)}, holds "
                             f"{_special(given)}{at and f' at {at}'}", argument=place, **common)
    cause, rewrite, replaces = _advice(site, consumers, finite)
    inside = None if rewrite else _inside(site)
    return NonFinite(f"{operation(node)} gives {what}{where and f' at {where}'}{_faults(common['inputs'])}",
                     cause=cause, rewrite=rewrite, replaces=replaces, inside=inside, **common)


def _sent(site: Site, consumers: dict[Value, list[Value]], advised: bool = True) -> NonFinite:
    """The report of a rule that sends back what is not finite."""
    node = site.node
    share = next((part for place, _, part in sent_back(node, site.gradient) if place == site.place), None)
    where, inputs = elements(site.wrong), _inputs(site)
    name = "an argument" if site.place is None else site.names[site.place]
    cause, rewrite, replaces = _advice(site, consumers, True) if advised else (cause_of(site)[0], "", "")
    if share is None:
        cause, rewrite = "the sum of what several operations send back overflows", ""
    what = "inf" if share is None else _special(np.asarray(share))
    start = "the value is finite, but backward" if advised else "backward"
    text = f"{start} {operation(node)} makes the gradient of {name} {what}{where and f' at {where}'}"
    arriving = site.gradient if not isinstance(site.gradient, list) else next(
        g for g in site.gradient if g is not None)
    return NonFinite(text + _faults(inputs), node, operation(node), "backward", site.place, line_of(node), site.wrong,
                     None if share is None else range_of(share), range_of(arriving), inputs, cause, rewrite, replaces,
                     None if rewrite else _inside(site))


def _special(data: np.ndarray) -> str:
    """Which numbers that are not finite an array holds."""
    real = np.concatenate([np.ravel(np.real(data)), np.ravel(np.imag(data))])
    kinds = {"nan": np.isnan(real), "inf": real == np.inf, "-inf": real == -np.inf}
    return " and ".join(name for name, mask in kinds.items() if mask.any())


def _inputs(site: Site) -> tuple[Input, ...]:
    found = []
    for place, x in numeric_arguments(site.node):
        if (isinstance(x, Value) and isinstance(x.data, tuple)) or (
                isinstance(x, int) and isinstance(site.node.args[place], tuple)):  # sizes, as of windows
            continue
        at_fault = tuple(site.chosen(raw(x))[:_SHOWN].tolist()) if is_elementwise(site.node) else ()
        found.append(Input(place, site.names[place], range_of(x), at_fault))
    return tuple(found)


def _faults(inputs: tuple[Input, ...]) -> str:
    """The numbers that went in where the result went wrong."""
    said = [f"{x.label} = {', '.join(map(number, x.at_fault))}" for x in inputs
            if x.at_fault and not _is_literal(x.name)]
    return f", where {' and '.join(dict.fromkeys(said))}" if said else ""


def _is_literal(name: str) -> bool:
    try:
        complex(name)
    except ValueError:
        return False
    return True


# What to write


def _advice(site: Site, consumers: dict[Value, list[Value]], finite: bool) -> tuple[str, str, str]:
    """The cause, what to write, and for which expression."""
    cause, rewrite = cause_of(site)
    found = untaken_branch(site, consumers) if finite else None
    if found is not None:
        where, branch = found
        condition = f"{_condition(where)} is {'not ' * (branch == 1)}true"
        cause += (f"; np.where ({_place(where)}) leaves it out, but this branch was computed also where {condition}, "
                  "and the gradient 0 that comes in there becomes nan, as 0 · inf is")
        return cause, *_guarded(site, where, branch)
    if site.masked:
        cause += "; the gradient that comes in there is 0, but 0 · inf is nan"
    stable = stable_form(site.node, consumers)
    if stable is not None:
        return f"{cause}; it is part of {stable.what}", stable.rewrite, written(stable.node)
    return cause, rewrite, written(site.node)


def _place(node: Value) -> str:
    line = line_of(node)
    return "" if line is None else line.place


def _condition(where: Value) -> str:
    return arguments(where)[0] if written(where) else "ok"


def _guarded(site: Site, where: Value, branch: int) -> tuple[str, str]:
    """The branch of a ``where`` with harmless numbers in place of those that it leaves out, and what that replaces."""
    node = site.node
    condition = _condition(where)
    differentiable = [place for place, arg in enumerate(node.args) if isinstance(arg, Value)]
    if node.op not in GUARDED and len(differentiable) != 1:
        return f"np.where({condition}, f(np.where({condition}, x, 1.0)), ...)", written(where)
    place, safe = GUARDED.get(node.op, (differentiable[0], 1.0))
    names = list(site.names)
    kept = [names[place], str(safe)]
    names[place] = f"np.where({condition}, {', '.join(kept if branch == 1 else kept[::-1])})"
    old, outer, new = written(node), written(where), call(node, names)
    if old and outer.count(old) == 1:
        return outer.replace(old, new), outer
    return new, old
