"""Rules of functions that run along an axis."""
