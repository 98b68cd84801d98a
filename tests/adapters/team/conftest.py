from __future__ import annotations

import pytest


@pytest.fixture(params=["postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Only PostgreSQL has a team."""
    return str(request.param)
