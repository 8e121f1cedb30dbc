"""Rules of sorting."""
