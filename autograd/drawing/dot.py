"""``Drawing``: Graphviz's ``Digraph``, which says how to install the program that it needs where that is missing."""

from __future__ import annotations

from typing import Any

import graphviz

__all__ = ["Drawing"]

MISSING = """Graphviz's program `dot` was not found, which makes pictures of drawings. Install it:
  Debian, Ubuntu   sudo apt install graphviz
  Fedora           sudo dnf install graphviz
  macOS            brew install graphviz
  conda            conda install -c conda-forge graphviz
  Windows          winget install graphviz
and open a new terminal. No `dot` is needed for `.source`, `draw_text(v)`, `trace_table(v)` and `formula(v)`."""


class Drawing(graphviz.Digraph):
    """A drawing of a graph: it shows itself in a notebook, and ``render`` writes SVG, PNG or PDF."""

    def pipe(self, *args: Any, **kwargs: Any) -> Any:
        return _with_dot(super().pipe, args, kwargs)

    def render(self, *args: Any, **kwargs: Any) -> str:
        return _with_dot(super().render, args, kwargs)

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        return _with_dot(super()._repr_mimebundle_, args, kwargs)


def _with_dot(call: Any, args: Any, kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except graphviz.ExecutableNotFound:
        raise RuntimeError(MISSING) from None
