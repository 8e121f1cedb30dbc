"""The derivative rules of NumPy's functions, one file per family; importing this package registers them."""

from . import constant, elementwise, indexing, products, reductions, shaping

__all__ = ["constant", "elementwise", "indexing", "products", "reductions", "shaping"]
