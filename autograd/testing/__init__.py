"""For the tests of other people: hypothesis strategies for what gradients are checked at, and ``assert_gradients``."""

try:
    from .strategies import arrays, broadcastable_shapes, expressions
except ImportError as error:
    raise ImportError("autograd.testing needs hypothesis: pip install 'nudgegrad[test]'") from error

from ..checking import assert_gradients
from .expressions import Expression, random_expression

__all__ = ["Expression", "arrays", "assert_gradients", "broadcastable_shapes", "expressions", "random_expression"]
