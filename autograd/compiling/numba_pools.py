"""Maxima and means of the windows of an image as loops: over whole windows at once, where none is cut off and they are
small, otherwise over one element of all windows after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..pooling import avg_pool, avg_pool_input, counts, max_pool, max_pool_along, max_pool_input
from ..windows import output_sizes, taps
from .numba_scalars import Formula
from .numba_steps import Here, View, contiguous
from .numba_views import sliced

__all__ = ["TRANSLATORS"]

FEW = 16  # elements of a window that one formula has


def chosen(x: str, y: str, value: str = "ONE") -> str:
    """A value where ``x`` is the largest number ``y`` of its window, or nan, which makes that nan too; else 0."""
    return f"({value} if ({x} == {y}) | ({x} != {x}) else ZERO)"


class Windows:
    """The windows of ``x`` (N, C, *spatial), and which parts of the output and of x each of their elements joins.

    ``whole`` says that each window has all of a few elements, and ``tiled`` that besides x consists of windows.
    """

    def __init__(self, here: Here, shape: tuple, out: tuple, kernel: Any, stride: Any, padding: Any,
                 dilation: Any) -> None:
        self.here, self.shape, self.out, self.kernel = here, shape, out, kernel
        several = (slice(None),) * 2
        self.taps = [((*several, *at), (*several, *seen)) for _, at, seen in taps(
            shape[2:], kernel, stride, padding, dilation)]
        dense = all((s.start, s.stop) == (0, n) for at, _ in self.taps for s, n in zip(at[2:], out[2:], strict=True))
        self.whole = dense and len(self.taps) == prod(kernel) <= FEW
        self.tiled = stride == kernel and set(dilation) == {1} and not any(map(any, padding)) and (
            shape[2:] == tuple(n * k for n, k in zip(out[2:], kernel, strict=True)))

    def formula(self, text: str, count: int) -> Formula:
        return Formula(text, (self.here.op.out.dtype,) * (count + 1))

    def elements(self, x: View) -> list[View]:
        return [sliced(x, seen) for _, seen in self.taps]

    def gathered(self, start: float, text: str, *arrays: tuple[View, bool]) -> View:
        """``y = text(y, *elements)`` for the elements of each window, from ``start`` on.

        An array comes with whether it is of the shape of x, or of y.
        """
        y = self.here.new(self.out, self.here.op.out.dtype)
        self.here.copy(start, y)
        for at, seen in self.taps:
            part = sliced(y, at)
            parts = [sliced(a, seen if inside else at) for a, inside in arrays]
            self.here.loop(part, part.shape, self.formula(text, len(parts) + 1), (part, *parts))
        return y

    def spread(self, text: str, *arrays: tuple[View, bool]) -> None:
        """The result: for each element of a window, ``text`` of an array's number there, or of that of the window."""
        x = self.here.result()
        if self.tiled:  # x is (N, C, *(places, window))
            domain = self.shape[:2] + tuple(n for pair in zip(self.out[2:], self.kernel, strict=True) for n in pair)
            views = []
            for a, inside in arrays:
                steps = tuple(s for step in a.strides[2:] for s in (step, 0))
                views.append(View(a.root, domain, contiguous(domain) if inside else (*a.strides[:2], *steps), a.offset))
            target = View(x.root, domain, contiguous(domain))
            self.here.loop(target, domain, self.formula(text, len(views)), tuple(views))
            return
        self.here.copy(0.0, x)
        text = f"{{{len(arrays)}}} + {text}"
        for at, seen in self.taps:
            part = sliced(x, seen)
            parts = [sliced(a, seen if inside else at) for a, inside in arrays]
            self.here.loop(part, part.shape, self.formula(text, len(parts) + 1), (*parts, part))

    def largest(self, x: View, y: View) -> View:
        """How many elements of each window are the largest; 1 for a window beyond the edge."""
        count = self.here.new(self.out, self.here.op.out.dtype)
        if not self.whole:
            total = self.gathered(0.0, f"{{0}} + {chosen('{1}', '{2}')}", (x, True), (y, False))
            self.here.loop(count, count.shape, self.formula("maximum({0}, ONE)", 1), (total,))
            return count
        terms = " + ".join(chosen(f"{{{k}}}", "{0}") for k in range(1, len(self.taps) + 1))
        self.here.loop(count, count.shape, self.formula(terms, len(self.taps) + 1), (y, *self.elements(x)))
        return count


def _windows(here: Here, arrays: Sequence[Any], shape: tuple, *sizes: Any) -> tuple[Windows, list[View]]:
    """Windows of an array of a shape, and arrays in C order."""
    if prod(sizes[0]) > FEW or any(a.dtype != here.op.out.dtype for a in arrays) or here.op.out.dtype.kind != "f":
        raise TypeError
    return Windows(here, shape, (*shape[:2], *output_sizes(shape[2:], *sizes)), *sizes), list(map(here.dense, arrays))


def _pooled(here: Here, start: float, text: str, x: Any, divisor: Any, *sizes: Any) -> bool:
    windows, (view,) = _windows(here, [x], x.shape, *sizes)
    if windows.whole:
        folded = "{0}"
        for k in range(1, len(windows.taps)):
            folded = text.format(folded, f"{{{k}}}")
        y, formula = here.result(), f"({folded}) / {{{len(windows.taps)}}}" if divisor is not None else folded
        operands = [*windows.elements(view), *([] if divisor is None else [here.operand(divisor, y.shape)])]
        here.loop(y, y.shape, windows.formula(formula, len(operands)), tuple(operands))
        return True
    total = windows.gathered(start, text, (view, True))
    y = here.result()
    operands = (total,) if divisor is None else (total, here.operand(divisor, y.shape))
    here.loop(y, y.shape, windows.formula("{0}" if divisor is None else "{0} / {1}", len(operands)), operands)
    return True


def _max_pool(here: Here, x: Any, *sizes: Any) -> bool:
    return _pooled(here, -np.inf, "maximum({0}, {1})", x, None, *sizes)


def _avg_pool(here: Here, x: Any, kernel: Any, stride: Any, padding: Any, count_include_pad: Any) -> bool:
    out = here.op.out.shape[2:]
    divisor = counts(x.shape[2:], out, kernel, stride, padding, count_include_pad)
    return _pooled(here, 0.0, "{0} + {1}", x, divisor, kernel, stride, padding, (1,) * len(kernel))


def _share(here: Here, g: View, divisor: Any) -> View:
    share = here.new(g.shape, here.op.out.dtype)
    here.loop(share, share.shape, Formula("{0} / {1}", (here.op.out.dtype,) * 3), (g, divisor))
    return share


def _max_pool_input(here: Here, g: Any, x: Any, y: Any, *sizes: Any) -> bool:
    windows, (g_, x_, y_) = _windows(here, [g, x, y], x.shape, *sizes)
    share = _share(here, g_, windows.largest(x_, y_))
    windows.spread(chosen("{1}", "{2}", "{0}"), (share, False), (x_, True), (y_, False))
    return True


def _max_pool_along(here: Here, t: Any, x: Any, y: Any, *sizes: Any) -> bool:
    windows, (t_, x_, y_) = _windows(here, [t, x, y], x.shape, *sizes)
    total = windows.gathered(0.0, f"{{0}} + {chosen('{2}', '{3}', '{1}')}", (t_, True), (x_, True), (y_, False))
    result = here.result()
    here.loop(result, result.shape, windows.formula("{0} / {1}", 2), (total, windows.largest(x_, y_)))
    return True


def _avg_pool_input(here: Here, g: Any, shape: Any, kernel: Any, stride: Any, padding: Any,
                    count_include_pad: Any) -> bool:
    sizes = kernel, stride, padding, (1,) * len(kernel)
    windows, (g_,) = _windows(here, [g], (*g.shape[:2], *shape), *sizes)
    divisor = counts(shape, g.shape[2:], kernel, stride, padding, count_include_pad)
    windows.spread("{0}", (_share(here, g_, here.operand(divisor, g_.shape)), False))
    return True


TRANSLATORS: dict[Any, Callable[..., bool]] = {
    max_pool: _max_pool, max_pool_input: _max_pool_input, max_pool_along: _max_pool_along, avg_pool: _avg_pool,
    avg_pool_input: _avg_pool_input,
}
