"""Fixtures that several files use."""

import pytest

from autograd.registry import RULES


@pytest.fixture
def temporary_rules():
    """What a test declares is gone afterwards."""
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)
