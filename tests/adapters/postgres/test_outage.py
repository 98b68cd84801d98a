"""A server that is away for a while costs no answer, and what it missed is written afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import psycopg
import pytest

from consortium_mcp.adapters.settings import Settings
from consortium_mcp.core.domain.errors import StoreUnavailable
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.services.service import Service
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.fakes import reply
from tests.support.panels import PANEL, opened, panel_models
from tests.support.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.anyio, ON_POSTGRES]


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def recorded_whole(service: Service, run_id: str) -> None:
    """Wait until the record is complete; before, it may say what is missing of it."""
    with anyio.fail_after(60):
        while True:
            try:
                report = await service.store.report(run_id)
            except StoreUnavailable:
                pass
            else:
                if report.status == "completed" and not report.warnings:
                    return
            await anyio.sleep(0.05)


async def test_a_run_goes_on_without_its_database_and_is_written_when_it_is_back(
    settings: Settings, database: DatabaseOfTest, postgres: Server
) -> None:
    goes_on = anyio.Event()
    here = database.settings(settings)
    async with opened(here, a=[goes_on, reply("42", 0.9)]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        while not await service.exchanges(run_id):  # noqa: ASYNC110 (in a database)
            await anyio.sleep(0.01)
        with postgres.away(str(database.url)):
            goes_on.set()
            report = await service.wait(run_id, 30)
            assert (report.status, report.synthesis) == ("completed", "It is 42.")
            assert "Not all of this run is recorded" in report.warnings[-1]
            assert "cannot be used" in report.warnings[-1]
            with pytest.raises(StoreUnavailable):
                await service.store.report(run_id)
            with pytest.raises(psycopg.OperationalError):
                database.execute("SELECT 1")
        await recorded_whole(service, run_id)
        exchanges = await service.exchanges(run_id)
        assert len(exchanges) == len({each.key for each in exchanges}) == 3
