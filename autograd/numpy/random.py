"""``numpy.random`` as it is: random numbers are constants."""

from numpy.random import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]
