"""Fixtures that several files use."""

import pytest

from autograd.registry import NONDIFFERENTIABLE, REFUSED, RULES
from autograd.rules import more, special

COMPLETE = more, special  # without these, the table of rules lacks what is registered when it is first needed


@pytest.fixture
def temporary_rules():
    """What a test declares is gone afterwards."""
    before, listed, refused = dict(RULES), set(NONDIFFERENTIABLE), dict(REFUSED)
    yield
    RULES.clear()
    RULES.update(before)
    NONDIFFERENTIABLE.update(listed)
    REFUSED.update(refused)
