"""What a case is: a function, and where hypothesis finds the arrays at which to check it."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from tests.autograd.rows import real

__all__ = ["Case", "case"]


class Case(NamedTuple):
    """A function, or a call of it with certain options, to be checked at any inputs of certain shapes and domains.

    ``checks`` names what holds: of "value", "reverse", "forward", "second", "complex", "float32".
    """

    function: Callable
    name: str
    call: Callable
    shapes: Any
    domains: Sequence[Callable]
    complex_domains: Sequence[Callable]
    checks: tuple[str, ...]
    analytic: bool
    exact: bool

    def inputs(self, complex_ones: bool = False) -> st.SearchStrategy:
        """Tuples of float64 or complex arrays."""
        domains = self.complex_domains if complex_ones else self.domains

        def draw(shapes: Any, seed: int) -> tuple:
            rng = np.random.default_rng(seed)
            return tuple(np.asarray(domain(rng, shape))[()] for domain, shape in zip(domains, shapes, strict=True))

        if isinstance(self.shapes, int):
            shapes = mutually_broadcastable_shapes(num_shapes=self.shapes, max_dims=3, min_side=0, max_side=3).map(
                lambda found: found.input_shapes)
        else:
            sizes = [st.integers(1, 4)] * _sizes(self.shapes)
            shapes = st.tuples(*sizes).map(lambda drawn: self.shapes(*drawn))
        return st.builds(draw, shapes, st.integers(0, 2**32 - 1))

    def sample(self, seed: int = 0, complex_ones: bool = False) -> tuple:
        """One such tuple, of small arrays that are not empty."""
        rng = np.random.default_rng(seed)
        domains = self.complex_domains if complex_ones else self.domains
        shapes = ([(2, 3), (3,), (2, 1), (1, 3), ()][: self.shapes] if isinstance(self.shapes, int)
                  else self.shapes(*(rng.permutation([2, 3, 4])[i % 3] for i in range(_sizes(self.shapes)))))
        return tuple(np.asarray(domain(rng, shape))[()] for domain, shape in zip(domains, shapes, strict=True))


def _sizes(shapes: Callable) -> int:
    return len(inspect.signature(shapes).parameters)


def complex_numbers(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Neither real nor imaginary, off the cuts of the usual functions."""
    return rng.uniform(0.3, 0.9, shape) + 1j * rng.choice([-1.0, 1.0], shape) * rng.uniform(0.2, 0.8, shape)


def case(function: Callable, shapes: int | Callable, call: Callable | None = None, *, name: str = "",
         domain: Any = real, complex: Any = None, analytic: bool = False, second: bool = True, float32: bool = True,
         exact: bool = True) -> Case:
    """A case.

    Args:
        function: the NumPy function that is checked, as it stands among the rules; for the name and the coverage page.
        shapes: how many arrays of shapes that broadcast against each other (of any size, 0 included); or a function of
            sizes from 1 to 4 that returns the shapes of the inputs, such as ``lambda n, m: [(n, m), (m,)]``.
        call: what is checked: a function of the arrays; ``function`` itself unless given.
        name: what tells cases of one function apart.
        domain: one domain for all arrays, or a list of one for each: functions of (rng, shape), see ``rows.py``.
        complex: also check with complex inputs: ``True``, or a domain or list of domains.
        analytic: ``call`` takes complex arrays and is analytic, so that the complex step can check it.
        second: also check the second order; ``False`` only where there is a reason, stated beside it.
        float32: also check that float32 stays float32, and is right to about 1e-3.
        exact: the value is the same, bit by bit, as that of plain arrays.
    """
    count = shapes if isinstance(shapes, int) else len(shapes(*[2] * _sizes(shapes)))
    domains = list(domain) if isinstance(domain, Sequence) else [domain] * count
    complex_ones = (list(complex) if isinstance(complex, Sequence)
                    else [complex if callable(complex) else complex_numbers] * count)
    wanted = {"value": True, "reverse": True, "forward": True, "second": second, "complex": bool(complex),
              "float32": float32}
    return Case(function, name, call or function, shapes, domains, complex_ones,
                tuple(k for k, v in wanted.items() if v), analytic, exact)
