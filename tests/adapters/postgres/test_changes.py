"""Who waits for the run of another process hears of its changes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.postgres import changes
from tests.adapters.journal.test_store import a_run
from tests.support.databases import ON_POSTGRES, DatabaseOfTest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.adapters.journal.store import Store

pytestmark = [pytest.mark.anyio, ON_POSTGRES]

LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN consortium_runs'"
    " AND datname = current_database()"
)


@pytest.fixture
async def here(database: DatabaseOfTest) -> AsyncIterator[Store]:
    opened = database.store()
    yield opened
    await opened.close()


async def listening(database: DatabaseOfTest) -> list[int]:
    with anyio.fail_after(60):
        while not (found := database.execute(LISTENERS)):  # noqa: ASYNC110 (a thread listens)
            await anyio.sleep(0.01)
    return [pid for (pid,) in found]


async def test_a_change_wakes_those_who_wait_for_that_run(
    here: Store, database: DatabaseOfTest
) -> None:
    there = database.store()
    run, report = a_run(1)
    other, its_report = a_run(2)
    await there.begin_run(run, report)
    await there.begin_run(other, its_report)
    async with (
        here.file.watching(run.run_id) as changed,
        here.file.watching(run.run_id) as changed_too,
        here.file.watching(other.run_id) as other_changed,
    ):
        for wait in (changed, changed_too, other_changed):
            await wait()  # once, when it begins to listen
        assert len(await listening(database)) == 1
        await there.save_report(report.model_copy(update={"synthesis": "42"}))
        with anyio.fail_after(60):
            await changed()
            await changed_too()
        with anyio.move_on_after(0.1) as silence:
            await other_changed()
        assert silence.cancelled_caught
        await there.cancel(other.run_id)
        with anyio.fail_after(60):
            await other_changed()
        await there.beat([run.run_id])  # a heartbeat is no news
        with anyio.move_on_after(0.1) as silence:
            await changed()
        assert silence.cancelled_caught
    await there.close()


async def test_nothing_is_missed_while_the_connection_is_lost(
    here: Store, database: DatabaseOfTest
) -> None:
    there = database.store()
    run, report = a_run(1)
    await there.begin_run(run, report)
    async with here.file.watching(run.run_id) as changed:
        await changed()
        [pid] = await listening(database)
        database.execute("SELECT pg_terminate_backend(?)", [pid])
        await there.save_report(report.model_copy(update={"status": "completed"}))
        with anyio.fail_after(60):
            await changed()
        assert (await here.report(run.run_id)).status == "completed"
    await there.close()


async def test_nobody_listens_when_nobody_waits(
    here: Store, database: DatabaseOfTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_LINGER_SECONDS", 0.0)
    async with here.file.watching("run-0001"):
        await listening(database)
    with anyio.fail_after(60):
        while database.execute(LISTENERS):  # noqa: ASYNC110 (a thread listens)
            await anyio.sleep(0.01)


async def test_who_stops_waiting_while_it_is_told_harms_nobody(
    here: Store, database: DatabaseOfTest
) -> None:
    there = database.store()
    run, report = a_run(1)
    await there.begin_run(run, report)
    async with here.file.watching(run.run_id) as changed:
        await changed()
        async with here.file.watching(run.run_id):
            await there.save_report(report.model_copy(update={"synthesis": "42"}))
        with anyio.fail_after(60):
            await changed()
    await there.close()
