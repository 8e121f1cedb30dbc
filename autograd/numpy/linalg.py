"""``numpy.linalg``, whose functions take Values."""

from numpy.linalg import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]
from numpy.linalg import norm as _norm

from .creation import of_lists

norm = of_lists(_norm)
