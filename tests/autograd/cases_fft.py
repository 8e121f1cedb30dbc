"""Cases of fft."""

__all__ = ["CASES"]

CASES: list = []
