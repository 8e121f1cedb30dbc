"""``numpy.fft`` as it is, whose functions take Values."""

from numpy.fft import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]
