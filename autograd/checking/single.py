"""float32 beside float64: whether the gradient in single precision is that of double precision, up to its rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .faults import Fault, first_fault
from .judge import SAFETY, Input
from .recorded import Recorded
from .subject import Subject

__all__ = ["compare_single"]

_RTOL = 3e-5


def compare_single(subject: Subject, given: Sequence[np.ndarray], point: Sequence[np.ndarray],
                   weights: Sequence[np.ndarray], inputs: Sequence[Input], modes: Sequence[str], faults: list[Fault],
                   rng: np.random.Generator) -> None:
    """Put the gradients of the user's dtype in the place of those of float64, which have been judged.

    What rounding may do is estimated by the gradients in both dtypes at six points that differ in the last digits.
    Where the difference is larger, every operation is compared alone: if none is wrong, it is its condition.
    """
    if "reverse" not in modes:
        return

    def difference(at: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        with subject.at(at) as record:
            narrow = _gradients(record, weights, at)
        with subject.at([x.astype(float) for x in at]) as record:
            wide = _gradients(record, weights, at)
        return narrow, [a - b for a, b in zip(narrow, wide, strict=True)]

    narrow, off = difference(given)
    spread = [np.zeros(x.shape) for x in given]
    for _ in range(6):
        near = [(x * (1 + 4 * np.finfo(x.dtype).eps * rng.uniform(-1, 1, x.shape))).astype(x.dtype) for x in given]
        for i, d in enumerate(difference(near)[1]):
            np.maximum(spread[i], np.abs(d - off[i]), out=spread[i])
    suspect = False
    for one, g, d, s in zip(inputs, narrow, off, spread, strict=True):
        rows = one.rows
        if rows is None or not g.size:
            continue
        relative = _RTOL if one.options.rtol is None else one.options.rtol
        allowed = relative * np.abs(g) + SAFETY * s
        if rows.directions is not None:
            g, d = ([float(np.sum(part * move)) for move in rows.directions] for part in (g, d))
            allowed = [float(np.sum(allowed * np.abs(move))) for move in rows.directions]
        suspect = suspect or bool(np.any(~(np.abs(d) <= allowed)))
        rows.analytic = np.asarray(g)
        rows.allowed = np.array(rows.allowed + (allowed if one.options.atol is None else relative * np.abs(g)))
        if one.options.atol is None:
            rows.verdict[(rows.verdict == "right") & (rows.error > _RTOL * np.abs(g))] = "precision"
    if not suspect:
        return
    with subject.at(given) as record:
        fault = first_fault(record, modes, 1, True, rng)
    if fault is not None:
        faults.append(fault)
    for one in inputs:
        rows = one.rows
        if rows is not None:
            over = ~(rows.error <= rows.allowed) & np.isin(rows.verdict, ["right", "precision"])
            rows.verdict[over] = "wrong" if fault is not None else "precision"
            if np.any(over) and fault is None:
                one.say("precision", "rounding makes its gradient differ from that in float64 by up to "
                        f"{np.max(rows.error[over]):.1e}, though every operation is right in its dtype")


def _gradients(record: Recorded, weights: Sequence[np.ndarray], like: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.zeros(x.shape) if g is None else g for g, x in zip(record.gradients(weights), like, strict=True)]
