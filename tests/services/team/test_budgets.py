"""Budgets that hold, on a real PostgreSQL."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.core.domain.errors import BudgetError, ConfigError, MemberError
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.core.spending.limits import Limit, Period, What, Who
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.team.budgets import Budgets
from tests.support.databases import DatabaseOfTest
from tests.support.fakes import verdict
from tests.support.teams import (
    ANN,
    BEN,
    PANEL,
    consult_often,
    start_process,
    team_ask,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service
    from tests.support.fakes import FakeAsk

pytestmark = pytest.mark.anyio
QUESTION = ConsultRequest("Six × 7?", None, PANEL)
EVER = ("2000-01-01", "2999-01-01")
HANGS = [3600.0, ""]


@pytest.fixture
async def budgets(database: DatabaseOfTest) -> AsyncIterator[Budgets]:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    yield Budgets(opened, "an admin")
    await opened.close()


def limit(
    what: What,
    most: float,
    period: Period = "day",
    who: Who = "each",
    **more: Any,  # noqa: ANN401
) -> Limit:
    return Limit(who=who, period=period, what=what, most=most, **more)


@asynccontextmanager
async def opened(settings: Settings, **script: Any) -> AsyncIterator[tuple[Service, FakeAsk]]:  # noqa: ANN401
    ask = team_ask(**script)
    async with open_service(settings, ask=ask) as service:
        yield service, ask


async def consulted(service: Service, request: ConsultRequest = QUESTION) -> RunReport:
    return await service.wait((await service.begin(request)).run_id, 30)


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not happened():  # noqa: ASYNC110 (there is no event for it)
            await anyio.sleep(0.01)


async def ended(budgets: Budgets) -> None:
    """Until a run of Ann is settled, which follows on its end."""
    with anyio.fail_after(60):
        while not await budgets.ledger.spending(*EVER, ANN):  # noqa: ASYNC110
            await anyio.sleep(0.01)


def settled_twice(database: DatabaseOfTest) -> bool:
    return database.execute("SELECT count(settled_at) FROM ledger") == [(2,)]


async def left(budgets: Budgets) -> list[float]:
    return [each.left for each in await budgets.ledger.standings(ANN)]


async def test_two_processes_never_exceed_a_budget_together(
    settings: Settings, database: DatabaseOfTest, budgets: Budgets, tmp_path: Path
) -> None:
    await budgets.limits.set(limit("calls", 60))
    assert database.url is not None
    processes = [start_process(database.url, tmp_path / str(n), 50) for n in range(2)]
    outputs = [await anyio.to_thread.run_sync(each.communicate) for each in processes]
    outcomes = [json.loads(output) for output, _ in outputs]
    made = sum(each["calls"] for each in outcomes)
    assert 0 < made <= 60
    assert made == 3 * sum(each["completed"] for each in outcomes)
    assert sum(each["completed"] + each["refused"] for each in outcomes) == 100
    [spent] = await budgets.ledger.spending(*EVER)
    assert spent.calls == made
    async with opened(settings) as (service, ask):  # what came back is there for the next ones
        while (await consult_often(service.for_principal(ANN), 1, ask)).completed:
            pass
        assert 60 - 4 < made + len(ask.questions) <= 60


async def test_what_a_run_did_not_need_comes_back(settings: Settings, budgets: Budgets) -> None:
    await budgets.limits.set(limit("calls", 20))
    async with opened(settings, a=HANGS) as (service, _):
        begun = await service.for_principal(ANN).begin(QUESTION)
        [working] = await budgets.ledger.standings(ANN)
        assert (working.used, working.reserved) == (0, 12)  # three iterations, repairs with them
        await service.for_principal(ANN).cancel(begun.run_id)
        await ended(budgets)
        [standing] = await service.for_principal(ANN).standings()
        assert (standing.used, standing.reserved) == (2, 0)
        assert await service.standings() == ()


async def test_a_run_gets_what_is_left_and_cannot_spend_more(
    settings: Settings, budgets: Budgets
) -> None:
    await budgets.limits.set(limit("calls", 5))
    unsure = verdict(needs_iteration="true", confidence="0.2")
    async with opened(settings, judge=unsure) as (service, ask):
        report = await consulted(service.for_principal(ANN))
        assert (report.stop_reason, report.final_answer) == ("budget", "42")
        assert len(ask.questions) == 3  # a second iteration would not fit
        record = await service.store.record(report.run_id or "")
        assert record.config.max_calls is None  # as it was asked for: who goes on from it may more


async def test_retries_count(settings: Settings, budgets: Budgets) -> None:
    await budgets.limits.set(limit("calls", 5))
    flaky = MemberError("overloaded", passing=True, retry_after=0.0)
    async with opened(settings, a=flaky, b=flaky) as (service, ask):
        report = await consulted(service.for_principal(ANN))
        assert (report.status, len(ask.questions)) == ("failed", 5)
        await ended(budgets)
        assert await left(budgets) == [0]


async def test_the_refusal_says_what_is_left_and_when_it_comes_back(
    settings: Settings, budgets: Budgets
) -> None:
    await budgets.limits.set(limit("calls", 5))
    async with opened(settings) as (service, ask):
        ann = service.for_principal(ANN)
        await consulted(ann)
        await ended(budgets)
        with pytest.raises(BudgetError) as refused:
            await ann.begin(replace(QUESTION, prompt="Seven × 6?"))
        told = str(refused.value)
        assert "2 calls are left of 5 calls for you today" in told
        assert "one round of this panel may take 4 calls; no model was called" in told
        assert "00:00 UTC, in " in told
        assert "ask your admin to raise it" in told
        assert len(ask.questions) == 3
        assert len((await ann.list_runs(RunQuery())).runs) == 1
        await consulted(service.for_principal(BEN))  # whom nobody limits by what Ann did


async def test_a_users_own_limit_takes_the_place_of_what_holds_for_each(
    settings: Settings, budgets: Budgets
) -> None:
    await budgets.limits.set(limit("calls", 0))
    await budgets.limits.set(limit("calls", 100, who="user", user=BEN))
    async with opened(settings) as (service, _):
        with pytest.raises(BudgetError):
            await service.for_principal(ANN).begin(QUESTION)
        assert (await consulted(service.for_principal(BEN))).status == "completed"
        await consulted(service)  # the local user is nobody of the team


async def test_all_together_are_limited_too(settings: Settings, budgets: Budgets) -> None:
    await budgets.limits.set(limit("calls", 6, "month", who="everybody"))
    async with opened(settings) as (service, _):
        await consulted(service.for_principal(ANN))
        await ended(budgets)
        with pytest.raises(BudgetError, match=r"3 calls are left .* for all users together this m"):
            await service.for_principal(BEN).begin(QUESTION)


async def test_runs_at_once_are_limited(settings: Settings, budgets: Budgets) -> None:
    await budgets.limits.set(limit("runs", 1, "now"))
    async with opened(settings, a=HANGS) as (service, _):
        ann = service.for_principal(ANN)
        begun = await ann.begin(QUESTION)
        with pytest.raises(BudgetError, match="You have 1 run under way, and 1 at once"):
            await ann.begin(replace(QUESTION, prompt="Seven × 6?"))
        await ann.cancel(begun.run_id)
        await ended(budgets)
        await ann.begin(QUESTION)


async def test_tokens_and_dollars_are_limited(settings: Settings, budgets: Budgets) -> None:
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    prices = "".join(f'["{name}"]\ninput = 10\noutput = 100\n' for name in ("a", "b", "judge"))
    settings.prices.write_text(prices)
    await budgets.limits.set(limit("tokens", 100_000))
    await budgets.limits.set(limit("dollars", 5, "month"))
    async with opened(settings) as (service, _):
        await consulted(service.for_principal(ANN))
        await ended(budgets)
        dollars, tokens = await budgets.ledger.standings(ANN)
        assert (tokens.limit.what, tokens.used) == ("tokens", 45)
        assert dollars.used == pytest.approx(0.0018)
        await budgets.limits.set(limit("dollars", 0.01, "month"))
        with pytest.raises(BudgetError, match=r"\$0\.0082 are left of \$0\.01 for you this month"):
            await service.for_principal(ANN).begin(replace(QUESTION, prompt="Seven × 6?"))
        await budgets.limits.set(limit("tokens", 46))
        await budgets.limits.set(limit("dollars", 100, "month"))
        with pytest.raises(BudgetError, match="1 token is left of 46 tokens for you today"):
            await service.for_principal(ANN).begin(replace(QUESTION, prompt="Seven × 6?"))


async def test_a_question_that_was_asked_already_takes_nothing(
    settings: Settings, budgets: Budgets
) -> None:
    await budgets.limits.set(limit("calls", 5))
    again = replace(QUESTION, settings=replace(PANEL, reuse="1h"))
    async with opened(settings) as (service, ask):
        ann = service.for_principal(ANN)
        first = await ann.begin(again)
        await ann.wait(first.run_id, 30)
        await ended(budgets)
        assert (await ann.begin(again)).run_id == first.run_id
        assert len(ask.questions) == 3
        assert await left(budgets) == [2]


async def test_joining_a_run_takes_nothing(settings: Settings, budgets: Budgets) -> None:
    await budgets.limits.set(limit("runs", 1, "now"))
    joining = replace(QUESTION, join=True)
    async with opened(settings, a=HANGS) as (here, _), opened(settings) as (there, _):
        begun = await here.for_principal(ANN).begin(joining)
        joined = await there.for_principal(ANN).begin(joining)
        assert (joined.run_id, joined.joined) == (begun.run_id, True)
        assert await left(budgets) == [0]


async def test_what_a_dead_process_has_set_aside_is_free_again(
    settings: Settings, budgets: Budgets, database: DatabaseOfTest
) -> None:
    await budgets.limits.set(limit("calls", 14))
    async with opened(settings, judge=HANGS) as (service, ask):
        begun = await service.for_principal(ANN).begin(QUESTION)
        await until(lambda: len(ask.questions) == 3)
        # As if the process had died a while ago: nobody settles, and nobody beats.
        database.execute("UPDATE runs SET heartbeat = 1, owner = 'dead'")
        async with opened(settings) as (elsewhere, _):
            ann = elsewhere.for_principal(ANN)
            await consulted(ann, replace(QUESTION, prompt="Seven × 6?"))
        [standing] = await budgets.ledger.standings(ANN)
        assert standing.reserved == 0
        assert standing.used == 6  # the call that was cut off is paid for, too
        service.for_principal(ANN)._supervisor._supervisor._hand_over(begun.run_id)


async def test_a_resumed_run_is_admitted_again(
    settings: Settings, budgets: Budgets, database: DatabaseOfTest
) -> None:
    await budgets.limits.set(limit("calls", 8))
    async with opened(settings, judge=HANGS) as (service, ask):
        begun = await service.for_principal(ANN).begin(QUESTION)
        await until(lambda: len(ask.questions) == 3)
    await ended(budgets)  # the process has ended in order, so that its run is settled
    assert await left(budgets) == [5]
    async with opened(settings) as (service, _):
        ann = service.for_principal(ANN)
        await budgets.limits.set(limit("calls", 6))
        with pytest.raises(BudgetError):
            await ann.resume(begun.run_id)
        assert (await ann.wait(begun.run_id, 0)).status == "interrupted"
        await budgets.limits.set(limit("calls", 8))
        assert await ann.resume(begun.run_id)
        report = await ann.wait(begun.run_id, 30)
        assert report.status == "completed"
        await until(lambda: settled_twice(database))
    rows = database.execute("SELECT calls FROM ledger WHERE run_id = ? ORDER BY id", [begun.run_id])
    assert rows == [(3,), (1,)]
    assert database.execute("SELECT runs FROM spent WHERE subject = 'ann'") == [(1,)]


async def test_a_nested_run_spends_what_its_parent_was_given(
    settings: Settings, budgets: Budgets
) -> None:
    await budgets.limits.set(limit("calls", 40))
    async with opened(settings) as (service, ask):
        ann = service.for_principal(ANN)
        await ann.consortiums.save("inner", PANEL)
        outer = replace(PANEL, models=["inner", "b"])
        report = await consulted(ann, replace(QUESTION, settings=outer))
        assert report.status == "completed"
        await ended(budgets)
        assert await left(budgets) == [40 - len(ask.questions)]


async def test_what_fails_before_it_begins_takes_nothing(
    settings: Settings, budgets: Budgets
) -> None:
    await budgets.limits.set(limit("calls", 20))
    async with opened(settings) as (service, _):
        unknown = replace(PANEL, models=["a", "no-such-model"])
        with pytest.raises(ConfigError):
            await service.for_principal(ANN).begin(replace(QUESTION, settings=unknown))
        assert await left(budgets) == [20]
