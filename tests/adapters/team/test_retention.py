from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team import retention
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.adapters.team.retention import Deleted, apply_retention
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.core.spending.limits import Used
from tests.support.databases import DatabaseOfTest
from tests.support.fakes import run_of
from tests.support.teams import ANN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio
OLD = "2020-01-01T00:00:00.000+00:00"
MONTH = timedelta(days=30)


@pytest.fixture
async def team(database: DatabaseOfTest) -> AsyncIterator[PostgresDatabase]:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    yield opened
    await opened.close()


async def fill(database: DatabaseOfTest, team: PostgresDatabase) -> None:
    """Two of everything, one of them old."""
    store = database.store()
    for run_id, created_at in (("old", OLD), ("new", now())):
        run = run_of("a").model_copy(update={"run_id": run_id, "status": "completed"})
        nothing = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
        report = report_of(run, nothing, created_at)
        await store.begin_run(run, report)
        await store.save_report(report)
        await AuditLog(team).note(ANN, "consult", run_id)
        await Ledger(team).take(ANN, run_id, {})
        await Ledger(team).settle(run_id, Used(calls=3), store.owner)
    await store.close()
    database.execute("UPDATE audit_log SET at = ? WHERE target = 'old'", [OLD])
    database.execute("UPDATE ledger SET settled_at = ? WHERE run_id = 'old'", [OLD])
    database.execute("INSERT INTO spent (issuer, subject, day) VALUES ('i', 's', '2020-01-01')")


def left(database: DatabaseOfTest) -> list[int]:
    tables = ("runs", "audit_log", "ledger", "spent")
    return [database.execute(f"SELECT count(*) FROM {t}")[0][0] for t in tables]  # noqa: S608 (the test's)


async def test_what_is_too_old_is_deleted(
    settings: Settings, database: DatabaseOfTest, team: PostgresDatabase
) -> None:
    await fill(database, team)
    assert await apply_retention(settings, team) == Deleted()
    assert left(database) == [2, 2, 2, 3]
    keeping = replace(settings, keep_runs=MONTH, keep_audit=MONTH, keep_ledger=MONTH)
    assert await apply_retention(keeping, team) == Deleted(runs=1, audit=1, ledger=2)
    assert left(database) == [1, 1, 1, 2]
    assert await apply_retention(keeping, team) == Deleted()


async def test_this_month_is_kept_for_the_budgets_and_open_rows_for_their_runs(
    settings: Settings, database: DatabaseOfTest, team: PostgresDatabase
) -> None:
    await fill(database, team)
    await Ledger(team).take(ANN, "working", {})
    keeping = replace(settings, keep_ledger=timedelta(0))
    await apply_retention(keeping, team)
    assert left(database) == [2, 2, 1, 2]


async def test_several_servers_may_do_it_at_once(
    settings: Settings,
    database: DatabaseOfTest,
    team: PostgresDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 10)
    await fill(database, team)
    database.execute(
        "INSERT INTO audit_log (at, issuer, subject, action)"
        " SELECT '2020-01-01', 'i', 's', 'consult' FROM generate_series(1, 100)"
    )
    keeping = replace(settings, keep_runs=MONTH, keep_audit=MONTH, keep_ledger=MONTH)
    assert database.url is not None
    other = PostgresDatabase(database.url)
    found: list[Deleted] = []

    async def apply(here: PostgresDatabase) -> None:
        found.append(await apply_retention(keeping, here))

    async with anyio.create_task_group() as group:
        for here in (team, other):
            group.start_soon(apply, here)
    await other.close()
    assert sum(each.audit for each in found) == 101
    assert left(database) == [1, 1, 1, 2]
