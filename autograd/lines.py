"""The user's line that made a Value: kept by every node as the code and the instruction, looked up when asked for."""

from __future__ import annotations

import linecache
import os
from types import CodeType, FrameType
from typing import Any, NamedTuple

__all__ = ["Line", "line_at", "line_of", "ours", "users_frame", "users_line"]

_PACKAGES = {"autograd": 2, "numpy": 2, "contextlib": 2, "functools": 2, "nn": 1}  # whose lines tell a user little

# By file name: 0 a user's, 1 of nn, 2 of the engine or NumPy. An operator looks here at each node.
ours: dict[str, int] = {}


class Line(NamedTuple):
    """A place in the source: the file, the number and text of the line, and the expression that was computed."""

    file: str
    number: int
    text: str
    expression: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.text else self.place

    @property
    def place(self) -> str:
        """The file, from the working directory where it lies below that, and the line's number."""
        here = os.getcwd() + os.sep
        return f"{self.file.removeprefix(here)}:{self.number}"


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame, from this one outwards, that is not in NumPy or in a package of ours."""
    while frame is not None:
        file = frame.f_code.co_filename
        inside = ours.get(file)
        if inside is None:
            inside = ours[file] = _PACKAGES.get(frame.f_globals.get("__name__", "").partition(".")[0], 0)
        if not inside:
            return frame
        frame = frame.f_back
    return None


def users_line(frame: FrameType | None) -> Line | None:
    """The line of the user that a call of ours came from."""
    frame = users_frame(frame)
    return None if frame is None else line_at(frame.f_code, frame.f_lasti)


def line_of(node: Any) -> Line | None:
    """The line that made a Value; ``None`` where no line of a user did."""
    code = getattr(node, "_code", None)
    return None if code is None else line_at(code, node._instruction)


def line_at(code: CodeType, instruction: int) -> Line:
    start, end, first, last = list(code.co_positions())[instruction // 2]
    number = start or code.co_firstlineno
    lines = [linecache.getline(code.co_filename, n) for n in range(number, (end or number) + 1)]
    expression = ""
    if first is not None and last is not None and all(lines):  # columns count bytes
        parts = [line.encode() for line in lines]
        parts[-1] = parts[-1][:last]
        parts[0] = parts[0][first:]
        expression = " ".join(b"".join(parts).decode().split())
    return Line(code.co_filename, number, lines[0].strip(), expression)
