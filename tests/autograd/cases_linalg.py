"""Cases of linalg."""

__all__ = ["CASES"]

CASES: list = []
