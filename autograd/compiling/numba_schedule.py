"""Which loops become one: a program's loops in nests that run over one domain, each as late as it can be.

The steps are placed from the last to the first. A step joins the nest of its first reader when that reads it element
by element; otherwise it gets a nest of its own just before. Nests that overwrite inputs form the tail of the order, so
that nothing which may fail comes after them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from .numba_steps import Check, Host, Loop, Lowered, View
from .program import Var

__all__ = ["Nest", "Schedule", "schedule", "sources"]

Step = Loop | Check | Host
MOST = 12  # arrays that one nest waits for: they are all in memory until then
SURE = (float, int, bool)  # calls that cannot fail, and change nothing
LANES = 16  # numbers in the widest vectors
SHORT = 256  # elements of a row, of which those beyond the last full vector take a good part of the time


class Nest:
    """Steps that run together: a call of the host, a check, loops over one domain, or a head with what follows.

    A head is a product of matrices, or what slides a window over images.
    """

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.tail = False

    @property
    def domain(self) -> tuple[int, ...] | None:
        """What the loops run over; for a product, its batch, rows and columns."""
        first = self.steps[0]
        if not isinstance(first, Loop):
            return None
        return first.domain[:-1] if first.product else first.domain

    @property
    def head(self) -> Loop | None:
        return next((s for s in self.loops if s.heads), None)

    @property
    def loops(self) -> list[Loop]:
        return [s for s in self.steps if isinstance(s, Loop)]

    @property
    def host(self) -> bool:
        return isinstance(self.steps[0], Host)

    @property
    def simple(self) -> bool:
        """Whether another elementwise loop can join: all is elementwise, or reduced along the last axes."""
        return all(isinstance(s, Loop) and (s.heads or not s.axes or trailing(s)) for s in self.steps)


class Schedule:
    """Calls that come first, then nests in order."""

    def __init__(self, prelude: list[Host], nests: list[Nest]) -> None:
        self.prelude, self.nests = prelude, nests


def trailing(loop: Loop) -> bool:
    """Whether a reduction runs over the last axes."""
    return loop.axes == tuple(range(len(loop.domain) - len(loop.axes), len(loop.domain)))


def rowwise(loop: Loop) -> bool:
    """Whether it reads the same row again and again."""
    return not loop.heads and any(isinstance(v, View) and v.strides[-1] and not all(
        s or n == 1 for s, n in zip(v.strides, loop.domain, strict=True)) for v in loop.operands)


def sources(step: Step, lowered: Lowered) -> list[Var]:
    """The variables that a step reads; of an array, the one that holds its memory."""
    if isinstance(step, Loop):
        return [*(v.root for v in step.reads), *step.numbers]
    if isinstance(step, Check):
        return list(step.reads)
    return [lowered.views[v].root if v in lowered.views else v for v in step.op.reads]


def targets(step: Step) -> list[Var]:
    """The variables that a step defines, or defines in part."""
    return [step.target.root] if isinstance(step, Loop) else list(step.op.outs) if isinstance(step, Host) else []


def schedule(lowered: Lowered, inputs: Iterable[Var], fusable: Callable[[Loop], bool]) -> Schedule:
    """Nests in an order that works. ``fusable`` says of a head whether its code can go on with its elements."""
    prelude = _prelude(lowered, set(inputs))
    early = set(map(id, prelude))
    steps = [s for s in lowered.steps if id(s) not in early]
    placer = _Placer(lowered, steps, fusable)
    for step in reversed(steps):
        placer.place(step)
    placer.hoist()
    return Schedule(prelude, placer.nests)


def _prelude(lowered: Lowered, known: set[Var]) -> list[Host]:
    """The calls that need nothing computed, as long as no effect before them does."""
    prelude, effects = [], True
    for step in lowered.steps:
        if isinstance(step, Host) and (effects or not step.op.effect) and all(
                v in known or hasattr(v, "value") for v in sources(step, lowered)):
            prelude.append(step)
            known.update(step.op.outs)
        elif _effect(step):
            effects = False
    return prelude


def _effect(step: Step) -> bool:
    return step.effect if isinstance(step, Check) else isinstance(step, Host) and step.op.effect


class _Placer:
    def __init__(self, lowered: Lowered, steps: list[Step], fusable: Callable[[Loop], bool]) -> None:
        self.lowered, self.fusable = lowered, fusable
        self.order = {id(s): k for k, s in enumerate(steps)}
        self.nests: list[Nest] = []
        self.readers: dict[Var, list[tuple[Nest, Step]]] = defaultdict(list)
        self.writers: dict[Var, list[tuple[Nest, Step]]] = defaultdict(list)
        self.count: dict[Var, int] = defaultdict(int)
        self.finals: dict[Var, Nest] = {}
        self.effect: Nest | None = None
        self.bounds: list[Nest] = []  # of indices: a check by the user comes before those that follow it
        for step in steps:
            for var in targets(step):
                self.count[var] += 1
        self.home: dict[int, Nest] = {}

    def place(self, step: Step) -> None:
        if isinstance(step, Loop) and step.final:
            nest = Nest([step])
            nest.tail = True
            self.nests.insert(0, nest)
            self.finals[step.target.root] = nest
            return self.enter(step, nest)
        effect = _effect(step)
        users = self.users(step)
        if effect and self.effect is not None:
            users.append(self.effect)
        if effect and isinstance(step, Check):
            users += self.bounds
        if not users and self.last(step):
            self.nests.append(Nest([step]))
            return self.enter(step, self.nests[-1])
        at = min((self.nests.index(n) for n in users), default=len(self.nests))
        first = self.nests[at] if at < len(self.nests) else None
        if first is not None and self.joins(step, first):
            first.steps.insert(0, step)
            nest = first
        else:
            at = min(at, next((k for k, n in enumerate(self.nests) if n.tail), len(self.nests)))
            nest = Nest([step])
            self.nests.insert(at, nest)
        self.enter(step, nest)
        if effect:
            self.effect = nest
        elif isinstance(step, Check):
            self.bounds.append(nest)
        if isinstance(step, Loop) and not step.axes and self.alone(step):
            for other in users:
                apart = other is not nest and other in self.nests
                if apart and self.joins(step, other) and self.can_merge(nest, other):
                    self.merge(nest, other)

    def last(self, step: Step) -> bool:
        """Whether a call can come after everything, so that it does not cut compiled code in two."""
        return (isinstance(step, Host) and step.op.function in SURE
                and not any(v in self.finals for v in sources(step, self.lowered)))

    def users(self, step: Step) -> list[Nest]:
        """The nests that need the step done before them."""
        found: dict[int, Nest] = {}
        for var in targets(step):
            for nest, _ in [*self.readers[var], *self.writers[var]]:
                found[id(nest)] = nest
        return list(found.values())

    def enter(self, step: Step, nest: Nest) -> None:
        for var in sources(step, self.lowered):
            self.readers[var].append((nest, step))
        for var in targets(step):
            self.writers[var].append((nest, step))

    def alone(self, step: Loop) -> bool:
        """Whether the step writes all of its array, in order, and is the only one to do so."""
        return self.count[step.target.root] == 1 and (step.heads or step.target.whole)

    def joins(self, step: Step, nest: Nest) -> bool:
        """Whether the step can become part of a nest that reads it."""
        if not (isinstance(step, Loop) and nest.simple and self.alone(step)):
            return False
        if step.heads:
            if nest.head or any(s.axes or s.costly for s in nest.loops) or not self.fusable(step):
                return False
        elif step.axes or (nest.head and step.costly):
            return False
        domain = step.domain[:-1] if step.product else step.domain
        waiting = {v.root for s in [*nest.loops, step] for v in s.reads} - {s.target.root for s in nest.loops}
        if len(waiting & self.count.keys()) > MOST:
            return False
        return (nest.domain == domain and self.even([*nest.loops, step])
                and self.same_elements(step.target.root, nest) and self.safe(step, nest))

    def even(self, loops: list[Loop]) -> bool:
        """Whether loops together do not keep costly elements from filling vectors.

        Where all is element by element, rows are one after the other, as one long row. A step that reads the same
        numbers for each row keeps to rows, so it is better apart where these are short and no multiple of a vector.
        """
        n = loops[0].domain[-1] if loops[0].domain and not any(s.heads for s in loops) else 0
        return not (n % LANES and n < SHORT and any(s.costly for s in loops) and any(rowwise(s) for s in loops))

    def same_elements(self, root: Var, nest: Nest) -> bool:
        """Whether a nest reads an array only at the element that it is at."""
        return all(s.reads_elements(root) for s in nest.loops)

    def safe(self, step: Loop, nest: Nest) -> bool:
        """Whether the nest comes before every other that overwrites what the step reads."""
        if not nest.tail:
            return True
        at = self.nests.index(nest)
        for var in {v.root for v in step.reads} & self.finals.keys():
            final = self.finals[var]
            if not step.reads_elements(var) if final is nest else self.nests.index(final) < at:
                return False
        return True

    def can_merge(self, early: Nest, late: Nest) -> bool:
        """Whether all of a later nest can run with an earlier one over the same domain."""
        if not (early.simple and late.simple and early.tail == late.tail) or (early.head and late.head):
            return False
        both = early.loops + late.loops
        if not self.even(both):
            return False
        if (early.head or late.head) and any((s.axes and not s.heads) or s.costly for s in both):
            return False
        between = self.nests[self.nests.index(early) + 1:self.nests.index(late)]
        for step in late.loops:
            for var in sources(step, self.lowered):
                if any(nest in between or (nest is early and not self.passes(writer, step, var))
                       for nest, writer in self.writers[var]):
                    return False
            target = step.target.root
            if any(n in between or n is early for n, _ in self.writers[target]):  # in part, and so in their order
                return False
            if any(n in between or (n is early and not self.same_elements(target, early))
                   for n, _ in self.readers[target]):
                return False
        return not any(self.finals.get(v.root) is late for s in early.loops if s.heads for v in s.reads)

    def passes(self, writer: Step, reader: Loop, var: Var) -> bool:
        """Whether what one loop computes at an element is all that another over the same domain reads there."""
        if not isinstance(writer, Loop) or not reader.reads_elements(var):
            return False
        return writer.final or ((writer.heads or not writer.axes) and self.alone(writer))

    def hoist(self) -> None:
        """Run what frees more memory than it takes as soon as it can run: the sum of a gradient's parts, above all."""
        place = {id(n): k for k, n in enumerate(self.nests)}
        order: list[tuple[int, int, Nest]] = []
        for k, nest in enumerate(self.nests):
            roots = {s.target.root for s in nest.loops}
            if nest.tail or not nest.loops or nest.head or any(self.count[r] > 1 for r in roots):
                order.append((k, k, nest))
                continue
            read = {v for s in nest.loops for v in sources(s, self.lowered)}
            read &= self.count.keys() - roots - self.finals.keys()  # computed here; inputs are there from the start
            last = max((place[id(n)] for v in read for n, _ in self.writers[v]), default=k)
            dying = sum(v.size for v in read if all(place[id(n)] <= k for n, _ in self.readers[v]))
            early = last < k and dying > sum(r.size for r in roots)
            place[id(nest)] = last if early else k
            order.append((place[id(nest)], k, nest))
        self.nests = [nest for _, _, nest in sorted(order, key=lambda entry: entry[:2])]

    def merge(self, early: Nest, late: Nest) -> None:
        early.steps = sorted(early.steps + late.steps, key=lambda s: self.order[id(s)])
        heads = [s for s in early.loops if s.heads]
        early.steps = [*heads, *(s for s in early.steps if s not in heads)]
        self.nests.remove(late)
        for table in self.readers, self.writers:
            for var, entries in table.items():
                table[var] = [(early if n is late else n, s) for n, s in entries]
        for var, nest in self.finals.items():
            if nest is late:
                self.finals[var] = early
