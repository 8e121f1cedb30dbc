"""``jit``: a recorded run of a function, replayed as a program: trace, plan, run."""

from .api import Jitted, Plan, jit

__all__ = ["Jitted", "Plan", "jit"]
