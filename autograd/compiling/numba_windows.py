"""Convolutions: sums of products over the windows of an image, as blocks of sums that stay in registers.

A block is a few places of the window times as many filters as a vector has numbers (Georganas et al., *Anatomy of
High-Performance Deep Learning Convolutions on SIMD Architectures*, 2018). Nothing is copied but the filters, whose
numbers come to lie side by side, and one image at a time where it is padded.
"""

from __future__ import annotations

from contextlib import ExitStack
from math import prod
from typing import Any

import numpy as np

from ..convolution import convolve, convolve_filters, convolve_input
from .numba_blocks import registers
from .numba_loops import Axes, Source, elements, fix, index_text
from .numba_scalars import Formula
from .numba_steps import Here, Loop, View, contiguous
from .numba_threads import Share
from .program import Var

__all__ = ["TRANSLATORS", "Window"]

Pair = tuple[int, ...]
LINE = 64  # bytes


def loops(out: Source, **counts: Any) -> ExitStack:
    """Nested loops, each over ``range(count)``, or over the arguments of ``range`` as text; of one step, none."""
    stack = ExitStack()
    for letter, count in counts.items():
        if count == 1:
            out.line(f"{letter} = 0")
        else:
            stack.enter_context(out.block(f"for {letter} in range({count}):"))
    return stack


def blocks(total: int, size: int) -> list[tuple[str, int]]:
    """Equal blocks of at most ``size``, and one of what is left: the arguments of ``range``, and the size."""
    size = -(-total // -(-total // size))
    main = total - total % size
    found = [(f"0, {main}, {size}", size)] if main else []
    return [*found, (f"{main}, {total}, {size}", total - main)] if total > main else found


def filters_in_blocks(count: int, dtype: np.dtype) -> list[tuple[int, int, int, int]]:
    """(first, filters, numbers in a vector, vectors) of as many as fill vectors, and of the rest."""
    most = registers()[1] // dtype.itemsize
    main = count - count % most
    found = [(0, most, most, main // most)] if main else []
    if count > main:
        found.append((main, count - main, max(min(4, most), 1 << (count - main - 1).bit_length()), 1))
    return found


class Frame:
    """An image as windows meet it: its numbers ``spread`` apart, from ``before`` on, in a frame of zeros."""

    def __init__(self, view: View, size: Pair, framed: Pair, before: Pair, spread: Pair = (1, 1)) -> None:
        self.view, self.channels, self.size, self.framed = view, view.shape[1], size, framed
        self.before, self.spread = before, spread
        self.plane, self.row = prod(framed), framed[1]
        self.plain = size == framed and spread == (1, 1) and not any(before)

    def clear(self, out: Source, name: str, start: str) -> None:
        with out.block(f"for i in range({self.channels * self.plane}):"):
            out.line(f"{name}[{start} + i] = {out.constant(0.0, self.view.root.dtype)}")

    def copy(self, out: Source, name: str, start: str) -> None:
        """Put image ``n`` into the frame."""
        (h, w), (down, across), (top, left) = self.size, self.spread, self.before
        rows, columns = (f"{max(0, -(b // s))}, {max(0, min(n, (m - 1 - b) // s + 1))}" for n, s, b, m in zip(
            self.size, self.spread, self.before, self.framed, strict=True))
        with loops(out, c=self.channels, i=rows, j=columns):
            out.line(f"{name}[{start} + c * {self.plane} + (i * {down} + {top}) * {self.row} + j * {across} + {left}] "
                     f"= {out.pointer(self.view)}[((n * {self.channels} + c) * {h} + i) * {w} + j]")


class Window(Loop):
    """A step that writes its own source; ``share`` says how threads share ``count`` images or units of filters."""

    window = True

    def __init__(self, here: Here, frame: Frame, other: View, count: int, terms: int) -> None:
        target = here.result()
        formula = Formula("{0} * {1}", (target.root.dtype,) * 3)
        super().__init__(target, target.shape, formula, (frame.view, other), comment=here.comment)
        self.frame, self.share = frame, Share(count, terms)
        self.scratch: list[Var] = []
        self.framed = None if frame.plain else self.scratched(frame.channels * frame.plane, self.share.parts)

    def scratched(self, size: int, parts: int = 1) -> Var:
        """Memory for the time of the step, of which each part begins at a line of the cache."""
        dtype = self.target.root.dtype
        unit = LINE // dtype.itemsize
        self.scratch.append(Var((parts, -(-size // unit) * unit), dtype))
        return self.scratch[-1]

    def memory(self, stored: bool) -> list[Var]:
        """What the step needs, if its result is wanted in memory by others than those that follow it, or is not."""
        return self.scratch

    def source(self, out: Source, rest: list[Loop], stored: set[Var]) -> None:
        """Write the step, and those that follow it."""
        raise NotImplementedError

    def own(self, out: Source, var: Var) -> tuple[str, str]:
        """The name of scratch memory, and where this part's begins."""
        return out.array(var), f"{self.share.part} * {var.shape[1]}"

    def images(self, out: Source) -> tuple[str, str]:
        """The array that windows are read from, and where image ``n`` is."""
        if self.framed is None:
            return out.pointer(self.frame.view), f"n * {self.frame.channels * self.frame.plane}"
        name, start = self.own(out, self.framed)
        self.frame.clear(out, name, start)
        return name, start


class Convolution(Window):
    """y[n, o, p] = Σ frame[n, c, p · stride + k · dilation] filters[o, c, k] over c and k, in groups of channels.

    ``filters`` has the axes (group, o, c, *k), and may be read backwards.
    """

    followed = True

    def __init__(self, here: Here, frame: Frame, filters: View, stride: Pair, dilation: Pair) -> None:
        _, each, *sizes = filters.shape
        count, size = here.op.out.shape[0], here.op.out.size
        super().__init__(here, frame, filters, count, size * prod(sizes))
        self.filters, self.stride, self.dilation, self.terms = filters, stride, dilation, prod(sizes)
        self.out = plane(here.op.out.shape[2:])
        self.blocks = filters_in_blocks(each, frame.view.root.dtype)
        self.group = self.terms * sum(lanes * n for _, _, lanes, n in self.blocks)
        self.packed = self.scratched(filters.shape[0] * self.group, self.share.parts)
        self.image: Var | None = None

    def memory(self, stored: bool) -> list[Var]:
        if not stored:  # one image of the result is enough
            self.image = self.scratched(prod(self.domain[1:]), self.share.parts)
        return self.scratch

    def source(self, out: Source, rest: list[Loop], stored: set[Var]) -> None:
        packed, offset = self.own(out, self.packed)
        base = 0
        for block in self.blocks:
            self.pack(out, block, packed, f"{offset} + {base}")
            base += block[2] * block[3] * self.terms
        name, start = self.images(out)
        with out.block(f"for n in range({self.share.first}, {self.share.last}):"):
            if self.framed is not None:
                self.frame.copy(out, name, start)
            base = 0
            for block in self.blocks:
                with loops(out, q=self.filters.shape[0], b=block[3]):
                    self.windows(out, block, (name, start), (packed, f"{offset} + {base}"))
                base += block[2] * block[3] * self.terms
            if rest:
                self.follow(out, rest, stored)

    def pack(self, out: Source, block: tuple[int, int, int, int], packed: str, start: str) -> None:
        """The filters of a vector side by side: (group, vector, c, *k, o), with zeros where there are too few."""
        first, count, lanes, vectors = block
        groups, _, channels, k, m = self.filters.shape
        read = index_text(self.filters.strides, ("q", f"(b * {lanes} + o + {first})", "c", "i", "j"))
        with loops(out, q=groups, b=vectors, c=channels, i=k, j=m):
            place = f"{start} + q * {self.group} + (((b * {channels} + c) * {k} + i) * {m} + j) * {lanes} + o"
            with out.block(f"for o in range({count}):"):
                out.line(f"{packed}[{place}] = {out.pointer(self.filters)}[{read}]")
            with out.block(f"for o in range({count}, {lanes}):"):
                out.line(f"{packed}[{place}] = {out.constant(0.0, self.target.root.dtype)}")

    def windows(self, out: Source, block: tuple[int, int, int, int], image: tuple[str, str],
                packed: tuple[str, str]) -> None:
        """All places of image ``n``, of group ``q`` and the filters of vector ``b``."""
        first, count, lanes, _ = block
        groups, each, channels, k, m = self.filters.shape
        (height, width), (down, across), (d, e) = self.out, self.stride, self.dilation
        row, size = self.frame.row, height * width
        if self.image is None:
            y, to = out.array(self.target.root), f"n * {groups * each * size}"
        else:
            y, to = self.own(out, self.image)
        most = 16 if registers()[0] > 16 else 12
        tall = 1 if 2 * width > most else min(most // width, height)
        for rows, outer in blocks(height, tall):
            for columns, inner in blocks(width, most):
                with loops(out, i=rows, j=columns):
                    c = f"{to} + (q * {each} + b * {lanes} + {first}) * {size} + i * {width} + j, {size}"
                    a = (f"{image[0]}, {image[1]} + q * {channels * self.frame.plane} + i * {down * row} "
                         f"+ j * {across}, {down * row}, {across}")
                    b = f"{packed[0]}, {packed[1]} + q * {self.group} + b * {self.terms * lanes}"
                    terms = (f"{channels}, {self.frame.plane}, {k * m * lanes}, {k}, {d * row}, {m * lanes}, "
                             f"{m}, {e}, {lanes}")
                    out.line(f"window({y}, {c}, {a}, {b}, {terms}, {outer}, {inner}, {lanes}, {count})")

    def follow(self, out: Source, rest: list[Loop], stored: set[Var]) -> None:
        """The elementwise steps at image ``n``."""
        root, image = self.target.root, self.image

        def here(x: Any) -> Any:
            if image is None or not isinstance(x, View) or x.root is not root:
                return x
            return View(image, x.shape, (0, *x.strides[1:]), x.offset)
        steps = []
        for s in rest:
            steps.append(Loop(s.target, s.domain, s.formula, tuple(map(here, s.operands)), comment=s.comment))
            steps[-1].final = s.final
        computed = {s.target.root for s in steps if not s.final}
        views = [v for s in steps for v in [*s.reads, s.target]]
        axes = Axes(self.domain[1:], [View(v.root, v.shape[1:], v.strides[1:]) for v in views])

        def at(view: View) -> str:
            strides = (view.strides[0], *(view.strides[d + 1] for d in axes.inner))
            text = index_text(strides, ("n", *axes.letters))
            return text if view.root is not image else f"{text} + {self.own(out, view.root)[1]}"
        with ExitStack() as stack:
            for k, (letter, n) in enumerate(zip(axes.letters, axes.lengths, strict=True)):
                if k == len(axes.lengths) - 1:
                    out.fixed = fix(out, steps, computed, axes.inner[k] + 1, at)
                stack.enter_context(out.block(f"for {letter} in range({n}):"))
            elements(out, steps, at, {}, stored)
        out.fixed = {}


class Filters(Window):
    """dw[o, c, k] = Σ g[n, o, p] frame[n, c, p · stride + k · dilation] over n and p, in groups of channels.

    Units of work are a few channels of the image and the filters of one vector; each has its sums in memory meanwhile.
    """

    def __init__(self, here: Here, frame: Frame, g: View, groups: int, stride: Pair, dilation: Pair) -> None:
        o, channels, *kernel = here.op.out.shape
        self.g, self.groups, self.stride, self.dilation = g, groups, stride, dilation
        self.channels, self.kernel, self.out = channels, plane(kernel), plane(g.shape[2:])
        self.most = 28 if registers()[0] > 16 else 12
        k, m = self.kernel
        few = [n for n in range(1, channels + 1) if channels % n == 0 and n * m <= 16] if k == 1 else []
        self.several = max(few, default=1)  # channels in a unit
        self.taps = self.several * k * m
        self.blocks = filters_in_blocks(o // groups, frame.view.root.dtype)
        self.each = channels // self.several  # units with the same filters
        units = sum(groups * vectors * self.each for _, _, _, vectors in self.blocks)
        super().__init__(here, frame, g, units, prod(g.shape) * channels * k * m)
        lanes = registers()[1] // frame.view.root.dtype.itemsize
        self.sums = self.scratched(units * self.taps * lanes)
        self.turned = self.scratched(prod(self.out) * lanes, self.share.parts)

    def sections(self) -> list[tuple[int, int, tuple[int, int, int, int]]]:
        """(first unit, units, filters) of the whole vectors and of the last."""
        found, first = [], 0
        for block in self.blocks:
            found.append((first, self.groups * block[3] * self.each, block))
            first += found[-1][1]
        return found

    def source(self, out: Source, rest: list[Loop], stored: set[Var]) -> None:
        sums, wide = out.array(self.sums), registers()[1] // self.target.root.dtype.itemsize * self.taps
        with out.block(f"for i in range({self.share.first} * {wide}, {self.share.last} * {wide}):"):
            out.line(f"{sums}[i] = {out.constant(0.0, self.target.root.dtype)}")
        name, start = self.images(out)
        with out.block(f"for n in range({self.g.shape[0]}):"):
            if self.framed is not None:
                self.frame.copy(out, name, start)
            for first, units, block in self.sections():
                low, high = f"max({self.share.first} - {first}, 0)", f"min({self.share.last} - {first}, {units})"
                with out.block(f"for v in range({low} // {self.each}, ({high} + {self.each - 1}) // {self.each}):"):
                    self.turn(out, block)
                    low, high = f"max({low} - v * {self.each}, 0)", f"min({high} - v * {self.each}, {self.each})"
                    with out.block(f"for u in range({low}, {high}):"):
                        self.windows(out, first, block, name, start, wide)
        self.keep(out, sums, wide)

    def turn(self, out: Source, block: tuple[int, int, int, int]) -> None:
        """The incoming gradients of a vector's filters side by side."""
        first, count, lanes, vectors = block
        size, each = prod(self.out), self.g.shape[1] // self.groups
        turned, to = self.own(out, self.turned)
        channel = f"n * {each * self.groups} + v // {vectors} * {each} + v % {vectors} * {lanes} + {first}"
        for places, n in [(f"0, {size - size % lanes}, {lanes}", lanes), (f"{size - size % lanes}, {size}, {lanes}",
                                                                         size % lanes)]:
            if n and size >= n:
                with out.block(f"for p in range({places}):"):
                    out.line(f"turn({turned}, {to} + p * {lanes}, {out.pointer(self.g)}, ({channel}) * {size} + p, "
                             f"{size}, {count}, {n}, {lanes})")

    def windows(self, out: Source, first: int, block: tuple[int, int, int, int], name: str, start: str,
                wide: int) -> None:
        """What image ``n`` adds to unit ``u`` of the filters of vector ``v``."""
        lanes, vectors, (k, m), row, plane_ = block[2], block[3], self.kernel, self.frame.row, self.frame.plane
        (height, width), (down, across), (d, e) = self.out, self.stride, self.dilation
        outer = (plane_, self.several) if k == 1 else (d * row, k)
        turned, at = self.own(out, self.turned)
        for rows, tall in blocks(outer[1], max(1, self.most // m)):
            for columns, inner in blocks(m, self.most):
                with loops(out, i=rows, j=columns):
                    c = f"({first} + v * {self.each} + u) * {wide} + (i * {m} + j) * {lanes}, {lanes}"
                    a = (f"{start} + (v // {vectors} * {self.channels} + u * {self.several}) * {plane_} "
                         f"+ i * {outer[0]} + j * {e}, {outer[0]}, {e}")
                    terms = (f"1, 0, 0, {height}, {down * row}, {width * lanes}, {width}, {across}, {lanes}")
                    out.line(f"window({out.array(self.sums)}, {c}, {name}, {a}, {turned}, {at}, {terms}, "
                             f"{tall}, {inner}, {lanes}, 0)")

    def keep(self, out: Source, sums: str, wide: int) -> None:
        """The result in its own order."""
        each, size = self.g.shape[1] // self.groups, self.channels * prod(self.kernel)
        for first, units, (o, count, lanes, vectors) in self.sections():
            low, high = f"max({self.share.first} - {first}, 0)", f"min({self.share.last} - {first}, {units})"
            with out.block(f"for u in range({low}, {high}):"):
                out.line(f"v = u // {self.each}")
                with loops(out, o=count, i=self.taps):
                    filter_ = f"(v // {vectors} * {each} + v % {vectors} * {lanes} + {o} + o) * {size}"
                    out.line(f"{out.pointer(self.target)}[{filter_} + u % {self.each} * {self.taps} + i] = "
                             f"{sums}[({first} + u) * {wide} + i * {lanes} + o]")


# Translation


def plane(sizes: Any, fill: Any = 1) -> Any:
    """Sizes along two axes: a signal is an image of one row."""
    if len(sizes) not in (1, 2):
        raise ValueError(sizes)
    return (fill, *sizes) if len(sizes) == 1 else tuple(sizes)


def _dense(here: Here, *arrays: Any) -> list[View]:
    """Views of arrays of one dtype in C order, which are copies where that is needed."""
    if {a.dtype for a in arrays} - {here.op.out.dtype} or here.op.out.dtype.kind != "f" or not here.op.out.size:
        raise TypeError
    return list(map(here.dense, arrays))


def _framed(view: View, padding: Any) -> Frame:
    size, padding = plane(view.shape[2:]), plane(padding, (0, 0))
    framed = tuple(n + sum(p) for n, p in zip(size, padding, strict=True))
    return Frame(view, size, framed, tuple(p[0] for p in padding))


def _convolve(here: Here, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> bool:
    image, filters = _dense(here, x, w)
    o, c, *kernel = filters.shape
    k, m = plane(kernel)
    shape = (groups, o // groups, c, k, m)
    frame = _framed(image, padding)
    here.lowered.steps.append(Convolution(here, frame, View(filters.root, shape, contiguous(shape), filters.offset),
                                          plane(stride), plane(dilation)))
    return True


def _convolve_input(here: Here, g: Any, w: Any, shape: Any, stride: Any, padding: Any, dilation: Any,
                    groups: Any) -> bool:
    """A convolution of the gradients, which lie apart as windows do, with the filters turned round."""
    image, filters = _dense(here, g, w)
    o, c, *kernel = filters.shape
    (k, m), apart = plane(kernel), plane(dilation)
    strides = (o // groups * c * k * m, k * m, c * k * m, -m, -1)
    turned = View(filters.root, (groups, c, o // groups, k, m), strides, filters.offset + k * m - 1)
    before = tuple(d * (n - 1) - p[0] for n, d, p in zip((k, m), apart, plane(padding, (0, 0)), strict=True))
    framed = tuple(n + d * (size - 1) for n, d, size in zip(plane(shape), apart, (k, m), strict=True))
    frame = Frame(image, plane(image.shape[2:]), framed, before, plane(stride))
    here.lowered.steps.append(Convolution(here, frame, turned, (1, 1), apart))
    return True


def _convolve_filters(here: Here, g: Any, x: Any, shape: Any, stride: Any, padding: Any, dilation: Any,
                      groups: Any) -> bool:
    gradient, image = _dense(here, g, x)
    here.lowered.steps.append(Filters(here, _framed(image, padding), gradient, groups, plane(stride), plane(dilation)))
    return True


TRANSLATORS: dict[Any, Any] = {convolve: _convolve, convolve_input: _convolve_input,
                               convolve_filters: _convolve_filters}
