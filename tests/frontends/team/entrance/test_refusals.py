from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.core.domain.principal import ANYBODY
from consortium_mcp.frontends.team.entrance.refusals import EVERY_SECONDS, Refusals
from tests.support.databases import ON_POSTGRES

if TYPE_CHECKING:
    from tests.support.databases import DatabaseOfTest

pytestmark = [pytest.mark.anyio, ON_POSTGRES]


async def test_many_refusals_are_few_entries_that_count_all(database: DatabaseOfTest) -> None:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    log, now = AuditLog(opened), 100.0
    refusals = Refusals(log, lambda: now)
    for _ in range(50):
        await refusals.note()
    assert [each.detail for each in (await log.page()).entries] == [{"times": 1}]
    now += EVERY_SECONDS
    await refusals.note()
    entries = (await log.page()).entries
    assert [each.detail for each in entries] == [{"times": 50}, {"times": 1}]
    assert {(each.action, each.user) for each in entries} == {("sign_in_refused", ANYBODY)}
    await opened.close()
