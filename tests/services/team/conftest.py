from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.teams import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings


@pytest.fixture(params=["postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Only PostgreSQL has a team."""
    return str(request.param)


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with plugin("fake", models(*(FakeAsync(name, "x") for name in MODELS))):
        yield
