"""Everyone their own: B finds nothing of A's, through no door of the service."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.databases.lease import TEAM
from consortium_mcp.core.domain.errors import (
    ConfigError,
    NotYours,
    StoreUnavailable,
    UnknownConsortium,
    UnknownRun,
)
from consortium_mcp.core.domain.principal import ANYBODY, LOCAL, Principal
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.services.assembly import open_service
from tests.support.databases import ON_SQLITE, execute
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio

A = Principal(issuer="https://id.example", subject="a")
B = Principal(issuer="https://id.example", subject="b")
A_ELSEWHERE = Principal(issuer="https://other.example", subject="a")
OTHERS = [B, A_ELSEWHERE, ANYBODY]
PANEL = ConsortiumSettings(models=["a", "b"], arbiter="judge", strategy="vote")
QUESTION = ConsultRequest("What is the secret?", None, PANEL)
REUSING = replace(QUESTION, settings=replace(PANEL, reuse="1h"))
HANGS = [3600.0, ""]


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with plugin("fake", models(*(FakeAsync(name, "x") for name in ("a", "b", "judge")))):
        yield


@asynccontextmanager
async def opened(settings: Settings, **script: Any) -> AsyncIterator[Service]:  # noqa: ANN401
    said = {"a": reply("42", 0.9), "b": reply("42", 0.9), "judge": verdict()}
    async with open_service(settings, ask=FakeAsk(**said | script)) as service:
        yield service


async def answered(service: Service, request: ConsultRequest = QUESTION) -> RunReport:
    return await service.wait((await service.begin(request)).run_id, 30)


async def listed(service: Service, **query: Any) -> list[str]:  # noqa: ANN401
    return [run.run_id for run in (await service.list_runs(RunQuery(**query))).runs]


DOORS: dict[str, Callable[[Service, str], Awaitable[object]]] = {
    "wait": lambda service, run_id: service.wait(run_id, 0),
    "wait for a while": lambda service, run_id: service.wait(run_id, 1),
    "resume": lambda service, run_id: service.resume(run_id),
    "cancel": lambda service, run_id: service.cancel(run_id),
    "rate": lambda service, run_id: service.rate(run_id, correct=True, by="b"),
    "share": lambda service, run_id: service.share(run_id, "public"),
    "continue": lambda service, run_id: service.begin(replace(QUESTION, continue_run=run_id)),
    "plan to continue": lambda service, run_id: service.dry_run(
        replace(QUESTION, continue_run=run_id)
    ),
    "record": lambda service, run_id: service.store.record(run_id),
    "report": lambda service, run_id: service.store.report(run_id),
    "record, in bulk": lambda service, run_id: service.history.record(run_id),
    "cancel in the store": lambda service, run_id: service.store.cancel(run_id),
}
"""Doors that answer an id; each must answer a foreign one like an unknown one."""


async def told(door: Callable[[Service, str], Awaitable[object]], *args: Any) -> tuple[type, str]:  # noqa: ANN401
    with pytest.raises(UnknownRun) as error:
        await door(*args)
    return type(error.value), str(error.value)


@pytest.mark.parametrize("state", ["working", "interrupted", "completed"])
@pytest.mark.parametrize("door", DOORS)
async def test_a_foreign_id_is_answered_like_an_unknown_one(
    settings: Settings, door: str, state: str
) -> None:
    async with opened(settings, a=reply("42", 0.9) if state == "completed" else HANGS) as service:
        mine = service.for_principal(A)
        run_id = await mine.consult(QUESTION)
        if state == "completed":
            await mine.wait(run_id, 30)
        if state != "interrupted":
            await _refused_to_others(service, door, run_id)
            assert (await mine.wait(run_id, 0)).status == state
    if state == "interrupted":
        async with opened(settings) as service:
            await _refused_to_others(service, door, run_id)
            mine = service.for_principal(A)
            assert (await mine.wait(run_id, 0)).status == state
            assert await mine.resume(run_id)
            assert (await mine.wait(run_id, 30)).status == "completed"


async def _refused_to_others(service: Service, door: str, run_id: str) -> None:
    for other in map(service.for_principal, OTHERS):
        kind, foreign = await told(DOORS[door], other, run_id)
        unknown_kind, unknown = await told(DOORS[door], other, "01UNKNOWN")
        assert (kind, foreign.replace(run_id, "01UNKNOWN")) == (unknown_kind, unknown)


async def test_lists_searches_costs_and_exports_have_only_ones_own(settings: Settings) -> None:
    async with opened(settings) as service:
        mine, yours = service.for_principal(A), service.for_principal(B)
        a_run, b_run = await answered(mine), await answered(yours)
        for one, run in ((mine, a_run), (yours, b_run)):
            run_id = run.run_id or ""
            assert await listed(one) == [run_id]
            for query in ({"words": "secret"}, {"words": "ecre"}, {"status": "completed"}):
                assert await listed(one, **query) == [run_id]
            assert await one.find_run("latest") == run_id
            assert [each async for each in one.history.run_ids()] == [run_id]
            assert [each.run_id async for each in one.history.reports()] == [run_id]
            assert [line.calls for line in (await one.costs("model")).lines] == [1, 1]
            assert (await one.history.older_than("9999")).runs == 1
        foreign = a_run.run_id or ""
        assert await yours.exchanges(foreign) == []
        assert await yours.iterations(foreign) == []
        assert await yours.store.begun_calls(foreign) == []
        assert await yours.store.tool_uses(foreign) == []
        assert not await yours.store.claim(foreign)
        assert await service.for_principal(ANYBODY).history.page(RunQuery()) == ([], None)
        with pytest.raises(UnknownRun, match="no run yet"):
            await service.for_principal(ANYBODY).find_run("latest")
        assert sorted(await listed(service)) == sorted([foreign, b_run.run_id or ""])
        assert (await yours.history.prune("9999")).runs == 1
        assert await listed(mine) == [foreign]


async def test_the_same_question_of_two_people_is_two_runs(settings: Settings) -> None:
    async with opened(settings) as service:
        mine, yours = service.for_principal(A), service.for_principal(B)
        first = await answered(mine, REUSING)
        assert (await answered(mine, REUSING)).run_id == first.run_id
        second = await answered(yours, REUSING)
        assert second.run_id != first.run_id
        assert await service.find(REUSING) is None  # the local user's question is no other's


async def test_nobody_joins_a_working_run_of_somebody_else(settings: Settings) -> None:
    joining = replace(QUESTION, join=True)
    async with opened(settings, a=HANGS) as service, opened(settings, a=HANGS) as elsewhere:
        first = await service.for_principal(A).begin(joining)
        for process in (service, elsewhere):
            yours = process.for_principal(B)
            assert await yours.find(joining) is None
            again = await process.for_principal(A).begin(joining)
            assert (again.run_id, again.joined) == (first.run_id, True)
        yours = service.for_principal(B)
        second = await yours.begin(joining)
        assert second.run_id != first.run_id
        yours.cancel_here(first.run_id)  # no effect
        assert (await service.for_principal(A).wait(first.run_id, 0.1)).status == "working"


async def test_calls_at_once_of_one_person_come_to_one_run(settings: Settings) -> None:
    found: list[str] = []
    async with opened(settings, a=HANGS) as service:

        async def call() -> None:
            found.append(
                (await service.for_principal(A).begin(replace(QUESTION, join=True))).run_id
            )

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call)
    assert len({*found}) == 1


async def test_consortiums_of_one_name_are_each_their_owners(settings: Settings) -> None:
    async with opened(settings) as service:
        mine, yours = service.for_principal(A), service.for_principal(B)
        await mine.consortiums.save("panel", PANEL)
        with pytest.raises(UnknownConsortium, match="None is saved yet"):
            await yours.consortiums.find("panel")
        with pytest.raises(UnknownConsortium):
            await yours.begin(ConsultRequest("?", "panel", ConsortiumSettings()))
        with pytest.raises(UnknownConsortium):
            await yours.consortiums.delete("panel")
        await yours.consortiums.save("panel", replace(PANEL, system="Be brief."))
        assert (await yours.consortiums.find("panel")).system == "Be brief."
        assert (await mine.consortiums.find("panel")).system is None
        await yours.consortiums.delete("panel")
        assert [each.name for each in await mine.consortiums.all()] == ["panel"]


async def test_a_nested_run_is_its_parents_owners(settings: Settings) -> None:
    outer = ConsortiumSettings(models=["a", "inner"], arbiter="judge", strategy="vote")
    async with opened(settings) as service:
        mine, yours = service.for_principal(A), service.for_principal(B)
        await mine.consortiums.save("inner", PANEL)
        report = await answered(mine, replace(QUESTION, settings=outer))
        [parent, nested] = await listed(mine)
        assert parent == report.run_id
        assert await listed(yours) == []
        with pytest.raises(UnknownRun):
            await yours.store.report(nested)
        assert await yours.history.nested(parent) == []
        await mine.share(parent, "team")
        assert await listed(yours) == [parent, nested]
        assert (await yours.wait(nested, 0)).status == "completed"


async def test_what_is_shared_is_read_by_those_it_is_shared_with_and_changed_by_none(
    settings: Settings,
) -> None:
    async with opened(settings) as service:
        mine, yours, anybody = map(service.for_principal, (A, B, ANYBODY))
        run_id = (await answered(mine)).run_id or ""
        await mine.share(run_id, "team")
        assert await listed(yours, words="secret") == [run_id]
        assert await listed(anybody) == []
        assert len(await yours.exchanges(run_id)) == 2
        assert (await yours.store.record(run_id)).report.run_id == run_id
        continued = await answered(yours, replace(QUESTION, continue_run=run_id))
        assert continued.status == "completed"
        assert await listed(mine) == [run_id]  # what came of it is the other's
        rated = await yours.rate(run_id, correct=False, by="b")
        assert [rating.by for rating in rated.ratings] == ["b"]
        for change in (yours.cancel, lambda each: yours.share(each, "public")):
            with pytest.raises(NotYours, match="somebody else's"):
                await change(run_id)
        assert (await yours.costs("model")).lines[0].calls == 1  # of their own run
        await mine.share(run_id, "public")
        assert await listed(anybody) == [run_id]
        await mine.share(run_id, "private")
        assert run_id not in await listed(yours)
        with pytest.raises(UnknownRun):
            await yours.wait(run_id, 0)


async def test_a_shared_run_that_was_interrupted_is_resumed_by_its_owner_only(
    settings: Settings,
) -> None:
    async with opened(settings, a=HANGS) as service:
        mine = service.for_principal(A)
        run_id = await mine.consult(QUESTION)
        await mine.share(run_id, "team")
        report = await service.for_principal(B).wait(run_id, 0)
        assert report.status == "working"
    execute(settings, "UPDATE runs SET heartbeat = heartbeat - ?", [TEAM.told_seconds + 1])
    async with opened(settings) as service:
        with pytest.raises(NotYours):
            await service.for_principal(B).resume(run_id)
        with pytest.raises(NotYours):
            await service.for_principal(B).cancel(run_id)
        assert await service.for_principal(A).resume(run_id)


async def test_a_shared_consortium_is_used_by_others_who_may_have_their_own(
    settings: Settings,
) -> None:
    async with opened(settings) as service:
        mine, yours = service.for_principal(A), service.for_principal(B)
        await mine.consortiums.save("panel", PANEL)
        await mine.consortiums.share("panel", "team")
        report = await answered(yours, ConsultRequest("?", "panel", ConsortiumSettings()))
        assert (report.status, report.consortium) == ("completed", "panel")
        with pytest.raises(NotYours, match="somebody else's"):
            await yours.consortiums.delete("panel")
        with pytest.raises(NotYours):
            await yours.consortiums.share("panel", "private")
        await yours.consortiums.save("panel", replace(PANEL, system="Mine."), overwrite=True)
        assert (await yours.consortiums.find("panel")).system == "Mine."
        assert (await mine.consortiums.find("panel")).system is None
        await yours.consortiums.delete("panel")
        assert (await yours.consortiums.find("panel")).system is None


@ON_SQLITE
async def test_what_cannot_be_recorded_is_shown_to_its_owner_only(settings: Settings) -> None:
    async with opened(settings) as service:
        settings.database.parent.mkdir(parents=True, exist_ok=True)
        settings.database.mkdir()
        mine, yours = service.for_principal(A), service.for_principal(B)
        report = await answered(mine)
        assert "Not all of this run is recorded" in report.warnings[-1]
        run_id = report.run_id or ""
        assert len(await mine.exchanges(run_id)) == 2
        for look in (yours.exchanges, yours.iterations):
            with pytest.raises(StoreUnavailable):
                await look(run_id)
        with pytest.raises(StoreUnavailable):
            await yours.list_runs(RunQuery())
        assert (await mine.list_runs(RunQuery())).runs[0].run_id == run_id
        settings.database.rmdir()


async def test_rows_of_before_are_the_local_users(settings: Settings) -> None:
    async with opened(settings) as service:
        run_id = (await answered(service)).run_id or ""
        assert service.for_principal(LOCAL) is service
        assert service.for_principal(A) is service.for_principal(A)
        await service.consortiums.save("panel", PANEL)
    rows = execute(settings, "SELECT issuer, subject, visibility FROM runs")
    assert rows == [("local", "local", "private")]
    async with opened(settings) as service:
        assert await listed(service) == [run_id]
        assert await listed(service.for_principal(A)) == []
        with pytest.raises(ConfigError):
            await service.for_principal(A).consortiums.find("panel")
