"""Cases of shaping."""

__all__ = ["CASES"]

CASES: list = []
