"""Labels where they arise: every rating of a run is kept, and the newest counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.ratings import Ratings
from consortium_mcp.core.domain.errors import ConfigError, UnknownRun
from consortium_mcp.core.domain.request import ConsultRequest
from tests.support.panels import PANEL, opened, panel_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def a_run(service: Service) -> str:
    run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
    await service.wait(run_id, 30)
    with anyio.fail_after(60):
        while service._supervisor.get(run_id):  # noqa: ASYNC110 (late answers are written last)
            await anyio.sleep(0.01)
    return run_id


async def test_every_rating_is_kept_and_the_newest_counts(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        run_id = await a_run(service)
        await service.rate(run_id, correct=False, by="cursor")
        report = await service.rate(run_id, correct=True, note="the tests pass", by="llm")
        assert [(r.correct, r.note, r.by) for r in report.ratings] == [
            (False, None, "cursor"),
            (True, "the tests pass", "llm"),
        ]
        assert report.ratings[0].at <= report.ratings[1].at
        assert await service.wait(run_id, 0) == report
        assert await Ratings(service.store).newest() == {run_id: report.ratings[1]}
        exported = await History(service.store).record(run_id)
        assert exported.report.ratings == report.ratings


async def test_what_cannot_be_rated_leaves_no_trace(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        run_id = await a_run(service)
        with pytest.raises(ConfigError):
            await service.rate(run_id, by="llm")
        with pytest.raises(UnknownRun):
            await service.rate("01JNOTHERE", correct=True, by="llm")
        assert await Ratings(service.store).newest() == {}


async def test_a_rating_goes_with_its_run(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        run_id = await a_run(service)
        await service.rate(run_id, answer="42", by="llm")
        await History(service.store).prune("2999")
        assert await Ratings(service.store).newest() == {}


async def test_a_changed_report_is_announced(settings: Settings) -> None:
    told: list[str] = []

    async def listener(_whose: Principal, *uris: str) -> None:
        told.extend(uris)

    async with opened(settings) as (service, _):
        run_id = await a_run(service)
    async with opened(settings) as (service, _):  # not the one that announces the run's end
        service.announce_to(listener)
        await service.rate(run_id, correct=True, by="llm")
    assert told == [f"consortium://runs/{run_id}", f"consortium://runs/{run_id}/report"]
