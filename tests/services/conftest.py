from __future__ import annotations

import pytest

from consortium_mcp.adapters.settings import Settings
from tests.support.databases import DatabaseOfTest


@pytest.fixture
def settings(settings: Settings, database: DatabaseOfTest) -> Settings:
    """The tests of the services run on both databases."""
    return database.settings(settings)
