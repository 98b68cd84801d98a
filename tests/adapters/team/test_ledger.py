from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.domain.errors import BudgetError, ConfigError
from consortium_mcp.core.spending.allotting import Want
from consortium_mcp.core.spending.limits import Limit, Spendable, Used
from tests.support.databases import DatabaseOfTest
from tests.support.teams import ANN, BEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.core.domain.principal import Principal

pytestmark = pytest.mark.anyio
WANTED: dict[Spendable, Want] = {"calls": Want(12, 4)}
TODAY = ("2000-01-01", "2999-01-01")
EVERYBODY = Limit(who="everybody", period="day", what="calls", most=40)
EACH = Limit(who="each", period="month", what="calls", most=30)


@pytest.fixture
async def team(database: DatabaseOfTest) -> AsyncIterator[PostgresDatabase]:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    yield opened
    await opened.close()


@pytest.fixture
def ledger(team: PostgresDatabase) -> Ledger:
    return Ledger(team)


@pytest.mark.parametrize("seed", range(4))
async def test_no_interleaving_exceeds_a_limit(
    database: DatabaseOfTest, team: PostgresDatabase, seed: int
) -> None:
    """Two pools, two users, and runs that begin, end, and give back, all at once."""
    await Limits(team).set(EVERYBODY)
    await Limits(team).set(EACH)
    assert database.url is not None
    other = PostgresDatabase(database.url)
    chance = random.Random(seed)
    beginnings = [
        (f"run-{n}", chance.choice([ANN, BEN]), chance.choice([team, other]), chance.random())
        for n in range(40)
    ]
    really_used = 0

    async def live(run_id: str, principal: Principal, pool: PostgresDatabase, share: float) -> None:
        nonlocal really_used
        here = Ledger(pool)
        try:
            taken = await here.take(principal, run_id, WANTED)
        except BudgetError:
            return
        for user in (ANN, BEN):
            for standing in await here.standings(user):
                assert standing.used + standing.reserved <= standing.limit.most
        if share < 0.2:
            await here.withdraw(run_id)
            return
        used = int((taken.calls or 0) * share)
        await here.settle(run_id, Used(calls=used), "me")
        really_used += used

    async with anyio.create_task_group() as group:
        for beginning in beginnings:
            group.start_soon(live, *beginning)
    assert really_used <= 40
    assert sum(each.calls for each in await Ledger(team).spending(*TODAY)) == really_used
    assert database.execute("SELECT count(*) FROM ledger WHERE settled_at IS NULL") == [(0,)]
    await other.close()


async def test_a_run_that_has_something_set_aside_takes_nothing_more(ledger: Ledger) -> None:
    first = await ledger.take(ANN, "run", WANTED)
    again = await ledger.take(ANN, "run", WANTED, resumed=True)
    assert (first.fresh, again.fresh) == (True, False)


async def test_a_late_answer_is_counted_and_nothing_is_counted_twice(
    ledger: Ledger, team: PostgresDatabase
) -> None:
    await Limits(team).set(EACH)
    await ledger.take(ANN, "run", WANTED)
    await ledger.settle("run", Used(calls=3, tokens=50, dollars=0.5), "me")
    await ledger.settle("run", Used(calls=4, tokens=40, dollars=0.5), "me")
    await ledger.settle("unknown", Used(calls=9), "me")
    [spent] = await ledger.spending(*TODAY, ANN)
    assert (spent.runs, spent.calls, spent.tokens, spent.dollars) == (1, 4, 40, 0.5)
    assert await ledger.spending(*TODAY, BEN) == []


async def test_days_and_months_are_those_of_the_calendar(
    database: DatabaseOfTest, ledger: Ledger, team: PostgresDatabase
) -> None:
    await Limits(team).set(EACH)
    await Limits(team).set(EACH.model_copy(update={"period": "day", "most": 10}))
    for days in (0, 40):
        database.execute(
            "INSERT INTO spent (issuer, subject, day, calls) VALUES (?, ?,"
            " CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(? AS integer), 3)",
            [ANN.issuer, ANN.subject, days],
        )
    day, month = await ledger.standings(ANN)
    assert (day.used, month.used) == (3, 3)
    assert day.renewed_at is not None
    assert month.renewed_at is not None
    assert 0 < (day.renewed_at - day.now).total_seconds() <= 86_400
    assert month.renewed_at >= day.renewed_at
    assert (month.renewed_at.day, month.renewed_at.hour) == (1, 0)


async def test_a_run_that_was_never_recorded_is_let_go_after_a_while(
    database: DatabaseOfTest, ledger: Ledger, team: PostgresDatabase
) -> None:
    await Limits(team).set(EACH)
    await ledger.take(ANN, "run", WANTED)
    [standing] = await ledger.standings(ANN)
    assert standing.reserved == 12
    database.execute("UPDATE ledger SET taken_at = taken_at - interval '2 minutes'")
    [standing] = await ledger.standings(ANN)
    assert (standing.used, standing.reserved) == (0, 0)


async def test_a_limit_that_cannot_be_is_refused(team: PostgresDatabase) -> None:
    with pytest.raises(ConfigError, match="at the same time"):
        await Limits(team).set(EACH.model_copy(update={"what": "runs"}))


@pytest.mark.parametrize("owner", ["another process", None])
async def test_a_run_that_is_no_longer_ones_own_is_not_settled(
    database: DatabaseOfTest, ledger: Ledger, team: PostgresDatabase, owner: str | None
) -> None:
    """It was taken over, or waits for another process: what is set aside for it still holds."""
    await Limits(team).set(EACH)
    await ledger.take(ANN, "run", WANTED)
    database.execute(
        "INSERT INTO runs (run_id, status, strategy, prompt, config, members, seed, report,"
        " created_at, owner, heartbeat)"
        " VALUES ('run', 'working', '', '', '', '', '', '', '', ?, 'infinity')",
        [owner],
    )
    await ledger.settle("run", Used(calls=3), "me")
    [standing] = await ledger.standings(ANN)
    assert (standing.used, standing.reserved) == (0, 12)
    await ledger.settle("run", Used(calls=3), owner or "whoever takes it")
    [standing] = await ledger.standings(ANN)
    assert standing.used == (3 if owner else 0)
