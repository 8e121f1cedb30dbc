"""Cases of products."""

__all__ = ["CASES"]

CASES: list = []
