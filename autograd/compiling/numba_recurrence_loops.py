"""The loops of recurrences, as source that ``numba_recurrence`` compiles for one type of numbers and one machine.

``before`` says where a state lies that was computed earlier: backward through time, that of the step that comes next.
``z`` and what else is in ``scratch`` has a row of ``wide`` numbers for each of the block's examples. ``start`` says
that there is a state before the first step, so that its product counts. Each of the many short loops has few arrays,
because the compiler has to make sure, before it takes many elements at a time, that they do not overlap.
"""

# pyright: reportCallIssue=false
# Numba's intrinsics have other parameters than their functions

from numba import float32, float64, njit  # noqa: F401

from autograd.compiling.numba_blocks import tile
from autograd.compiling.numba_math import at, exp, flat, maximum, tanh

# These are of the dtype and the machine
number, LANES, VECTORS, HEIGHT, WIDTH = float32, 16, 2, 8, 32
ZERO, ONE = number(0), number(1)


@njit(error_model="numpy")
def product(z, wide, left, place, row, packed, terms, rows):
    if rows == HEIGHT:
        for p in range(wide // WIDTH):
            tile(z, p * WIDTH, wide, left, place, row, 1, packed, p * terms * WIDTH, WIDTH, HEIGHT, VECTORS, LANES,
                 terms)
    else:
        for r in range(rows):
            for p in range(wide // WIDTH):
                tile(z, r * wide + p * WIDTH, wide, left, place + r * row, row, 1, packed, p * terms * WIDTH, WIDTH, 1,
                     VECTORS, LANES, terms)


@njit(error_model="numpy")
def sigmoid(y, to, x, place, z, row, count):
    for j in range(count):
        y[to + j] = ONE / (ONE + exp(-(x[place + j] + z[row + j])))


@njit(error_model="numpy")
def hyperbolic(y, to, x, place, z, row, count):
    for j in range(count):
        y[to + j] = tanh(x[place + j] + z[row + j])


@njit(error_model="numpy")
def fill(y, to, count):
    for j in range(count):
        y[to + j] = ZERO


@njit(error_model="numpy")
def copied(y, to, x, place, count):
    for j in range(count):
        y[to + j] = x[place + j]


@njit(error_model="numpy")
def added(y, to, x, place, count):
    for j in range(count):
        y[to + j] += x[place + j]


def several_rnn_forward(x, packed, bias, h0, lengths, states, scratch, steps, batch, n, wide, relu, start, reverse,
                        first, last, part):
    x, packed, bias, h0, states = flat(x), flat(packed), flat(bias), flat(h0), flat(states)
    z = at(flat(scratch), part * HEIGHT * wide)
    for block in range(first, last):
        low = block * HEIGHT
        rows = min(HEIGHT, batch - low)
        for s in range(steps):
            t = steps - 1 - s if reverse else s
            here = t * batch + low
            h, before = states, here + batch if reverse else here - batch
            if s == 0:
                h, before = h0, low
            if s or start:
                product(z, wide, h, before * n, n, packed, n, rows)
            else:
                fill(z, 0, rows * wide)
            for r in range(rows):
                to, old, row = (here + r) * n, (before + r) * n, r * wide
                added(z, row, bias, 0, n)
                if t >= lengths[low + r]:
                    copied(states, to, h, old, n)
                elif relu:
                    for j in range(n):
                        states[to + j] = maximum(x[to + j] + z[row + j], ZERO)
                else:
                    hyperbolic(states, to, x, to, z, row, n)


def several_rnn_backward(gh, states, packed, lengths, d, dh0, scratch, steps, batch, n, wide, relu, start, reverse,
                         first, last, part):
    gh, states, packed, d, dh0 = flat(gh), flat(states), flat(packed), flat(d), flat(dh0)
    dh = at(flat(scratch), part * 2 * HEIGHT * wide)
    kept = at(dh, HEIGHT * wide)
    for block in range(first, last):
        low = block * HEIGHT
        rows = min(HEIGHT, batch - low)
        fill(dh, 0, rows * wide)
        for s in range(steps):
            t = s if reverse else steps - 1 - s
            here = t * batch + low
            for r in range(rows):
                to, row = (here + r) * n, r * wide
                added(dh, row, gh, to, n)
                if t >= lengths[low + r]:
                    fill(d, to, n)
                    copied(kept, row, dh, row, n)
                elif relu:
                    for j in range(n):
                        d[to + j] = dh[row + j] if states[to + j] > ZERO else ZERO
                else:
                    for j in range(n):
                        d[to + j] = dh[row + j] * (ONE - states[to + j] * states[to + j])
            if s < steps - 1 or start:
                product(dh, wide, d, here * n, n, packed, n, rows)
                for r in range(rows):
                    if t >= lengths[low + r]:
                        copied(dh, r * wide, kept, r * wide, n)
        for r in range(rows):
            copied(dh0, (low + r) * n, dh, r * wide, n)


def several_lstm_forward(x, packed, bias, h0, c0, lengths, states, cells, gates, scratch, steps, batch, n, wide, start,
                         reverse, first, last, part):
    x, packed, bias, h0, c0 = flat(x), flat(packed), flat(bias), flat(h0), flat(c0)
    states, cells, gates = flat(states), flat(cells), flat(gates)
    z = at(flat(scratch), part * HEIGHT * wide)
    for block in range(first, last):
        low = block * HEIGHT
        rows = min(HEIGHT, batch - low)
        for s in range(steps):
            t = steps - 1 - s if reverse else s
            here = t * batch + low
            h, c, before = states, cells, here + batch if reverse else here - batch
            if s == 0:
                h, c, before = h0, c0, low
            if s or start:
                product(z, wide, h, before * n, n, packed, n, rows)
            else:
                fill(z, 0, rows * wide)
            for r in range(rows):
                i, to, old, row = (here + r) * 4 * n, (here + r) * n, (before + r) * n, r * wide
                if t < lengths[low + r]:
                    f, g, o = i + n, i + 2 * n, i + 3 * n
                    added(z, row, bias, 0, 4 * n)
                    sigmoid(gates, i, x, i, z, row, 2 * n)
                    hyperbolic(gates, g, x, g, z, row + 2 * n, n)
                    sigmoid(gates, o, x, o, z, row + 3 * n, n)
                    for j in range(n):
                        cells[to + j] = gates[f + j] * c[old + j] + gates[i + j] * gates[g + j]
                    for j in range(n):
                        states[to + j] = gates[o + j] * tanh(cells[to + j])
                else:
                    copied(states, to, h, old, n)
                    copied(cells, to, c, old, n)
                    fill(gates, i, 4 * n)


def several_lstm_backward(gh, gc, cells, gates, packed, c0, lengths, d, dh0, dc0, scratch, steps, batch, n, wide,
                          with_h, with_c, start, reverse, first, last, part):
    gh, gc, cells, gates, packed = flat(gh), flat(gc), flat(cells), flat(gates), flat(packed)
    c0, d, dh0, dc0 = flat(c0), flat(d), flat(dh0), flat(dc0)
    dh = at(flat(scratch), part * 4 * HEIGHT * wide)
    dc, kept, y = at(dh, HEIGHT * wide), at(dh, 2 * HEIGHT * wide), at(dh, 3 * HEIGHT * wide)
    for block in range(first, last):
        low = block * HEIGHT
        rows = min(HEIGHT, batch - low)
        fill(dh, 0, rows * wide)
        fill(dc, 0, rows * wide)
        for s in range(steps):
            t = s if reverse else steps - 1 - s
            here = t * batch + low
            c, before = cells, here + batch if reverse else here - batch
            if s == steps - 1:
                c, before = c0, low
            for r in range(rows):
                i, to, old, row = (here + r) * 4 * n, (here + r) * n, (before + r) * n, r * wide
                f, g, o = i + n, i + 2 * n, i + 3 * n
                if with_h:
                    added(dh, row, gh, to, n)
                if with_c:
                    added(dc, row, gc, to, n)
                if t < lengths[low + r]:
                    for j in range(n):
                        y[j] = tanh(cells[to + j])
                    for j in range(n):
                        d[o + j] = dh[row + j] * y[j] * (gates[o + j] * (ONE - gates[o + j]))
                    for j in range(n):
                        dc[row + j] += dh[row + j] * gates[o + j] * (ONE - y[j] * y[j])
                    for j in range(n):
                        d[i + j] = dc[row + j] * gates[g + j] * (gates[i + j] * (ONE - gates[i + j]))
                    for j in range(n):
                        d[g + j] = dc[row + j] * gates[i + j] * (ONE - gates[g + j] * gates[g + j])
                    for j in range(n):
                        d[f + j] = dc[row + j] * c[old + j] * (gates[f + j] * (ONE - gates[f + j]))
                    for j in range(n):
                        dc[row + j] *= gates[f + j]
                else:
                    fill(d, i, 4 * n)
                    copied(kept, row, dh, row, n)
            if s < steps - 1 or start:
                product(dh, wide, d, here * 4 * n, 4 * n, packed, 4 * n, rows)
                for r in range(rows):
                    if t >= lengths[low + r]:
                        copied(dh, r * wide, kept, r * wide, n)
        for r in range(rows):
            copied(dh0, (low + r) * n, dh, r * wide, n)
            copied(dc0, (low + r) * n, dc, r * wide, n)


def several_gru_forward(x, packed, bias, h0, lengths, states, gates, scratch, steps, batch, n, wide, start, reverse,
                        first, last, part):
    x, packed, bias, h0, states = flat(x), flat(packed), flat(bias), flat(h0), flat(states)
    gates = flat(gates)
    z = at(flat(scratch), part * HEIGHT * wide)
    for block in range(first, last):
        low = block * HEIGHT
        rows = min(HEIGHT, batch - low)
        for s in range(steps):
            t = steps - 1 - s if reverse else s
            here = t * batch + low
            h, before = states, here + batch if reverse else here - batch
            if s == 0:
                h, before = h0, low
            if s or start:
                product(z, wide, h, before * n, n, packed, n, rows)
            else:
                fill(z, 0, rows * wide)
            for r in range(rows):
                given, reset, row = (here + r) * 3 * n, (here + r) * 4 * n, r * wide
                to, old = (here + r) * n, (before + r) * n
                if t < lengths[low + r]:
                    update, new, inner = reset + n, reset + 2 * n, reset + 3 * n
                    added(z, row, bias, 0, 3 * n)
                    sigmoid(gates, reset, x, given, z, row, 2 * n)
                    copied(gates, inner, z, row + 2 * n, n)
                    for j in range(n):
                        gates[new + j] = tanh(x[given + 2 * n + j] + gates[reset + j] * gates[inner + j])
                    for j in range(n):
                        states[to + j] = (ONE - gates[update + j]) * gates[new + j] + gates[update + j] * h[old + j]
                else:
                    copied(states, to, h, old, n)
                    fill(gates, reset, 4 * n)


def several_gru_backward(gh, states, gates, packed, h0, lengths, d, inner, dh0, scratch, steps, batch, n, wide, start,
                         reverse, first, last, part):
    gh, states, gates, packed, h0 = flat(gh), flat(states), flat(gates), flat(packed), flat(h0)
    d, inner, dh0 = flat(d), flat(inner), flat(dh0)
    dh = at(flat(scratch), part * 5 * HEIGHT * wide)
    kept, sums = at(dh, HEIGHT * wide), at(dh, 2 * HEIGHT * wide)
    for block in range(first, last):
        low = block * HEIGHT
        rows = min(HEIGHT, batch - low)
        fill(dh, 0, rows * wide)
        for s in range(steps):
            t = s if reverse else steps - 1 - s
            here = t * batch + low
            h, before = states, here + batch if reverse else here - batch
            if s == steps - 1:
                h, before = h0, low
            for r in range(rows):
                reset, to, old, row = (here + r) * 4 * n, (here + r) * n, (before + r) * n, r * wide
                update, new, m, out = reset + n, reset + 2 * n, reset + 3 * n, (here + r) * 3 * n
                added(dh, row, gh, to, n)
                if t < lengths[low + r]:
                    for j in range(n):
                        d[out + n + j] = dh[row + j] * (h[old + j] - gates[new + j]) * (
                            gates[update + j] * (ONE - gates[update + j]))
                    for j in range(n):
                        d[out + 2 * n + j] = dh[row + j] * (ONE - gates[update + j]) * (
                            ONE - gates[new + j] * gates[new + j])
                    for j in range(n):
                        d[out + j] = d[out + 2 * n + j] * gates[m + j] * (gates[reset + j] * (ONE - gates[reset + j]))
                    for j in range(n):
                        inner[to + j] = d[out + 2 * n + j] * gates[reset + j]
                    for j in range(n):
                        kept[row + j] = dh[row + j] * gates[update + j]
                else:
                    fill(d, out, 3 * n)
                    fill(inner, to, n)
                    copied(kept, row, dh, row, n)
                copied(sums, r * 3 * n, d, out, 2 * n)
                copied(sums, r * 3 * n + 2 * n, inner, to, n)
            if s < steps - 1 or start:
                product(dh, wide, sums, 0, 3 * n, packed, 3 * n, rows)
                added(dh, 0, kept, 0, rows * wide)
        for r in range(rows):
            copied(dh0, (low + r) * n, dh, r * wide, n)
