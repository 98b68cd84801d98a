"""The same question again: what is joined, what is returned, and what is asked anew."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.databases.lease import TEAM
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.core.domain.errors import StoreNewer
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.domain.run import Turn
from consortium_mcp.services.service import Service
from tests.support.databases import ON_SQLITE, execute
from tests.support.fakes import reply
from tests.support.locks import locked
from tests.support.panels import PANEL, opened, panel_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport

pytestmark = pytest.mark.anyio

HANGS = [3600.0, ""]
QUESTION = ConsultRequest("Six × 7?", None, PANEL, join=True)
REUSING = replace(QUESTION, settings=replace(PANEL, reuse="1h"), join=False)


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def answered(service: Service, request: ConsultRequest) -> RunReport:
    begun = await service.begin(request)
    return begun.told(await service.wait(begun.run_id, 30))


def changed(settings: Settings, change: str, *values: Any) -> None:  # noqa: ANN401
    execute(settings, f"UPDATE runs SET {change}", values)  # noqa: S608 (ours)


async def test_calls_at_once_come_to_one_run(settings: Settings) -> None:
    go = anyio.Event()
    found: list[RunReport] = []

    async def call(service: Service) -> None:
        found.append(await answered(service, QUESTION))

    async with opened(settings, a=[go, reply("42", 0.9)]) as (service, ask):
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call, service)
            while len(ask.questions) < 2:  # noqa: ASYNC110 (until both are asked)
                await anyio.sleep(0.01)
            go.set()
        stored = await service.store.report(found[0].run_id or "")
    assert {report.run_id for report in found} == {found[0].run_id}
    assert sorted(report.joined for report in found) == [False, True, True, True, True]
    assert {report.final_answer for report in found} == {"42"}
    assert len(ask.questions) == 3
    assert stored.joined is False  # it is the call that joined, not the run


async def test_services_on_one_database_come_to_one_run(settings: Settings) -> None:
    async with opened(settings, a=HANGS) as (one, _), opened(settings, a=HANGS) as (two, ask):
        first = await one.begin(QUESTION)
        second = await two.begin(QUESTION)
        assert (second.run_id, first.joined, second.joined) == (first.run_id, False, True)
        assert await two.find(QUESTION) == second
        assert ask.questions == []


@pytest.mark.parametrize(
    "other",
    [
        replace(QUESTION, join=False),  # only those join that repeat their calls
        replace(QUESTION, prompt="Six × 8?"),
        replace(QUESTION, settings=replace(PANEL, max_calls=9)),
        replace(QUESTION, history=[Turn(prompt="Five?", synthesis="5.")]),
    ],
)
async def test_another_question_is_asked(settings: Settings, other: ConsultRequest) -> None:
    async with opened(settings, a=HANGS) as (service, _):
        first = await service.begin(QUESTION)
        assert await service.find(other) is None
        assert (await service.begin(other)).run_id != first.run_id


async def test_what_was_cancelled_or_has_ended_is_asked_anew(settings: Settings) -> None:
    async with opened(settings, a=[3600.0, reply("42", 0.9)]) as (service, ask):
        first = await service.begin(QUESTION)
        while not ask.asked("a"):  # noqa: ASYNC110 (the fake sets no event)
            await anyio.sleep(0.01)
        service.cancel_here(first.run_id)  # and it has not ended yet
        second = await answered(service, QUESTION)
        third = await answered(service, QUESTION)
        assert len({first.run_id, second.run_id, third.run_id}) == 3
        assert (second.joined, third.joined) == (False, False)


@pytest.mark.parametrize(
    "change", ["cancel_requested = true", f"heartbeat = heartbeat - {TEAM.told_seconds + 1}"]
)
async def test_a_run_of_another_process_that_ends_or_is_dead_is_not_joined(
    settings: Settings, change: str
) -> None:
    async with opened(settings, a=HANGS) as (service, _):
        await service.begin(QUESTION)
    changed(settings, f"status = 'working', ended_at = NULL, {change}")
    async with opened(settings) as (other, _):
        assert (await other.begin(QUESTION)).joined is False


async def test_a_resumed_run_is_joined(settings: Settings) -> None:
    async with opened(settings, a=HANGS) as (service, _):
        first = await service.begin(QUESTION)
    async with opened(settings, a=HANGS) as (service, _):
        assert await service.resume(first.run_id)
        assert (await service.begin(QUESTION)).run_id == first.run_id


@ON_SQLITE
async def test_calls_find_each_other_though_the_database_cannot_be_used(
    settings: Settings,
) -> None:
    found: list[str] = []

    async def call(service: Service) -> None:
        found.append((await service.begin(QUESTION)).run_id)

    store = Store(settings.database, busy_seconds=0.05)
    async with opened(settings, store=store, a=HANGS) as (service, _):
        await service.store.check()
        with locked(settings.database):
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(call, service)
    assert len({*found}) == 1


@ON_SQLITE
async def test_a_newer_database_is_told_as_ever(settings: Settings) -> None:
    store = Store(settings.database)
    await store.check()
    await store.close()
    with sqlite3.connect(settings.database) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('consortium_mcp', '9999_future', '')"
        )
    connection.close()
    async with opened(settings) as (service, _):
        with pytest.raises(StoreNewer):
            await service.begin(QUESTION)


async def test_who_no_longer_wants_an_answer_leaves_it_to_callers_elsewhere(
    settings: Settings,
) -> None:
    async with opened(settings, a=HANGS) as (one, _), opened(settings, a=HANGS) as (two, _):
        first = await one.begin(QUESTION)
        await two.begin(QUESTION)
        two.cancel_here(first.run_id)  # of another process: no effect
        handle = one._supervisor.get(first.run_id)
        assert handle is not None
        with anyio.fail_after(60):
            while not handle.joined_elsewhere:  # noqa: ASYNC110 (with the next heartbeat)
                await anyio.sleep(0.05)
        one.cancel_here(first.run_id)
        assert (await one.wait(first.run_id, 0.05)).status == "working"
        assert (await one.cancel(first.run_id)).status == "cancelled"  # who says so means it


# Reuse


async def test_a_finished_run_answers_again_with_its_age(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        first = await answered(service, replace(REUSING, settings=PANEL))
        again = await answered(service, REUSING)
        asked = len(ask.questions)
        stored = await service.store.report(first.run_id or "")
    assert (again.run_id, asked) == (first.run_id, 3)
    assert again.age_seconds is not None
    assert 0 <= again.age_seconds < 3600
    assert (first.age_seconds, stored.age_seconds, again.joined) == (None, None, False)


@pytest.mark.parametrize(
    ("change", "request_"),
    [
        ("ended_at = '2026-01-01T00:00:00.000+00:00'", REUSING),
        ("status = 'degraded'", REUSING),
        ("status = 'failed'", REUSING),
        ("fingerprint = NULL", REUSING),  # recorded by an older version
        ("run_id = run_id", replace(REUSING, settings=replace(PANEL, reuse="0s"))),
        ("run_id = run_id", replace(REUSING, settings=PANEL)),
        ("run_id = run_id", replace(REUSING, history=[Turn(prompt="5?", synthesis="5.")])),
    ],
)
async def test_what_is_too_old_or_not_wholly_the_same_is_asked_anew(
    settings: Settings, change: str, request_: ConsultRequest
) -> None:
    async with opened(settings) as (service, _):
        first = await answered(service, REUSING)
    changed(settings, change)
    async with opened(settings) as (service, _):
        again = await answered(service, request_)
    assert again.run_id != first.run_id
    assert again.age_seconds is None


async def test_a_saved_consortium_may_say_so_and_a_changed_one_asks_anew(
    settings: Settings,
) -> None:
    question = ConsultRequest("Six × 7?", "team", ConsortiumSettings())
    async with opened(settings) as (service, ask):
        await service.consortiums.save("team", replace(PANEL, reuse="7d"))
        first, again = [await answered(service, question) for _ in range(2)]
        assert again.run_id == first.run_id
        renamed = replace(question, consortium="crew")
        await service.consortiums.save("crew", ConsortiumSettings(description="x"), clone="team")
        assert (await answered(service, renamed)).run_id == first.run_id
        change = ConsortiumSettings(criteria="In French.")
        await service.consortiums.save("team", change, overwrite=True)
        assert (await answered(service, question)).run_id != first.run_id
        assert len(ask.questions) == 6


async def test_nested_runs_are_neither_joined_nor_reused(settings: Settings) -> None:
    outer = replace(PANEL, models=["team", "a"])
    async with opened(settings) as (service, ask):
        await service.consortiums.save("team", replace(PANEL, reuse="1h"))
        question = ConsultRequest("Six × 7?", None, outer)
        first, again = [await answered(service, question) for _ in range(2)]
        assert first.members[0].nested_run_id != again.members[0].nested_run_id
        assert len(ask.questions) == 2 * 5
        # A consortium that is asked by another is part of the question.
        change = ConsortiumSettings(criteria="In French.")
        reusing = replace(question, settings=replace(outer, reuse="1h"))
        assert (await answered(service, reusing)).run_id == again.run_id
        await service.consortiums.save("team", change, overwrite=True)
        assert (await answered(service, reusing)).run_id != again.run_id


@ON_SQLITE
async def test_a_database_of_the_version_before_is_taken_over(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        first = await answered(service, REUSING)
    with sqlite3.connect(settings.database) as connection:
        connection.execute("DROP INDEX runs_by_fingerprint")
        for column in ("fingerprint", "joined"):
            connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE '%repeated%'")
    connection.close()
    async with opened(settings) as (service, _):
        second = await answered(service, REUSING)
        third = await answered(service, REUSING)
    assert first.run_id != second.run_id == third.run_id
