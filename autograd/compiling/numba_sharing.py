"""Nests that are alike, as one function: the steps of an unrolled recurrence are compiled once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["Piece", "shared"]

SHORT = 4  # lines: what is as short as that stays where it is


class Piece:
    """The lines of one nest, and the names in them of arrays in memory, of other arrays, and of numbers."""

    def __init__(self, lines: list[str], memory: Iterable[str], others: Iterable[str], numbers: Iterable[str]) -> None:
        self.lines, self.numbers = lines, set(numbers)
        self.memory = set(memory)
        self.others = set(others) - self.memory

    def canonical(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """The lines with other names, by order of appearance, and which name each parameter stands for."""
        new: dict[str, str] = {}

        def renamed(match: re.Match) -> str:
            prefix, name = match[1] or "", match[2]
            if f"{prefix}{name}" in self.numbers:
                return new.setdefault(f"{prefix}{name}", f"n{len(new)}")
            for whole, before in ((f"{prefix}{name}", ""), (name, prefix)):
                if whole in self.memory or whole in self.others:
                    return before + new.setdefault(whole, f"{'p' if whole in self.memory else 'q'}{len(new)}")
            return match[0]
        lines = tuple(re.sub(r"\b((?:v|total|part|a\d+)_)?([A-Za-z]\w*)\b", renamed, line) for line in self.lines
                      if not line.lstrip().startswith("#"))
        parameters = {given: name for name, given in new.items() if given[0] != "q"}
        return lines, parameters


def shared(pieces: Sequence[Piece]) -> tuple[str, list[list[str]]]:
    """Functions for what occurs more than once, as text, and the lines that each piece then has."""
    forms = [piece.canonical() for piece in pieces]
    counts = Counter(lines for lines, _ in forms)
    names: dict[tuple[str, ...], str] = {}
    functions, results = [], []
    for piece, (lines, parameters) in zip(pieces, forms, strict=True):
        if counts[lines] < 2 or len(lines) <= SHORT:
            results.append(piece.lines)
            continue
        comment = [line for line in piece.lines if line.lstrip().startswith("#")]
        if lines not in names:
            names[lines] = f"nest_{len(names)}"
            head = f"@njit(error_model=\"numpy\")\ndef {names[lines]}({', '.join(parameters)}):"
            functions.append("\n".join([head, *comment, *lines]))
        results.append([*comment, f"    {names[lines]}({', '.join(parameters.values())})"])
    return "\n\n\n".join(functions), results
