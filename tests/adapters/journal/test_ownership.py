"""What belongs to a run is written by its owner alone, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.run import Parent
from consortium_mcp.core.domain.tool_use import ToolUse
from consortium_mcp.core.records.exchange import BegunCall, Exchange
from consortium_mcp.core.records.run_record import IterationRecord
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import run_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.reports.report import RunReport
    from tests.support.databases import DatabaseOfTest

pytestmark = pytest.mark.anyio
USAGE = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
QUESTION = Question(
    role="member", label="A", model="a", prompt="How many?", iteration=1, timeout=120
)
EXCHANGE = Exchange.of(QUESTION, Reply(text="42", seconds=1), now())
BEGUN = BegunCall(
    iteration=1, role="member", label="A", attempt=1, model="a", tries=1, input_tokens=5
)
USE = ToolUse(
    iteration=1, role="member", label="A", attempt=1, name="folder", arguments="{}", repeat=1,
    result="x", seconds=0, created_at=now(),
)  # fmt: skip


def a_run(run_id: str = "run-1", parent: Parent | None = None) -> tuple[Run, RunReport]:
    run = run_of("a").model_copy(update={"run_id": run_id, "parent": parent})
    return run, report_of(run, USAGE, "2026-11-23T12:00:00.000+00:00")


class Two:
    """Two processes with one database."""

    def __init__(self, database: DatabaseOfTest) -> None:
        self.time = 1000.0
        self.here, self.there = (database.store(clock=lambda: self.time) for _ in range(2))
        self.lost: list[str] = []
        self.here.when_lost(self.lost.append)

    async def take_over(self, run_id: str) -> None:
        self.time += self.here.lease.told_seconds + 1
        assert await self.there.claim(run_id)


@pytest.fixture
async def two(database: DatabaseOfTest) -> AsyncIterator[Two]:
    found = Two(database)
    yield found
    await found.here.close()
    await found.there.close()


async def write_all(store: Store, run_id: str, report: RunReport) -> None:
    await store.save_begun_call(run_id, BEGUN)
    await store.save_exchange(run_id, EXCHANGE)
    await store.save_tool_use(run_id, USE)
    await store.save_iteration(run_id, IterationRecord.heard(1, ()))
    await store.save_report(report.model_copy(update={"synthesis": "42"}))


async def written(store: Store, run_id: str) -> list[int]:
    return [
        len(await store.begun_calls(run_id)),
        len(await store.exchanges(run_id)),
        len(await store.tool_uses(run_id)),
        len(await store.iterations(run_id)),
    ]


async def test_an_owner_writes_and_may_write_again(two: Two) -> None:
    run, report = a_run()
    await two.here.begin_run(run, report)
    for _ in range(2):
        await write_all(two.here, run.run_id, report)
    assert await written(two.here, run.run_id) == [1, 1, 1, 1]
    assert (await two.here.report(run.run_id)).synthesis == "42"
    assert two.lost == []


async def test_nothing_is_written_of_a_run_that_another_process_has(two: Two) -> None:
    run, report = a_run()
    await two.here.begin_run(run, report)
    await two.take_over(run.run_id)
    await write_all(two.here, run.run_id, report)
    assert await written(two.there, run.run_id) == [0, 0, 0, 0]
    assert (await two.there.report(run.run_id)).synthesis is None
    assert two.lost == [run.run_id] * 5
    await write_all(two.there, run.run_id, report)
    assert await written(two.there, run.run_id) == [1, 1, 1, 1]


async def test_a_run_that_could_not_be_recorded_yet_takes_its_exchanges(two: Two) -> None:
    _, report = a_run()
    await write_all(two.here, "run-1", report)
    assert await written(two.here, "run-1") == [1, 1, 1, 1]
    assert two.lost == []


async def test_a_nested_run_goes_with_its_parent(two: Two) -> None:
    outer, of_outer = a_run()
    inner, of_inner = a_run("run-2", Parent(run_id="run-1", call="1 member A 1"))
    inmost, of_inmost = a_run("run-3", Parent(run_id="run-2", call="1 member A 1"))
    for run, report in ((outer, of_outer), (inner, of_inner), (inmost, of_inmost)):
        await two.here.begin_run(run, report)
    await two.take_over(outer.run_id)
    for run_id, report in (("run-2", of_inner), ("run-3", of_inmost)):
        await write_all(two.here, run_id, report)
        assert await written(two.there, run_id) == [0, 0, 0, 0]
    assert (await two.here.beat(["run-3"])).taken_over == {"run-3"}


async def test_nothing_is_written_of_a_run_that_waits(two: Two) -> None:
    run, report = a_run()
    await two.here.queueing().begin_run(run, report)
    assert (await two.there.report(run.run_id)).status == "working"
    two.time += 1e9
    assert (await two.there.report(run.run_id)).status == "working"
    assert not await two.there.claim(run.run_id)
    await write_all(two.here, run.run_id, report)
    assert await written(two.there, run.run_id) == [0, 0, 0, 0]


async def test_a_run_that_waits_is_cancelled_at_once(two: Two) -> None:
    run, report = a_run()
    await two.here.queueing().begin_run(run, report)
    await two.there.cancel(run.run_id)
    report = await two.here.report(run.run_id)
    assert (report.status, report.stop_reason) == ("cancelled", "cancelled")


async def test_a_silent_run_may_be_taken_before_anybody_is_told(two: Two) -> None:
    run, report = a_run()
    await two.here.begin_run(run, report)
    lease = two.here.lease
    two.time += lease.claim_seconds - 1
    assert not await two.there.claim(run.run_id)
    two.time += 2
    told = "interrupted" if lease.told_seconds == lease.claim_seconds else "working"
    assert (await two.there.report(run.run_id)).status == told
    assert await two.there.claim(run.run_id)
