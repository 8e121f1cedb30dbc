"""Cases of indexing."""

__all__ = ["CASES"]

CASES: list = []
