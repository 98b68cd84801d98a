"""Runs that outlive their callers and their processes, at the service's level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.databases.lease import TEAM
from consortium_mcp.adapters.journal.recorder import Recorder
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.core.domain.errors import MemberError, UnknownModel, UnknownRun
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.services.runs.progress import Progress, ProgressReporter
from consortium_mcp.services.service import Service
from tests.support.databases import ON_SQLITE, execute
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, verdict
from tests.support.panels import PANEL, opened, panel_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport

pytestmark = pytest.mark.anyio

HANGS = [3600.0, ""]


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


_SILENCE_ON_SQLITE = (
    "CREATE TRIGGER silence AFTER UPDATE OF heartbeat ON runs"
    " WHEN new.status = 'working' AND new.owner = 'OWNER'"
    " BEGIN UPDATE runs SET heartbeat = old.heartbeat WHERE run_id = new.run_id; END"
)
_SILENT = (
    "CREATE FUNCTION silence() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN NEW.heartbeat = OLD.heartbeat; RETURN NEW; END'"
)
_SILENCE_ON_POSTGRES = (
    "CREATE TRIGGER silence BEFORE UPDATE OF heartbeat ON runs FOR EACH ROW"
    " WHEN (NEW.status = 'working' AND NEW.owner = 'OWNER') EXECUTE FUNCTION silence()"
)
SILENCE = {True: [_SILENCE_ON_SQLITE], False: [_SILENT, _SILENCE_ON_POSTGRES]}
"""Holds the heartbeats of one process back, on SQLite or not."""


def dead(settings: Settings, run_id: str) -> None:
    """Make the run look as if its process had been killed a while ago.

    Where the process lives, its heartbeats are held back from now on.
    """
    execute(
        settings,
        "UPDATE runs SET status = 'working', heartbeat = heartbeat - ? WHERE run_id = ?",
        [TEAM.told_seconds + 1, run_id],
    )
    [(owner,)] = execute(settings, "SELECT owner FROM runs WHERE run_id = ?", [run_id])
    for statement in SILENCE[settings.database_url is None]:
        execute(settings, statement.replace("OWNER", owner))


async def answered(service: Service, run_id: str, number: int = 1) -> None:
    """Wait until so many answers of the run are recorded."""
    with anyio.fail_after(60):
        while len(await service.exchanges(run_id)) < number:  # noqa: ASYNC110 (they are in a file)
            await anyio.sleep(0.01)


async def interrupted(settings: Settings, wanted: ConsortiumSettings = PANEL, **script: Any) -> str:  # noqa: ANN401
    """A run whose process ended while `a` had not answered."""
    async with opened(settings, **{"a": HANGS} | script) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted))
        await answered(service, run_id)
    return run_id


def same(one: RunReport, other: RunReport) -> bool:
    """Whether the reports tell the same: labels, ids, times and what was cut off aside."""

    def told(report: RunReport) -> dict[str, Any]:
        names = {m.label: m.model for m in report.members}
        said = report.model_dump(
            exclude={"run_id", "resource", "created_at", "members", "usage", "dissent", "warnings"}
        )
        said["usage"] = report.usage.model_dump(exclude={"seconds", "calls"})
        said["members"] = sorted(
            (m.model_dump(exclude={"label", "seconds"}) for m in report.members),
            key=lambda member: member["model"],
        )
        said["dissent"] = sorted(sorted(names[n] for n in d.labels) for d in report.dissent)
        return said

    return told(one) == told(other)


async def test_an_interrupted_run_goes_on_and_asks_only_what_is_missing(settings: Settings) -> None:
    run_id = await interrupted(settings)
    async with opened(settings) as (service, ask):
        report = await service.wait(run_id, 0)
        assert (report.status, report.next_step) == (
            "interrupted",
            f'resume_run(run_id="{run_id}", wait_seconds=120)',
        )
        assert [m.status for m in report.members if m.model == "b"] == ["answered"]
        assert await service.resume(run_id)
        resumed = await service.wait(run_id, 30)
        assert [q.model for q in ask.questions] == ["a", "judge"]
        assert resumed.usage.calls == 4  # the one that was cut off was paid for
        assert any("1 call was cut off" in warning for warning in resumed.warnings)
        undisturbed = await service.wait(
            await service.consult(ConsultRequest("Six × 7?", None, PANEL)), 30
        )
        assert same(resumed, undisturbed)
        assert resumed.created_at == report.created_at
        assert await service.store.report(run_id) == resumed


async def test_a_failure_that_was_recorded_is_not_asked_again_either(settings: Settings) -> None:
    run_id = await interrupted(settings, b=MemberError("HTTP 401", kind="auth", permanent=True))
    alone = verdict(support="A", groups="", ranking="")
    async with opened(settings, judge=alone) as (service, ask):
        assert await service.resume(run_id)
        report = await service.wait(run_id, 30)
        assert "b" not in [q.model for q in ask.questions]
        assert report.status == "degraded"
        assert next(m for m in report.members if m.model == "b").error == "HTTP 401"


async def test_a_budget_is_not_spent_anew(settings: Settings) -> None:
    wanted = replace(PANEL, max_calls=3)
    run_id = await interrupted(settings, wanted)
    async with opened(settings, judge=verdict(needs_iteration="true")) as (service, ask):
        await service.resume(run_id)
        report = await service.wait(run_id, 30)
        assert (report.stop_reason, report.usage.calls) == ("budget", 3)
        assert len(ask.questions) == 1  # one was answered before, and one was cut off


async def test_a_process_that_died_is_known_by_its_silence(settings: Settings) -> None:
    run_id = await interrupted(settings)
    dead(settings, run_id)
    async with opened(settings) as (service, _):
        assert (await service.wait(run_id, 30)).status == "interrupted"
        found = (await service.list_runs(RunQuery(9, None, None, "interrupted", None))).runs
        assert [(run.run_id, run.status, run.next_step) for run in found] == [
            (run_id, "interrupted", f'resume_run(run_id="{run_id}", wait_seconds=120)')
        ]
        assert (await service.list_runs(RunQuery(9, None, None, "working", None))).runs == []
        assert await service.resume(run_id)
        assert (await service.wait(run_id, 30)).status == "completed"


async def test_a_run_that_works_elsewhere_is_no_interrupted_one(settings: Settings) -> None:
    async with opened(settings, a=HANGS) as (service, _), opened(settings) as (other, ask):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        for each in (service, other):
            assert not await each.resume(run_id)
            found = (await each.list_runs(RunQuery(9, status="working"))).runs
            assert [run.run_id for run in found] == [run_id]
        assert ask.questions == []


async def test_what_has_ended_is_left_as_it_is(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        completed = await service.wait(run_id, 30)
        calls = len(ask.questions)
        assert not await service.resume(run_id)
        assert await service.cancel(run_id) == completed
        assert await service.wait(run_id, 0) == completed
        assert len(ask.questions) == calls


async def test_a_cancelled_run_is_not_resumed(settings: Settings) -> None:
    run_id = await interrupted(settings)
    async with opened(settings) as (service, ask):
        cancelled = await service.cancel(run_id)
        assert (cancelled.status, cancelled.stop_reason) == ("cancelled", "cancelled")
        assert cancelled.next_step is None
        assert not await service.resume(run_id)
        assert await service.wait(run_id, 0) == cancelled
        assert ask.questions == []


async def test_of_several_that_resume_a_run_one_does(settings: Settings) -> None:
    run_id = await interrupted(settings)
    began: list[bool] = []

    async def resume(service: Service) -> None:
        began.append(await service.resume(run_id))

    async with opened(settings) as (one, ask), opened(settings) as (two, other):
        async with anyio.create_task_group() as group:
            for service in (one, two, one, two):
                group.start_soon(resume, service)
        assert sorted(began) == [False, False, False, True]
        reports = [await service.wait(run_id, 30) for service in (one, two)]
        assert [report.status for report in reports] == ["completed", "completed"]
        assert len(ask.questions) + len(other.questions) == 2


async def test_a_run_of_another_process_can_be_cancelled(settings: Settings) -> None:
    async with opened(settings, a=HANGS) as (service, _), opened(settings) as (other, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await answered(service, run_id)
        report = await other.cancel(run_id)
        assert (report.status, report.stop_reason) == ("cancelled", "cancelled")
        assert (await service.wait(run_id, 0)).status == "cancelled"
        assert [m.status for m in report.members if m.model == "b"] == ["answered"]


async def test_a_cancel_that_a_dying_process_never_saw_still_holds(settings: Settings) -> None:
    async with opened(settings, a=HANGS) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await answered(service, run_id)
    async with opened(settings) as (other, _):
        # As it stood when it died:
        execute(settings, "UPDATE runs SET status = 'working', cancel_requested = true")
        dead(settings, run_id)
        report = await other.wait(run_id, 0)
        assert (report.status, report.stop_reason, report.next_step) == ("cancelled",) * 2 + (None,)
        assert not await other.resume(run_id)
        for status, count in (("cancelled", 1), ("interrupted", 0), ("working", 0)):
            found, _ = await other.history.page(RunQuery(limit=9, status=status))
            assert len(found) == count
            assert all(run.status == status for run in found)


async def test_a_process_that_was_silent_lets_go_of_what_another_goes_on_with(
    settings: Settings,
) -> None:
    async with opened(settings, a=HANGS) as (asleep, _), opened(settings) as (other, _):
        run_id = await asleep.consult(ConsultRequest("Six × 7?", None, PANEL))
        await answered(asleep, run_id)
        dead(settings, run_id)
        assert await other.resume(run_id)
        completed = await other.wait(run_id, 30)
        assert completed.status == "completed"
        assert await asleep.wait(run_id, 30) == completed
        assert len(await other.exchanges(run_id)) == 3


async def test_a_silent_process_that_nobody_replaced_goes_on(settings: Settings) -> None:
    awake = anyio.Event()
    async with opened(settings, a=[awake, reply("42", 0.9)]) as (asleep, _):
        run_id = await asleep.consult(ConsultRequest("Six × 7?", None, PANEL))
        await answered(asleep, run_id)
        dead(settings, run_id)
        async with opened(settings) as (other, _):
            assert (await other.wait(run_id, 0)).status == "interrupted"
            awake.set()
            assert (await asleep.wait(run_id, 30)).status == "completed"
            assert (await other.wait(run_id, 0)).status == "completed"


async def test_a_run_whose_models_are_not_here_is_left_for_where_they_are(
    settings: Settings,
) -> None:
    with plugin("more", models(FakeAsync("c", "x"))):
        wanted = replace(PANEL, models=["a", "b", "c"])
        run_id = await interrupted(settings, wanted, c=reply("42", 0.5))
    async with opened(settings) as (service, ask):
        with pytest.raises(UnknownModel, match="'c'"):
            await service.resume(run_id)
        assert (await service.wait(run_id, 0)).status == "interrupted"
        assert ask.questions == []


async def test_unknown_runs_are_clear_errors(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        for use in (service.resume, service.cancel):
            with pytest.raises(UnknownRun, match="No run has the id"):
                await use("nope")


async def test_who_waits_is_told_that_the_run_still_works() -> None:
    told: list[Progress] = []

    async def on_progress(progress: Progress) -> None:
        told.append(progress)

    reporter = ProgressReporter(on_progress)
    await reporter.report_waiting("nothing yet")
    await reporter.report_progress(Progress(1, 9, "an answer"))
    for _ in range(30):
        await reporter.report_waiting("waiting")
    await reporter.report_progress(Progress(2, 9, "another"))
    numbers = [progress.done for progress in told]
    assert numbers == sorted(set(numbers))
    assert [told[0].message, told[-1].total] == ["nothing yet", 9]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_silence_is_never_longer_than_five_seconds(
    settings: Settings, *, elsewhere: bool
) -> None:
    told: list[tuple[float, str]] = []

    async def on_progress(progress: Progress) -> None:
        told.append((anyio.current_time(), progress.message))

    async with opened(settings, a=HANGS) as (service, _), opened(settings) as (other, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await answered(service, run_id)
        began = anyio.current_time()
        await (other if elsewhere else service).wait(run_id, 5.5, on_progress)
    assert told[-1][0] - began <= 5
    assert ("another process" if elsewhere else "waiting for") in told[-1][1]
    assert elsewhere or "(a)" in told[-1][1]


def read_only(database: Path) -> None:
    """By its header, which binds even the superuser: a write version that SQLite does not know."""
    with database.open("r+b") as file:
        file.seek(18)
        file.write(b"\x03")


@ON_SQLITE
async def test_a_file_that_cannot_be_written_leaves_no_question_unanswered(
    settings: Settings,
) -> None:
    async with opened(settings) as (service, _):
        await service.store.check()
    read_only(settings.database)
    async with opened(settings) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        report = await service.wait(run_id, 30)
        assert (report.status, report.synthesis) == ("completed", "It is 42.")
        warning = report.warnings[-1]
        assert "Not all of this run is recorded" in warning
        assert "readonly" in warning
        assert "CONSORTIUM_DB" in warning
        assert await service.wait(run_id, 0) == report  # as long as this process lives


async def test_what_no_database_takes_does_not_hold_up_the_rest(settings: Settings) -> None:
    async with opened(settings, a=reply("42", 0.9)) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        await service.wait(run_id, 30)
        journal = Recorder(FakeAsk(), service.store, run_id)
        written: list[str] = []

        async def impossible() -> None:
            raise OverflowError("Python int too large")

        async def possible() -> None:
            written.append("yes")

        await journal.record("call", impossible, "A")
        await journal.record("call", possible, "B")
        assert written == ["yes"]
        assert "too large" in str(journal.problem)
        assert not journal.is_behind  # it would be tried again for ever


@pytest.mark.parametrize("said", ["It is 42 \\ud83d", "\\ud83d\\ude00"])
async def test_half_a_character_from_a_model_breaks_no_run(settings: Settings, said: str) -> None:
    verdict = f'{{"synthesis": "{said}.", "support": ["A", "B"], "confidence": 0.9}}'
    broken = MemberError("\ud83d is half a character")
    async with opened(settings, judge=verdict, a=[broken, reply("42", 0.9)]) as (service, _):
        run_id = await service.consult(
            ConsultRequest("Six × 7?", None, replace(PANEL, models=["a", "b", "b"]))
        )
        report = await service.wait(run_id, 30)
        assert report.status in {"completed", "degraded"}
        assert await service.store.report(run_id) == report


@ON_SQLITE
async def test_a_disk_that_fills_up_costs_no_answer(settings: Settings) -> None:
    store = Store(settings.database)
    async with opened(settings, store=store) as (service, _):
        await store.check()
        full = await store.file.read("PRAGMA page_count")
        limit = f"PRAGMA max_page_count = {full[0][0]}"  # holds for the connection that writes
        await store.file.write(lambda db: db.execute(limit))
        run_id = await service.consult(ConsultRequest("Six × 7? " + "x" * 100_000, None, PANEL))
        report = await service.wait(run_id, 30)
        assert (report.status, report.synthesis) == ("completed", "It is 42.")
        assert "disk is full. Free some space" in report.warnings[-1]
        runs = (await service.list_runs(RunQuery(20, None, None, None, None))).runs
        assert [(run.run_id, run.status) for run in runs] == [(run_id, "completed")]
        for other in (RunQuery(words="seven"), RunQuery(status="failed"), RunQuery(cursor="99")):
            assert (await service.list_runs(other)).runs == []
        with pytest.raises(UnknownRun):
            await store.report(run_id)


async def test_who_waits_in_another_process_hears_of_each_answer_and_of_the_end(
    settings: Settings,
) -> None:
    told: list[Progress] = []
    first, last = anyio.Event(), anyio.Event()

    async def on_progress(progress: Progress) -> None:
        told.append(progress)

    script: dict[str, Any] = {"a": [first, reply("42", 0.9)], "b": [last, reply("42", 0.9)]}
    async with opened(settings, **script) as (service, _), opened(settings) as (other, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        async with anyio.create_task_group() as group:
            group.start_soon(other.wait, run_id, 60, on_progress)
            first.set()
            with anyio.fail_after(60):
                while not any("1 of 2 members answered" in each.message for each in told):  # noqa: ASYNC110 (told by another process)
                    await anyio.sleep(0.01)
            last.set()
        assert (await other.wait(run_id, 0)).status == "completed"
    assert all("in another process" in each.message for each in told)
    assert [each.done for each in told] == sorted({each.done for each in told})
