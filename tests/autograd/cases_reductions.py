"""Cases of reductions."""

__all__ = ["CASES"]

CASES: list = []
