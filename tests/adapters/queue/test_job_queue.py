"""Jobs: who may change them, and that a database which is away for a while ends no worker."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.queue.job_queue import FIRST, MORE, JobQueue
from consortium_mcp.core.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[JobQueue]:
    database = PostgresDatabase(url)
    queue = JobQueue(database)
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()
        await database.close()


class Works:
    """Notes which runs it was given, and holds them."""

    def __init__(self, *, hands_over: bool = False) -> None:
        self.begun: list[str] = []
        self.may_end = anyio.Event()
        self.hands_over = hands_over

    async def __call__(self, run_id: str) -> bool:
        self.begun.append(run_id)
        await self.may_end.wait()
        return not self.hands_over

    async def has_begun(self, number: int) -> None:
        with anyio.fail_after(60):
            while len(self.begun) < number:  # noqa: ASYNC110 (a database decides)
                await anyio.sleep(0.01)


async def jobs(queue: JobQueue) -> list[dict[str, object]]:
    return await queue._database.read(
        "SELECT args->>'run_id' AS run_id, status::text AS status, attempts, priority, worker_id"
        " FROM procrastinate_jobs ORDER BY id"
    )


async def test_a_run_has_one_job_that_waits(url: str) -> None:
    async with opened(url) as queue:
        assert await queue.defer("run-1", FIRST, -1)
        assert not await queue.defer("run-1", MORE, -9)
        assert await queue.age() > 0


async def test_a_job_that_is_done_is_gone(url: str) -> None:
    async with opened(url) as queue, anyio.create_task_group() as group:
        works = Works()
        group.start_soon(queue.work, works, 2)
        await queue.defer("run-1", FIRST, -1)
        await works.has_begun(1)
        works.may_end.set()
        queue.stop()
    async with opened(url) as queue:
        assert await jobs(queue) == []
        assert await queue.age() == 0


async def test_a_job_that_is_handed_over_goes_to_another_worker_at_once(url: str) -> None:
    async with opened(url) as here, opened(url) as there, anyio.create_task_group() as group:
        hands_over, works = Works(hands_over=True), Works()
        group.start_soon(here.work, hands_over, 2)
        await here.defer("run-1", MORE, -7)
        await hands_over.has_begun(1)
        group.start_soon(there.work, works, 2)
        here.stop()
        hands_over.may_end.set()
        await works.has_begun(1)
        [job] = await jobs(there)
        assert (job["status"], job["priority"]) == ("doing", 1)
        works.may_end.set()
        there.stop()


async def test_who_was_silent_ends_no_job_that_is_anothers_by_now(url: str) -> None:
    async with opened(url) as here, opened(url) as there, anyio.create_task_group() as group:
        silent, works = Works(), Works()
        group.start_soon(here.work, silent, 1)
        await here.defer("run-1", FIRST, -1)
        await silent.has_begun(1)
        await here._database.write(
            lambda db: db.execute("UPDATE procrastinate_workers SET last_heartbeat = 'epoch'")
        )
        [stalled] = await there.stalled()
        assert stalled.run_id == "run-1"
        here.stop()  # it takes no more, so the other one does
        await there.retry(stalled)
        await there.retry(stalled)  # as a second sweep would: the job is not in its hands now
        group.start_soon(there.work, works, 1)
        await works.has_begun(1)
        silent.may_end.set()
        await there.finish(stalled)
        [job] = await jobs(there)
        assert job["status"] == "doing"
        assert job["worker_id"] != stalled.job.worker_id
        works.may_end.set()
        there.stop()


async def test_a_job_that_failed_is_kept_for_a_day(url: str) -> None:
    async with opened(url) as queue:
        for run_id in ("old", "new", "waits"):
            await queue.defer(run_id, FIRST, -1)
        database = queue._database
        for status in ("doing", "failed"):
            await database.write_one(
                "UPDATE procrastinate_jobs SET status = ? WHERE args->>'run_id' != 'waits'",
                [status],
            )
        await database.write_one(
            "UPDATE procrastinate_events SET at = at - interval '25 hours' WHERE job_id IN"
            " (SELECT id FROM procrastinate_jobs WHERE args->>'run_id' IN ('old', 'waits'))"
        )
        await queue.forget_ended()
        assert [job["run_id"] for job in await jobs(queue)] == ["new", "waits"]


async def test_a_worker_outlives_its_database(url: str, postgres: Server) -> None:
    async with opened(url) as queue, anyio.create_task_group() as group:
        works = Works()
        group.start_soon(queue.work, works, 4)
        await queue.defer("run-1", FIRST, -1)
        await works.has_begun(1)
        with postgres.away(url):
            works.may_end.set()  # the job cannot be ended now
            with pytest.raises(StoreUnavailable):
                await queue.defer("run-2", FIRST, -1)
        await queue.defer("run-2", FIRST, -1)
        await works.has_begun(2)
        queue.stop()
    async with opened(url) as queue:
        assert await jobs(queue) == []
