"""Liveness: which variables of a program can share memory, and the arrays they get."""

from __future__ import annotations

import numpy as np

from .program import Op, Program, Var, added_at, cast, constant, filled, updated

__all__ = ["Memory", "lies_in"]

_ALIGNMENT = 64
_COMPUTING = {cast, updated, added_at, filled, constant, np.where, np.sum, np.mean, np.max, np.min, np.prod, np.matmul,
              np.concatenate, np.stack, np.dot, np.einsum, np.any, np.all, np.cumsum, np.clip, np.copy}


class Memory:
    """Where the results of operations lie, but for those ``elsewhere``: in one block, whose parts are used again.

    ``fresh`` are the variables that the caller gets and nobody may overwrite, ``views`` those that lie in another's
    memory. What is computed elementwise may take the place of an argument that nobody reads any more.
    """

    def __init__(self, program: Program, ops: list[Op], elsewhere: set[Var]) -> None:
        self.views: set[Var] = set()
        self.fresh = {o.var for o in program.outputs if o.fresh}
        kept = {o.var for o in program.outputs if not o.fresh} | {i.written for i in program.inputs if i.written}
        owners = lies_in(ops)
        last: dict[Var, int] = {}
        for n, op in enumerate(ops):
            for v in op.reads:
                last.update(dict.fromkeys(owners.get(v, (v,)), n))
            if _may_view(op):
                self.views.update(v for v in op.outs if v.shape)
        for v in kept | self.fresh:
            last.update(dict.fromkeys(owners.get(v, (v,)), len(ops)))
        self._elsewhere = elsewhere | self.views | self.fresh
        self._places: dict[Var, int] = {}
        self.size = self._place(ops, last)
        self._block = np.empty(self.size + _ALIGNMENT, np.uint8)
        self._start = -self._block.ctypes.data % _ALIGNMENT
        self._arrays: dict[tuple, np.ndarray] = {}

    def _place(self, ops: list[Op], last: dict[Var, int]) -> int:
        """Give each result a place; the size of all."""
        free: list[tuple[int, int]] = []  # (start, size), in order
        end = 0
        given: set[Var] = set()  # whose place another has taken over
        dying: dict[int, list[Var]] = {}
        for v, n in last.items():
            dying.setdefault(n, []).append(v)
        for n, op in enumerate(ops):
            out = op.outs[0] if op.outs else None
            if out is not None and len(op.outs) == 1 and out.shape and out not in self._elsewhere:
                donor = next((v for v in op.reads if _in_place(op, v, out) and last.get(v) == n and v in self._places
                              and v.shape == out.shape and v.dtype == out.dtype), None)
                if donor is not None:
                    self._places[out] = self._places[donor]
                    given.add(donor)
                else:
                    size = _rounded(out)
                    spot = min((f for f in free if f[1] >= size), key=lambda f: f[1], default=None)
                    if spot is None:
                        if free and sum(free[-1]) == end:  # the last place grows
                            self._places[out] = free.pop()[0]
                        else:
                            self._places[out] = end
                        end = self._places[out] + size
                    else:
                        free.remove(spot)
                        self._places[out] = spot[0]
                        if spot[1] > size:
                            free.append((spot[0] + size, spot[1] - size))
                    free.sort()
            for v in dying.get(n, ()):
                if v in self._places and v not in given and v is not out:
                    free = _merged([*free, (self._places[v], _rounded(v))])
            if out in self._places and out not in last:
                free = _merged([*free, (self._places[out], _rounded(out))])
        return end

    def array(self, var: Var) -> np.ndarray:
        """The array that holds a variable, at every call the same.

        It is one object for all variables of that place, shape and dtype: a ufunc that computes in place sees at once
        that its argument is its result, while it takes as long as for the numbers to find out how two arrays overlap.
        """
        place = self._places[var], var.shape, var.dtype
        if place not in self._arrays:
            start = self._start + self._places[var]
            memory = self._block[start : start + var.size * var.dtype.itemsize]
            self._arrays[place] = memory.view(var.dtype).reshape(var.shape)
        return self._arrays[place]


def _in_place(op: Op, v: Var, out: Var) -> bool:
    f = op.function
    if isinstance(f, np.ufunc):
        return f.signature is None
    return f in (updated, added_at) and op.args[0] is v and v not in op.reads[1:]


def lies_in(ops: list[Op]) -> dict[Var, set[Var]]:
    """For each variable that may be a view, those in whose memory it may lie."""
    owners: dict[Var, set[Var]] = {}
    for op in ops:
        if _may_view(op):
            of_all = {owner for v in op.reads for owner in owners.get(v, (v,))}
            owners.update(dict.fromkeys(op.outs, of_all))
    return owners


def _may_view(op: Op) -> bool:
    """Whether a result may lie in the memory of an argument, which is so for all functions not known to compute."""
    if isinstance(op.function, np.ufunc) or op.function in _COMPUTING:
        return False
    return any(v.shape for v in op.outs) and any(v.shape for v in op.reads)


def _rounded(var: Var) -> int:
    return -(-var.size * var.dtype.itemsize // _ALIGNMENT) * _ALIGNMENT


def _merged(free: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, size in sorted(free):
        if merged and sum(merged[-1]) == start:
            merged[-1] = merged[-1][0], merged[-1][1] + size
        else:
            merged.append((start, size))
    return merged
