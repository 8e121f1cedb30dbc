"""The rule of ``np.einsum``: the gradient changes places with an operand, whose subscripts become the result's."""

import math
import string
from collections import Counter

import numpy as np

from ..registry import linear_rule, nondifferentiable

# From so many multiplications on, a search for a faster order, and for matrix products, pays off.
_MANY = 30_000


def _spelled(args):
    """Subscripts with one letter per axis, for every operand and the result, and the operands."""
    if isinstance(args[0], str):
        subscripts, operands = args[0].replace(" ", ""), list(args[1:])
    else:  # the form einsum(a, [0, 1], b, [1, 2], [0, 2])
        def letters(axes):  # in the order in which einsum sorts the axes of an implicit result
            return "".join("..." if i is Ellipsis else (string.ascii_uppercase + string.ascii_lowercase)[i]
                           for i in axes)

        pairs = len(args) // 2
        operands = list(args[0 : 2 * pairs : 2])
        subscripts = ",".join(letters(axes) for axes in args[1 : 2 * pairs : 2])
        if len(args) % 2:
            subscripts += "->" + letters(args[-1])
    left, arrow, right = subscripts.partition("->")
    inputs = left.split(",")
    if not arrow:
        once = sorted(k for k, n in Counter(left.replace(",", "").replace(".", "")).items() if n == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    spare = [k for k in string.ascii_letters if k not in subscripts]
    ranks = [np.ndim(x) - len(s.replace("...", "")) for s, x in zip(inputs, operands, strict=True)]
    dots = "".join(spare[: max([n for s, n in zip(inputs, ranks, strict=True) if "..." in s], default=0)])
    inputs = [s.replace("...", dots[len(dots) - n :]) if "..." in s else s
              for s, n in zip(inputs, ranks, strict=True)]
    return inputs, right.replace("...", dots), operands, spare[len(dots) :]


def _einsum(i, g, y, *args, dtype=None, order="K", casting="safe", optimize=False):
    inputs, out, operands, spare = _spelled(args)
    if casting == "unsafe" and not np.iscomplexobj(y):  # imaginary parts were dropped
        operands = [np.real(x) for x in operands]
    k = i - 1 if isinstance(args[0], str) else i // 2
    others = [j for j in range(len(operands)) if j != k]
    terms, factors = [out, *(inputs[j] for j in others)], [g, *(operands[j] for j in others)]
    lengths: dict[str, set] = {}
    for term, factor in zip(terms, factors, strict=True):
        for letter, n in zip(term, np.shape(factor), strict=True):
            lengths.setdefault(letter, set()).add(n)
    wanted = ""
    for letter, n in zip(inputs[k], np.shape(operands[k]), strict=True):
        if letter in wanted:  # a diagonal was taken: its gradient goes back onto the diagonal
            other = spare.pop()
            terms.append(letter + other)
            factors.append(np.diag(np.ones_like(y, shape=(n,))))
            wanted += other
            continue
        wanted += letter
        if n not in lengths.get(letter, ()):  # the sum ran along this axis of this operand alone
            terms.append(letter)
            factors.append(np.ones_like(y, shape=(n,)))
            lengths.setdefault(letter, set()).add(n)
    sums = len(terms) > 2 or len(lengths) > len(wanted)
    many = sums and math.prod(map(max, lengths.values())) > _MANY
    return np.einsum(",".join(terms) + "->" + wanted, *factors, optimize=many or optimize is not False)


linear_rule(np.einsum, each=_einsum)
nondifferentiable(np.einsum_path)
