"""Consortiums that are members and arbiters of others."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.databases.lease import TEAM
from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
from consortium_mcp.core.domain.errors import ConfigError, CyclicConsortium, MemberError, UnknownRun
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest, MemberSpec
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.service import Service
from tests.support.databases import execute
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, config, reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.ask import Question, Reply
    from consortium_mcp.core.records.run_summary import RunSummary
    from consortium_mcp.core.reports.report import RunReport

pytestmark = pytest.mark.anyio

HANGS = [3600.0, ""]
INNER = ConsortiumSettings(
    models=["c", "d"], arbiter="judge", strategy="vote", system="Think in Latin."
)
OUTER = ConsortiumSettings(models=["a", "inner"], arbiter="judge", strategy="vote")


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with plugin("fake", models(*(FakeAsync(name, "x") for name in ("a", "c", "d", "judge")))):
        yield


@asynccontextmanager
async def opened(settings: Settings, **script: Any) -> AsyncIterator[tuple[Service, FakeAsk]]:  # noqa: ANN401
    said = {"a": reply("42", 0.9), "judge": verdict()}
    said |= {name: reply("42", 0.8, text="Quia.") for name in ("c", "d")}
    ask = FakeAsk(**said | script)
    async with open_service(settings, ask=ask) as service:
        await service.consortiums.save("inner", INNER, overwrite=True)
        yield service, ask


async def consulted(service: Service, wanted: ConsortiumSettings = OUTER) -> RunReport:
    return await service.wait(await service.consult(ConsultRequest("Six × 7?", None, wanted)), 30)


async def test_the_records_of_a_run_are_its_own_and_those_of_its_nested_runs(
    settings: Settings,
) -> None:
    async with opened(settings) as (service, _):
        report = await consulted(service)
        first, nested = await service.records(str(report.run_id))
        assert first.report == report
        assert nested.parent is not None
        assert nested.parent.run_id == report.run_id
        assert nested.parent.call.startswith("1/member/")  # its label is the run's choice
        with pytest.raises(UnknownRun):
            await service.records("nope")


async def listed(service: Service) -> list[RunSummary]:
    return (await service.list_runs(RunQuery(9, None, None, None, None))).runs


async def test_a_consortium_answers_as_a_member_in_a_run_of_its_own(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        report = await consulted(service)
        member = next(m for m in report.members if m.model == "inner")
        assert (member.status, member.final_answer, member.supports) == ("answered", "42", True)
        assert member.stated_confidence == pytest.approx(0.8)  # what its own panel came to
        assert member.nested_run_id is not None
        nested = await service.wait(member.nested_run_id, 0)
        assert (nested.status, nested.consortium) == ("completed", "inner")
        assert nested.parent_run_id == report.run_id
        assert nested.synthesis == "Quia.\n42"
        assert [m.model for m in nested.members] == ["c", "d"]
        assert report.usage.calls == len(ask.questions) == 3  # no call is counted twice
        assert report.usage.output_tokens == 15
        systems = [q.system or "" for q in ask.questions if q.model in "cd"]
        assert all(s.startswith("Think in Latin.") for s in systems)
        assert all(s.count("<final_answer>") == 1 for s in systems)
        runs = await listed(service)
        assert [run.run_id for run in runs] == [report.run_id, nested.run_id]
        assert runs[1].parent_run_id == report.run_id


async def test_what_the_outer_panel_is_told_the_inner_one_is_told_too(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        await consulted(
            service, ConsortiumSettings(models=["a", "inner"], arbiter="judge", system="Be brief.")
        )
        [asked] = ask.asked("c")
        assert asked.system is not None
        assert asked.system.index("Think in Latin.") < asked.system.index("Be brief.")


async def test_a_consortium_judges_by_the_judge_its_verdict_stands_on(settings: Settings) -> None:
    surest = verdict(synthesis="The surest.", support="A", groups="", ranking="", confidence="0.9")
    other = verdict(synthesis="The other.", support="A", groups="", ranking="", confidence="0.7")
    wanted = ConsortiumSettings(
        models=["a"], arbiter="inner", strategy="synthesis", max_iterations=1
    )
    async with opened(settings, c=other, d=surest) as (service, ask):
        report = await consulted(service, wanted)
        assert (report.status, report.synthesis) == ("completed", "The surest.")
        assert report.arbiter == "inner"
        assert [q.model for q in ask.questions] == ["a", "c", "d"]
        [judged] = [e for e in await service.exchanges(report.run_id or "") if e.role == "arbiter"]
        assert judged.nested_run_id is not None


async def test_a_consortium_without_an_answer_is_a_failed_member(settings: Settings) -> None:
    down = MemberError("it is down", permanent=True)
    async with opened(settings, c=down, d=down) as (service, _):
        report = await consulted(service)
        assert (report.status, report.final_answer) == ("degraded", "42")
        member = next(m for m in report.members if m.model == "inner")
        assert member.status == "failed"
        assert "it is down" in (member.error or "")
        assert "(run 01" in (member.error or "")
        assert report.usage.calls == 3


async def test_a_degraded_nested_run_is_said(settings: Settings) -> None:
    async with opened(settings, d=MemberError("it is down")) as (service, _):
        report = await consulted(service)
        assert any("inner (run" in w and "degraded" in w for w in report.warnings)


async def test_nested_runs_spend_the_roots_budget(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        report = await consulted(service, ConsortiumSettings(**(vars(OUTER) | {"max_calls": 2})))
        assert len(ask.questions) == report.usage.calls == 2
        [nested] = await service.history.nested(report.run_id or "")
        assert (await service.wait(nested.run_id, 0)).stop_reason == "budget"


async def test_a_nested_run_ends_within_the_time_of_its_call(settings: Settings) -> None:
    async with opened(settings, d=HANGS) as (service, _):
        for seconds in (1.0, 10.0, 50.0):  # a busy machine may need more for what does answer
            wanted = ConsortiumSettings(**(vars(OUTER) | {"deadline_seconds": seconds}))
            with anyio.fail_after(60):
                report = await consulted(service, wanted)
            member = next(m for m in report.members if m.model == "inner")
            if member.final_answer is not None:
                break
        assert member.final_answer == "42"  # of the one that answered
        nested = await service.wait(member.nested_run_id or "", 0)
        assert (nested.status, report.final_answer) == ("degraded", "42")


async def nested_run(service: Service, run_id: str) -> str:
    """The nested run's id, once one of its members has answered."""
    with anyio.fail_after(60):
        while True:
            for run in await service.history.nested(run_id):
                if await service.exchanges(run.run_id):
                    return run.run_id
            await anyio.sleep(0.01)


async def test_cancelling_the_root_cancels_what_is_nested(settings: Settings) -> None:
    async with opened(settings, d=HANGS) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, OUTER))
        inner = await nested_run(service, run_id)
        assert (await service.cancel(run_id)).status == "cancelled"
        assert (await service.wait(inner, 10)).status == "cancelled"


async def test_a_nested_run_can_be_cancelled_alone(settings: Settings) -> None:
    async with opened(settings, d=HANGS) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, OUTER))
        inner = await nested_run(service, run_id)
        await service.cancel(inner)
        report = await service.wait(run_id, 20)
        assert (report.status, report.final_answer) == ("degraded", "42")
        assert any("cancelled" in (m.error or "") for m in report.members)


@pytest.mark.parametrize("ended", [False, True], ids=["at work", "ended"])
async def test_a_resumed_parent_goes_on_with_its_nested_run(
    settings: Settings, *, ended: bool
) -> None:
    slow = {"a": HANGS} if ended else {"d": HANGS}
    async with opened(settings, **slow) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, OUTER))
        inner = await nested_run(service, run_id)
        if ended:
            assert (await service.wait(inner, 20)).status == "completed"
    execute(  # killed, and before it could say so
        settings,
        "UPDATE runs SET status = 'working', heartbeat = heartbeat - ? WHERE run_id = ?",
        [TEAM.told_seconds + 1, run_id],
    )
    if ended:  # the parent did not hear of it any more
        execute(settings, "DELETE FROM exchanges WHERE run_id = ?", [run_id])
    async with opened(settings) as (service, ask):
        with (
            pytest.raises(ConfigError, match=f"part of run {run_id}")
            if not ended
            else (anyio.CancelScope())
        ):
            await service.resume(inner)
        assert await service.resume(run_id)
        report = await service.wait(run_id, 20)
        assert report.final_answer == "42"
        assert [q.model for q in ask.questions] == (["a"] if ended else ["d"])
        assert next(m for m in report.members if m.model == "inner").nested_run_id == inner
        assert report.usage.calls == 4  # with the one that was cut off
        assert len(await listed(service)) == 2


async def test_a_cycle_is_refused_when_it_is_saved(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        await service.consortiums.save("outer", OUTER)
        closing = ConsortiumSettings(models=["c", "outer"], arbiter="judge")
        with pytest.raises(CyclicConsortium, match="inner → outer → inner"):
            await service.consortiums.save("inner", closing, overwrite=True)
        own = ConsortiumSettings(models=["c"], arbiter="inner")
        with pytest.raises(CyclicConsortium, match="itself"):
            await service.consortiums.save("inner", own, overwrite=True)
        assert (await service.consortiums.find("inner")).members[0].model == "c"


async def test_a_cycle_that_arose_by_editing_is_refused_at_run_time(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        await service.consortiums.save("outer", OUTER)
        await SavedConsortiums(service.store).save(config("outer", name="inner"))
        with pytest.raises(CyclicConsortium, match="outer → inner → outer"):
            await service.consult(ConsultRequest("Six × 7?", "outer", ConsortiumSettings()))
        assert not ask.questions


async def test_an_edit_under_a_run_is_a_members_failure(settings: Settings) -> None:
    class Deleting(FakeAsk):
        async def __call__(self, question: Question, /) -> Reply:
            if question.model == "judge" and question.iteration == 1:
                await service.consortiums.delete("inner")
            return await super().__call__(question)

    said = {name: reply("42", 0.8) for name in ("a", "c", "d")}
    asking = Deleting(judge=verdict(confidence="0.5"), **said)
    wanted = ConsortiumSettings(
        models=["a", "inner"], arbiter="judge", strategy="synthesis", min_iterations=2
    )
    async with open_service(settings, ask=asking) as service:
        await service.consortiums.save("inner", INNER)
        report = await consulted(service, wanted)
        assert (report.status, report.final_answer) == ("degraded", "42")
        assert len(asking.asked("c")) == 1
        assert any("No consortium is saved as 'inner'" in w for w in report.warnings)


async def test_consortiums_stand_four_deep_and_no_deeper(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        for name, member in (("two", "inner"), ("three", "two")):
            await service.consortiums.save(
                name, ConsortiumSettings(models=["a", member], arbiter="judge", strategy="vote")
            )
        wanted = ConsortiumSettings(models=["three"], arbiter="judge", strategy="vote")
        report = await consulted(service, wanted)
        assert report.final_answer == "42"
        assert len(ask.questions) == 4
        assert len(await listed(service)) == 4
        await service.consortiums.save("four", wanted)
        with pytest.raises(CyclicConsortium, match="4 deep"):
            await service.consult(
                ConsultRequest("?", None, ConsortiumSettings(models=["four"], arbiter="judge"))
            )


async def test_what_an_inner_panel_lacks_is_said_before_anyone_is_asked(
    settings: Settings,
) -> None:
    locked = FakeAsync("locked", "x", consortium_missing=lambda: "a key: llm keys set x")
    with plugin("other", models(locked)):
        async with opened(settings) as (service, ask):
            await service.consortiums.save(
                "inner", ConsortiumSettings(models=["c", "locked"], arbiter="judge"), overwrite=True
            )
            planned = await service.consortiums.save("outer", OUTER)
            assert any(w.startswith("In inner: locked is not ready") for w in planned.warnings)
            with pytest.raises(ConfigError, match="llm keys set x"):
                await service.consult(ConsultRequest("?", "outer", ConsortiumSettings()))
            assert not ask.questions


async def test_options_for_a_consortium_are_named_as_of_no_use(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        member = MemberSpec(model="inner", options={"temperature": 0.1})
        report = await service.dry_run(
            ConsultRequest("?", None, ConsortiumSettings(models=["a", member], arbiter="judge"))
        )
        assert any("inner is a consortium: give options" in w for w in report.warnings)
        settings_of_arbiter = ConsortiumSettings(
            models=["a"], arbiter="inner", strategy="synthesis", arbiter_options={"temperature": 0}
        )
        report = await service.dry_run(ConsultRequest("?", None, settings_of_arbiter))
        assert any("inner is a consortium: give options" in w for w in report.warnings)


async def test_a_plan_counts_the_calls_of_nested_consortiums(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        wanted = ConsortiumSettings(
            models=["a", "inner"], arbiter="judge", strategy="vote", max_iterations=1
        )
        plan = (await service.dry_run(ConsultRequest("?", None, wanted))).plan
        assert plan is not None
        assert plan.most_calls >= 3
