"""Who is served, in which order, and what becomes of runs whose worker ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.queue.queued_runs import MOST_ATTEMPTS
from consortium_mcp.adapters.settings import Settings
from consortium_mcp.core.domain.errors import StoreUnavailable
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_summary import RunQuery
from tests.services.team.support import opened
from tests.support.databases import ON_POSTGRES, execute
from tests.support.fakes import reply
from tests.support.panels import PANEL, panel_models
from tests.support.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.services.service import Service

pytestmark = [pytest.mark.anyio, ON_POSTGRES]
ANNA = Principal(issuer="https://id.example", subject="anna")
BERT = Principal(issuer="https://id.example", subject="bert")
ASKED = ConsultRequest("Six × 7?", None, PANEL)


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def until(settings: Settings, sql: str, *values: Any) -> None:  # noqa: ANN401
    """Wait until the query finds something."""
    with anyio.fail_after(60):
        while not execute(settings, sql, [*values]):  # noqa: ASYNC110 (a database)
            await anyio.sleep(0.05)


TAKEN = "SELECT 1 FROM runs WHERE run_id = ? AND owner IS NOT NULL"


async def test_a_burst_of_one_user_holds_up_nobody_else(settings: Settings) -> None:
    may_answer = anyio.Event()
    few = replace(settings, worker_runs=20)
    async with opened(few, a=[*[may_answer] * 1000, reply("42", 0.9)]) as (team, _):
        anna, bert = (team.service.for_principal(each) for each in (ANNA, BERT))
        for _ in range(300):
            await anna.consult(ASKED)
        run_id = await bert.consult(ASKED)
        await until(settings, TAKEN, run_id)
        [(waiting,)] = execute(settings, "SELECT count(*) FROM runs WHERE owner IS NULL")
        assert waiting >= 300 - 20
        execute(settings, "UPDATE runs SET status = 'cancelled', owner = NULL")
        may_answer.set()


async def test_a_run_that_waits_is_cancelled_at_once_and_never_begun(settings: Settings) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        assert (await service.cancel(run_id)).status == "cancelled"
        async with opened(settings) as (_, asked):
            again = await service.consult(ASKED)
            assert (await service.wait(again, 60)).status == "completed"
            assert len(asked.questions) == 3
        assert (await service.wait(run_id, 0)).status == "cancelled"


async def test_a_run_that_works_elsewhere_is_cancelled(settings: Settings) -> None:
    async with (
        opened(settings, work=False) as (web, _),
        opened(settings, a=[3600.0, ""]) as (_, asked),
    ):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        with anyio.fail_after(60):
            while not asked.questions:  # noqa: ASYNC110 (a database decides)
                await anyio.sleep(0.01)
        assert (await service.cancel(run_id)).status == "cancelled"


async def test_a_caller_who_gives_up_cancels_what_nobody_has_joined(settings: Settings) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        alone = await service.consult(ASKED)
        joinable = ConsultRequest("Seven × 6?", None, PANEL, join=True)
        joined = await service.consult(joinable)
        assert await service.consult(joinable) == joined
        service.cancel_here(alone)
        service.cancel_here(joined)
        await until(settings, "SELECT 1 FROM runs WHERE status = 'cancelled'")
        assert (await service.wait(alone, 0)).status == "cancelled"
        assert (await service.wait(joined, 0)).status == "working"


async def test_a_worker_that_ends_hands_its_runs_over(settings: Settings) -> None:
    async with (
        opened(settings, work=False) as (web, _),
        opened(settings, a=[3600.0, ""]) as (ends, asked),
    ):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        with anyio.fail_after(60):
            while len(await service.exchanges(run_id)) < 1:  # noqa: ASYNC110 (a database)
                await anyio.sleep(0.01)
        await ends.drain(0)
        assert (await service.wait(run_id, 0)).status == "working"
        [(owner, deaths)] = execute(settings, "SELECT owner, deaths FROM runs")
        assert (owner, deaths) == (None, 0)
        async with opened(settings) as (_, goes_on):
            report = await service.wait(run_id, 60)
            assert report.status == "completed"
            assert sorted(each.model for each in goes_on.questions) == ["a", "judge"]
        assert len(asked.questions) == 2
        assert execute(settings, "SELECT deaths FROM runs") == [(0,)]


async def test_a_worker_that_has_time_ends_its_runs_and_takes_no_more(settings: Settings) -> None:
    may_answer = anyio.Event()
    async with (
        opened(settings, work=False) as (web, _),
        opened(settings, a=[may_answer, reply("42", 0.9)]) as (ends, asked),
    ):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        with anyio.fail_after(60):
            while not asked.questions:  # noqa: ASYNC110 (asked by another process, as it were)
                await anyio.sleep(0.01)
        async with anyio.create_task_group() as group:
            group.start_soon(ends.drain, 60)
            await anyio.wait_all_tasks_blocked()
            later = await service.consult(ASKED)
            may_answer.set()
        assert (await service.wait(run_id, 0)).status == "completed"
        assert (await service.wait(later, 0)).status == "working"
        assert len(asked.questions) == 3


async def test_a_process_that_breaks_leaves_its_runs_to_others(settings: Settings) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        with anyio.CancelScope() as broken:
            async with opened(settings, a=[3600.0, ""]):
                run_id = await service.consult(ASKED)
                await until(settings, TAKEN, run_id)
                broken.cancel()
                await anyio.sleep_forever()
        assert (await service.wait(run_id, 0)).status == "working"
        async with opened(settings):
            assert (await service.wait(run_id, 60)).status == "completed"
        assert execute(settings, "SELECT deaths FROM runs") == [(0,)]


async def test_a_run_whose_job_was_lost_is_worked_on(settings: Settings) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        execute(settings, "DELETE FROM procrastinate_jobs")
        async with opened(settings):
            assert (await service.wait(run_id, 60)).status == "completed"


async def test_a_run_whose_job_broke_is_worked_on(settings: Settings) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        # Somebody took it, and nobody heard of that: the connection was lost.
        silent = "UPDATE runs SET owner = 'lost', heartbeat = extract(epoch FROM now()) - 9"
        execute(settings, silent)
        execute(settings, "UPDATE procrastinate_jobs SET status = 'doing'")
        execute(settings, "UPDATE procrastinate_jobs SET status = 'failed'")
        async with opened(settings):
            assert (await service.wait(run_id, 60)).status == "completed"
        assert execute(settings, "SELECT deaths FROM runs") == [(1,)]


async def test_a_living_run_of_a_worker_that_the_queue_thinks_dead_is_left_alone(
    settings: Settings,
) -> None:
    may_answer = anyio.Event()
    async with (
        opened(settings, work=False) as (web, _),
        opened(settings, a=[may_answer, reply("42", 0.9)]) as (_, asked),
        opened(settings) as (other, asked_elsewhere),
    ):
        service = web.service.for_principal(ANNA)
        await other.drain(0)
        run_id = await service.consult(ASKED)
        await until(settings, TAKEN, run_id)
        execute(settings, "DELETE FROM procrastinate_workers")
        assert other.worker is not None
        for _ in range(3):
            await other.worker.sweep()
        [(status, attempts)] = execute(
            settings, "SELECT status::text, attempts FROM procrastinate_jobs"
        )
        assert (status, attempts) == ("doing", 0)
        may_answer.set()
        assert (await service.wait(run_id, 60)).status == "completed"
        assert (len(asked.questions), len(asked_elsewhere.questions)) == (3, 0)


async def test_a_run_that_takes_down_each_process_is_given_up_and_can_be_resumed(
    settings: Settings,
) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        # As if a third process had died over it.
        execute(
            settings,
            "UPDATE runs SET owner = 'dead', heartbeat = extract(epoch FROM now()) - 9, deaths = ?",
            [MOST_ATTEMPTS - 1],
        )
        execute(settings, "UPDATE procrastinate_jobs SET status = 'doing'")
        async with opened(settings) as (_, asked):
            report = await service.wait(run_id, 60)
            assert report.status == "interrupted"
            assert "took down its process 3 times" in report.warnings[-1]
            await until(settings, "SELECT 1 FROM procrastinate_jobs WHERE status = 'failed'")
            assert asked.questions == []
            assert await service.resume(run_id)
            report = await service.wait(run_id, 60)
            assert (report.status, report.warnings) == ("completed", [])


async def test_a_run_that_cannot_be_asked_any_more_fails_with_the_reason(
    settings: Settings,
) -> None:
    async with opened(settings, work=False) as (web, _):
        service = web.service.for_principal(ANNA)
        run_id = await service.consult(ASKED)
        execute(settings, "UPDATE runs SET config = replace(config, '\"a\"', '\"gone\"')")
        async with opened(settings):
            report = await service.wait(run_id, 60)
        assert report.status == "failed"
        assert "gone" in str(report.error)


async def test_without_its_database_nothing_is_begun(settings: Settings, postgres: Server) -> None:
    async with opened(settings, work=False) as (web, asked):
        service = web.service.for_principal(ANNA)
        with postgres.away(str(settings.database_url)), pytest.raises(StoreUnavailable):
            await service.consult(ASKED)
        assert asked.questions == []
        assert (await service.list_runs(RunQuery())).runs == []


async def test_each_owner_has_their_own_service(settings: Settings) -> None:
    mine = ConsortiumSettings(models=["a", "b"], arbiter="judge", strategy="vote")
    async with opened(settings) as (team, _):
        anna, bert = (team.service.for_principal(each) for each in (ANNA, BERT))
        run_id = await anna.consult(ConsultRequest("Six × 7?", None, mine))
        assert (await anna.wait(run_id, 60)).status == "completed"
        assert await owners(team.service) == 1
        assert (await bert.list_runs(RunQuery())).runs == []


async def owners(service: Service) -> int:
    return len((await service.list_runs(RunQuery())).runs)
