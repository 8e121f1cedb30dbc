"""Measurements against other packages: each module runs as ``python -m benchmarks.NAME`` and prints ratios."""
