"""Cases of special."""

__all__ = ["CASES"]

CASES: list = []
