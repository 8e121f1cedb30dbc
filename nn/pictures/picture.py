"""``Picture``: matplotlib's figure, which also shows itself where a notebook has not imported pyplot."""

import io

from matplotlib.figure import Figure

__all__ = ["Picture"]


class Picture(Figure):
    """A figure; a notebook displays the last value of a cell by ``_repr_png_``."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()
