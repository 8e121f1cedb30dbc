"""Fixtures that several files use."""

import pytest

from autograd.registry import NONDIFFERENTIABLE, REFUSED, RULES


@pytest.fixture
def temporary_rules():
    """What a test declares is gone afterwards."""
    before, listed, refused = dict(RULES), set(NONDIFFERENTIABLE), dict(REFUSED)
    yield
    RULES.clear()
    RULES.update(before)
    NONDIFFERENTIABLE.update(listed)
    REFUSED.update(refused)
