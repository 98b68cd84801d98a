"""A journal that is locked, damaged or not there costs no answer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.journal.database import DatabaseFile
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
from consortium_mcp.adapters.sqlite.damage import all_set_aside
from consortium_mcp.adapters.sqlite.patience import Patience, current_patience
from consortium_mcp.core.domain.errors import StoreBusy, StoreUnavailable, UnknownModel
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.services.runs.supervisor import HEARTBEAT_SECONDS
from tests.support.damage import DAMAGED, UNUSABLE, damage_page, page_of
from tests.support.databases import ON_SQLITE
from tests.support.fakes import config, reply, verdict
from tests.support.locks import LOCKS, locked
from tests.support.panels import PANEL, opened, panel_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

pytestmark = [pytest.mark.anyio, ON_SQLITE]

THREE_ITERATIONS = replace(PANEL, min_iterations=3, max_iterations=3)
HANG_SECONDS = 60


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def consulted(service: Service, wanted: ConsortiumSettings = PANEL) -> RunReport:
    with anyio.fail_after(HANG_SECONDS):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted))
        return await service.wait(run_id, HANG_SECONDS)


async def filled(settings: Settings) -> None:
    """A journal with a few runs."""
    async with opened(settings) as (service, _):
        for _number in range(5):
            await consulted(service)


async def recorded(service: Service, run_id: str | None) -> None:
    """Wait until all of the run is recorded."""

    async def complains() -> bool:
        report = await service.wait(run_id or "", 0)
        return any("Not all of this run" in warning for warning in report.warnings)

    with anyio.fail_after(HANG_SECONDS):
        while await missing(service, run_id) or await complains():  # noqa: ASYNC110 (in a file)
            await anyio.sleep(HEARTBEAT_SECONDS / 10)


async def missing(service: Service, run_id: str | None) -> bool:
    rows = await service.store.file.read("SELECT status FROM runs WHERE run_id = ?", [run_id])
    return [row["status"] for row in rows] != ["completed"]


@pytest.mark.parametrize("wanted", [PANEL, THREE_ITERATIONS], ids=["1", "3"])
@pytest.mark.parametrize("lock", LOCKS)
async def test_an_answer_comes_while_another_holds_the_lock_and_is_written_afterwards(
    settings: Settings, lock: str, wanted: ConsortiumSettings
) -> None:
    await filled(settings)
    async with opened(settings) as (service, ask):
        with locked(settings.database, LOCKS[lock]):
            report = await consulted(service, wanted)
            assert (report.status, report.synthesis) == ("completed", "It is 42.")
            assert "locked by another program" in report.warnings[-1]
            assert f"missing: the run, {len(ask.questions)} calls" in report.warnings[-1]
            run_id = report.run_id or ""
            page = await service.list_runs(RunQuery())
            assert page.runs[0].run_id == run_id
            assert len(page.runs) == 6 or "locked" in page.notes[0]
            assert len(await service.exchanges(run_id)) == len(ask.questions)
            assert len(await service.iterations(run_id)) == report.iterations
        await recorded(service, run_id)
        assert len(await service.store.exchanges(run_id)) == len(ask.questions)
        assert len(await service.store.iterations(run_id)) == report.iterations
        saved = await service.store.report(run_id)
        assert not any("Not all of this run" in warning for warning in saved.warnings)
        assert len((await service.list_runs(RunQuery())).runs) == 6


async def test_a_lock_that_comes_and_goes_in_a_run_loses_nothing(settings: Settings) -> None:
    async with opened(settings, a=[0.5, reply("42", 0.9)], judge=[1.5, verdict()]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        with locked(settings.database):
            with anyio.fail_after(HANG_SECONDS):
                while len(await service.exchanges(run_id)) < 2:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
        report = await service.wait(run_id, HANG_SECONDS)
        await recorded(service, run_id)
        assert len(await service.store.exchanges(run_id)) == 3
        assert await service.store.report(run_id) == await service.wait(run_id, 0)
    assert report.synthesis == "It is 42."


async def test_all_that_a_run_does_with_the_journal_draws_on_one_patience(
    settings: Settings,
) -> None:
    seen: list[Patience | None] = []

    class Watched(DatabaseFile):
        async def write(self, change: Callable[[sqlite3.Connection], Any]) -> Any:  # noqa: ANN401
            if "beat" not in change.__qualname__:  # the process's own, at its own times
                seen.append(current_patience())
            return await super().write(change)

        async def read(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
            seen.append(current_patience())
            return await super().read(sql, values)

    store = Store(settings.database)
    store.file = Watched(settings.database)
    inner = config("a", "b", name="inner")
    async with opened(settings, store=store) as (service, _):
        await SavedConsortiums(store).save(inner)
        seen.clear()
        await consulted(service, replace(PANEL, models=["inner", "a"]))
        first, *_ = seen
        assert first is not None
        assert len(seen) > 20
        assert set(seen) == {first}


async def test_a_run_that_only_this_process_knows_can_be_continued(settings: Settings) -> None:
    await filled(settings)
    async with opened(settings) as (service, _):
        with locked(settings.database):
            first = await consulted(service)
            request = ConsultRequest("And × 2?", None, PANEL, continue_run=first.run_id)
            second = await service.wait(await service.consult(request), HANG_SECONDS)
            assert second.continues == first.run_id
        await recorded(service, second.run_id)


async def test_what_the_process_could_not_write_before_its_end_is_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(settings)
    with locked(settings.database):
        async with opened(settings) as (service, _):
            report = await consulted(service)
    assert f"run {report.run_id}: Not all of this run is recorded (missing:" in caplog.text


@pytest.mark.parametrize("damage", DAMAGED)
async def test_a_damaged_journal_costs_no_answer_and_is_told(
    settings: Settings, damage: Callable[[Path], None]
) -> None:
    await filled(settings)
    damage(settings.database)
    async with opened(settings) as (service, _):
        report = await consulted(service)
        assert (report.status, report.synthesis) == ("completed", "It is 42.")
        page = await service.list_runs(RunQuery())
        [aside] = all_set_aside(settings.database)
        assert [str(aside)] == page.notes
        assert str(aside) in (await service.store.report(report.run_id or "")).warnings
        assert [run.run_id for run in page.runs] == [report.run_id]


async def test_a_run_whose_journal_breaks_is_written_whole_into_the_new_one(
    settings: Settings,
) -> None:
    await filled(settings)
    async with opened(settings, judge=[0.5, verdict()]) as (service, _):
        run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
        with anyio.fail_after(HANG_SECONDS):
            while len(await service.exchanges(run_id)) < 2:  # noqa: ASYNC110 (it is in a file)
                await anyio.sleep(0.01)
        with closing(sqlite3.connect(settings.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for table in ("exchanges", "runs", "iterations"):
            damage_page(settings.database, page_of(settings.database, table))
        report = await service.wait(run_id, HANG_SECONDS)
        assert report.synthesis == "It is 42."
        assert all_set_aside(settings.database) != ()
        assert any("set aside" in warning for warning in report.warnings)
        record = await service.store.record(run_id)
        assert record.report == report
        assert len(record.exchanges) == 3
        assert len(record.iterations) == 1


@pytest.mark.parametrize("stand_in", UNUSABLE)
async def test_a_journal_that_cannot_be_opened_costs_no_answer(
    settings: Settings, stand_in: Callable[[Path], None]
) -> None:
    await filled(settings)
    stand_in(settings.database)
    async with opened(settings) as (service, _):
        with pytest.raises(StoreUnavailable, match="CONSORTIUM_DB"):
            await service.list_runs(RunQuery())
        report = await consulted(service)
        assert (report.status, report.synthesis) == ("completed", "It is 42.")
        assert "CONSORTIUM_DB" in report.warnings[-1]
        page = await service.list_runs(RunQuery())
        assert [run.run_id for run in page.runs] == [report.run_id]
        assert "Earlier runs cannot be listed now" in page.notes[0]
    assert all_set_aside(settings.database) == ()


async def test_a_folder_that_cannot_be_made_costs_no_answer(settings: Settings) -> None:
    settings.user_dir.mkdir()
    (settings.user_dir / "file").touch()
    unusable = replace(settings, database=settings.user_dir / "file" / "consortium.db")
    async with opened(unusable) as (service, _):
        report = await consulted(service)
        assert report.synthesis == "It is 42."
        assert "folder that can be written" in report.warnings[-1]


async def test_who_names_a_saved_consortium_means_that_one(settings: Settings) -> None:
    await filled(settings)
    async with opened(settings) as (service, ask):
        asked_before = len(ask.questions)
        with locked(settings.database, LOCKS["alone"]):
            with pytest.raises(StoreBusy):
                await service.consult(ConsultRequest("?", "mine", ConsortiumSettings()))
            nested = replace(PANEL, models=["mine", "a"])
            with pytest.raises(UnknownModel, match=r"could not be read.*locked"):
                await service.consult(ConsultRequest("?", None, nested))
        assert len(ask.questions) == asked_before
