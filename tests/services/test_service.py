from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from llm.plugins import pm

from consortium_mcp.adapters.journal.database import DatabaseFile
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.core.domain.errors import (
    ConfigError,
    InvalidMember,
    MemberError,
    StoreUnavailable,
    UnknownConsortium,
    UnknownModel,
    UnknownRun,
    UnknownStrategy,
)
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest, MemberSpec
from consortium_mcp.core.panel.known_models import CURRENT_MODELS
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.service import Service
from tests.support.databases import ON_SQLITE
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, verdict

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterator, Sequence

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.runs.progress import Progress

pytestmark = pytest.mark.anyio

PANEL = ConsortiumSettings(models=["a", "b"], arbiter="judge", strategy="synthesis")


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    missing = {"consortium_missing": lambda: "a key: llm keys set x"}
    tiny = {"consortium_demo": True}
    fakes = [FakeAsync(name, "x") for name in ("a", "b", "judge")]
    fakes += [FakeAsync("locked", "x", **missing)]
    fakes += [FakeAsync(name, "x", **tiny) for name in ("tiny-1", "tiny-2")]
    with plugin("fake", models(*fakes)):
        yield


def ask_of(**script: Any) -> FakeAsk:  # noqa: ANN401
    said = {"a": reply("42", 0.9), "b": reply("42", 0.9), "judge": verdict()}
    return FakeAsk(**said | script)


@asynccontextmanager
async def opened(settings: Settings, **script: Any) -> AsyncIterator[tuple[Service, FakeAsk]]:  # noqa: ANN401
    ask = ask_of(**script)
    async with open_service(settings, ask=ask) as service:
        yield service, ask


async def consulted(
    service: Service, wanted: ConsortiumSettings = PANEL, prompt: str = "Six × 7?"
) -> RunReport:
    return await service.wait(await service.consult(ConsultRequest(prompt, None, wanted)), 30)


async def test_a_consultation_is_recorded_whole(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        report = await consulted(service)
        assert (report.status, report.synthesis) == ("completed", "It is 42.")
        assert report.run_id is not None
        assert report.usage.calls == 3
        assert report.usage.input_tokens == 30
        assert report.usage.output_tokens == 15
        assert await service.store.report(report.run_id) == report
        exchanges = await service.exchanges(report.run_id)
        assert [e.role for e in exchanges] == ["member", "member", "arbiter"]
        assert [e.prompt for e in exchanges] == [q.prompt for q in ask.questions]
        [saved] = await service.store.iterations(report.run_id)
        assert saved.verdict is not None
        assert (saved.number, saved.verdict.synthesis) == (1, "It is 42.")


async def test_the_run_stands_in_the_journal_before_any_model_is_called(
    settings: Settings,
) -> None:
    seen: list[str] = []

    class Looking(FakeAsk):
        async def __call__(self, question, /):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
            runs, _ = await service.history.page(RunQuery(limit=9))
            seen.extend(run.status for run in runs)
            return await super().__call__(question)

    looking = Looking(a=reply("42", 1), judge=verdict(support="", groups="", ranking=""))
    async with open_service(settings, ask=looking) as service:
        await consulted(service, replace(PANEL, models=["a"], max_iterations=1))
    assert seen == ["working", "working"]


async def test_progress_names_every_answer_and_verdict(settings: Settings) -> None:
    told: list[Progress] = []

    async def on_progress(progress: Progress) -> None:
        told.append(progress)

    async with opened(settings, b=MemberError("down")) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await service.wait(run_id, 30, on_progress)
    assert told[-2].message.startswith("iteration 3 of 3: ") or told[0].total == 9
    messages = [p.message for p in told[:3]]
    assert messages[0] in {
        "iteration 1 of 3: 1 of 2 members answered",
        "iteration 1 of 3: 0 of 2 members answered, 1 failed",
    }
    assert messages[1] == "iteration 1 of 3: 1 of 2 members answered, 1 failed"
    assert messages[2].startswith("iteration 1 of 3: verdict, confidence 0.")
    assert [p.done for p in told] == sorted({p.done for p in told})


async def test_a_wait_that_is_over_leaves_the_run_going(settings: Settings) -> None:
    async with opened(settings, a=[0.2, reply("42", 0.9)]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        early = await service.wait(run_id, 0)
        assert early.status == "working"
        assert early.next_step == f'get_run(run_id="{run_id}", wait_seconds=40)'
        assert (await service.wait(run_id, 30)).status == "completed"


async def test_a_cancelled_run_keeps_what_was_answered(settings: Settings) -> None:
    async with opened(settings, a=[3600.0, ""]) as (service, _):
        answered = anyio.Event()

        async def on_progress(_progress: Progress) -> None:
            answered.set()

        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        async with anyio.create_task_group() as group:
            group.start_soon(service.wait, run_id, 30, on_progress)
            await answered.wait()
            cancelled = await service.cancel(run_id)
        report = await service.wait(run_id, 30)
        assert cancelled == report
        assert (report.status, report.stop_reason) == ("cancelled", "cancelled")
        assert [m.status for m in report.members if m.model == "b"] == ["answered"]
        assert len(await service.exchanges(run_id)) == 1
        assert await service.cancel(run_id) == report


async def test_runs_that_work_when_the_service_ends_are_interrupted(settings: Settings) -> None:
    async with opened(settings, a=[3600.0, ""]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await service.wait(run_id, 0)
    async with opened(settings) as (service, _):
        assert (await service.wait(run_id, 0)).status == "interrupted"


@ON_SQLITE
async def test_a_journal_that_fails_loses_no_answer_and_says_so(settings: Settings) -> None:
    goes_on = anyio.Event()
    async with opened(settings, a=[goes_on, reply("42", 0.9)]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        while (await service.store.report(run_id)).usage.calls < 2:  # noqa: ASYNC110 (in a file)
            await anyio.sleep(0.01)
        await service.store.close()
        settings.database.rename(settings.database.with_suffix(".away"))
        settings.database.mkdir()
        goes_on.set()
        report = await service.wait(run_id, 30)
        assert report.synthesis == "It is 42."
        assert any("Not all of this run is recorded" in warning for warning in report.warnings)
        assert any("CONSORTIUM_DB" in warning for warning in report.warnings)


@ON_SQLITE
async def test_what_could_not_be_recorded_is_recorded_once_it_can_be(settings: Settings) -> None:
    away = settings.database.with_suffix(".away")
    first_answer = anyio.Event()

    async def on_progress(_progress: Progress) -> None:
        first_answer.set()

    async with opened(settings, a=[0.5, reply("42", 0.9)]) as (service, _):
        await service.store.check()
        await service.store.close()
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await service.store.close()
        settings.database.rename(away)
        settings.database.mkdir()
        async with anyio.create_task_group() as group:
            group.start_soon(service.wait, run_id, 30, on_progress)
            await first_answer.wait()
            settings.database.rmdir()
            away.rename(settings.database)
        report = await service.wait(run_id, 30)
        assert not any("recorded" in warning for warning in report.warnings)
        assert len(await service.exchanges(run_id)) == 3
        assert await service.store.report(run_id) == report


async def test_the_run_of_another_process_is_waited_for_too(settings: Settings) -> None:
    async with opened(settings, a=[0.3, reply("42", 0.9)]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        async with opened(settings) as (other, _):
            assert (await other.wait(run_id, 0)).status == "working"
            assert (await other.wait(run_id, 30)).status == "completed"


async def test_a_wait_of_negative_length_is_refused(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(ConfigError, match="0 or more"):
            await service.wait("any", -1)


async def test_a_dry_run_tells_who_and_how_much_and_calls_nobody(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        plan = await service.dry_run(ConsultRequest("Six × 7?", None, PANEL))
        assert ask.questions == []
        assert (await service.history.page(RunQuery(limit=9)))[0] == []
    assert (plan.status, plan.run_id, plan.resource, plan.next_step) == ("planned", *[None] * 3)
    assert plan.plan is not None
    assert (plan.plan.fewest_calls, plan.plan.most_calls) == (3, 12)
    assert plan.plan.estimated_input_tokens > 100
    assert [m.status for m in plan.members] == ["waiting", "waiting"]


async def test_a_plan_for_models_that_only_count_needs_no_arbiter(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        plan = await service.dry_run(
            ConsultRequest("?", None, ConsortiumSettings(models=["tiny-1", "tiny-2"]))
        )
    assert plan.plan is not None
    assert (plan.plan.fewest_calls, plan.plan.most_calls) == (2, 9)


async def test_a_dry_run_warns_of_what_may_go_wrong(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        wanted = replace(PANEL, models=["a"], arbiter="a", max_calls=5)
        plan = await service.dry_run(ConsultRequest("word " * 10_000, None, wanted))
    assert plan.plan is not None
    assert plan.plan.most_calls == 5
    text = " ".join(plan.warnings)
    for said in ("Only one member", "also a member", "context"):
        assert said in text


async def test_a_plan_whose_budget_is_too_small_says_so(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        plan = await service.dry_run(ConsultRequest("?", None, replace(PANEL, max_calls=2)))
    assert plan.plan is not None
    assert (plan.plan.fewest_calls, plan.plan.most_calls) == (2, 2)
    assert any("the least that this panel needs is 3 calls" in w for w in plan.warnings)


async def test_a_budget_ends_the_run_and_keeps_what_it_bought(settings: Settings) -> None:
    doubtful = verdict(needs_iteration="true")
    async with opened(settings, judge=doubtful) as (service, ask):
        report = await consulted(service, replace(PANEL, max_calls=5))
        assert (report.status, report.stop_reason) == ("completed", "budget")
        assert report.usage.calls == len(ask.questions) == 3
        short = await consulted(service, replace(PANEL, max_calls=2))
        assert (short.status, short.stop_reason) == ("degraded", "budget")
        assert short.synthesis == "I counted.\n42"
        nothing = await consulted(service, replace(PANEL, max_total_tokens=10))
        assert (nothing.status, nothing.stop_reason) == ("failed", "budget")
        assert nothing.usage.calls == 0
        assert "max_total_tokens is 10" in str(nothing.error)


async def test_a_passing_fault_is_tried_again_and_every_try_is_counted(
    settings: Settings,
) -> None:
    hiccup = MemberError("HTTP 429", passing=True, retry_after=0.0)
    async with opened(settings, a=[hiccup, reply("42", 0.9)]) as (service, _):
        report = await consulted(service)
        assert report.status == "completed"
        assert report.usage.calls == 4
        assert any("answered at try 2, after: HTTP 429" in w for w in report.warnings)
        assert len(await service.exchanges(report.run_id or "")) == 3


async def test_the_report_does_not_wait_for_who_the_quorum_did_not(settings: Settings) -> None:
    quick = replace(PANEL, models=["a:3", "b"], quorum=0.75, straggler_grace=0, max_iterations=1)
    said = verdict(support="", groups="", ranking="")
    async with opened(settings, b=[anyio.Event(), ""], judge=said) as (service, _):
        report = await consulted(service, quick)
        assert report.status == "degraded"
        assert (report.answered, report.asked) == (3, 4)
        assert any("the quorum had answered" in warning for warning in report.warnings)
        assert len(await service.exchanges(report.run_id or "")) == 4
    async with opened(settings) as (service, _):  # the first has ended and waited for nobody
        late = await service.wait(report.run_id or "", 0)
        assert late.synthesis == report.synthesis


async def test_a_late_answer_is_recorded_while_its_server_lives(settings: Settings) -> None:
    quick = replace(PANEL, models=["a:3", "b"], quorum=0.75, straggler_grace=0, max_iterations=1)
    script = {"b": [0.3, reply("41", 0.3)], "judge": verdict(support="", groups="", ranking="")}
    async with opened(settings, **script) as (service, _):
        report = await consulted(service, quick)
        run_id = report.run_id or ""
        with anyio.fail_after(60):
            while len(await service.exchanges(run_id)) < 5:  # noqa: ASYNC110 (it is in a file)
                await anyio.sleep(0.02)
        late = next(e for e in await service.exchanges(run_id) if e.model == "b")
        assert "41" in str(late.reply)


async def test_a_fault_in_a_run_reaches_who_waits_and_nobody_else(settings: Settings) -> None:
    class Broken(FakeAsk):
        async def __call__(self, question, /):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
            if question.model == "a":
                raise ZeroDivisionError
            return await super().__call__(question)

    broken = Broken(b=reply("42", 0.9), judge=verdict(support="", groups="", ranking=""))
    async with open_service(settings, ask=broken) as service:
        first = await service.consult(
            ConsultRequest("?", None, ConsortiumSettings(models=["a"], arbiter="judge"))
        )
        with pytest.raises(ZeroDivisionError):
            await service.wait(first, 30)
        report = await consulted(service, replace(PANEL, models=["b"], max_iterations=1))
        assert report.status == "completed"
        assert (await service.wait(first, 0)).status == "interrupted"


@pytest.mark.parametrize(
    ("prompt", "wanted", "error", "remedy"),
    [
        (" \n", PANEL, ConfigError, "prompt is empty"),
        ("\x00\u200b", PANEL, ConfigError, "prompt is empty"),
        ("?", ConsortiumSettings(models=[]), ConfigError, "Name the members"),
        ("?", ConsortiumSettings(models=["a"], quorum=75), ConfigError, "0.75 for three of four"),
        ("?", ConsortiumSettings(models=["a"], max_calls=0), ConfigError, "1 or more"),
        (
            "?",
            ConsortiumSettings(models=["a"], straggler_grace=-1),
            ConfigError,
            "0 seconds or more",
        ),
        ("?", ConsortiumSettings(models=["a"], arbiters=["nobody"]), UnknownModel, "nobody"),
        ("?", ConsortiumSettings(models=["gpt-4oo"]), UnknownModel, "gpt-4o"),
        ("?", ConsortiumSettings(models=["gpt-4o:0"]), InvalidMember, "1 to 32"),
        ("?", ConsortiumSettings(models=["gpt-4o:99"]), InvalidMember, "1 to 32"),
        ("?", ConsortiumSettings(models=["claude-x"]), UnknownModel, "llm-anthropic, which is not"),
        ("?", ConsortiumSettings(models=["a", "locked"]), UnknownModel, "llm keys set x"),
        (
            "?",
            ConsortiumSettings(models=["a"], arbiter="nobody"),
            UnknownModel,
            "Unknown model 'nobody'",
        ),
        (
            "?",
            ConsortiumSettings(models=["a"], confidence_threshold=1.5),
            ConfigError,
            "0.8 for 80",
        ),
        ("?", ConsortiumSettings(models=["a"], confidence_threshold=80), ConfigError, "0.8 for 80"),
        ("?", ConsortiumSettings(models=["a"], min_iterations=4), ConfigError, "greater than max"),
        ("?", ConsortiumSettings(models=["a"], strategy="best"), UnknownStrategy, "synthesis"),
        (
            "?",
            ConsortiumSettings(models=["a"], sampling="half"),
            ConfigError,
            "full, adaptive, thrifty",
        ),
        (
            "?",
            ConsortiumSettings(models=["a"], strategy="roles", sampling="thrifty"),
            ConfigError,
            "sampling",
        ),
        (
            "?",
            ConsortiumSettings(models=["a"], strategy="debate", escalate_to="b"),
            ConfigError,
            "vote",
        ),
        ("?", ConsortiumSettings(models=["a"], escalate_to="nobody"), UnknownModel, "nobody"),
        (
            "?",
            ConsortiumSettings(models=["a"], escalate_to="locked"),
            UnknownModel,
            "llm keys set x",
        ),
        (
            "?",
            ConsortiumSettings(models=["a"], arbiter="tiny-1", strategy="synthesis"),
            ConfigError,
            "tally",
        ),
    ],
)
async def test_bad_input_is_refused_before_anything_is_called_or_recorded(
    settings: Settings, prompt: str, wanted: ConsortiumSettings, error: type[Exception], remedy: str
) -> None:
    async with opened(settings) as (service, ask):
        with pytest.raises(error, match=remedy):
            await service.consult(ConsultRequest(prompt, None, wanted))
        assert ask.questions == []
        assert (await service.history.page(RunQuery(limit=9)))[0] == []


async def test_unknown_runs_and_consortiums_are_clear_errors(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(UnknownRun, match="No run has the id"):
            await service.wait("nope", 0)
        with pytest.raises(UnknownConsortium, match="is saved as"):
            await service.consult(ConsultRequest("?", "nope", ConsortiumSettings()))


async def test_a_saved_consortium_is_used_and_can_be_overridden(settings: Settings) -> None:
    wanted = ConsortiumSettings(
        models=["a:2", MemberSpec(model="b", system="Be b.", options={"temperature": 0.1})],
        arbiter="judge",
        system="Be brief.",
        confidence_threshold=0.5,
    )
    async with opened(settings, judge=verdict(support="", groups="", ranking="")) as (service, _):
        planned = await service.consortiums.save("mine", wanted)
        assert [m.model for m in planned.config.members] == ["a", "a", "b"]
        assert planned.config.members[2].system == "Be b."
        assert (
            await service.resolver.resolve("mine", ConsortiumSettings())
        ).config == planned.config
        other = (
            await service.resolver.resolve(
                "mine", ConsortiumSettings(models=["b"], max_iterations=7)
            )
        ).config
        assert [m.model for m in other.members] == ["b"]
        assert (other.max_iterations, other.system, other.arbiter) == (7, "Be brief.", "judge")
        run_id = await service.consult(
            ConsultRequest("?", "mine", ConsortiumSettings(max_iterations=1))
        )
        assert (await service.wait(run_id, 30)).consortium == "mine"


async def test_another_consortium_of_the_name_is_replaced_only_when_told_to(
    settings: Settings,
) -> None:
    async with opened(settings) as (service, _):
        await service.consortiums.save("mine", PANEL)
        await service.consortiums.save("mine", PANEL)  # the same again is no other
        other = replace(PANEL, models=["b:2"], max_iterations=7)
        with pytest.raises(ConfigError, match=r"members \(a, b there, b, b here\), max_iterations"):
            await service.consortiums.save("mine", other)
        assert (await service.consortiums.find("mine")).max_iterations == 3
        await service.consortiums.save("mine", other, overwrite=True)
        assert (await service.consortiums.find("mine")).max_iterations == 7
        cloned = await service.consortiums.save(
            "twin", ConsortiumSettings(min_iterations=2), clone="mine"
        )
        assert (cloned.config.max_iterations, cloned.config.min_iterations) == (7, 2)
        assert [m.model for m in cloned.config.members] == ["b", "b"]
        with pytest.raises(UnknownConsortium):
            await service.consortiums.save("new", ConsortiumSettings(), clone="nobody")


async def test_the_name_of_a_model_is_no_name_for_a_consortium(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(ConfigError, match=r"a name of the model a \(fake\)"):
            await service.consortiums.save("a", PANEL)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "-x", "ä"])
async def test_names_that_could_not_be_addressed_are_refused(settings: Settings, name: str) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(ConfigError, match="letters, digits"):
            await service.consortiums.save(name, PANEL)


async def test_a_consortium_needs_members(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(ConfigError, match="Name the members"):
            await service.consortiums.save("mine", ConsortiumSettings())


async def test_a_missing_key_only_warns_when_saving(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        wanted = ConsortiumSettings(models=["a", "locked"], arbiter="judge")
        planned = await service.consortiums.save("mine", wanted)
        assert any("locked is not ready" in warning for warning in planned.warnings)


async def test_what_a_user_should_know_is_said(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        alone = await service.resolver.resolve(None, ConsortiumSettings(models=["a"]))
        assert any("Only one member" in warning for warning in alone.warnings)
        assert any("also a member" in warning for warning in alone.warnings)
        tiny = await service.resolver.resolve(None, ConsortiumSettings(models=["tiny-1", "tiny-2"]))
        assert tiny.config.strategy == "tally"
        assert any("Demo tier" in warning for warning in tiny.warnings)
        assert (await service.resolver.resolve(None, PANEL)).warnings == ()


async def test_without_a_named_panel_the_one_called_default_is_asked(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        await service.consortiums.save("default", PANEL)
        config = (await service.resolver.resolve(None, ConsortiumSettings(max_iterations=2))).config
        assert (config.name, config.max_iterations) == ("default", 2)


@ON_SQLITE
async def test_a_database_that_cannot_be_read_is_no_reason_not_to_answer(
    settings: Settings,
) -> None:
    class Unreadable(DatabaseFile):
        async def read(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
            del sql, values
            raise StoreUnavailable("disk I/O error")

    store = Store(settings.database)
    store.file = Unreadable(settings.database)
    async with open_service(settings, ask=ask_of(), store=store) as service:
        report = await service.dry_run(ConsultRequest("?", None, ConsortiumSettings()))
        assert [m.model for m in report.members] == ["tiny-1", "tiny-2"]
        assert sum("could not be read: disk I/O error" in w for w in report.warnings) == 2
        with pytest.raises(StoreUnavailable):  # who names a consortium means that one
            await service.consult(ConsultRequest("?", "mine", ConsortiumSettings()))


async def test_else_the_current_models_that_are_ready(settings: Settings) -> None:
    one, two = CURRENT_MODELS["gemini"][0], CURRENT_MODELS["mistral"][0]
    async with opened(settings) as (service, _):
        with plugin("cloud", models(FakeAsync(one, "x"), FakeAsync(two, "x"))):
            config = (await service.resolver.resolve(None, ConsortiumSettings())).config
    assert [m.model for m in config.members] == [one, two]
    assert (config.arbiter, config.strategy) == (one, "auto")


async def test_else_those_that_the_user_has_set(settings: Settings) -> None:
    chosen = replace(settings, default_models=("tiny-2:2", "tiny-1"))
    async with opened(chosen) as (service, _):
        config = (await service.resolver.resolve(None, ConsortiumSettings())).config
    assert [m.model for m in config.members] == ["tiny-2", "tiny-2", "tiny-1"]


async def test_else_those_of_a_local_server(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        with plugin("ollama", models(FakeAsync("qwen4:8b", "x"), FakeAsync("llama4:8b", "x"))):
            config = (await service.resolver.resolve(None, ConsortiumSettings())).config
    assert {m.model for m in config.members} == {"llama4:8b", "qwen4:8b"}


async def test_else_the_local_ones(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        config = (await service.resolver.resolve(None, ConsortiumSettings())).config
        assert [m.model for m in config.members] == ["tiny-1", "tiny-2"]
        assert config.strategy == "tally"


async def test_else_the_three_ways_out_are_named(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        registered = pm.get_plugin("fake")
        pm.unregister(registered)
        try:
            with pytest.raises(ConfigError) as caught:
                await service.resolver.resolve(None, ConsortiumSettings())
        finally:
            pm.register(registered, name="fake")
    for way in ("llm keys set", "setup-local", "`default`", "Ready: none"):
        assert way in str(caught.value)


async def test_a_key_that_came_meanwhile_is_noticed(settings: Settings) -> None:
    missing: list[str | None] = ["a key"]
    late = FakeAsync("late", "x", consortium_missing=lambda: missing[0])
    async with opened(settings) as (service, _):
        with plugin("late", models(late)):
            with pytest.raises(UnknownModel, match="a key"):
                await service.resolver.resolve(None, ConsortiumSettings(models=["late"]))
            missing[0] = None
            assert (
                await service.resolver.resolve(None, ConsortiumSettings(models=["late"]))
            ).config


@pytest.mark.parametrize("cursor", ["abc", "-1", "1.5", "9" * 40])
async def test_a_cursor_that_is_none_is_refused(settings: Settings, cursor: str) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(ConfigError, match="next_cursor"):
            await service.list_runs(RunQuery(20, cursor, None, None, None))


@pytest.mark.parametrize("limit", [0, 101, -5])
async def test_a_limit_out_of_bounds_is_refused(settings: Settings, limit: int) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(ConfigError, match="between 1 and 100"):
            await service.list_runs(RunQuery(limit, None, None, None, None))


async def test_a_consultation_from_inside_one_is_refused_with_the_reason(
    settings: Settings,
) -> None:
    async with open_service(replace(settings, depth=1), ask=FakeAsk()) as service:
        with pytest.raises(ConfigError, match="from inside a consultation"):
            await service.consult(ConsultRequest("?", None, ConsortiumSettings(models=["a"])))


async def test_nothing_is_said_of_an_arbiter_that_was_not_asked(settings: Settings) -> None:
    panel = replace(PANEL, arbiter="a", strategy="auto")
    async with opened(settings) as (service, _):
        unanimous = await service.wait(
            await service.consult(ConsultRequest("Six × 7?", None, panel)), 30
        )
        planned = await service.dry_run(ConsultRequest("Six × 7?", None, panel))
    assert unanimous.final_answer == "42"
    assert not any("also a member" in warning for warning in unanimous.warnings)
    assert any("also a member" in warning for warning in planned.warnings)
