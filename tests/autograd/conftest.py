"""Fixtures that several files use."""

import pytest

from autograd.registry import NONDIFFERENTIABLE, RULES


@pytest.fixture
def temporary_rules():
    """What a test declares is gone afterwards."""
    before, listed = dict(RULES), set(NONDIFFERENTIABLE)
    yield
    RULES.clear()
    RULES.update(before)
    NONDIFFERENTIABLE.update(listed)
