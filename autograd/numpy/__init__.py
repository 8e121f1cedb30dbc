"""NumPy under the name that programs for HIPS autograd import it by, with array creation that takes Values.

All that NumPy has is here as it is, because ``Value`` speaks NumPy's protocols; the functions that these protocols do
not reach, since they make arrays of what is none yet, come from ``creation``. So ``import numpy as np`` does as well.
"""

from typing import TYPE_CHECKING, Any

import numpy as _numpy

from . import creation as _creation
from . import fft, linalg, numpy_boxes, numpy_vjps, numpy_wrapper, random

if TYPE_CHECKING:
    from numpy import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]
else:
    _here = {"fft", "linalg", "random"}
    globals().update({k: v for k, v in vars(_numpy).items() if not k.startswith("_") and k not in _here})
    globals().update({k: getattr(_creation, k) for k in _creation.__all__})

__all__ = ["fft", "linalg", "numpy_boxes", "numpy_vjps", "numpy_wrapper", "random", *_numpy.__all__]  # pyright: ignore


def __getattr__(name: str) -> Any:
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return sorted({*dir(_numpy), *globals()})
