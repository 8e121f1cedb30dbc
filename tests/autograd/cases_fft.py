"""Cases of np.fft: even and odd lengths, filled up and cut off, along one axis and several."""

from typing import Any

import numpy as np

from tests.autograd.cases import case

__all__ = ["CASES"]


def along(axis: int) -> Any:
    """Shapes with a length of at least 2 along one axis, and of any along the others."""
    return lambda k, m, n: [tuple(size + (i == axis % 3) for i, size in enumerate((k, m, n)))]


def along_two(k: int, m: int, n: int) -> list:
    return [(k + 1, m, n + 1)]


def calls(function: Any, axis: Any, lengths: Any, norm: Any) -> Any:
    return lambda a: function(a, lengths, axis, norm)


def takes_complex(name: str) -> bool:
    return not name.startswith(("rfft", "ihfft"))


CASES = [
    *[case(getattr(np.fft, name), along(axis), calls(getattr(np.fft, name), axis, n, norm),
           name=f"n={n} axis={axis} norm={norm}", complex=takes_complex(name))
      for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
      for axis, n, norm in [(-1, None, None), (0, 3, "ortho"), (1, 4, "forward")]],
    *[case(getattr(np.fft, name), along_two, calls(getattr(np.fft, name), axes, s, norm),
           name=f"s={s} axes={axes} norm={norm}", complex=takes_complex(name))
      for names, axes, s, norm in [
          (("fft2", "ifft2", "rfft2", "irfft2"), (2, 0), (3, 4), "forward"),
          (("fftn", "ifftn", "rfftn", "irfftn"), None, None, None),
          (("fftn", "ifftn", "rfftn", "irfftn"), (0, -1), (-1, 5), "ortho"),
          (("fftn", "rfftn", "irfftn"), (2, 0, 2), None, "backward")]
      for name in names],
    *[case(f, along_two, lambda x, f=f, axes=axes: f(x, axes), name=f"axes={axes}", complex=True)
      for f in (np.fft.fftshift, np.fft.ifftshift) for axes in (None, (0, -1))],
]
