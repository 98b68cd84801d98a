from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.domain.errors import BudgetError, ConfigError
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.core.spending.limits import Limit
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.team.audit import Administration, days_of
from tests.support.databases import DatabaseOfTest
from tests.support.teams import ANN, BEN, PANEL, team_ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio
QUESTION = ConsultRequest("What is the secret?", None, PANEL)
HANGS = [3600.0, ""]


@pytest.fixture
async def team(database: DatabaseOfTest) -> AsyncIterator[PostgresDatabase]:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    yield opened
    await opened.close()


@asynccontextmanager
async def opened(settings: Settings, **script: Any) -> AsyncIterator[Service]:  # noqa: ANN401
    async with open_service(settings, ask=team_ask(**script)) as service:
        yield service


async def deeds(team: PostgresDatabase) -> list[tuple[str, str | None]]:
    page = await Administration(team).audit()
    return [(entry.action, entry.target) for entry in reversed(page.entries)]


async def test_what_a_user_does_is_noted_without_texts(
    settings: Settings, team: PostgresDatabase
) -> None:
    async with opened(settings) as service:
        ann = service.for_principal(ANN)
        again = replace(QUESTION, settings=replace(PANEL, reuse="1h"))
        run_id = (await ann.begin(again)).run_id
        await ann.wait(run_id, 30)
        await ann.begin(again)
        await ann.share(run_id, "team")
        await ann.consortiums.save("panel", PANEL)
        await ann.consortiums.share("panel", "team")
        await ann.consortiums.delete("panel")
        await ann.cancel(run_id)
        await service.begin(QUESTION)  # the server's own user is nobody of the team
        limit = Limit(who="each", period="day", what="calls", most=0)
        await Limits(team).set(limit)
        with pytest.raises(BudgetError):
            await service.for_principal(BEN).begin(QUESTION)
    assert await deeds(team) == [
        ("consult", run_id), ("consult", run_id), ("share", run_id), ("save_consortium", "panel"),
        ("share", "panel"), ("delete_consortium", "panel"), ("cancel", run_id),
        ("budget_refused", None),
    ]  # fmt: skip
    page = await Administration(team).audit()
    assert [entry.user for entry in page.entries] == [BEN, *[ANN] * 7]
    assert page.entries[-1].detail == {"consortium": None, "models": ["a", "b"], "client": None}
    assert page.entries[-2].detail["found"] == "earlier"
    assert "secret" not in page.model_dump_json()


async def test_a_resume_is_noted(settings: Settings, team: PostgresDatabase) -> None:
    async with opened(settings, judge=HANGS) as service:
        run_id = (await service.for_principal(ANN).begin(QUESTION)).run_id
    async with opened(settings) as service:
        assert await service.for_principal(ANN).resume(run_id)
        await service.for_principal(ANN).wait(run_id, 30)
        assert not await service.for_principal(ANN).resume(run_id)
    assert await deeds(team) == [("consult", run_id), ("resume", run_id)]


async def test_an_answer_goes_on_where_the_log_cannot_be_written(
    settings: Settings, database: DatabaseOfTest
) -> None:
    async with opened(settings) as service:
        await service.store.check()
        database.execute("DROP TABLE audit_log")
        ann = service.for_principal(ANN)
        report = await ann.wait((await ann.begin(QUESTION)).run_id, 30)
        assert report.status == "completed"


async def test_the_log_has_pages(team: PostgresDatabase, database: DatabaseOfTest) -> None:
    log = AuditLog(team)
    for number in range(5):
        await log.note(ANN, "token_added", f"token-{number}")
    first = await log.page(limit=2)
    second = await log.page(limit=2, cursor=first.next_cursor)
    last = await log.page(limit=2, cursor=second.next_cursor)
    found = [each.target for page in (first, second, last) for each in page.entries]
    assert found == [f"token-{number}" for number in (4, 3, 2, 1, 0)]
    assert last.next_cursor is None
    database.execute("UPDATE audit_log SET at = at - interval '1 day' WHERE target < 'token-3'")
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [each.target for each in (await log.page(since)).entries] == ["token-4", "token-3"]
    for wrong in ({"limit": 0}, {"limit": 2000}, {"cursor": "x"}):
        with pytest.raises(ConfigError):
            await log.page(**wrong)


async def test_an_admin_sees_what_each_used(settings: Settings, team: PostgresDatabase) -> None:
    async with opened(settings) as service:
        for user, times in ((ANN, 1), (BEN, 2)):
            mine = service.for_principal(user)
            for number in range(times):
                asked = replace(QUESTION, prompt=f"{number}?")
                await mine.wait((await mine.begin(asked)).run_id, 30)
    month = f"{datetime.now(UTC):%Y-%m}"
    usage = await Administration(team).usage(month)
    assert [(each.subject, each.runs, each.calls, each.tokens) for each in usage] == [
        ("ben", 2, 6, 90), ("ann", 1, 3, 45),
    ]  # fmt: skip
    [own] = await Administration(team).usage(month, ANN)
    assert own.calls == 3
    assert await Administration(team).usage("2001-01") == []


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("2026-11", ("2026-11-01", "2026-11-30")),
        ("2024-02", ("2024-02-01", "2024-02-29")),
        ("2026-11-29", ("2026-11-29", "2026-11-29")),
    ],
)
def test_periods_are_months_and_days(period: str, days: tuple[str, str]) -> None:
    assert days_of(period) == days


@pytest.mark.parametrize("period", ["", "2026", "2026-13", "2026-02-30", "0000-01", "november"])
def test_other_periods_are_refused(period: str) -> None:
    with pytest.raises(ConfigError, match="such as 2026-11"):
        days_of(period)
