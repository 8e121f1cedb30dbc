"""Definitions of statistics."""
