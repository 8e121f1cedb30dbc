"""Cases of ufuncs."""

__all__ = ["CASES"]

CASES: list = []
