"""Drawing computation graphs."""

from .formula import Formula, formula
from .graph import draw
from .text import TextDrawing, draw_text
from .trace_table import TraceRow, TraceTable, trace_table

__all__ = ["Formula", "TextDrawing", "TraceRow", "TraceTable", "draw", "draw_text", "formula", "trace_table"]
