"""Consultations of a team wait in a queue, and whoever takes one works on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.settings import Settings
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.services.workers.opening import run_worker
from tests.services.team.support import opened
from tests.support.databases import ON_POSTGRES
from tests.support.panels import PANEL, panel_models

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.anyio, ON_POSTGRES]
ANNA = Principal(issuer="https://id.example", subject="anna")
BERT = Principal(issuer="https://id.example", subject="bert")


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def test_a_worker_of_another_process_answers(settings: Settings) -> None:
    async with (
        opened(settings, work=False) as (web, asked_here),
        opened(settings) as (_, asked_there),
    ):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        report = await service.wait(run_id, 60)
        assert (report.status, report.synthesis) == ("completed", "It is 42.")
        assert (len(asked_here.questions), len(asked_there.questions)) == (0, 3)
        assert await web.queue_age() == 0


async def test_a_database_must_be_named(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="CONSORTIUM_DATABASE_URL"):
        await run_worker(replace(settings, database_url=None))
