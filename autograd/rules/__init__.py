"""The derivative rules of NumPy's functions, one file per family; importing this package registers the usual ones.

The rest is in ``more``, and SciPy's are in ``special``: imported when a function without a rule meets a Value.
"""

from . import constant, elementwise, indexing, joining, products, reductions, refused, shaping, ufuncs

__all__ = ["constant", "elementwise", "indexing", "joining", "products", "reductions", "refused", "shaping", "ufuncs"]
