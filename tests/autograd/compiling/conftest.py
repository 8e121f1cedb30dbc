"""Fixtures of the tests of the Numba backend."""

import os
from typing import Any

import pytest


@pytest.fixture(scope="module")
def one_cache(tmp_path_factory: Any) -> Any:
    """A cache of this module's own, so that every test compiles what it tests."""
    before = os.environ.get("NUDGE_CACHE")
    os.environ["NUDGE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["NUDGE_CACHE"]
    else:
        os.environ["NUDGE_CACHE"] = before
