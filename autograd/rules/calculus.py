"""Definitions of numerical calculus."""
