"""Who works on which run, whatever the jobs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.queue.queued_runs import MOST_ATTEMPTS, QueuedRuns
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import run_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio
ANNA = Principal(issuer="https://id.example", subject="anna")
BERT = Principal(issuer="https://id.example", subject="bert")
RUN = "run-1"


class Process:
    """One process of a team."""

    def __init__(self, url: str, time: list[float]) -> None:
        self.store = Store(PostgresDatabase(url), clock=lambda: time[0])
        self.runs = QueuedRuns(self.store)


class Team:
    """Two processes, and their time."""

    def __init__(self, url: str) -> None:
        self._time = [1000.0]
        self.here, self.there = Process(url, self._time), Process(url, self._time)

    def after(self, seconds: float) -> None:
        self._time[0] += seconds

    async def begin(self, run_id: str = RUN) -> None:
        run = run_of("a").model_copy(update={"run_id": run_id})
        usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
        report = report_of(run, usage, "2026-11-23T12:00:00.000+00:00")
        await self.here.store.bound_to(ANNA).queueing().begin_run(run, report)

    async def die(self, process: Process) -> None:
        """Let the process take the run and be silent from then on."""
        assert await process.runs.take(RUN) is not None
        self.after(process.store.lease.claim_seconds + 1)


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
async def team(url: str) -> AsyncIterator[Team]:
    opened = Team(url)
    yield opened
    await opened.here.store.close()
    await opened.there.store.close()


async def test_a_run_that_waits_is_taken_once(team: Team) -> None:
    await team.begin()
    took = []

    async def take(process: Process) -> None:
        if await process.runs.take(RUN) is not None:
            took.append(process)

    async with anyio.create_task_group() as group:
        for process in [team.here, team.there] * 5:
            group.start_soon(take, process)
    assert len(took) == 1
    assert await team.here.runs.principal_of(RUN) == ANNA


async def test_a_living_run_is_not_taken_and_not_let_go(team: Team) -> None:
    await team.begin()
    taken = await team.here.runs.take(RUN)
    assert taken is not None
    assert (taken.principal, taken.deaths, taken.taken_over) == (ANNA, 0, False)
    for _ in range(5):
        team.after(team.here.store.lease.claim_seconds - 1)
        assert await team.there.runs.take(RUN) is None
        assert await team.there.runs.let_go(RUN) == "works"
        await team.here.store.beat([RUN])


async def test_a_run_of_a_dead_process_is_taken_over(team: Team) -> None:
    await team.begin()
    await team.die(team.here)
    assert await team.there.runs.let_go(RUN) == "waits"
    taken = await team.there.runs.take(RUN)
    assert taken is not None
    assert (taken.deaths, taken.taken_over) == (1, True)
    assert (await team.here.store.beat([RUN])).taken_over == {RUN}


async def test_a_run_that_takes_down_every_process_is_left_to_a_person(team: Team) -> None:
    await team.begin()
    for _ in range(MOST_ATTEMPTS - 1):
        await team.die(team.here)
        assert await team.there.runs.let_go(RUN) == "waits"
    await team.die(team.here)
    assert await team.there.runs.let_go(RUN) == "given up"
    report = await team.there.store.report(RUN)
    assert report.status == "interrupted"
    assert f"took down its process {MOST_ATTEMPTS} times" in report.warnings[-1]
    assert report.next_step is not None
    assert "resume_run" in report.next_step
    assert await team.there.runs.take(RUN) is None
    assert await team.there.runs.let_go(RUN) == "ended"
    # Somebody wants it all the same: from then on it is counted anew.
    assert not await team.here.runs.queue_again(team.here.store.bound_to(BERT), RUN)
    assert await team.here.runs.queue_again(team.here.store.bound_to(ANNA), RUN)
    assert not await team.here.runs.queue_again(team.here.store.bound_to(ANNA), RUN)
    assert (await team.there.store.report(RUN)).status == "working"
    taken = await team.there.runs.take(RUN)
    assert taken is not None
    assert taken.deaths == 0


async def test_a_run_that_was_to_be_cancelled_when_its_process_died_is_cancelled(
    team: Team,
) -> None:
    await team.begin()
    await team.die(team.here)
    await team.there.store.cancel(RUN)
    assert await team.there.runs.take(RUN) is None
    assert await team.there.runs.let_go(RUN) == "ended"
    assert (await team.there.store.report(RUN)).status == "cancelled"


async def test_a_run_that_is_handed_over_is_no_death(team: Team) -> None:
    await team.begin()
    assert await team.here.runs.take(RUN) is not None
    await team.there.runs.hand_over([RUN])  # it is not theirs
    assert await team.there.runs.let_go(RUN) == "works"
    await team.here.runs.hand_over([RUN])
    assert await team.there.runs.let_go(RUN) == "waits"
    taken = await team.there.runs.take(RUN)
    assert taken is not None
    assert (taken.deaths, taken.taken_over) == (0, False)


async def test_what_somebody_has_under_way_is_counted(team: Team) -> None:
    for number in range(3):
        await team.begin(f"run-{number}")
    assert await team.here.runs.take("run-0") is not None
    assert await team.here.runs.under_way(ANNA) == 3
    assert await team.here.runs.under_way(BERT) == 0
    await team.here.store.cancel("run-1")
    assert await team.here.runs.under_way(ANNA) == 2
